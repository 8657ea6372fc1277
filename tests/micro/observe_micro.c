/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to watch a row of 30 float32 features and its two outputs: alone, 32 in one request,
 * and 32 requests of a row that came in one turn; and without a profile. The totals are merged once
 * in 4,096 rows, as a loop does once a second.
 * Rows rotate, so that neither branch predictor nor cache knows what comes.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "watch/counts_private.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FEATURES = 30, ROWS = 4096, BINS = 64, REPEATS = 60, BATCH = 32 };

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

/* `batch` rows a request, `turn` requests at once. */
static double ns_per_row(sw_shard *shard, sw_counts *counts, size_t batch, size_t turn) {
    uint64_t best = UINT64_MAX;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        uint64_t from = sw_clock_ns();
        for (size_t row = 0; row + batch * turn <= ROWS;) {
            sw_tensor inputs[BATCH], outputs[BATCH][2];
            sw_observed requests[BATCH];
            for (size_t i = 0; i < turn; i++, row += batch) {
                inputs[i] = (sw_tensor){.dtype = SW_FP32,
                                        .rank = 2,
                                        .shape = {(int64_t)batch, FEATURES},
                                        .count = batch * FEATURES,
                                        .data = values[row]};
                outputs[i][0] =
                    (sw_tensor){.dtype = SW_INT64, .rank = 1, .count = batch, .data = &labels[row]};
                outputs[i][1] =
                    (sw_tensor){.dtype = SW_FP32, .rank = 1, .count = batch, .data = &scores[row]};
                requests[i] = (sw_observed){&inputs[i], outputs[i], batch};
            }
            sw_observe_many(shard, requests, turn);
        }
        uint64_t took = sw_clock_ns() - from;
        best = took < best ? took : best;
        sw_counts_take(counts, shard, 0);
    }
    return (double)best / ROWS;
}

typedef struct costs {
    double one, batch, turn;
} costs;

static bool measure(costs *out, const sw_signature *signature, const sw_profile *profile) {
    sw_error error = {{0}};
    sw_observer *observer = NULL;
    sw_shard *shard = NULL;
    sw_counts counts = {0};
    bool good = !sw_failed(sw_observer_make(&observer, signature, profile, NULL, &error)) &&
                !sw_failed(sw_shard_make(&shard, observer, &error)) &&
                !sw_failed(sw_counts_make_for(&counts, observer, false, &error));
    if (good)
        *out = (costs){ns_per_row(shard, &counts, 1, 1), ns_per_row(shard, &counts, BATCH, 1),
                       ns_per_row(shard, &counts, 1, BATCH)};
    else
        fprintf(stderr, "%s\n", error.text);
    sw_counts_free(&counts);
    sw_shard_free(shard);
    sw_observer_free(observer);
    return good;
}

int main(void) {
    static sw_feature features[FEATURES];
    static sw_profile_column columns[FEATURES];
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
    sw_profile profile = {.rows = 6400, .columns = columns, .column_count = FEATURES};
    costs watched, bare;
    if (!measure(&watched, &signature, &profile) || !measure(&bare, &signature, NULL))
        return 1;
    printf("{\"bench\": \"observe\", \"features\": %d, \"ns_row\": %.1f, \"ns_value\": %.2f, "
           "\"ns_row_of_%d\": %.1f, \"ns_row_of_%d_requests\": %.1f, \"ns_row_bare\": %.1f, "
           "\"ns_row_bare_of_%d\": %.1f}\n",
           FEATURES, watched.one, watched.one / FEATURES, BATCH, watched.batch, BATCH, watched.turn,
           bare.one, BATCH, bare.batch);
    return 0;
}
