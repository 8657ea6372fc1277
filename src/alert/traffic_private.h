/* SPDX-License-Identifier: Apache-2.0 */
/*
 * traffic: the requests of the last ten minutes and hour, per version, from counters that only grow.
 *
 * Threads: one at a time.
 * Layer:   alert.
 */
#ifndef SW_ALERT_TRAFFIC_PRIVATE_H
#define SW_ALERT_TRAFFIC_PRIVATE_H

#include "alert/evidence.h"
#include "serve/stats.h"

typedef struct sw_traffic sw_traffic;

SW_MUST_USE sw_status sw_traffic_make(sw_traffic **out, sw_error *error);
void sw_traffic_free(sw_traffic *traffic);
/* Takes in how far the counters have come. */
SW_MUST_USE sw_status sw_traffic_read(sw_traffic *traffic, sw_stats *stats, int64_t steady_ms,
                                      sw_error *error);
/* The same for one version whose totals are at hand. */
SW_MUST_USE sw_status sw_traffic_take(sw_traffic *traffic, sw_str model, uint32_t version,
                                      const sw_stats_shard *totals, int64_t steady_ms,
                                      sw_error *error);
/* The last `window_s` seconds, and up to ten more: its `window_s` is what it took in. False where
 * the version is not known. `whole`: it was counted for that long. */
bool sw_traffic_window(sw_evidence_window *out, bool *whole, const sw_traffic *traffic,
                       sw_str model, uint32_t version, uint32_t window_s, int64_t steady_ms);

#endif /* SW_ALERT_TRAFFIC_PRIVATE_H */
