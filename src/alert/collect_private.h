/* SPDX-License-Identifier: Apache-2.0 */
/*
 * collect_private: what the files that collect share.
 *
 * Threads: one at a time.
 * Layer:   alert.
 */
#ifndef SW_ALERT_COLLECT_PRIVATE_H
#define SW_ALERT_COLLECT_PRIVATE_H

#include "alert/collect.h"
#include "alert/traffic_private.h"

typedef struct sw_signals {
    sw_signal *at;
    size_t count, cap;
    sw_arena *arena;
    bool failed;
} sw_signals;

typedef struct sw_live_name {
    sw_str model, version_text;
    uint32_t version;
} sw_live_name;

/* Undefined, until it is filled in. Never NULL. */
sw_signal *sw_signals_add(sw_signals *all, sw_signal_kind kind, const char *measure);
bool sw_rules_want(const sw_rules *rules, sw_signal_kind kind);

/* Each leaves out what it cannot read just now. */
void sw_collect_drift(sw_signals *all, sw_monitors *monitors, const sw_rules *rules,
                      const sw_live_name *name);
void sw_collect_quality(sw_signals *all, sw_decay *decay, sw_live *live, const sw_rules *rules,
                        const sw_live_name *name);
void sw_collect_log(sw_signals *all, sw_plog *log);

#endif /* SW_ALERT_COLLECT_PRIVATE_H */
