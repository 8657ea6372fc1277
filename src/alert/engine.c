/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/engine_private.h"

#include "alert/evidence.h"
#include "base/mem.h"
#include "stats/odds.h"

#include <math.h>

enum {
    NO_NEWS_MS = 5 * 60000,
    RETURN_MS = 15 * 60000,
    HOLD_MS = 60000,
    HOLD_MS_MAX = 3600000,
    FAR_LOG10 = 3, /* beyond what an alarm takes */
};

const char *sw_alert_state_name(sw_alert_state state) {
    static const char *const names[] = {"pending", "firing", "resolved"};
    return names[state];
}

/* FNV-1a. */
uint64_t sw_engine_hash(uint64_t from, sw_str s) {
    for (size_t i = 0; i < s.len; i++)
        from = (from ^ (unsigned char)s.at[i]) * UINT64_C(0x100000001b3);
    return (from ^ 0xff) * UINT64_C(0x100000001b3);
}

/* ---- Entries ---- */

static void free_entry(entry *e) {
    sw_buf_free(&e->summary);
    sw_buf_free(&e->evidence);
    sw_buf_free(&e->ack_who);
    sw_buf_free(&e->ack_note);
    sw_arena_free(&e->arena);
    sw_mem_free(e);
}

typedef struct identity {
    sw_str rule, model, segment, column, measure;
    uint32_t version;
} identity;

static uint64_t hash_of(const identity *id) {
    uint64_t hash = sw_engine_hash(UINT64_C(0xcbf29ce484222325), id->rule);
    hash = sw_engine_hash(hash, id->model);
    hash = sw_engine_hash(hash, id->segment);
    hash = sw_engine_hash(hash, id->column);
    hash = sw_engine_hash(hash, id->measure);
    return sw_engine_hash(hash, (sw_str){(const char *)&id->version, sizeof id->version});
}

static bool is(const sw_alert *a, const identity *id) {
    return a->version == id->version && sw_str_eq(a->rule, id->rule) &&
           sw_str_eq(a->model, id->model) && sw_str_eq(a->column, id->column) &&
           sw_str_eq(a->segment, id->segment) && sw_str_eq(a->measure, id->measure);
}

static entry *find(const sw_alert_engine *engine, const identity *id, uint64_t hash) {
    entry *e = engine->buckets[hash % BUCKETS];
    while (e && !(e->hash == hash && is(&e->alert, id)))
        e = e->next;
    return e;
}

static bool make_room(sw_alert_engine *engine) {
    if (engine->count < engine->cap)
        return true;
    size_t cap = engine->cap ? engine->cap * 2 : 64;
    entry **grown = sw_mem_realloc(engine->entries, cap * sizeof(entry *));
    if (!grown)
        return false;
    engine->entries = grown;
    engine->cap = cap;
    return true;
}

/* NULL where memory is out. */
static entry *add_entry(sw_alert_engine *engine, const identity *id) {
    entry *e = make_room(engine) ? sw_mem_zalloc(1, sizeof *e) : NULL;
    if (!e)
        return NULL;
    sw_arena_init(&e->arena, 512);
    e->alert.rule = sw_arena_copy(&e->arena, id->rule);
    e->alert.model = sw_arena_copy(&e->arena, id->model);
    e->alert.segment = sw_arena_copy(&e->arena, id->segment);
    e->alert.column = sw_arena_copy(&e->arena, id->column);
    e->alert.measure = sw_arena_copy(&e->arena, id->measure);
    e->alert.version = id->version;
    e->alert.version_text = sw_arena_printf(&e->arena, "%u", id->version);
    if (!e->alert.rule.at || !e->alert.model.at || !e->alert.segment.at || !e->alert.column.at ||
        !e->alert.measure.at || !e->alert.version_text.at) {
        free_entry(e);
        return NULL;
    }
    e->hash = hash_of(id);
    e->next = engine->buckets[e->hash % BUCKETS];
    engine->buckets[e->hash % BUCKETS] = e;
    engine->entries[engine->count++] = e;
    return e;
}

static void unlink_entry(sw_alert_engine *engine, const entry *e) {
    entry **at = &engine->buckets[e->hash % BUCKETS];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
}

/* ---- Words ---- */

static void describe_where(sw_buf *out, const sw_alert *a) {
    if (a->model.len)
        sw_buf_add_str(out, a->model);
    else
        sw_buf_add_lit(out, "this server");
    if (a->version)
        sw_buf_printf(out, "@%u", a->version);
    if (a->segment.len)
        sw_buf_printf(out, " [%.*s]", SW_STR_ARG(a->segment));
}

/* How much it is, which its own test does not judge by: " (PSI 0.31)", " (12 %)". */
static void describe_measured(sw_buf *out, const sw_signal *signal, sw_arena *arena) {
    sw_unit unit = signal->measure->unit;
    if (!isfinite(signal->value) || (unit != SW_UNIT_PSI && unit != SW_UNIT_SHARE))
        return;
    sw_str value = sw_unit_print(arena, signal->value, unit);
    sw_buf_printf(out, " (%.*s)", SW_STR_ARG(value));
}

static void describe_odds(sw_buf *out, double evidence, double needed) {
    if (evidence >= needed + FAR_LOG10)
        sw_buf_add_lit(out, ", far beyond chance");
    else
        sw_buf_printf(out, ", beyond chance: %s looks", sw_odds_of(evidence).at);
}

static void describe(entry *e, const sw_rule *rule, const sw_signal *signal) {
    sw_alert *a = &e->alert;
    sw_arena arena = {0};
    sw_buf *out = &e->summary;
    sw_buf_clear(out);
    describe_where(out, a);
    sw_buf_add_lit(out, ": ");
    if (a->column.len)
        sw_buf_printf(out, "%.*s ", SW_STR_ARG(a->column));
    if (rule->has_limit) {
        sw_str value = sw_unit_print(&arena, a->value, a->unit);
        sw_str limit = sw_unit_print(&arena, a->limit, a->unit);
        sw_buf_printf(out, "%s: %.*s, %s %.*s", signal->measure->says, SW_STR_ARG(value),
                      rule->above ? "above" : "below", SW_STR_ARG(limit));
    } else {
        sw_buf_add_str(out, sw_str_of(signal->measure->says));
        describe_measured(out, signal, &arena);
        if (isfinite(a->value) && isfinite(a->limit))
            describe_odds(out, a->value, a->limit);
    }
    a->summary = sw_buf_str(out);
    sw_arena_free(&arena);
}

static bool write_labels(entry *e, const sw_rule *rule) {
    sw_buf text = {0};
    sw_json w = sw_json_to(&text);
    sw_json_begin_object(&w);
    for (size_t i = 0; i < rule->label_count; i++) {
        sw_json_key_of(&w, rule->labels[i].name);
        sw_json_str(&w, rule->labels[i].value);
    }
    sw_json_end_object(&w);
    e->alert.labels_json = text.failed ? (sw_str){0} : sw_arena_copy(&e->arena, sw_buf_str(&text));
    sw_buf_free(&text);
    return e->alert.labels_json.at != NULL;
}

/* What the rule says of all its alerts. */
static void take_names(entry *e, const sw_rule *rule) {
    e->alert.severity = rule->severity;
    if (!write_labels(e, rule))
        e->alert.labels_json = SW_STR("{}");
}

/* The numbers that raise it now. */
static void take_numbers(entry *e, const sw_rule *rule, const sw_signal *signal) {
    sw_alert *a = &e->alert;
    a->value = rule->has_limit ? signal->value : signal->strength;
    a->limit = rule->has_limit ? rule->limit : signal->strength_limit;
    a->unit = sw_evidence_unit(rule, signal);
    a->above = rule->above;
    sw_buf_clear(&e->evidence);
    sw_evidence_write(&e->evidence, rule, signal);
    a->evidence_json = e->evidence.failed ? SW_STR("{}") : sw_buf_str(&e->evidence);
    describe(e, rule, signal);
    a->dirty = true;
}

/* ---- From signals to alerts ---- */

static void fire(entry *e, const sw_rule *rule, const sw_signal *signal, int64_t steady_ms,
                 int64_t wall_ms) {
    take_numbers(e, rule, signal);
    e->alert.state = SW_ALERT_FIRING;
    e->alert.fired_ms = wall_ms;
    e->alert.since_ms = steady_ms;
    e->alert.clear_ms = 0;
}

static sw_status raise_new(sw_alert_engine *engine, const identity *id, const sw_rule *rule,
                           const sw_signal *signal, int64_t steady_ms, int64_t wall_ms,
                           sw_error *error) {
    if (engine->count >= SW_ALERTS_MAX) {
        engine->dropped++;
        return SW_OK;
    }
    entry *e = add_entry(engine, id);
    if (!e)
        return sw_engine_no_memory(error);
    e->alert.id = engine->next_id++;
    e->alert.kind = signal->measure->kind;
    e->alert.by = rule;
    e->alert.state = SW_ALERT_PENDING;
    e->alert.started_ms = wall_ms;
    e->alert.since_ms = e->alert.heard_ms = steady_ms;
    take_names(e, rule);
    if (rule->for_ms == 0)
        fire(e, rule, signal, steady_ms, wall_ms);
    else
        take_numbers(e, rule, signal);
    return SW_OK;
}

/* Raised again, soon after its end. */
static void come_back(entry *e, const sw_rule *rule, const sw_signal *signal, int64_t steady_ms,
                      int64_t wall_ms) {
    if (e->raised_ms == 0) {
        e->raised_ms = steady_ms;
        e->alert.raised_ms = wall_ms;
        e->alert.dirty = true;
    }
    if (steady_ms - e->raised_ms < rule->for_ms)
        return;
    e->raised_ms = e->alert.raised_ms = 0;
    e->alert.returns++;
    e->alert.ended_ms = 0;
    e->alert.acknowledged_ms = 0;
    fire(e, rule, signal, steady_ms, wall_ms);
}

static void go_on(entry *e, const sw_rule *rule, const sw_signal *signal, int64_t steady_ms,
                  int64_t wall_ms) {
    sw_alert *a = &e->alert;
    switch (a->state) {
    case SW_ALERT_PENDING:
        if (steady_ms - a->since_ms >= rule->for_ms)
            fire(e, rule, signal, steady_ms, wall_ms);
        break;
    case SW_ALERT_FIRING: a->clear_ms = 0; break;
    case SW_ALERT_RESOLVED: come_back(e, rule, signal, steady_ms, wall_ms); break;
    }
}

static void forget(sw_alert_engine *engine, int64_t id) {
    if (engine->forgotten_count == engine->forgotten_cap) {
        size_t cap = engine->forgotten_cap ? engine->forgotten_cap * 2 : 64;
        int64_t *grown = sw_mem_realloc(engine->forgotten, cap * sizeof *grown);
        if (!grown)
            return; /* its row stays: the next start finds it pending and forgets it then */
        engine->forgotten = grown;
        engine->forgotten_cap = cap;
    }
    engine->forgotten[engine->forgotten_count++] = id;
}

static int64_t hold_ms(const sw_alert *a) {
    int64_t hold = a->by ? a->by->keep_firing_for_ms : 0, damped = 0;
    if (a->returns)
        damped = a->returns > 6 ? HOLD_MS_MAX : (int64_t)HOLD_MS << (a->returns - 1);
    if (damped > HOLD_MS_MAX)
        damped = HOLD_MS_MAX;
    return hold > damped ? hold : damped;
}

static void resolve(entry *e, int64_t steady_ms, int64_t wall_ms) {
    e->alert.state = SW_ALERT_RESOLVED;
    e->alert.ended_ms = wall_ms;
    e->alert.since_ms = e->ended_steady_ms = steady_ms;
    e->alert.silenced_by = e->alert.inhibited_by = 0;
    e->alert.quiet = false;
    e->alert.dirty = true;
}

/* False: the entry is to go. */
static bool clear(sw_alert_engine *engine, entry *e, bool at_once, int64_t steady_ms,
                  int64_t wall_ms) {
    sw_alert *a = &e->alert;
    switch (a->state) {
    case SW_ALERT_PENDING: forget(engine, a->id); return false;
    case SW_ALERT_FIRING:
        if (a->clear_ms == 0)
            a->clear_ms = steady_ms;
        if (at_once || steady_ms - a->clear_ms >= hold_ms(a))
            resolve(e, steady_ms, wall_ms);
        return true;
    case SW_ALERT_RESOLVED:
        a->dirty = a->dirty || e->raised_ms;
        e->raised_ms = a->raised_ms = 0;
        return true;
    }
    return true;
}

/* A pending one that is clear is marked so and goes at the end of the step. */
enum { GOES = -1 };

static sw_status hear(sw_alert_engine *engine, const sw_rule *rule, const sw_signal *signal,
                      int64_t steady_ms, int64_t wall_ms, sw_error *error) {
    sw_tri judged = sw_rule_judge(rule, signal);
    if (judged == SW_UNKNOWN)
        return SW_OK;
    identity id = {rule->name,
                   signal->model,
                   signal->segment,
                   signal->column,
                   sw_str_of(signal->measure->name),
                   signal->version};
    entry *e = find(engine, &id, hash_of(&id));
    if (!e)
        return judged == SW_YES ? raise_new(engine, &id, rule, signal, steady_ms, wall_ms, error)
                                : SW_OK;
    e->alert.heard_ms = steady_ms;
    if (judged == SW_YES)
        go_on(e, rule, signal, steady_ms, wall_ms);
    else if (!clear(engine, e, false, steady_ms, wall_ms))
        e->alert.heard_ms = GOES;
    return SW_OK;
}

static sw_status hear_all(sw_alert_engine *engine, const sw_signal *signals, size_t count,
                          int64_t steady_ms, int64_t wall_ms, sw_error *error) {
    for (size_t r = 0; r < engine->rules->count; r++) {
        const sw_rule *rule = &engine->rules->rules[r];
        for (size_t i = 0; i < count; i++)
            if (signals[i].measure->kind == rule->measure->kind &&
                sw_rule_covers(rule, &signals[i]))
                SW_TRY(hear(engine, rule, &signals[i], steady_ms, wall_ms, error));
    }
    return SW_OK;
}

/* Whether the entry stays. */
static bool age(sw_alert_engine *engine, entry *e, int64_t steady_ms, int64_t wall_ms) {
    sw_alert *a = &e->alert;
    if (a->heard_ms == GOES)
        return false;
    if (!a->by)
        return clear(engine, e, true, steady_ms, wall_ms) &&
               !(a->state == SW_ALERT_RESOLVED && a->told == 0 && !a->dirty);
    if (steady_ms - a->heard_ms >= NO_NEWS_MS && !clear(engine, e, false, steady_ms, wall_ms))
        return false;
    return !(a->state == SW_ALERT_RESOLVED && a->told == 0 && !a->dirty && e->raised_ms == 0 &&
             steady_ms - e->ended_steady_ms >= RETURN_MS);
}

static void age_all(sw_alert_engine *engine, int64_t steady_ms, int64_t wall_ms) {
    size_t kept = 0;
    for (size_t i = 0; i < engine->count; i++) {
        entry *e = engine->entries[i];
        if (age(engine, e, steady_ms, wall_ms)) {
            engine->entries[kept++] = e;
            continue;
        }
        unlink_entry(engine, e);
        free_entry(e);
    }
    engine->count = kept;
}

static sw_status list_changes(sw_alert_changes *out, sw_alert_engine *engine, sw_error *error) {
    size_t dirty = 0;
    for (size_t i = 0; i < engine->count; i++)
        dirty += engine->entries[i]->alert.dirty;
    out->alerts = sw_arena_zalloc(&engine->out, dirty + 1, sizeof(const sw_alert *));
    if (!out->alerts)
        return sw_engine_no_memory(error);
    for (size_t i = 0; i < engine->count; i++)
        if (engine->entries[i]->alert.dirty)
            out->alerts[out->alert_count++] = &engine->entries[i]->alert;
    out->forgotten = engine->forgotten;
    out->forgotten_count = engine->forgotten_count;
    return SW_OK;
}

sw_status sw_alert_engine_step(sw_alert_changes *out, sw_alert_engine *engine,
                               const sw_signal *signals, size_t count, int64_t steady_ms,
                               int64_t wall_ms, sw_error *error) {
    *out = (sw_alert_changes){0};
    sw_arena_reset(&engine->out);
    engine->step++;
    SW_TRY(hear_all(engine, signals, count, steady_ms, wall_ms, error));
    age_all(engine, steady_ms, wall_ms);
    SW_TRY(sw_engine_suppress(engine, wall_ms, error));
    SW_TRY(sw_engine_notify(out, engine, steady_ms, wall_ms, error));
    return list_changes(out, engine, error);
}

/* ---- Around it ---- */

sw_status sw_alert_engine_make(sw_alert_engine **out, int64_t next_id, sw_error *error) {
    static const sw_rules none;
    sw_alert_engine *engine = sw_mem_zalloc(1, sizeof *engine);
    if (!engine)
        return sw_engine_no_memory(error);
    engine->rules = &none;
    engine->next_id = next_id;
    *out = engine;
    return SW_OK;
}

void sw_alert_engine_free(sw_alert_engine *engine) {
    if (!engine)
        return;
    for (size_t i = 0; i < engine->count; i++)
        free_entry(engine->entries[i]);
    sw_engine_free_groups(engine);
    sw_mem_free(engine->entries);
    sw_mem_free(engine->forgotten);
    sw_arena_free(&engine->out);
    sw_mem_free(engine);
}

static const sw_rule *find_rule(const sw_rules *rules, sw_str name) {
    for (size_t i = 0; i < rules->count; i++)
        if (sw_str_eq(rules->rules[i].name, name))
            return &rules->rules[i];
    return NULL;
}

static size_t find_notifier(const sw_rules *rules, sw_str name) {
    size_t at = 0;
    while (at < rules->notifier_count && !sw_str_eq(rules->notifiers[at].action.name, name))
        at++;
    return at;
}

static uint64_t translate(uint64_t told, const sw_rules *from, const sw_rules *to) {
    uint64_t bits = 0;
    for (size_t i = 0; i < from->notifier_count; i++) {
        size_t at =
            told >> i & 1 ? find_notifier(to, from->notifiers[i].action.name) : to->notifier_count;
        if (at < to->notifier_count)
            bits |= UINT64_C(1) << at;
    }
    return bits;
}

void sw_alert_engine_set_rules(sw_alert_engine *engine, const sw_rules *rules) {
    for (size_t i = 0; i < engine->count; i++) {
        sw_alert *a = &engine->entries[i]->alert;
        a->by = find_rule(rules, a->rule);
        if (a->by && a->by->measure->kind != a->kind)
            a->by = NULL;
        if (a->by)
            take_names(engine->entries[i], a->by);
        a->told = translate(a->told, engine->rules, rules);
        a->dirty = true;
    }
    sw_engine_keep_groups(engine, rules);
    engine->rules = rules;
}

void sw_alert_engine_set_silences(sw_alert_engine *engine, const sw_silence *silences,
                                  size_t count) {
    engine->silences = silences;
    engine->silence_count = count;
}

static bool keep_text(sw_str *out, sw_buf *buf, sw_str text) {
    sw_buf_clear(buf);
    sw_buf_add_str(buf, text);
    *out = sw_buf_str(buf);
    return !buf->failed;
}

static int64_t not_after(int64_t at_ms, int64_t now_ms) {
    return at_ms < now_ms ? at_ms : now_ms;
}

sw_status sw_alert_engine_restore(sw_alert_engine *engine, const sw_alert *stored, int64_t wall_ms,
                                  sw_error *error) {
    identity id = {stored->rule,   stored->model,   stored->segment,
                   stored->column, stored->measure, stored->version};
    entry *e = find(engine, &id, hash_of(&id)) ? NULL : add_entry(engine, &id);
    if (!e)
        return find(engine, &id, hash_of(&id)) ? SW_OK : sw_engine_no_memory(error);
    sw_alert kept = e->alert;
    e->alert = *stored;
    sw_alert *a = &e->alert;
    a->rule = kept.rule, a->model = kept.model, a->segment = kept.segment;
    a->column = kept.column, a->measure = kept.measure;
    a->version_text = kept.version_text;
    a->labels_json = sw_arena_copy(&e->arena, stored->labels_json);
    bool whole = a->labels_json.at && keep_text(&a->summary, &e->summary, stored->summary) &&
                 keep_text(&a->evidence_json, &e->evidence, stored->evidence_json) &&
                 keep_text(&a->acknowledged_who, &e->ack_who, stored->acknowledged_who) &&
                 keep_text(&a->acknowledged_note, &e->ack_note, stored->acknowledged_note);
    if (!whole)
        return sw_engine_no_memory(error);
    a->by = find_rule(engine->rules, a->rule);
    a->told = 0;
    for (sw_str rest = stored->told_names; rest.len;) {
        size_t at = find_notifier(engine->rules, sw_str_split(&rest, '\n'));
        if (at < engine->rules->notifier_count)
            a->told |= UINT64_C(1) << at;
    }
    a->told_names = (sw_str){0};
    a->since_ms = not_after(a->state == SW_ALERT_PENDING  ? a->started_ms
                            : a->state == SW_ALERT_FIRING ? a->fired_ms
                                                          : a->ended_ms,
                            wall_ms);
    e->ended_steady_ms = a->since_ms;
    e->raised_ms = a->raised_ms ? not_after(a->raised_ms, wall_ms) : 0;
    a->heard_ms = wall_ms;
    a->clear_ms = 0;
    a->dirty = false;
    if (engine->next_id <= a->id)
        engine->next_id = a->id + 1;
    return SW_OK;
}

void sw_alert_engine_saved(sw_alert_engine *engine) {
    for (size_t i = 0; i < engine->count; i++)
        engine->entries[i]->alert.dirty = false;
    for (size_t i = 0; i < BUCKETS; i++)
        for (group *g = engine->groups[i]; g; g = g->next)
            g->dirty = false;
    engine->forgotten_count = 0;
}

static entry *find_id(const sw_alert_engine *engine, int64_t id) {
    for (size_t i = 0; i < engine->count; i++)
        if (engine->entries[i]->alert.id == id)
            return engine->entries[i];
    return NULL;
}

const sw_alert *sw_alert_engine_find(const sw_alert_engine *engine, int64_t id) {
    const entry *e = find_id(engine, id);
    return e ? &e->alert : NULL;
}

sw_status sw_alert_engine_acknowledge(sw_alert_engine *engine, int64_t id, sw_str who, sw_str note,
                                      int64_t wall_ms, sw_error *error) {
    entry *e = find_id(engine, id);
    if (!e || e->alert.state == SW_ALERT_RESOLVED)
        return sw_fail(error, e ? SW_CODE_CONFLICT : SW_CODE_NOT_FOUND,
                       "alert %lld does not fire (any more): there is nothing to acknowledge. "
                       "See: slipway alerts",
                       (long long)id);
    if (!keep_text(&e->alert.acknowledged_who, &e->ack_who, who) ||
        !keep_text(&e->alert.acknowledged_note, &e->ack_note, note))
        return sw_engine_no_memory(error);
    e->alert.acknowledged_ms = wall_ms;
    e->alert.dirty = true;
    return SW_OK;
}

size_t sw_alert_engine_count(const sw_alert_engine *engine, sw_alert_state state) {
    size_t count = 0;
    for (size_t i = 0; i < engine->count; i++)
        count += engine->entries[i]->alert.state == state;
    return count;
}

uint64_t sw_alert_engine_dropped(const sw_alert_engine *engine) {
    return engine->dropped;
}
