/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grid: exact counts of any number of values, in buckets narrow enough to choose cuts from.
 *
 * A double's bits, turned so that they grow as the number does, are cut off at `shift`: what is
 * left says which bucket a value falls into, without a search and by the same relative width
 * everywhere. Buckets lie in blocks of 64, found in a small table by the bits before the last six.
 * Where values touch more blocks than there may be, `shift` grows by one and neighbouring buckets
 * become one: counts stay exact, only buckets get wider. So a grid is as fine as its values allow:
 * epoch seconds of one month lie in buckets of minutes, even beside a -999 for missing. With 128
 * blocks a bucket gets no wider than 1/64 of an octave, 1.6 % of a value, until the values touch
 * more than 128 octaves.
 *
 * Memory:  256 bytes a block, and 32 to 64 for each of blocks_max in the table.
 * Layer:   watch. Source of the idea to halve the resolution when buckets run out: I. Epicoco et
 *          al., "UDDSketch" (2020), there for logarithms.
 */
#ifndef SW_WATCH_GRID_PRIVATE_H
#define SW_WATCH_GRID_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SW_GRID_BLOCK_BITS = 6, SW_GRID_BLOCK = 1 << SW_GRID_BLOCK_BITS };

typedef struct sw_grid_slot {
    uint64_t key; /* bits >> (shift + SW_GRID_BLOCK_BITS), plus one; 0: empty */
    uint32_t block;
} sw_grid_slot;

typedef struct sw_grid {
    sw_grid_slot *slots;               /* open addressing, at most half full */
    uint32_t (*blocks)[SW_GRID_BLOCK]; /* counts; a column has fewer than 2^32 values */
    unsigned shift, slot_bits;
    uint32_t block_count, block_room, blocks_max;
} sw_grid;

/* Bits that grow as the number does. There is one zero. */
static inline uint64_t sw_ordered_bits(double x) {
    uint64_t bits;
    x += 0.0;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((uint64_t)((int64_t)bits >> 63) | UINT64_C(1) << 63);
}

static inline double sw_from_ordered(uint64_t bits) {
    double x;
    bits ^= (uint64_t)((int64_t)~bits >> 63) | UINT64_C(1) << 63;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Takes growing finite values (at least one), and is as fine as they allow. False where memory is
 * out. */
bool sw_grid_make(sw_grid *grid, const double *values, size_t count, uint32_t blocks_max);
/* Finite values. False where memory is out. */
bool sw_grid_add(sw_grid *grid, const double *values, size_t count);
/* `more` of a value that was added. */
void sw_grid_add_more(sw_grid *grid, double value, uint32_t more);
void sw_grid_free(sw_grid *grid);

/*
 * Up to `cuts_max` inner cuts that part the values into bins of near-equal counts; `counts` gets
 * one more than there are cuts. A cut is the lower edge of a bucket. Returns how many. `*median`
 * lies within its bucket. 0 cuts, and no median, where memory is out.
 */
uint32_t sw_grid_cuts(double *cuts, uint64_t *counts, uint32_t cuts_max, double *median,
                      const sw_grid *grid);

#endif /* SW_WATCH_GRID_PRIVATE_H */
