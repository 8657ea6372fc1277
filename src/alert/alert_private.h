/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_private: what the files of the service share.
 *
 * Threads: what is not said otherwise is guarded by `lock`.
 * Layer:   alert.
 */
#ifndef SW_ALERT_ALERT_PRIVATE_H
#define SW_ALERT_ALERT_PRIVATE_H

#include "alert/alert.h"
#include "alert/deliver_private.h"
#include "alert/message.h"

#include <pthread.h>

/* A message that is not stored yet. */
typedef struct sw_waiting {
    struct sw_waiting *next;
    sw_delivery_row row;
    sw_buf body, alerts;
    char key[33];
    char notifier[256];
    bool recorded;
} sw_waiting;

struct sw_alerts {
    sw_alerts_config config;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop, hurry;
    uint64_t begin_ns;
    int64_t steady_begin_ms; /* wall clock, when it was started */
    sw_rules_set *set;
    char rules_error[SW_ERROR_BYTES]; /* why the stored rules are not in force; or empty */
    sw_rules_row stored;              /* in stored_arena */
    sw_arena stored_arena;
    sw_alert_engine *engine;
    sw_collector *collector;
    sw_deliverer *deliverer;
    sw_silence *silences; /* in silences_arena */
    size_t silence_count;
    sw_arena silences_arena;
    int64_t next_delivery, next_silence;
    sw_waiting *waiting, **waiting_last;
    uint64_t failing_since_ns; /* the database takes nothing; 0: it does */
    int64_t pruned_ms;
    sw_arena arena; /* of one step */
    uint64_t evaluations, evaluation_ns;
    char trouble[SW_ERROR_BYTES]; /* why the last step failed, or empty */
};

/* One step, with the lock held. */
void sw_alerts_evaluate(sw_alerts *alerts);
/* Reads the silences that hold, and tells the engine. */
SW_MUST_USE sw_status sw_alerts_load_silences(sw_alerts *alerts, sw_conn *conn, sw_error *error);

#endif /* SW_ALERT_ALERT_PRIVATE_H */
