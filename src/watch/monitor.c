/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitors_private.h"

#include "base/mem.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

/*
 * A minute is looked at once, some seconds after it has ended, so that all its counts are stored.
 * Minutes of the past that come late (rows observed elsewhere) have their look when they come; rows
 * that are added to a minute after its look have none.
 */
enum { SETTLE_MS = 5000, STORE_MINUTES = 15, WAKE_S = 5, BACK_MINUTES_MAX = 60 };

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to monitor a model");
}

/* ---- Which minutes were looked at ---- */

static void set_looked(sw_monitor *monitor, int64_t minute, bool looked) {
    uint64_t at = (uint64_t)minute % SW_MONITOR_MINUTES, bit = UINT64_C(1) << (at % 64);
    if (looked)
        monitor->looked[at / 64] |= bit;
    else
        monitor->looked[at / 64] &= ~bit;
}

/* Minutes that come into reach take the places of those that fall out of it. */
static void move_reach(sw_monitor *monitor, int64_t newest) {
    if (newest - monitor->newest_minute >= SW_MONITOR_MINUTES)
        memset(monitor->looked, 0, sizeof monitor->looked);
    else
        for (int64_t m = monitor->newest_minute + 1; m <= newest; m++)
            set_looked(monitor, m, false);
    monitor->newest_minute = newest;
}

/* The clock went back by more than it is worth waiting for: all before it counts as looked at. */
static void begin_anew_at(sw_monitor *monitor, int64_t minute) {
    memset(monitor->looked, 0xFF, sizeof monitor->looked);
    monitor->newest_minute = monitor->origin_minute = minute;
    monitor->stored_once = false; /* what is stored is of a time to come */
}

/* ---- Looking ---- */

static sw_status store_state(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                             sw_error *error) {
    sw_buf state = {0};
    sw_monitor_write(&state, monitor);
    sw_status status = state.failed
                           ? no_memory(error)
                           : sw_monitors_store(monitors->db, monitor, sw_buf_str(&state), error);
    if (!sw_failed(status)) {
        monitor->stored_minute = minute;
        monitor->stored_once = true;
    }
    sw_buf_free(&state);
    return status;
}

static sw_status look_once(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                           sw_error *error) {
    bool late = minute < monitor->newest_minute;
    SW_TRY(sw_monitor_plan(monitors, monitor, minute, error));
    SW_TRY(sw_monitor_look_at(monitors, monitor, minute, error));
    monitors->looked = true;
    if (!late)
        move_reach(monitor, minute);
    set_looked(monitor, minute, true);
    return late ? store_state(monitors, monitor, minute, error) : SW_OK;
}

static int64_t finished_minute(const sw_monitors *monitors) {
    return (monitors->watch->clock_ms() - SETTLE_MS) / 60000;
}

/* With the lock. Sets `more` where further minutes wait. */
static sw_status look_next(bool *more, sw_monitors *monitors, sw_monitor *monitor,
                           sw_arena *scratch, sw_error *error) {
    int64_t *minutes, to = finished_minute(monitors), from = to - SW_MONITOR_MINUTES + 1;
    size_t count, done = 0;
    *more = false;
    if (!monitor->handles)
        return SW_OK;
    if (monitor->newest_minute > to + BACK_MINUTES_MAX)
        begin_anew_at(monitor, to);
    from = from > monitor->origin_minute ? from : monitor->origin_minute;
    SW_TRY(sw_monitor_plan(monitors, monitor, to, error));
    SW_TRY(sw_monitors_minutes(&minutes, &count, monitors->db, monitor, from, to, scratch, error));
    for (size_t i = 0; i < count && !*more; i++) {
        if (sw_monitor_has_looked(monitor, minutes[i]) && minutes[i] <= monitor->newest_minute)
            continue;
        *more = done == 1;
        if (!*more)
            SW_TRY(look_once(monitors, monitor, minutes[i], error));
        done++;
    }
    if (!*more && (!monitor->stored_once || to - monitor->stored_minute >= STORE_MINUTES))
        SW_TRY(store_state(monitors, monitor, to, error));
    return SW_OK;
}

static bool look_until_done(sw_monitors *monitors, sw_monitor *monitor, sw_error *error) {
    sw_arena scratch = {0};
    sw_status status = SW_OK;
    for (bool more = true; more && !sw_failed(status);) {
        pthread_mutex_lock(&monitor->lock);
        sw_arena_reset(&scratch);
        status = look_next(&more, monitors, monitor, &scratch, error);
        pthread_mutex_unlock(&monitor->lock);
    }
    sw_arena_free(&scratch);
    return !sw_failed(status);
}

/* ---- The list ---- */

static void free_monitor(sw_monitor *monitor) {
    for (size_t i = 0; i < monitor->part_count; i++)
        sw_counts_free(&monitor->parts[i].reference);
    sw_engine_free(&monitor->engine);
    sw_mem_free(monitor->influence);
    sw_arena_free(&monitor->multivariate_arena);
    pthread_mutex_destroy(&monitor->lock);
    sw_arena arena = monitor->arena;
    sw_mem_free(monitor);
    sw_arena_free(&arena);
}

/* With `listing`: takes out monitors that nobody needs any more. */
static void free_idle(sw_monitors *monitors) {
    for (sw_monitor **at = &monitors->list; *at;) {
        sw_monitor *monitor = *at;
        if (monitor->handles || monitor->pins) {
            at = &monitor->next;
            continue;
        }
        *at = monitor->next;
        free_monitor(monitor);
    }
}

static void tell(sw_monitors *monitors, bool good, const sw_error *error) {
    if (!good && !monitors->in_trouble)
        fprintf(
            stderr,
            "slipway: monitor: a look at the counts failed: %s. Serving and counting go on; the "
            "look is tried again\n",
            error->text);
    if (good && monitors->in_trouble)
        fprintf(stderr, "slipway: monitor: looks work again\n");
    monitors->in_trouble = !good;
}

void sw_monitors_look(sw_monitors *monitors) {
    bool good = true;
    sw_error error = {{0}};
    monitors->looked = false;
    pthread_mutex_lock(&monitors->listing);
    for (sw_monitor *monitor = monitors->list; monitor; monitor = monitor->next) {
        monitor->pins++;
        pthread_mutex_unlock(&monitors->listing);
        good &= look_until_done(monitors, monitor, &error);
        pthread_mutex_lock(&monitors->listing);
        monitor->pins--;
    }
    free_idle(monitors);
    pthread_mutex_unlock(&monitors->listing);
    tell(monitors, good, &error);
}

static void *thread_main(void *context) {
    sw_monitors *monitors = context;
    pthread_mutex_lock(&monitors->stopping);
    while (!monitors->stop) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += WAKE_S;
        while (!monitors->stop &&
               pthread_cond_timedwait(&monitors->wake, &monitors->stopping, &until) != ETIMEDOUT)
            ;
        if (monitors->stop)
            break;
        void (*after_look)(void *) = monitors->after_look;
        void *context_of_it = monitors->after_look_context;
        pthread_mutex_unlock(&monitors->stopping);
        sw_monitors_look(monitors);
        if (monitors->looked && after_look)
            after_look(context_of_it);
        pthread_mutex_lock(&monitors->stopping);
    }
    pthread_mutex_unlock(&monitors->stopping);
    return NULL;
}

/* ---- Opening and closing ---- */

sw_status sw_monitors_open_still(sw_monitors **out, sw_watch *watch, sw_error *error) {
    sw_monitors *monitors = sw_mem_zalloc(1, sizeof *monitors);
    *out = monitors;
    if (!monitors)
        return no_memory(error);
    monitors->watch = watch;
    monitors->db = watch->db;
    pthread_mutex_init(&monitors->listing, NULL);
    pthread_mutex_init(&monitors->stopping, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&monitors->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    return SW_OK;
}

sw_status sw_monitors_open(sw_monitors **out, sw_watch *watch, sw_error *error) {
    SW_TRY(sw_monitors_open_still(out, watch, error));
    int failure = pthread_create(&(*out)->thread, NULL, thread_main, *out);
    if (failure) {
        sw_monitors_close(*out);
        *out = NULL;
        return sw_fail(error, SW_CODE_UNAVAILABLE, "cannot start the thread that monitors: %s",
                       strerror(failure));
    }
    (*out)->started = true;
    return SW_OK;
}

void sw_monitors_after_look(sw_monitors *monitors, void (*fn)(void *context), void *context) {
    pthread_mutex_lock(&monitors->stopping);
    monitors->after_look_context = context;
    monitors->after_look = fn;
    pthread_mutex_unlock(&monitors->stopping);
}

void sw_monitors_stop(sw_monitors *monitors) {
    if (!monitors || !monitors->started)
        return;
    pthread_mutex_lock(&monitors->stopping);
    monitors->stop = true;
    pthread_cond_signal(&monitors->wake);
    pthread_mutex_unlock(&monitors->stopping);
    pthread_join(monitors->thread, NULL);
    monitors->started = false;
}

void sw_monitors_close(sw_monitors *monitors) {
    if (!monitors)
        return;
    sw_monitors_stop(monitors);
    while (monitors->list) {
        sw_monitor *monitor = monitors->list;
        while (monitor->handles) {
            sw_monitored *handle = monitor->handles;
            monitor->handles = handle->next;
            sw_mem_free(handle);
        }
        monitors->list = monitor->next;
        free_monitor(monitor);
    }
    pthread_mutex_destroy(&monitors->listing);
    pthread_mutex_destroy(&monitors->stopping);
    pthread_cond_destroy(&monitors->wake);
    sw_mem_free(monitors);
}

/* ---- Adding and removing a version ---- */

static bool copy_settings(sw_monitor *monitor, const sw_monitor_settings *settings) {
    sw_arena *arena = &monitor->arena;
    sw_buf json = {0};
    sw_error ignored;
    sw_monitor_settings_to_json(&json, settings);
    sw_str kept = sw_arena_copy(arena, sw_buf_str(&json));
    bool good = kept.at && !sw_failed(sw_monitor_settings_from_json(&monitor->settings, kept, arena,
                                                                    &ignored));
    sw_buf_free(&json);
    return good;
}

/* What a stored state depends on, apart from the profile. */
static bool make_fingerprint(sw_monitor *monitor) {
    const sw_monitor_settings *s = &monitor->settings;
    sw_buf text = {0};
    sw_buf_printf(&text, "2 %.17g %.17g %d %lld %lld %u", s->false_alarms_per_month, s->tolerance,
                  (int)s->reference, (long long)s->reference_from_ms, (long long)s->reference_to_ms,
                  s->reference_minutes);
    for (uint32_t i = 0; i < s->segment_count; i++) {
        sw_buf_add_char(&text, ' ');
        sw_buf_add_str(&text, s->segments[i]);
    }
    monitor->fingerprint = sw_arena_copy(&monitor->arena, sw_buf_str(&text));
    sw_buf_free(&text);
    return monitor->fingerprint.at != NULL;
}

static void forget_state(sw_monitor *monitor) {
    for (size_t i = 0; i < monitor->part_count; i++)
        sw_counts_free(&monitor->parts[i].reference);
    monitor->part_count = 0;
    sw_engine_free(&monitor->engine);
    sw_mem_free(monitor->influence);
    monitor->influence = NULL;
}

/* As it was stored, else from the beginning. What cannot be read is told. */
static void restore(sw_monitors *monitors, sw_monitor *monitor) {
    sw_str state;
    sw_arena scratch = {0};
    sw_error why;
    int64_t now = finished_minute(monitors);
    bool found = !sw_failed(sw_monitors_load(&state, monitors->db, monitor, &scratch, &why));
    if (found && sw_monitor_read_state(monitor, state)) {
        monitor->stored_once = true;
        monitor->stored_minute = now;
    } else {
        if (found)
            fprintf(stderr,
                    "slipway: monitor: %.*s@%u: its stored state is not of this program; "
                    "it begins anew\n",
                    SW_STR_ARG(monitor->model), monitor->version);
        forget_state(monitor);
        memset(monitor->looked, 0, sizeof monitor->looked);
        monitor->origin_minute = now - SW_MONITOR_BACK_MINUTES;
        monitor->newest_minute = monitor->origin_minute - 1;
    }
    sw_arena_free(&scratch);
}

static sw_monitor *make_monitor(sw_monitors *monitors, sw_str model, uint32_t version, sw_str hash,
                                sw_monitored *handle, const sw_monitor_settings *settings) {
    sw_monitor *monitor = sw_mem_zalloc(1, sizeof *monitor);
    if (!monitor)
        return NULL;
    pthread_mutex_init(&monitor->lock, NULL);
    monitor->model = sw_arena_copy(&monitor->arena, model);
    monitor->hash = sw_arena_copy(&monitor->arena, hash);
    monitor->version = version;
    monitor->multivariate = (sw_multivariate){.auc = NAN};
    monitor->has_profile = handle->profile != NULL;
    monitor->handles = handle;
    if (!monitor->model.at || !monitor->hash.at || !copy_settings(monitor, settings) ||
        !make_fingerprint(monitor)) {
        free_monitor(monitor);
        return NULL;
    }
    restore(monitors, monitor);
    return monitor;
}

/* Of these settings too: changed ones begin a monitor of their own. */
static sw_monitor *find(const sw_monitors *monitors, sw_str model, uint32_t version, sw_str hash,
                        const sw_monitor_settings *settings) {
    sw_buf wanted = {0}, has = {0};
    sw_monitor *at = monitors->list;
    for (; at; at = at->next) {
        if (at->version != version || !sw_str_eq(at->model, model) || !sw_str_eq(at->hash, hash))
            continue;
        sw_buf_clear(&wanted);
        sw_buf_clear(&has);
        sw_monitor_settings_to_json(&wanted, settings);
        sw_monitor_settings_to_json(&has, &at->settings);
        if (!wanted.failed && !has.failed && sw_str_eq(sw_buf_str(&wanted), sw_buf_str(&has)))
            break;
    }
    sw_buf_free(&wanted);
    sw_buf_free(&has);
    return at;
}

sw_status sw_monitor_add(sw_monitored **out, sw_monitors *monitors, sw_str model, uint32_t version,
                         sw_str profile_hash, const sw_observer *observer,
                         const sw_profile *profile, const sw_monitor_settings *settings,
                         sw_error *error) {
    sw_monitored *handle = sw_mem_zalloc(1, sizeof *handle);
    if (!handle)
        return no_memory(error);
    *handle = (sw_monitored){.monitors = monitors, .observer = observer, .profile = profile};
    pthread_mutex_lock(&monitors->listing);
    sw_monitor *monitor = find(monitors, model, version, profile_hash, settings);
    if (monitor) {
        pthread_mutex_lock(&monitor->lock);
        handle->next = monitor->handles;
        monitor->handles = handle;
        pthread_mutex_unlock(&monitor->lock);
    } else {
        monitor = make_monitor(monitors, model, version, profile_hash, handle, settings);
        if (monitor) {
            monitor->next = monitors->list;
            monitors->list = monitor;
        }
    }
    handle->monitor = monitor;
    pthread_mutex_unlock(&monitors->listing);
    if (!monitor) {
        sw_mem_free(handle);
        return no_memory(error);
    }
    *out = handle;
    return SW_OK;
}

/* Whether the same version is monitored by other settings: then the stored state is theirs. */
static bool has_successor(const sw_monitors *monitors, const sw_monitor *monitor) {
    for (const sw_monitor *at = monitors->list; at; at = at->next)
        if (at != monitor && at->handles && at->version == monitor->version &&
            sw_str_eq(at->model, monitor->model) && sw_str_eq(at->hash, monitor->hash))
            return true;
    return false;
}

void sw_monitor_remove(sw_monitored *monitored) {
    if (!monitored)
        return;
    sw_monitors *monitors = monitored->monitors;
    sw_monitor *monitor = monitored->monitor;
    sw_error error;
    pthread_mutex_lock(&monitors->listing);
    pthread_mutex_lock(&monitor->lock);
    bool last = monitor->handles == monitored && !monitored->next;
    if (last && monitor->influence && !has_successor(monitors, monitor)) {
        sw_status status = store_state(monitors, monitor, monitor->newest_minute, &error);
        (void)status; /* an older state is as good: the minutes since are looked at again */
    }
    sw_monitored **at = &monitor->handles;
    while (*at != monitored)
        at = &(*at)->next;
    *at = monitored->next;
    pthread_mutex_unlock(&monitor->lock);
    free_idle(monitors);
    pthread_mutex_unlock(&monitors->listing);
    sw_mem_free(monitored);
}
