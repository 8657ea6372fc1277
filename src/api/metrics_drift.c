/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics_private.h"

enum {
    VERSIONS_MAX = 1000,
    COLUMNS_MAX = 1000 /* of one version: more would be a burden for whoever scrapes */
};

typedef struct drifts {
    const sw_app *app;
    sw_arena arena;
    sw_drift *at;
    size_t count;
} drifts;

static void read_one(const sw_served *served, void *context) {
    drifts *d = context;
    if (d->count < VERSIONS_MAX &&
        !sw_failed(sw_monitor_read(&d->at[d->count], d->app->parts.monitors, served->model_name,
                                   served->version, (sw_str){0}, false, &d->arena, NULL)))
        d->count++;
}

/* A label's value: backslashes, quotes and line ends are escaped. */
static void put_label(sw_buf *out, const char *name, sw_str value) {
    sw_buf_printf(out, ",%s=\"", name);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '\n') {
            sw_buf_add(out, "\\n", 2);
        } else {
            if (c == '"' || c == '\\')
                sw_buf_add_char(out, '\\');
            sw_buf_add_char(out, c);
        }
    }
    sw_buf_add_char(out, '"');
}

static void put_version(sw_buf *out, const char *name, const sw_drift *drift) {
    sw_buf_printf(out, "%s{model=\"%.*s\",version=\"%u\"", name, SW_STR_ARG(drift->model),
                  drift->version);
}

static void put_psi(sw_buf *out, const sw_drift *drift) {
    size_t written = 0;
    for (size_t i = 0; i < drift->count && written < COLUMNS_MAX; i++) {
        const sw_finding *finding = &drift->findings[i];
        if (finding->kind != SW_FINDING_DISTRIBUTION || finding->psi != finding->psi)
            continue;
        put_version(out, "slipway_column_psi", drift);
        put_label(out, "column", finding->column);
        sw_buf_printf(out, "} %.6g\n", finding->psi);
        written++;
    }
}

static void put_drifted(sw_buf *out, const sw_drift *drift) {
    for (size_t i = 0; i < drift->count && i < COLUMNS_MAX; i++) {
        const sw_finding *finding = &drift->findings[i];
        if (finding->state != SW_FINDING_DRIFTED)
            break; /* drifted ones are first */
        put_version(out, "slipway_drifted", drift);
        put_label(out, "column", finding->column);
        put_label(out, "segment", finding->segment);
        sw_buf_printf(out, ",kind=\"%s\"} 1\n", sw_finding_kind_text(finding->kind));
    }
}

typedef struct mismatches {
    sw_buf *out;
    const sw_served *served;
    size_t versions, columns;
} mismatches;

static void put_column_mismatches(sw_str feature, uint64_t rows, void *context) {
    mismatches *m = context;
    if (m->columns++ >= COLUMNS_MAX)
        return;
    sw_buf_printf(m->out, "slipway_column_type_mismatches_total{model=\"%.*s\",version=\"%u\"",
                  SW_STR_ARG(m->served->model_name), m->served->version);
    put_label(m->out, "column", feature);
    sw_buf_printf(m->out, "} %llu\n", (unsigned long long)rows);
}

static void put_mismatches(const sw_served *served, void *context) {
    mismatches *m = context;
    m->served = served;
    m->columns = 0;
    if (served->watched && m->versions++ < VERSIONS_MAX)
        sw_watch_mismatches(served->watched, put_column_mismatches, m);
}

void sw_metrics_drift(sw_buf *out, const sw_app *app) {
    drifts d = {.app = app};
    d.at = sw_arena_zalloc(&d.arena, VERSIONS_MAX, sizeof *d.at);
    if (d.at)
        sw_live_each(app->parts.live, read_one, &d);
    sw_metrics_head(out, "slipway_drifted_signals", "gauge",
                    "Signals that the monitor says have drifted.");
    for (size_t i = 0; i < d.count; i++) {
        put_version(out, "slipway_drifted_signals", &d.at[i]);
        sw_buf_printf(out, "} %zu\n", d.at[i].drifted);
    }
    sw_metrics_head(out, "slipway_drifted", "gauge", "1 for each signal that has drifted.");
    for (size_t i = 0; i < d.count; i++)
        put_drifted(out, &d.at[i]);
    sw_metrics_head(out, "slipway_monitor_looks_total", "counter", "Looks that the monitor took.");
    for (size_t i = 0; i < d.count; i++) {
        put_version(out, "slipway_monitor_looks_total", &d.at[i]);
        sw_buf_printf(out, "} %llu\n", (unsigned long long)d.at[i].looks);
    }
    sw_metrics_head(out, "slipway_column_psi", "gauge",
                    "How far a column's recent rows are from the reference.");
    for (size_t i = 0; i < d.count; i++)
        put_psi(out, &d.at[i]);
    sw_metrics_head(out, "slipway_column_type_mismatches_total", "counter",
                    "Rows refused because a column's value had the wrong type.");
    sw_live_each(app->parts.live, put_mismatches, &(mismatches){.out = out});
    sw_arena_free(&d.arena);
}
