/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to watch a row of 30 float32 features and its two outputs: alone, and 32 at a time.
 * Rows rotate, so that neither branch predictor nor cache knows what comes.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "watch/observe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEATURES = 30, ROWS = 4096, BINS = 64, REPEATS = 15, BATCH = 32 };

static float values[ROWS][FEATURES], scores[ROWS];
static int64_t labels[ROWS];
static uint64_t seed = 7;

static double normal(void) {
    return sqrt(-2 * log(1 - sw_rng_unit(&seed))) * cos(6.283185307179586 * sw_rng_unit(&seed));
}

static double value_of(int feature) {
    switch (feature % 4) {
    case 0: return normal();
    case 1: return exp(3 * normal());
    case 2: return 1000 + floor(40 * sw_rng_unit(&seed));
    default: return sw_rng_unit(&seed) * 1e-3;
    }
}

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Cuts at the quantiles of 6,400 values drawn alike. */
static void make_column(sw_profile_column *column, int feature) {
    static double drawn[FEATURES][BINS * 100], cuts[FEATURES][BINS];
    static uint64_t counts[BINS + 3];
    double *x = drawn[feature];
    for (int i = 0; i < BINS * 100; i++)
        x[i] = value_of(feature);
    qsort(x, BINS * 100, sizeof *x, by_value);
    *column = (sw_profile_column){.kind = SW_FEATURE_NUMERIC,
                                  .min = x[0],
                                  .max = x[BINS * 100 - 1],
                                  .cuts = cuts[feature],
                                  .counts = counts,
                                  .name = SW_STR("x")};
    for (int i = 1; i < BINS; i++)
        if (x[i * 100] > x[0] &&
            (column->cut_count == 0 || x[i * 100] > cuts[feature][column->cut_count - 1]))
            cuts[feature][column->cut_count++] = x[i * 100];
    column->bin_count = column->cut_count + 4;
}

static double ns_per_row(sw_shard *shard, size_t batch) {
    uint64_t best = UINT64_MAX;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t from = sw_clock_ns();
        for (size_t row = 0; row + batch <= ROWS; row += batch) {
            sw_tensor input = {.dtype = SW_FP32,
                               .rank = 2,
                               .shape = {(int64_t)batch, FEATURES},
                               .count = batch * FEATURES,
                               .data = values[row]};
            sw_tensor output[2] = {
                {.dtype = SW_INT64, .rank = 1, .count = batch, .data = &labels[row]},
                {.dtype = SW_FP32, .rank = 1, .count = batch, .data = &scores[row]}};
            sw_observe(shard, &input, output, batch);
        }
        uint64_t took = sw_clock_ns() - from;
        best = took < best ? took : best;
    }
    return (double)best / ROWS;
}

int main(void) {
    static sw_feature features[FEATURES];
    static sw_profile_column columns[FEATURES];
    sw_error error = {{0}};
    for (int i = 0; i < FEATURES; i++) {
        features[i] = (sw_feature){.name = SW_STR("x"), .column = (uint32_t)i};
        make_column(&columns[i], i);
    }
    for (int row = 0; row < ROWS; row++) {
        for (int i = 0; i < FEATURES; i++)
            values[row][i] = (float)value_of(i);
        scores[row] = (float)sw_rng_unit(&seed);
        labels[row] = scores[row] > 0.5F;
    }
    sw_tensor_spec input = {
        .name = SW_STR("input"), .dtype = SW_FP32, .rank = 2, .shape = {-1, FEATURES}};
    sw_tensor_spec outputs[2] = {
        {.name = SW_STR("label"), .dtype = SW_INT64, .rank = 1, .shape = {-1}},
        {.name = SW_STR("score"), .dtype = SW_FP32, .rank = 1, .shape = {-1}}};
    sw_signature signature = {&input, 1, outputs, 2, features, FEATURES};
    sw_profile profile = {6400, columns, FEATURES};
    sw_observer *observer;
    sw_shard *shard;
    if (sw_failed(sw_observer_make(&observer, &signature, &profile, &error)) ||
        sw_failed(sw_shard_make(&shard, observer, &error))) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    double one = ns_per_row(shard, 1), many = ns_per_row(shard, BATCH);
    printf("{\"bench\": \"observe\", \"features\": %d, \"ns_row\": %.1f, \"ns_value\": %.2f, "
           "\"ns_row_of_%d\": %.1f}\n",
           FEATURES, one, one / FEATURES, BATCH, many);
    sw_shard_free(shard);
    sw_observer_free(observer);
    return 0;
}
