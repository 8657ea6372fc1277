/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ks: the Kolmogorov–Smirnov test of two samples.
 *
 * sw_ks_p does what SciPy 1.10's ks_2samp does by itself: exact where both sizes are at most 10,000
 * and the sum stays finite, else the one-sample law at the rounded effective size. It takes all
 * values to be different, which makes it too careful (never too eager) where many are tied;
 * sw_ks_tied_p counts only the paths that the ties allow.
 *
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  J. L. Hodges, "The significance probability of the Smirnov two-sample test" (1958);
 *          T. Viehmann, arXiv:2102.08037 (2021); R. Simard, P. L'Ecuyer, "Computing the two-sided
 *          Kolmogorov–Smirnov distribution" (2011); G. Marsaglia et al. (2003); W. Pelz,
 *          I. J. Good (1976); G. Schröer, D. Trenkler (1995) for ties.
 */
#ifndef SW_STATS_KS_H
#define SW_STATS_KS_H

#include "base/status.h"
#include "stats/samples.h"

/* The greatest distance of the two empirical distributions. Neither sample may be empty. */
double sw_ks_statistic(const sw_samples *samples);

/* P(D >= d) for samples of these sizes; NO_MEMORY alone can fail. */
SW_MUST_USE sw_status sw_ks_p(double *p, double d, size_t a_count, size_t b_count);
/* The same from the asymptotic law. */
SW_MUST_USE sw_status sw_ks_asymptotic_p(double *p, double d, size_t a_count, size_t b_count);

/*
 * Given the pooled values with their ties, P(D >= d) over all ways to deal them out: exact while
 * that costs at most some ten million steps, else as sw_ks_p (which never is too small).
 */
SW_MUST_USE sw_status sw_ks_tied_p(double *p, double d, const sw_samples *samples);

/* P(D_n >= d) for one sample of n against a continuous law. */
SW_MUST_USE sw_status sw_ks_one_sample_sf(double *p, double d, double n);

#endif /* SW_STATS_KS_H */
