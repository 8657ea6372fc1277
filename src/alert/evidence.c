/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/evidence.h"

#include <math.h>
#include <string.h>

enum {
    USUAL_S_MIN = 600,      /* less past than this is no custom */
    USUAL_EXPECTED_MIN = 60 /* requests in the window; by chance none comes once in e^60 */
};

/* ---- Values ---- */

static double quantile_ms(const sw_histogram *h, double q) {
    return h->count ? sw_histogram_quantile(h, q) / 1e6 : NAN;
}

static double gone(const sw_evidence_window *w) {
    if (w->usual_s < USUAL_S_MIN || w->window_s == 0)
        return NAN;
    double expected = (double)w->usual_requests / w->usual_s * w->window_s;
    if (expected < USUAL_EXPECTED_MIN)
        return NAN;
    double share = 1 - (double)w->requests / expected;
    return share < 0 ? 0 : share;
}

double sw_evidence_value(const sw_measure *measure, const sw_evidence_window *w) {
    switch (measure->kind) {
    case SW_SIGNAL_LATENCY:
        return quantile_ms(&w->total, strcmp(measure->name, "p99") == 0   ? 0.99
                                      : strcmp(measure->name, "p90") == 0 ? 0.9
                                                                          : 0.5);
    case SW_SIGNAL_ERROR_RATE: return w->requests ? (double)w->failures / (double)w->requests : NAN;
    case SW_SIGNAL_TRAFFIC:
        if (strcmp(measure->name, "gone") == 0)
            return gone(w);
        return w->window_s ? (double)w->requests / w->window_s : NAN;
    default: return NAN;
    }
}

double sw_evidence_share_value(const sw_evidence_share *share) {
    return share->whole ? (double)share->part / (double)share->whole : NAN;
}

double sw_evidence_psi_value(const sw_evidence_psi *psi) {
    return sw_seq_psi(psi->reference, psi->live, psi->cells);
}

/* ---- Writing ---- */

static void write_histogram(sw_json *w, const sw_histogram *h) {
    sw_json_add_u64(w, "count", h->count);
    sw_json_add_u64(w, "sum_ns", h->sum_ns);
    sw_json_key(w, "buckets");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS; i++) {
        if (h->buckets[i] == 0)
            continue;
        sw_json_begin_array(w);
        sw_json_u64(w, i);
        sw_json_u64(w, h->buckets[i]);
        sw_json_end_array(w);
    }
    sw_json_end_array(w);
}

void sw_evidence_write_share(sw_json *w, const sw_evidence_share *share) {
    sw_json_begin_object(w);
    sw_json_add_u64(w, "part", share->part);
    sw_json_add_u64(w, "whole", share->whole);
    sw_json_end_object(w);
}

static void write_counts(sw_json *w, const char *key, const uint64_t *counts, uint32_t cells) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (uint32_t k = 0; k < cells; k++)
        sw_json_u64(w, counts[k]);
    sw_json_end_array(w);
}

void sw_evidence_write_psi(sw_json *w, const sw_evidence_psi *psi) {
    sw_json_begin_object(w);
    write_counts(w, "reference", psi->reference, psi->cells);
    write_counts(w, "live", psi->live, psi->cells);
    sw_json_end_object(w);
}

void sw_evidence_write_reading(sw_json *w, double reading) {
    sw_json_begin_object(w);
    sw_json_add_f64(w, "reading", reading);
    sw_json_end_object(w);
}

void sw_evidence_write_window(sw_json *w, const sw_measure *measure,
                              const sw_evidence_window *window) {
    sw_json_begin_object(w);
    sw_json_add_u64(w, "window_s", window->window_s);
    sw_json_add_u64(w, "requests", window->requests);
    sw_json_add_u64(w, "failures", window->failures);
    if (measure->kind == SW_SIGNAL_TRAFFIC) {
        sw_json_add_u64(w, "usual_requests", window->usual_requests);
        sw_json_add_u64(w, "usual_s", window->usual_s);
    }
    if (measure->kind == SW_SIGNAL_LATENCY)
        write_histogram(w, &window->total);
    sw_json_end_object(w);
}

/* What a verdict's strength is in. */
static sw_unit strength_unit(sw_signal_kind kind) {
    return kind == SW_SIGNAL_LOG ? SW_UNIT_NONE : SW_UNIT_LOG10;
}

sw_unit sw_evidence_unit(const sw_rule *rule, const sw_signal *signal) {
    const sw_measure *m = signal->measure;
    return rule->has_limit ? m->unit : strength_unit(m->kind);
}

void sw_evidence_write(sw_buf *out, const sw_rule *rule, const sw_signal *signal) {
    const sw_measure *m = signal->measure;
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "kind", sw_signal_kind_name(m->kind));
    sw_json_add_text(&w, "measure", m->name);
    sw_json_add_text(&w, "by", rule->has_limit ? "limit" : "verdict");
    sw_json_add_f64(&w, "value", rule->has_limit ? signal->value : signal->strength);
    sw_json_add_f64(&w, "limit", rule->has_limit ? rule->limit : signal->strength_limit);
    sw_json_add_bool(&w, "above", rule->above);
    sw_json_add_text(&w, "unit", sw_unit_name(sw_evidence_unit(rule, signal)));
    sw_json_add_f64(&w, "measured", signal->value);
    sw_json_key(&w, "data");
    if (rule->has_limit && signal->write_value)
        signal->write_value(&w, signal);
    else if (signal->write_evidence)
        signal->write_evidence(&w, signal);
    else
        sw_json_null(&w);
    sw_json_end_object(&w);
}
