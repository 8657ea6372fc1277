/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the files that compare two tables.
 *
 * Memory:  sw_prepared_free what sw_prepare filled.
 * Threads: one at a time.
 * Layer:   watch.
 */
#ifndef SW_WATCH_COMPARE_PRIVATE_H
#define SW_WATCH_COMPARE_PRIVATE_H

#include "stats/counts.h"
#include "stats/samples.h"
#include "watch/compare.h"

/* Both sides of a column, fit for tests. */
typedef struct sw_prepared {
    sw_compared_kind kind;
    sw_samples samples;   /* NUMBER: finite, sorted */
    sw_two_counts counts; /* CATEGORY: in the order of their names */
    const sw_str *labels; /* CATEGORY of words */
    const double *levels; /* CATEGORY of numbers */
    uint64_t used[2];     /* usable values: reference, current */
    uint64_t unfit[2];    /* words where the other side has numbers */
    bool mixed;           /* numbers on one side and words on the other */
    void *blocks[6];
} sw_prepared;

/* `current` may not be NULL. */
SW_MUST_USE sw_status sw_prepare(sw_prepared *out, const sw_column *reference,
                                 const sw_column *current, const uint64_t rows[2], bool as_category,
                                 sw_error *error);
void sw_prepared_free(sw_prepared *prepared);

/* Signals, effects and the reason of our own way, without the correction. */
SW_MUST_USE sw_status sw_compare_own(sw_compared *out, const sw_prepared *prepared,
                                     const sw_compare_options *options, sw_arena *arena,
                                     sw_error *error);
/* PSI and its kin over up to ten bins of the pooled values; the bins to draw; medians. */
SW_MUST_USE sw_status sw_compare_effects(sw_compared *out, const sw_prepared *prepared,
                                         sw_error *error);
SW_MUST_USE sw_status sw_compare_draw(sw_compared *out, const sw_prepared *prepared,
                                      sw_arena *arena, sw_error *error);

/* A column of free text, by either way. */
SW_MUST_USE sw_status sw_compare_text(sw_compared *out, const sw_column *reference,
                                      const sw_column *current, const uint64_t rows[2],
                                      const sw_compare_options *options, sw_error *error);
/* The shares of missing values, as a signal. */
void sw_compare_missing(sw_compared *out);

#endif /* SW_WATCH_COMPARE_PRIVATE_H */
