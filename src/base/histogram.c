/* SPDX-License-Identifier: Apache-2.0 */
#include "base/histogram.h"

#include <math.h>

uint64_t sw_histogram_floor(uint32_t bucket) {
    if (bucket < 16)
        return bucket;
    uint32_t octave = bucket / 16 + 3;
    return (uint64_t)(16 + bucket % 16) << (octave - 4);
}

void sw_histogram_merge(sw_histogram *into, const sw_histogram *from) {
    into->count += from->count;
    into->sum_ns += from->sum_ns;
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

void sw_histogram_subtract(sw_histogram *from, const sw_histogram *part) {
    from->count -= part->count;
    from->sum_ns -= part->sum_ns;
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS; i++)
        from->buckets[i] -= part->buckets[i];
}

double sw_histogram_quantile(const sw_histogram *h, double quantile) {
    if (h->count == 0)
        return 0;
    uint64_t rank = (uint64_t)ceil(quantile * (double)h->count), seen = 0;
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= rank && h->buckets[i])
            return ((double)sw_histogram_floor(i) + (double)sw_histogram_floor(i + 1)) / 2;
    }
    return (double)sw_histogram_floor(SW_HISTOGRAM_BUCKETS - 1);
}

uint64_t sw_histogram_below(const sw_histogram *h, uint64_t ns) {
    uint64_t seen = 0;
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS && sw_histogram_floor(i + 1) <= ns; i++)
        seen += h->buckets[i];
    return seen;
}
