/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under every HTTP/1.1 server in C: epoll, one read, one write, no parser but a search
 * for the end of the head and for Content-Length, and one fixed reply.
 * Usage: epoll_echo PORT REPLY (a file with the whole reply, head and body)
 */
#include "listen.h"

enum { BUFFER_BYTES = 64 * 1024, REPLY_BYTES_MAX = 16 * 1024, EVENTS = 64 };

typedef struct connection {
    int fd;
    size_t used;
    char bytes[BUFFER_BYTES];
} connection;

static char reply[REPLY_BYTES_MAX];
static size_t reply_bytes;
static char out[BUFFER_BYTES * 4];

/* Bytes of the first request in `bytes`, or 0 while it is incomplete. */
static size_t request_size(const char *bytes, size_t size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - bytes) + 4;
    size_t body = 0;
    for (const char *line = bytes; line < end; line++) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (line == NULL)
            break;
        if (strncasecmp(line + 1, "content-length:", 15) == 0) {
            body = strtoul(line + 16, NULL, 10);
            break;
        }
    }
    return head + body <= size ? head + body : 0;
}

/* False when the connection is over. */
static bool serve(connection *client) {
    ssize_t got = read(client->fd, client->bytes + client->used, BUFFER_BYTES - client->used);
    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    client->used += (size_t)got;
    size_t taken = 0;
    size_t replied = 0;
    for (;;) {
        size_t size = request_size(client->bytes + taken, client->used - taken);
        if (size == 0 || replied + reply_bytes > sizeof out)
            break;
        taken += size;
        memcpy(out + replied, reply, reply_bytes);
        replied += reply_bytes;
    }
    client->used -= taken;
    memmove(client->bytes, client->bytes + taken, client->used);
    return client->used < BUFFER_BYTES && bench_write_all(client->fd, out, replied);
}

static void welcome(int epoll, int listener) {
    int fd;
    while ((fd = bench_accept(listener)) >= 0) {
        connection *client = malloc(sizeof *client);
        bench_require(client != NULL, "malloc");
        client->fd = fd;
        client->used = 0;
        bench_watch(epoll, fd, client);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: epoll_echo PORT REPLY\n");
        return 2;
    }
    reply_bytes = bench_read_file(reply, sizeof reply, argv[2]);
    int listener = bench_listen(argv[1]);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bench_watch(epoll, listener, NULL);
    for (;;) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            connection *client = events[i].data.ptr;
            if (client == NULL) {
                welcome(epoll, listener);
            } else if (!serve(client)) {
                close(client->fd);
                free(client);
            }
        }
    }
}
