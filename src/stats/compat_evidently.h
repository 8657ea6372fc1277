/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compat_evidently: Evidently's choice of test, its score and its decision, number for number.
 *
 * For whoever moves over with thresholds that are known to work. These defaults ignore the
 * reference's own sampling error and do not correct for the number of columns; our own do (see
 * watch/compare.h).
 *
 * Missing values and infinities are dropped by the caller. What Evidently refuses with an exception
 * or answers with NaN is undefined here, with a reason.
 *
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  Evidently 0.4's documented defaults; tests/data/drift has figures of its own functions.
 */
#ifndef SW_STATS_COMPAT_EVIDENTLY_H
#define SW_STATS_COMPAT_EVIDENTLY_H

#include "base/status.h"
#include "stats/counts.h"
#include "stats/samples.h"

#include <stdbool.h>

typedef struct sw_evidently {
    const char *test; /* Evidently's name: "ks", "chisquare", "wasserstein", …; static */
    double score;     /* a p-value or a distance; NaN where undefined */
    double threshold;
    bool defined, drift;
    const char *reason; /* why it is undefined; static */
} sw_evidently;

/* "ks", "chisquare", … by name; false where there is none. `known` (may be NULL) lists them all. */
bool sw_evidently_knows(const char *test, const char **known);

/* `test` NULL: Evidently's choice. `threshold` NaN: the test's own. A sample may be empty. */
SW_MUST_USE sw_status sw_evidently_numbers(sw_evidently *out, const sw_samples *samples,
                                           const char *test, double threshold, sw_error *error);
/* Categories in the order of their names. */
SW_MUST_USE sw_status sw_evidently_categories(sw_evidently *out, const sw_two_counts *counts,
                                              const char *test, double threshold, sw_error *error);

/* A text column by the AUC of a classifier that tells reference from current: above 0.55 for more
 * than 1,000 reference rows, else above the 95th percentile of 1,000 random AUCs over as many rows.
 * `a_tested` and `b_tested` rows were scored. */
sw_evidently sw_evidently_text(double auc, size_t reference_rows, size_t a_tested, size_t b_tested);

#endif /* SW_STATS_COMPAT_EVIDENTLY_H */
