/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "base/rng.h"
#include "stats/ks.h"

enum { SMALL_MAX = 12 };

/* All ways to deal the pooled values out, one by one: what the fast functions must equal. */
static double by_enumeration(const double *pooled, int n, int m, double d) {
    int all = n + m, hits = 0, ways = 0;
    for (unsigned deal = 0; deal < 1u << all; deal++) {
        if (__builtin_popcount(deal) != n)
            continue;
        double a = 0, b = 0, most = 0;
        for (int i = 0; i < all; i++) {
            deal >> i & 1 ? (a += 1. / n) : (b += 1. / m);
            if (i + 1 == all || pooled[i + 1] > pooled[i])
                most = fmax(most, fabs(a - b));
        }
        hits += most >= d - 1e-9;
        ways++;
    }
    return (double)hits / ways;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void check_small(uint64_t *seed, int n, int m, int levels) {
    double a[SMALL_MAX], b[SMALL_MAX], pooled[2 * SMALL_MAX], p;
    for (int i = 0; i < n + m; i++) {
        double value = levels ? floor(sw_rng_unit(seed) * levels) : sw_rng_unit(seed);
        pooled[i] = *(i < n ? &a[i] : &b[i - n]) = value;
    }
    qsort(a, (size_t)n, sizeof *a, compare);
    qsort(b, (size_t)m, sizeof *b, compare);
    qsort(pooled, (size_t)(n + m), sizeof *pooled, compare);
    sw_samples samples = {a, b, (size_t)n, (size_t)m};
    double d = sw_ks_statistic(&samples), want = by_enumeration(pooled, n, m, d);
    CHECK(!sw_failed(sw_ks_tied_p(&p, d, &samples)));
    CHECK_NEAR(p, want, 1e-11);
    CHECK(!sw_failed(sw_ks_p(&p, d, samples.a_count, samples.b_count)));
    /* Where rounding lifts the sum above 1, SciPy turns to the asymptotic law, and so do we. */
    double slack = want > 0.9999 ? 1e-4 : 1e-11;
    if (levels)
        CHECK(p >= want - slack); /* too careful, never too eager */
    else
        CHECK_NEAR(p, want, slack);
}

TEST(ks__equals_the_count_of_all_deals_with_and_without_ties) {
    uint64_t seed = 7;
    for (int n = 1; n <= 8; n++)
        for (int m = 1; m <= 8; m++)
            for (int levels = 0; levels <= 6; levels += 2)
                check_small(&seed, n, m, levels);
}

/* scipy.stats.ks_2samp and kstwo.sf, version 1.10. */
TEST(ks__equals_scipy_far_out_and_near) {
    static const struct {
        double d, n, want;
    } one_sample[] = {{0.05, 100, 0.95321597106357248},      {0.3, 20, 0.043067066658516229},
                      {0.01, 5000, 0.69545572539138534},     {0.004, 200000, 0.0033142128225602551},
                      {0.02, 50000, 8.3558787354204695e-18}, {0.7, 10, 1.9544800000000034e-05}};
    for (size_t i = 0; i < sizeof one_sample / sizeof one_sample[0]; i++) {
        double p;
        CHECK(!sw_failed(sw_ks_one_sample_sf(&p, one_sample[i].d, one_sample[i].n)));
        if (!(fabs(p / one_sample[i].want - 1) < 1e-10))
            TEST_FAIL_("d %g, n %g: %.15g, not %.15g", one_sample[i].d, one_sample[i].n, p,
                       one_sample[i].want);
    }
}

TEST(ks__is_steady_where_one_method_hands_over_to_the_next) {
    for (double n = 20; n < 1e6; n *= 3)
        for (double d = 0.3 / sqrt(n); d < 1; d *= 1.07) {
            double p, q;
            CHECK(!sw_failed(sw_ks_one_sample_sf(&p, d, n)));
            CHECK(!sw_failed(sw_ks_one_sample_sf(&q, d * (1 + 1e-9), n)));
            CHECK(p >= 0 && p <= 1 && q <= p * (1 + 1e-7) &&
                  q >= p * (1 - 1e-4 - 1e-6 * n * d * d));
        }
}

TEST(ks__survives_any_size) {
    double p;
    CHECK(!sw_failed(sw_ks_p(&p, 1, 1, 1)));
    CHECK_NEAR(p, 1, 0);
    CHECK(!sw_failed(sw_ks_p(&p, 1, 1, 1000000)));
    CHECK(p >= 0 && p <= 1);
    CHECK(!sw_failed(sw_ks_p(&p, 1, 10000, 9999)));
    CHECK(p >= 0 && p < 1e-300);
    CHECK(!sw_failed(sw_ks_p(&p, 0.5, 100000000, 100000000)));
    CHECK(p == 0);
}

TEST_MAIN
