/* SPDX-License-Identifier: Apache-2.0 */
/*
 * distinct: about how many different values a column has had.
 *
 * HyperLogLog with 512 registers (P. Flajolet and others, 2007): standard error 4.6 %. Registers
 * merge by their maximum. The estimate is O. Ertl's ("New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017), which needs no correction tables and holds from 0 on.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_DISTINCT_PRIVATE_H
#define SW_WATCH_DISTINCT_PRIVATE_H

#include "base/hash.h"

enum { SW_DISTINCT_BITS = 9, SW_DISTINCT_REGISTERS = 1 << SW_DISTINCT_BITS, SW_DISTINCT_TOP = 56 };

typedef struct sw_distinct {
    uint8_t at[SW_DISTINCT_REGISTERS]; /* 0 … SW_DISTINCT_TOP */
} sw_distinct;

/* `hash`: all of its 64 bits well mixed. `there` false: changes nothing. */
static inline void sw_distinct_add(sw_distinct *registers, uint64_t hash, bool there) {
    uint8_t *at = &registers->at[hash >> (64 - SW_DISTINCT_BITS)];
    /* The lowest bit that is set, of the 55 that are left; 56 where none is. */
    uint64_t rest = hash | UINT64_C(1) << (64 - SW_DISTINCT_BITS);
    uint8_t rank = there ? (uint8_t)(__builtin_ctzll(rest) + 1) : 0;
    *at = rank > *at ? rank : *at;
}

/* Of a number's bits. Source: the finaliser of Austin Appleby's MurmurHash3 (public domain). */
static inline uint64_t sw_distinct_hash(uint64_t bits) {
    bits ^= bits >> 33;
    bits *= UINT64_C(0xFF51AFD7ED558CCD);
    bits ^= bits >> 33;
    bits *= UINT64_C(0xC4CEB9FE1A85EC53);
    return bits ^ bits >> 33;
}

void sw_distinct_merge(sw_distinct *into, const sw_distinct *from);
double sw_distinct_estimate(const sw_distinct *registers);

#endif /* SW_WATCH_DISTINCT_PRIVATE_H */
