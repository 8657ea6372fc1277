/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/history_private.h"
#include "watch/profile_outputs_private.h"
#include "watch/windows_private.h"

#include <math.h>

enum { MINUTE_MS = 60000, TRAILING_MINUTES = 7 * 1440 };

static int64_t minute_of(int64_t at_ms) {
    return at_ms / MINUTE_MS - (at_ms % MINUTE_MS < 0);
}

/* The first minute that begins at `at_ms` or later. */
static int64_t minute_from(int64_t at_ms) {
    return minute_of(at_ms) + (at_ms % MINUTE_MS != 0);
}

static sw_window_query query_of(const sw_watch_subject *subject, sw_str segment, int64_t from_ms,
                                int64_t to_ms) {
    return (sw_window_query){.model = subject->model,
                             .version = subject->version,
                             .profile_hash = subject->profile_hash,
                             .segment = segment,
                             .from_minute = minute_of(from_ms),
                             .to_minute = minute_from(to_ms)};
}

/* ---- Sums ---- */

static sw_status add_row(const sw_window_row *row, void *context, sw_error *error) {
    (void)error;
    /* A damaged row is as good as none: the rest is still true. */
    sw_status status = sw_counts_add_encoded(context, row->counts, NULL);
    (void)status;
    return SW_OK;
}

/* From memory where the version serves and the time is recent, else from the database. */
sw_status sw_watch_counts(sw_counts *into, sw_watch *watch, const sw_watch_subject *subject,
                          sw_str segment, int64_t from_ms, int64_t to_ms, sw_error *error) {
    sw_window_query query = query_of(subject, segment, from_ms, to_ms);
    sw_status status = {SW_CODE_NOT_FOUND};
    if (query.from_minute > sw_watch_minute(watch) - SW_WATCH_RING)
        status = sw_watch_sum(
            into, watch,
            &(sw_record_key){subject->model, subject->version, subject->profile_hash, segment},
            query.from_minute, query.to_minute, error);
    if (status.code != SW_CODE_NOT_FOUND)
        return status;
    return sw_windows_read(watch->db, &query, add_row, into, error);
}

/* ---- Row by row ---- */

typedef struct each {
    sw_counts row;
    sw_watch_each_fn *fn;
    void *context;
} each;

static sw_status one_row(const sw_window_row *row, void *context, sw_error *error) {
    each *e = context;
    sw_counts_clear(&e->row);
    if (sw_failed(sw_counts_add_encoded(&e->row, row->counts, NULL)))
        return SW_OK;
    return e->fn(row->minute * MINUTE_MS, row->step, &e->row, e->context, error);
}

sw_status sw_watch_each(sw_watch *watch, const sw_watch_subject *subject,
                        const sw_observer *observer, sw_str segment, int64_t from_ms, int64_t to_ms,
                        sw_watch_each_fn *fn, void *context, sw_error *error) {
    each e = {.fn = fn, .context = context};
    sw_window_query query = query_of(subject, segment, from_ms, to_ms);
    SW_TRY(sw_counts_make_for(&e.row, observer, segment.len > 0, error));
    sw_status status = sw_windows_read(watch->db, &query, one_row, &e, error);
    sw_counts_free(&e.row);
    return status;
}

sw_status sw_watch_segments(sw_str **names, size_t *count, sw_watch *watch,
                            const sw_watch_subject *subject, int64_t from_ms, int64_t to_ms,
                            sw_arena *arena, sw_error *error) {
    sw_window_query query = query_of(subject, SW_STR(""), from_ms, to_ms);
    return sw_windows_segments(names, count, watch->db, &query, arena, error);
}

/* ---- References ---- */

static void add_profile(sw_counts *into, const sw_observer *observer, const sw_profile *profile) {
    into->rows += profile->rows;
    for (uint32_t i = 0; i < profile->column_count && i < observer->feature_count; i++) {
        const sw_profile_column *c = &profile->columns[i];
        const sw_counted *counted = &observer->columns[i];
        if (counted->kind != SW_COUNTED_FEATURE || counted->bins != c->bin_count)
            continue;
        for (uint32_t bin = 0; bin < c->bin_count; bin++)
            into->bins[counted->first + bin] += c->counts[bin];
        double n = (double)(c->rows - c->missing), d = c->mean - counted->centre;
        if (counted->number && isfinite(c->mean) && isfinite(c->min) && isfinite(c->max))
            sw_moments_merge(&into->moments[i],
                             &(sw_moments){c->rows - c->missing, d * n,
                                           (c->stddev * c->stddev + d * d) * n, c->min, c->max});
    }
    sw_profile_outputs_add(into, observer, profile);
}

sw_status sw_watch_know_segment(const sw_observer *observer, sw_str segment, sw_error *error) {
    int length = (int)(segment.len < 80 ? segment.len : 80);
    for (uint32_t i = 0; i < observer->segment_count; i++)
        if (sw_str_eq(observer->segments[i], segment))
            return SW_OK;
    if (segment.len == 0)
        return SW_OK;
    if (observer->segment_count == 0)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "there is no segment '%.*s': the monitor's settings name no \"segments\"",
                       length, segment.at);
    return sw_fail(error, SW_CODE_NOT_FOUND,
                   "there is no segment '%.*s': there are %u, of which the first is '%.*s'", length,
                   segment.at, observer->segment_count, SW_STR_ARG(observer->segments[0]));
}

sw_status sw_watch_reference(sw_counts *into, sw_watch *watch, const sw_watch_subject *subject,
                             const sw_observer *observer, sw_str segment, int64_t before_ms,
                             sw_error *error) {
    const sw_monitor_settings *settings = subject->settings;
    sw_reference_kind kind = settings ? settings->reference : SW_REFERENCE_PROFILE;
    if (kind == SW_REFERENCE_WINDOW)
        return sw_watch_counts(into, watch, subject, segment, settings->reference_from_ms,
                               settings->reference_to_ms, error);
    if (kind == SW_REFERENCE_PROFILE && segment.len == 0) {
        if (subject->profile)
            add_profile(into, observer, subject->profile);
        return SW_OK;
    }
    int64_t minutes = settings && settings->reference_minutes ? (int64_t)settings->reference_minutes
                                                              : TRAILING_MINUTES;
    int64_t begin_ms = minute_of(before_ms) * MINUTE_MS;
    return sw_watch_counts(into, watch, subject, segment, begin_ms - minutes * MINUTE_MS, begin_ms,
                           error);
}
