/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/grid_private.h"
#include "watch/profile_private.h"

#include <math.h>

/* ---- Sorting: by groups of bits, lowest first, where the bits grow as the number does ---- */

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static void sort_by_digit(uint64_t *to, const uint64_t *from, size_t count, int shift) {
    size_t places[DIGITS] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        places[from[i] >> shift & (DIGITS - 1)]++;
    for (size_t i = 0; i < DIGITS; i++) {
        size_t size = places[i];
        places[i] = sum;
        sum += size;
    }
    for (size_t i = 0; i < count; i++)
        to[places[from[i] >> shift & (DIGITS - 1)]++] = from[i];
}

void sw_sort_doubles(double *values, double *spare, size_t count) {
    /* The same 8 bytes are a double before and after, and its ordered bits in between. */
    uint64_t *from = (uint64_t *)(void *)values, *to = (uint64_t *)(void *)spare, vary = 0;
    for (size_t i = 0; i < count; i++) {
        from[i] = sw_ordered_bits(values[i]);
        vary |= from[i] ^ from[0];
    }
    /* Floats leave the lowest bits alike, and neighbours the highest. */
    int shift = vary ? __builtin_ctzll(vary) : 64;
    for (; shift < 64 && vary >> shift; shift += DIGIT_BITS) {
        sort_by_digit(to, from, count, shift);
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = sw_from_ordered(from[i]);
}

/* ---- Cuts ---- */

/* Above `a`, and not above `b`. */
static double midway(double a, double b) {
    double middle = a / 2 + b / 2;
    return middle > a && middle < b ? middle : b;
}

static uint32_t cut_levels(double *cuts, double *levels, const double *values, size_t count) {
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (found && levels[found - 1] == values[i])
            continue;
        if (found == SW_PROFILE_BINS)
            return 0;
        if (found)
            cuts[found - 1] = midway(levels[found - 1], values[i]);
        levels[found++] = values[i];
    }
    return found;
}

/* The first index whose value is `value` or above; `values` grows. */
static size_t first_of(const double *values, size_t from, size_t to, double value) {
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (values[middle] < value)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

uint32_t sw_cuts_of(double *cuts, double *levels, bool *leveled, const double *values,
                    size_t count) {
    uint32_t found = cut_levels(cuts, levels, values, count), made = 0;
    *leveled = found > 0;
    if (found || count == 0)
        return found ? found - 1 : 0;
    for (size_t from = 0; made < SW_PROFILE_BINS - 1;) {
        size_t target =
            from + (count - from + SW_PROFILE_BINS - made - 1) / (SW_PROFILE_BINS - made);
        if (target >= count)
            break;
        size_t end = first_of(values, from, target + 1, values[target]);
        if (end == from) /* the bin is one frequent value: it ends where that does */
            end = first_of(values, target, count, nextafter(values[from], INFINITY));
        if (end >= count)
            break;
        cuts[made++] = midway(values[end - 1], values[end]);
        from = end;
    }
    return made;
}
