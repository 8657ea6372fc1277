/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening sockets, and the thread that accepts.
 *
 * One queue of accepted sockets, each handed to the loop with the fewest: with SO_REUSEPORT the
 * kernel spreads by hash, resets what waits in a closed listener, and lets a second server bind.
 */
#include "net/net_private.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, PAUSE_MS = 20 };

struct sw_listener {
    sw_server *server;
    int tcp, local, stop, reserve; /* file descriptors; -1 = none */
    bool has_thread;
    pthread_t thread;
    dev_t path_dev;
    ino_t path_ino;
};

typedef struct address {
    char host[64];
    char port[8];
    struct sockaddr_storage bytes;
    socklen_t len;
} address;

static sw_status parse_address(address *out, const char *listen, sw_error *error) {
    sw_str name, port;
    if (!listen || !sw_str_split_host(&name, &port, sw_str_of(listen)) || !port.at ||
        name.len >= sizeof out->host || port.len >= sizeof out->port)
        return sw_fail(error, SW_CODE_INVALID,
                       "cannot listen on %s; give ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080",
                       listen ? listen : "nothing");
    snprintf(out->host, sizeof out->host, "%.*s", SW_STR_ARG(name));
    snprintf(out->port, sizeof out->port, "%.*s", SW_STR_ARG(port));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int failure = getaddrinfo(out->host, out->port, &hints, &found);
    if (failure)
        return sw_fail(error, SW_CODE_INVALID, "cannot listen on %s: %s", listen,
                       gai_strerror(failure));
    memcpy(&out->bytes, found->ai_addr, found->ai_addrlen);
    out->len = found->ai_addrlen;
    freeaddrinfo(found);
    return SW_OK;
}

/* "ADDRESS:PORT" in hexadecimal, as the kernel's tables have it; 0 where it is none. */
static unsigned hex_port(sw_str address_and_port) {
    unsigned port = 0;
    sw_str_split(&address_and_port, ':');
    for (size_t i = 0; i < address_and_port.len; i++) {
        char c = address_and_port.at[i];
        port = port * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return port;
}

/* The inode of the socket that listens on `port`, from one of the kernel's tables (proc(5)); 0 =
 * none. */
static uint64_t listening_inode(const char *table, unsigned port) {
    enum { LOCAL = 1, STATE = 3, INODE = 9, FIELDS };
    char line[512];
    uint64_t inode = 0;
    FILE *file = fopen(table, "re");
    while (file && !inode && fgets(line, sizeof line, file)) {
        sw_str left = sw_str_of(line), field[FIELDS];
        for (int i = 0; i < FIELDS; i++) {
            left = sw_str_trim(left);
            field[i] = sw_str_split(&left, ' ');
        }
        if (sw_str_is(field[STATE], "0A") && hex_port(field[LOCAL]) == port &&
            !sw_str_to_u64(&inode, field[INODE], UINT64_MAX))
            inode = 0;
    }
    if (file)
        fclose(file);
    return inode;
}

static bool process_has_socket(const char *pid, uint64_t inode) {
    char path[300], target[64], wanted[64];
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    DIR *folder = opendir(path);
    bool has = false;
    for (struct dirent *entry; folder && !has && (entry = readdir(folder));) {
        snprintf(path, sizeof path, "/proc/%s/fd/%.32s", pid, entry->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        has = len > 0 && (size_t)len == strlen(wanted) && memcmp(target, wanted, (size_t)len) == 0;
    }
    if (folder)
        closedir(folder);
    return has;
}

/* "process 1234 (name)", or "another process" where the kernel does not tell. */
static void name_owner(char out[128], unsigned port) {
    snprintf(out, 128, "another process");
    uint64_t inode = listening_inode("/proc/net/tcp", port);
    if (!inode)
        inode = listening_inode("/proc/net/tcp6", port);
    DIR *folder = inode ? opendir("/proc") : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            !process_has_socket(entry->d_name, inode))
            continue;
        char path[300], name[64] = "";
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *file = fopen(path, "re");
        if (file && fgets(name, sizeof name, file))
            name[strcspn(name, "\n")] = '\0';
        if (file)
            fclose(file);
        snprintf(out, 128, "process %.20s (%s)", entry->d_name, name);
        break;
    }
    if (folder)
        closedir(folder);
}

static sw_status bind_failed(const char *listen, const char *port, sw_error *error) {
    if (errno != EADDRINUSE)
        return sw_fail(error, SW_CODE_IO, "cannot listen on %s: %s", listen, strerror(errno));
    char owner[128];
    uint64_t number = 0;
    bool is_number = sw_str_to_u64(&number, sw_str_of(port), UINT16_MAX);
    name_owner(owner, is_number ? (unsigned)number : 0);
    return sw_fail(error, SW_CODE_CONFLICT,
                   "%s is in use by %s; stop that, or listen elsewhere with --listen ADDRESS:PORT",
                   listen, owner);
}

static struct sockaddr_in as_ipv4(const struct sockaddr_storage *bytes) {
    struct sockaddr_in four = {0};
    memcpy(&four, bytes, sizeof four);
    return four;
}

static struct sockaddr_in6 as_ipv6(const struct sockaddr_storage *bytes) {
    struct sockaddr_in6 six = {0};
    memcpy(&six, bytes, sizeof six);
    return six;
}

static unsigned port_of(const struct sockaddr_storage *bytes) {
    return ntohs(bytes->ss_family == AF_INET6 ? as_ipv6(bytes).sin6_port : as_ipv4(bytes).sin_port);
}

static bool is_wildcard(const struct sockaddr_storage *bytes) {
    struct sockaddr_in6 six = as_ipv6(bytes);
    return bytes->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&six.sin6_addr)
                                        : as_ipv4(bytes).sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool is_loopback(const struct sockaddr_storage *bytes) {
    struct sockaddr_in6 six = as_ipv6(bytes);
    return bytes->ss_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&six.sin6_addr)
                                        : ntohl(as_ipv4(bytes).sin_addr.s_addr) >> 24 == 127;
}

static void note_url(sw_server *server, const address *where, unsigned port) {
    bool six = where->bytes.ss_family == AF_INET6;
    const char *host = !is_wildcard(&where->bytes) ? where->host : six ? "::1" : "127.0.0.1";
    bool brackets = strchr(host, ':') != NULL;
    snprintf(server->url, sizeof server->url, "%s://%s%s%s:%u", server->tls ? "https" : "http",
             brackets ? "[" : "", host, brackets ? "]" : "", port);
    server->guard.beyond_loopback = !is_loopback(&where->bytes);
}

static sw_status listen_tcp(sw_listener *listener, sw_error *error) {
    sw_server *server = listener->server;
    const char *listen_text = server->config.listen;
    address where = {.len = 0};
    SW_TRY(parse_address(&where, listen_text, error));
    snprintf(server->listen_host, sizeof server->listen_host, "%s", where.host);
    int on = 1;
    int fd = socket(where.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return sw_fail(error, SW_CODE_IO, "cannot make a socket: %s", strerror(errno));
    listener->tcp = fd;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&where.bytes, where.len) != 0 || listen(fd, BACKLOG) != 0)
        return bind_failed(listen_text, where.port, error);
    struct sockaddr_storage taken = {0};
    socklen_t len = sizeof taken;
    if (getsockname(fd, (struct sockaddr *)&taken, &len) != 0)
        return sw_fail(error, SW_CODE_IO, "cannot tell the port of %s: %s", listen_text,
                       strerror(errno));
    note_url(server, &where, port_of(&taken));
    return SW_OK;
}

/* Whether a server answers at the path. One that died left a file that refuses connections. */
static bool is_answered(const struct sockaddr_un *where) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = fd >= 0 && (connect(fd, (const struct sockaddr *)where, sizeof *where) == 0 ||
                                errno == EAGAIN || errno == EINPROGRESS);
    if (fd >= 0)
        close(fd);
    return answered;
}

static sw_status listen_local(sw_listener *listener, sw_error *error) {
    const char *path = listener->server->config.unix_path;
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    struct stat file;
    if (strlen(path) >= sizeof where.sun_path)
        return sw_fail(error, SW_CODE_INVALID,
                       "the socket path %s is longer than %zu bytes; choose a shorter one", path,
                       sizeof where.sun_path - 1);
    memcpy(where.sun_path, path, strlen(path) + 1);
    listener->local = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->local < 0)
        return sw_fail(error, SW_CODE_IO, "cannot make a socket: %s", strerror(errno));
    if (stat(path, &file) == 0) {
        if (!S_ISSOCK(file.st_mode))
            return sw_fail(error, SW_CODE_CONFLICT,
                           "%s is there and is no socket; choose another path", path);
        if (is_answered(&where))
            return sw_fail(error, SW_CODE_CONFLICT,
                           "another server answers at %s; stop it, or choose another path", path);
        unlink(path);
    }
    if (bind(listener->local, (struct sockaddr *)&where, sizeof where) != 0 ||
        listen(listener->local, BACKLOG) != 0 || stat(path, &file) != 0)
        return sw_fail(error, errno == EADDRINUSE ? SW_CODE_CONFLICT : SW_CODE_IO,
                       "cannot listen at %s: %s", path, strerror(errno));
    listener->path_dev = file.st_dev;
    listener->path_ino = file.st_ino;
    return SW_OK;
}

static sw_net *least_loaded(sw_server *server) {
    sw_net *best = &server->nets[0];
    for (uint32_t i = 1; i < server->net_count; i++)
        if (atomic_load(&server->nets[i].assigned) < atomic_load(&best->assigned))
            best = &server->nets[i];
    return best;
}

static void turn_away(int fd) {
    static const char full[] =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
        "Retry-After: 1\r\nConnection: close\r\nContent-Length: 45\r\n\r\n"
        "{\"error\":\"the server has too many connections\"}";
    (void)!send(fd, full, sizeof full - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void hand_over(sw_listener *listener, int fd, bool local) {
    sw_server *server = listener->server;
    int on = 1;
    if (!local)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sw_net *net = least_loaded(server);
    sw_conn *conn = sw_server_connections(server) < server->config.connections_max
                        ? sw_conn_new(net, fd, local)
                        : NULL;
    if (!conn) {
        turn_away(fd);
        return;
    }
    atomic_fetch_add(&net->assigned, 1);
    sw_loop_post(net->loop, &conn->opened);
}

/* No descriptor is left: with the one in reserve the client is told by a close, instead of waiting
 * in a queue that never moves. */
static void shed(sw_listener *listener, int queue) {
    if (listener->reserve >= 0)
        close(listener->reserve);
    int fd = accept4(queue, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    poll(NULL, 0, PAUSE_MS);
}

static void accept_all(sw_listener *listener, int queue, bool local) {
    for (;;) {
        int fd = accept4(queue, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            hand_over(listener, fd, local);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            shed(listener, queue);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void *accept_until_stopped(void *argument) {
    sw_listener *listener = argument;
    pthread_setname_np(pthread_self(), "acceptor");
    struct pollfd wait[] = {{.fd = listener->stop, .events = POLLIN},
                            {.fd = listener->tcp, .events = POLLIN},
                            {.fd = listener->local, .events = POLLIN}};
    do {
        if (poll(wait, 3, -1) < 0 && errno != EINTR)
            break;
        if (wait[1].revents)
            accept_all(listener, listener->tcp, false);
        if (wait[2].revents)
            accept_all(listener, listener->local, true);
    } while (!(wait[0].revents & POLLIN));
    return NULL;
}

static sw_status start_thread(sw_listener *listener, sw_error *error) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&listener->thread, NULL, accept_until_stopped, listener);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure)
        return sw_fail(error, SW_CODE_IO, "cannot start a thread: %s", strerror(failure));
    listener->has_thread = true;
    return SW_OK;
}

sw_status sw_listener_start(sw_listener **out, sw_server *server, sw_error *error) {
    *out = NULL;
    sw_listener *listener = sw_mem_zalloc(1, sizeof *listener);
    if (!listener)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to listen");
    listener->server = server;
    listener->tcp = listener->local = -1;
    listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    listener->stop = eventfd(0, EFD_CLOEXEC);
    sw_status status = listener->stop < 0 ? sw_fail(error, SW_CODE_IO, "cannot make an eventfd: %s",
                                                    strerror(errno))
                                          : listen_tcp(listener, error);
    if (!sw_failed(status) && server->config.unix_path)
        status = listen_local(listener, error);
    if (!sw_failed(status))
        status = start_thread(listener, error);
    if (sw_failed(status)) {
        sw_listener_stop(listener);
        return status;
    }
    *out = listener;
    return SW_OK;
}

static void close_if(int fd) {
    if (fd >= 0)
        close(fd);
}

void sw_listener_stop(sw_listener *listener) {
    if (!listener)
        return;
    if (listener->has_thread) {
        uint64_t one = 1;
        (void)!write(listener->stop, &one, sizeof one);
        pthread_join(listener->thread, NULL);
        accept_all(listener, listener->tcp, false);
        if (listener->local >= 0)
            accept_all(listener, listener->local, true);
    }
    struct stat file;
    const char *path = listener->server->config.unix_path;
    if (listener->path_ino && stat(path, &file) == 0 && file.st_ino == listener->path_ino &&
        file.st_dev == listener->path_dev)
        unlink(path);
    close_if(listener->tcp);
    close_if(listener->local);
    close_if(listener->stop);
    close_if(listener->reserve);
    sw_mem_free(listener);
}
