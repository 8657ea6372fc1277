/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows: counts in the database, by time.
 *
 * A row is a minute, an hour or a day of one version, or of one of its segments, as one run of one
 * replica counted it. Rows add up.
 *
 * Old rows are rolled up by moving: in one transaction the minutes of an hour (the hours of a day)
 * are added to that hour's row, if there is one, and removed. So each count is in one row at any
 * time: a crash neither loses nor doubles any, doing it again finds nothing left to do, and a
 * minute that comes late, after the clock stepped back, is moved later like the others. Hours and
 * days are those of UTC.
 *
 * Threads: any but a loop's: these calls wait for the disk.
 * Layer:   watch.
 */
#ifndef SW_WATCH_WINDOWS_PRIVATE_H
#define SW_WATCH_WINDOWS_PRIVATE_H

#include "store/db.h"

enum { SW_STEP_MINUTE = 1, SW_STEP_HOUR = 60, SW_STEP_DAY = 1440 };

typedef struct sw_window_row {
    sw_str model;
    uint32_t version;
    sw_str profile_hash; /* empty where there is no profile */
    sw_str segment;      /* empty: all rows */
    uint32_t step;       /* SW_STEP_…; 0 stands for a minute */
    int64_t minute;      /* where it begins, since 1970 */
    sw_str replica, boot;
    uint64_t rows;
    sw_str counts; /* sw_counts_encode */
} sw_window_row;

/* All or none; a row that is there already is replaced. */
SW_MUST_USE sw_status sw_windows_write(sw_db *db, const sw_window_row *rows, size_t count,
                                       sw_error *error);

/* Rows that begin in [from_minute, to_minute). */
typedef struct sw_window_query {
    sw_str model;
    uint32_t version;
    sw_str profile_hash, segment;
    int64_t from_minute, to_minute;
} sw_window_query;

/* Called for each row, oldest first; its strings are borrowed. */
typedef sw_status sw_window_fn(const sw_window_row *row, void *context, sw_error *error);
SW_MUST_USE sw_status sw_windows_read(sw_db *db, const sw_window_query *query, sw_window_fn *fn,
                                      void *context, sw_error *error);
/* The segments that have rows then, in order; in the arena. `query->segment` does not matter. */
SW_MUST_USE sw_status sw_windows_segments(sw_str **names, size_t *count, sw_db *db,
                                          const sw_window_query *query, sw_arena *arena,
                                          sw_error *error);

/*
 * Moves rows of `step` that end before `before_minute` into rows of the next longer step. `model`
 * empty: of every version; else of that one. Stops after some, for others to write: *more says
 * whether there are more.
 */
typedef struct sw_roll_up {
    sw_str model;
    uint32_t version;
    sw_str profile_hash;
    uint32_t step;
    int64_t before_minute;
} sw_roll_up;
SW_MUST_USE sw_status sw_windows_roll_up(bool *more, sw_db *db, const sw_roll_up *what,
                                         sw_error *error);

/* Removes rows of days before `minute`: of one version, or of every one, as above. */
SW_MUST_USE sw_status sw_windows_expire(sw_db *db, const sw_roll_up *what, sw_error *error);

#endif /* SW_WATCH_WINDOWS_PRIVATE_H */
