/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "base/rng.h"
#include "stats/multiple.h"
#include "stats/special.h"

static json_t *section(const char *name) {
    static json_t *expected;
    json_error_t error;
    if (!expected)
        expected = json_load_file("tests/data/drift/expected.json", 0, &error);
    return json_object_get(expected, name);
}

TEST(multiple_testing__is_the_reference_s) {
    json_t *cases = section("multiple_testing"), *p_json = json_object_get(cases, "p");
    double p[16], adjusted[16], alpha = json_number_value(json_object_get(cases, "alpha"));
    size_t count = json_array_size(p_json);
    REQUIRE(count == 10);
    for (size_t i = 0; i < count; i++)
        p[i] = json_number_value(json_array_get(p_json, i));
    sw_adjust_bonferroni(adjusted, p, count);
    for (size_t i = 0; i < count; i++)
        CHECK_INT(adjusted[i] < alpha,
                  json_is_true(json_array_get(json_object_get(cases, "bonferroni"), i)));
    CHECK(!sw_failed(sw_adjust_holm(adjusted, p, count)));
    for (size_t i = 0; i < count; i++)
        CHECK_INT(adjusted[i] < alpha,
                  json_is_true(json_array_get(json_object_get(cases, "holm"), i)));
    CHECK(!sw_failed(sw_adjust_benjamini_hochberg(adjusted, p, count)));
    size_t rejected = 0;
    for (size_t i = 0; i < count; i++)
        rejected += adjusted[i] < alpha;
    CHECK_INT(rejected, json_array_size(json_object_get(cases, "bh_strict_less")));
}

TEST(multiple_testing__leaves_out_what_is_undefined) {
    const double p[] = {NAN, 0.01, NAN, 0.04};
    double adjusted[4];
    CHECK(!sw_failed(sw_adjust_benjamini_hochberg(adjusted, p, 4)));
    CHECK(isnan(adjusted[0]) && isnan(adjusted[2]));
    CHECK_NEAR(adjusted[1], 0.02, 1e-15);
    CHECK_NEAR(adjusted[3], 0.04, 1e-15);
}

TEST(two_proportions__are_the_reference_s) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(section("ab"), "two_proportion_z"), i, one) {
        double z = sw_two_proportion_z(json_number_value(json_object_get(one, "x2")),
                                       json_number_value(json_object_get(one, "n2")),
                                       json_number_value(json_object_get(one, "x1")),
                                       json_number_value(json_object_get(one, "n1")));
        CHECK_NEAR(z, json_number_value(json_object_get(one, "z")), 1e-12);
        CHECK_NEAR(2 * sw_normal_sf(z), json_number_value(json_object_get(one, "p_two_sided")),
                   1e-12);
    }
}

/* scipy.stats.fisher_exact. */
TEST(fisher__is_exact) {
    CHECK_NEAR(sw_fisher_exact_p(8, 10, 1, 6), 0.034965034965034974, 1e-13);
    CHECK_NEAR(sw_fisher_exact_p(0, 100, 4, 100), 0.1212407213733643, 1e-13);
    CHECK_NEAR(sw_fisher_exact_p(5, 50, 5, 50), 1, 1e-12);
    CHECK(sw_fisher_exact_p(0, 5, 0, 5) == 1);
    CHECK(sw_fisher_exact_p(1000000, 2000000, 0, 3000000) < 1e-300);
}

/* Every table of a small margin: the tails must add up as the definition says. */
TEST(fisher__equals_the_sum_over_all_tables) {
    for (uint64_t n1 = 1; n1 <= 12; n1++)
        for (uint64_t n2 = 1; n2 <= 12; n2++)
            for (uint64_t hits = 1; hits < n1 + n2; hits++)
                for (uint64_t x = hits > n2 ? hits - n2 : 0; x <= hits && x <= n1; x++) {
                    double limit = sw_hypergeometric_pmf((double)x, (double)hits,
                                                         (double)(n1 + n2 - hits), (double)n1),
                           sum = 0;
                    for (uint64_t k = 0; k <= n1; k++) {
                        double p = sw_hypergeometric_pmf((double)k, (double)hits,
                                                         (double)(n1 + n2 - hits), (double)n1);
                        sum += p <= limit * (1 + 1e-7) ? p : 0;
                    }
                    CHECK_NEAR(sw_fisher_exact_p(x, n1, hits - x, n2), fmin(1, sum), 1e-11);
                }
}

/* One category is drawn often, the others rarely: where plain chi-square goes wrong. */
static double null_rate(int categories, size_t n, size_t m, int runs, uint64_t seed) {
    uint64_t a[256], b[256];
    int hits = 0;
    for (int run = 0; run < runs; run++) {
        memset(a, 0, sizeof a);
        memset(b, 0, sizeof b);
        for (size_t i = 0; i < n + m; i++) {
            double u = sw_rng_unit(&seed);
            size_t at = (size_t)(u * u * u * categories);
            i < n ? a[at]++ : b[at]++;
        }
        sw_homogeneity test = sw_counts_homogeneity(&(sw_two_counts){a, b, (size_t)categories});
        hits += test.p <= 0.05;
    }
    return (double)hits / runs;
}

TEST(homogeneity__keeps_its_false_alarm_rate_with_rare_categories) {
    static const struct {
        int categories;
        size_t n, m;
    } cases[] = {{3, 40, 30}, {20, 500, 500}, {200, 500, 50}, {200, 3000, 300}, {2, 25, 12}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double rate = null_rate(cases[i].categories, cases[i].n, cases[i].m, 2000, 11 + i);
        if (rate > 0.065) /* 5 % and three standard errors */
            TEST_FAIL_("%d categories, %zu against %zu: %.3f", cases[i].categories, cases[i].n,
                       cases[i].m, rate);
    }
    CHECK(null_rate(20, 500, 500, 2000, 5) > 0.03); /* nor is it asleep */
}

TEST(homogeneity__is_undefined_where_every_category_is_rare) {
    uint64_t a[64], b[64], none[2] = {0, 0};
    for (int i = 0; i < 64; i++) {
        a[i] = (uint64_t)(i % 2);
        b[i] = 1 - a[i];
    }
    CHECK(isnan(sw_counts_homogeneity(&(sw_two_counts){a, b, 64}).p));
    CHECK(isnan(sw_counts_homogeneity(&(sw_two_counts){none, none, 2}).p));
    CHECK(isnan(sw_counts_homogeneity(&(sw_two_counts){none, none, 0}).p));
}

TEST_MAIN
