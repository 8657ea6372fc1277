/* SPDX-License-Identifier: Apache-2.0 */
/*
 * two_sample: how far apart two samples of numbers are, and how likely by chance.
 *
 * Every figure is one walk over both sorted samples and agrees with SciPy's function of the same
 * name, edge cases included: a p-value that does not exist (no spread on either side) is NaN.
 * Neither sample may be empty unless a line says so. Kolmogorov–Smirnov is in ks.h.
 *
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  T. W. Anderson (1962) and S. Csörgő, J. Faraway (1996) for Cramér–von Mises; H. B. Mann,
 *          D. R. Whitney (1947) with the correction for ties and continuity.
 */
#ifndef SW_STATS_TWO_SAMPLE_H
#define SW_STATS_TWO_SAMPLE_H

#include "base/status.h"
#include "stats/samples.h"

/* The first Wasserstein distance (earth mover's), in the values' own unit. */
double sw_wasserstein(const sw_samples *samples);
/* Over the reference's population standard deviation, which counts as 0.001 at least. */
double sw_wasserstein_normed(const sw_samples *samples);
/* Over the range of both samples together: 0 … 1; 0 where the range is. */
double sw_wasserstein_of_range(const sw_samples *samples);
double sw_energy_distance(const sw_samples *samples);

/* Student's t with the pooled variance, two-sided. */
double sw_t_test_p(const sw_samples *samples);

/* Mann–Whitney's U: that `a` tends to be less than `b`, or that either does. Exact where a sample
 * has at most 8 values and none is tied. */
SW_MUST_USE sw_status sw_mann_whitney_p(double *less, double *two_sided, const sw_samples *samples);

/* Cramér–von Mises; both NaN below two values on a side. `exact`: by counting all ways to deal the
 * values, up to 20 on each side (SciPy's and Evidently's way); else the limiting law. */
SW_MUST_USE sw_status sw_cramer_von_mises(double *statistic, double *p, const sw_samples *samples,
                                          bool exact);

#endif /* SW_STATS_TWO_SAMPLE_H */
