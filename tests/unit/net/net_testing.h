/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real server on a free loopback port, with routes that show what the net does, and raw sockets
 * to talk to it byte by byte.
 */
#ifndef SW_TESTS_NET_TESTING_H
#define SW_TESTS_NET_TESTING_H

#include "base/clock.h"
#include "net/server.h"
#include "unit/scratch.h"
#include "unit/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 5000, BIG_BYTES = 10 * 1000 * 1000 };

/* What the handlers have seen; one server at a time. */
static struct {
    atomic_int gone, replied, closed_streams, pool_running, last_status;
    atomic_bool release_pool;
} seen;

static void answer_hello(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 200, "text/plain", SW_STR("hello"));
}

static void answer_echo(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 200, "application/octet-stream", exchange->body);
}

static void answer_params(sw_exchange *exchange, void *context) {
    (void)context;
    sw_str q = sw_exchange_query(exchange, "q");
    sw_str text =
        sw_arena_printf(&exchange->arena, "%.*s|%.*s|%.*s|%.*s", SW_STR_ARG(exchange->params[0]),
                        SW_STR_ARG(exchange->params[1]), SW_STR_ARG(q),
                        SW_STR_ARG(sw_exchange_header(exchange, "x-mark")));
    sw_exchange_add_header(exchange, "x-back", sw_exchange_header(exchange, "x-mark"));
    sw_exchange_reply(exchange, 200, "text/plain", text);
}

static void answer_failure(sw_exchange *exchange, void *context) {
    (void)context;
    sw_error error;
    sw_exchange_fail(exchange, sw_fail(&error, SW_CODE_BUSY, "50%% full: \"%s\"", "q\xc3\xa9ue"),
                     &error);
}

static void answer_nothing_204(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_reply(exchange, 204, NULL, (sw_str){0});
}

static void answer_big(sw_exchange *exchange, void *context) {
    (void)context;
    char *big = malloc(BIG_BYTES);
    memset(big, 'b', BIG_BYTES);
    sw_exchange_reply(exchange, 200, "text/plain", (sw_str){big, BIG_BYTES});
    free(big);
}

static void answer_on_pool(sw_exchange *exchange, void *context) {
    (void)context;
    atomic_fetch_add(&seen.pool_running, 1);
    while (sw_str_is(exchange->path, "/held") && !atomic_load(&seen.release_pool))
        usleep(1000);
    atomic_fetch_sub(&seen.pool_running, 1);
    sw_exchange_reply(exchange, 200, "text/plain", SW_STR("from a pool"));
}

/* "BYTES SUM" of an uploaded body; under /held-upload/{name} once it is released, with the name. */
static void answer_upload(sw_exchange *exchange, void *context) {
    char bytes[5000];
    size_t len, total = 0;
    unsigned sum = 0;
    sw_error error = {.text = ""};
    (void)context;
    while (exchange->params[0].len && !atomic_load(&seen.release_pool))
        usleep(1000);
    for (;;) {
        sw_status status = sw_exchange_read(&len, exchange, bytes, sizeof bytes, &error);
        if (sw_failed(status)) {
            sw_exchange_fail(exchange, status, &error);
            return;
        }
        if (len == 0)
            break;
        for (size_t i = 0; i < len; i++)
            sum = sum * 31 + (unsigned char)bytes[i];
        total += len;
    }
    sw_exchange_reply(exchange, 201, "text/plain",
                      sw_arena_printf(&exchange->arena, "%zu %u%.*s", total, sum,
                                      SW_STR_ARG(exchange->params[0])));
}

static void answer_download(sw_exchange *exchange, void *context) {
    char piece[10000];
    (void)context;
    memset(piece, 'd', sizeof piece);
    sw_exchange_stream_open(exchange, 200, "text/plain");
    for (int i = 0; i < BIG_BYTES / (int)sizeof piece; i++)
        if (!sw_exchange_stream_send(exchange, (sw_str){piece, sizeof piece}))
            break;
    sw_exchange_stream_close(exchange, SW_OK, NULL);
    atomic_fetch_add(&seen.closed_streams, 1);
}

/* Event streams on the loop: open until the client goes; a tick at every turn end of a second. */
enum { LISTENERS_MAX = 64 };
static _Thread_local sw_exchange *listeners[LISTENERS_MAX];

static void listener_gone(sw_exchange *exchange) {
    for (int i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i] == exchange)
            listeners[i] = NULL;
    atomic_fetch_add(&seen.gone, 1);
    sw_exchange_stream_close(exchange, SW_OK, NULL);
}

static void answer_events(sw_exchange *exchange, void *context) {
    (void)context;
    sw_exchange_stream_open(exchange, 200, "text/event-stream");
    sw_exchange_stream_send(exchange, SW_STR("data: first\n\n"));
    exchange->on_gone = listener_gone;
    for (int i = 0; i < LISTENERS_MAX; i++)
        if (!listeners[i]) {
            listeners[i] = exchange;
            return;
        }
}

static void tick_listeners(void *context, sw_loop *loop) {
    (void)context;
    (void)loop;
    for (int i = 0; i < LISTENERS_MAX; i++)
        if (listeners[i])
            sw_exchange_stream_send(listeners[i], SW_STR("data: tick\n\n"));
}

/* Waits for a batch: replies come from a turn-end hook, newest first, as a real batch may. */
static _Thread_local sw_exchange *batch[LISTENERS_MAX];
static _Thread_local int batch_count;
static atomic_int batch_largest;

static void answer_batched(sw_exchange *exchange, void *context) {
    (void)context;
    if (batch_count < LISTENERS_MAX)
        batch[batch_count++] = exchange;
}

static void run_batch(void *context, sw_loop *loop) {
    (void)context;
    (void)loop;
    if (batch_count > atomic_load(&batch_largest))
        atomic_store(&batch_largest, batch_count);
    while (batch_count > 0) {
        sw_exchange *exchange = batch[--batch_count];
        sw_exchange_reply(exchange, 200, "text/plain", exchange->query);
    }
}

/* Never answers by itself: only when its client has gone. */
static void waiter_gone(sw_exchange *exchange) {
    atomic_fetch_add(&seen.gone, 1);
    sw_exchange_reply(exchange, 200, "text/plain", SW_STR("too late"));
}

static void answer_never(sw_exchange *exchange, void *context) {
    (void)context;
    exchange->on_gone = waiter_gone;
}

static void answer_deadline(sw_exchange *exchange, void *context) {
    (void)context;
    uint64_t left_ns = exchange->deadline_ns ? exchange->deadline_ns - exchange->received_ns : 0;
    sw_exchange_reply(exchange, 200, "text/plain",
                      sw_arena_printf(&exchange->arena, "%llu", (unsigned long long)left_ns));
}

/* Three messages, then OK (or what the message asks for). */
static void answer_grpc_stream(sw_exchange *exchange, void *context) {
    (void)context;
    bool fails = sw_str_is(exchange->body, "fail");
    sw_exchange_stream_open(exchange, 200, NULL);
    for (int i = 0; i < 3; i++)
        sw_exchange_stream_send(exchange, SW_STR("part"));
    sw_error error = {.text = "no more"};
    sw_exchange_stream_close(exchange, fails ? (sw_status){SW_CODE_UNAVAILABLE} : SW_OK,
                             fails ? &error : NULL);
}

static const sw_route_entry test_routes[] = {
    {SW_GET, "/hello", answer_hello, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/secret", answer_hello, SW_RUN_LOOP, SW_SCOPE_READ, false, 0},
    {SW_POST, "/echo", answer_echo, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/small", answer_echo, SW_RUN_LOOP, SW_SCOPE_NONE, false, 10},
    {SW_GET, "/p/{a}/{b}", answer_params, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/busy", answer_failure, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_DELETE, "/thing", answer_nothing_204, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/big", answer_big, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/pool", answer_on_pool, SW_RUN_POOL, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/held", answer_on_pool, SW_RUN_POOL, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/upload", answer_upload, SW_RUN_STREAM, SW_SCOPE_NONE, false, (size_t)1 << 30},
    {SW_POST, "/held-upload/{name}", answer_upload, SW_RUN_STREAM, SW_SCOPE_NONE, false,
     (size_t)1 << 30},
    {SW_POST, "/upload-small", answer_upload, SW_RUN_STREAM, SW_SCOPE_NONE, false, 1000},
    {SW_GET, "/download", answer_download, SW_RUN_POOL, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/events", answer_events, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/batched", answer_batched, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/never", answer_never, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_GET, "/deadline", answer_deadline, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    {SW_POST, "/t.S/Echo", answer_echo, SW_RUN_LOOP, SW_SCOPE_NONE, true, 1000},
    {SW_POST, "/t.S/Secret", answer_echo, SW_RUN_LOOP, SW_SCOPE_PREDICT, true, 0},
    {SW_POST, "/t.S/Fail", answer_failure, SW_RUN_LOOP, SW_SCOPE_NONE, true, 0},
    {SW_POST, "/t.S/Never", answer_never, SW_RUN_LOOP, SW_SCOPE_NONE, true, 0},
    {SW_POST, "/t.S/Deadline", answer_deadline, SW_RUN_LOOP, SW_SCOPE_NONE, true, 0},
    {SW_POST, "/t.S/Stream", answer_grpc_stream, SW_RUN_LOOP, SW_SCOPE_NONE, true, 0},
    {SW_POST, "/t.S/PoolStream", answer_grpc_stream, SW_RUN_POOL, SW_SCOPE_NONE, true, 0},
};

static inline sw_status authorize_by_word(sw_exchange *exchange, void *context, sw_error *error) {
    (void)context;
    sw_str given = sw_exchange_header(exchange, "authorization");
    if (!given.at)
        return sw_fail(error, SW_CODE_UNAUTHENTICATED, "say the word");
    if (!sw_str_is(given, "Bearer word"))
        return sw_fail(error, SW_CODE_DENIED, "that is not the word");
    snprintf(exchange->who, sizeof exchange->who, "worder");
    return SW_OK;
}

static void count_reply(const sw_exchange *exchange, int status, size_t bytes, void *context) {
    (void)exchange;
    (void)bytes;
    (void)context;
    atomic_fetch_add(&seen.replied, 1);
    atomic_store(&seen.last_status, status);
}

typedef struct test_server {
    sw_loops *loops;
    sw_server *server;
    int port;
} test_server;

/* `config` may leave everything at zero. */
static inline bool server_start(test_server *out, const sw_server_config *config, uint32_t loops) {
    sw_error error = {.text = ""};
    sw_server_config own = config ? *config : (sw_server_config){0};
    if (!own.listen)
        own.listen = "127.0.0.1:0";
    own.on_replied = count_reply;
    memset(&seen, 0, sizeof seen);
    *out = (test_server){0};
    if (sw_failed(sw_loops_make(&out->loops, loops, &error))) {
        TEST_FAIL_("no loops: %s", error.text);
        return false;
    }
    for (uint32_t i = 0; i < sw_loops_count(out->loops); i++) {
        sw_loop_add_turn_end(sw_loops_at(out->loops, i), (sw_loop_hook){run_batch, NULL});
        sw_loop_add_every_second(sw_loops_at(out->loops, i), (sw_loop_hook){tick_listeners, NULL});
    }
    if (sw_failed(sw_server_start(&out->server, out->loops, test_routes,
                                  sizeof test_routes / sizeof *test_routes, NULL, &own, &error)) ||
        sw_failed(sw_loops_run(out->loops, &error))) {
        TEST_FAIL_("no server: %s", error.text);
        return false;
    }
    out->port = atoi(strrchr(sw_server_url(out->server), ':') + 1);
    return true;
}

static inline void server_stop(test_server *server) {
    sw_server_drain(server->server, 0);
    sw_loops_stop(server->loops);
    *server = (test_server){0};
}

static inline int dial(const test_server *server) {
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)server->port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&where, sizeof where) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static inline bool say_bytes(int fd, const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        ssize_t put = send(fd, at, len, MSG_NOSIGNAL);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        len -= (size_t)put;
    }
    return true;
}

static inline bool say(int fd, const char *text) {
    return say_bytes(fd, text, strlen(text));
}

/* What the server sent, NUL-terminated, until it closes, `cap` is full, or nothing comes for
 * `quiet_ms`. */
typedef struct heard {
    char *at;
    size_t len, cap;
    bool closed;
} heard;

static inline bool hear_some(heard *h, int fd, int wait_ms) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (h->cap - h->len < 65536) {
        h->cap = h->cap ? h->cap * 2 : 131072;
        h->at = realloc(h->at, h->cap);
    }
    if (poll(&poll_fd, 1, wait_ms) <= 0)
        return false;
    ssize_t got = recv(fd, h->at + h->len, h->cap - h->len - 1, 0);
    if (got <= 0) {
        h->closed = true;
        return false;
    }
    h->len += (size_t)got;
    h->at[h->len] = '\0';
    return true;
}

static inline heard hear_to_close(int fd) {
    heard h = {0};
    while (hear_some(&h, fd, WAIT_MS))
        ;
    if (h.len == 0)
        h.at[0] = '\0';
    return h;
}

/* Until `part` has come. */
static inline heard hear_until(int fd, const char *part) {
    heard h = {0};
    uint64_t end_ns = sw_clock_ns() + WAIT_MS * SW_NS_PER_MS;
    while (sw_clock_ns() < end_ns && hear_some(&h, fd, WAIT_MS) && !strstr(h.at, part))
        ;
    if (h.len == 0)
        h.at[0] = '\0';
    return h;
}

static inline void hush(heard *h) {
    free(h->at);
    *h = (heard){0};
}

/* One exchange on a connection of its own. Free it with hush. */
static inline heard ask_bytes(const test_server *server, const void *bytes, size_t len) {
    int fd = dial(server);
    say_bytes(fd, bytes, len);
    shutdown(fd, SHUT_WR);
    heard h = hear_to_close(fd);
    close(fd);
    return h;
}

static inline heard ask(const test_server *server, const char *text) {
    return ask_bytes(server, text, strlen(text));
}

static inline bool wait_for(atomic_int *counter, int wanted) {
    for (int i = 0; i < WAIT_MS; i++) {
        if (atomic_load(counter) >= wanted)
            return true;
        usleep(1000);
    }
    return false;
}

static inline int count_of(const char *text, const char *part) {
    int count = 0;
    while ((text = strstr(text, part))) {
        count++;
        text += strlen(part);
    }
    return count;
}

#define HOST "Host: localhost\r\n"

#endif /* SW_TESTS_NET_TESTING_H */
