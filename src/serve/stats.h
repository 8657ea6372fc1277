/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: how many predictions each version answered, how fast, and how that went over time.
 *
 * Each loop counts into its own sw_stats_shard and merges it once a second. Totals feed the
 * Prometheus page; a series per model (a point a second for 5 minutes, one per 10 s for an hour,
 * one a minute for a day) feeds the charts.
 *
 * Memory:  sw_stats owns all; an sw_version_stats lives as long as sw_stats (counters must not
 *          fall back when a version is deployed again).
 * Threads: a shard belongs to its loop; the rest takes a lock and may be called from any thread.
 * Layer:   serve. Knows no clock but the second it is told of.
 */
#ifndef SW_SERVE_STATS_H
#define SW_SERVE_STATS_H

#include "base/histogram.h"
#include "base/status.h"
#include "base/str.h"

typedef struct sw_stats sw_stats;
typedef struct sw_version_stats sw_version_stats;

typedef struct sw_stats_shard {
    uint64_t requests; /* answered, one way or another */
    uint64_t failures; /* that could not be served, or not in time */
    uint64_t refusals; /* for what the client sent */
    uint64_t rows;
    sw_histogram queue;     /* from the first byte to the start of the run */
    sw_histogram inference; /* the run of the batch it was in */
    sw_histogram total;     /* from the first byte to the end of the run */
} sw_stats_shard;

SW_MUST_USE sw_status sw_stats_make(sw_stats **out, sw_error *error);
void sw_stats_free(sw_stats *stats);

/* The counters of a version, made on the first call. NULL where memory is out. */
sw_version_stats *sw_stats_of(sw_stats *stats, sw_str model, uint32_t version);
/* Adds the shard and zeroes it; cheap where it is empty. */
void sw_stats_merge(sw_version_stats *version, sw_stats_shard *shard);
/* Closes the running second of every model. Once a second. */
void sw_stats_tick(sw_stats *stats, int64_t now_ms);

typedef struct sw_traffic_point {
    int64_t at_ms;
    uint64_t requests, failures;
    float p50_ms, p90_ms, p99_ms, queue_p50_ms, inference_p50_ms; /* NaN where nothing came */
} sw_traffic_point;

/* The points of the last `minutes`, oldest first, the one being gathered last, into `points` (room
 * for SW_TRAFFIC_POINTS_MAX). */
enum { SW_TRAFFIC_POINTS_MAX = 1441 };
size_t sw_stats_series(sw_traffic_point *points, uint32_t *step_s, sw_stats *stats, sw_str model,
                       uint32_t minutes);

typedef struct sw_traffic_now {
    double requests_per_s, p50_ms, p99_ms; /* over the last minute; p's NaN where nothing came */
    double failure_share;
    uint64_t requests, failures; /* since the server started */
} sw_traffic_now;
void sw_stats_now(sw_traffic_now *out, sw_stats *stats, sw_str model);

/* Calls `visit` for each version's totals since the server started. */
void sw_stats_each(sw_stats *stats,
                   void (*visit)(sw_str model, uint32_t version, const sw_stats_shard *totals,
                                 void *context),
                   void *context);

#endif /* SW_SERVE_STATS_H */
