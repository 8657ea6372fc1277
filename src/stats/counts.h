/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts: whether two sets of counts of the same categories come from one distribution.
 *
 * `a` are the reference's counts and `b` the others', category by category; a category may be
 * missing on either side. Workload: up to some hundred thousand categories, most of them rare.
 *
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  K. Pearson (1900); W. G. Cochran (1954) for pooling below an expected count of 5;
 *          R. A. Fisher (1935); W. Bergsma (2013) for the bias of Cramér's V.
 */
#ifndef SW_STATS_COUNTS_H
#define SW_STATS_COUNTS_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sw_two_counts {
    const uint64_t *a, *b;
    size_t count;
} sw_two_counts;

/* Both sums; either may be 0. */
void sw_counts_sums(uint64_t *a, uint64_t *b, const sw_two_counts *counts);

typedef struct sw_chi2 {
    double statistic, df, p, log_p; /* NaN where fewer than two categories occur */
} sw_chi2;

/* Homogeneity: both sides' sampling error counts. Categories that occur nowhere are left out. */
sw_chi2 sw_chi2_homogeneity(const sw_two_counts *counts);
/* Evidently's: the reference's counts × b's size / a's size are taken as exactly true. Infinite,
 * with p 0, where `b` has a category that `a` has not. df is the number of categories - 1. */
sw_chi2 sw_chi2_evidently(const sw_two_counts *counts);

/*
 * Homogeneity fit for rare categories: those whose expected count on either side is below 5 are
 * pooled (by their sum over both sides, so that pooling tells nothing of the difference); what
 * comes down to two categories of which one is still rare is Fisher's exact test. `categories` says
 * what was left; below 2 nothing can be tested and p is NaN.
 */
typedef struct sw_homogeneity {
    double p, statistic, df; /* statistic and df NaN where the test was Fisher's */
    size_t categories;
    uint64_t pooled; /* categories that went into "others" */
} sw_homogeneity;
sw_homogeneity sw_counts_homogeneity(const sw_two_counts *counts);

/* Two proportions x/n, z with the pooled variance, two-sided. The p-value is 2 (1 - Phi(|z|)) as
 * Evidently computes it, 0 from |z| of 8.3 on. NaN where both are 0 or both are 1. */
double sw_two_proportion_z(double x1, double n1, double x2, double n2);
double sw_two_proportion_evidently_p(double z);

/* Fisher's exact test of x1 of n1 against x2 of n2, two-sided: all tables that are no likelier. */
double sw_fisher_exact_p(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2);
/* Two shares of any size: Fisher's where an expected count is below 5, else chi-square. */
double sw_two_shares_p(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2);

/* Bias-corrected, after the larger side is scaled down to the smaller and rounded (deepchecks). */
double sw_cramers_v(const sw_two_counts *counts);

#endif /* SW_STATS_COUNTS_H */
