/* SPDX-License-Identifier: Apache-2.0 */
/* Quantiles out of counts, against those of the values themselves. */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "watch/quantiles_private.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 20000, BINS = 64 };

static double values[ROWS], cuts[BINS - 1];
static uint64_t bins[BINS + 3], seed = 5;
static sw_counted counted = {.kind = SW_COUNTED_FEATURE, .number = true, .feature = true};
static sw_observer observer = {.columns = &counted, .column_count = 1, .feature_count = 1};
static sw_profile_column column = {.cuts = cuts, .cut_count = BINS - 1, .bin_count = BINS + 3};
static sw_moments moments;
static sw_counts counts = {.bins = bins, .moments = &moments, .column_count = 1};

static int by_number(const void *left, const void *right) {
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static double drawn(const char *shape) {
    double normal = testing_normal(&seed);
    return strcmp(shape, "lognormal") == 0     ? exp(4 + 0.9 * normal)
           : strcmp(shape, "left") == 0        ? -exp(2 + normal)
           : strcmp(shape, "exponential") == 0 ? -log(1 - sw_rng_unit(&seed))
           : strcmp(shape, "even") == 0        ? sw_rng_unit(&seed)
                                               : normal;
}

static void draw(const char *shape, double factor) {
    for (int i = 0; i < ROWS; i++)
        values[i] = factor * drawn(shape);
    qsort(values, ROWS, sizeof *values, by_number);
}

/* The profile of what was drawn. */
static void cut(void) {
    for (int i = 1; i < BINS; i++)
        cuts[i - 1] = values[(size_t)i * ROWS / BINS];
    column.min = values[0];
    column.max = values[ROWS - 1];
}

static void count(void) {
    memset(bins, 0, sizeof bins);
    for (int i = 0; i < ROWS; i++) {
        uint32_t bin = SW_BIN_FIRST;
        while (bin - SW_BIN_FIRST < column.cut_count && values[i] >= cuts[bin - SW_BIN_FIRST])
            bin++;
        bin = values[i] < column.min ? SW_BIN_BELOW : values[i] > column.max ? BINS + 2 : bin;
        bins[bin]++;
    }
    moments = (sw_moments){.count = ROWS, .min = values[0], .max = values[ROWS - 1]};
}

static double quantile(double level) {
    return sw_quantile_of(&observer, &column, 0, &counts, level);
}

static void check_all(const char *shape, double tolerance) {
    double spread = values[ROWS * 3 / 4] - values[ROWS / 4], before = -INFINITY;
    for (int i = 0; i < SW_QUANTILES; i++) {
        double level = sw_quantile_levels[i], exact = values[(size_t)(level * ROWS)];
        double got = quantile(level), scale = fabs(exact) > spread ? fabs(exact) : spread;
        if (!(fabs(got - exact) <= tolerance * scale))
            printf("%s: %g is %g, not %g\n", shape, level, got, exact);
        CHECK(fabs(got - exact) <= tolerance * scale);
        CHECK(got >= before && got >= moments.min && got <= moments.max);
        before = got;
    }
}

TEST(quantiles__in_the_outermost_bins_are_near_the_exact_ones) {
    static const char *const shapes[] = {"lognormal", "left", "exponential", "even", "normal"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        draw(shapes[i], 1);
        cut();
        count();
        check_all(shapes[i], 0.03);
    }
}

TEST(quantiles__of_what_reaches_less_far_than_the_reference_or_further) {
    draw("lognormal", 1);
    cut();
    draw("lognormal", 0.7);
    count();
    check_all("lognormal × 0.7", 0.05);
    draw("lognormal", 1.3);
    count();
    check_all("lognormal × 1.3", 0.05);
}

/* All in the last bin, and the bin before has none: nothing to go by but the least and greatest. */
TEST(quantiles__lie_between_the_least_and_the_greatest) {
    draw("lognormal", 1);
    cut();
    for (int i = 0; i < ROWS; i++)
        values[i] = column.max - 1 + (double)i / ROWS;
    count();
    for (int i = 0; i < SW_QUANTILES; i++)
        CHECK_NEAR(quantile(sw_quantile_levels[i]), column.max - 1 + sw_quantile_levels[i], 0.01);
    for (int i = 0; i < ROWS; i++)
        values[i] = column.max - 1;
    count();
    CHECK_NEAR(quantile(0.01), column.max - 1, 0);
    CHECK_NEAR(quantile(0.99), column.max - 1, 0);
}

TEST(quantiles__of_outputs_that_are_all_the_same_are_that) {
    sw_tail_sample sample = {0};
    uint64_t random = 1;
    counted = (sw_counted){.kind = SW_COUNTED_SCORES, .number = true};
    REQUIRE(sw_tails_make(&counts.tails, 1));
    for (int i = 0; i < 1000; i++)
        sw_tail_add(&sample, &random, 0, 0.5);
    sw_tails_take(&counts.tails, &sample);
    moments = (sw_moments){.count = 1000, .min = 0.5, .max = 0.5};
    for (int i = 0; i < SW_QUANTILES; i++)
        CHECK_NEAR(quantile(sw_quantile_levels[i]), 0.5, 0);
    sw_tails_free(&counts.tails);
}

TEST_MAIN
