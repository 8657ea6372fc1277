/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A closed-loop unary gRPC client that rotates its messages, which h2load cannot: C connections
 * with S streams each are kept full, every new call takes the next message of a file.
 *
 * Usage: grpc_load PORT PATH MESSAGES CONNECTIONS STREAMS WARMUP_S SECONDS
 *            prints one JSON object: requests, failed, seconds, p50_us, p99_us
 *        grpc_load PORT PATH MESSAGES --show COUNT
 *            calls one message after the other and prints each reply's message in hexadecimal
 *
 * MESSAGES holds length-prefixed gRPC messages one after the other. A call counts as failed
 * unless it ends with :status 200 and grpc-status 0.
 */
#include <nghttp2/nghttp2.h>
#include <time.h>

#include "../limits/listen.h"

enum {
    MESSAGES_MAX = 4096,
    READ_BYTES = 64 * 1024,
    OUT_BYTES = 256 * 1024,
    SHOW_BYTES_MAX = 16 * 1024,
    EVENTS = 64,
    WINDOW_BYTES = (1 << 30) - 1,
    LATENCY_US_MAX = 200 * 1000,
};

typedef struct message {
    const uint8_t *bytes;
    size_t size;
    size_t sent;
} message;

typedef struct call {
    uint64_t started_ns;
    message body;
    bool http_ok;
    bool grpc_ok;
} call;

typedef struct connection {
    int fd;
    nghttp2_session *session;
    call *calls;
} connection;

static message messages[MESSAGES_MAX];
static size_t message_count;
static size_t next_message;

static nghttp2_nv head[6];
static uint64_t now_ns;
static bool refill = true;
static uint64_t done_count;
static uint64_t failed_count;
static uint32_t latency_us[LATENCY_US_MAX + 1];

static uint8_t shown[SHOW_BYTES_MAX];
static size_t shown_bytes;

static void tick(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    now_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void load_messages(const char *path) {
    size_t capacity = 64u << 20;
    uint8_t *bytes = malloc(capacity);
    bench_require(bytes != NULL, "malloc");
    size_t size = bench_read_file((char *)bytes, capacity, path);
    for (size_t at = 0; at + 5 <= size && message_count < MESSAGES_MAX;) {
        size_t length = 5 + ((size_t)bytes[at + 1] << 24 | (size_t)bytes[at + 2] << 16 |
                             (size_t)bytes[at + 3] << 8 | bytes[at + 4]);
        bench_require(length <= size - at, "truncated messages file");
        messages[message_count++] = (message){bytes + at, length, 0};
        at += length;
    }
}

static nghttp2_nv header(const char *name, const char *value) {
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static void make_head(const char *port, const char *path) {
    static char authority[32];
    snprintf(authority, sizeof authority, "127.0.0.1:%s", port);
    head[0] = header(":method", "POST");
    head[1] = header(":scheme", "http");
    head[2] = header(":path", path);
    head[3] = header(":authority", authority);
    head[4] = header("content-type", "application/grpc");
    head[5] = header("te", "trailers");
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *user) {
    (void)session;
    (void)stream;
    (void)user;
    message *body = &((call *)source->ptr)->body;
    size_t part = body->size - body->sent < size ? body->size - body->sent : size;
    memcpy(bytes, body->bytes + body->sent, part);
    body->sent += part;
    if (body->sent == body->size)
        *flags = NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

static void begin(connection *server, call *one) {
    *one = (call){.started_ns = now_ns, .body = messages[next_message]};
    next_message = next_message + 1 == message_count ? 0 : next_message + 1;
    nghttp2_data_provider body = {.source.ptr = one, .read_callback = read_body};
    int32_t stream = nghttp2_submit_request(server->session, NULL, head, 6, &body, one);
    bench_require(stream > 0, "nghttp2_submit_request");
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user) {
    (void)flags;
    (void)user;
    call *one = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (one == NULL)
        return 0;
    if (name_size == 7 && memcmp(name, ":status", 7) == 0)
        one->http_ok = value_size == 3 && memcmp(value, "200", 3) == 0;
    else if (name_size == 11 && memcmp(name, "grpc-status", 11) == 0)
        one->grpc_ok = value_size == 1 && value[0] == '0';
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t size, void *user) {
    (void)session;
    (void)flags;
    (void)stream;
    (void)user;
    if (refill || shown_bytes + size > sizeof shown)
        return 0;
    memcpy(shown + shown_bytes, bytes, size);
    shown_bytes += size;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t error, void *user) {
    call *one = nghttp2_session_get_stream_user_data(session, stream);
    if (one == NULL)
        return 0;
    uint64_t us = (now_ns - one->started_ns) / 1000;
    latency_us[us < LATENCY_US_MAX ? us : LATENCY_US_MAX]++;
    done_count++;
    if (error != 0 || !one->http_ok || !one->grpc_ok)
        failed_count++;
    if (refill)
        begin(user, one);
    return 0;
}

static void flush(connection *server) {
    static char out[OUT_BYTES];
    size_t used = 0;
    ssize_t size;
    const uint8_t *bytes;
    while ((size = nghttp2_session_mem_send(server->session, &bytes)) > 0) {
        if (used + (size_t)size > sizeof out) {
            bench_require(bench_write_all(server->fd, out, used), "write");
            used = 0;
        }
        memcpy(out + used, bytes, (size_t)size);
        used += (size_t)size;
    }
    bench_require(size == 0 && bench_write_all(server->fd, out, used), "write");
}

static void receive(connection *server) {
    static uint8_t bytes[READ_BYTES];
    ssize_t got = read(server->fd, bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    bench_require(got > 0, "the server closed the connection");
    tick();
    bench_require(nghttp2_session_mem_recv(server->session, bytes, (size_t)got) == got,
                  "the server broke the protocol");
    flush(server);
}

static void open_connection(connection *server, const char *port, size_t streams,
                            const nghttp2_session_callbacks *callbacks) {
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bench_require(connect(server->fd, (struct sockaddr *)&address, sizeof address) == 0, "connect");
    int on = 1;
    setsockopt(server->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    server->calls = calloc(streams, sizeof *server->calls);
    bench_require(server->calls != NULL, "calloc");
    bench_require(nghttp2_session_client_new(&server->session, callbacks, server) == 0,
                  "nghttp2_session_client_new");
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
                                         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES}};
    nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(server->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
}

static nghttp2_session_callbacks *make_callbacks(void) {
    nghttp2_session_callbacks *callbacks;
    bench_require(nghttp2_session_callbacks_new(&callbacks) == 0, "nghttp2_session_callbacks_new");
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    return callbacks;
}

static uint32_t percentile_us(double share) {
    uint64_t left = (uint64_t)((double)done_count * share);
    for (uint32_t us = 0; us < LATENCY_US_MAX; us++) {
        if (latency_us[us] > left)
            return us;
        left -= latency_us[us];
    }
    return LATENCY_US_MAX;
}

static void run_until(int epoll, uint64_t end_ns) {
    struct epoll_event events[EVENTS];
    while (now_ns < end_ns) {
        int count = epoll_wait(epoll, events, EVENTS, 100);
        tick();
        for (int i = 0; i < count; i++)
            receive(events[i].data.ptr);
    }
}

static int load(const char *port, size_t connections, size_t streams, double warmup_s,
                double run_s) {
    nghttp2_session_callbacks *callbacks = make_callbacks();
    connection *servers = calloc(connections, sizeof *servers);
    bench_require(servers != NULL, "calloc");
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    tick();
    for (size_t i = 0; i < connections; i++) {
        open_connection(&servers[i], port, streams, callbacks);
        for (size_t j = 0; j < streams; j++)
            begin(&servers[i], &servers[i].calls[j]);
        flush(&servers[i]);
        bench_watch(epoll, servers[i].fd, &servers[i]);
    }
    run_until(epoll, now_ns + (uint64_t)(warmup_s * 1e9));
    memset(latency_us, 0, sizeof latency_us);
    uint64_t failed_early = failed_count;
    done_count = 0;
    uint64_t started_ns = now_ns;
    run_until(epoll, started_ns + (uint64_t)(run_s * 1e9));
    printf(
        "{\"requests\": %lu, \"failed\": %lu, \"seconds\": %.6f, \"p50_us\": %u, \"p99_us\": %u, "
        "\"failed_in_warmup\": %lu}\n",
        done_count, failed_count - failed_early, (double)(now_ns - started_ns) / 1e9,
        percentile_us(0.50), percentile_us(0.99), failed_early);
    return 0;
}

static int show(const char *port, size_t count) {
    connection server = {0};
    refill = false;
    open_connection(&server, port, 1, make_callbacks());
    for (size_t i = 0; i < count; i++) {
        shown_bytes = 0;
        done_count = 0;
        begin(&server, &server.calls[0]);
        flush(&server);
        while (done_count == 0)
            receive(&server);
        bench_require(failed_count == 0, "the call failed");
        for (size_t at = 5; at < shown_bytes; at++)
            printf("%02x", shown[at]);
        printf("\n");
    }
    return 0;
}

int main(int argc, char **argv) {
    bool showing = argc == 6 && strcmp(argv[4], "--show") == 0;
    if (argc != 8 && !showing) {
        fprintf(stderr, "usage: grpc_load PORT PATH MESSAGES CONNECTIONS STREAMS WARMUP_S SECONDS\n"
                        "       grpc_load PORT PATH MESSAGES --show COUNT\n");
        return 2;
    }
    make_head(argv[1], argv[2]);
    load_messages(argv[3]);
    if (showing)
        return show(argv[1], strtoul(argv[5], NULL, 10));
    return load(argv[1], strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10), atof(argv[6]),
                atof(argv[7]));
}
