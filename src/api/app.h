/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app: what the handlers of the API work with, and the table of its routes.
 *
 * Memory:  the parts belong to whoever started the server (main/).
 * Threads: handlers run where their route says; every part says who may call it.
 * Layer:   api.
 */
#ifndef SW_API_APP_H
#define SW_API_APP_H

#include "alert/alert.h"
#include "api/auth.h"
#include "api/feed.h"
#include "decay/decay.h"
#include "net/server.h"
#include "serve/deploy.h"
#include "serve/predict.h"
#include "serve/push.h"

#include <stdatomic.h>

typedef struct sw_app {
    sw_registry *registry;
    sw_load_parts parts; /* live, blobs, watch, stats */
    sw_decay *decay;
    sw_alerts *alerts;
    sw_deployer *deployer;
    sw_predictor *predictor;
    sw_loops *loops;
    sw_server *server;
    sw_auth *auth;
    sw_feed *feed;
    int64_t started_ms;
    atomic_bool ready;
} sw_app;

extern const sw_route_entry sw_api_routes[];
extern const size_t sw_api_route_count;

/* Runs on a housekeeping thread of its own: closes the traffic counters' second, feeds the
 * dashboards. */
void sw_app_every_second(sw_app *app);
/* For sw_registry_on_event, with the app as its context: tells the dashboards. */
void sw_app_on_event(const sw_event *event, void *context);
/* For sw_alerts_config.on_change, likewise. */
void sw_app_on_alert(sw_str alert_json, void *context);
/* The worst lag of an event loop, with the app as context. */
double sw_app_lag_ms(void *context);
/* Ready or not: health checks say so, and watchers of health are told. */
void sw_app_set_ready(sw_app *app, bool ready);
/* Removes uploads that nothing refers to and that are older than an hour. */
void sw_app_sweep_blobs(sw_app *app);

#endif /* SW_API_APP_H */
