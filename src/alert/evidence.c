/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/evidence.h"

#include "base/num.h"
#include "watch/monitor.h"

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

void sw_evidence_write(sw_buf *out, const sw_rule *rule, const sw_signal *signal) {
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "kind", sw_signal_kind_name(signal->measure->kind));
    sw_json_add_text(&w, "measure", signal->measure->name);
    sw_json_add_text(&w, "by", rule->has_limit ? "limit" : "verdict");
    sw_json_add_f64(&w, "value", rule->has_limit ? signal->value : signal->strength);
    sw_json_add_f64(&w, "limit", rule->has_limit ? rule->limit : signal->strength_limit);
    sw_json_add_bool(&w, "above", rule->above);
    sw_json_add_text(&w, "unit", rule->has_limit ? sw_unit_name(signal->measure->unit) : "log10");
    sw_json_add_f64(&w, "measured", signal->value);
    sw_json_key(&w, "data");
    if (signal->write_evidence)
        signal->write_evidence(&w, signal);
    else
        sw_json_null(&w);
    sw_json_end_object(&w);
}

/* ---- Back again ---- */

typedef struct head {
    sw_str kind, measure, by, data;
    double value, limit, measured;
    bool above;
} head;

static bool read_number_or_null(sw_json_reader *in, double *out) {
    if (sw_json_read_peek(in) != SW_JSON_NULL)
        return sw_json_read_f64(in, out);
    *out = NAN;
    return sw_json_read_null(in);
}

static sw_status read_head(head *h, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *h = (head){.value = NAN, .limit = NAN, .measured = NAN, .above = true};
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "kind"))
            sw_json_read_str(&in, &h->kind);
        else if (sw_str_is(key, "measure"))
            sw_json_read_str(&in, &h->measure);
        else if (sw_str_is(key, "by"))
            sw_json_read_str(&in, &h->by);
        else if (sw_str_is(key, "value"))
            read_number_or_null(&in, &h->value);
        else if (sw_str_is(key, "limit"))
            read_number_or_null(&in, &h->limit);
        else if (sw_str_is(key, "measured"))
            read_number_or_null(&in, &h->measured);
        else if (sw_str_is(key, "above"))
            sw_json_read_bool(&in, &h->above);
        else {
            sw_json_read_peek(&in);
            const char *from = in.at;
            sw_json_read_skip(&in);
            if (sw_str_is(key, "data"))
                h->data = (sw_str){from, (size_t)(in.at - from)};
        }
    }
    return sw_json_read_end(&in);
}

static void read_buckets(sw_json_reader *in, sw_histogram *h) {
    sw_json_read_array(in);
    while (sw_json_read_item(in)) {
        uint64_t pair[2] = {0};
        size_t count = 0;
        sw_json_read_array(in);
        while (sw_json_read_item(in)) {
            if (count == 2) {
                sw_json_read_fail(in, in->at, "a bucket is [place, count]");
                return;
            }
            sw_json_read_u64(in, &pair[count++]);
        }
        if (sw_failed(in->status))
            return;
        if (count != 2 || pair[0] >= SW_HISTOGRAM_BUCKETS || pair[1] > UINT32_MAX) {
            sw_json_read_fail(in, in->at, "a bucket is [place, count]");
            return;
        }
        h->buckets[pair[0]] = (uint32_t)pair[1];
    }
}

typedef struct data {
    sw_evidence_window window;
    sw_evidence_share share;
} data;

static sw_status read_data(data *d, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    uint64_t number;
    *d = (data){0};
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "buckets")) {
            read_buckets(&in, &d->window.total);
            continue;
        }
        if (sw_json_read_peek(&in) != SW_JSON_NUMBER) {
            sw_json_read_skip(&in);
            continue;
        }
        if (!sw_json_read_u64(&in, &number))
            break;
        if (sw_str_is(key, "window_s"))
            d->window.window_s = (uint32_t)number;
        else if (sw_str_is(key, "requests"))
            d->window.requests = number;
        else if (sw_str_is(key, "failures"))
            d->window.failures = number;
        else if (sw_str_is(key, "usual_requests"))
            d->window.usual_requests = number;
        else if (sw_str_is(key, "usual_s"))
            d->window.usual_s = (uint32_t)number;
        else if (sw_str_is(key, "count"))
            d->window.total.count = number;
        else if (sw_str_is(key, "sum_ns"))
            d->window.total.sum_ns = number;
        else if (sw_str_is(key, "part"))
            d->share.part = number;
        else if (sw_str_is(key, "whole"))
            d->share.whole = number;
    }
    return sw_json_read_end(&in);
}

static sw_status recompute_monitor(sw_evidence_again *out, const head *h, sw_arena *arena,
                                   sw_error *error) {
    sw_recomputed r;
    SW_TRY(sw_monitor_recompute(&r, h->data, arena, error));
    bool verdict = sw_str_is(h->by, "verdict");
    out->computed = verdict ? r.evidence_log10 : r.psi;
    out->same = sw_num_same_f64(out->stored, out->computed) && r.agrees;
    out->raised = verdict ? r.alarm : h->above ? r.psi > h->limit : r.psi < h->limit;
    return SW_OK;
}

static sw_status recompute_plain(sw_evidence_again *out, const sw_measure *measure, const head *h,
                                 sw_arena *arena, sw_error *error) {
    data d;
    SW_TRY(read_data(&d, h->data, arena, error));
    bool of_share = measure->kind == SW_SIGNAL_DISK || measure->kind == SW_SIGNAL_COVERAGE;
    if (of_share)
        out->computed = measure->unit == SW_UNIT_BYTES ? (double)d.share.part
                                                       : sw_evidence_share_value(&d.share);
    else
        out->computed = sw_evidence_value(measure, &d.window);
    out->same = sw_num_same_f64(out->stored, out->computed);
    out->raised = h->above ? out->computed > h->limit : out->computed < h->limit;
    return SW_OK;
}

sw_status sw_evidence_recompute(sw_evidence_again *out, sw_str evidence_json, sw_arena *arena,
                                sw_error *error) {
    head h;
    const sw_measure *measure = NULL;
    SW_TRY(read_head(&h, evidence_json, arena, error));
    for (int kind = 0; kind < SW_SIGNAL_KINDS && !measure; kind++)
        if (sw_str_is(h.kind, sw_signal_kind_name((sw_signal_kind)kind)))
            measure = sw_measure_find((sw_signal_kind)kind, h.measure);
    if (!measure)
        return sw_fail(error, SW_CODE_INVALID,
                       "this is no evidence of an alert: it names no measure that is known");
    *out = (sw_evidence_again){.stored = h.value, .computed = NAN, .possible = true};
    bool has_data = h.data.len > 0 && h.data.at[0] == '{';
    switch (measure->kind) {
    case SW_SIGNAL_DRIFT:
    case SW_SIGNAL_QUALITY:
        if (has_data)
            return recompute_monitor(out, &h, arena, error);
        break;
    case SW_SIGNAL_LATENCY:
    case SW_SIGNAL_ERROR_RATE:
    case SW_SIGNAL_TRAFFIC:
    case SW_SIGNAL_COVERAGE:
    case SW_SIGNAL_DISK:
        if (has_data)
            return recompute_plain(out, measure, &h, arena, error);
        break;
    default: break;
    }
    out->possible = false;
    return SW_OK;
}
