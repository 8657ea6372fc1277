/* SPDX-License-Identifier: Apache-2.0 */
/* What the service shows. */
#include "alert/alert_private.h"

#include "base/clock.h"

typedef struct listing {
    const sw_alert_query *query;
    sw_json w;
    uint32_t count;
    bool more;
} listing;

static sw_status list_alert(const sw_alert *alert, void *context, sw_error *error) {
    listing *l = context;
    (void)error;
    if (l->count == l->query->limit) {
        l->more = true;
        return SW_OK;
    }
    l->count++;
    sw_alert_write(&l->w, alert, false);
    return SW_OK;
}

static sw_status states_of(uint32_t *out, sw_str name, sw_error *error) {
    *out = sw_str_is(name, "active") || name.len == 0
               ? 1u << SW_ALERT_PENDING | 1u << SW_ALERT_FIRING
           : sw_str_is(name, "pending")  ? 1u << SW_ALERT_PENDING
           : sw_str_is(name, "firing")   ? 1u << SW_ALERT_FIRING
           : sw_str_is(name, "resolved") ? 1u << SW_ALERT_RESOLVED
           : sw_str_is(name, "all")      ? 7
                                         : 0;
    return *out ? SW_OK
                : sw_fail(error, SW_CODE_INVALID,
                          "?state=%.*s: it is active, pending, firing, resolved or all",
                          SW_STR_ARG(name));
}

static sw_status do_list(sw_conn *conn, void *context, sw_error *error) {
    listing *l = context;
    uint32_t states;
    SW_TRY(states_of(&states, l->query->state, error));
    return sw_alert_each(conn, states, l->query->model, l->query->before_id, l->query->limit + 1,
                         list_alert, l, error);
}

sw_status sw_alerts_list(sw_buf *json, sw_alerts *alerts, const sw_alert_query *query,
                         sw_error *error) {
    listing l = {.query = query, .w = sw_json_to(json)};
    sw_json_begin_object(&l.w);
    sw_json_key(&l.w, "alerts");
    sw_json_begin_array(&l.w);
    SW_TRY(sw_db_read(alerts->config.db, do_list, &l, error));
    sw_json_end_array(&l.w);
    sw_json_add_bool(&l.w, "more", l.more);
    sw_json_end_object(&l.w);
    return SW_OK;
}

typedef struct one {
    sw_buf *json;
    int64_t id;
} one;

static sw_status do_get(sw_conn *conn, void *context, sw_error *error) {
    const one *o = context;
    sw_alert alert;
    sw_arena arena = {0};
    sw_json w = sw_json_to(o->json);
    sw_status status = sw_alert_row(&alert, conn, o->id, &arena, error);
    if (!sw_failed(status))
        sw_alert_write(&w, &alert, true);
    sw_arena_free(&arena);
    return status;
}

sw_status sw_alerts_get(sw_buf *json, sw_alerts *alerts, int64_t id, sw_error *error) {
    one o = {json, id};
    return sw_db_read(alerts->config.db, do_get, &o, error);
}

/* ---- Deliveries ---- */

static const char *state_name(sw_delivery_state state) {
    return state == SW_DELIVERY_SENT ? "sent" : state == SW_DELIVERY_FAILED ? "failed" : "queued";
}

static void write_ids(sw_json *w, sw_str list) {
    uint64_t id;
    sw_json_key(w, "alerts");
    sw_json_begin_array(w);
    while (list.len)
        if (sw_str_to_u64(&id, sw_str_split(&list, ','), INT64_MAX) && id)
            sw_json_u64(w, id);
    sw_json_end_array(w);
}

static sw_status write_delivery(const sw_delivery_row *row, void *context, sw_error *error) {
    sw_json *w = context;
    (void)error;
    sw_json_begin_object(w);
    sw_json_add_i64(w, "id", row->id);
    sw_json_add_str(w, "notifier", row->notifier);
    sw_json_add_str(w, "kind", row->kind);
    sw_json_add_str(w, "key", row->key);
    write_ids(w, row->alerts);
    sw_json_add_u64(w, "firing", row->firing);
    sw_json_add_u64(w, "resolved", row->resolved);
    sw_json_add_text(w, "state", state_name(row->state));
    sw_json_add_u64(w, "attempts", row->attempts);
    sw_json_add_i64(w, "status", row->status);
    sw_json_add_str(w, "error", row->error);
    sw_json_add_i64(w, "created_ms", row->created_ms);
    if (row->ended_ms)
        sw_json_add_i64(w, "ended_ms", row->ended_ms);
    else
        sw_json_add_null(w, "ended_ms");
    sw_json_add_i64(w, "took_ms", row->took_ms);
    sw_json_end_object(w);
    return SW_OK;
}

typedef struct deliveries {
    sw_json w;
    int64_t alert;
    uint32_t limit;
} deliveries;

static sw_status do_deliveries(sw_conn *conn, void *context, sw_error *error) {
    deliveries *d = context;
    return sw_delivery_each(conn, d->alert, d->limit, write_delivery, &d->w, error);
}

sw_status sw_alerts_deliveries(sw_buf *json, sw_alerts *alerts, int64_t alert, uint32_t limit,
                               sw_error *error) {
    deliveries d = {sw_json_to(json), alert, limit};
    sw_json_begin_object(&d.w);
    sw_json_key(&d.w, "deliveries");
    sw_json_begin_array(&d.w);
    SW_TRY(sw_db_read(alerts->config.db, do_deliveries, &d, error));
    sw_json_end_array(&d.w);
    sw_json_end_object(&d.w);
    return SW_OK;
}

/* ---- Rules ---- */

static void write_limit(sw_json *w, const sw_rule *rule) {
    if (rule->has_limit) {
        sw_json_add_f64(w, rule->above ? "above" : "below", rule->limit);
        sw_json_add_text(w, "unit", sw_unit_name(rule->measure->unit));
    }
    if (rule->window_s)
        sw_json_add_u64(w, "window_s", rule->window_s);
}

static void write_rule(sw_json *w, const sw_rules *rules, const sw_rule *rule) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", rule->name);
    sw_json_add_text(w, "on", sw_signal_kind_name(rule->measure->kind));
    sw_json_add_text(w, "measure", rule->measure->name);
    sw_json_add_str(w, "model", rule->model);
    sw_json_add_str(w, "column", rule->column);
    sw_json_add_str(w, "segment", rule->segment);
    write_limit(w, rule);
    sw_json_add_i64(w, "for_ms", rule->for_ms);
    sw_json_add_i64(w, "keep_firing_for_ms", rule->keep_firing_for_ms);
    sw_json_add_text(w, "severity", sw_severity_name(rule->severity));
    sw_json_add_bool(w, "builtin", rule->builtin);
    sw_json_add_u64(w, "line", rule->line);
    sw_json_key(w, "labels");
    sw_json_begin_object(w);
    for (size_t i = 0; i < rule->label_count; i++) {
        sw_json_key_of(w, rule->labels[i].name);
        sw_json_str(w, rule->labels[i].value);
    }
    sw_json_end_object(w);
    sw_json_key(w, "notify");
    sw_json_begin_array(w);
    for (size_t i = 0; i < rules->notifier_count; i++)
        if (rule->notify >> i & 1)
            sw_json_str(w, rules->notifiers[i].action.name);
    sw_json_end_array(w);
    sw_json_end_object(w);
}

static void write_rules(sw_json *w, const sw_rules *rules) {
    sw_json_key(w, "rules");
    sw_json_begin_array(w);
    for (size_t i = 0; i < rules->count; i++)
        write_rule(w, rules, &rules->rules[i]);
    sw_json_end_array(w);
    sw_json_key(w, "notifiers");
    sw_json_begin_array(w);
    for (size_t i = 0; i < rules->notifier_count; i++) {
        sw_json_begin_object(w);
        sw_json_add_str(w, "name", rules->notifiers[i].action.name);
        sw_json_add_text(w, "kind", rules->notifiers[i].action.kind->name);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static void write_measures(sw_json *w) {
    sw_json_key(w, "measures");
    sw_json_begin_array(w);
    for (size_t i = 0; i < sw_measure_count; i++) {
        const sw_measure *m = &sw_measures[i];
        sw_json_begin_object(w);
        sw_json_add_text(w, "on", sw_signal_kind_name(m->kind));
        sw_json_add_text(w, "measure", m->name);
        sw_json_add_text(w, "unit", sw_unit_name(m->unit));
        sw_json_add_bool(w, "windowed", m->windowed);
        sw_json_add_bool(w, "verdict", m->verdict);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

sw_status sw_alerts_rules(sw_buf *json, sw_alerts *alerts, sw_error *error) {
    sw_json w = sw_json_to(json);
    (void)error;
    pthread_mutex_lock(&alerts->lock);
    const sw_rules *rules = &alerts->set->rules;
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "yaml", alerts->stored.yaml);
    sw_json_add_str(&w, "who", alerts->stored.who);
    sw_json_add_i64(&w, "changed_ms", alerts->stored.changed_ms);
    sw_json_add_text(&w, "error", *alerts->rules_error ? alerts->rules_error : NULL);
    sw_json_add_text(&w, "trouble", *alerts->trouble ? alerts->trouble : NULL);
    sw_json_add_i64(&w, "every_ms", rules->every_ms);
    sw_json_add_bool(&w, "commands", alerts->config.allow_commands);
    write_measures(&w);
    write_rules(&w, rules);
    sw_json_add_text(&w, "defaults", sw_rules_default_yaml);
    sw_json_end_object(&w);
    pthread_mutex_unlock(&alerts->lock);
    return SW_OK;
}

sw_status sw_alerts_check(sw_buf *json, sw_alerts *alerts, sw_str yaml, sw_error *error) {
    sw_rules rules;
    sw_arena arena = {0};
    sw_rules_context context = {alerts->config.allow_commands, true};
    sw_status status = sw_rules_read(&rules, yaml, &context, &arena, error);
    if (!sw_failed(status)) {
        sw_json w = sw_json_to(json);
        sw_json_begin_object(&w);
        sw_json_add_bool(&w, "ok", true);
        write_rules(&w, &rules);
        sw_json_end_object(&w);
    }
    sw_arena_free(&arena);
    return status;
}

/* ---- Silences ---- */

typedef struct silences {
    sw_json w;
    int64_t after_ms;
} silences;

static sw_status write_silence(const sw_silence *s, void *context, sw_error *error) {
    silences *all = context;
    sw_json *w = &all->w;
    int64_t now_ms = sw_clock_wall_ms();
    (void)error;
    sw_json_begin_object(w);
    sw_json_add_i64(w, "id", s->id);
    sw_json_key(w, "matchers");
    sw_json_begin_array(w);
    for (size_t i = 0; i < s->matcher_count; i++) {
        const sw_matcher *m = &s->matchers[i];
        sw_json_begin_object(w);
        sw_json_add_str(w, "name", m->name);
        sw_json_add_str(w, "pattern", m->pattern);
        sw_json_add_bool(w, "negated", m->negated);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
    sw_json_add_i64(w, "from_ms", s->from_ms);
    sw_json_add_i64(w, "until_ms", s->until_ms);
    sw_json_add_bool(w, "holds", s->from_ms <= now_ms && now_ms < s->until_ms);
    sw_json_add_str(w, "who", s->who);
    sw_json_add_str(w, "why", s->why);
    sw_json_end_object(w);
    return SW_OK;
}

static sw_status do_silences(sw_conn *conn, void *context, sw_error *error) {
    silences *s = context;
    return sw_silence_each(conn, s->after_ms, write_silence, s, error);
}

sw_status sw_alerts_silences(sw_buf *json, sw_alerts *alerts, bool all, sw_error *error) {
    int64_t month_ms = (int64_t)30 * 86400000, now_ms = sw_clock_wall_ms();
    silences s = {sw_json_to(json), all ? now_ms - month_ms : now_ms};
    sw_json_begin_object(&s.w);
    sw_json_key(&s.w, "silences");
    sw_json_begin_array(&s.w);
    SW_TRY(sw_db_read(alerts->config.db, do_silences, &s, error));
    sw_json_end_array(&s.w);
    sw_json_end_object(&s.w);
    return SW_OK;
}

/* ---- Counts ---- */

void sw_alerts_count(sw_alerts_counts *out, sw_alerts *alerts) {
    pthread_mutex_lock(&alerts->lock);
    *out = (sw_alerts_counts){
        .firing = sw_alert_engine_count(alerts->engine, SW_ALERT_FIRING),
        .pending = sw_alert_engine_count(alerts->engine, SW_ALERT_PENDING),
        .dropped = sw_alert_engine_dropped(alerts->engine),
        .evaluations = alerts->evaluations,
        .evaluation_s = (double)alerts->evaluation_ns / 1e9,
    };
    sw_deliverer_counts(&out->sent, &out->failed, alerts->deliverer);
    pthread_mutex_unlock(&alerts->lock);
}
