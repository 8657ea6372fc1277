/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sum: a sum of doubles that does not care how it was cut into parts.
 *
 * Two doubles hold about 106 bits, so that windows may be added, merged in any order and taken
 * off again, and the result, rounded to one double, is that of one pass over all rows. (Each
 * addition errs by at most 2^-104 of the sum: what is left after taking off is exact to that
 * share of the largest sum held.)
 *
 * Threads: one at a time for each sum.
 * Layer:   stats. Source: D. E. Knuth, TAOCP 2, section 4.2.2 (two-sum); T. J. Dekker, "A
 *          floating-point technique for extending the available precision" (1971).
 */
#ifndef SW_STATS_SUM_H
#define SW_STATS_SUM_H

#include <math.h>
#include <stdbool.h>

typedef struct sw_sum {
    double high, low; /* all zero: an empty sum */
} sw_sum;

static inline sw_sum sw_sum_two(double a, double b) {
    double s = a + b, t = s - a;
    return (sw_sum){s, (a - (s - t)) + (b - t)};
}

static inline void sw_sum_merge(sw_sum *to, sw_sum from) {
    sw_sum s = sw_sum_two(to->high, from.high), t = sw_sum_two(to->low, from.low);
    s = sw_sum_two(s.high, s.low + t.high);
    *to = sw_sum_two(s.high, s.low + t.low);
}

static inline void sw_sum_add(sw_sum *to, double value) {
    sw_sum_merge(to, (sw_sum){value, 0});
}

static inline void sw_sum_add_square(sw_sum *to, double value) {
    double square = value * value;
    sw_sum_merge(to, (sw_sum){square, fma(value, value, -square)});
}

/* False where what is left is less than 2^-24 of what was taken off (or no number): it may have too
 * few of its digits then, and is to be summed anew. */
static inline bool sw_sum_subtract(sw_sum *from, sw_sum part) {
    sw_sum_merge(from, (sw_sum){-part.high, -part.low});
    return fabs(from->high) >= 0x1p-24 * fabs(part.high);
}

static inline double sw_sum_value(sw_sum sum) {
    return sum.high + sum.low;
}

#endif /* SW_STATS_SUM_H */
