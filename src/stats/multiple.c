/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/multiple.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

typedef struct ranked {
    double p;
    size_t index;
} ranked;

static int compare(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->p != y->p ? (x->p > y->p) - (x->p < y->p)
                        : (x->index > y->index) - (x->index < y->index);
}

/* Those that are defined, ascending; NaN is copied through. */
static sw_status rank_all(ranked **out, size_t *tests, double *adjusted, const double *p,
                          size_t count) {
    *tests = 0;
    *out = sw_mem_alloc((count + 1) * sizeof **out);
    if (!*out)
        return (sw_status){SW_CODE_NO_MEMORY};
    for (size_t i = 0; i < count; i++) {
        adjusted[i] = NAN;
        if (!isnan(p[i]))
            (*out)[(*tests)++] = (ranked){p[i], i};
    }
    if (*tests > 1)
        qsort(*out, *tests, sizeof **out, compare);
    return SW_OK;
}

sw_status sw_adjust_benjamini_hochberg(double *adjusted, const double *p, size_t count) {
    ranked *order;
    size_t tests;
    SW_TRY(rank_all(&order, &tests, adjusted, p, count));
    double least = 1;
    for (size_t i = tests; i-- > 0;) {
        least = fmin(least, order[i].p * (double)tests / (double)(i + 1));
        adjusted[order[i].index] = least;
    }
    sw_mem_free(order);
    return SW_OK;
}

sw_status sw_adjust_holm(double *adjusted, const double *p, size_t count) {
    ranked *order;
    size_t tests;
    SW_TRY(rank_all(&order, &tests, adjusted, p, count));
    double most = 0;
    for (size_t i = 0; i < tests; i++) {
        most = fmax(most, fmin(1, order[i].p * (double)(tests - i)));
        adjusted[order[i].index] = most;
    }
    sw_mem_free(order);
    return SW_OK;
}

void sw_adjust_bonferroni(double *adjusted, const double *p, size_t count) {
    size_t tests = 0;
    for (size_t i = 0; i < count; i++)
        tests += isnan(p[i]) ? 0 : 1;
    for (size_t i = 0; i < count; i++)
        adjusted[i] = isnan(p[i]) ? NAN : fmin(1, p[i] * (double)tests);
}
