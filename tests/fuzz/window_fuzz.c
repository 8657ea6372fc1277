/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stored minute of counts: refused without a trace, or taken and written the same
 * again. */
#include "watch/counts_private.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make(sw_counts *counts) {
    if (sw_failed(sw_counts_make(counts, 40, 2, NULL)))
        abort();
}

static void check_untouched(const sw_counts *counts) {
    uint64_t sum = counts->rows + counts->labels[0].used + counts->labels[1].used +
                   counts->labels[0].others + counts->labels[1].others + counts->labels[0].missing +
                   counts->labels[1].missing;
    for (uint32_t i = 0; i < counts->bin_count; i++)
        sum += counts->bins[i];
    if (sum)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_counts counts, back;
    sw_buf once = {0}, twice = {0};
    make(&counts);
    make(&back);
    if (sw_failed(sw_counts_add_encoded(&counts, (sw_str){(const char *)data, size}, NULL))) {
        check_untouched(&counts);
    } else {
        sw_counts_encode(&once, &counts);
        if (sw_failed(sw_counts_add_encoded(&back, sw_buf_str(&once), NULL)))
            abort();
        sw_counts_encode(&twice, &back);
        if (counts.rows != back.rows || once.len != twice.len)
            abort();
    }
    sw_counts_free(&counts);
    sw_counts_free(&back);
    sw_buf_free(&once);
    sw_buf_free(&twice);
    return 0;
}
