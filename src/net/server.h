/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server: listens, tells protocols apart, and runs the routes.
 *
 * One TCP address and, if wanted, one Unix socket. An acceptor hands each connection to the loop
 * with the fewest. The first byte tells TLS, the HTTP/2 preface or HTTP/1.1 apart.
 *
 * Threads: start and stop from the main thread.
 * Layer:   net.
 */
#ifndef SW_NET_SERVER_H
#define SW_NET_SERVER_H

#include "net/exchange.h"

typedef struct sw_server sw_server;

/* OK, or UNAUTHENTICATED / DENIED with a reason. Fills exchange->who and ->scopes. On the loop:
 * fast. */
typedef sw_status sw_authorize(sw_exchange *exchange, void *context, sw_error *error);

typedef struct sw_server_config {
    const char *listen;    /* "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one */
    const char *unix_path; /* NULL = none */
    const char *tls_cert;  /* PEM files; both or neither. With them plaintext TCP is refused */
    const char *tls_key;
    const char *const
        *hosts; /* more names that the Host header may carry, NULL-terminated; NULL = none */
    uint32_t connections_max;   /* 0 = 10,000 */
    uint64_t header_timeout_ms; /* from the first byte to the end of the headers; 0 = 10 s */
    uint64_t idle_timeout_ms;   /* between requests; 0 = 75 s */
    uint64_t body_stall_ms;     /* no byte of a body, or none taken of a reply; 0 = 30 s */
    size_t header_bytes_max;    /* 0 = 32 KiB */
    size_t body_bytes_max;      /* of buffered routes; 0 = 64 MiB */
    sw_authorize *authorize;    /* NULL = everything is allowed */
    void *authorize_context;
    /* After the last byte of each reply was queued; NULL = none. For logs and counters. */
    void (*on_replied)(const sw_exchange *exchange, int http_status, size_t reply_bytes,
                       void *context);
    void *on_replied_context;
    /* Once a turn, when its replies are on their way and before its exchanges are freed; NULL = none.
     * For what need not delay a reply. */
    void (*after_flush)(void *context, sw_loop *loop);
    void *after_flush_context;
} sw_server_config;

/* Binds and listens; serves once the loops run. `routes` and `context` (passed to every handler)
 * must outlive it. CONFLICT where the address is in use (says by what, and what to do). */
SW_MUST_USE sw_status sw_server_start(sw_server **out, sw_loops *loops,
                                      const sw_route_entry *routes, size_t route_count,
                                      void *context, const sw_server_config *config,
                                      sw_error *error);
/* "http://127.0.0.1:8080": with the port that was really taken. */
const char *sw_server_url(const sw_server *server);
uint32_t sw_server_connections(const sw_server *server);
/*
 * Graceful end: takes what is in the accept queue, stops accepting, sends GOAWAY and `Connection:
 * close`, lets requests finish for `grace_ms`, then closes what is left and frees the server.
 */
void sw_server_drain(sw_server *server, uint64_t grace_ms);

#endif /* SW_NET_SERVER_H */
