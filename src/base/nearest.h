/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nearest: which of many names was probably meant.
 *
 *     sw_nearest_begin(&nearest, wanted);
 *     for (each name)
 *         sw_nearest_offer(&nearest, name);
 *     if (nearest.best[0])
 *         "did you mean …"
 *
 * Threads: one at a time for each.
 * Layer:   base.
 */
#ifndef SW_BASE_NEAREST_H
#define SW_BASE_NEAREST_H

#include "base/str.h"

enum { SW_NEAREST_BYTES = 128 }; /* a longer name is near to none */

/* The nearest of the names that were offered, if it is near enough to be meant. */
typedef struct sw_nearest {
    sw_str wanted;
    char best[SW_NEAREST_BYTES + 1]; /* empty where none is near */
    size_t distance;
} sw_nearest;

/* How many slips part two names: letters wrong, missing, too many or swapped; a capital is none.
 * SIZE_MAX where one is longer than SW_NEAREST_BYTES. */
size_t sw_nearest_distance(sw_str a, sw_str b);
void sw_nearest_begin(sw_nearest *nearest, sw_str wanted);
void sw_nearest_offer(sw_nearest *nearest, sw_str name);

#endif /* SW_BASE_NEAREST_H */
