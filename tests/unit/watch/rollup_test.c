/* SPDX-License-Identifier: Apache-2.0 */
/* Minutes that become hours and days: no count is lost, none is doubled, whatever happens between. */
#include "unit/test.h"
#include "unit/watch/watch_testing.h"

#include "base/mem.h"
#include "watch/history_private.h"
#include "watch/windows_private.h"

#include <signal.h>
#include <sys/wait.h>

static sw_error error;
static uint64_t seed = 17;
static char folder[64];
static sw_db *db;

static const sw_str model = SW_STR("fraud"), hash = SW_STR("5f1c");

enum { BINS = 12, START = 29000000 - 29000000 % 1440 };

static bool open_db(void) {
    char path[96];
    snprintf(path, sizeof path, "%s/slipway.db", folder);
    sw_status status = sw_db_open(&db, path, &error);
    CHECK_OK(status, error);
    return !sw_failed(status);
}

static bool set_up(void) {
    snprintf(folder, sizeof folder, "/tmp/sw_rollup_test_XXXXXX");
    return mkdtemp(folder) && open_db();
}

static void tear_down(void) {
    char command[96];
    sw_db_close(db);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK_INT(system(command), 0);
}

static void fill(sw_counts *counts) {
    counts->rows = 1 + sw_rng_next(&seed) % 50;
    for (uint32_t i = 0; i < counts->bin_count; i++)
        counts->bins[i] = sw_rng_next(&seed) % 5;
    sw_labels_add(&counts->labels[0], sw_rng_next(&seed) % 2 ? SW_STR("yes") : SW_STR("no"), 3);
}

/* Adds a minute's counts to the database, and to `plain`. */
static void put_minute(sw_counts *plain, int64_t minute, sw_str replica, sw_str boot,
                       sw_str segment) {
    sw_counts counts;
    sw_buf bytes = {0};
    CHECK_OK(sw_counts_make(&counts, BINS, 1, &error), error);
    fill(&counts);
    sw_counts_encode(&bytes, &counts);
    const sw_window_row row = {.model = model,
                               .version = 1,
                               .profile_hash = hash,
                               .segment = segment,
                               .minute = minute,
                               .replica = replica,
                               .boot = boot,
                               .rows = counts.rows,
                               .counts = sw_buf_str(&bytes)};
    CHECK_OK(sw_windows_write(db, &row, 1, &error), error);
    if (plain)
        sw_counts_add(plain, &counts);
    sw_counts_free(&counts);
    sw_buf_free(&bytes);
}

typedef struct summed {
    sw_counts counts;
    int of_step[3];
} summed;

static sw_status add_row(const sw_window_row *row, void *context, sw_error *why) {
    summed *s = context;
    s->of_step[row->step == SW_STEP_MINUTE ? 0 : row->step == SW_STEP_HOUR ? 1 : 2]++;
    CHECK_INT(row->minute % row->step, 0);
    return sw_counts_add_encoded(&s->counts, row->counts, why);
}

static summed read_all(sw_str segment, int64_t from, int64_t to) {
    summed s = {.of_step = {0}};
    const sw_window_query query = {model, 1, hash, segment, from, to};
    CHECK_OK(sw_counts_make(&s.counts, BINS, 1, &error), error);
    CHECK_OK(sw_windows_read(db, &query, add_row, &s, &error), error);
    return s;
}

static uint64_t label_of(const sw_counts *counts, const char *text) {
    for (int i = 0; i < SW_LABEL_SLOTS; i++)
        if (counts->labels[0].slots[i].count &&
            sw_str_is((sw_str){counts->labels[0].slots[i].text, counts->labels[0].slots[i].len},
                      text))
            return counts->labels[0].slots[i].count;
    return 0;
}

static bool same(const sw_counts *a, const sw_counts *b) {
    return a->rows == b->rows && memcmp(a->bins, b->bins, BINS * sizeof *a->bins) == 0 &&
           label_of(a, "yes") == label_of(b, "yes") && label_of(a, "no") == label_of(b, "no");
}

static void roll_up(uint32_t step, int64_t before) {
    bool more = true;
    const sw_roll_up what = {.step = step, .before_minute = before};
    for (int i = 0; more && i < 1000; i++)
        REQUIRE_OK(sw_windows_roll_up(&more, db, &what, &error), error);
    CHECK(!more);
}

TEST(rollup__hours_and_days_equal_a_plain_recount) {
    sw_counts plain[2];
    REQUIRE(set_up());
    for (int i = 0; i < 2; i++)
        REQUIRE_OK(sw_counts_make(&plain[i], BINS, 1, &error), error);
    for (int i = 0; i < 900; i++) {
        int64_t minute = START + (int64_t)(sw_rng_next(&seed) % (3 * 1440));
        char boot[16];
        snprintf(boot, sizeof boot, "b%d", i); /* each its own, as after a restart */
        put_minute(&plain[i % 2], minute, i % 3 ? SW_STR("") : SW_STR("other"), sw_str_of(boot),
                   i % 2 ? SW_STR("country=DE") : SW_STR(""));
        if (i % 100 == 50) /* minutes that come later than their hour's roll-up, too */
            roll_up(SW_STEP_MINUTE, START + 1440 + i);
        if (i % 300 == 250)
            roll_up(SW_STEP_HOUR, START + 2 * 1440);
    }
    for (int pass = 0; pass < 3; pass++) {
        for (int i = 0; i < 2; i++) {
            summed s = read_all(i ? SW_STR("country=DE") : SW_STR(""), START, START + 3 * 1440);
            CHECK(same(&s.counts, &plain[i]));
            CHECK(pass < 2 || (s.of_step[0] == 0 && s.of_step[1] == 0 && s.of_step[2] <= 6));
            sw_counts_free(&s.counts);
        }
        roll_up(pass ? SW_STEP_HOUR : SW_STEP_MINUTE, START + 4 * 1440);
    }
    for (int i = 0; i < 2; i++)
        sw_counts_free(&plain[i]);
    tear_down();
}

TEST(rollup__takes_hours_that_have_ended_and_no_others) {
    sw_counts plain;
    REQUIRE(set_up());
    REQUIRE_OK(sw_counts_make(&plain, BINS, 1, &error), error);
    for (int i = 0; i < 180; i++)
        put_minute(&plain, START + i, SW_STR(""), SW_STR("b"), SW_STR(""));
    roll_up(SW_STEP_MINUTE, START + 119);
    summed s = read_all(SW_STR(""), START, START + 180);
    CHECK(same(&s.counts, &plain));
    CHECK_INT(s.of_step[0], 120);
    CHECK_INT(s.of_step[1], 1);
    sw_counts_free(&s.counts);
    roll_up(SW_STEP_MINUTE, START + 120);
    s = read_all(SW_STR(""), START + 60, START + 120); /* the second hour alone */
    CHECK_INT(s.of_step[0], 0);
    CHECK_INT(s.of_step[1], 1);
    sw_counts_free(&s.counts);
    sw_counts_free(&plain);
    tear_down();
}

TEST(rollup__one_version_alone_and_nothing_of_another) {
    REQUIRE(set_up());
    bool more;
    put_minute(NULL, START, SW_STR(""), SW_STR("b"), SW_STR(""));
    sw_roll_up what = {
        .model = model, .version = 2, .profile_hash = hash, .step = 1, .before_minute = START + 60};
    REQUIRE_OK(sw_windows_roll_up(&more, db, &what, &error), error);
    summed s = read_all(SW_STR(""), START, START + 60);
    CHECK_INT(s.of_step[0], 1);
    sw_counts_free(&s.counts);
    what.version = 1;
    REQUIRE_OK(sw_windows_roll_up(&more, db, &what, &error), error);
    s = read_all(SW_STR(""), START, START + 60);
    CHECK_INT(s.of_step[1], 1);
    sw_counts_free(&s.counts);
    tear_down();
}

TEST(rollup__rows_of_two_layouts_stay_apart_and_damaged_ones_go) {
    REQUIRE(set_up());
    put_minute(NULL, START, SW_STR(""), SW_STR("b"), SW_STR(""));
    const sw_window_row others[] = {/* form 1: 7 rows, 4 counters, no table; and nonsense */
                                    {.model = model,
                                     .version = 1,
                                     .profile_hash = hash,
                                     .minute = START + 1,
                                     .boot = SW_STR("b"),
                                     .rows = 7,
                                     .counts = SW_STR("\x01\x07\x04\x06\x00")},
                                    {.model = model,
                                     .version = 1,
                                     .profile_hash = hash,
                                     .minute = START + 2,
                                     .boot = SW_STR("b"),
                                     .rows = 7,
                                     .counts = SW_STR("\x02nonsense")}};
    REQUIRE_OK(sw_windows_write(db, others, 2, &error), error);
    roll_up(SW_STEP_MINUTE, START + 60);
    const sw_window_query query = {model, 1, hash, SW_STR(""), START, START + 60};
    summed s = {.of_step = {0}};
    REQUIRE_OK(sw_counts_make(&s.counts, BINS, 1, &error), error);
    sw_status status = sw_windows_read(db, &query, add_row, &s, &error);
    CHECK_INT(status.code, SW_CODE_INVALID); /* that of the other layout */
    CHECK_INT(s.of_step[0], 0);
    CHECK_INT(s.of_step[1], 2);
    sw_counts_free(&s.counts);
    tear_down();
}

/* kill -9 in the middle, again and again: a child rolls up, and is killed at a random time. */
TEST(rollup__killed_at_any_time_neither_loses_nor_doubles_a_count) {
    sw_counts plain;
    REQUIRE(set_up());
    REQUIRE_OK(sw_counts_make(&plain, BINS, 1, &error), error);
    for (int i = 0; i < 1000; i++)
        put_minute(&plain, START + i, SW_STR(""), SW_STR("b"), SW_STR(""));
    int rolled = 0;
    for (int round = 0; round < 25; round++) {
        sw_db_close(db);
        pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            if (!open_db())
                _exit(2);
            for (;;)
                roll_up(SW_STEP_MINUTE, START + 60 * (round + 1));
        }
        usleep((useconds_t)(3000 + sw_rng_next(&seed) % 40000));
        kill(child, SIGKILL);
        CHECK_INT(waitpid(child, NULL, 0), child);
        REQUIRE(open_db());
        summed s = read_all(SW_STR(""), START, START + 1440);
        CHECK(same(&s.counts, &plain));
        rolled = s.of_step[1] > rolled ? s.of_step[1] : rolled;
        sw_counts_free(&s.counts);
    }
    CHECK(rolled > 3);
    sw_counts_free(&plain);
    tear_down();
}

TEST_MAIN
