/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/windows_private.h"

static const sw_str namespace = SW_STR("default");

static sw_str text(sw_str s) {
    return s.at ? s : SW_STR("");
}

/* ---- Writing ---- */

typedef struct writing {
    const sw_window_row *rows;
    size_t count;
} writing;

static sw_status write_row(sw_conn *conn, const sw_window_row *row, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(
        &stmt, conn,
        "INSERT INTO watch_windows (namespace, model, version, profile_hash, segment, step,"
        " start_minute, replica, boot, rows, counts)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        " ON CONFLICT (namespace, model, version, profile_hash, segment, step, start_minute,"
        " replica, boot) DO UPDATE SET rows = excluded.rows, counts = excluded.counts",
        error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, text(row->model));
    sw_stmt_bind_i64(stmt, 3, row->version);
    sw_stmt_bind_str(stmt, 4, text(row->profile_hash));
    sw_stmt_bind_str(stmt, 5, text(row->segment));
    sw_stmt_bind_i64(stmt, 6, row->step ? row->step : SW_STEP_MINUTE);
    sw_stmt_bind_i64(stmt, 7, row->minute);
    sw_stmt_bind_str(stmt, 8, text(row->replica));
    sw_stmt_bind_str(stmt, 9, text(row->boot));
    sw_stmt_bind_i64(stmt, 10, (int64_t)row->rows);
    sw_stmt_bind_blob(stmt, 11, row->counts);
    return sw_stmt_run(stmt, error);
}

static sw_status write_rows(sw_conn *conn, void *context, sw_error *error) {
    const writing *w = context;
    for (size_t i = 0; i < w->count; i++)
        SW_TRY(write_row(conn, &w->rows[i], error));
    return SW_OK;
}

sw_status sw_windows_write(sw_db *db, const sw_window_row *rows, size_t count, sw_error *error) {
    return count ? sw_db_write(db, write_rows, &(writing){rows, count}, error) : SW_OK;
}

/* ---- Reading ---- */

typedef struct reading {
    const sw_window_query *query;
    sw_window_fn *fn;
    void *context;
    sw_arena arena; /* of one row */
} reading;

/* Parameters 1 to 4 of all that speak of one version. */
static void bind_version(sw_stmt *stmt, sw_str model, uint32_t version, sw_str hash) {
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, text(model));
    sw_stmt_bind_i64(stmt, 3, version);
    sw_stmt_bind_str(stmt, 4, text(hash));
}

static sw_status read_row(sw_stmt *stmt, reading *r, sw_error *error) {
    const sw_window_query *q = r->query;
    sw_arena_reset(&r->arena);
    sw_window_row row = {.model = q->model,
                         .version = q->version,
                         .profile_hash = q->profile_hash,
                         .segment = q->segment,
                         .step = (uint32_t)sw_stmt_i64(stmt, 0),
                         .minute = sw_stmt_i64(stmt, 1),
                         .replica = sw_stmt_str(stmt, 2, &r->arena),
                         .boot = sw_stmt_str(stmt, 3, &r->arena),
                         .rows = (uint64_t)sw_stmt_i64(stmt, 4),
                         .counts = sw_stmt_str(stmt, 5, &r->arena)};
    return r->fn(&row, r->context, error);
}

static sw_status read_rows(sw_conn *conn, void *context, sw_error *error) {
    reading *r = context;
    const sw_window_query *q = r->query;
    sw_stmt *stmt;
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT step, start_minute, replica, boot, rows, counts"
                         " FROM watch_windows WHERE namespace = ?1 AND model = ?2 AND version = ?3"
                         " AND profile_hash = ?4 AND segment = ?5 AND step IN (1, 60, 1440)"
                         " AND start_minute >= ?6 AND start_minute < ?7"
                         " ORDER BY start_minute, step",
                         error));
    bind_version(stmt, q->model, q->version, q->profile_hash);
    sw_stmt_bind_str(stmt, 5, text(q->segment));
    sw_stmt_bind_i64(stmt, 6, q->from_minute);
    sw_stmt_bind_i64(stmt, 7, q->to_minute);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more) {
        status = read_row(stmt, r, error);
        if (!sw_failed(status))
            status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_windows_read(sw_db *db, const sw_window_query *query, sw_window_fn *fn, void *context,
                          sw_error *error) {
    reading r = {.query = query, .fn = fn, .context = context};
    sw_arena_init(&r.arena, 4096);
    sw_status status = sw_db_read(db, read_rows, &r, error);
    sw_arena_free(&r.arena);
    return status;
}

/* ---- Segments ---- */

typedef struct listing {
    const sw_window_query *query;
    sw_arena *arena;
    sw_str *names;
    size_t count, cap;
} listing;

static sw_status add_name(listing *l, sw_str name, sw_error *error) {
    if (l->count == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 32;
        sw_str *more = sw_arena_zalloc(l->arena, cap, sizeof *more);
        if (!more)
            return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the list of segments");
        if (l->count)
            memcpy(more, l->names, l->count * sizeof *more);
        l->names = more;
        l->cap = cap;
    }
    l->names[l->count++] = name;
    return SW_OK;
}

static sw_status read_segments(sw_conn *conn, void *context, sw_error *error) {
    listing *l = context;
    const sw_window_query *q = l->query;
    sw_stmt *stmt;
    bool more;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "SELECT DISTINCT segment FROM watch_windows WHERE namespace = ?1"
                         " AND model = ?2 AND version = ?3 AND profile_hash = ?4 AND segment <> ''"
                         " AND start_minute >= ?5 AND start_minute < ?6 ORDER BY segment",
                         error));
    bind_version(stmt, q->model, q->version, q->profile_hash);
    sw_stmt_bind_i64(stmt, 5, q->from_minute);
    sw_stmt_bind_i64(stmt, 6, q->to_minute);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more) {
        status = add_name(l, sw_stmt_str(stmt, 0, l->arena), error);
        if (!sw_failed(status))
            status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_windows_segments(sw_str **names, size_t *count, sw_db *db,
                              const sw_window_query *query, sw_arena *arena, sw_error *error) {
    listing l = {.query = query, .arena = arena};
    sw_status status = sw_db_read(db, read_segments, &l, error);
    *names = l.names;
    *count = l.count;
    return status;
}
