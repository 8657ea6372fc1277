/* SPDX-License-Identifier: Apache-2.0 */
/* What a handler calls, on the loop or on a pool thread. */
#include "net/net_private.h"

#include <stdio.h>

sw_str sw_exchange_header(const sw_exchange *exchange, const char *name) {
    const sw_call *call = sw_call_of(exchange);
    sw_str wanted = sw_str_of(name);
    for (uint32_t i = 0; i < call->header_count; i++) {
        const sw_header *h = &call->headers[i];
        if (h->name_len == wanted.len &&
            sw_str_eq_nocase((sw_str){call->head_base + h->name_at, h->name_len}, wanted))
            return (sw_str){call->head_base + h->value_at, h->value_len};
    }
    return (sw_str){0};
}

sw_str sw_exchange_query(sw_exchange *exchange, const char *name) {
    sw_str left = exchange->query;
    while (left.len) {
        sw_str value = sw_str_split(&left, '&');
        sw_str key = sw_str_split(&value, '=');
        if (!sw_str_is(key, name))
            continue;
        char *text = sw_arena_alloc(&exchange->arena, value.len + 1);
        size_t len = 0;
        if (!text || !sw_percent_decode(text, &len, value, true))
            return (sw_str){0};
        text[len] = '\0';
        return (sw_str){text, len};
    }
    return (sw_str){0};
}

/* A header must not be able to end itself. */
static sw_str tame_copy(sw_arena *arena, sw_str s, bool lower) {
    sw_str copy = sw_arena_copy(arena, s);
    char *at = (char *)copy.at;
    for (size_t i = 0; i < copy.len; i++) {
        if ((unsigned char)at[i] < 0x20 && at[i] != '\t')
            at[i] = ' ';
        if (lower && at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] | 0x20);
    }
    return copy;
}

void sw_exchange_add_header(sw_exchange *exchange, const char *name, sw_str value) {
    sw_call *call = sw_call_of(exchange);
    sw_extra *extra = sw_arena_alloc(&exchange->arena, sizeof *extra);
    if (!extra)
        return;
    *extra = (sw_extra){.name = tame_copy(&exchange->arena, sw_str_of(name), true),
                        .value = tame_copy(&exchange->arena, value, false)};
    if (!extra->name.at || !extra->value.at)
        return;
    sw_extra **end = &call->extras;
    while (*end)
        end = &(*end)->next;
    *end = extra;
}

/* The client of a call on the loop has gone: what the handler says is only counted. */
static void reply_to_nobody(sw_call *call) {
    call->state = SW_CALL_REPLIED;
    sw_call_finish(call);
}

static void give_reply(sw_call *call, int status, const char *type, sw_str body) {
    if (call->on_pool)
        sw_call_store(call, status, type, body);
    else if (call->gone)
        reply_to_nobody(call);
    else
        call->conn->proto->reply(call, status, type, body);
}

void sw_exchange_reply(sw_exchange *exchange, int http_status, const char *content_type,
                       sw_str body) {
    sw_call *call = sw_call_of(exchange);
    if (call->state != SW_CALL_RUNNING)
        return;
    if (exchange->wire == SW_WIRE_GRPC)
        http_status = 200;
    give_reply(call, http_status, content_type, body);
}

static void add_failure_headers(sw_call *call, sw_code code) {
    if (code == SW_CODE_BUSY || code == SW_CODE_UNAVAILABLE)
        sw_exchange_add_header(&call->pub, "retry-after", SW_STR("1"));
    if (code != SW_CODE_UNAUTHENTICATED)
        return;
    sw_exchange_add_header(&call->pub, "www-authenticate", SW_STR("Bearer realm=\"slipway\""));
    /* A page's own calls must not make the browser ask for a password. */
    if (!call->known.fetch_mode.at && !call->known.fetch_site.at)
        sw_exchange_add_header(&call->pub, "www-authenticate", SW_STR("Basic realm=\"slipway\""));
}

static void set_grpc_status(sw_call *call, sw_status status, const sw_error *error) {
    call->grpc_code = sw_code_grpc(status.code);
    if (sw_failed(status))
        call->grpc_message = sw_grpc_encode_message(
            &call->pub.arena,
            sw_str_of(error && error->text[0] ? error->text : sw_code_words(status.code)));
}

void sw_exchange_fail(sw_exchange *exchange, sw_status status, const sw_error *error) {
    sw_call *call = sw_call_of(exchange);
    if (call->state != SW_CALL_RUNNING)
        return;
    if (exchange->wire == SW_WIRE_GRPC) {
        set_grpc_status(call, status, error);
        give_reply(call, sw_code_http(status.code), NULL, (sw_str){0});
        return;
    }
    add_failure_headers(call, status.code);
    sw_buf body = {0};
    sw_error_json(&body,
                  sw_str_of(error && error->text[0] ? error->text : sw_code_words(status.code)));
    give_reply(call, sw_code_http(status.code), "application/json", sw_buf_str(&body));
    sw_buf_free(&body);
}

void sw_exchange_stream_open(sw_exchange *exchange, int http_status, const char *content_type) {
    sw_call *call = sw_call_of(exchange);
    if (call->state != SW_CALL_RUNNING)
        return;
    call->state = SW_CALL_STREAMING;
    call->reply_status = http_status;
    call->reply_type =
        content_type ? sw_arena_copy(&exchange->arena, sw_str_of(content_type)).at : NULL;
    if (call->on_pool) {
        if (call->pipe || sw_pipe_make(call, false))
            sw_pipe_open(call);
    } else if (!call->gone) {
        call->conn->proto->stream_open(call, http_status, call->reply_type);
    }
}

bool sw_exchange_stream_send(sw_exchange *exchange, sw_str piece) {
    sw_call *call = sw_call_of(exchange);
    char prefix[SW_GRPC_PREFIX_BYTES];
    sw_str before = {prefix, 0};
    if (call->state != SW_CALL_STREAMING)
        return false;
    if (exchange->wire == SW_WIRE_GRPC) {
        sw_grpc_prefix(prefix, piece.len);
        before.len = sizeof prefix;
    }
    if (call->on_pool)
        return call->pipe && sw_pipe_send(call, before, piece);
    if (call->gone || call->conn->doomed)
        return false;
    if (sw_exchange_stream_pending(exchange) > SW_NET_STREAM_BYTES_MAX) {
        sw_conn_doom(call->conn);
        return false;
    }
    if (before.len)
        call->conn->proto->stream_data(call, before);
    if (piece.len)
        call->conn->proto->stream_data(call, piece);
    return true;
}

size_t sw_exchange_stream_pending(const sw_exchange *exchange) {
    const sw_call *call = sw_call_of(exchange);
    if (call->on_pool)
        return call->pipe ? sw_pipe_pending(call) : 0;
    return call->gone ? 0 : call->conn->proto->stream_pending(call);
}

void sw_exchange_stream_close(sw_exchange *exchange, sw_status status, const sw_error *error) {
    sw_call *call = sw_call_of(exchange);
    if (call->state != SW_CALL_STREAMING || call->out_ended)
        return;
    call->end_failed = sw_failed(status);
    if (exchange->wire == SW_WIRE_GRPC)
        set_grpc_status(call, status, error);
    if (call->on_pool)
        return; /* it ends when the handler returns */
    call->out_ended = true;
    if (call->gone)
        reply_to_nobody(call);
    else
        call->conn->proto->stream_end(call, !call->end_failed);
}

sw_status sw_exchange_read(size_t *len, sw_exchange *exchange, void *buffer, size_t cap,
                           sw_error *error) {
    sw_call *call = sw_call_of(exchange);
    *len = 0;
    if (!call->on_pool || !call->pipe)
        return SW_OK;
    return sw_pipe_read(len, call, buffer, cap, error);
}
