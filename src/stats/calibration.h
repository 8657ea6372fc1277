/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibration: does a score of 0.7 mean 70 %? And the map that makes it so.
 *
 * Reliability bins hold rows, the mean score and the share of positives. Equal width: ten bins of
 * [0, 1], a score on an edge belongs to the bin above. Equal count: rows sorted by score (equal
 * scores in the order given) and cut at every floor(rows / bins)-th, the remainder going to the
 * last; below 2 * bins + 1 rows there are rows / 2 bins (NannyML's rule).
 *
 * The calibrating map is isotonic regression: the non-decreasing step fit of least squares,
 * linear between the knots and flat outside of them, as scikit-learn's predicts.
 *
 * Memory:  an sw_isotonic owns its knots: sw_isotonic_free.
 * Threads: any; a fitted map is immutable.
 * Layer:   stats. Source: R. E. Barlow et al., "Statistical Inference under Order Restrictions"
 *          (1972): pool adjacent violators.
 */
#ifndef SW_STATS_CALIBRATION_H
#define SW_STATS_CALIBRATION_H

#include "base/status.h"
#include "stats/sum.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SW_RELIABILITY_BINS = 10 };

/* Plain counts and sums: windows of them add up. */
typedef struct sw_reliability_bin {
    uint64_t rows, positives;
    sw_sum scores;
} sw_reliability_bin;

typedef struct sw_reliability {
    sw_reliability_bin bins[SW_RELIABILITY_BINS]; /* equal width */
} sw_reliability;

/* The bin of a score in [0, 1]. */
static inline unsigned sw_reliability_bin_of(double score) {
    unsigned bin = (unsigned)(score * SW_RELIABILITY_BINS);
    return bin < SW_RELIABILITY_BINS ? bin : SW_RELIABILITY_BINS - 1;
}

static inline void sw_reliability_add(sw_reliability *to, double score, uint8_t label) {
    sw_reliability_bin *bin = &to->bins[sw_reliability_bin_of(score)];
    bin->rows++;
    bin->positives += label;
    sw_sum_add(&bin->scores, score);
}

/* Mean and greatest gap between score and share of positives; NaN without rows. */
void sw_reliability_errors(double *ece, double *mce, const sw_reliability *reliability);

/* The mean gap over bins of equal count. NaN below 4 rows. */
struct sw_scored;
double sw_ece_equal_count(const struct sw_scored *sorted, const uint8_t *labels, size_t rows,
                          unsigned bins);

typedef struct sw_isotonic {
    double *at, *value; /* knots, both rising */
    size_t knots;
} sw_isotonic;

SW_MUST_USE sw_status sw_isotonic_fit(sw_isotonic *out, const double *scores, const uint8_t *labels,
                                      size_t rows, sw_error *error);
double sw_isotonic_value(const sw_isotonic *map, double score);
void sw_isotonic_free(sw_isotonic *map);

/*
 * Whether the map would have helped: fits it on nine tenths of the rows and measures the
 * equal-count ECE on the tenth, ten times around (every tenth row of each class, in the order
 * given); true where the pooled error falls. False with one class alone, and where the scores
 * part the classes all but perfectly (ROC AUC above 0.999).
 */
SW_MUST_USE sw_status sw_isotonic_helps(bool *out, const double *scores, const uint8_t *labels,
                                        size_t rows, sw_error *error);

#endif /* SW_STATS_CALIBRATION_H */
