/* SPDX-License-Identifier: Apache-2.0 */
/* What the files num*.c share. */
#ifndef SW_BASE_NUM_PRIVATE_H
#define SW_BASE_NUM_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct power128 {
    uint64_t high, low;
} power128;

/* 10^q as a 128-bit binary fraction with its top bit set; -342 <= q <= 324. */
power128 sw_num_power(int q);

/*
 * digits * 10^exponent, rounded correctly; `digits` is exact. False where that is an infinity.
 */
bool sw_num_compose_f64(double *out, uint64_t digits, int exponent, bool negative);
bool sw_num_compose_f32(float *out, uint64_t digits, int exponent, bool negative);

__extension__ typedef unsigned __int128 uint128;

static inline power128 multiply_64(uint64_t a, uint64_t b) {
    uint128 product = (uint128)a * b;
    return (power128){(uint64_t)(product >> 64), (uint64_t)product};
}

#endif /* SW_BASE_NUM_PRIVATE_H */
