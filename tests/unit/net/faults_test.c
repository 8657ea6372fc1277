/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation of a conversation fails once: no crash, nothing kept, and the next one is served.
 */
#include "base/mem.h"
#include "fuzz/net_fuzzing.h"
#include "unit/test.h"

#ifdef SW_FAULTS

enum { ATTEMPTS_MAX = 20000 };

static const char http1[] = "GET /f/a%20b HTTP/1.1\r\nHost: localhost\r\nX-Mark: m\r\n\r\n"
                            "POST /e?q=%41 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
                            "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                            "PUT /e HTTP/1.1\r\nHost: localhost\r\n\r\n"
                            "POST /t/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nz"
                            "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n";

/* A GET, a POST with a body, a gRPC call and one to an unknown method. */
static const char http2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
                            "\0\0\x0e\1\5\0\0\0\1\x82\x86\x84\x41\x09localhost"
                            "\0\0\x11\1\4\0\0\0\3\x83\x86\x44\x02/e\x41\x09localhost"
                            "\0\0\5\0\1\0\0\0\3hello"
                            "\0\0\x27\1\4\0\0\0\5\x83\x86\x44\x06/g.S/E\x41\x09localhost\x5f\x10"
                            "application/grpc"
                            "\0\0\6\0\1\0\0\0\5\0\0\0\0\1x"
                            "\0\0\x27\1\4\0\0\0\7\x83\x86\x44\x06/g.S/N\x41\x09localhost\x5f\x10"
                            "application/grpc"
                            "\0\0\5\0\1\0\0\0\7\0\0\0\0\0";

/* The free lists would hide most allocations: each attempt begins without them. */
static bool converse_failing_at(size_t nth, const char *bytes, size_t len, size_t cut) {
    sw_net_free_lists(fuzz_net());
    sw_mem_fail_at(nth);
    fuzz_converse((const uint8_t *)bytes, len, cut);
    bool failed = sw_mem_failed();
    sw_mem_fail_at(0);
    return failed;
}

static void sweep(const char *bytes, size_t len, size_t cut, const char *wanted,
                  size_t wanted_len) {
    fuzz_converse((const uint8_t *)bytes, len, 0); /* what is made once is made */
    size_t nth = 1;
    while (nth < ATTEMPTS_MAX && converse_failing_at(nth, bytes, len, cut)) {
        fuzz_converse((const uint8_t *)bytes, len, cut);
        CHECK(memmem(fuzz_answer, fuzz_answer_len, wanted, wanted_len) != NULL);
        nth++;
    }
    CHECK(nth > 5 && nth < ATTEMPTS_MAX);
}

TEST(faults__http1_survives_each_allocation_that_fails) {
    sweep(http1, sizeof http1 - 1, 0, "there is nothing at /nowhere", 28);
    sweep(http1, sizeof http1 - 1, 9, "there is nothing at /nowhere", 28);
}

TEST(faults__http2_survives_each_allocation_that_fails) {
    sweep(http2, sizeof http2 - 1, 0, "hello", 5);
    sweep(http2, sizeof http2 - 1, 9, "hello", 5);
}

TEST(faults__a_server_that_cannot_start_says_so_and_leaves_nothing) {
    for (size_t nth = 1; nth < ATTEMPTS_MAX; nth++) {
        sw_loops *loops = NULL;
        sw_server *server = NULL;
        sw_error error = {.text = ""};
        sw_server_config config = {.listen = "127.0.0.1:0"};
        sw_mem_fail_at(nth);
        sw_status status = sw_loops_make(&loops, 1, &error);
        if (!sw_failed(status))
            status = sw_server_start(&server, loops, fuzz_routes, 3, NULL, &config, &error);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(status.code, failed ? SW_CODE_NO_MEMORY : SW_CODE_OK);
        if (server)
            sw_server_drain(server, 0);
        sw_loops_stop(loops);
        if (!failed)
            return;
    }
    CHECK(false);
}

#else
TEST(faults__are_left_out_of_this_build) {
    CHECK(true);
}
#endif

TEST_MAIN
