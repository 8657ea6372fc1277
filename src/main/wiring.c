/* SPDX-License-Identifier: Apache-2.0 */
#include "main/wiring.h"

#include "base/clock.h"
#include "io/file.h"
#include "serve/influence.h"
#include "serve/multivariate.h"

bool sw_listen_is_address(const char *listen) {
    const char *colon = strrchr(listen, ':');
    uint64_t port;
    return colon && colon > listen && colon[1] && sw_str_to_u64(&port, sw_str_of(colon + 1), 65535);
}

/* ---- Up ---- */

static sw_status open_stores(sw_wiring *w, const char *data_dir, sw_error *error) {
    char path[SW_PATH_BYTES];
    sw_app *app = &w->app;
    SW_TRY(sw_file_path(path, data_dir, "slipway.db", error));
    SW_TRY(sw_db_open(&w->db, path, error));
    SW_TRY(sw_blobs_open(&app->parts.blobs, data_dir, error));
    SW_TRY(sw_registry_open(&app->registry, w->db, error));
    app->parts.registry = app->registry;
    SW_TRY(sw_watch_open(&app->parts.watch, w->db, error));
    return sw_monitors_open(&app->parts.monitors, app->parts.watch, error);
}

/* On the monitors' thread. */
static void after_look(void *parts) {
    sw_influence_update(parts);
    sw_multivariate_update(parts);
}

static sw_status make_serving(sw_wiring *w, const sw_serve_options *options, sw_error *error) {
    sw_app *app = &w->app;
    SW_TRY(sw_loops_make(&app->loops, options->loops, error));
    SW_TRY(sw_plog_open(&app->parts.log, options->data_dir, sw_loops_count(app->loops), error));
    SW_TRY(sw_decay_open(&app->decay, w->db, app->parts.log, error));
    SW_TRY(sw_stats_make(&app->parts.stats, error));
    SW_TRY(sw_live_make(&app->parts.live, app->loops, error));
    SW_TRY(
        sw_predictor_make(&app->predictor, app->parts.live, app->loops, &options->limits, error));
    SW_TRY(sw_feed_make(&app->feed, app->loops, error));
    sw_monitors_after_look(app->parts.monitors, after_look, &app->parts);
    return sw_deployer_make(&app->deployer, app->registry, &app->parts, error);
}

/* Beyond loopback nobody gets in without a token, so there has to be one. */
static sw_status make_auth(sw_wiring *w, const sw_server_config *net, sw_error *error) {
    sw_app *app = &w->app;
    bool local = sw_str_is_loopback(sw_str_of(net->listen));
    SW_TRY(sw_auth_make(&app->auth, app->registry, !local, error));
    if (local || sw_auth_token_count(app->auth) > 0)
        return SW_OK;
    return sw_fail(
        error, SW_CODE_DENIED,
        "%s can be reached from other machines, and no token exists yet that they would have to "
        "show. Serve on 127.0.0.1 first, run `slipway token create admin --scopes admin`, "
        "then listen on %s",
        net->listen, net->listen);
}

static sw_status start_net(sw_wiring *w, const sw_serve_options *options, sw_error *error) {
    sw_app *app = &w->app;
    sw_server_config net = options->net;
    net.authorize = sw_auth_authorize;
    net.authorize_context = app->auth;
    net.after_flush = sw_predictor_observe;
    net.after_flush_context = app->predictor;
    if (options->log_requests) {
        SW_TRY(sw_request_log_start(&w->log, error));
        net.on_replied = sw_request_log_add;
        net.on_replied_context = w->log;
    }
    return sw_server_start(&app->server, app->loops, sw_api_routes, sw_api_route_count, app, &net,
                           error);
}

static sw_status start_alerts(sw_wiring *w, const sw_serve_options *options, sw_error *error) {
    sw_app *app = &w->app;
    sw_alerts_config config = {
        .db = w->db,
        .registry = app->registry,
        .sources = {.stats = app->parts.stats,
                    .live = app->parts.live,
                    .monitors = app->parts.monitors,
                    .decay = app->decay,
                    .log = app->parts.log,
                    .data_dir = options->data_dir,
                    .lag_ms = sw_app_lag_ms,
                    .lag_context = app},
        .allow_commands = options->allow_commands,
        .on_change = sw_app_on_alert,
        .context = app,
    };
    return sw_alerts_start(&app->alerts, &config, error);
}

static sw_status start(sw_wiring *w, const sw_serve_options *options, sw_error *error) {
    sw_app *app = &w->app;
    app->started_ms = sw_clock_wall_ms();
    SW_TRY(open_stores(w, options->data_dir, error));
    SW_TRY(make_serving(w, options, error));
    SW_TRY(make_auth(w, &options->net, error));
    SW_TRY(start_net(w, options, error));
    SW_TRY(sw_deployer_restore(app->deployer, error));
    sw_registry_on_event(app->registry, sw_app_on_event, app);
    SW_TRY(start_alerts(w, options, error));
    sw_live_loops_run(app->parts.live, true);
    SW_TRY(sw_loops_run(app->loops, error));
    sw_app_set_ready(app, true);
    return SW_OK;
}

sw_status sw_wiring_start(sw_wiring *w, const sw_serve_options *options, sw_error *error) {
    *w = (sw_wiring){0};
    sw_status status = start(w, options, error);
    if (sw_failed(status))
        sw_wiring_stop(w, 0);
    return status;
}

/* ---- Down: what takes requests first, what they stand on last ---- */

void sw_wiring_stop(sw_wiring *w, uint64_t grace_ms) {
    sw_app *app = &w->app;
    if (app->feed) {
        sw_app_set_ready(app, false);
        sw_feed_close(app->feed);
    }
    if (app->server)
        sw_server_drain(app->server, grace_ms);
    sw_alerts_stop(app->alerts);
    if (app->predictor)
        sw_predictor_stop(app->predictor);
    if (app->parts.live)
        sw_live_loops_run(app->parts.live, false);
    if (app->loops)
        sw_loops_stop(app->loops);
    sw_request_log_stop(w->log);
    sw_monitors_stop(app->parts.monitors);
    sw_live_free(app->parts.live);
    sw_predictor_free(app->predictor);
    sw_feed_free(app->feed);
    sw_deployer_free(app->deployer);
    sw_auth_free(app->auth);
    sw_decay_close(app->decay);
    sw_plog_close(app->parts.log);
    sw_monitors_close(app->parts.monitors);
    if (app->parts.watch)
        sw_watch_close(app->parts.watch);
    sw_stats_free(app->parts.stats);
    if (app->registry)
        sw_registry_close(app->registry);
    if (app->parts.blobs)
        sw_blobs_close(app->parts.blobs);
    sw_db_close(w->db);
}
