/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect: turns what is measured into signals.
 *
 * Requests are kept in slots of 10 seconds for 10 minutes (only the histogram's buckets that
 * counted: some 200 bytes a slot) and in a count a minute for an hour, per version.
 *
 * Threads: one at a time; never a loop's.
 * Layer:   alert.
 */
#ifndef SW_ALERT_COLLECT_H
#define SW_ALERT_COLLECT_H

#include "alert/rules.h"
#include "decay/decay.h"
#include "serve/live.h"
#include "serve/stats.h"
#include "watch/monitor.h"

typedef struct sw_collector sw_collector;

typedef struct sw_collect_sources {
    sw_stats *stats;
    sw_live *live;
    sw_monitors *monitors; /* NULL: no signals of drift and quality */
    sw_decay *decay;       /* NULL: none of decay, metrics and coverage */
    sw_plog *log;          /* NULL: none of the prediction log */
    const char *data_dir;
    double (*lag_ms)(void *context); /* the worst lag of a loop; may be NULL */
    void *lag_context;
} sw_collect_sources;

SW_MUST_USE sw_status sw_collector_make(sw_collector **out, const sw_collect_sources *sources,
                                        sw_error *error);
void sw_collector_free(sw_collector *collector);

/* What the rules ask for, as of now, into `arena`. `steady_ms` never falls. */
SW_MUST_USE sw_status sw_collect(sw_signal **out, size_t *count, sw_collector *collector,
                                 const sw_rules *rules, int64_t steady_ms, sw_arena *arena,
                                 sw_error *error);

#endif /* SW_ALERT_COLLECT_H */
