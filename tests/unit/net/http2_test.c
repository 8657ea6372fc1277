/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/net/h2_testing.h"

static h2_client c;

static void *drain_slowly(void *server) {
    sw_server_drain(server, 5000);
    return NULL;
}

TEST(http2__does_anything_get_through_at_all) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *call = h2_call_with(&c, "GET", "/hello", NULL, 0, NULL);
    h2_run(&c);
    CHECK_INT(call->status, 200);
    CHECK_TEXT(call->body, "hello");
    CHECK_TEXT(call->type, "text/plain");
    CHECK_INT(call->reset, 0);
    h2_end(&c);
    server_stop(&server);
    CHECK_INT(atomic_load(&seen.replied), 1);
}

/* The largest batch; each stream gets its own answer. */
static int answer_many(void) {
    test_server server;
    char paths[60][32];
    if (!server_start(&server, NULL, 1) || !h2_begin(&c, dial(&server)))
        return -1;
    h2_call *warm = h2_call_with(&c, "GET", "/hello", NULL, 0, NULL);
    h2_run(&c);
    CHECK_INT(warm->status, 200);
    atomic_store(&batch_largest, 0);
    for (int i = 0; i < 60; i++) {
        sprintf(paths[i], "/batched?%d", i);
        h2_call_with(&c, "GET", paths[i], NULL, 0, NULL);
    }
    h2_run(&c);
    for (int i = 0; i < 60; i++) {
        CHECK_INT(c.calls[i + 1].status, 200);
        CHECK_TEXT(c.calls[i + 1].body, paths[i] + 9);
    }
    h2_end(&c);
    server_stop(&server);
    return (int)atomic_load(&batch_largest);
}

/* How much one read delivers is the kernel's choice, so it is given a few. */
TEST(http2__answers_many_streams_at_once_as_one_batch) {
    int largest = 0;
    for (int i = 0; i < 10 && largest >= 0 && largest < 2; i++)
        largest = answer_many();
    CHECK(largest >= 2);
}

TEST(http2__fills_captures_query_and_headers) {
    const char *more[] = {"x-mark", "m", NULL};
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *call = h2_call_with(&c, "GET", "/p/a%20b/c?q=1+2", NULL, 0, more);
    h2_run(&c);
    CHECK_TEXT(call->body, "a b|c|1 2|m");
    CHECK_TEXT(call->back, "m");
    h2_end(&c);
    server_stop(&server);
}

TEST(http2__answers_head_204_and_refusals) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    const char *foreign[] = {":authority", "evil.example", NULL};
    const char *origin[] = {"origin", "http://evil.example", NULL};
    h2_call *head = h2_call_with(&c, "HEAD", "/hello", NULL, 0, NULL);
    h2_call *empty = h2_call_with(&c, "DELETE", "/thing", NULL, 0, NULL);
    h2_call *unknown = h2_call_with(&c, "GET", "/nowhere", NULL, 0, NULL);
    h2_call *method = h2_call_with(&c, "PUT", "/hello", "x", 1, NULL);
    h2_call *host = h2_call_with(&c, "GET", "/hello", NULL, 0, foreign);
    h2_call *cross = h2_call_with(&c, "POST", "/echo", "x", 1, origin);
    h2_call *large = h2_call_with(&c, "POST", "/small", "12345678901", 11, NULL);
    h2_run(&c);
    CHECK_INT(head->status, 200);
    CHECK_INT(head->len, 0);
    CHECK_INT(empty->status, 204);
    CHECK_INT(unknown->status, 404);
    CHECK_HAS(unknown->body, "{\"error\":");
    CHECK_INT(method->status, 405);
    CHECK_INT(host->status, 421);
    CHECK_INT(cross->status, 403);
    CHECK_INT(large->status, 413);
    h2_end(&c);
    server_stop(&server);
}

TEST(http2__carries_bodies_both_ways) {
    enum { LEN = 3000000 };
    char *bytes = malloc(LEN);
    for (int i = 0; i < LEN; i++)
        bytes[i] = (char)(i * 31 >> 3);
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *echo = h2_call_with(&c, "POST", "/echo", bytes, LEN, NULL);
    h2_call *upload = h2_call_with(&c, "POST", "/upload", bytes, LEN, NULL);
    h2_call *download = h2_call_with(&c, "GET", "/download", NULL, 0, NULL);
    h2_call *big = h2_call_with(&c, "GET", "/big", NULL, 0, NULL);
    h2_run(&c);
    CHECK_INT(echo->len, LEN);
    CHECK(echo->len == LEN && memcmp(echo->body, bytes, LEN) == 0);
    CHECK_INT(upload->status, 201);
    CHECK(upload->body && strncmp(upload->body, "3000000 ", 8) == 0);
    CHECK_INT(download->len, BIG_BYTES);
    CHECK_INT(download->reset, 0);
    CHECK_INT(big->len, BIG_BYTES);
    h2_end(&c);
    free(bytes);
    server_stop(&server);
}

TEST(http2__a_stalled_upload_holds_back_no_other_stream) {
    static char many[2000000];
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    /* Nobody reads this one's body: its window stays shut after 256 KiB. */
    h2_call *held = h2_call_with(&c, "GET", "/held", NULL, 0, NULL);
    h2_call *quick = h2_call_with(&c, "POST", "/upload", many, sizeof many, NULL);
    while (!quick->closed && h2_step(&c, WAIT_MS))
        ;
    CHECK_INT(quick->status, 201);
    CHECK(!held->closed);
    atomic_store(&seen.release_pool, true);
    h2_run(&c);
    CHECK_INT(held->status, 200);
    h2_end(&c);
    server_stop(&server);
}

TEST(http2__sends_events_and_hears_of_a_reset) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *events = h2_call_with(&c, "GET", "/events", NULL, 0, NULL);
    while (!(events->body && strstr(events->body, "data: tick")) && h2_step(&c, WAIT_MS))
        ;
    CHECK_HAS(events->body, "data: first");
    CHECK_HAS(events->body, "data: tick");
    nghttp2_submit_rst_stream(c.session, NGHTTP2_FLAG_NONE, events->stream, NGHTTP2_CANCEL);
    h2_flush(&c);
    CHECK(wait_for(&seen.gone, 1));
    h2_call *after = h2_call_with(&c, "GET", "/hello", NULL, 0, NULL);
    h2_run(&c);
    CHECK_INT(after->status, 200);
    h2_end(&c);
    server_stop(&server);
}

TEST(http2__tells_waiting_handlers_that_the_connection_went) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    for (int i = 0; i < 5; i++)
        h2_call_with(&c, "GET", "/never", NULL, 0, NULL);
    h2_flush(&c);
    h2_step(&c, 100);
    h2_end(&c);
    CHECK(wait_for(&seen.gone, 5));
    server_stop(&server);
}

TEST(http2__says_goaway_and_finishes_streams_when_it_drains) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *held = h2_call_with(&c, "GET", "/held", NULL, 0, NULL);
    h2_step(&c, 200);
    pthread_t thread;
    pthread_create(&thread, NULL, drain_slowly, server.server);
    while (!c.goaway && h2_step(&c, WAIT_MS))
        ;
    CHECK(c.goaway);
    h2_call *late =
        h2_call_with(&c, "GET", "/hello", NULL, 0, NULL); /* between notice and GOAWAY */
    (void)late;
    atomic_store(&seen.release_pool, true);
    h2_run(&c);
    CHECK_INT(held->status, 200);
    CHECK_INT(c.goaway_code, NGHTTP2_NO_ERROR);
    while (h2_step(&c, WAIT_MS))
        ;
    CHECK(c.over);
    h2_end(&c);
    pthread_join(thread, NULL);
    sw_loops_stop(server.loops);
}

TEST_MAIN
