/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/serve/serving.h"

#include "serve/influence.h"
#include "watch/csv_columns.h"

enum { ROWS = 256, FEATURES = 30 };

static sw_error error;
static sw_arena arena;
static sw_served served;
static sw_plog_rows rows;

/* The example's model beside its profile, and logged rows of made-up values. */
static bool set_up(void) {
    sw_signature *s = &served.signature;
    sw_profile *profile = sw_arena_zalloc(&arena, 1, sizeof *profile);
    sw_str *names;
    size_t count;
    sw_status status = sw_model_open(&served.model, EXAMPLES "linear.onnx", "native", &error);
    if (!sw_failed(status)) {
        served.info = sw_model_get_info(served.model);
        status = sw_signature_from_model(s, served.info, &arena, &error);
    }
    if (!sw_failed(status))
        status = sw_csv_header(&names, &count, EXAMPLES "train.csv", &arena, &error);
    if (!sw_failed(status))
        status = sw_signature_name_columns(s, names, count, &arena, &error);
    if (!sw_failed(status))
        status = sw_profile_from_csv(profile, s, EXAMPLES "train.csv", &arena, &error);
    CHECK_OK(status, error);
    served.profile = profile;
    rows = (sw_plog_rows){.column_count = s->feature_count, .count = ROWS};
    sw_plog_column *columns = sw_arena_zalloc(&arena, rows.column_count, sizeof *columns);
    rows.columns = columns;
    rows.numbers = sw_arena_zalloc(&arena, rows.column_count, sizeof *rows.numbers);
    rows.texts = sw_arena_zalloc(&arena, rows.column_count, sizeof *rows.texts);
    for (uint32_t f = 0; f < s->feature_count; f++) {
        columns[f] = (sw_plog_column){.name = s->features[f].name, .type = SW_PLOG_F32};
        rows.numbers[f] = sw_arena_alloc(&arena, ROWS * sizeof(double));
        double from = profile->columns[f].min, to = profile->columns[f].max;
        for (size_t i = 0; i < ROWS; i++)
            rows.numbers[f][i] = from + (to - from) * (double)(i * 7 % ROWS) / ROWS;
    }
    return !sw_failed(status);
}

static void tear_down(void) {
    sw_model_close(served.model);
    sw_arena_reset(&arena);
    served = (sw_served){0};
}

TEST(influence__is_larger_for_a_column_that_moved_far) {
    double moved = NAN, other = NAN;
    REQUIRE(set_up());
    for (size_t i = 0; i < ROWS; i++)
        rows.numbers[0][i] += 100 * served.profile->columns[0].stddev;
    CHECK_OK(sw_influence_of(&moved, &served, &rows, 0, &error), error);
    CHECK_OK(sw_influence_of(&other, &served, &rows, 1, &error), error);
    CHECK(moved > 0.05 && moved <= 1);
    CHECK(other >= 0 && other < moved);
    tear_down();
}

TEST(influence__says_what_the_log_does_not_keep) {
    double value;
    REQUIRE(set_up());
    sw_plog_column *columns = (sw_plog_column *)rows.columns;
    columns[3].type = SW_PLOG_HASHED;
    CHECK_INT(sw_influence_of(&value, &served, &rows, 0, &error).code, SW_CODE_UNSUPPORTED);
    CHECK_HAS(error.text, "the prediction log does not keep");
    tear_down();
}

TEST_MAIN
