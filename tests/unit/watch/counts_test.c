/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/mem.h"
#include "base/rng.h"
#include "watch/counts_private.h"

static sw_error error;
static uint64_t seed = 9;

static void fill(sw_counts *counts) {
    counts->rows = sw_rng_next(&seed) % 1000000;
    for (uint32_t i = 0; i < counts->bin_count; i++) {
        uint64_t shape = sw_rng_next(&seed) % 4;
        counts->bins[i] = shape < 2    ? 0
                          : shape == 2 ? sw_rng_next(&seed) % 100
                                       : sw_rng_next(&seed) >> (13 + sw_rng_next(&seed) % 50);
    }
    for (uint32_t i = 0; i < counts->label_count; i++) {
        counts->labels[i].missing = sw_rng_next(&seed) % 9;
        counts->labels[i].others = sw_rng_next(&seed) % 9;
        for (uint64_t n = sw_rng_next(&seed) % 80; n > 0; n--) {
            char text[24];
            int len = snprintf(text, sizeof text, "label %llu",
                               (unsigned long long)(sw_rng_next(&seed) % 100));
            sw_labels_add(&counts->labels[i], (sw_str){text, (size_t)len},
                          1 + sw_rng_next(&seed) % 1000);
        }
    }
}

static bool same(const sw_counts *a, const sw_counts *b) {
    bool good = a->rows == b->rows && memcmp(a->bins, b->bins, a->bin_count * sizeof *a->bins) == 0;
    for (uint32_t i = 0; i < a->label_count; i++)
        good = good && testing_same_labels(&a->labels[i], &b->labels[i]);
    return good;
}

TEST(counts__come_back_from_their_compact_form) {
    for (int round = 0; round < 300; round++) {
        sw_counts counts, back;
        sw_buf bytes = {0};
        uint32_t bins = (uint32_t)(sw_rng_next(&seed) % 300),
                 labels = (uint32_t)(sw_rng_next(&seed) % 3);
        REQUIRE_OK(sw_counts_make(&counts, bins, labels, &error), error);
        REQUIRE_OK(sw_counts_make(&back, bins, labels, &error), error);
        if (round)
            fill(&counts);
        sw_counts_encode(&bytes, &counts);
        CHECK_OK(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error), error);
        CHECK(same(&counts, &back));
        sw_counts_free(&counts);
        sw_counts_free(&back);
        sw_buf_free(&bytes);
    }
}

/* Values and missing ones, so few that a table takes all. */
static void fill_exactly(sw_counts *counts) {
    counts->rows = sw_rng_next(&seed) % 1000;
    for (uint32_t i = 0; i < counts->bin_count; i++)
        counts->bins[i] = sw_rng_next(&seed) % 100;
    for (uint32_t i = 0; i < counts->label_count; i++) {
        counts->labels[i].missing = sw_rng_next(&seed) % 9;
        for (uint64_t n = sw_rng_next(&seed) % 40; n > 0; n--) {
            char text[24];
            int len = snprintf(text, sizeof text, "label %llu",
                               (unsigned long long)(sw_rng_next(&seed) % SW_LABELS_MAX));
            sw_labels_add(&counts->labels[i], (sw_str){text, (size_t)len},
                          1 + sw_rng_next(&seed) % 1000);
        }
    }
}

TEST(counts__what_was_added_is_taken_off_again) {
    enum { KEPT = 8, BINS = 20, LABELS = 3 };
    sw_counts parts[KEPT] = {0}, sum, plain;
    REQUIRE_OK(sw_counts_make(&sum, BINS, LABELS, &error), error);
    REQUIRE_OK(sw_counts_make(&plain, BINS, LABELS, &error), error);
    for (int round = 0; round < 500; round++) {
        sw_counts *part = &parts[sw_rng_next(&seed) % KEPT];
        if (part->bins)
            sw_counts_subtract(&sum, part);
        else
            REQUIRE_OK(sw_counts_make(part, BINS, LABELS, &error), error);
        sw_counts_clear(part);
        fill_exactly(part);
        sw_counts_add(&sum, part);
        sw_counts_clear(&plain);
        for (int i = 0; i < KEPT; i++)
            if (parts[i].bins)
                sw_counts_add(&plain, &parts[i]);
        CHECK(sw_counts_exact(&sum));
        CHECK(same(&sum, &plain));
    }
    for (int i = 0; i < KEPT; i++)
        sw_counts_free(&parts[i]);
    sw_counts_free(&sum);
    sw_counts_free(&plain);
}

TEST(counts__ten_thousand_idle_features_take_twelve_bytes) {
    sw_counts counts;
    sw_buf bytes = {0};
    REQUIRE_OK(sw_counts_make(&counts, 670000, 0, &error), error);
    sw_counts_encode(&bytes, &counts);
    CHECK(bytes.len <= 12);
    sw_counts_free(&counts);
    sw_buf_free(&bytes);
}

TEST(counts__a_damaged_form_is_refused_and_adds_nothing) {
    sw_counts counts, back;
    sw_buf bytes = {0};
    REQUIRE_OK(sw_counts_make(&counts, 100, 1, &error), error);
    REQUIRE_OK(sw_counts_make(&back, 100, 1, &error), error);
    fill(&counts);
    sw_labels_add(&counts.labels[0], SW_STR("benign"), 3);
    sw_counts_encode(&bytes, &counts);
    for (size_t len = 0; len < bytes.len; len++) {
        CHECK_INT(sw_counts_add_encoded(&back, (sw_str){bytes.at, len}, &error).code,
                  SW_CODE_INVALID);
        CHECK_INT(back.rows + back.bins[0] + back.labels[0].used, 0);
    }
    sw_buf_add_char(&bytes, 0);
    CHECK_INT(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error).code, SW_CODE_INVALID);
    bytes.len--;
    bytes.at[0] = 3;
    CHECK_INT(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "stored counts are damaged");
    bytes.at[0] = 2;
    sw_counts_free(&back);
    REQUIRE_OK(sw_counts_make(&back, 101, 1, &error), error);
    CHECK_INT(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error).code, SW_CODE_INVALID);
    sw_counts_free(&counts);
    sw_counts_free(&back);
    sw_buf_free(&bytes);
}

/* ---- Refused rows ---- */

static const sw_observer layout = {
    .counter_count = 40, .label_count = 1, .output_label_count = 1, .column_count = 10000};

static void refuse(sw_counts *counts, uint32_t column, uint64_t rows) {
    counts->mismatches[column] += rows;
    counts->mismatched = true;
}

TEST(counts__refused_rows_come_back_of_ten_thousand_features) {
    sw_counts counts, back, decoded;
    sw_buf bytes = {0};
    REQUIRE_OK(sw_counts_make_for(&counts, &layout, false, &error), error);
    REQUIRE_OK(sw_counts_make_for(&back, &layout, false, &error), error);
    fill(&counts);
    for (uint32_t i = 0; i < 10000; i += 1 + (uint32_t)(sw_rng_next(&seed) % 40))
        refuse(&counts, i, 1 + sw_rng_next(&seed) % 300);
    refuse(&counts, 9999, UINT64_C(1) << 40);
    sw_counts_encode(&bytes, &counts);
    CHECK(bytes.len < 30000);
    for (int twice = 1; twice <= 2; twice++) {
        CHECK_OK(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error), error);
        for (uint32_t i = 0; i < 10000; i++)
            CHECK_INT(back.mismatches[i], (uint64_t)twice * counts.mismatches[i]);
    }
    CHECK_OK(sw_counts_decode(&decoded, sw_buf_str(&bytes), &error), error);
    CHECK(decoded.mismatched && !sw_counts_empty(&decoded));
    CHECK(memcmp(decoded.mismatches, counts.mismatches, 10000 * sizeof *counts.mismatches) == 0);
    sw_counts_clear(&back);
    CHECK(sw_counts_empty(&back) && back.mismatches[9999] == 0);
    for (size_t len = 0; len < bytes.len; len += 1 + len / 50)
        CHECK_INT(sw_counts_add_encoded(&back, (sw_str){bytes.at, len}, &error).code,
                  SW_CODE_INVALID);
    sw_buf_add_char(&bytes, 0);
    CHECK_INT(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error).code, SW_CODE_INVALID);
    CHECK(sw_counts_empty(&back));
    sw_counts_free(&counts);
    sw_counts_free(&back);
    sw_counts_free(&decoded);
    sw_buf_free(&bytes);
}

TEST(counts__without_refused_rows_are_stored_as_older_programs_do_and_read_as_none) {
    sw_counts counts, back;
    sw_buf bytes = {0};
    REQUIRE_OK(sw_counts_make_for(&counts, &layout, false, &error), error);
    REQUIRE_OK(sw_counts_make_for(&back, &layout, false, &error), error);
    fill(&counts);
    counts.moments[7] = (sw_moments){1, 2, 4, 2, 2};
    sw_counts_encode(&bytes, &counts);
    CHECK_INT(bytes.at[0], 2);
    refuse(&back, 3, 5);
    CHECK_OK(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error), error);
    CHECK_INT(back.rows, counts.rows);
    CHECK_INT(back.mismatches[3], 5);
    CHECK_INT(back.mismatches[7], 0);
    bytes.at[0] = 3; /* the newer form without its last part */
    CHECK_INT(sw_counts_add_encoded(&back, sw_buf_str(&bytes), &error).code, SW_CODE_INVALID);
    CHECK_OK(sw_counts_add_encoded(&back, SW_STR("\x01\x07\x28\x4E\x00"), &error), error);
    CHECK_INT(back.rows, counts.rows + 7);
    CHECK_INT(back.mismatches[3], 5);
    sw_counts_free(&counts);
    sw_counts_free(&back);
    sw_buf_free(&bytes);
}

TEST(counts__a_run_of_zeros_beyond_the_last_counter_is_refused) {
    sw_counts counts;
    REQUIRE_OK(sw_counts_make(&counts, 4, 0, &error), error);
    /* Form 1, 7 rows, 4 counters, then a run of four zeros or of five, no labels. */
    CHECK_OK(sw_counts_add_encoded(&counts, SW_STR("\x01\x07\x04\x06\x00"), &error), error);
    CHECK_INT(counts.rows, 7);
    CHECK_INT(sw_counts_add_encoded(&counts, SW_STR("\x01\x07\x04\x08\x00"), &error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_counts_add_encoded(&counts, SW_STR("\x01\x07\x04\x03\x06\x00"), &error).code,
              SW_CODE_INVALID);
    sw_counts_free(&counts);
}

TEST(counts__any_order_of_merging_gives_the_same_sum) {
    sw_counts parts[6], ways[2];
    for (int i = 0; i < 6; i++) {
        REQUIRE_OK(sw_counts_make(&parts[i], 200, 0, &error), error);
        fill(&parts[i]);
    }
    for (int way = 0; way < 2; way++) {
        REQUIRE_OK(sw_counts_make(&ways[way], 200, 0, &error), error);
        for (int i = 0; i < 6; i++)
            sw_counts_add(&ways[way], &parts[way ? 5 - i : i]);
    }
    CHECK(same(&ways[0], &ways[1]));
    for (int i = 0; i < 6; i++)
        sw_counts_free(&parts[i]);
    sw_counts_free(&ways[0]);
    sw_counts_free(&ways[1]);
}

TEST(labels__are_bounded_and_lose_no_count) {
    static sw_labels labels, other, merged;
    uint64_t added = 0;
    for (int i = 0; i < 1000; i++) {
        char text[64];
        int len = snprintf(text, sizeof text, "%*d", 1 + i % 60, i % 150);
        uint64_t count = 1 + sw_rng_next(&seed) % 5;
        sw_labels_add(i % 2 ? &labels : &other, (sw_str){text, (size_t)len}, count);
        added += count;
    }
    sw_labels_add(&labels, SW_STR(""), 4);
    sw_labels_merge(&merged, &labels);
    sw_labels_merge(&merged, &other);
    uint64_t sum = merged.missing + merged.others;
    for (int i = 0; i < SW_LABEL_SLOTS; i++)
        sum += merged.slots[i].count;
    CHECK_INT(sum, added + 4);
    CHECK_INT(merged.missing, 4);
    CHECK(merged.used <= SW_LABELS_MAX);
    sw_labels_clear(&merged);
    CHECK_INT(merged.used + merged.missing + merged.others, 0);
}

TEST_MAIN
