/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cbpe: how good a classifier probably is, before any label has come.
 *
 * Confidence-based performance estimation: a score that is a calibrated probability p says by
 * itself how often its decision is right. A decision of yes adds p to the true and 1 - p to the
 * false positives; summed over a window that is the expected confusion matrix. Of more classes
 * each is taken against all others, its probability being its share of the row's scores. It sees
 * a change of the inputs, never one of what the inputs mean: only labels show that.
 *
 * Memory:  plain data, or the caller's.
 * Threads: any; no state.
 * Layer:   stats. Source: NannyML's documentation of CBPE, and its function names for the figures.
 */
#ifndef SW_STATS_CBPE_H
#define SW_STATS_CBPE_H

#include "base/status.h"
#include "stats/calibration.h"
#include "stats/metrics.h"
#include "stats/sum.h"

#include <stdbool.h>
#include <stddef.h>

/* Windows of them add up. */
typedef struct sw_cbpe_sums {
    uint64_t rows;
    sw_sum tp, fp, fn, tn;
} sw_cbpe_sums;

/* `probability`: of the positive class, calibrated; `decided`: by the model's own score. */
void sw_cbpe_add(sw_cbpe_sums *to, double probability, bool decided);
void sw_cbpe_merge(sw_cbpe_sums *to, const sw_cbpe_sums *from);
/* False as of sw_sum_subtract. */
bool sw_cbpe_subtract(sw_cbpe_sums *from, const sw_cbpe_sums *part);
/* tp, fp, fn, tn, accuracy, precision, recall, specificity, f1; undefined where their bottom is
 * 0. */
void sw_cbpe_sums_metrics(sw_metrics *out, const sw_cbpe_sums *sums);

/*
 * The above and roc_auc, from the rows. `map` calibrates the scores (NULL: taken as they are);
 * the decision and the order are by the model's own score. roc_auc rounds cumulated counts to
 * 1e-5, as NannyML does: without that the figures part at the ninth digit. NO_MEMORY is the only
 * failure. Scores must be in [0, 1].
 */
SW_MUST_USE sw_status sw_cbpe_metrics(sw_metrics *out, const double *scores, size_t rows,
                                      double threshold, const sw_isotonic *map, sw_error *error);

/* ---- More than two classes ---- */

/* One class's sums; windows of them add up. */
typedef struct sw_cbpe_class {
    uint64_t decided;
    sw_sum expected, right; /* rows of this class; those of them that are decided as it */
} sw_cbpe_class;

/* `scores` are 0 or more, one for each class, and shared out to add up to 1 (all 0: evenly). */
void sw_cbpe_classes_add(sw_cbpe_class *to, uint32_t classes, const double *scores,
                         uint32_t decided);
void sw_cbpe_classes_merge(sw_cbpe_class *to, const sw_cbpe_class *from, uint32_t classes);
/* False as of sw_sum_subtract. */
bool sw_cbpe_classes_subtract(sw_cbpe_class *from, const sw_cbpe_class *part, uint32_t classes);
/* accuracy, macro_precision, macro_recall, macro_f1 (0 where a class's bottom is 0, as the realised
 * ones have it); undefined without rows. */
void sw_cbpe_classes_metrics(sw_metrics *out, const sw_cbpe_class *sums, uint32_t classes);

/*
 * The above and roc_auc_ovr_macro, from the rows: `scores` is row-major, `classes` to a row, in
 * [0, 1]. `maps`, one for each class, calibrate (NULL: none; a map without knots leaves as it is).
 * NO_MEMORY is the only failure.
 */
SW_MUST_USE sw_status sw_cbpe_multiclass_metrics(sw_metrics *out, const double *scores, size_t rows,
                                                 uint32_t classes, const sw_isotonic *maps,
                                                 sw_error *error);

#endif /* SW_STATS_CBPE_H */
