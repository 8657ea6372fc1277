/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST_BYTES = 4096, BLOCK_BYTES_MAX = 1 << 20 };

struct sw_arena_block {
    sw_arena_block *older;
    size_t size;
    _Alignas(16) char bytes[];
};

void sw_arena_init(sw_arena *arena, size_t first_bytes) {
    *arena = (sw_arena){.next_bytes = first_bytes};
}

static void use_block(sw_arena *arena, sw_arena_block *block) {
    arena->at = block->bytes;
    arena->end = block->bytes + block->size;
}

static void free_newer_than(sw_arena *arena, sw_arena_block *keep) {
    while (arena->newest && arena->newest != keep) {
        sw_arena_block *older = arena->newest->older;
        sw_mem_free(arena->newest);
        arena->newest = older;
    }
}

static size_t size_after(size_t block_bytes) {
    return block_bytes < BLOCK_BYTES_MAX ? 2 * block_bytes : BLOCK_BYTES_MAX;
}

void sw_arena_reset(sw_arena *arena) {
    if (!arena->first)
        return;
    free_newer_than(arena, arena->first);
    use_block(arena, arena->first);
    arena->next_bytes = size_after(arena->first->size);
}

void sw_arena_free(sw_arena *arena) {
    free_newer_than(arena, NULL);
    *arena = (sw_arena){.next_bytes = arena->next_bytes};
}

static size_t block_size(sw_arena *arena, size_t want) {
    size_t size = arena->next_bytes ? arena->next_bytes : FIRST_BYTES;
    arena->next_bytes = size_after(size);
    return size < want ? want : size;
}

void *sw_arena_alloc_slow(sw_arena *arena, size_t size_bytes) {
    if (size_bytes > SIZE_MAX - sizeof(sw_arena_block) - 32)
        return NULL;
    size_t rounded = (size_bytes ? size_bytes + 15 : 16) & ~(size_t)15;
    if ((size_t)(arena->end - arena->at) < rounded) {
        size_t size = block_size(arena, rounded);
        sw_arena_block *block = sw_mem_alloc(sizeof *block + size);
        if (!block)
            return NULL;
        *block = (sw_arena_block){.older = arena->newest, .size = size};
        arena->newest = block;
        if (!arena->first)
            arena->first = block;
        use_block(arena, block);
    }
    void *piece = arena->at;
    arena->at += rounded;
    return piece;
}

void *sw_arena_zalloc(sw_arena *arena, size_t count, size_t size_bytes) {
    size_t total;
    if (__builtin_mul_overflow(count, size_bytes, &total))
        return NULL;
    void *piece = sw_arena_alloc(arena, total);
    return piece ? memset(piece, 0, total) : NULL;
}

sw_str sw_arena_copy(sw_arena *arena, sw_str s) {
    char *copy = s.len < SIZE_MAX ? sw_arena_alloc(arena, s.len + 1) : NULL;
    if (!copy)
        return (sw_str){0};
    if (s.len)
        memcpy(copy, s.at, s.len);
    copy[s.len] = '\0';
    return (sw_str){copy, s.len};
}

sw_str sw_arena_printf(sw_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int want = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = want < 0 ? NULL : sw_arena_alloc(arena, (size_t)want + 1);
    if (!text)
        return (sw_str){0};
    va_start(args, format);
    vsnprintf(text, (size_t)want + 1, format, args);
    va_end(args);
    return (sw_str){text, (size_t)want};
}
