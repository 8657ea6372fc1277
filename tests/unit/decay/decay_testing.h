/* SPDX-License-Identifier: Apache-2.0 */
/* Predictions and labels of a small model, for the tests of this folder. */
#ifndef TESTS_UNIT_DECAY_DECAY_TESTING_H
#define TESTS_UNIT_DECAY_DECAY_TESTING_H

#include "../scratch.h"
#include "../test.h"
#include "base/clock.h"
#include "decay/decay_private.h"

#include <math.h>
#include <time.h>

/* A version with one score, labels in a database, all on disk. */
typedef struct setting {
    char dir[SCRATCH_BYTES], path[SCRATCH_BYTES + 16];
    sw_db *db;
    sw_plog *log;
    sw_plog_writer *writer;
    sw_decay *decay;
    sw_monitor_settings settings;
    sw_arena arena;
    sw_error error;
} setting;

static sw_tensor_spec outputs[] = {
    {.name = {"score", 5}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 1}}};
static sw_tensor_spec inputs[] = {
    {.name = {"x", 1}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 1}}};
static sw_feature features[] = {{.name = {"x", 1}}};
static const sw_signature signature = {inputs, 1, outputs, 1, features, 1};

static inline void open_all(setting *s) {
    sw_status status = sw_db_open(&s->db, s->path, &s->error);
    if (!sw_failed(status))
        status = sw_plog_open(&s->log, s->dir, 1, &s->error);
    if (!sw_failed(status))
        status = sw_decay_open(&s->decay, s->db, s->log, &s->error);
    if (!sw_failed(status))
        status =
            sw_plog_add(&s->writer, s->log, SW_STR("m"), 1, &signature, &s->settings, &s->error);
    if (sw_failed(status)) {
        fprintf(stderr, "%s\n", s->error.text);
        exit(1);
    }
}

static inline void close_all(setting *s) {
    sw_plog_remove(s->writer);
    sw_decay_close(s->decay);
    sw_plog_close(s->log);
    sw_db_close(s->db);
}

static inline void begin(setting *s) {
    *s = (setting){0};
    scratch_in_memory();
    scratch_make(s->dir);
    snprintf(s->path, sizeof s->path, "%s/slipway.db", s->dir);
    sw_monitor_settings_default(&s->settings);
    s->settings.log_rows_per_s = 1e6;
    open_all(s);
}

static inline void end(setting *s) {
    close_all(s);
    sw_arena_free(&s->arena);
    scratch_remove(s->dir);
}

static inline void predict(setting *s, const char *id, double x, double score) {
    sw_tensor in = {.dtype = SW_FP64, .count = 1, .data = &x};
    sw_tensor out = {.dtype = SW_FP64, .count = 1, .data = &score};
    sw_plog_put(s->writer, 0, sw_str_of(id), NULL, &in, &out, 1);
}

/* Made elsewhere, at that time; `weight` is that of a sample of one in so many (1, 2, 4, …). */
static inline void predict_at(setting *s, int64_t at_ms, const char *id, double score,
                              uint64_t weight) {
    double x = 0;
    sw_tensor in = {.dtype = SW_FP64, .count = 1, .data = &x};
    sw_tensor out = {.dtype = SW_FP64, .count = 1, .data = &score};
    plog_lane *lane = &s->writer->lanes[s->writer->lane_count - 1];
    lane->tick = atomic_load(&s->writer->tick);
    lane->threshold = UINT64_MAX / weight;
    sw_plog_put_shared(s->writer, at_ms, sw_str_of(id), NULL, &in, &out, 1);
}

static inline sw_label_counts label(setting *s, const char *id, const char *text) {
    sw_label one = {sw_str_of(id), sw_str_of(text), 0};
    sw_label_counts counts = {0};
    CHECK(!sw_failed(sw_decay_add_labels(&counts, s->decay, SW_STR("m"), &one, 1, &s->error)));
    return counts;
}

static inline double metric(const sw_quality_report *report, const char *name) {
    return sw_metrics_value(&report->window.metrics, name);
}

static inline sw_quality_report quality(setting *s, const char *segment) {
    sw_quality_report report;
    int64_t now_ms = (int64_t)time(NULL) * 1000 + 60000;
    sw_quality_query query = {.model = SW_STR("m"),
                              .version = 1,
                              .settings = &s->settings,
                              .from_ms = now_ms - 3600000,
                              .to_ms = now_ms,
                              .step_minutes = 30,
                              .segment = sw_str_of(segment)};
    /* What was found is kept for a while, for the same settings: these are others. */
    s->settings.false_alarms_per_month += 1e-6;
    CHECK(!sw_failed(sw_quality_read(&report, s->decay, &query, &s->arena, &s->error)));
    return report;
}

static inline double accuracy(setting *s, const char *segment) {
    sw_quality_report report = quality(s, segment);
    return metric(&report, "accuracy");
}

#endif /* TESTS_UNIT_DECAY_DECAY_TESTING_H */
