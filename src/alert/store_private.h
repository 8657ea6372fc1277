/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_private: alerts, deliveries, silences and rules in the database.
 *
 * Functions with an sw_conn run inside a read or a write.
 *
 * Memory:  what is read lives in the arena passed in.
 * Threads: any but a loop's.
 * Layer:   alert.
 */
#ifndef SW_ALERT_STORE_PRIVATE_H
#define SW_ALERT_STORE_PRIVATE_H

#include "alert/engine.h"
#include "store/db.h"

#define SW_NAMESPACE SW_STR("default")

typedef enum sw_delivery_state {
    SW_DELIVERY_QUEUED, /* also while it is being sent or tried again */
    SW_DELIVERY_SENT,
    SW_DELIVERY_FAILED /* given up */
} sw_delivery_state;

typedef struct sw_delivery_row {
    int64_t id;
    sw_str notifier, kind, key;
    sw_str alerts; /* ",12,13,": ids, to be searched; the first hundred */
    uint64_t firing, resolved;
    sw_delivery_state state;
    uint32_t attempts;
    int status;
    sw_str error, body; /* body empty once it ended */
    int64_t created_ms, ended_ms, took_ms;
} sw_delivery_row;

/* ---- Alerts ---- */

SW_MUST_USE sw_status sw_alert_put(sw_conn *conn, const sw_alert *alert, const sw_rules *rules,
                                   sw_error *error);
SW_MUST_USE sw_status sw_alert_remove(sw_conn *conn, int64_t id, sw_error *error);
typedef sw_status sw_alert_visit(const sw_alert *alert, void *context, sw_error *error);
/* Newest first. `states`: bits; `model` empty: all; `before_id` 0: from the newest. */
SW_MUST_USE sw_status sw_alert_each(sw_conn *conn, uint32_t states, sw_str model, int64_t before_id,
                                    uint32_t limit, sw_alert_visit *visit, void *context,
                                    sw_error *error);
SW_MUST_USE sw_status sw_alert_row(sw_alert *out, sw_conn *conn, int64_t id, sw_arena *arena,
                                   sw_error *error);
/* What the engine goes on with: active ones, those that somebody holds for firing, and those that
 * ended after `ended_after_ms`; oldest first. */
SW_MUST_USE sw_status sw_alert_each_open(sw_conn *conn, int64_t ended_after_ms,
                                         sw_alert_visit *visit, void *context, sw_error *error);
/* The ids that come next. */
SW_MUST_USE sw_status sw_alert_next_ids(int64_t *alert, int64_t *delivery, int64_t *silence,
                                        sw_conn *conn, sw_error *error);

SW_MUST_USE sw_status sw_alert_put_group(sw_conn *conn, const sw_alert_group *group,
                                         sw_error *error);
SW_MUST_USE sw_status sw_alert_each_group(sw_conn *conn,
                                          sw_status (*visit)(const sw_alert_group *group,
                                                             void *context, sw_error *error),
                                          void *context, sw_error *error);

/* ---- Deliveries ---- */

SW_MUST_USE sw_status sw_delivery_put(sw_conn *conn, const sw_delivery_row *row, sw_error *error);
typedef sw_status sw_delivery_visit(const sw_delivery_row *row, void *context, sw_error *error);
/* Newest first, of one alert or (0) all. */
SW_MUST_USE sw_status sw_delivery_each(sw_conn *conn, int64_t alert, uint32_t limit,
                                       sw_delivery_visit *visit, void *context, sw_error *error);
/* Oldest first, with their bodies. */
SW_MUST_USE sw_status sw_delivery_each_queued(sw_conn *conn, sw_delivery_visit *visit,
                                              void *context, sw_error *error);
/* Ended deliveries beyond the newest 10,000 and from before `before_ms`, and resolved alerts and
 * groups from before it. */
SW_MUST_USE sw_status sw_alert_prune(sw_conn *conn, int64_t before_ms, sw_error *error);

/* ---- Silences, rules ---- */

SW_MUST_USE sw_status sw_silence_put(sw_conn *conn, const sw_silence *silence, sw_error *error);
/* Those that end after `until_after_ms`, oldest first. */
SW_MUST_USE sw_status sw_silence_each(sw_conn *conn, int64_t until_after_ms,
                                      sw_status (*visit)(const sw_silence *silence, void *context,
                                                         sw_error *error),
                                      void *context, sw_error *error);

typedef struct sw_rules_row {
    sw_str yaml, who;
    int64_t changed_ms; /* 0: there are none */
} sw_rules_row;
SW_MUST_USE sw_status sw_rules_row_get(sw_rules_row *out, sw_conn *conn, sw_arena *arena,
                                       sw_error *error);
SW_MUST_USE sw_status sw_rules_row_put(sw_conn *conn, const sw_rules_row *row, sw_error *error);

#endif /* SW_ALERT_STORE_PRIVATE_H */
