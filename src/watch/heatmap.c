/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/history_private.h"

#include "base/json.h"
#include "base/mem.h"

#include <math.h>

enum {
    HOURS = 24,
    STEPS_MAX = 96,
    STEPS_MIN = 2,
    STEP_ROWS = SW_WATCH_ROWS_MIN * 6 / 5, /* on average: some more than a verdict takes */
    MINUTE_MS = 60000
};

typedef struct cell {
    float psi, missing;
    uint8_t state;
} cell;

typedef struct heatmap {
    const sw_watch_subject *subject;
    sw_str segment;
    sw_observer *observer;
    sw_counts reference, step; /* `step`: of the time that is being added up */
    int64_t from_minute, step_minutes;
    size_t steps, at;
    cell *cells; /* a row of `steps` for each column */
    uint64_t *rows;
} heatmap;

/* Those that begin on the full hour or day. */
static const int64_t choices[] = {1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440};

/* The shortest that fits; rows that were rolled up cannot be told apart within an hour or a day. */
static int64_t step_of(int64_t minutes) {
    int64_t least = minutes > SW_WATCH_HOURS_KEPT ? 1440 : minutes > SW_WATCH_MINUTES_KEPT ? 60 : 1;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i] >= least && minutes <= choices[i] * STEPS_MAX)
            return choices[i];
    int64_t days = (minutes + 1440 * STEPS_MAX - 1) / (1440 * STEPS_MAX);
    return days * 1440;
}

/* Whether steps of that length that have rows have enough of them for a verdict, on average. */
static bool has_rows(const heatmap *h, int64_t step_minutes) {
    uint64_t rows = 0, busy = 0, here = 0;
    for (size_t i = h->steps; i-- > 0;) { /* from now backwards; whole ones alone */
        int64_t after = (int64_t)(h->steps - i) * h->step_minutes;
        here += h->rows[i];
        if (after % step_minutes)
            continue;
        rows += here;
        busy += here > 0;
        here = 0;
    }
    return rows >= busy * STEP_ROWS;
}

/* The shortest that has rows enough; where none has, the one that it is. */
static int64_t step_for_rows(const heatmap *h, int64_t minutes) {
    if (has_rows(h, h->step_minutes))
        return h->step_minutes;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i] % h->step_minutes == 0 && choices[i] * STEPS_MIN <= minutes &&
            has_rows(h, choices[i]))
            return choices[i];
    return h->step_minutes;
}

/* The running step is the last. */
static void lay_out(heatmap *h, sw_watch *watch, int64_t minutes, int64_t step_minutes) {
    int64_t end = sw_watch_minute(watch) / step_minutes + 1; /* in steps */
    h->step_minutes = step_minutes;
    h->steps = (size_t)((minutes + step_minutes - 1) / step_minutes);
    h->from_minute = (end - (int64_t)h->steps) * step_minutes;
    h->at = 0;
}

static void clear(heatmap *h) {
    sw_counts_free(&h->reference);
    sw_counts_free(&h->step);
    sw_mem_free(h->cells);
    sw_mem_free(h->rows);
    h->cells = NULL;
    h->rows = NULL;
}

static void end_step(heatmap *h) {
    h->rows[h->at] = h->step.rows;
    for (uint32_t i = 0; i < h->observer->column_count; i++) {
        sw_watch_pair pair;
        cell *out = &h->cells[i * h->steps + h->at];
        sw_watch_pair_of(&pair, h->observer, h->subject->profile, i, &h->reference, &h->step);
        sw_verdict v =
            sw_watch_judge(pair.watched ? &pair.reference : NULL, pair.live, h->step.rows);
        *out = (cell){(float)v.psi, (float)v.missing, (uint8_t)v.state};
    }
    sw_counts_clear(&h->step);
}

static sw_status add_row(int64_t at_ms, uint32_t step_minutes, const sw_counts *counts,
                         void *context, sw_error *error) {
    heatmap *h = context;
    (void)step_minutes;
    (void)error;
    size_t at = (size_t)((at_ms / MINUTE_MS - h->from_minute) / h->step_minutes);
    for (; h->at < at; h->at++)
        end_step(h);
    sw_counts_add(&h->step, counts);
    return SW_OK;
}

static sw_status fill(heatmap *h, sw_watch *watch, sw_error *error) {
    bool segment = h->segment.len > 0;
    int64_t from_ms = h->from_minute * MINUTE_MS,
            to_ms = from_ms + (int64_t)h->steps * h->step_minutes * MINUTE_MS;
    h->cells = sw_mem_zalloc(h->observer->column_count * h->steps, sizeof *h->cells);
    h->rows = sw_mem_zalloc(h->steps, sizeof *h->rows);
    if (!h->cells || !h->rows)
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for a heat-map");
    SW_TRY(sw_counts_make_for(&h->reference, h->observer, segment, error));
    SW_TRY(sw_counts_make_for(&h->step, h->observer, segment, error));
    SW_TRY(sw_watch_reference(&h->reference, watch, h->subject, h->observer, h->segment, from_ms,
                              error));
    SW_TRY(sw_watch_each(watch, h->subject, h->observer, h->segment, from_ms, to_ms, add_row, h,
                         error));
    for (; h->at < h->steps; h->at++)
        end_step(h);
    return SW_OK;
}

/* Once more, with longer steps, where rows are few. */
static sw_status fill_readably(heatmap *h, sw_watch *watch, int64_t minutes, sw_error *error) {
    lay_out(h, watch, minutes, step_of(minutes));
    SW_TRY(fill(h, watch, error));
    int64_t step_minutes = step_for_rows(h, minutes);
    if (step_minutes == h->step_minutes)
        return SW_OK;
    clear(h);
    lay_out(h, watch, minutes + step_minutes, step_minutes); /* the running one may be short */
    return fill(h, watch, error);
}

/* ---- JSON ---- */

/* Four decimals, or null. */
static void write_shares(sw_json *w, const char *key, const heatmap *h, const cell *cells,
                         bool psi) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (size_t i = 0; i < h->steps; i++) {
        double x = (double)(psi ? cells[i].psi : cells[i].missing);
        sw_json_f64(w, isnan(x) ? NAN : round(x * 1e4) / 1e4);
    }
    sw_json_end_array(w);
}

static void write_column(sw_json *w, const heatmap *h, uint32_t column) {
    const sw_counted *counted = &h->observer->columns[column];
    const cell *cells = h->cells + column * h->steps;
    sw_watch_pair pair;
    sw_watch_pair_of(&pair, h->observer, h->subject->profile, column, &h->reference, &h->step);
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", counted->name);
    sw_json_add_text(w, "kind",
                     pair.reference.kind == SW_FEATURE_CATEGORY ? "category" : "numeric");
    sw_json_add_bool(w, "output", pair.output);
    write_shares(w, "psi", h, cells, true);
    sw_json_key(w, "state");
    sw_json_begin_array(w);
    for (size_t i = 0; i < h->steps; i++)
        sw_json_text(w, sw_watch_state_text((sw_watch_state)cells[i].state));
    sw_json_end_array(w);
    write_shares(w, "missing_share", h, cells, false);
    sw_json_end_object(w);
}

static void write_heatmap(sw_buf *json, const heatmap *h) {
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", h->subject->model);
    sw_json_add_u64(&w, "version", h->subject->version);
    sw_json_add_str(&w, "segment", h->segment);
    sw_json_add_i64(&w, "step_minutes", h->step_minutes);
    sw_json_add_i64(&w, "from_ms", h->from_minute * MINUTE_MS);
    sw_json_key(&w, "times");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < h->steps; i++)
        sw_json_i64(&w, (h->from_minute + (int64_t)i * h->step_minutes) * MINUTE_MS);
    sw_json_end_array(&w);
    sw_json_key(&w, "rows");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < h->steps; i++)
        sw_json_u64(&w, h->rows[i]);
    sw_json_end_array(&w);
    sw_json_key(&w, "columns");
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < h->observer->column_count; i++)
        write_column(&w, h, i);
    sw_json_end_array(&w);
    sw_json_end_object(&w);
}

sw_status sw_watch_heatmap(sw_buf *json, sw_watch *watch, const sw_watch_subject *subject,
                           sw_str segment, uint32_t hours, sw_error *error) {
    int64_t minutes = (int64_t)(hours ? hours : HOURS) * 60;
    minutes = minutes < SW_WATCH_DAYS_KEPT ? minutes : SW_WATCH_DAYS_KEPT;
    heatmap h = {.subject = subject, .segment = segment};
    SW_TRY(sw_observer_make(&h.observer, subject->signature, subject->profile, subject->settings,
                            error));
    sw_status status = sw_watch_know_segment(h.observer, segment, error);
    if (!sw_failed(status))
        status = fill_readably(&h, watch, minutes, error);
    if (!sw_failed(status))
        write_heatmap(json, &h);
    if (!sw_failed(status) && json->failed)
        status = sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for a heat-map");
    clear(&h);
    sw_observer_free(h.observer);
    return status;
}
