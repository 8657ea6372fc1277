/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: threads for what would block a loop.
 *
 * A first-in-first-out queue with a bound: beyond it, work is refused at once rather than piled up.
 *
 * Threads: sw_pool_submit from any.
 * Layer:   io.
 */
#ifndef SW_IO_POOL_H
#define SW_IO_POOL_H

#include "base/status.h"
#include "io/task.h"

#include <stdint.h>

typedef struct sw_pool sw_pool;

/* `threads` at most (started as they are needed), `queue_max` waiting tasks at most. */
SW_MUST_USE sw_status sw_pool_start(sw_pool **out, const char *name, uint32_t threads,
                                    uint32_t queue_max, sw_error *error);
/* Runs what is queued, joins the threads, frees. NULL is fine. */
void sw_pool_stop(sw_pool *pool);

/* BUSY where the queue is full. */
SW_MUST_USE sw_status sw_pool_submit(sw_pool *pool, sw_task *task);
uint32_t sw_pool_waiting(const sw_pool *pool);

#endif /* SW_IO_POOL_H */
