/* SPDX-License-Identifier: Apache-2.0 */
/* /metrics, in the Prometheus text format 0.0.4. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
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

static void head(sw_buf *out, const char *name, const char *type, const char *help) {
    sw_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counters(sw_buf *out, const sw_app *app, const char *name, const char *help,
                     uint64_t (*counter)(const sw_stats_shard *totals)) {
    family f = {.out = out, .name = name, .counter = counter};
    head(out, name, "counter", help);
    sw_stats_each(app->parts.stats, write_counter, &f);
}

static void histograms(sw_buf *out, const sw_app *app, const char *name, const char *help,
                       const sw_histogram *(*histogram)(const sw_stats_shard *totals)) {
    family f = {.out = out, .name = name, .histogram = histogram};
    head(out, name, "histogram", help);
    sw_stats_each(app->parts.stats, write_histogram, &f);
}

static void gauge(sw_buf *out, const char *name, const char *help, double value) {
    head(out, name, "gauge", help);
    sw_buf_printf(out, "%s %.17g\n", name, value);
}

static void loop_lags(sw_buf *out, const sw_app *app) {
    head(out, "slipway_loop_lag_seconds", "gauge",
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
    head(&out, "slipway_live_version", "gauge", "1 for each version that answers now.");
    sw_live_each(app->parts.live, live_version, &out);
    gauge(&out, "slipway_requests_in_flight", "Predictions begun and not answered.",
          sw_predictor_in_hand(app->predictor));
    gauge(&out, "slipway_requests_queued", "Predictions of dear models that wait for a thread.",
          sw_predictor_waiting(app->predictor));
    gauge(&out, "slipway_connections", "Open connections.", sw_server_connections(app->server));
    loop_lags(&out, app);
    gauge(&out, "process_resident_memory_bytes", "Resident memory.",
          (double)sw_process_rss_bytes());
    head(&out, "process_cpu_seconds_total", "counter", "Processor time used, user and system.");
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
