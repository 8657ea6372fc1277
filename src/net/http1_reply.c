/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1, the writing half. Replies leave in the order of the requests: one that is not first in
 * the connection's list is kept in its call until it is.
 */
#include "net/net_private.h"

#include <stdio.h>
#include <time.h>

/* How the end of a reply's body is told. */
typedef enum framing { BY_LENGTH, BY_CHUNKS, BY_CLOSE, NO_BODY } framing;

void sw_net_refresh_date(sw_net *net) {
    struct tm utc;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &utc))
        return;
    strftime(net->date, sizeof net->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    net->reply_head.len = 0;
}

/* Status line, Date and Content-Type: the same for most replies of a second. */
static void render_common(sw_reply_head *head, const char *date, int status, const char *type) {
    char words[SW_STATUS_WORDS_BYTES];
    sw_status_words(words, status);
    head->status = status;
    head->type[0] = '\0';
    if (type)
        memcpy(head->type, type, strlen(type) + 1);
    int len =
        snprintf(head->bytes, sizeof head->bytes, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s%s%s", status,
                 words, date, type ? "Content-Type: " : "", head->type, type ? "\r\n" : "");
    head->len = len > 0 && (size_t)len < sizeof head->bytes ? (size_t)len : 0;
}

static void add_common(sw_buf *out, sw_net *net, int status, const char *type) {
    sw_reply_head *head = &net->reply_head;
    if (type && strlen(type) >= sizeof head->type) {
        char words[SW_STATUS_WORDS_BYTES];
        sw_status_words(words, status);
        sw_buf_printf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\n", status, words,
                      net->date, type);
        return;
    }
    if (head->len == 0 || head->status != status || strcmp(head->type, type ? type : "") != 0)
        render_common(head, net->date, status, type);
    sw_buf_add(out, head->bytes, head->len);
}

/* Not behind a reply that others follow: those requests are answered first. */
static bool closes_after(const sw_call *call) {
    const sw_conn *conn = call->conn;
    return call->close_after || (call->net->draining && !call->next && !conn->h1.current &&
                                 !(conn->in && conn->in_at < conn->in_len));
}

static void add_head(sw_call *call, int status, const char *type, framing how, size_t length) {
    sw_conn *conn = call->conn;
    sw_buf *out = &conn->out;
    char digits[20];
    add_common(out, call->net, status, type);
    for (const sw_extra *extra = call->extras; extra; extra = extra->next) {
        sw_buf_add_str(out, extra->name);
        sw_buf_add_lit(out, ": ");
        sw_buf_add_str(out, extra->value);
        sw_buf_add_lit(out, "\r\n");
    }
    if (how == BY_CLOSE)
        call->close_after = true;
    call->close_after = closes_after(call);
    if (call->close_after)
        sw_buf_add_lit(out, "Connection: close\r\n");
    else if (call->no_keep_alive_hint)
        sw_buf_add_lit(out, "Connection: keep-alive\r\n");
    if (how == BY_LENGTH) {
        sw_buf_add_lit(out, "Content-Length: ");
        sw_buf_add(out, digits, sw_decimal(digits, length));
        sw_buf_add_lit(out, "\r\n\r\n");
    } else if (how == BY_CHUNKS) {
        sw_buf_add_lit(out, "Transfer-Encoding: chunked\r\n\r\n");
    } else {
        sw_buf_add_lit(out, "\r\n");
    }
    call->head_sent = true;
}

static bool has_no_body(int status) {
    return status == 204 || status == 304 || status < 200;
}

static void check_memory(sw_conn *conn) {
    if (conn->out.failed)
        sw_conn_doom(conn);
}

static void write_reply(sw_call *call, int status, const char *type, sw_str body) {
    sw_conn *conn = call->conn;
    if (!sw_conn_ready_out(conn))
        return;
    size_t before = conn->out.len;
    bool empty = has_no_body(status);
    add_head(call, status, empty ? NULL : type, empty ? NO_BODY : BY_LENGTH, body.len);
    if (!empty && call->pub.method != SW_HEAD)
        sw_buf_add_str(&conn->out, body);
    call->reply_status = status;
    call->reply_bytes = conn->out.len - before;
    check_memory(conn);
}

/* Its reply is written whole. */
static void finish(sw_call *call) {
    sw_conn *conn = call->conn;
    call->state = SW_CALL_REPLIED;
    if (call->close_after)
        conn->closing = conn->h1.stopped = true;
    sw_call_finish(call);
}

/* A reply before the whole request has come: what is left of it can be told from a next request
 * only by reading it, so the connection ends here. */
static void end_early(sw_call *call) {
    sw_http1 *h = &call->conn->h1;
    if (h->current != call)
        return;
    h->current = NULL;
    h->stopped = true;
    call->close_after = true;
}

static void begin_stream(sw_call *call) {
    framing how = has_no_body(call->reply_status) ? NO_BODY
                  : call->no_keep_alive_hint      ? BY_CLOSE
                                                  : BY_CHUNKS;
    if (!sw_conn_ready_out(call->conn))
        return;
    size_t before = call->conn->out.len;
    add_head(call, call->reply_status, call->reply_type, how, 0);
    call->chunked = how == BY_CHUNKS;
    call->bodiless = call->pub.method == SW_HEAD || how == NO_BODY;
    call->reply_bytes += call->conn->out.len - before;
}

static void write_piece(sw_call *call, sw_str piece) {
    sw_conn *conn = call->conn;
    if (piece.len == 0 || call->bodiless || !sw_conn_ready_out(conn))
        return;
    size_t before = conn->out.len;
    if (call->chunked)
        sw_buf_printf(&conn->out, "%zx\r\n", piece.len);
    sw_buf_add_str(&conn->out, piece);
    if (call->chunked)
        sw_buf_add_lit(&conn->out, "\r\n");
    call->reply_bytes += conn->out.len - before;
    check_memory(conn);
}

static void write_stored_pieces(sw_call *call) {
    write_piece(call, sw_buf_str(&call->out));
    sw_buf_clear(&call->out);
}

static void end_stream(sw_call *call) {
    sw_conn *conn = call->conn;
    end_early(call);
    if (call->end_failed)
        call->close_after = true; /* without a last chunk: the client sees that it is cut off */
    else if (call->chunked && !call->bodiless && sw_conn_ready_out(conn))
        sw_buf_add_lit(&conn->out, "0\r\n\r\n");
    check_memory(conn);
    sw_conn_dirty(conn);
    finish(call);
}

/* What a streaming call, now first, has kept. False while it is not at its end. */
static bool advance_stream(sw_call *call) {
    if (!call->head_sent)
        begin_stream(call);
    write_stored_pieces(call);
    if (call->pipe || !call->out_ended)
        return false;
    end_stream(call);
    return true;
}

static bool advance(sw_call *call) {
    if (call->begun)
        return advance_stream(call);
    if (call->on_pool || call->state != SW_CALL_STORED)
        return false;
    write_reply(call, call->reply_status, call->reply_type, sw_buf_str(&call->out));
    finish(call);
    return true;
}

void sw_http1_continue(sw_conn *conn) {
    sw_call *call = conn->h1.current;
    if (!call || !call->continue_due || (conn->calls && conn->calls != call))
        return;
    call->continue_due = false;
    if (sw_conn_ready_out(conn))
        sw_buf_add_lit(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void pump(sw_conn *conn) {
    while (conn->calls && !conn->closing && advance(conn->calls))
        ;
    sw_http1_continue(conn);
}

void sw_http1_reply(sw_call *call, int status, const char *type, sw_str body) {
    sw_conn *conn = call->conn;
    end_early(call);
    if (conn->calls != call) {
        sw_call_store(call, status, type, body);
        return;
    }
    write_reply(call, status, type, body);
    finish(call);
    if (conn->calls || conn->h1.current)
        pump(conn);
}

void sw_http1_stream_open(sw_call *call, int status, const char *type) {
    call->reply_status = status;
    call->reply_type = type;
    call->begun = true;
    if (call->conn->calls == call)
        begin_stream(call);
}

void sw_http1_stream_data(sw_call *call, sw_str bytes) {
    if (call->conn->calls == call)
        write_piece(call, bytes);
    else
        sw_buf_add_str(&call->out, bytes);
}

void sw_http1_stream_end(sw_call *call, bool ok) {
    call->end_failed = !ok;
    call->out_ended = true;
    sw_conn *conn = call->conn;
    if (conn->calls != call)
        return;
    end_stream(call);
    pump(conn);
}

size_t sw_http1_stream_pending(const sw_call *call) {
    size_t first = call->conn->calls == call ? sw_conn_unsent(call->conn) : 0;
    return first + call->out.len;
}

/* A pool thread's stream is pulled as fast as the socket takes it. */
static bool pull_stream(sw_conn *conn) {
    sw_call *call = conn->calls;
    if (!call || !call->begun || !call->pipe)
        return false;
    size_t got = sw_pipe_pull(call, &call->out, SW_NET_OUT_HIGH_BYTES);
    if (call->out.failed)
        sw_conn_doom(conn);
    if (got)
        write_stored_pieces(call);
    else if (call->out_ended && !call->on_pool) {
        end_stream(call);
        pump(conn);
    }
    return got > 0 || conn->calls != call;
}

bool sw_http1_fill(sw_conn *conn) {
    bool pulled = pull_stream(conn);
    bool resumed = sw_http1_resume(conn);
    if (resumed)
        sw_loop_wake(conn->net->loop);
    return pulled || resumed;
}
