/* SPDX-License-Identifier: Apache-2.0 */
/* Quality over time: rows of the log counted into cells, and windows of them described. */
#include "base/mem.h"
#include "decay/quality_cells.h"

#include <math.h>
#include <stdlib.h>

enum {
    EXACT_LABELS_MAX = 50000,
    EXACT_ROWS_MAX = 200000,
    REPEATS_MAX = 4096,
    SHORT_STEP_MS = 5 * 60 * 1000,
};

/* ---- Counting ---- */

typedef struct counting {
    const quality_setup *setup;
    quality_filter filter;
    decay_model *model;
    quality_cell **cells; /* of the whole query, by time */
    bool *stale;
    sw_quality *nothing; /* sums of no rows; NULL where nothing can be counted */
    size_t count;
    int64_t from_ms, step_ms;
    /* RANKING: the query being gathered */
    sw_ranked *ranked;
    size_t ranked_count, ranked_cap;
    char query[SW_PLOG_ID_BYTES_MAX];
    size_t query_bytes;
    quality_cell *query_cell;
    bool query_whole;
    /* Exact figures: the rows themselves */
    double *scores;
    uint8_t *labels;
    size_t exact, exact_cap;
} counting;

static uint32_t repeats(double weight, quality_cell *c, double *left) {
    if (c->unit == 0)
        c->unit = exp2(floor(log2(weight > 0 ? weight : 1)));
    double wanted = weight / c->unit + *left;
    double whole = floor(wanted);
    *left = wanted - whole;
    return whole > REPEATS_MAX ? REPEATS_MAX : (uint32_t)whole;
}

static bool wants(const sw_plog_column *column, void *context) {
    const counting *k = context;
    return sw_quality_wants(k->setup, column) || sw_str_eq(column->name, k->filter.column);
}

static void end_query(counting *k) {
    if (k->ranked_count && k->query_whole && k->query_cell) {
        k->query_cell->unit = 1; /* a query counts once, whatever it stands for */
        sw_quality_add_query(k->query_cell->sums, k->ranked, k->ranked_count);
    }
    k->ranked_count = 0;
    k->query_whole = true;
    k->query_cell = NULL;
}

/* Rows of a request follow each other; their ids are "ID.0", "ID.1", …. */
static sw_status count_ranked(counting *k, quality_cell *c, sw_str id, const quality_row *row,
                              bool usable, sw_error *error) {
    size_t base = id.len;
    while (base > 0 && id.at[base - 1] != '.')
        base--;
    base = base ? base - 1 : id.len;
    if (base != k->query_bytes || memcmp(k->query, id.at, base) != 0) {
        end_query(k);
        memcpy(k->query, id.at, base);
        k->query_bytes = base;
    }
    if (k->ranked_count == k->ranked_cap) {
        size_t cap = k->ranked_cap ? 2 * k->ranked_cap : 256;
        sw_ranked *more = sw_mem_realloc(k->ranked, cap * sizeof *more);
        if (!more)
            return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a ranked list");
        k->ranked = more;
        k->ranked_cap = cap;
    }
    k->query_cell = c;
    k->query_whole &= usable;
    k->ranked[k->ranked_count++] = (sw_ranked){row->score, row->label};
    return SW_OK;
}

static sw_status count_label(quality_cell *c, int64_t at_ms, const sw_plog_label *label,
                             sw_error *error) {
    int64_t lag_s = (int64_t)label->at_s - at_ms / 1000;
    if (!c->lags && !(c->lags = sw_mem_zalloc(1, sizeof *c->lags)))
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the lags of labels");
    sw_histogram_add(c->lags, lag_s > 0 ? (uint64_t)lag_s : 0);
    c->labelled++;
    return SW_OK;
}

/* Whether what the scores promise can be told without labels. */
static bool is_estimated(const quality_setup *setup) {
    return setup->width && (setup->task == SW_TASK_BINARY || setup->task == SW_TASK_MULTICLASS);
}

static void count_estimate(counting *k, quality_cell *c, quality_columns *columns, double weight,
                           size_t row) {
    bool binary = k->setup->task == SW_TASK_BINARY;
    double score = binary ? sw_quality_score_of(columns, k->setup, row) : NAN;
    const double *scores = binary ? NULL : sw_quality_scores_of(columns, k->setup, row);
    if (!scores && !(score >= 0 && score <= 1))
        return;
    for (uint32_t n = repeats(weight, c, &c->left_logged); n > 0; n--)
        binary ? sw_quality_add_estimate(c->sums, score, score)
               : sw_quality_add_class_estimate(c->sums, scores);
}

static void count_logged(quality_cell *c, double weight) {
    c->weight_min = c->logged && c->weight_min < weight ? c->weight_min : weight;
    c->weight_max = weight > c->weight_max ? weight : c->weight_max;
    c->logged++;
    c->weight += weight;
}

static sw_status count_row(counting *k, quality_cell *c, const plog_view *view,
                           quality_columns *columns, bool usable, size_t i, sw_error *error) {
    const sw_plog_label *label = &view->labels[i];
    quality_row row;
    if (usable && !c->sums)
        SW_TRY(sw_quality_sums_make(&c->sums, k->setup, error));
    count_logged(c, view->rows.weights[i]);
    if (usable && is_estimated(k->setup))
        count_estimate(k, c, columns, view->rows.weights[i], i);
    if (label->kind != PLOG_LABEL_NONE)
        SW_TRY(count_label(c, view->rows.at_ms[i], label, error));
    bool fits = usable && sw_quality_row_of(&row, columns, k->setup, k->model, i, label);
    if (k->setup->task == SW_TASK_RANKING && usable)
        return count_ranked(k, c, view->rows.ids[i], &row, fits, error);
    if (!fits)
        return SW_OK;
    c->counted++;
    for (uint32_t n = repeats(view->rows.weights[i], c, &c->left_labelled); n > 0; n--)
        sw_quality_sums_add(c->sums, k->setup, &row);
    return SW_OK;
}

static sw_status visit_rows(const plog_view *view, void *context, sw_error *error) {
    counting *k = context;
    quality_columns columns;
    bool usable =
        k->setup->task != SW_TASK_AUTO && sw_quality_columns_of(&columns, k->setup, &view->rows);
    for (size_t i = 0; i < view->rows.count; i++) {
        int64_t since_ms = view->rows.at_ms[i] - k->from_ms;
        size_t at = (size_t)(since_ms / k->step_ms);
        if (since_ms < 0 || at >= k->count || !k->stale[at] ||
            !sw_quality_passes(&k->filter, &view->rows, i))
            continue;
        SW_TRY(count_row(k, k->cells[at], view, &columns, usable, i, error));
    }
    return SW_OK;
}

/* Counts the stale cells, in one scan from the first of them to the last. */
static sw_status count_stale(counting *k, plog_store *store, sw_error *error) {
    size_t first = 0, last = k->count;
    while (first < k->count && !k->stale[first])
        first++;
    while (last > first && !k->stale[last - 1])
        last--;
    plog_scan scan = {.from_ms = k->from_ms + (int64_t)first * k->step_ms,
                      .to_ms = k->from_ms + (int64_t)last * k->step_ms,
                      .with_labels = true,
                      .without_ids = k->setup->task != SW_TASK_RANKING,
                      .want = wants,
                      .visit = visit_rows,
                      .context = k};
    if (first == last)
        return SW_OK;
    k->query_whole = true;
    sw_status status = sw_plog_scan_store(store, &scan, error);
    if (k->setup->task == SW_TASK_RANKING)
        end_query(k);
    return status;
}

/* ---- From cells to a window ---- */

static double share(double top, double bottom) {
    return bottom > 0 ? top / bottom : NAN;
}

void sw_quality_scale_counts(sw_metrics *metrics, double unit) {
    static const char *const counts[] = {"tp", "fp", "fn", "tn"};
    for (unsigned i = 0; i < metrics->count; i++)
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            if (strcmp(metrics->at[i].name, counts[k]) == 0)
                metrics->at[i].value *= unit;
}

static void describe(sw_quality_window *out, const quality_cell *c, const counting *k) {
    const sw_quality *sums = c->sums ? c->sums : k->nothing;
    *out = (sw_quality_window){.from_ms = c->from_ms,
                               .to_ms = c->to_ms,
                               .rows = c->weight,
                               .logged = c->logged,
                               .labelled = c->labelled,
                               .coverage = share((double)c->labelled, (double)c->logged),
                               .lag_p50_s = NAN,
                               .lag_p90_s = NAN};
    if (c->labelled) {
        out->lag_p50_s = sw_histogram_quantile(c->lags, 0.5);
        out->lag_p90_s = sw_histogram_quantile(c->lags, 0.9);
    }
    if (!sums)
        return;
    sw_quality_metrics(&out->metrics, sums);
    if (is_estimated(k->setup))
        sw_quality_estimate(&out->estimated, sums);
    sw_quality_scale_counts(&out->metrics, c->unit ? c->unit : 1);
    sw_quality_scale_counts(&out->estimated, c->unit ? c->unit : 1);
}

/* ---- Exact figures of few rows ---- */

static sw_status visit_exact(const plog_view *view, void *context, sw_error *error) {
    counting *k = context;
    quality_columns columns;
    quality_row row;
    (void)error;
    if (!sw_quality_columns_of(&columns, k->setup, &view->rows))
        return SW_OK;
    for (size_t i = 0; i < view->rows.count && k->exact < k->exact_cap; i++) {
        int64_t at_ms = view->rows.at_ms[i];
        if (at_ms < k->from_ms || at_ms >= k->from_ms + (int64_t)k->count * k->step_ms ||
            !sw_quality_passes(&k->filter, &view->rows, i) ||
            !sw_quality_row_of(&row, &columns, k->setup, k->model, i, &view->labels[i]))
            continue;
        k->scores[k->exact] = row.score;
        k->labels[k->exact++] = row.label != 0;
    }
    return SW_OK;
}

/* Of rows that weigh the same a binary classifier's figures are computed from the rows themselves:
 * its ROC AUC is then no approximation. */
static sw_status make_exact(sw_quality_window *window, const quality_cell *whole, counting *k,
                            plog_store *store, sw_arena *arena, sw_error *error) {
    sw_confusion confusion;
    if (k->setup->task != SW_TASK_BINARY || k->setup->width == 0 || whole->counted == 0 ||
        whole->counted > EXACT_LABELS_MAX || whole->logged > EXACT_ROWS_MAX ||
        whole->weight_min < whole->weight_max)
        return SW_OK;
    k->exact_cap = whole->counted;
    k->scores = sw_arena_alloc(arena, k->exact_cap * sizeof *k->scores);
    k->labels = sw_arena_alloc(arena, k->exact_cap);
    if (!k->scores || !k->labels)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality of a window");
    plog_scan scan = {.from_ms = whole->from_ms,
                      .to_ms = whole->to_ms,
                      .with_labels = true,
                      .without_ids = true,
                      .want = wants,
                      .visit = visit_exact,
                      .context = k};
    SW_TRY(sw_plog_scan_store(store, &scan, error));
    window->metrics.count = 0;
    SW_TRY(sw_binary_metrics(&window->metrics, &confusion, k->scores, k->labels, k->exact,
                             k->setup->threshold, error));
    sw_quality_scale_counts(&window->metrics, whole->weight_min);
    return SW_OK;
}

/* ---- A query ---- */

static uint64_t key_of(const plog_store *store, const quality_setup *setup,
                       const sw_quality_query *query) {
    uint64_t key = sw_plog_hash((sw_str){(const char *)&store, sizeof(plog_store *)}, 6);
    key = sw_plog_hash(sw_str_of(setup->text), key + setup->classes);
    key = sw_plog_hash((sw_str){(const char *)setup->class_of, sizeof setup->class_of}, key);
    return sw_plog_hash(query->segment, key);
}

static sw_status take_cells(counting *k, quality_cells *cells, plog_store *store, uint64_t key,
                            sw_error *error) {
    sw_quality_cells_begin(cells);
    for (size_t i = 0; i < k->count; i++) {
        int64_t from_ms = k->from_ms + (int64_t)i * k->step_ms, to_ms = from_ms + k->step_ms;
        uint64_t stamp = sw_plog_store_stamp(store, from_ms, to_ms);
        SW_TRY(sw_quality_cells_take(&k->cells[i], cells, key, from_ms, to_ms, error));
        k->stale[i] = k->cells[i]->stamp != stamp;
        if (k->stale[i])
            sw_quality_cells_reset(cells, k->cells[i], stamp);
    }
    return SW_OK;
}

static sw_status keep_sums(sw_quality_window *window, const quality_cell *whole, sw_arena *arena,
                           sw_error *error) {
    sw_buf json = {0};
    if (!whole->sums)
        return SW_OK;
    sw_quality_sums_write(&json, whole->sums, whole->unit ? whole->unit : 1);
    window->sums = json.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&json));
    sw_buf_free(&json);
    return window->sums.at
               ? SW_OK
               : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality of a window");
}

static sw_status fill(sw_quality_report *out, counting *k, sw_decay *decay, plog_store *store,
                      const sw_quality_query *query, sw_arena *arena, sw_error *error) {
    quality_cell whole;
    k->cells = sw_arena_zalloc(arena, k->count, sizeof(quality_cell *));
    k->stale = sw_arena_zalloc(arena, k->count, sizeof *k->stale);
    size_t points = query->step_minutes ? k->count : 0;
    out->series = sw_arena_zalloc(arena, points + 1, sizeof *out->series);
    if (!decay->cells)
        decay->cells = sw_quality_cells_make();
    if (!k->cells || !k->stale || !out->series || !decay->cells)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality of a window");
    if (k->setup->task != SW_TASK_AUTO)
        SW_TRY(sw_quality_sums_make(&k->nothing, k->setup, error));
    SW_TRY(take_cells(k, decay->cells, store, key_of(store, k->setup, query), error));
    sw_status status = count_stale(k, store, error);
    for (size_t i = 0; sw_failed(status) && i < k->count; i++)
        if (k->stale[i])
            sw_quality_cells_reset(decay->cells, k->cells[i], 0);
    SW_TRY(status);
    for (size_t i = 0; i < points; i++)
        describe(&out->series[out->series_count++], k->cells[i], k);
    SW_TRY(sw_quality_cells_sum(&whole, decay->cells, k->cells, k->count, k->setup, error));
    describe(&out->window, &whole, k);
    return query->with_sums ? keep_sums(&out->window, &whole, arena, error)
                            : make_exact(&out->window, &whole, k, store, arena, error);
}

/* Where no series is wanted: five minutes, or as long as they must be. */
static int64_t step_ms(const sw_quality_query *query) {
    if (query->step_minutes)
        return (int64_t)query->step_minutes * 60000;
    int64_t steps =
        (query->to_ms - query->from_ms) / SHORT_STEP_MS / (SW_QUALITY_STEPS_MAX - 2) + 1;
    return steps * SHORT_STEP_MS;
}

sw_status sw_quality_windows(sw_quality_report *out, sw_decay *decay, decay_model *model,
                             plog_store *store, const quality_setup *setup,
                             const sw_quality_query *query, sw_arena *arena, sw_error *error) {
    counting k = {.setup = setup, .model = model, .step_ms = step_ms(query)};
    sw_str rest = query->segment;
    if (rest.len) {
        k.filter.column = sw_str_split(&rest, '=');
        k.filter.value = rest;
    }
    /* Steps begin at whole multiples of their length, so that they are found again. */
    k.from_ms = query->from_ms - query->from_ms % k.step_ms;
    k.count = (size_t)((query->to_ms - k.from_ms + k.step_ms - 1) / k.step_ms);
    k.count = k.count ? k.count : 1;
    if (k.count > SW_QUALITY_STEPS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "%zu steps are more than %d: ask for fewer hours, or longer steps "
                       "(step_minutes)",
                       k.count, SW_QUALITY_STEPS_MAX);
    sw_status status = fill(out, &k, decay, store, query, arena, error);
    sw_quality_free(k.nothing);
    sw_mem_free(k.ranked);
    return status;
}
