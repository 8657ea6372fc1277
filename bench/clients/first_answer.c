/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long from exec to the first answer? Starts a server, asks it one request until it answers
 * 200, stops it, and prints the milliseconds in between.
 *
 * Usage: first_answer PORT REQUEST TIMEOUT_S COMMAND [ARGUMENT…]
 *        REQUEST is a file with one whole HTTP/1.1 request that asks for `Connection: close`.
 * The server's output goes to standard error. A try every 250 us costs a starting server on the
 * same core a few per cent; a refused connection takes about 10 us.
 */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "../limits/listen.h"

enum { REQUEST_BYTES_MAX = 64 * 1024, RETRY_NS = 250 * 1000 };

static double now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool answers(const char *port, const char *request, size_t size) {
    char reply[16] = {0};
    bool good = false;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){.tv_sec = 1}, sizeof(struct timeval));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
        send(fd, request, size, MSG_NOSIGNAL) == (ssize_t)size &&
        recv(fd, reply, 12, MSG_WAITALL) == 12)
        good = memcmp(reply + 8, " 200", 4) == 0;
    close(fd);
    return good;
}

static pid_t start(char **command) {
    pid_t child = fork();
    bench_require(child >= 0, "fork");
    if (child != 0)
        return child;
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execv(command[0], command);
    perror(command[0]);
    _exit(127);
}

/* A server that takes longer than five seconds to say goodbye is not asked again. */
static void stop(pid_t child) {
    kill(child, SIGTERM);
    for (int i = 0; i < 500; i++) {
        if (waitpid(child, NULL, WNOHANG) != 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv) {
    static char request[REQUEST_BYTES_MAX];
    if (argc < 5) {
        fprintf(stderr, "usage: first_answer PORT REQUEST TIMEOUT_S COMMAND [ARGUMENT...]\n");
        return 2;
    }
    size_t size = bench_read_file(request, sizeof request, argv[2]);
    if (answers(argv[1], request, size)) {
        fprintf(stderr, "something already answers on port %s\n", argv[1]);
        return 1;
    }
    double started_ms = now_ms();
    double limit_ms = started_ms + atof(argv[3]) * 1e3;
    pid_t child = start(argv + 4);
    bool good;
    bool running = true;
    while (!(good = answers(argv[1], request, size)) && now_ms() < limit_ms && running) {
        running = waitpid(child, NULL, WNOHANG) == 0;
        nanosleep(&(struct timespec){.tv_nsec = RETRY_NS}, NULL);
    }
    double took_ms = now_ms() - started_ms;
    if (running)
        stop(child);
    if (!good) {
        fprintf(stderr, "%s never answered\n", argv[4]);
        return 1;
    }
    printf("%.3f\n", took_ms);
    return 0;
}
