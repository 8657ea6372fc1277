/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP/2 client of nghttp2's, one blocking socket, many streams; and a writer of raw frames. */
#ifndef SW_TESTS_H2_TESTING_H
#define SW_TESTS_H2_TESTING_H

#include "unit/net/net_testing.h"

#include <nghttp2/nghttp2.h>

enum { H2_CALLS_MAX = 600, H2_TEXT_BYTES = 256 };

typedef struct h2_call {
    int32_t stream;
    int status;
    int grpc_status; /* -1 = none came */
    char grpc_message[H2_TEXT_BYTES];
    char type[H2_TEXT_BYTES];
    char back[H2_TEXT_BYTES]; /* x-back, or grpc-accept-encoding */
    char *body;
    size_t len;
    const char *out; /* what is to be sent */
    size_t out_len, out_at;
    bool hold; /* no END_STREAM behind it */
    bool ended, closed, trailers_only;
    uint32_t reset;
} h2_call;

typedef struct h2_client {
    int fd;
    nghttp2_session *session;
    h2_call calls[H2_CALLS_MAX];
    int count, open;
    bool goaway, over;
    int32_t last_stream;
    uint32_t goaway_code;
    /* TLS tests put theirs here */
    ssize_t (*recv)(void *io, void *at, size_t cap);
    ssize_t (*send)(void *io, const void *at, size_t len);
    void *io;
} h2_client;

static h2_call *h2_find(h2_client *c, int32_t stream) {
    for (int i = 0; i < c->count; i++)
        if (c->calls[i].stream == stream)
            return &c->calls[i];
    return NULL;
}

static int h2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                        size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                        void *user) {
    h2_call *call = h2_find(user, frame->hd.stream_id);
    (void)session;
    (void)flags;
    sw_str n = {(const char *)name, name_len}, v = {(const char *)value, value_len};
    if (!call)
        return 0;
    if (sw_str_is(n, ":status"))
        call->status = atoi((const char *)value);
    else if (sw_str_is(n, "grpc-status"))
        call->grpc_status = atoi((const char *)value);
    else if (sw_str_is(n, "grpc-message"))
        snprintf(call->grpc_message, H2_TEXT_BYTES, "%.*s", SW_STR_ARG(v));
    else if (sw_str_is(n, "content-type"))
        snprintf(call->type, H2_TEXT_BYTES, "%.*s", SW_STR_ARG(v));
    else if (sw_str_is(n, "x-back") || sw_str_is(n, "grpc-accept-encoding"))
        snprintf(call->back, H2_TEXT_BYTES, "%.*s", SW_STR_ARG(v));
    return 0;
}

static int h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    h2_client *c = user;
    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        c->goaway = true;
        c->last_stream = frame->goaway.last_stream_id;
        c->goaway_code = frame->goaway.error_code;
    }
    h2_call *call = h2_find(c, frame->hd.stream_id);
    if (call && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        call->ended = true;
        call->trailers_only = frame->hd.type == NGHTTP2_HEADERS && call->len == 0;
    }
    return 0;
}

static int h2_on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                      size_t len, void *user) {
    h2_call *call = h2_find(user, stream);
    (void)session;
    (void)flags;
    if (!call)
        return 0;
    call->body = realloc(call->body, call->len + len + 1);
    memcpy(call->body + call->len, bytes, len);
    call->len += len;
    call->body[call->len] = '\0';
    return 0;
}

static int h2_on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user) {
    h2_client *c = user;
    h2_call *call = h2_find(c, stream);
    (void)session;
    if (call && !call->closed) {
        call->closed = true;
        call->reset = code;
        c->open--;
    }
    return 0;
}

static inline bool h2_begin(h2_client *c, int fd) {
    nghttp2_session_callbacks *callbacks;
    memset(c, 0, sizeof *c);
    c->fd = fd;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, h2_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, h2_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, h2_on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, h2_on_close);
    bool made = nghttp2_session_client_new(&c->session, callbacks, c) == 0;
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, NULL, 0);
    return made && fd >= 0;
}

static inline void h2_end(h2_client *c) {
    for (int i = 0; i < c->count; i++)
        free(c->calls[i].body);
    nghttp2_session_del(c->session);
    close(c->fd);
}

static ssize_t h2_read_body(nghttp2_session *session, int32_t stream, uint8_t *at, size_t cap,
                            uint32_t *flags, nghttp2_data_source *source, void *user) {
    h2_call *call = source->ptr;
    size_t left = call->out_len - call->out_at, len = left < cap ? left : cap;
    (void)session;
    (void)stream;
    (void)user;
    if (len)
        memcpy(at, call->out + call->out_at, len);
    call->out_at += len;
    if (call->out_at == call->out_len) {
        if (call->hold && len == 0)
            return NGHTTP2_ERR_DEFERRED;
        if (!call->hold)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)len;
}

#define H2_NV(n, v)                                                                \
    (nghttp2_nv) {                                                                 \
        (uint8_t *)(n), (uint8_t *)(v), strlen(n), strlen(v), NGHTTP2_NV_FLAG_NONE \
    }

/* More headers come as name, value pairs that end in NULL. */
static inline h2_call *h2_call_with(h2_client *c, const char *method, const char *path,
                                    const char *out, size_t out_len, const char *const *more) {
    nghttp2_nv nv[120];
    size_t count = 0;
    h2_call *call = &c->calls[c->count++];
    c->open++;
    *call = (h2_call){.grpc_status = -1, .out = out, .out_len = out_len};
    const char *authority = "localhost";
    for (const char *const *at = more; at && *at; at += 2)
        if (strcmp(at[0], ":authority") == 0)
            authority = at[1];
    nv[count++] = H2_NV(":method", method);
    nv[count++] = H2_NV(":scheme", "http");
    nv[count++] = H2_NV(":path", path);
    nv[count++] = H2_NV(":authority", authority);
    for (const char *const *at = more; at && *at && count < 120; at += 2)
        if (at[0][0] != ':')
            nv[count++] = H2_NV(at[0], at[1]);
    nghttp2_data_provider provider = {.source = {.ptr = call}, .read_callback = h2_read_body};
    call->stream =
        nghttp2_submit_request(c->session, NULL, nv, count, out ? &provider : NULL, NULL);
    return call;
}

static inline bool h2_flush(h2_client *c) {
    const uint8_t *bytes;
    ssize_t len;
    while ((len = nghttp2_session_mem_send(c->session, &bytes)) > 0) {
        if (c->send ? c->send(c->io, bytes, (size_t)len) != len
                    : !say_bytes(c->fd, bytes, (size_t)len))
            return false;
    }
    return len == 0;
}

/* One write, one read. False when the connection is over or nothing came in `wait_ms`. */
static inline bool h2_step(h2_client *c, int wait_ms) {
    uint8_t bytes[65536];
    struct pollfd poll_fd = {.fd = c->fd, .events = POLLIN};
    if (!h2_flush(c) || (!c->recv && poll(&poll_fd, 1, wait_ms) <= 0))
        return false;
    ssize_t got =
        c->recv ? c->recv(c->io, bytes, sizeof bytes) : recv(c->fd, bytes, sizeof bytes, 0);
    if (got <= 0) {
        c->over = true;
        return false;
    }
    return nghttp2_session_mem_recv(c->session, bytes, (size_t)got) == got && h2_flush(c);
}

static inline void h2_run(h2_client *c) {
    while (c->open > 0 && h2_step(c, WAIT_MS))
        ;
}

static inline h2_call *h2_grpc(h2_client *c, const char *path, const char *message,
                               char frame[1024], const char *const *more) {
    const char *headers[24] = {"content-type", "application/grpc+proto", "te", "trailers"};
    int count = 4;
    for (const char *const *at = more; at && *at; at++)
        headers[count++] = *at;
    headers[count] = NULL;
    size_t len = strlen(message);
    frame[0] = 0;
    frame[1] = frame[2] = 0;
    frame[3] = (char)(len >> 8);
    frame[4] = (char)len;
    memcpy(frame + 5, message, len);
    return h2_call_with(c, "POST", path, frame, len + 5, headers);
}

/* A frame as it stands. */
static inline bool raw_frame(int fd, int type, int flags, uint32_t stream, const void *payload,
                             size_t len) {
    unsigned char head[9] = {
        (unsigned char)(len >> 16),    (unsigned char)(len >> 8),    (unsigned char)len,
        (unsigned char)type,           (unsigned char)flags,         (unsigned char)(stream >> 24),
        (unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream};
    return say_bytes(fd, head, sizeof head) && say_bytes(fd, payload, len);
}

static inline int raw_h2(const test_server *server) {
    int fd = dial(server);
    say(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    raw_frame(fd, NGHTTP2_SETTINGS, 0, 0, "", 0);
    return fd;
}

/* ":method GET, :scheme http, :path /, :authority localhost" without Huffman codes. */
static const char raw_get[] = "\x82\x86\x84\x41\x09localhost";

/* Reads until the server closes; true if it does within the time. */
static inline bool raw_closed(int fd) {
    heard h = hear_to_close(fd);
    bool closed = h.closed;
    hush(&h);
    return closed;
}

#endif /* SW_TESTS_H2_TESTING_H */
