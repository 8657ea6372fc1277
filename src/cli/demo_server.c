/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/demo_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PORT_DEFAULT = 8080,
    READY_WITHIN_S = 15,
    STOP_WITHIN_S = 15,
    LOG_SHOWN_BYTES = 600,
    FTW_DESCRIPTORS = 16
};

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* `port`, or 0 for any; the one that was free a moment ago, or 0 where none was. */
static unsigned try_port(unsigned port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int yes = 1, socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned found = 0;
    if (socket_fd < 0)
        return 0;
    setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(socket_fd, (struct sockaddr *)&address, len) == 0 && listen(socket_fd, 1) == 0 &&
        getsockname(socket_fd, (struct sockaddr *)&address, &len) == 0)
        found = ntohs(address.sin_port);
    close(socket_fd);
    return found;
}

static sw_status choose_address(sw_demo_server *server, const char *listen_at, sw_error *error) {
    const char *colon = listen_at ? strrchr(listen_at, ':') : NULL;
    bool any_port = colon && strcmp(colon, ":0") == 0;
    int host_len = any_port ? (int)(colon - listen_at) : 0;
    unsigned port = listen_at ? 0 : try_port(PORT_DEFAULT);
    if (!port && (!listen_at || any_port) && !(port = try_port(0)))
        return sw_fail(error, SW_CODE_IO, "no free port on 127.0.0.1: %s", strerror(errno));
    if (port)
        snprintf(server->listen, sizeof server->listen, "%.*s:%u", any_port ? host_len : 9,
                 any_port ? listen_at : "127.0.0.1", port);
    else
        snprintf(server->listen, sizeof server->listen, "%s", listen_at);
    bool is_socket = strncmp(server->listen, "unix:", 5) == 0;
    snprintf(server->url, sizeof server->url, "%s%s", is_socket ? "" : "http://", server->listen);
    return SW_OK;
}

static sw_status choose_data(sw_demo_server *server, const char *data, sw_error *error) {
    if (data) {
        snprintf(server->data, sizeof server->data, "%s", data);
        return SW_OK;
    }
    const char *folder = getenv("TMPDIR");
    snprintf(server->data, sizeof server->data, "%.200s/slipway-demo-XXXXXX",
             folder && *folder ? folder : "/tmp");
    if (!mkdtemp(server->data))
        return sw_fail(error, SW_CODE_IO, "no folder for the demo's data (%s): %s", server->data,
                       strerror(errno));
    server->data_is_ours = true;
    return SW_OK;
}

/* In the child: ends with the parent, but not by a Ctrl-C that is meant for the parent. */
static void become_server(const sw_demo_server *server) {
    char data[sizeof server->data], listen_at[sizeof server->listen];
    memcpy(data, server->data, sizeof data);
    memcpy(listen_at, server->listen, sizeof listen_at);
    char name[] = "slipway", serve[] = "serve", data_name[] = "--data", listen_name[] = "--listen";
    char *const arguments[] = {name, serve, data_name, data, listen_name, listen_at, NULL};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0);
    int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(server->log, STDOUT_FILENO);
    dup2(server->log, STDERR_FILENO);
    execv("/proc/self/exe", arguments);
    _exit(127);
}

/* What the server said last, on one line. */
static void read_log(char *to, size_t size, const sw_demo_server *server) {
    off_t end = lseek(server->log, 0, SEEK_END);
    off_t from = end > (off_t)size - 1 ? end - (off_t)size + 1 : 0;
    ssize_t got = pread(server->log, to, size - 1, from);
    to[got > 0 ? got : 0] = 0;
    for (char *at = to; *at; at++)
        if (*at == '\n')
            *at = at[1] ? ' ' : 0;
}

bool sw_demo_server_runs(sw_demo_server *server) {
    if (server->pid && waitpid(server->pid, NULL, WNOHANG) == server->pid)
        server->pid = 0;
    return server->pid != 0;
}

static sw_status wait_ready(sw_demo_server *server, sw_error *error) {
    sw_client *client = NULL;
    SW_TRY(sw_client_make(&client, server->url, NULL, NULL, error));
    sw_request request = {.method = "GET", .path = "/readyz", .timeout_ms = 1000};
    sw_reply reply = {0};
    sw_status status = SW_OK;
    uint64_t until_ns = sw_clock_ns() + READY_WITHIN_S * SW_NS_PER_S;
    for (;;) {
        if (!sw_failed(sw_client_do(&reply, client, &request, NULL)) && reply.http == 200)
            break;
        char said[LOG_SHOWN_BYTES];
        bool runs = sw_demo_server_runs(server);
        read_log(said, sizeof said, server);
        if (!runs)
            status = sw_fail(error, SW_CODE_IO, "the server did not start: %s",
                             *said ? said : "it said nothing");
        else if (sw_clock_ns() > until_ns)
            status = sw_fail(error, SW_CODE_DEADLINE, "the server was not ready within %d s: %s",
                             READY_WITHIN_S, said);
        if (sw_failed(status))
            break;
        pause_ms(2);
    }
    sw_reply_free(&reply);
    sw_client_free(client);
    return status;
}

sw_status sw_demo_server_start(sw_demo_server *server, const char *listen_at, const char *data,
                               sw_error *error) {
    *server = (sw_demo_server){.log = -1};
    SW_TRY(sw_client_load(error));
    SW_TRY(choose_address(server, listen_at, error));
    SW_TRY(choose_data(server, data, error));
    server->log = memfd_create("slipway-demo", MFD_CLOEXEC);
    if (server->log < 0)
        return sw_fail(error, SW_CODE_IO, "no memory for the server's log: %s", strerror(errno));
    fflush(NULL);
    server->pid = fork();
    if (server->pid == 0)
        become_server(server);
    if (server->pid < 0) {
        server->pid = 0;
        return sw_fail(error, SW_CODE_IO, "no process for the server: %s", strerror(errno));
    }
    return wait_ready(server, error);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where) {
    (void)info, (void)kind, (void)where;
    remove(path);
    return 0; /* what cannot be removed stays; the rest goes */
}

void sw_demo_server_stop(sw_demo_server *server) {
    uint64_t until_ns = sw_clock_ns() + STOP_WITHIN_S * SW_NS_PER_S;
    if (server->pid)
        kill(server->pid, SIGTERM);
    while (sw_demo_server_runs(server)) {
        if (sw_clock_ns() > until_ns)
            kill(server->pid, SIGKILL);
        pause_ms(5);
    }
    if (server->log >= 0)
        close(server->log);
    server->log = -1;
    if (server->data_is_ours)
        nftw(server->data, remove_one, FTW_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
    server->data_is_ours = false;
}
