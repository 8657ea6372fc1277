/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quality_cells: steps of time whose quality has been counted, and their sums over windows.
 *
 * A cell is one step of one version, segment of its traffic and setup (their `key`). It remembers
 * the stamp of the log that it was counted from (sw_plog_store_stamp): rows or labels that come
 * later change the stamp, and only those cells are counted anew.
 *
 * A window's sums are kept. When the same window is asked for later on, cells that it has left
 * behind are taken off, new ones are added, and one that is to be counted anew is taken off before.
 * Whenever taking off costs digits, when units change, and once in each length of the window it is
 * summed anew: what comes out is what a recount gives, to the 14th digit.
 *
 * Rows of a sample stand for `weight` rows each. Counts are whole numbers, so a cell has a unit (a
 * power of two, the first row's weight rounded down): a row of weight w counts w / unit times, what
 * is left over carrying on to the next row. Cells of one window are brought to the least unit among
 * them by doubling.
 *
 * Memory:  a cell has 64 KB at most, there are 1,024; a window's sums as much, there are 32.
 * Threads: under the lock of the quality.
 * Layer:   decay.
 */
#ifndef SW_DECAY_QUALITY_CELLS_H
#define SW_DECAY_QUALITY_CELLS_H

#include "base/histogram.h"
#include "decay/decay_private.h"

typedef struct quality_cell {
    uint64_t key, stamp, used;
    int64_t from_ms, to_ms;
    uint64_t logged, labelled;
    double weight, weight_min, weight_max, unit, left_labelled, left_logged;
    uint64_t counted;   /* labelled rows that fitted the task */
    sw_histogram *lags; /* of seconds; NULL: no label */
    sw_quality *sums;   /* NULL: no row that could be counted */
} quality_cell;

/* NULL where memory is out. */
quality_cells *sw_quality_cells_make(void);

/* Finds or makes a cell, which is used from now on until the next sw_quality_cells_begin. */
void sw_quality_cells_begin(quality_cells *cells);
SW_MUST_USE sw_status sw_quality_cells_take(quality_cell **out, quality_cells *cells, uint64_t key,
                                            int64_t from_ms, int64_t to_ms, sw_error *error);
/* Empties it, to be counted of what has the stamp; 0: of nothing yet. */
void sw_quality_cells_reset(quality_cells *cells, quality_cell *cell, uint64_t stamp);

/* What cells of one key that follow each other add up to. `*out` borrows its lags and sums (NULL
 * where the setup has no task) until the next call. */
SW_MUST_USE sw_status sw_quality_cells_sum(quality_cell *out, quality_cells *cells,
                                           quality_cell *const *of, size_t count,
                                           const quality_setup *setup, sw_error *error);

#endif /* SW_DECAY_QUALITY_CELLS_H */
