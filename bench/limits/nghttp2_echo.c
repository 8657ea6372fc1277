/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under every unary gRPC server that stands on nghttp2: epoll, one read, the library's
 * own parser, one fixed message with correct trailers, and one write for all that a read brought.
 * Usage: nghttp2_echo PORT MESSAGE (a file with one length-prefixed gRPC message)
 */
#include <nghttp2/nghttp2.h>

#include "listen.h"

enum { READ_BYTES = 64 * 1024, OUT_BYTES = 256 * 1024, MESSAGE_BYTES_MAX = 8 * 1024, EVENTS = 64 };

typedef struct connection {
    int fd;
    nghttp2_session *session;
} connection;

#define STATIC_HEADER(n, v)                                              \
    {                                                                    \
        (uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1,    \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE \
    }

static const nghttp2_nv head[] = {STATIC_HEADER(":status", "200"),
                                  STATIC_HEADER("content-type", "application/grpc")};
static const nghttp2_nv trailers[] = {STATIC_HEADER("grpc-status", "0")};

static char message[MESSAGE_BYTES_MAX];
static size_t message_bytes;
static char out[OUT_BYTES];

static ssize_t read_message(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user) {
    (void)source;
    (void)user;
    if (size < message_bytes)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    memcpy(bytes, message, message_bytes);
    *flags = NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    if (nghttp2_submit_trailer(session, stream, trailers, 1) != 0)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return (ssize_t)message_bytes;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user) {
    (void)user;
    bool request = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    nghttp2_data_provider provider = {.read_callback = read_message};
    return nghttp2_submit_response(session, frame->hd.stream_id, head, 2, &provider);
}

static bool flush(connection *client) {
    size_t used = 0;
    for (;;) {
        const uint8_t *bytes;
        ssize_t size = nghttp2_session_mem_send(client->session, &bytes);
        if (size < 0)
            return false;
        if (size == 0 || used + (size_t)size > OUT_BYTES) {
            if (!bench_write_all(client->fd, out, used))
                return false;
            used = 0;
        }
        if (size == 0)
            return true;
        memcpy(out + used, bytes, (size_t)size);
        used += (size_t)size;
    }
}

/* False when the connection is over. */
static bool serve(connection *client) {
    static uint8_t bytes[READ_BYTES];
    ssize_t got = read(client->fd, bytes, sizeof bytes);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    return nghttp2_session_mem_recv(client->session, bytes, (size_t)got) == got && flush(client);
}

static void welcome(int epoll, int listener, const nghttp2_session_callbacks *callbacks) {
    int fd;
    while ((fd = bench_accept(listener)) >= 0) {
        connection *client = calloc(1, sizeof *client);
        bench_require(client != NULL, "calloc");
        client->fd = fd;
        bench_require(nghttp2_session_server_new(&client->session, callbacks, client) == 0,
                      "nghttp2_session_server_new");
        nghttp2_settings_entry streams = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 256};
        nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &streams, 1);
        bench_watch(epoll, fd, client);
    }
}

static void goodbye(connection *client) {
    nghttp2_session_del(client->session);
    close(client->fd);
    free(client);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: nghttp2_echo PORT MESSAGE\n");
        return 2;
    }
    message_bytes = bench_read_file(message, sizeof message, argv[2]);
    int listener = bench_listen(argv[1]);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_watch(epoll, listener, NULL);
    nghttp2_session_callbacks *callbacks;
    bench_require(nghttp2_session_callbacks_new(&callbacks) == 0, "nghttp2_session_callbacks_new");
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            connection *client = events[i].data.ptr;
            if (client == NULL)
                welcome(epoll, listener, callbacks);
            else if (!serve(client))
                goodbye(client);
        }
    }
}
