/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/mem.h"
#include "watch/observe_private.h"

#include <float.h>

static sw_error error;
static sw_arena arena;
static uint64_t seed = 11;

/* ---- Bins ---- */

/* A column of random growing cuts; every kind of number is among them. */
static sw_profile_column random_column(double *cuts, uint32_t count, bool narrow) {
    sw_profile_column c = {.kind = SW_FEATURE_NUMERIC, .cuts = cuts};
    double spread = pow(10, (double)(sw_rng_next(&seed) % 40) - 20),
           at = testing_normal(&seed) * spread;
    c.min = narrow ? (double)(float)at : at;
    for (uint32_t i = 0; i < count; i++) {
        at += spread * sw_rng_unit(&seed) * (sw_rng_next(&seed) % 3 ? 1 : 1e-9);
        if (at > c.min && (c.cut_count == 0 || at > cuts[c.cut_count - 1]))
            cuts[c.cut_count++] = at;
    }
    c.max = c.cut_count ? nextafter(cuts[c.cut_count - 1], INFINITY) + spread * sw_rng_unit(&seed)
                        : c.min;
    c.max = narrow ? (double)nextafterf((float)c.max, INFINITY) : c.max;
    c.bin_count = c.cut_count + 4;
    return c;
}

/* By the words of profile.h, one comparison after the other. */
static uint32_t plain_bin(const sw_profile_column *c, double x) {
    if (isnan(x))
        return 0;
    if (x < c->min)
        return 1;
    if (x > c->max)
        return c->cut_count + 3;
    uint32_t bin = 2;
    for (uint32_t i = 0; i < c->cut_count; i++)
        bin += c->cuts[i] <= x;
    return bin;
}

static void check_bins(const sw_profile_column *c, double x) {
    double keys[SW_KEYS_MAX];
    sw_keys32 narrow;
    sw_keys64 wide;
    size_t count = sw_bins_keys(keys, c);
    sw_keys32_fill(&narrow, keys, count);
    sw_keys64_fill(&wide, keys, count);
    const float near[] = {(float)x, nextafterf((float)x, INFINITY),
                          nextafterf((float)x, -INFINITY)};
    for (size_t i = 0; i < 3; i++) {
        double far = i == 0 ? x : nextafter(x, i == 1 ? INFINITY : -INFINITY);
        if (sw_keys64_bin(&wide, far) != plain_bin(c, far))
            TEST_FAIL_("%.17g is in bin %u, not %u", far, sw_keys64_bin(&wide, far),
                       plain_bin(c, far));
        if (sw_keys32_bin(&narrow, near[i]) != plain_bin(c, (double)near[i]))
            TEST_FAIL_("%.9gf is in bin %u, not %u", (double)near[i],
                       sw_keys32_bin(&narrow, near[i]), plain_bin(c, (double)near[i]));
    }
}

TEST(observe__every_number_falls_into_the_bin_that_a_plain_search_finds) {
    const double special[] = {NAN,    -NAN,    INFINITY, -INFINITY,       0.0,
                              -0.0,   DBL_MIN, -DBL_MIN, 4.9e-324,        1e-45,
                              -1e-45, DBL_MAX, -DBL_MAX, (double)FLT_MAX, -(double)FLT_MAX,
                              1e39,   1,       -1};
    for (int round = 0; round < 300; round++) {
        double cuts[SW_PROFILE_BINS];
        sw_profile_column c =
            random_column(cuts, (uint32_t)(sw_rng_next(&seed) % SW_PROFILE_BINS), round % 2);
        for (size_t i = 0; i < sizeof special / sizeof *special; i++)
            check_bins(&c, special[i]);
        for (uint32_t i = 0; i < c.cut_count; i++)
            check_bins(&c, cuts[i]);
        check_bins(&c, c.min);
        check_bins(&c, c.max);
        for (int i = 0; i < 20; i++)
            check_bins(&c, c.min + (c.max - c.min) * (1.2 * sw_rng_unit(&seed) - 0.1));
    }
}

TEST(observe__a_random_bit_pattern_too) {
    double cuts[SW_PROFILE_BINS];
    sw_profile_column c = random_column(cuts, SW_PROFILE_BINS - 1, false);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = sw_rng_next(&seed);
        double x;
        memcpy(&x, &bits, sizeof x);
        check_bins(&c, x);
    }
}

TEST(observe__cuts_at_zero_and_among_subnormals_are_exact) {
    double cuts[] = {-1e-310, 0.0, 4.9e-324, 1e-310, 1e-40};
    sw_profile_column c = {
        .kind = SW_FEATURE_NUMERIC, .cuts = cuts, .cut_count = 5, .min = -1e-40, .max = 1};
    const double tried[] = {-1e-40, -1e-310, -4.9e-324, -0.0, 0.0, 4.9e-324,
                            1e-310, 1e-45,   1e-40,     1,    2};
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        check_bins(&c, tried[i]);
}

TEST(observe__scores_fall_between_the_edges_of_their_bin) {
    for (int i = 0; i < 100000; i++) {
        double from, to,
            x = i % 3 == 0 ? sw_rng_unit(&seed)
                           : testing_normal(&seed) * pow(10, (double)(i % 24) - 12);
        uint32_t bin = sw_score_bin(x);
        sw_score_edges(&from, &to, bin);
        bool in = x >= 0 && x <= 1 ? x >= from - 1e-15 && x <= to + 1e-15
                  : x < 0          ? x > from && x <= to
                                   : x >= from && x < to;
        if (!in || bin == 0 || bin >= SW_SCORE_BINS)
            TEST_FAIL_("%.17g is in bin %u, [%g, %g]", x, bin, from, to);
    }
    CHECK_INT(sw_score_bin(NAN), 0);
    CHECK_INT(sw_score_bin(-INFINITY), 1);
    CHECK_INT(sw_score_bin(INFINITY), SW_SCORE_BINS - 1);
    CHECK_INT(sw_score_bin(1), SW_SCORE_FIRST_UNIT + 19);
    CHECK_INT(sw_score_bin(-0.0), SW_SCORE_FIRST_UNIT);
    for (uint32_t bin = 1; bin + 1 < SW_SCORE_BINS; bin++) {
        double from, to, next, end;
        sw_score_edges(&from, &to, bin);
        sw_score_edges(&next, &end, bin + 1);
        CHECK(from < to && to == next);
    }
}

/* ---- Rows ---- */

static sw_observer *observer;
static sw_shard *shard;

static void make(const sw_signature *signature, const sw_profile *profile) {
    CHECK_OK(sw_observer_make(&observer, signature, profile, NULL, &error), error);
    CHECK_OK(sw_shard_make(&shard, observer, &error), error);
}

static void unmake(void) {
    sw_shard_free(shard);
    sw_observer_free(observer);
    sw_arena_reset(&arena);
}

static const uint32_t *bins_of(uint32_t column) {
    sw_shard_settle(shard);
    return shard->cells[0].counts + observer->columns[column].first;
}

static uint64_t label_count(uint32_t column, const char *text) {
    sw_shard_settle(shard);
    const sw_labels *labels = &shard->cells[0].labels[observer->columns[column].labels];
    for (int i = 0; i < SW_LABEL_SLOTS; i++)
        if (labels->slots[i].count &&
            sw_str_is((sw_str){labels->slots[i].text, labels->slots[i].len}, text))
            return labels->slots[i].count;
    return 0;
}

static sw_tensor tensor_of(sw_dtype dtype, void *data, size_t count) {
    return (sw_tensor){
        .dtype = dtype, .rank = 1, .shape = {(int64_t)count}, .count = count, .data = data};
}

/* A value of the type, as a double: what its bin is found from. */
static double put_random(void *data, size_t at, sw_dtype dtype) {
    double x = floor(testing_normal(&seed) * 60);
    switch (dtype) {
    case SW_BOOL: return ((uint8_t *)data)[at] = x > 0;
    case SW_UINT8: return ((uint8_t *)data)[at] = (uint8_t)fabs(fmod(x, 256));
    case SW_UINT16: return ((uint16_t *)data)[at] = (uint16_t)fabs(x);
    case SW_UINT32: return ((uint32_t *)data)[at] = (uint32_t)fabs(x);
    case SW_UINT64: return (double)(((uint64_t *)data)[at] = (uint64_t)fabs(x));
    case SW_INT8: return ((int8_t *)data)[at] = (int8_t)fmod(x, 128);
    case SW_INT16: return ((int16_t *)data)[at] = (int16_t)x;
    case SW_INT32: return ((int32_t *)data)[at] = (int32_t)x;
    case SW_INT64: return (double)(((int64_t *)data)[at] = (int64_t)x);
    case SW_FP16:
        return (double)sw_fp16_to_f32(((uint16_t *)data)[at] = sw_fp16_from_f32((float)x));
    case SW_FP32:
        return (double)(((float *)data)[at] = sw_rng_next(&seed) % 9 ? (float)x / 7 : NAN);
    default: return ((double *)data)[at] = sw_rng_next(&seed) % 9 ? x / 7 : NAN;
    }
}

TEST(observe__counts_rows_of_every_numeric_type_like_a_plain_recount) {
    enum { COLUMNS = 7, ROWS = 331 };
    for (int type = SW_BOOL; type < SW_BYTES; type++) {
        sw_dtype dtype = (sw_dtype)type;
        double cuts[COLUMNS][5] = {{0}};
        sw_profile_column columns[COLUMNS];
        static uint64_t values[ROWS * COLUMNS];
        uint32_t wanted[COLUMNS][16] = {{0}};
        sw_signature signature = testing_signature(&arena, COLUMNS, dtype);
        for (int i = 0; i < COLUMNS; i++) {
            for (int k = 0; k < 5; k++)
                cuts[i][k] = -20 + 10 * k + i;
            columns[i] = (sw_profile_column){.kind = SW_FEATURE_NUMERIC,
                                             .min = -60,
                                             .max = 70,
                                             .cuts = cuts[i],
                                             .cut_count = 5,
                                             .bin_count = 9};
        }
        make(&signature, &(sw_profile){.columns = columns, .column_count = COLUMNS});
        for (size_t i = 0; i < ROWS * COLUMNS; i++)
            wanted[i % COLUMNS][plain_bin(&columns[i % COLUMNS], put_random(values, i, dtype))]++;
        float scores[ROWS] = {0};
        /* One row, then three, then more than a block. */
        const size_t cuts_at[] = {0, 1, 4, ROWS};
        for (int part = 0; part < 3; part++) {
            size_t from = cuts_at[part], rows = cuts_at[part + 1] - from,
                   size = sw_dtype_size(dtype);
            sw_tensor in = tensor_of(dtype, (char *)values + from * COLUMNS * size, rows * COLUMNS);
            sw_tensor out = tensor_of(SW_FP32, scores, rows);
            sw_observe(shard, &in, &out, rows);
        }
        CHECK_INT(shard->cells[0].rows, ROWS);
        for (uint32_t i = 0; i < COLUMNS; i++)
            for (uint32_t bin = 0; bin < 9; bin++)
                CHECK_INT(bins_of(i)[bin], wanted[i][bin]);
        CHECK_INT(bins_of(COLUMNS)[SW_SCORE_FIRST_UNIT], ROWS);
        unmake();
    }
}

TEST(observe__counts_inputs_of_one_column_each) {
    sw_tensor_spec inputs[3] = {
        {.name = SW_STR("age"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 1}},
        {.name = SW_STR("country"), .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}},
        {.name = SW_STR("code"), .dtype = SW_INT64, .rank = 1, .shape = {-1}}};
    sw_feature features[3] = {{.name = SW_STR("age")},
                              {.name = SW_STR("country"), .kind = SW_FEATURE_CATEGORY, .input = 1},
                              {.name = SW_STR("code"), .kind = SW_FEATURE_CATEGORY, .input = 2}};
    sw_signature signature = {
        .inputs = inputs, .input_count = 3, .features = features, .feature_count = 3};
    sw_profile profile;
    REQUIRE_OK(testing_profile(&profile, &signature,
                               SW_STR("age,country,code\n1,ch,10\n2,de,20\n3,ch,30\n4,ch,30\n"),
                               &arena, &error),
               error);
    make(&signature, &profile);
    float age[4] = {1, 2.6F, NAN, 99};
    sw_str country[4] = {SW_STR("de"), SW_STR(""), SW_STR("fr"), SW_STR("ch")};
    int64_t code[4] = {30, -1, 20, 30};
    sw_tensor in[3] = {tensor_of(SW_FP32, age, 4), tensor_of(SW_BYTES, country, 4),
                       tensor_of(SW_INT64, code, 4)};
    sw_observe(shard, in, NULL, 4);
    const uint32_t ages[] = {1, 0, 1, 0, 1, 0, 1}, countries[] = {1, 1, 1, 1},
                   codes[] = {0, 1, 2, 0, 1};
    CHECK(memcmp(bins_of(0), ages, sizeof ages) == 0);
    CHECK(memcmp(bins_of(1), countries, sizeof countries) == 0); /* ch, de */
    CHECK(memcmp(bins_of(2), codes, sizeof codes) == 0);         /* 30, 10, 20 */
    unmake();
}

TEST(observe__finds_each_of_many_categories) {
    sw_buf csv = {0};
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 250; i++)
        sw_buf_printf(&csv, "%s%d\n", i % 2 ? "a longer category name " : "", i);
    sw_signature signature = testing_signature(&arena, 1, SW_BYTES);
    sw_profile profile;
    REQUIRE_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    make(&signature, &profile);
    float score = 0;
    for (uint32_t i = 0; i < profile.columns[0].value_count; i++) {
        sw_str value = profile.columns[0].values[i];
        sw_tensor in = tensor_of(SW_BYTES, &value, 1), out = tensor_of(SW_FP32, &score, 1);
        sw_observe(shard, &in, &out, 1);
        CHECK_INT(bins_of(0)[2 + i], 1);
    }
    CHECK_INT(bins_of(0)[1], 0);
    unmake();
    sw_buf_free(&csv);
}

TEST(observe__without_a_profile_counts_rows_and_missing_values) {
    sw_signature signature = testing_signature(&arena, 3, SW_FP64);
    make(&signature, NULL);
    double x[6] = {1, NAN, 3, 4, NAN, 6};
    float scores[2] = {0.42F, 7};
    sw_tensor in = tensor_of(SW_FP64, x, 6), out = tensor_of(SW_FP32, scores, 2);
    sw_observe(shard, &in, &out, 2);
    CHECK_INT(shard->cells[0].rows, 2);
    CHECK_INT(bins_of(0)[0], 0);
    CHECK_INT(bins_of(1)[0], 2);
    CHECK_INT(bins_of(3)[sw_score_bin((double)0.42F)], 1);
    CHECK_INT(bins_of(3)[sw_score_bin(7)], 1);
    unmake();
}

TEST(observe__counts_labels_by_value_up_to_a_bound) {
    sw_tensor_spec outputs[3] = {
        {.name = SW_STR("class"), .dtype = SW_INT64, .rank = 1, .shape = {-1}},
        {.name = SW_STR("name"), .dtype = SW_BYTES, .rank = 1, .shape = {-1}},
        {.name = SW_STR("p"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 2}}};
    sw_signature signature = {.outputs = outputs, .output_count = 3};
    make(&signature, NULL);
    CHECK_STR(observer->columns[2].name, "p[0]");
    int64_t class[100];
    sw_str name[100];
    float p[200];
    for (int i = 0; i < 100; i++) {
        class[i] = i == 99 ? INT64_MIN : i;
        name[i] = i % 3 ? SW_STR("benign") : i ? SW_STR("malignant") : SW_STR("");
        p[2 * i] = 0.12F;
        p[2 * i + 1] = 0.88F;
    }
    sw_tensor out[3] = {tensor_of(SW_INT64, class, 100), tensor_of(SW_BYTES, name, 100),
                        tensor_of(SW_FP32, p, 200)};
    sw_observe(shard, NULL, out, 100);
    uint64_t sum = shard->cells[0].labels[0].others;
    for (int i = 0; i < SW_LABEL_SLOTS; i++)
        sum += shard->cells[0].labels[0].slots[i].count;
    CHECK_INT(sum, 100); /* of 100 values that came once none is frequent, and none is lost */
    CHECK_INT(label_count(1, "benign"), 66);
    CHECK_INT(label_count(1, "malignant"), 33);
    CHECK_INT(shard->cells[0].labels[1].missing, 1);
    CHECK_INT(bins_of(2)[sw_score_bin(0.12)], 100);
    CHECK_INT(bins_of(3)[sw_score_bin(0.88)], 100);
    unmake();
}

TEST(observe__a_wide_or_open_output_is_one_column) {
    sw_tensor_spec outputs[2] = {
        {.name = SW_STR("embedding"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 2000}},
        {.name = SW_STR("open"), .dtype = SW_FP32, .rank = 2, .shape = {-1, -1}}};
    sw_signature signature = {.outputs = outputs, .output_count = 2};
    make(&signature, NULL);
    static float wide[4000];
    float open[6] = {0};
    sw_tensor out[2] = {tensor_of(SW_FP32, wide, 4000), tensor_of(SW_FP32, open, 6)};
    sw_observe(shard, NULL, out, 2);
    CHECK_INT(observer->column_count, 2);
    CHECK_INT(bins_of(0)[SW_SCORE_FIRST_UNIT], 2 * SW_OUTPUT_POOLED_MAX);
    CHECK_INT(bins_of(1)[SW_SCORE_FIRST_UNIT], 6);
    unmake();
}

TEST(observe__a_tensor_that_does_not_fit_is_left_out) {
    sw_signature signature = testing_signature(&arena, 3, SW_FP32);
    make(&signature, NULL);
    float x[6] = {0};
    sw_tensor short_in = tensor_of(SW_FP32, x, 5), out = tensor_of(SW_FP32, x, 2);
    sw_observe(shard, &short_in, &out, 2);
    sw_tensor other = tensor_of(SW_INT32, x, 6);
    sw_observe(shard, &other, &out, 2);
    CHECK_INT(shard->cells[0].rows, 4);
    sw_observe(shard, &short_in, &out, 0);
    CHECK_INT(shard->cells[0].rows, 4);
    unmake();
}

TEST(observe__a_profile_that_does_not_fit_is_refused) {
    sw_signature signature = testing_signature(&arena, 2, SW_BYTES);
    sw_profile_column columns[2] = {{.kind = SW_FEATURE_NUMERIC, .bin_count = 4},
                                    {.kind = SW_FEATURE_NUMERIC, .bin_count = 4}};
    CHECK_INT(sw_observer_make(&observer, &signature,
                               &(sw_profile){.columns = columns, .column_count = 1}, NULL, &error)
                  .code,
              SW_CODE_INVALID);
    CHECK_INT(sw_observer_make(&observer, &signature,
                               &(sw_profile){.columns = columns, .column_count = 2}, NULL, &error)
                  .code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, "numeric in the profile");
    signature.features[1].input = 9;
    CHECK_INT(sw_observer_make(&observer, &signature, NULL, NULL, &error).code, SW_CODE_INVALID);
    sw_arena_reset(&arena);
}

#ifdef SW_FAULTS
TEST(observe__survives_every_failed_allocation) {
    sw_signature signature = testing_signature(&arena, 3, SW_FP32);
    for (size_t nth = 1;; nth++) {
        sw_mem_fail_at(nth);
        sw_status status = sw_observer_make(&observer, &signature, NULL, NULL, &error);
        bool made = !sw_failed(status);
        if (made)
            status = sw_shard_make(&shard, observer, &error);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(status.code, failed ? SW_CODE_NO_MEMORY : SW_CODE_OK);
        if (made)
            sw_observer_free(observer);
        if (!failed)
            break;
    }
    sw_shard_free(shard);
    sw_arena_free(&arena);
}
#endif

TEST_MAIN
