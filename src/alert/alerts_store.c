/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/store_private.h"

#include <math.h>

#define ALERT_COLUMNS                                                                            \
    "SELECT id, rule, model, version, segment, feature, kind, measure, severity, labels_json,"   \
    " state, started_ms, fired_ms, ended_ms, value, bound, above, unit, summary, evidence_json," \
    " returned, told, silenced_by, inhibited_by, quiet, acknowledged_ms, acknowledged_who,"      \
    " acknowledged_note, raised_ms FROM alerts WHERE namespace = ?1"

static sw_str text(sw_str s) {
    return s.at ? s : SW_STR("");
}

static void bind_number(sw_stmt *stmt, int at, double value) {
    if (isnan(value))
        sw_stmt_bind_null(stmt, at);
    else
        sw_stmt_bind_f64(stmt, at, value);
}

static void write_told(sw_buf *out, const sw_alert *a, const sw_rules *rules) {
    for (size_t i = 0; i < rules->notifier_count; i++)
        if (a->told >> i & 1) {
            sw_buf_add_str(out, rules->notifiers[i].action.name);
            sw_buf_add_char(out, '\n');
        }
}

static void bind_alert(sw_stmt *s, const sw_alert *a, sw_str told) {
    int at = 1;
    sw_stmt_bind_str(s, at++, SW_NAMESPACE);
    sw_stmt_bind_i64(s, at++, a->id);
    sw_stmt_bind_str(s, at++, text(a->rule));
    sw_stmt_bind_str(s, at++, text(a->model));
    sw_stmt_bind_i64(s, at++, a->version);
    sw_stmt_bind_str(s, at++, text(a->segment));
    sw_stmt_bind_str(s, at++, text(a->column));
    sw_stmt_bind_str(s, at++, sw_str_of(sw_signal_kind_name(a->kind)));
    sw_stmt_bind_str(s, at++, text(a->measure));
    sw_stmt_bind_i64(s, at++, a->severity);
    sw_stmt_bind_str(s, at++, text(a->labels_json));
    sw_stmt_bind_i64(s, at++, a->state);
    sw_stmt_bind_i64(s, at++, a->started_ms);
    sw_stmt_bind_i64(s, at++, a->fired_ms);
    sw_stmt_bind_i64(s, at++, a->ended_ms);
    bind_number(s, at++, a->value);
    bind_number(s, at++, a->limit);
    sw_stmt_bind_i64(s, at++, a->above);
    sw_stmt_bind_i64(s, at++, a->unit);
    sw_stmt_bind_str(s, at++, text(a->summary));
    sw_stmt_bind_str(s, at++, text(a->evidence_json));
    sw_stmt_bind_i64(s, at++, a->returns);
    sw_stmt_bind_str(s, at++, text(told));
    sw_stmt_bind_i64(s, at++, a->silenced_by);
    sw_stmt_bind_i64(s, at++, a->inhibited_by);
    sw_stmt_bind_i64(s, at++, a->quiet);
    sw_stmt_bind_i64(s, at++, a->acknowledged_ms);
    sw_stmt_bind_str(s, at++, text(a->acknowledged_who));
    sw_stmt_bind_str(s, at++, text(a->acknowledged_note));
    sw_stmt_bind_i64(s, at, a->raised_ms);
}

sw_status sw_alert_put(sw_conn *conn, const sw_alert *alert, const sw_rules *rules,
                       sw_error *error) {
    sw_stmt *stmt;
    sw_buf told = {0};
    SW_TRY(sw_stmt_begin(
        &stmt, conn,
        "INSERT INTO alerts (namespace, id, rule, model, version, segment, feature, kind, measure,"
        " severity, labels_json, state, started_ms, fired_ms, ended_ms, value, bound, above, unit,"
        " summary, evidence_json, returned, told, silenced_by, inhibited_by, quiet,"
        " acknowledged_ms, acknowledged_who, acknowledged_note, raised_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,"
        " ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30)"
        " ON CONFLICT (namespace, id) DO UPDATE SET severity = excluded.severity,"
        " labels_json = excluded.labels_json, state = excluded.state,"
        " fired_ms = excluded.fired_ms, ended_ms = excluded.ended_ms, value = excluded.value,"
        " bound = excluded.bound, above = excluded.above, unit = excluded.unit,"
        " summary = excluded.summary, evidence_json = excluded.evidence_json,"
        " returned = excluded.returned, told = excluded.told,"
        " silenced_by = excluded.silenced_by, inhibited_by = excluded.inhibited_by,"
        " quiet = excluded.quiet, acknowledged_ms = excluded.acknowledged_ms,"
        " acknowledged_who = excluded.acknowledged_who,"
        " acknowledged_note = excluded.acknowledged_note, raised_ms = excluded.raised_ms",
        error));
    write_told(&told, alert, rules);
    bind_alert(stmt, alert, sw_buf_str(&told));
    sw_status status = told.failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts")
                                   : sw_stmt_run(stmt, error);
    sw_buf_free(&told);
    return status;
}

sw_status sw_alert_remove(sw_conn *conn, int64_t id, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(
        sw_stmt_begin(&stmt, conn, "DELETE FROM alerts WHERE namespace = ?1 AND id = ?2", error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(stmt, 2, id);
    return sw_stmt_run(stmt, error);
}

static sw_signal_kind kind_of(sw_str name) {
    for (int kind = 0; kind < SW_SIGNAL_KINDS; kind++)
        if (sw_str_is(name, sw_signal_kind_name((sw_signal_kind)kind)))
            return (sw_signal_kind)kind;
    return SW_SIGNAL_LAG; /* of a newer version of this program */
}

static double number(sw_stmt *stmt, int at) {
    return sw_stmt_is_null(stmt, at) ? NAN : sw_stmt_f64(stmt, at);
}

static int64_t within(int64_t value, int64_t max) {
    return value < 0 || value > max ? 0 : value;
}

static void read_alert(sw_alert *out, sw_stmt *s, sw_arena *arena) {
    *out = (sw_alert){
        .id = sw_stmt_i64(s, 0),
        .rule = sw_stmt_str(s, 1, arena),
        .model = sw_stmt_str(s, 2, arena),
        .version = (uint32_t)sw_stmt_i64(s, 3),
        .segment = sw_stmt_str(s, 4, arena),
        .column = sw_stmt_str(s, 5, arena),
        .kind = kind_of(sw_stmt_str(s, 6, arena)),
        .measure = sw_stmt_str(s, 7, arena),
        .severity = (sw_severity)within(sw_stmt_i64(s, 8), SW_CRITICAL),
        .labels_json = sw_stmt_str(s, 9, arena),
        .state = (sw_alert_state)within(sw_stmt_i64(s, 10), SW_ALERT_RESOLVED),
        .started_ms = sw_stmt_i64(s, 11),
        .fired_ms = sw_stmt_i64(s, 12),
        .ended_ms = sw_stmt_i64(s, 13),
        .value = number(s, 14),
        .limit = number(s, 15),
        .above = sw_stmt_i64(s, 16) != 0,
        .unit = (sw_unit)within(sw_stmt_i64(s, 17), SW_UNITS - 1),
        .summary = sw_stmt_str(s, 18, arena),
        .evidence_json = sw_stmt_str(s, 19, arena),
        .returns = (uint32_t)sw_stmt_i64(s, 20),
        .told_names = sw_stmt_str(s, 21, arena),
        .silenced_by = sw_stmt_i64(s, 22),
        .inhibited_by = sw_stmt_i64(s, 23),
        .quiet = sw_stmt_i64(s, 24) != 0,
        .acknowledged_ms = sw_stmt_i64(s, 25),
        .acknowledged_who = sw_stmt_str(s, 26, arena),
        .acknowledged_note = sw_stmt_str(s, 27, arena),
        .raised_ms = sw_stmt_i64(s, 28),
    };
}

static sw_status each(sw_stmt *stmt, sw_alert_visit *visit, void *context, sw_error *error) {
    sw_arena arena = {0};
    sw_status status;
    for (;;) {
        bool row;
        sw_alert alert;
        sw_arena_reset(&arena);
        status = sw_stmt_step(&row, stmt, error);
        if (sw_failed(status) || !row)
            break;
        read_alert(&alert, stmt, &arena);
        status = visit(&alert, context, error);
        if (sw_failed(status))
            break;
    }
    sw_arena_free(&arena);
    return status;
}

sw_status sw_alert_each(sw_conn *conn, uint32_t states, sw_str model, int64_t before_id,
                        uint32_t limit, sw_alert_visit *visit, void *context, sw_error *error) {
    const char *of_model = ALERT_COLUMNS " AND model = ?6 AND id < ?2 AND state IN (?3, ?4, ?5)"
                                         " ORDER BY id DESC LIMIT ?7";
    const char *of_all = ALERT_COLUMNS " AND id < ?2 AND state IN (?3, ?4, ?5)"
                                       " ORDER BY id DESC LIMIT ?6";
    sw_stmt *stmt;
    int at = 1;
    SW_TRY(sw_stmt_begin(&stmt, conn, model.len ? of_model : of_all, error));
    sw_stmt_bind_str(stmt, at++, SW_NAMESPACE);
    sw_stmt_bind_i64(stmt, at++, before_id > 0 ? before_id : INT64_MAX);
    for (int i = 0; i < 3; i++)
        sw_stmt_bind_i64(stmt, at++, states >> i & 1 ? i : -1);
    if (model.len)
        sw_stmt_bind_str(stmt, at++, model);
    sw_stmt_bind_i64(stmt, at, limit);
    return each(stmt, visit, context, error);
}

sw_status sw_alert_row(sw_alert *out, sw_conn *conn, int64_t id, sw_arena *arena, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, ALERT_COLUMNS " AND id = ?2", error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(stmt, 2, id);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (!row)
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "there is no alert %lld. See: slipway alerts --all", (long long)id);
    read_alert(out, stmt, arena);
    sw_stmt_end(stmt);
    return SW_OK;
}

sw_status sw_alert_each_open(sw_conn *conn, int64_t ended_after_ms, sw_alert_visit *visit,
                             void *context, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         ALERT_COLUMNS " AND (state <> 2 OR told <> '' OR ended_ms > ?2)"
                                       " ORDER BY id",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(stmt, 2, ended_after_ms);
    return each(stmt, visit, context, error);
}

static sw_status next_id(int64_t *out, sw_conn *conn, const char *sql, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, sql, error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    *out = row ? sw_stmt_i64(stmt, 0) : 1;
    sw_stmt_end(stmt);
    return SW_OK;
}

sw_status sw_alert_next_ids(int64_t *alert, int64_t *delivery, int64_t *silence, sw_conn *conn,
                            sw_error *error) {
    SW_TRY(next_id(alert, conn, "SELECT COALESCE(MAX(id), 0) + 1 FROM alerts WHERE namespace = ?1",
                   error));
    SW_TRY(next_id(delivery, conn,
                   "SELECT COALESCE(MAX(id), 0) + 1 FROM alert_deliveries WHERE namespace = ?1",
                   error));
    return next_id(silence, conn,
                   "SELECT COALESCE(MAX(id), 0) + 1 FROM silences WHERE namespace = ?1", error);
}

/* ---- Groups ---- */

sw_status sw_alert_put_group(sw_conn *conn, const sw_alert_group *group, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO alert_groups (namespace, group_key, told_ms)"
                         " VALUES (?1, ?2, ?3) ON CONFLICT (namespace, group_key)"
                         " DO UPDATE SET told_ms = excluded.told_ms",
                         error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_stmt_bind_str(stmt, 2, group->key);
    sw_stmt_bind_i64(stmt, 3, group->told_wall_ms);
    return sw_stmt_run(stmt, error);
}

sw_status sw_alert_each_group(sw_conn *conn,
                              sw_status (*visit)(const sw_alert_group *group, void *context,
                                                 sw_error *error),
                              void *context, sw_error *error) {
    sw_stmt *stmt;
    sw_arena arena = {0};
    SW_TRY(sw_stmt_begin(
        &stmt, conn, "SELECT group_key, told_ms FROM alert_groups WHERE namespace = ?1", error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    sw_status status;
    for (bool row;;) {
        status = sw_stmt_step(&row, stmt, error);
        if (sw_failed(status) || !row)
            break;
        sw_alert_group group = {sw_stmt_str(stmt, 0, &arena), sw_stmt_i64(stmt, 1)};
        status = visit(&group, context, error);
        if (sw_failed(status))
            break;
        sw_arena_reset(&arena);
    }
    sw_arena_free(&arena);
    return status;
}
