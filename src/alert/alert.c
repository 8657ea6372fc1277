/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/alert_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/file.h"

#include <stdio.h>
#include <time.h>

enum {
    TELL_ANYWAY_MS = 10000,
    RETURN_MS = 15 * 60000,
    PRUNE_EVERY_MS = 3600000,
    KEEP_MS_DAYS = 30,
    LISTED_IDS_MAX = 100,
};
static const int64_t day_ms = 86400000;

/* ---- Time ---- */

static int64_t steady_ms(const sw_alerts *alerts) {
    return alerts->steady_begin_ms + (int64_t)((sw_clock_ns() - alerts->begin_ns) / SW_NS_PER_MS);
}

/* ---- Messages that wait for the disk ---- */

static void free_waiting(sw_waiting *w) {
    sw_buf_free(&w->body);
    sw_buf_free(&w->alerts);
    sw_mem_free(w);
}

static sw_status make_key(char out[33], sw_error *error) {
    unsigned char chance[16];
    SW_TRY(sw_file_random(chance, sizeof chance, error));
    for (size_t i = 0; i < sizeof chance; i++)
        snprintf(out + 2 * i, 3, "%02x", chance[i]);
    return SW_OK;
}

static void list_ids(sw_buf *out, const sw_notification *n) {
    size_t total = n->firing + n->resolved;
    sw_buf_add_char(out, ',');
    for (size_t i = 0; i < total && i < LISTED_IDS_MAX; i++)
        sw_buf_printf(out, "%lld,", (long long)n->alerts[i]->id);
}

static sw_status add_waiting(sw_alerts *alerts, const sw_notification *n, int64_t wall_ms,
                             sw_error *error) {
    sw_waiting *w = sw_mem_zalloc(1, sizeof *w);
    if (!w)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a message");
    const sw_action *action = &n->notifier->action;
    sw_message_write(&w->body, n, &alerts->set->rules, wall_ms);
    list_ids(&w->alerts, n);
    sw_status status = make_key(w->key, error);
    if (!sw_failed(status) && (w->body.failed || w->alerts.failed))
        status = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a message");
    if (sw_failed(status)) {
        free_waiting(w);
        return status;
    }
    snprintf(w->notifier, sizeof w->notifier, "%.*s", SW_STR_ARG(action->name));
    w->recorded = !(n->repeat && action->kind->refreshes);
    w->row = (sw_delivery_row){.id = w->recorded ? alerts->next_delivery++ : 0,
                               .notifier = sw_str_of(w->notifier),
                               .kind = sw_str_of(action->kind->name),
                               .key = sw_str_of(w->key),
                               .alerts = sw_buf_str(&w->alerts),
                               .body = sw_buf_str(&w->body),
                               .firing = n->firing,
                               .resolved = n->resolved,
                               .created_ms = wall_ms};
    *alerts->waiting_last = w;
    alerts->waiting_last = &w->next;
    return SW_OK;
}

/* To the notifiers' threads. What finds no memory there goes out after the next start: its row
 * says that it is queued. */
static void hand_over(sw_alerts *alerts) {
    sw_error ignored;
    for (sw_waiting *w = alerts->waiting, *next; w; w = next) {
        next = w->next;
        sw_status status = sw_deliverer_add(alerts->deliverer, &w->row, w->recorded, &ignored);
        (void)status;
        free_waiting(w);
    }
    alerts->waiting = NULL;
    alerts->waiting_last = &alerts->waiting;
}

/* ---- One step ---- */

typedef struct save {
    const sw_alerts *alerts;
    const sw_alert_changes *changes;
} save;

static sw_status do_save(sw_conn *conn, void *context, sw_error *error) {
    const save *s = context;
    const sw_alert_changes *c = s->changes;
    for (size_t i = 0; i < c->alert_count; i++)
        SW_TRY(sw_alert_put(conn, c->alerts[i], &s->alerts->set->rules, error));
    for (size_t i = 0; i < c->forgotten_count; i++)
        SW_TRY(sw_alert_remove(conn, c->forgotten[i], error));
    for (size_t i = 0; i < c->group_count; i++)
        SW_TRY(sw_alert_put_group(conn, &c->groups[i], error));
    for (const sw_waiting *w = s->alerts->waiting; w; w = w->next)
        if (w->recorded)
            SW_TRY(sw_delivery_put(conn, &w->row, error));
    return SW_OK;
}

static void announce(sw_alerts *alerts, const sw_alert_changes *changes) {
    sw_buf json = {0};
    for (size_t i = 0; alerts->config.on_change && i < changes->alert_count; i++) {
        sw_json w = sw_json_to(&json);
        sw_buf_clear(&json);
        sw_alert_write(&w, changes->alerts[i], false);
        if (!json.failed)
            alerts->config.on_change(sw_buf_str(&json), alerts->config.context);
    }
    sw_buf_free(&json);
}

/* The lock is held. On a failure all of it is tried again by the next step. */
static sw_status store(sw_alerts *alerts, const sw_alert_changes *changes, sw_error *error) {
    save s = {alerts, changes};
    bool anything =
        changes->alert_count || changes->forgotten_count || changes->group_count || alerts->waiting;
    if (!anything)
        return SW_OK;
    sw_status status = sw_db_write(alerts->config.db, do_save, &s, error);
    if (sw_failed(status)) {
        if (alerts->failing_since_ns == 0)
            alerts->failing_since_ns = sw_clock_ns();
        uint64_t failing_ms = (sw_clock_ns() - alerts->failing_since_ns) / SW_NS_PER_MS;
        if (failing_ms >= TELL_ANYWAY_MS)
            hand_over(alerts);
        return status;
    }
    alerts->failing_since_ns = 0;
    sw_alert_engine_saved(alerts->engine);
    announce(alerts, changes);
    hand_over(alerts);
    return SW_OK;
}

/* The lock is held. */
static sw_status step(sw_alerts *alerts, sw_error *error) {
    sw_alert_changes changes;
    sw_signal *signals;
    size_t count;
    int64_t wall_ms = sw_clock_wall_ms(), now_ms = steady_ms(alerts);
    const sw_rules *rules = &alerts->set->rules;
    sw_arena_reset(&alerts->arena);
    SW_TRY(sw_collect(&signals, &count, alerts->collector, rules, now_ms, &alerts->arena, error));
    sw_status status =
        sw_alert_engine_step(&changes, alerts->engine, signals, count, now_ms, wall_ms, error);
    for (size_t i = 0; i < changes.notification_count; i++) { /* decided is decided */
        sw_status added = add_waiting(alerts, &changes.notifications[i], wall_ms, error);
        status = sw_failed(added) ? added : status;
    }
    SW_TRY(status);
    return store(alerts, &changes, error);
}

static sw_status do_prune(sw_conn *conn, void *context, sw_error *error) {
    return sw_alert_prune(conn, *(const int64_t *)context, error);
}

/* What a full disk keeps from being cleared away is cleared an hour later. */
static void prune(sw_alerts *alerts) {
    sw_error ignored;
    int64_t now_ms = steady_ms(alerts), before_ms = sw_clock_wall_ms() - KEEP_MS_DAYS * day_ms;
    if (now_ms - alerts->pruned_ms < PRUNE_EVERY_MS)
        return;
    alerts->pruned_ms = now_ms;
    sw_status status = sw_db_write(alerts->config.db, do_prune, &before_ms, &ignored);
    (void)status;
}

void sw_alerts_evaluate(sw_alerts *alerts) {
    sw_error why;
    uint64_t begin_ns = sw_clock_ns();
    sw_status status = step(alerts, &why);
    snprintf(alerts->trouble, sizeof alerts->trouble, "%s", sw_failed(status) ? why.text : "");
    alerts->evaluations++;
    alerts->evaluation_ns = sw_clock_ns() - begin_ns;
}

static void *run(void *context) {
    sw_alerts *alerts = context;
    pthread_mutex_lock(&alerts->lock);
    while (!alerts->stop) {
        sw_alerts_evaluate(alerts);
        prune(alerts);
        uint64_t at_ns = sw_clock_ns() + (uint64_t)alerts->set->rules.every_ms * SW_NS_PER_MS;
        struct timespec at = {.tv_sec = (time_t)(at_ns / SW_NS_PER_S),
                              .tv_nsec = (long)(at_ns % SW_NS_PER_S)};
        alerts->hurry = false;
        while (!alerts->stop && !alerts->hurry &&
               pthread_cond_timedwait(&alerts->wake, &alerts->lock, &at) == 0)
            ;
    }
    pthread_mutex_unlock(&alerts->lock);
    return NULL;
}

/* ---- Start and stop ---- */

static sw_status restore_alert(const sw_alert *alert, void *context, sw_error *error) {
    sw_alerts *alerts = context;
    return sw_alert_engine_restore(alerts->engine, alert, alerts->steady_begin_ms, error);
}

static sw_status restore_group(const sw_alert_group *group, void *context, sw_error *error) {
    sw_alerts *alerts = context;
    return sw_alert_engine_restore_group(alerts->engine, group, alerts->steady_begin_ms, error);
}

static sw_status restore_delivery(const sw_delivery_row *row, void *context, sw_error *error) {
    sw_alerts *alerts = context;
    return sw_deliverer_add(alerts->deliverer, row, true, error);
}

static sw_status do_restore(sw_conn *conn, void *context, sw_error *error) {
    sw_alerts *alerts = context;
    int64_t next_alert, ended_after_ms = alerts->steady_begin_ms - RETURN_MS;
    SW_TRY(
        sw_alert_next_ids(&next_alert, &alerts->next_delivery, &alerts->next_silence, conn, error));
    SW_TRY(sw_alert_engine_make(&alerts->engine, next_alert, error));
    sw_alert_engine_set_rules(alerts->engine, &alerts->set->rules);
    SW_TRY(sw_alert_each_open(conn, ended_after_ms, restore_alert, alerts, error));
    SW_TRY(sw_alert_each_group(conn, restore_group, alerts, error));
    SW_TRY(sw_alerts_load_silences(alerts, conn, error));
    return sw_delivery_each_queued(conn, restore_delivery, alerts, error);
}

static sw_status do_read_rules(sw_conn *conn, void *context, sw_error *error) {
    sw_alerts *alerts = context;
    return sw_rules_row_get(&alerts->stored, conn, &alerts->stored_arena, error);
}

/* Stored rules that cannot be used any more must not keep a server from starting. */
static sw_status load_rules(sw_alerts *alerts, sw_error *error) {
    sw_error why;
    sw_rules_context context = {alerts->config.allow_commands, true};
    SW_TRY(sw_db_read(alerts->config.db, do_read_rules, alerts, error));
    sw_status status = sw_rules_set_read(&alerts->set, alerts->stored.yaml, &context, &why);
    if (!sw_failed(status))
        return SW_OK;
    snprintf(alerts->rules_error, sizeof alerts->rules_error, "%s", why.text);
    return sw_rules_set_read(&alerts->set, SW_STR(""), &context, error);
}

static sw_status start(sw_alerts *alerts, sw_error *error) {
    SW_TRY(load_rules(alerts, error));
    SW_TRY(sw_collector_make(&alerts->collector, &alerts->config.sources, error));
    SW_TRY(sw_deliverer_make(&alerts->deliverer, alerts->config.db, alerts->set, error));
    SW_TRY(sw_db_read(alerts->config.db, do_restore, alerts, error));
    if (pthread_create(&alerts->thread, NULL, run, alerts) != 0)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no thread can be started for alerts");
    alerts->running = true;
    return SW_OK;
}

sw_status sw_alerts_start(sw_alerts **out, const sw_alerts_config *config, sw_error *error) {
    pthread_condattr_t attributes;
    sw_alerts *alerts = sw_mem_zalloc(1, sizeof *alerts);
    if (!alerts)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts");
    alerts->config = *config;
    alerts->waiting_last = &alerts->waiting;
    alerts->begin_ns = sw_clock_ns();
    alerts->steady_begin_ms = sw_clock_wall_ms();
    pthread_mutex_init(&alerts->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&alerts->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    sw_status status = start(alerts, error);
    if (sw_failed(status))
        sw_alerts_stop(alerts);
    else
        *out = alerts;
    return status;
}

void sw_alerts_stop(sw_alerts *alerts) {
    if (!alerts)
        return;
    pthread_mutex_lock(&alerts->lock);
    alerts->stop = true;
    pthread_cond_broadcast(&alerts->wake);
    pthread_mutex_unlock(&alerts->lock);
    if (alerts->running)
        pthread_join(alerts->thread, NULL);
    sw_deliverer_stop(alerts->deliverer);
    while (alerts->waiting) {
        sw_waiting *next = alerts->waiting->next;
        free_waiting(alerts->waiting);
        alerts->waiting = next;
    }
    sw_alert_engine_free(alerts->engine);
    sw_collector_free(alerts->collector);
    sw_rules_set_drop(alerts->set);
    sw_arena_free(&alerts->arena);
    sw_arena_free(&alerts->silences_arena);
    sw_arena_free(&alerts->stored_arena);
    pthread_mutex_destroy(&alerts->lock);
    pthread_cond_destroy(&alerts->wake);
    sw_mem_free(alerts);
}
