/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "watch/marginal.h"

static sw_error error;
static sw_arena arena;
static uint64_t seed = 3;

static sw_profile profile_of(const sw_buf *csv, sw_dtype dtype) {
    sw_profile profile = {0};
    sw_signature signature = testing_signature(&arena, 1, dtype);
    CHECK_OK(testing_profile(&profile, &signature, sw_buf_str(csv), &arena, &error), error);
    return profile;
}

TEST(marginal__gives_numbers_the_quantiles_of_the_reference_and_keeps_their_order) {
    enum { ROWS = 400 };
    sw_buf csv = {0};
    double values[ROWS], before[ROWS], sum = 0, squares = 0;
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 5000; i++)
        sw_buf_printf(&csv, "%.9g\n", testing_normal(&seed));
    sw_profile profile = profile_of(&csv, SW_FP64);
    for (int i = 0; i < ROWS; i++)
        before[i] = values[i] = 5 + 3 * testing_normal(&seed);
    REQUIRE(sw_marginal_numbers(values, ROWS, &profile.columns[0], &arena));
    for (int i = 0; i < ROWS; i++) {
        sum += values[i];
        squares += values[i] * values[i];
        for (int k = 0; k < i; k++)
            CHECK(before[i] < before[k] ? values[i] <= values[k] : values[i] >= values[k]);
    }
    CHECK_NEAR(sum / ROWS, 0, 0.1);
    CHECK_NEAR(squares / ROWS, 1, 0.15);
    sw_buf_free(&csv);
    sw_arena_reset(&arena);
}

TEST(marginal__fills_values_that_are_missing_beyond_the_reference) {
    enum { ROWS = 100 };
    sw_buf csv = {0};
    double values[ROWS];
    size_t missing = 0;
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 1000; i++) {
        if (i % 20 == 0)
            sw_buf_add_lit(&csv, "NA\n");
        else
            sw_buf_printf(&csv, "%d\n", i % 2);
    }
    sw_profile profile = profile_of(&csv, SW_FP32);
    for (int i = 0; i < ROWS; i++)
        values[i] = i < 80 ? (double)NAN : i % 2;
    REQUIRE(sw_marginal_numbers(values, ROWS, &profile.columns[0], &arena));
    for (int i = 0; i < ROWS; i++) {
        missing += isnan(values[i]) != 0;
        CHECK(isnan(values[i]) || values[i] == 0 || values[i] == 1);
    }
    CHECK_INT(missing, 5);
    sw_buf_free(&csv);
    sw_arena_reset(&arena);
}

TEST(marginal__changes_as_few_categories_as_it_must) {
    enum { ROWS = 100 };
    sw_buf csv = {0};
    sw_str values[ROWS];
    size_t a = 0, b = 0, same = 0;
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 1000; i++)
        sw_buf_printf(&csv, "%s\n", i % 4 ? "a" : "b");
    sw_profile profile = profile_of(&csv, SW_BYTES);
    for (int i = 0; i < ROWS; i++)
        values[i] = i < 60 ? SW_STR("a") : i < 80 ? SW_STR("new") : SW_STR("b");
    REQUIRE(sw_marginal_words(values, ROWS, &profile.columns[0], &arena));
    for (int i = 0; i < ROWS; i++) {
        a += sw_str_is(values[i], "a");
        b += sw_str_is(values[i], "b");
        same += i < 60 ? sw_str_is(values[i], "a") : i >= 80 && sw_str_is(values[i], "b");
    }
    CHECK_INT(a, 75);
    CHECK_INT(b, 25);
    CHECK_INT(same, 80);
    sw_buf_free(&csv);
    sw_arena_reset(&arena);
}

TEST(marginal__takes_no_rows_and_all_missing_ones) {
    sw_buf csv = {0};
    double values[3] = {NAN, NAN, NAN};
    sw_buf_add_lit(&csv, "x0\n1\n2\n3\n");
    sw_profile profile = profile_of(&csv, SW_FP32);
    CHECK(sw_marginal_numbers(values, 0, &profile.columns[0], &arena));
    CHECK(sw_marginal_numbers(values, 3, &profile.columns[0], &arena));
    for (int i = 0; i < 3; i++)
        CHECK(values[i] >= 1 && values[i] <= 3);
    sw_buf_free(&csv);
    sw_arena_reset(&arena);
}

TEST_MAIN
