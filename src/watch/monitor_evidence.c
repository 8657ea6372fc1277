/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitor_private.h"

#include "base/json.h"
#include "base/num.h"

#include <math.h>

/*
 * Evidence is what the computation took in, as whole numbers and settings, and what came out. Doubles
 * are written so that they read back as the same bits.
 */
enum { FORM = 2 };
static const double log10_of_e = 0.43429448190325182765;

static const char *shape_text(sw_seq_shape shape) {
    return shape == SW_SEQ_ORDERED ? "ordered" : "nominal";
}

static void add_counts(sw_json *w, const char *key, const uint64_t *counts, uint32_t cells) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (uint32_t k = 0; k < cells; k++)
        sw_json_u64(w, counts[k]);
    sw_json_end_array(w);
}

static void add_result(sw_json *w, const sw_recomputed *r) {
    sw_json_key(w, "result");
    sw_json_begin_object(w);
    sw_json_add_f64(w, "evidence_log10", r->evidence_log10);
    sw_json_add_f64(w, "threshold_log10", r->threshold_log10);
    sw_json_add_f64(w, "psi", r->psi);
    sw_json_add_bool(w, "alarm", r->alarm);
    sw_json_end_object(w);
}

static sw_recomputed compute(const sw_seq_test *test, const uint64_t *counts, const uint64_t *looks,
                             size_t starts, double log_threshold) {
    size_t best;
    double sum = sw_seq_log_detector(&best, test, counts, looks, starts);
    return (sw_recomputed){
        .evidence_log10 = sum * log10_of_e,
        .threshold_log10 = log_threshold * log10_of_e,
        .psi = sw_seq_psi(test->reference, counts + best * test->cells, test->cells),
        .alarm = sum >= log_threshold,
    };
}

void sw_finding_evidence_write(sw_buf *out, const sw_engine *engine, const sw_signal *signal,
                               size_t named, double log_threshold, const uint64_t *counts,
                               const uint64_t *looks, const sw_start *const *starts,
                               size_t start_count, size_t best) {
    const sw_seq_test *test = signal->test;
    const sw_engine_column *column = &engine->columns[signal->column];
    sw_recomputed result = compute(test, counts, looks, start_count, log_threshold);
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_u64(&w, "form", FORM);
    sw_json_add_str(&w, "column", column->name);
    sw_json_add_bool(&w, "output", column->output);
    sw_json_add_str(&w, "segment", column->segment);
    sw_json_add_text(&w, "kind", sw_finding_kind_text(signal->kind));
    sw_json_add_i64(&w, "at_ms", (engine->last_minute + 1) * 60000);
    sw_json_add_i64(&w, "since_ms", starts[best]->minute * 60000);
    sw_json_add_u64(&w, "looks", engine->looks);
    sw_json_add_text(&w, "shape", shape_text(test->shape));
    sw_json_add_u64(&w, "sink", test->sink);
    sw_json_add_f64(&w, "tolerance", engine->tolerance);
    sw_json_add_f64(&w, "miss", engine->miss);
    sw_json_add_f64(&w, "false_alarms_per_month", engine->false_alarms);
    sw_json_add_u64(&w, "looks_per_month", SW_MONITOR_LOOKS_A_MONTH);
    sw_json_add_u64(&w, "signals", engine->running);
    sw_json_add_u64(&w, "named", named);
    add_counts(&w, "reference", test->reference, test->cells);
    sw_json_key(&w, "starts");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < start_count; i++) {
        sw_json_begin_object(&w);
        sw_json_add_i64(&w, "at_ms", starts[i]->minute * 60000);
        sw_json_add_u64(&w, "look", looks[i]);
        add_counts(&w, "live", counts + i * test->cells, test->cells);
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    add_result(&w, &result);
    sw_json_end_object(&w);
}

/* ---- Reading it back ---- */

typedef struct evidence {
    uint64_t form, looks_per_month, signals, named, sink;
    double tolerance, miss, false_alarms;
    sw_str shape;
    uint64_t reference[SW_SEQ_CELLS_MAX];
    uint32_t cells;
    uint64_t counts[SW_SEQ_STARTS_MAX * SW_SEQ_CELLS_MAX]; /* SW_SEQ_CELLS_MAX apart */
    uint64_t looks[SW_SEQ_STARTS_MAX];
    size_t starts;
    sw_recomputed said;
} evidence;

static uint32_t read_counts(uint64_t *out, sw_json_reader *in) {
    uint32_t count = 0;
    uint64_t value;
    sw_json_read_array(in);
    while (sw_json_read_item(in)) {
        const char *at = in->at;
        if (!sw_json_read_u64(in, &value))
            break;
        if (count == SW_SEQ_CELLS_MAX || value >> 52) {
            sw_json_read_fail(in, at, "an evidence has at most %d cells of counts below 2^52",
                              SW_SEQ_CELLS_MAX);
            break;
        }
        out[count++] = value;
    }
    return count;
}

static void read_start(evidence *e, sw_json_reader *in) {
    sw_str key;
    if (e->starts == SW_SEQ_STARTS_MAX) {
        sw_json_read_fail(in, in->at, "an evidence has at most %d starts", SW_SEQ_STARTS_MAX);
        return;
    }
    uint64_t *live = e->counts + e->starts * SW_SEQ_CELLS_MAX;
    sw_json_read_object(in);
    while (sw_json_read_key(in, &key)) {
        const char *at = in->at;
        if (sw_str_is(key, "look"))
            sw_json_read_u64(in, &e->looks[e->starts]);
        else if (!sw_str_is(key, "live"))
            sw_json_read_skip(in);
        else if (read_counts(live, in) != e->cells)
            sw_json_read_fail(in, at,
                              "\"live\" needs a count for each of \"reference\", which "
                              "comes first");
    }
    e->starts++;
}

static void read_result(sw_recomputed *said, sw_json_reader *in) {
    sw_str key;
    sw_json_read_object(in);
    while (sw_json_read_key(in, &key)) {
        if (sw_str_is(key, "evidence_log10"))
            sw_json_read_f64(in, &said->evidence_log10);
        else if (sw_str_is(key, "threshold_log10"))
            sw_json_read_f64(in, &said->threshold_log10);
        else if (sw_str_is(key, "psi"))
            sw_json_read_f64(in, &said->psi);
        else if (sw_str_is(key, "alarm"))
            sw_json_read_bool(in, &said->alarm);
        else
            sw_json_read_skip(in);
    }
}

static void read_field(evidence *e, sw_json_reader *in, sw_str key) {
    if (sw_str_is(key, "form"))
        sw_json_read_u64(in, &e->form);
    else if (sw_str_is(key, "shape"))
        sw_json_read_str(in, &e->shape);
    else if (sw_str_is(key, "sink"))
        sw_json_read_u64(in, &e->sink);
    else if (sw_str_is(key, "tolerance"))
        sw_json_read_f64(in, &e->tolerance);
    else if (sw_str_is(key, "miss"))
        sw_json_read_f64(in, &e->miss);
    else if (sw_str_is(key, "false_alarms_per_month"))
        sw_json_read_f64(in, &e->false_alarms);
    else if (sw_str_is(key, "looks_per_month"))
        sw_json_read_u64(in, &e->looks_per_month);
    else if (sw_str_is(key, "signals"))
        sw_json_read_u64(in, &e->signals);
    else if (sw_str_is(key, "named"))
        sw_json_read_u64(in, &e->named);
    else if (sw_str_is(key, "reference"))
        e->cells = read_counts(e->reference, in);
    else if (sw_str_is(key, "result"))
        read_result(&e->said, in);
    else if (!sw_str_is(key, "starts"))
        sw_json_read_skip(in);
    else if (sw_json_read_array(in))
        while (sw_json_read_item(in))
            read_start(e, in);
}

/* What the computation needs to be defined. */
static bool is_whole(const evidence *e) {
    uint64_t rows = 0;
    for (uint32_t k = 0; k < e->cells; k++)
        rows += e->reference[k];
    return e->form == FORM && e->cells >= 2 && rows > 0 && e->starts > 0 && e->sink < e->cells &&
           e->tolerance >= 0 && e->tolerance < 1e6 && e->miss > 0 && e->miss < 1 &&
           e->false_alarms > 0 && e->looks_per_month > 0 && e->named > 0 && e->named <= e->signals;
}

sw_status sw_monitor_recompute(sw_recomputed *out, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    evidence *e = sw_arena_zalloc(arena, 1, sizeof *e);
    if (!e)
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to recompute an alarm");
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key))
        read_field(e, &in, key);
    SW_TRY(sw_json_read_end(&in));
    if (!is_whole(e))
        return sw_fail(error, SW_CODE_INVALID,
                       "this is no evidence of a drift alarm that this version of the program can "
                       "recompute: fields are missing, or outside what they may be");
    sw_seq_test test;
    sw_seq_test_make(&test, e->reference, e->cells,
                     sw_str_is(e->shape, "ordered") ? SW_SEQ_ORDERED : SW_SEQ_NOMINAL,
                     (uint32_t)e->sink, e->tolerance, e->miss);
    for (size_t i = 1; i < e->starts; i++)
        memmove(e->counts + i * e->cells, e->counts + i * SW_SEQ_CELLS_MAX,
                e->cells * sizeof *e->counts);
    double limit = log((double)e->looks_per_month / e->false_alarms) +
                   log((double)e->signals / (double)e->named);
    *out = compute(&test, e->counts, e->looks, e->starts, limit);
    out->agrees = sw_num_same_f64(out->evidence_log10, e->said.evidence_log10) &&
                  sw_num_same_f64(out->threshold_log10, e->said.threshold_log10) &&
                  sw_num_same_f64(out->psi, e->said.psi) && out->alarm == e->said.alarm;
    return SW_OK;
}

/* ---- Words ---- */

const char *sw_finding_kind_text(sw_finding_kind kind) {
    static const char *const texts[] = {"distribution", "missing", "range", "unseen", "type"};
    return texts[kind];
}

const char *sw_finding_state_text(sw_finding_state state) {
    static const char *const texts[] = {"undefined", "too few rows", "same", "drifted"};
    return texts[state];
}
