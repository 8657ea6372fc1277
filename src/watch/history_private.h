/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history: counts of any time span, the reference they are compared with, and both side by side.
 *
 *     sw_observer_make(&observer, …);                 the layout
 *     sw_counts_make_for(&live, observer, segment)    twice
 *     sw_watch_counts(&live, …, from, to)             what came
 *     sw_watch_reference(&reference, …, from)         what it should look like
 *     for each column: sw_watch_pair_of(&pair, …);    bins of both
 *                      sw_watch_judge(&pair.reference, pair.live, pair.rows), or any other test
 *
 * Threads: any but a loop's.
 * Layer:   watch.
 */
#ifndef SW_WATCH_HISTORY_PRIVATE_H
#define SW_WATCH_HISTORY_PRIVATE_H

#include "watch/watch_private.h"

/*
 * Adds what was counted in [from_ms, to_ms), rounded to whole minutes; further back than two days
 * (90 days) rows of an hour (a day) belong to the time that they begin at. All replicas and
 * restarts together, and the running minute. `segment` empty: all rows; else "country=DE". Rows
 * that are damaged, or of another layout, are left out. `into` is of the subject's layout.
 */
SW_MUST_USE sw_status sw_watch_counts(sw_counts *into, sw_watch *watch,
                                      const sw_watch_subject *subject, sw_str segment,
                                      int64_t from_ms, int64_t to_ms, sw_error *error);

/* The same row by row, oldest first: `at_ms` is where a row begins, `step_minutes` its length (1,
 * 60 or 1,440); rows of several runs may begin at one time. `counts` is of that row alone. */
typedef sw_status sw_watch_each_fn(int64_t at_ms, uint32_t step_minutes, const sw_counts *counts,
                                   void *context, sw_error *error);
SW_MUST_USE sw_status sw_watch_each(sw_watch *watch, const sw_watch_subject *subject,
                                    const sw_observer *observer, sw_str segment, int64_t from_ms,
                                    int64_t to_ms, sw_watch_each_fn *fn, void *context,
                                    sw_error *error);

/* NOT_FOUND where the rows are not split so; empty is all of them. */
SW_MUST_USE sw_status sw_watch_know_segment(const sw_observer *observer, sw_str segment,
                                            sw_error *error);

/*
 * Adds what traffic from `before_ms` on is compared with, by the settings: the profile's counts,
 * those of a fixed window, or those of the minutes before `before_ms`. A segment has no profile of
 * its own: where the settings say profile, it is compared with its own past. rows = 0: there is
 * none.
 */
SW_MUST_USE sw_status sw_watch_reference(sw_counts *into, sw_watch *watch,
                                         const sw_watch_subject *subject,
                                         const sw_observer *observer, sw_str segment,
                                         int64_t before_ms, sw_error *error);

/* The names of the segments that were counted in that time, in order; in the arena. */
SW_MUST_USE sw_status sw_watch_segments(sw_str **names, size_t *count, sw_watch *watch,
                                        const sw_watch_subject *subject, int64_t from_ms,
                                        int64_t to_ms, sw_arena *arena, sw_error *error);

enum { SW_PAIR_BINS_MAX = 2 * SW_LABELS_MAX + 2 };

/* One column, live beside reference, as bins that can be tested. */
typedef struct sw_watch_pair {
    bool output;                 /* or a summary of an input */
    bool watched;                /* there is a reference to compare with */
    sw_profile_column reference; /* name, kind, bins, and the reference's counts of them */
    const uint64_t *live;        /* reference.bin_count of them */
    uint64_t rows;               /* live */
    /* Labels as bins: the reference's values; a value that it does not know is unseen. */
    sw_str values[SW_PAIR_BINS_MAX];
    uint64_t reference_bins[SW_PAIR_BINS_MAX], live_bins[SW_PAIR_BINS_MAX];
} sw_watch_pair;

/* `out` points into both counts, the profile and itself: it is not to be copied. */
void sw_watch_pair_of(sw_watch_pair *out, const sw_observer *observer, const sw_profile *profile,
                      uint32_t column, const sw_counts *reference, const sw_counts *live);

#endif /* SW_WATCH_HISTORY_PRIVATE_H */
