/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash: from bytes to a place in a table in memory.
 *
 * Not keyed, and no defence against somebody who chooses the bytes: for tables whose size is
 * bounded, or whose contents are the owner's own. The same on every machine of one byte order; not
 * to be stored.
 *
 * Threads: any.
 * Layer:   base. Source: the mixing by a 128-bit product is that of Wang Yi's wyhash.
 */
#ifndef SW_BASE_HASH_H
#define SW_BASE_HASH_H

#include "base/str.h"

/* Mixes eight bytes at a time by a 128-bit product. */
static inline uint64_t sw_hash_mix(uint64_t a, uint64_t b) {
    unsigned __int128 product =
        (unsigned __int128)(a ^ UINT64_C(0x9E3779B97F4A7C15)) * (b ^ UINT64_C(0xD1B54A32D192ED03));
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sw_hash_text(sw_str s) {
    uint64_t hash = s.len, word = 0;
    while (s.len >= 8) {
        memcpy(&word, s.at, 8);
        hash = sw_hash_mix(hash, word);
        s = (sw_str){s.at + 8, s.len - 8};
    }
    word = 0;
    if (s.len)
        memcpy(&word, s.at, s.len);
    return sw_hash_mix(hash, word);
}

#endif /* SW_BASE_HASH_H */
