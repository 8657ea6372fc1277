/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1, the reading half: bytes to calls, by llhttp.
 *
 * A request lies in one read buffer from its first byte to its last, so that head and body are runs
 * within it; when the buffer is full the request moves to a larger one. While a request is being
 * parsed all positions are therefore relative to its first byte (sw_http1.base). Bodies that a
 * handler reads piece by piece, and those of refused requests, leave the buffer at once.
 */
#include "net/net_private.h"

#include <assert.h>

enum { ROOM_BYTES_MIN = 4096, FRAMING_BYTES_MAX = 64 * 1024, FRAMING_PER_BYTE = 16 };

static char *base_of(const sw_conn *conn) {
    return conn->in->bytes + conn->h1.base;
}

static size_t offset_of(const sw_conn *conn, const char *at) {
    return (size_t)(at - base_of(conn));
}

static int problem(sw_conn *conn, int status, const char *text) {
    conn->h1.problem_status = status;
    conn->h1.problem = text;
    return HPE_USER;
}

static int on_message_begin(llhttp_t *parser) {
    sw_conn *conn = parser->data;
    sw_http1 *h = &conn->h1;
    h->current = sw_call_begin(conn);
    if (!h->current)
        return problem(conn, 503, "out of memory");
    h->base = conn->in_at;
    h->target_at = h->target_len = 0;
    h->head_end = h->trailer_bytes = h->framing_bytes = 0;
    h->in_name = h->complete = false;
    conn->started_ms = sw_conn_now_ms(conn);
    return HPE_OK;
}

static int on_url(llhttp_t *parser, const char *at, size_t len) {
    sw_conn *conn = parser->data;
    sw_http1 *h = &conn->h1;
    if (h->target_len == 0)
        h->target_at = (uint32_t)offset_of(conn, at);
    if (h->target_len + len > SW_NET_TARGET_BYTES_MAX)
        return problem(conn, 414, "the request target is too long");
    h->target_len += (uint32_t)len;
    return HPE_OK;
}

static int count_trailer(sw_conn *conn, size_t len) {
    conn->h1.trailer_bytes += len;
    return conn->h1.trailer_bytes > conn->net->server->config.header_bytes_max
               ? problem(conn, 431, "the trailers are too large")
               : HPE_OK;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len) {
    sw_conn *conn = parser->data;
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    if (call->head_done)
        return count_trailer(conn, len);
    if (!h->in_name) {
        if (call->header_count == SW_NET_HEADERS_MAX)
            return problem(conn, 431, "too many headers");
        call->headers[call->header_count++] = (sw_header){.name_at = (uint32_t)offset_of(conn, at)};
        h->in_name = true;
    }
    call->headers[call->header_count - 1].name_len += (uint32_t)len;
    return HPE_OK;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len) {
    sw_conn *conn = parser->data;
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    if (call->head_done)
        return count_trailer(conn, len);
    sw_header *header = &call->headers[call->header_count - 1];
    uint32_t offset = (uint32_t)offset_of(conn, at);
    if (h->in_name) {
        header->value_at = offset;
        h->in_name = false;
    }
    header->value_len += (uint32_t)len;
    h->head_end = header->value_at + header->value_len;
    return HPE_OK;
}

static int on_header_value_complete(llhttp_t *parser) {
    sw_conn *conn = parser->data;
    conn->h1.in_name = false; /* an empty value has no span */
    return HPE_OK;
}

static uint32_t skip_blanks(const char *base, uint32_t at) {
    while (base[at] == ' ' || base[at] == '\t')
        at++;
    return at;
}

/*
 * Each header must stand on a line of its own, right behind the one before it. llhttp lets a value
 * go on in the next line, and what it lets pass depends on how the bytes were cut into reads; so
 * the lines are checked here once more. Also trims the values (RFC 9110, 5.5).
 */
static bool lines_are_clean(const sw_http1 *h, sw_call *call) {
    enum { VERSION_BYTES = sizeof " HTTP/1.1\r\n" - 1 };
    const char *base = call->head_base;
    uint32_t at = h->target_at + h->target_len + VERSION_BYTES;
    for (uint32_t i = 0; i < call->header_count; i++) {
        sw_header *header = &call->headers[i];
        uint32_t colon = header->name_at + header->name_len;
        if (header->name_len == 0 || header->name_at != at || base[colon] != ':')
            return false;
        at = skip_blanks(base, colon + 1);
        if (header->value_len == 0)
            header->value_at = at;
        else if (header->value_at != at)
            return false;
        at = header->value_at + header->value_len;
        while (header->value_len && (base[at - 1] == ' ' || base[at - 1] == '\t')) {
            header->value_len--;
            at--;
        }
        at = skip_blanks(base, at);
        if (base[at] != '\r' || base[at + 1] != '\n')
            return false;
        at += 2;
    }
    return base[at] == '\r' && base[at + 1] == '\n';
}

static sw_method method_of(uint8_t method) {
    switch (method) {
    case HTTP_GET: return SW_GET;
    case HTTP_HEAD: return SW_HEAD;
    case HTTP_POST: return SW_POST;
    case HTTP_PUT: return SW_PUT;
    case HTTP_PATCH: return SW_PATCH;
    case HTTP_DELETE: return SW_DELETE;
    case HTTP_OPTIONS: return SW_OPTIONS;
    default: return SW_METHOD_OTHER;
    }
}

/* "/path" as it stands; of "http://host/path" the path, and the host in place of the header's
 * (RFC 9112, 3.2.2). */
static void split_target(sw_call *call, sw_str target) {
    call->target = target;
    if (target.len && memchr(target.at, '#', target.len))
        sw_call_refuse(call, 400, SW_CODE_INVALID, "the request target holds a '#'");
    if (target.len && (target.at[0] == '/' || sw_str_is(target, "*")))
        return;
    sw_str http = SW_STR("http://"), https = SW_STR("https://");
    size_t skip = sw_str_starts(target, http)    ? http.len
                  : sw_str_starts(target, https) ? https.len
                                                 : 0;
    if (!skip) {
        sw_call_refuse(call, 400, SW_CODE_INVALID, "the request target is no path");
        return;
    }
    sw_str rest = {target.at + skip, target.len - skip};
    const char *slash = rest.len ? memchr(rest.at, '/', rest.len) : NULL;
    call->authority = (sw_str){rest.at, slash ? (size_t)(slash - rest.at) : rest.len};
    call->target = slash ? (sw_str){slash, rest.len - call->authority.len} : SW_STR("/");
    if (!call->authority.len)
        sw_call_refuse(call, 400, SW_CODE_INVALID, "the request target has no host");
}

/* What a message's length may be told by is where smuggling begins: one way only. */
static void check_framing(sw_call *call, const llhttp_t *parser) {
    const sw_known_headers *known = &call->known;
    if (!known->transfer_encoding.at)
        return;
    bool chunked = sw_str_eq_nocase(known->transfer_encoding, SW_STR("chunked"));
    if (known->transfer_encoding_count == 1 && chunked && parser->http_minor == 1)
        return;
    call->refusal.http_status = 0;
    sw_call_refuse(call, 400, SW_CODE_INVALID,
                   "the only transfer encoding that is taken is chunked, in HTTP/1.1");
    call->close_after = true;
}

/* Its handler reads the body piece by piece. */
static bool is_streamed(const sw_call *call) {
    return !call->refusal.http_status && call->pub.route->run_on == SW_RUN_STREAM;
}

static void check_expect(sw_call *call, bool has_body) {
    const sw_str expect = call->known.expect;
    if (!expect.at || call->no_keep_alive_hint)
        return;
    if (sw_str_eq_nocase(expect, SW_STR("100-continue")))
        call->continue_due = has_body;
    else
        sw_call_refuse(call, 417, SW_CODE_INVALID,
                       "the only expectation that is met is 100-continue");
}

static int on_headers_complete(llhttp_t *parser) {
    sw_conn *conn = parser->data;
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    if (h->head_end > conn->net->server->config.header_bytes_max)
        return problem(conn, 431, "the headers are too large");
    if (parser->http_major != 1 || parser->http_minor > 1)
        return problem(conn, 505, "HTTP/1.1 and HTTP/2 are spoken here");
    parser->upgrade = 0; /* to whatever it asked for: the answer comes in HTTP/1.1 */
    call->head_base = base_of(conn);
    if (!lines_are_clean(h, call))
        return problem(conn, 400, "a header is not on one line of its own");
    call->pub.method = method_of(parser->method);
    call->close_after = !llhttp_should_keep_alive(parser);
    call->no_keep_alive_hint = parser->http_minor == 0;
    split_target(call, (sw_str){call->head_base + h->target_at, h->target_len});
    if (parser->method == HTTP_CONNECT) {
        call->close_after = true;
        sw_call_refuse(call, 405, SW_CODE_METHOD, "this is no proxy");
    }
    sw_call_head_done(call);
    check_framing(call, parser);
    bool has_body = (parser->flags & F_CHUNKED) || parser->content_length > 0;
    check_expect(call, has_body);
    bool streams = has_body && is_streamed(call);
    return (has_body && call->refusal.http_status) || streams || call->continue_due ? HPE_PAUSED
                                                                                    : HPE_OK;
}

static int discard_body(sw_conn *conn, sw_call *call, size_t len) {
    call->discarded += len;
    if (call->discarded > SW_NET_DISCARD_BYTES_MAX)
        conn->h1.stopped = call->close_after = true;
    return HPE_OK;
}

static int on_body(llhttp_t *parser, const char *at, size_t len) {
    sw_conn *conn = parser->data;
    sw_call *call = conn->h1.current;
    call->last_in_ms = conn->last_in_ms;
    if (call->discard)
        return discard_body(conn, call, len);
    if (len > call->body_max - call->body_len) {
        if (!call->pipe)
            return problem(conn, 413, sw_call_too_large(call));
        sw_pipe_end(call, SW_CODE_TOO_LARGE);
        call->discard = true;
        return discard_body(conn, call, len);
    }
    if (call->pipe) {
        sw_pipe_put(call, at, len);
        call->body_len += len;
        return HPE_OK;
    }
    if (call->body_len == 0)
        call->body_at = offset_of(conn, at);
    char *end = base_of(conn) + call->body_at + call->body_len;
    if (end != at)
        memmove(end, at, len); /* the next chunk's data closes up to the last one's */
    call->body_len += len;
    return HPE_OK;
}

/* llhttp has the chunk's size in content_length. */
static int on_chunk_header(llhttp_t *parser) {
    sw_conn *conn = parser->data;
    sw_call *call = conn->h1.current;
    bool fits = call->discard || parser->content_length <= call->body_max - call->body_len;
    return fits || call->pipe ? HPE_OK : problem(conn, 413, sw_call_too_large(call));
}

static int on_message_complete(llhttp_t *parser) {
    sw_conn *conn = parser->data;
    conn->h1.complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

static void move_str(sw_str *s, uintptr_t old, size_t size, const char *base) {
    uintptr_t at = (uintptr_t)s->at;
    if (at >= old && at < old + size)
        s->at = base + (at - old);
}

/* The current request (or what follows the last one) goes to a new buffer with at least `room` free
 * bytes. */
static bool move_input(sw_conn *conn, size_t room) {
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    assert(!call || !call->chunk); /* a thread reads that head; its body waits for room elsewhere */
    size_t from = call ? h->base : conn->in_at;
    size_t used = conn->in_len - from;
    sw_chunk *larger = sw_net_take_chunk(conn->net, used + room);
    if (!larger)
        return false;
    uintptr_t old = (uintptr_t)(conn->in->bytes + from);
    memcpy(larger->bytes, conn->in->bytes + from, used);
    if (call && call->head_base) {
        move_str(&call->target, old, used, larger->bytes);
        move_str(&call->authority, old, used, larger->bytes);
        move_str(&call->pub.path, old, used, larger->bytes);
        move_str(&call->pub.query, old, used, larger->bytes);
        for (size_t i = 0; i < SW_PARAMS_MAX; i++)
            move_str(&call->pub.params[i], old, used, larger->bytes);
        call->head_base = larger->bytes;
    }
    sw_net_drop_chunk(conn->net, conn->in);
    conn->in = larger;
    conn->in_at -= from;
    conn->in_len = used;
    h->base = 0;
    return true;
}

static bool make_room(sw_conn *conn) {
    sw_http1 *h = &conn->h1;
    if (!conn->in) {
        conn->in = sw_net_take_chunk(conn->net, SW_NET_CHUNK_BYTES);
        conn->in_at = conn->in_len = h->base = 0;
        return conn->in != NULL;
    }
    if (conn->in_len < conn->in->cap)
        return true;
    size_t used = conn->in_len - (h->current ? h->base : conn->in_at);
    uint64_t missing = h->current && h->current->head_done && !(h->parser.flags & F_CHUNKED)
                           ? h->parser.content_length
                           : UINT64_MAX;
    size_t room = used < SW_NET_CHUNK_BYTES / 2 ? SW_NET_CHUNK_BYTES / 2 : used;
    /* llhttp counts content_length down: it is what is still to come */
    return move_input(conn, missing && missing < room ? (size_t)missing : room);
}

static bool is_piped(const sw_call *call) {
    return call && call->pipe && !call->discard;
}

/* Whether the parser may go on, and with how many bytes. */
static size_t parse_allowance(const sw_conn *conn) {
    const sw_http1 *h = &conn->h1;
    size_t left = conn->in ? conn->in_len - conn->in_at : 0;
    if (h->stopped || conn->closing || conn->doomed)
        return 0;
    if (!h->current && (conn->listed_count >= SW_NET_PIPELINE_MAX ||
                        sw_conn_unsent(conn) >= SW_NET_OUT_HIGH_BYTES))
        return 0;
    if (is_piped(h->current)) {
        size_t room = sw_pipe_room(h->current);
        return left < room ? left : room;
    }
    return left;
}

/* Parsed bytes that nobody needs make way for the next read. */
static void settle_input(sw_conn *conn) {
    sw_http1 *h = &conn->h1;
    const sw_call *call = h->current;
    size_t left = conn->in_len - conn->in_at;
    if (!call) {
        if (left == 0) {
            sw_net_drop_chunk(conn->net, conn->in);
            conn->in = NULL;
        }
        return;
    }
    if (!call->head_done)
        return;
    size_t keep =
        h->base + (call->body_len && !call->pipe ? call->body_at + call->body_len : h->head_end);
    if (keep >= conn->in_at)
        return;
    memmove(conn->in->bytes + keep, conn->in->bytes + conn->in_at, left);
    conn->in_at = keep;
    conn->in_len = keep + left;
}

void sw_http1_problem(sw_conn *conn, int http_status, const char *text) {
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current ? h->current : sw_call_begin(conn);
    h->current = NULL;
    h->stopped = true;
    if (!call) {
        sw_conn_doom(conn);
        return;
    }
    call->close_after = true;
    call->continue_due = false;
    if (call->listed) { /* its handler is reading the body: it hears of it, and answers */
        sw_pipe_end(call, http_status == 408 ? SW_CODE_TIMEOUT : SW_CODE_INVALID);
        return;
    }
    call->refusal.http_status = 0;
    sw_code code = http_status == 408   ? SW_CODE_TIMEOUT
                   : http_status == 413 ? SW_CODE_TOO_LARGE
                   : http_status == 503 ? SW_CODE_UNAVAILABLE
                                        : SW_CODE_INVALID;
    sw_call_refuse(call, http_status, code, text);
    sw_call_list(call);
    sw_call_run(call);
}

static void parser_failed(sw_conn *conn, llhttp_errno_t error) {
    sw_http1 *h = &conn->h1;
    char text[160];
    if (h->problem) { /* a callback's own */
        sw_http1_problem(conn, h->problem_status, h->problem);
        return;
    }
    const char *reason = llhttp_get_error_reason(&h->parser);
    snprintf(text, sizeof text, "malformed HTTP: %s", reason ? reason : llhttp_errno_name(error));
    sw_http1_problem(conn, error == HPE_INVALID_VERSION ? 505 : 400, text);
}

static void hold_input(sw_conn *conn, sw_call *call) {
    call->chunk = conn->in;
    conn->in->users++;
}

static void start_streamed(sw_conn *conn, sw_call *call) {
    settle_input(conn);
    if (!sw_pipe_make(call, true) || (conn->in->cap - conn->in_len < ROOM_BYTES_MIN &&
                                      !move_input(conn, SW_NET_CHUNK_BYTES / 2))) {
        sw_http1_problem(conn, 503, "out of memory");
        return;
    }
    hold_input(conn, call);
    sw_call_list(call);
    sw_http1_continue(conn);
    sw_call_run(call);
}

/* Without waiting for its body: the connection cannot go on behind it. */
static void refuse_now(sw_conn *conn, sw_call *call) {
    call->close_after = conn->h1.stopped = true;
    call->continue_due = false;
    conn->h1.current = NULL;
    hold_input(conn, call);
    sw_call_list(call);
    sw_call_run(call);
}

/* The parser paused behind a head: the request is refused, streamed, or waits for 100 Continue. */
static void after_head(sw_conn *conn) {
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    bool chunked = h->parser.flags & F_CHUNKED;
    if (call->refusal.http_status) {
        bool small = !chunked && h->parser.content_length <= SW_NET_DISCARD_BYTES_MAX;
        if (small && !call->continue_due && !call->close_after)
            return; /* its body is thrown away, and the connection lives on */
        refuse_now(conn, call);
        return;
    }
    if (conn->in_at < conn->in_len)
        call->continue_due = false; /* the client did not wait */
    if (is_streamed(call))
        start_streamed(conn, call);
    else
        sw_http1_continue(conn);
}

static void after_message(sw_conn *conn) {
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    h->current = NULL;
    h->complete = false;
    call->body_done = true;
    h->stopped = h->stopped || call->close_after;
    if (!call->listed &&
        is_streamed(call)) { /* without a body there was no pause behind the head */
        h->current = call;
        start_streamed(conn, call);
        if (h->current == call)
            h->current = NULL;
    }
    if (call->listed) {
        if (call->pipe)
            sw_pipe_end(call, SW_CODE_OK);
        return;
    }
    if (call->body_len && !call->discard)
        call->pub.body = (sw_str){call->head_base + call->body_at, call->body_len};
    hold_input(conn, call);
    sw_call_list(call);
    sw_call_run(call);
}

static bool framing_floods(const sw_conn *conn, const sw_call *call) {
    uint64_t useful = call->body_len + call->discarded;
    return call->head_done && (conn->h1.parser.flags & F_CHUNKED) &&
           conn->h1.framing_bytes > FRAMING_BYTES_MAX + FRAMING_PER_BYTE * useful;
}

static void check_sizes(sw_conn *conn, size_t stepped) {
    sw_http1 *h = &conn->h1;
    const sw_call *call = h->current;
    if (!call)
        return;
    if (call->head_done)
        h->framing_bytes += stepped;
    if (!call->head_done && conn->in_at - h->base > conn->net->server->config.header_bytes_max +
                                                        SW_NET_TARGET_BYTES_MAX)
        sw_http1_problem(conn, 431, "the headers are too large");
    else if (framing_floods(conn, call))
        sw_http1_problem(conn, 400, "the chunks are too small for their framing");
}

static void parse(sw_conn *conn) {
    sw_http1 *h = &conn->h1;
    for (size_t len; (len = parse_allowance(conn)) > 0;) {
        const char *at = conn->in->bytes + conn->in_at;
        llhttp_errno_t error = llhttp_execute(&h->parser, at, len);
        if (error == HPE_OK) {
            conn->in_at += len;
            check_sizes(conn, len);
        } else if (error == HPE_PAUSED) {
            conn->in_at += (size_t)(llhttp_get_error_pos(&h->parser) - at);
            llhttp_resume(&h->parser);
            if (h->complete)
                after_message(conn);
            else
                after_head(conn);
        } else {
            parser_failed(conn, error);
        }
    }
    if (conn->in)
        settle_input(conn);
}

bool sw_http1_resume(sw_conn *conn) {
    if (parse_allowance(conn) == 0)
        return false;
    conn->last_in_ms = sw_conn_now_ms(conn);
    parse(conn);
    return true;
}

static void at_end(sw_conn *conn) {
    sw_http1 *h = &conn->h1;
    sw_call *call = h->current;
    h->stopped = h->stopped || !conn->in;
    if (call && call->listed) {
        sw_pipe_end(call, SW_CODE_CANCELLED);
        call->close_after = true;
    } else if (call && call->head_done && call->refusal.http_status) {
        refuse_now(conn, call);
    } else if (call) {
        sw_call_abandon(call);
    }
    if (call) {
        h->current = NULL;
        h->stopped = true;
    }
    sw_conn_dirty(conn);
}

static void readable(sw_conn *conn) {
    size_t len;
    if (!make_room(conn)) {
        sw_http1_problem(conn, 503,
                         "the server holds as many request bodies as it can; try again later");
        return;
    }
    sw_io io =
        sw_conn_recv(conn, conn->in->bytes + conn->in_len, conn->in->cap - conn->in_len, &len);
    conn->in_len += len;
    if (io == SW_IO_DONE || (io == SW_IO_AGAIN && conn->in_len == conn->in_at))
        parse(conn);
    else if (io == SW_IO_END)
        at_end(conn);
}

static void input(sw_conn *conn) {
    parse(conn);
    if (conn->read_closed)
        at_end(conn);
}

static bool wants_input(const sw_conn *conn) {
    const sw_http1 *h = &conn->h1;
    if (h->stopped || conn->listed_count >= SW_NET_PIPELINE_MAX)
        return false;
    if (is_piped(h->current) && sw_pipe_room(h->current) == 0)
        return false;
    return !conn->in || conn->in_at == conn->in_len || !is_piped(h->current);
}

static bool is_idle(const sw_conn *conn) {
    return !conn->calls && !conn->h1.current && !(conn->in && conn->in_at < conn->in_len);
}

static void second(sw_conn *conn, uint64_t now_ms) {
    const sw_server_config *config = &conn->net->server->config;
    const sw_call *call = conn->h1.current;
    uint64_t newest = conn->last_in_ms > conn->last_out_ms ? conn->last_in_ms : conn->last_out_ms;
    if (call && !call->head_done) {
        if (now_ms - conn->started_ms > config->header_timeout_ms)
            sw_http1_problem(conn, 408, "the headers took too long to come");
    } else if (call) {
        if (wants_input(conn) && now_ms - conn->last_in_ms > config->body_stall_ms)
            sw_http1_problem(conn, 408, "the body stopped coming");
    } else if (is_idle(conn) && now_ms - newest > config->idle_timeout_ms) {
        sw_conn_doom(conn);
    }
}

static void drain(sw_conn *conn) {
    (void)conn; /* the next reply says `Connection: close` */
}

static void pipe_moved(sw_call *call, size_t bytes) {
    (void)bytes;
    sw_conn_dirty(call->conn);
}

static void free_http1(sw_conn *conn) {
    sw_call *call = conn->h1.current;
    conn->h1.current = NULL;
    if (call && !call->gone)
        sw_call_abandon(call);
}

const sw_proto sw_http1_proto = {
    .readable = readable,
    .input = input,
    .reply = sw_http1_reply,
    .stream_open = sw_http1_stream_open,
    .stream_data = sw_http1_stream_data,
    .stream_end = sw_http1_stream_end,
    .stream_pending = sw_http1_stream_pending,
    .pipe_moved = pipe_moved,
    .fill = sw_http1_fill,
    .drain = drain,
    .second = second,
    .wants_input = wants_input,
    .is_idle = is_idle,
    .free = free_http1,
};

void sw_http1_start(sw_conn *conn) {
    conn->proto = &sw_http1_proto;
    memset(&conn->h1, 0, sizeof conn->h1);
    llhttp_init(&conn->h1.parser, HTTP_REQUEST, &callbacks);
    conn->h1.parser.data = conn;
}
