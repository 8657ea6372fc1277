/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for nghttp2: some dozen small blocks for each stream, freed in the same turn. One loop
 * uses a list, so a block costs a pointer swap. A header before each block tells its size class.
 *
 * Workload: sizes of 32 to 600 bytes, last in, first out.
 */
#include "net/net_private.h"

#include "base/mem.h"

enum { STEP_BYTES = 64, HEADER_BYTES = 16, KEPT_ALWAYS = 64, TOO_LARGE = SW_NET_BLOCK_CLASSES };

typedef struct block {
    struct block *next; /* while it is free */
    uint32_t class;     /* TOO_LARGE: straight from the heap */
    uint32_t size;      /* what the class holds, or the block alone */
} block;

_Static_assert(sizeof(block) == HEADER_BYTES, "what follows must be aligned to 16 bytes");

static block *head_of(void *at) {
    return (block *)((char *)at - HEADER_BYTES);
}

static void *bytes_of(block *b) {
    return (char *)b + HEADER_BYTES;
}

/* Tries twice: nghttp2 1.52 does not take every NULL well (it may free a frame twice). */
static block *from_heap(size_t size, uint32_t class) {
    if (size > UINT32_MAX - HEADER_BYTES)
        return NULL;
    block *b = sw_mem_alloc(HEADER_BYTES + size);
    if (!b)
        b = sw_mem_alloc(HEADER_BYTES + size);
    if (b)
        *b = (block){.class = class, .size = (uint32_t)size};
    return b;
}

static void *take(size_t size, void *context) {
    sw_block_list *lists = context;
    uint32_t class = (uint32_t)((size + STEP_BYTES - 1) / STEP_BYTES);
    if (size > (size_t)STEP_BYTES * (SW_NET_BLOCK_CLASSES - 1)) {
        block *large = from_heap(size, TOO_LARGE);
        return large ? bytes_of(large) : NULL;
    }
    sw_block_list *list = &lists[class];
    block *b = list->first;
    if (!b) {
        b = from_heap((size_t) class * STEP_BYTES, class);
        return b ? bytes_of(b) : NULL;
    }
    list->first = b->next;
    if (--list->count < list->low)
        list->low = list->count;
    return bytes_of(b);
}

static void give(void *at, void *context) {
    sw_block_list *lists = context;
    if (!at)
        return;
    block *b = head_of(at);
    if (b->class == TOO_LARGE) {
        sw_mem_free(b);
        return;
    }
    b->next = lists[b->class].first;
    lists[b->class].first = b;
    lists[b->class].count++;
}

static void *take_zeroed(size_t count, size_t size, void *context) {
    size_t total;
    void *at = __builtin_mul_overflow(count, size, &total) ? NULL : take(total, context);
    return at ? memset(at, 0, total) : NULL;
}

static void *take_again(void *at, size_t size, void *context) {
    if (!at)
        return take(size, context);
    uint32_t had = head_of(at)->size;
    if (size <= had)
        return at;
    void *larger = take(size, context);
    if (larger) {
        memcpy(larger, at, had);
        give(at, context);
    }
    return larger;
}

nghttp2_mem sw_net_blocks(sw_net *net) {
    return (nghttp2_mem){net->blocks, take, give, take_zeroed, take_again};
}

static void drop(sw_block_list *list, uint32_t count) {
    for (; count > 0; count--) {
        block *b = list->first;
        list->first = b->next;
        list->count--;
        sw_mem_free(b);
    }
}

void sw_net_trim_blocks(sw_net *net) {
    for (int i = 0; i < SW_NET_BLOCK_CLASSES; i++) {
        sw_block_list *list = &net->blocks[i];
        if (list->low > KEPT_ALWAYS)
            drop(list, (list->low - KEPT_ALWAYS + 1) / 2);
        list->low = list->count;
    }
}

void sw_net_free_blocks(sw_net *net) {
    for (int i = 0; i < SW_NET_BLOCK_CLASSES; i++)
        drop(&net->blocks[i], net->blocks[i].count);
}
