/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert: tells people what needs them, and shows the numbers why.
 *
 * A thread of its own collects signals (collect.h) every few seconds, steps the engine (engine.h),
 * stores what changed, and only then hands notifications to the notifiers' threads (action.h).
 * Where the database takes nothing for 10 seconds, notifications go out all the same: a full disk
 * is just what people must hear of.
 *
 * Memory:  what a read writes goes to the caller's buffer.
 * Threads: any but a loop's.
 * Layer:   alert. SQL is in *_store.c.
 */
#ifndef SW_ALERT_ALERT_H
#define SW_ALERT_ALERT_H

#include "alert/collect.h"
#include "alert/engine.h"
#include "registry/registry.h"

typedef struct sw_alerts sw_alerts;

typedef struct sw_alerts_config {
    sw_db *db;
    sw_registry *registry; /* takes the events of silences, acknowledgements and rules */
    sw_collect_sources sources;
    bool allow_commands;
    /* Told of each alert that changed, as its JSON; on the evaluating thread; may be NULL. */
    void (*on_change)(sw_str alert_json, void *context);
    void *context;
} sw_alerts_config;

/* Restores what was stored and begins to evaluate. Rules that no longer read (a secret that is
 * gone) leave the built-in ones in force: sw_alerts_rules says why. */
SW_MUST_USE sw_status sw_alerts_start(sw_alerts **out, const sw_alerts_config *config,
                                      sw_error *error);
/* What is being sent is given 2 seconds; what is left goes out after the next start. NULL is fine.
 */
void sw_alerts_stop(sw_alerts *alerts);

typedef struct sw_alert_query {
    sw_str state; /* "firing" (pending too: "active"), "resolved", "all" */
    sw_str model; /* empty: all */
    int64_t before_id;
    uint32_t limit;
} sw_alert_query;

/* {"alerts": [ALERT], "more"}, newest first. */
SW_MUST_USE sw_status sw_alerts_list(sw_buf *json, sw_alerts *alerts, const sw_alert_query *query,
                                     sw_error *error);
SW_MUST_USE sw_status sw_alerts_get(sw_buf *json, sw_alerts *alerts, int64_t id, sw_error *error);
SW_MUST_USE sw_status sw_alerts_acknowledge(sw_buf *json, sw_alerts *alerts, int64_t id, sw_str who,
                                            sw_str note, sw_error *error);

/* {"silences": [SILENCE]}: those that hold or are to begin; with `all`, the ended ones of a month too. */
SW_MUST_USE sw_status sw_alerts_silences(sw_buf *json, sw_alerts *alerts, bool all,
                                         sw_error *error);
/* `matchers`: "name=pattern", one at least. `from_ms` 0: now. */
SW_MUST_USE sw_status sw_alerts_silence(sw_buf *json, sw_alerts *alerts, const sw_str *matchers,
                                        size_t matcher_count, int64_t from_ms, int64_t until_ms,
                                        sw_str who, sw_str why, sw_error *error);
SW_MUST_USE sw_status sw_alerts_unsilence(sw_alerts *alerts, int64_t id, sw_str who,
                                          sw_error *error);

/*
 * {"yaml", "changed_ms", "who", "error", "defaults", "measures": […], "rules": […],
 * "notifiers": […]}; no secrets.
 */
SW_MUST_USE sw_status sw_alerts_rules(sw_buf *json, sw_alerts *alerts, sw_error *error);
/* {"ok": true, "rules", "notifiers"}: what would be in force. INVALID says where the mistake is. */
SW_MUST_USE sw_status sw_alerts_check(sw_buf *json, sw_alerts *alerts, sw_str yaml,
                                      sw_error *error);
SW_MUST_USE sw_status sw_alerts_apply(sw_alerts *alerts, sw_str yaml, sw_str who, sw_error *error);

/* {"deliveries": […]}, newest first; of one alert, or (0) of all. */
SW_MUST_USE sw_status sw_alerts_deliveries(sw_buf *json, sw_alerts *alerts, int64_t alert,
                                           uint32_t limit, sw_error *error);
/* Sends a test message now and says how that went. */
SW_MUST_USE sw_status sw_alerts_test(sw_buf *json, sw_alerts *alerts, sw_str notifier,
                                     sw_error *error);

typedef struct sw_alerts_counts {
    uint64_t firing, pending, dropped, evaluations, sent, failed;
    double evaluation_s; /* that the last one took */
} sw_alerts_counts;
void sw_alerts_count(sw_alerts_counts *out, sw_alerts *alerts);

#endif /* SW_ALERT_ALERT_H */
