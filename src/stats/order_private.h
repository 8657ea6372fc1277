/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order: rows by their score, equal scores in the order of the rows.
 *
 * Memory:  sw_mem_free what sw_scored_sort gives.
 * Threads: any; no state.
 * Layer:   stats.
 */
#ifndef SW_STATS_ORDER_PRIVATE_H
#define SW_STATS_ORDER_PRIVATE_H

#include "base/status.h"

#include <stddef.h>

typedef struct sw_scored {
    double score;
    size_t row;
} sw_scored;

/* Rising; one element without rows. Scores must not be NaN. */
SW_MUST_USE sw_status sw_scored_sort(sw_scored **out, const double *scores, size_t rows,
                                     sw_error *error);
/* Ranks from 1, equal values getting the mean of theirs; `ranks` takes one for each row. */
void sw_midranks(double *ranks, const sw_scored *sorted, size_t rows);

#endif /* SW_STATS_ORDER_PRIVATE_H */
