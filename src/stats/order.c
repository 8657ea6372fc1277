/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "stats/order_private.h"

#include <stdlib.h>

static int by_score(const void *a, const void *b) {
    const sw_scored *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

sw_status sw_scored_sort(sw_scored **out, const double *scores, size_t rows, sw_error *error) {
    sw_scored *sorted = sw_mem_zalloc(rows + 1, sizeof *sorted);
    *out = sorted;
    if (!sorted)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to sort %zu rows by score", rows);
    for (size_t i = 0; i < rows; i++)
        sorted[i] = (sw_scored){scores[i], i};
    qsort(sorted, rows, sizeof *sorted, by_score);
    return SW_OK;
}

void sw_midranks(double *ranks, const sw_scored *sorted, size_t rows) {
    for (size_t begin = 0, end; begin < rows; begin = end) {
        for (end = begin + 1; end < rows && sorted[end].score == sorted[begin].score;)
            end++;
        for (size_t i = begin; i < end; i++)
            ranks[sorted[i].row] = ((double)begin + 1 + (double)end) / 2;
    }
}
