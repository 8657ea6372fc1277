/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts: what was counted over some time, and its compact form.
 *
 * Bins, moments, distinct values and tails of every column and tables of labels, in the layout of
 * an observer. All of it adds up: over loops, minutes, replicas and restarts, in any order.
 *
 * The compact form is what the database keeps of a minute, and memory of the last hour, in numbers
 * and doubles of base/varint.h:
 *
 *     byte 3, or 2 where no row was refused (the form's version), rows, number of counters, then
 *     tokens until each counter has its value: token t odd: the value t / 2; t even: t / 2 + 1
 *     zeros. Then the number of label tables, and for each: missing, others, n, and n times
 *     (length, bytes, count). Then the number of columns, or 0 where they are not kept, and for
 *     each: the count of its moments, and, where that is not 0, sum, squares, min and max; the way
 *     of its registers (0: all are 0; 1: n and n times (registers that are 0 before it, register);
 *     2: a byte b and a half byte h for each, the register is b + h, or if h is 15, what follows
 *     behind them all) and they themselves. Then the number of tails, and for each: columns since
 *     the one before, the column's level where that is not 0 or it is the first, code, count. Of
 *     form 3 then how many columns have refused rows, and for each: columns that have none before
 *     it, refused rows.
 *
 * Form 1 of older programs ends behind the label tables, of which it has those of the outputs.
 *
 * A minute of 30 features at a low rate takes some hundred bytes, at a high one 13 KB; of 10,000
 * idle ones, fifteen bytes.
 *
 * Threads: one at a time for each.
 * Layer:   watch.
 */
#ifndef SW_WATCH_COUNTS_PRIVATE_H
#define SW_WATCH_COUNTS_PRIVATE_H

#include "watch/observe_private.h"

typedef struct sw_counts {
    uint64_t rows;
    uint64_t *bins;
    sw_labels *labels;
    sw_moments *moments;   /* one for each column */
    sw_distinct *distinct; /* one for each column; NULL: not kept */
    sw_tails tails;
    uint64_t *mismatches; /* rows refused for a column's type; NULL: not kept */
    bool mismatched;      /* any */
    uint32_t bin_count, label_count, column_count;
} sw_counts;

/* Bins and labels alone, which can be subtracted again; NO_MEMORY. */
SW_MUST_USE sw_status sw_counts_make(sw_counts *out, uint32_t bin_count, uint32_t label_count,
                                     sw_error *error);
/* The layout of all rows, or of a segment's: which has no distinct values, tails and refused rows,
 * and the tables of outputs alone. */
SW_MUST_USE sw_status sw_counts_make_for(sw_counts *out, const sw_observer *observer, bool segment,
                                         sw_error *error);
/* The layout of `like`, empty. */
SW_MUST_USE sw_status sw_counts_make_like(sw_counts *out, const sw_counts *like, sw_error *error);
void sw_counts_free(sw_counts *counts);
void sw_counts_clear(sw_counts *counts);
bool sw_counts_empty(const sw_counts *counts);
/* `from` may lack what is behind its bins, or some tables. */
void sw_counts_add(sw_counts *into, const sw_counts *from);
/* Of bins and labels alone: takes off what had been added. `into` is exact. */
void sw_counts_subtract(sw_counts *into, const sw_counts *from);
/* No table of labels has let rare values go: it is the same in whatever order it was filled. */
bool sw_counts_exact(const sw_counts *counts);
/* Adds a cell of a shard and clears it. */
void sw_counts_take(sw_counts *into, sw_shard *shard, uint32_t index);

void sw_counts_encode(sw_buf *out, const sw_counts *counts);
/* INVALID where `bytes` are damaged or of another layout; then nothing was added. What `into` does
 * not keep is left out. */
SW_MUST_USE sw_status sw_counts_add_encoded(sw_counts *into, sw_str bytes, sw_error *error);
/* Made as the bytes say. INVALID where they are damaged. */
SW_MUST_USE sw_status sw_counts_decode(sw_counts *out, sw_str bytes, sw_error *error);

#endif /* SW_WATCH_COUNTS_PRIVATE_H */
