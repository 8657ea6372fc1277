/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop: a handle by which another thread ends a long run.
 *
 * Whoever starts a run that may be long keeps an sw_stop beside it; a lost client or a passed
 * deadline asks it to stop. An engine either looks at it between blocks of rows, or hangs in a
 * hook for the length of its run (ONNX Runtime has a call of its own to end a run).
 *
 * Memory:  the caller's; a zeroed one is ready. Outlives the run. Not used for two runs at once.
 * Threads: any. sw_stop_leave waits for a hook that runs at that moment.
 * Layer:   model.
 */
#ifndef SW_MODEL_STOP_H
#define SW_MODEL_STOP_H

#include <stdatomic.h>
#include <stdbool.h>

typedef struct sw_stop {
    atomic_bool asked;
    atomic_bool busy; /* guards hook and context, held for some ten ns */
    void (*hook)(void *context);
    void *context;
} sw_stop;

/* Ready for another run; not while one is under way. */
void sw_stop_init(sw_stop *stop);
/* Ends the run that is under way, and any that is started with it later (CANCELLED). */
void sw_stop_ask(sw_stop *stop);

static inline bool sw_stop_asked(const sw_stop *stop) {
    return stop && atomic_load_explicit(&stop->asked, memory_order_relaxed);
}

/* For engines: `hook` may be called from another thread until sw_stop_leave has returned. NULL is
 * fine. */
void sw_stop_enter(sw_stop *stop, void (*hook)(void *context), void *context);
void sw_stop_leave(sw_stop *stop);

#endif /* SW_MODEL_STOP_H */
