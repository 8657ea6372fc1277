/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_private: what the files of the registry share.
 *
 * Threads: functions with an sw_conn run inside a read or a write.
 * Layer:   registry.
 */
#ifndef SW_REGISTRY_REGISTRY_PRIVATE_H
#define SW_REGISTRY_REGISTRY_PRIVATE_H

#include "base/nearest.h"
#include "registry/registry.h"

#include <pthread.h>

enum { SW_NAME_BYTES = 128 };

/* The one namespace so far. */
#define SW_NAMESPACE SW_STR("default")

struct sw_registry {
    sw_db *db;
    pthread_mutex_t mutex; /* guards the listener, also while it is being called */
    void (*listener)(const sw_event *event, void *context);
    void *listener_context;
};

/* Unset texts are kept as empty ones. */
static inline sw_str sw_text(sw_str s) {
    return s.at ? s : SW_STR("");
}

/* A copy in which every byte that is no UTF-8 is a '?': texts that may echo what somebody sent. */
sw_str sw_text_clean(sw_arena *arena, sw_str s);

/* Begins a statement and binds ?1 to the namespace and ?2 to `model`. */
SW_MUST_USE sw_status sw_registry_stmt(sw_stmt **out, sw_conn *conn, const char *sql, sw_str model,
                                       sw_error *error);

/* ---- Names ---- */

/* INVALID with the rule. `what` is "model" or "alias". */
SW_MUST_USE sw_status sw_registry_check_name(sw_str name, const char *what, sw_error *error);

/* ---- Models ---- */

/* NOT_FOUND with the nearest name. */
SW_MUST_USE sw_status sw_models_require(uint32_t *newest_version, sw_conn *conn, sw_str model,
                                        sw_error *error);
/* NOT_FOUND with the newest version. */
SW_MUST_USE sw_status sw_versions_require(sw_conn *conn, sw_str model, uint32_t number,
                                          sw_error *error);

/* ---- Deployments ---- */

/* Sets revisions, revision_count and live. */
SW_MUST_USE sw_status sw_revisions_load(sw_model_row *row, sw_conn *conn, sw_arena *arena,
                                        sw_error *error);

/* One revision, as much of it as a rollback asks about. */
typedef struct sw_past {
    uint32_t number;
    uint32_t version;
    sw_revision_state state;
    bool is_rollback;
    uint32_t equals;
} sw_past;

/* A deployment's past, replayed. */
typedef struct sw_history {
    const sw_past *past; /* in order of number */
    size_t count;
    uint32_t *stack; /* places in `past` of deploys, what answers on top: see registry.h */
    size_t depth;
    const sw_past *current; /* the newest that took effect (went live or undeployed), or NULL */
} sw_history;

/* `stack` has room for `count`. */
void sw_history_replay(sw_history *out, const sw_past *past, size_t count, uint32_t *stack);
/* Where a plain rollback goes; NULL where there is nothing. */
const sw_past *sw_history_last_good(const sw_history *history);
/* The revision of that number if it went live; NULL else. */
const sw_past *sw_history_live(const sw_history *history, uint32_t number);
/* Whether `number` is what answers, by itself or by the rollback to it. */
bool sw_history_answers(const sw_history *history, uint32_t number);

/* ---- Events ---- */

/*
 * Within a write: keeps the event with it and has the listener told once it is durable. `event` and
 * its strings must live in `arena`, which must outlive the write. Sets id and at_ms.
 */
SW_MUST_USE sw_status sw_events_record(sw_conn *conn, sw_registry *registry, sw_event *event,
                                       sw_arena *arena, sw_error *error);
/* An event whose text and data are formatted into the arena; NO_MEMORY is found by the recording.
 */
sw_event *sw_event_make(sw_arena *arena, const char *kind, sw_str model, sw_str who);

#endif /* SW_REGISTRY_REGISTRY_PRIVATE_H */
