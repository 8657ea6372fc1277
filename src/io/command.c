/* SPDX-License-Identifier: Apache-2.0 */
#include "io/command.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 50, KEPT_BYTES = SW_COMMAND_OUTPUT_BYTES - 1 };

extern char **environ;

typedef struct run {
    const sw_command *command;
    pid_t pid;
    int in[2], out[2]; /* [1] of `in` and [0] of `out` are ours */
    size_t sent, got;
    char *output;
} run;

static void close_end(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_all(run *r) {
    close_end(&r->in[0]);
    close_end(&r->in[1]);
    close_end(&r->out[0]);
    close_end(&r->out[1]);
}

static int spawn(run *r) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&how);
    posix_spawn_file_actions_adddup2(&files, r->in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, r->out[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, r->out[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &usual);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    char *const *argv = r->command->argv;
    int failed = posix_spawn(&r->pid, argv[0], &files, &how, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    close_end(&r->in[0]);
    close_end(&r->out[1]);
    return failed;
}

static void send_some(run *r) {
    sw_str input = r->command->input;
    ssize_t sent = write(r->in[1], input.at + r->sent, input.len - r->sent);
    if (sent > 0)
        r->sent += (size_t)sent;
    if ((sent < 0 && errno != EAGAIN && errno != EINTR) || r->sent == input.len)
        close_end(&r->in[1]);
}

/* What is beyond the bound is read and dropped, so that the program need not wait. */
static void take_some(run *r) {
    char bytes[4096];
    ssize_t got = read(r->out[0], bytes, sizeof bytes);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&r->out[0]);
    size_t room = KEPT_BYTES - r->got, keep = got > 0 ? (size_t)got : 0;
    keep = keep < room ? keep : room;
    memcpy(r->output + r->got, bytes, keep);
    r->got += keep;
}

static void exchange_some(run *r) {
    struct pollfd fds[2] = {{.fd = r->in[1], .events = POLLOUT},
                            {.fd = r->out[0], .events = POLLIN}};
    if (poll(fds, 2, POLL_MS) <= 0)
        return;
    if (fds[0].revents)
        send_some(r);
    if (fds[1].revents)
        take_some(r);
}

static sw_status attend(int *exit_status, run *r, sw_error *error) {
    uint64_t end_ns = sw_clock_ns() + (uint64_t)r->command->timeout_ms * SW_NS_PER_MS;
    const atomic_bool *stop = r->command->stop;
    int how;
    for (;;) {
        if (waitpid(r->pid, &how, WNOHANG) == r->pid)
            break;
        bool stopped = stop && atomic_load(stop);
        if (stopped || sw_clock_ns() >= end_ns) {
            kill(-r->pid, SIGKILL);
            waitpid(r->pid, &how, 0);
            if (stopped)
                return sw_fail(error, SW_CODE_CANCELLED, "stopped, as the server ends");
            return sw_fail(error, SW_CODE_DEADLINE, "it ran for longer than %lld ms",
                           (long long)r->command->timeout_ms);
        }
        exchange_some(r);
    }
    if (r->out[0] >= 0)
        take_some(r);
    *exit_status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    return SW_OK;
}

sw_status sw_command_run(int *exit_status, char output[SW_COMMAND_OUTPUT_BYTES],
                         const sw_command *command, sw_error *error) {
    run r = {.command = command, .in = {-1, -1}, .out = {-1, -1}, .output = output};
    sw_status status;
    if (pipe2(r.in, O_CLOEXEC) != 0 || pipe2(r.out, O_CLOEXEC) != 0) {
        status = sw_fail(error, SW_CODE_IO, "a pipe: %s", strerror(errno));
        goto done;
    }
    fcntl(r.in[1], F_SETFL, O_NONBLOCK);
    fcntl(r.out[0], F_SETFL, O_NONBLOCK);
    int failed = spawn(&r);
    if (failed) {
        sw_code code = failed == ENOENT   ? SW_CODE_NOT_FOUND
                       : failed == EACCES ? SW_CODE_DENIED
                                          : SW_CODE_IO;
        status =
            sw_fail(error, code, "%s cannot be started: %s", command->argv[0], strerror(failed));
        goto done;
    }
    status = attend(exit_status, &r, error);
done:
    output[r.got] = 0;
    close_all(&r);
    return status;
}
