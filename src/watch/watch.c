/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/watch_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "watch/windows_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { MINUTE_MS = 60000, BOOT_BYTES = 64 };

int64_t sw_watch_minute(const sw_watch *watch) {
    return watch->clock_ms() / MINUTE_MS;
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...) {
    char text[SW_ERROR_BYTES + 200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(stderr, "slipway: watch: %s\n", text);
}

/* ---- A record's minutes. The record's lock is held. ---- */

static void drop_minutes(sw_record *record, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!record->ring[i].written && record->lost++ == 0)
            tell("%.*s@%u: from now on minutes of counts are lost, as the database has taken none "
                 "for an hour",
                 SW_STR_ARG(record->model), record->version);
        sw_mem_free(record->ring[i].bytes);
    }
    record->ring_count -= count;
    memmove(record->ring, record->ring + count, record->ring_count * sizeof *record->ring);
}

static bool push_minute(sw_record *record, const sw_counts *counts, sw_minute minute) {
    sw_buf bytes = {0};
    sw_counts_encode(&bytes, counts);
    if (bytes.failed) {
        sw_buf_free(&bytes);
        return false;
    }
    size_t old = record->ring_count == SW_WATCH_RING_ROOM;
    while (old < record->ring_count && record->ring[old].minute <= minute.minute - SW_WATCH_RING)
        old++;
    if (old)
        drop_minutes(record, old);
    minute.rows = counts->rows;
    minute.bytes = bytes.at;
    minute.len = bytes.len;
    minute.number = ++record->numbered;
    record->ring[record->ring_count++] = minute;
    return true;
}

/* The running minute becomes a finished one where the clock says so. */
static void roll(sw_watch *watch, sw_record *record, int64_t minute) {
    if (minute == record->minute)
        return;
    if (!sw_counts_empty(&record->now)) {
        sw_minute done = {.minute = record->minute,
                          .step = record->step,
                          .written = record->written == record->changes};
        if (!push_minute(record, &record->now, done))
            return; /* memory is out: the minute goes on */
        sw_counts_clear(&record->now);
    }
    if (minute < record->minute)
        atomic_fetch_add(&watch->step, 1);
    record->step = atomic_load(&watch->step);
    record->minute = minute;
    record->written = record->changes;
}

static bool is_clean(const sw_record *record) {
    for (size_t i = 0; i < record->ring_count; i++)
        if (!record->ring[i].written)
            return false;
    return record->written == record->changes;
}

void sw_record_take(sw_record *record, sw_counts *into, sw_shard *shard, uint32_t cell) {
    for (uint32_t i = 0; cell == 0 && shard->mismatched && i < shard->observer->feature_count; i++)
        record->mismatches[i] += shard->mismatches[i];
    sw_counts_take(into, shard, cell);
}

static void take(sw_watch *watch, sw_record *record, sw_shard *shard, uint32_t cell) {
    if (!sw_shard_has(shard, cell))
        return;
    int64_t minute = sw_watch_minute(watch);
    pthread_mutex_lock(&record->lock);
    roll(watch, record, minute);
    sw_record_take(record, &record->now, shard, cell);
    record->changes++;
    pthread_mutex_unlock(&record->lock);
}

void sw_watch_merge(sw_watched *watched, sw_shard *shard) {
    sw_record *record = watched->record;
    take(watched->watch, record, shard, 0);
    for (uint32_t i = 1; i < shard->cell_count; i++)
        take(watched->watch, watched->segments[i - 1], shard, i);
}

void sw_watch_mismatches(sw_watched *watched, sw_watch_mismatch_fn *fn, void *context) {
    sw_record *record = watched->record;
    pthread_mutex_lock(&record->lock);
    for (uint32_t i = 0; i < watched->observer->feature_count; i++)
        if (record->mismatches[i])
            fn(watched->observer->columns[i].name, record->mismatches[i], context);
    pthread_mutex_unlock(&record->lock);
}

/* ---- Keeping: all that is new goes into the database in one write ---- */

typedef struct gathered {
    sw_window_row *rows;
    size_t count, cap;
    sw_arena arena;
    bool failed; /* memory ran out: the rest waits for the next second */
} gathered;

static void gather(gathered *g, const sw_watch *watch, const sw_record *record, int64_t minute,
                   uint32_t step, uint64_t rows, sw_str counts) {
    if (g->count == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 16;
        sw_window_row *more = sw_mem_realloc(g->rows, cap * sizeof *more);
        if (!more) {
            g->failed = true;
            return;
        }
        g->rows = more;
        g->cap = cap;
    }
    sw_str boot =
        step ? sw_arena_printf(&g->arena, "%s.%u", watch->boot, step) : sw_str_of(watch->boot);
    counts = sw_arena_copy(&g->arena, counts);
    g->failed |= !boot.at || !counts.at;
    if (!g->failed)
        g->rows[g->count++] = (sw_window_row){.model = record->model,
                                              .version = record->version,
                                              .profile_hash = record->hash,
                                              .segment = record->segment,
                                              .minute = minute,
                                              .boot = boot,
                                              .rows = rows,
                                              .counts = counts};
}

static void gather_record(gathered *g, sw_watch *watch, sw_record *record, int64_t minute) {
    pthread_mutex_lock(&record->lock);
    roll(watch, record, minute);
    for (size_t i = 0; i < record->ring_count && !g->failed; i++) {
        sw_minute *m = &record->ring[i];
        if (m->written)
            continue;
        gather(g, watch, record, m->minute, m->step, m->rows, (sw_str){m->bytes, m->len});
        m->writing = !g->failed;
    }
    record->writing_minute = -1;
    if (record->changes != record->written && !g->failed) {
        sw_buf bytes = {0};
        sw_counts_encode(&bytes, &record->now);
        g->failed |= bytes.failed;
        if (!g->failed)
            gather(g, watch, record, record->minute, record->step, record->now.rows,
                   sw_buf_str(&bytes));
        if (!g->failed) {
            record->writing = record->changes;
            record->writing_minute = record->minute;
        }
        sw_buf_free(&bytes);
    }
    pthread_mutex_unlock(&record->lock);
}

static void mark_written(sw_record *record, bool good) {
    pthread_mutex_lock(&record->lock);
    for (size_t i = 0; i < record->ring_count; i++) {
        record->ring[i].written |= good && record->ring[i].writing;
        record->ring[i].writing = false;
    }
    if (good && record->writing_minute == record->minute)
        record->written = record->writing;
    if (good)
        record->lost = 0;
    pthread_mutex_unlock(&record->lock);
}

static void free_record(sw_record *record) {
    for (size_t i = 0; i < record->ring_count; i++)
        sw_mem_free(record->ring[i].bytes);
    sw_counts_free(&record->now);
    sw_mem_free(record->mismatches);
    pthread_mutex_destroy(&record->lock);
    sw_mem_free((void *)record->model.at);
    sw_mem_free((void *)record->hash.at);
    sw_mem_free((void *)record->segment.at);
    sw_mem_free(record);
}

/* Records that nobody serves and the database has all of. */
static void free_idle(sw_watch *watch) {
    pthread_mutex_lock(&watch->listing);
    for (sw_record **at = &watch->records; *at;) {
        sw_record *record = *at;
        if (record->users || !is_clean(record)) {
            at = &record->next;
            continue;
        }
        *at = record->next;
        free_record(record);
    }
    pthread_mutex_unlock(&watch->listing);
}

static void tell_trouble(sw_watch *watch, bool good, const sw_error *error) {
    if (!good && !watch->in_trouble)
        tell("counts could not be stored: %s. Serving goes on; the last hour is kept in memory and "
             "stored once that works again",
             error->text);
    if (good && watch->in_trouble)
        tell("counts are stored again");
    watch->in_trouble = !good;
}

static bool keep_locked(sw_watch *watch) {
    gathered g = {0};
    sw_error error = {"not enough memory"};
    int64_t minute = sw_watch_minute(watch);
    sw_arena_init(&g.arena, 4096);
    for (sw_record *record = watch->records; record; record = record->next)
        gather_record(&g, watch, record, minute);
    bool good = !sw_failed(sw_windows_write(watch->db, g.rows, g.count, &error));
    for (sw_record *record = watch->records; record; record = record->next)
        mark_written(record, good);
    free_idle(watch);
    good = good && sw_watch_tidy(watch, minute, &error) && !g.failed;
    tell_trouble(watch, good, &error);
    sw_arena_free(&g.arena);
    sw_mem_free(g.rows);
    return good;
}

bool sw_watch_keep(sw_watch *watch) {
    pthread_mutex_lock(&watch->keeping);
    bool good = keep_locked(watch);
    pthread_mutex_unlock(&watch->keeping);
    return good;
}

static void *keeper_main(void *context) {
    sw_watch *watch = context;
    pthread_mutex_lock(&watch->stopping);
    while (!watch->stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        while (!watch->stop &&
               pthread_cond_timedwait(&watch->wake, &watch->stopping, &until) != ETIMEDOUT)
            ;
        if (watch->stop)
            break;
        pthread_mutex_unlock(&watch->stopping);
        sw_watch_keep(watch);
        pthread_mutex_lock(&watch->stopping);
    }
    pthread_mutex_unlock(&watch->stopping);
    return NULL;
}

/* ---- Opening and closing ---- */

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to watch models");
}

static sw_watch *make_watch(sw_db *db, int64_t (*clock_ms)(void)) {
    sw_watch *watch = sw_mem_zalloc(1, sizeof *watch);
    if (!watch)
        return NULL;
    watch->db = db;
    watch->clock_ms = clock_ms;
    snprintf(watch->boot, sizeof watch->boot, "%llx-%x", (unsigned long long)clock_ms(),
             (unsigned)getpid());
    pthread_mutex_init(&watch->keeping, NULL);
    pthread_mutex_init(&watch->listing, NULL);
    pthread_mutex_init(&watch->stopping, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return watch;
}

sw_status sw_watch_open_still(sw_watch **out, sw_db *db, int64_t (*clock_ms)(void),
                              sw_error *error) {
    *out = make_watch(db, clock_ms);
    return *out ? SW_OK : no_memory(error);
}

sw_status sw_watch_open(sw_watch **out, sw_db *db, sw_error *error) {
    sw_watch *watch = make_watch(db, sw_clock_wall_ms);
    if (!watch)
        return no_memory(error);
    int failure = pthread_create(&watch->keeper, NULL, keeper_main, watch);
    if (failure) {
        sw_watch_close(watch);
        return sw_fail(error, SW_CODE_UNAVAILABLE, "cannot start the thread that stores counts: %s",
                       strerror(failure));
    }
    (void)pthread_setname_np(watch->keeper, "watch-keeper");
    watch->started = true;
    *out = watch;
    return SW_OK;
}

static void free_handle(sw_watched *watched) {
    sw_mem_free(watched->segments);
    sw_counts_free(&watched->window.sum);
    sw_counts_free(&watched->reference);
    pthread_mutex_destroy(&watched->summing);
    sw_mem_free(watched);
}

void sw_watch_close(sw_watch *watch) {
    if (!watch)
        return;
    if (watch->started) {
        pthread_mutex_lock(&watch->stopping);
        watch->stop = true;
        pthread_cond_signal(&watch->wake);
        pthread_mutex_unlock(&watch->stopping);
        pthread_join(watch->keeper, NULL);
    }
    if (watch->records)
        sw_watch_keep(watch);
    while (watch->records) {
        sw_record *record = watch->records;
        watch->records = record->next;
        free_record(record);
    }
    while (watch->handles) {
        sw_watched *watched = watch->handles;
        watch->handles = watched->next;
        free_handle(watched);
    }
    pthread_mutex_destroy(&watch->keeping);
    pthread_mutex_destroy(&watch->listing);
    pthread_mutex_destroy(&watch->stopping);
    pthread_cond_destroy(&watch->wake);
    sw_mem_free(watch);
}

/* ---- Adding and removing a version ---- */

typedef struct restoring {
    sw_watch *watch;
    sw_record *record;
    sw_counts sum; /* of the minute that is being read */
    int64_t minute;
} restoring;

static void end_restored(restoring *r) {
    if (!sw_counts_empty(&r->sum))
        push_minute(r->record, &r->sum, (sw_minute){.minute = r->minute, .written = true});
    sw_counts_clear(&r->sum);
}

static sw_status restore_row(const sw_window_row *row, void *context, sw_error *error) {
    restoring *r = context;
    char boot[BOOT_BYTES];
    if (row->minute != r->minute) {
        end_restored(r);
        r->minute = row->minute;
    }
    snprintf(boot, sizeof boot, r->record->step ? "%s.%u" : "%s", r->watch->boot, r->record->step);
    bool running = row->minute == r->record->minute && sw_str_is(row->boot, boot);
    if (sw_failed(sw_counts_add_encoded(running ? &r->record->now : &r->sum, row->counts, error)))
        tell("%.*s@%u: minute %lld left out: %s", SW_STR_ARG(row->model), row->version,
             (long long)row->minute, error ? error->text : "");
    return SW_OK;
}

/*
 * The last hour, from the database. What cannot be read is told and left out: serving matters more.
 * False where memory is out.
 */
static bool restore(sw_watch *watch, sw_record *record) {
    restoring r = {.watch = watch, .record = record, .minute = record->minute};
    sw_error why = {{0}};
    if (sw_failed(sw_counts_make_like(&r.sum, &record->now, &why)))
        return false;
    sw_window_query query = {record->model,
                             record->version,
                             record->hash,
                             record->segment,
                             record->minute - SW_WATCH_RING + 1,
                             record->minute + 1};
    sw_status status = sw_windows_read(watch->db, &query, restore_row, &r, &why);
    if (sw_failed(status))
        tell("%.*s@%u: earlier counts could not be read: %s", SW_STR_ARG(record->model),
             record->version, why.text);
    end_restored(&r);
    sw_counts_free(&r.sum);
    return true;
}

/* NULL where memory is out. */
static sw_record *make_record(sw_watch *watch, const sw_record_key *key,
                              const sw_observer *observer) {
    sw_record *record = sw_mem_zalloc(1, sizeof *record);
    if (!record)
        return NULL;
    pthread_mutex_init(&record->lock, NULL);
    record->model = (sw_str){sw_mem_copy(key->model.at, key->model.len), key->model.len};
    record->hash = (sw_str){sw_mem_copy(key->hash.at, key->hash.len), key->hash.len};
    record->segment = (sw_str){sw_mem_copy(key->segment.at, key->segment.len), key->segment.len};
    record->version = key->version;
    record->step = atomic_load(&watch->step);
    record->minute = sw_watch_minute(watch);
    if (key->segment.len == 0)
        record->mismatches = sw_mem_zalloc(observer->column_count, sizeof *record->mismatches);
    bool good =
        record->model.at && record->hash.at && record->segment.at &&
        (record->mismatches || key->segment.len) &&
        !sw_failed(sw_counts_make_for(&record->now, observer, key->segment.len > 0, NULL)) &&
        restore(watch, record);
    if (good)
        return record;
    free_record(record);
    return NULL;
}

/* The record of `key`, made where there is none, in use once more. */
static sw_status use_record(sw_record **out, sw_watch *watch, const sw_record_key *key,
                            const sw_observer *observer, sw_error *error) {
    sw_record *found = sw_watch_find(watch, key);
    sw_record *record = found ? found : make_record(watch, key, observer);
    if (!record)
        return no_memory(error);
    uint32_t tables = key->segment.len ? observer->output_label_count : observer->label_count;
    if (record->now.bin_count != observer->counter_count || record->now.label_count != tables ||
        record->now.column_count != observer->column_count)
        return sw_fail(error, SW_CODE_INTERNAL, "%.*s@%u is already watched with other bins",
                       SW_STR_ARG(key->model), key->version);
    pthread_mutex_lock(&watch->listing);
    if (!found) {
        record->next = watch->records;
        watch->records = record;
    }
    record->users++;
    pthread_mutex_unlock(&watch->listing);
    *out = record;
    return SW_OK;
}

/* True where one of them has no user left. With `keeping` held. */
static bool let_go(sw_watched *watched) {
    uint32_t count = watched->segments ? watched->observer->segment_count : 0;
    bool last = false;
    pthread_mutex_lock(&watched->watch->listing);
    if (watched->record)
        last = --watched->record->users == 0;
    for (uint32_t i = 0; i < count && watched->segments[i]; i++)
        last |= --watched->segments[i]->users == 0;
    pthread_mutex_unlock(&watched->watch->listing);
    return last;
}

static sw_status attach(sw_watched *watched, sw_record_key key, sw_error *error) {
    const sw_observer *observer = watched->observer;
    watched->segments = sw_mem_zalloc(observer->segment_count, sizeof(sw_record *));
    if (!watched->segments)
        return no_memory(error);
    SW_TRY(use_record(&watched->record, watched->watch, &key, observer, error));
    for (uint32_t i = 0; i < observer->segment_count; i++) {
        key.segment = observer->segments[i];
        SW_TRY(use_record(&watched->segments[i], watched->watch, &key, observer, error));
    }
    return SW_OK;
}

sw_status sw_watch_add(sw_watched **out, sw_watch *watch, sw_str model, uint32_t version,
                       sw_str profile_hash, const sw_observer *observer, const sw_profile *profile,
                       const sw_monitor_settings *settings, sw_error *error) {
    sw_watched *watched = sw_mem_zalloc(1, sizeof *watched);
    if (!watched)
        return no_memory(error);
    *watched = (sw_watched){
        .watch = watch, .observer = observer, .profile = profile, .settings = settings};
    pthread_mutex_init(&watched->summing, NULL);
    pthread_mutex_lock(&watch->keeping);
    sw_status status =
        attach(watched, (sw_record_key){model, version, profile_hash, SW_STR("")}, error);
    if (sw_failed(status)) {
        let_go(watched);
    } else {
        watched->next = watch->handles;
        watch->handles = watched;
    }
    pthread_mutex_unlock(&watch->keeping);
    if (sw_failed(status))
        free_handle(watched);
    else
        *out = watched;
    return status;
}

void sw_watch_remove(sw_watched *watched) {
    if (!watched)
        return;
    sw_watch *watch = watched->watch;
    pthread_mutex_lock(&watch->keeping);
    sw_watched **at = &watch->handles;
    while (*at != watched)
        at = &(*at)->next;
    *at = watched->next;
    if (let_go(watched))
        keep_locked(watch);
    pthread_mutex_unlock(&watch->keeping);
    free_handle(watched);
}
