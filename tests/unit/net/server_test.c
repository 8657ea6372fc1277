/* SPDX-License-Identifier: Apache-2.0 */
/* Listening, sharing out, and ending. */
#include "unit/net/net_testing.h"

#include <sys/resource.h>
#include <sys/stat.h>

static sw_status try_start(const sw_server_config *config, sw_error *error) {
    sw_loops *loops;
    sw_server *server = NULL;
    sw_status status = sw_loops_make(&loops, 1, error);
    if (sw_failed(status))
        return status;
    status = sw_server_start(&server, loops, test_routes, 1, NULL, config, error);
    if (!sw_failed(status))
        sw_server_drain(server, 0);
    sw_loops_stop(loops);
    return status;
}

TEST(server__refuses_an_address_that_is_taken_and_says_by_whom) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    char listen[64], pid[32];
    snprintf(listen, sizeof listen, "127.0.0.1:%d", server.port);
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    sw_error error = {.text = ""};
    CHECK_INT(try_start(&(sw_server_config){.listen = listen}, &error).code, SW_CODE_CONFLICT);
    CHECK_HAS(error.text, listen);
    CHECK_HAS(error.text, pid);
    CHECK_HAS(error.text, "--listen");
    server_stop(&server);
    CHECK_INT(try_start(&(sw_server_config){.listen = listen}, &error).code, SW_CODE_OK);
}

TEST(server__explains_what_it_cannot_listen_on) {
    static const char *const wrong[] = {"",
                                        "8080",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "127.0.0.1:99999",
                                        "127.0.0.1:x",
                                        "[::1",
                                        "nobody.invalid:80"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sw_error error = {.text = ""};
        CHECK_INT(try_start(&(sw_server_config){.listen = wrong[i]}, &error).code, SW_CODE_INVALID);
        CHECK_HAS(error.text, "cannot listen on");
    }
}

TEST(server__refuses_a_route_table_with_doubles) {
    static const sw_route_entry twice[] = {
        {SW_GET, "/a/{x}", answer_hello, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
        {SW_GET, "/a/{y}", answer_hello, SW_RUN_LOOP, SW_SCOPE_NONE, false, 0},
    };
    sw_loops *loops;
    sw_server *server;
    sw_error error = {.text = ""};
    REQUIRE_OK(sw_loops_make(&loops, 1, &error), error);
    sw_server_config config = {.listen = "127.0.0.1:0"};
    CHECK_INT(sw_server_start(&server, loops, twice, 2, NULL, &config, &error).code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, "twice");
    sw_loops_stop(loops);
}

TEST(server__listens_on_ipv6) {
    test_server server;
    sw_server_config config = {.listen = "[::1]:0"};
    REQUIRE(server_start(&server, &config, 1));
    CHECK(strncmp(sw_server_url(server.server), "http://[::1]:", 13) == 0);
    struct sockaddr_in6 where = {.sin6_family = AF_INET6,
                                 .sin6_port = htons((uint16_t)server.port),
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    REQUIRE(connect(fd, (struct sockaddr *)&where, sizeof where) == 0);
    say(fd, "GET /hello HTTP/1.1\r\nHost: [::1]:1\r\n\r\n");
    heard h = hear_until(fd, "hello");
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
    close(fd);
    server_stop(&server);
}

static int dial_path(const char *path) {
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    snprintf(where.sun_path, sizeof where.sun_path, "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&where, sizeof where) == 0)
        return fd;
    close(fd);
    return -1;
}

TEST(server__serves_a_unix_socket_and_takes_over_that_of_a_dead_server) {
    char dir[SCRATCH_BYTES], path[SCRATCH_BYTES + 16];
    struct stat file;
    scratch_make(dir);
    snprintf(path, sizeof path, "%s/slipway.sock", dir);
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    snprintf(where.sun_path, sizeof where.sun_path, "%.100s", path);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(dead, (struct sockaddr *)&where, sizeof where) == 0);
    close(dead);
    test_server server;
    sw_server_config config = {.unix_path = path};
    REQUIRE(server_start(&server, &config, 1));
    int fd = dial_path(path);
    REQUIRE(fd >= 0);
    say(fd, "GET /hello HTTP/1.1\r\nHost: whatever\r\n\r\n");
    shutdown(fd, SHUT_WR);
    heard h = hear_to_close(fd);
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
    close(fd);
    sw_error error = {.text = ""};
    sw_server_config second = {.listen = "127.0.0.1:0", .unix_path = path};
    CHECK_INT(try_start(&second, &error).code, SW_CODE_CONFLICT);
    CHECK_HAS(error.text, "another server answers");
    CHECK(stat(path, &file) == 0);
    server_stop(&server);
    CHECK(stat(path, &file) != 0);
    FILE *plain = fopen(path, "w");
    fclose(plain);
    CHECK_INT(try_start(&second, &error).code, SW_CODE_CONFLICT);
    CHECK(stat(path, &file) == 0);
    scratch_remove(dir);
}

TEST(server__shares_connections_out_evenly) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 4));
    int fds[40];
    for (int i = 0; i < 40; i++) {
        fds[i] = dial(&server);
        say(fds[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        heard h = hear_until(fds[i], "hello");
        hush(&h);
    }
    CHECK_INT(sw_server_connections(server.server), 40);
    for (int i = 0; i < 40; i++)
        close(fds[i]);
    for (int i = 0; i < 1000 && sw_server_connections(server.server); i++)
        usleep(1000);
    CHECK_INT(sw_server_connections(server.server), 0);
    server_stop(&server);
}

TEST(server__turns_connections_away_beyond_its_limit) {
    test_server server;
    sw_server_config config = {.connections_max = 3};
    REQUIRE(server_start(&server, &config, 1));
    int fds[3];
    for (int i = 0; i < 3; i++) {
        fds[i] = dial(&server);
        say(fds[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        heard h = hear_until(fds[i], "hello");
        hush(&h);
    }
    int fd = dial(&server);
    heard h = hear_to_close(fd);
    CHECK_HAS(h.at, "503 Service Unavailable");
    hush(&h);
    close(fd);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    server_stop(&server);
}

TEST(server__survives_running_out_of_descriptors) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    struct rlimit before, low;
    getrlimit(RLIMIT_NOFILE, &before);
    int probe = dup(0);
    int fds[20], made = 0;
    low = before;
    low.rlim_cur = (rlim_t)probe + 12; /* each connection takes two of this process's */
    close(probe);
    setrlimit(RLIMIT_NOFILE, &low);
    while (made < 20 && (fds[made] = dial(&server)) >= 0)
        made++;
    usleep(100000);
    for (int i = 0; i < made; i++)
        close(fds[i]);
    setrlimit(RLIMIT_NOFILE, &before);
    usleep(100000);
    heard h = ask(&server, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
    server_stop(&server);
}

typedef struct client {
    pthread_t thread;
    test_server *server;
    int answered, lost, refused;
} client;

/* Asks over and over, on a connection as long as it lives; a refused connect is the end. */
static void *ask_until_refused(void *argument) {
    client *self = argument;
    int fd = -1;
    for (int i = 0; i < 1000000; i++) {
        if (fd < 0 && (fd = dial(self->server)) < 0) {
            self->refused++;
            break;
        }
        bool pooled = i % 7 == 0;
        say(fd, pooled ? "GET /pool HTTP/1.1\r\n" HOST "\r\n"
                       : "GET /batched?x HTTP/1.1\r\n" HOST "\r\n");
        heard h = hear_until(fd, pooled ? "from a pool" : "\r\n\r\nx");
        if (strstr(h.at, "200 OK"))
            self->answered++;
        else
            self->lost++;
        bool over = strstr(h.at, "Connection: close") || h.closed;
        hush(&h);
        if (over) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

TEST(server__drains_without_losing_a_request) {
    enum { CLIENTS = 8 };
    for (int round = 0; round < 5; round++) {
        test_server server;
        REQUIRE(server_start(&server, NULL, 2));
        client clients[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = (client){.server = &server};
            pthread_create(&clients[i].thread, NULL, ask_until_refused, &clients[i]);
        }
        usleep(50000);
        uint64_t begin_ns = sw_clock_ns();
        sw_server_drain(server.server, 5000);
        CHECK((sw_clock_ns() - begin_ns) / SW_NS_PER_MS < 3000);
        for (int i = 0; i < CLIENTS; i++) {
            pthread_join(clients[i].thread, NULL);
            CHECK(clients[i].answered > 0);
            CHECK_INT(clients[i].lost, 0);
            CHECK_INT(clients[i].refused, 1);
        }
        sw_loops_stop(server.loops);
    }
}

TEST(server__answers_those_in_the_accept_queue_when_it_ends) {
    enum { WAITING = 200 };
    test_server server;
    REQUIRE(server_start(&server, NULL, 2));
    int fds[WAITING];
    for (int i = 0; i < WAITING; i++) {
        fds[i] = dial(&server);
        say(fds[i], "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    }
    sw_server_drain(server.server, 5000);
    int answered = 0;
    for (int i = 0; i < WAITING; i++) {
        heard h = hear_to_close(fds[i]);
        answered += strstr(h.at, "200 OK") != NULL;
        hush(&h);
        close(fds[i]);
    }
    CHECK_INT(answered, WAITING);
    sw_loops_stop(server.loops);
}

TEST(server__closes_what_outlives_the_grace_period) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int waiting = dial(&server), idle = dial(&server);
    say(waiting, "GET /never HTTP/1.1\r\n" HOST "\r\n");
    usleep(30000);
    uint64_t begin_ns = sw_clock_ns();
    sw_server_drain(server.server, 200);
    uint64_t took_ms = (sw_clock_ns() - begin_ns) / SW_NS_PER_MS;
    CHECK(took_ms >= 200 && took_ms < 3000);
    CHECK_INT(atomic_load(&seen.gone), 1);
    heard h = hear_to_close(waiting);
    CHECK(h.closed);
    hush(&h);
    close(waiting);
    close(idle);
    sw_loops_stop(server.loops);
}

TEST_MAIN
