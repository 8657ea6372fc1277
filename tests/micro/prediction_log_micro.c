/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the prediction log costs: a made id; a row of 30 features that the sample takes, and one that it
 * does not, both on the loop; and a day of quality over many labelled rows.
 *
 *     prediction_log_micro [rows of the day, in millions]
 */
#include "../unit/scratch.h"
#include "base/clock.h"
#include "decay/decay_private.h"
#include "decay/prediction_id.h"

#include <stdatomic.h>
#include <time.h>

enum { FEATURES = 30, TURNS = 5000, SETS = 256 };

static sw_tensor_spec inputs[1] = {
    {.name = {"X", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, FEATURES}}};
static sw_tensor_spec outputs[1] = {
    {.name = {"proba", 5}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 2}}};
static sw_feature features[FEATURES];
static char names[FEATURES][8];
static float rows[SETS][FEATURES], scores[SETS][2];
static volatile char sink;

/* Of this thread alone: other work on the machine does not count. */
static uint64_t cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * SW_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void must(sw_status status, const sw_error *error) {
    if (!sw_failed(status))
        return;
    fprintf(stderr, "%s\n", error->text);
    exit(1);
}

static void time_ids(void) {
    sw_id_maker maker;
    sw_error error;
    char id[SW_PREDICTION_ID_BYTES];
    must(sw_id_maker_init(&maker, &error), &error);
    uint64_t start_ns = cpu_ns();
    for (int i = 0; i < 10000000; i++) {
        sw_id_make(id, &maker);
        sink = id[19];
    }
    printf("made id: %.1f ns\n", (double)(cpu_ns() - start_ns) / 1e7);
}

/* ns a row; the queue is emptied outside of the measured time. */
static double time_put(sw_plog_writer *w, uint64_t threshold) {
    static const uint8_t key[32] = {0};
    uint64_t sum_ns = 0;
    sw_id_maker maker;
    sw_error error;
    char id[SW_PREDICTION_ID_BYTES];
    must(sw_id_maker_init(&maker, &error), &error);
    for (int turn = 0; turn < TURNS; turn++) {
        w->lanes[0].tick = atomic_load(&w->tick);
        w->lanes[0].threshold = threshold;
        uint64_t start_ns = cpu_ns();
        for (int i = 0; i < SETS; i++) {
            sw_tensor in = {.dtype = SW_FP32, .count = FEATURES, .data = rows[i]};
            sw_tensor out = {.dtype = SW_FP32, .count = 2, .data = scores[i]};
            sw_id_make(id, &maker);
            sw_plog_put(w, 0, (sw_str){id, sizeof id}, NULL, &in, &out, 1);
        }
        sum_ns += cpu_ns() - start_ns;
        if (w->store->has_block) {
            sw_plog_drain(w, &w->lanes[0], key);
            sw_plog_block_clear(&w->store->block);
        }
    }
    return (double)sum_ns / TURNS / SETS;
}

static void time_writer(sw_plog_writer *w) {
    sw_error error;
    must(sw_plog_store_use(w->store, &w->schema, 0, &error), &error);
    printf("a row of %d that is taken: %.1f ns (with its id and its hash)\n", FEATURES,
           time_put(w, UINT64_MAX));
    printf("one that is not: %.1f ns\n", time_put(w, 0));
}

/* A day of rows, spread evenly, written as the log's thread writes them; every second one labelled. */
static void make_day(plog_store *store, const plog_schema *schema, size_t count, int64_t from_ms) {
    sw_error error;
    uint64_t random = 1;
    must(sw_plog_store_use(store, schema, 0, &error), &error);
    for (size_t i = 0; i < count; i++) {
        plog_block *b = &store->block;
        int64_t at_ms = from_ms + (int64_t)((double)i * 86400e3 / (double)count);
        uint32_t id_bytes = 20;
        float weight = 1, p = (float)(sw_plog_hash((sw_str){(char *)&i, 8}, random) % 9999) / 1e4f;
        char id[24];
        snprintf(id, sizeof id, "%020zu", i);
        sw_buf_add(&b->chunks[PLOG_TIME], &at_ms, 8);
        sw_buf_add(&b->chunks[PLOG_ID], &id_bytes, 4);
        sw_buf_add(&b->chunks[PLOG_ID], id, 20);
        sw_buf_add(&b->chunks[PLOG_WEIGHT], &weight, 4);
        for (int k = 0; k < FEATURES; k++)
            sw_buf_add(&b->chunks[PLOG_FIRST + k], &rows[i % SETS][k], 4);
        float q = 1 - p;
        sw_buf_add(&b->chunks[PLOG_FIRST + FEATURES], &q, 4);
        sw_buf_add(&b->chunks[PLOG_FIRST + FEATURES + 1], &p, 4);
        b->first_ms = b->rows ? b->first_ms : at_ms;
        b->last_ms = at_ms;
        if (++b->rows == PLOG_GROUP_ROWS || i + 1 == count) {
            must(sw_plog_store_append(store, at_ms, &error), &error);
            sw_plog_block_clear(b);
            must(sw_plog_store_seal(store, at_ms, i + 1 == count, &error), &error);
        }
    }
    for (size_t i = 0; i < store->segment_count; i++) {
        const plog_segment *s = &store->segments[i];
        char path[SW_PATH_BYTES];
        sw_plog_label *labels = calloc(s->rows, sizeof *labels);
        sw_plog_store_path(path, store, s->number, "labels");
        for (uint32_t k = 0; labels && k < s->rows; k += 2)
            labels[k] = (sw_plog_label){k / 2 % 2, (uint32_t)(from_ms / 1000) + k, 1};
        must(sw_file_write_whole(path, (sw_str){(char *)labels, s->rows * sizeof *labels}, &error),
             &error);
        free(labels);
    }
}

static void time_quality(sw_decay *decay, const sw_monitor_settings *settings, int64_t from_ms) {
    static const char *const when[] = {"cold", "again"};
    for (int turn = 0; turn < 2; turn++) {
        sw_arena arena = {0};
        sw_quality_report report;
        sw_error error;
        sw_quality_query query = {.model = SW_STR("m"),
                                  .version = 1,
                                  .settings = settings,
                                  .from_ms = from_ms,
                                  .to_ms = from_ms + 86400000,
                                  .step_minutes = 30};
        uint64_t start_ns = cpu_ns();
        must(sw_quality_read(&report, decay, &query, &arena, &error), &error);
        printf("quality of a day of %llu rows, %llu labelled, %s: %.1f ms\n",
               (unsigned long long)report.window.logged, (unsigned long long)report.window.labelled,
               when[turn], (double)(cpu_ns() - start_ns) / 1e6);
        sw_arena_free(&arena);
    }
}

int main(int argc, char **argv) {
    char dir[SCRATCH_BYTES], path[SCRATCH_BYTES + 16];
    sw_error error;
    sw_db *db;
    sw_plog *log;
    sw_decay *decay;
    sw_plog_writer *w;
    sw_monitor_settings settings;
    double millions = argc > 1 ? atof(argv[1]) : 1;
    scratch_make(dir);
    snprintf(path, sizeof path, "%s/slipway.db", dir);
    for (int i = 0; i < FEATURES; i++) {
        snprintf(names[i], sizeof names[i], "x%d", i);
        features[i] = (sw_feature){.name = sw_str_of(names[i]), .column = (uint32_t)i};
        for (int k = 0; k < SETS; k++)
            rows[k][i] = (float)((i * 7919 + k * 104729) % 1000) / 31;
    }
    const sw_signature signature = {inputs, 1, outputs, 1, features, FEATURES};
    sw_monitor_settings_default(&settings);
    settings.log_rows_per_s = 1e8;
    must(sw_db_open(&db, path, &error), &error);
    must(sw_plog_open(&log, dir, 1, &error), &error);
    must(sw_decay_open(&decay, db, log, &error), &error);
    must(sw_plog_add(&w, log, SW_STR("m"), 1, &signature, &settings, &error), &error);
    time_ids();
    pthread_mutex_t *storing = sw_plog_storing(log);
    pthread_mutex_lock(storing);
    time_writer(w);
    int64_t from_ms = sw_clock_wall_ms() - 86400000;
    uint64_t start_ns = cpu_ns();
    make_day(w->store, &w->schema, (size_t)(millions * 1e6), from_ms);
    printf("%.1f bytes a row on disk, %.2f µs a row to write\n",
           (double)sw_plog_store_bytes(w->store) / (millions * 1e6),
           (double)(cpu_ns() - start_ns) / 1e3 / (millions * 1e6));
    pthread_mutex_unlock(storing);
    time_quality(decay, &settings, from_ms);
    sw_plog_remove(w);
    sw_decay_close(decay);
    sw_plog_close(log);
    sw_db_close(db);
    scratch_remove(dir);
    return 0;
}
