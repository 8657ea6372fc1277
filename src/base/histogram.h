/* SPDX-License-Identifier: Apache-2.0 */
/*
 * histogram: counts of durations, in buckets that grow with the value.
 *
 * Log-linear: 16 buckets to each power of two, so a quantile is off by 1/32 of its value at most.
 * From 0 ns to 137 s; longer ones count in the last bucket. Histograms add up bucket by bucket.
 *
 * Threads: one at a time.
 * Layer:   base. Source of the layout: HdrHistogram (Gil Tene).
 */
#ifndef SW_BASE_HISTOGRAM_H
#define SW_BASE_HISTOGRAM_H

#include <stdint.h>

enum { SW_HISTOGRAM_BUCKETS = 33 * 16 + 16 };

typedef struct sw_histogram {
    uint64_t count;
    uint64_t sum_ns;
    uint32_t buckets[SW_HISTOGRAM_BUCKETS];
} sw_histogram;

static inline uint32_t sw_histogram_bucket(uint64_t ns) {
    if (ns < 16)
        return (uint32_t)ns;
    uint32_t octave = 63 - (uint32_t)__builtin_clzll(ns);
    uint32_t bucket = (octave - 3) * 16 + (uint32_t)(ns >> (octave - 4) & 15);
    return bucket < SW_HISTOGRAM_BUCKETS ? bucket : SW_HISTOGRAM_BUCKETS - 1;
}

static inline void sw_histogram_add(sw_histogram *h, uint64_t ns) {
    h->count++;
    h->sum_ns += ns;
    h->buckets[sw_histogram_bucket(ns)]++;
}

/* The least duration that counts in a bucket, ns. */
uint64_t sw_histogram_floor(uint32_t bucket);
void sw_histogram_merge(sw_histogram *into, const sw_histogram *from);
/* `part` was merged into `from` before. */
void sw_histogram_subtract(sw_histogram *from, const sw_histogram *part);
/* The middle of the bucket that holds the quantile (0..1), ns; 0 where nothing was counted. */
double sw_histogram_quantile(const sw_histogram *h, double quantile);
/* How many were below `ns`, counting whole buckets. */
uint64_t sw_histogram_below(const sw_histogram *h, uint64_t ns);

#endif /* SW_BASE_HISTOGRAM_H */
