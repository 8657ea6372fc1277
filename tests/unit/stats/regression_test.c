/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/regression.h"

#include "unit/stats/quality_cases.h"

static quality_case data;
static sw_error error;

TEST(regression_metrics__agree_with_the_reference_cases) {
    static const char *const names[] = {"reg_gamma", "reg_constant_target"};
    json_t *all = case_expected();
    REQUIRE(all);
    for (size_t i = 0; i < 2; i++) {
        sw_metrics got;
        REQUIRE(case_read(&data, names[i]));
        REQUIRE_OK(sw_regression_metrics(&got, data.column[0], data.column[1], data.rows, &error),
                   error);
        CHECK_INT(case_compare(&got, case_result(all, names[i]), names[i]), 11);
    }
    json_decref(all);
}

TEST(regression_metrics__of_a_constant_label_give_r2_one_only_to_perfection) {
    const double label[] = {3.1, 3.1, 3.1}, perfect[] = {3.1, 3.1, 3.1}, off[] = {3.1, 3.2, 3.1};
    sw_metrics got;
    REQUIRE_OK(sw_regression_metrics(&got, label, perfect, 3, &error), error);
    CHECK_NEAR(sw_metrics_value(&got, "r2"), 1, 0);
    REQUIRE_OK(sw_regression_metrics(&got, label, off, 3, &error), error);
    CHECK_NEAR(sw_metrics_value(&got, "r2"), 0, 0);
    CHECK_HAS(sw_metrics_find(&got, "spearman")->undefined, "constant");
}

TEST(regression_metrics__without_rows_or_with_one_are_undefined_with_a_reason) {
    const double one[] = {2};
    sw_metrics got;
    REQUIRE_OK(sw_regression_metrics(&got, one, one, 0, &error), error);
    for (unsigned i = 0; i < got.count; i++)
        CHECK_HAS(got.at[i].undefined, "no rows");
    CHECK_INT(got.count, 11);
    REQUIRE_OK(sw_regression_metrics(&got, one, one, 1, &error), error);
    CHECK_HAS(sw_metrics_find(&got, "r2")->undefined, "one row");
    CHECK_NEAR(sw_metrics_value(&got, "mae"), 0, 0);
}

TEST(regression_metrics__below_zero_have_no_logarithmic_error) {
    const double label[] = {1, -2, 3}, prediction[] = {1, 2, 3};
    sw_metrics got;
    REQUIRE_OK(sw_regression_metrics(&got, label, prediction, 3, &error), error);
    CHECK_HAS(sw_metrics_find(&got, "msle")->undefined, "below 0");
    CHECK_NEAR(sw_metrics_value(&got, "mean_error"), 4.0 / 3, 1e-15);
}

/* Labels of 1e9 that differ by 1: sums of squares in plain doubles would lose all of it. */
TEST(regression_sums__keep_r2_where_labels_lie_far_from_zero) {
    sw_regression_sums far = {0}, near = {0};
    sw_metrics a = {0}, b = {0};
    uint64_t seed = 3;
    for (int i = 0; i < 1000; i++) {
        double label = (double)(sw_rng_next(&seed) % 1000) / 64,
               gap = (double)(sw_rng_next(&seed) % 100) / 64;
        sw_regression_add(&near, label, label + gap);
        sw_regression_add(&far, 1e9 + label, 1e9 + label + gap);
    }
    sw_regression_sums_metrics(&a, &near);
    sw_regression_sums_metrics(&b, &far);
    CHECK_NEAR(sw_metrics_value(&b, "r2"), sw_metrics_value(&a, "r2"), 1e-13);
}

TEST_MAIN
