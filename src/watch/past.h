/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past: counts of a time other than now.
 *
 * Threads: any but a loop's.
 * Layer:   watch.
 */
#ifndef SW_WATCH_PAST_H
#define SW_WATCH_PAST_H

#include "watch/watch.h"

/* What is older is not taken: minutes are kept so long. */
#define SW_WATCH_PAST_MS_MAX (INT64_C(14) * 24 * 60 * 60 * 1000)

/*
 * As sw_watch_merge, into the minute of `at_ms`; what is up to a minute late counts as of now. For
 * what is older it waits for the disk, and the counts are on it when this returns: a row of the
 * database for each call, so gather. The shard is zeroed; where this fails its counts are lost.
 */
SW_MUST_USE sw_status sw_watch_merge_at(sw_watched *watched, sw_shard *shard, int64_t at_ms,
                                        sw_error *error);

#endif /* SW_WATCH_PAST_H */
