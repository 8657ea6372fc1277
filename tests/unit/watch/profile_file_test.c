/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles of files whose columns nobody has described. */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/num.h"

static sw_error error;
static sw_arena arena;
static sw_profile profile;

static sw_status profile_of(sw_str text, sw_signature *signature) {
    char path[64];
    sw_profile_options options = {.signature = signature};
    if (!testing_file(path, text))
        abort();
    sw_status status = sw_profile_from_file(&profile, &options, path, &arena, &error);
    unlink(path);
    return status;
}

static const sw_profile_column *column(const char *name) {
    static const sw_profile_column none;
    for (uint32_t i = 0; i < profile.column_count; i++)
        if (sw_str_is(profile.columns[i].name, name))
            return &profile.columns[i];
    TEST_FAIL_("no column %s", name);
    return &none;
}

TEST(profile_file__finds_out_what_the_columns_hold) {
    sw_arena_reset(&arena);
    REQUIRE_OK(profile_of(SW_STR("n,t,late,gone,,flag\n1,x,1,NA,0,true\n2.5,NA,,,1,false\n"
                                 ",y,oops,null,2,\n"),
                          NULL),
               error);
    CHECK_INT(profile.rows, 3);
    CHECK_INT(profile.column_count, 5);
    CHECK_INT(column("n")->kind, SW_FEATURE_NUMERIC);
    CHECK_INT(column("n")->missing, 1);
    CHECK_NEAR(column("n")->median, 1.75, 0);
    CHECK(!column("n")->whole);
    CHECK_INT(column("t")->kind, SW_FEATURE_CATEGORY);
    CHECK_INT(column("t")->missing, 1);
    CHECK_INT(column("t")->distinct, 2);
    CHECK_INT(column("late")->kind, SW_FEATURE_CATEGORY);
    CHECK_INT(column("late")->missing, 1);
    CHECK_INT(column("late")->distinct, 2);
    CHECK_INT(column("gone")->missing, 3);
    CHECK_NEAR(column("flag")->mean, 0.5, 0);
    CHECK(column("flag")->whole);
}

TEST(profile_file__of_json_lines_is_that_of_the_same_csv) {
    sw_buf csv = {0}, lines = {0}, one = {0}, other = {0};
    uint64_t seed = 3;
    sw_arena_reset(&arena);
    sw_buf_add_lit(&csv, "a,b,c\n");
    for (int i = 0; i < 5000; i++) {
        double x = testing_normal(&seed);
        sw_buf_printf(&csv, "%.17g,%d,k%d\n", x, i % 50, i % 7);
        sw_buf_printf(&lines, "{\"a\":%.17g,\"b\":%d,\"c\":\"k%d\"}\n", x, i % 50, i % 7);
    }
    REQUIRE_OK(profile_of(sw_buf_str(&csv), NULL), error);
    sw_profile_to_json(&one, &profile);
    REQUIRE_OK(profile_of(sw_buf_str(&lines), NULL), error);
    sw_profile_to_json(&other, &profile);
    CHECK(sw_str_eq(sw_buf_str(&one), sw_buf_str(&other)));
    sw_buf_free(&csv);
    sw_buf_free(&lines);
    sw_buf_free(&one);
    sw_buf_free(&other);
}

TEST(profile_file__holds_json_lines_against_a_signature) {
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, 2, SW_FP32);
    REQUIRE_OK(profile_of(SW_STR("{\"x1\":0.1,\"x0\":1,\"y\":0}\n{\"x0\":2}\n"), &signature),
               error);
    CHECK_INT(profile.column_count, 2);
    CHECK_NEAR(profile.columns[1].max, (double)0.1F, 0);
    CHECK_INT(profile.columns[1].missing, 1);
    CHECK_NEAR(signature.features[0].max, 2, 0);
    CHECK_INT(profile_of(SW_STR("{\"x1\":\"low\",\"x0\":1}\n"), &signature).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "column \"x1\" holds text, as \"low\"");
    CHECK_INT(profile_of(SW_STR("{\"x1\":1}\n"), &signature).code, SW_CODE_NOT_FOUND);
    CHECK_HAS(error.text, "\"x0\"");
}

TEST(profile_file__takes_ten_thousand_features) {
    enum { COLUMNS = 10000, ROWS = 3000, SEEN = 250 };
    sw_buf csv = {0};
    uint64_t seed = 9;
    sw_arena_reset(&arena);
    for (int c = 0; c < COLUMNS; c++)
        sw_buf_printf(&csv, c ? ",x%d" : "x%d", c);
    for (int row = 0; row < ROWS; row++) {
        sw_buf_add_char(&csv, '\n');
        for (int c = 0; c < COLUMNS; c++) {
            char text[SW_NUM_BYTES] = "";
            int kind = c % 5;
            size_t len = kind == 0   ? sw_num_print_i64(text, row)
                         : kind == 1 ? sw_num_print_i64(text, 7)
                         : kind == 2 ? 0
                         : kind == 3 ? sw_num_print_i64(text, row % 3)
                                     : sw_num_print_f32(text, (float)sw_rng_unit(&seed));
            if (c)
                sw_buf_add_char(&csv, ',');
            sw_buf_add(&csv, text, len);
        }
    }
    REQUIRE_OK(profile_of(sw_buf_str(&csv), NULL), error);
    CHECK_INT(profile.column_count, COLUMNS);
    for (uint32_t i = 0; i < COLUMNS; i += SEEN) {
        const sw_profile_column *c = &profile.columns[i];
        uint64_t all = 0;
        for (uint32_t b = 0; b < c->bin_count; b++)
            all += c->counts[b];
        CHECK_INT(all, ROWS);
        CHECK_NEAR(c->mean, (ROWS - 1) / 2.0, 1e-9); /* all distinct */
        CHECK_NEAR((double)c->distinct, ROWS, ROWS * 0.2);
        CHECK(c->whole);
        c++; /* constant */
        CHECK_INT(c->distinct, 1);
        CHECK_INT(c->bin_count, 4);
        CHECK_NEAR(c->stddev, 0, 0);
        CHECK_NEAR(c->median, 7, 0);
        c++; /* all missing */
        CHECK_INT(c->missing, ROWS);
        CHECK_INT(c->distinct, 0);
        CHECK(isnan(c->min) && isnan(c->median));
        c++; /* three values */
        REQUIRE(c->levels && c->cut_count == 2);
        CHECK_INT(c->counts[3], ROWS / 3);
        CHECK_NEAR(c->median, 1, 0);
        c++; /* in [0, 1) */
        CHECK(c->cut_count >= 55);
        CHECK_NEAR(c->median, 0.5, 0.05);
    }
    sw_buf_free(&csv);
}

TEST(profile_file__leaves_levels_without_losing_a_count) {
    /* 20 values until the room is used up, then others. */
    enum { COLUMNS = 9000, ROWS = 2400 };
    sw_buf csv = {0};
    sw_arena_reset(&arena);
    for (int c = 0; c < COLUMNS; c++)
        sw_buf_printf(&csv, c ? ",x%d" : "x%d", c);
    for (int row = 0; row < ROWS; row++)
        for (int c = 0; c < COLUMNS; c++)
            sw_buf_printf(&csv, "%c%d", c ? ',' : '\n', c % 2 && row > 2300 ? row : 10 + row % 20);
    REQUIRE_OK(profile_of(sw_buf_str(&csv), NULL), error);
    const sw_profile_column *levels = column("x10"), *left = column("x11");
    REQUIRE(levels->levels && !left->levels);
    CHECK_INT(levels->counts[2], ROWS / 20);
    for (uint32_t b = 2, value = 10; b < left->bin_count - 1; b++) {
        double end = b - 2 < left->cut_count ? left->cuts[b - 2] : 2400;
        uint64_t wanted = 0;
        for (; value < end; value++)
            for (int row = 0; row < ROWS; row++)
                wanted += (uint32_t)(row > 2300 ? row : 10 + row % 20) == value;
        CHECK_INT(left->counts[b], wanted);
    }
    sw_buf_free(&csv);
}

TEST_MAIN
