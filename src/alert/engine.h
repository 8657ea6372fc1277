/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine: from signals to alerts, and from alerts to notifications.
 *
 * A deterministic function of (rules, silences, signals, state so far, the time it is told): no
 * clock, no disk, no network. One step takes what was measured and gives what changed.
 *
 *   (nothing) ─raised─▶ pending ─held for `for`─▶ firing ─clear for long enough─▶ resolved
 *                          └─clear─▶ (nothing)        ◀──raised again within 15 minutes──┘
 *
 * A signal that is undefined or absent is no news: nothing is raised by it, and an alert that had
 * no news for 5 minutes counts as clear. Damping: an alert that is raised again within 15 minutes
 * of its end is the same alert; each time doubles how long it must stay clear (1 minute, 2, … 1
 * hour) before it ends.
 *
 * Grouping, by notifier: a new group waits `wait`, a changed one is told at most each `interval`,
 * an unchanged one each `repeat`. Silenced, inhibited and (but for their end) acknowledged alerts
 * are not told.
 *
 * Durations go by `steady_ms`, which must never fall and is not moved by steps of the clock; what
 * people read by `wall_ms`. What is restored has its wall times taken for steady ones, those in the
 * future for now.
 *
 * Memory:  the engine owns its alerts; what a step returns is borrowed until the next one.
 * Threads: one at a time.
 * Layer:   alert.
 */
#ifndef SW_ALERT_ENGINE_H
#define SW_ALERT_ENGINE_H

#include "alert/rules.h"

enum { SW_ALERTS_MAX = 50000 }; /* alerts at once; further ones are counted, not kept */

typedef struct sw_alert_engine sw_alert_engine;

typedef enum sw_alert_state { SW_ALERT_PENDING, SW_ALERT_FIRING, SW_ALERT_RESOLVED } sw_alert_state;
const char *sw_alert_state_name(sw_alert_state state);

typedef struct sw_alert {
    int64_t id;
    sw_str rule, model, segment, column;
    uint32_t version;
    sw_signal_kind kind;
    sw_str measure;
    sw_severity severity;
    sw_str labels_json; /* {"team": "risk"}: all labels, those of the signal too */
    sw_alert_state state;
    int64_t started_ms, fired_ms, ended_ms; /* wall; 0: not yet */
    int64_t raised_ms;                      /* wall; resolved, and raised again since; 0: not */
    double value, limit;                    /* that raised it */
    sw_unit unit;
    bool above;
    sw_str summary;
    sw_str evidence_json;
    uint32_t returns;                  /* times it came back soon after its end */
    uint64_t told;                     /* bits: notifiers that know it as firing */
    sw_str told_names;                 /* for restoring: their names, parted by '\n' */
    int64_t silenced_by, inhibited_by; /* ids; 0: none */
    bool quiet;                        /* held back by quiet hours */
    sw_str acknowledged_who, acknowledged_note;
    int64_t acknowledged_ms;
    /* Steady times. */
    int64_t since_ms; /* its state began */
    int64_t clear_ms; /* it has been clear since; 0: it is not */
    int64_t heard_ms; /* the last news */
    /* Of the engine. */
    sw_str version_text;
    bool dirty;
    const sw_rule *by; /* NULL: the rule is gone */
} sw_alert;

typedef struct sw_silence {
    int64_t id;
    sw_matcher *matchers;
    size_t matcher_count;
    int64_t from_ms, until_ms; /* wall */
    sw_str who, why;
} sw_silence;

/* When a group was last told, to be kept over a restart. */
typedef struct sw_alert_group {
    sw_str key;
    int64_t told_wall_ms;
} sw_alert_group;

/* A message to one notifier about one group. */
typedef struct sw_notification {
    const sw_notifier *notifier;
    size_t notifier_at;
    sw_str group_key;
    bool repeat;             /* nothing is new in it */
    const sw_alert **alerts; /* firing first, then resolved */
    size_t firing, resolved;
} sw_notification;

typedef struct sw_alert_changes {
    const sw_alert **alerts; /* to be stored (again) */
    size_t alert_count;
    int64_t *forgotten; /* ids of pending alerts that went away */
    size_t forgotten_count;
    sw_alert_group *groups;
    size_t group_count;
    sw_notification *notifications;
    size_t notification_count;
} sw_alert_changes;

SW_MUST_USE sw_status sw_alert_engine_make(sw_alert_engine **out, int64_t next_id, sw_error *error);
void sw_alert_engine_free(sw_alert_engine *engine);

/* `rules` and `silences` must live until they are replaced. Alerts of rules that are gone end with
 * the next step. */
void sw_alert_engine_set_rules(sw_alert_engine *engine, const sw_rules *rules);
void sw_alert_engine_set_silences(sw_alert_engine *engine, const sw_silence *silences,
                                  size_t count);

/* What was stored; after set_rules, before the first step. */
SW_MUST_USE sw_status sw_alert_engine_restore(sw_alert_engine *engine, const sw_alert *alert,
                                              int64_t wall_ms, sw_error *error);
SW_MUST_USE sw_status sw_alert_engine_restore_group(sw_alert_engine *engine,
                                                    const sw_alert_group *group, int64_t wall_ms,
                                                    sw_error *error);

/* Where memory runs out the next step goes on; notifications that `out` has are decided all the
 * same. */
SW_MUST_USE sw_status sw_alert_engine_step(sw_alert_changes *out, sw_alert_engine *engine,
                                           const sw_signal *signals, size_t count,
                                           int64_t steady_ms, int64_t wall_ms, sw_error *error);
/* What the last step returned is stored: it is not returned again. */
void sw_alert_engine_saved(sw_alert_engine *engine);

/* NULL where it is not pending, firing or lately resolved. */
const sw_alert *sw_alert_engine_find(const sw_alert_engine *engine, int64_t id);
/* NOT_FOUND, or CONFLICT where it does not fire. */
SW_MUST_USE sw_status sw_alert_engine_acknowledge(sw_alert_engine *engine, int64_t id, sw_str who,
                                                  sw_str note, int64_t wall_ms, sw_error *error);
size_t sw_alert_engine_count(const sw_alert_engine *engine, sw_alert_state state);
uint64_t sw_alert_engine_dropped(const sw_alert_engine *engine);

#endif /* SW_ALERT_ENGINE_H */
