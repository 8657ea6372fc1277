/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/predict.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/process.h"
#include "serve/batch.h"
#include "serve/validate.h"

#include <pthread.h>
#include <stdlib.h>

enum { DEAR_CHECK_MS = 5, OBSERVED_AT_ONCE = 32 };

/* One loop's part; touched on that loop alone, but for the counter that others read. */
typedef struct predict_local {
    _Alignas(64) sw_predictor *predictor;
    sw_served *waiting;  /* versions with requests of this turn */
    sw_arena batch;      /* tensors of a batched run, until its replies are written */
    sw_predict *replied; /* of this turn, to be observed at its end */
    sw_predict *dear;    /* newest of those on the pool */
    sw_id_maker ids;     /* of predictions whose clients gave none */
    uv_timer_t dear_timer;
    sw_task close_task, merge_task;
    _Atomic uint32_t in_hand;
} predict_local;

struct sw_predictor {
    sw_live *live;
    sw_loops *loops;
    sw_pool *pool;
    uint32_t in_hand_max; /* of one loop */
    uint32_t threads;
    uint32_t loop_count;
    pthread_mutex_t merging; /* one merge at a time */
    pthread_mutex_t lock;
    pthread_cond_t merged;
    uint32_t loops_to_merge;
    predict_local locals[];
};

typedef enum step_result { NEXT, WAIT, DONE } step_result;

static predict_local *here(const sw_predict *p) {
    return &p->predictor->locals[sw_loop_index(p->loop)];
}

static void count_in_hand(predict_local *local, uint32_t by) {
    uint32_t now = atomic_load_explicit(&local->in_hand, memory_order_relaxed);
    atomic_store_explicit(&local->in_hand, now + by, memory_order_relaxed);
}

/* ---- The steps ---- */

static step_result outcome(sw_predict *p, sw_status status) {
    p->status = status;
    return sw_failed(status) ? DONE : NEXT;
}

static sw_status refuse_external(sw_predict *p) {
    sw_str model = p->served->model_name;
    return sw_fail(
        &p->error, SW_CODE_REFUSED,
        "%.*s@%u is served elsewhere: ask for predictions there, and send what they were "
        "to /api/v1/models/%.*s/observations",
        SW_STR_ARG(model), p->served->version, SW_STR_ARG(model));
}

static step_result resolve(sw_predict *p) {
    sw_status status = p->protocol->address(p);
    if (!sw_failed(status))
        status = sw_live_pin(&p->served, p->predictor->live, p->loop, p->request.model,
                             p->request.version, &p->error);
    if (!sw_failed(status) && p->served->info->external)
        status = refuse_external(p);
    return outcome(p, status);
}

static step_result fill(sw_predict *p) {
    return outcome(p, p->protocol->fill(p));
}

static step_result validate(sw_predict *p) {
    return outcome(p, sw_validate(p));
}

static double estimate_ns(const sw_predict *p) {
    double rows = p->rows > 1 ? (double)(p->rows - 1) : 0;
    return p->served->run_ns + rows * p->served->row_ns;
}

static sw_status admit_dear(sw_predict *p) {
    sw_predictor *predictor = p->predictor;
    if (p->deadline_ns == 0)
        return SW_OK;
    double wait_ns = (double)sw_pool_waiting(predictor->pool) / predictor->threads * estimate_ns(p);
    double left_ns = (double)p->deadline_ns - (double)sw_clock_ns();
    if (wait_ns + estimate_ns(p) <= left_ns)
        return SW_OK;
    return sw_fail(
        &p->error, SW_CODE_BUSY,
        "an answer would take about %.0f ms, longer than the %.0f ms that are left of the "
        "deadline: try again later, or allow more time",
        (wait_ns + estimate_ns(p)) / 1e6, left_ns > 0 ? left_ns / 1e6 : 0);
}

static step_result admit(sw_predict *p) {
    const predict_local *local = here(p);
    uint32_t in_hand = atomic_load_explicit(&local->in_hand, memory_order_relaxed);
    if (in_hand > p->predictor->in_hand_max)
        return outcome(
            p, sw_fail(&p->error, SW_CODE_BUSY,
                       "%u predictions are in hand already: try again in a second, or raise "
                       "--max-in-hand",
                       in_hand - 1));
    if (estimate_ns(p) > SW_PREDICT_ON_LOOP_NS)
        return outcome(p, admit_dear(p));
    return NEXT;
}

static sw_status check_time(sw_predict *p, uint64_t now_ns) {
    if (p->cancelled && atomic_load_explicit(p->cancelled, memory_order_relaxed))
        return sw_fail(&p->error, SW_CODE_CANCELLED, "the client has gone");
    if (p->deadline_ns && now_ns >= p->deadline_ns)
        return sw_fail(&p->error, SW_CODE_DEADLINE, "the deadline passed before the model ran");
    return SW_OK;
}

/* ---- Dear runs, on the pool ---- */

static void check_dear(uv_timer_t *timer) {
    predict_local *local = timer->data;
    uint64_t now_ns = sw_clock_ns();
    for (sw_predict *p = local->dear; p; p = p->older) {
        bool gone = p->cancelled && atomic_load_explicit(p->cancelled, memory_order_relaxed);
        if (gone || (p->deadline_ns && now_ns >= p->deadline_ns))
            sw_stop_ask(&p->stop);
    }
}

static void add_dear(predict_local *local, sw_predict *p) {
    p->newer = NULL;
    p->older = local->dear;
    if (local->dear)
        local->dear->newer = p;
    else
        uv_timer_start(&local->dear_timer, check_dear, DEAR_CHECK_MS, DEAR_CHECK_MS);
    local->dear = p;
}

static void remove_dear(predict_local *local, sw_predict *p) {
    *(p->newer ? &p->newer->older : &local->dear) = p->older;
    if (p->older)
        p->older->newer = p->newer;
    if (!local->dear)
        uv_timer_stop(&local->dear_timer);
}

static void dear_came_back(sw_task *task) {
    sw_predict *p = SW_CONTAINER(task, sw_predict, task);
    remove_dear(here(p), p);
    if (p->status.code == SW_CODE_CANCELLED && p->deadline_ns && sw_clock_ns() >= p->deadline_ns)
        p->status = sw_fail(&p->error, SW_CODE_DEADLINE, "the deadline passed while the model ran");
    sw_predict_go(p);
}

static void run_dear(sw_task *task) {
    sw_predict *p = SW_CONTAINER(task, sw_predict, task);
    p->started_ns = sw_clock_ns();
    p->status = check_time(p, p->started_ns);
    if (!sw_failed(p->status))
        p->status =
            sw_model_run(p->outputs, p->served->model, p->inputs, p->arena, &p->stop, &p->error);
    p->ended_ns = sw_clock_ns();
    p->task.run = dear_came_back;
    sw_loop_post(p->loop, &p->task);
}

static step_result go_dear(sw_predict *p) {
    sw_stop_init(&p->stop);
    p->task.run = run_dear;
    if (sw_failed(sw_pool_submit(p->predictor->pool, &p->task)))
        return outcome(p, sw_fail(&p->error, SW_CODE_BUSY,
                                  "%u predictions are waiting for a thread already: try again in a "
                                  "second, or raise --max-queue",
                                  sw_pool_waiting(p->predictor->pool)));
    add_dear(here(p), p);
    return WAIT;
}

static step_result infer(sw_predict *p) {
    p->outputs = sw_arena_zalloc(p->arena, p->served->info->output_count, sizeof *p->outputs);
    if (!p->outputs)
        return outcome(p, sw_fail(&p->error, SW_CODE_NO_MEMORY, "out of memory for the outputs"));
    if (estimate_ns(p) > SW_PREDICT_ON_LOOP_NS)
        return go_dear(p);
    predict_local *local = here(p);
    sw_served_local *version = sw_served_here(p->served, p->loop);
    if (!version->waiting) {
        version->next_waiting = local->waiting;
        local->waiting = p->served;
    }
    p->next = version->waiting;
    version->waiting = p;
    sw_loop_wake(p->loop);
    return WAIT;
}

static step_result reply(sw_predict *p) {
    if (p->request.id.len == 0) {
        sw_id_make(p->made_id, &here(p)->ids);
        p->request.id = (sw_str){p->made_id, sizeof p->made_id};
    }
    return sw_failed(p->status) ? DONE : outcome(p, p->protocol->reply(p));
}

/* Once the reply is on its way (sw_predictor_observe): what it costs delays nobody's answer. */
static step_result observe(sw_predict *p) {
    predict_local *local = here(p);
    p->next = local->replied;
    local->replied = p;
    return DONE;
}

static const struct {
    const char *name;
    step_result (*run)(sw_predict *p);
} steps[] = {
    {"resolve", resolve}, {"fill", fill},   {"validate", validate}, {"admit", admit},
    {"infer", infer},     {"reply", reply}, {"observe", observe},
};

/* ---- The walk ---- */

/* Ours rather than the client's: it could not be served, or not in time. */
static bool is_failure(sw_code code) {
    return code != SW_CODE_OK && (sw_code_http(code) >= 500 || code == SW_CODE_BUSY);
}

static void count(sw_predict *p) {
    sw_stats_shard *stats = sw_served_here(p->served, p->loop)->stats;
    /* The writing of the reply is left out: a look at the clock would cost as much. */
    uint64_t now_ns = p->ended_ns ? p->ended_ns : sw_clock_ns();
    stats->requests++;
    stats->failures += is_failure(p->status.code);
    stats->refusals += sw_failed(p->status) && !is_failure(p->status.code);
    stats->rows += p->rows;
    sw_histogram_add(&stats->total, now_ns - p->received_ns);
    if (p->started_ns) {
        sw_histogram_add(&stats->queue, p->started_ns - p->received_ns);
        sw_histogram_add(&stats->inference, p->ended_ns - p->started_ns);
    }
}

static void finish(sw_predict *p) {
    count_in_hand(here(p), (uint32_t)-1);
    if (sw_failed(p->status))
        p->protocol->refuse(p);
    if (!p->served)
        return;
    count(p);
    if (!sw_failed(p->status))
        return;
    sw_shard *shard = sw_served_here(p->served, p->loop)->shard;
    if (p->mismatched && shard)
        sw_observe_mismatch(shard, p->mismatched - 1);
    sw_live_unpin(p->served, p->loop);
}

/* Counts neighbours of one version together, and returns the first that is not counted yet. */
static sw_predict *count_run(sw_predict *first, sw_loop *loop) {
    sw_observed requests[OBSERVED_AT_ONCE];
    size_t count = 0;
    sw_predict *p = first;
    sw_shard *shard = sw_served_here(first->served, loop)->shard;
    for (; p && p->served == first->served && count < OBSERVED_AT_ONCE; p = p->next)
        requests[count++] = (sw_observed){p->inputs, p->outputs, p->rows};
    if (shard)
        sw_observe_many(shard, requests, count);
    return p;
}

void sw_predictor_observe(void *context, sw_loop *loop) {
    sw_predictor *predictor = context;
    predict_local *local = &predictor->locals[sw_loop_index(loop)];
    for (sw_predict *p = local->replied, *uncounted = p; p; p = p->next) {
        if (p == uncounted)
            uncounted = count_run(p, loop);
        if (p->served->log)
            sw_plog_put(p->served->log, sw_loop_index(loop), p->request.id, p->request.row_ids,
                        p->inputs, p->outputs, p->rows);
        sw_live_unpin(p->served, loop);
    }
    local->replied = NULL;
    sw_arena_reset(&local->batch);
}

void sw_predict_go(sw_predict *p) {
    if (p->step == 0) {
        p->status = SW_OK;
        p->served = NULL;
        p->rows = 0;
        p->mismatched = 0;
        p->started_ns = p->ended_ns = 0;
        p->error.text[0] = '\0';
        count_in_hand(here(p), 1);
    }
    while (p->step < sizeof steps / sizeof steps[0]) {
        step_result result = steps[p->step++].run(p);
        if (result == WAIT)
            return;
        if (result == DONE)
            break;
    }
    finish(p);
}

/* ---- The end of a turn: what came together runs together ---- */

/* Newest first becomes oldest first; those whose time is up are answered at once. */
static sw_predict *take_waiting(sw_served_local *version, uint64_t now_ns) {
    sw_predict *oldest_first = NULL;
    for (sw_predict *p = version->waiting, *next; p; p = next) {
        next = p->next;
        p->status = check_time(p, now_ns);
        if (sw_failed(p->status)) {
            sw_predict_go(p);
            continue;
        }
        p->next = oldest_first;
        oldest_first = p;
    }
    version->waiting = NULL;
    return oldest_first;
}

static void run_waiting(void *context, sw_loop *loop) {
    sw_predictor *predictor = context;
    predict_local *local = &predictor->locals[sw_loop_index(loop)];
    while (local->waiting) {
        sw_served *served = local->waiting;
        sw_served_local *version = sw_served_here(served, loop);
        local->waiting = version->next_waiting;
        version->pins++; /* its last reply must not free it under us */
        uint64_t started_ns = sw_clock_ns();
        sw_predict *batch = take_waiting(version, started_ns);
        while (batch) {
            sw_predict *rest = sw_batch_run(batch, &local->batch);
            uint64_t ended_ns = sw_clock_ns();
            for (sw_predict *p = batch, *next; p != rest; p = next) {
                next = p->next;
                p->started_ns = started_ns;
                p->ended_ns = ended_ns;
                sw_predict_go(p);
            }
            batch = rest;
            started_ns = ended_ns;
        }
        sw_live_unpin(served, loop);
    }
}

static void merge_here(sw_task *task) {
    sw_predictor *predictor = SW_CONTAINER(task, predict_local, merge_task)->predictor;
    sw_live_merge_local(predictor->live, sw_loop_current());
    pthread_mutex_lock(&predictor->lock);
    if (--predictor->loops_to_merge == 0)
        pthread_cond_signal(&predictor->merged);
    pthread_mutex_unlock(&predictor->lock);
}

void sw_predictor_merge(sw_predictor *predictor) {
    pthread_mutex_lock(&predictor->merging);
    pthread_mutex_lock(&predictor->lock);
    predictor->loops_to_merge = predictor->loop_count;
    for (uint32_t i = 0; i < predictor->loop_count; i++)
        sw_loop_post(sw_loops_at(predictor->loops, i), &predictor->locals[i].merge_task);
    while (predictor->loops_to_merge > 0)
        pthread_cond_wait(&predictor->merged, &predictor->lock);
    pthread_mutex_unlock(&predictor->lock);
    pthread_mutex_unlock(&predictor->merging);
}

/* ---- Made and freed ---- */

static void close_timer(sw_task *task) {
    uv_close((uv_handle_t *)&SW_CONTAINER(task, predict_local, close_task)->dear_timer, NULL);
}

static void make_local(sw_predictor *predictor, uint32_t index) {
    predict_local *local = &predictor->locals[index];
    sw_loop *loop = sw_loops_at(predictor->loops, index);
    local->predictor = predictor;
    local->close_task.run = close_timer;
    local->merge_task.run = merge_here;
    uv_timer_init(sw_loop_uv(loop), &local->dear_timer);
    local->dear_timer.data = local;
    sw_loop_add_turn_end(loop, (sw_loop_hook){run_waiting, predictor});
}

sw_status sw_predictor_make(sw_predictor **out, sw_live *live, sw_loops *loops,
                            const sw_predict_limits *limits, sw_error *error) {
    uint32_t count = sw_loops_count(loops);
    size_t size = sizeof(sw_predictor) + count * sizeof(predict_local);
    sw_predictor *made = aligned_alloc(64, (size + 63) & ~(size_t)63);
    if (!made)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the prediction path");
    memset(made, 0, size);
    made->live = live;
    made->loops = loops;
    made->loop_count = count;
    pthread_mutex_init(&made->merging, NULL);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->merged, NULL);
    made->threads = limits->threads ? limits->threads : sw_process_cpus();
    made->in_hand_max = ((limits->in_hand_max ? limits->in_hand_max : 8192) + count - 1) / count;
    sw_status status = SW_OK;
    for (uint32_t i = 0; !sw_failed(status) && i < count; i++)
        status = sw_id_maker_init(&made->locals[i].ids, error);
    if (!sw_failed(status))
        status = sw_pool_start(&made->pool, "infer", made->threads,
                               limits->queue_max ? limits->queue_max : 256, error);
    if (sw_failed(status)) {
        sw_predictor_free(made);
        return status;
    }
    for (uint32_t i = 0; i < count; i++)
        make_local(made, i);
    *out = made;
    return SW_OK;
}

void sw_predictor_stop(sw_predictor *predictor) {
    sw_pool_stop(predictor->pool);
    predictor->pool = NULL;
    for (uint32_t i = 0; i < predictor->loop_count; i++)
        sw_loop_post(sw_loops_at(predictor->loops, i), &predictor->locals[i].close_task);
}

void sw_predictor_free(sw_predictor *predictor) {
    if (!predictor)
        return;
    sw_pool_stop(predictor->pool);
    for (uint32_t i = 0; i < predictor->loop_count; i++)
        sw_arena_free(&predictor->locals[i].batch);
    pthread_mutex_destroy(&predictor->merging);
    pthread_mutex_destroy(&predictor->lock);
    pthread_cond_destroy(&predictor->merged);
    free(predictor);
}

uint32_t sw_predictor_in_hand(const sw_predictor *predictor) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < predictor->loop_count; i++)
        sum += atomic_load_explicit(&predictor->locals[i].in_hand, memory_order_relaxed);
    return sum;
}

uint32_t sw_predictor_waiting(const sw_predictor *predictor) {
    return sw_pool_waiting(predictor->pool);
}
