/* SPDX-License-Identifier: Apache-2.0 */
#include "api/app.h"

#include "api/model_json.h"
#include "api/oip_proto.h"
#include "api/reply.h"
#include "base/clock.h"

static void feed_dashboards(sw_app *app) {
    sw_buf message = {0};
    sw_arena arena = {0};
    sw_error ignored;
    sw_buf_add_lit(&message, "event: tick\ndata: ");
    sw_status status = sw_json_fleet(&message, app, &arena, &ignored);
    sw_buf_add_lit(&message, "\n\n");
    if (!sw_failed(status) && !message.failed)
        sw_feed_send(app->feed, SW_FEED_EVENTS, sw_buf_str(&message));
    sw_arena_free(&arena);
    sw_buf_free(&message);
}

void sw_app_every_second(sw_app *app) {
    sw_predictor_merge(app->predictor);
    sw_stats_tick(app->parts.stats, sw_clock_wall_ms());
    if (sw_feed_members(app->feed, SW_FEED_EVENTS) > 0)
        feed_dashboards(app);
}

void sw_app_on_event(const sw_event *event, void *context) {
    sw_app *app = context;
    sw_buf message = {0};
    sw_buf_add_lit(&message, "event: change\ndata: ");
    sw_json w = sw_json_to(&message);
    sw_json_event(&w, event);
    sw_buf_add_lit(&message, "\n\n");
    if (!message.failed)
        sw_feed_send(app->feed, SW_FEED_EVENTS, sw_buf_str(&message));
    sw_buf_free(&message);
}

void sw_app_on_alert(sw_str alert_json, void *context) {
    sw_app *app = context;
    sw_buf message = {0};
    if (sw_feed_members(app->feed, SW_FEED_EVENTS) == 0)
        return;
    sw_buf_add_lit(&message, "event: alert\ndata: ");
    sw_buf_add_str(&message, alert_json);
    sw_buf_add_lit(&message, "\n\n");
    if (!message.failed)
        sw_feed_send(app->feed, SW_FEED_EVENTS, sw_buf_str(&message));
    sw_buf_free(&message);
}

void sw_app_set_ready(sw_app *app, bool ready) {
    sw_buf message = {0};
    atomic_store(&app->ready, ready);
    sw_oip_proto_write_health(&message, ready ? SW_HEALTH_SERVING : SW_HEALTH_NOT_SERVING);
    if (!message.failed)
        sw_feed_send(app->feed, SW_FEED_HEALTH, sw_buf_str(&message));
    sw_buf_free(&message);
}

double sw_app_lag_ms(void *context) {
    const sw_app *app = context;
    uint64_t worst_ns = 0;
    for (uint32_t i = 0; i < sw_loops_count(app->loops); i++) {
        uint64_t lag_ns = sw_loop_lag_ns(sw_loops_at(app->loops, i));
        worst_ns = lag_ns > worst_ns ? lag_ns : worst_ns;
    }
    return (double)worst_ns / 1e6;
}
