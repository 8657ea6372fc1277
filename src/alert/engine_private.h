/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_private: what the files of the engine share.
 *
 * Threads: one at a time.
 * Layer:   alert.
 */
#ifndef SW_ALERT_ENGINE_PRIVATE_H
#define SW_ALERT_ENGINE_PRIVATE_H

#include "alert/engine.h"

typedef struct entry {
    sw_alert alert; /* first: an sw_alert of ours is an entry */
    sw_arena arena; /* its names and labels */
    sw_buf summary, evidence, ack_who, ack_note;
    uint64_t hash;
    struct entry *next; /* of its bucket */
    int64_t raised_ms;  /* resolved, and raised again since; 0: not */
    int64_t ended_steady_ms;
} entry;

typedef struct member {
    entry *of;
    struct member *next;
} member;

typedef struct group {
    char *key;
    size_t key_len;
    uint64_t hash;
    struct group *next;
    size_t notifier_at;
    int64_t first_ms;              /* something new since, and never told; 0: nothing */
    int64_t told_ms, told_wall_ms; /* 0: never */
    bool dirty;
    /* Of this step. */
    uint64_t step;
    member *firing, **firing_last, *resolved, **resolved_last;
    size_t firing_count, resolved_count, fresh, waiting; /* waiting: not acknowledged */
} group;

enum { BUCKETS = 4096 };

struct sw_alert_engine {
    const sw_rules *rules;
    const sw_silence *silences;
    size_t silence_count;
    entry **entries; /* by id */
    size_t count, cap;
    entry *buckets[BUCKETS];
    group *groups[BUCKETS];
    size_t group_count;
    int64_t *forgotten;
    size_t forgotten_count, forgotten_cap;
    int64_t next_id;
    uint64_t step, dropped;
    sw_arena out; /* of the last step */
};

uint64_t sw_engine_hash(uint64_t from, sw_str s);

/* Who may not be told of: silences, inhibitions, quiet hours. */
SW_MUST_USE sw_status sw_engine_suppress(sw_alert_engine *engine, int64_t wall_ms, sw_error *error);
/* Fills groups and says which are due. */
SW_MUST_USE sw_status sw_engine_notify(sw_alert_changes *out, sw_alert_engine *engine,
                                       int64_t steady_ms, int64_t wall_ms, sw_error *error);
void sw_engine_free_groups(sw_alert_engine *engine);
/* After a change of rules: groups of notifiers that are gone go too. */
void sw_engine_keep_groups(sw_alert_engine *engine, const sw_rules *rules);

static inline sw_status sw_engine_no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts");
}

#endif /* SW_ALERT_ENGINE_PRIVATE_H */
