/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/samples.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RADIX_FROM = 512, DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, PASSES = 6 };

size_t sw_samples_keep_finite(double *values, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    return kept;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* An unsigned whole number that orders as the double does, and back. */
static uint64_t key_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ (bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63);
}

static double value_of(uint64_t key) {
    uint64_t bits = key ^ (key >> 63 ? UINT64_C(1) << 63 : UINT64_MAX);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void count_digits(size_t counts[PASSES][DIGITS], const uint64_t *keys, size_t count) {
    memset(counts, 0, sizeof(size_t[PASSES][DIGITS]));
    for (size_t i = 0; i < count; i++)
        for (int pass = 0; pass < PASSES; pass++)
            counts[pass][(keys[i] >> (pass * DIGIT_BITS)) & (DIGITS - 1)]++;
}

/* False where all keys have the same digit, so that nothing would move. */
static bool scatter(uint64_t *to, const uint64_t *from, size_t count, size_t *counts, int pass) {
    int shift = pass * DIGIT_BITS;
    if (counts[(from[0] >> shift) & (DIGITS - 1)] == count)
        return false;
    size_t at = 0;
    for (int digit = 0; digit < DIGITS; digit++) {
        size_t here = counts[digit];
        counts[digit] = at;
        at += here;
    }
    for (size_t i = 0; i < count; i++)
        to[counts[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
    return true;
}

void sw_samples_sort(double *values, double *scratch, size_t count) {
    if (count < RADIX_FROM) {
        if (count > 1)
            qsort(values, count, sizeof *values, compare);
        return;
    }
    size_t counts[PASSES][DIGITS];
    uint64_t *from = (uint64_t *)(void *)values, *to = (uint64_t *)(void *)scratch;
    for (size_t i = 0; i < count; i++)
        from[i] = key_of(values[i]);
    count_digits(counts, from, count);
    for (int pass = 0; pass < PASSES; pass++)
        if (scatter(to, from, count, counts[pass], pass)) {
            uint64_t *swap = from;
            from = to;
            to = swap;
        }
    for (size_t i = 0; i < count; i++)
        values[i] = value_of(from[i]);
}

bool sw_walk_next(sw_walk *walk, const sw_samples *samples) {
    size_t i = walk->a_done, j = walk->b_done;
    bool more_a = i < samples->a_count, more_b = j < samples->b_count;
    if (!more_a && !more_b)
        return false;
    double value =
        !more_b || (more_a && samples->a[i] <= samples->b[j]) ? samples->a[i] : samples->b[j];
    while (i < samples->a_count && samples->a[i] <= value)
        i++;
    while (j < samples->b_count && samples->b[j] <= value)
        j++;
    walk->run = (sw_run){value, i - walk->a_done, j - walk->b_done};
    walk->a_done = i;
    walk->b_done = j;
    return true;
}

size_t sw_samples_distinct(const sw_samples *samples) {
    size_t distinct = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples);)
        distinct++;
    return distinct;
}

size_t sw_sample_distinct(const double *sorted, size_t count, size_t enough) {
    size_t distinct = count > 0;
    for (size_t i = 1; i < count && distinct <= enough; i++)
        distinct += sorted[i] > sorted[i - 1];
    return distinct;
}

double sw_sample_mean(const double *sorted, size_t count) {
    if (count == 0)
        return NAN;
    if (sorted[0] == sorted[count - 1])
        return sorted[0];
    long double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += sorted[i];
    return (double)(sum / (long double)count);
}

double sw_sample_variance(const double *sorted, size_t count, double mean) {
    if (count == 0)
        return NAN;
    long double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (long double)(sorted[i] - mean) * (sorted[i] - mean);
    return (double)(sum / (long double)count);
}

double sw_sample_quantile(const double *sorted, size_t count, double q) {
    if (count == 0)
        return NAN;
    double at = q * (double)(count - 1), whole = floor(at), part = at - whole;
    size_t i = (size_t)whole;
    if (i + 1 >= count)
        return sorted[count - 1];
    double step = sorted[i + 1] - sorted[i]; /* as numpy's lerp rounds it */
    return part >= 0.5 ? sorted[i + 1] - step * (1 - part) : sorted[i] + step * part;
}
