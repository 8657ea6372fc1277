/* SPDX-License-Identifier: Apache-2.0 */
/* Signals of the monitor, of decay and of the prediction log. */
#include "alert/collect_private.h"
#include "alert/evidence.h"
#include "base/clock.h"

#include <math.h>

static const int64_t quality_window_ms = 24 * 3600000;

/* ---- Drift and data quality ---- */

static void write_finding(sw_json *w, const sw_signal *signal) {
    const sw_finding *f = signal->data;
    if (f->evidence.len)
        sw_json_raw(w, f->evidence);
    else
        sw_json_null(w);
}

/* What a threshold is compared with. */
static void write_counts(sw_json *w, const sw_signal *signal) {
    const sw_finding *f = signal->data;
    if (f->kind == SW_FINDING_DISTRIBUTION) {
        sw_evidence_psi psi = {.cells = f->cells};
        memcpy(psi.reference, f->reference, sizeof psi.reference);
        memcpy(psi.live, f->live, sizeof psi.live);
        sw_evidence_write_psi(w, &psi);
    } else {
        sw_evidence_write_share(w, &(sw_evidence_share){f->recent_found, f->recent_rows});
    }
}

/* Few rows have no share worth the name. */
static double value_of(const sw_finding *f) {
    if (f->kind == SW_FINDING_DISTRIBUTION)
        return f->psi;
    sw_evidence_share share = {f->recent_found, f->recent_rows};
    return share.whole < SW_MONITOR_ROWS_MIN ? NAN : sw_evidence_share_value(&share);
}

static sw_tri verdict_of(const sw_finding *f) {
    return f->state == SW_FINDING_DRIFTED ? SW_YES
           : f->state == SW_FINDING_SAME  ? SW_NO
                                          : SW_UNKNOWN;
}

void sw_collect_drift(sw_signals *all, sw_monitors *monitors, const sw_rules *rules,
                      const sw_live_name *name) {
    sw_drift drift;
    sw_error ignored;
    if (!sw_rules_want(rules, SW_SIGNAL_DRIFT) && !sw_rules_want(rules, SW_SIGNAL_QUALITY))
        return;
    if (sw_failed(sw_monitor_read(&drift, monitors, name->model, name->version, SW_STR("*"), true,
                                  all->arena, &ignored)))
        return; /* it is not monitored */
    for (size_t i = 0; i < drift.count; i++) {
        const sw_finding *f = &drift.findings[i];
        bool shape = f->kind == SW_FINDING_DISTRIBUTION;
        sw_signal *signal = sw_signals_add(all, shape ? SW_SIGNAL_DRIFT : SW_SIGNAL_QUALITY,
                                           shape ? "psi" : sw_finding_kind_text(f->kind));
        signal->model = name->model;
        signal->version = name->version;
        signal->segment = f->segment;
        signal->column = f->column;
        signal->value = value_of(f);
        signal->verdict = verdict_of(f);
        signal->strength = f->evidence_log10;
        signal->strength_limit = f->threshold_log10;
        signal->data = f;
        signal->write_evidence = write_finding;
        signal->write_value = write_counts;
    }
}

/* ---- Decay, metrics, coverage ---- */

static void write_decay(sw_json *w, const sw_signal *signal) {
    sw_decay_evidence_write(w, signal->data);
}

static void write_coverage(sw_json *w, const sw_signal *signal) {
    const sw_quality_window *window = signal->data;
    sw_json_begin_object(w);
    sw_json_add_i64(w, "from_ms", window->from_ms);
    sw_json_add_i64(w, "to_ms", window->to_ms);
    sw_json_add_u64(w, "part", window->labelled);
    sw_json_add_u64(w, "whole", window->logged);
    sw_json_end_object(w);
}

static void write_metric(sw_json *w, const sw_signal *signal) {
    sw_metric_evidence_write(w, signal->data, signal->column.at);
}

static sw_signal *add_of(sw_signals *all, const sw_live_name *name, sw_signal_kind kind,
                         const char *measure) {
    sw_signal *signal = sw_signals_add(all, kind, measure);
    signal->model = name->model;
    signal->version = name->version;
    return signal;
}

static void add_decay(sw_signals *all, const sw_live_name *name, const sw_quality_report *q) {
    const sw_decay_evidence *d = &q->decay;
    sw_signal *signal = add_of(all, name, SW_SIGNAL_DECAY, "evidence");
    signal->column = sw_str_of(d->loss);
    if (isfinite(d->evidence_log10))
        signal->value = d->evidence_log10;
    signal->verdict = d->state == SW_DECAY_DECAYED ? SW_YES
                      : d->state == SW_DECAY_SAME  ? SW_NO
                                                   : SW_UNKNOWN;
    signal->strength = d->evidence_log10;
    signal->strength_limit = d->threshold_log10;
    signal->data = d;
    signal->write_evidence = write_decay;
}

/* Who never sent a label is not told that labels are few. */
static void add_coverage(sw_signals *all, const sw_live_name *name, const sw_quality_report *q) {
    const sw_quality_window *window = &q->window;
    sw_signal *signal = add_of(all, name, SW_SIGNAL_COVERAGE, "share");
    sw_evidence_share share = {window->labelled, window->logged};
    if (window->labelled || q->decay.baseline_rows)
        signal->value = sw_evidence_share_value(&share);
    signal->data = window;
    signal->write_evidence = write_coverage;
}

static void add_metrics(sw_signals *all, const sw_live_name *name, const sw_quality_report *q) {
    for (unsigned i = 0; i < q->window.metrics.count; i++) {
        const sw_metric *metric = &q->window.metrics.at[i];
        sw_signal *signal = add_of(all, name, SW_SIGNAL_METRIC, "value");
        signal->column = sw_str_of(metric->name);
        signal->value = metric->value;
        signal->data = &q->window;
        signal->write_evidence = write_metric;
    }
}

void sw_collect_quality(sw_signals *all, sw_decay *decay, sw_live *live, const sw_rules *rules,
                        const sw_live_name *name) {
    sw_served *served;
    sw_error ignored;
    bool metrics = sw_rules_want(rules, SW_SIGNAL_METRIC);
    if (!metrics && !sw_rules_want(rules, SW_SIGNAL_DECAY) &&
        !sw_rules_want(rules, SW_SIGNAL_COVERAGE))
        return;
    sw_quality_report *q = sw_arena_zalloc(all->arena, 1, sizeof *q);
    if (!q || sw_failed(sw_live_hold(&served, live, name->model, name->version_text, &ignored)))
        return;
    int64_t now_ms = sw_clock_wall_ms();
    sw_quality_query query = {.model = name->model,
                              .version = name->version,
                              .settings = &served->settings,
                              .from_ms = now_ms - quality_window_ms,
                              .to_ms = now_ms,
                              .with_sums = metrics};
    sw_status status = sw_quality_read(q, decay, &query, all->arena, &ignored);
    sw_live_let_go(served);
    if (sw_failed(status))
        return;
    add_decay(all, name, q);
    add_coverage(all, name, q);
    if (metrics)
        add_metrics(all, name, q);
}

/* ---- The prediction log ---- */

static void write_log(sw_json *w, const sw_signal *signal) {
    const sw_plog_status *s = signal->data;
    sw_json_begin_object(w);
    sw_json_add_f64(w, "reading", s->stopped);
    sw_json_add_i64(w, "stopped_ms", s->stopped_ms);
    sw_json_add_text(w, "reason", s->reason);
    sw_json_add_u64(w, "rows_logged", s->rows_logged);
    sw_json_add_u64(w, "rows_dropped", s->rows_dropped);
    sw_json_add_u64(w, "bytes", s->bytes);
    sw_json_end_object(w);
}

void sw_collect_log(sw_signals *all, sw_plog *log) {
    sw_plog_status *status = sw_arena_zalloc(all->arena, 1, sizeof *status);
    if (!status)
        return;
    sw_plog_status_get(status, log, SW_STR(""));
    sw_signal *signal = sw_signals_add(all, SW_SIGNAL_LOG, "stopped");
    signal->verdict = status->stopped ? SW_YES : SW_NO;
    signal->value = signal->strength = status->stopped;
    signal->data = status;
    signal->write_evidence = write_log;
}
