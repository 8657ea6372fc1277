/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/process.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SECOND_MS = 1000 };

typedef struct hook_list {
    sw_loop_hook at[SW_LOOP_HOOKS_MAX];
    uint32_t count;
} hook_list;

struct sw_loop {
    uv_loop_t uv;
    uv_async_t wakeup;
    uv_check_t turn_end;
    uv_idle_t hurry;
    uv_timer_t second;
    _Atomic(sw_task *) posted; /* newest first */
    hook_list on_turn_end;
    hook_list on_second;
    uint64_t now_ns;     /* 0 until this turn asked for it */
    uint64_t longest_ns; /* turn of the running second */
    _Atomic uint64_t lag_ns;
    uint32_t index;
    bool has_thread;
    bool made;
    pthread_t thread;
    sw_task stop;
};

struct sw_loops {
    uint32_t count;
    bool running;
    sw_loop at[];
};

static _Thread_local sw_loop *current;

static void run_hooks(sw_loop *loop, hook_list *hooks) {
    for (uint32_t i = 0; i < hooks->count; i++)
        hooks->at[i].run(hooks->at[i].context, loop);
}

/* Tasks are pushed newest first; turning the list round gives the order of posting. */
static sw_task *oldest_first(sw_task *newest) {
    sw_task *head = NULL;
    while (newest) {
        sw_task *older = newest->next;
        newest->next = head;
        head = newest;
        newest = older;
    }
    return head;
}

static void run_posted(uv_async_t *handle) {
    sw_loop *loop = handle->data;
    sw_task *task = oldest_first(atomic_exchange(&loop->posted, NULL));
    while (task) {
        sw_task *next = task->next;
        task->run(task);
        task = next;
    }
}

static void on_hurry(uv_idle_t *handle) {
    (void)handle;
}

static void end_turn(uv_check_t *handle) {
    sw_loop *loop = handle->data;
    uv_idle_stop(&loop->hurry); /* a hook may ask for one more turn */
    run_hooks(loop, &loop->on_turn_end);
    if (loop->now_ns) {
        uint64_t took_ns = sw_clock_ns() - loop->now_ns;
        if (took_ns > loop->longest_ns)
            loop->longest_ns = took_ns;
        loop->now_ns = 0;
    }
}

static void every_second(uv_timer_t *handle) {
    sw_loop *loop = handle->data;
    atomic_store_explicit(&loop->lag_ns, loop->longest_ns, memory_order_relaxed);
    loop->longest_ns = 0;
    run_hooks(loop, &loop->on_second);
    sw_loop_wake(loop);
}

static sw_status make_loop(sw_loop *loop, uint32_t index, sw_error *error) {
    loop->index = index;
    int failure = uv_loop_init(&loop->uv);
    if (failure)
        return sw_fail(error, SW_CODE_IO, "cannot make event loop %u: %s", index,
                       uv_strerror(failure));
    loop->made = true;
    failure = uv_async_init(&loop->uv, &loop->wakeup, run_posted);
    if (failure) {
        uv_loop_close(&loop->uv);
        loop->made = false;
        return sw_fail(error, SW_CODE_IO, "cannot make event loop %u: %s", index,
                       uv_strerror(failure));
    }
    uv_check_init(&loop->uv, &loop->turn_end);
    uv_idle_init(&loop->uv, &loop->hurry);
    uv_timer_init(&loop->uv, &loop->second);
    loop->wakeup.data = loop->turn_end.data = loop->hurry.data = loop->second.data = loop;
    uv_check_start(&loop->turn_end, end_turn);
    uv_timer_start(&loop->second, every_second, SECOND_MS, SECOND_MS);
    return SW_OK;
}

sw_status sw_loops_make(sw_loops **out, uint32_t count, sw_error *error) {
    *out = NULL;
    if (count == 0) {
        uint32_t cpus = sw_process_cpus();
        count = cpus < SW_LOOPS_MAX ? cpus : SW_LOOPS_MAX;
    }
    if (count > SW_LOOPS_MAX)
        return sw_fail(error, SW_CODE_INVALID, "%u loops asked for, %d are the most", count,
                       SW_LOOPS_MAX);
    sw_loops *loops = sw_mem_zalloc(1, sizeof *loops + count * sizeof loops->at[0]);
    if (!loops)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for %u event loops", count);
    for (uint32_t i = 0; i < count; i++) {
        sw_status status = make_loop(&loops->at[i], i, error);
        if (sw_failed(status)) {
            sw_loops_stop(loops);
            return status;
        }
        loops->count = i + 1;
    }
    *out = loops;
    return SW_OK;
}

static void *run_loop(void *argument) {
    sw_loop *loop = argument;
    current = loop;
    char name[16];
    snprintf(name, sizeof name, "loop-%u", loop->index);
    pthread_setname_np(pthread_self(), name);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    current = NULL;
    return NULL;
}

sw_status sw_loops_run(sw_loops *loops, sw_error *error) {
    /* Signals belong to the main thread; a write to a closed socket must not raise one here. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = 0;
    for (uint32_t i = 0; i < loops->count && failure == 0; i++) {
        sw_loop *loop = &loops->at[i];
        failure = pthread_create(&loop->thread, NULL, run_loop, loop);
        loop->has_thread = failure == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    loops->running = true;
    if (failure)
        return sw_fail(error, SW_CODE_IO, "cannot start a loop thread: %s", strerror(failure));
    return SW_OK;
}

static void close_handles(sw_task *task) {
    sw_loop *loop = SW_CONTAINER(task, sw_loop, stop);
    uv_close((uv_handle_t *)&loop->second, NULL);
    uv_close((uv_handle_t *)&loop->hurry, NULL);
    uv_close((uv_handle_t *)&loop->turn_end, NULL);
    uv_close((uv_handle_t *)&loop->wakeup, NULL);
}

static void stop_loop(sw_loop *loop) {
    loop->stop.run = close_handles;
    sw_loop_post(loop, &loop->stop);
    if (loop->has_thread)
        pthread_join(loop->thread, NULL);
    else
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
}

void sw_loops_stop(sw_loops *loops) {
    if (!loops)
        return;
    for (uint32_t i = 0; i < loops->count; i++)
        stop_loop(&loops->at[i]);
    sw_mem_free(loops);
}

bool sw_loops_running(const sw_loops *loops) {
    return loops->running;
}

uint32_t sw_loops_count(const sw_loops *loops) {
    return loops->count;
}

sw_loop *sw_loops_at(sw_loops *loops, uint32_t index) {
    return &loops->at[index];
}

uint32_t sw_loop_index(const sw_loop *loop) {
    return loop->index;
}

uv_loop_t *sw_loop_uv(sw_loop *loop) {
    return &loop->uv;
}

uint64_t sw_loop_now_ns(sw_loop *loop) {
    if (!loop->now_ns)
        loop->now_ns = sw_clock_ns();
    return loop->now_ns;
}

sw_loop *sw_loop_current(void) {
    return current;
}

static void add_hook(hook_list *hooks, sw_loop_hook hook) {
    if (hooks->count < SW_LOOP_HOOKS_MAX)
        hooks->at[hooks->count++] = hook;
}

void sw_loop_add_turn_end(sw_loop *loop, sw_loop_hook hook) {
    add_hook(&loop->on_turn_end, hook);
}

void sw_loop_add_every_second(sw_loop *loop, sw_loop_hook hook) {
    add_hook(&loop->on_second, hook);
}

static void remove_hooks(hook_list *hooks, const void *context) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < hooks->count; i++)
        if (hooks->at[i].context != context)
            hooks->at[kept++] = hooks->at[i];
    hooks->count = kept;
}

void sw_loop_remove_hooks(sw_loop *loop, const void *context) {
    remove_hooks(&loop->on_turn_end, context);
    remove_hooks(&loop->on_second, context);
}

void sw_loop_wake(sw_loop *loop) {
    uv_idle_start(&loop->hurry, on_hurry);
}

void sw_loop_post(sw_loop *loop, sw_task *task) {
    sw_task *newest = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do {
        task->next = newest;
    } while (!atomic_compare_exchange_weak(&loop->posted, &newest, task));
    if (!newest)
        uv_async_send(&loop->wakeup);
}

uint64_t sw_loop_lag_ns(const sw_loop *loop) {
    return atomic_load_explicit(&loop->lag_ns, memory_order_relaxed);
}
