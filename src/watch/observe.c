/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observe.h"

#include "base/mem.h"
#include "base/rng.h"
#include "watch/lanes_private.h"

/* Rows of one turn, gathered for each lane; `from` of them come from each request. */
typedef struct gathered {
    const sw_observed *requests;
    size_t request_count;
    size_t request, row; /* the next row */
} gathered;

static size_t width_in(const sw_tensor *tensor, uint32_t width, size_t rows) {
    return width ? width : rows == 1 ? tensor->count : tensor->count / rows;
}

/* Shapes were checked when the request came in; what does not fit all the same is left out. */
static bool fits(const sw_tensor *tensor, sw_dtype dtype, uint32_t column_max, size_t width,
                 size_t rows) {
    size_t need;
    return tensor->dtype == dtype && width > column_max &&
           !__builtin_mul_overflow(rows, width, &need) && tensor->count >= need;
}

/* Up to SW_SPAN_ROWS rows of one width; where they are counted at once, *at is moved on. */
static void gather_rows(sw_span *out, gathered *at, const sw_lane *lane) {
    size_t value_bytes = sw_dtype_size(lane->dtype);
    out->count = 0;
    for (; at->request < at->request_count; at->request++, at->row = 0) {
        const sw_observed *request = &at->requests[at->request];
        const sw_tensor *tensor =
            lane->output ? &request->outputs[lane->tensor] : &request->inputs[lane->tensor];
        if (request->rows == 0)
            continue;
        size_t width = width_in(tensor, lane->width, request->rows);
        if (!fits(tensor, lane->dtype, lane->column_max, width, request->rows))
            continue;
        if (out->count && width != out->width)
            return;
        out->width = width;
        const char *data = tensor->data;
        for (; at->row < request->rows; at->row++) {
            if (out->count == SW_SPAN_ROWS)
                return;
            out->rows[out->count++] = data + at->row * width * value_bytes;
        }
    }
}

/* Into the cell of all rows. Of busy traffic a uniform sample feeds the estimates of distinct values. */
static void count_span(const sw_lane *lane, sw_shard *shard, sw_span *span) {
    sw_cell *cell = &shard->cells[0];
    span->distinct = cell->distinct && (cell->rows <= SW_DISTINCT_ROWS ||
                                        sw_rng_next(&shard->random) % SW_DISTINCT_ONE_IN == 0);
    lane->count(lane, cell, &shard->random, span);
}

static void count_lane(const sw_lane *lane, sw_shard *shard, const sw_observed *requests,
                       size_t count) {
    gathered at = {requests, count, 0, 0};
    sw_span span;
    for (gather_rows(&span, &at, lane); span.count; gather_rows(&span, &at, lane))
        count_span(lane, shard, &span);
}

/* ---- Few rows wait for more ---- */

static void settle_lane(sw_shard *shard, uint32_t index) {
    const sw_lane *lane = &shard->observer->lanes[index];
    sw_pending *pending = &shard->pending[index];
    sw_span span = {.count = pending->count, .width = lane->width};
    for (uint32_t i = 0; i < pending->count; i++)
        span.rows[i] = pending->rows + i * lane->pending_bytes;
    if (pending->count)
        count_span(lane, shard, &span);
    pending->count = 0;
}

void sw_shard_settle(sw_shard *shard) {
    for (uint32_t i = 0; i < shard->observer->lane_count; i++)
        if (shard->pending[i].rows)
            settle_lane(shard, i);
}

static void keep_rows(sw_shard *shard, uint32_t index, const sw_observed *request) {
    const sw_lane *lane = &shard->observer->lanes[index];
    sw_pending *pending = &shard->pending[index];
    const sw_tensor *tensor =
        lane->output ? &request->outputs[lane->tensor] : &request->inputs[lane->tensor];
    if (!fits(tensor, lane->dtype, lane->column_max, lane->width, request->rows))
        return;
    const char *data = tensor->data;
    for (size_t row = 0; row < request->rows; row++) {
        memcpy(pending->rows + pending->count * lane->pending_bytes,
               data + row * lane->pending_bytes, lane->pending_bytes);
        if (++pending->count == SW_PENDING_ROWS)
            settle_lane(shard, index);
    }
}

static void count_all(sw_shard *shard, const sw_observed *requests, size_t count) {
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += requests[i].rows;
    shard->cells[0].rows += rows;
    for (uint32_t i = 0; i < shard->observer->lane_count; i++)
        if (shard->pending[i].rows && rows < SW_PENDING_ROWS / 2)
            for (size_t k = 0; k < count; k++)
                keep_rows(shard, i, &requests[k]);
        else
            count_lane(&shard->observer->lanes[i], shard, requests, count);
}

/* ---- Segments: rows of one cell after those of another ---- */

/* The cell of one row; 0: none. */
static uint32_t cell_of(const sw_splitter *s, const sw_observed *request, size_t row) {
    const sw_tensor *tensor = &request->inputs[s->tensor];
    size_t width = width_in(tensor, s->width, request->rows);
    if (!fits(tensor, s->dtype, s->probe.column, width, request->rows))
        return 0;
    uint32_t bin =
        sw_lane_bin(s, (const char *)tensor->data + row * width * sw_dtype_size(s->dtype));
    return s->cell_of[bin] ? s->first_cell + s->cell_of[bin] - 1 : 0;
}

/* Row `row` of a request, as if it had been the only one. */
typedef struct single {
    const sw_observer *observer;
    const sw_observed *request;
    size_t row;
} single;

static void count_single(sw_cell *cell, uint64_t *random, const single *s) {
    cell->rows++;
    for (uint32_t i = 0; i < s->observer->lane_count; i++) {
        const sw_lane *lane = &s->observer->lanes[i];
        const sw_tensor *tensor =
            lane->output ? &s->request->outputs[lane->tensor] : &s->request->inputs[lane->tensor];
        size_t width = width_in(tensor, lane->width, s->request->rows);
        if (!fits(tensor, lane->dtype, lane->column_max, width, s->request->rows))
            continue;
        sw_span span = {.count = 1, .width = width};
        span.rows[0] = (const char *)tensor->data + s->row * width * sw_dtype_size(lane->dtype);
        lane->count(lane, cell, random, &span);
    }
}

static void count_segments(sw_shard *shard, const sw_observed *request) {
    const sw_observer *observer = shard->observer;
    for (uint32_t i = 0; i < observer->splitter_count; i++)
        for (size_t row = 0; row < request->rows; row++) {
            uint32_t cell = cell_of(&observer->splitters[i], request, row);
            if (cell)
                count_single(&shard->cells[cell], &shard->random,
                             &(single){observer, request, row});
        }
}

/* ---- Counting ---- */

void sw_observe_many(sw_shard *shard, const sw_observed *requests, size_t count) {
    count_all(shard, requests, count);
    for (size_t i = 0; i < count && shard->cell_count > 1; i++)
        count_segments(shard, &requests[i]);
}

void sw_observe(sw_shard *shard, const sw_tensor *inputs, const sw_tensor *outputs, size_t rows) {
    sw_observe_many(shard, &(sw_observed){inputs, outputs, rows}, 1);
}

void sw_observe_mismatch(sw_shard *shard, uint32_t feature) {
    const sw_observer *observer = shard->observer;
    if (feature >= observer->feature_count || observer->columns[feature].dropped)
        return;
    shard->mismatches[feature]++;
    shard->mismatched = true;
}

/* ---- Shards ---- */

static bool make_cell(sw_cell *out, const sw_observer *observer, bool whole) {
    uint32_t labels = whole ? observer->label_count : observer->output_label_count;
    out->counts = sw_mem_zalloc(observer->counter_count, sizeof *out->counts);
    out->labels = sw_mem_zalloc(labels, sizeof *out->labels);
    out->sums = sw_mem_zalloc(observer->column_count, sizeof *out->sums);
    for (uint32_t i = 0; out->sums && i < observer->column_count; i++)
        sw_sums_clear(&out->sums[i]);
    if (whole && observer->distinct)
        out->distinct = sw_mem_zalloc(observer->column_count, sizeof *out->distinct);
    if (whole)
        out->tails = sw_mem_zalloc(2, sizeof *out->tails);
    return out->counts && out->labels && out->sums &&
           (!whole || (out->tails && (out->distinct || !observer->distinct)));
}

static void free_cell(sw_cell *cell) {
    sw_mem_free(cell->counts);
    sw_mem_free(cell->labels);
    sw_mem_free(cell->sums);
    sw_mem_free(cell->distinct);
    sw_mem_free(cell->tails);
}

static bool make_pending(sw_shard *shard) {
    const sw_observer *observer = shard->observer;
    shard->pending = sw_mem_zalloc(observer->lane_count, sizeof *shard->pending);
    bool good = shard->pending != NULL;
    shard->pending_count = good ? observer->lane_count : 0;
    for (uint32_t i = 0; good && i < observer->lane_count; i++) {
        size_t bytes = observer->lanes[i].pending_bytes;
        if (bytes == 0)
            continue;
        shard->pending[i].rows = sw_mem_zalloc(SW_PENDING_ROWS, bytes);
        good = shard->pending[i].rows != NULL;
    }
    return good;
}

sw_status sw_shard_make(sw_shard **out, const sw_observer *observer, sw_error *error) {
    uint32_t cells = 1 + observer->segment_count;
    sw_shard *shard = sw_mem_zalloc(1, sizeof *shard + cells * sizeof *shard->cells);
    bool good = shard != NULL;
    if (good)
        *shard = (sw_shard){.observer = observer, .random = 1, .cell_count = cells};
    good = good && make_pending(shard);
    if (good)
        shard->mismatches = sw_mem_zalloc(observer->feature_count, sizeof *shard->mismatches);
    good = good && shard->mismatches;
    for (uint32_t i = 0; good && i < cells; i++)
        good = make_cell(&shard->cells[i], observer, i == 0);
    if (good) {
        *out = shard;
        return SW_OK;
    }
    sw_shard_free(shard);
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to watch a model's features");
}

void sw_shard_free(sw_shard *shard) {
    if (!shard)
        return;
    for (uint32_t i = 0; i < shard->cell_count; i++)
        free_cell(&shard->cells[i]);
    for (uint32_t i = 0; i < shard->pending_count; i++)
        sw_mem_free(shard->pending[i].rows);
    sw_mem_free(shard->pending);
    sw_mem_free(shard->mismatches);
    sw_mem_free(shard);
}
