/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem: the heap, with a place to make it fail.
 *
 * Every heap allocation of Slipway's own code goes through here. In builds with SW_FAULTS (all but
 * release) a test can make the Nth allocation of its thread fail, so that a sweep over N proves
 * that every such failure is survived.
 *
 * Memory:  sw_mem_free what sw_mem_alloc and sw_mem_realloc return.
 * Threads: any; the fault counter is per thread.
 * Layer:   base.
 */
#ifndef SW_BASE_MEM_H
#define SW_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

/* NULL when memory is out (or a test says so). Contents undefined. */
void *sw_mem_alloc(size_t size_bytes);
/* As above, zeroed; NULL too where count * size overflows. */
void *sw_mem_zalloc(size_t count, size_t size_bytes);
/* On NULL the old block is still there and yours. */
void *sw_mem_realloc(void *block, size_t size_bytes);
/* A copy with a NUL behind it, or NULL. */
char *sw_mem_copy(const char *at, size_t len);
void sw_mem_free(void *block);

#ifdef SW_FAULTS
/* The `nth` allocation from now on this thread fails (1 = the next); 0 turns it off. */
void sw_mem_fail_at(size_t nth);
/* Whether the planned failure has happened. */
bool sw_mem_failed(void);
#endif

#endif /* SW_BASE_MEM_H */
