/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 as an honest client speaks it. */
#include "unit/net/net_testing.h"

static void check_answer(const test_server *server, const char *request, const char *part) {
    heard h = ask(server, request);
    CHECK_HAS(h.at, part);
    hush(&h);
}

TEST(http1__does_anything_get_through_at_all) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask(&server, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 200 OK\r\n");
    CHECK_HAS(h.at, "Content-Type: text/plain\r\n");
    CHECK_HAS(h.at, "Content-Length: 5\r\n");
    CHECK_HAS(h.at, "\r\nDate: ");
    CHECK_HAS(h.at, "\r\n\r\nhello");
    hush(&h);
    server_stop(&server);
    CHECK_INT(atomic_load(&seen.replied), 1);
}

TEST(http1__takes_a_request_byte_by_byte) {
    static const char request[] =
        "POST /echo?x=1 HTTP/1.1\r\n" HOST "X-A: b\r\nContent-Length: 11\r\n\r\nhello world";
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof request - 1; i++) {
            say_bytes(fd, request + i, 1);
            usleep(200);
        }
        heard h = hear_until(fd, "hello world");
        CHECK_HAS(h.at, "200 OK");
        CHECK_HAS(h.at, "\r\n\r\nhello world");
        hush(&h);
    }
    close(fd);
    server_stop(&server);
}

TEST(http1__answers_pipelined_requests_in_order_and_as_one_batch) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    atomic_store(&batch_largest, 0);
    char requests[8192] = "";
    for (int i = 0; i < 40; i++)
        sprintf(requests + strlen(requests), "GET /batched?%02d HTTP/1.1\r\n" HOST "\r\n", i);
    heard h = ask(&server, requests);
    CHECK_INT(count_of(h.at, "200 OK"), 40);
    const char *at = h.at;
    for (int i = 0; i < 40; i++) {
        char wanted[16];
        sprintf(wanted, "\r\n\r\n%02d", i);
        at = strstr(at, wanted);
        REQUIRE(at);
        at += 4;
    }
    CHECK_INT(atomic_load(&batch_largest), 40);
    hush(&h);
    server_stop(&server);
}

TEST(http1__takes_more_pipelined_requests_than_it_keeps_at_once) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    enum { COUNT = 1000 };
    char *requests = calloc(COUNT, 64);
    for (int i = 0; i < COUNT; i++)
        strcat(requests + i * 8, i % 3 ? "GET /batched?x HTTP/1.1\r\n" HOST "\r\n"
                                       : "GET /pool HTTP/1.1\r\n" HOST "\r\n");
    heard h = ask(&server, requests);
    CHECK_INT(count_of(h.at, "HTTP/1.1 200 OK\r\n"), COUNT);
    hush(&h);
    free(requests);
    server_stop(&server);
}

TEST(http1__takes_bodies_of_all_sizes) {
    static const size_t sizes[] = {0, 1, 5000, 16000, 16320, 16384, 40000, 1000000, 5000000};
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    char *body = malloc(5000000);
    for (size_t i = 0; i < 5000000; i++)
        body[i] = (char)('a' + i * 7 % 23);
    int fd = dial(&server);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char head[100];
        sprintf(head, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", sizes[i]);
        say(fd, head);
        say_bytes(fd, body, sizes[i]);
        heard h = {0};
        char *split = NULL;
        while ((!split || h.len - (size_t)(split - h.at) < sizes[i] + 4) &&
               hear_some(&h, fd, WAIT_MS))
            split = strstr(h.at, "\r\n\r\n");
        REQUIRE(split && h.len == (size_t)(split - h.at) + 4 + sizes[i]);
        CHECK(memcmp(split + 4, body, sizes[i]) == 0);
        hush(&h);
    }
    close(fd);
    free(body);
    server_stop(&server);
}

TEST(http1__closes_up_chunked_bodies_however_they_are_cut) {
    static const char request[] =
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0A;name=value\r\ndefghijklm\r\n1\r\nn\r\n0\r\nX-Trailer: t\r\n\r\n"
        "GET /hello HTTP/1.1\r\n" HOST "\r\n";
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    for (size_t cut = 1; cut < sizeof request - 1; cut += 3) {
        int fd = dial(&server);
        say_bytes(fd, request, cut);
        usleep(300);
        say_bytes(fd, request + cut, sizeof request - 1 - cut);
        shutdown(fd, SHUT_WR);
        heard h = hear_to_close(fd);
        CHECK_HAS(h.at, "\r\n\r\nabcdefghijklmn");
        CHECK_HAS(h.at, "\r\n\r\nhello");
        hush(&h);
        close(fd);
    }
    server_stop(&server);
}

TEST(http1__takes_a_large_chunked_body) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    enum { CHUNKS = 3000, CHUNK = 997 };
    char *body = malloc((size_t)CHUNKS * (CHUNK + 10) + 1000);
    size_t len =
        (size_t)sprintf(body, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < CHUNKS; i++) {
        len += (size_t)sprintf(body + len, "%x\r\n", CHUNK);
        memset(body + len, 'a' + i % 26, CHUNK);
        len += CHUNK;
        len += (size_t)sprintf(body + len, "\r\n");
    }
    len += (size_t)sprintf(body + len, "0\r\n\r\n");
    heard h = ask_bytes(&server, body, len);
    const char *at = strstr(h.at, "\r\n\r\n");
    REQUIRE(at);
    CHECK_INT(h.len - (size_t)(at + 4 - h.at), CHUNKS * CHUNK);
    bool same = true;
    for (int i = 0; i < CHUNKS; i++)
        same = same && at[4 + i * CHUNK] == 'a' + i % 26 &&
               at[4 + i * CHUNK + CHUNK - 1] == 'a' + i % 26;
    CHECK(same);
    hush(&h);
    free(body);
    server_stop(&server);
}

TEST(http1__fills_captures_query_and_headers) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h =
        ask(&server, "GET /p/a%20b/c?x=1&q=1%2B1+2 HTTP/1.1\r\n" HOST "X-MARK:  m \t\r\n\r\n"
                     "GET /p/a%20b/c?x=1&q=1%2B1+2 HTTP/1.1\r\n" HOST "X-Mark: n\r\n\r\n"
                     "GET /p/d/e HTTP/1.1\r\n" HOST "\r\nGET /p/d/e HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "x-back: m\r\n");
    CHECK_HAS(h.at, "a b|c|1+1 2|m");
    CHECK_HAS(h.at, "a b|c|1+1 2|n");
    CHECK_INT(count_of(h.at, "d|e||"), 2);
    hush(&h);
    server_stop(&server);
}

TEST(http1__answers_head_without_a_body) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h =
        ask(&server, "HEAD /hello HTTP/1.1\r\n" HOST "\r\nHEAD /download HTTP/1.1\r\n" HOST "\r\n");
    CHECK_INT(count_of(h.at, "200 OK"), 2);
    CHECK_HAS(h.at, "Content-Length: 5\r\n");
    CHECK(!strstr(h.at, "hello"));
    CHECK(!strstr(h.at, "ddd"));
    hush(&h);
    server_stop(&server);
}

TEST(http1__sends_no_content_length_with_204) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask(&server, "DELETE /thing HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "204 No Content");
    CHECK(!strstr(h.at, "Content-Length"));
    CHECK(!strstr(h.at, "Content-Type"));
    hush(&h);
    server_stop(&server);
}

TEST(http1__names_what_is_wrong_with_path_and_method) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    check_answer(&server, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n", "404 Not Found");
    check_answer(&server, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n",
                 "{\"error\":\"there is nothing at /nowhere\"}");
    check_answer(&server, "PUT /hello HTTP/1.1\r\n" HOST "\r\n", "405 Method Not Allowed");
    check_answer(&server, "PUT /hello HTTP/1.1\r\n" HOST "\r\n", "allow: GET, HEAD\r\n");
    check_answer(&server, "GET /p/%zz/c HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request");
    check_answer(&server, "GET /p/%00/c HTTP/1.1\r\n" HOST "\r\n", "400 Bad Request");
    check_answer(&server, "GET /busy HTTP/1.1\r\n" HOST "\r\n", "429 Too Many Requests");
    check_answer(&server, "GET /busy HTTP/1.1\r\n" HOST "\r\n", "retry-after: 1\r\n");
    check_answer(&server, "GET /busy HTTP/1.1\r\n" HOST "\r\n",
                 "{\"error\":\"50% full: \\\"q\xc3\xa9ue\\\"\"}");
    server_stop(&server);
}

TEST(http1__keeps_a_connection_through_refusals_with_small_bodies) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask(&server, "POST /nowhere HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n12345"
                           "POST /small HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n12345678901"
                           "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "404 Not Found");
    CHECK_HAS(h.at, "413 Payload Too Large");
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
    server_stop(&server);
}

TEST(http1__refuses_a_large_body_before_it_comes_and_the_answer_arrives) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 100000000\r\n\r\n");
    char junk[65536];
    memset(junk, 'j', sizeof junk);
    for (int i = 0; i < 20; i++)
        send(fd, junk, sizeof junk, MSG_NOSIGNAL | MSG_DONTWAIT);
    heard h = hear_until(fd, "\r\n\r\n");
    CHECK_HAS(h.at, "413 Payload Too Large");
    CHECK_HAS(h.at, "Connection: close");
    hush(&h);
    close(fd);
    heard chunked = ask(
        &server, "POST /small HTTP/1.1\r\n" HOST
                 "Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n");
    CHECK_HAS(chunked.at, "413 Payload Too Large");
    hush(&chunked);
    server_stop(&server);
}

TEST(http1__says_continue_to_those_who_wait_for_it) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    heard h = hear_until(fd, "100 Continue\r\n\r\n");
    CHECK_TEXT(h.at, "HTTP/1.1 100 Continue\r\n\r\n");
    hush(&h);
    say(fd, "abc");
    h = hear_until(fd, "abc");
    CHECK_HAS(h.at, "HTTP/1.1 200 OK");
    hush(&h);
    say(fd, "POST /upload HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    h = hear_until(fd, "100 Continue\r\n\r\n");
    hush(&h);
    say(fd, "abc");
    h = hear_until(fd, "201 Created");
    CHECK_HAS(h.at, "HTTP/1.1 201 Created");
    hush(&h);
    close(fd);
    check_answer(&server,
                 "POST /nowhere HTTP/1.1\r\n" HOST
                 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
                 "HTTP/1.1 404");
    check_answer(&server,
                 "POST /echo HTTP/1.1\r\n" HOST "Expect: pizza\r\nContent-Length: 3\r\n\r\nabc",
                 "417 Expectation Failed");
    server_stop(&server);
}

TEST(http1__answers_an_upgrade_to_h2c_in_http1) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h =
        ask(&server,
            "GET /hello HTTP/1.1\r\n" HOST "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
            "POST /echo HTTP/1.1\r\n" HOST
            "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 4\r\n\r\nbody");
    CHECK_INT(count_of(h.at, "HTTP/1.1 200 OK"), 2);
    CHECK_HAS(h.at, "\r\n\r\nhello");
    CHECK_HAS(h.at, "\r\n\r\nbody");
    hush(&h);
    server_stop(&server);
}

TEST(http1__honours_connection_close_and_http10) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /hello HTTP/1.1\r\n" HOST
            "\r\n");
    heard h = hear_to_close(fd);
    CHECK(h.closed);
    CHECK_INT(count_of(h.at, "200 OK"), 1);
    CHECK_HAS(h.at, "Connection: close\r\n");
    hush(&h);
    close(fd);
    fd = dial(&server);
    say(fd, "GET /hello HTTP/1.0\r\n" HOST "\r\n");
    h = hear_to_close(fd);
    CHECK(h.closed);
    CHECK_HAS(h.at, "Connection: close\r\n");
    hush(&h);
    close(fd);
    fd = dial(&server);
    say(fd, "GET /hello HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n");
    h = hear_until(fd, "hello");
    CHECK_HAS(h.at, "Connection: keep-alive\r\n");
    hush(&h);
    say(fd, "GET /download HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n");
    h = hear_to_close(fd);
    CHECK(h.closed && h.len > BIG_BYTES);
    CHECK(!strstr(h.at, "chunked"));
    hush(&h);
    close(fd);
    server_stop(&server);
}

TEST(http1__answers_a_client_that_has_shut_its_sending_side) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    check_answer(&server, "GET /pool HTTP/1.1\r\n" HOST "\r\n", "from a pool");
    check_answer(&server, "GET /batched?late HTTP/1.1\r\n" HOST "\r\n", "late");
    server_stop(&server);
}

TEST(http1__takes_the_absolute_form) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    check_answer(&server, "GET http://localhost/hello HTTP/1.1\r\n" HOST "\r\n", "200 OK");
    check_answer(&server, "GET http://evil.example/hello HTTP/1.1\r\n" HOST "\r\n", "421");
    check_answer(&server, "GET hello HTTP/1.1\r\n" HOST "\r\n", "400");
    server_stop(&server);
}

TEST(http1__carries_a_large_reply_to_a_slow_reader) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    say(fd, "GET /big HTTP/1.1\r\n" HOST "\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n");
    heard h = {0};
    for (int i = 0; i < 20 && h.len < BIG_BYTES; i++) {
        hear_some(&h, fd, WAIT_MS);
        usleep(5000);
    }
    while (!(h.len > BIG_BYTES && strstr(h.at + BIG_BYTES, "hello")) && hear_some(&h, fd, WAIT_MS))
        ;
    CHECK(h.len > BIG_BYTES);
    CHECK(h.len > BIG_BYTES && strstr(h.at + BIG_BYTES, "hello") != NULL);
    hush(&h);
    close(fd);
    server_stop(&server);
}

TEST(http1__checks_scopes_before_the_handler) {
    test_server server;
    sw_server_config config = {.authorize = authorize_by_word};
    REQUIRE(server_start(&server, &config, 1));
    check_answer(&server, "GET /secret HTTP/1.1\r\n" HOST "\r\n", "401 Unauthorized");
    check_answer(&server, "GET /secret HTTP/1.1\r\n" HOST "\r\n", "www-authenticate: Basic");
    check_answer(&server, "GET /secret HTTP/1.1\r\n" HOST "\r\n", "say the word");
    heard page = ask(&server, "GET /secret HTTP/1.1\r\n" HOST "Sec-Fetch-Mode: cors\r\n\r\n");
    CHECK_HAS(page.at, "www-authenticate: Bearer");
    CHECK(!strstr(page.at, "Basic"));
    hush(&page);
    check_answer(&server, "GET /secret HTTP/1.1\r\n" HOST "Authorization: Bearer no\r\n\r\n",
                 "403 Forbidden");
    check_answer(&server, "GET /secret HTTP/1.1\r\n" HOST "Authorization: Bearer word\r\n\r\n",
                 "200 OK");
    check_answer(&server, "GET /hello HTTP/1.1\r\n" HOST "\r\n", "200 OK");
    server_stop(&server);
}

TEST(http1__passes_a_deadline_on) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    check_answer(&server, "GET /deadline HTTP/1.1\r\n" HOST "Request-Timeout-Ms: 250\r\n\r\n",
                 "\r\n\r\n250000000");
    check_answer(&server, "GET /deadline HTTP/1.1\r\n" HOST "\r\n", "\r\n\r\n0");
    server_stop(&server);
}

TEST(http1__refuses_a_deadline_that_is_none) {
    static const char *const values[] = {"", "0", "-5", "1.5", "50ms", "99999999999999999999"};
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char request[200];
        snprintf(request, sizeof request,
                 "GET /deadline HTTP/1.1\r\n" HOST "Request-Timeout-Ms: %s\r\n\r\n", values[i]);
        check_answer(&server, request, "400 Bad Request");
        check_answer(&server, request, "is no whole number of milliseconds");
    }
    server_stop(&server);
}

TEST(http1__refuses_packed_bodies_by_name) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask(&server, "POST /echo HTTP/1.1\r\n" HOST
                           "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"
                           "POST /echo HTTP/1.1\r\n" HOST
                           "content-encoding: Identity\r\nContent-Length: 3\r\n\r\nabc");
    CHECK_HAS(h.at, "415 Unsupported Media Type");
    CHECK_HAS(h.at, "Content-Encoding gzip, which is not taken here");
    CHECK_HAS(h.at, "200 OK"); /* the connection goes on */
    hush(&h);
    server_stop(&server);
}

TEST_MAIN
