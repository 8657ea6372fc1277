/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/watch/watch_server.h"

#include "base/mem.h"
#include "watch/past.h"

static uint64_t seed = 11;

enum { SPAN = 15, MINUTE_MS = 60000 };

/* A model of two numbers that answers with a class. */
static bool set_up(void) {
    begin_server();
    signature = testing_signature(&arena, 2, SW_FP32);
    signature.outputs[0].dtype = SW_INT64;
    return make_server() && observer->label_count == 1;
}

static void count_rows(uint64_t rows, uint64_t classes) {
    for (uint64_t i = 0; i < rows; i++) {
        float x[2] = {(float)testing_normal(&seed), (float)exp(testing_normal(&seed))};
        int64_t class = (int64_t)(sw_rng_next(&seed) % classes);
        sw_tensor in = {.dtype = SW_FP32, .count = 2, .data = x},
                  out = {.dtype = SW_INT64, .count = 1, .data = &class};
        sw_observe(shard, &in, &out, 1);
    }
}

/* ---- Against a recount ---- */

static void plain_sum(sw_counts *out, int64_t from_minute) {
    REQUIRE_OK(sw_counts_make_for(out, observer, false, &error), error);
    REQUIRE_OK(sw_watch_sum(out, watch, &(sw_record_key){model, 1, hash, SW_STR("")}, from_minute,
                            INT64_MAX, &error),
               error);
}

static void slide(sw_sliding_window *window, sw_counts *out) {
    uint64_t changes;
    REQUIRE_OK(sw_watch_slide(window, out, &changes, watched->record, minute - SPAN + 1, &error),
               error);
    CHECK_INT(changes, watched->record->changes);
    sw_counts_add(out, &window->sum);
}

static void check_window(sw_sliding_window *window, int *exact) {
    sw_counts slid = {0}, plain = {0};
    slide(window, &slid);
    plain_sum(&plain, minute - SPAN + 1);
    CHECK_INT(slid.rows, plain.rows);
    CHECK(memcmp(slid.bins, plain.bins, plain.bin_count * sizeof *plain.bins) == 0);
    CHECK_INT(sw_counts_exact(&slid), sw_counts_exact(&plain));
    if (sw_counts_exact(&plain)) {
        CHECK(testing_same_labels(&slid.labels[0], &plain.labels[0]));
        ++*exact;
    }
    sw_counts_free(&slid);
    sw_counts_free(&plain);
}

/* Mostly minute by minute; now and then it stands still, leaps, or steps back. */
static void turn_clock(void) {
    uint64_t dice = sw_rng_next(&seed) % 100;
    int64_t minutes = dice < 30   ? 0
                      : dice < 90 ? 1
                      : dice < 95 ? 2 + (int64_t)(sw_rng_next(&seed) % 12)
                      : dice < 98 ? -1 - (int64_t)(sw_rng_next(&seed) % 20)
                                  : 70;
    if (minutes > 60)
        CHECK(sw_watch_keep(watch)); /* or minutes would be lost */
    set_minute(minute + minutes);
}

TEST(window__that_slides_holds_what_a_recount_gives) {
    enum { STEPS = 6000 };
    sw_sliding_window window = {0};
    int exact = 0;
    REQUIRE(set_up());
    for (int step = 0; step < STEPS; step++) {
        /* For some hours there are more classes than a table takes. */
        bool many = step / 500 % 3 == 2;
        uint64_t dice = sw_rng_next(&seed) % 10;
        turn_clock();
        count_rows(sw_rng_next(&seed) % 40, many ? 100 : 40);
        int64_t told_ms = test_clock() - (int64_t)(sw_rng_next(&seed) % 20) * MINUTE_MS;
        if (dice == 0)
            CHECK_OK(sw_watch_merge_at(watched, shard, told_ms, &error), error);
        else
            sw_watch_merge(watched, shard);
        if (dice < 3)
            CHECK(sw_watch_keep(watch));
        if (dice < 8)
            check_window(&window, &exact);
    }
    CHECK(exact > STEPS / 3 && exact < STEPS * 3 / 4);
    sw_counts_free(&window.sum);
    end_server();
}

/* A row that no minute has tells whether the rest was counted anew. */
TEST(window__is_counted_anew_only_where_it_must_be) {
    sw_sliding_window window = {0};
    sw_counts slid = {0}, plain = {0};
    REQUIRE(set_up());
    for (int i = 0; i < 50; i++) {
        set_minute(minute + 1);
        count_rows(10, 5);
        sw_watch_merge(watched, shard);
        slide(&window, &slid);
        CHECK_INT(slid.rows, (i < SPAN ? i + 1 : SPAN) * 10 + (i > 3));
        window.sum.rows += i == 3;
        sw_counts_free(&slid);
    }
    CHECK_INT(window.minutes, SPAN - 1);

    /* Told late, of a minute that it holds; then of one that it does not. */
    CHECK(sw_watch_keep(watch));
    count_rows(7, 5);
    REQUIRE_OK(sw_watch_merge_at(watched, shard, (minute - 5) * MINUTE_MS, &error), error);
    slide(&window, &slid);
    CHECK_INT(slid.rows, SPAN * 10 + 7);
    sw_counts_free(&slid);
    window.sum.rows++;
    count_rows(7, 5);
    REQUIRE_OK(sw_watch_merge_at(watched, shard, (minute - 25) * MINUTE_MS, &error), error);
    slide(&window, &slid);
    CHECK_INT(slid.rows, SPAN * 10 + 7 + 1);
    sw_counts_free(&slid);

    /* More classes than a table takes: once it has to let a minute of them go. */
    set_minute(minute + 1);
    count_rows(300, 100);
    sw_watch_merge(watched, shard);
    set_minute(minute + 1);
    count_rows(300, 100);
    sw_watch_merge(watched, shard);
    slide(&window, &slid);
    CHECK_INT(slid.rows, (SPAN - 2) * 10 + 600 + 7 + 1);
    CHECK(!sw_counts_exact(&slid));
    sw_counts_free(&slid);
    count_rows(5, 5);
    sw_watch_merge(watched, shard);
    slide(&window, &slid);
    CHECK_INT(slid.rows, (SPAN - 2) * 10 + 605 + 7 + 1);
    sw_counts_free(&slid);
    set_minute(minute + 1);
    slide(&window, &slid);
    plain_sum(&plain, minute - SPAN + 1);
    CHECK_INT(slid.rows, plain.rows);
    sw_counts_free(&slid);
    sw_counts_free(&plain);
    sw_counts_free(&window.sum);
    end_server();
}

TEST(window__that_found_no_memory_is_right_the_next_time) {
    enum { STEPS = 400, ALLOCATIONS = 8 };
    sw_sliding_window window = {0};
    int exact = 0, failures = 0;
    REQUIRE(set_up());
    for (int step = 0; step < STEPS; step++) {
        sw_counts slid = {0};
        uint64_t changes;
        set_minute(minute + 1);
        count_rows(20, 30);
        sw_watch_merge(watched, shard);
        CHECK(sw_watch_keep(watch));
        sw_mem_fail_at((size_t)(step % ALLOCATIONS) + 1);
        sw_status status =
            sw_watch_slide(&window, &slid, &changes, watched->record, minute - SPAN + 1, &error);
        sw_mem_fail_at(0);
        CHECK(status.code == SW_CODE_OK || status.code == SW_CODE_NO_MEMORY);
        CHECK_INT(slid.bins != NULL, status.code == SW_CODE_OK);
        failures += sw_failed(status);
        sw_counts_free(&slid);
        check_window(&window, &exact);
    }
    CHECK_INT(exact, STEPS);
    CHECK(failures > STEPS / 2 && failures < STEPS);
    sw_counts_free(&window.sum);
    end_server();
}

TEST_MAIN
