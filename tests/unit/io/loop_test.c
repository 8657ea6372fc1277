/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "io/loop.h"
#include "unit/test.h"

#include <pthread.h>
#include <unistd.h>

static void wait_for(atomic_int *counter, int wanted) {
    for (int i = 0; i < 10000 && atomic_load(counter) < wanted; i++)
        usleep(1000);
}

typedef struct note {
    sw_task task;
    int poster, number;
} note;

enum { POSTERS = 4, NOTES = 20000 };
static note notes[POSTERS][NOTES];
static int last_of[POSTERS];
static bool in_order;
static atomic_int notes_run;
static sw_loops *loops;

static void run_note(sw_task *task) {
    const note *n = SW_CONTAINER(task, note, task);
    in_order = in_order && n->number == last_of[n->poster] + 1 &&
               sw_loop_current() == sw_loops_at(loops, 0);
    last_of[n->poster] = n->number;
    atomic_fetch_add(&notes_run, 1);
}

static void *post_notes(void *argument) {
    note *mine = argument;
    for (int i = 0; i < NOTES; i++)
        sw_loop_post(sw_loops_at(loops, 0), &mine[i].task);
    return NULL;
}

TEST(loop__runs_every_posted_task_once_in_the_order_of_its_poster) {
    sw_error error = {.text = ""};
    pthread_t threads[POSTERS];
    REQUIRE_OK(sw_loops_make(&loops, 2, &error), error);
    in_order = true;
    for (int p = 0; p < POSTERS; p++) {
        last_of[p] = -1;
        for (int i = 0; i < NOTES; i++)
            notes[p][i] = (note){.task = {.run = run_note}, .poster = p, .number = i};
    }
    REQUIRE_OK(sw_loops_run(loops, &error), error);
    for (int p = 0; p < POSTERS; p++)
        pthread_create(&threads[p], NULL, post_notes, notes[p]);
    for (int p = 0; p < POSTERS; p++)
        pthread_join(threads[p], NULL);
    wait_for(&notes_run, POSTERS * NOTES);
    sw_loops_stop(loops);
    CHECK_INT(atomic_load(&notes_run), POSTERS * NOTES);
    CHECK(in_order);
}

/* What ran, in order: t = the task, a and b = hooks. */
static char order[64];
static atomic_int order_len;

static void write_order(char c) {
    int at = atomic_load(&order_len);
    if (at < 60)
        order[at] = c;
    atomic_store(&order_len, at + 1);
}

static void run_t(sw_task *task) {
    (void)task;
    write_order('t');
}

static void hook(void *context, sw_loop *loop) {
    (void)loop;
    if (atomic_load(&order_len) > 0)
        write_order(*(const char *)context);
}

TEST(loop__runs_hooks_at_the_turns_end_in_the_order_they_were_added) {
    sw_error error = {.text = ""};
    sw_task tasks[2] = {{.run = run_t}, {.run = run_t}};
    REQUIRE_OK(sw_loops_make(&loops, 1, &error), error);
    sw_loop *loop = sw_loops_at(loops, 0);
    sw_loop_add_turn_end(loop, (sw_loop_hook){hook, "a"});
    sw_loop_add_turn_end(loop, (sw_loop_hook){hook, "b"});
    sw_loop_post(loop, &tasks[0]);
    sw_loop_post(loop, &tasks[1]);
    REQUIRE_OK(sw_loops_run(loops, &error), error);
    wait_for(&order_len, 4);
    sw_loops_stop(loops);
    CHECK(strncmp(order, "ttab", 4) == 0);
}

static atomic_int woken, woken_at_ms;
static uint64_t begin_ns;

static void wake_again(void *context, sw_loop *loop) {
    (void)context;
    if (atomic_fetch_add(&woken, 1) < 100)
        sw_loop_wake(loop);
    else if (!atomic_load(&woken_at_ms))
        atomic_store(&woken_at_ms, (int)((sw_clock_ns() - begin_ns) / SW_NS_PER_MS) + 1);
}

TEST(loop__a_woken_loop_takes_another_turn_at_once) {
    sw_error error = {.text = ""};
    sw_task task = {.run = run_t};
    REQUIRE_OK(sw_loops_make(&loops, 1, &error), error);
    sw_loop_add_turn_end(sw_loops_at(loops, 0), (sw_loop_hook){wake_again, NULL});
    begin_ns = sw_clock_ns();
    sw_loop_post(sw_loops_at(loops, 0), &task);
    REQUIRE_OK(sw_loops_run(loops, &error), error);
    wait_for(&woken_at_ms, 1);
    CHECK(atomic_load(&woken_at_ms) > 0 && atomic_load(&woken_at_ms) < 500);
    int before = atomic_load(&woken);
    usleep(300000);
    CHECK(atomic_load(&woken) - before < 10); /* and then it sleeps */
    sw_loops_stop(loops);
}

static void be_slow(sw_task *task) {
    (void)task;
    sw_loop_now_ns(sw_loop_current());
    usleep(50000);
}

static atomic_int seconds;

static void count_second(void *context, sw_loop *loop) {
    (void)context;
    (void)loop;
    atomic_fetch_add(&seconds, 1);
}

TEST(loop__measures_its_lag_every_second) {
    sw_error error = {.text = ""};
    sw_task task = {.run = be_slow};
    REQUIRE_OK(sw_loops_make(&loops, 1, &error), error);
    sw_loop *loop = sw_loops_at(loops, 0);
    sw_loop_add_every_second(loop, (sw_loop_hook){count_second, &seconds});
    sw_loop_post(loop, &task);
    REQUIRE_OK(sw_loops_run(loops, &error), error);
    wait_for(&seconds, 1);
    CHECK(sw_loop_lag_ns(loop) >= 50 * SW_NS_PER_MS);
    wait_for(&seconds, 2);
    usleep(10000);
    CHECK(sw_loop_lag_ns(loop) < 50 * SW_NS_PER_MS);
    sw_loops_stop(loops);
}

TEST(loop__stops_without_having_run) {
    sw_error error = {.text = ""};
    REQUIRE_OK(sw_loops_make(&loops, 3, &error), error);
    CHECK_INT(sw_loops_count(loops), 3);
    CHECK(!sw_loops_running(loops));
    sw_loops_stop(loops);
    CHECK_INT(sw_loops_make(&loops, 1000, &error).code, SW_CODE_INVALID);
    REQUIRE_OK(sw_loops_make(&loops, 0, &error), error);
    CHECK(sw_loops_count(loops) >= 1);
    sw_loops_stop(loops);
}

TEST_MAIN
