/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, in the Prometheus text format 0.0.4. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/metrics_private.h"
#include "api/reply.h"
#include "base/clock.h"
#include "io/process.h"

/* Upper bounds of the latency histograms, ns: from 50 µs to 10 s. */
static const uint64_t bounds_ns[] = {50000,      100000,     250000,    500000,     1000000,
                                     2500000,    5000000,    10000000,  25000000,   50000000,
                                     100000000,  250000000,  500000000, 1000000000, 2500000000,
                                     5000000000, 10000000000};

/* One family at a time is written, as the format wants; so each is a walk over all versions. */
typedef struct family {
    sw_buf *out;
    const char *name;
    uint64_t (*counter)(const sw_stats_shard *totals);
    const sw_histogram *(*histogram)(const sw_stats_shard *totals);
} family;

static void write_counter(sw_str model, uint32_t version, const sw_stats_shard *totals,
                          void *context) {
    const family *f = context;
    sw_buf_printf(f->out, "%s{model=\"%.*s\",version=\"%u\"} %llu\n", f->name, SW_STR_ARG(model),
                  version, (unsigned long long)f->counter(totals));
}

static void write_histogram(sw_str model, uint32_t version, const sw_stats_shard *totals,
                            void *context) {
    const family *f = context;
    const sw_histogram *h = f->histogram(totals);
    for (size_t i = 0; i < sizeof bounds_ns / sizeof bounds_ns[0]; i++)
        sw_buf_printf(f->out, "%s_bucket{model=\"%.*s\",version=\"%u\",le=\"%g\"} %llu\n", f->name,
                      SW_STR_ARG(model), version, (double)bounds_ns[i] / 1e9,
                      (unsigned long long)sw_histogram_below(h, bounds_ns[i]));
    sw_buf_printf(f->out,
                  "%s_bucket{model=\"%.*s\",version=\"%u\",le=\"+Inf\"} %llu\n"
                  "%s_sum{model=\"%.*s\",version=\"%u\"} %.9f\n"
                  "%s_count{model=\"%.*s\",version=\"%u\"} %llu\n",
                  f->name, SW_STR_ARG(model), version, (unsigned long long)h->count, f->name,
                  SW_STR_ARG(model), version, (double)h->sum_ns / 1e9, f->name, SW_STR_ARG(model),
                  version, (unsigned long long)h->count);
}

static uint64_t requests(const sw_stats_shard *t) {
    return t->requests;
}
static uint64_t failures(const sw_stats_shard *t) {
    return t->failures;
}
static uint64_t refusals(const sw_stats_shard *t) {
    return t->refusals;
}
static uint64_t rows(const sw_stats_shard *t) {
    return t->rows;
}
static const sw_histogram *queue(const sw_stats_shard *t) {
    return &t->queue;
}
static const sw_histogram *inference(const sw_stats_shard *t) {
    return &t->inference;
}
static const sw_histogram *total(const sw_stats_shard *t) {
    return &t->total;
}

void sw_metrics_head(sw_buf *out, const char *name, const char *type, const char *help) {
    sw_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counters(sw_buf *out, const sw_app *app, const char *name, const char *help,
                     uint64_t (*counter)(const sw_stats_shard *totals)) {
    family f = {.out = out, .name = name, .counter = counter};
    sw_metrics_head(out, name, "counter", help);
    sw_stats_each(app->parts.stats, write_counter, &f);
}

static void histograms(sw_buf *out, const sw_app *app, const char *name, const char *help,
                       const sw_histogram *(*histogram)(const sw_stats_shard *totals)) {
    family f = {.out = out, .name = name, .histogram = histogram};
    sw_metrics_head(out, name, "histogram", help);
    sw_stats_each(app->parts.stats, write_histogram, &f);
}

static void gauge(sw_buf *out, const char *name, const char *help, double value) {
    sw_metrics_head(out, name, "gauge", help);
    sw_buf_printf(out, "%s %.17g\n", name, value);
}

static void loop_lags(sw_buf *out, const sw_app *app) {
    sw_metrics_head(out, "slipway_loop_lag_seconds", "gauge",
                    "Longest wait of an event behind others in the last second.");
    for (uint32_t i = 0; i < sw_loops_count(app->loops); i++)
        sw_buf_printf(out, "slipway_loop_lag_seconds{loop=\"%u\"} %.9f\n", i,
                      (double)sw_loop_lag_ns(sw_loops_at(app->loops, i)) / 1e9);
}

static void live_version(const sw_served *served, void *context) {
    sw_buf_printf(
        context,
        "slipway_live_version{model=\"%.*s\",version=\"%u\",revision=\"%u\",engine=\"%s\"} 1\n",
        SW_STR_ARG(served->model_name), served->version, served->revision, served->info->engine);
}

static void alerts(sw_buf *out, sw_alerts *of) {
    sw_alerts_counts c;
    sw_alerts_count(&c, of);
    sw_metrics_head(out, "slipway_alerts", "gauge", "Alerts now, by state.");
    sw_buf_printf(out, "slipway_alerts{state=\"firing\"} %llu\n", (unsigned long long)c.firing);
    sw_buf_printf(out, "slipway_alerts{state=\"pending\"} %llu\n", (unsigned long long)c.pending);
    sw_metrics_head(out, "slipway_alerts_dropped_total", "counter",
                    "Alerts that were too many at once to be kept.");
    sw_buf_printf(out, "slipway_alerts_dropped_total %llu\n", (unsigned long long)c.dropped);
    sw_metrics_head(out, "slipway_alert_deliveries_total", "counter",
                    "Messages to notifiers that ended.");
    sw_buf_printf(out, "slipway_alert_deliveries_total{state=\"sent\"} %llu\n",
                  (unsigned long long)c.sent);
    sw_buf_printf(out, "slipway_alert_deliveries_total{state=\"failed\"} %llu\n",
                  (unsigned long long)c.failed);
    sw_metrics_head(out, "slipway_alert_evaluations_total", "counter",
                    "Times that the rules were evaluated.");
    sw_buf_printf(out, "slipway_alert_evaluations_total %llu\n", (unsigned long long)c.evaluations);
    gauge(out, "slipway_alert_evaluation_seconds", "How long the last evaluation took.",
          c.evaluation_s);
}

/* ---- Predictions that were logged, and what labels say of them ---- */

enum { QUALITY_HOURS = 24 };

typedef struct measured {
    sw_str model;
    uint32_t version;
    sw_quality_report *report;
} measured;

typedef struct measuring {
    const sw_app *app;
    sw_arena arena;
    measured *at;
    size_t count, cap;
} measuring;

static void note_live(const sw_served *served, void *context) {
    measuring *m = context;
    if (m->count < m->cap && served->log)
        m->at[m->count++] =
            (measured){sw_arena_copy(&m->arena, served->model_name), served->version, NULL};
}

/* What cannot be measured is left out. */
static void measure(measuring *m) {
    int64_t now_ms = sw_clock_wall_ms();
    m->cap = 1000;
    m->at = sw_arena_zalloc(&m->arena, m->cap, sizeof *m->at);
    if (!m->at)
        return;
    sw_live_each(m->app->parts.live, note_live, m);
    for (size_t i = 0; i < m->count; i++) {
        measured *one = &m->at[i];
        sw_str json = {0};
        sw_monitor_settings settings;
        sw_quality_report *report = sw_arena_zalloc(&m->arena, 1, sizeof *report);
        sw_quality_query query = {.model = one->model,
                                  .version = one->version,
                                  .settings = &settings,
                                  .from_ms = now_ms - (int64_t)QUALITY_HOURS * 3600000,
                                  .to_ms = now_ms};
        if (report &&
            !sw_failed(
                sw_registry_get_monitor(&json, m->app->registry, one->model, &m->arena, NULL)) &&
            !sw_failed(sw_monitor_settings_from_json(&settings, json, &m->arena, NULL)) &&
            !sw_failed(sw_quality_read(report, m->app->decay, &query, &m->arena, NULL)))
            one->report = report;
    }
}

static void write_quality(sw_buf *out, const measuring *m) {
    sw_metrics_head(out, "slipway_label_coverage", "gauge",
                    "Share of the last day's logged predictions that have a label.");
    for (size_t i = 0; i < m->count; i++)
        if (m->at[i].report && m->at[i].report->window.logged)
            sw_buf_printf(out, "slipway_label_coverage{model=\"%.*s\",version=\"%u\"} %.17g\n",
                          SW_STR_ARG(m->at[i].model), m->at[i].version,
                          m->at[i].report->window.coverage);
    sw_metrics_head(out, "slipway_quality", "gauge",
                    "Metrics of the last day's labelled predictions.");
    for (size_t i = 0; i < m->count; i++)
        for (unsigned k = 0; m->at[i].report && k < m->at[i].report->window.metrics.count; k++) {
            const sw_metric *metric = &m->at[i].report->window.metrics.at[k];
            if (!metric->undefined)
                sw_buf_printf(out,
                              "slipway_quality{model=\"%.*s\",version=\"%u\",metric=\"%s\"} "
                              "%.17g\n",
                              SW_STR_ARG(m->at[i].model), m->at[i].version, metric->name,
                              metric->value);
        }
    sw_metrics_head(out, "slipway_decayed", "gauge",
                    "1 where labels say that the version has become worse.");
    for (size_t i = 0; i < m->count; i++)
        if (m->at[i].report)
            sw_buf_printf(out, "slipway_decayed{model=\"%.*s\",version=\"%u\"} %d\n",
                          SW_STR_ARG(m->at[i].model), m->at[i].version,
                          m->at[i].report->decay.state == SW_DECAY_DECAYED);
}

static void log_counter(sw_buf *out, const measuring *m, const char *name, const char *type,
                        const char *help, uint64_t (*value)(const sw_plog_status *status)) {
    sw_metrics_head(out, name, type, help);
    for (size_t i = 0; i < m->count; i++) {
        sw_plog_status status;
        sw_plog_status_get(&status, m->app->parts.log, m->at[i].model);
        sw_buf_printf(out, "%s{model=\"%.*s\"} %llu\n", name, SW_STR_ARG(m->at[i].model),
                      (unsigned long long)value(&status));
    }
}

static uint64_t log_rows(const sw_plog_status *s) {
    return s->rows_logged;
}
static uint64_t log_dropped(const sw_plog_status *s) {
    return s->rows_dropped;
}
static uint64_t log_bytes(const sw_plog_status *s) {
    return s->bytes;
}

static void quality(sw_buf *out, const sw_app *app) {
    measuring m = {.app = app};
    sw_plog_status status;
    sw_plog_status_get(&status, app->parts.log, (sw_str){0});
    measure(&m);
    log_counter(out, &m, "slipway_log_rows_total", "counter", "Predictions logged.", log_rows);
    log_counter(out, &m, "slipway_log_rows_dropped_total", "counter",
                "Predictions taken for the log and lost to a full queue or disk.", log_dropped);
    log_counter(out, &m, "slipway_log_bytes", "gauge", "Prediction log on disk.", log_bytes);
    gauge(out, "slipway_log_stopped", "1 while the disk takes no more of the prediction log.",
          status.stopped);
    write_quality(out, &m);
    sw_arena_free(&m.arena);
}

void sw_api_metrics(sw_exchange *exchange, void *context) {
    const sw_app *app = context;
    sw_error error;
    sw_buf out = {0};
    counters(&out, app, "slipway_requests_total", "Predictions answered, one way or another.",
             requests);
    counters(&out, app, "slipway_request_failures_total",
             "Predictions that could not be served, or not in time.", failures);
    counters(&out, app, "slipway_request_refusals_total",
             "Predictions refused for what the client sent.", refusals);
    counters(&out, app, "slipway_rows_total", "Rows predicted.", rows);
    histograms(&out, app, "slipway_request_duration_seconds",
               "From a request's first byte to its answer.", total);
    histograms(&out, app, "slipway_queue_duration_seconds",
               "From a request's first byte to the start of its run.", queue);
    histograms(&out, app, "slipway_inference_duration_seconds", "The run of the model.", inference);
    sw_metrics_head(&out, "slipway_live_version", "gauge", "1 for each version that answers now.");
    sw_live_each(app->parts.live, live_version, &out);
    gauge(&out, "slipway_requests_in_flight", "Predictions begun and not answered.",
          sw_predictor_in_hand(app->predictor));
    gauge(&out, "slipway_requests_queued", "Predictions of dear models that wait for a thread.",
          sw_predictor_waiting(app->predictor));
    gauge(&out, "slipway_connections", "Open connections.", sw_server_connections(app->server));
    loop_lags(&out, app);
    sw_metrics_drift(&out, app);
    quality(&out, app);
    alerts(&out, app->alerts);
    gauge(&out, "process_resident_memory_bytes", "Resident memory.",
          (double)sw_process_rss_bytes());
    sw_metrics_head(&out, "process_cpu_seconds_total", "counter",
                    "Processor time used, user and system.");
    sw_buf_printf(&out, "process_cpu_seconds_total %.6f\n", sw_process_cpu_s());
    gauge(&out, "process_start_time_seconds", "When the server started, since 1970.",
          (double)app->started_ms / 1e3);
    if (out.failed)
        sw_exchange_fail(
            exchange, sw_fail(&error, SW_CODE_NO_MEMORY, "out of memory for the metrics"), &error);
    else
        sw_exchange_reply(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
                          sw_buf_str(&out));
    sw_buf_free(&out);
}
