/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 as a dishonest client speaks it: each of these gets a clear answer, and no second
 * request hides behind it. */
#include "unit/net/net_testing.h"

typedef struct attempt {
    const char *what;
    const char *request;
    const char *answer; /* how its status line begins */
} attempt;

#define SMUGGLED "GET /hello?smuggled HTTP/1.1\r\n" HOST "\r\n"

static const attempt attempts[] = {
    {"both lengths",
     "POST /echo HTTP/1.1\r\n" HOST
     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"both lengths, the other way round",
     "POST /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"two content-lengths",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello" SMUGGLED,
     "HTTP/1.1 400"},
    {"two equal content-lengths",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello" SMUGGLED,
     "HTTP/1.1 400"},
    {"a list of content-lengths",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nhello" SMUGGLED, "HTTP/1.1 400"},
    {"a signed content-length",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello" SMUGGLED, "HTTP/1.1 400"},
    {"a negative content-length",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nhello" SMUGGLED, "HTTP/1.1 400"},
    {"a hexadecimal content-length",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello" SMUGGLED, "HTTP/1.1 400"},
    {"an empty content-length",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\nhello" SMUGGLED, "HTTP/1.1 400"},
    {"a content-length beyond 64 bits",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\nhello" SMUGGLED,
     "HTTP/1.1 400"},
    {"another transfer encoding",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"identity",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"chunked, then identity",
     "POST /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"gzip, chunked",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"chunked twice",
     "POST /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"chunked in quotes",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a space before the colon",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a folded transfer encoding",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a folded header", "GET /hello HTTP/1.1\r\n" HOST "X-A: b\r\n c\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a header folded by a tab", "GET /hello HTTP/1.1\r\n" HOST "X-A: b\r\n\tc\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a first header that is folded", "GET /hello HTTP/1.1\r\n X: y\r\n" HOST "\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"chunked in HTTP/1.0",
     "POST /echo HTTP/1.0\r\n" HOST
     "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a signed chunk size",
     "POST /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a chunk size with 0x",
     "POST /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a chunk size beyond 64 bits",
     "POST /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\na\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a huge chunk size",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\na",
     "HTTP/1.1 4"},
    {"no CRLF behind a chunk",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nabc0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a bare LF behind a chunk size",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"bare LFs",
     "GET /hello HTTP/1.1\n"
     "Host: localhost\n\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a bare CR in a value",
     "GET /hello HTTP/1.1\r\n" HOST "X-A: b\rContent-Length: 5\r\n\r\n" SMUGGLED, "HTTP/1.1 400"},
    {"a control byte in a value", "GET /hello HTTP/1.1\r\n" HOST "X-A: b\x01\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a header with no name", "GET /hello HTTP/1.1\r\n" HOST ": b\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a header with no colon", "GET /hello HTTP/1.1\r\n" HOST "nonsense\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"a space in a name", "GET /hello HTTP/1.1\r\n" HOST "Content Length: 3\r\n\r\n" SMUGGLED,
     "HTTP/1.1 400"},
    {"no host", "GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
    {"two hosts", "GET /hello HTTP/1.1\r\n" HOST HOST "\r\n", "HTTP/1.1 400"},
    {"two different hosts", "GET /hello HTTP/1.1\r\n" HOST "Host: evil.example\r\n\r\n",
     "HTTP/1.1 400"},
    {"an empty host", "GET /hello HTTP/1.1\r\nHost:\r\n\r\n", "HTTP/1.1 421"},
    {"no version", "GET /hello\r\n" HOST "\r\n", "HTTP/1.1 "},
    {"version 2.0", "GET /hello HTTP/2.0\r\n" HOST "\r\n", "HTTP/1.1 505"},
    {"version 1.2", "GET /hello HTTP/1.2\r\n" HOST "\r\n", "HTTP/1.1 505"},
    {"version 9.9", "GET /hello HTTP/9.9\r\n" HOST "\r\n", "HTTP/1.1 505"},
    {"a lower-case method", "get /hello HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400"},
    {"an unknown method", "BREW /hello HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400"},
    {"a method of WebDAV", "PROPFIND /hello HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 405"},
    {"CONNECT", "CONNECT localhost:80 HTTP/1.1\r\n" HOST "\r\n" SMUGGLED, "HTTP/1.1 4"},
    {"half a preface", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", "HTTP/1.1 "},
    {"a '#' in the target", "GET /hello#x HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 400"},
    {"a space in the target", "GET /hel lo HTTP/1.1\r\n" HOST "\r\n", "HTTP/1.1 "},
    {"TLS", "\x16\x03\x01\x02\x01\x01\xfc\x03\x03", "HTTP/1.1 400"},
    {"noise", "\xff\xfe\xfd\x01\x02\x03\r\n\r\n", "HTTP/1.1 400"},
};

TEST(http1_strict__refuses_each_smuggling_attempt_and_closes) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        const attempt *a = &attempts[i];
        heard h = ask(&server, a->request);
        if (strncmp(h.at, a->answer, strlen(a->answer)) != 0 || strstr(h.at, "200 OK"))
            TEST_FAIL_("%s: answered \"%s\"", a->what, h.at);
        hush(&h);
    }
    server_stop(&server);
}

TEST(http1_strict__refuses_them_byte_by_byte_too) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        const attempt *a = &attempts[i];
        int fd = dial(&server);
        for (const char *at = a->request; *at; at++)
            if (!say_bytes(fd, at, 1))
                break;
        shutdown(fd, SHUT_WR);
        heard h = hear_to_close(fd);
        if (strncmp(h.at, a->answer, strlen(a->answer)) != 0 || strstr(h.at, "200 OK"))
            TEST_FAIL_("%s: answered \"%s\"", a->what, h.at);
        hush(&h);
        close(fd);
    }
    server_stop(&server);
}

static heard ask_repeated(const test_server *server, const char *begin, const char *piece,
                          size_t times, const char *end) {
    size_t begin_len = strlen(begin), piece_len = strlen(piece), end_len = strlen(end);
    char *text = malloc(begin_len + piece_len * times + end_len);
    memcpy(text, begin, begin_len);
    for (size_t i = 0; i < times; i++)
        memcpy(text + begin_len + i * piece_len, piece, piece_len);
    memcpy(text + begin_len + times * piece_len, end, end_len);
    heard h = ask_bytes(server, text, begin_len + piece_len * times + end_len);
    free(text);
    return h;
}

TEST(http1_strict__bounds_heads) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    heard h = ask_repeated(&server, "GET /hello HTTP/1.1\r\n" HOST "X-A: ", "aaaaaaaaaa", 100000,
                           "\r\n\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 431");
    hush(&h);
    h = ask_repeated(&server, "GET /hello HTTP/1.1\r\n" HOST, "X-A: b\r\n", 101, "\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 431");
    hush(&h);
    h = ask_repeated(&server, "GET /hello HTTP/1.1\r\n" HOST, "X-A: b\r\n", 99, "\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 200");
    hush(&h);
    h = ask_repeated(&server, "GET /hello?", "q", 9000, " HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 414");
    hush(&h);
    h = ask_repeated(&server, "GET /hello HTTP/1.1\r\n" HOST "X-A: ", "aaaaaaaaaa", 3000,
                     "\r\n\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 200");
    hush(&h);
    server_stop(&server);
}

TEST(http1_strict__bounds_trailers_and_chunk_framing) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    const char *head = "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n";
    char begin[200];
    snprintf(begin, sizeof begin, "%s0\r\n", head);
    heard h = ask_repeated(&server, begin, "X-A: bbbbbbbbbbbbbbbbbbbbbb\r\n", 10000, "\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 431");
    hush(&h);
    snprintf(begin, sizeof begin, "%s1;", head);
    h = ask_repeated(&server, begin, "extension=value", 10000, "\r\na\r\n0\r\n\r\n");
    CHECK_HAS(h.at, "HTTP/1.1 400");
    hush(&h);
    server_stop(&server);
}

TEST(http1_strict__refuses_hosts_and_origins_of_others) {
    static const attempt tries[] = {
        {"localhost", "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200"},
        {"with a port", "GET /hello HTTP/1.1\r\nHost: LOCALHOST:1234\r\n\r\n", "HTTP/1.1 200"},
        {"IPv4", "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", "HTTP/1.1 200"},
        {"IPv6", "GET /hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "HTTP/1.1 200"},
        {"configured", "GET /hello HTTP/1.1\r\nHost: models.example:443\r\n\r\n", "HTTP/1.1 200"},
        {"another name", "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n", "HTTP/1.1 421"},
        {"a name that ends like ours",
         "GET /hello HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", "HTTP/1.1 421"},
        {"user info", "GET /hello HTTP/1.1\r\nHost: localhost@evil.example\r\n\r\n",
         "HTTP/1.1 421"},
        {"a port that is none", "GET /hello HTTP/1.1\r\nHost: localhost:x\r\n\r\n", "HTTP/1.1 421"},
        {"another address", "GET /hello HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", "HTTP/1.1 421"},
        {"own origin",
         "POST /echo HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: "
         "http://localhost:8080\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 200"},
        {"own origin, port left out",
         "POST /echo HTTP/1.1\r\nHost: localhost:80\r\nOrigin: http://localhost\r\nContent-Length: "
         "0\r\n\r\n",
         "HTTP/1.1 200"},
        {"configured origin",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: "
         "https://models.example\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 200"},
        {"another port",
         "POST /echo HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: "
         "http://localhost:8081\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 403"},
        {"another scheme",
         "POST /echo HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: "
         "https://localhost:8080\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 403"},
        {"another origin",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Length: "
         "0\r\n\r\n",
         "HTTP/1.1 403"},
        {"the null origin",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 403"},
        {"an empty origin",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin:\r\nContent-Length: 0\r\n\r\n",
         "HTTP/1.1 403"},
        {"cross-site",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nContent-Length: "
         "0\r\n\r\n",
         "HTTP/1.1 403"},
        {"same-origin",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Length: "
         "0\r\n\r\n",
         "HTTP/1.1 200"},
        {"DELETE from elsewhere",
         "DELETE /thing HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n",
         "HTTP/1.1 403"},
        {"GET from elsewhere",
         "GET /hello HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n",
         "HTTP/1.1 200"},
    };
    const char *const hosts[] = {"models.example", NULL};
    sw_server_config config = {.hosts = hosts};
    test_server server;
    REQUIRE(server_start(&server, &config, 1));
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        heard h = ask(&server, tries[i].request);
        if (strncmp(h.at, tries[i].answer, strlen(tries[i].answer)) != 0)
            TEST_FAIL_("%s: answered \"%s\"", tries[i].what, h.at);
        hush(&h);
    }
    server_stop(&server);
}

TEST(http1_strict__gives_up_on_slow_clients) {
    sw_server_config config = {
        .header_timeout_ms = 300, .body_stall_ms = 300, .idle_timeout_ms = 600};
    test_server server;
    REQUIRE(server_start(&server, &config, 1));
    int slow_head = dial(&server), slow_body = dial(&server), silent = dial(&server),
        slow_upload = dial(&server), slow_start = dial(&server);
    say(slow_head, "GET /hello HTTP/1.1\r\nHost: lo");
    say(slow_body, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    say(slow_upload, "POST /upload HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    say(slow_start, "P");
    heard h = hear_to_close(slow_head);
    CHECK(h.closed);
    CHECK_HAS(h.at, "HTTP/1.1 408");
    hush(&h);
    h = hear_to_close(slow_body);
    CHECK(h.closed);
    CHECK_HAS(h.at, "HTTP/1.1 408");
    hush(&h);
    h = hear_to_close(slow_upload);
    CHECK(h.closed);
    CHECK_HAS(h.at, "HTTP/1.1 408");
    hush(&h);
    h = hear_to_close(slow_start);
    CHECK(h.closed);
    hush(&h);
    h = hear_to_close(silent);
    CHECK(h.closed && h.len == 0);
    hush(&h);
    close(slow_head);
    close(slow_body);
    close(silent);
    close(slow_upload);
    close(slow_start);
    server_stop(&server);
}

TEST(http1_strict__closes_on_a_client_that_never_reads) {
    sw_server_config config = {.body_stall_ms = 500};
    test_server server;
    REQUIRE(server_start(&server, &config, 1));
    int fd = dial(&server);
    uint64_t begin_ns = sw_clock_ns();
    bool sent = true;
    /* Far more requests than the sockets hold replies: it must stop reading, then close. */
    while (sent && sw_clock_ns() - begin_ns < 20 * SW_NS_PER_S) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
        if (poll(&poll_fd, 1, 100) > 0)
            sent = say(fd, "GET /big HTTP/1.1\r\n" HOST "\r\n");
        sent = sent && sw_server_connections(server.server) > 0;
    }
    CHECK(!sent);
    close(fd);
    server_stop(&server);
}

/* All come in one read, and each reply is larger than the sockets hold: none is made before the one
 * ahead of it has nearly gone. `shut`: the client says by closing its side that these are all. */
static void check_pipelined_big(bool shut) {
    enum { REQUESTS = 12 };
    static const char last[] = "Connection: close\r\n";
    static char taken[1 << 16];
    test_server server;
    sw_buf all = {0};
    size_t total = 0;
    REQUIRE(server_start(&server, NULL, 1));
    int fd = dial(&server);
    for (int i = 0; i < REQUESTS; i++)
        sw_buf_printf(&all, "GET /big HTTP/1.1\r\n" HOST "%s\r\n",
                      shut || i + 1 < REQUESTS ? "" : last);
    CHECK(say_bytes(fd, all.at, all.len));
    if (shut)
        shutdown(fd, SHUT_WR);
    CHECK(wait_for(&seen.replied, 1));
    usleep(300000);
    CHECK_INT(atomic_load(&seen.replied), 1);
    for (ssize_t got; (got = recv(fd, taken, sizeof taken, 0)) > 0;)
        total += (size_t)got;
    CHECK(total > (size_t)REQUESTS * BIG_BYTES && total < (size_t)REQUESTS * (BIG_BYTES + 1000));
    CHECK_INT(atomic_load(&seen.replied), REQUESTS);
    sw_buf_free(&all);
    close(fd);
    server_stop(&server);
}

TEST(http1_strict__makes_no_replies_ahead_of_a_client_that_does_not_read) {
    check_pipelined_big(false);
    check_pipelined_big(true);
}

TEST_MAIN
