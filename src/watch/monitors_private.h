/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitors, within: one monitor a version, what feeds it, and where it is stored.
 *
 * A part is all rows, or one segment, with the reference that it is compared with. The engine's
 * columns are those of all parts, one part after the other.
 *
 * Locks, in this order: `listing` (the list of monitors and their handles), then a monitor's
 * `lock` (all the rest of it; held for one look at a time).
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_MONITORS_PRIVATE_H
#define SW_WATCH_MONITORS_PRIVATE_H

#include "watch/history_private.h"
#include "watch/monitor_private.h"

enum {
    SW_MONITOR_BACK_MINUTES = 24 * 60, /* how far a new monitor looks back */
    SW_MONITOR_MINUTES = 2 * 24 * 60,  /* minutes that may still come late: older ones are hours */
    SW_MONITOR_REFERENCE_ROWS_MIN = 500,
    SW_MONITOR_PARTS_MAX = 1 + SW_SEGMENT_CELLS_MAX,
};

typedef struct sw_monitor_part {
    sw_str segment; /* in the monitor's arena */
    bool anchored;  /* there is a reference */
    int64_t anchored_minute;
    sw_counts reference;
} sw_monitor_part;

typedef struct sw_influence {
    double value; /* NaN: not known */
    sw_str why;
} sw_influence;

typedef struct sw_monitor {
    struct sw_monitor *next;
    sw_monitored *handles;
    uint32_t pins; /* of the thread that looks */
    sw_arena arena;
    sw_str model, hash, fingerprint;
    uint32_t version;
    sw_monitor_settings settings;
    pthread_mutex_t lock; /* for all that follows */
    bool has_profile;
    sw_monitor_part parts[SW_MONITOR_PARTS_MAX];
    size_t part_count;
    sw_engine engine;
    sw_influence *influence; /* one for each column of the engine */
    sw_multivariate multivariate;
    sw_arena multivariate_arena; /* holds its words */
    int64_t origin_minute;
    int64_t newest_minute; /* of those looked at */
    int64_t stored_minute, planned_minute;
    bool stored_once;
    uint64_t looked[(SW_MONITOR_MINUTES + 63) / 64]; /* minutes that were, by minute modulo */
} sw_monitor;

struct sw_monitored {
    sw_monitored *next;
    sw_monitors *monitors;
    sw_monitor *monitor;
    const sw_observer *observer;
    const sw_profile *profile;
};

struct sw_monitors {
    sw_watch *watch;
    sw_db *db;
    pthread_mutex_t listing;
    sw_monitor *list;
    pthread_t thread;
    pthread_mutex_t stopping;
    pthread_cond_t wake;
    bool stop, started, in_trouble, looked;
    void (*after_look)(void *context);
    void *after_look_context;
};

/* As sw_monitors_open, without a thread: for tests, by the watch's clock. */
SW_MUST_USE sw_status sw_monitors_open_still(sw_monitors **out, sw_watch *watch, sw_error *error);

/* ---- Feeding (the monitor's lock is held) ---- */

/*
 * Finds the parts and their references as of `minute`, and makes the engine anew where they
 * changed; columns that stayed what they were keep their state.
 */
SW_MUST_USE sw_status sw_monitor_plan(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                                      sw_error *error);
/* The engine of the parts as they are. */
SW_MUST_USE sw_status sw_monitor_build(sw_engine *out, const sw_monitor *monitor, sw_error *error);
/* One look at what was counted in that minute. */
SW_MUST_USE sw_status sw_monitor_look_at(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                                         sw_error *error);

/* ---- Storing ---- */

/* State and parts as bytes; false from read: damaged, or of another layout. */
void sw_monitor_write(sw_buf *out, const sw_monitor *monitor);
bool sw_monitor_read_state(sw_monitor *monitor, sw_str bytes);

SW_MUST_USE sw_status sw_monitors_store(sw_db *db, const sw_monitor *monitor, sw_str state,
                                        sw_error *error);
/* NOT_FOUND where none is stored of these settings. */
SW_MUST_USE sw_status sw_monitors_load(sw_str *state, sw_db *db, const sw_monitor *monitor,
                                       sw_arena *arena, sw_error *error);
/* Minutes with rows in [from, to), oldest first. */
SW_MUST_USE sw_status sw_monitors_minutes(int64_t **out, size_t *count, sw_db *db,
                                          const sw_monitor *monitor, int64_t from, int64_t to,
                                          sw_arena *arena, sw_error *error);

static inline bool sw_monitor_has_looked(const sw_monitor *monitor, int64_t minute) {
    uint64_t at = (uint64_t)minute % SW_MONITOR_MINUTES;
    return monitor->looked[at / 64] >> (at % 64) & 1;
}

#endif /* SW_WATCH_MONITORS_PRIVATE_H */
