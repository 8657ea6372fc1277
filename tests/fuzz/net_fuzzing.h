/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server without threads: one loop that is turned by hand, connections that are socket pairs.
 * One input can be fed whole or cut into reads, and all that the server kept must be gone
 * afterwards.
 */
#ifndef SW_FUZZ_NET_FUZZING_H
#define SW_FUZZ_NET_FUZZING_H

#include "net/net_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FUZZ_ANSWER_BYTES = 1 << 20 };

static inline void must(bool condition) {
    if (!condition)
        abort();
}

static void fuzz_echo(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_query(exchange, "q");
    sw_exchange_add_header(exchange, "x-back", sw_exchange_header(exchange, "x-mark"));
    sw_exchange_reply(exchange, 200, "text/plain", exchange->body);
}

static void fuzz_fail(sw_exchange *exchange, void *context) {
    (void)context;
    sw_error error;
    snprintf(error.text, sizeof error.text, "%.*s", SW_STR_ARG(exchange->params[0]));
    sw_exchange_fail(exchange, (sw_status){SW_CODE_BUSY}, &error);
}

static void fuzz_stream(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_stream_open(exchange, 200, "text/plain");
    sw_exchange_stream_send(exchange, exchange->path);
    sw_exchange_stream_send(exchange, exchange->body);
    sw_exchange_stream_close(exchange, SW_OK, NULL);
}

static const sw_route_entry fuzz_routes[] = {
    {SW_GET, "/", fuzz_echo, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/e", fuzz_echo, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/s", fuzz_echo, SW_RUN_LOOP, SW_SCOPE_NONE, false, 16},
    {SW_GET, "/f/{a}", fuzz_fail, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/t/*", fuzz_stream, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/g.S/E", fuzz_echo, SW_RUN_LOOP, SW_SCOPE_NONE, true, 1000},
    {SW_POST, "/g.S/T", fuzz_stream, SW_RUN_LOOP, SW_SCOPE_NONE, true, 0},
};

static sw_net *fuzz_net(void) {
    static sw_server *server;
    if (!server) {
        sw_loops *loops;
        sw_error error = {.text = ""};
        sw_server_config config = {.listen = "127.0.0.1:0", .header_bytes_max = 4096};
        must(!sw_failed(sw_loops_make(&loops, 1, &error)));
        must(!sw_failed(sw_server_start(&server, loops, fuzz_routes,
                                        sizeof fuzz_routes / sizeof *fuzz_routes, NULL, &config,
                                        &error)));
    }
    return &server->nets[0];
}

static char fuzz_answer[FUZZ_ANSWER_BYTES];
static size_t fuzz_answer_len;

static void fuzz_turn(sw_net *net, int fd) {
    for (int quiet = 0; quiet < 2;) {
        uv_run(sw_loop_uv(net->loop), UV_RUN_NOWAIT);
        ssize_t got = recv(fd, fuzz_answer + fuzz_answer_len, FUZZ_ANSWER_BYTES - fuzz_answer_len,
                           MSG_DONTWAIT);
        if (got > 0)
            fuzz_answer_len += (size_t)got;
        quiet = got > 0 ? 0 : quiet + 1;
    }
}

/* Feeds `size` bytes in runs of 1 to `cut` bytes (0 = all at once) and gathers the answer. */
static void fuzz_converse(const uint8_t *bytes, size_t size, size_t cut) {
    sw_net *net = fuzz_net();
    int pair[2];
    fuzz_answer_len = 0;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    sw_conn *conn = sw_conn_new(net, pair[0], false);
    if (!conn) { /* only where a test lets memory run out */
        close(pair[0]);
        close(pair[1]);
        return;
    }
    atomic_fetch_add(&net->assigned, 1);
    conn->opened.run(&conn->opened);
    for (size_t at = 0; at < size;) {
        size_t len = cut == 0 ? size : 1 + (at * 7 + cut) % cut;
        len = len < size - at ? len : size - at;
        ssize_t put = send(pair[1], bytes + at, len, MSG_NOSIGNAL);
        fuzz_turn(net, pair[1]);
        if (put <= 0 || fuzz_answer_len == FUZZ_ANSWER_BYTES)
            break; /* the server has had enough */
        at += (size_t)put;
    }
    shutdown(pair[1], SHUT_WR);
    fuzz_turn(net, pair[1]);
    close(pair[1]);
    for (int i = 0; i < 100 && net->conns; i++)
        uv_run(sw_loop_uv(net->loop), UV_RUN_NOWAIT);
    must(net->conns == NULL);
    must(net->call_count == 0);
    must(atomic_load(&net->assigned) == 0);
    must(atomic_load(&net->server->body_bytes) == 0);
}

#endif /* SW_FUZZ_NET_FUZZING_H */
