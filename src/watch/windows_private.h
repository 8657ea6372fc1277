/* SPDX-License-Identifier: Apache-2.0 */
/*
 * windows: minutes of counts in the database.
 *
 * A row is one minute (since 1970) of one version as one run of one replica counted it. Rows of a
 * minute add up.
 *
 * Threads: any but a loop's: these calls wait for the disk.
 * Layer:   domain.
 */
#ifndef SW_WATCH_WINDOWS_PRIVATE_H
#define SW_WATCH_WINDOWS_PRIVATE_H

#include "store/db.h"

typedef struct sw_window_row {
    sw_str model;
    uint32_t version;
    sw_str profile_hash; /* empty where there is no profile */
    int64_t minute;
    sw_str replica, boot;
    uint64_t rows;
    sw_str counts; /* sw_counts_encode */
} sw_window_row;

/* All or none; a row that is there already is replaced. */
SW_MUST_USE sw_status sw_windows_write(sw_db *db, const sw_window_row *rows, size_t count,
                                       sw_error *error);

/* Called for each row, oldest minute first; its strings are borrowed. */
typedef sw_status sw_window_fn(const sw_window_row *row, void *context, sw_error *error);
SW_MUST_USE sw_status sw_windows_read(sw_db *db, sw_str model, uint32_t version,
                                      sw_str profile_hash, int64_t from_minute, sw_window_fn *fn,
                                      void *context, sw_error *error);

/* Removes rows of minutes before `minute`. */
SW_MUST_USE sw_status sw_windows_expire(sw_db *db, int64_t minute, sw_error *error);

#endif /* SW_WATCH_WINDOWS_PRIVATE_H */
