/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/net/h2_testing.h"

static h2_client c;
static char frames[H2_CALLS_MAX][1024];

TEST(grpc__answers_a_unary_call_with_trailers) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *call = h2_grpc(&c, "/t.S/Echo", "message", frames[0], NULL);
    h2_call *empty = h2_grpc(&c, "/t.S/Echo", "", frames[1], NULL);
    h2_run(&c);
    CHECK_INT(call->status, 200);
    CHECK_TEXT(call->type, "application/grpc");
    REQUIRE(call->len == 12);
    CHECK(memcmp(call->body, "\0\0\0\0\7message", 12) == 0);
    CHECK_INT(call->grpc_status, 0);
    CHECK(!call->trailers_only);
    CHECK_INT(empty->len, 5);
    CHECK_INT(empty->grpc_status, 0);
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__puts_failures_into_trailers_alone) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *failed = h2_grpc(&c, "/t.S/Fail", "x", frames[0], NULL);
    h2_call *unknown = h2_grpc(&c, "/t.S/Nothing", "x", frames[1], NULL);
    h2_call *plain_path = h2_grpc(&c, "/echo", "x", frames[2], NULL);
    h2_run(&c);
    CHECK_INT(failed->status, 200);
    CHECK_INT(failed->grpc_status, 8);
    CHECK_TEXT(failed->grpc_message, "50%25 full: \"q%C3%A9ue\"");
    CHECK(failed->trailers_only);
    CHECK_INT(unknown->grpc_status, 12);
    CHECK_INT(plain_path->grpc_status, 12);
    CHECK_INT(atomic_load(&seen.replied), 3);
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__refuses_malformed_messages) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    const char *type[] = {"content-type", "application/grpc", NULL};
    char many[2000] = "\0\0\0\x07\xcb";
    h2_call *compressed = h2_call_with(&c, "POST", "/t.S/Echo", "\1\0\0\0\1x", 6, type);
    h2_call *nothing = h2_call_with(&c, "POST", "/t.S/Echo", NULL, 0, type);
    h2_call *cut = h2_call_with(&c, "POST", "/t.S/Echo", "\0\0\0\0\5abc", 8, type);
    h2_call *giant = h2_call_with(&c, "POST", "/t.S/Echo",
                                  "\0\xff\xff\xff\xff"
                                  "abc",
                                  8, type);
    h2_call *two = h2_call_with(&c, "POST", "/t.S/Echo", "\0\0\0\0\1a\0\0\0\0\1b", 12, type);
    h2_call *short_prefix = h2_call_with(&c, "POST", "/t.S/Echo", "\0\0", 2, type);
    h2_call *large = h2_call_with(&c, "POST", "/t.S/Echo", many, sizeof many, type);
    h2_run(&c);
    CHECK_INT(compressed->grpc_status, 12);
    CHECK_TEXT(compressed->back, "identity");
    CHECK_INT(nothing->grpc_status, 13);
    CHECK_INT(cut->grpc_status, 13);
    CHECK_INT(giant->grpc_status, 13);
    CHECK_INT(two->grpc_status, 12);
    CHECK_INT(short_prefix->grpc_status, 13);
    CHECK_INT(large->grpc_status, 8);
    h2_call *fine = h2_grpc(&c, "/t.S/Echo", "still here", frames[0], NULL);
    h2_run(&c);
    CHECK_INT(fine->grpc_status, 0);
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__passes_deadlines_on) {
    static const struct {
        const char *text, *ns;
    } rows[] = {{"100m", "100000000"},
                {"2S", "2000000000"},
                {"3u", "3000"},
                {"7n", "7"},
                {"1M", "60000000000"},
                {"1H", "3600000000000"},
                {"123456789S", "0"},
                {"x", "0"},
                {"5", "0"},
                {"-1S", "0"},
                {"99999999H", "4611686018427387903"}};
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *more[] = {"grpc-timeout", rows[i].text, NULL};
        h2_call *call = h2_grpc(&c, "/t.S/Deadline", "", frames[i], more);
        h2_run(&c);
        CHECK(call->body && strcmp(call->body + 5, rows[i].ns) == 0);
    }
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__cancels_what_the_client_resets) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *call = h2_grpc(&c, "/t.S/Never", "x", frames[0], NULL);
    h2_flush(&c);
    h2_step(&c, 100);
    nghttp2_submit_rst_stream(c.session, NGHTTP2_FLAG_NONE, call->stream, NGHTTP2_CANCEL);
    h2_flush(&c);
    CHECK(wait_for(&seen.gone, 1));
    CHECK(wait_for(&seen.replied, 1));
    CHECK_INT(atomic_load(&seen.last_status), 499);
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__streams_messages_from_the_loop_and_from_a_pool) {
    static const char *const paths[] = {"/t.S/Stream", "/t.S/PoolStream"};
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    for (int i = 0; i < 2; i++) {
        h2_call *good = h2_grpc(&c, paths[i], "fine", frames[0], NULL);
        h2_call *bad = h2_grpc(&c, paths[i], "fail", frames[1], NULL);
        h2_run(&c);
        CHECK_INT(good->len, 27);
        CHECK(good->len == 27 &&
              memcmp(good->body, "\0\0\0\0\4part\0\0\0\0\4part\0\0\0\0\4part", 27) == 0);
        CHECK_INT(good->grpc_status, 0);
        CHECK_INT(bad->len, 27);
        CHECK_INT(bad->grpc_status, 14);
        CHECK_TEXT(bad->grpc_message, "no more");
    }
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__checks_scopes_hosts_and_origins) {
    const char *word[] = {"authorization", "Bearer word", NULL};
    const char *origin[] = {"origin", "http://evil.example", NULL};
    const char *host[] = {":authority", "evil.example", NULL};
    sw_server_config config = {.authorize = authorize_by_word};
    test_server server;
    REQUIRE(server_start(&server, &config, 1));
    REQUIRE(h2_begin(&c, dial(&server)));
    h2_call *without = h2_grpc(&c, "/t.S/Secret", "x", frames[0], NULL);
    h2_call *with = h2_grpc(&c, "/t.S/Secret", "x", frames[1], word);
    h2_call *cross = h2_grpc(&c, "/t.S/Echo", "x", frames[2], origin);
    h2_call *foreign = h2_grpc(&c, "/t.S/Echo", "x", frames[3], host);
    h2_run(&c);
    CHECK_INT(without->grpc_status, 16);
    CHECK_TEXT(without->grpc_message, "say the word");
    CHECK_INT(with->grpc_status, 0);
    CHECK_INT(cross->grpc_status, 7);
    CHECK_INT(foreign->grpc_status, 7);
    h2_end(&c);
    server_stop(&server);
}

TEST(grpc__answers_thousands_of_calls_on_one_connection) {
    test_server server;
    REQUIRE(server_start(&server, NULL, 1));
    int good = 0;
    for (int round = 0; round < 8; round++) {
        REQUIRE(h2_begin(&c, dial(&server)));
        for (int i = 0; i < 500; i++) {
            char text[32];
            sprintf(text, "message %d", i);
            h2_grpc(&c, "/t.S/Echo", text, frames[i], NULL);
        }
        h2_run(&c);
        for (int i = 0; i < 500; i++)
            good += c.calls[i].grpc_status == 0 && c.calls[i].len == c.calls[i].out_len &&
                    memcmp(c.calls[i].body, c.calls[i].out, c.calls[i].len) == 0;
        h2_end(&c);
    }
    CHECK_INT(good, 4000);
    server_stop(&server);
}

TEST_MAIN
