/* SPDX-License-Identifier: Apache-2.0 */
#include "model/stop.h"

#include <sched.h>
#include <stddef.h>

static void lock(sw_stop *stop) {
    while (atomic_exchange_explicit(&stop->busy, true, memory_order_acquire))
        sched_yield();
}

static void unlock(sw_stop *stop) {
    atomic_store_explicit(&stop->busy, false, memory_order_release);
}

void sw_stop_init(sw_stop *stop) {
    atomic_init(&stop->asked, false);
    atomic_init(&stop->busy, false);
    stop->hook = NULL;
    stop->context = NULL;
}

void sw_stop_ask(sw_stop *stop) {
    lock(stop);
    atomic_store_explicit(&stop->asked, true, memory_order_relaxed);
    if (stop->hook)
        stop->hook(stop->context);
    unlock(stop);
}

void sw_stop_enter(sw_stop *stop, void (*hook)(void *context), void *context) {
    if (!stop)
        return;
    lock(stop);
    stop->hook = hook;
    stop->context = context;
    if (atomic_load_explicit(&stop->asked, memory_order_relaxed))
        hook(context);
    unlock(stop);
}

void sw_stop_leave(sw_stop *stop) {
    if (!stop)
        return;
    lock(stop);
    stop->hook = NULL;
    stop->context = NULL;
    unlock(stop);
}
