/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed HTTP/2 requests: the stream is reset, no handler sees them, the connection lives on. */
#include "net/net_private.h"
#include "unit/net/h2_testing.h"

typedef struct block {
    unsigned char at[4096];
    size_t len;
} block;

/* A literal field without indexing, without Huffman codes; both below 127 bytes. */
static void add_bytes(block *b, const char *name, size_t name_len, const char *value,
                      size_t value_len) {
    b->at[b->len++] = 0;
    b->at[b->len++] = (unsigned char)name_len;
    memcpy(b->at + b->len, name, name_len);
    b->len += name_len;
    b->at[b->len++] = (unsigned char)value_len;
    memcpy(b->at + b->len, value, value_len);
    b->len += value_len;
}

static void add(block *b, const char *name, const char *value) {
    add_bytes(b, name, strlen(name), value, strlen(value));
}

static block whole(const char *method, const char *path) {
    block b = {.len = 0};
    add(&b, ":method", method);
    add(&b, ":scheme", "http");
    add(&b, ":path", path);
    add(&b, ":authority", "localhost");
    return b;
}

/* The error code of the RST_STREAM or GOAWAY that answers; -1 = a HEADERS frame, -2 = nothing. */
static int answer_of(int fd, uint32_t stream) {
    heard h = {0};
    int answer = -2;
    while (answer == -2 && hear_some(&h, fd, 2000)) {
        for (size_t at = 0; at + 9 <= h.len;) {
            const unsigned char *f = (const unsigned char *)h.at + at;
            size_t len = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];
            if (at + 9 + len > h.len)
                break;
            bool ours = f[8] == stream;
            if (ours && f[3] == NGHTTP2_HEADERS)
                answer = -1;
            else if (ours && f[3] == NGHTTP2_RST_STREAM && answer == -2)
                answer = f[12];
            else if (f[3] == NGHTTP2_GOAWAY)
                answer = f[16];
            at += 9 + len;
        }
    }
    hush(&h);
    return answer;
}

static test_server server;

static int try_block(const block *b, const char *data, bool trailers, const block *trailer) {
    int fd = raw_h2(&server);
    int last = data || trailers ? 0 : NGHTTP2_FLAG_END_STREAM;
    raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | last, 1, b->at, b->len);
    if (data)
        raw_frame(fd, NGHTTP2_DATA, trailers ? 0 : NGHTTP2_FLAG_END_STREAM, 1, data, strlen(data));
    if (trailers)
        raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                  trailer->at, trailer->len);
    int answer = answer_of(fd, 1);
    close(fd);
    return answer;
}

static void check_field(const char *name, const char *value, int wanted) {
    block b = whole("GET", "/hello");
    add(&b, name, value);
    int answer = try_block(&b, NULL, false, NULL);
    if (answer != wanted)
        TEST_FAIL_("\"%s: %s\" was answered by %d, not %d", name, value, answer, wanted);
}

enum { ANSWERED = -1, RESET = NGHTTP2_PROTOCOL_ERROR };

TEST(http2_strict__resets_malformed_fields) {
    REQUIRE(server_start(&server, NULL, 1));
    check_field("x-fine", "value", ANSWERED);
    check_field("x-fine", "", ANSWERED);
    check_field("x-fine", "a\tb \xc3\xa9", ANSWERED);
    check_field("te", "trailers", ANSWERED);
    check_field("X-Upper", "v", RESET);
    check_field("x-lower-but-Z", "v", RESET);
    check_field("x space", "v", RESET);
    check_field("x:colon", "v", RESET);
    check_field("x\x7f", "v", RESET);
    check_field("x\xc3\xa9", "v", RESET);
    check_field("", "v", RESET);
    check_field("x-lines", "a\r\nb", RESET);
    check_field("x-line", "a\nb", RESET);
    check_field("x-long-enough-for-words", "12345678\r", RESET);
    check_field("x-blank", " v", RESET);
    check_field("x-blank", "v ", RESET);
    check_field("connection", "close", RESET);
    check_field("keep-alive", "1", RESET);
    check_field("proxy-connection", "1", RESET);
    check_field("transfer-encoding", "chunked", RESET);
    check_field("upgrade", "h2c", RESET);
    check_field("te", "gzip", RESET);
    check_field(":path", "/again", RESET);
    check_field(":status", "200", RESET);
    check_field(":unknown", "x", RESET);
    check_field("content-length", "5", RESET);
    check_field("content-length", "x", RESET);
    check_field("content-length", "0", ANSWERED);
    CHECK_INT(atomic_load(&seen.replied), 7); /* the two false lengths count as cut off */
    server_stop(&server);
}

TEST(http2_strict__resets_incomplete_and_misordered_heads) {
    static const char *const parts[][2] = {
        {":method", "GET"}, {":scheme", "http"}, {":path", "/hello"}, {":authority", "localhost"}};
    REQUIRE(server_start(&server, NULL, 1));
    for (int left_out = 0; left_out < 3; left_out++) {
        block b = {.len = 0};
        for (int i = 0; i < 4; i++)
            if (i != left_out)
                add(&b, parts[i][0], parts[i][1]);
        CHECK_INT(try_block(&b, NULL, false, NULL), RESET);
    }
    block late = {.len = 0};
    add(&late, ":method", "GET");
    add(&late, ":scheme", "http");
    add(&late, "x-a", "b");
    add(&late, ":path", "/hello");
    CHECK_INT(try_block(&late, NULL, false, NULL), RESET);
    block relative = whole("GET", "hello"), empty = whole("GET", "");
    CHECK_INT(try_block(&relative, NULL, false, NULL), RESET);
    CHECK_INT(try_block(&empty, NULL, false, NULL), RESET);
    CHECK_INT(atomic_load(&seen.replied), 0);
    server_stop(&server);
}

TEST(http2_strict__holds_bodies_to_their_content_length) {
    static const struct {
        const char *length, *data;
        int wanted;
    } rows[] = {{"5", "hello", ANSWERED}, {"4", "hello", RESET},   {"6", "hello", RESET},
                {"+5", "hello", RESET},   {"5,5", "hello", RESET}, {"", "hello", RESET}};
    REQUIRE(server_start(&server, NULL, 1));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        block b = whole("POST", "/echo");
        add(&b, "content-length", rows[i].length);
        CHECK_INT(try_block(&b, rows[i].data, false, NULL), rows[i].wanted);
        b = whole("POST", "/upload");
        add(&b, "content-length", rows[i].length);
        int answer = try_block(&b, rows[i].data, false, NULL);
        CHECK(answer == rows[i].wanted);
    }
    block twice = whole("POST", "/echo");
    add(&twice, "content-length", "5");
    add(&twice, "content-length", "5");
    CHECK_INT(try_block(&twice, "hello", false, NULL), RESET);
    server_stop(&server);
}

TEST(http2_strict__takes_trailers_but_no_malformed_ones) {
    REQUIRE(server_start(&server, NULL, 1));
    block head = whole("POST", "/echo"), good = {.len = 0}, bad = {.len = 0};
    add(&good, "x-trailer", "t");
    add(&bad, ":path", "/");
    CHECK_INT(try_block(&head, "hello", true, &good), ANSWERED);
    CHECK_INT(try_block(&head, "hello", true, &bad), RESET);
    int fd = raw_h2(&server); /* trailers that do not end the stream */
    raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, head.at, head.len);
    raw_frame(fd, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, good.at, good.len);
    CHECK_INT(answer_of(fd, 1), RESET);
    close(fd);
    server_stop(&server);
}

TEST(http2_strict__checks_each_byte_of_a_name_and_a_value) {
    for (int byte = 0; byte < 256; byte++)
        for (size_t len = 1; len <= 17; len++)
            for (size_t at = 0; at < len; at++) {
                char text[17];
                memset(text, 'n', sizeof text);
                text[at] = (char)byte;
                bool name_ok =
                    byte > 0x20 && byte < 0x7f && byte != ':' && !(byte >= 'A' && byte <= 'Z');
                bool blank = (byte == ' ' || byte == '\t') && (at == 0 || at == len - 1);
                bool value_ok = byte != 0 && byte != '\r' && byte != '\n' && !blank;
                if (sw_http2_name_ok((sw_str){text, len}) != name_ok)
                    TEST_FAIL_("name with %#x at %zu of %zu", byte, at, len);
                if (sw_http2_value_ok((sw_str){text, len}) != value_ok)
                    TEST_FAIL_("value with %#x at %zu of %zu", byte, at, len);
            }
}

TEST_MAIN
