/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/quality: metrics of labelled predictions, and whether they have decayed. */
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"
#include "base/clock.h"

#include <math.h>

enum { HOURS_MAX = 90 * 24, STEP_MINUTES_MAX = 24 * 60, STEPS = 48 };
enum { STEPS_MIN = 2, STEP_LABELS = 50 }; /* of fewer labels a metric is noise */

static const char *const task_words[] = {[SW_TASK_AUTO] = NULL,
                                         [SW_TASK_BINARY] = "binary",
                                         [SW_TASK_MULTICLASS] = "multiclass",
                                         [SW_TASK_REGRESSION] = "regression",
                                         [SW_TASK_RANKING] = "ranking"};

static void write_metrics(sw_json *w, const char *key, const sw_metrics *metrics) {
    sw_json_key(w, key);
    sw_json_begin_object(w);
    for (unsigned i = 0; i < metrics->count; i++)
        sw_json_add_f64(w, metrics->at[i].name, metrics->at[i].value);
    sw_json_end_object(w);
}

static void write_window(sw_json *w, const sw_quality_window *window) {
    sw_json_begin_object(w);
    sw_json_add_i64(w, "at_ms", window->from_ms);
    sw_json_add_i64(w, "to_ms", window->to_ms);
    sw_json_add_f64(w, "rows", window->rows);
    sw_json_add_u64(w, "logged", window->logged);
    sw_json_add_u64(w, "labelled", window->labelled);
    sw_json_add_f64(w, "coverage", window->coverage);
    sw_json_add_f64(w, "lag_p50_s", window->lag_p50_s);
    sw_json_add_f64(w, "lag_p90_s", window->lag_p90_s);
    write_metrics(w, "metrics", &window->metrics);
    write_metrics(w, "estimated", &window->estimated);
    sw_json_end_object(w);
}

/* The test is of losses within 0 and 1; an absolute error is shown in units of its own. */
static void write_decay(sw_json *w, const sw_decay_evidence *e) {
    double unit = e->scale > 0 ? e->scale : 1;
    sw_json_key(w, "decay");
    sw_json_begin_object(w);
    sw_json_add_text(w, "state", sw_decay_state_words(e->state));
    sw_json_add_text(w, "loss", e->loss);
    sw_json_add_f64(w, "baseline", e->baseline * unit);
    sw_json_add_f64(w, "now", e->now * unit);
    sw_json_add_u64(w, "baseline_rows", e->baseline_rows);
    sw_json_add_u64(w, "rows", e->rows);
    sw_json_add_f64(w, "evidence_log10", e->evidence_log10);
    sw_json_add_f64(w, "threshold_log10", e->threshold_log10);
    sw_json_add_f64(w, "false_alarms_per_month", e->false_alarms_per_month);
    if (e->since_ms)
        sw_json_add_i64(w, "since_ms", e->since_ms);
    else
        sw_json_add_null(w, "since_ms");
    sw_json_add_text(w, "why", e->why);
    sw_json_end_object(w);
}

/* Numbers of minutes that divide a day, so that steps begin at times people know. */
static const uint32_t choices[] = {5, 10, 15, 30, 60, 120, 180, 360, 720, 1440};

static uint32_t fitting_step(uint64_t hours, uint64_t steps) {
    size_t i = 0;
    while (i + 1 < sizeof choices / sizeof *choices && hours * 60 / choices[i] > steps)
        i++;
    return choices[i];
}

/* Whether steps of that length that have labels have enough of them, on average. */
static bool has_labels(const sw_quality_report *report, size_t joined) {
    uint64_t labels = 0, busy = 0, here = 0;
    for (size_t i = report->series_count; i-- > 0;) { /* from now backwards; whole ones alone */
        here += report->series[i].labelled;
        if ((report->series_count - i) % joined)
            continue;
        labels += here;
        busy += here > 0;
        here = 0;
    }
    return labels >= busy * STEP_LABELS;
}

/* The shortest that has labels enough; where none has, the one that it is. */
static uint32_t step_for_labels(const sw_quality_report *report, const sw_quality_query *query) {
    int64_t minutes = (query->to_ms - query->from_ms) / 60000;
    if (has_labels(report, 1))
        return query->step_minutes;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        if (choices[i] % query->step_minutes == 0 && choices[i] * STEPS_MIN <= minutes &&
            has_labels(report, choices[i] / query->step_minutes))
            return choices[i];
    return query->step_minutes;
}

/* With the steps that were asked for, or such as have labels enough. */
static sw_status read_report(sw_quality_report *out, sw_quality_query *query, bool fixed,
                             sw_app *app, sw_arena *arena, sw_error *error) {
    SW_TRY(sw_quality_read(out, app->decay, query, arena, error));
    uint32_t step = fixed ? query->step_minutes : step_for_labels(out, query);
    if (step == query->step_minutes)
        return SW_OK;
    sw_quality_report longer;
    query->step_minutes = step;
    SW_TRY(sw_quality_read(&longer, app->decay, query, arena, error));
    out->series = longer.series;
    out->series_count = longer.series_count;
    return SW_OK;
}

static sw_status read_query(sw_quality_query *out, sw_exchange *exchange, sw_app *app,
                            sw_error *error) {
    uint64_t hours, steps, step, to_ms;
    SW_TRY(sw_api_pick_version(&out->version, exchange, app, error));
    SW_TRY(sw_query_u64(&hours, exchange, "hours", 24, HOURS_MAX, error));
    SW_TRY(sw_query_u64(&steps, exchange, "steps", STEPS, SW_QUALITY_STEPS_MAX, error));
    SW_TRY(sw_query_u64(&step, exchange, "step_minutes", fitting_step(hours, steps),
                        STEP_MINUTES_MAX, error));
    SW_TRY(sw_query_u64(&to_ms, exchange, "to", (uint64_t)sw_clock_wall_ms() + 1, INT64_MAX / 2,
                        error));
    out->model = exchange->params[0];
    out->to_ms = (int64_t)to_ms;
    out->from_ms =
        out->to_ms > (int64_t)hours * 3600000 ? out->to_ms - (int64_t)hours * 3600000 : 0;
    out->step_minutes = (uint32_t)step;
    out->segment = sw_exchange_query(exchange, "segment");
    if (out->segment.len && !memchr(out->segment.at, '=', out->segment.len))
        return sw_fail(error, SW_CODE_INVALID, "?segment=%.*s: give FEATURE=VALUE",
                       SW_STR_ARG(out->segment));
    return SW_OK;
}

static sw_status read_settings(sw_monitor_settings *out, sw_exchange *exchange, sw_app *app,
                               sw_error *error) {
    sw_str json;
    SW_TRY(sw_registry_get_monitor(&json, app->registry, exchange->params[0], &exchange->arena,
                                   error));
    return sw_monitor_settings_from_json(out, json, &exchange->arena, error);
}

static sw_status write_quality(sw_buf *json, sw_exchange *exchange, void *context,
                               sw_error *error) {
    sw_app *app = context;
    sw_quality_query query = {0};
    sw_monitor_settings settings;
    sw_quality_report report;
    SW_TRY(read_query(&query, exchange, app, error));
    SW_TRY(read_settings(&settings, exchange, app, error));
    query.settings = &settings;
    bool fixed = sw_exchange_query(exchange, "step_minutes").len > 0;
    SW_TRY(read_report(&report, &query, fixed, app, &exchange->arena, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", query.model);
    sw_json_add_u64(&w, "version", query.version);
    sw_json_add_text(&w, "task", task_words[report.task]);
    sw_json_add_str(&w, "segment", query.segment);
    sw_json_add_u64(&w, "step_minutes", query.step_minutes);
    sw_json_key(&w, "window");
    write_window(&w, &report.window);
    write_decay(&w, &report.decay);
    sw_json_key(&w, "series");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < report.series_count; i++)
        write_window(&w, &report.series[i]);
    sw_json_end_array(&w);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_quality(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_quality);
}
