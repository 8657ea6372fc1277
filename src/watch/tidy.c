/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/watch_private.h"
#include "watch/windows_private.h"

/* Of a minute of a version and all of its segments, as of the newest one. */
static uint64_t minute_bytes(sw_watch *watch, const sw_record *of) {
    uint64_t sum = 0;
    for (sw_record *r = watch->records; r; r = r->next) {
        if (r->version != of->version || !sw_str_eq(r->model, of->model) ||
            !sw_str_eq(r->hash, of->hash))
            continue;
        pthread_mutex_lock(&r->lock);
        sum += r->ring_count ? r->ring[r->ring_count - 1].len : 0;
        pthread_mutex_unlock(&r->lock);
    }
    return sum;
}

/* How many minutes back rows of `step` are kept, where each takes so much. */
static int64_t kept(int64_t usual, int64_t step, int64_t least, uint64_t bytes) {
    uint64_t rows = bytes ? SW_WATCH_STEP_BYTES_MAX / bytes : UINT64_MAX;
    if (rows >= (uint64_t)(usual / step))
        return usual;
    int64_t fit = (int64_t)rows * step;
    return fit > least ? fit : least;
}

static bool tidy_version(sw_watch *watch, sw_roll_up what, int64_t minute, uint64_t bytes,
                         sw_error *error) {
    bool more_hours = false, more_days = false;
    what.step = SW_STEP_MINUTE;
    what.before_minute = minute - kept(SW_WATCH_MINUTES_KEPT, 1, 120, bytes);
    if (sw_failed(sw_windows_roll_up(&more_hours, watch->db, &what, error)))
        return false;
    what.step = SW_STEP_HOUR;
    what.before_minute = minute - kept(SW_WATCH_HOURS_KEPT, 60, 2880, bytes);
    if (sw_failed(sw_windows_roll_up(&more_days, watch->db, &what, error)))
        return false;
    watch->untidy |= more_hours || more_days;
    what.before_minute = minute - kept(SW_WATCH_DAYS_KEPT, 1440, 30 * 1440, bytes);
    return !sw_failed(sw_windows_expire(watch->db, &what, error));
}

bool sw_watch_tidy(sw_watch *watch, int64_t minute, sw_error *error) {
    if (watch->tidied_minute && minute - watch->tidied_minute < 60 &&
        minute >= watch->tidied_minute && !watch->untidy)
        return true;
    watch->untidy = false;
    if (!tidy_version(watch, (sw_roll_up){0}, minute, 0, error))
        return false;
    for (sw_record *r = watch->records; r; r = r->next) {
        uint64_t bytes = r->segment.len ? 0 : minute_bytes(watch, r);
        if (bytes * SW_WATCH_MINUTES_KEPT <= SW_WATCH_STEP_BYTES_MAX)
            continue;
        sw_roll_up what = {.model = r->model, .version = r->version, .profile_hash = r->hash};
        if (!tidy_version(watch, what, minute, bytes, error))
            return false;
    }
    watch->tidied_minute = minute;
    return true;
}
