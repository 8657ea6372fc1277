/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/watch, /heatmap and /traffic. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"
#include "base/clock.h"

enum {
    WATCH_MINUTES_MAX = 731 * 24 * 60,
    HEATMAP_HOURS_MAX = 731 * 24,
    TRAFFIC_MINUTES_MAX = 24 * 60,
    MARKS_MAX = 100
};

/* ---- Drift ---- */

sw_status sw_api_pick_version(uint32_t *number, sw_exchange *exchange, sw_app *app,
                              sw_error *error) {
    sw_str spec = sw_exchange_query(exchange, "version");
    sw_model_row model;
    if (spec.len)
        return sw_registry_resolve(number, app->registry, exchange->params[0], spec, error);
    SW_TRY(
        sw_registry_get_model(&model, app->registry, exchange->params[0], &exchange->arena, error));
    *number = model.live ? model.live->version : model.newest_version;
    return SW_OK;
}

/* A subject and what it points to. */
typedef struct asked {
    sw_watch_subject subject;
    sw_version version;
    sw_signature signature;
    sw_profile profile;
    sw_monitor_settings settings;
} asked;

static sw_status read_subject(asked *out, sw_exchange *exchange, sw_app *app, sw_error *error) {
    sw_arena *arena = &exchange->arena;
    sw_str model = exchange->params[0], settings;
    uint32_t number;
    SW_TRY(sw_api_pick_version(&number, exchange, app, error));
    SW_TRY(sw_registry_get_version(&out->version, app->registry, model, number, arena, error));
    SW_TRY(sw_signature_from_json(&out->signature, out->version.signature_json, arena, error));
    bool has_profile = out->version.profile_json.len > 0;
    if (has_profile)
        SW_TRY(sw_profile_from_json(&out->profile, out->version.profile_json, arena, error));
    SW_TRY(sw_registry_get_monitor(&settings, app->registry, model, arena, error));
    SW_TRY(sw_monitor_settings_from_json(&out->settings, settings, arena, error));
    out->subject = (sw_watch_subject){.model = out->version.model,
                                      .version = number,
                                      .signature = &out->signature,
                                      .profile = has_profile ? &out->profile : NULL,
                                      .profile_hash = out->version.profile_hash,
                                      .settings = &out->settings};
    return SW_OK;
}

static sw_status write_watch(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    asked a;
    uint64_t minutes, to_ms;
    SW_TRY(sw_query_u64(&minutes, exchange, "minutes", 15, WATCH_MINUTES_MAX, error));
    SW_TRY(sw_query_u64(&to_ms, exchange, "to_ms", 0, INT64_MAX, error));
    SW_TRY(read_subject(&a, exchange, app, error));
    return sw_watch_report(json, app->parts.watch, &a.subject,
                           sw_exchange_query(exchange, "segment"), (uint32_t)minutes,
                           (int64_t)to_ms, error);
}

static sw_status write_heatmap(sw_buf *json, sw_exchange *exchange, void *context,
                               sw_error *error) {
    sw_app *app = context;
    asked a;
    uint64_t hours;
    SW_TRY(sw_query_u64(&hours, exchange, "hours", 24, HEATMAP_HOURS_MAX, error));
    SW_TRY(read_subject(&a, exchange, app, error));
    return sw_watch_heatmap(json, app->parts.watch, &a.subject,
                            sw_exchange_query(exchange, "segment"), (uint32_t)hours, error);
}

void sw_api_heatmap(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_heatmap);
}

void sw_api_watch(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_watch);
}

/* ---- Traffic ---- */

static void write_points(sw_json *w, const sw_traffic_point *points, size_t count) {
    sw_json_key(w, "points");
    sw_json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        sw_json_begin_object(w);
        sw_json_add_i64(w, "at_ms", points[i].at_ms);
        sw_json_add_u64(w, "requests", points[i].requests);
        sw_json_add_u64(w, "failures", points[i].failures);
        sw_json_add_f64(w, "p50_ms", (double)points[i].p50_ms);
        sw_json_add_f64(w, "p90_ms", (double)points[i].p90_ms);
        sw_json_add_f64(w, "p99_ms", (double)points[i].p99_ms);
        sw_json_add_f64(w, "queue_p50_ms", (double)points[i].queue_p50_ms);
        sw_json_add_f64(w, "inference_p50_ms", (double)points[i].inference_p50_ms);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

/* Deploys and rollbacks of that time, oldest first, for the charts. */
static sw_status write_marks(sw_json *w, sw_exchange *exchange, sw_app *app, int64_t from_ms,
                             sw_error *error) {
    sw_event *events;
    size_t count;
    SW_TRY(sw_registry_list_events(&events, &count, app->registry, exchange->params[0], 0,
                                   MARKS_MAX, &exchange->arena, error));
    sw_json_key(w, "marks");
    sw_json_begin_array(w);
    for (size_t i = count; i > 0; i--) {
        const sw_event *e = &events[i - 1];
        if (e->at_ms < from_ms || !sw_str_starts(e->kind, SW_STR("deployment.")))
            continue;
        sw_json_begin_object(w);
        sw_json_add_i64(w, "at_ms", e->at_ms);
        sw_json_add_str(w, "text", e->text);
        sw_json_add_str(w, "kind", e->kind);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
    return SW_OK;
}

static sw_status write_traffic(sw_buf *json, sw_exchange *exchange, void *context,
                               sw_error *error) {
    sw_app *app = context;
    uint64_t minutes;
    uint32_t step_s;
    sw_model_row model;
    SW_TRY(sw_query_u64(&minutes, exchange, "minutes", 15, TRAFFIC_MINUTES_MAX, error));
    SW_TRY(
        sw_registry_get_model(&model, app->registry, exchange->params[0], &exchange->arena, error));
    sw_traffic_point *points =
        sw_arena_alloc(&exchange->arena, SW_TRAFFIC_POINTS_MAX * sizeof *points);
    if (!points)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the traffic");
    size_t count =
        sw_stats_series(points, &step_s, app->parts.stats, model.name, (uint32_t)minutes);
    int64_t from_ms = sw_clock_wall_ms() - (int64_t)minutes * 60000;
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", model.name);
    sw_json_add_u64(&w, "step_s", step_s);
    sw_json_add_i64(&w, "from_ms", from_ms);
    write_points(&w, points, count);
    SW_TRY(write_marks(&w, exchange, app, from_ms, error));
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_traffic(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_traffic);
}
