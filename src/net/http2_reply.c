/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 and gRPC, the writing half. nghttp2 asks for a reply's bytes when the client's windows
 * have room; until then they lie in the call, which lives until its stream is closed. So header
 * fields can point into it and need no copy.
 */
#include "net/net_private.h"

#include <stdio.h>

enum { FIELDS_MAX = 24, PULL_BYTES = 64 * 1024 };

typedef struct fields {
    nghttp2_nv at[FIELDS_MAX];
    size_t count;
} fields;

static void add_field(fields *f, sw_str name, sw_str value) {
    if (f->count == FIELDS_MAX)
        return;
    f->at[f->count++] = (nghttp2_nv){(uint8_t *)name.at, (uint8_t *)value.at, name.len, value.len,
                                     NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static void add_extras(fields *f, const sw_call *call) {
    for (const sw_extra *extra = call->extras; extra; extra = extra->next)
        add_field(f, extra->name, extra->value);
}

static sw_str grpc_status_text(sw_call *call) {
    if (call->grpc_code == 0)
        return SW_STR("0");
    size_t len = sw_decimal(call->number, (size_t)call->grpc_code);
    return (sw_str){call->number, len};
}

static void add_trailers(fields *f, sw_call *call) {
    add_field(f, SW_STR("grpc-status"), grpc_status_text(call));
    if (call->grpc_message.len)
        add_field(f, SW_STR("grpc-message"), call->grpc_message);
    add_extras(f, call);
}

static ssize_t end_of_reply(nghttp2_session *session, sw_call *call, size_t len, uint32_t *flags) {
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (call->pub.wire != SW_WIRE_GRPC)
        return call->end_failed ? NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE : (ssize_t)len;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    fields trailers = {.count = 0};
    add_trailers(&trailers, call);
    if (nghttp2_submit_trailer(session, call->stream_id, trailers.at, trailers.count) != 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return (ssize_t)len;
}

/* What a pool thread has written meanwhile. */
static void refill(sw_call *call) {
    if (call->out_at < call->out.len)
        return;
    sw_buf_clear(&call->out);
    call->out_at = 0;
    if (call->pipe && call->begun)
        sw_pipe_pull(call, &call->out, PULL_BYTES);
}

static ssize_t read_reply(nghttp2_session *session, int32_t stream_id, uint8_t *bytes, size_t cap,
                          uint32_t *flags, nghttp2_data_source *source, void *user) {
    sw_call *call = source->ptr;
    (void)stream_id;
    (void)user;
    if (call->begun)
        refill(call);
    size_t left = call->out.len - call->out_at;
    size_t len = left < cap ? left : cap;
    if (len)
        memcpy(bytes, call->out.at + call->out_at, len);
    call->out_at += len;
    call->last_out_ms = sw_conn_now_ms(call->conn);
    if (call->out_at < call->out.len)
        return (ssize_t)len;
    bool ended = !call->begun ||
                 (call->out_ended && !call->on_pool && (!call->pipe || !sw_pipe_has_reply(call)));
    if (ended)
        return end_of_reply(session, call, len, flags);
    if (len)
        return (ssize_t)len;
    call->out_deferred = true;
    return NGHTTP2_ERR_DEFERRED;
}

static void submit(sw_call *call, const fields *head, bool with_body) {
    nghttp2_session *session = call->conn->h2.session;
    nghttp2_data_provider provider = {.source = {.ptr = call}, .read_callback = read_reply};
    call->head_sent = true;
    call->last_out_ms = sw_conn_now_ms(call->conn);
    if (nghttp2_submit_response(session, call->stream_id, head->at, head->count,
                                with_body ? &provider : NULL) != 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
    sw_conn_dirty(call->conn);
}

static void add_grpc_head(fields *head) {
    add_field(head, SW_STR(":status"), SW_STR("200"));
    add_field(head, SW_STR("content-type"), SW_STR("application/grpc"));
}

static void reply_grpc(sw_call *call, sw_str message) {
    fields head = {.count = 0};
    add_grpc_head(&head);
    sw_buf_clear(&call->out);
    if (call->grpc_code != 0) { /* all in one block: "trailers-only" */
        add_trailers(&head, call);
        submit(call, &head, false);
        return;
    }
    char prefix[SW_GRPC_PREFIX_BYTES];
    sw_grpc_prefix(prefix, message.len);
    sw_buf_reserve(&call->out, sizeof prefix + message.len);
    sw_buf_add(&call->out, prefix, sizeof prefix);
    sw_buf_add_str(&call->out, message);
    submit(call, &head, true);
}

static sw_str status_text(sw_call *call, int status) {
    if (status == 200)
        return SW_STR("200");
    sw_str text = sw_arena_printf(&call->pub.arena, "%03d", status);
    return text.at ? text : SW_STR("500");
}

static void add_http_head(fields *head, sw_call *call, int status, const char *type) {
    sw_str date = sw_arena_copy(&call->pub.arena, sw_str_of(call->net->date));
    add_field(head, SW_STR(":status"), status_text(call, status));
    if (type)
        add_field(head, SW_STR("content-type"), sw_arena_copy(&call->pub.arena, sw_str_of(type)));
    if (date.at)
        add_field(head, SW_STR("date"), date);
    add_extras(head, call);
}

static void reply_http(sw_call *call, int status, const char *type, sw_str body) {
    fields head = {.count = 0};
    bool bodiless = status == 204 || status == 304;
    add_http_head(&head, call, status, bodiless ? NULL : type);
    if (!bodiless)
        add_field(&head, SW_STR("content-length"),
                  (sw_str){call->number, sw_decimal(call->number, body.len)});
    sw_buf_clear(&call->out);
    if (bodiless || call->pub.method == SW_HEAD || body.len == 0) {
        submit(call, &head, false);
        return;
    }
    sw_buf_add_str(&call->out, body);
    submit(call, &head, true);
}

void sw_http2_reply(sw_call *call, int status, const char *type, sw_str body) {
    call->state = SW_CALL_REPLIED;
    call->reply_status = status;
    call->reply_bytes = body.len;
    if (call->pub.wire == SW_WIRE_GRPC)
        reply_grpc(call, body);
    else
        reply_http(call, status, type, body);
    if (call->out.failed)
        nghttp2_submit_rst_stream(call->conn->h2.session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
}

void sw_http2_stream_open(sw_call *call, int status, const char *type) {
    fields head = {.count = 0};
    call->begun = true;
    sw_buf_clear(&call->out);
    if (call->pub.wire == SW_WIRE_GRPC)
        add_grpc_head(&head);
    else
        add_http_head(&head, call, status, type);
    call->bodiless = call->pub.method == SW_HEAD || status == 204 || status == 304;
    submit(call, &head, !call->bodiless);
}

void sw_http2_resume(sw_call *call) {
    sw_conn_dirty(call->conn);
    if (!call->out_deferred)
        return;
    call->out_deferred = false;
    call->last_out_ms = sw_conn_now_ms(call->conn);
    nghttp2_session_resume_data(call->conn->h2.session, call->stream_id);
}

void sw_http2_stream_data(sw_call *call, sw_str bytes) {
    if (call->bodiless)
        return;
    if (call->out_at == call->out.len) {
        sw_buf_clear(&call->out);
        call->out_at = 0;
    }
    sw_buf_add_str(&call->out, bytes);
    call->reply_bytes += bytes.len;
    if (call->out.failed)
        nghttp2_submit_rst_stream(call->conn->h2.session, NGHTTP2_FLAG_NONE, call->stream_id,
                                  NGHTTP2_INTERNAL_ERROR);
    sw_http2_resume(call);
}

void sw_http2_stream_end(sw_call *call, bool ok) {
    call->end_failed = !ok;
    call->out_ended = true;
    sw_http2_resume(call);
}

size_t sw_http2_stream_pending(const sw_call *call) {
    return call->out.len - call->out_at;
}
