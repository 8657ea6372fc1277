/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/cbpe.h"

#include "unit/stats/quality_cases.h"

static quality_case data;
static sw_error error;

TEST(cbpe__agrees_with_the_reference_cases) {
    static const char *const names[] = {"bin_tiny_5", "bin_calibrated", "bin_overconfident",
                                        "bin_imbalanced"};
    json_t *all = case_expected();
    REQUIRE(all);
    for (size_t i = 0; i < 4; i++) {
        sw_metrics got;
        REQUIRE(case_read(&data, names[i]));
        REQUIRE_OK(sw_cbpe_metrics(&got, data.column[1], data.rows, 0.5, NULL, &error), error);
        json_t *wanted = json_object_get(case_result(all, names[i]), "cbpe_no_calibration");
        CHECK_INT(case_compare(&got, wanted, names[i]), 10);
    }
    json_decref(all);
}

TEST(cbpe__calibrated_brings_the_overconfident_near_the_truth) {
    sw_isotonic map;
    sw_metrics plain, calibrated;
    REQUIRE(case_read(&data, "bin_overconfident"));
    REQUIRE_OK(sw_isotonic_fit(&map, data.column[1], data.binary, data.rows, &error), error);
    REQUIRE_OK(sw_cbpe_metrics(&plain, data.column[1], data.rows, 0.5, NULL, &error), error);
    REQUIRE_OK(sw_cbpe_metrics(&calibrated, data.column[1], data.rows, 0.5, &map, &error), error);
    CHECK(fabs(sw_metrics_value(&plain, "accuracy") - 0.687) > 0.1);
    CHECK(fabs(sw_metrics_value(&calibrated, "accuracy") - 0.687) < 0.02);
    sw_isotonic_free(&map);
}

TEST(cbpe__of_no_rows_is_undefined) {
    sw_metrics got;
    REQUIRE_OK(sw_cbpe_metrics(&got, NULL, 0, 0.5, NULL, &error), error);
    CHECK_HAS(sw_metrics_find(&got, "accuracy")->undefined, "no rows");
    CHECK_HAS(sw_metrics_find(&got, "roc_auc")->undefined, "no rows");
}

TEST(cbpe__sums_merge_and_come_off_again) {
    sw_cbpe_sums parts[3] = {0}, all = {0}, merged = {0};
    uint64_t seed = 31;
    for (int i = 0; i < 3000; i++) {
        double score = sw_rng_unit(&seed);
        sw_cbpe_add(&parts[i % 3], score, score >= 0.5);
        if (i % 3)
            sw_cbpe_add(&all, score, score >= 0.5);
    }
    for (int i = 2; i >= 0; i--)
        sw_cbpe_merge(&merged, &parts[i]);
    CHECK(sw_cbpe_subtract(&merged, &parts[0]));
    sw_metrics a = {0}, b = {0};
    sw_cbpe_sums_metrics(&a, &merged);
    sw_cbpe_sums_metrics(&b, &all);
    for (unsigned i = 0; i < a.count; i++)
        CHECK_NEAR(a.at[i].value, b.at[i].value, 1e-13 * fabs(b.at[i].value));
    CHECK_INT(merged.rows, all.rows);
}

/* Two rows decided as the first class, one as the second, none as the third. */
TEST(cbpe__of_more_classes_takes_each_against_the_others) {
    static const double scores[] = {0.7, 0.2, 0.1, 0.5, 0.3, 0.2, 0.5, 1, 0.5}; /* the last: / 2 */
    sw_cbpe_class sums[3] = {0}, part[3] = {0}, rest[3] = {0};
    sw_metrics m = {0}, again;
    for (int i = 0; i < 3; i++) {
        sw_cbpe_classes_add(sums, 3, scores + 3 * i, i == 2);
        sw_cbpe_classes_add(i ? rest : part, 3, scores + 3 * i, i == 2);
    }
    sw_cbpe_classes_metrics(&m, sums, 3);
    CHECK_NEAR(sw_metrics_value(&m, "accuracy"), 1.7 / 3, 1e-12);
    CHECK_NEAR(sw_metrics_value(&m, "macro_precision"), (1.2 / 2 + 0.5 / 1 + 0) / 3, 1e-12);
    CHECK_NEAR(sw_metrics_value(&m, "macro_recall"), (1.2 / 1.45 + 0.5 / 1 + 0) / 3, 1e-12);
    CHECK_NEAR(sw_metrics_value(&m, "macro_f1"), (2.4 / 3.45 + 1.0 / 2 + 0) / 3, 1e-12);
    CHECK_OK(sw_cbpe_multiclass_metrics(&again, scores, 3, 3, NULL, &error), error);
    for (unsigned i = 0; i < m.count; i++)
        CHECK_NEAR(sw_metrics_value(&again, m.at[i].name), m.at[i].value, 1e-12);
    CHECK(sw_cbpe_classes_subtract(sums, part, 3));
    m.count = again.count = 0;
    sw_cbpe_classes_metrics(&again, sums, 3);
    sw_cbpe_classes_metrics(&m, rest, 3);
    for (unsigned i = 0; i < m.count; i++)
        CHECK_NEAR(sw_metrics_value(&again, m.at[i].name), m.at[i].value, 1e-12);
    sw_cbpe_classes_metrics(&m, (sw_cbpe_class[2]){0}, 2);
    CHECK(isnan(m.at[m.count - 1].value)); /* no rows */
}

TEST_MAIN
