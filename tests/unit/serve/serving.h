/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serving: everything below the network, running: stores, loops, live table, predictor, deployer.
 *
 * serving_predict sends one row the way that a protocol would, from any thread, and waits.
 */
#ifndef SW_TESTS_SERVE_SERVING_H
#define SW_TESTS_SERVE_SERVING_H

#include "serve/deploy.h"
#include "serve/predict.h"
#include "serve/push.h"
#include "unit/scratch.h"
#include "unit/test.h"

#include "base/clock.h"
#include "io/file.h"

#include <pthread.h>

#define EXAMPLES "examples/breast_cancer/"
#define MODELS "tests/data/models/"

typedef struct serving {
    char dir[SCRATCH_BYTES];
    sw_db *db;
    sw_registry *registry;
    sw_load_parts parts;
    sw_loops *loops;
    sw_predictor *predictor;
    sw_deployer *deployer;
    sw_arena arena;
    sw_error error;
} serving;

static inline sw_status serving_up(serving *s, uint32_t loops, const sw_predict_limits *limits) {
    sw_error *e = &s->error;
    SW_TRY(sw_db_open(&s->db, scratch_path(s->dir, "slipway.db"), e));
    SW_TRY(sw_blobs_open(&s->parts.blobs, s->dir, e));
    SW_TRY(sw_registry_open(&s->registry, s->db, e));
    SW_TRY(sw_watch_open(&s->parts.watch, s->db, e));
    SW_TRY(sw_loops_make(&s->loops, loops, e));
    SW_TRY(sw_stats_make(&s->parts.stats, e));
    SW_TRY(sw_live_make(&s->parts.live, s->loops, e));
    SW_TRY(sw_predictor_make(&s->predictor, s->parts.live, s->loops, limits, e));
    for (uint32_t i = 0; i < loops; i++)
        sw_loop_add_turn_end(sw_loops_at(s->loops, i),
                             (sw_loop_hook){sw_predictor_observe, s->predictor});
    SW_TRY(sw_deployer_make(&s->deployer, s->registry, &s->parts, e));
    SW_TRY(sw_deployer_restore(s->deployer, e));
    sw_live_loops_run(s->parts.live, true);
    return sw_loops_run(s->loops, e);
}

static inline void serving_down(serving *s) {
    sw_predictor_stop(s->predictor);
    sw_live_loops_run(s->parts.live, false);
    sw_loops_stop(s->loops);
    sw_live_free(s->parts.live);
    sw_predictor_free(s->predictor);
    sw_deployer_free(s->deployer);
    sw_watch_close(s->parts.watch);
    sw_stats_free(s->parts.stats);
    sw_registry_close(s->registry);
    sw_blobs_close(s->parts.blobs);
    sw_db_close(s->db);
}

static inline void serving_make(serving *s, uint32_t loops) {
    memset(s, 0, sizeof *s);
    scratch_make(s->dir);
    if (sw_failed(serving_up(s, loops, &(sw_predict_limits){0}))) {
        fprintf(stderr, "cannot serve: %s\n", s->error.text);
        exit(1);
    }
}

static inline void serving_end(serving *s) {
    serving_down(s);
    sw_arena_free(&s->arena);
    scratch_remove(s->dir);
}

static inline sw_status serving_upload(sw_blob_id *id, serving *s, const char *path) {
    sw_buf bytes = {0};
    sw_blob_writer *writer;
    uint64_t size_bytes;
    SW_TRY(sw_file_read_whole(&bytes, path, 64 << 20, &s->error));
    SW_TRY(sw_blob_begin(&writer, s->parts.blobs, &s->error));
    sw_status status = sw_blob_add(writer, sw_buf_str(&bytes), &s->error);
    sw_buf_free(&bytes);
    if (!sw_failed(status))
        return sw_blob_finish(id, &size_bytes, writer, &s->error);
    sw_blob_abort(writer);
    return status;
}

/* `profile` and `check` may be NULL. */
static inline sw_status serving_push(serving *s, const char *model, const char *onnx,
                                     const char *profile, const char *check) {
    sw_version version;
    sw_push_trial trial;
    sw_blob_id profile_id, check_id;
    sw_push push = {.model = sw_str_of(model), .who = SW_STR("ada")};
    SW_TRY(serving_upload(&push.artifact, s, onnx));
    if (profile) {
        SW_TRY(serving_upload(&profile_id, s, profile));
        push.profile_csv = &profile_id;
    }
    if (check) {
        SW_TRY(serving_upload(&check_id, s, check));
        push.check_csv = &check_id;
    }
    return sw_push_version(&version, &trial, &push, s->registry, &s->parts, &s->arena, &s->error);
}

static inline sw_status serving_deploy(sw_deployed *out, serving *s, const char *model,
                                       const char *spec) {
    return sw_deployer_deploy(out, s->deployer, sw_str_of(model), sw_str_of(spec), (sw_str){0},
                              SW_STR("ada"), &s->arena, &s->error);
}

/* ---- One prediction, from any thread ---- */

enum { ASKED_SCORES = 64 };

typedef struct asked {
    sw_predict predict;
    serving *s;
    sw_task task;
    sw_arena arena;
    const char *model, *spec;
    const float *values; /* rows * 30 */
    size_t rows;
    uint64_t deadline_ns;
    atomic_bool cancelled;
    /* answered */
    sw_status status;
    sw_error error;
    uint32_t version;
    float scores[ASKED_SCORES]; /* the first numbers of the last output */
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done;
} asked;

static inline asked *asked_of(sw_predict *p) {
    return p->owner;
}

static inline sw_status asked_address(sw_predict *p) {
    p->request.model = sw_str_of(asked_of(p)->model);
    p->request.version = sw_str_of(asked_of(p)->spec);
    return SW_OK;
}

static inline sw_status asked_fill(sw_predict *p) {
    const asked *a = asked_of(p);
    sw_tensor *t = sw_arena_zalloc(p->arena, 1, sizeof *t);
    *t = (sw_tensor){.name = p->served->info->inputs[0].name,
                     .dtype = SW_FP32,
                     .rank = 2,
                     .shape = {(int64_t)a->rows, 30},
                     .count = a->rows * 30,
                     .data = (void *)(uintptr_t)a->values};
    p->request.inputs = t;
    p->request.input_count = 1;
    return SW_OK;
}

/* In the turn after the answer, when the way has been walked to its end. */
static inline void asked_look(sw_task *task) {
    asked *a = SW_CONTAINER(task, asked, task);
    pthread_mutex_lock(&a->lock);
    a->status = a->predict.status;
    a->done = true;
    pthread_cond_signal(&a->answered);
    pthread_mutex_unlock(&a->lock);
}

static inline void asked_answered(asked *a) {
    a->task.run = asked_look;
    sw_loop_post(a->predict.loop, &a->task);
}

static inline sw_status asked_reply(sw_predict *p) {
    asked *a = asked_of(p);
    const sw_tensor *last = &p->outputs[p->served->info->output_count - 1];
    a->version = p->served->version;
    for (size_t i = 0; i < last->count && i < ASKED_SCORES; i++)
        a->scores[i] = (float)sw_tensor_f64(last, i);
    asked_answered(a);
    return SW_OK;
}

static inline void asked_refuse(sw_predict *p) {
    memcpy(asked_of(p)->error.text, p->error.text, SW_ERROR_BYTES);
    asked_answered(asked_of(p));
}

static const sw_protocol asked_protocol = {"test", asked_address, asked_fill, asked_reply,
                                           asked_refuse};

static inline void asked_begin(sw_task *task) {
    asked *a = SW_CONTAINER(task, asked, task);
    sw_predict *p = &a->predict;
    p->protocol = &asked_protocol;
    p->predictor = a->s->predictor;
    p->owner = a;
    p->arena = &a->arena;
    p->received_ns = sw_clock_ns();
    p->deadline_ns = a->deadline_ns;
    p->cancelled = &a->cancelled;
    p->request = (sw_infer_request){0};
    p->step = 0;
    sw_predict_go(p);
}

/* Begins it on that loop; `values` (rows times 30) must stay until it is answered. */
static inline void serving_ask(asked *a, serving *s, uint32_t loop, const char *model,
                               const float *values, size_t rows) {
    a->s = s;
    a->model = model;
    a->spec = a->spec ? a->spec : "";
    a->values = values;
    a->rows = rows;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->answered, NULL);
    a->predict.loop = sw_loops_at(s->loops, loop);
    a->task.run = asked_begin;
    sw_loop_post(a->predict.loop, &a->task);
}

static inline sw_status serving_wait(asked *a) {
    pthread_mutex_lock(&a->lock);
    while (!a->done)
        pthread_cond_wait(&a->answered, &a->lock);
    pthread_mutex_unlock(&a->lock);
    sw_arena_free(&a->arena);
    return a->status;
}

static inline sw_status serving_predict(asked *a, serving *s, uint32_t loop, const char *model,
                                        const float *values, size_t rows) {
    serving_ask(a, s, loop, model, values, rows);
    return serving_wait(a);
}

/* Rows of real data, 30 values each. */
static inline const float *serving_rows(size_t *count) {
    static float *rows;
    static size_t row_count;
    if (!rows) {
        sw_buf bytes = {0};
        sw_error error;
        if (sw_failed(sw_file_read_whole(&bytes, MODELS "rows30.in.f32", 1 << 24, &error))) {
            fprintf(stderr, "%s\n", error.text);
            exit(1);
        }
        rows = (float *)(void *)bytes.at;
        row_count = bytes.len / (30 * sizeof *rows);
    }
    *count = row_count;
    return rows;
}

#endif /* SW_TESTS_SERVE_SERVING_H */
