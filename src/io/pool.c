/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"

#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

enum { NAME_BYTES = 16 };

struct sw_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;
    sw_task *first, *last;
    uint32_t waiting, waiting_max;
    uint32_t threads, threads_max, busy;
    bool stopping;
    char name[NAME_BYTES];
    pthread_t thread[];
};

sw_status sw_pool_start(sw_pool **out, const char *name, uint32_t threads, uint32_t queue_max,
                        sw_error *error) {
    *out = NULL;
    if (threads == 0)
        return sw_fail(error, SW_CODE_INVALID, "pool %s needs at least one thread", name);
    sw_pool *pool = sw_mem_zalloc(1, sizeof *pool + threads * sizeof pool->thread[0]);
    if (!pool)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for pool %s", name);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pool->threads_max = threads;
    pool->waiting_max = queue_max;
    strncpy(pool->name, name, NAME_BYTES - 1);
    *out = pool;
    return SW_OK;
}

/* With the lock held. NULL once the pool stops and its queue is empty. */
static sw_task *next_task(sw_pool *pool) {
    while (!pool->first && !pool->stopping)
        pthread_cond_wait(&pool->work, &pool->lock);
    sw_task *task = pool->first;
    if (task) {
        pool->first = task->next;
        pool->waiting--;
        pool->busy++;
    }
    return task;
}

static void *work(void *argument) {
    sw_pool *pool = argument;
    pthread_setname_np(pthread_self(), pool->name);
    pthread_mutex_lock(&pool->lock);
    for (sw_task *task; (task = next_task(pool)) != NULL;) {
        pthread_mutex_unlock(&pool->lock);
        task->run(task);
        pthread_mutex_lock(&pool->lock);
        pool->busy--;
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* With the lock held. */
static void start_thread(sw_pool *pool) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&pool->thread[pool->threads], NULL, work, pool) == 0)
        pool->threads++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* With the lock held. */
static bool has_room(const sw_pool *pool) {
    uint64_t room = (uint64_t)pool->waiting_max + pool->threads_max - pool->busy;
    return !pool->stopping && pool->waiting < room;
}

/* With the lock held. */
static void append(sw_pool *pool, sw_task *task) {
    task->next = NULL;
    if (pool->first)
        pool->last->next = task;
    else
        pool->first = task;
    pool->last = task;
    pool->waiting++;
}

sw_status sw_pool_submit(sw_pool *pool, sw_task *task) {
    pthread_mutex_lock(&pool->lock);
    bool taken = has_room(pool);
    bool all_spoken_for = pool->waiting >= pool->threads - pool->busy;
    if (taken && all_spoken_for && pool->threads < pool->threads_max)
        start_thread(pool);
    taken = taken && pool->threads > 0;
    if (taken) {
        append(pool, task);
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return taken ? SW_OK : (sw_status){SW_CODE_BUSY};
}

uint32_t sw_pool_waiting(const sw_pool *pool) {
    sw_pool *locked = (sw_pool *)pool;
    pthread_mutex_lock(&locked->lock);
    uint32_t waiting = pool->waiting;
    pthread_mutex_unlock(&locked->lock);
    return waiting;
}

void sw_pool_stop(sw_pool *pool) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->threads; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    sw_mem_free(pool);
}
