/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: one request and its reply, whatever protocol carried them.
 *
 * HTTP/1.1, HTTP/2 and gRPC all end in the same sw_exchange, handed to the handler of the route
 * that matches. The handler replies exactly once: with sw_exchange_reply or sw_exchange_fail, or
 * by opening a stream and closing it. It may do so later, as long as that is on the exchange's
 * loop; the exchange stays valid to the end of the turn in which it replied (on a pool: until the
 * handler returns), even when the client has gone.
 *
 * Where a handler runs is the route's choice (sw_run_on):
 *   SW_RUN_LOOP    on the loop: must not block.
 *   SW_RUN_POOL    on a pool thread with the whole body at hand: may block; must reply before it
 *                  returns.
 *   SW_RUN_STREAM  on a thread of its own kind (bounded number), before the body has come: reads
 *                  it piece by piece with sw_exchange_read, may stream its reply; must reply before
 *                  it returns.
 * The calls below work the same from all three places.
 *
 * Memory:  all that an exchange points at lives until the exchange ends, its arena too. What is
 *          passed to reply calls is copied before they return.
 * Threads: one at a time: the loop's, or the pool thread that runs the handler.
 * Layer:   net.
 */
#ifndef SW_NET_EXCHANGE_H
#define SW_NET_EXCHANGE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "io/loop.h"

#include <stdatomic.h>
#include <stdint.h>

typedef enum sw_method {
    SW_GET,
    SW_HEAD,
    SW_POST,
    SW_PUT,
    SW_PATCH,
    SW_DELETE,
    SW_OPTIONS,
    SW_METHOD_OTHER
} sw_method;

typedef enum sw_wire { SW_WIRE_HTTP1, SW_WIRE_HTTP2, SW_WIRE_GRPC } sw_wire;
typedef enum sw_run_on { SW_RUN_LOOP, SW_RUN_POOL, SW_RUN_STREAM } sw_run_on;

/* What a token or session allows; bits of a mask. */
typedef enum sw_scope {
    SW_SCOPE_NONE = 0, /* health and sign-in: open to all */
    SW_SCOPE_READ = 1,
    SW_SCOPE_PREDICT = 2,
    SW_SCOPE_TRACK = 4,
    SW_SCOPE_DEPLOY = 8,
    SW_SCOPE_ADMIN = 16
} sw_scope;

enum { SW_PARAMS_MAX = 4, SW_WHO_BYTES = 64 };

typedef struct sw_exchange sw_exchange;
typedef void sw_handler(sw_exchange *exchange, void *context);

/*
 * `pattern` is a path with captures: "/v2/models/{model}/versions/{version}/infer". A capture takes
 * one segment, percent-decoded. A pattern whose last segment is "*" captures the rest. For gRPC
 * the pattern is the method's path and `grpc` is true; the body is then the bare message.
 */
typedef struct sw_route_entry {
    sw_method method;
    const char *pattern;
    sw_handler *handler;
    sw_run_on run_on;
    uint32_t scope; /* any one of these bits of sw_scope will do */
    bool grpc;
    size_t body_bytes_max; /* 0 = the server's default */
} sw_route_entry;

struct sw_exchange {
    sw_loop *loop;
    sw_arena arena;
    sw_wire wire;
    sw_method method;
    sw_str path;                  /* as sent, without the query */
    sw_str query;                 /* without the '?' */
    sw_str params[SW_PARAMS_MAX]; /* the pattern's captures, in order */
    sw_str body;                  /* whole; for gRPC one message. Empty for SW_RUN_STREAM */
    const sw_route_entry *route;
    uint64_t received_ns;   /* monotonic: when its first byte was read */
    uint64_t deadline_ns;   /* monotonic; 0 = none. From grpc-timeout or Request-Timeout-Ms */
    atomic_bool cancelled;  /* the client went away or reset the stream */
    char who[SW_WHO_BYTES]; /* whose token or session it came with: "local" where none is needed */
    uint32_t scopes;        /* mask of sw_scope it may use */
    bool secure;            /* came over TLS */
    void *owner;            /* for the handler's own use while it waits */
    void (*on_gone)(sw_exchange *exchange); /* may be NULL; on the loop, once, before its reply. Not
                                   while a pool thread has it: look at `cancelled` there */
};

/* The first header of that name (lower case), or {NULL, 0}. */
sw_str sw_exchange_header(const sw_exchange *exchange, const char *name);
/* The value of a query parameter, percent-decoded into the arena, or {NULL, 0}. */
sw_str sw_exchange_query(sw_exchange *exchange, const char *name);

/* Adds a header to the coming reply (a trailer-side metadata entry for gRPC). Copies. */
void sw_exchange_add_header(sw_exchange *exchange, const char *name, sw_str value);
/* For gRPC `http_status` is not used: the reply is OK with `body` as its one message. */
void sw_exchange_reply(sw_exchange *exchange, int http_status, const char *content_type,
                       sw_str body);
/* {"error": "…"} with the code's HTTP status, or grpc-status and grpc-message. Retry-After comes
 * with BUSY and UNAVAILABLE. */
void sw_exchange_fail(sw_exchange *exchange, sw_status status, const sw_error *error);

/* A reply in pieces: server-sent events, downloads, server-streaming gRPC (one message a send). */
void sw_exchange_stream_open(sw_exchange *exchange, int http_status, const char *content_type);
/* False once the client has gone. On a pool thread it waits while the client reads slowly. */
bool sw_exchange_stream_send(sw_exchange *exchange, sw_str piece);
/* Bytes that were sent but not yet taken by the socket. */
size_t sw_exchange_stream_pending(const sw_exchange *exchange);
/* Ends it; for gRPC with this status. */
void sw_exchange_stream_close(sw_exchange *exchange, sw_status status, const sw_error *error);

/*
 * SW_RUN_STREAM only: the next piece of the body, at most `cap` bytes into `buffer`; waits for it.
 * 0 in `*len` at the end. CANCELLED where the client went, TIMEOUT where it stalls, TOO_LARGE
 * beyond the limit.
 */
SW_MUST_USE sw_status sw_exchange_read(size_t *len, sw_exchange *exchange, void *buffer, size_t cap,
                                       sw_error *error);

#endif /* SW_NET_EXCHANGE_H */
