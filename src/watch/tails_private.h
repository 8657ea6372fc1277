/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tails: how values lie where no fine bins are: beyond a reference's range, and in outputs.
 *
 * A value's code is the leading bits of its double: sign, exponent and six bits of mantissa, in
 * order, so that codes sort as numbers do and the middle of a code is within 0.8 % of every value
 * in it. A loop keeps codes of a uniform sample: all of them while they fit, then one in 2, 4, …
 * (the exact numbers are in the bins). A merge sorts them into counts of each code.
 *
 * A column keeps at most SW_TAIL_CODES_MAX codes. With more, neighbours are joined two by two,
 * which doubles the error of that column.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_TAILS_PRIVATE_H
#define SW_WATCH_TAILS_PRIVATE_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SW_TAIL_ROOM = 2048,     /* of a loop's sample */
    SW_TAIL_CODE_BITS = 18,  /* 1 sign, 11 exponent, 6 mantissa */
    SW_TAIL_CODES_MAX = 192, /* of a column */
    SW_TAIL_LEVEL_MAX = 18,
    SW_TAILS_MAX = 1 << 16, /* of a version */
};

/* ---- A loop's sample ---- */

typedef struct sw_tail_sample {
    uint32_t used, halvings; /* one value in 2^halvings is kept */
    struct {
        uint32_t column, code;
    } at[SW_TAIL_ROOM];
} sw_tail_sample;

/* The code of a number that is no NaN. */
static inline uint32_t sw_tail_code(double x) {
    uint64_t bits;
    x += 0.0; /* -0 is 0 */
    memcpy(&bits, &x, sizeof bits);
    bits = bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
    return (uint32_t)(bits >> (64 - SW_TAIL_CODE_BITS));
}

/* The number in the middle of codes [code << level, (code + 1) << level). */
double sw_tail_value(uint32_t code, uint8_t level);

void sw_tail_add(sw_tail_sample *sample, uint64_t *random, uint32_t column, double x);

/* ---- Merged ---- */

typedef struct sw_tail {
    uint32_t column, code;
    uint64_t count; /* estimated: sampled × one in so many */
} sw_tail;

typedef struct sw_tails {
    sw_tail *at;    /* by column, then code */
    sw_tail *spare; /* as long as `at`: what a merge writes to */
    uint32_t count, cap;
    uint8_t *levels; /* of each column: low bits of its codes that are dropped */
    uint32_t column_count;
} sw_tails;

/* 0 columns: keeps nothing. False where memory is out. */
bool sw_tails_make(sw_tails *out, uint32_t column_count);
void sw_tails_free(sw_tails *tails);
void sw_tails_clear(sw_tails *tails);
/* Adds what `from` has of columns that `into` has. */
void sw_tails_merge(sw_tails *into, const sw_tails *from);
/* Adds a sample, and clears it. */
void sw_tails_take(sw_tails *into, sw_tail_sample *sample);

/* The codes of a column. */
const sw_tail *sw_tails_of(const sw_tails *tails, uint32_t column, size_t *count);

#endif /* SW_WATCH_TAILS_PRIVATE_H */
