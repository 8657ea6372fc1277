/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "stats/special.h"

/* Figures of SciPy 1.10 and, where it has none, of mpmath. */
static void check(const char *what, double got, double want, double relative) {
    if (!(fabs(got - want) <= relative * fabs(want)))
        TEST_FAIL_("%s is %.17g, not %.17g", what, got, want);
}

TEST(normal__has_its_digits_in_the_far_tail) {
    check("sf(3)", sw_normal_sf(3), 0.0013498980316300933, 1e-14);
    check("sf(37)", sw_normal_sf(37), 5.7255712225239266e-300, 1e-12);
}

TEST(chi_square__has_its_digits_in_the_far_tail) {
    check("600, 3", sw_chi2_sf(600, 3), 1.0078435921645548e-129, 1e-12);
    check("2448.1, 475", sw_chi2_sf(2448.110685141617, 475), 2.9581731656743543e-262, 1e-11);
    check("101000, 100000", sw_chi2_sf(101000, 100000), 0.012868840377233648, 1e-12);
    check("log 5000, 3", sw_chi2_log_sf(5000, 3), -2495.9669948169017, 1e-13);
    check("log of 600, 3", sw_chi2_log_sf(600, 3), log(1.0078435921645548e-129), 1e-14);
    CHECK(sw_chi2_sf(0, 3) == 1);
    CHECK(sw_chi2_sf(INFINITY, 3) == 0);
    CHECK(isnan(sw_chi2_sf(1, 0)) && isnan(sw_chi2_sf(-1, 2)) && isnan(sw_chi2_sf(NAN, 2)));
}

TEST(student__agrees_from_one_degree_of_freedom_to_thousands) {
    check("Cauchy", sw_student_two_sided(1, 1), 0.5, 1e-14);
    check("50, 5", sw_student_two_sided(50, 5), 6.047757626601234e-08, 1e-12);
    check("7.7, 3498", sw_student_two_sided(7.7, 3498), 1.7590006620368158e-14, 1e-11);
    CHECK(sw_student_two_sided(0, 9) == 1);
    CHECK(sw_student_two_sided(INFINITY, 9) == 0);
    CHECK(isnan(sw_student_two_sided(NAN, 9)));
}

TEST(incomplete_beta__is_symmetric) {
    check("2, 3, 0.4", sw_beta_i(2, 3, 0.4), 0.5248, 1e-14);
    for (double a = 0.5; a < 2000; a *= 3)
        for (double x = 0.05; x < 1; x += 0.1)
            CHECK_NEAR(sw_beta_i(a, 7, x) + sw_beta_i(7, a, 1 - x), 1, 1e-12);
    CHECK(isnan(sw_beta_i(0, 1, 0.5)) && isnan(sw_beta_i(1, 1, 1.5)));
}

TEST(chances_of_counts__add_up_to_one) {
    for (double n = 1; n < 3000; n *= 5) {
        double binomial = 0, dealt = 0;
        for (double k = 0; k <= n; k++) {
            binomial += sw_binomial_pmf(k, n, 0.3);
            dealt += sw_hypergeometric_pmf(k, n, 2 * n, n);
        }
        CHECK_NEAR(binomial, 1, 1e-12);
        CHECK_NEAR(dealt, 1, 1e-12);
    }
    check("hypergeometric", sw_hypergeometric_pmf(3, 10, 20, 8), 0.3178718333141122, 1e-13);
    check("ln of 1000 over 30", sw_log_choose(1000, 30), 132.13508030722426, 1e-14);
}

TEST_MAIN
