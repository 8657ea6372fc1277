/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as stored counts: refused without a trace, or taken and written the same again; and so
 * where their own layout is followed. */
#include "watch/counts_private.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS = 3 };

static void make(sw_counts *counts) {
    /* No columns are read: a plan of the same dimensions, without a model. */
    static const sw_observer layout = {.counter_count = 40,
                                       .label_count = 2,
                                       .output_label_count = 1,
                                       .column_count = COLUMNS,
                                       .distinct = true};
    if (sw_failed(sw_counts_make_for(counts, &layout, false, NULL)))
        abort();
}

static void check_untouched(const sw_counts *counts) {
    uint64_t sum = counts->rows + counts->labels[0].used + counts->labels[1].used +
                   counts->labels[0].others + counts->labels[1].others + counts->labels[0].missing +
                   counts->labels[1].missing + counts->tails.count;
    for (uint32_t i = 0; i < counts->bin_count; i++)
        sum += counts->bins[i];
    for (uint32_t i = 0; i < COLUMNS; i++)
        sum += counts->moments[i].count + counts->distinct[i].at[i] + counts->mismatches[i];
    if (sum)
        abort();
}

/* What was read is written, and read and written again: the same bytes. */
static void check_again(const sw_counts *counts, sw_counts *back) {
    sw_buf once = {0}, twice = {0};
    sw_counts_encode(&once, counts);
    if (sw_failed(sw_counts_add_encoded(back, sw_buf_str(&once), NULL)))
        abort();
    sw_counts_encode(&twice, back);
    if (counts->rows != back->rows || once.len != twice.len ||
        counts->mismatched != back->mismatched)
        abort();
    sw_buf_free(&once);
    sw_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_counts counts, back;
    sw_str bytes = {(const char *)data, size};
    make(&counts);
    make(&back);
    if (sw_failed(sw_counts_add_encoded(&counts, bytes, NULL)))
        check_untouched(&counts);
    else
        check_again(&counts, &back);
    sw_counts_free(&counts);
    sw_counts_free(&back);
    if (sw_failed(sw_counts_decode(&counts, bytes, NULL)))
        return 0;
    if (sw_failed(sw_counts_make_like(&back, &counts, NULL)))
        abort();
    check_again(&counts, &back);
    sw_counts_free(&counts);
    sw_counts_free(&back);
    return 0;
}
