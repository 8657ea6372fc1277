/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/multivariate.h"

#include "base/rng.h"
#include "unit/scratch.h"
#include "unit/test.h"

#include <math.h>

/* A log of a model of two numbers, a text and a score, its rows a second apart. */
static char folder[SCRATCH_BYTES];
static sw_arena arena;
static sw_error error;
static sw_plog *plog;
static sw_plog_writer *writer;
static sw_monitor_settings settings;
static sw_tensor_spec inputs[3], outputs[1];
static sw_feature features[3];
static uint64_t seed;
static int64_t at_ms;
static const sw_str model = SW_STR("m");

enum { BEGIN_S = 1780000000 };

static void open_log(void) {
    static const char *const names[] = {"a", "b", "country"};
    for (uint32_t i = 0; i < 3; i++) {
        inputs[i] = (sw_tensor_spec){.name = sw_str_of(names[i]),
                                     .dtype = i == 2 ? SW_BYTES : SW_FP32,
                                     .rank = 2,
                                     .shape = {-1, 1}};
        features[i] = (sw_feature){.name = sw_str_of(names[i]), .input = i};
    }
    outputs[0] =
        (sw_tensor_spec){.name = SW_STR("score"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 1}};
    sw_signature signature = {inputs, 3, outputs, 1, features, 3};
    CHECK_OK(sw_plog_open(&plog, folder, 1, &error), error);
    CHECK_OK(sw_plog_add(&writer, plog, model, 1, &signature, &settings, &error), error);
}

static void set_up(void) {
    scratch_make(folder);
    seed = 4;
    at_ms = INT64_C(1000) * BEGIN_S;
    sw_monitor_settings_default(&settings);
    settings.log_rows_per_s = 1e6;
    open_log();
}

static void tear_down(void) {
    sw_plog_remove(writer);
    sw_plog_close(plog);
    sw_arena_reset(&arena);
    scratch_remove(folder);
}

/* `b` follows `a`, or its opposite: each alone is as ever. */
static void put(size_t rows, double sign) {
    static const char *const countries[] = {"DE", "FR", ""};
    for (size_t i = 0; i < rows; i++) {
        float a = (float)(sw_rng_unit(&seed) - 0.5), score = 0,
              b = (float)(sign * (double)a + 0.1 * (sw_rng_unit(&seed) - 0.5));
        sw_str country = sw_str_of(countries[sw_rng_next(&seed) % 3]);
        sw_tensor in[3] = {{.dtype = SW_FP32, .count = 1, .data = &a},
                           {.dtype = SW_FP32, .count = 1, .data = &b},
                           {.dtype = SW_BYTES, .count = 1, .data = &country}},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_plog_put_shared(writer, at_ms, SW_STR("r"), NULL, in, &out, 1);
        at_ms += 1000;
        if (i % 500 == 499)
            sw_plog_flush(plog);
    }
    sw_plog_flush(plog);
}

static sw_multivariate judge(void) {
    sw_multivariate found;
    CHECK_OK(sw_multivariate_of(&found, plog, model, 1, &settings, &arena, &error), error);
    return found;
}

TEST(multivariate__sees_columns_that_moved_against_each_other_alone) {
    set_up();
    put(2500, 1);
    put(2500, -1);
    sw_multivariate m = judge();
    CHECK_INT(m.rows, 2000);
    CHECK_INT(m.reference_rows, 2000);
    CHECK_STR(m.reference, "the first 2,000 logged rows of this version");
    CHECK(m.auc > 0.8 && m.log10_p < -50);
    REQUIRE(m.top_count >= 2);
    CHECK(m.top[0].column.len == 1 && m.top[1].column.len == 1); /* a and b */
    CHECK(m.top[0].share + m.top[1].share > 0.9);
    CHECK(m.at_ms > 0);
    tear_down();
}

TEST(multivariate__is_a_coin_where_nothing_changed) {
    set_up();
    put(900, 1);
    sw_multivariate m = judge();
    CHECK_INT(m.rows, 450); /* half of what there is: the sides share no row */
    CHECK_INT(m.reference_rows, 450);
    CHECK(m.auc > 0.4 && m.auc < 0.6);
    CHECK(m.log10_p > -3);
    tear_down();
}

TEST(multivariate__says_why_it_knows_nothing) {
    set_up();
    CHECK(isnan(judge().auc));
    put(60, 1);
    sw_multivariate m = judge();
    CHECK(isnan(m.auc));
    CHECK_STR(m.why, "too few logged rows: 30, and 30 of the reference (50 of each)");
    tear_down();
}

/* The window lies between two times that were otherwise. */
TEST(multivariate__compares_with_rows_from_all_over_the_window) {
    set_up();
    put(1000, -1);
    settings.reference = SW_REFERENCE_WINDOW;
    settings.reference_from_ms = at_ms;
    put(1600, 1);
    settings.reference_to_ms = at_ms;
    put(1000, -1);
    put(2000, 1);
    sw_multivariate m = judge();
    CHECK_INT(m.reference_rows, 1600);
    CHECK_STR(m.reference, "1,600 logged rows of the reference window");
    CHECK(m.log10_p > -3);
    put(2000, -1);
    CHECK(judge().log10_p < -50);
    tear_down();
}

TEST(multivariate__compares_with_the_trailing_time_before) {
    set_up();
    settings.reference = SW_REFERENCE_TRAILING;
    settings.reference_minutes = 60; /* 3,600 rows */
    put(4000, -1);
    put(3700, 1);
    put(2000, 1);
    sw_multivariate m = judge();
    CHECK_STR(m.reference, "2,000 logged rows of the 60 minutes before");
    CHECK(m.log10_p > -3);
    put(2000, -1);
    CHECK(judge().log10_p < -50);
    tear_down();
}

TEST(multivariate__leaves_out_rows_that_were_logged_otherwise) {
    sw_column_setting hashed = {.column = SW_STR("country"), .privacy = SW_PRIVACY_HASH};
    set_up();
    put(1000, 1);
    sw_plog_remove(writer);
    sw_plog_close(plog);
    settings.columns = &hashed;
    settings.column_count = 1;
    open_log();
    put(3000, 1);
    sw_multivariate m = judge();
    CHECK_INT(m.rows, 2000);
    CHECK_INT(m.reference_rows, 1000);
    CHECK(m.log10_p > -3);
    tear_down();
}

TEST_MAIN
