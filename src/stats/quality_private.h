/* SPDX-License-Identifier: Apache-2.0 */
/* What quality*.c share. */
#ifndef SW_STATS_QUALITY_PRIVATE_H
#define SW_STATS_QUALITY_PRIVATE_H

#include "stats/quality.h"

/* Rows of a bin: negatives and positives of a class, or all rows and their expected positives. */
typedef struct sw_quality_cell {
    uint64_t negatives, positives;
} sw_quality_cell;

typedef struct sw_quality_estimate_cell {
    uint64_t rows;
    sw_sum expected;
} sw_quality_estimate_cell;

struct sw_quality {
    sw_quality_task task;
    uint32_t classes; /* 2 for BINARY, 0 without classes */
    double threshold;
    bool histograms;
    uint64_t rows;
    uint64_t scored;  /* rows that came with a score */
    uint64_t outside; /* scored rows with a score outside of [0, 1] */
    sw_sum log_loss, log_loss_1e15, brier;
    sw_reliability reliability;
    sw_regression_sums regression;
    sw_ranking_sums ranking;
    sw_cbpe_sums estimate;
    uint64_t *matrix;                         /* classes * classes; rows are labels */
    sw_quality_cell *cells;                   /* SW_SCORE_BINS for each histogram */
    sw_quality_estimate_cell *estimate_cells; /* SW_SCORE_BINS; NULL but for BINARY */
    sw_cbpe_class *estimate_classes;          /* `classes`; NULL but for MULTICLASS */
};

static inline size_t sw_quality_histogram_cells(const sw_quality *quality) {
    if (!quality->histograms)
        return 0;
    return (quality->task == SW_QUALITY_BINARY ? 1 : (size_t)quality->classes) * SW_SCORE_BINS;
}

static inline size_t sw_quality_matrix_cells(const sw_quality *quality) {
    return (size_t)quality->classes * quality->classes;
}

#endif /* SW_STATS_QUALITY_PRIVATE_H */
