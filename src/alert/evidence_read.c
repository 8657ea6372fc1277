/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence read back, and computed again. */
#include "alert/evidence.h"

#include "base/num.h"
#include "decay/decay.h"
#include "watch/monitor.h"

#include <math.h>

/* ---- Reading ---- */

typedef struct head {
    sw_str kind, measure, by, data;
    double value, limit;
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
    *h = (head){.value = NAN, .limit = NAN, .above = true};
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

static void read_counts(sw_json_reader *in, uint64_t *out, uint32_t *cells) {
    *cells = 0;
    sw_json_read_array(in);
    while (sw_json_read_item(in)) {
        if (*cells == SW_SEQ_CELLS_MAX) {
            sw_json_read_fail(in, in->at, "a PSI compares at most %d counts", SW_SEQ_CELLS_MAX);
            return;
        }
        sw_json_read_u64(in, &out[(*cells)++]);
    }
}

/* What plain signals are computed from; each uses its part. */
typedef struct data {
    sw_evidence_window window;
    sw_evidence_share share;
    sw_evidence_psi psi;
    uint32_t live_cells;
    double reading;
} data;

static void read_number(data *d, sw_json_reader *in, sw_str key) {
    sw_evidence_window *w = &d->window;
    uint64_t window_s = w->window_s, usual_s = w->usual_s;
    const struct {
        const char *key;
        uint64_t *into;
    } numbers[] = {{"window_s", &window_s},      {"requests", &w->requests},
                   {"failures", &w->failures},   {"usual_requests", &w->usual_requests},
                   {"usual_s", &usual_s},        {"count", &w->total.count},
                   {"sum_ns", &w->total.sum_ns}, {"part", &d->share.part},
                   {"whole", &d->share.whole}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (!sw_str_is(key, numbers[i].key))
            continue;
        sw_json_read_u64(in, numbers[i].into);
        w->window_s = (uint32_t)window_s;
        w->usual_s = (uint32_t)usual_s;
        return;
    }
    sw_json_read_skip(in);
}

static sw_status read_data(data *d, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *d = (data){.reading = NAN};
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "buckets"))
            read_buckets(&in, &d->window.total);
        else if (sw_str_is(key, "reference"))
            read_counts(&in, d->psi.reference, &d->psi.cells);
        else if (sw_str_is(key, "live"))
            read_counts(&in, d->psi.live, &d->live_cells);
        else if (sw_str_is(key, "reading"))
            read_number_or_null(&in, &d->reading);
        else
            read_number(d, &in, key);
    }
    SW_TRY(sw_json_read_end(&in));
    if (d->psi.cells == d->live_cells)
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID,
                   "this evidence has %u counts of the reference and %u of live rows: they must "
                   "be as many",
                   d->psi.cells, d->live_cells);
}

/* ---- Computing ---- */

static bool is_beyond(const head *h, double value) {
    return h->above ? value > h->limit : value < h->limit;
}

static bool by_verdict(const head *h) {
    return sw_str_is(h->by, "verdict");
}

static sw_status recompute_monitor(sw_evidence_again *out, const head *h, sw_arena *arena,
                                   sw_error *error) {
    sw_recomputed r;
    SW_TRY(sw_monitor_recompute(&r, h->data, arena, error));
    out->computed = r.evidence_log10;
    out->same = sw_num_same_f64(h->limit, r.threshold_log10) && r.agrees;
    out->raised = r.alarm;
    return SW_OK;
}

static sw_status recompute_decay(sw_evidence_again *out, const head *h, sw_arena *arena,
                                 sw_error *error) {
    sw_decay_again r;
    SW_TRY(sw_decay_recompute(&r, h->data, arena, error));
    out->computed = r.evidence_log10;
    out->same = r.agrees && (!by_verdict(h) || sw_num_same_f64(h->limit, r.threshold_log10));
    out->raised = by_verdict(h) ? r.alarm : is_beyond(h, r.evidence_log10);
    return SW_OK;
}

static double value_of(const sw_measure *measure, const data *d) {
    switch (measure->kind) {
    case SW_SIGNAL_DRIFT: return sw_evidence_psi_value(&d->psi);
    case SW_SIGNAL_DISK:
        return measure->unit == SW_UNIT_BYTES ? (double)d->share.part
                                              : sw_evidence_share_value(&d->share);
    case SW_SIGNAL_QUALITY:
    case SW_SIGNAL_COVERAGE: return sw_evidence_share_value(&d->share);
    case SW_SIGNAL_LOG:
    case SW_SIGNAL_LAG: return d->reading;
    default: return sw_evidence_value(measure, &d->window);
    }
}

static sw_status recompute(sw_evidence_again *out, const sw_measure *measure, const head *h,
                           sw_arena *arena, sw_error *error) {
    data d;
    bool monitored = measure->kind == SW_SIGNAL_DRIFT || measure->kind == SW_SIGNAL_QUALITY;
    out->same = true;
    if (monitored && by_verdict(h))
        return recompute_monitor(out, h, arena, error);
    if (measure->kind == SW_SIGNAL_DECAY)
        return recompute_decay(out, h, arena, error);
    if (measure->kind == SW_SIGNAL_METRIC) {
        SW_TRY(sw_metric_recompute(&out->computed, h->data, arena, error));
    } else {
        SW_TRY(read_data(&d, h->data, arena, error));
        out->computed = value_of(measure, &d);
    }
    out->raised = by_verdict(h) ? out->computed == 1 : is_beyond(h, out->computed);
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
    *out = (sw_evidence_again){
        .stored = h.value, .computed = NAN, .possible = h.data.len > 0 && h.data.at[0] == '{'};
    if (!out->possible)
        return SW_OK;
    SW_TRY(recompute(out, measure, &h, arena, error));
    out->same = out->same && sw_num_same_f64(out->stored, out->computed);
    return SW_OK;
}
