/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_server: what tests of the watch stand on. One version of a model is watched and monitored,
 * with a database in a folder of its own, by a clock that the test turns.
 *
 *     begin_server();
 *     signature = …; profile = …; settings.… = …;    no profile and default settings else
 *     REQUIRE(make_server());
 *     stop_server(); or crash_server(); then REQUIRE(start_server());
 *     end_server();
 */
#ifndef SW_TESTS_WATCH_SERVER_H
#define SW_TESTS_WATCH_SERVER_H

#include "unit/scratch.h"
#include "unit/test.h"
#include "unit/watch/watch_testing.h"
#include "watch/monitors_private.h"

#include <jansson.h>

static sw_error error;
static sw_arena arena;

/* ---- The clock ---- */

enum { START = 29000000 - 29000000 % 1440 }; /* a midnight of 2025, in minutes */

static _Atomic int64_t now_ms;
static int64_t minute;

static inline int64_t test_clock(void) {
    return atomic_load(&now_ms);
}

/* Ten seconds after the minute began, so that the one before is settled. */
static inline void set_minute(int64_t to) {
    minute = to;
    atomic_store(&now_ms, to * 60000 + 10000);
}

/* ---- The server ---- */

static const sw_str model = SW_STR("fraud"), hash = SW_STR("5f1c");
static sw_signature signature;
static sw_profile profile;
static sw_monitor_settings settings;
static char folder[SCRATCH_BYTES];
static sw_db *db;
static sw_watch *watch;
static sw_monitors *monitors;
static sw_observer *observer;
static sw_shard *shard;
static sw_watched *watched;
static sw_monitored *monitored;
static sw_watch_subject subject;

static inline const sw_profile *profile_or_none(void) {
    return profile.column_count ? &profile : NULL;
}

static inline bool start_server(void) {
    sw_status status = sw_db_open(&db, scratch_path(folder, "slipway.db"), &error);
    if (!sw_failed(status))
        status = sw_watch_open_still(&watch, db, test_clock, &error);
    if (!sw_failed(status))
        status = sw_monitors_open_still(&monitors, watch, &error);
    if (!sw_failed(status))
        status = sw_watch_add(&watched, watch, model, 1, hash, observer, profile_or_none(),
                              &settings, &error);
    if (!sw_failed(status))
        status = sw_monitor_add(&monitored, monitors, model, 1, hash, observer, profile_or_none(),
                                &settings, &error);
    CHECK_OK(status, error);
    return !sw_failed(status);
}

static inline void close_server(void) {
    sw_monitors_close(monitors);
    sw_watch_close(watch);
    sw_db_close(db);
}

static inline void stop_server(void) {
    sw_monitor_remove(monitored);
    close_server();
}

/* As kill -9 would: counts that were not kept are gone, and the monitor's state since it was last
 * stored. */
static inline void crash_server(void) {
    for (sw_record *record = watch->records; record; record = record->next) {
        record->written = record->changes;
        for (size_t i = 0; i < record->ring_count; i++)
            record->ring[i].written = true;
    }
    close_server();
}

static inline void begin_server(void) {
    set_minute(START);
    scratch_make(folder);
    profile = (sw_profile){0};
    sw_monitor_settings_default(&settings);
}

static inline bool make_server(void) {
    subject = (sw_watch_subject){.model = model,
                                 .version = 1,
                                 .signature = &signature,
                                 .profile = profile_or_none(),
                                 .profile_hash = hash,
                                 .settings = &settings};
    CHECK_OK(sw_observer_make(&observer, &signature, profile_or_none(), &settings, &error), error);
    CHECK_OK(sw_shard_make(&shard, observer, &error), error);
    return start_server();
}

static inline void end_server(void) {
    stop_server();
    sw_shard_free(shard);
    sw_observer_free(observer);
    sw_arena_reset(&arena);
    scratch_remove(folder);
}

/* ---- What it reports ---- */

static inline json_t *report(const char *segment, uint32_t minutes) {
    sw_buf json = {0};
    CHECK_OK(sw_watch_report(&json, watch, &subject, sw_str_of(segment), minutes, 0, &error),
             error);
    json_t *root = json_loadb(json.at ? json.at : "", json.len, 0, NULL);
    CHECK(root != NULL);
    sw_buf_free(&json);
    return root;
}

static inline long long rows_of(const char *segment, uint32_t minutes) {
    json_t *root = report(segment, minutes);
    long long rows = json_integer_value(json_object_get(root, "rows"));
    json_decref(root);
    return rows;
}

static inline json_t *column(json_t *root, const char *list, size_t at) {
    return json_array_get(json_object_get(root, list), at);
}

static inline const char *text_of(json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "(none)";
}

static inline sw_drift read_drift(void) {
    sw_drift drift = {0};
    CHECK_OK(sw_monitor_read(&drift, monitors, model, 1, SW_STR("*"), true, &arena, &error), error);
    return drift;
}

static inline const sw_finding *find(const sw_drift *drift, const char *name,
                                     sw_finding_kind kind) {
    static const sw_finding none;
    for (size_t i = 0; i < drift->count; i++)
        if (sw_str_is(drift->findings[i].column, name) && drift->findings[i].kind == kind)
            return &drift->findings[i];
    CHECK(!"a finding of that column and kind");
    return &none;
}

#endif /* SW_TESTS_WATCH_SERVER_H */
