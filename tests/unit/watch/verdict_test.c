/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/mem.h"
#include "watch/display_private.h"
#include "watch/profile_private.h"
#include "watch/watch_private.h"

static sw_error error;
static sw_arena arena;
static uint64_t seed = 2024;

/* ---- Columns and live counts ---- */

typedef double draw_fn(int variant);

static double draw_normal(int variant) {
    (void)variant;
    return testing_normal(&seed);
}

static double draw_lognormal(int variant) {
    (void)variant;
    return exp(2 * testing_normal(&seed));
}

static double draw_few(int variant) { /* a die */
    (void)variant;
    return floor(6 * sw_rng_unit(&seed));
}

static double draw_rare(int variant) { /* a flag that one row of 200 has */
    (void)variant;
    return sw_rng_unit(&seed) < 0.005;
}

static double draw_zeros(int variant) { /* mostly 0, some missing */
    (void)variant;
    return sw_rng_unit(&seed) < 0.1 ? NAN : sw_rng_unit(&seed) < 0.7 ? 0 : testing_normal(&seed);
}

static double draw_shifted(int variant) {
    (void)variant;
    return testing_normal(&seed) + 1;
}

static sw_profile profile_of(draw_fn *draw, int rows, sw_dtype dtype) {
    sw_buf csv = {0};
    sw_profile profile = {0};
    sw_signature signature = testing_signature(&arena, 1, dtype);
    sw_buf_add_lit(&csv, "x0,y\n");
    for (int i = 0; i < rows; i++) {
        double x = draw(0);
        if (isnan(x))
            sw_buf_add_lit(&csv, ",\n");
        else
            sw_buf_printf(&csv, dtype == SW_BYTES ? "v%.9g,\n" : "%.9g,\n", x);
    }
    CHECK_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_buf_free(&csv);
    return profile;
}

static void draw_live(uint64_t *live, const sw_profile_column *c, draw_fn *draw, int rows) {
    double keys[SW_KEYS_MAX];
    sw_keys64 table;
    sw_keys64_fill(&table, keys, sw_bins_keys(keys, c));
    memset(live, 0, c->bin_count * sizeof *live);
    for (int i = 0; i < rows; i++)
        live[sw_keys64_bin(&table, draw(0))]++;
}

static sw_verdict judge_drawn(const sw_profile *profile, draw_fn *draw, int rows) {
    uint64_t live[SW_PROFILE_BINS + 4];
    draw_live(live, &profile->columns[0], draw, rows);
    return sw_watch_judge(&profile->columns[0], live, (uint64_t)rows);
}

/* ---- The rate of false alarms, and the power ---- */

typedef struct tally {
    int moved, drifted;
} tally;

/* As sw_profile_from_csv would make it, without the file. */
static void make_column(sw_profile_column *c, draw_fn *draw, int rows) {
    static double values[5000], spare[5000], cuts[SW_PROFILE_BINS], levels[SW_PROFILE_BINS];
    static uint64_t counts[SW_PROFILE_BINS + 4];
    size_t count = 0;
    bool leveled;
    for (int i = 0; i < rows; i++) {
        values[count] = draw(0);
        count += isnan(values[count]) ? 0 : 1;
    }
    sw_sort_doubles(values, spare, count);
    *c = (sw_profile_column){.rows = (uint64_t)rows,
                             .missing = (uint64_t)rows - count,
                             .min = values[0],
                             .max = values[count - 1],
                             .cuts = cuts,
                             .counts = counts};
    c->cut_count = sw_cuts_of(cuts, levels, &leveled, values, count);
    c->bin_count = c->cut_count + 4;
    double keys[SW_KEYS_MAX];
    sw_keys64 table;
    sw_keys64_fill(&table, keys, sw_bins_keys(keys, c));
    memset(counts, 0, sizeof counts);
    counts[0] = c->missing;
    for (size_t i = 0; i < count; i++)
        counts[sw_keys64_bin(&table, values[i])]++;
}

/* 400 runs, each with a reference and live rows of its own. */
static tally simulate(draw_fn *reference, draw_fn *live, int reference_rows, int live_rows) {
    tally found = {0};
    for (int run = 0; run < 400; run++) {
        sw_profile_column column;
        make_column(&column, reference, reference_rows);
        sw_verdict v = judge_drawn(&(sw_profile){.columns = &column}, live, live_rows);
        found.moved += v.state == SW_WATCH_MOVED;
        found.drifted += v.state == SW_WATCH_DRIFTED;
    }
    return found;
}

TEST(verdict__without_drift_at_most_one_run_of_a_hundred_reads_as_drifted) {
    draw_fn *const shapes[] = {draw_normal, draw_lognormal, draw_few, draw_rare, draw_zeros};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        tally found = simulate(shapes[i], shapes[i], 5000, 1000);
        CHECK(found.drifted <= 4);
        CHECK(found.drifted + found.moved <= 4);
    }
}

TEST(verdict__nor_with_few_live_rows_or_a_small_reference) {
    const int rows[][2] = {{5000, 500}, {1000, 500}, {569, 600},
                           {200, 1000}, {50, 500},   {20, 5000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tally found = simulate(draw_normal, draw_normal, rows[i][0], rows[i][1]);
        CHECK(found.drifted <= 4);
        tally zeros = simulate(draw_zeros, draw_zeros, rows[i][0], rows[i][1]);
        CHECK(zeros.drifted <= 4);
    }
}

TEST(verdict__a_shift_by_one_sigma_always_reads_as_drifted) {
    CHECK_INT(simulate(draw_normal, draw_shifted, 5000, 1000).drifted, 400);
    CHECK_INT(simulate(draw_normal, draw_shifted, 569, 500).drifted, 400);
}

/* ---- What the figures are ---- */

/* A column of ten levels, a hundred rows each. */
static sw_profile_column ten_levels(void) {
    static double cuts[9], levels[10];
    static uint64_t counts[13];
    for (int i = 0; i < 9; i++)
        cuts[i] = i + 0.5;
    for (int i = 0; i < 10; i++) {
        levels[i] = i;
        counts[2 + i] = 100;
    }
    return (sw_profile_column){.name = SW_STR("x"),
                               .rows = 1000,
                               .max = 9,
                               .cuts = cuts,
                               .cut_count = 9,
                               .levels = levels,
                               .counts = counts,
                               .bin_count = 13};
}

TEST(verdict__psi_is_what_its_definition_says) {
    sw_profile_column c = ten_levels();
    uint64_t live[13] = {0};
    double wanted = 0;
    for (int i = 0; i < 10; i++)
        live[2 + i] = (uint64_t)(200 + 50 * i);
    for (int i = 0; i < 10; i++) {
        double r = 100.5 / 1005, l = (200 + 50 * i + 0.5) / (4250 + 5);
        wanted += (l - r) * log(l / r);
    }
    sw_verdict v = sw_watch_judge(&c, live, 4250);
    CHECK_NEAR(v.psi, wanted, 1e-12);
    /* Chi-square of 9 degrees at 1 - 1e-4 is 33.72 (R: qchisq(0.9999, 9)). */
    CHECK_NEAR(v.psi_noise, 33.72 * (1 / 1000.0 + 1 / 4250.0), 1e-3);
    CHECK_INT(v.state, SW_WATCH_MOVED);
    CHECK_TEXT(v.why, "PSI 0.12 (above 0.1)");
}

TEST(verdict__a_psi_within_chance_says_so) {
    sw_profile profile = profile_of(draw_normal, 30, SW_FP64);
    sw_verdict v = judge_drawn(&profile, draw_normal, 1000);
    CHECK_INT(v.state, SW_WATCH_SAME);
    CHECK(v.psi > 0.1);
    CHECK_HAS(v.why, "within chance at these rows");
    sw_arena_reset(&arena);
}

TEST(verdict__missing_values_raise_it_by_themselves) {
    sw_profile_column c = ten_levels();
    uint64_t live[13] = {136, 0, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100};
    sw_verdict v = sw_watch_judge(&c, live, 1136);
    CHECK_INT(v.state, SW_WATCH_DRIFTED);
    CHECK_NEAR(v.psi, 0, 1e-9);
    CHECK_TEXT(v.why, "missing 12 % (reference 0 %)");
    live[0] = 30;
    v = sw_watch_judge(&c, live, 1030);
    CHECK_INT(v.state, SW_WATCH_MOVED);
    CHECK_TEXT(v.why, "missing 2.9 % (reference 0 %)");
    live[0] = 5;
    CHECK_INT(sw_watch_judge(&c, live, 1005).state, SW_WATCH_SAME);
}

TEST(verdict__values_out_of_range_raise_it_by_themselves) {
    sw_profile_column c = ten_levels();
    uint64_t live[13] = {0, 20, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100};
    sw_verdict v = sw_watch_judge(&c, live, 1120);
    CHECK_INT(v.state, SW_WATCH_DRIFTED);
    CHECK_NEAR(v.outside, 120 / 1120.0, 1e-12);
    CHECK_TEXT(v.why, "11 % out of range (expected 0.20 %)");
}

TEST(verdict__unseen_categories_raise_it) {
    sw_profile profile = profile_of(draw_few, 2000, SW_BYTES);
    sw_profile_column *c = &profile.columns[0];
    REQUIRE(c->bin_count == 8);
    uint64_t live[8] = {0, 80, 150, 150, 150, 150, 150, 150};
    sw_verdict v = sw_watch_judge(c, live, 980);
    CHECK_INT(v.state, SW_WATCH_DRIFTED);
    CHECK_HAS(v.why, "8.2 % unseen values (expected 0 %)");
    sw_arena_reset(&arena);
}

TEST(verdict__identifiers_that_are_always_new_say_nothing) {
    sw_buf csv = {0};
    sw_signature signature = testing_signature(&arena, 1, SW_BYTES);
    sw_profile profile = {0};
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 5000; i++)
        sw_buf_printf(&csv, "id%d\n", i);
    REQUIRE_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_buf_free(&csv);
    static uint64_t live[SW_PROFILE_CATEGORIES_MAX + 2];
    live[SW_BIN_UNSEEN] = 1000;
    sw_verdict v = sw_watch_judge(&profile.columns[0], live, 1000);
    CHECK_INT(v.state, SW_WATCH_UNDEFINED);
    sw_arena_reset(&arena);
}

/* ---- Undefined ---- */

static double draw_four(int variant) {
    (void)variant;
    return 4;
}

static double draw_missing(int variant) {
    (void)variant;
    return NAN;
}

TEST(verdict__a_constant_reference_is_undefined_until_a_value_differs) {
    sw_profile profile = profile_of(draw_four, 1000, SW_FP64);
    sw_verdict v = judge_drawn(&profile, draw_four, 1000);
    CHECK_INT(v.state, SW_WATCH_UNDEFINED);
    CHECK(isnan(v.psi));
    CHECK_HAS(v.why, "constant in the reference");
    v = judge_drawn(&profile, draw_normal, 1000);
    CHECK_INT(v.state, SW_WATCH_DRIFTED);
    CHECK_HAS(v.why, "100 % out of range");
    v = judge_drawn(&profile, draw_missing, 1000);
    CHECK_INT(v.state, SW_WATCH_DRIFTED);
    CHECK_HAS(v.why, "missing 100 % (reference 0 %)");
    sw_arena_reset(&arena);
}

TEST(verdict__a_reference_of_missing_values_is_undefined_until_values_come) {
    sw_profile profile = profile_of(draw_missing, 1000, SW_FP64);
    sw_verdict v = judge_drawn(&profile, draw_missing, 1000);
    CHECK_INT(v.state, SW_WATCH_UNDEFINED);
    CHECK_HAS(v.why, "all values are missing in the reference");
    v = judge_drawn(&profile, draw_normal, 1000);
    CHECK_INT(v.state, SW_WATCH_DRIFTED);
    CHECK_HAS(v.why, "missing 0 % (reference 100 %)");
    sw_arena_reset(&arena);
}

TEST(verdict__too_few_values_among_many_rows_are_told_apart) {
    sw_profile profile = profile_of(draw_zeros, 2000, SW_FP64);
    sw_profile_column *c = &profile.columns[0];
    c->counts[0] = 40000; /* 95 % missing */
    c->rows = 41800;
    uint64_t live[SW_PROFILE_BINS + 4] = {950, 0, 50};
    sw_verdict v = sw_watch_judge(c, live, 1000);
    CHECK_INT(v.state, SW_WATCH_TOO_FEW);
    CHECK_HAS(v.why, "50 of 500 values that are not missing");
    sw_arena_reset(&arena);
}

TEST(verdict__an_all_distinct_column_behaves) {
    sw_profile profile = profile_of(draw_lognormal, 3000, SW_FP64);
    CHECK_INT(profile.columns[0].cut_count, 63);
    CHECK_INT(judge_drawn(&profile, draw_lognormal, 3000).state, SW_WATCH_SAME);
    CHECK_INT(judge_drawn(&profile, draw_normal, 3000).state, SW_WATCH_DRIFTED);
    sw_arena_reset(&arena);
}

/* ---- Bars ---- */

TEST(display__bars_of_a_normal_feature_look_like_a_bell) {
    sw_bar bars[SW_DISPLAY_BINS];
    uint64_t live[SW_PROFILE_BINS + 4] = {0};
    sw_profile profile = profile_of(draw_normal, 20000, SW_FP64);
    size_t count = sw_display_feature(bars, &profile.columns[0], live);
    CHECK_INT(count, 20);
    for (size_t i = 1; i < count; i++)
        CHECK_NEAR(bars[i].from, bars[i - 1].to, 0);
    for (size_t i = 2; i < 9; i++)
        CHECK(bars[i].reference > bars[i - 1].reference);
    for (size_t i = 11; i < 18; i++)
        CHECK(bars[i].reference > bars[i + 1].reference);
    sw_arena_reset(&arena);
}

TEST(display__few_values_have_a_bar_each_and_strangers_one) {
    sw_bar bars[SW_DISPLAY_BINS];
    sw_profile_column c = ten_levels();
    uint64_t live[13] = {7, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 30};
    size_t count = sw_display_feature(bars, &c, live);
    CHECK_INT(count, 11);
    CHECK_STR(bars[0].label, "0");
    CHECK_STR(bars[10].label, "> 9");
    CHECK_NEAR(bars[10].live, 30, 0);
}

TEST(display__scores_show_the_unit_interval_or_what_there_is) {
    sw_bar bars[SW_DISPLAY_BINS];
    uint64_t live[SW_SCORE_BINS] = {0};
    CHECK_INT(sw_display_scores(bars, NULL, live), 20);
    CHECK_NEAR(bars[0].from, 0, 0);
    CHECK_NEAR(bars[19].to, 1, 1e-12);
    live[sw_score_bin(300)] = 5;
    live[sw_score_bin(700)] = 5;
    size_t count = sw_display_scores(bars, NULL, live);
    CHECK(count >= 2 && count <= 20);
    CHECK(bars[0].from <= 300 && bars[count - 1].to >= 700);
    CHECK_NEAR(bars[0].live, 5, 0);
    for (uint32_t i = 0; i < SW_SCORE_BINS; i++)
        live[i] = i;
    CHECK(sw_display_scores(bars, NULL, live) <= 20);
}

TEST(display__labels_come_most_frequent_first) {
    static sw_labels labels;
    sw_bar bars[SW_DISPLAY_BINS];
    for (int i = 0; i < 40; i++) {
        char text[16];
        snprintf(text, sizeof text, "class %d", i);
        sw_labels_add(&labels, sw_str_of(text), (uint64_t)(i == 7 ? 100 : 1 + (i < 30)));
    }
    size_t count = sw_display_labels(bars, NULL, &labels);
    CHECK_INT(count, 20);
    CHECK_STR(bars[0].label, "class 7");
    CHECK_STR(bars[19].label, "(other)");
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += bars[i].live;
    CHECK_NEAR(sum, 100 + 29 * 2 + 10, 0);
}

TEST_MAIN
