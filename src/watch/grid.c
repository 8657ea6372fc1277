/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/grid_private.h"

#include "base/mem.h"

#include <stdlib.h>

enum { BLOCKS_FIRST = 4 };

static inline uint64_t key_of(const sw_grid *grid, uint64_t bits) {
    return (bits >> (grid->shift + SW_GRID_BLOCK_BITS)) + 1;
}

/* Fibonacci hashing: keys that follow each other lie far apart. */
static inline sw_grid_slot *slot_of(const sw_grid *grid, uint64_t key) {
    uint32_t mask = (1U << grid->slot_bits) - 1;
    uint32_t at = (uint32_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> (64 - grid->slot_bits));
    while (grid->slots[at].key != key && grid->slots[at].key)
        at = (at + 1) & mask;
    return &grid->slots[at];
}

void sw_grid_free(sw_grid *grid) {
    sw_mem_free(grid->slots);
    sw_mem_free(grid->blocks);
    *grid = (sw_grid){0};
}

/* ---- Room ---- */

static bool begin(sw_grid *grid, unsigned shift, uint32_t blocks_max) {
    *grid = (sw_grid){.shift = shift, .blocks_max = blocks_max, .slot_bits = 1};
    while (1U << grid->slot_bits < 2 * blocks_max)
        grid->slot_bits++;
    grid->slots = sw_mem_zalloc((size_t)1 << grid->slot_bits, sizeof *grid->slots);
    return grid->slots != NULL;
}

static bool new_block(sw_grid *grid, sw_grid_slot *slot, uint64_t key) {
    if (grid->block_count == grid->block_room) {
        uint32_t room = grid->block_room ? grid->block_room * 2 : BLOCKS_FIRST;
        room = room < grid->blocks_max ? room : grid->blocks_max;
        void *blocks = sw_mem_realloc(grid->blocks, room * sizeof *grid->blocks);
        if (!blocks)
            return false;
        grid->blocks = blocks;
        grid->block_room = room;
    }
    memset(grid->blocks[grid->block_count], 0, sizeof *grid->blocks);
    *slot = (sw_grid_slot){key, grid->block_count++};
    return true;
}

/* Keys halve: blocks 2k and 2k + 1 become block k, whose buckets are pairs of theirs. */
static bool coarsen(sw_grid *grid) {
    sw_grid half;
    bool good = begin(&half, grid->shift + 1, grid->blocks_max);
    for (size_t i = 0; i < (size_t)1 << grid->slot_bits && good; i++) {
        if (!grid->slots[i].key)
            continue;
        const uint32_t *from = grid->blocks[grid->slots[i].block];
        uint64_t key = grid->slots[i].key - 1;
        sw_grid_slot *slot = slot_of(&half, key / 2 + 1);
        good = slot->key || new_block(&half, slot, key / 2 + 1);
        for (size_t j = 0; j < SW_GRID_BLOCK && good; j++)
            half.blocks[slot->block][(j + key % 2 * SW_GRID_BLOCK) / 2] += from[j];
    }
    if (!good) {
        sw_grid_free(&half);
        return false;
    }
    sw_grid_free(grid);
    *grid = half;
    return true;
}

/* The slot of a value that has no block yet; NULL where memory is out. */
static __attribute__((noinline)) sw_grid_slot *make_room(sw_grid *grid, uint64_t bits) {
    for (;;) {
        uint64_t key = key_of(grid, bits);
        sw_grid_slot *slot = slot_of(grid, key);
        if (slot->key)
            return slot;
        if (grid->block_count < grid->blocks_max)
            return new_block(grid, slot, key) ? slot : NULL;
        if (!coarsen(grid))
            return NULL;
    }
}

/* ---- Values ---- */

bool sw_grid_add(sw_grid *grid, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = sw_ordered_bits(values[i]);
        sw_grid_slot *slot = slot_of(grid, key_of(grid, bits));
        if (__builtin_expect(slot->key == 0, 0)) {
            slot = make_room(grid, bits);
            if (!slot)
                return false;
        }
        grid->blocks[slot->block][bits >> grid->shift & (SW_GRID_BLOCK - 1)]++;
    }
    return true;
}

void sw_grid_add_more(sw_grid *grid, double value, uint32_t more) {
    uint64_t bits = sw_ordered_bits(value);
    const sw_grid_slot *slot = slot_of(grid, key_of(grid, bits));
    grid->blocks[slot->block][bits >> grid->shift & (SW_GRID_BLOCK - 1)] += more;
}

/* How many blocks growing values need; above `most` it stops counting. */
static uint32_t blocks_at(const double *values, size_t count, unsigned shift, uint32_t most) {
    uint32_t blocks = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < count && blocks <= most; i++) {
        uint64_t key = sw_ordered_bits(values[i]) >> (shift + SW_GRID_BLOCK_BITS);
        blocks += i == 0 || key != last;
        last = key;
    }
    return blocks;
}

bool sw_grid_make(sw_grid *grid, const double *values, size_t count, uint32_t blocks_max) {
    unsigned shift = 0, coarse = 64 - SW_GRID_BLOCK_BITS - 1;
    uint32_t most = blocks_max / 4 * 3; /* the rest is for what comes */
    while (shift < coarse) {
        unsigned middle = (shift + coarse) / 2;
        if (blocks_at(values, count, middle, most) > most)
            shift = middle + 1;
        else
            coarse = middle;
    }
    return begin(grid, shift, blocks_max) && sw_grid_add(grid, values, count);
}

/* ---- Cuts ---- */

typedef struct cutting {
    double *cuts;
    uint64_t *counts;
    uint32_t made, cuts_max;
    uint64_t left; /* values in the bins to come and in the open one */
} cutting;

/* A bucket that holds something: closes the open bin before it, where that is nearer to an equal
 * share than with it. */
static void take_bucket(cutting *c, double edge, uint64_t held) {
    uint64_t open = c->counts[c->made];
    double share = (double)c->left / (double)(c->cuts_max + 1 - c->made);
    bool closes = open && c->made < c->cuts_max && (double)open + (double)held / 2 > share;
    if (closes) {
        c->left -= open;
        c->cuts[c->made++] = edge;
        c->counts[c->made] = 0;
    }
    c->counts[c->made] += held;
}

static double middle_of(uint64_t bucket, unsigned shift) {
    return sw_from_ordered((bucket << shift) | (shift ? UINT64_C(1) << (shift - 1) : 0));
}

static int by_key(const void *left, const void *right) {
    const sw_grid_slot *a = left, *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

/* The blocks in the order of their values, yours to free. NULL where memory is out. */
static sw_grid_slot *in_order(uint64_t *all, const sw_grid *grid) {
    sw_grid_slot *slots = sw_mem_alloc((grid->block_count + 1) * sizeof *slots);
    uint32_t count = 0;
    *all = 0;
    for (size_t i = 0; slots && i < (size_t)1 << grid->slot_bits; i++)
        if (grid->slots[i].key) {
            slots[count++] = grid->slots[i];
            for (size_t j = 0; j < SW_GRID_BLOCK; j++)
                *all += grid->blocks[grid->slots[i].block][j];
        }
    if (slots)
        qsort(slots, count, sizeof *slots, by_key);
    return slots;
}

uint32_t sw_grid_cuts(double *cuts, uint64_t *counts, uint32_t cuts_max, double *median,
                      const sw_grid *grid) {
    uint64_t all, before = 0;
    sw_grid_slot *slots = in_order(&all, grid);
    cutting c = {.cuts = cuts, .counts = counts, .cuts_max = cuts_max, .left = all};
    counts[0] = 0;
    for (uint32_t i = 0; slots && i < grid->block_count; i++) {
        for (uint64_t j = 0; j < SW_GRID_BLOCK; j++) {
            uint64_t held = grid->blocks[slots[i].block][j];
            uint64_t bucket = (slots[i].key - 1) << SW_GRID_BLOCK_BITS | j;
            if (!held)
                continue;
            if (before * 2 <= all && (before + held) * 2 > all)
                *median = middle_of(bucket, grid->shift);
            before += held;
            take_bucket(&c, sw_from_ordered(bucket << grid->shift), held);
        }
    }
    sw_mem_free(slots);
    return c.made;
}
