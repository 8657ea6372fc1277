/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/classification.h"

#include "base/mem.h"
#include "unit/stats/quality_cases.h"

static quality_case data;
static sw_error error;

TEST(binary_metrics__agree_with_the_reference_cases) {
    static const char *const names[] = {"bin_tiny_5", "bin_calibrated", "bin_overconfident",
                                        "bin_imbalanced"};
    json_t *all = case_expected();
    REQUIRE(all);
    for (size_t i = 0; i < 4; i++) {
        sw_metrics got;
        sw_confusion confusion;
        REQUIRE(case_read(&data, names[i]));
        json_t *wanted = case_result(all, names[i]);
        REQUIRE_OK(sw_binary_metrics(&got, &confusion, data.column[1], data.binary, data.rows, 0.5,
                                     &error),
                   error);
        CHECK_INT(case_compare(&got, wanted, names[i]), 19);
    }
    json_decref(all);
}

TEST(multiclass_metrics__agree_with_the_reference_case) {
    json_t *all = case_expected();
    REQUIRE(all);
    REQUIRE(case_read(&data, "multi_4"));
    static double scores[CASE_ROWS_MAX * 4];
    for (size_t i = 0; i < data.rows; i++)
        memcpy(scores + 4 * i, data.numbers[i] + 1, 4 * sizeof(double));
    sw_metrics got;
    sw_class_figures per_class[4];
    uint64_t matrix[16];
    REQUIRE_OK(
        sw_multiclass_metrics(&got, matrix, per_class, scores, data.classes, data.rows, 4, &error),
        error);
    json_t *wanted = case_result(all, "multi_4");
    CHECK_INT(case_compare(&got, wanted, "multi_4"), 9);
    for (size_t i = 0; i < 16; i++)
        CHECK_INT(matrix[i],
                  json_integer_value(json_array_get(
                      json_array_get(json_object_get(wanted, "confusion"), i / 4), i % 4)));
    json_decref(all);
}

/* Every pair, one by one. */
static double plain_auc(const double *scores, const uint8_t *labels, size_t rows) {
    double wins = 0, pairs = 0;
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < rows; k++) {
            if (!labels[i] || labels[k])
                continue;
            pairs++;
            wins += scores[i] > scores[k] ? 1 : scores[i] == scores[k] ? 0.5 : 0;
        }
    }
    return wins / pairs;
}

TEST(roc_auc__counts_every_pair_and_ties_as_one_half) {
    uint64_t seed = 7;
    for (int round = 0; round < 50; round++) {
        double scores[120], got;
        uint8_t labels[120];
        unsigned levels = 2 + (unsigned)(sw_rng_next(&seed) % 40);
        for (size_t i = 0; i < 120; i++) {
            scores[i] = (double)(sw_rng_next(&seed) % levels) / levels;
            labels[i] = sw_rng_unit(&seed) < 0.3 || i == 0;
        }
        labels[1] = 0;
        REQUIRE_OK(sw_roc_auc(&got, scores, labels, 120, &error), error);
        CHECK_NEAR(got, plain_auc(scores, labels, 120), 1e-13);
    }
}

TEST(binary_metrics__say_why_one_class_has_no_roc_auc) {
    const double scores[] = {0.2, 0.7, 0.4};
    const uint8_t labels[] = {0, 0, 0};
    sw_metrics got;
    sw_confusion confusion;
    REQUIRE_OK(sw_binary_metrics(&got, &confusion, scores, labels, 3, 0.5, &error), error);
    CHECK(isnan(sw_metrics_value(&got, "roc_auc")));
    CHECK_HAS(sw_metrics_find(&got, "roc_auc")->undefined, "one class");
    CHECK(isnan(sw_metrics_value(&got, "ks_between_classes")));
    CHECK(isnan(sw_metrics_value(&got, "average_precision")));
    CHECK_NEAR(sw_metrics_value(&got, "accuracy"), 2.0 / 3, 1e-15);
    CHECK_NEAR(sw_metrics_value(&got, "recall"), 0, 0);
    CHECK(sw_metrics_value(&got, "log_loss_clip_eps") > 0);
}

TEST(binary_metrics__of_no_rows_are_undefined_and_nothing_worse) {
    sw_metrics got;
    sw_confusion confusion;
    REQUIRE_OK(sw_binary_metrics(&got, &confusion, NULL, NULL, 0, 0.5, &error), error);
    CHECK_HAS(sw_metrics_find(&got, "accuracy")->undefined, "no rows");
    CHECK_HAS(sw_metrics_find(&got, "roc_auc")->undefined, "no rows");
    CHECK_HAS(sw_metrics_find(&got, "brier")->undefined, "no rows");
}

TEST(binary_metrics__of_scores_that_are_no_probabilities_keep_the_order_alone) {
    const double scores[] = {-2, 3, 0.5, 0.4};
    const uint8_t labels[] = {0, 1, 1, 0};
    sw_metrics got;
    sw_confusion confusion;
    REQUIRE_OK(sw_binary_metrics(&got, &confusion, scores, labels, 4, 0.5, &error), error);
    CHECK_NEAR(sw_metrics_value(&got, "roc_auc"), 1, 0);
    CHECK_HAS(sw_metrics_find(&got, "brier")->undefined, "outside of 0 to 1");
    CHECK(isnan(sw_metrics_value(&got, "ece_10_equal_width")));
}

TEST(log_loss__clips_certain_and_wrong_scores_in_both_conventions) {
    CHECK_NEAR(sw_log_loss_of(0, true, SW_CLIP_EPS), 36.04365338911715, 1e-12);
    CHECK_NEAR(sw_log_loss_of(1, false, SW_CLIP_1E15), 34.53957599234081, 1e-12);
    CHECK_NEAR(sw_log_loss_of(1, true, SW_CLIP_EPS), 0, 1e-15);
}

TEST(multiclass_metrics__say_why_an_absent_class_has_no_roc_auc) {
    const double scores[] = {0.5, 0.3, 0.2, 0.1, 0.8, 0.1};
    const uint32_t labels[] = {0, 1};
    sw_metrics got;
    sw_class_figures per_class[3];
    uint64_t matrix[9];
    REQUIRE_OK(sw_multiclass_metrics(&got, matrix, per_class, scores, labels, 2, 3, &error), error);
    CHECK_HAS(sw_metrics_find(&got, "roc_auc_ovr_macro")->undefined, "never occurs");
    CHECK_NEAR(sw_metrics_value(&got, "accuracy"), 1, 0);
    CHECK_NEAR(sw_metrics_value(&got, "macro_f1"), 1, 0); /* of the two that occur */
    REQUIRE_OK(sw_multiclass_metrics(&got, matrix, per_class, scores, labels, 0, 3, &error), error);
    CHECK_HAS(sw_metrics_find(&got, "accuracy")->undefined, "no rows");
}

TEST(multiclass_metrics__of_two_classes_are_those_of_binary) {
    REQUIRE(case_read(&data, "bin_calibrated"));
    static double scores[CASE_ROWS_MAX * 2];
    for (size_t i = 0; i < data.rows; i++) {
        scores[2 * i] = 1 - data.column[1][i];
        scores[2 * i + 1] = data.column[1][i];
    }
    sw_metrics two, many;
    sw_confusion confusion;
    sw_class_figures per_class[2];
    uint64_t matrix[4];
    REQUIRE_OK(
        sw_binary_metrics(&two, &confusion, data.column[1], data.binary, data.rows, 0.5, &error),
        error);
    REQUIRE_OK(
        sw_multiclass_metrics(&many, matrix, per_class, scores, data.classes, data.rows, 2, &error),
        error);
    CHECK_NEAR(sw_metrics_value(&many, "roc_auc_ovr_macro"), sw_metrics_value(&two, "roc_auc"),
               1e-12);
    CHECK_NEAR(sw_metrics_value(&many, "log_loss"), sw_metrics_value(&two, "log_loss_clip_eps"),
               1e-12);
    CHECK_NEAR(sw_metrics_value(&many, "mcc"), sw_metrics_value(&two, "mcc"), 1e-12);
    CHECK_NEAR(sw_metrics_value(&many, "brier"), 2 * sw_metrics_value(&two, "brier"), 1e-12);
    CHECK_NEAR(per_class[1].f1, sw_metrics_value(&two, "f1"), 1e-15);
}

#ifdef SW_FAULTS
TEST(binary_metrics__survive_every_allocation_that_fails) {
    const double scores[] = {0.2, 0.7, 0.4, 0.4};
    const uint8_t labels[] = {0, 1, 0, 1};
    const uint32_t classes[] = {0, 1};
    for (size_t nth = 1;; nth++) {
        sw_metrics got;
        sw_confusion confusion;
        sw_class_figures per_class[2];
        uint64_t matrix[4];
        sw_mem_fail_at(nth);
        sw_status first = sw_binary_metrics(&got, &confusion, scores, labels, 4, 0.5, &error);
        sw_status second =
            sw_multiclass_metrics(&got, matrix, per_class, scores, classes, 2, 2, &error);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        if (!failed)
            break;
        CHECK(first.code == SW_CODE_NO_MEMORY || second.code == SW_CODE_NO_MEMORY);
    }
}
#endif

TEST_MAIN
