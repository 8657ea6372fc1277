/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wiring: makes the parts of a server, joins them, and takes them apart in the right order.
 *
 * Threads: the main thread.
 * Layer:   main.
 */
#ifndef SW_MAIN_WIRING_H
#define SW_MAIN_WIRING_H

#include "api/app.h"
#include "main/request_log.h"

typedef struct sw_serve_options {
    const char *data_dir;
    uint32_t loops; /* 0 = one for each CPU */
    uint64_t grace_ms;
    bool log_requests;
    bool allow_commands; /* alert rules may start programs */
    sw_server_config net;
    sw_predict_limits limits;
} sw_serve_options;

typedef struct sw_wiring {
    sw_app app;
    sw_db *db;
    sw_request_log *log;
} sw_wiring;

/* Everything is up, and what was live before is live again. On failure nothing is left behind. */
SW_MUST_USE sw_status sw_wiring_start(sw_wiring *wiring, const sw_serve_options *options,
                                      sw_error *error);
/* Drains within the grace period, then stops and frees all. */
void sw_wiring_stop(sw_wiring *wiring, uint64_t grace_ms);

/* Whether it is ADDRESS:PORT by its form. */
bool sw_listen_is_address(const char *listen);

#endif /* SW_MAIN_WIRING_H */
