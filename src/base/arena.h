/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena: memory that is freed all at once.
 *
 * One for each request, model version or command. Workload: some ten to a thousand small pieces,
 * then a reset that keeps the first block warm for the next request.
 *
 * Memory:  what the arena gives lives until its reset or free.
 * Threads: one at a time.
 * Layer:   base.
 */
#ifndef SW_BASE_ARENA_H
#define SW_BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

typedef struct sw_arena_block sw_arena_block;

typedef struct sw_arena {
    char *at;
    char *end;
    sw_arena_block *newest;
    sw_arena_block *first;
    size_t next_bytes; /* size of the next block */
} sw_arena;

/* Takes no memory yet; a zeroed arena is ready too. */
void sw_arena_init(sw_arena *arena, size_t first_bytes);
/* Everything it gave is gone; the first block stays, and the next ones grow from it anew. */
void sw_arena_reset(sw_arena *arena);
void sw_arena_free(sw_arena *arena);

void *sw_arena_alloc_slow(sw_arena *arena, size_t size_bytes);

/* 16-byte aligned, contents undefined; NULL where memory is out. */
static inline void *sw_arena_alloc(sw_arena *arena, size_t size_bytes) {
    size_t rounded = (size_bytes + 15) & ~(size_t)15;
    if (rounded >= size_bytes && (size_t)(arena->end - arena->at) >= rounded && rounded) {
        void *piece = arena->at;
        arena->at += rounded;
        return piece;
    }
    return sw_arena_alloc_slow(arena, size_bytes);
}

/* Zeroed; NULL too where count * size overflows. */
void *sw_arena_zalloc(sw_arena *arena, size_t count, size_t size_bytes);
/* A copy with a NUL behind it; {NULL, 0} where memory is out. */
sw_str sw_arena_copy(sw_arena *arena, sw_str s);
/* NUL-terminated; {NULL, 0} where memory is out. */
sw_str sw_arena_printf(sw_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* SW_BASE_ARENA_H */
