/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "watch/profile_private.h"

enum { CUTS_MAX = SW_PROFILE_BINS - 1, HELD = 2048, COUNT = 200000 };

static uint64_t seed = 5;
static double values[COUNT], cuts[CUTS_MAX], median;
static uint64_t counts[SW_PROFILE_BINS];

/* The first HELD of the values make the grid, as a gather does, the others come by. */
static uint32_t count_all(sw_grid *grid, uint32_t blocks) {
    static double first[HELD], spare[HELD];
    memcpy(first, values, sizeof first);
    sw_sort_doubles(first, spare, HELD);
    if (!sw_grid_make(grid, first, HELD, blocks))
        abort();
    for (size_t i = HELD; i < COUNT; i += 100)
        if (!sw_grid_add(grid, values + i, COUNT - i < 100 ? COUNT - i : 100))
            abort();
    return sw_grid_cuts(cuts, counts, CUTS_MAX, &median, grid);
}

/* The counts are a plain recount's. Returns the largest share of a bin, in units of an equal one. */
static double recount(uint32_t cut_count) {
    uint64_t wanted[SW_PROFILE_BINS] = {0}, most = 0;
    for (uint32_t i = 1; i < cut_count; i++)
        CHECK(cuts[i - 1] < cuts[i]);
    for (size_t i = 0; i < COUNT; i++) {
        uint32_t bin = 0;
        while (bin < cut_count && values[i] >= cuts[bin])
            bin++;
        wanted[bin]++;
    }
    for (uint32_t i = 0; i <= cut_count; i++) {
        CHECK_INT(counts[i], wanted[i]);
        most = counts[i] > most ? counts[i] : most;
    }
    return (double)most * SW_PROFILE_BINS / COUNT;
}

static void check_even(const char *what, double most, uint32_t blocks) {
    sw_grid grid;
    uint32_t cut_count = count_all(&grid, blocks);
    double share = recount(cut_count);
    if (!(share <= most) || cut_count < 50)
        TEST_FAIL_("%s: %u cuts, the largest bin holds %.2f of an equal share", what, cut_count,
                   share);
    sw_grid_free(&grid);
}

static int by_value(const void *left, const void *right) {
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void fill(double (*one)(void)) {
    for (size_t i = 0; i < COUNT; i++)
        values[i] = one();
}

static double normal(void) {
    return testing_normal(&seed);
}
static double uniform(void) {
    return sw_rng_unit(&seed);
}
static double lognormal(void) {
    return exp(3 * testing_normal(&seed));
}
static double epoch(void) {
    return floor(1.7e9 + 2.6e6 * sw_rng_unit(&seed));
}
static double sentinel(void) {
    return sw_rng_unit(&seed) < 0.01 ? -1e30 : 300 + 5 * testing_normal(&seed);
}

TEST(grid__parts_the_usual_distributions_into_near_equal_bins_exactly_counted) {
    fill(normal);
    check_even("normal", 1.10, 128);
    check_even("normal, little room", 1.35, 48);
    fill(uniform);
    check_even("uniform", 1.10, 128);
    check_even("uniform, little room", 1.35, 48);
    fill(lognormal);
    check_even("lognormal", 1.10, 128);
    fill(epoch);
    check_even("epoch seconds", 1.05, 48);
    fill(sentinel);
    check_even("around 300, and a sentinel", 1.2, 128);
}

TEST(grid__takes_values_in_any_order) {
    fill(normal);
    qsort(values, COUNT, sizeof *values, by_value);
    check_even("normal, growing", 1.2, 128);
    for (size_t i = 0; i < COUNT / 2; i++) {
        double swap = values[i];
        values[i] = values[COUNT - 1 - i];
        values[COUNT - 1 - i] = swap;
    }
    check_even("normal, falling", 1.2, 128);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 1.7e9 + (double)i;
    check_even("seconds, growing", 1.1, 48);
}

TEST(grid__survives_the_whole_range_of_doubles) {
    sw_grid grid;
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t bits = sw_rng_next(&seed);
        memcpy(&values[i], &bits, sizeof bits);
        if (!isfinite(values[i]) || i % 100 == 0)
            values[i] = i % 200 ? -0.0 : 0;
    }
    uint32_t cut_count = count_all(&grid, 48);
    CHECK(grid.block_count <= 48);
    recount(cut_count);
    sw_grid_free(&grid);
}

TEST(grid__keeps_one_very_frequent_value_apart) {
    sw_grid grid;
    fill(normal);
    for (size_t i = 0; i < COUNT; i += 2)
        values[i] = 0;
    uint32_t cut_count = count_all(&grid, 128);
    recount(cut_count);
    uint64_t most = 0;
    for (uint32_t i = 0; i <= cut_count; i++)
        most = counts[i] > most ? counts[i] : most;
    CHECK(most >= COUNT / 2 && most < COUNT / 2 * 1.03);
    CHECK_NEAR(median, 0, 1e-3);
    sw_grid_free(&grid);
}

TEST(grid__finds_the_median_within_a_bucket) {
    sw_grid grid;
    fill(lognormal);
    count_all(&grid, 128);
    qsort(values, COUNT, sizeof *values, by_value);
    CHECK_NEAR(median / values[COUNT / 2], 1, 0.016);
    sw_grid_free(&grid);
}

TEST_MAIN
