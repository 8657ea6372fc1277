/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: one event loop a core, each on its own thread, sharing nothing.
 *
 * A turn of a loop: wait for events, run their callbacks, then the turn-end hooks in the order in
 * which they were added (requests that came in one turn run as one batch there, replies are
 * flushed there), then sleep again. Code on a loop never blocks: what may block goes to a pool.
 *
 * Memory:  sw_loops_stop frees what sw_loops_start made.
 * Threads: sw_loop_post from any; all else on the loop's own thread, or before it runs.
 * Layer:   io.
 */
#ifndef SW_IO_LOOP_H
#define SW_IO_LOOP_H

#include "base/status.h"
#include "io/task.h"

#include <stdint.h>
#include <uv.h>

typedef struct sw_loop sw_loop;
typedef struct sw_loops sw_loops;

typedef struct sw_loop_hook {
    void (*run)(void *context, sw_loop *loop);
    void *context;
} sw_loop_hook;

enum { SW_LOOPS_MAX = 64, SW_LOOP_HOOKS_MAX = 8 };

/* Makes `count` loops (0 = one for each CPU this process may run on), not yet running. */
SW_MUST_USE sw_status sw_loops_make(sw_loops **out, uint32_t count, sw_error *error);
/* Starts a thread for each. */
SW_MUST_USE sw_status sw_loops_run(sw_loops *loops, sw_error *error);
/* Asks each to end once its handles are closed, waits for the threads and frees all. */
void sw_loops_stop(sw_loops *loops);

bool sw_loops_running(const sw_loops *loops);
uint32_t sw_loops_count(const sw_loops *loops);
sw_loop *sw_loops_at(sw_loops *loops, uint32_t index);

uint32_t sw_loop_index(const sw_loop *loop);
uv_loop_t *sw_loop_uv(sw_loop *loop);
/* Monotonic; read once a turn, when it is first asked for. */
uint64_t sw_loop_now_ns(sw_loop *loop);
/* The loop whose thread this is, or NULL. */
sw_loop *sw_loop_current(void);

/* Before sw_loops_run, for each loop. */
void sw_loop_add_turn_end(sw_loop *loop, sw_loop_hook hook);
/* Runs once a second on the loop, before sw_loops_run. */
void sw_loop_add_every_second(sw_loop *loop, sw_loop_hook hook);
/* Takes away both kinds of hook that have this context: on the loop, or while it does not run. */
void sw_loop_remove_hooks(sw_loop *loop, const void *context);
/* Makes sure that the current turn gets to its end without waiting for another event. */
void sw_loop_wake(sw_loop *loop);

/* Runs `task` on the loop soon, in the order of posting. Never fails; allocates nothing. */
void sw_loop_post(sw_loop *loop, sw_task *task);

/* The longest that an event was found to wait behind others in the last second. */
uint64_t sw_loop_lag_ns(const sw_loop *loop);

#endif /* SW_IO_LOOP_H */
