/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitors_private.h"

static const sw_str namespace = SW_STR("default");

static sw_str text(sw_str s) {
    return s.at ? s : SW_STR("");
}

static void bind_key(sw_stmt *stmt, const sw_monitor *monitor) {
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, monitor->model);
    sw_stmt_bind_i64(stmt, 3, monitor->version);
    sw_stmt_bind_str(stmt, 4, text(monitor->hash));
}

/* ---- States ---- */

typedef struct storing {
    const sw_monitor *monitor;
    sw_str state;
} storing;

static sw_status store(sw_conn *conn, void *context, sw_error *error) {
    const storing *s = context;
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO monitor_states (namespace, model, version, profile_hash,"
                         " settings, minute, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                         " ON CONFLICT (namespace, model, version, profile_hash)"
                         " DO UPDATE SET settings = excluded.settings, minute = excluded.minute,"
                         " state = excluded.state",
                         error));
    bind_key(stmt, s->monitor);
    sw_stmt_bind_str(stmt, 5, s->monitor->fingerprint);
    sw_stmt_bind_i64(stmt, 6, s->monitor->newest_minute);
    sw_stmt_bind_blob(stmt, 7, s->state);
    return sw_stmt_run(stmt, error);
}

sw_status sw_monitors_store(sw_db *db, const sw_monitor *monitor, sw_str state, sw_error *error) {
    return sw_db_write(db, store, &(storing){monitor, state}, error);
}

typedef struct loading {
    const sw_monitor *monitor;
    sw_str *state;
    sw_arena *arena;
} loading;

static sw_status load(sw_conn *conn, void *context, sw_error *error) {
    loading *l = context;
    sw_stmt *stmt;
    bool found;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT state FROM monitor_states WHERE namespace = ?1 AND model = ?2"
                         " AND version = ?3 AND profile_hash = ?4 AND settings = ?5",
                         error));
    bind_key(stmt, l->monitor);
    sw_stmt_bind_str(stmt, 5, l->monitor->fingerprint);
    sw_status status = sw_stmt_step(&found, stmt, error);
    if (!sw_failed(status) && found)
        *l->state = sw_stmt_str(stmt, 0, l->arena);
    else if (!sw_failed(status))
        status = sw_fail(error, SW_CODE_NOT_FOUND, "no state of this monitor is stored");
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_monitors_load(sw_str *state, sw_db *db, const sw_monitor *monitor, sw_arena *arena,
                           sw_error *error) {
    return sw_db_read(db, load, &(loading){monitor, state, arena}, error);
}

/* ---- Minutes ---- */

typedef struct listing {
    const sw_monitor *monitor;
    int64_t from, to;
    int64_t *minutes;
    size_t count;
    sw_arena *arena;
} listing;

static sw_status list(sw_conn *conn, void *context, sw_error *error) {
    listing *l = context;
    sw_stmt *stmt;
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT DISTINCT start_minute FROM watch_windows WHERE namespace = ?1"
                         " AND model = ?2 AND version = ?3 AND profile_hash = ?4"
                         " AND segment = '' AND step = 1"
                         " AND start_minute >= ?5 AND start_minute < ?6 ORDER BY start_minute",
                         error));
    bind_key(stmt, l->monitor);
    sw_stmt_bind_i64(stmt, 5, l->from);
    sw_stmt_bind_i64(stmt, 6, l->to);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more && l->count < SW_MONITOR_MINUTES) {
        l->minutes[l->count++] = sw_stmt_i64(stmt, 0);
        status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_monitors_minutes(int64_t **out, size_t *count, sw_db *db, const sw_monitor *monitor,
                              int64_t from, int64_t to, sw_arena *arena, sw_error *error) {
    listing l = {.monitor = monitor, .from = from, .to = to, .arena = arena};
    l.minutes = sw_arena_alloc(arena, SW_MONITOR_MINUTES * sizeof *l.minutes);
    if (!l.minutes)
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to monitor a model");
    sw_status status = sw_db_read(db, list, &l, error);
    *out = l.minutes;
    *count = l.count;
    return status;
}
