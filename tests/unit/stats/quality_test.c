/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/quality.h"

#include "stats/classification.h"
#include "unit/stats/quality_cases.h"

enum { WINDOWS = 8, ROWS = 3000 };

static sw_error error;

/* One row of whichever task, from the stream of `seed`. */
static void add_row(sw_quality *to, sw_quality_task task, uint64_t *seed) {
    double u = sw_rng_unit(seed), v = sw_rng_unit(seed), w = sw_rng_unit(seed);
    if (task == SW_QUALITY_BINARY) {
        double score = u * u * u; /* most of them small */
        sw_quality_add_binary(to, score, v < score);
        sw_quality_add_estimate(to, score, score);
    } else if (task == SW_QUALITY_MULTICLASS) {
        double scores[3] = {u / (u + v + w), v / (u + v + w), w / (u + v + w)};
        sw_quality_add_classes(to, scores, (uint32_t)(sw_rng_next(seed) % 3));
        sw_quality_add_class_estimate(to, scores);
    } else if (task == SW_QUALITY_REGRESSION) {
        sw_quality_add_value(to, exp(10 * u - 5), exp(10 * u - 5) * (1 + v / 10));
    } else {
        sw_ranked rows[] = {{u, v > 0.5}, {v, w > 0.5}, {w, u > 0.5}};
        sw_quality_add_query(to, rows, 3);
    }
}

static void check_same(const sw_quality *a, const sw_quality *b, double tolerance) {
    sw_metrics x, y;
    sw_quality_metrics(&x, a);
    sw_quality_metrics(&y, b);
    CHECK_INT(sw_quality_rows(a), sw_quality_rows(b));
    CHECK_INT(x.count, y.count);
    for (unsigned i = 0; i < x.count; i++)
        if (!(isnan(x.at[i].value) && isnan(y.at[i].value)))
            CHECK_NEAR(x.at[i].value, y.at[i].value, tolerance * fmax(fabs(y.at[i].value), 1e-3));
}

static sw_quality *make(sw_quality_task task) {
    sw_quality *made = NULL;
    CHECK_OK(sw_quality_make(&made, task, 3, 0.5, true, &error), error);
    return made;
}

/* Merged in a scrambled order, and with windows taken off again: bit for bit a plain recount. */
TEST(quality__merged_windows_equal_a_plain_recount_whatever_the_task) {
    for (sw_quality_task task = SW_QUALITY_BINARY; task <= SW_QUALITY_RANKING; task++) {
        sw_quality *windows[WINDOWS], *merged = make(task), *recount = make(task),
                                      *kept = make(task);
        uint64_t seed = 5 + task, again = seed;
        for (int w = 0; w < WINDOWS; w++) {
            windows[w] = make(task);
            for (int i = 0; i < ROWS / WINDOWS; i++) {
                add_row(windows[w], task, &seed);
                uint64_t copy = again;
                add_row(recount, task, &again);
                if (w >= 2)
                    add_row(kept, task, &copy);
            }
        }
        for (int w = 0; w < WINDOWS; w++)
            sw_quality_merge(merged, windows[(w * 3 + 1) % WINDOWS]);
        check_same(merged, recount, 0);
        CHECK(sw_quality_subtract(merged, windows[1]));
        CHECK(sw_quality_subtract(merged, windows[0]));
        check_same(merged, kept, 1e-14);
        sw_metrics a, b;
        sw_quality_estimate(&a, merged);
        sw_quality_estimate(&b, kept);
        for (unsigned i = 0; i < a.count && task <= SW_QUALITY_MULTICLASS; i++)
            CHECK_NEAR(a.at[i].value, b.at[i].value, 1e-9);
        sw_quality_reset(merged);
        CHECK_INT(sw_quality_rows(merged), 0);
        for (int w = 0; w < WINDOWS; w++)
            sw_quality_free(windows[w]);
        sw_quality_free(merged);
        sw_quality_free(recount);
        sw_quality_free(kept);
    }
}

TEST(quality__says_when_taking_off_cost_digits) {
    sw_quality *whole = make(SW_QUALITY_REGRESSION), *part = make(SW_QUALITY_REGRESSION);
    sw_metrics metrics;
    sw_quality_add_value(part, 1e30, 1);
    sw_quality_merge(whole, part);
    sw_quality_add_value(whole, 2, 1);
    CHECK(!sw_quality_subtract(whole, part)); /* squares of 1e60 leave nothing of 1 */
    sw_quality_reset(whole);
    sw_quality_merge(whole, part);
    CHECK(sw_quality_subtract(whole, part)); /* of nothing the sums are 0 */
    sw_quality_add_value(whole, 2, 1);
    sw_quality_metrics(&metrics, whole);
    CHECK(sw_metrics_value(&metrics, "mae") == 1);
    sw_quality_free(whole);
    sw_quality_free(part);
}

TEST(quality__reads_back_from_json_to_the_last_bit) {
    for (sw_quality_task task = SW_QUALITY_BINARY; task <= SW_QUALITY_RANKING; task++) {
        sw_quality *quality = make(task), *back = NULL;
        uint64_t seed = 31 + task;
        sw_arena arena = {0};
        sw_buf json = {0}, again = {0};
        for (int i = 0; i < ROWS; i++)
            add_row(quality, task, &seed);
        sw_json w = sw_json_to(&json), x = sw_json_to(&again);
        sw_quality_to_json(&w, quality);
        REQUIRE_OK(sw_quality_from_json(&back, sw_buf_str(&json), &arena, &error), error);
        check_same(quality, back, 0);
        sw_quality_to_json(&x, back);
        CHECK(sw_str_eq(sw_buf_str(&json), sw_buf_str(&again)));
        sw_quality_free(quality);
        sw_quality_free(back);
        sw_buf_free(&json);
        sw_buf_free(&again);
        sw_arena_free(&arena);
    }
}

static bool is_binned(const char *name) {
    return strcmp(name, "roc_auc") == 0 || strcmp(name, "average_precision") == 0 ||
           strcmp(name, "ks_between_classes") == 0;
}

/* Rows of a bin are ties: of scores that are their bins' numbers the figures are the same. */
TEST(quality__curves_are_those_of_the_bins) {
    enum { ROWS_BINNED = 2000 };
    static double scores[ROWS_BINNED];
    static uint8_t labels[ROWS_BINNED];
    uint64_t seed = 3;
    sw_metrics exact, held;
    sw_confusion confusion;
    sw_quality *quality = make(SW_QUALITY_BINARY);
    for (int i = 0; i < ROWS_BINNED; i++) {
        double score = pow(sw_rng_unit(&seed), 4);
        labels[i] = sw_rng_unit(&seed) < score;
        sw_quality_add_binary(quality, score, labels[i]);
        scores[i] = sw_quality_score_bin(score) / (double)SW_SCORE_BINS;
    }
    REQUIRE_OK(sw_binary_metrics(&exact, &confusion, scores, labels, ROWS_BINNED, 0.5, &error),
               error);
    sw_quality_metrics(&held, quality);
    static const char *const names[] = {"roc_auc", "average_precision", "ks_between_classes"};
    for (int i = 0; i < 3; i++)
        CHECK_NEAR(sw_metrics_value(&held, names[i]), sw_metrics_value(&exact, names[i]), 1e-12);
    sw_quality_free(quality);
}

TEST(quality__equals_the_exact_figures_of_the_rows) {
    static quality_case data;
    static const char *const names[] = {"bin_calibrated", "bin_overconfident", "bin_imbalanced"};
    for (int c = 0; c < 3; c++) {
        sw_metrics exact, held;
        sw_confusion confusion;
        sw_quality *quality = make(SW_QUALITY_BINARY);
        REQUIRE(case_read(&data, names[c]));
        REQUIRE_OK(sw_binary_metrics(&exact, &confusion, data.column[1], data.binary, data.rows,
                                     0.5, &error),
                   error);
        for (size_t i = 0; i < data.rows; i++)
            sw_quality_add_binary(quality, data.column[1][i], data.binary[i]);
        sw_quality_metrics(&held, quality);
        for (unsigned i = 0; i < held.count; i++) {
            const sw_metric *same = sw_metrics_find(&exact, held.at[i].name);
            if (same)
                CHECK_NEAR(held.at[i].value, same->value, is_binned(same->name) ? 0.01 : 1e-13);
        }
        double bound = sw_metrics_value(&held, "roc_auc_error_max"),
               gap = sw_metrics_value(&held, "roc_auc") - sw_metrics_value(&exact, "roc_auc");
        CHECK(bound < 0.01);
        CHECK(fabs(gap) <= bound + 1e-12);
        sw_quality_free(quality);
    }
}

TEST(quality__bins_of_scores_rise_and_keep_rare_events_apart) {
    unsigned before = 0;
    for (int i = 0; i <= 100000; i++) {
        unsigned bin = sw_quality_score_bin(i / 100000.0);
        CHECK(bin >= before && bin < SW_SCORE_BINS);
        before = bin;
    }
    CHECK_INT(sw_quality_score_bin(0), 0);
    CHECK_INT(sw_quality_score_bin(1), SW_SCORE_BINS - 1);
    CHECK_INT(sw_quality_score_bin(-7), 0);
    CHECK_INT(sw_quality_score_bin(7), SW_SCORE_BINS - 1);
    CHECK(sw_quality_score_bin(0.00100) < sw_quality_score_bin(0.00102));
    CHECK(sw_quality_score_bin(0.49999) < sw_quality_score_bin(0.5));
}

TEST(quality__without_scores_or_rows_says_so) {
    sw_quality *quality = make(SW_QUALITY_BINARY);
    sw_metrics got;
    sw_quality_metrics(&got, quality);
    CHECK_HAS(sw_metrics_find(&got, "brier")->undefined, "no rows");
    CHECK_HAS(sw_metrics_find(&got, "roc_auc")->undefined, "no rows");
    sw_quality_estimate(&got, quality);
    CHECK_HAS(sw_metrics_find(&got, "accuracy")->undefined, "no rows");
    sw_quality_add_decision(quality, 1, 1);
    sw_quality_add_decision(quality, 1, 0);
    sw_quality_metrics(&got, quality);
    CHECK_HAS(sw_metrics_find(&got, "roc_auc")->undefined, "without scores");
    CHECK_NEAR(sw_metrics_value(&got, "precision"), 0.5, 0);
    sw_quality_reset(quality);
    sw_quality_add_binary(quality, 1.5, true);
    sw_quality_add_binary(quality, 0.5, false);
    sw_quality_metrics(&got, quality);
    CHECK_HAS(sw_metrics_find(&got, "log_loss_clip_eps")->undefined, "outside");
    CHECK_NEAR(sw_metrics_value(&got, "roc_auc"), 1, 0);
    sw_quality_free(quality);
}

TEST_MAIN
