/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/profile_private.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>

/* Above 0, below 1. */
static double random_unit(uint64_t *state) {
    return ((double)(sw_rng_next(state) >> 12) + 0.5) * 0x1p-52;
}

void sw_sample_init(sw_sample *sample, size_t cap, uint64_t seed) {
    *sample = (sw_sample){.cap = cap, .random = seed};
}

void sw_sample_free(sw_sample *sample) {
    sw_mem_free(sample->at);
    *sample = (sw_sample){0};
}

/*
 * Algorithm L (K.-H. Li: "Reservoir-sampling algorithms of time complexity O(n(1 + log(N/n)))",
 * 1994): how many values to pass over is drawn at once, so that a passed value costs nothing.
 */
static void plan_next(sw_sample *sample) {
    sample->weight *= exp(log(random_unit(&sample->random)) / (double)sample->cap);
    double skip = floor(log(random_unit(&sample->random)) / log1p(-sample->weight));
    sample->next += (skip < 0x1p62 ? (uint64_t)skip : UINT64_C(1) << 62) + 1;
}

static bool make_room(sw_sample *sample, size_t count) {
    size_t room = sample->room ? sample->room : 1024;
    while (room < sample->count + count)
        room *= 2;
    room = room < sample->cap ? room : sample->cap;
    double *at = sw_mem_realloc(sample->at, room * sizeof *at);
    if (!at)
        return false;
    sample->at = at;
    sample->room = room;
    return true;
}

bool sw_sample_add(sw_sample *sample, const double *values, size_t count) {
    size_t fits = sample->cap - sample->count, taken = count < fits ? count : fits;
    if (sample->count + taken > sample->room && !make_room(sample, taken))
        return false;
    if (taken)
        memcpy(sample->at + sample->count, values, taken * sizeof *values);
    sample->count += taken;
    if (taken == fits && taken) {
        sample->weight = 1;
        sample->next = sample->cap - 1;
        plan_next(sample);
    }
    if (sample->count == sample->cap)
        for (; sample->next < sample->seen + count; plan_next(sample))
            sample->at[sw_rng_next(&sample->random) % sample->cap] =
                values[sample->next - sample->seen];
    sample->seen += count;
    return true;
}

/* ---- Sorting: by groups of bits, lowest first, where the bits grow as the number does ---- */

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

static uint64_t ordered_bits(double x) {
    uint64_t bits;
    x += 0.0; /* one zero */
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

static double from_ordered(uint64_t bits) {
    double x;
    bits ^= (uint64_t)((int64_t)~bits >> 63) | UINT64_C(1) << 63;
    memcpy(&x, &bits, sizeof x);
    return x;
}

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
        from[i] = ordered_bits(values[i]);
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
        values[i] = from_ordered(from[i]);
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
