/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/calibration.h"

#include "base/mem.h"
#include "unit/stats/quality_cases.h"

static quality_case data;
static sw_error error;

TEST(isotonic__pools_what_violates_the_order) {
    const double scores[] = {0.1, 0.2, 0.3, 0.4, 0.4, 0.9};
    const uint8_t labels[] = {0, 1, 0, 1, 0, 1};
    sw_isotonic map;
    REQUIRE_OK(sw_isotonic_fit(&map, scores, labels, 6, &error), error);
    CHECK_NEAR(sw_isotonic_value(&map, 0.05), 0, 0);
    CHECK_NEAR(sw_isotonic_value(&map, 0.2), 0.5, 1e-15);
    CHECK_NEAR(sw_isotonic_value(&map, 0.4), 0.5, 1e-15);
    CHECK_NEAR(sw_isotonic_value(&map, 0.65), 0.75, 1e-15); /* half way to the next knot */
    CHECK_NEAR(sw_isotonic_value(&map, 2), 1, 0);
    sw_isotonic_free(&map);
}

/* No non-decreasing function on the knots does better: any nudge of a block raises the error. */
TEST(isotonic__rises_and_keeps_the_mean_of_every_block) {
    uint64_t seed = 11;
    static double scores[2000];
    static uint8_t labels[2000];
    double positives = 0, fitted = 0;
    for (size_t i = 0; i < 2000; i++) {
        scores[i] = (double)(sw_rng_next(&seed) % 500) / 500;
        labels[i] = sw_rng_unit(&seed) < scores[i] * scores[i];
        positives += labels[i];
    }
    sw_isotonic map;
    REQUIRE_OK(sw_isotonic_fit(&map, scores, labels, 2000, &error), error);
    for (size_t i = 0; i < 2000; i++)
        fitted += sw_isotonic_value(&map, scores[i]);
    for (size_t i = 1; i < map.knots; i++) {
        CHECK(map.at[i] > map.at[i - 1]);
        CHECK(map.value[i] >= map.value[i - 1]);
    }
    CHECK_NEAR(fitted, positives, 1e-9);
    sw_isotonic_free(&map);
}

TEST(isotonic__helps_the_overconfident_and_not_the_calibrated) {
    bool helps = false;
    REQUIRE(case_read(&data, "bin_overconfident"));
    REQUIRE_OK(sw_isotonic_helps(&helps, data.column[1], data.binary, data.rows, &error), error);
    CHECK(helps);
    REQUIRE(case_read(&data, "bin_calibrated"));
    REQUIRE_OK(sw_isotonic_helps(&helps, data.column[1], data.binary, data.rows, &error), error);
    CHECK(!helps);
    const double scores[] = {0.1, 0.2};
    const uint8_t none[] = {0, 0};
    REQUIRE_OK(sw_isotonic_helps(&helps, scores, none, 2, &error), error);
    CHECK(!helps);
}

TEST(reliability__puts_an_edge_into_the_bin_above_and_one_into_the_last) {
    CHECK_INT(sw_reliability_bin_of(0), 0);
    CHECK_INT(sw_reliability_bin_of(0.1), 1);
    CHECK_INT(sw_reliability_bin_of(0.95), 9);
    CHECK_INT(sw_reliability_bin_of(1), 9);
}

#ifdef SW_FAULTS
TEST(isotonic__survives_every_allocation_that_fails) {
    const double scores[] = {0.1, 0.9, 0.4, 0.4, 0.2, 0.3};
    const uint8_t labels[] = {0, 1, 0, 1, 1, 0};
    for (size_t nth = 1;; nth++) {
        bool helps;
        sw_mem_fail_at(nth);
        sw_status status = sw_isotonic_helps(&helps, scores, labels, 6, &error);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        if (!failed)
            break;
        CHECK_INT(status.code, SW_CODE_NO_MEMORY);
    }
}
#endif

TEST_MAIN
