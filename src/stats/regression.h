/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regression: how far predictions are from what came true, exactly, from the rows.
 *
 * mean_error is prediction minus label: above 0 the model says too much. mape divides by
 * max(|label|, 2^-52) (scikit-learn). r2 of a constant label is 1 for a perfect prediction, else
 * 0 (scikit-learn). msle is undefined where a label or prediction is below 0; spearman (Pearson's
 * r of midranks) where either side is constant.
 *
 * Memory:  four words a row for the time of a call.
 * Threads: any; no state.
 * Layer:   stats.
 */
#ifndef SW_STATS_REGRESSION_H
#define SW_STATS_REGRESSION_H

#include "base/status.h"
#include "stats/metrics.h"
#include "stats/sum.h"

#include <stddef.h>
#include <stdint.h>

/* mean_error, mae, mse, rmse, mape, r2, msle, max_error, median_abs_error, pinball_0.9, spearman.
 * Values must be finite. NO_MEMORY is the only failure. */
SW_MUST_USE sw_status sw_regression_metrics(sw_metrics *out, const double *labels,
                                            const double *predictions, size_t rows,
                                            sw_error *error);

/* What adds up over windows: all of the above but median_abs_error, max_error and spearman. */
typedef struct sw_regression_sums {
    uint64_t rows, negatives; /* rows with a label or prediction below 0 */
    sw_sum error, absolute, squared, relative, log_squared, pinball, labels, labels_squared;
} sw_regression_sums;
void sw_regression_add(sw_regression_sums *to, double label, double prediction);
void sw_regression_merge(sw_regression_sums *to, const sw_regression_sums *from);
/* False as of sw_sum_subtract. */
bool sw_regression_subtract(sw_regression_sums *from, const sw_regression_sums *part);
void sw_regression_sums_metrics(sw_metrics *out, const sw_regression_sums *sums);

#endif /* SW_STATS_REGRESSION_H */
