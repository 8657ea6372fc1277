/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: what the files of this folder share.
 *
 *   sw_net   one loop's part of the server: its connections and its free lists
 *   sw_conn  one socket
 *   sw_call  one request on it: an sw_exchange and what the protocol needs beside it
 *   sw_proto what HTTP/1.1 and HTTP/2 do differently
 *
 * A call belongs to its connection's list until its reply is queued whole or the socket is gone,
 * and to its handler until it has replied. It is freed at the end of the turn in which both are
 * over; a connection is freed after the last of its calls.
 *
 * Threads: the loop's, but for what is marked [pool].
 */
#ifndef SW_NET_NET_PRIVATE_H
#define SW_NET_NET_PRIVATE_H

#include "io/pool.h"
#include "net/guard_private.h"
#include "net/router_private.h"
#include "net/server.h"

#include <llhttp.h>
#include <nghttp2/nghttp2.h>
#include <uv.h>

enum {
    SW_NET_CHUNK_BYTES = 16 * 1024 - 64, /* of a read buffer that goes back to the free list */
    SW_NET_HEADERS_MAX = 100,
    SW_NET_TARGET_BYTES_MAX = 8 * 1024,
    SW_NET_PIPELINE_MAX = 64,
    SW_NET_STREAMS_MAX = 256,
    SW_NET_OUT_HIGH_BYTES = 256 * 1024,        /* beyond it no request is taken */
    SW_NET_STREAM_BYTES_MAX = 8 * 1024 * 1024, /* unsent of a loop's stream; beyond it: gone */
    SW_NET_PIPE_BYTES = 256 * 1024,
    SW_NET_DISCARD_BYTES_MAX = 64 * 1024, /* of a refused request's body, to keep the connection */
    SW_NET_CACHED_TARGET_BYTES = 160,
    SW_NET_CACHED_HOST_BYTES = 64,
    SW_NET_LINGER_MS = 2000,
    SW_NET_QUIET_MS = 1000, /* of an idle connection before a drain closes it */
};

typedef struct sw_net sw_net;
typedef struct sw_conn sw_conn;
typedef struct sw_call sw_call;
typedef struct sw_pipe sw_pipe;
typedef struct sw_tls sw_tls;
typedef struct sw_listener sw_listener;

/* A read buffer; the connection and the calls whose bytes it holds count as users. */
typedef struct sw_chunk {
    struct sw_chunk *next;
    size_t cap;
    uint32_t users;
    char bytes[];
} sw_chunk;

/* Relative to sw_call.head_base. */
typedef struct sw_header {
    uint32_t name_at, name_len, value_at, value_len;
} sw_header;

/* A header that the handler added, in the exchange's arena. */
typedef struct sw_extra {
    struct sw_extra *next;
    sw_str name, value;
} sw_extra;

/* Why a request is answered without its handler. */
typedef struct sw_refusal {
    int http_status; /* 0 = it is not */
    sw_code code;
    sw_str text;
} sw_refusal;

/* The headers that the server itself looks at. */
typedef struct sw_known_headers {
    sw_str host, origin, fetch_site, fetch_mode, content_type, expect, transfer_encoding;
    sw_str content_length, content_encoding, timeout_ms, grpc_timeout;
    uint32_t host_count, transfer_encoding_count, content_length_count;
} sw_known_headers;

/* HTTP/2's fields of the request line. */
enum { SW_PSEUDO_METHOD, SW_PSEUDO_PATH, SW_PSEUDO_SCHEME, SW_PSEUDO_AUTHORITY, SW_PSEUDO_COUNT };

typedef enum sw_call_state {
    SW_CALL_READING,   /* its head or, where the handler wants it whole, its body is still coming */
    SW_CALL_RUNNING,   /* the handler has it */
    SW_CALL_STORED,    /* replied; the reply waits for its turn */
    SW_CALL_STREAMING, /* the handler has opened a stream */
    SW_CALL_REPLIED    /* the handler is done with it */
} sw_call_state;

struct sw_call {
    sw_exchange pub; /* first: an exchange is its call */
    sw_conn *conn;
    sw_net *net;
    sw_call *next, *prev; /* in conn->calls, in arrival order; `next` also in free lists */
    bool listed;          /* in conn->calls */
    bool gone;            /* the socket or stream is no more */
    bool on_pool;         /* the handler runs on a pool thread: the loop keeps its hands off */
    bool head_done;
    bool body_done; /* nothing more will come of the request */
    bool close_after;
    bool no_keep_alive_hint; /* HTTP/1.0 */
    bool continue_due;       /* Expect: 100-continue */
    bool discard;            /* refused: body bytes are dropped */
    bool malformed;          /* HTTP/2: its stream is reset */
    bool chunked;            /* the streamed HTTP/1.1 reply is */
    bool bodiless;           /* the streamed reply is a head only */
    bool head_sent;
    bool out_deferred; /* HTTP/2: the stream waits for resume_data */
    bool begun;        /* the stream is opened on the loop's side */
    bool out_ended;    /* the handler has closed its stream */
    const char *head_base;
    sw_header headers[SW_NET_HEADERS_MAX];
    uint32_t header_count;
    size_t head_bytes;
    sw_str target, scheme, authority;
    sw_known_headers known;
    sw_header pseudo[SW_PSEUDO_COUNT]; /* HTTP/2: values only */
    uint32_t pseudo_seen;              /* bits of them, and of the method */
    sw_refusal refusal;
    size_t body_at, body_len, body_max; /* body_at is relative to head_base */
    size_t discarded;
    sw_chunk *chunk; /* HTTP/1.1: what holds the request */
    sw_buf head;     /* HTTP/2: its header bytes */
    sw_buf in;       /* HTTP/2: its body */
    sw_buf out;      /* reply bytes which the connection has not taken */
    size_t out_at;
    /* Written by the handler, on whichever thread it runs; the loop looks once on_pool is false. */
    sw_call_state state;
    bool end_failed; /* its stream did not end by an OK */
    sw_extra *extras;
    int reply_status;
    const char *reply_type; /* literal or in the arena */
    size_t reply_bytes;
    int grpc_code;
    sw_str grpc_message;
    int32_t stream_id;
    uint64_t last_in_ms, last_out_ms;
    sw_pipe *pipe;
    sw_task job;
    char number[24]; /* content-length or grpc-status as text */
};

typedef struct sw_proto {
    /* The socket has bytes, or its end. */
    void (*readable)(sw_conn *conn);
    /* conn->in has them already: what the protocol was told by. */
    void (*input)(sw_conn *conn);
    /* A reply whole; gRPC takes its status from the call. */
    void (*reply)(sw_call *call, int status, const char *type, sw_str body);
    void (*stream_open)(sw_call *call, int status, const char *type);
    void (*stream_data)(sw_call *call, sw_str bytes);
    void (*stream_end)(sw_call *call, bool ok);
    size_t (*stream_pending)(const sw_call *call);
    /* The handler has taken `bytes` from the pipe, or written to it. */
    void (*pipe_moved)(sw_call *call, size_t bytes);
    /* Puts what is due into conn->out; true where more may be once that is sent. */
    bool (*fill)(sw_conn *conn);
    /* The server ends: tell the client, where the protocol has a way. Called again once a second.
     */
    void (*drain)(sw_conn *conn);
    void (*second)(sw_conn *conn, uint64_t now_ms);
    bool (*wants_input)(const sw_conn *conn);
    /* No request is under way. */
    bool (*is_idle)(const sw_conn *conn);
    void (*free)(sw_conn *conn);
} sw_proto;

typedef struct sw_http1 {
    llhttp_t parser;
    sw_call *current; /* the request being parsed */
    size_t base;      /* where it begins in conn->in */
    uint32_t target_at, target_len;
    size_t head_end;      /* of the last header value; relative to base, as are the two above */
    size_t trailer_bytes; /* of the current request */
    size_t framing_bytes; /* chunk sizes and extensions, likewise */
    bool in_name;
    bool complete; /* the current request is */
    bool stopped;  /* no further request is read */
    int problem_status;
    const char *problem;
} sw_http1;

typedef struct sw_http2 {
    nghttp2_session *session;
    sw_call *heading;        /* whose header block is being read */
    sw_call *recent;         /* what the last frame was of */
    uint32_t control_frames; /* in this second */
    bool noticed;            /* told that the server ends */
    bool goaway;             /* and which stream was the last */
    uint64_t noticed_ms;
} sw_http2;

typedef enum sw_stage {
    SW_STAGE_FIRST_BYTES,
    SW_STAGE_HANDSHAKE,
    SW_STAGE_SPEAKING,
    SW_STAGE_LINGERING, /* all is sent; waits for the client to close */
} sw_stage;

struct sw_conn {
    uv_poll_t poll;
    sw_net *net;
    sw_conn *next, *prev;
    sw_conn *next_dirty;
    sw_task opened; /* carries it from the acceptor to its loop */
    const sw_proto *proto;
    void *ssl;
    int fd;
    int events; /* what `poll` watches */
    sw_stage stage;
    bool dirty;
    bool secure, local;
    bool read_closed; /* the client sent its last byte */
    bool write_blocked;
    bool read_again;     /* TLS holds decrypted bytes that poll does not know of */
    bool closing;        /* no more replies: close once all is sent */
    bool doomed;         /* close now */
    bool closed;         /* the socket is */
    uint32_t call_count; /* calls that point here */
    sw_call *calls, *last_call;
    uint32_t listed_count;
    sw_chunk *in;
    size_t in_at, in_len;
    sw_buf out;
    size_t out_at;
    uint64_t started_ms; /* of this stage, or of the head that is being read */
    uint64_t last_in_ms, last_out_ms;
    uint8_t host_len, cached_len;
    sw_method cached_method;
    sw_route cached_route;
    char host[SW_NET_CACHED_HOST_BYTES];
    char cached[SW_NET_CACHED_TARGET_BYTES];
    union {
        sw_http1 h1;
        sw_http2 h2;
    };
};

enum { SW_NET_REPLY_HEAD_BYTES = 256, SW_NET_TYPE_BYTES = 64, SW_NET_DATE_BYTES = 30 };

enum { SW_NET_BLOCK_CLASSES = 33 };

/* Free blocks of one size class. */
typedef struct sw_block_list {
    void *first;
    uint32_t count, low;
} sw_block_list;

/* The beginning of the commonest reply, kept for as long as the second lasts. */
typedef struct sw_reply_head {
    int status;
    size_t len;
    char type[SW_NET_TYPE_BYTES];
    char bytes[SW_NET_REPLY_HEAD_BYTES];
} sw_reply_head;

struct sw_net {
    sw_server *server;
    sw_loop *loop;
    sw_conn *conns;
    sw_conn *dirty;
    sw_call *done;
    sw_call *free_calls;
    uint32_t free_call_count, free_call_low;
    sw_chunk *free_chunks;
    uint32_t free_chunk_count, free_chunk_low;
    char *free_outs; /* reply buffers of SW_NET_CHUNK_BYTES; the first word links them */
    uint32_t free_out_count, free_out_low;
    char *scratch; /* SW_NET_SCRATCH_BYTES */
    sw_block_list blocks[SW_NET_BLOCK_CLASSES];
    nghttp2_session_callbacks *h2_callbacks;
    nghttp2_option *h2_options;
    bool draining, ending;
    bool flushing; /* the turn's end is under way */
    uint64_t drain_ms;
    sw_reply_head reply_head;
    char date[SW_NET_DATE_BYTES];
    int64_t date_s;
    uint32_t call_count;       /* alive */
    sw_task task;              /* of sw_server_drain */
    _Atomic uint32_t assigned; /* connections, those under way from the acceptor too */
};

enum { SW_NET_SCRATCH_BYTES = 64 * 1024 };

struct sw_server {
    sw_server_config config;
    sw_loops *loops;
    sw_router *router;
    sw_guard guard;
    void *context;
    sw_pool *pool, *stream_pool;
    sw_tls *tls;
    sw_listener *listener;
    sw_net *nets;
    uint32_t net_count;
    char listen_host[64];
    char url[128];
    _Atomic size_t body_bytes; /* of large buffered bodies, on all loops */
    _Atomic uint32_t busy;     /* loops that have not run the posted task yet */
    _Atomic uint32_t calls;    /* found alive by the last count */
};

extern const sw_proto sw_http1_proto;
extern const sw_proto sw_http2_proto;

/* memory.c */
sw_chunk *sw_net_take_chunk(sw_net *net, size_t cap);
void sw_net_drop_chunk(sw_net *net, sw_chunk *chunk);
bool sw_net_take_out(sw_net *net, sw_buf *out);
void sw_net_give_out(sw_net *net, sw_buf *out);
sw_call *sw_net_take_call(sw_net *net);
void sw_net_give_call(sw_net *net, sw_call *call);
void sw_net_trim(sw_net *net);
void sw_net_free_lists(sw_net *net);
/* False where all large bodies together would pass the bound. */
bool sw_net_charge(sw_net *net, size_t bytes);
void sw_net_discharge(sw_net *net, size_t bytes);

typedef enum sw_io { SW_IO_DONE, SW_IO_AGAIN, SW_IO_END, SW_IO_BROKEN } sw_io;

/* blocks.c */
nghttp2_mem sw_net_blocks(sw_net *net);
void sw_net_trim_blocks(sw_net *net);
void sw_net_free_blocks(sw_net *net);

/* conn.c */
sw_conn *sw_conn_new(sw_net *net, int fd, bool local);
void sw_conn_open(sw_task *task);
/* Up to `cap` bytes; at the end of the client's bytes sets read_closed. */
sw_io sw_conn_recv(sw_conn *conn, char *at, size_t cap, size_t *len);
uint64_t sw_conn_now_ms(const sw_conn *conn);
void sw_conn_drain(sw_conn *conn);
void sw_conn_dirty(sw_conn *conn);
/* Closes at the end of the turn, whatever is unsent. */
void sw_conn_doom(sw_conn *conn);
void sw_conn_flush_all(void *context, sw_loop *loop);
void sw_conn_second_all(void *context, sw_loop *loop);
void sw_conn_release(sw_conn *conn);
static inline size_t sw_conn_unsent(const sw_conn *conn) {
    return conn->out.len - conn->out_at;
}
/* Makes conn->out usable; false (and doomed) where memory is out. */
bool sw_conn_ready_out(sw_conn *conn);

/* call.c */
sw_call *sw_call_begin(sw_conn *conn);
/* The head is known: checks, route, limits, authorization. May end in call->refusal. */
void sw_call_head_done(sw_call *call);
void sw_call_refuse(sw_call *call, int http_status, sw_code code, const char *text);
/* What a body beyond call->body_max is told; lives as long as the call. */
const char *sw_call_too_large(sw_call *call);
/* The request is there: the handler runs, or the refusal is sent. */
void sw_call_run(sw_call *call);
void sw_call_list(sw_call *call);
/* The reply is queued whole: out of the list; freed at the end of the turn. */
void sw_call_finish(sw_call *call);
/* The client went: the handler is told, if there is one. */
void sw_call_abandon(sw_call *call);
void sw_call_store(sw_call *call, int status, const char *type, sw_str body);
void sw_call_free_done(sw_net *net);
sw_method sw_method_of(sw_str name);
enum { SW_STATUS_WORDS_BYTES = 48 };
void sw_status_words(char out[SW_STATUS_WORDS_BYTES], int http_status);
size_t sw_decimal(char out[20], size_t value);
/* {"error": "…"} */
void sw_error_json(sw_buf *out, sw_str text);

static inline sw_call *sw_call_of(const sw_exchange *exchange) {
    return (sw_call *)exchange;
}

/* pipe.c */
bool sw_pipe_make(sw_call *call, bool with_body);
void sw_pipe_free(sw_call *call);
size_t sw_pipe_room(const sw_call *call);
void sw_pipe_put(sw_call *call, const char *bytes, size_t len);
void sw_pipe_end(sw_call *call, sw_code code);
void sw_pipe_gone(sw_call *call);
/* Moves reply bytes of the handler's to the loop's side, at most `max`. */
size_t sw_pipe_pull(sw_call *call, sw_buf *into, size_t max);
bool sw_pipe_has_reply(const sw_call *call);
/* [pool] */
sw_status sw_pipe_read(size_t *len, sw_call *call, void *buffer, size_t cap, sw_error *error);
void sw_pipe_open(sw_call *call);
bool sw_pipe_send(sw_call *call, sw_str a, sw_str b);
size_t sw_pipe_pending(const sw_call *call);

/* grpc.c */
uint64_t sw_grpc_timeout_ns(sw_str text);
sw_str sw_grpc_encode_message(sw_arena *arena, sw_str text);
bool sw_is_grpc_type(sw_str content_type);
enum { SW_GRPC_PREFIX_BYTES = 5 };
void sw_grpc_prefix(char prefix[SW_GRPC_PREFIX_BYTES], size_t len);

/* tls.c */
sw_status sw_tls_make(sw_tls **out, const char *cert, const char *key, sw_error *error);
void sw_tls_free(sw_tls *tls);
bool sw_tls_begin(sw_conn *conn);
sw_io sw_tls_handshake(sw_conn *conn);
sw_io sw_tls_recv(sw_conn *conn, char *at, size_t cap, size_t *len);
sw_io sw_tls_send(sw_conn *conn, const char *at, size_t want, size_t *len);
bool sw_tls_chose_h2(sw_conn *conn);
void sw_tls_goodbye(sw_conn *conn);
void sw_tls_end(sw_conn *conn);

/* listener.c */
sw_status sw_listener_start(sw_listener **out, sw_server *server, sw_error *error);
/* Takes what waits in the accept queues, then closes them. NULL is fine. */
void sw_listener_stop(sw_listener *listener);

/* http1.c */
void sw_http1_start(sw_conn *conn);
/* Answers what is no HTTP request, and closes. */
void sw_http1_problem(sw_conn *conn, int http_status, const char *text);
/* True where unparsed bytes wait and may be parsed now; parses them. */
bool sw_http1_resume(sw_conn *conn);

/* http1_reply.c */
void sw_net_refresh_date(sw_net *net);
void sw_http1_reply(sw_call *call, int status, const char *type, sw_str body);
void sw_http1_stream_open(sw_call *call, int status, const char *type);
void sw_http1_stream_data(sw_call *call, sw_str bytes);
void sw_http1_stream_end(sw_call *call, bool ok);
size_t sw_http1_stream_pending(const sw_call *call);
bool sw_http1_fill(sw_conn *conn);
/* 100 Continue, where the current request asked for it and it is its turn. */
void sw_http1_continue(sw_conn *conn);

/* http2.c */
bool sw_http2_start(sw_conn *conn);

/* http2_fields.c */
bool sw_http2_name_ok(sw_str name);
bool sw_http2_value_ok(sw_str value);
bool sw_http2_is_hop_field(sw_str name, sw_str value);

/* http2_reply.c */
void sw_http2_reply(sw_call *call, int status, const char *type, sw_str body);
void sw_http2_stream_open(sw_call *call, int status, const char *type);
void sw_http2_stream_data(sw_call *call, sw_str bytes);
void sw_http2_stream_end(sw_call *call, bool ok);
size_t sw_http2_stream_pending(const sw_call *call);
/* More of the reply is there. */
void sw_http2_resume(sw_call *call);
sw_status sw_http2_prepare(sw_net *net, sw_error *error);
void sw_http2_unprepare(sw_net *net);

#endif /* SW_NET_NET_PRIVATE_H */
