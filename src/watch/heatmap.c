/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/history_private.h"

#include "base/json.h"
#include "base/mem.h"

#include <math.h>

enum { HOURS = 24, STEPS_MAX = 96, MINUTE_MS = 60000 };

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

/* The shortest that fits, of those that begin on the full hour or day; rows that were rolled up
 * cannot be told apart within an hour or a day. */
static int64_t step_of(int64_t minutes) {
    static const int64_t choices[] = {1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440};
    int64_t least = minutes > SW_WATCH_HOURS_KEPT ? 1440 : minutes > SW_WATCH_MINUTES_KEPT ? 60 : 1;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i] >= least && minutes <= choices[i] * STEPS_MAX)
            return choices[i];
    int64_t days = (minutes + 1440 * STEPS_MAX - 1) / (1440 * STEPS_MAX);
    return days * 1440;
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
    heatmap h = {.subject = subject, .segment = segment, .step_minutes = step_of(minutes)};
    int64_t end = sw_watch_minute(watch) / h.step_minutes + 1; /* in steps; the running one too */
    h.steps = (size_t)((minutes + h.step_minutes - 1) / h.step_minutes);
    h.from_minute = (end - (int64_t)h.steps) * h.step_minutes;
    SW_TRY(sw_observer_make(&h.observer, subject->signature, subject->profile, subject->settings,
                            error));
    sw_status status = sw_watch_know_segment(h.observer, segment, error);
    if (!sw_failed(status))
        status = fill(&h, watch, error);
    if (!sw_failed(status))
        write_heatmap(json, &h);
    if (!sw_failed(status) && json->failed)
        status = sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for a heat-map");
    sw_counts_free(&h.reference);
    sw_counts_free(&h.step);
    sw_mem_free(h.cells);
    sw_mem_free(h.rows);
    sw_observer_free(h.observer);
    return status;
}
