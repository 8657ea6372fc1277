/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/prediction_log.h"

#include "base/clock.h"
#include "base/mem.h"
#include "decay/plog_private.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    DRAIN_MS = 50,
    TICK_MS = 1000,
    RETRY_MS = 5000,
    ROOM_BYTES = 1 << 20, /* a disk with less is full */
    EXPIRE_MS = 60000,
    RING_BYTES_MIN = 64 << 10,
    RING_BYTES_MAX = 1 << 20,
};

struct sw_plog {
    char root[SW_PATH_BYTES];
    uint32_t loops;
    uint8_t key[32];
    pthread_mutex_t lock;    /* of the lists, and of what follows */
    plog_store *stores;      /* only ever added in front, */
    sw_plog_writer *writers; /* and these; the thread alone takes them out */
    plog_retention *retentions;
    sw_plog_status status;
    sw_plog_on_stored *on_stored;
    void *on_stored_context;
    uint64_t flushes_wanted, flushes_done;
    pthread_cond_t wake, flushed;
    pthread_mutex_t storing; /* the thread's turn: stores' blocks are written under it */
    pthread_t thread;
    bool running, stopping;
    bool was_full; /* the disk, when it took nothing */
    int64_t ticked_ms, retry_ms, expired_ms;
};

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the prediction log");
}

/* ---- What is kept ---- */

/* With the lock held. NULL where memory is out. */
static plog_retention *retention_of(sw_plog *log, sw_str model) {
    plog_retention *r = log->retentions;
    while (r && !sw_str_is(model, r->model))
        r = r->next;
    if (r || !(r = sw_mem_zalloc(1, sizeof *r)))
        return r;
    r->model = sw_mem_copy(model.at, model.len);
    if (!r->model) {
        sw_mem_free(r);
        return NULL;
    }
    r->bytes_max = UINT64_MAX;
    r->next = log->retentions;
    log->retentions = r;
    return r;
}

sw_status sw_plog_retain(sw_plog *log, sw_str model, uint32_t days, uint64_t bytes_max,
                         sw_error *error) {
    pthread_mutex_lock(&log->lock);
    plog_retention *r = retention_of(log, model);
    if (r) {
        r->days = days;
        r->bytes_max = bytes_max;
    }
    pthread_mutex_unlock(&log->lock);
    return r ? SW_OK : no_memory(error);
}

/* ---- Stores ---- */

static plog_store *find_store(sw_plog *log, sw_str model, uint32_t version) {
    plog_store *store = log->stores;
    while (store && !(store->version == version && sw_str_is(model, store->model)))
        store = store->next;
    return store;
}

plog_store *sw_plog_store_of(sw_plog *log, sw_str model, uint32_t version) {
    pthread_mutex_lock(&log->lock);
    plog_store *store = find_store(log, model, version);
    pthread_mutex_unlock(&log->lock);
    return store;
}

static sw_status open_store(sw_plog *log, sw_str model, uint32_t version, sw_error *error) {
    plog_store *store;
    SW_TRY(sw_plog_store_open(&store, log->root, model, version, error));
    pthread_mutex_lock(&log->lock);
    store->retention = retention_of(log, model);
    if (store->retention) {
        store->next = log->stores;
        log->stores = store;
    }
    pthread_mutex_unlock(&log->lock);
    if (store->retention)
        return SW_OK;
    sw_plog_store_free(store);
    return no_memory(error);
}

static plog_store *first_store(sw_plog *log) {
    pthread_mutex_lock(&log->lock);
    plog_store *first = log->stores;
    pthread_mutex_unlock(&log->lock);
    return first;
}

void sw_plog_each_store(sw_plog *log, sw_str model, void (*visit)(plog_store *, void *),
                        void *context) {
    for (plog_store *store = first_store(log); store; store = store->next)
        if (model.len == 0 || sw_str_is(model, store->model))
            visit(store, context);
}

pthread_mutex_t *sw_plog_storing(sw_plog *log) {
    return &log->storing;
}

void sw_plog_listen(sw_plog *log, sw_plog_on_stored *listener, void *context) {
    pthread_mutex_lock(&log->storing);
    log->on_stored = listener;
    log->on_stored_context = context;
    pthread_mutex_unlock(&log->storing);
}

/* ---- What the disk says ---- */

static bool is_full(const sw_plog *log) {
    uint64_t free_bytes, all_bytes;
    sw_error ignored;
    return !sw_failed(sw_file_disk(&free_bytes, &all_bytes, log->root, &ignored)) &&
           free_bytes < ROOM_BYTES;
}

static void note_failure(sw_plog *log, int64_t now_ms, const sw_error *error) {
    log->was_full = is_full(log);
    pthread_mutex_lock(&log->lock);
    if (!log->status.stopped)
        log->status.stopped_ms = now_ms;
    log->status.stopped = true;
    snprintf(log->status.reason, sizeof log->status.reason, "%.255s", error->text);
    pthread_mutex_unlock(&log->lock);
    log->retry_ms = now_ms + RETRY_MS;
}

static void note_success(sw_plog *log) {
    pthread_mutex_lock(&log->lock);
    log->status.stopped = false;
    log->status.stopped_ms = 0;
    *log->status.reason = '\0';
    pthread_mutex_unlock(&log->lock);
}

/* There is room again, though no row has come to show it. */
static void look_for_room(sw_plog *log, int64_t now_ms) {
    if (!log->status.stopped || !log->was_full || now_ms < log->retry_ms)
        return;
    if (is_full(log))
        log->retry_ms = now_ms + RETRY_MS;
    else
        note_success(log);
}

static void append(sw_plog *log, plog_store *store, int64_t now_ms) {
    sw_error error = {""};
    uint32_t rows = store->block.rows;
    if (!store->has_block || rows == 0)
        return;
    bool waiting = log->status.stopped && now_ms < log->retry_ms;
    sw_status status =
        waiting ? (sw_status){SW_CODE_IO} : sw_plog_store_append(store, now_ms, &error);
    if (!waiting && sw_failed(status))
        note_failure(log, now_ms, &error);
    if (sw_failed(status)) {
        store->rows_dropped += store->block.rows;
    } else {
        if (log->status.stopped)
            note_success(log);
        const plog_segment *segment = &store->segments[store->segment_count - 1];
        if (log->on_stored)
            log->on_stored(store, segment, segment->rows - rows, &store->block,
                           log->on_stored_context);
    }
    sw_plog_block_clear(&store->block);
}

/* ---- The log's thread ---- */

static void tick_writer(sw_plog_writer *w, double seconds) {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < w->lane_count; i++) {
        plog_lane *lane = &w->lanes[i];
        uint64_t seen = atomic_load_explicit(&lane->rows_seen, memory_order_relaxed);
        rows += seen - lane->rows_ticked;
        lane->rows_ticked = seen;
    }
    double rate = (double)rows / seconds;
    double share = rate > w->rows_per_s ? w->rows_per_s / rate : 1;
    atomic_store_explicit(&w->threshold, sw_plog_threshold(share), memory_order_relaxed);
    atomic_fetch_add_explicit(&w->tick, 1, memory_order_relaxed);
}

static void drain_writer(sw_plog *log, sw_plog_writer *w, int64_t now_ms) {
    sw_error error = {""};
    for (uint32_t i = 0; i < w->lane_count; i++) {
        plog_lane *lane = &w->lanes[i];
        while (atomic_load_explicit(&lane->read, memory_order_relaxed) !=
               atomic_load_explicit(&lane->written, memory_order_acquire)) {
            sw_status status = sw_plog_store_use(w->store, &w->schema, now_ms, &error);
            if (sw_failed(status)) {
                note_failure(log, now_ms, &error);
                w->store->rows_dropped += w->store->block.rows;
                sw_plog_block_clear(&w->store->block);
                return;
            }
            sw_plog_drain(w, lane, log->key);
            if (w->store->block.rows >= PLOG_GROUP_ROWS ||
                w->store->block.bytes >= PLOG_GROUP_BYTES)
                append(log, w->store, now_ms);
        }
    }
}

static void expire_old(plog_store *store, int64_t now_ms) {
    uint32_t days = store->retention->days;
    int64_t oldest_ms = now_ms - (int64_t)days * 24 * 3600 * 1000, last_ms;
    while (days && sw_plog_store_oldest(&last_ms, store) && last_ms < oldest_ms)
        sw_plog_store_remove_oldest(store);
}

/* Of all versions of a model together the oldest segment goes first. */
static void expire_large(sw_plog *log, const plog_store *of) {
    sw_str model = sw_str_of(of->model);
    for (;;) {
        uint64_t bytes = 0;
        int64_t last_ms, oldest_ms = INT64_MAX;
        plog_store *oldest = NULL;
        for (plog_store *s = first_store(log); s; s = s->next) {
            if (!sw_str_is(model, s->model))
                continue;
            bytes += sw_plog_store_bytes(s);
            if (sw_plog_store_oldest(&last_ms, s) && last_ms < oldest_ms) {
                oldest_ms = last_ms;
                oldest = s;
            }
        }
        if (bytes <= of->retention->bytes_max || !oldest)
            return;
        sw_plog_store_remove_oldest(oldest);
    }
}

static void keep_stores(sw_plog *log, int64_t now_ms, bool expire) {
    for (plog_store *s = first_store(log); s; s = s->next) {
        sw_error error = {""};
        append(log, s, now_ms);
        bool waiting = log->status.stopped && now_ms < log->retry_ms;
        if (!waiting && sw_failed(sw_plog_store_seal(s, now_ms, s->writers == 0, &error)))
            note_failure(log, now_ms, &error);
        if (expire) {
            expire_old(s, now_ms);
            expire_large(log, s);
        }
    }
    look_for_room(log, now_ms);
}

static void free_writer(sw_plog_writer *w) {
    for (uint32_t i = 0; w->lanes && i < w->lane_count; i++)
        sw_mem_free(w->lanes[i].ring);
    free(w->lanes);
    pthread_mutex_destroy(&w->sharing);
    sw_arena_free(&w->arena);
    sw_mem_free(w);
}

static uint64_t dropped_by(const sw_plog_writer *w) {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < w->lane_count; i++)
        rows += atomic_load_explicit(&w->lanes[i].rows_dropped, memory_order_relaxed);
    return rows;
}

static void let_go(sw_plog *log, sw_plog_writer *w) {
    pthread_mutex_lock(&log->lock);
    sw_plog_writer **at = &log->writers;
    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    w->store->rows_dropped += dropped_by(w);
    pthread_mutex_unlock(&log->lock);
    w->store->writers--;
    free_writer(w);
}

static void serve_writers(sw_plog *log, int64_t now_ms, bool tick, double seconds) {
    pthread_mutex_lock(&log->lock);
    sw_plog_writer *w = log->writers;
    pthread_mutex_unlock(&log->lock);
    for (sw_plog_writer *next; w; w = next) {
        bool leaving = atomic_load_explicit(&w->leaving, memory_order_acquire);
        next = w->next;
        w->store->writers += !w->arrived;
        w->arrived = true;
        drain_writer(log, w, now_ms);
        if (tick)
            tick_writer(w, seconds);
        if (leaving)
            let_go(log, w);
    }
}

/* One turn: what lies in the queues goes to blocks; once a second, or `all`, blocks to disk. */
static void turn(sw_plog *log, bool all) {
    int64_t now_ms = sw_clock_wall_ms();
    int64_t since_ms = now_ms - log->ticked_ms;
    bool tick = since_ms >= TICK_MS || since_ms < 0;
    bool store = tick || all;
    bool expire = store && (now_ms - log->expired_ms >= EXPIRE_MS || now_ms < log->expired_ms);
    pthread_mutex_lock(&log->storing);
    serve_writers(log, now_ms, tick, since_ms > 0 ? (double)since_ms / 1e3 : 1);
    if (store)
        keep_stores(log, now_ms, expire);
    pthread_mutex_unlock(&log->storing);
    if (tick)
        log->ticked_ms = now_ms;
    if (expire)
        log->expired_ms = now_ms;
}

static void sleep_a_while(sw_plog *log) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += DRAIN_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    if (log->writers)
        pthread_cond_timedwait(&log->wake, &log->lock, &until);
    else
        pthread_cond_wait(&log->wake, &log->lock);
}

static void *run_log(void *context) {
    sw_plog *log = context;
    pthread_mutex_lock(&log->lock);
    while (!log->stopping) {
        uint64_t wanted = log->flushes_wanted;
        bool all = wanted > log->flushes_done;
        if (!all)
            sleep_a_while(log);
        wanted = log->flushes_wanted;
        all = wanted > log->flushes_done;
        pthread_mutex_unlock(&log->lock);
        turn(log, all);
        pthread_mutex_lock(&log->lock);
        log->flushes_done = all ? wanted : log->flushes_done;
        pthread_cond_broadcast(&log->flushed);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

void sw_plog_flush(sw_plog *log) {
    pthread_mutex_lock(&log->lock);
    uint64_t mine = ++log->flushes_wanted;
    pthread_cond_signal(&log->wake);
    while (log->flushes_done < mine && !log->stopping)
        pthread_cond_wait(&log->flushed, &log->lock);
    pthread_mutex_unlock(&log->lock);
}

/* ---- A version's way in ---- */

static bool has_column(const sw_plog_writer *w, const plog_source *sources, bool output,
                       uint32_t tensor) {
    for (uint32_t i = 0; i < w->schema.count; i++)
        if (w->schema.columns[i].output == output && sources[i].tensor == tensor)
            return true;
    return false;
}

static uint32_t elements_of(const sw_plog_writer *w, const plog_source *sources, bool output,
                            uint32_t tensor, const sw_tensor_spec *spec) {
    size_t count = 1, most = 0;
    for (size_t d = 1; d < spec->rank; d++)
        count = spec->shape[d] > 0 ? count * (size_t)spec->shape[d] : 0;
    for (uint32_t i = 0; i < w->schema.count; i++)
        if (w->schema.columns[i].output == output && sources[i].tensor == tensor &&
            sources[i].element >= most)
            most = sources[i].element + 1;
    return (uint32_t)(count > most ? count : most);
}

static int by_element(const void *left, const void *right) {
    const plog_take *a = left, *b = right;
    return (a->element > b->element) - (a->element < b->element);
}

static void add_piece(sw_plog_writer *w, uint32_t *elements, const plog_source *sources,
                      bool output, uint32_t tensor, const sw_tensor_spec *spec) {
    uint32_t count = elements_of(w, sources, output, tensor, spec);
    uint32_t bytes = spec->dtype == SW_BYTES ? 0 : count * (uint32_t)sw_dtype_size(spec->dtype);
    w->pieces[w->piece_count++] = (plog_piece){tensor, count, bytes, output, spec->dtype};
    w->fixed_bytes += bytes;
    for (uint32_t i = 0; i < w->schema.count; i++)
        if (w->schema.columns[i].output == output && sources[i].tensor == tensor)
            w->takes[i] = (plog_take){*elements + sources[i].element, i};
    *elements += count;
}

static sw_status plan(sw_plog_writer *w, const sw_signature *s, const sw_monitor_settings *settings,
                      sw_error *error) {
    plog_source *sources;
    uint32_t elements = 0;
    SW_TRY(sw_plog_schema_make(&w->schema, &sources, s, settings, &w->arena, error));
    w->pieces =
        sw_arena_zalloc(&w->arena, (size_t)s->input_count + s->output_count + 1, sizeof *w->pieces);
    w->takes = sw_arena_zalloc(&w->arena, (size_t)w->schema.count + 1, sizeof *w->takes);
    if (!w->pieces || !w->takes)
        return no_memory(error);
    for (uint32_t i = 0; i < s->input_count; i++)
        if (has_column(w, sources, false, i))
            add_piece(w, &elements, sources, false, i, &s->inputs[i]);
    for (uint32_t i = 0; i < s->output_count; i++)
        if (has_column(w, sources, true, i))
            add_piece(w, &elements, sources, true, i, &s->outputs[i]);
    qsort(w->takes, w->schema.count, sizeof *w->takes, by_element);
    return SW_OK;
}

/* A quarter of a second's worth, so that a thread that is late loses nothing. */
static uint32_t ring_bytes(const sw_plog_writer *w) {
    double wanted = w->rows_per_s * (w->fixed_bytes + 64.0) / 4, row = 4.0 * (w->fixed_bytes + 64);
    uint32_t bytes = RING_BYTES_MIN;
    while (bytes < RING_BYTES_MAX && (bytes < wanted || bytes < row))
        bytes *= 2;
    return bytes;
}

static sw_status make_lanes(sw_plog_writer *w, uint32_t count, sw_error *error) {
    w->ring_bytes = ring_bytes(w);
    w->lane_count = count;
    w->lanes = aligned_alloc(64, count * sizeof *w->lanes);
    if (!w->lanes)
        return no_memory(error);
    memset(w->lanes, 0, count * sizeof *w->lanes);
    for (uint32_t i = 0; i < count; i++) {
        w->lanes[i].threshold = UINT64_MAX;
        w->lanes[i].ring = sw_mem_alloc(w->ring_bytes);
        if (!w->lanes[i].ring)
            return no_memory(error);
    }
    return SW_OK;
}

static sw_status fill_writer(sw_plog_writer *w, sw_plog *log, sw_str model, uint32_t version,
                             const sw_signature *signature, const sw_monitor_settings *settings,
                             sw_error *error) {
    w->log = log;
    w->rows_per_s = settings->log_rows_per_s;
    w->burst_rows = w->rows_per_s < 1     ? 1
                    : w->rows_per_s > 1e9 ? 1000000000
                                          : (uint32_t)w->rows_per_s;
    w->whole_requests = settings->task == SW_TASK_RANKING;
    atomic_init(&w->threshold, UINT64_MAX);
    SW_TRY(plan(w, signature, settings, error));
    SW_TRY(make_lanes(w, log->loops + 1, error));
    if (!sw_plog_store_of(log, model, version))
        SW_TRY(open_store(log, model, version, error));
    w->store = sw_plog_store_of(log, model, version);
    return SW_OK;
}

sw_status sw_plog_add(sw_plog_writer **out, sw_plog *log, sw_str model, uint32_t version,
                      const sw_signature *signature, const sw_monitor_settings *settings,
                      sw_error *error) {
    *out = NULL;
    if (!(settings->log_rows_per_s > 0))
        return SW_OK;
    sw_plog_writer *w = sw_mem_zalloc(1, sizeof *w);
    if (!w)
        return no_memory(error);
    pthread_mutex_init(&w->sharing, NULL);
    sw_status status = fill_writer(w, log, model, version, signature, settings, error);
    if (sw_failed(status)) {
        free_writer(w);
        return status;
    }
    pthread_mutex_lock(&log->lock);
    w->next = log->writers;
    log->writers = w;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
    *out = w;
    return SW_OK;
}

void sw_plog_remove(sw_plog_writer *w) {
    if (w)
        atomic_store_explicit(&w->leaving, true, memory_order_release);
}

void sw_plog_status_get(sw_plog_status *out, sw_plog *log, sw_str model) {
    pthread_mutex_lock(&log->lock);
    *out = log->status;
    out->rows_logged = out->rows_dropped = out->bytes = 0;
    for (plog_store *s = log->stores; s; s = s->next) {
        if (model.len && !sw_str_is(model, s->model))
            continue;
        out->rows_logged += s->rows_logged;
        out->rows_dropped += s->rows_dropped;
        out->bytes += sw_plog_store_bytes(s);
    }
    for (const sw_plog_writer *w = log->writers; w; w = w->next)
        if (model.len == 0 || sw_str_is(model, w->store->model))
            out->rows_dropped += dropped_by(w);
    pthread_mutex_unlock(&log->lock);
}

/* ---- Opened and closed ---- */

static sw_status load_key(sw_plog *log, sw_error *error) {
    char path[SW_PATH_BYTES];
    sw_buf bytes = {0};
    SW_TRY(sw_file_path(path, log->root, "hash.key", error));
    sw_status status = sw_file_read_whole(&bytes, path, 4096, error);
    if (status.code == SW_CODE_NOT_FOUND) {
        SW_TRY(sw_file_random(log->key, sizeof log->key, error));
        return sw_file_write_whole(path, (sw_str){(char *)log->key, sizeof log->key}, error);
    }
    if (!sw_failed(status) && bytes.len != sizeof log->key)
        status =
            sw_fail(error, SW_CODE_CONFLICT,
                    "%s is no key of 32 bytes: put it back from a backup, or remove it (hashes "
                    "logged so far will then differ from new ones)",
                    path);
    if (!sw_failed(status))
        memcpy(log->key, bytes.at, sizeof log->key);
    sw_buf_free(&bytes);
    return status;
}

typedef struct finding {
    sw_plog *log;
    const char *model;
} finding;

static sw_status visit_version(const char *name, void *context, sw_error *error) {
    finding *f = context;
    uint64_t version;
    if (!sw_str_to_u64(&version, sw_str_of(name), UINT32_MAX))
        return SW_OK;
    return open_store(f->log, sw_str_of(f->model), (uint32_t)version, error);
}

static sw_status visit_model(const char *name, void *context, sw_error *error) {
    char path[SW_PATH_BYTES];
    sw_file_facts facts;
    sw_plog *log = context;
    finding f = {log, name};
    SW_TRY(sw_file_path(path, log->root, name, error));
    SW_TRY(sw_file_stat(&facts, path, error));
    return facts.is_folder ? sw_file_each(path, visit_version, &f, error) : SW_OK;
}

static sw_status start(sw_plog *log, const char *data_dir, sw_error *error) {
    SW_TRY(sw_file_path(log->root, data_dir, "predictions", error));
    SW_TRY(sw_file_make_folders(NULL, log->root, error));
    SW_TRY(load_key(log, error));
    SW_TRY(sw_file_each(log->root, visit_model, log, error));
    log->ticked_ms = sw_clock_wall_ms();
    if (pthread_create(&log->thread, NULL, run_log, log) != 0)
        return sw_fail(error, SW_CODE_NO_MEMORY, "cannot start the prediction log's thread");
    (void)pthread_setname_np(log->thread, "predictions");
    log->running = true;
    return SW_OK;
}

sw_status sw_plog_open(sw_plog **out, const char *data_dir, uint32_t loops, sw_error *error) {
    sw_plog *log = sw_mem_zalloc(1, sizeof *log);
    if (!log)
        return no_memory(error);
    log->loops = loops ? loops : 1;
    pthread_mutex_init(&log->lock, NULL);
    pthread_mutex_init(&log->storing, NULL);
    pthread_cond_init(&log->wake, NULL);
    pthread_cond_init(&log->flushed, NULL);
    sw_status status = start(log, data_dir, error);
    if (sw_failed(status))
        sw_plog_close(log);
    else
        *out = log;
    return status;
}

void sw_plog_close(sw_plog *log) {
    if (!log)
        return;
    if (log->running) {
        pthread_mutex_lock(&log->lock);
        log->stopping = true;
        pthread_cond_broadcast(&log->wake);
        pthread_cond_broadcast(&log->flushed);
        pthread_mutex_unlock(&log->lock);
        pthread_join(log->thread, NULL);
        turn(log, true);
    }
    for (plog_store *s = log->stores, *next; s; s = next) {
        next = s->next;
        sw_plog_store_free(s);
    }
    for (plog_retention *r = log->retentions, *next; r; r = next) {
        next = r->next;
        sw_mem_free(r->model);
        sw_mem_free(r);
    }
    pthread_mutex_destroy(&log->lock);
    pthread_mutex_destroy(&log->storing);
    pthread_cond_destroy(&log->wake);
    pthread_cond_destroy(&log->flushed);
    sw_mem_free(log);
}
