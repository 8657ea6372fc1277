/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/sniff.h"

#include "unit/test.h"

static char taken[4096]; /* what was captured, one after the other */

static void take(sw_capture *c, void *context) {
    size_t used = strlen(taken);
    (void)context;
    snprintf(taken + used, sizeof taken - used, "[%s %s %.*s > %.*s]", c->path, c->id,
             SW_STR_ARG(sw_buf_str(&c->request)), SW_STR_ARG(sw_buf_str(&c->reply)));
    sw_capture_free(c);
}

static const sw_sniff_rules rules = {.host = {"up:80", 5},
                                     .prefix = {"/base", 5},
                                     .model = {"fraud", 5},
                                     .id_header = "x-id",
                                     .take = take};

static sw_sniff sniff;
static sw_sniff_counts counts;
static sw_buf out;

static void begin(void) {
    taken[0] = '\0';
    counts = (sw_sniff_counts){0};
    sw_buf_clear(&out);
    sw_sniff_init(&sniff, &rules, &counts);
}

/* `step` bytes at a time, in blocks of their own. */
static void feed(const char *text, size_t step, bool request) {
    size_t len = strlen(text);
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        char *block = malloc(n);
        memcpy(block, text + at, n);
        if (request)
            sw_sniff_request(&sniff, (sw_str){block, n}, &out);
        else
            sw_sniff_reply(&sniff, (sw_str){block, n});
        free(block);
    }
}

static const size_t steps[] = {1, 3, 10, 1000};
enum { STEPS = sizeof steps / sizeof *steps };

TEST(sniff__captures_a_request_and_its_reply_and_names_the_upstream) {
    for (size_t i = 0; i < STEPS; i++) {
        begin();
        feed("POST /predict?x=1 HTTP/1.1\r\nHOST:  me:9000\r\nX-Id: r1\r\nContent-Length: "
             "7\r\n\r\n{\"a\":1}",
             steps[i], true);
        CHECK(!sw_sniff_is_idle(&sniff) && sw_sniff_may_refuse(&sniff));
        feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[0.5]", steps[i], false);
        CHECK_STR(sw_buf_str(&out),
                  "POST /base/predict?x=1 HTTP/1.1\r\nHOST:  up:80\r\nX-Id: r1\r\nContent-Length: "
                  "7\r\n\r\n{\"a\":1}");
        CHECK_TEXT(taken, "[/predict r1 {\"a\":1} > [0.5]]");
        CHECK(sw_sniff_is_idle(&sniff) && counts.captured == 1);
        sw_sniff_free(&sniff);
    }
    sw_buf_free(&out);
}

TEST(sniff__keeps_pipelined_requests_and_chunks_apart) {
    for (size_t i = 0; i < STEPS; i++) {
        begin();
        feed("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
             "chunked\r\n\r\n1\r\n1\r\n2\r\n23\r\n0"
             "\r\n\r\nHEAD /h HTTP/1.1\r\nHost: h\r\n\r\nPOST /b HTTP/1.1\r\nHost: "
             "h\r\nContent-Length: 1\r\n\r\n4",
             steps[i], true);
        feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Id: s\r\nContent-Length: "
             "1\r\n\r\n5HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 201 "
             "OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n6\r\n1\r\n7\r\n0\r\n\r\n",
             steps[i], false);
        CHECK_TEXT(taken, "[/a s 123 > 5][/b  4 > 67]");
        CHECK(sw_sniff_is_idle(&sniff) && counts.requests == 3);
        sw_sniff_free(&sniff);
    }
    sw_buf_free(&out);
}

TEST(sniff__leaves_out_failures_compressed_bodies_and_other_models) {
    begin();
    feed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1"
         "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2"
         "POST /a HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\n3"
         "POST /v2/models/other/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n4"
         "POST /v2/models/fraud/versions/1/infer HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n5",
         1000, true);
    for (int i = 0; i < 5; i++)
        feed(i == 0   ? "HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx"
             : i == 1 ? "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx"
                      : "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny",
             1000, false);
    CHECK_TEXT(taken, "[/v2/models/fraud/versions/1/infer  5 > y]");
    CHECK(counts.failed == 1 && counts.encoded == 2);
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
}

static void expect_accepting(const char *method_and_path, const char *asked, const char *wanted) {
    char request[1024], passed[1024];
    snprintf(request, sizeof request,
             "%s HTTP/1.1\r\nAccept-Encoding:%s\r\nHost: h\r\nContent-Length: 1\r\n\r\n1",
             method_and_path, asked);
    const char *path = strchr(method_and_path, ' ') + 1;
    snprintf(passed, sizeof passed,
             "%.*s/base%s HTTP/1.1\r\nAccept-Encoding:%s\r\nHost: up:80\r\nContent-Length: "
             "1\r\n\r\n1",
             (int)(path - method_and_path), method_and_path, path, wanted);
    for (size_t i = 0; i < STEPS; i++) {
        begin();
        feed(request, steps[i], true);
        CHECK_STR(sw_buf_str(&out), passed);
        sw_sniff_free(&sniff);
        sw_buf_free(&out);
    }
}

TEST(sniff__asks_for_plain_replies_where_the_client_leaves_the_choice) {
    static const char *const plain[] = {" gzip",
                                        " gzip, deflate, br, zstd",
                                        " *",
                                        " gzip;q=1.0, identity; q=0.5, *;q=0",
                                        " identity;q=0.001, br",
                                        " identity, gzip",
                                        " x;q=0 , gzip ; Q=0.2"};
    static const char *const kept[] = {"",
                                       " identity",
                                       " gzip;q=0",
                                       " gzip;q=0.000, br; q=0",
                                       " gzip, identity;q=0",
                                       " *;q=0, gzip",
                                       " gzip, *; q=0.0"};
    char many[400] = " gzip";
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        expect_accepting("POST /a", plain[i], " identity");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        expect_accepting("POST /a", kept[i], kept[i]);
    while (strlen(many) < sizeof many - 10)
        strcat(many, ", gzip");
    expect_accepting("POST /a", many, many);
    /* Nor is it any of ours what is not observed. */
    expect_accepting("GET /a", " gzip", " gzip");
    expect_accepting("POST /v2/models/other/infer", " gzip", " gzip");
}

TEST(sniff__passes_on_what_it_holds_where_the_reply_makes_no_sense) {
    begin();
    feed("POST /a HTTP/1.1\r\nAccept-Encoding: gz", 1000, true);
    feed("nonsense\r\n\r\n", 1000, false);
    feed("ip\r\n\r\n", 1000, true);
    CHECK_STR(sw_buf_str(&out), "POST /base/a HTTP/1.1\r\nAccept-Encoding: gzip\r\n\r\n");
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
}

TEST(sniff__lets_what_is_no_http_by_unread) {
    static const char h2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHost: x /";
    for (size_t i = 0; i < STEPS; i++) {
        begin();
        feed(h2, steps[i], true);
        CHECK_STR(sw_buf_str(&out), h2);
        CHECK(sniff.opaque && !sw_sniff_is_idle(&sniff));
        sw_sniff_free(&sniff);
    }
    begin();
    feed("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 1000,
         true);
    feed("HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x01x", 1000,
         false);
    CHECK(sniff.opaque);
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
}

TEST(sniff__goes_on_where_an_upgrade_is_declined) {
    begin();
    feed("POST /a HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: "
         "1\r\n\r\n1POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2",
         1000, true);
    for (int i = 0; i < 2; i++)
        feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", 1000, false);
    CHECK(strstr(taken, "[/b  2 > y]"));
    CHECK(!sniff.opaque);
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
}

TEST(sniff__takes_a_reply_that_comes_before_the_request_is_whole) {
    begin();
    feed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 1000, true);
    feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", 1000, false);
    CHECK_TEXT(taken, "");
    feed("defghiPOST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n2", 1000, true);
    feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nz", 1000, false);
    CHECK_TEXT(taken, "[/b  2 > z]");
    begin();
    feed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 1000, true);
    feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", 1000, false);
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
}

TEST(sniff__takes_a_reply_that_ends_with_the_connection) {
    begin();
    feed("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n1", 1000, true);
    feed("HTTP/1.0 200 OK\r\n\r\nabc", 1000, false);
    CHECK_TEXT(taken, "");
    sw_sniff_reply_end(&sniff);
    CHECK_TEXT(taken, "[/a  1 > abc]");
    sw_sniff_free(&sniff);
    sw_buf_free(&out);
}

TEST_MAIN
