/* SPDX-License-Identifier: Apache-2.0 */
/* Where Evidently changes its mind about a test, and what it cannot do. Its figures are in
 * reference_test.c. */
#include "unit/test.h"

#include "base/mem.h"
#include "stats/compat_evidently.h"

enum { ROWS_MAX = 1200 };
static double a[ROWS_MAX], b[ROWS_MAX];

/* `levels` distinct values over n and m rows, ascending. */
static sw_samples samples_of(size_t n, size_t m, size_t levels) {
    for (size_t i = 0; i < n; i++)
        a[i] = (double)(i * levels / n);
    for (size_t i = 0; i < m; i++)
        b[i] = (double)(i * levels / m);
    return (sw_samples){a, b, n, m};
}

static const char *chosen(size_t n, size_t m, size_t levels) {
    sw_evidently out;
    sw_samples samples = samples_of(n, m, levels);
    if (sw_failed(sw_evidently_numbers(&out, &samples, NULL, NAN, NULL)))
        return "failed";
    return out.test;
}

TEST(evidently_s_choice__hangs_on_the_reference_s_rows_and_the_distinct_values) {
    CHECK_TEXT(chosen(1000, 100, 6), "ks");
    CHECK_TEXT(chosen(1001, 100, 6), "wasserstein");
    CHECK_TEXT(chosen(1000, 100, 5), "chisquare");
    CHECK_TEXT(chosen(1001, 100, 5), "jensenshannon");
    CHECK_TEXT(chosen(1000, 1200, 3), "chisquare");
    CHECK_TEXT(chosen(1000, 1200, 2), "z");
    CHECK_TEXT(chosen(1000, 1200, 1), "z");
    CHECK_TEXT(chosen(1001, 1200, 2), "jensenshannon");
}

TEST(evidently_s_choice__counts_the_values_of_both_sides) {
    double x[] = {1, 1, 2, 2}, y[] = {1, 2, 3, 4, 5, 6};
    sw_samples samples = {x, y, 4, 6};
    sw_evidently out;
    CHECK(!sw_failed(sw_evidently_numbers(&out, &samples, NULL, NAN, NULL)));
    CHECK_TEXT(out.test, "ks");
}

TEST(evidently_s_choice__for_categories) {
    uint64_t three[] = {300, 300, 400}, more[] = {300, 300, 401}, two[] = {5, 5};
    sw_evidently out;
    CHECK(!sw_failed(
        sw_evidently_categories(&out, &(sw_two_counts){three, more, 3}, NULL, NAN, NULL)));
    CHECK_TEXT(out.test, "chisquare");
    CHECK(!sw_failed(
        sw_evidently_categories(&out, &(sw_two_counts){more, three, 3}, NULL, NAN, NULL)));
    CHECK_TEXT(out.test, "jensenshannon");
    CHECK(
        !sw_failed(sw_evidently_categories(&out, &(sw_two_counts){two, two, 2}, NULL, NAN, NULL)));
    CHECK_TEXT(out.test, "z");
    CHECK(out.defined && !out.drift && out.score == 1);
}

static void check_undefined(const char *test, const sw_samples *samples) {
    sw_evidently out;
    CHECK(!sw_failed(sw_evidently_numbers(&out, samples, test, NAN, NULL)));
    if (out.defined || out.drift || !out.reason || !isnan(out.score))
        TEST_FAIL_("%s should be undefined, and is %g", test ? test : "(default)", out.score);
}

TEST(undefined__has_a_reason_and_no_decision) {
    sw_samples full = samples_of(50, 50, 50), constant = samples_of(50, 50, 1);
    sw_samples empty = {a, b, 50, 0}, other = {a, b, 0, 50}, both = {a, b, 0, 0},
               one = {a, b, 1, 1};
    check_undefined(NULL, &empty);
    check_undefined(NULL, &other);
    check_undefined(NULL, &both);
    check_undefined("wasserstein", &both);
    check_undefined("t_test", &constant);
    check_undefined("cramer_von_mises", &one);
    check_undefined("chisquare", &full); /* Evidently has it for categories alone */
    double wide[2][2] = {{-1.7e308, 1.7e308}, {0, 1.7e308}};
    check_undefined("hellinger", &(sw_samples){wide[0], wide[1], 2, 2});
    sw_evidently text = sw_evidently_text(NAN, 10, 0, 5);
    CHECK(!text.defined && text.reason);
}

TEST(samples_of_one_value__are_compared_all_the_same) {
    sw_samples one = samples_of(1, 1, 1);
    static const char *const tests[] = {"ks",  "wasserstein", "jensenshannon", "kl_div",
                                        "psi", "hellinger",   "mannw",         "ed"};
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        sw_evidently out;
        CHECK(!sw_failed(sw_evidently_numbers(&out, &one, tests[i], NAN, NULL)));
        CHECK(out.defined && !out.drift);
    }
}

TEST(thresholds__are_met_as_evidently_meets_them) {
    double x[] = {0, 1}, y[] = {0, 1};
    sw_samples same = {x, y, 2, 2};
    sw_evidently out;
    CHECK(!sw_failed(sw_evidently_numbers(&out, &same, "psi", 0, NULL)));
    CHECK(out.drift); /* at least */
    CHECK(!sw_failed(sw_evidently_numbers(&out, &same, "ed", 0, NULL)));
    CHECK(!out.drift); /* more than */
    CHECK(!sw_failed(sw_evidently_numbers(&out, &same, "ks", 1, NULL)));
    CHECK(out.drift); /* at most */
    CHECK(!sw_failed(sw_evidently_numbers(&out, &same, "mannw", out.score, NULL)));
}

#ifdef SW_FAULTS
TEST(memory_that_runs_out__is_an_error_and_leaks_nothing) {
    static const char *const tests[] = {NULL,  "ks",       "mannw", "cramer_von_mises",
                                        "psi", "hellinger"};
    sw_samples samples = samples_of(19, 20, 7);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        for (size_t nth = 1;; nth++) {
            sw_evidently out;
            sw_error error;
            sw_mem_fail_at(nth);
            sw_status status = sw_evidently_numbers(&out, &samples, tests[i], NAN, &error);
            bool failed = sw_mem_failed();
            sw_mem_fail_at(0);
            CHECK_INT(sw_failed(status), failed);
            if (!failed)
                break;
        }
}
#endif

TEST_MAIN
