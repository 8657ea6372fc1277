/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain_classifier: can rows of two tables be told apart?
 *
 * A small model learns which side a row is from and is asked about rows it has not seen. An AUC of
 * 0.5 is a coin; what is above shows drift that no single column need show (columns that moved
 * against each other, or were swapped). Which columns the model split on says where.
 *
 * Gradient-boosted trees of depth 3 on at most 32 bins a column. Missing values have a bin of their
 * own; categories are ordered by what they say within a node. Rows are dealt into five parts; a
 * model that learned from the parts before says which side a part's rows are from, four times. Given
 * the parts before, a part's labels are exchangeable, so Mann–Whitney's z of each has its law
 * whatever the trees learned, and the four may be summed: the false-alarm rate is what p says. (In
 * plain cross-validation each part also teaches the others, and the sum varies by a third more.)
 * Deterministic for a seed.
 *
 * Workload: some thousand rows by up to a thousand columns, in about a second.
 *
 * Memory:  all scratch is freed; outputs are the caller's.
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  A. P. Dawid, "Prequential analysis" (1984); D. Lopez-Paz, M. Oquab, "Revisiting
 *          classifier two-sample tests" (2017); J. Friedman, "Greedy function approximation"
 *          (2001); histograms as in LightGBM (G. Ke et al., 2017).
 */
#ifndef SW_STATS_DOMAIN_CLASSIFIER_H
#define SW_STATS_DOMAIN_CLASSIFIER_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SW_DOMAIN_ROWS_MIN = 50 }; /* on each side */

typedef struct sw_domain_column {
    const double *values; /* one for each row; NaN: missing; of a category: its code, from 0 */
    bool category;
} sw_domain_column;

typedef struct sw_domain_result {
    bool defined;
    const char *reason; /* why not; static */
    double auc;         /* mean over the four parts; NaN where undefined */
    double z, p;        /* one-sided: that the sides can be told apart */
} sw_domain_result;

/*
 * `current[i]` says whether row i is of the current side. `importance` (may be NULL): one for each
 * column, adding up to 1, or all 0 where nothing was learned. Undefined below SW_DOMAIN_ROWS_MIN
 * rows on a side or without columns. NO_MEMORY alone can fail.
 */
SW_MUST_USE sw_status sw_domain_classify(sw_domain_result *out, double *importance,
                                         const sw_domain_column *columns, size_t column_count,
                                         const bool *current, size_t rows, uint64_t seed,
                                         sw_error *error);

/* AUC of scores with ties at half, and the z of its distance from 0.5 (ties corrected); NaN where a
 * side is empty. */
SW_MUST_USE sw_status sw_domain_auc(double *auc, double *z, const double *scores,
                                    const bool *current, size_t rows, sw_error *error);

#endif /* SW_STATS_DOMAIN_CLASSIFIER_H */
