/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_log: one line of JSON for each request, on standard error.
 *
 * Lines are gathered and written by a thread of their own, so that a slow reader of the log never
 * delays a request; beyond a bound they are dropped and counted. Bodies, queries and credentials
 * are never logged.
 *
 * Threads: add from any loop.
 * Layer:   main.
 */
#ifndef SW_MAIN_REQUEST_LOG_H
#define SW_MAIN_REQUEST_LOG_H

#include "net/exchange.h"

typedef struct sw_request_log sw_request_log;

SW_MUST_USE sw_status sw_request_log_start(sw_request_log **out, sw_error *error);
/* Writes what is left. NULL is fine. */
void sw_request_log_stop(sw_request_log *log);
/* For sw_server_config.on_replied, with the log as its context. */
void sw_request_log_add(const sw_exchange *exchange, int http_status, size_t reply_bytes,
                        void *context);

#endif /* SW_MAIN_REQUEST_LOG_H */
