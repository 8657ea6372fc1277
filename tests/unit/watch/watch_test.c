/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/watch/watch_server.h"

#include "base/mem.h"
#include "watch/windows_private.h"

#include <sqlite3.h>

static uint64_t seed = 5;

/* A model of three features. */
static bool set_up(void) {
    sw_buf csv = {0};
    begin_server();
    signature = testing_signature(&arena, 3, SW_FP32);
    sw_buf_add_lit(&csv, "x0,x1,x2\n");
    for (int i = 0; i < 5000; i++)
        sw_buf_printf(&csv, "%.9g,%.9g,%d\n", testing_normal(&seed), exp(testing_normal(&seed)),
                      i % 2);
    CHECK_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_buf_free(&csv);
    return make_server();
}

/* Rows like the reference's, x0 moved by `shift`. */
static void send_rows(sw_shard *to, int count, double shift) {
    for (int i = 0; i < count; i++) {
        float x[3] = {(float)(testing_normal(&seed) + shift), (float)exp(testing_normal(&seed)),
                      (float)(i % 2)};
        float score = (float)sw_rng_unit(&seed);
        sw_tensor in = {.dtype = SW_FP32, .count = 3, .data = x},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_observe(to, &in, &out, 1);
    }
}

static void serve_rows(int count, double shift) {
    send_rows(shard, count, shift);
    sw_watch_merge(watched, shard);
}

/* ---- Reports ---- */

TEST(watch__the_same_data_reads_as_the_same) {
    REQUIRE(set_up());
    serve_rows(2000, 0);
    json_t *root = report("", 15);
    CHECK_TEXT(text_of(root, "model"), "fraud");
    CHECK_TEXT(text_of(root, "state"), "same");
    CHECK_INT(json_integer_value(json_object_get(root, "version")), 1);
    CHECK_INT(json_integer_value(json_object_get(root, "rows")), 2000);
    CHECK_INT(json_integer_value(json_object_get(root, "rows_min")), 500);
    CHECK_INT(json_integer_value(json_object_get(root, "window_minutes")), 15);
    CHECK_INT(json_array_size(json_object_get(root, "features")), 3);
    json_t *x0 = column(root, "features", 0);
    CHECK_TEXT(text_of(x0, "name"), "x0");
    CHECK_TEXT(text_of(x0, "kind"), "numeric");
    CHECK_HAS(text_of(x0, "why"), "(below 0.1)");
    CHECK(json_real_value(json_object_get(x0, "psi")) < 0.05);
    CHECK_NEAR(json_number_value(json_object_get(x0, "median")), 0, 0.15);
    CHECK_NEAR(json_number_value(json_object_get(x0, "reference_median")), 0, 0.05);
    CHECK(json_array_size(json_object_get(x0, "bins")) <= 20);
    json_t *score = column(root, "outputs", 0);
    CHECK_TEXT(text_of(score, "name"), "score");
    CHECK_TEXT(text_of(score, "state"), "unwatched");
    CHECK_INT(json_array_size(json_object_get(score, "bins")), 20);
    CHECK_NEAR(json_number_value(json_object_get(score, "median")), 0.5, 0.05);
    json_decref(root);
    end_server();
}

TEST(watch__bars_add_up_to_all_values) {
    REQUIRE(set_up());
    serve_rows(3000, 4);
    json_t *root = report("", 15);
    for (size_t i = 0; i < 3; i++) {
        double live = 0, reference = 0;
        json_t *bins = json_object_get(column(root, "features", i), "bins"), *bin;
        size_t at;
        json_array_foreach(bins, at, bin) {
            live += json_number_value(json_object_get(bin, "live_share"));
            reference += json_number_value(json_object_get(bin, "reference_share"));
        }
        CHECK_NEAR(live, 1, 0.002);
        CHECK_NEAR(reference, 1, 0.002);
    }
    json_decref(root);
    end_server();
}

TEST(watch__a_shifted_feature_drifts_and_the_others_do_not) {
    REQUIRE(set_up());
    serve_rows(1000, 1);
    json_t *root = report("", 15);
    CHECK_TEXT(text_of(root, "state"), "drifted");
    CHECK_TEXT(text_of(column(root, "features", 0), "state"), "drifted");
    CHECK_HAS(text_of(column(root, "features", 0), "why"), "(above 0.2)");
    CHECK_TEXT(text_of(column(root, "features", 1), "state"), "same");
    CHECK_TEXT(text_of(column(root, "features", 2), "state"), "same");
    sw_watch_summary summary;
    REQUIRE_OK(sw_watch_summarise(&summary, watched, &error), error);
    CHECK_TEXT(summary.state, "drifted");
    CHECK_INT(summary.rows, 1000);
    CHECK_INT(summary.features, 3);
    CHECK_INT(summary.drifted, 1);
    CHECK_INT(summary.moved, 0);
    json_decref(root);
    end_server();
}

TEST(watch__few_rows_are_too_few_to_say) {
    REQUIRE(set_up());
    serve_rows(499, 3);
    json_t *root = report("", 15);
    CHECK_TEXT(text_of(root, "state"), "too few rows");
    CHECK_TEXT(text_of(column(root, "features", 0), "state"), "too few rows");
    CHECK_TEXT(text_of(column(root, "features", 0), "why"), "499 of 500 rows");
    json_decref(root);
    sw_watch_summary summary;
    REQUIRE_OK(sw_watch_summarise(&summary, watched, &error), error);
    CHECK_TEXT(summary.state, "too few rows");
    CHECK_INT(summary.too_few, 3);
    serve_rows(1, 3);
    REQUIRE_OK(sw_watch_summarise(&summary, watched, &error), error);
    CHECK_TEXT(summary.state, "drifted");
    end_server();
}

TEST(watch__a_version_without_a_profile_is_unwatched) {
    REQUIRE(set_up());
    sw_observer *bare;
    sw_shard *counts;
    sw_watched *second;
    sw_watch_summary summary;
    REQUIRE_OK(sw_observer_make(&bare, &signature, NULL, NULL, &error), error);
    REQUIRE_OK(sw_shard_make(&counts, bare, &error), error);
    REQUIRE_OK(sw_watch_add(&second, watch, model, 2, SW_STR(""), bare, NULL, NULL, &error), error);
    send_rows(counts, 700, 0);
    sw_watch_merge(second, counts);
    REQUIRE_OK(sw_watch_summarise(&summary, second, &error), error);
    CHECK_TEXT(summary.state, "unwatched");
    CHECK_INT(summary.rows, 700);
    sw_buf json = {0};
    REQUIRE_OK(sw_watch_report(&json, watch,
                               &(sw_watch_subject){.model = model,
                                                   .version = 2,
                                                   .signature = &signature,
                                                   .profile_hash = SW_STR("")},
                               SW_STR(""), 15, 0, &error),
               error);
    sw_buf_add_char(&json, '\0');
    CHECK_HAS(json.at, "\"state\":\"unwatched\"");
    CHECK_HAS(json.at, "no reference profile was pushed");
    sw_buf_free(&json);
    sw_watch_remove(second);
    sw_shard_free(counts);
    sw_observer_free(bare);
    end_server();
}

/* ---- Windows ---- */

TEST(watch__windows_hold_their_minutes_and_no_more) {
    REQUIRE(set_up());
    for (int i = 0; i < 80; i++) {
        set_minute(START + i);
        serve_rows(10 + i, 0);
        if (i % 7 == 0)
            CHECK(sw_watch_keep(watch));
    }
    CHECK(sw_watch_keep(watch));
    long long sum = 0;
    for (int minutes = 1; minutes <= 80; minutes++) {
        sum += 10 + 80 - minutes;
        if (minutes % 13 == 1 || minutes > 58)
            CHECK_INT(rows_of("", (uint32_t)minutes), sum);
    }
    sw_watch_summary summary;
    REQUIRE_OK(sw_watch_summarise(&summary, watched, &error), error);
    CHECK_INT(summary.rows, rows_of("", 15));
    set_minute(START + 83);
    REQUIRE_OK(sw_watch_summarise(&summary, watched, &error), error);
    CHECK_INT(summary.rows, rows_of("", 15));
    CHECK_INT(summary.rows, 11 * (79 + 89) / 2); /* minutes 69 to 79 */
    end_server();
}

TEST(watch__counts_survive_a_restart) {
    REQUIRE(set_up());
    serve_rows(300, 0);
    set_minute(START + 1);
    serve_rows(400, 0);
    stop_server();
    REQUIRE(start_server());
    CHECK_INT(rows_of("", 15), 700);
    serve_rows(50, 0);
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 15), 750);
    CHECK_INT(rows_of("", 1), 450);
    CHECK_INT(rows_of("", 200), 750); /* from the database */
    stop_server();
    REQUIRE(start_server());
    CHECK_INT(rows_of("", 15), 750);
    end_server();
}

TEST(watch__a_crash_loses_what_was_not_kept_and_no_more) {
    REQUIRE(set_up());
    serve_rows(300, 0);
    CHECK(sw_watch_keep(watch));
    serve_rows(50, 0);
    crash_server();
    REQUIRE(start_server());
    CHECK_INT(rows_of("", 15), 300);
    end_server();
}

TEST(watch__a_version_that_serves_again_counts_on) {
    REQUIRE(set_up());
    serve_rows(300, 0);
    sw_watch_remove(watched);
    CHECK(watch->records == NULL);
    CHECK_INT(rows_of("", 15), 300); /* not served now: from the database */
    REQUIRE_OK(sw_watch_add(&watched, watch, model, 1, hash, observer, &profile, NULL, &error),
               error);
    serve_rows(200, 0);
    CHECK_INT(rows_of("", 15), 500);
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 100), 500); /* one row of the minute, rewritten */
    end_server();
}

TEST(watch__a_version_that_replaces_itself_is_counted_once) {
    REQUIRE(set_up());
    sw_watched *second;
    sw_shard *counts;
    REQUIRE_OK(sw_watch_add(&second, watch, model, 1, hash, observer, &profile, NULL, &error),
               error);
    REQUIRE_OK(sw_shard_make(&counts, observer, &error), error);
    serve_rows(100, 0);
    send_rows(counts, 30, 0);
    sw_watch_merge(second, counts);
    CHECK(sw_watch_keep(watch));
    sw_watch_remove(watched);
    watched = second;
    serve_rows(5, 0);
    CHECK_INT(rows_of("", 15), 135);
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 100), 135);
    sw_shard_free(counts);
    end_server();
}

TEST(watch__a_clock_that_steps_back_loses_nothing) {
    REQUIRE(set_up());
    serve_rows(100, 0);
    set_minute(START + 1);
    serve_rows(10, 0);
    CHECK(sw_watch_keep(watch));
    set_minute(START);
    serve_rows(7, 0);
    CHECK(sw_watch_keep(watch));
    set_minute(START + 1);
    serve_rows(3, 0);
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 15), 120);
    CHECK_INT(rows_of("", 100), 120);
    stop_server();
    REQUIRE(start_server());
    CHECK_INT(rows_of("", 15), 120);
    end_server();
}

TEST(watch__old_minutes_are_removed) {
    REQUIRE(set_up());
    serve_rows(100, 0);
    CHECK(sw_watch_keep(watch));
    set_minute(START + SW_WATCH_DAYS_KEPT + 1440);
    serve_rows(10, 0);
    for (int i = 0; i < 3; i++) { /* to an hour, to a day, away */
        CHECK(sw_watch_keep(watch));
        set_minute(START + SW_WATCH_DAYS_KEPT + 1440 + 61 * (i + 1));
    }
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", UINT32_MAX), 10);
    set_minute(START + 10); /* look from back then */
    CHECK_INT(rows_of("", 100), 0);
    end_server();
}

TEST(watch__a_damaged_minute_is_left_out) {
    REQUIRE(set_up());
    serve_rows(100, 0);
    CHECK(sw_watch_keep(watch));
    sw_window_row row = {.model = model,
                         .version = 1,
                         .profile_hash = hash,
                         .minute = START - 1,
                         .boot = SW_STR("other"),
                         .rows = 9,
                         .counts = SW_STR("\x01nonsense")};
    REQUIRE_OK(sw_windows_write(db, &row, 1, &error), error);
    CHECK_INT(rows_of("", 100), 100);
    stop_server();
    REQUIRE(start_server());
    CHECK_INT(rows_of("", 15), 100);
    end_server();
}

static void run_sql(const char *sql) {
    sqlite3 *side;
    CHECK(sqlite3_open(scratch_path(folder, "slipway.db"), &side) == SQLITE_OK);
    sqlite3_busy_timeout(side, 2000);
    CHECK_INT(sqlite3_exec(side, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(side);
}

TEST(watch__a_database_that_takes_nothing_disturbs_no_counting) {
    REQUIRE(set_up());
    serve_rows(10, 0);
    CHECK(sw_watch_keep(watch));
    run_sql("ALTER TABLE watch_windows RENAME TO elsewhere");
    for (int i = 0; i < 70; i++) {
        set_minute(START + i);
        serve_rows(10, 0);
        CHECK(!sw_watch_keep(watch));
    }
    CHECK_INT(rows_of("", 60), 600);
    sw_watch_remove(watched); /* what could not be stored is kept for later */
    CHECK(watch->records != NULL);
    run_sql("ALTER TABLE elsewhere RENAME TO watch_windows");
    CHECK(sw_watch_keep(watch));
    CHECK(watch->records == NULL);
    CHECK_INT(rows_of("", 61), 610);
    REQUIRE_OK(sw_watch_add(&watched, watch, model, 1, hash, observer, &profile, NULL, &error),
               error);
    CHECK_INT(rows_of("", 60), 600);
    end_server();
}

/* ---- Counting, over all parts ---- */

static double random_value(int feature) {
    double x = testing_normal(&seed) * (feature == 1 ? 30 : 1.2);
    return sw_rng_next(&seed) % 17 == 0   ? NAN
           : sw_rng_next(&seed) % 97 == 0 ? (x > 0 ? INFINITY : -INFINITY)
                                          : x;
}

TEST(watch__sharded_merged_windowed_and_restored_counts_equal_a_plain_recount) {
    REQUIRE(set_up());
    sw_shard *shards[3] = {0};
    sw_counts plain, window;
    sw_keys32 keys[3];
    REQUIRE_OK(sw_counts_make_for(&plain, observer, false, &error), error);
    for (int i = 0; i < 3; i++) {
        double cuts[SW_KEYS_MAX];
        REQUIRE_OK(sw_shard_make(&shards[i], observer, &error), error);
        sw_keys32_fill(&keys[i], cuts, sw_bins_keys(cuts, &profile.columns[i]));
    }
    for (int step = 0; step < 400; step++) {
        size_t rows = 1 + sw_rng_next(&seed) % 100;
        static float x[300], scores[100];
        for (size_t i = 0; i < rows * 3; i++) {
            x[i] = (float)random_value((int)(i % 3));
            plain.bins[observer->columns[i % 3].first + sw_keys32_bin(&keys[i % 3], x[i])]++;
        }
        for (size_t i = 0; i < rows; i++) {
            scores[i] = (float)random_value(0);
            plain.bins[observer->columns[3].first + sw_score_bin((double)scores[i])]++;
        }
        plain.rows += rows;
        sw_tensor in = {.dtype = SW_FP32, .count = rows * 3, .data = x};
        sw_tensor out = {.dtype = SW_FP32, .count = rows, .data = scores};
        sw_shard *to = shards[sw_rng_next(&seed) % 3];
        sw_observe(to, &in, &out, rows);
        if (step % 5 == 0)
            sw_watch_merge(watched, to);
        if (step % 40 == 0)
            set_minute(START + step / 40);
        if (step % 90 == 7) {
            CHECK(sw_watch_keep(watch));
            stop_server();
            REQUIRE(start_server());
        }
    }
    for (int i = 0; i < 3; i++)
        sw_watch_merge(watched, shards[i]);
    for (uint32_t minutes = 60; minutes <= 61; minutes++) {
        REQUIRE_OK(sw_counts_make_for(&window, observer, false, &error), error);
        CHECK_OK(sw_watch_sum(&window, watch, &(sw_record_key){model, 1, hash, SW_STR("")},
                              sw_watch_minute(watch) - minutes + 1, INT64_MAX, &error),
                 error);
        CHECK_INT(window.rows, plain.rows);
        CHECK(memcmp(window.bins, plain.bins, plain.bin_count * sizeof *plain.bins) == 0);
        sw_counts_free(&window);
    }
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 1000), (long long)plain.rows);
    for (int i = 0; i < 3; i++)
        sw_shard_free(shards[i]);
    sw_counts_free(&plain);
    end_server();
}

/* ---- Threads ---- */

typedef struct loop {
    pthread_t thread;
    sw_watched *watched;
    int merges;
} loop;

static void *loop_main(void *context) {
    loop *self = context;
    sw_shard *own;
    sw_error why;
    uint64_t random = (uint64_t)(uintptr_t)self;
    if (sw_failed(sw_shard_make(&own, observer, &why)))
        return NULL;
    for (int i = 0; i < self->merges; i++) {
        float x[6] = {(float)sw_rng_unit(&random), 1, 0, (float)sw_rng_unit(&random), 2, 1},
              scores[2] = {0.5F, 0.7F};
        sw_tensor in = {.dtype = SW_FP32, .count = 6, .data = x},
                  out = {.dtype = SW_FP32, .count = 2, .data = scores};
        sw_observe(own, &in, &out, 2);
        sw_watch_merge(self->watched, own);
    }
    sw_shard_free(own);
    return NULL;
}

TEST(watch__loops_merge_while_others_read_keep_and_swap) {
    REQUIRE(set_up());
    loop loops[3];
    for (int i = 0; i < 3; i++) {
        loops[i] = (loop){.watched = watched, .merges = 3000};
        REQUIRE(pthread_create(&loops[i].thread, NULL, loop_main, &loops[i]) == 0);
    }
    for (int i = 0; i < 40; i++) {
        sw_watch_summary summary;
        sw_watched *other;
        set_minute(START + i / 4);
        CHECK(sw_watch_keep(watch));
        CHECK_OK(sw_watch_summarise(&summary, watched, &error), error);
        CHECK(rows_of("", 60) >= 0);
        REQUIRE_OK(sw_watch_add(&other, watch, model, 1, hash, observer, &profile, NULL, &error),
                   error);
        sw_watch_remove(other);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(loops[i].thread, NULL);
    CHECK_INT(rows_of("", 60), 3 * 3000 * 2);
    CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 1000), 3 * 3000 * 2);
    end_server();
}

TEST(watch__the_keeper_stores_the_running_minute_by_itself) {
    REQUIRE(set_up());
    sw_watch *live;
    sw_watched *other;
    REQUIRE_OK(sw_watch_open(&live, db, &error), error);
    REQUIRE_OK(
        sw_watch_add(&other, live, SW_STR("live"), 7, hash, observer, &profile, NULL, &error),
        error);
    send_rows(shard, 20, 0);
    sw_watch_merge(other, shard);
    sw_record *record = live->records;
    bool written = false;
    for (int i = 0; i < 100 && !written; i++) {
        usleep(50000);
        pthread_mutex_lock(&record->lock);
        written = record->written == record->changes;
        pthread_mutex_unlock(&record->lock);
    }
    CHECK(written);
    sw_watch_remove(other);
    sw_watch_close(live);
    end_server();
}

typedef struct told {
    int count;
    uint64_t rows;
    sw_str feature;
} told;

static void tell(sw_str feature, uint64_t rows, void *context) {
    told *t = context;
    *t = (told){t->count + 1, rows, feature};
}

TEST(watch__ten_thousand_features_are_counted_and_judged) {
    enum { MANY = 10000 };
    REQUIRE(set_up());
    sw_arena big = {0};
    sw_signature wide = testing_signature(&big, MANY, SW_FP32);
    double *cuts = sw_arena_zalloc(&big, 63, sizeof *cuts);
    uint64_t *counts = sw_arena_zalloc(&big, 67, sizeof *counts);
    sw_profile_column *columns = sw_arena_zalloc(&big, MANY, sizeof *columns);
    for (int i = 0; i < 63; i++)
        cuts[i] = (i + 1) / 64.0;
    for (int i = 2; i < 66; i++)
        counts[i] = 100;
    for (int i = 0; i < MANY; i++)
        columns[i] = (sw_profile_column){.name = wide.features[i].name,
                                         .rows = 6400,
                                         .max = 1,
                                         .cuts = cuts,
                                         .cut_count = 63,
                                         .counts = counts,
                                         .bin_count = 67};
    sw_profile wide_profile = {.rows = 6400, .columns = columns, .column_count = MANY};
    sw_observer *wide_observer;
    sw_shard *wide_shard;
    sw_watched *wide_watched;
    sw_watch_summary summary;
    REQUIRE_OK(sw_observer_make(&wide_observer, &wide, &wide_profile, NULL, &error), error);
    REQUIRE_OK(sw_shard_make(&wide_shard, wide_observer, &error), error);
    REQUIRE_OK(sw_watch_add(&wide_watched, watch, SW_STR("wide"), 1, hash, wide_observer,
                            &wide_profile, NULL, &error),
               error);
    float *x = sw_arena_zalloc(&big, MANY, sizeof *x), score = 0.5F;
    sw_observe_mismatch(wide_shard, MANY - 1);
    for (int row = 0; row < 600; row++) {
        for (int i = 0; i < MANY; i++)
            x[i] = (float)sw_rng_unit(&seed) * (i == 77 ? 0.5F : 1);
        sw_tensor in = {.dtype = SW_FP32, .count = MANY, .data = x},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_observe(wide_shard, &in, &out, 1);
        if (row % 100 == 0) {
            set_minute(START + row / 100);
            sw_watch_merge(wide_watched, wide_shard);
            CHECK(sw_watch_keep(watch));
        }
    }
    sw_watch_merge(wide_watched, wide_shard);
    REQUIRE_OK(sw_watch_summarise(&summary, wide_watched, &error), error);
    CHECK_INT(summary.rows, 600);
    CHECK_INT(summary.drifted, 1);
    told t = {0};
    sw_watch_mismatches(wide_watched, tell, &t);
    CHECK_INT(t.count, 1);
    CHECK_INT(t.rows, 1);
    CHECK_STR(t.feature, "x9999");
    sw_watch_remove(wide_watched);
    sw_shard_free(wide_shard);
    sw_observer_free(wide_observer);
    sw_arena_free(&big);
    end_server();
}

TEST_MAIN
