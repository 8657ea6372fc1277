/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/mem.h"

static sw_error error;
static sw_arena arena;
static sw_profile profile;

/* The profile of a CSV for `count` features x0, x1, … of one type. */
static sw_status profile_of(const char *csv, uint32_t count, sw_dtype dtype) {
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, count, dtype);
    return testing_profile(&profile, &signature, sw_str_of(csv), &arena, &error);
}

static void check_refused(const char *csv, uint32_t count, sw_dtype dtype, const char *wanted) {
    CHECK_INT(profile_of(csv, count, dtype).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, wanted);
}

static uint64_t sum(const uint64_t *counts, uint32_t count) {
    uint64_t all = 0;
    for (uint32_t i = 0; i < count; i++)
        all += counts[i];
    return all;
}

TEST(profile__gives_each_of_few_values_a_bin_of_its_own) {
    REQUIRE_OK(profile_of("x0\n3\n1\n1\n2\n\nNA\n1\n3\nnan\n", 1, SW_FP64), error);
    const sw_profile_column *c = &profile.columns[0];
    CHECK_INT(c->rows, 8);
    CHECK_INT(c->missing, 2);
    CHECK_INT(c->cut_count, 2);
    CHECK_NEAR(c->cuts[0], 1.5, 0);
    CHECK_NEAR(c->cuts[1], 2.5, 0);
    REQUIRE(c->levels);
    CHECK_NEAR(c->levels[2], 3, 0);
    const uint64_t wanted[] = {2, 0, 3, 1, 2, 0};
    REQUIRE(c->bin_count == 6);
    CHECK(memcmp(c->counts, wanted, sizeof wanted) == 0);
    CHECK_NEAR(c->mean, 11.0 / 6, 1e-15);
    CHECK_NEAR(c->stddev,
               sqrt((2 * 1.36111111111111111 + 3 * 0.69444444444444444 + 0.02777777777777778) / 6),
               1e-14);
    CHECK_NEAR(c->min, 1, 0);
    CHECK_NEAR(c->max, 3, 0);
}

TEST(profile__matches_columns_by_name_and_leaves_out_the_rest) {
    REQUIRE_OK(profile_of("label, x1 ,,x0,\n0,10,i,1,j\n1,20,i,2,j\n", 2, SW_FP32), error);
    CHECK_INT(profile.rows, 2);
    CHECK_STR(profile.columns[0].name, "x0");
    CHECK_NEAR(profile.columns[0].max, 2, 0);
    CHECK_NEAR(profile.columns[1].max, 20, 0);
}

TEST(profile__rounds_values_as_a_float32_input_will) {
    REQUIRE_OK(profile_of("x0\n0.1\n0.7\n", 1, SW_FP32), error);
    CHECK_NEAR(profile.columns[0].min, (double)0.1F, 0);
    CHECK_NEAR(profile.columns[0].max, (double)0.7F, 0);
    REQUIRE_OK(profile_of("x0\n0.1\n0.7\n", 1, SW_FP64), error);
    CHECK_NEAR(profile.columns[0].max, 0.7, 0);
}

TEST(profile__takes_numbers_as_people_write_them) {
    REQUIRE_OK(profile_of("x0\n +1.5\n.5\n2.\n007\n1e2\n-0\n\"3\"\nNone\nN/A\nnull\n", 1, SW_FP64),
               error);
    CHECK_INT(profile.columns[0].missing, 3);
    CHECK_NEAR(profile.columns[0].max, 100, 0);
    CHECK_NEAR(profile.columns[0].mean, (1.5 + .5 + 2 + 7 + 100 + 0 + 3) / 7, 1e-14);
}

TEST(profile__takes_true_and_false_as_numbers) {
    REQUIRE_OK(profile_of("x0\ntrue\nFalse\n1\n0\nTRUE\n", 1, SW_BOOL), error);
    CHECK_NEAR(profile.columns[0].mean, 0.6, 1e-15);
    REQUIRE_OK(profile_of("x0\ntrue\n3\n", 1, SW_FP32), error);
    CHECK_NEAR(profile.columns[0].mean, 2, 0);
}

TEST(profile__counts_infinities_as_out_of_range) {
    REQUIRE_OK(profile_of("x0\ninf\n-inf\n5\n6\n1e999\n", 1, SW_FP64), error);
    const uint64_t wanted[] = {0, 1, 1, 1, 2};
    REQUIRE(profile.columns[0].bin_count == 5);
    CHECK(memcmp(profile.columns[0].counts, wanted, sizeof wanted) == 0);
    CHECK_NEAR(profile.columns[0].max, 6, 0);
}

TEST(profile__a_constant_column_has_one_bin) {
    REQUIRE_OK(profile_of("x0\n4\n4\n4\n", 1, SW_FP32), error);
    CHECK_INT(profile.columns[0].cut_count, 0);
    CHECK_INT(profile.columns[0].bin_count, 4);
    CHECK_INT(profile.columns[0].counts[2], 3);
    CHECK_NEAR(profile.columns[0].stddev, 0, 0);
}

TEST(profile__a_column_of_missing_values_has_no_range) {
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, 1, SW_FP32);
    REQUIRE_OK(testing_profile(&profile, &signature, SW_STR("x0,y\n,1\nNA,2\n"), &arena, &error),
               error);
    CHECK_INT(profile.columns[0].missing, 2);
    CHECK(isnan(profile.columns[0].min));
    CHECK(isnan(profile.columns[0].mean));
    CHECK(!signature.features[0].has_range);
    CHECK_INT(profile.columns[0].counts[0], 2);
}

TEST(profile__orders_categories_by_frequency) {
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, 1, SW_BYTES);
    signature.features[0].kind = SW_FEATURE_NUMERIC; /* of a BYTES input: a category all the same */
    REQUIRE_OK(
        testing_profile(&profile, &signature,
                        SW_STR("x0,y\nred,1\nNA,1\nblue,1\nred,2\n,3\nblue,\n\"a,b\",\nred,\n"),
                        &arena, &error),
        error);
    const sw_profile_column *c = &profile.columns[0];
    REQUIRE(c->kind == SW_FEATURE_CATEGORY && c->value_count == 4);
    CHECK_STR(c->values[0], "red");
    CHECK_STR(c->values[1], "blue");
    CHECK_STR(c->values[2], "NA");
    CHECK_STR(c->values[3], "a,b");
    const uint64_t wanted[] = {1, 0, 3, 2, 1, 1};
    CHECK(memcmp(c->counts, wanted, sizeof wanted) == 0);
    CHECK_INT(signature.features[0].kind, SW_FEATURE_CATEGORY);
    CHECK_INT(signature.features[0].category_count, 4);
}

TEST(profile__numbers_may_be_categories) {
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, 1, SW_INT64);
    signature.features[0].kind = SW_FEATURE_CATEGORY;
    REQUIRE_OK(
        testing_profile(&profile, &signature, SW_STR("x0\n7\n7.0\n-1\nNA\n007\n"), &arena, &error),
        error);
    const sw_profile_column *c = &profile.columns[0];
    REQUIRE(c->value_count == 2);
    CHECK_STR(c->values[0], "7");
    CHECK_STR(c->values[1], "-1");
    CHECK_INT(c->counts[2], 3);
    CHECK_INT(c->missing, 1);
}

TEST(profile__keeps_the_most_frequent_of_many_categories) {
    sw_buf csv = {0};
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 100000; i++)
        sw_buf_printf(&csv, "value%d\n", i % 3 ? i : i % 60);
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, 1, SW_BYTES);
    REQUIRE_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    const sw_profile_column *c = &profile.columns[0];
    CHECK_INT(c->value_count, 20); /* the rest occur once: which of them to know would be chance */
    CHECK_INT(sum(c->counts, c->bin_count), 100000);
    for (int i = 0; i < 20; i++)
        CHECK(c->counts[2 + i] >= 1666);
    sw_buf_free(&csv);
}

/* Which of these values are more frequent than others is chance, unless all occur often. */
TEST(profile__knows_no_value_by_chance) {
    uint64_t seed = 11;
    for (int often = 0; often < 2; often++) {
        sw_buf csv = {0};
        sw_buf_add_lit(&csv, "x0\n");
        for (int i = 0; i < (often ? 600000 : 5000); i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            sw_buf_printf(&csv, "v%d\n", (int)((seed >> 33) % 300));
        }
        sw_arena_reset(&arena);
        sw_signature signature = testing_signature(&arena, 1, SW_BYTES);
        REQUIRE_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
        const sw_profile_column *c = &profile.columns[0];
        CHECK_INT(c->distinct, 300);
        CHECK(often ? c->value_count == SW_PROFILE_CATEGORIES_MAX : c->value_count == 0);
        CHECK_INT(signature.features[0].category_count, c->value_count);
        CHECK_INT(c->bin_count, c->value_count + 2);
        sw_buf_free(&csv);
    }
}

TEST(profile__cuts_many_values_into_bins_of_near_equal_counts) {
    sw_buf csv = {0};
    uint64_t seed = 3;
    sw_buf_add_lit(&csv, "x0,x1,x2\n");
    for (int i = 0; i < 20000; i++) {
        double x = testing_normal(&seed);
        sw_buf_printf(&csv, "%.17g,%.17g,%d\n", x, i % 5 < 3 ? 0 : x, i);
    }
    REQUIRE_OK(profile_of(csv.at, 3, SW_FP64), error);
    const sw_profile_column *even = &profile.columns[0], *tied = &profile.columns[1];
    CHECK_INT(even->cut_count, 63);
    CHECK(!even->levels);
    CHECK_INT(sum(even->counts, even->bin_count), 20000);
    for (uint32_t i = 2; i < 66; i++)
        CHECK(even->counts[i] >= 312 && even->counts[i] <= 313);
    CHECK_NEAR(even->mean, 0, 0.03);
    CHECK_NEAR(even->stddev, 1, 0.03);
    /* The value that 60 % of rows have is alone in its bin. */
    uint64_t most = 0;
    for (uint32_t i = 2; i < tied->bin_count - 1; i++)
        most = tied->counts[i] > most ? tied->counts[i] : most;
    CHECK_INT(most, 12000);
    CHECK(tied->cut_count >= 60);
    for (uint32_t i = 1; i < 63; i++)
        CHECK(even->cuts[i - 1] < even->cuts[i]);
    sw_buf_free(&csv);
}

TEST(profile__what_is_too_much_to_hold_is_counted_exactly_all_the_same) {
    /* 128 MiB over 8,400 columns leaves room for 1,997, so 2,048, of 2,200 values. */
    enum { COLUMNS = 8400, ROWS = 2200 };
    sw_buf csv = {0};
    for (int c = 0; c < COLUMNS; c++)
        sw_buf_printf(&csv, c ? ",x%d" : "x%d", c);
    for (int row = 0; row < ROWS; row++) {
        sw_buf_add_lit(&csv, "\n");
        for (int c = 0; c < COLUMNS; c++)
            sw_buf_printf(&csv, c ? ",%d" : "%d", c == 1 ? row % 2 : row);
    }
    REQUIRE_OK(profile_of(csv.at, COLUMNS, SW_FP32), error);
    for (int i = 0; i < COLUMNS; i += 77) {
        const sw_profile_column *c = &profile.columns[i];
        CHECK_INT(sum(c->counts, c->bin_count), ROWS);
        CHECK_NEAR(c->mean, 1099.5, 1e-9);
        CHECK_NEAR(c->max, 2199, 0);
        /* Bin after bin holds just the whole numbers between its cuts. */
        for (uint32_t b = 0; b + 1 < c->cut_count; b++)
            CHECK_INT(c->counts[3 + b], (long long)(ceil(c->cuts[b + 1]) - ceil(c->cuts[b])));
    }
    CHECK_INT(profile.columns[1].counts[2], 1100);
    sw_buf_free(&csv);
}

TEST(profile__errors_name_the_place) {
    check_refused("", 1, SW_FP32, "the CSV file is empty");
    check_refused("\n\n", 1, SW_FP32, "the CSV file is empty");
    check_refused("x0\n", 1, SW_FP32, "a header and no row");
    check_refused("x0,x0\n1,2\n", 1, SW_FP32, "two columns are named \"x0\" (fields 1 and 2)");
    check_refused("a,b\n1,2\n", 1, SW_FP32,
                  "no column \"x0\", which the model takes; its columns are \"a\", \"b\"");
    check_refused("x0,b\n1,2\n3\n", 1, SW_FP32, "line 3 has 1 field, the header has 2");
    check_refused("x0,b\n1,2\n\n3,4,5\n", 1, SW_FP32, "line 4 has 3 fields, the header has 2");
    check_refused("x0\n1\nabc\n", 1, SW_FP32, "line 3, column \"x0\": \"abc\" is not a number");
    check_refused("x0\n1\n0x10\n", 1, SW_FP32, "\"0x10\" is not a number");
    check_refused("x0\n1\nthis is a text that goes on for longer than an error message should\n", 1,
                  SW_INT32, "\"this is a text that goes on for longer t…\" is not a number");
}

TEST(profile__the_header_alone_can_be_read) {
    char path[64];
    sw_str *names;
    size_t count;
    sw_arena_reset(&arena);
    REQUIRE(testing_file(path, SW_STR("\xEF\xBB\xBF\"a b\", c ,\"\"\n1,2,3\n")));
    REQUIRE_OK(sw_csv_header(&names, &count, path, &arena, &error), error);
    CHECK_INT(count, 3);
    CHECK_STR(names[0], "a b");
    CHECK_STR(names[1], "c");
    CHECK_INT(names[2].len, 0);
    unlink(path);
    CHECK_INT(sw_csv_header(&names, &count, path, &arena, &error).code, SW_CODE_NOT_FOUND);
}

/* ---- JSON ---- */

static bool same_column(const sw_profile_column *a, const sw_profile_column *b) {
    return sw_str_eq(a->name, b->name) && a->kind == b->kind && a->rows == b->rows &&
           a->missing == b->missing && a->distinct == b->distinct && a->cut_count == b->cut_count &&
           (isnan(a->min) ? isnan(b->min)
                          : a->min == b->min && a->max == b->max && a->mean == b->mean &&
                                a->stddev == b->stddev && a->median == b->median) &&
           !a->levels == !b->levels && a->value_count == b->value_count &&
           a->bin_count == b->bin_count &&
           (a->cut_count == 0 || memcmp(a->cuts, b->cuts, a->cut_count * sizeof *a->cuts) == 0) &&
           memcmp(a->counts, b->counts, a->bin_count * sizeof *a->counts) == 0;
}

TEST(profile__comes_back_from_json_as_it_was) {
    sw_buf csv = {0}, json = {0}, again = {0};
    uint64_t seed = 4;
    sw_arena_reset(&arena);
    sw_signature signature = testing_signature(&arena, 4, SW_FP64);
    signature.features[3].kind = SW_FEATURE_CATEGORY;
    signature.features[0].name = SW_STR("\xC3\xA9 \"quoted\" \\ name");
    sw_buf_add_lit(&csv, "x1,x2,x3,\"\xC3\xA9 \"\"quoted\"\" \\ name\"\n");
    for (int i = 0; i < 500; i++)
        sw_buf_printf(&csv, "%d,,%d.5,%.17g\n", i % 3, i % 4, testing_normal(&seed) * 1e-300);
    REQUIRE_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_profile_to_json(&json, &profile);
    sw_profile back;
    REQUIRE_OK(sw_profile_from_json(&back, sw_buf_str(&json), &arena, &error), error);
    CHECK_INT(back.rows, 500);
    REQUIRE(back.column_count == 4);
    for (int i = 0; i < 4; i++)
        CHECK(same_column(&profile.columns[i], &back.columns[i]));
    CHECK_STR(back.columns[3].values[0], "0.5");
    sw_profile_to_json(&again, &back);
    CHECK(sw_str_eq(sw_buf_str(&json), sw_buf_str(&again)));
    sw_buf_free(&csv);
    sw_buf_free(&json);
    sw_buf_free(&again);
}

static void check_json_refused(const char *json, const char *wanted) {
    CHECK_INT(sw_profile_from_json(&profile, sw_str_of(json), &arena, &error).code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, wanted);
}

#define NUMERIC(rest)                                                                        \
    "{\"format\":1,\"rows\":2,\"columns\":[{\"name\":\"a\",\"kind\":\"numeric\",\"rows\":2," \
    "\"missing\":0,"                                                                         \
    "\"mean\":1,\"stddev\":1,\"sampled\":0," rest "}]}"

TEST(profile__refuses_json_that_contradicts_itself) {
    sw_arena_reset(&arena);
    REQUIRE_OK(sw_profile_from_json(
                   &profile,
                   SW_STR(NUMERIC("\"min\":0,\"max\":2,\"cuts\":[1],\"counts\":[0,0,1,1,0]")),
                   &arena, &error),
               error);
    check_json_refused("", "profile: line");
    check_json_refused("[]", "\"format\" must be 1");
    check_json_refused("{\"format\":2}", "\"format\" must be 1");
    check_json_refused("{\"format\":1}", "needs \"rows\"");
    check_json_refused("{\"format\":1,\"rows\":1,\"columns\":[3]}", "column 1: needs a \"name\"");
    check_json_refused(NUMERIC("\"min\":0,\"max\":2,\"cuts\":[1,1],\"counts\":[0,0,1,1,0,0]"),
                       "column 1 a: \"cuts\" must grow");
    check_json_refused(NUMERIC("\"min\":0,\"max\":2,\"cuts\":[3],\"counts\":[0,0,1,1,0]"),
                       "between \"min\" and \"max\"");
    check_json_refused(NUMERIC("\"min\":null,\"max\":null,\"cuts\":[3],\"counts\":[0,0,1,1,0]"),
                       "between");
    check_json_refused(NUMERIC("\"min\":0,\"max\":2,\"cuts\":[1],\"counts\":[0,0,1,1]"),
                       "a number for each bin");
    check_json_refused(NUMERIC("\"min\":0,\"max\":2,\"cuts\":[1],\"counts\":[0,0,1,-1,2]"),
                       "whole numbers");
    check_json_refused(NUMERIC("\"min\":0,\"max\":2,\"cuts\":[1],\"counts\":[0,0,1,2,0]"),
                       "add up");
    check_json_refused(
        NUMERIC("\"min\":0,\"max\":2,\"cuts\":[1],\"levels\":[1],\"counts\":[0,0,1,1,0]"),
        "\"levels\"");
}

#ifdef SW_FAULTS
TEST(profile__survives_every_failed_allocation) {
    size_t nth = 1;
    for (bool failed = true; failed; nth++) {
        sw_arena small = {0};
        sw_signature signature = testing_signature(&small, 2, SW_FP64);
        signature.features[1].kind = SW_FEATURE_CATEGORY;
        char path[64];
        REQUIRE(testing_file(path, SW_STR("x0,x1\n1,2\n2,3\n4,5\n")));
        sw_mem_fail_at(nth);
        sw_status status = sw_profile_from_csv(&profile, &signature, path, &small, &error);
        failed = sw_mem_failed();
        sw_mem_fail_at(0);
        unlink(path);
        CHECK_INT(status.code, failed ? SW_CODE_NO_MEMORY : SW_CODE_OK);
        sw_arena_free(&small);
    }
    CHECK(nth > 8);
}
#endif

TEST_MAIN
