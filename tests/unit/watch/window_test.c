/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "watch/past.h"
#include "watch/watch_private.h"

static sw_error error;
static uint64_t seed = 11;
static int64_t now_ms;

static int64_t test_clock(void) {
    return now_ms;
}

enum { START = 29000000, MINUTE_MS = 60000, SPAN = 15 };

/* ---- A model of two numbers that answers with a class ---- */

static char folder[64];
static sw_arena arena;
static sw_db *db;
static sw_watch *watch;
static sw_signature signature;
static sw_observer *observer;
static sw_shard *shard;
static sw_watched *watched;
static sw_record *record;
static const sw_str model = SW_STR("fraud"), hash = SW_STR("5f1c");

static bool set_up(void) {
    char path[96];
    now_ms = START * (int64_t)MINUTE_MS;
    snprintf(folder, sizeof folder, "/tmp/sw_window_test_XXXXXX");
    if (!mkdtemp(folder))
        return false;
    snprintf(path, sizeof path, "%s/slipway.db", folder);
    signature = testing_signature(&arena, 2, SW_FP32);
    signature.outputs[0].dtype = SW_INT64;
    CHECK_OK(sw_observer_make(&observer, &signature, NULL, NULL, &error), error);
    CHECK_OK(sw_shard_make(&shard, observer, &error), error);
    CHECK_OK(sw_db_open(&db, path, &error), error);
    CHECK_OK(sw_watch_open_still(&watch, db, test_clock, &error), error);
    CHECK_OK(sw_watch_add(&watched, watch, model, 1, hash, observer, NULL, NULL, &error), error);
    record = watched->record;
    return observer->label_count == 1;
}

static void tear_down(void) {
    char command[128];
    sw_watch_close(watch);
    sw_db_close(db);
    sw_shard_free(shard);
    sw_observer_free(observer);
    sw_arena_reset(&arena);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
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

static uint64_t count_of(const sw_labels *labels, const sw_label *wanted) {
    for (int i = 0; i < SW_LABEL_SLOTS; i++)
        if (labels->slots[i].count && labels->slots[i].len == wanted->len &&
            memcmp(labels->slots[i].text, wanted->text, wanted->len) == 0)
            return labels->slots[i].count;
    return 0;
}

static bool same_labels(const sw_labels *a, const sw_labels *b) {
    bool good = a->missing == b->missing && a->others == b->others && a->used == b->used;
    for (int i = 0; i < SW_LABEL_SLOTS && good; i++)
        good = a->slots[i].count == 0 || count_of(b, &a->slots[i]) == a->slots[i].count;
    return good;
}

static void plain_sum(sw_counts *out, int64_t from_minute) {
    REQUIRE_OK(sw_counts_make_for(out, observer, false, &error), error);
    REQUIRE_OK(sw_watch_sum(out, watch, &(sw_record_key){model, 1, hash, SW_STR("")}, from_minute,
                            INT64_MAX, &error),
               error);
}

static void slide(sw_sliding_window *window, sw_counts *out) {
    uint64_t changes;
    REQUIRE_OK(
        sw_watch_slide(window, out, &changes, record, sw_watch_minute(watch) - SPAN + 1, &error),
        error);
    CHECK_INT(changes, record->changes);
    sw_counts_add(out, &window->sum);
}

static void check_window(sw_sliding_window *window, int *exact) {
    sw_counts slid = {0}, plain = {0};
    slide(window, &slid);
    plain_sum(&plain, sw_watch_minute(watch) - SPAN + 1);
    CHECK_INT(slid.rows, plain.rows);
    CHECK(memcmp(slid.bins, plain.bins, plain.bin_count * sizeof *plain.bins) == 0);
    CHECK_INT(sw_counts_exact(&slid), sw_counts_exact(&plain));
    if (sw_counts_exact(&plain)) {
        CHECK(same_labels(&slid.labels[0], &plain.labels[0]));
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
    now_ms += minutes * MINUTE_MS;
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
        if (dice == 0)
            CHECK_OK(sw_watch_merge_at(watched, shard,
                                       now_ms - (int64_t)(sw_rng_next(&seed) % 20) * MINUTE_MS,
                                       &error),
                     error);
        else
            sw_watch_merge(watched, shard);
        if (dice < 3)
            CHECK(sw_watch_keep(watch));
        if (dice < 8)
            check_window(&window, &exact);
    }
    CHECK(exact > STEPS / 3 && exact < STEPS * 3 / 4);
    sw_counts_free(&window.sum);
    tear_down();
}

/* A row that no minute has tells whether the rest was counted anew. */
TEST(window__is_counted_anew_only_where_it_must_be) {
    sw_sliding_window window = {0};
    sw_counts slid = {0}, plain = {0};
    REQUIRE(set_up());
    for (int minute = 0; minute < 50; minute++) {
        now_ms += MINUTE_MS;
        count_rows(10, 5);
        sw_watch_merge(watched, shard);
        slide(&window, &slid);
        CHECK_INT(slid.rows, (minute < SPAN ? minute + 1 : SPAN) * 10 + (minute > 3));
        window.sum.rows += minute == 3;
        sw_counts_free(&slid);
    }
    CHECK_INT(window.minutes, SPAN - 1);

    /* Told late, of a minute that it holds; then of one that it does not. */
    CHECK(sw_watch_keep(watch));
    count_rows(7, 5);
    REQUIRE_OK(sw_watch_merge_at(watched, shard, now_ms - 5 * MINUTE_MS, &error), error);
    slide(&window, &slid);
    CHECK_INT(slid.rows, SPAN * 10 + 7);
    sw_counts_free(&slid);
    window.sum.rows++;
    count_rows(7, 5);
    REQUIRE_OK(sw_watch_merge_at(watched, shard, now_ms - 25 * MINUTE_MS, &error), error);
    slide(&window, &slid);
    CHECK_INT(slid.rows, SPAN * 10 + 7 + 1);
    sw_counts_free(&slid);

    /* More classes than a table takes: once it has to let a minute of them go. */
    now_ms += MINUTE_MS;
    count_rows(300, 100);
    sw_watch_merge(watched, shard);
    now_ms += MINUTE_MS;
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
    now_ms += MINUTE_MS;
    slide(&window, &slid);
    plain_sum(&plain, sw_watch_minute(watch) - SPAN + 1);
    CHECK_INT(slid.rows, plain.rows);
    sw_counts_free(&slid);
    sw_counts_free(&plain);
    sw_counts_free(&window.sum);
    tear_down();
}

TEST_MAIN
