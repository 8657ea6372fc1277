/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test: the whole of the unit test harness.
 *
 *     #include "test.h"
 *     TEST(route_split__keeps_a_caller_on_its_side) { CHECK(side == 2); }
 *     TEST_MAIN
 *
 * A check that fails prints where and what, and the test goes on; REQUIRE leaves the test at once
 * (only in the test's own body). Arguments are parts of names: only tests that contain one of them
 * run. "--list" prints the names.
 *
 * Threads: checks may be made by any; the counter of failures is atomic.
 */
#ifndef SW_TESTS_TEST_H
#define SW_TESTS_TEST_H

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
} test_case;

static test_case *test_first;
static test_case **test_last = &test_first;
static atomic_int test_failures;
static int test_failures_before; /* when the running test began */

#define TEST(test_name)                                                        \
    static void test_name(void);                                               \
    __attribute__((constructor)) static void test_register_##test_name(void) { \
        static test_case self = {#test_name, test_name, NULL};                 \
        *test_last = &self;                                                    \
        test_last = &self.next;                                                \
    }                                                                          \
    static void test_name(void)

enum { TEST_FAILURES_SHOWN = 20 }; /* of one test */

#define TEST_FAIL_(...)                                                                         \
    do {                                                                                        \
        if (atomic_fetch_add(&test_failures, 1) - test_failures_before < TEST_FAILURES_SHOWN) { \
            fprintf(stderr, "  %s:%d: ", __FILE__, __LINE__);                                   \
            fprintf(stderr, __VA_ARGS__);                                                       \
            fputc('\n', stderr);                                                                \
        }                                                                                       \
    } while (0)

#define CHECK(condition)                            \
    do {                                            \
        if (!(condition))                           \
            TEST_FAIL_("not true: %s", #condition); \
    } while (0)

#define REQUIRE(condition)                          \
    do {                                            \
        if (!(condition)) {                         \
            TEST_FAIL_("not true: %s", #condition); \
            return;                                 \
        }                                           \
    } while (0)

/* Whole numbers of any type up to 64 bits. */
#define CHECK_INT(got, wanted)                                                      \
    do {                                                                            \
        long long test_got_ = (long long)(got), test_wanted_ = (long long)(wanted); \
        if (test_got_ != test_wanted_)                                              \
            TEST_FAIL_("%s is %lld, not %lld", #got, test_got_, test_wanted_);      \
    } while (0)

/* `got` is a sw_str (or anything with .at and .len), `wanted` a C string. */
#define CHECK_STR(got, wanted)                                                         \
    do {                                                                               \
        __auto_type test_got_ = (got);                                                 \
        const char *test_wanted_ = (wanted);                                           \
        if (test_got_.len != strlen(test_wanted_) ||                                   \
            (test_got_.len && memcmp(test_got_.at, test_wanted_, test_got_.len) != 0)) \
            TEST_FAIL_("%s is \"%.*s\", not \"%s\"", #got, (int)test_got_.len,         \
                       test_got_.at ? test_got_.at : "", test_wanted_);                \
    } while (0)

/* Both are C strings. */
#define CHECK_TEXT(got, wanted)                                                            \
    do {                                                                                   \
        const char *test_got_ = (got), *test_wanted_ = (wanted);                           \
        if (!test_got_ || strcmp(test_got_, test_wanted_) != 0)                            \
            TEST_FAIL_("%s is \"%s\", not \"%s\"", #got, test_got_ ? test_got_ : "(null)", \
                       test_wanted_);                                                      \
    } while (0)

/* `part` stands somewhere in the C string `got`. */
#define CHECK_HAS(got, part)                                                                   \
    do {                                                                                       \
        const char *test_got_ = (got), *test_part_ = (part);                                   \
        if (!test_got_ || !strstr(test_got_, test_part_))                                      \
            TEST_FAIL_("%s is \"%s\", without \"%s\"", #got, test_got_ ? test_got_ : "(null)", \
                       test_part_);                                                            \
    } while (0)

#define CHECK_NEAR(got, wanted, tolerance)                                       \
    do {                                                                         \
        double test_got_ = (double)(got), test_wanted_ = (double)(wanted);       \
        if (!(fabs(test_got_ - test_wanted_) <= (tolerance)))                    \
            TEST_FAIL_("%s is %.17g, not %.17g", #got, test_got_, test_wanted_); \
    } while (0)

/* An sw_status that should be SW_OK, with the sw_error that explains where it is not. */
#define CHECK_OK(status, error)                                 \
    do {                                                        \
        if ((status).code != 0)                                 \
            TEST_FAIL_("%s failed: %s", #status, (error).text); \
    } while (0)

#define REQUIRE_OK(status, error)                               \
    do {                                                        \
        __auto_type test_status_ = (status);                    \
        if (test_status_.code != 0) {                           \
            TEST_FAIL_("%s failed: %s", #status, (error).text); \
            return;                                             \
        }                                                       \
    } while (0)

static inline bool test_is_wanted(const char *name, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strstr(name, argv[i]))
            return true;
    return argc < 2;
}

static inline int test_run_all(int argc, char **argv) {
    int passed = 0, failed = 0;
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;
    for (test_case *test = test_first; test; test = test->next) {
        if (list) {
            puts(test->name);
            continue;
        }
        if (!test_is_wanted(test->name, argc, argv))
            continue;
        test_failures_before = atomic_load(&test_failures);
        test->run();
        bool good = atomic_load(&test_failures) == test_failures_before;
        if (!good)
            fprintf(stderr, "FAILED %s\n", test->name);
        good ? passed++ : failed++;
    }
    if (list)
        return 0;
    printf("%d passed, %d failed\n", passed, failed);
    return failed || passed == 0;
}

#define TEST_MAIN                        \
    int main(int argc, char **argv) {    \
        return test_run_all(argc, argv); \
    }

#endif /* SW_TESTS_TEST_H */
