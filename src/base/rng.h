/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng: a seeded stream of random numbers, for samples and simulations. Not for secrets.
 *
 * Threads: one at a time for each state.
 * Layer:   base. Source: splitmix64 (Sebastiano Vigna, public domain).
 */
#ifndef SW_BASE_RNG_H
#define SW_BASE_RNG_H

#include <stdint.h>

static inline uint64_t sw_rng_next(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* In [0, 1), of 53 bits. */
static inline double sw_rng_unit(uint64_t *state) {
    return (double)(sw_rng_next(state) >> 11) * 0x1p-53;
}

#endif /* SW_BASE_RNG_H */
