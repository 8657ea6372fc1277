/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch: the merged counts of every version that serves, by time, and what they say.
 *
 * Loops merge their shards in once a second. A keeper thread writes each finished minute to the
 * database, keyed by (namespace, model, version, profile hash, segment, step, start, replica,
 * boot), so that rows add up over replicas and restarts. A crash loses at most the last second of
 * counts of a minute: the running minute is rewritten every second in which it changed.
 *
 * Minutes older than two days are moved into rows of an hour, hours older than 90 days into rows of
 * a day, and days are kept two years (windows_private.h). A row is at one place at any time, so a
 * sum over rows of all lengths counts each prediction once. Times are UTC throughout.
 *
 * The last hour is in memory too, and is read back at start. Where the database takes nothing (a
 * full disk) serving and counting go on; what waits is stored once it does. Size of a row: about 2
 * bytes for each bin that counted, 40 for the moments of a number and up to 260 for its distinct
 * values, nearly none for what did not count.
 *
 * A version whose settings name segments is counted for each of their values too, as if each were
 * a version of its own: segment "country=DE"; the empty segment is all rows.
 *
 * Verdict of a feature: PSI over at most 10 groups of the reference's bins against the window's
 * counts; "too few rows" below SW_WATCH_ROWS_MIN; "same" < 0.1 ≤ "moved" < 0.2 ≤ "drifted", and
 * only where PSI is beyond what chance reaches once in 10,000 at this many rows. The shares of
 * missing and of out-of-range (or unseen) values raise it too: by one percent "moved", by five
 * "drifted". "undefined" where the reference is constant or all missing and nothing else tells.
 *
 * Threads: merge from loops; the rest from any thread but a loop's.
 * Layer:   watch.
 */
#ifndef SW_WATCH_WATCH_H
#define SW_WATCH_WATCH_H

#include "store/db.h"
#include "watch/observe.h"
#include "watch/settings.h"

typedef struct sw_watch sw_watch;     /* all of it */
typedef struct sw_watched sw_watched; /* one version */

enum { SW_WATCH_ROWS_MIN = 500 };

SW_MUST_USE sw_status sw_watch_open(sw_watch **out, sw_db *db, sw_error *error);
/* Writes what is left and stops. */
void sw_watch_close(sw_watch *watch);

/*
 * A version begins to serve (or serves again: counts go on). Twice for one version at once is fine
 * (while it replaces itself): both count into the same minutes. `observer` and `profile` must live
 * until sw_watch_remove.
 */
SW_MUST_USE sw_status sw_watch_add(sw_watched **out, sw_watch *watch, sw_str model,
                                   uint32_t version, sw_str profile_hash,
                                   const sw_observer *observer, const sw_profile *profile,
                                   const sw_monitor_settings *settings, sw_error *error);
void sw_watch_remove(sw_watched *watched);

/* Adds the shard's counts and zeroes it. Cheap where nothing was counted. Never waits for the disk.
 */
void sw_watch_merge(sw_watched *watched, sw_shard *shard);

/* Calls `fn` for each feature for whose type rows were refused, with how many since this process has
 * watched the version. Counting waits meanwhile: `fn` is short. */
typedef void sw_watch_mismatch_fn(sw_str feature, uint64_t rows, void *context);
void sw_watch_mismatches(sw_watched *watched, sw_watch_mismatch_fn *fn, void *context);

/* A version, and what its counts are read with. */
typedef struct sw_watch_subject {
    sw_str model;
    uint32_t version;
    const sw_signature *signature;
    const sw_profile *profile;           /* NULL: none was pushed */
    sw_str profile_hash;                 /* empty then */
    const sw_monitor_settings *settings; /* NULL: the defaults */
} sw_watch_subject;

/*
 * {"model", "version", "rows", "window_minutes", "state", "features": […], "outputs": […]}:
 * docs/api.md says the fields. Works for versions that no longer serve, from the database. The
 * window ends with the minute before `to_ms` (0: with the running minute); 0 minutes: 15.
 */
SW_MUST_USE sw_status sw_watch_report(sw_buf *json, sw_watch *watch,
                                      const sw_watch_subject *subject, sw_str segment,
                                      uint32_t window_minutes, int64_t to_ms, sw_error *error);

/* Verdicts of each column over time: docs/api.md says the fields. 0 hours: 24. */
SW_MUST_USE sw_status sw_watch_heatmap(sw_buf *json, sw_watch *watch,
                                       const sw_watch_subject *subject, sw_str segment,
                                       uint32_t hours, sw_error *error);

/* For the fleet page: how many features, and how many drifted in the last 15 minutes. */
typedef struct sw_watch_summary {
    uint64_t rows;
    uint32_t features, drifted, moved, too_few;
    const char *state; /* "unwatched" (no profile), "too few rows", "same", "moved", "drifted" */
} sw_watch_summary;
SW_MUST_USE sw_status sw_watch_summarise(sw_watch_summary *out, sw_watched *watched,
                                         sw_error *error);

#endif /* SW_WATCH_WATCH_H */
