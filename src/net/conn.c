/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One socket: reading, telling protocols apart, writing at the end of the turn, time limits,
 * closing.
 *
 * Nothing closes a connection in the middle of a turn: it is marked doomed, and the turn's end does
 * it. So no callback of a parser ever finds its own connection gone.
 */
#include "net/net_private.h"

#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static const char h2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
enum { PREFACE_BYTES = sizeof h2_preface - 1, TLS_RECORD = 0x16, FLUSH_ROUNDS = 16 };

uint64_t sw_conn_now_ms(const sw_conn *conn) {
    return uv_now(sw_loop_uv(conn->net->loop));
}

sw_conn *sw_conn_new(sw_net *net, int fd, bool local) {
    sw_conn *conn = sw_mem_zalloc(1, sizeof *conn);
    if (!conn)
        return NULL;
    conn->net = net;
    conn->fd = fd;
    conn->local = local;
    conn->opened.run = sw_conn_open;
    return conn;
}

void sw_conn_dirty(sw_conn *conn) {
    if (conn->dirty)
        return;
    /* A reply may come from a timer, with no event to end the turn. */
    if (!conn->net->dirty && !conn->net->flushing)
        sw_loop_wake(conn->net->loop);
    conn->dirty = true;
    conn->next_dirty = conn->net->dirty;
    conn->net->dirty = conn;
}

void sw_conn_doom(sw_conn *conn) {
    conn->doomed = true;
    sw_conn_dirty(conn);
}

void sw_conn_release(sw_conn *conn) {
    if (conn->closed && conn->call_count == 0 && !conn->dirty)
        sw_mem_free(conn);
}

static void on_closed(uv_handle_t *handle) {
    sw_conn *conn = handle->data;
    sw_net *net = conn->net;
    close(conn->fd);
    *(conn->prev ? &conn->prev->next : &net->conns) = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conn->closed = true;
    atomic_fetch_sub(&net->assigned, 1);
    sw_conn_release(conn);
}

static void close_now(sw_conn *conn) {
    if (uv_is_closing((uv_handle_t *)&conn->poll))
        return;
    while (conn->calls)
        sw_call_abandon(conn->calls);
    if (conn->proto)
        conn->proto->free(conn);
    sw_net_drop_chunk(conn->net, conn->in);
    conn->in = NULL;
    sw_buf_free(&conn->out);
    conn->out_at = 0;
    sw_tls_end(conn);
    uv_poll_stop(&conn->poll);
    uv_close((uv_handle_t *)&conn->poll, on_closed);
}

sw_io sw_conn_recv(sw_conn *conn, char *at, size_t cap, size_t *len) {
    sw_io io;
    *len = 0;
    if (conn->ssl) {
        io = sw_tls_recv(conn, at, cap, len);
    } else {
        ssize_t got = recv(conn->fd, at, cap, 0);
        *len = got > 0 ? (size_t)got : 0;
        bool again = got < 0 && (errno == EAGAIN || errno == EINTR);
        io = got > 0 ? SW_IO_DONE : got == 0 ? SW_IO_END : again ? SW_IO_AGAIN : SW_IO_BROKEN;
    }
    if (io == SW_IO_DONE)
        conn->last_in_ms = sw_conn_now_ms(conn);
    if (io == SW_IO_END)
        conn->read_closed = true;
    if (io == SW_IO_BROKEN)
        sw_conn_doom(conn);
    return io;
}

static sw_io send_some(sw_conn *conn, size_t *sent) {
    const char *at = conn->out.at + conn->out_at;
    size_t want = sw_conn_unsent(conn);
    *sent = 0;
    if (conn->ssl)
        return sw_tls_send(conn, at, want, sent);
    ssize_t put = send(conn->fd, at, want, MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR ? SW_IO_AGAIN : SW_IO_BROKEN;
    *sent = (size_t)put;
    return SW_IO_DONE;
}

bool sw_conn_ready_out(sw_conn *conn) {
    if (conn->out.cap == 0 && !sw_net_take_out(conn->net, &conn->out)) {
        sw_conn_doom(conn);
        return false;
    }
    sw_conn_dirty(conn);
    return true;
}

static void start_speaking(sw_conn *conn, bool http2) {
    conn->stage = SW_STAGE_SPEAKING;
    if (!http2)
        sw_http1_start(conn);
    else if (!sw_http2_start(conn))
        sw_conn_doom(conn);
}

/* The first bytes are in conn->in: HTTP/2 opens with its preface, all else is HTTP/1.1's to judge.
 */
static void tell_protocol(sw_conn *conn) {
    size_t have = conn->in_len < PREFACE_BYTES ? conn->in_len : PREFACE_BYTES;
    bool preface = memcmp(conn->in->bytes, h2_preface, have) == 0;
    if (preface && have < PREFACE_BYTES && !conn->read_closed)
        return;
    start_speaking(conn, preface);
    if (!conn->secure && (unsigned char)conn->in->bytes[0] == TLS_RECORD)
        sw_http1_problem(conn, 400, "this port does not speak TLS; use http://");
    else if (!conn->doomed)
        conn->proto->input(conn);
}

static void read_first_bytes(sw_conn *conn) {
    if (!conn->in) {
        conn->in = sw_net_take_chunk(conn->net, SW_NET_CHUNK_BYTES);
        conn->in_at = conn->in_len = 0;
    }
    if (!conn->in) {
        sw_conn_doom(conn);
        return;
    }
    size_t len;
    if (conn->in_len == 0)
        conn->started_ms = sw_conn_now_ms(conn);
    sw_io io =
        sw_conn_recv(conn, conn->in->bytes + conn->in_len, conn->in->cap - conn->in_len, &len);
    conn->in_len += len;
    if (conn->in_len == 0) {
        sw_net_drop_chunk(conn->net, conn->in);
        conn->in = NULL;
        if (io == SW_IO_END)
            sw_conn_doom(conn);
    } else if (io == SW_IO_DONE || io == SW_IO_END) {
        tell_protocol(conn);
    }
}

static void shake_hands(sw_conn *conn) {
    switch (sw_tls_handshake(conn)) {
    case SW_IO_AGAIN: return;
    case SW_IO_DONE:
        conn->secure = true;
        conn->stage = SW_STAGE_FIRST_BYTES;
        conn->started_ms = conn->last_in_ms = sw_conn_now_ms(conn);
        if (sw_tls_chose_h2(conn))
            start_speaking(conn, true);
        conn->read_again = true; /* the handshake may have read beyond itself */
        sw_conn_dirty(conn);
        return;
    default: sw_conn_doom(conn);
    }
}

static void begin_tls(sw_conn *conn) {
    unsigned char first;
    ssize_t got = recv(conn->fd, &first, 1, MSG_PEEK);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        sw_conn_doom(conn);
        return;
    }
    conn->started_ms = sw_conn_now_ms(conn);
    if (first != TLS_RECORD) {
        start_speaking(conn, false);
        sw_http1_problem(conn, 400, "this port speaks TLS only; use https://");
    } else if (!sw_tls_begin(conn)) {
        sw_conn_doom(conn);
    } else {
        conn->stage = SW_STAGE_HANDSHAKE;
        shake_hands(conn);
    }
}

static void linger(sw_conn *conn) {
    size_t len;
    sw_io io = sw_conn_recv(conn, conn->net->scratch, SW_NET_SCRATCH_BYTES, &len);
    if (io == SW_IO_END)
        sw_conn_doom(conn);
}

static void read_some(sw_conn *conn) {
    switch (conn->stage) {
    case SW_STAGE_FIRST_BYTES:
        if (conn->net->server->tls && !conn->local && !conn->secure)
            begin_tls(conn);
        else
            read_first_bytes(conn);
        break;
    case SW_STAGE_HANDSHAKE: shake_hands(conn); break;
    case SW_STAGE_SPEAKING: conn->proto->readable(conn); break;
    case SW_STAGE_LINGERING: linger(conn); break;
    }
}

static bool wants_input(const sw_conn *conn) {
    if (conn->read_closed)
        return false;
    if (conn->stage != SW_STAGE_SPEAKING)
        return true;
    return !conn->closing && sw_conn_unsent(conn) < SW_NET_OUT_HIGH_BYTES &&
           conn->proto->wants_input(conn);
}

static void on_event(uv_poll_t *poll, int status, int events);

/* UV_PRIORITIZED keeps the socket watched for its end where neither direction is wanted. */
static void watch(sw_conn *conn) {
    int events = UV_PRIORITIZED;
    if (wants_input(conn))
        events |= UV_READABLE;
    if (conn->write_blocked)
        events |= UV_WRITABLE;
    if (events == conn->events)
        return;
    conn->events = events;
    if (uv_poll_start(&conn->poll, events, on_event) != 0)
        sw_conn_doom(conn);
}

static void on_event(uv_poll_t *poll, int status, int events) {
    sw_conn *conn = poll->data;
    sw_loop_now_ns(conn->net->loop);
    /* Nobody sends urgent data; alone, the bit stands for an error or the far end's close. */
    if (status < 0 || (events & UV_PRIORITIZED)) {
        sw_conn_doom(conn);
        return;
    }
    if (events & UV_WRITABLE) {
        conn->write_blocked = false;
        sw_conn_dirty(conn);
    }
    if ((events & UV_READABLE) || conn->stage == SW_STAGE_HANDSHAKE)
        read_some(conn);
    if (!conn->dirty && !wants_input(conn))
        sw_conn_dirty(conn); /* its handlers are behind: from the next turn on nothing is read */
}

/* False once the socket takes no more for now. */
static bool send_all(sw_conn *conn) {
    while (sw_conn_unsent(conn) > 0) {
        size_t sent;
        sw_io io = send_some(conn, &sent);
        if (io == SW_IO_BROKEN || io == SW_IO_END)
            conn->doomed = true;
        if (io != SW_IO_DONE) {
            conn->last_out_ms = sw_conn_now_ms(conn); /* from here on it is stalling */
            conn->write_blocked = true;
            return false;
        }
        conn->out_at += sent;
        conn->last_out_ms = sw_conn_now_ms(conn);
    }
    sw_buf_clear(&conn->out);
    conn->out_at = 0;
    return true;
}

/* All is sent. A close now, with bytes of the client still coming, would make its kernel throw our
 * last reply away: so say that we are done, and wait for the other side to be. */
static void begin_linger(sw_conn *conn) {
    if (conn->read_closed) {
        conn->doomed = true;
        return;
    }
    conn->stage = SW_STAGE_LINGERING;
    conn->started_ms = sw_conn_now_ms(conn);
    sw_tls_goodbye(conn);
    shutdown(conn->fd, SHUT_WR);
}

static void send_due(sw_conn *conn) {
    for (int round = 0; round < FLUSH_ROUNDS && !conn->doomed; round++) {
        bool more = sw_conn_unsent(conn) >= SW_NET_OUT_HIGH_BYTES || conn->proto->fill(conn);
        if (conn->write_blocked || !send_all(conn) || !more)
            return;
    }
    sw_conn_dirty(conn);
}

static void flush(sw_conn *conn) {
    if (!conn->doomed && conn->read_again) {
        conn->read_again = false;
        if (wants_input(conn))
            read_some(conn);
    }
    if (!conn->doomed && conn->stage == SW_STAGE_SPEAKING)
        send_due(conn);
    if (!conn->doomed && conn->stage == SW_STAGE_SPEAKING && sw_conn_unsent(conn) == 0) {
        if (conn->out.cap)
            sw_net_give_out(conn->net, &conn->out);
        bool over = conn->closing || (conn->read_closed && conn->proto->is_idle(conn));
        if (over)
            begin_linger(conn);
    }
    if (conn->doomed)
        close_now(conn);
    else
        watch(conn);
}

void sw_conn_flush_all(void *context, sw_loop *loop) {
    sw_net *net = context;
    sw_conn *conn = net->dirty;
    net->dirty = NULL;
    net->flushing = true;
    while (conn) {
        sw_conn *next = conn->next_dirty;
        conn->dirty = false;
        if (uv_is_closing((uv_handle_t *)&conn->poll))
            sw_conn_release(conn);
        else
            flush(conn);
        conn = next;
    }
    const sw_server_config *config = &net->server->config;
    if (config->after_flush)
        config->after_flush(config->after_flush_context, loop);
    sw_call_free_done(net);
    net->flushing = false;
    if (net->dirty || net->done)
        sw_loop_wake(loop);
}

void sw_conn_open(sw_task *task) {
    sw_conn *conn = SW_CONTAINER(task, sw_conn, opened);
    sw_net *net = conn->net;
    conn->poll.data = conn;
    if (net->ending || uv_poll_init(sw_loop_uv(net->loop), &conn->poll, conn->fd) != 0) {
        close(conn->fd);
        sw_mem_free(conn);
        atomic_fetch_sub(&net->assigned, 1);
        return;
    }
    conn->next = net->conns;
    if (net->conns)
        net->conns->prev = conn;
    net->conns = conn;
    conn->started_ms = conn->last_in_ms = conn->last_out_ms = sw_conn_now_ms(conn);
    watch(conn);
}

/* Idle, and nothing of a next request has come. */
static bool is_quiet(sw_conn *conn, uint64_t now_ms, uint64_t for_ms) {
    char byte;
    bool idle = conn->stage == SW_STAGE_FIRST_BYTES
                    ? !conn->in
                    : conn->proto && conn->stage == SW_STAGE_SPEAKING && conn->proto->is_idle(conn);
    uint64_t since = conn->last_in_ms > conn->last_out_ms ? conn->last_in_ms : conn->last_out_ms;
    return idle && now_ms - since >= for_ms && recv(conn->fd, &byte, 1, MSG_PEEK) <= 0;
}

void sw_conn_drain(sw_conn *conn) {
    const sw_net *net = conn->net;
    uint64_t now_ms = sw_conn_now_ms(conn);
    if (conn->proto && conn->stage == SW_STAGE_SPEAKING)
        conn->proto->drain(conn);
    if (is_quiet(conn, now_ms, SW_NET_QUIET_MS) && now_ms - net->drain_ms >= SW_NET_QUIET_MS) {
        conn->closing = true;
        sw_conn_dirty(conn);
        if (conn->stage == SW_STAGE_FIRST_BYTES)
            conn->doomed = true;
    }
}

static void check_times(sw_conn *conn, uint64_t now_ms) {
    const sw_server_config *config = &conn->net->server->config;
    uint64_t in_stage_ms = now_ms - conn->started_ms;
    bool started = conn->in || (conn->net->server->tls && !conn->local);
    bool late = false;
    switch (conn->stage) {
    case SW_STAGE_FIRST_BYTES:
        late = in_stage_ms > (started ? config->header_timeout_ms : config->idle_timeout_ms);
        break;
    case SW_STAGE_HANDSHAKE: late = in_stage_ms > config->header_timeout_ms; break;
    case SW_STAGE_LINGERING: late = in_stage_ms > SW_NET_LINGER_MS; break;
    case SW_STAGE_SPEAKING:
        late = sw_conn_unsent(conn) && now_ms - conn->last_out_ms > config->body_stall_ms;
        if (!late)
            conn->proto->second(conn, now_ms);
        break;
    }
    if (late)
        sw_conn_doom(conn);
}

void sw_conn_second_all(void *context, sw_loop *loop) {
    sw_net *net = context;
    uint64_t now_ms = uv_now(sw_loop_uv(loop));
    for (sw_conn *conn = net->conns; conn; conn = conn->next)
        if (!uv_is_closing((uv_handle_t *)&conn->poll))
            check_times(conn, now_ms);
    sw_net_trim(net);
    sw_net_refresh_date(net);
}
