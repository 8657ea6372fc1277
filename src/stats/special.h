/* SPDX-License-Identifier: Apache-2.0 */
/*
 * special: the distributions that tests look their p-values up in.
 *
 * Upper tails are computed as such, never as one minus a lower tail, so that a p-value of 1e-200 has
 * as many right digits as one of 0.2; where even a double's range ends there is the logarithm.
 * Relative error is near 1e-13, for the logarithms absolute.
 *
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  incomplete gamma and beta functions: Press et al., "Numerical Recipes", chapter 6 (series
 *          and Lentz's continued fractions); binomial probabilities: C. Loader, "Fast and accurate
 *          computation of binomial probabilities" (2000).
 */
#ifndef SW_STATS_SPECIAL_H
#define SW_STATS_SPECIAL_H

#include <stdint.h>

/* The standard normal distribution. */
double sw_normal_cdf(double x);
double sw_normal_sf(double x);

/* Chi-square with `df` degrees of freedom: P(X >= x). An infinite x has probability 0. */
double sw_chi2_sf(double x, double df);
double sw_chi2_log_sf(double x, double df);

/* Regularised incomplete beta function I_x(a, b); a, b > 0, 0 <= x <= 1, else NaN. */
double sw_beta_i(double a, double b, double x);
/* Student's t: P(|T| >= |t|). */
double sw_student_two_sided(double t, double df);

/* ln of the gamma function; x > 0. (The C library's own writes to a global.) */
double sw_log_gamma(double x);
/* ln of n over k; 0 <= k <= n. */
double sw_log_choose(double n, double k);
/* P(K = k) of n draws with success p, and of n drawn from `white` + `black` without return. */
double sw_binomial_pmf(double k, double n, double p);
double sw_hypergeometric_pmf(double k, double white, double black, double n);

/* K_{1/4}(x) e^{-x}: modified Bessel function of the second kind, for the Cramér–von Mises law. */
double sw_bessel_k_quarter_scaled(double x);

#endif /* SW_STATS_SPECIAL_H */
