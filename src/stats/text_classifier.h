/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text_classifier: can texts of two tables be told apart by their words?
 *
 * Half of the rows of each side teach a logistic regression on their words (lower case, two letters
 * or digits and more, common English ones left out), weighted by how rare they are; the other half
 * is asked. This is Evidently's way to judge a text column, with a learner of our own: AUC and
 * decision are close to Evidently's, not the same number. Deterministic for a seed.
 *
 * Workload: up to some ten thousand texts a side.
 *
 * Memory:  all scratch is freed.
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  G. Salton, C. Buckley (1988) for the weights; K. Weinberger et al., "Feature hashing"
 *          (2009).
 */
#ifndef SW_STATS_TEXT_CLASSIFIER_H
#define SW_STATS_TEXT_CLASSIFIER_H

#include "base/status.h"
#include "base/str.h"

typedef struct sw_text_result {
    double auc, z;    /* of the half that was asked; NaN where a side has none */
    size_t tested[2]; /* its rows: reference, current */
} sw_text_result;

/* `current[i]` says which side text i is of. NO_MEMORY alone can fail. */
SW_MUST_USE sw_status sw_text_classify(sw_text_result *out, const sw_str *texts,
                                       const bool *current, size_t rows, uint64_t seed,
                                       sw_error *error);

#endif /* SW_STATS_TEXT_CLASSIFIER_H */
