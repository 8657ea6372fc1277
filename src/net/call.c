/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a request, whatever protocol brought it. */
#include "net/net_private.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <strings.h>

sw_method sw_method_of(sw_str name) {
    switch (name.len) {
    case 3:
        return sw_str_is(name, "GET") ? SW_GET : sw_str_is(name, "PUT") ? SW_PUT : SW_METHOD_OTHER;
    case 4:
        return sw_str_is(name, "POST")   ? SW_POST
               : sw_str_is(name, "HEAD") ? SW_HEAD
                                         : SW_METHOD_OTHER;
    case 5: return sw_str_is(name, "PATCH") ? SW_PATCH : SW_METHOD_OTHER;
    case 6: return sw_str_is(name, "DELETE") ? SW_DELETE : SW_METHOD_OTHER;
    case 7: return sw_str_is(name, "OPTIONS") ? SW_OPTIONS : SW_METHOD_OTHER;
    default: return SW_METHOD_OTHER;
    }
}

/* "METHOD_NOT_ALLOWED" becomes "Method Not Allowed". */
static void title_case(char *words) {
    for (char *at = words + 1; *at; at++)
        if (*at == '_')
            *at = ' ';
        else if (at[-1] != ' ' && *at >= 'A' && *at <= 'Z')
            *at = (char)(*at | 0x20);
}

void sw_status_words(char out[SW_STATUS_WORDS_BYTES], int http_status) {
    const char *words = "Other";
    switch (http_status) {
#define HTTP_WORDS(number, name, text) \
    case number: words = #text; break;
        HTTP_STATUS_MAP(HTTP_WORDS)
#undef HTTP_WORDS
    }
    snprintf(out, SW_STATUS_WORDS_BYTES, "%s", words);
    if (http_status != 200)
        title_case(out);
}

size_t sw_decimal(char out[20], size_t value) {
    char reversed[20];
    size_t len = 0;
    do {
        reversed[len++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < len; i++)
        out[i] = reversed[len - 1 - i];
    return len;
}

void sw_error_json(sw_buf *out, sw_str text) {
    bool utf8 = sw_str_is_utf8(text);
    sw_buf_add_lit(out, "{\"error\":\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') {
            sw_buf_add_char(out, '\\');
            sw_buf_add_char(out, (char)c);
        } else if (c == '\n') {
            sw_buf_add_lit(out, "\\n");
        } else if (c < 0x20) {
            sw_buf_printf(out, "\\u%04x", c);
        } else {
            sw_buf_add_char(out, c >= 0x80 && !utf8 ? '?' : (char)c);
        }
    }
    sw_buf_add_lit(out, "\"}");
}

sw_call *sw_call_begin(sw_conn *conn) {
    sw_call *call = sw_net_take_call(conn->net);
    if (!call)
        return NULL;
    call->conn = conn;
    call->net = conn->net;
    call->pub.loop = conn->net->loop;
    call->pub.secure = conn->secure;
    call->pub.received_ns = sw_loop_now_ns(conn->net->loop);
    call->last_in_ms = conn->last_in_ms;
    conn->call_count++;
    conn->net->call_count++;
    return call;
}

void sw_call_refuse(sw_call *call, int http_status, sw_code code, const char *text) {
    if (call->refusal.http_status)
        return;
    sw_str copy = sw_arena_copy(&call->pub.arena, sw_str_of(text));
    call->refusal = (sw_refusal){http_status, code, copy.at ? copy : SW_STR("refused")};
    call->discard = true;
}

static void note_first(sw_str *slot, uint32_t *count, sw_str value) {
    if (!slot->at)
        *slot = value;
    if (count)
        ++*count;
}

static bool is_name(sw_str name, const char *lower) {
    return strncasecmp(name.at, lower, name.len) == 0;
}

/* Names are told apart by their length first: one pass over the headers, few comparisons. */
static void note_header(sw_known_headers *known, sw_str name, sw_str value) {
    switch (name.len) {
    case 4:
        if (is_name(name, "host"))
            note_first(&known->host, &known->host_count, value);
        break;
    case 6:
        if (is_name(name, "origin"))
            note_first(&known->origin, NULL, value);
        else if (is_name(name, "expect"))
            note_first(&known->expect, NULL, value);
        break;
    case 12:
        if (is_name(name, "content-type"))
            note_first(&known->content_type, NULL, value);
        else if (is_name(name, "grpc-timeout"))
            note_first(&known->grpc_timeout, NULL, value);
        break;
    case 14:
        if (is_name(name, "content-length"))
            note_first(&known->content_length, &known->content_length_count, value);
        else if (is_name(name, "sec-fetch-site"))
            note_first(&known->fetch_site, NULL, value);
        else if (is_name(name, "sec-fetch-mode"))
            note_first(&known->fetch_mode, NULL, value);
        break;
    case 16:
        if (is_name(name, "content-encoding"))
            note_first(&known->content_encoding, NULL, value);
        break;
    case 17:
        if (is_name(name, "transfer-encoding"))
            note_first(&known->transfer_encoding, &known->transfer_encoding_count, value);
        break;
    case 18:
        if (is_name(name, "request-timeout-ms"))
            note_first(&known->timeout_ms, NULL, value);
        break;
    }
}

static void note_headers(sw_call *call) {
    for (uint32_t i = 0; i < call->header_count; i++) {
        const sw_header *h = &call->headers[i];
        note_header(&call->known, (sw_str){call->head_base + h->name_at, h->name_len},
                    (sw_str){call->head_base + h->value_at, h->value_len});
    }
}

/* The host that the request is for: the target's own (absolute form, :authority) or the header's.
 */
static bool check_host(sw_call *call) {
    sw_conn *conn = call->conn;
    sw_known_headers *known = &call->known;
    bool http1 = call->pub.wire == SW_WIRE_HTTP1;
    if (known->host_count > 1 || (known->host_count == 0 && (http1 || !call->authority.len))) {
        sw_call_refuse(call, 400, SW_CODE_INVALID,
                       "a request needs exactly one Host header (or :authority)");
        call->close_after = true; /* who sends it wrong may frame it wrong */
        return false;
    }
    if (!call->authority.len)
        call->authority = known->host;
    sw_str host = call->authority;
    if (conn->local ||
        (host.len == conn->host_len && host.len && memcmp(host.at, conn->host, host.len) == 0))
        return true;
    if (!sw_guard_host_ok(&conn->net->server->guard, host)) {
        sw_str text = sw_arena_printf(
            &call->pub.arena,
            "the host %.*s is not one of this server's names; start it with --host %.*s if it is",
            (int)(host.len < 200 ? host.len : 200), host.at ? host.at : "",
            (int)(host.len < 200 ? host.len : 200), host.at ? host.at : "");
        sw_call_refuse(call, 421, SW_CODE_DENIED, text.at ? text.at : "unknown host");
        return false;
    }
    if (host.len < sizeof conn->host) {
        memcpy(conn->host, host.at, host.len);
        conn->host_len = (uint8_t)host.len;
    }
    return true;
}

static bool changes_state(sw_method method) {
    return method != SW_GET && method != SW_HEAD && method != SW_OPTIONS;
}

static bool check_origin(sw_call *call) {
    const sw_known_headers *known = &call->known;
    if (!known->origin.at && !known->fetch_site.at)
        return true;
    if (!changes_state(call->pub.method))
        return true;
    bool ok = !sw_str_is(known->fetch_site, "cross-site") &&
              (!known->origin.at || sw_guard_origin_ok(&call->net->server->guard, known->origin,
                                                       call->authority, call->pub.secure));
    if (!ok)
        sw_call_refuse(call, 403, SW_CODE_DENIED,
                       "this call changes state and comes from a page of another origin");
    return ok;
}

static bool use_cached_route(sw_call *call) {
    const sw_conn *conn = call->conn;
    if (call->target.len != conn->cached_len || call->pub.method != conn->cached_method ||
        memcmp(call->target.at, conn->cached, conn->cached_len) != 0 || !conn->cached_route.entry ||
        conn->cached_route.entry->grpc != (call->pub.wire == SW_WIRE_GRPC))
        return false;
    const sw_route *route = &conn->cached_route;
    call->pub.route = route->entry;
    for (int i = 0; i < SW_PARAMS_MAX; i++)
        if (route->param[i].at)
            call->pub.params[i] =
                (sw_str){call->target.at + route->param[i].at, route->param[i].len};
    return true;
}

static void cache_route(sw_call *call, const sw_route *route) {
    sw_conn *conn = call->conn;
    if (call->target.len > sizeof conn->cached)
        return;
    conn->cached_route = *route;
    conn->cached_method = call->pub.method;
    conn->cached_len = (uint8_t)call->target.len;
    memcpy(conn->cached, call->target.at, call->target.len);
}

static bool refuse_unrouted(sw_call *call, sw_match match) {
    const sw_server *server = call->net->server;
    sw_str path = call->pub.path, text;
    int shown = (int)(path.len < 200 ? path.len : 200);
    if (match == SW_MATCH_BAD_PATH) {
        sw_call_refuse(call, 400, SW_CODE_INVALID, "the path has a malformed percent-escape");
    } else if (match == SW_MATCH_NO_METHOD) {
        sw_str allow = sw_router_allow(server->router, path, &call->pub.arena);
        sw_exchange_add_header(&call->pub, "allow", allow);
        text = sw_arena_printf(&call->pub.arena, "%.*s answers to %.*s only", shown, path.at,
                               SW_STR_ARG(allow));
        sw_call_refuse(call, 405, SW_CODE_METHOD, text.at ? text.at : "method not allowed");
    } else {
        bool grpc = call->pub.wire == SW_WIRE_GRPC;
        text = sw_arena_printf(&call->pub.arena,
                               grpc ? "there is no method %.*s" : "there is nothing at %.*s", shown,
                               path.at);
        sw_call_refuse(call, 404, grpc ? SW_CODE_UNSUPPORTED : SW_CODE_NOT_FOUND,
                       text.at ? text.at : "not found");
    }
    return false;
}

static bool find_route(sw_call *call) {
    sw_str path = call->target;
    call->pub.path = sw_str_split(&path, '?');
    call->pub.query = path;
    if (use_cached_route(call))
        return true;
    sw_route route;
    bool reusable = false;
    sw_match match = sw_router_find(&route, call->pub.params, &reusable, call->net->server->router,
                                    call->pub.method, call->pub.wire == SW_WIRE_GRPC,
                                    call->pub.path, &call->pub.arena);
    if (match != SW_MATCH_FOUND)
        return refuse_unrouted(call, match);
    call->pub.route = route.entry;
    if (reusable)
        cache_route(call, &route);
    return true;
}

const char *sw_call_too_large(sw_call *call) {
    const sw_route_entry *route = call->pub.route;
    sw_str text = sw_arena_printf(
        &call->pub.arena, "the body is larger than %zu bytes, the most that %s takes%s",
        call->body_max, route->pattern, route->body_bytes_max ? "" : " (slipway serve --max-body)");
    return text.at ? text.at : "the body is too large";
}

static bool check_length(sw_call *call) {
    const sw_route_entry *route = call->pub.route;
    call->body_max =
        route->body_bytes_max ? route->body_bytes_max : call->net->server->config.body_bytes_max;
    uint64_t length;
    if (!call->known.content_length.at ||
        !sw_str_to_u64(&length, call->known.content_length,
                       UINT64_MAX) || /* the protocol's matter */
        length <= call->body_max)
        return true;
    sw_call_refuse(call, 413, SW_CODE_TOO_LARGE, sw_call_too_large(call));
    return false;
}

/* No body is unpacked here: what is packed would only be called malformed further on. */
static bool check_encoding(sw_call *call) {
    sw_str encoding = call->known.content_encoding;
    if (!encoding.len || call->pub.wire == SW_WIRE_GRPC ||
        sw_str_eq_nocase(encoding, SW_STR("identity")))
        return true;
    sw_str text = sw_arena_printf(&call->pub.arena,
                                  "the body has Content-Encoding %.*s, which is not taken here: "
                                  "send it as it is, without compression",
                                  (int)(encoding.len < 100 ? encoding.len : 100), encoding.at);
    sw_call_refuse(call, 415, SW_CODE_MEDIA, text.at ? text.at : "unsupported content encoding");
    return false;
}

static bool refuse_timeout(sw_call *call) {
    sw_str value = call->known.timeout_ms;
    sw_str text = sw_arena_printf(&call->pub.arena,
                                  "Request-Timeout-Ms: '%.*s' is no whole number of milliseconds "
                                  "from 1",
                                  (int)(value.len < 100 ? value.len : 100), value.at);
    sw_call_refuse(call, 400, SW_CODE_INVALID, text.at ? text.at : "malformed timeout");
    return false;
}

static bool set_deadline(sw_call *call) {
    uint64_t ms, timeout_ns = 0;
    if (call->pub.wire == SW_WIRE_GRPC && call->known.grpc_timeout.at) {
        timeout_ns = sw_grpc_timeout_ns(call->known.grpc_timeout);
    } else if (call->known.timeout_ms.at) {
        if (!sw_str_to_u64(&ms, call->known.timeout_ms, UINT64_MAX / 4 / SW_NS_PER_MS) || ms == 0)
            return refuse_timeout(call);
        timeout_ns = ms * SW_NS_PER_MS;
    }
    if (timeout_ns)
        call->pub.deadline_ns = call->pub.received_ns + timeout_ns;
    return true;
}

static void authorize(sw_call *call) {
    const sw_server_config *config = &call->net->server->config;
    if (!config->authorize) {
        memcpy(call->pub.who, "local", sizeof "local");
        call->pub.scopes = UINT32_MAX;
        return;
    }
    if (call->pub.route->scope == SW_SCOPE_NONE)
        return;
    sw_error error = {.text = ""};
    sw_status status = config->authorize(&call->pub, config->authorize_context, &error);
    if (sw_failed(status))
        sw_call_refuse(call, sw_code_http(status.code), status.code,
                       error.text[0] ? error.text : sw_code_words(status.code));
}

void sw_call_head_done(sw_call *call) {
    call->head_done = true;
    if (call->refusal.http_status)
        return;
    note_headers(call);
    if (call->pub.wire != SW_WIRE_HTTP1 && sw_is_grpc_type(call->known.content_type))
        call->pub.wire = SW_WIRE_GRPC;
    if (check_host(call) && find_route(call) && check_origin(call) && check_length(call) &&
        check_encoding(call) && set_deadline(call))
        authorize(call);
}

static void send_refusal(sw_call *call) {
    sw_exchange *exchange = &call->pub;
    const sw_refusal *refusal = &call->refusal;
    sw_error error;
    snprintf(error.text, sizeof error.text, "%.*s", SW_STR_ARG(refusal->text));
    if (exchange->wire == SW_WIRE_GRPC || refusal->http_status == sw_code_http(refusal->code)) {
        sw_exchange_fail(exchange, (sw_status){refusal->code}, &error);
        return;
    }
    sw_buf body = {0};
    sw_error_json(&body, refusal->text);
    sw_exchange_reply(exchange, refusal->http_status, "application/json", sw_buf_str(&body));
    sw_buf_free(&body);
}

/* Back on the loop after a pool thread ran the handler. */
static void handler_returned(sw_task *task) {
    sw_call *call = SW_CONTAINER(task, sw_call, job);
    call->on_pool = false;
    sw_loop_now_ns(call->net->loop);
    if (call->state ==
        SW_CALL_RUNNING) { /* it went without a reply: our bug, the client's answer */
        sw_error error = {.text = "the handler gave no answer"};
        sw_exchange_fail(&call->pub, (sw_status){SW_CODE_INTERNAL}, &error);
    } else if (call->gone) {
        call->state = SW_CALL_REPLIED;
        sw_call_finish(call);
    } else if (call->state == SW_CALL_STORED) {
        sw_str body = {call->out.at, call->out.len};
        sw_buf owned = call->out;
        call->out = (sw_buf){0};
        call->state = SW_CALL_RUNNING;
        call->conn->proto->reply(call, call->reply_status, call->reply_type, body);
        sw_buf_free(&owned);
    } else if (call->state == SW_CALL_STREAMING) {
        call->out_ended = true;
        if (call->pipe) {
            call->conn->proto->pipe_moved(call, 0);
        } else { /* no memory for the pipe: nothing of the reply was sent */
            call->conn->proto->stream_open(call, call->reply_status, call->reply_type);
            call->conn->proto->stream_end(call, false);
        }
    }
}

static void run_on_pool(sw_task *task) {
    sw_call *call = SW_CONTAINER(task, sw_call, job);
    call->pub.route->handler(&call->pub, call->net->server->context);
    call->job.run = handler_returned;
    sw_loop_post(call->net->loop, &call->job);
}

static void submit(sw_call *call, sw_pool *pool) {
    call->on_pool = true;
    call->job.run = run_on_pool;
    if (!sw_failed(sw_pool_submit(pool, &call->job)))
        return;
    call->on_pool = false;
    sw_error error = {.text =
                          "all threads for calls of this kind are taken; try again in a second"};
    sw_exchange_fail(&call->pub, (sw_status){SW_CODE_UNAVAILABLE}, &error);
}

void sw_call_run(sw_call *call) {
    const sw_server *server = call->net->server;
    call->state = SW_CALL_RUNNING;
    if (call->refusal.http_status) {
        send_refusal(call);
        return;
    }
    switch (call->pub.route->run_on) {
    case SW_RUN_LOOP: call->pub.route->handler(&call->pub, server->context); break;
    case SW_RUN_POOL: submit(call, server->pool); break;
    case SW_RUN_STREAM: submit(call, server->stream_pool); break;
    }
}

void sw_call_list(sw_call *call) {
    sw_conn *conn = call->conn;
    call->listed = true;
    call->next = NULL;
    call->prev = conn->last_call;
    if (conn->last_call)
        conn->last_call->next = call;
    else
        conn->calls = call;
    conn->last_call = call;
    conn->listed_count++;
}

static void unlist(sw_call *call) {
    sw_conn *conn = call->conn;
    if (!call->listed)
        return;
    call->listed = false;
    *(call->prev ? &call->prev->next : &conn->calls) = call->next;
    *(call->next ? &call->next->prev : &conn->last_call) = call->prev;
    conn->listed_count--;
}

void sw_call_finish(sw_call *call) {
    const sw_server_config *config = &call->net->server->config;
    unlist(call);
    if (config->on_replied && call->head_done)
        config->on_replied(&call->pub,
                           call->gone ? sw_code_http(SW_CODE_CANCELLED) : call->reply_status,
                           call->reply_bytes, config->on_replied_context);
    if (!call->net->done && !call->net->flushing)
        sw_loop_wake(call->net->loop);
    call->next = call->net->done;
    call->net->done = call;
}

void sw_call_abandon(sw_call *call) {
    unlist(call);
    if (call->gone)
        return;
    call->gone = true;
    atomic_store(&call->pub.cancelled, true);
    if (call->pipe)
        sw_pipe_gone(call);
    if (call->on_pool)
        return;
    bool handler_has_it =
        call->state == SW_CALL_RUNNING || (call->state == SW_CALL_STREAMING && !call->out_ended);
    if (!handler_has_it) {
        call->state = SW_CALL_REPLIED;
        sw_call_finish(call);
    } else if (call->pub.on_gone) {
        void (*on_gone)(sw_exchange *) = call->pub.on_gone;
        call->pub.on_gone = NULL;
        on_gone(&call->pub);
    }
}

void sw_call_store(sw_call *call, int status, const char *type, sw_str body) {
    call->state = SW_CALL_STORED;
    call->reply_status = status;
    call->reply_type = type ? sw_arena_copy(&call->pub.arena, sw_str_of(type)).at : NULL;
    sw_buf_clear(&call->out);
    sw_buf_add_str(&call->out, body);
}

void sw_call_free_done(sw_net *net) {
    while (net->done) {
        sw_call *call = net->done;
        sw_conn *conn = call->conn;
        net->done = call->next;
        sw_net_drop_chunk(net, call->chunk);
        call->chunk = NULL;
        sw_pipe_free(call);
        sw_net_give_call(net, call);
        conn->call_count--;
        net->call_count--;
        sw_conn_release(conn);
    }
}
