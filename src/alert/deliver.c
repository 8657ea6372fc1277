/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/deliver_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { ATTEMPTS_MAX = 20, GIVE_UP_MS = 3600000, WAITING_MAX = 1000 };

/* ---- Rules in use ---- */

sw_status sw_rules_set_read(sw_rules_set **out, sw_str yaml, const sw_rules_context *context,
                            sw_error *error) {
    sw_rules_set *set = sw_mem_zalloc(1, sizeof *set);
    if (!set)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the rules");
    atomic_store(&set->users, 1);
    sw_status status = sw_rules_read(&set->rules, yaml, context, &set->arena, error);
    if (sw_failed(status))
        sw_rules_set_drop(set);
    else
        *out = set;
    return status;
}

sw_rules_set *sw_rules_set_hold(sw_rules_set *set) {
    atomic_fetch_add(&set->users, 1);
    return set;
}

void sw_rules_set_drop(sw_rules_set *set) {
    if (!set || atomic_fetch_sub(&set->users, 1) > 1)
        return;
    sw_arena_free(&set->arena);
    sw_mem_free(set);
}

const sw_notifier *sw_rules_set_notifier(const sw_rules_set *set, sw_str name) {
    for (size_t i = 0; i < set->rules.notifier_count; i++)
        if (sw_str_eq(set->rules.notifiers[i].action.name, name))
            return &set->rules.notifiers[i];
    return NULL;
}

/* ---- Queues ---- */

typedef struct delivery {
    struct delivery *next;
    sw_delivery_row row; /* its strings in `arena`, but for `error` */
    sw_arena arena;
    char reason[SW_ERROR_BYTES];
    bool recorded;
    uint64_t due_ns, give_up_ns;
} delivery;

typedef struct worker {
    struct worker *next;
    sw_deliverer *of;
    char *name;
    pthread_t thread;
    delivery *first, **last;
    size_t waiting;
} worker;

struct sw_deliverer {
    sw_db *db;
    pthread_mutex_t lock; /* guards the rest but `stop` and counts */
    pthread_cond_t wake;
    sw_rules_set *set;
    worker *workers;
    uint64_t chance; /* state of the random numbers for backing off */
    atomic_bool stop;
    atomic_ullong sent, failed;
};

static void free_delivery(delivery *d) {
    sw_arena_free(&d->arena);
    sw_mem_free(d);
}

static sw_status do_put(sw_conn *conn, void *context, sw_error *error) {
    return sw_delivery_put(conn, context, error);
}

/* A record that the disk does not take changes nothing about what was sent. */
static void record(sw_deliverer *deliverer, delivery *d) {
    sw_error ignored;
    d->row.error = sw_str_of(d->reason);
    if (!d->recorded)
        return;
    sw_status status = sw_db_write(deliverer->db, do_put, &d->row, &ignored);
    (void)status;
}

sw_status sw_deliverer_send_now(sw_delivery_row *row, char reason[SW_ERROR_BYTES],
                                const sw_notifier *notifier) {
    sw_error why = {0};
    sw_action_result result = {0};
    sw_message message = {.key = row->key, .json = row->body, .wall_ms = sw_clock_wall_ms()};
    uint64_t begin_ns = sw_clock_ns();
    sw_status status = notifier->action.kind->run(&result, &notifier->action, &message, &why);
    row->attempts++;
    row->status = result.status;
    row->took_ms = (int64_t)((sw_clock_ns() - begin_ns) / SW_NS_PER_MS);
    row->ended_ms = sw_clock_wall_ms();
    row->state = sw_failed(status) ? SW_DELIVERY_FAILED : SW_DELIVERY_SENT;
    memcpy(reason, why.text, SW_ERROR_BYTES);
    row->error = sw_str_of(reason);
    return status;
}

static void end(sw_deliverer *deliverer, delivery *d, bool sent) {
    d->row.state = sent ? SW_DELIVERY_SENT : SW_DELIVERY_FAILED;
    d->row.ended_ms = sw_clock_wall_ms();
    atomic_fetch_add(sent ? &deliverer->sent : &deliverer->failed, 1);
}

/* One attempt. Whether it is over, one way or the other. */
static bool attempt(sw_deliverer *deliverer, delivery *d, const sw_notifier *notifier,
                    double chance) {
    sw_error why = {0};
    sw_action_result result = {0};
    sw_message message = {.key = d->row.key,
                          .json = d->row.body,
                          .wall_ms = sw_clock_wall_ms(),
                          .stop = &deliverer->stop};
    uint64_t begin_ns = sw_clock_ns();
    sw_status status = notifier->action.kind->run(&result, &notifier->action, &message, &why);
    uint64_t now_ns = sw_clock_ns();
    if (sw_failed(status) && atomic_load(&deliverer->stop))
        return false; /* cut off by us: it stays queued */
    d->row.attempts++;
    d->row.status = result.status;
    d->row.took_ms = (int64_t)((now_ns - begin_ns) / SW_NS_PER_MS);
    memcpy(d->reason, why.text, sizeof d->reason);
    if (!sw_failed(status)) {
        *d->reason = 0;
        end(deliverer, d, true);
        return true;
    }
    int64_t pause_ms = sw_action_backoff_ms(d->row.attempts + 1, chance);
    d->due_ns = now_ns + (uint64_t)pause_ms * SW_NS_PER_MS;
    if (!result.final && d->row.attempts < ATTEMPTS_MAX && d->due_ns < d->give_up_ns)
        return false;
    end(deliverer, d, false);
    return true;
}

static void wait_until(sw_deliverer *deliverer, uint64_t at_ns) {
    struct timespec at = {.tv_sec = (time_t)(at_ns / SW_NS_PER_S),
                          .tv_nsec = (long)(at_ns % SW_NS_PER_S)};
    pthread_cond_timedwait(&deliverer->wake, &deliverer->lock, &at);
}

static delivery *take_first(worker *w) {
    delivery *d = w->first;
    w->first = d->next;
    if (!w->first)
        w->last = &w->first;
    w->waiting--;
    return d;
}

/* The lock is held, but while the message is on its way. */
static void work_on_first(worker *w) {
    sw_deliverer *deliverer = w->of;
    delivery *d = take_first(w);
    sw_rules_set *set = sw_rules_set_hold(deliverer->set);
    const sw_notifier *notifier = sw_rules_set_notifier(set, sw_str_of(w->name));
    double chance = sw_rng_unit(&deliverer->chance);
    pthread_mutex_unlock(&deliverer->lock);
    bool over = true;
    if (notifier) {
        over = attempt(deliverer, d, notifier, chance);
    } else {
        snprintf(d->reason, sizeof d->reason, "the rules name this notifier no more");
        end(deliverer, d, false);
    }
    if (!atomic_load(&deliverer->stop) || over)
        record(deliverer, d);
    sw_rules_set_drop(set);
    pthread_mutex_lock(&deliverer->lock);
    if (over) {
        free_delivery(d);
        return;
    }
    d->next = w->first; /* it stays the first */
    if (!w->first)
        w->last = &d->next;
    w->first = d;
    w->waiting++;
}

static void *work(void *context) {
    worker *w = context;
    sw_deliverer *deliverer = w->of;
    pthread_mutex_lock(&deliverer->lock);
    while (!atomic_load(&deliverer->stop)) {
        if (!w->first)
            pthread_cond_wait(&deliverer->wake, &deliverer->lock);
        else if (w->first->due_ns > sw_clock_ns())
            wait_until(deliverer, w->first->due_ns);
        else
            work_on_first(w);
    }
    pthread_mutex_unlock(&deliverer->lock);
    return NULL;
}

/* ---- Taking in ---- */

static worker *find_worker(sw_deliverer *deliverer, sw_str name) {
    worker *w = deliverer->workers;
    while (w && !sw_str_is(name, w->name))
        w = w->next;
    return w;
}

static worker *start_worker(sw_deliverer *deliverer, sw_str name) {
    worker *w = sw_mem_zalloc(1, sizeof *w);
    char *copy = w ? sw_mem_copy(name.at, name.len) : NULL;
    if (!copy) {
        sw_mem_free(w);
        return NULL;
    }
    *w = (worker){.next = deliverer->workers, .of = deliverer, .name = copy};
    w->last = &w->first;
    if (pthread_create(&w->thread, NULL, work, w) != 0) {
        sw_mem_free(copy);
        sw_mem_free(w);
        return NULL;
    }
    deliverer->workers = w;
    return w;
}

static delivery *copy_delivery(const sw_delivery_row *row, bool recorded) {
    delivery *d = sw_mem_zalloc(1, sizeof *d);
    if (!d)
        return NULL;
    uint64_t now_ns = sw_clock_ns();
    d->row = *row;
    d->row.notifier = sw_arena_copy(&d->arena, row->notifier);
    d->row.kind = sw_arena_copy(&d->arena, row->kind);
    d->row.key = sw_arena_copy(&d->arena, row->key);
    d->row.alerts = sw_arena_copy(&d->arena, row->alerts);
    d->row.body = sw_arena_copy(&d->arena, row->body);
    d->row.error = SW_STR("");
    d->recorded = recorded;
    d->due_ns = now_ns;
    d->give_up_ns = now_ns + (uint64_t)GIVE_UP_MS * SW_NS_PER_MS;
    if (d->row.notifier.at && d->row.kind.at && d->row.key.at && d->row.alerts.at && d->row.body.at)
        return d;
    free_delivery(d);
    return NULL;
}

/* Of refreshes only the newest is worth sending. */
static void drop_refreshes(worker *w) {
    for (delivery **at = &w->first; *at;) {
        delivery *d = *at;
        if (d->recorded) {
            at = &d->next;
            continue;
        }
        *at = d->next;
        w->waiting--;
        free_delivery(d);
    }
    w->last = &w->first;
    while (*w->last)
        w->last = &(*w->last)->next;
}

sw_status sw_deliverer_add(sw_deliverer *deliverer, const sw_delivery_row *row, bool recorded,
                           sw_error *error) {
    delivery *d = copy_delivery(row, recorded), *overtaken = NULL;
    if (!d)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for a message");
    pthread_mutex_lock(&deliverer->lock);
    worker *w = find_worker(deliverer, row->notifier);
    if (!w)
        w = start_worker(deliverer, row->notifier);
    if (w) {
        if (!recorded)
            drop_refreshes(w);
        if (w->waiting >= WAITING_MAX)
            overtaken = take_first(w);
        *w->last = d;
        w->last = &d->next;
        w->waiting++;
        pthread_cond_broadcast(&deliverer->wake);
    }
    pthread_mutex_unlock(&deliverer->lock);
    if (overtaken) {
        snprintf(overtaken->reason, sizeof overtaken->reason,
                 "more than %d messages waited behind it", WAITING_MAX);
        end(deliverer, overtaken, false);
        record(deliverer, overtaken);
        free_delivery(overtaken);
    }
    if (w)
        return SW_OK;
    free_delivery(d);
    return sw_fail(error, SW_CODE_NO_MEMORY, "no thread can be started for a notifier");
}

void sw_deliverer_set_rules(sw_deliverer *deliverer, sw_rules_set *set) {
    pthread_mutex_lock(&deliverer->lock);
    sw_rules_set *old = deliverer->set;
    deliverer->set = sw_rules_set_hold(set);
    pthread_cond_broadcast(&deliverer->wake);
    pthread_mutex_unlock(&deliverer->lock);
    sw_rules_set_drop(old);
}

void sw_deliverer_counts(uint64_t *sent, uint64_t *failed, const sw_deliverer *deliverer) {
    *sent = atomic_load(&deliverer->sent);
    *failed = atomic_load(&deliverer->failed);
}

sw_status sw_deliverer_make(sw_deliverer **out, sw_db *db, sw_rules_set *set, sw_error *error) {
    pthread_condattr_t attributes;
    sw_deliverer *deliverer = sw_mem_zalloc(1, sizeof *deliverer);
    if (!deliverer)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for notifiers");
    deliverer->db = db;
    deliverer->set = sw_rules_set_hold(set);
    deliverer->chance = sw_clock_ns();
    pthread_mutex_init(&deliverer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&deliverer->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    *out = deliverer;
    return SW_OK;
}

static void free_worker(worker *w) {
    pthread_join(w->thread, NULL);
    while (w->first)
        free_delivery(take_first(w));
    sw_mem_free(w->name);
    sw_mem_free(w);
}

void sw_deliverer_stop(sw_deliverer *deliverer) {
    if (!deliverer)
        return;
    pthread_mutex_lock(&deliverer->lock);
    atomic_store(&deliverer->stop, true);
    pthread_cond_broadcast(&deliverer->wake);
    pthread_mutex_unlock(&deliverer->lock);
    for (worker *w = deliverer->workers, *next; w; w = next) {
        next = w->next;
        free_worker(w);
    }
    sw_rules_set_drop(deliverer->set);
    pthread_mutex_destroy(&deliverer->lock);
    pthread_cond_destroy(&deliverer->wake);
    sw_mem_free(deliverer);
}
