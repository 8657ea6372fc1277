/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What evidence of decay and of a metric is made of, as JSON, and the way back: the test takes its
 * looks again, the metrics are taken from their sums again.
 */
#include "base/num.h"
#include "decay/decay_private.h"
#include "stats/sum_json.h"

#include <math.h>

/* ---- Decay: writing ---- */

static bool is_at_start(const sw_decay_test *test) {
    return isinf(test->bets[0]);
}

static void write_trail(sw_json *w, const sw_decay_trail *t) {
    sw_json_add_f64(w, "looks_per_month", t->plan.looks_per_month);
    sw_json_add_f64(w, "false_alarms_per_month", t->plan.false_alarms_per_month);
    sw_json_add_f64(w, "tolerance", t->plan.tolerance);
    sw_json_add_f64(w, "baseline_risk", t->plan.baseline_risk);
    sw_json_key(w, "baseline_sums");
    sw_loss_sums_to_json(w, &t->baseline);
    if (!is_at_start(&t->before)) {
        sw_json_key(w, "bets");
        sw_json_begin_array(w);
        for (size_t i = 0; i < SW_DECAY_BETS; i++)
            sw_json_f64(w, t->before.bets[i]);
        sw_json_end_array(w);
        sw_json_key(w, "sums_before");
        sw_loss_sums_to_json(w, &t->before.since);
    }
    sw_json_key(w, "looks");
    sw_json_begin_array(w);
    for (size_t i = 0; i < t->count; i++)
        sw_loss_sums_to_json(w, &t->looks[i]);
    sw_json_end_array(w);
}

void sw_decay_evidence_write(sw_json *w, const sw_decay_evidence *e) {
    sw_json_begin_object(w);
    sw_json_add_text(w, "loss", e->loss);
    sw_json_add_f64(w, "scale", e->scale);
    sw_json_add_f64(w, "baseline", e->baseline);
    sw_json_add_f64(w, "now", e->now);
    sw_json_add_u64(w, "baseline_rows", e->baseline_rows);
    sw_json_add_u64(w, "rows", e->rows);
    sw_json_add_f64(w, "evidence_log10", e->evidence_log10);
    sw_json_add_f64(w, "threshold_log10", e->threshold_log10);
    sw_json_add_i64(w, "since_ms", e->since_ms);
    sw_json_add_text(w, "why", e->why);
    write_trail(w, &e->trail);
    sw_json_end_object(w);
}

/* ---- Decay: reading ---- */

typedef struct evidence {
    sw_decay_trail trail; /* of `before`, bets and sums alone are read */
    bool has_bets;
    double baseline, now, evidence_log10, threshold_log10;
} evidence;

static void read_bets(evidence *e, sw_json_reader *in) {
    sw_json_read_array(in);
    for (size_t i = 0; i < SW_DECAY_BETS; i++)
        sw_take_f64(in, &e->trail.before.bets[i]);
    sw_take_end(in);
    e->has_bets = true;
}

static void read_looks(sw_decay_trail *t, sw_json_reader *in) {
    sw_json_read_array(in);
    while (sw_json_read_item(in)) {
        if (t->count == SW_DECAY_LOOKS_KEPT) {
            sw_json_read_fail(in, in->at, "an evidence has at most %d looks", SW_DECAY_LOOKS_KEPT);
            return;
        }
        sw_loss_sums_from_json(in, &t->looks[t->count++]);
    }
}

static void read_number(evidence *e, sw_json_reader *in, sw_str key) {
    const struct {
        const char *key;
        double *into;
    } numbers[] = {{"looks_per_month", &e->trail.plan.looks_per_month},
                   {"false_alarms_per_month", &e->trail.plan.false_alarms_per_month},
                   {"tolerance", &e->trail.plan.tolerance},
                   {"baseline_risk", &e->trail.plan.baseline_risk},
                   {"baseline", &e->baseline},
                   {"now", &e->now},
                   {"evidence_log10", &e->evidence_log10},
                   {"threshold_log10", &e->threshold_log10}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (sw_str_is(key, numbers[i].key) && sw_json_read_peek(in) == SW_JSON_NUMBER) {
            sw_json_read_f64(in, numbers[i].into);
            return;
        }
    sw_json_read_skip(in);
}

static sw_status read_evidence(evidence *e, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *e = (evidence){.baseline = NAN, .now = NAN, .evidence_log10 = NAN, .threshold_log10 = NAN};
    e->trail.looks = sw_arena_zalloc(arena, SW_DECAY_LOOKS_KEPT, sizeof *e->trail.looks);
    if (!e->trail.looks)
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to recompute an alarm");
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "baseline_sums"))
            sw_loss_sums_from_json(&in, &e->trail.baseline);
        else if (sw_str_is(key, "sums_before"))
            sw_loss_sums_from_json(&in, &e->trail.before.since);
        else if (sw_str_is(key, "bets"))
            read_bets(e, &in);
        else if (sw_str_is(key, "looks"))
            read_looks(&e->trail, &in);
        else
            read_number(e, &in, key);
    }
    return sw_json_read_end(&in);
}

sw_status sw_decay_recompute(sw_decay_again *out, sw_str json, sw_arena *arena, sw_error *error) {
    evidence e;
    sw_decay_test test;
    sw_decay_state state = SW_DECAY_TOO_FEW;
    SW_TRY(read_evidence(&e, json, arena, error));
    if (e.trail.count == 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "this evidence of decay has no \"looks\": it is of another version of the "
                       "program, or fields are missing");
    sw_decay_test_start(&test, &e.trail.baseline, &e.trail.plan);
    if (e.has_bets)
        memcpy(test.bets, e.trail.before.bets, sizeof test.bets);
    sw_loss_sums since = e.trail.before.since;
    for (size_t i = 0; i < e.trail.count; i++) {
        sw_loss_merge(&since, &e.trail.looks[i]);
        state = sw_decay_test_look(&test, &e.trail.looks[i]);
    }
    double now = since.rows ? sw_sum_value(since.loss) / (double)since.rows : NAN;
    *out = (sw_decay_again){.evidence_log10 = sw_decay_evidence_log10(&test),
                            .threshold_log10 = sw_decay_threshold_log10(&test),
                            .alarm = state == SW_DECAY_DECAYED};
    out->agrees = sw_num_same_f64(out->evidence_log10, e.evidence_log10) &&
                  sw_num_same_f64(out->threshold_log10, e.threshold_log10) &&
                  sw_num_same_f64(test.baseline_mean, e.baseline) && sw_num_same_f64(now, e.now);
    return SW_OK;
}

/* ---- Metrics ---- */

void sw_quality_sums_write(sw_buf *out, const sw_quality *sums, double unit) {
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_f64(&w, "unit", unit);
    sw_json_key(&w, "counted");
    sw_quality_to_json(&w, sums);
    sw_json_end_object(&w);
}

void sw_metric_evidence_write(sw_json *w, const sw_quality_window *window, const char *metric) {
    sw_json_begin_object(w);
    sw_json_add_text(w, "metric", metric);
    sw_json_add_i64(w, "from_ms", window->from_ms);
    sw_json_add_i64(w, "to_ms", window->to_ms);
    sw_json_add_u64(w, "logged", window->logged);
    sw_json_add_u64(w, "labelled", window->labelled);
    sw_json_key(w, "sums");
    sw_json_raw(w, window->sums.len ? window->sums : SW_STR("null"));
    sw_json_end_object(w);
}

typedef struct sums {
    sw_str metric;
    double unit;
    sw_str counted;
} sums;

static void read_slice(sw_str *out, sw_json_reader *in) {
    sw_json_read_peek(in); /* past the blanks */
    const char *from = in->at;
    sw_json_read_skip(in);
    *out = (sw_str){from, (size_t)(in->at - from)};
}

static void read_sums(sums *s, sw_json_reader *in) {
    sw_str key;
    sw_json_read_object(in);
    while (sw_json_read_key(in, &key)) {
        if (sw_str_is(key, "unit"))
            sw_json_read_f64(in, &s->unit);
        else if (sw_str_is(key, "counted"))
            read_slice(&s->counted, in);
        else
            sw_json_read_skip(in);
    }
}

sw_status sw_metric_recompute(double *out, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    sums s = {.unit = 1};
    sw_metrics metrics;
    sw_quality *quality = NULL;
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "metric"))
            sw_json_read_str(&in, &s.metric);
        else if (sw_str_is(key, "sums"))
            read_sums(&s, &in);
        else
            sw_json_read_skip(&in);
    }
    SW_TRY(sw_json_read_end(&in));
    if (s.counted.len == 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "this evidence of a metric has no \"sums\": it is of another version of the "
                       "program, or fields are missing");
    SW_TRY(sw_quality_from_json(&quality, s.counted, arena, error));
    sw_quality_metrics(&metrics, quality);
    sw_quality_scale_counts(&metrics, s.unit);
    sw_quality_free(quality);
    *out = NAN;
    for (unsigned i = 0; i < metrics.count; i++)
        if (sw_str_is(s.metric, metrics.at[i].name))
            *out = metrics.at[i].value;
    return SW_OK;
}
