/* SPDX-License-Identifier: Apache-2.0 */
/* Who is told, and when: silences, inhibitions, quiet hours, groups. */
#include "alert/engine_private.h"
#include "base/mem.h"

#include <stdlib.h>

enum { DAY_MINUTES = 1440, MINUTE_MS = 60000 };

/* ---- Labels ---- */

static sw_str rule_label(const sw_alert *a, sw_str name) {
    for (size_t i = 0; a->by && i < a->by->label_count; i++)
        if (sw_str_eq(a->by->labels[i].name, name))
            return a->by->labels[i].value;
    return SW_STR("");
}

/* The value of a label of an alert ("rule", "model", "severity", …); empty where it has none. */
static sw_str label_of(const sw_alert *a, sw_str name) {
    if (sw_str_is(name, "rule") || sw_str_is(name, "alertname"))
        return a->rule;
    if (sw_str_is(name, "model"))
        return a->model;
    if (sw_str_is(name, "column"))
        return a->column;
    if (sw_str_is(name, "segment"))
        return a->segment;
    if (sw_str_is(name, "kind"))
        return sw_str_of(sw_signal_kind_name(a->kind));
    if (sw_str_is(name, "measure"))
        return a->measure;
    if (sw_str_is(name, "version"))
        return a->version_text;
    if (sw_str_is(name, "severity"))
        return sw_str_of(sw_severity_name(a->severity));
    return rule_label(a, name);
}

static bool matches(const sw_matcher *m, const sw_alert *a) {
    return sw_glob_match(m->pattern, label_of(a, m->name)) != m->negated;
}

static bool all_match(const sw_matcher *matchers, size_t count, const sw_alert *alert) {
    for (size_t i = 0; i < count; i++)
        if (!matches(&matchers[i], alert))
            return false;
    return count > 0;
}

/* ---- Suppression ---- */

static int64_t silence_of(const sw_alert_engine *engine, const sw_alert *a, int64_t wall_ms) {
    for (size_t i = 0; i < engine->silence_count; i++) {
        const sw_silence *s = &engine->silences[i];
        if (s->from_ms <= wall_ms && wall_ms < s->until_ms &&
            all_match(s->matchers, s->matcher_count, a))
            return s->id;
    }
    return 0;
}

static bool is_quiet(const sw_rules *rules, const sw_alert *a, int64_t wall_ms) {
    int64_t minute = wall_ms / MINUTE_MS;
    int now = (int)(minute % DAY_MINUTES), today = (int)((minute / DAY_MINUTES + 4) % 7);
    for (size_t i = 0; i < rules->quiet_count; i++) {
        const sw_quiet *q = &rules->quiet[i];
        bool over_midnight = q->to_minute <= q->from_minute;
        bool evening = now >= q->from_minute && (over_midnight || now < q->to_minute);
        bool morning = over_midnight && now < q->to_minute;
        int day = evening ? today : (today + 6) % 7;
        if ((evening || morning) && q->days >> day & 1 && q->severities >> a->severity & 1)
            return true;
    }
    return false;
}

/* A source of an inhibition, by what it must have in common with its target. */
typedef struct source {
    uint64_t hash;
    const sw_alert *alert;
} source;

static uint64_t equal_hash(const sw_inhibition *rule, const sw_alert *a) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < rule->equal_count; i++)
        hash = sw_engine_hash(hash, label_of(a, rule->equal[i]));
    return hash;
}

static bool have_equal(const sw_inhibition *rule, const sw_alert *a, const sw_alert *b) {
    for (size_t i = 0; i < rule->equal_count; i++)
        if (!sw_str_eq(label_of(a, rule->equal[i]), label_of(b, rule->equal[i])))
            return false;
    return true;
}

static int by_hash(const void *a, const void *b) {
    const source *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->alert->id > y->alert->id) - (x->alert->id < y->alert->id);
}

static int64_t inhibitor_of(const sw_inhibition *rule, const source *sources, size_t count,
                            const sw_alert *a) {
    uint64_t hash = equal_hash(rule, a);
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sources[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && sources[low].hash == hash; low++)
        if (have_equal(rule, sources[low].alert, a))
            return sources[low].alert->id;
    return 0;
}

/* What is a source itself is not inhibited by that rule: two of them would silence each other. */
static void inhibit(sw_alert_engine *engine, const sw_inhibition *rule, source *sources,
                    int64_t *by) {
    size_t count = 0;
    for (size_t i = 0; i < engine->count; i++) {
        const sw_alert *a = &engine->entries[i]->alert;
        if (a->state == SW_ALERT_FIRING && all_match(rule->source, rule->source_count, a))
            sources[count++] = (source){equal_hash(rule, a), a};
    }
    qsort(sources, count, sizeof *sources, by_hash);
    for (size_t i = 0; count && i < engine->count; i++) {
        const sw_alert *a = &engine->entries[i]->alert;
        if (a->state == SW_ALERT_FIRING && by[i] == 0 &&
            all_match(rule->target, rule->target_count, a) &&
            !all_match(rule->source, rule->source_count, a))
            by[i] = inhibitor_of(rule, sources, count, a);
    }
}

sw_status sw_engine_suppress(sw_alert_engine *engine, int64_t wall_ms, sw_error *error) {
    const sw_rules *rules = engine->rules;
    int64_t *by = sw_arena_zalloc(&engine->out, engine->count + 1, sizeof *by);
    source *sources = sw_arena_zalloc(&engine->out, engine->count + 1, sizeof *sources);
    if (!by || !sources)
        return sw_engine_no_memory(error);
    for (size_t i = 0; i < rules->inhibition_count; i++)
        inhibit(engine, &rules->inhibitions[i], sources, by);
    for (size_t i = 0; i < engine->count; i++) {
        sw_alert *a = &engine->entries[i]->alert;
        if (a->state != SW_ALERT_FIRING)
            continue;
        int64_t silenced = silence_of(engine, a, wall_ms);
        bool quiet = is_quiet(rules, a, wall_ms);
        a->dirty =
            a->dirty || silenced != a->silenced_by || by[i] != a->inhibited_by || quiet != a->quiet;
        a->silenced_by = silenced;
        a->inhibited_by = by[i];
        a->quiet = quiet;
    }
    return SW_OK;
}

/* ---- Groups ---- */

static void free_group(group *g) {
    sw_mem_free(g->key);
    sw_mem_free(g);
}

void sw_engine_free_groups(sw_alert_engine *engine) {
    for (size_t i = 0; i < BUCKETS; i++) {
        for (group *g = engine->groups[i], *next; g; g = next) {
            next = g->next;
            free_group(g);
        }
        engine->groups[i] = NULL;
    }
    engine->group_count = 0;
}

void sw_engine_keep_groups(sw_alert_engine *engine, const sw_rules *rules) {
    for (size_t i = 0; i < BUCKETS; i++)
        for (group **at = &engine->groups[i]; *at;) {
            group *g = *at;
            sw_str rest = {g->key, g->key_len};
            sw_str name = sw_str_split(&rest, '\n');
            g->notifier_at = 0;
            while (g->notifier_at < rules->notifier_count &&
                   !sw_str_eq(rules->notifiers[g->notifier_at].action.name, name))
                g->notifier_at++;
            if (g->notifier_at < rules->notifier_count) {
                at = &g->next;
                continue;
            }
            *at = g->next;
            engine->group_count--;
            free_group(g);
        }
}

static group *get_group(sw_alert_engine *engine, sw_str key, size_t notifier_at) {
    uint64_t hash = sw_engine_hash(UINT64_C(0xcbf29ce484222325), key);
    group **bucket = &engine->groups[hash % BUCKETS];
    for (group *g = *bucket; g; g = g->next)
        if (g->hash == hash && sw_str_eq(key, (sw_str){g->key, g->key_len}))
            return g;
    group *g = sw_mem_zalloc(1, sizeof *g);
    char *text = g ? sw_mem_copy(key.at, key.len) : NULL;
    if (!text) {
        sw_mem_free(g);
        return NULL;
    }
    *g = (group){
        .key = text, .key_len = key.len, .hash = hash, .next = *bucket, .notifier_at = notifier_at};
    *bucket = g;
    engine->group_count++;
    return g;
}

static void write_key(sw_buf *out, const sw_notifier *n, const sw_alert *a) {
    sw_buf_clear(out);
    sw_buf_add_str(out, n->action.name);
    for (size_t i = 0; i < n->by_count; i++)
        sw_buf_printf(out, "\n%.*s=%.*s", SW_STR_ARG(n->by[i]), SW_STR_ARG(label_of(a, n->by[i])));
}

static sw_status join(sw_alert_engine *engine, sw_buf *key, entry *e, size_t at, sw_error *error) {
    const sw_notifier *n = &engine->rules->notifiers[at];
    bool told = e->alert.told >> at & 1, resolved = e->alert.state == SW_ALERT_RESOLVED;
    write_key(key, n, &e->alert);
    group *g = key->failed ? NULL : get_group(engine, sw_buf_str(key), at);
    member *m = g ? sw_arena_alloc(&engine->out, sizeof *m) : NULL;
    if (!m)
        return sw_engine_no_memory(error);
    if (g->step != engine->step) {
        g->step = engine->step;
        g->firing = g->resolved = NULL;
        g->firing_last = &g->firing;
        g->resolved_last = &g->resolved;
        g->firing_count = g->resolved_count = g->fresh = g->waiting = 0;
    }
    *m = (member){.of = e};
    member ***last = resolved ? &g->resolved_last : &g->firing_last;
    **last = m;
    *last = &m->next;
    *(resolved ? &g->resolved_count : &g->firing_count) += 1;
    g->fresh += !told || resolved;
    g->waiting += !resolved && (e->alert.acknowledged_ms == 0 || n->action.kind->refreshes);
    return SW_OK;
}

static sw_status fill_groups(sw_alert_engine *engine, sw_buf *key, sw_error *error) {
    const sw_rules *rules = engine->rules;
    for (size_t i = 0; i < engine->count; i++) {
        entry *e = engine->entries[i];
        sw_alert *a = &e->alert;
        bool silent = a->silenced_by || a->inhibited_by || a->quiet;
        if (a->state == SW_ALERT_PENDING)
            continue;
        uint64_t wanted = a->state == SW_ALERT_RESOLVED ? a->told
                          : silent || !a->by            ? 0
                                                        : a->by->notify;
        for (size_t at = 0; wanted >> at && at < rules->notifier_count; at++) {
            if (!(wanted >> at & 1))
                continue;
            if (a->state == SW_ALERT_RESOLVED && !rules->notifiers[at].action.send_resolved) {
                a->told &= ~(UINT64_C(1) << at);
                a->dirty = true;
                continue;
            }
            SW_TRY(join(engine, key, e, at, error));
        }
    }
    return SW_OK;
}

static bool is_due(group *g, const sw_notifier *n, int64_t now_ms) {
    if (g->told_ms == 0) {
        if (g->fresh == 0) { /* grouped anew: the clock for repeating begins */
            g->told_ms = now_ms;
            return false;
        }
        if (g->first_ms == 0)
            g->first_ms = now_ms;
        return now_ms - g->first_ms >= n->wait_ms;
    }
    if (g->fresh)
        return now_ms - g->told_ms >= n->interval_ms;
    return g->waiting && n->repeat_ms && now_ms - g->told_ms >= n->repeat_ms;
}

static sw_status tell(sw_alert_changes *out, sw_alert_engine *engine, group *g, int64_t steady_ms,
                      int64_t wall_ms, sw_error *error) {
    const sw_notifier *n = &engine->rules->notifiers[g->notifier_at];
    sw_notification *to = &out->notifications[out->notification_count];
    *to = (sw_notification){.notifier = n,
                            .notifier_at = g->notifier_at,
                            .group_key = {g->key, g->key_len},
                            .repeat = g->fresh == 0,
                            .firing = g->firing_count,
                            .resolved = g->resolved_count};
    to->alerts = sw_arena_zalloc(&engine->out, g->firing_count + g->resolved_count + 1,
                                 sizeof(const sw_alert *));
    if (!to->alerts)
        return sw_engine_no_memory(error);
    size_t at = 0;
    uint64_t bit = UINT64_C(1) << g->notifier_at;
    for (member *m = g->firing; m; m = m->next) {
        m->of->alert.dirty = m->of->alert.dirty || !(m->of->alert.told & bit);
        m->of->alert.told |= bit;
        to->alerts[at++] = &m->of->alert;
    }
    for (member *m = g->resolved; m; m = m->next) {
        m->of->alert.told &= ~bit;
        m->of->alert.dirty = true;
        to->alerts[at++] = &m->of->alert;
    }
    g->told_ms = steady_ms;
    g->told_wall_ms = wall_ms;
    g->first_ms = 0;
    g->dirty = true;
    out->notification_count++;
    return SW_OK;
}

/* A group that nobody is in is kept while its last message still holds the next one back. */
static bool has_ended(const group *g, const sw_notifier *n, uint64_t step, int64_t now_ms) {
    return g->step != step && !g->dirty &&
           (g->told_ms == 0 || now_ms - g->told_ms >= n->interval_ms);
}

static sw_status list_groups(sw_alert_changes *out, sw_alert_engine *engine, sw_error *error) {
    out->groups = sw_arena_zalloc(&engine->out, engine->group_count + 1, sizeof *out->groups);
    if (!out->groups)
        return sw_engine_no_memory(error);
    for (size_t i = 0; i < BUCKETS; i++)
        for (group *g = engine->groups[i]; g; g = g->next)
            if (g->dirty)
                out->groups[out->group_count++] =
                    (sw_alert_group){{g->key, g->key_len}, g->told_wall_ms};
    return SW_OK;
}

static sw_status tell_due(sw_alert_changes *out, sw_alert_engine *engine, int64_t steady_ms,
                          int64_t wall_ms, sw_error *error) {
    out->notifications =
        sw_arena_zalloc(&engine->out, engine->group_count + 1, sizeof *out->notifications);
    if (!out->notifications)
        return sw_engine_no_memory(error);
    for (size_t i = 0; i < BUCKETS; i++)
        for (group **at = &engine->groups[i]; *at;) {
            group *g = *at;
            const sw_notifier *n = &engine->rules->notifiers[g->notifier_at];
            if (g->step == engine->step && is_due(g, n, steady_ms))
                SW_TRY(tell(out, engine, g, steady_ms, wall_ms, error));
            if (!has_ended(g, n, engine->step, steady_ms)) {
                at = &g->next;
                continue;
            }
            *at = g->next;
            engine->group_count--;
            free_group(g);
        }
    return SW_OK;
}

sw_status sw_engine_notify(sw_alert_changes *out, sw_alert_engine *engine, int64_t steady_ms,
                           int64_t wall_ms, sw_error *error) {
    sw_buf key = {0};
    sw_status status = fill_groups(engine, &key, error);
    sw_buf_free(&key);
    SW_TRY(status);
    SW_TRY(tell_due(out, engine, steady_ms, wall_ms, error));
    return list_groups(out, engine, error);
}

sw_status sw_alert_engine_restore_group(sw_alert_engine *engine, const sw_alert_group *stored,
                                        int64_t wall_ms, sw_error *error) {
    sw_str rest = stored->key;
    sw_str name = sw_str_split(&rest, '\n');
    for (size_t at = 0; at < engine->rules->notifier_count; at++) {
        if (!sw_str_eq(engine->rules->notifiers[at].action.name, name))
            continue;
        group *g = get_group(engine, stored->key, at);
        if (!g)
            return sw_engine_no_memory(error);
        g->told_wall_ms = stored->told_wall_ms;
        g->told_ms = stored->told_wall_ms < wall_ms ? stored->told_wall_ms : wall_ms;
    }
    return SW_OK;
}
