/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/prediction_log.h"

#include "../scratch.h"
#include "../test.h"
#include "base/clock.h"
#include "decay/plog_private.h"
#include "io/file.h"

#include <math.h>
#include <sys/stat.h>

/* A model of three numbers and a text in one-column inputs, and two scores. */
typedef struct setting {
    char dir[SCRATCH_BYTES];
    sw_arena arena;
    sw_signature signature;
    sw_monitor_settings settings;
    sw_plog *log;
    sw_plog_writer *writer;
    sw_error error;
} setting;

static sw_tensor_spec input(const char *name, sw_dtype dtype) {
    return (sw_tensor_spec){.name = sw_str_of(name), .dtype = dtype, .rank = 2, .shape = {-1, 1}};
}

static void describe(setting *s) {
    static sw_tensor_spec inputs[4], outputs[1];
    static sw_feature features[4];
    static const char *const names[] = {"age", "amount", "count", "country"};
    static const sw_dtype dtypes[] = {SW_FP32, SW_FP64, SW_INT64, SW_BYTES};
    for (uint32_t i = 0; i < 4; i++) {
        inputs[i] = input(names[i], dtypes[i]);
        features[i] = (sw_feature){.name = sw_str_of(names[i]), .input = i};
    }
    outputs[0] =
        (sw_tensor_spec){.name = SW_STR("proba"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 2}};
    s->signature = (sw_signature){inputs, 4, outputs, 1, features, 4};
}

static void open_log(setting *s) {
    sw_status status = sw_plog_open(&s->log, s->dir, 2, &s->error);
    if (!sw_failed(status))
        status =
            sw_plog_add(&s->writer, s->log, SW_STR("m"), 1, &s->signature, &s->settings, &s->error);
    CHECK(!sw_failed(status));
}

static void close_log(setting *s) {
    sw_plog_remove(s->writer);
    sw_plog_close(s->log);
}

static void begin(setting *s) {
    *s = (setting){0};
    scratch_make(s->dir);
    describe(s);
    sw_monitor_settings_default(&s->settings);
    s->settings.log_rows_per_s = 1e9;
    open_log(s);
}

static void end(setting *s) {
    close_log(s);
    sw_arena_free(&s->arena);
    scratch_remove(s->dir);
}

/* Row i of a request: (i, i / 2, i * 3, "DE" or "") → (1 - p, p). `at_ms` 0: served now. */
static void put_at(setting *s, int64_t at_ms, const char *id, size_t rows, size_t from) {
    enum { MAX = 1000 };
    float age[MAX], proba[2 * MAX];
    double amount[MAX];
    int64_t count[MAX];
    sw_str country[MAX];
    for (size_t i = 0; i < rows; i++) {
        size_t n = from + i;
        age[i] = (float)n;
        amount[i] = n % 10 == 9 ? NAN : (double)n / 2;
        count[i] = (int64_t)n * 3;
        country[i] = n % 2 ? SW_STR("DE") : (sw_str){"", 0};
        proba[2 * i + 1] = (float)(n % 100) / 100;
        proba[2 * i] = 1 - proba[2 * i + 1];
    }
    sw_tensor inputs[4] = {{.dtype = SW_FP32, .count = rows, .data = age},
                           {.dtype = SW_FP64, .count = rows, .data = amount},
                           {.dtype = SW_INT64, .count = rows, .data = count},
                           {.dtype = SW_BYTES, .count = rows, .data = country}};
    sw_tensor outputs[1] = {{.dtype = SW_FP32, .count = 2 * rows, .data = proba}};
    if (at_ms)
        sw_plog_put_shared(s->writer, at_ms, sw_str_of(id), NULL, inputs, outputs, rows);
    else
        sw_plog_put(s->writer, 0, sw_str_of(id), NULL, inputs, outputs, rows);
}

static void put(setting *s, const char *id, size_t rows, size_t from) {
    put_at(s, 0, id, rows, from);
}

static sw_plog_rows recent(setting *s, size_t rows_max) {
    sw_plog_rows rows;
    sw_plog_flush(s->log);
    sw_arena_reset(&s->arena);
    CHECK(
        !sw_failed(sw_plog_recent(&rows, s->log, SW_STR("m"), 1, rows_max, &s->arena, &s->error)));
    return rows;
}

TEST(prediction_log__gives_back_what_was_put) {
    setting s;
    begin(&s);
    put(&s, "a", 1, 7);
    put(&s, "b", 20, 100);
    sw_plog_rows rows = recent(&s, 100);
    REQUIRE(rows.count == 21 && rows.column_count == 6);
    CHECK(sw_str_is(rows.ids[0], "a") && sw_str_is(rows.ids[20], "b.19"));
    CHECK(sw_str_is(rows.columns[3].name, "country") && !rows.columns[3].output);
    CHECK(sw_str_is(rows.columns[5].name, "proba[1]") && rows.columns[5].output);
    for (size_t i = 1; i < 21; i++) {
        size_t n = 100 + i - 1;
        CHECK(rows.numbers[0][i] == (double)n && rows.numbers[2][i] == (double)(3 * n));
        CHECK(n % 10 == 9 ? isnan(rows.numbers[1][i]) : rows.numbers[1][i] == (double)n / 2);
        CHECK(sw_str_is(rows.texts[3][i], n % 2 ? "DE" : ""));
        CHECK(rows.numbers[5][i] == (double)((float)(n % 100) / 100) && rows.weights[i] == 1);
    }
    rows = recent(&s, 5);
    CHECK(rows.count == 5 && sw_str_is(rows.ids[4], "b.19"));
    end(&s);
}

TEST(prediction_log__is_there_after_a_restart_in_large_groups) {
    setting s;
    begin(&s);
    for (size_t i = 0; i < 5; i++) {
        put(&s, "r", 400, i * 400);
        sw_plog_flush(s.log);
    }
    close_log(&s);
    open_log(&s);
    sw_plog_rows rows = recent(&s, 5000);
    REQUIRE(rows.count == 2000);
    for (size_t i = 0; i < 2000; i++)
        CHECK(rows.numbers[0][i] == (double)i);
    end(&s);
}

/* Cuts an open segment at each of many lengths: what stood whole before stays, and nothing else. */
TEST(prediction_log__a_torn_end_is_left_out) {
    setting s;
    char path[SW_PATH_BYTES];
    sw_buf whole = {0};
    begin(&s);
    for (size_t i = 0; i < 4; i++) {
        put(&s, "t", 100, i * 100);
        sw_plog_flush(s.log);
    }
    snprintf(path, sizeof path, "%s/predictions/m/1/1.open", s.dir);
    CHECK(!sw_failed(sw_file_read_whole(&whole, path, 1 << 24, &s.error)));
    close_log(&s);
    size_t last = 0;
    for (size_t cut = 0; cut <= whole.len; cut += whole.len / 37 + 1) {
        char sealed[SW_PATH_BYTES];
        snprintf(sealed, sizeof sealed, "%s/predictions/m/1/1.plog", s.dir);
        unlink(sealed);
        CHECK(!sw_failed(sw_file_write_whole(path, (sw_str){whole.at, cut}, &s.error)));
        open_log(&s);
        sw_plog_rows rows = recent(&s, 1000);
        CHECK(rows.count % 100 == 0 && rows.count >= last && rows.count <= 400);
        for (size_t i = 0; i < rows.count; i++)
            CHECK(rows.numbers[0][i] == (double)i);
        last = rows.count;
        close_log(&s);
    }
    CHECK(last >= 300);
    sw_buf_free(&whole);
    open_log(&s);
    end(&s);
}

TEST(prediction_log__a_sample_is_uniform_and_its_weights_add_up) {
    setting s;
    begin(&s);
    end(&s);
    begin(&s);
    sw_plog_remove(s.writer);
    s.settings.log_rows_per_s = 500;
    CHECK(!sw_failed(
        sw_plog_add(&s.writer, s.log, SW_STR("m"), 1, &s.signature, &s.settings, &s.error)));
    enum { ROWS = 100000 };
    for (size_t i = 0; i < ROWS / 1000; i++) {
        char id[32];
        snprintf(id, sizeof id, "request-%zu", i);
        put(&s, id, 1000, 0);
        sw_plog_flush(s.log);
    }
    sw_plog_rows rows = recent(&s, ROWS);
    double sum = 0, high = 0;
    for (size_t i = 0; i < rows.count; i++) {
        sum += rows.weights[i];
        high += rows.numbers[5][i] >= 0.5 ? rows.weights[i] : 0;
    }
    CHECK(rows.count > 500 && rows.count < 20000);
    CHECK(fabs(sum / ROWS - 1) < 0.15);
    CHECK(fabs(high / sum - 0.5) < 0.08);
    end(&s);
}

TEST(prediction_log__stores_of_private_columns_only_what_they_allow) {
    static sw_column_setting columns[] = {{SW_STR("age"), SW_PRIVACY_DROP},
                                          {SW_STR("country"), SW_PRIVACY_HASH},
                                          {SW_STR("amount"), SW_PRIVACY_MASK}};
    setting s;
    begin(&s);
    sw_plog_remove(s.writer);
    s.settings.columns = columns;
    s.settings.column_count = 3;
    CHECK(!sw_failed(
        sw_plog_add(&s.writer, s.log, SW_STR("m"), 1, &s.signature, &s.settings, &s.error)));
    put(&s, "p", 20, 0);
    sw_plog_rows rows = recent(&s, 100);
    REQUIRE(rows.count == 20 && rows.column_count == 5);
    CHECK(sw_str_is(rows.columns[0].name, "amount") && rows.numbers[0][0] == 1 &&
          rows.numbers[0][9] == 0);
    CHECK(rows.texts[2][1].len == 16 && sw_str_eq(rows.texts[2][1], rows.texts[2][3]));
    CHECK(rows.texts[2][0].len == 0);
    sw_buf bytes = {0};
    char path[SW_PATH_BYTES];
    snprintf(path, sizeof path, "%s/predictions/m/1/1.open", s.dir);
    CHECK(!sw_failed(sw_file_read_whole(&bytes, path, 1 << 24, &s.error)));
    CHECK(!memmem(bytes.at, bytes.len, "DE", 2));
    sw_buf_free(&bytes);
    struct stat key;
    snprintf(path, sizeof path, "%s/predictions/hash.key", s.dir);
    CHECK(stat(path, &key) == 0 && (key.st_mode & 0777) == 0600);
    end(&s);
}

TEST(prediction_log__keeps_within_its_bytes_and_days) {
    setting s;
    begin(&s);
    sw_error error;
    plog_store *store = sw_plog_store_of(s.log, SW_STR("m"), 1);
    for (size_t i = 0; i < 6; i++) {
        put(&s, "x", 500, i);
        sw_plog_flush(s.log);
        CHECK(!sw_failed(sw_plog_store_seal(store, 0, true, &error)));
    }
    CHECK(store->segment_count == 6);
    int64_t last_ms;
    CHECK(sw_plog_store_oldest(&last_ms, store));
    uint64_t before = sw_plog_store_bytes(store);
    sw_plog_store_remove_oldest(store);
    CHECK(store->segment_count == 5 && sw_plog_store_bytes(store) < before);
    CHECK(recent(&s, 5000).count == 2500);
    end(&s);
}

/* How many rows of version 1 are there once version 2 serves after a restart. */
static size_t left_after_restart(setting *s, const uint32_t *days) {
    sw_status status = sw_plog_open(&s->log, s->dir, 2, &s->error);
    if (!sw_failed(status) && days)
        status = sw_plog_retain(s->log, SW_STR("m"), *days, UINT64_MAX, &s->error);
    if (!sw_failed(status))
        status =
            sw_plog_add(&s->writer, s->log, SW_STR("m"), 2, &s->signature, &s->settings, &s->error);
    CHECK(!sw_failed(status));
    size_t rows = recent(s, 1000).count;
    close_log(s);
    return rows;
}

/* Settings are the model's: they hold for versions that serve no more, and from the first moment. */
TEST(prediction_log__keeps_rows_of_all_versions_as_long_as_the_model_says) {
    static const uint32_t days = 30, fewer = 19;
    setting s;
    begin(&s);
    put_at(&s, sw_clock_wall_ms() - INT64_C(20) * 86400000, "old", 100, 0);
    close_log(&s);
    CHECK(left_after_restart(&s, NULL) == 100); /* as long as nobody has said */
    CHECK(left_after_restart(&s, &days) == 100);
    CHECK(left_after_restart(&s, &fewer) == 0);
    open_log(&s);
    end(&s);
}

/* Sealing may take a second: no deploy waits for it. */
TEST(prediction_log__versions_come_and_go_while_the_disk_is_busy) {
    setting s;
    begin(&s);
    put(&s, "before", 50, 0);
    pthread_mutex_lock(sw_plog_storing(s.log));
    for (uint32_t version = 2; version < 6; version++) {
        sw_plog_writer *old = s.writer;
        CHECK(!sw_failed(sw_plog_add(&s.writer, s.log, SW_STR("m"), version, &s.signature,
                                     &s.settings, &s.error)));
        put(&s, "between", 10, 0);
        sw_plog_remove(old);
    }
    pthread_mutex_unlock(sw_plog_storing(s.log));
    CHECK(recent(&s, 1000).count == 50);
    for (uint32_t version = 2; version < 6; version++) {
        sw_plog_rows rows;
        CHECK(!sw_failed(
            sw_plog_recent(&rows, s.log, SW_STR("m"), version, 1000, &s.arena, &s.error)));
        CHECK(rows.count == 10);
    }
    end(&s);
}

/* Faults are of the thread that makes the call: the log's thread is stood in for. */
TEST(prediction_log__a_full_disk_loses_rows_and_nothing_else) {
    setting s;
    begin(&s);
    plog_store *store = sw_plog_store_of(s.log, SW_STR("m"), 1);
    put(&s, "kept", 100, 0);
    CHECK(recent(&s, 1000).count == 100);
    for (size_t nth = 1; nth < 4; nth++) {
        sw_error error = {""};
        uint8_t key[32] = {0};
        put(&s, "lost", 50, 0);
        sw_plog_drain(s.writer, &s.writer->lanes[0], key);
        sw_file_fail_at(nth, SW_FILE_FAULT_FULL);
        sw_status status = sw_plog_store_append(store, 1, &error);
        bool failed = sw_file_failed();
        sw_file_fail_at(0, SW_FILE_FAULT_FULL);
        CHECK(sw_failed(status) == failed);
        CHECK(!failed || strstr(error.text, "full"));
        sw_plog_block_clear(&store->block);
    }
    put(&s, "again", 10, 0);
    sw_plog_rows rows = recent(&s, 1000);
    CHECK(rows.count >= 110 && sw_str_is(rows.ids[rows.count - 1], "again.9"));
    CHECK(sw_str_is(rows.ids[99], "kept.99"));
    sw_plog_status status;
    sw_plog_status_get(&status, s.log, SW_STR("m"));
    CHECK(!status.stopped && status.bytes > 0);
    end(&s);
}

static sw_plog_status status_of(setting *s) {
    sw_plog_status status;
    sw_plog_flush(s->log);
    sw_plog_status_get(&status, s->log, SW_STR("m"));
    return status;
}

/* A file stands where the folder should be made: as good as a full disk, and curable. */
TEST(prediction_log__stops_where_nothing_can_be_written_and_goes_on_by_itself) {
    setting s;
    char path[SW_PATH_BYTES];
    begin(&s);
    snprintf(path, sizeof path, "%s/predictions/m", s.dir);
    CHECK(!sw_failed(sw_file_write_whole(path, SW_STR("x"), &s.error)));
    put(&s, "lost", 10, 0);
    sw_plog_status status = status_of(&s);
    CHECK(status.stopped && status.stopped_ms > 0 && strstr(status.reason, "no folder"));
    CHECK(status.rows_logged == 0 && status.rows_dropped == 10);
    unlink(path);
    for (int i = 0; i < 200 && status.stopped; i++) {
        usleep(50000);
        put(&s, "again", 1, 0);
        status = status_of(&s);
    }
    CHECK(!status.stopped && status.rows_logged == 1 && !*status.reason);
    CHECK(recent(&s, 10).count == 1);
    end(&s);
}

TEST(prediction_log__drops_rather_than_waits) {
    setting s;
    begin(&s);
    enum { REQUESTS = 4000 };
    for (size_t i = 0; i < REQUESTS; i++)
        put(&s, "flood", 1000, 0);
    sw_plog_flush(s.log);
    sw_plog_status status;
    sw_plog_status_get(&status, s.log, SW_STR("m"));
    CHECK(status.rows_logged + status.rows_dropped == (uint64_t)REQUESTS * 1000);
    CHECK(status.rows_dropped > 0);
    end(&s);
}

TEST_MAIN
