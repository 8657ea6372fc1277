/* SPDX-License-Identifier: Apache-2.0 */
/* /healthz, /readyz and /api/v1/status. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
#include "base/clock.h"
#include "io/process.h"

void sw_api_healthz(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 200, "text/plain", SW_STR("ok\n"));
}

void sw_api_readyz(sw_exchange *exchange, void *context) {
    bool ready = atomic_load(&((sw_app *)context)->ready);
    sw_exchange_reply(exchange, ready ? 200 : 503, "text/plain",
                      ready ? SW_STR("ready\n") : SW_STR("not ready\n"));
}

static sw_status write_status(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    (void)exchange;
    (void)error;
    sw_app *app = context;
    sw_error ort_why;
    const char *ort_version = sw_ort_version(&ort_why);
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "name", "slipway");
    sw_json_add_text(&w, "version", SW_VERSION);
    sw_json_add_i64(&w, "started_ms", app->started_ms);
    sw_json_add_i64(&w, "uptime_s", (sw_clock_wall_ms() - app->started_ms) / 1000);
    sw_json_add_bool(&w, "ready", atomic_load(&app->ready));
    sw_json_add_text(&w, "listen", sw_server_url(app->server));
    sw_json_add_u64(&w, "loops", sw_loops_count(app->loops));
    sw_json_add_u64(&w, "connections", sw_server_connections(app->server));
    sw_json_key(&w, "onnxruntime");
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "version", ort_version);
    sw_json_add_text(&w, "why", ort_version ? NULL : ort_why.text);
    sw_json_end_object(&w);
    sw_json_key(&w, "memory");
    sw_json_begin_object(&w);
    sw_json_add_u64(&w, "rss_bytes", sw_process_rss_bytes());
    sw_json_end_object(&w);
    sw_json_add_f64(&w, "loop_lag_ms", sw_app_lag_ms(app));
    sw_json_add_text(&w, "auth", sw_auth_is_open(app->auth) ? "open" : "tokens");
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_status(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_status);
}
