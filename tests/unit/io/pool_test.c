/* SPDX-License-Identifier: Apache-2.0 */
#include "io/pool.h"
#include "unit/test.h"

#include <pthread.h>
#include <unistd.h>

static atomic_int ran, running, most;
static atomic_bool go;

static void wait_for(atomic_int *counter, int wanted) {
    for (int i = 0; i < 10000 && atomic_load(counter) < wanted; i++)
        usleep(1000);
}

static void hold(sw_task *task) {
    (void)task;
    int now = atomic_fetch_add(&running, 1) + 1;
    if (now > atomic_load(&most))
        atomic_store(&most, now);
    while (!atomic_load(&go))
        usleep(500);
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&ran, 1);
}

static void begin(bool let_go) {
    atomic_store(&ran, 0);
    atomic_store(&running, 0);
    atomic_store(&most, 0);
    atomic_store(&go, let_go);
}

TEST(pool__refuses_work_beyond_its_threads_and_places) {
    sw_error error = {.text = ""};
    sw_pool *pool;
    sw_task tasks[10];
    begin(false);
    REQUIRE_OK(sw_pool_start(&pool, "test", 2, 3, &error), error);
    for (int i = 0; i < 10; i++) {
        tasks[i] = (sw_task){.run = hold};
        sw_status status = sw_pool_submit(pool, &tasks[i]);
        CHECK_INT(status.code, i < 5 ? SW_CODE_OK : SW_CODE_BUSY);
    }
    wait_for(&running, 2);
    CHECK_INT(sw_pool_waiting(pool), 3);
    atomic_store(&go, true);
    sw_pool_stop(pool); /* runs what waits */
    CHECK_INT(atomic_load(&ran), 5);
    CHECK_INT(atomic_load(&most), 2);
}

TEST(pool__with_no_places_takes_what_its_threads_can_begin) {
    sw_error error = {.text = ""};
    sw_pool *pool;
    sw_task tasks[3] = {{.run = hold}, {.run = hold}, {.run = hold}};
    begin(false);
    REQUIRE_OK(sw_pool_start(&pool, "test", 2, 0, &error), error);
    CHECK_INT(sw_pool_submit(pool, &tasks[0]).code, SW_CODE_OK);
    CHECK_INT(sw_pool_submit(pool, &tasks[1]).code, SW_CODE_OK);
    CHECK_INT(sw_pool_submit(pool, &tasks[2]).code, SW_CODE_BUSY);
    atomic_store(&go, true);
    wait_for(&ran, 2);
    usleep(20000);
    CHECK_INT(sw_pool_submit(pool, &tasks[2]).code, SW_CODE_OK);
    sw_pool_stop(pool);
    CHECK_INT(atomic_load(&ran), 3);
}

enum { SUBMITTERS = 4, EACH = 5000 };
static sw_task many[SUBMITTERS][EACH];
static sw_pool *shared;

static void count(sw_task *task) {
    (void)task;
    atomic_fetch_add(&ran, 1);
}

static void *submit_all(void *argument) {
    sw_task *mine = argument;
    for (int i = 0; i < EACH; i++) {
        mine[i].run = count;
        while (sw_failed(sw_pool_submit(shared, &mine[i])))
            usleep(100);
    }
    return NULL;
}

TEST(pool__runs_everything_that_it_took) {
    sw_error error = {.text = ""};
    pthread_t threads[SUBMITTERS];
    begin(true);
    REQUIRE_OK(sw_pool_start(&shared, "test", 3, 100, &error), error);
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_create(&threads[i], NULL, submit_all, many[i]);
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    sw_pool_stop(shared);
    CHECK_INT(atomic_load(&ran), SUBMITTERS * EACH);
}

TEST(pool__needs_a_thread) {
    sw_error error = {.text = ""};
    sw_pool *pool;
    CHECK_INT(sw_pool_start(&pool, "test", 0, 1, &error).code, SW_CODE_INVALID);
    sw_pool_stop(NULL);
}

TEST_MAIN
