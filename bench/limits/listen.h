/* SPDX-License-Identifier: Apache-2.0 */
/* What both limits share: a listener on loopback, and a write that gives up only on a dead peer. */
#ifndef BENCH_LIMITS_LISTEN_H
#define BENCH_LIMITS_LISTEN_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ends the program with the failed call's name: a limit that half works would measure nothing. */
static inline void bench_require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline int bench_listen(const char *port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bench_require(fd >= 0, "socket");
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bench_require(bind(fd, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    bench_require(listen(fd, 511) == 0, "listen");
    return fd;
}

/* -1 when nobody waits. */
static inline int bench_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    int on = 1;
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static inline void bench_watch(int epoll, int fd, void *owner) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = owner};
    bench_require(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

/* Waits for a slow reader where it stands: right for a limit with one fast client, nowhere else. */
static inline bool bench_write_all(int fd, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t wrote = write(fd, bytes, size);
        if (wrote > 0) {
            bytes += wrote;
            size -= (size_t)wrote;
        } else if (wrote < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1000);
        } else if (wrote == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* The whole file, at most `capacity` bytes of it. */
static inline size_t bench_read_file(char *out, size_t capacity, const char *path) {
    FILE *file = fopen(path, "rb");
    bench_require(file != NULL, path);
    size_t size = fread(out, 1, capacity, file);
    fclose(file);
    bench_require(size > 0, path);
    return size;
}

#endif /* BENCH_LIMITS_LISTEN_H */
