/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept in bounded memory, against exact answers: frequent values, distinct ones, tails. */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "watch/counts_private.h"

static sw_error error;
static uint64_t seed = 11;

/* ---- Frequent values ---- */

enum { VALUES = 3000 };

static int draw_value(void) {
    /* Zipf-like: value v about proportional to 1 / v. */
    double u = sw_rng_unit(&seed);
    return (int)pow(VALUES, u) - 1;
}

static void check_bounds(const sw_labels *labels, const uint64_t *exact, uint64_t total) {
    uint64_t sum = labels->missing + labels->others;
    for (int i = 0; i < SW_LABEL_SLOTS; i++) {
        const sw_label *label = &labels->slots[i];
        sum += label->count;
        if (label->count == 0)
            continue;
        uint64_t true_count = exact[atoi((const char *)label->text)];
        CHECK(label->count <= true_count);
        CHECK(true_count - label->count <= labels->others / (SW_LABELS_MAX + 1) + 1);
    }
    CHECK_INT(sum, total);
}

TEST(labels__frequent_values_are_found_with_the_error_that_is_promised) {
    static sw_labels parts[4], merged;
    static uint64_t exact[VALUES];
    for (int i = 0; i < 40000; i++) {
        char text[16];
        int value = draw_value(), len = snprintf(text, sizeof text, "%d", value);
        exact[value]++;
        if (i % 2)
            sw_labels_add(&parts[i % 4], (sw_str){text, (size_t)len}, 1);
        else
            sw_labels_add_number(&parts[i % 4], SW_INT64, value);
    }
    for (int i = 0; i < 4; i++)
        sw_labels_merge(&merged, &parts[i]);
    check_bounds(&merged, exact, 40000);
    for (int value = 0; value < VALUES; value++) {
        char text[16];
        bool found = false;
        snprintf(text, sizeof text, "%d", value);
        for (int i = 0; i < SW_LABEL_SLOTS; i++)
            found |= merged.slots[i].count &&
                     sw_str_is((sw_str){merged.slots[i].text, merged.slots[i].len}, text);
        CHECK(found || exact[value] <= merged.others / (SW_LABELS_MAX + 1) + 1);
    }
}

TEST(labels__up_to_their_bound_are_exact_in_any_order_of_merging) {
    static sw_labels a, b, ways[2];
    for (int i = 0; i < 5000; i++) {
        char text[16];
        int len = snprintf(text, sizeof text, "v%d", (int)(sw_rng_next(&seed) % SW_LABELS_MAX));
        sw_labels_add(i % 3 ? &a : &b, (sw_str){text, (size_t)len}, 2);
    }
    sw_labels_merge(&ways[0], &a);
    sw_labels_merge(&ways[0], &b);
    sw_labels_merge(&ways[1], &b);
    sw_labels_merge(&ways[1], &a);
    CHECK_INT(ways[0].others, 0);
    CHECK_INT(ways[0].used, SW_LABELS_MAX);
    uint64_t sums[2] = {0, 0};
    for (int i = 0; i < SW_LABEL_SLOTS; i++) {
        sums[0] += ways[0].slots[i].count;
        sums[1] += ways[1].slots[i].count;
    }
    CHECK_INT(sums[0], 10000);
    CHECK_INT(sums[1], 10000);
}

/* ---- Distinct values ---- */

TEST(distinct__is_within_its_error_from_none_to_a_million) {
    for (uint64_t wanted = 1; wanted <= 1000000; wanted = wanted * 3 + 1) {
        double worst = 0, squares = 0;
        for (int round = 0; round < 12; round++) {
            static sw_distinct parts[2];
            memset(parts, 0, sizeof parts);
            uint64_t from = sw_rng_next(&seed);
            for (uint64_t i = 0; i < wanted; i++)
                for (int again = 0; again < 2; again++)
                    sw_distinct_add(&parts[i % 2], sw_distinct_hash(from + i), true);
            sw_distinct_merge(&parts[0], &parts[1]);
            double off = sw_distinct_estimate(&parts[0]) / (double)wanted - 1;
            worst = fabs(off) > worst ? fabs(off) : worst;
            squares += off * off;
        }
        /* Of a few values one may fall where another is. */
        CHECK(worst < 5 * 0.046 || worst * (double)wanted < 1.5);
        CHECK(sqrt(squares / 12) < 2 * 0.046 || wanted < 50);
    }
    static sw_distinct empty;
    sw_distinct_add(&empty, 77, false);
    CHECK_NEAR(sw_distinct_estimate(&empty), 0, 1e-9);
}

/* ---- Tails ---- */

TEST(tails__the_middle_of_a_code_is_within_one_percent) {
    for (int i = 0; i < 100000; i++) {
        double x = testing_normal(&seed) * pow(10, (double)(sw_rng_next(&seed) % 600) - 300);
        if (x == 0 || fabs(x) < 1e-290)
            continue;
        double middle = sw_tail_value(sw_tail_code(x), 0);
        CHECK(fabs(middle - x) <= 0.0079 * fabs(x));
    }
    CHECK(sw_tail_code(-2) < sw_tail_code(-1) && sw_tail_code(-1) < sw_tail_code(-0.0));
    CHECK(sw_tail_code(-0.0) == sw_tail_code(0) && sw_tail_code(0) < sw_tail_code(1e-300));
    CHECK(isinf(sw_tail_value(sw_tail_code(INFINITY), 0)));
    CHECK(sw_tail_value(sw_tail_code(-INFINITY), 0) < -1e300);
}

TEST(tails__a_sample_stays_uniform_and_a_column_bounded) {
    static sw_tail_sample sample;
    sw_tails tails;
    uint64_t random = 3;
    REQUIRE(sw_tails_make(&tails, 3));
    for (int turn = 0; turn < 20; turn++) {
        for (int i = 0; i < 20000; i++)
            sw_tail_add(&sample, &random, 1 + (uint32_t)i % 2,
                        i % 2 ? exp(5 * testing_normal(&seed)) : 7);
        sw_tails_take(&tails, &sample);
        CHECK_INT(sample.used + sample.halvings, 0);
    }
    uint64_t of[3] = {0, 0, 0}, below = 0;
    size_t codes;
    for (uint32_t column = 0; column < 3; column++) {
        const sw_tail *at = sw_tails_of(&tails, column, &codes);
        CHECK(codes <= SW_TAIL_CODES_MAX);
        for (size_t i = 0; i < codes; i++) {
            of[column] += at[i].count;
            below +=
                column == 2 && sw_tail_value(at[i].code, tails.levels[2]) < 1 ? at[i].count : 0;
        }
    }
    CHECK_INT(of[0], 0);
    CHECK(fabs((double)of[1] / 200000 - 1) < 0.05);
    CHECK(fabs((double)of[2] / 200000 - 1) < 0.05);
    CHECK(fabs((double)below / (double)of[2] - 0.5) < 0.03);
    sw_tails_free(&tails);
}

/* ---- The compact form of all of it ---- */

static sw_observer *observer;
static sw_shard *shard;

static void count_rows(int rows, double scale) {
    for (int i = 0; i < rows; i++) {
        float x[3] = {(float)(testing_normal(&seed) * scale), (float)exp(testing_normal(&seed)),
                      i % 5 ? 1.0F : NAN};
        float score = (float)sw_rng_unit(&seed);
        sw_tensor in = {.dtype = SW_FP32, .count = 3, .data = x},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_observe(shard, &in, &out, 1);
    }
}

TEST(counts__with_moments_distinct_values_and_tails_come_back) {
    sw_arena arena = {0};
    sw_signature signature = testing_signature(&arena, 3, SW_FP32);
    sw_counts counts, back, twice;
    sw_buf bytes = {0}, again = {0};
    REQUIRE_OK(sw_observer_make(&observer, &signature, NULL, NULL, &error), error);
    REQUIRE_OK(sw_shard_make(&shard, observer, &error), error);
    REQUIRE_OK(sw_counts_make_for(&counts, observer, false, &error), error);
    REQUIRE_OK(sw_counts_make_for(&back, observer, false, &error), error);
    for (int rows = 1; rows <= 30000; rows *= 31) {
        count_rows(rows, 1e3);
        sw_counts_take(&counts, shard, 0);
        sw_buf_clear(&bytes);
        sw_counts_encode(&bytes, &counts);
        sw_counts_clear(&back);
        REQUIRE_OK(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error), error);
        CHECK_INT(back.rows, counts.rows);
        CHECK(memcmp(back.bins, counts.bins, counts.bin_count * sizeof *counts.bins) == 0);
        CHECK(memcmp(back.moments, counts.moments, 4 * sizeof *counts.moments) == 0);
        CHECK(memcmp(back.distinct, counts.distinct, 4 * sizeof *counts.distinct) == 0);
        CHECK_INT(back.tails.count, counts.tails.count);
        CHECK(memcmp(back.tails.at, counts.tails.at, counts.tails.count * sizeof(sw_tail)) == 0);
        sw_buf_clear(&again);
        REQUIRE_OK(sw_counts_decode(&twice, sw_buf_str(&bytes), &error), error);
        sw_counts_encode(&again, &twice);
        CHECK(sw_str_eq(sw_buf_str(&bytes), sw_buf_str(&again)));
        sw_counts_free(&twice);
        for (size_t len = 0; len < bytes.len; len += 1 + len / 50)
            CHECK_INT(sw_counts_add_encoded(&back, (sw_str){bytes.at, len}, &error).code,
                      SW_CODE_INVALID);
        CHECK_INT(back.rows, counts.rows);
    }
    CHECK(bytes.len < 4 * 900 + SW_TAIL_CODES_MAX * 8);
    sw_counts_free(&counts);
    sw_counts_free(&back);
    sw_buf_free(&bytes);
    sw_buf_free(&again);
    sw_shard_free(shard);
    sw_observer_free(observer);
    sw_arena_free(&arena);
}

/* Constant, all missing, all distinct, and infinite now and then. */
TEST(counts__of_features_that_say_little_are_true_all_the_same) {
    enum { ROWS = 3000 };
    sw_arena arena = {0};
    sw_signature signature = testing_signature(&arena, 4, SW_FP64);
    sw_profile made;
    sw_buf csv = {0};
    sw_counts counts;
    sw_buf_add_lit(&csv, "x0,x1,x2,x3\n");
    for (int i = 0; i < 600; i++)
        sw_buf_printf(&csv, "5,,%d,%d\n", i, i % 7);
    REQUIRE_OK(testing_profile(&made, &signature, sw_buf_str(&csv), &arena, &error), error);
    REQUIRE_OK(sw_observer_make(&observer, &signature, &made, NULL, &error), error);
    REQUIRE_OK(sw_shard_make(&shard, observer, &error), error);
    REQUIRE_OK(sw_counts_make_for(&counts, observer, false, &error), error);
    for (int i = 0; i < ROWS; i++) {
        double x[4] = {5, NAN, i,
                       i % 10   ? (double)(i % 7)
                       : i % 20 ? (double)INFINITY
                                : -(double)INFINITY};
        float score = 0.5F;
        sw_tensor in = {.dtype = SW_FP64, .count = 4, .data = x},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_observe(shard, &in, &out, 1);
    }
    sw_counts_take(&counts, shard, 0);
    const sw_moments *m = counts.moments;
    CHECK(m[0].count == ROWS && m[0].min == 5 && m[0].max == 5 && m[0].squares == 0);
    CHECK_INT(m[1].count, 0);
    CHECK_INT(counts.bins[observer->columns[1].first + SW_BIN_MISSING], ROWS);
    CHECK(m[2].count == ROWS && m[2].min == 0 && m[2].max == ROWS - 1);
    CHECK_NEAR(m[2].sum + observer->columns[2].centre * ROWS, ROWS * (ROWS - 1) / 2.0, 1e-6);
    CHECK(m[3].count == ROWS - ROWS / 10 && m[3].max == 6);
    CHECK_NEAR(sw_distinct_estimate(&counts.distinct[0]), 1, 0.1);
    CHECK_NEAR(sw_distinct_estimate(&counts.distinct[1]), 0, 1e-9);
    CHECK(fabs(sw_distinct_estimate(&counts.distinct[2]) / ROWS - 1) < 0.2);
    sw_counts_free(&counts);
    sw_shard_free(shard);
    sw_observer_free(observer);
    sw_arena_free(&arena);
    sw_buf_free(&csv);
}

TEST(counts__form_1_of_older_programs_is_read) {
    sw_counts counts;
    REQUIRE_OK(sw_counts_make(&counts, 4, 2, &error), error);
    /* 7 rows; 4 counters: 5, three zeros; 1 table: 1 missing, 2 others, "ab" 3 times. */
    const sw_str old = SW_STR("\x01\x07\x04\x0b\x04\x01\x01\x02\x01\x02"
                              "ab\x03");
    CHECK_OK(sw_counts_add_encoded(&counts, old, &error), error);
    CHECK_INT(counts.rows, 7);
    CHECK_INT(counts.bins[0], 5);
    CHECK_INT(counts.labels[0].missing, 1);
    CHECK_INT(counts.labels[0].others, 2);
    CHECK_INT(counts.labels[0].used, 1);
    CHECK_INT(counts.labels[1].used, 0);
    sw_counts_free(&counts);
}

TEST_MAIN
