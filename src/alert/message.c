/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/message.h"

#include <unistd.h>

/* ---- Alerts ---- */

static void add_time(sw_json *w, const char *key, int64_t ms) {
    if (ms)
        sw_json_add_i64(w, key, ms);
    else
        sw_json_add_null(w, key);
}

static void write_acknowledged(sw_json *w, const sw_alert *a) {
    sw_json_key(w, "acknowledged");
    if (a->acknowledged_ms == 0) {
        sw_json_null(w);
        return;
    }
    sw_json_begin_object(w);
    sw_json_add_str(w, "who", a->acknowledged_who);
    sw_json_add_i64(w, "at_ms", a->acknowledged_ms);
    sw_json_add_str(w, "note", a->acknowledged_note);
    sw_json_end_object(w);
}

static void add_id(sw_json *w, const char *key, int64_t id) {
    if (id)
        sw_json_add_i64(w, key, id);
    else
        sw_json_add_null(w, key);
}

void sw_alert_write(sw_json *w, const sw_alert *a, bool with_evidence) {
    sw_json_begin_object(w);
    sw_json_add_i64(w, "id", a->id);
    sw_json_add_str(w, "rule", a->rule);
    sw_json_add_str(w, "model", a->model);
    sw_json_add_i64(w, "version", a->version);
    sw_json_add_str(w, "segment", a->segment);
    sw_json_add_str(w, "column", a->column);
    sw_json_add_text(w, "kind", sw_signal_kind_name(a->kind));
    sw_json_add_str(w, "measure", a->measure);
    sw_json_add_text(w, "severity", sw_severity_name(a->severity));
    sw_json_key(w, "labels");
    sw_json_raw(w, a->labels_json.len ? a->labels_json : SW_STR("{}"));
    sw_json_add_text(w, "state", sw_alert_state_name(a->state));
    sw_json_add_bool(w, "silenced", a->silenced_by != 0);
    add_id(w, "silenced_by", a->silenced_by);
    add_id(w, "inhibited_by", a->inhibited_by);
    sw_json_add_bool(w, "quiet", a->quiet);
    write_acknowledged(w, a);
    sw_json_add_str(w, "summary", a->summary);
    sw_json_add_i64(w, "started_ms", a->started_ms);
    add_time(w, "fired_ms", a->fired_ms);
    add_time(w, "ended_ms", a->ended_ms);
    sw_json_add_f64(w, "value", a->value);
    sw_json_add_f64(w, "limit", a->limit);
    sw_json_add_bool(w, "above", a->above);
    sw_json_add_text(w, "unit", sw_unit_name(a->unit));
    sw_json_add_i64(w, "returns", a->returns);
    if (with_evidence) {
        sw_json_key(w, "evidence");
        sw_json_raw(w, a->evidence_json.len ? a->evidence_json : SW_STR("{}"));
    }
    sw_json_end_object(w);
}

/* ---- The message ---- */

static void write_group(sw_json *w, sw_str key) {
    sw_json_key(w, "group");
    sw_json_begin_object(w);
    sw_str rest = key;
    sw_str_split(&rest, '\n'); /* the notifier */
    while (rest.len) {
        sw_str value = sw_str_split(&rest, '\n');
        sw_str name = sw_str_split(&value, '=');
        sw_json_key_of(w, name);
        sw_json_str(w, value);
    }
    sw_json_end_object(w);
}

static void write_head(sw_json *w, const sw_notifier *n, const sw_rules *rules, bool firing,
                       int64_t wall_ms) {
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    sw_json_add_i64(w, "format", 1);
    sw_json_add_str(w, "notifier", n->action.name);
    sw_json_add_text(w, "state", firing ? "firing" : "resolved");
    sw_json_add_text(w, "server", host);
    sw_json_add_str(w, "url", rules->url);
    sw_json_add_i64(w, "at_ms", wall_ms);
    sw_json_add_i64(w, "repeat_ms", n->repeat_ms);
}

void sw_message_write(sw_buf *out, const sw_notification *n, const sw_rules *rules,
                      int64_t wall_ms) {
    size_t total = n->firing + n->resolved;
    size_t max =
        n->notifier->action.kind->refreshes ? SW_MESSAGE_REFRESH_MAX : SW_MESSAGE_ALERTS_MAX;
    size_t shown = total < max ? total : max;
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    write_head(&w, n->notifier, rules, n->firing > 0, wall_ms);
    write_group(&w, n->group_key);
    sw_json_add_bool(&w, "repeat", n->repeat);
    sw_json_add_u64(&w, "firing", n->firing);
    sw_json_add_u64(&w, "resolved", n->resolved);
    sw_json_key(&w, "alerts");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < shown; i++)
        sw_alert_write(&w, n->alerts[i], false);
    sw_json_end_array(&w);
    sw_json_add_u64(&w, "more", total - shown);
    sw_json_end_object(&w);
}

void sw_message_write_test(sw_buf *out, const sw_notifier *notifier, const sw_rules *rules,
                           int64_t wall_ms) {
    static const sw_alert sample = {
        .rule = {"test", 4},
        .model = {"test", 4},
        .measure = {"p99", 3},
        .kind = SW_SIGNAL_LATENCY,
        .severity = SW_INFO,
        .state = SW_ALERT_FIRING,
        .summary = {"a test of this notifier: nothing is wrong", 41},
        .unit = SW_UNIT_MS,
        .above = true,
    };
    sw_alert a = sample;
    const sw_alert *alerts[] = {&a};
    a.started_ms = a.fired_ms = wall_ms;
    sw_notification n = {.notifier = notifier, .alerts = alerts, .firing = 1};
    sw_message_write(out, &n, rules, wall_ms);
}
