/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers on pool threads, bodies in pieces, replies in pieces. */
#include "unit/net/net_testing.h"

static unsigned sum_of(const char *bytes, size_t len) {
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)bytes[i];
    return sum;
}

static char *noise(size_t len) {
    char *bytes = malloc(len);
    unsigned state = 1;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

TEST(stream__reads_an_upload_of_known_length_and_a_chunked_one) {
    enum { LEN = 3000000 };
    test_server server;
    REQUIRE(server_start(&server, NULL, 2));
    char *bytes = noise(LEN), wanted[64], head[200];
    sprintf(wanted, "%d %u", LEN, sum_of(bytes, LEN));
    int fd = dial(&server);
    for (int round = 0; round < 3; round++) {
        sprintf(head, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LEN);
        say(fd, head);
        say_bytes(fd, bytes, LEN);
        heard h = hear_until(fd, wanted);
        CHECK_HAS(h.at, "201 Created");
        CHECK_HAS(h.at, wanted);
        hush(&h);
        say(fd, "POST /upload HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
        for (size_t at = 0; at < LEN;) {
            size_t len = 1 + at % 70000 < LEN - at ? 1 + at % 70000 : LEN - at;
            sprintf(head, "%zx\r\n", len);
            say(fd, head);
            say_bytes(fd, bytes + at, len);
            say(fd, "\r\n");
            at += len;
        }
        say(fd, "0\r\n\r\n");
        h = hear_until(fd, wanted);
        CHECK_HAS(h.at, wanted);
        hush(&h);
    }
    close(fd);
    free(bytes);
    server_stop(&server);
}

TEST(stream__reads_pipelined_uploads_and_an_empty_one) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask(&server, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
                           "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"
                           "POST /upload HTTP/1.1\r\n" HOST "\r\n"
                           "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "\r\n\r\n3 ");
    CHECK_INT(count_of(h.at, "\r\n\r\n0 0"), 2);
    CHECK_HAS(h.at, "hello");
    hush(&h);
    server_stop(&server);
}

TEST(stream__refuses_an_upload_beyond_its_limit) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask(&server, "POST /upload-small HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n");
    CHECK_HAS(h.at, "413 Payload Too Large");
    hush(&h);
    int fd = dial(&server);
    say(fd, "POST /upload-small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 300; i++)
        say(fd, "5\r\nabcde\r\n");
    h = hear_until(fd, "larger");
    CHECK_HAS(h.at, "413 Payload Too Large");
    hush(&h);
    close(fd);
    server_stop(&server);
}

TEST(stream__reads_no_more_than_its_handler_has_room_for) {
    enum { LEN = 200 << 20, PIECE = 1 << 16, BUFFERS_MAX = 40 << 20 };
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    char *bytes = noise(PIECE), head[100], wanted[100];
    int fd = dial(&server);
    sprintf(head, "POST /held-upload/cancer HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LEN);
    say(fd, head);
    size_t sent = 0;
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    while (sent < LEN && poll(&writable, 1, 300) == 1) {
        ssize_t put = send(fd, bytes + sent % PIECE, PIECE - sent % PIECE, MSG_DONTWAIT);
        sent += put > 0 ? (size_t)put : 0;
    }
    CHECK(sent < BUFFERS_MAX); /* the two sockets' buffers, and little of our own */
    atomic_store(&seen.release_pool, true);
    while (sent < LEN && say_bytes(fd, bytes + sent % PIECE, PIECE - sent % PIECE))
        sent += PIECE - sent % PIECE;
    heard h = hear_until(fd, "cancer");
    sprintf(wanted, "\r\n\r\n%d ", LEN);
    CHECK_HAS(h.at, wanted);
    hush(&h);
    close(fd);
    free(bytes);
    server_stop(&server);
}

TEST(stream__ends_an_upload_whose_client_goes) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 100\r\n\r\nabc");
    usleep(50000);
    close(fd);
    CHECK(wait_for(&seen.replied, 1));
    CHECK_INT(atomic_load(&seen.last_status), 499);
    server_stop(&server);
}

TEST(stream__carries_a_download_as_fast_as_it_is_read) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "GET /download HTTP/1.1\r\n" HOST "\r\n");
    usleep(100000);
    CHECK_INT(atomic_load(&seen.closed_streams), 0); /* it waits for us */
    heard h = {0};
    while (hear_some(&h, fd, 500) && memcmp(h.at + h.len - 5, "0\r\n\r\n", 5) != 0)
        ;
    CHECK_HAS(h.at, "Transfer-Encoding: chunked");
    CHECK(memcmp(h.at + h.len - 5, "0\r\n\r\n", 5) == 0);
    int payload = 0;
    for (size_t i = 0; i < h.len; i++)
        payload += h.at[i] == 'd';
    CHECK(payload >= BIG_BYTES && payload < BIG_BYTES + 1000);
    CHECK_INT(atomic_load(&seen.closed_streams), 1);
    hush(&h);
    say(fd, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    h = hear_until(fd, "hello");
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
    close(fd);
    server_stop(&server);
}

TEST(stream__ends_a_download_whose_client_goes) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "GET /download HTTP/1.1\r\n" HOST "\r\n");
    usleep(50000);
    close(fd);
    CHECK(wait_for(&seen.closed_streams, 1));
    server_stop(&server);
}

TEST(stream__sends_events_until_the_client_goes) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "GET /events HTTP/1.1\r\n" HOST "\r\n");
    heard h = hear_until(fd, "data: tick");
    CHECK_HAS(h.at, "Content-Type: text/event-stream");
    CHECK_HAS(h.at, "data: first");
    CHECK_HAS(h.at, "data: tick");
    hush(&h);
    CHECK_INT(atomic_load(&seen.gone), 0);
    close(fd);
    CHECK(wait_for(&seen.gone, 1));
    server_stop(&server);
}

TEST(stream__closes_event_streams_when_the_server_ends) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 2));
    int fds[10];
    for (int i = 0; i < 10; i++) {
        fds[i] = dial(&server);
        say(fds[i], "GET /events HTTP/1.1\r\n" HOST "\r\n");
        heard h = hear_until(fds[i], "first");
        hush(&h);
    }
    server_stop(&server);
    CHECK_INT(atomic_load(&seen.gone), 10);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
}

TEST(stream__tells_a_waiting_handler_that_its_client_went) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "GET /never HTTP/1.1\r\n" HOST "\r\n");
    usleep(30000);
    struct linger hard = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd); /* a reset: the client is really gone, not just done sending */
    CHECK(wait_for(&seen.gone, 1));
    server_stop(&server);
}

TEST(stream__refuses_when_all_pool_threads_and_places_are_taken) {
    enum { CALLS = 400 };
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fds[CALLS];
    for (int i = 0; i < CALLS; i++) {
        fds[i] = dial(&server);
        say(fds[i], "GET /held HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    }
    CHECK(wait_for(&seen.replied, CALLS - 264)); /* 8 threads and 256 places */
    CHECK_INT(atomic_load(&seen.last_status), 503);
    heard hello = ask(&server, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(hello.at, "200 OK");
    hush(&hello);
    atomic_store(&seen.release_pool, true);
    int good = 0, refused = 0;
    for (int i = 0; i < CALLS; i++) {
        heard h = hear_to_close(fds[i]);
        good += strstr(h.at, "200 OK") != NULL;
        refused += strstr(h.at, "503 Service Unavailable") && strstr(h.at, "retry-after: 1");
        hush(&h);
        close(fds[i]);
    }
    CHECK_INT(good, 264);
    CHECK_INT(refused, CALLS - 264);
    server_stop(&server);
}

TEST_MAIN
