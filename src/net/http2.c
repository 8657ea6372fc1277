/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2, the reading half: frames to calls, by nghttp2.
 *
 * Windows are opened by hand: the connection's as bytes come, a stream's as somebody takes them, so
 * that a slow handler holds back its own client only. A stream's window is no larger than the pipe
 * of a handler that reads it.
 */
#include "net/net_private.h"

enum {
    CONNECTION_WINDOW_BYTES = 1 << 20,
    CONTROL_FRAMES_MAX = 1000, /* a second, of a kind that costs the sender nothing */
    RESETS_BURST = 500,
    RESETS_PER_S = 100,
    NOTICE_MS = 250, /* between the notice and the GOAWAY that names the last stream */
};

/* Frames of one request mostly come one behind the other. */
static sw_call *call_of(const sw_conn *conn, int32_t stream_id) {
    sw_call *recent = conn->h2.recent;
    return recent && recent->stream_id == stream_id
               ? recent
               : nghttp2_session_get_stream_user_data(conn->h2.session, stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    sw_conn *conn = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    sw_call *call = sw_call_begin(conn);
    if (!call)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    call->pub.wire = SW_WIRE_HTTP2;
    call->stream_id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, call->stream_id, call);
    sw_call_list(call);
    conn->h2.heading = conn->h2.recent = call;
    conn->started_ms = sw_conn_now_ms(conn);
    return 0;
}

static bool keep(sw_call *call, sw_header *at, sw_str name, sw_str value) {
    size_t limit = call->net->server->config.header_bytes_max;
    if (call->refusal.http_status)
        return false;
    if (call->head.len + name.len + value.len > limit) {
        sw_call_refuse(call, 431, SW_CODE_TOO_LARGE, "the headers are too large");
        return false;
    }
    at->name_at = (uint32_t)call->head.len;
    at->name_len = (uint32_t)name.len;
    sw_buf_add_str(&call->head, name);
    at->value_at = (uint32_t)call->head.len;
    at->value_len = (uint32_t)value.len;
    sw_buf_add_str(&call->head, value);
    if (call->head.failed)
        sw_call_refuse(call, 503, SW_CODE_UNAVAILABLE, "out of memory");
    return true;
}

static int pseudo_of(sw_str name) {
    switch (name.len) {
    case 5: return sw_str_is(name, ":path") ? SW_PSEUDO_PATH : -1;
    case 7:
        return sw_str_is(name, ":method")   ? SW_PSEUDO_METHOD
               : sw_str_is(name, ":scheme") ? SW_PSEUDO_SCHEME
                                            : -1;
    case 10: return sw_str_is(name, ":authority") ? SW_PSEUDO_AUTHORITY : -1;
    default: return -1;
    }
}

/* Known, once, and before all other fields (RFC 9113, 8.3). */
static void keep_pseudo(sw_call *call, sw_str name, sw_str value) {
    int which = pseudo_of(name);
    if (which < 0 || (call->pseudo_seen & 1U << which) || call->header_count > 0) {
        call->malformed = true;
        return;
    }
    call->pseudo_seen |= 1U << which;
    if (which == SW_PSEUDO_METHOD)
        call->pub.method = sw_method_of(value);
    else
        keep(call, &call->pseudo[which], (sw_str){"", 0}, value);
}

static void keep_field(sw_call *call, sw_str name, sw_str value) {
    if (!sw_http2_name_ok(name) || sw_http2_is_hop_field(name, value))
        call->malformed = true;
    else if (call->header_count == SW_NET_HEADERS_MAX)
        sw_call_refuse(call, 431, SW_CODE_TOO_LARGE, "too many headers");
    else if (keep(call, &call->headers[call->header_count], name, value))
        call->header_count++;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
    sw_conn *conn = user;
    sw_call *call = call_of(conn, frame->hd.stream_id);
    sw_str n = {(const char *)name, name_len}, v = {(const char *)value, value_len};
    (void)session;
    (void)flags;
    if (!call)
        return 0;
    bool is_pseudo = n.len && n.at[0] == ':';
    if (!sw_http2_value_ok(v) || (is_pseudo && call != conn->h2.heading))
        call->malformed = true;
    else if (call != conn->h2.heading)
        return 0; /* a trailer: nobody asks for it */
    else if (is_pseudo)
        keep_pseudo(call, n, v);
    else
        keep_field(call, n, v);
    return 0;
}

static sw_str pseudo(const sw_call *call, int which) {
    const sw_header *h = &call->pseudo[which];
    return (sw_str){call->head_base + h->value_at, h->value_len};
}

/* A malformed request is no request: its stream is reset, nobody answers (RFC 9113, 8.1.1). */
static void reset_malformed(sw_call *call) {
    call->malformed = call->discard = true;
    nghttp2_submit_rst_stream(call->conn->h2.session, NGHTTP2_FLAG_NONE, call->stream_id,
                              NGHTTP2_PROTOCOL_ERROR);
}

static bool head_is_whole(const sw_call *call) {
    const uint32_t needed = 1U << SW_PSEUDO_METHOD | 1U << SW_PSEUDO_PATH | 1U << SW_PSEUDO_SCHEME;
    sw_str path = pseudo(call, SW_PSEUDO_PATH);
    bool cut = call->refusal.http_status; /* too large: the rest of it was not kept */
    return !call->malformed && (cut || ((call->pseudo_seen & needed) == needed && path.len &&
                                        (path.at[0] == '/' || sw_str_is(path, "*"))));
}

static void head_done(sw_conn *conn, sw_call *call) {
    conn->h2.heading = NULL;
    call->head_base = call->head.at ? call->head.at : "";
    call->target = pseudo(call, SW_PSEUDO_PATH);
    call->scheme = pseudo(call, SW_PSEUDO_SCHEME);
    call->authority = pseudo(call, SW_PSEUDO_AUTHORITY);
    if (!head_is_whole(call)) {
        reset_malformed(call);
        return;
    }
    if (call->target.len > SW_NET_TARGET_BYTES_MAX)
        sw_call_refuse(call, 414, SW_CODE_INVALID, "the request target is too long");
    sw_call_head_done(call);
}

/* The one message of a unary call, out of its frame. */
static void unwrap_message(sw_call *call) {
    const unsigned char *at = (const unsigned char *)call->in.at;
    if (call->in.len < SW_GRPC_PREFIX_BYTES) {
        sw_call_refuse(call, 400, SW_CODE_INTERNAL, "the call ended before its message");
        return;
    }
    size_t len = (size_t)at[1] << 24 | (size_t)at[2] << 16 | (size_t)at[3] << 8 | at[4];
    size_t have = call->in.len - SW_GRPC_PREFIX_BYTES;
    if (at[0] != 0) {
        sw_exchange_add_header(&call->pub, "grpc-accept-encoding", SW_STR("identity"));
        sw_call_refuse(call, 501, SW_CODE_UNSUPPORTED,
                       "the message is compressed; this server takes identity only");
    } else if (have < len) {
        sw_call_refuse(call, 400, SW_CODE_INTERNAL, "the message is shorter than its prefix says");
    } else if (have > len) {
        sw_call_refuse(call, 501, SW_CODE_UNSUPPORTED, "the method takes one message, more came");
    } else {
        call->pub.body = (sw_str){call->in.at + SW_GRPC_PREFIX_BYTES, len};
    }
}

/* A content-length must be one number, and tell the truth. */
static bool length_is_number(const sw_call *call, uint64_t *length) {
    const sw_known_headers *known = &call->known;
    return known->content_length_count == 1 &&
           sw_str_to_u64(length, known->content_length, UINT64_MAX);
}

static bool length_is_true(const sw_call *call) {
    uint64_t length;
    return !call->known.content_length.at || call->refusal.http_status ||
           (length_is_number(call, &length) && length == call->body_len + call->discarded);
}

static void request_done(sw_call *call) {
    if (!length_is_true(call)) {
        if (call->pipe)
            sw_pipe_end(call, SW_CODE_INVALID);
        reset_malformed(call);
        return;
    }
    call->body_done = true;
    if (call->pipe) {
        sw_pipe_end(call, SW_CODE_OK);
        return;
    }
    if (call->state != SW_CALL_READING)
        return; /* refused before its end */
    if (call->pub.wire == SW_WIRE_GRPC && !call->refusal.http_status)
        unwrap_message(call);
    else
        call->pub.body = sw_buf_str(&call->in);
    sw_call_run(call);
}

static void after_head(sw_conn *conn, sw_call *call, bool ended) {
    uint64_t length;
    head_done(conn, call);
    if (!call->malformed && call->known.content_length.at && !length_is_number(call, &length))
        reset_malformed(call);
    if (call->malformed)
        return;
    bool streams = !call->refusal.http_status && call->pub.route->run_on == SW_RUN_STREAM;
    if (streams && !sw_pipe_make(call, true)) {
        sw_call_refuse(call, 503, SW_CODE_UNAVAILABLE, "out of memory");
        streams = false;
    }
    if (streams || (call->refusal.http_status && !ended))
        sw_call_run(call);
    if (ended)
        request_done(call);
}

/* Frames that cost a client nothing and us work. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user) {
    sw_conn *conn = user;
    switch (head->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION: /* bounded by nghttp2, and by the bytes of a head */
    case NGHTTP2_WINDOW_UPDATE: return 0;
    case NGHTTP2_DATA:
        if (head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM))
            return 0;
        break;
    }
    if (++conn->h2.control_frames == CONTROL_FRAMES_MAX)
        nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM);
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    sw_conn *conn = user;
    bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    sw_call *call;
    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        call = call_of(conn, frame->hd.stream_id);
        if (call && call == conn->h2.heading)
            after_head(conn, call, ended);
        else if (call && (call->malformed || !ended))
            reset_malformed(call);
        else if (call)
            request_done(call);
        return 0;
    case NGHTTP2_DATA:
        call = call_of(conn, frame->hd.stream_id);
        if (call && ended && !call->malformed)
            request_done(call);
        return 0;
    default: return 0;
    }
}

/* Beyond a read buffer's size a body counts against what all bodies together may take. */
static bool add_body(sw_call *call, const char *at, size_t len) {
    size_t before = call->in.cap > SW_NET_CHUNK_BYTES ? call->in.cap : 0;
    if (!sw_buf_reserve(&call->in, len))
        return false;
    size_t now = call->in.cap > SW_NET_CHUNK_BYTES ? call->in.cap : 0;
    if (now != before && !sw_net_charge(call->net, now - before)) {
        sw_net_discharge(call->net, before);
        sw_buf_free(&call->in);
        return false;
    }
    sw_buf_add(&call->in, at, len);
    call->body_len += len;
    return true;
}

static void refuse_rest(sw_call *call, int status, sw_code code, const char *text) {
    sw_call_refuse(call, status, code, text);
    sw_call_run(call);
}

static void take_body(nghttp2_session *session, sw_call *call, const char *at, size_t len) {
    size_t prefix = call->pub.wire == SW_WIRE_GRPC ? SW_GRPC_PREFIX_BYTES : 0;
    if (call->discard) {
        call->discarded += len;
        if (call->discarded > SW_NET_DISCARD_BYTES_MAX && call->state == SW_CALL_REPLIED)
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id,
                                      NGHTTP2_NO_ERROR);
    } else if (len > call->body_max + prefix - call->body_len) {
        call->discard = true;
        if (call->pipe)
            sw_pipe_end(call, SW_CODE_TOO_LARGE);
        else
            refuse_rest(call, 413, SW_CODE_TOO_LARGE, sw_call_too_large(call));
    } else if (call->pipe) {
        sw_pipe_put(call, at, len);
        call->body_len += len;
    } else if (!add_body(call, at, len)) {
        refuse_rest(call, 503, SW_CODE_UNAVAILABLE,
                    "the server holds as many request bodies as it can; try again later");
    }
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *bytes, size_t len, void *user) {
    sw_conn *conn = user;
    sw_call *call = call_of(conn, stream_id);
    if (!call) {
        nghttp2_session_consume(session, stream_id, len);
        return 0;
    }
    call->last_in_ms = conn->last_in_ms;
    bool kept_back = call->pipe && !call->discard;
    take_body(session, call, (const char *)bytes, len);
    if (kept_back || (flags & NGHTTP2_FLAG_END_STREAM))
        nghttp2_session_consume_connection(session, len);
    else
        nghttp2_session_consume(session, stream_id, len);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user) {
    sw_conn *conn = user;
    sw_call *call = call_of(conn, stream_id);
    if (!call)
        return 0;
    nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    if (conn->h2.heading == call)
        conn->h2.heading = NULL;
    if (conn->h2.recent == call)
        conn->h2.recent = NULL;
    bool over = !call->on_pool && (call->state == SW_CALL_REPLIED ||
                                   (call->state == SW_CALL_STREAMING && call->out_ended));
    if (over && (error_code == NGHTTP2_NO_ERROR || call->out_at == call->out.len)) {
        call->state = SW_CALL_REPLIED;
        sw_call_finish(call);
    } else {
        sw_call_abandon(call);
    }
    return 0;
}

static void feed(sw_conn *conn, const char *bytes, size_t len) {
    ssize_t used = nghttp2_session_mem_recv(conn->h2.session, (const uint8_t *)bytes, len);
    if (used < 0)
        sw_conn_doom(conn);
    else
        sw_conn_dirty(conn);
}

static void readable(sw_conn *conn) {
    size_t len;
    char *scratch = conn->net->scratch;
    sw_io io = sw_conn_recv(conn, scratch, SW_NET_SCRATCH_BYTES, &len);
    if (io == SW_IO_DONE)
        feed(conn, scratch, len);
    else if (io == SW_IO_END)
        sw_conn_doom(conn); /* HTTP/2 knows no half-closed connections: nobody can take a reply */
}

static void input(sw_conn *conn) {
    sw_chunk *chunk = conn->in;
    conn->in = NULL;
    feed(conn, chunk->bytes, conn->in_len);
    sw_net_drop_chunk(conn->net, chunk);
}

static bool fill(sw_conn *conn) {
    nghttp2_session *session = conn->h2.session;
    bool more = false;
    for (;;) {
        more = sw_conn_unsent(conn) >= SW_NET_OUT_HIGH_BYTES;
        if (more)
            break;
        const uint8_t *bytes;
        ssize_t len = nghttp2_session_mem_send(session, &bytes);
        if (len < 0)
            sw_conn_doom(conn);
        if (len <= 0 || !sw_conn_ready_out(conn))
            break;
        sw_buf_add(&conn->out, bytes, (size_t)len);
        if (conn->out.failed) {
            sw_conn_doom(conn);
            break;
        }
    }
    if (!nghttp2_session_want_read(session) && !nghttp2_session_want_write(session))
        conn->closing = true;
    return more;
}

static bool wants_input(const sw_conn *conn) {
    (void)conn;
    return true; /* the windows hold bodies back; conn.c stops where the client does not read */
}

static bool is_idle(const sw_conn *conn) {
    return !conn->calls;
}

static void pipe_moved(sw_call *call, size_t bytes) {
    if (bytes)
        nghttp2_session_consume_stream(call->conn->h2.session, call->stream_id, bytes);
    sw_http2_resume(call);
}

static void drain(sw_conn *conn) {
    sw_http2 *h = &conn->h2;
    uint64_t now_ms = sw_conn_now_ms(conn);
    sw_conn_dirty(conn);
    if (!h->noticed) {
        h->noticed = true;
        h->noticed_ms = now_ms;
        nghttp2_submit_shutdown_notice(h->session);
    } else if (!h->goaway && now_ms - h->noticed_ms >= NOTICE_MS) {
        h->goaway = true;
        nghttp2_submit_goaway(h->session, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(h->session), NGHTTP2_NO_ERROR,
                              NULL, 0);
    } else if (h->goaway && !conn->calls) {
        conn->closing = true;
    }
}

static void reset(sw_call *call, uint32_t error_code) {
    nghttp2_submit_rst_stream(call->conn->h2.session, NGHTTP2_FLAG_NONE, call->stream_id,
                              error_code);
    sw_conn_dirty(call->conn);
}

/* A body that stopped coming, or a reply that nobody takes. */
static void check_call(sw_call *call, uint64_t now_ms, uint64_t stall_ms) {
    bool still = now_ms - call->last_in_ms > stall_ms;
    if (!call->body_done && call->head_done && still) {
        bool full = call->pipe && sw_pipe_room(call) == 0;
        if (call->pipe && !full)
            sw_pipe_end(call, SW_CODE_TIMEOUT);
        else if (!call->pipe && call->state == SW_CALL_READING)
            refuse_rest(call, 408, SW_CODE_TIMEOUT, "the body stopped coming");
        else if (!call->pipe && call->state == SW_CALL_REPLIED)
            reset(call, NGHTTP2_NO_ERROR);
    }
    if (call->head_sent && call->out_at < call->out.len && now_ms - call->last_out_ms > stall_ms)
        reset(call, NGHTTP2_CANCEL);
}

static void second(sw_conn *conn, uint64_t now_ms) {
    const sw_server_config *config = &conn->net->server->config;
    sw_http2 *h = &conn->h2;
    h->control_frames = 0;
    uint64_t newest = conn->last_in_ms > conn->last_out_ms ? conn->last_in_ms : conn->last_out_ms;
    if (h->heading && now_ms - conn->started_ms > config->header_timeout_ms)
        sw_conn_doom(conn);
    for (sw_call *call = conn->calls, *next; call; call = next) {
        next = call->next;
        check_call(call, now_ms, config->body_stall_ms);
    }
    if (!conn->calls && now_ms - newest > config->idle_timeout_ms) {
        nghttp2_session_terminate_session(h->session, NGHTTP2_NO_ERROR);
        sw_conn_dirty(conn);
    }
}

static void free_http2(sw_conn *conn) {
    nghttp2_session_del(conn->h2.session);
    conn->h2.session = NULL;
}

const sw_proto sw_http2_proto = {
    .readable = readable,
    .input = input,
    .reply = sw_http2_reply,
    .stream_open = sw_http2_stream_open,
    .stream_data = sw_http2_stream_data,
    .stream_end = sw_http2_stream_end,
    .stream_pending = sw_http2_stream_pending,
    .pipe_moved = pipe_moved,
    .fill = fill,
    .drain = drain,
    .second = second,
    .wants_input = wants_input,
    .is_idle = is_idle,
    .free = free_http2,
};

bool sw_http2_start(sw_conn *conn) {
    const sw_server_config *config = &conn->net->server->config;
    memset(&conn->h2, 0, sizeof conn->h2);
    nghttp2_mem blocks = sw_net_blocks(conn->net);
    if (nghttp2_session_server_new3(&conn->h2.session, conn->net->h2_callbacks, conn,
                                    conn->net->h2_options, &blocks) != 0)
        return false;
    conn->proto = &sw_http2_proto;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, SW_NET_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, SW_NET_PIPE_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)config->header_bytes_max},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    nghttp2_submit_settings(conn->h2.session, NGHTTP2_FLAG_NONE, settings,
                            sizeof settings / sizeof *settings);
    nghttp2_session_set_local_window_size(conn->h2.session, NGHTTP2_FLAG_NONE, 0,
                                          CONNECTION_WINDOW_BYTES);
    sw_conn_dirty(conn);
    return true;
}

sw_status sw_http2_prepare(sw_net *net, sw_error *error) {
    if (nghttp2_session_callbacks_new(&net->h2_callbacks) != 0 ||
        nghttp2_option_new(&net->h2_options) != 0)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for HTTP/2");
    nghttp2_session_callbacks *callbacks = net->h2_callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option_set_no_auto_window_update(net->h2_options, 1);
    nghttp2_option_set_no_http_messaging(net->h2_options, 1); /* http2_fields.c */
    nghttp2_option_set_no_closed_streams(net->h2_options, 1);
    nghttp2_option_set_stream_reset_rate_limit(net->h2_options, RESETS_BURST, RESETS_PER_S);
    return SW_OK;
}

void sw_http2_unprepare(sw_net *net) {
    nghttp2_session_callbacks_del(net->h2_callbacks);
    nghttp2_option_del(net->h2_options);
}
