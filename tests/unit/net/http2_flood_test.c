/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/2 clients that mean harm: each is cut off, and the server goes on. */
#include "unit/net/h2_testing.h"

static test_server server;

static void check_alive(void) {
    heard h = ask(&server, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
}

TEST(http2_flood__cuts_off_rapid_resets) {
    REQUIRE(server_start(&server, NULL, 1));
    int fd = raw_h2(&server);
    bool sent = true;
    for (uint32_t i = 0; i < 20000 && sent; i++) {
        sent = raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                         2 * i + 1, raw_get, sizeof raw_get - 1) &&
               raw_frame(fd, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
    }
    CHECK(raw_closed(fd));
    CHECK(atomic_load(&seen.replied) < 3000);
    close(fd);
    check_alive();
    server_stop(&server);
}

static void flood(int type, int flags, const void *payload, size_t len, uint32_t stream) {
    REQUIRE(server_start(&server, NULL, 1));
    int fd = raw_h2(&server);
    if (stream)
        raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream,
                  "\x83\x86\x44\x05/echo\x41\x09localhost", 20);
    bool sent = true;
    for (int i = 0; i < 50000 && sent; i++)
        sent = raw_frame(fd, type, flags, stream, payload, len);
    CHECK(raw_closed(fd));
    close(fd);
    check_alive();
    server_stop(&server);
}

TEST(http2_flood__cuts_off_settings) {
    flood(NGHTTP2_SETTINGS, 0, "\0\4\0\0\xff\xff", 6, 0);
}

TEST(http2_flood__cuts_off_pings) {
    flood(NGHTTP2_PING, 0, "12345678", 8, 0);
}

TEST(http2_flood__cuts_off_priorities) {
    flood(NGHTTP2_PRIORITY, 0, "\0\0\0\0\0", 5, 1);
}

TEST(http2_flood__cuts_off_empty_data) {
    flood(NGHTTP2_DATA, 0, "", 0, 1);
}

TEST(http2_flood__cuts_off_continuations) {
    REQUIRE(server_start(&server, NULL, 1));
    int fd = raw_h2(&server);
    char block[1000];
    memset(block, 0, sizeof block);
    block[0] = 0x00;
    block[1] = 5;
    memcpy(block + 2, "x-abc", 5);
    block[7] = 100;
    memset(block + 8, 'v', 100);
    bool sent = raw_frame(fd, NGHTTP2_HEADERS, 0, 1, raw_get, sizeof raw_get - 1);
    for (int i = 0; i < 20000 && sent; i++)
        sent = raw_frame(fd, NGHTTP2_CONTINUATION, 0, 1, block, 108);
    CHECK(raw_closed(fd));
    close(fd);
    check_alive();
    server_stop(&server);
}

TEST(http2_flood__bounds_header_lists) {
    REQUIRE(server_start(&server, NULL, 1));
    static h2_client c;
    static char value[8000];
    memset(value, 'v', sizeof value - 1);
    REQUIRE(h2_begin(&c, dial(&server)));
    const char *more[] = {"x-a", value, "x-b", value, "x-c", value,
                          "x-d", value, "x-e", value, NULL};
    h2_call *call = h2_call_with(&c, "GET", "/hello", NULL, 0, more);
    h2_run(&c);
    CHECK(call->status == 431 || call->reset != 0 || c.over);
    h2_end(&c);
    REQUIRE(h2_begin(&c, dial(&server)));
    const char *many[221];
    for (int i = 0; i < 220; i += 2) {
        many[i] = "x-a";
        many[i + 1] = "b";
    }
    many[220] = NULL;
    call = h2_call_with(&c, "GET", "/hello", NULL, 0, many);
    h2_run(&c);
    CHECK_INT(call->status, 431);
    h2_end(&c);
    check_alive();
    server_stop(&server);
}

/* A header block that decodes to far more than it weighs. */
TEST(http2_flood__bounds_a_header_bomb) {
    REQUIRE(server_start(&server, NULL, 1));
    int fd = raw_h2(&server);
    unsigned char block[16000];
    size_t len = 0;
    memcpy(block, raw_get, sizeof raw_get - 1);
    len = sizeof raw_get - 1;
    block[len++] = 0x40; /* literal with incremental indexing, new name */
    block[len++] = 1;
    block[len++] = 'x';
    block[len++] = 0x7f; /* 127 + ... */
    block[len++] = 0x81;
    block[len++] = 0x1e; /* 127 + 1 + 30 * 128 = 3968 */
    memset(block + len, 'v', 3968);
    len += 3968;
    while (len < sizeof block)
        block[len++] = 0xbe; /* the newest dynamic entry, again and again */
    raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1, block,
              len);
    heard h = {0};
    uint64_t begin_ns = sw_clock_ns();
    while (hear_some(&h, fd, 500))
        ;
    CHECK(sw_clock_ns() - begin_ns < 5 * SW_NS_PER_S);
    CHECK_INT(atomic_load(&seen.last_status) == 200, 0);
    hush(&h);
    close(fd);
    check_alive();
    server_stop(&server);
}

TEST(http2_flood__closes_on_a_client_that_never_reads) {
    sw_server_config config = {.body_stall_ms = 500};
    REQUIRE(server_start(&server, &config, 1));
    int fd = raw_h2(&server);
    raw_frame(fd, NGHTTP2_SETTINGS, 0, 0, "\0\4\x7f\xff\xff\xff", 6);
    raw_frame(fd, NGHTTP2_WINDOW_UPDATE, 0, 0, "\x7f\xff\0\0", 4);
    for (uint32_t i = 0; i < 8; i++)
        raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                  2 * i + 1, "\x82\x86\x44\x04/big\x41\x09localhost", 19);
    for (int i = 0; i < 2000 && sw_server_connections(server.server); i++)
        usleep(10000);
    CHECK_INT(sw_server_connections(server.server), 0);
    close(fd);
    check_alive();
    server_stop(&server);
}

TEST(http2_flood__resets_replies_that_no_window_is_opened_for) {
    sw_server_config config = {.body_stall_ms = 500};
    REQUIRE(server_start(&server, &config, 1));
    int fd = raw_h2(&server);
    raw_frame(fd, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\0\0", 6); /* INITIAL_WINDOW_SIZE 0 */
    for (uint32_t i = 0; i < 20; i++)
        raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM,
                  2 * i + 1, "\x82\x86\x44\x04/big\x41\x09localhost", 19);
    CHECK(wait_for(&seen.replied, 20)); /* each is given up */
    CHECK_INT(atomic_load(&seen.last_status), 499);
    close(fd);
    check_alive();
    server_stop(&server);
}

TEST(http2_flood__gives_up_on_half_a_header_block_and_half_a_body) {
    sw_server_config config = {.body_stall_ms = 300, .header_timeout_ms = 300};
    REQUIRE(server_start(&server, &config, 1));
    int heads = raw_h2(&server), body = raw_h2(&server), preface = dial(&server);
    raw_frame(heads, NGHTTP2_HEADERS, 0, 1, raw_get, sizeof raw_get - 1);
    raw_frame(body, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
              "\x83\x86\x44\x05/echo\x41\x09localhost", 20);
    say(preface, "PRI * HTTP/2.0\r\n");
    CHECK(raw_closed(heads));
    CHECK(raw_closed(preface));
    CHECK(wait_for(&seen.replied, 1));
    CHECK_INT(atomic_load(&seen.last_status), 408);
    close(heads);
    close(body);
    close(preface);
    check_alive();
    server_stop(&server);
}

TEST(http2_flood__survives_noise_in_every_frame_type) {
    REQUIRE(server_start(&server, NULL, 1));
    unsigned state = 12345;
    for (int i = 0; i < 300; i++) {
        unsigned char payload[64];
        int fd = raw_h2(&server);
        for (int frame = 0; frame < 20; frame++) {
            for (size_t k = 0; k < sizeof payload; k++)
                payload[k] = (unsigned char)((state = state * 1664525 + 1013904223) >> 24);
            if (!raw_frame(fd, (int)(state >> 28), (int)(state >> 20 & 0xff), state >> 16 & 7,
                           payload, payload[0] % sizeof payload))
                break;
        }
        close(fd);
    }
    check_alive();
    server_stop(&server);
}

TEST_MAIN
