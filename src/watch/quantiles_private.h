/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantiles: where a column's values lie, from its counts.
 *
 * Within the reference's range a quantile lies in one of the fine bins, and is taken as if values
 * lay evenly in it, or in the outermost two as in a tail; beyond, and for outputs, from the tails
 * (within 1 %). It is never beyond the least and the greatest value.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_QUANTILES_PRIVATE_H
#define SW_WATCH_QUANTILES_PRIVATE_H

#include "watch/counts_private.h"

enum { SW_QUANTILES = 7 };

/* 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99 and what they are called: "p01", … */
extern const double sw_quantile_levels[SW_QUANTILES];
extern const char *const sw_quantile_names[SW_QUANTILES];

/* NaN where the counts do not tell. `column`: of the observer; `profile` NULL where there is none. */
double sw_quantile_of(const sw_observer *observer, const sw_profile_column *profile,
                      uint32_t column, const sw_counts *counts, double level);

/* Of finite values; NaN where there is none. */
double sw_moments_mean(const sw_moments *m, double centre);
double sw_moments_stddev(const sw_moments *m);

#endif /* SW_WATCH_QUANTILES_PRIVATE_H */
