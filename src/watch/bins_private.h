/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bins: from a value to its bin, for the training data and for live traffic alike.
 *
 * A numeric column's bins are cut by at most 65 keys: the reference's minimum, its inner cuts, and
 * the first double above its maximum. The rank of x (how many keys are <= x) then tells below,
 * every bin between and above apart with no special case: bin = rank + 1, and 0 for NaN. Keys lie
 * in nine blocks of eight under eight separators, so a rank is two steps of eight comparisons
 * without a branch: the same work for every distribution, which no table of leading bits gives, and
 * exact.
 *
 * A float is compared with each key rounded up to the nearest float: x >= key holds for the one
 * exactly when it holds for the other. Integers are compared as doubles; int64 beyond 2^53 as its
 * nearest double, in the reference as in live traffic.
 *
 * A category's values lie in an open-addressing table. It is filled from the reference alone, so
 * live values cannot lengthen its chains.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_BINS_PRIVATE_H
#define SW_WATCH_BINS_PRIVATE_H

#include "base/arena.h"
#include "base/hash.h"
#include "watch/profile.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    SW_KEYS_MAX = 72,
    SW_BIN_MISSING = 0,
    SW_BIN_BELOW = 1,  /* numeric */
    SW_BIN_UNSEEN = 1, /* category: not among the known values */
    SW_BIN_FIRST = 2,
};

typedef struct sw_keys32 {
    _Alignas(16) float root[8]; /* leaf[8], leaf[16], … leaf[64] */
    float leaf[SW_KEYS_MAX];    /* growing; NaN where there is none, which is <= nothing */
} sw_keys32;

typedef struct sw_keys64 {
    _Alignas(16) double root[8];
    double leaf[SW_KEYS_MAX];
} sw_keys64;

/* The keys of a numeric column; `keys` has room for SW_KEYS_MAX. */
size_t sw_bins_keys(double *keys, const sw_profile_column *column);
void sw_keys32_fill(sw_keys32 *out, const double *keys, size_t count);
void sw_keys64_fill(sw_keys64 *out, const double *keys, size_t count);

/* How many of eight growing numbers are <= x. */
static inline uint32_t sw_rank8f(const float *at, float x) {
#ifdef __SSE2__
    __m128 v = _mm_set1_ps(x);
    uint32_t mask = (uint32_t)_mm_movemask_ps(_mm_cmple_ps(_mm_load_ps(at), v)) |
                    (uint32_t)_mm_movemask_ps(_mm_cmple_ps(_mm_load_ps(at + 4), v)) << 4;
    return (uint32_t)__builtin_ctz(~mask);
#else
    uint32_t rank = 0;
    for (int i = 0; i < 8; i++)
        rank += at[i] <= x;
    return rank;
#endif
}

static inline uint32_t sw_rank8d(const double *at, double x) {
#ifdef __SSE2__
    __m128d v = _mm_set1_pd(x);
    uint32_t mask = (uint32_t)_mm_movemask_pd(_mm_cmple_pd(_mm_load_pd(at), v)) |
                    (uint32_t)_mm_movemask_pd(_mm_cmple_pd(_mm_load_pd(at + 2), v)) << 2 |
                    (uint32_t)_mm_movemask_pd(_mm_cmple_pd(_mm_load_pd(at + 4), v)) << 4 |
                    (uint32_t)_mm_movemask_pd(_mm_cmple_pd(_mm_load_pd(at + 6), v)) << 6;
    return (uint32_t)__builtin_ctz(~mask);
#else
    uint32_t rank = 0;
    for (int i = 0; i < 8; i++)
        rank += at[i] <= x;
    return rank;
#endif
}

static inline uint32_t sw_keys32_bin(const sw_keys32 *keys, float x) {
    uint32_t block = sw_rank8f(keys->root, x) * 8;
    return block + sw_rank8f(keys->leaf + block, x) + (x == x);
}

static inline uint32_t sw_keys64_bin(const sw_keys64 *keys, double x) {
    uint32_t block = sw_rank8d(keys->root, x) * 8;
    return block + sw_rank8d(keys->leaf + block, x) + (x == x);
}

/* ---- Categories ---- */

typedef struct sw_catalog_slot {
    uint64_t hash; /* of the text; or the bits of the number */
    uint32_t bin;  /* 0: the slot is empty */
} sw_catalog_slot;

typedef struct sw_catalog {
    sw_catalog_slot *slots;
    uint32_t mask;
    const sw_str *values; /* of bin SW_BIN_FIRST and on */
} sw_catalog;

/* False where memory is out. `numbers`: the values are numbers written as text. */
bool sw_catalog_make(sw_catalog *out, const sw_str *values, uint32_t count, bool numbers,
                     sw_arena *arena);

/* One key for each number: -0 is 0. */
static inline uint64_t sw_number_key(double x) {
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline uint32_t sw_catalog_find_text(const sw_catalog *catalog, sw_str value) {
    if (value.len == 0)
        return SW_BIN_MISSING;
    uint64_t hash = sw_hash_text(value);
    for (uint32_t at = (uint32_t)hash & catalog->mask;; at = (at + 1) & catalog->mask) {
        const sw_catalog_slot *slot = &catalog->slots[at];
        if (slot->bin == 0)
            return SW_BIN_UNSEEN;
        if (slot->hash == hash && sw_str_eq(catalog->values[slot->bin - SW_BIN_FIRST], value))
            return slot->bin;
    }
}

static inline uint32_t sw_catalog_find_number(const sw_catalog *catalog, double value) {
    if (value != value)
        return SW_BIN_MISSING;
    uint64_t key = sw_number_key(value);
    uint32_t at = (uint32_t)sw_hash_mix(key, 0) & catalog->mask;
    for (;; at = (at + 1) & catalog->mask) {
        const sw_catalog_slot *slot = &catalog->slots[at];
        if (slot->bin == 0)
            return SW_BIN_UNSEEN;
        if (slot->hash == key)
            return slot->bin;
    }
}

/* ---- Values as their input holds them ---- */

/*
 * What a field of a CSV becomes in a tensor of this type (so that the reference is binned as live
 * values will be), as a double; NaN for "", NA, N/A, NaN, null and none. False where it is no
 * number.
 */
bool sw_bins_parse(double *out, sw_str text, sw_dtype dtype);
/* The same, faster; reads (and ignores) up to 16 bytes behind the text. */
bool sw_bins_parse_padded(double *out, sw_str text, sw_dtype dtype);

#endif /* SW_WATCH_BINS_PRIVATE_H */
