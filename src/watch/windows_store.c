/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/windows_private.h"

static const sw_str namespace = SW_STR("default");

static sw_str text(sw_str s) {
    return s.at ? s : SW_STR("");
}

typedef struct writing {
    const sw_window_row *rows;
    size_t count;
} writing;

static sw_status write_row(sw_conn *conn, const sw_window_row *row, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(
        &stmt, conn,
        "INSERT INTO watch_minutes (namespace, model, version, profile_hash, minute,"
        " replica, boot, rows, counts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
        " ON CONFLICT (namespace, model, version, profile_hash, minute, replica, boot)"
        " DO UPDATE SET rows = excluded.rows, counts = excluded.counts",
        error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, text(row->model));
    sw_stmt_bind_i64(stmt, 3, row->version);
    sw_stmt_bind_str(stmt, 4, text(row->profile_hash));
    sw_stmt_bind_i64(stmt, 5, row->minute);
    sw_stmt_bind_str(stmt, 6, text(row->replica));
    sw_stmt_bind_str(stmt, 7, text(row->boot));
    sw_stmt_bind_i64(stmt, 8, (int64_t)row->rows);
    sw_stmt_bind_blob(stmt, 9, row->counts);
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

typedef struct reading {
    sw_window_row key; /* model, version, profile_hash and, as the first minute, minute */
    sw_window_fn *fn;
    void *context;
    sw_arena arena; /* of one row */
} reading;

static sw_status read_row(sw_stmt *stmt, reading *r, sw_error *error) {
    sw_window_row row = r->key;
    sw_arena_reset(&r->arena);
    row.minute = sw_stmt_i64(stmt, 0);
    row.replica = sw_stmt_str(stmt, 1, &r->arena);
    row.boot = sw_stmt_str(stmt, 2, &r->arena);
    row.rows = (uint64_t)sw_stmt_i64(stmt, 3);
    row.counts = sw_stmt_str(stmt, 4, &r->arena);
    return r->fn(&row, r->context, error);
}

static sw_status read_rows(sw_conn *conn, void *context, sw_error *error) {
    reading *r = context;
    sw_stmt *stmt;
    bool more;
    SW_TRY(
        sw_stmt_begin(&stmt, conn,
                      "SELECT minute, replica, boot, rows, counts FROM watch_minutes"
                      " WHERE namespace = ?1 AND model = ?2 AND version = ?3 AND profile_hash = ?4"
                      " AND minute >= ?5 ORDER BY minute",
                      error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_str(stmt, 2, text(r->key.model));
    sw_stmt_bind_i64(stmt, 3, r->key.version);
    sw_stmt_bind_str(stmt, 4, text(r->key.profile_hash));
    sw_stmt_bind_i64(stmt, 5, r->key.minute);
    sw_status status = sw_stmt_step(&more, stmt, error);
    while (!sw_failed(status) && more) {
        status = read_row(stmt, r, error);
        if (!sw_failed(status))
            status = sw_stmt_step(&more, stmt, error);
    }
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_windows_read(sw_db *db, sw_str model, uint32_t version, sw_str profile_hash,
                          int64_t from_minute, sw_window_fn *fn, void *context, sw_error *error) {
    reading r = {.key = {.model = model,
                         .version = version,
                         .profile_hash = profile_hash,
                         .minute = from_minute},
                 .fn = fn,
                 .context = context};
    sw_arena_init(&r.arena, 4096);
    sw_status status = sw_db_read(db, read_rows, &r, error);
    sw_arena_free(&r.arena);
    return status;
}

static sw_status expire(sw_conn *conn, void *context, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "DELETE FROM watch_minutes WHERE namespace = ?1 AND minute < ?2", error));
    sw_stmt_bind_str(stmt, 1, namespace);
    sw_stmt_bind_i64(stmt, 2, *(const int64_t *)context);
    return sw_stmt_run(stmt, error);
}

sw_status sw_windows_expire(sw_db *db, int64_t minute, sw_error *error) {
    return sw_db_write(db, expire, &minute, error);
}
