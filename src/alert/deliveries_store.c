/* SPDX-License-Identifier: Apache-2.0 */
/* Deliveries, silences and rules in the database. */
#include "alert/store_private.h"

#include <inttypes.h>
#include <stdio.h>

enum { KEPT_MAX = 10000 };

static sw_str text(sw_str s) {
    return s.at ? s : SW_STR("");
}

/* ---- Deliveries ---- */

sw_status sw_delivery_put(sw_conn *conn, const sw_delivery_row *row, sw_error *error) {
    sw_stmt *s;
    int at = 1;
    SW_TRY(sw_stmt_begin(
        &s, conn,
        "INSERT INTO alert_deliveries (namespace, id, notifier, kind, message_key, alerts, firing,"
        " resolved, state, attempts, status, error, body, created_ms, ended_ms, took_ms)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
        " ON CONFLICT (namespace, id) DO UPDATE SET state = excluded.state,"
        " attempts = excluded.attempts, status = excluded.status, error = excluded.error,"
        " body = excluded.body, ended_ms = excluded.ended_ms, took_ms = excluded.took_ms",
        error));
    sw_stmt_bind_str(s, at++, SW_NAMESPACE);
    sw_stmt_bind_i64(s, at++, row->id);
    sw_stmt_bind_str(s, at++, text(row->notifier));
    sw_stmt_bind_str(s, at++, text(row->kind));
    sw_stmt_bind_str(s, at++, text(row->key));
    sw_stmt_bind_str(s, at++, text(row->alerts));
    sw_stmt_bind_i64(s, at++, (int64_t)row->firing);
    sw_stmt_bind_i64(s, at++, (int64_t)row->resolved);
    sw_stmt_bind_i64(s, at++, row->state);
    sw_stmt_bind_i64(s, at++, row->attempts);
    sw_stmt_bind_i64(s, at++, row->status);
    sw_stmt_bind_str(s, at++, text(row->error));
    sw_stmt_bind_str(s, at++, row->state == SW_DELIVERY_QUEUED ? text(row->body) : SW_STR(""));
    sw_stmt_bind_i64(s, at++, row->created_ms);
    sw_stmt_bind_i64(s, at++, row->ended_ms);
    sw_stmt_bind_i64(s, at, row->took_ms);
    return sw_stmt_run(s, error);
}

static sw_status each(sw_stmt *s, sw_delivery_visit *visit, void *context, sw_error *error) {
    sw_arena arena = {0};
    sw_status status;
    for (bool row;;) {
        sw_arena_reset(&arena);
        status = sw_stmt_step(&row, s, error);
        if (sw_failed(status) || !row)
            break;
        sw_delivery_row delivery = {
            .id = sw_stmt_i64(s, 0),
            .notifier = sw_stmt_str(s, 1, &arena),
            .kind = sw_stmt_str(s, 2, &arena),
            .key = sw_stmt_str(s, 3, &arena),
            .alerts = sw_stmt_str(s, 4, &arena),
            .firing = (uint64_t)sw_stmt_i64(s, 5),
            .resolved = (uint64_t)sw_stmt_i64(s, 6),
            .state = (sw_delivery_state)sw_stmt_i64(s, 7),
            .attempts = (uint32_t)sw_stmt_i64(s, 8),
            .status = (int)sw_stmt_i64(s, 9),
            .error = sw_stmt_str(s, 10, &arena),
            .body = sw_stmt_str(s, 11, &arena),
            .created_ms = sw_stmt_i64(s, 12),
            .ended_ms = sw_stmt_i64(s, 13),
            .took_ms = sw_stmt_i64(s, 14),
        };
        status = visit(&delivery, context, error);
        if (sw_failed(status))
            break;
    }
    sw_arena_free(&arena);
    return status;
}

#define DELIVERY_COLUMNS                                                                         \
    "SELECT id, notifier, kind, message_key, alerts, firing, resolved, state, attempts, status," \
    " error, body, created_ms, ended_ms, took_ms FROM alert_deliveries WHERE namespace = ?1"

sw_status sw_delivery_each(sw_conn *conn, int64_t alert, uint32_t limit, sw_delivery_visit *visit,
                           void *context, sw_error *error) {
    sw_stmt *s;
    char pattern[32];
    int len = snprintf(pattern, sizeof pattern, "%%,%" PRId64 ",%%", alert);
    SW_TRY(sw_stmt_begin(&s, conn, DELIVERY_COLUMNS " AND alerts LIKE ?2 ORDER BY id DESC LIMIT ?3",
                         error));
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    sw_stmt_bind_str(s, 2, alert ? (sw_str){pattern, (size_t)len} : SW_STR("%"));
    sw_stmt_bind_i64(s, 3, limit);
    return each(s, visit, context, error);
}

sw_status sw_delivery_each_queued(sw_conn *conn, sw_delivery_visit *visit, void *context,
                                  sw_error *error) {
    sw_stmt *s;
    SW_TRY(sw_stmt_begin(&s, conn, DELIVERY_COLUMNS " AND state = 0 ORDER BY id", error));
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    return each(s, visit, context, error);
}

static sw_status run(sw_conn *conn, const char *sql, int64_t number, sw_error *error) {
    sw_stmt *s;
    SW_TRY(sw_stmt_begin(&s, conn, sql, error));
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(s, 2, number);
    return sw_stmt_run(s, error);
}

/* The newest rows stay whatever their age: ids begin behind them. */
sw_status sw_alert_prune(sw_conn *conn, int64_t before_ms, sw_error *error) {
    SW_TRY(run(conn,
               "DELETE FROM alert_deliveries WHERE namespace = ?1 AND state <> 0 AND id <"
               " (SELECT MAX(id) FROM alert_deliveries WHERE namespace = ?1) AND ended_ms < ?2",
               before_ms, error));
    SW_TRY(run(conn,
               "DELETE FROM alert_deliveries WHERE namespace = ?1 AND state <> 0 AND id <="
               " (SELECT MAX(id) FROM alert_deliveries WHERE namespace = ?1) - ?2",
               KEPT_MAX, error));
    SW_TRY(run(conn,
               "DELETE FROM alerts WHERE namespace = ?1 AND state = 2 AND told = '' AND id <"
               " (SELECT MAX(id) FROM alerts WHERE namespace = ?1) AND ended_ms < ?2",
               before_ms, error));
    return run(conn, "DELETE FROM alert_groups WHERE namespace = ?1 AND told_ms < ?2", before_ms,
               error);
}

/* ---- Silences ---- */

/* Matchers as lines of "name=pattern" or "name!=pattern". */
sw_status sw_silence_put(sw_conn *conn, const sw_silence *silence, sw_error *error) {
    sw_stmt *s;
    sw_buf lines = {0};
    SW_TRY(sw_stmt_begin(&s, conn,
                         "INSERT INTO silences (namespace, id, matchers, from_ms, until_ms, who,"
                         " why) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (namespace, id)"
                         " DO UPDATE SET until_ms = excluded.until_ms",
                         error));
    for (size_t i = 0; i < silence->matcher_count; i++) {
        const sw_matcher *m = &silence->matchers[i];
        sw_buf_add_str(&lines, m->name);
        sw_buf_add_str(&lines, m->negated ? SW_STR("!=") : SW_STR("="));
        sw_buf_add_str(&lines, m->pattern);
        sw_buf_add_char(&lines, '\n');
    }
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(s, 2, silence->id);
    sw_stmt_bind_str(s, 3, text(sw_buf_str(&lines)));
    sw_stmt_bind_i64(s, 4, silence->from_ms);
    sw_stmt_bind_i64(s, 5, silence->until_ms);
    sw_stmt_bind_str(s, 6, text(silence->who));
    sw_stmt_bind_str(s, 7, text(silence->why));
    sw_status status = lines.failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts")
                                    : sw_stmt_run(s, error);
    sw_buf_free(&lines);
    return status;
}

static sw_status read_silence(sw_silence *out, sw_stmt *s, sw_arena *arena, sw_error *error) {
    sw_str lines = sw_stmt_str(s, 1, arena), rest = lines;
    size_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.at[i] == '\n';
    *out = (sw_silence){
        .id = sw_stmt_i64(s, 0),
        .matchers = sw_arena_zalloc(arena, count + 1, sizeof *out->matchers),
        .from_ms = sw_stmt_i64(s, 2),
        .until_ms = sw_stmt_i64(s, 3),
        .who = sw_stmt_str(s, 4, arena),
        .why = sw_stmt_str(s, 5, arena),
    };
    if (!out->matchers || !lines.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts");
    while (rest.len && out->matcher_count < count)
        SW_TRY(sw_matcher_read(&out->matchers[out->matcher_count++], sw_str_split(&rest, '\n'),
                               error));
    return SW_OK;
}

sw_status sw_silence_each(sw_conn *conn, int64_t until_after_ms,
                          sw_status (*visit)(const sw_silence *silence, void *context,
                                             sw_error *error),
                          void *context, sw_error *error) {
    sw_stmt *s;
    sw_arena arena = {0};
    SW_TRY(sw_stmt_begin(&s, conn,
                         "SELECT id, matchers, from_ms, until_ms, who, why FROM silences"
                         " WHERE namespace = ?1 AND until_ms > ?2 ORDER BY id",
                         error));
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    sw_stmt_bind_i64(s, 2, until_after_ms);
    sw_status status;
    for (bool row;;) {
        sw_silence silence;
        sw_arena_reset(&arena);
        status = sw_stmt_step(&row, s, error);
        if (sw_failed(status) || !row)
            break;
        status = read_silence(&silence, s, &arena, error);
        if (!sw_failed(status))
            status = visit(&silence, context, error);
        if (sw_failed(status))
            break;
    }
    sw_arena_free(&arena);
    return status;
}

/* ---- Rules ---- */

sw_status sw_rules_row_get(sw_rules_row *out, sw_conn *conn, sw_arena *arena, sw_error *error) {
    sw_stmt *s;
    bool row;
    *out = (sw_rules_row){0};
    SW_TRY(sw_stmt_begin(
        &s, conn, "SELECT yaml, who, changed_ms FROM alert_rules WHERE namespace = ?1", error));
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    SW_TRY(sw_stmt_step(&row, s, error));
    if (row) {
        out->yaml = sw_stmt_str(s, 0, arena);
        out->who = sw_stmt_str(s, 1, arena);
        out->changed_ms = sw_stmt_i64(s, 2);
    }
    sw_stmt_end(s);
    return SW_OK;
}

sw_status sw_rules_row_put(sw_conn *conn, const sw_rules_row *row, sw_error *error) {
    sw_stmt *s;
    SW_TRY(sw_stmt_begin(&s, conn,
                         "INSERT INTO alert_rules (namespace, yaml, who, changed_ms)"
                         " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (namespace) DO UPDATE SET"
                         " yaml = excluded.yaml, who = excluded.who,"
                         " changed_ms = excluded.changed_ms",
                         error));
    sw_stmt_bind_str(s, 1, SW_NAMESPACE);
    sw_stmt_bind_str(s, 2, text(row->yaml));
    sw_stmt_bind_str(s, 3, text(row->who));
    sw_stmt_bind_i64(s, 4, row->changed_ms);
    return sw_stmt_run(s, error);
}
