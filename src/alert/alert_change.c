/* SPDX-License-Identifier: Apache-2.0 */
/* What people change: acknowledgements, silences, rules. */
#include "alert/alert_private.h"

#include "base/clock.h"

#include <stdio.h>

enum { MATCHERS_MAX = 20, TEXT_BYTES_MAX = 1000 };

static void hurry(sw_alerts *alerts) {
    alerts->hurry = true;
    pthread_cond_broadcast(&alerts->wake);
}

static sw_status check_text(sw_str text, const char *what, sw_error *error) {
    if (text.len <= TEXT_BYTES_MAX && sw_str_is_utf8(text))
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID, "\"%s\" is at most %d bytes of UTF-8", what,
                   TEXT_BYTES_MAX);
}

/* The change holds whether or not its event could be noted. */
static void note(sw_alerts *alerts, const char *kind, sw_str model, sw_str who, sw_str text) {
    sw_error ignored;
    sw_event event = {.kind = sw_str_of(kind), .model = model, .who = who, .text = text};
    if (!alerts->config.registry)
        return;
    sw_status status = sw_registry_add_event(&event, alerts->config.registry, &ignored);
    (void)status;
}

/* ---- Acknowledging ---- */

typedef struct put_alert {
    const sw_alerts *alerts;
    const sw_alert *alert;
} put_alert;

static sw_status do_put_alert(sw_conn *conn, void *context, sw_error *error) {
    const put_alert *p = context;
    return sw_alert_put(conn, p->alert, &p->alerts->set->rules, error);
}

static sw_status acknowledge(sw_buf *json, sw_alerts *alerts, int64_t id, sw_str who, sw_str note_,
                             sw_error *error) {
    SW_TRY(sw_alert_engine_acknowledge(alerts->engine, id, who, note_, sw_clock_wall_ms(), error));
    put_alert p = {alerts, sw_alert_engine_find(alerts->engine, id)};
    SW_TRY(sw_db_write(alerts->config.db, do_put_alert, &p, error));
    sw_json w = sw_json_to(json);
    sw_alert_write(&w, p.alert, true);
    char text[256];
    int len = snprintf(text, sizeof text, "alert %lld (%.*s) acknowledged", (long long)id,
                       (int)(p.alert->rule.len < 100 ? p.alert->rule.len : 100), p.alert->rule.at);
    note(alerts, "alert.acknowledged", p.alert->model, who, (sw_str){text, (size_t)len});
    hurry(alerts); /* so that dashboards hear of it */
    return SW_OK;
}

sw_status sw_alerts_acknowledge(sw_buf *json, sw_alerts *alerts, int64_t id, sw_str who,
                                sw_str note_, sw_error *error) {
    SW_TRY(check_text(note_, "note", error));
    pthread_mutex_lock(&alerts->lock);
    sw_status status = acknowledge(json, alerts, id, who, note_, error);
    pthread_mutex_unlock(&alerts->lock);
    return status;
}

/* ---- Silences ---- */

typedef struct gather {
    sw_silence *at;
    size_t count, cap;
    sw_arena *arena;
} gather;

static sw_status count_silence(const sw_silence *silence, void *context, sw_error *error) {
    (void)silence, (void)error;
    ++*(size_t *)context;
    return SW_OK;
}

static sw_status keep_silence(const sw_silence *s, void *context, sw_error *error) {
    gather *g = context;
    if (g->count == g->cap)
        return SW_OK;
    sw_silence *out = &g->at[g->count++];
    *out = *s;
    out->who = sw_arena_copy(g->arena, s->who);
    out->why = sw_arena_copy(g->arena, s->why);
    out->matchers = sw_arena_zalloc(g->arena, s->matcher_count + 1, sizeof *out->matchers);
    bool whole = out->who.at && out->why.at && out->matchers;
    for (size_t i = 0; whole && i < s->matcher_count; i++) {
        out->matchers[i] = s->matchers[i];
        out->matchers[i].name = sw_arena_copy(g->arena, s->matchers[i].name);
        out->matchers[i].pattern = sw_arena_copy(g->arena, s->matchers[i].pattern);
        whole = out->matchers[i].name.at && out->matchers[i].pattern.at;
    }
    return whole ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for silences");
}

sw_status sw_alerts_load_silences(sw_alerts *alerts, sw_conn *conn, sw_error *error) {
    int64_t now_ms = sw_clock_wall_ms();
    sw_arena fresh = {0};
    gather g = {.arena = &fresh};
    sw_status status = sw_silence_each(conn, now_ms, count_silence, &g.cap, error);
    g.at = sw_failed(status) ? NULL : sw_arena_zalloc(&fresh, g.cap + 1, sizeof *g.at);
    if (!sw_failed(status) && !g.at)
        status = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for silences");
    if (!sw_failed(status))
        status = sw_silence_each(conn, now_ms, keep_silence, &g, error);
    if (sw_failed(status)) {
        sw_arena_free(&fresh);
        return status;
    }
    sw_alert_engine_set_silences(alerts->engine, g.at, g.count);
    sw_arena_free(&alerts->silences_arena);
    alerts->silences_arena = fresh;
    alerts->silences = g.at;
    alerts->silence_count = g.count;
    return SW_OK;
}

static sw_status do_put_silence(sw_conn *conn, void *context, sw_error *error) {
    return sw_silence_put(conn, context, error);
}

static sw_status do_load_silences(sw_conn *conn, void *context, sw_error *error) {
    return sw_alerts_load_silences(context, conn, error);
}

static sw_status change_silence(sw_alerts *alerts, sw_silence *silence, sw_error *error) {
    SW_TRY(sw_db_write(alerts->config.db, do_put_silence, silence, error));
    SW_TRY(sw_db_read(alerts->config.db, do_load_silences, alerts, error));
    hurry(alerts);
    return SW_OK;
}

static sw_status read_matchers(sw_matcher *out, const sw_str *texts, size_t count,
                               sw_error *error) {
    if (count == 0 || count > MATCHERS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "a silence has 1 to %d matchers, such as model=fraud or rule=slow*",
                       MATCHERS_MAX);
    for (size_t i = 0; i < count; i++) {
        SW_TRY(check_text(texts[i], "matchers", error));
        for (size_t k = 0; k < texts[i].len; k++)
            if ((unsigned char)texts[i].at[k] < 0x20)
                return sw_fail(error, SW_CODE_INVALID, "a matcher has no control characters");
        SW_TRY(sw_matcher_read(&out[i], texts[i], error));
    }
    return SW_OK;
}

typedef struct span {
    int64_t count;
    const char *unit;
} span;

/* In the largest unit of which it is at least two. */
static span span_of(int64_t ms) {
    static const struct {
        int64_t ms;
        const char *name;
    } units[] = {{86400000, "days"}, {3600000, "hours"}, {60000, "minutes"}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (ms >= 2 * units[i].ms)
            return (span){(ms + units[i].ms / 2) / units[i].ms, units[i].name};
    return (span){(ms + 999) / 1000, "seconds"};
}

sw_status sw_alerts_silence(sw_buf *json, sw_alerts *alerts, const sw_str *matchers,
                            size_t matcher_count, int64_t from_ms, int64_t until_ms, sw_str who,
                            sw_str why, sw_error *error) {
    sw_matcher read[MATCHERS_MAX];
    char text[160];
    int64_t now_ms = sw_clock_wall_ms();
    SW_TRY(read_matchers(read, matchers, matcher_count, error));
    SW_TRY(check_text(why, "why", error));
    from_ms = from_ms > now_ms ? from_ms : now_ms;
    if (until_ms <= from_ms)
        return sw_fail(error, SW_CODE_INVALID,
                       "a silence ends in the future, and after it begins: give until_ms");
    pthread_mutex_lock(&alerts->lock);
    sw_silence silence = {.id = alerts->next_silence,
                          .matchers = read,
                          .matcher_count = matcher_count,
                          .from_ms = from_ms,
                          .until_ms = until_ms,
                          .who = who,
                          .why = why};
    sw_status status = change_silence(alerts, &silence, error);
    if (!sw_failed(status)) {
        alerts->next_silence++;
        sw_json w = sw_json_to(json);
        sw_json_begin_object(&w);
        sw_json_add_i64(&w, "id", silence.id);
        sw_json_add_i64(&w, "from_ms", from_ms);
        sw_json_add_i64(&w, "until_ms", until_ms);
        sw_json_end_object(&w);
        span how_long = span_of(until_ms - from_ms), ahead = span_of(from_ms - now_ms);
        int len = from_ms > now_ms
                      ? snprintf(text, sizeof text, "silence %lld to begin in %lld %s, for %lld %s",
                                 (long long)silence.id, (long long)ahead.count, ahead.unit,
                                 (long long)how_long.count, how_long.unit)
                      : snprintf(text, sizeof text, "silence %lld begun for %lld %s",
                                 (long long)silence.id, (long long)how_long.count, how_long.unit);
        note(alerts, "silence.begun", SW_STR(""), who, (sw_str){text, (size_t)len});
    }
    pthread_mutex_unlock(&alerts->lock);
    return status;
}

sw_status sw_alerts_unsilence(sw_alerts *alerts, int64_t id, sw_str who, sw_error *error) {
    char text[64];
    sw_status status =
        sw_fail(error, SW_CODE_NOT_FOUND,
                "no silence %lld holds (any more). See: slipway silence list", (long long)id);
    pthread_mutex_lock(&alerts->lock);
    for (size_t i = 0; i < alerts->silence_count; i++) {
        if (alerts->silences[i].id != id)
            continue;
        sw_silence ended = alerts->silences[i];
        ended.until_ms = sw_clock_wall_ms();
        status = change_silence(alerts, &ended, error);
        int len = snprintf(text, sizeof text, "silence %lld ended", (long long)id);
        if (!sw_failed(status))
            note(alerts, "silence.ended", SW_STR(""), who, (sw_str){text, (size_t)len});
        break;
    }
    pthread_mutex_unlock(&alerts->lock);
    return status;
}

/* ---- Rules ---- */

static sw_status do_put_rules(sw_conn *conn, void *context, sw_error *error) {
    return sw_rules_row_put(conn, context, error);
}

/* The lock is held. The new rules are in force from here on. */
static void put_in_force(sw_alerts *alerts, sw_rules_set *set, const sw_rules_row *row,
                         sw_arena *arena) {
    sw_rules_set *old = alerts->set;
    sw_alert_engine_set_rules(alerts->engine, &set->rules);
    sw_deliverer_set_rules(alerts->deliverer, set);
    alerts->set = set;
    sw_rules_set_drop(old);
    *alerts->rules_error = 0;
    sw_arena_free(&alerts->stored_arena);
    alerts->stored_arena = *arena;
    alerts->stored = *row;
}

sw_status sw_alerts_apply(sw_alerts *alerts, sw_str yaml, sw_str who, sw_error *error) {
    sw_rules_set *set;
    sw_arena arena = {0};
    sw_rules_context context = {alerts->config.allow_commands, true};
    SW_TRY(sw_rules_set_read(&set, yaml, &context, error));
    sw_rules_row row = {sw_arena_copy(&arena, yaml), sw_arena_copy(&arena, who),
                        sw_clock_wall_ms()};
    sw_status status = row.yaml.at && row.who.at
                           ? SW_OK
                           : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the rules");
    pthread_mutex_lock(&alerts->lock);
    if (!sw_failed(status))
        status = sw_db_write(alerts->config.db, do_put_rules, &row, error);
    if (!sw_failed(status)) {
        put_in_force(alerts, set, &row, &arena);
        note(alerts, "alert_rules.changed", SW_STR(""), who, SW_STR("alert rules changed"));
        hurry(alerts);
    }
    pthread_mutex_unlock(&alerts->lock);
    if (sw_failed(status)) {
        sw_rules_set_drop(set);
        sw_arena_free(&arena);
    }
    return status;
}

/* ---- Testing a notifier ---- */

static sw_status do_put_delivery(sw_conn *conn, void *context, sw_error *error) {
    return sw_delivery_put(conn, context, error);
}

static void write_result(sw_buf *json, const sw_delivery_row *row) {
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "notifier", row->notifier);
    sw_json_add_bool(&w, "sent", row->state == SW_DELIVERY_SENT);
    sw_json_add_i64(&w, "status", row->status);
    sw_json_add_i64(&w, "took_ms", row->took_ms);
    sw_json_end_object(&w);
}

sw_status sw_alerts_test(sw_buf *json, sw_alerts *alerts, sw_str name, sw_error *error) {
    char key[40], reason[SW_ERROR_BYTES];
    sw_buf body = {0};
    sw_error ignored;
    pthread_mutex_lock(&alerts->lock);
    sw_rules_set *set = sw_rules_set_hold(alerts->set);
    int64_t id = alerts->next_delivery++;
    pthread_mutex_unlock(&alerts->lock);
    const sw_notifier *notifier = sw_rules_set_notifier(set, name);
    sw_status status;
    if (!notifier) {
        status = sw_fail(error, SW_CODE_NOT_FOUND,
                         "the rules name no such notifier. See: slipway rules show");
        goto done;
    }
    snprintf(key, sizeof key, "test-%lld-%lld", (long long)id, (long long)sw_clock_wall_ms());
    sw_message_write_test(&body, notifier, &set->rules, sw_clock_wall_ms());
    sw_delivery_row row = {.id = id,
                           .notifier = notifier->action.name,
                           .kind = sw_str_of(notifier->action.kind->name),
                           .key = sw_str_of(key),
                           .alerts = SW_STR(","),
                           .body = sw_buf_str(&body),
                           .created_ms = sw_clock_wall_ms()};
    status = sw_deliverer_send_now(&row, reason, notifier);
    sw_status recorded = sw_db_write(alerts->config.db, do_put_delivery, &row, &ignored);
    (void)recorded;
    if (sw_failed(status))
        status =
            sw_fail(error, SW_CODE_REFUSED, "%.*s: %s", SW_STR_ARG(notifier->action.name), reason);
    else
        write_result(json, &row);
done:
    sw_buf_free(&body);
    sw_rules_set_drop(set);
    return status;
}
