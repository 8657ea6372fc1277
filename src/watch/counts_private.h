/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counts: a version's merged counts over some time, and their compact form.
 *
 * The compact form is what the database keeps of a minute, and memory of the last hour. All
 * numbers are varints (seven bits a byte, lowest first, as in protocol buffers):
 *
 *     byte 1 (the form's version), rows, number of counters, then tokens until each counter has
 *     its value: token t odd: the value t / 2; t even: t / 2 + 1 zeros. Then the number of label
 *     tables, and for each: missing, others, n, and n times (length, bytes, count).
 *
 * A minute of 30 features at a low rate takes some hundred bytes; of 10,000 idle ones, ten.
 *
 * Threads: one at a time for each.
 * Layer:   domain.
 */
#ifndef SW_WATCH_COUNTS_PRIVATE_H
#define SW_WATCH_COUNTS_PRIVATE_H

#include "watch/observe_private.h"

typedef struct sw_counts {
    uint64_t rows;
    uint64_t *bins;
    sw_labels *labels;
    uint32_t bin_count, label_count;
} sw_counts;

/* For the layout of `observer`; NO_MEMORY. */
SW_MUST_USE sw_status sw_counts_make(sw_counts *out, uint32_t bin_count, uint32_t label_count,
                                     sw_error *error);
void sw_counts_free(sw_counts *counts);
void sw_counts_clear(sw_counts *counts);
/* All are of one layout. */
void sw_counts_add(sw_counts *into, const sw_counts *from);
/* Adds a shard's counts and clears the shard. */
void sw_counts_take(sw_counts *into, sw_shard *shard);

void sw_counts_encode(sw_buf *out, const sw_counts *counts);
/* INVALID where `bytes` are damaged or of another layout; then nothing was added. */
SW_MUST_USE sw_status sw_counts_add_encoded(sw_counts *into, sw_str bytes, sw_error *error);

#endif /* SW_WATCH_COUNTS_PRIVATE_H */
