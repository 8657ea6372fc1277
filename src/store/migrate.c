/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_private.h"

#include "base/clock.h"
#include "store/migrations_private.h"

/* One number out of one row. */
static sw_status query_number(int64_t *out, sw_conn *conn, const char *sql, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    *out = 0;
    SW_TRY(sw_stmt_begin(&stmt, conn, sql, error));
    sw_status status = sw_stmt_step(&row, stmt, error);
    if (row)
        *out = sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    return status;
}

/* The schema's number: 0 for an empty database. CONFLICT for tables that are not ours. */
static sw_status read_schema(int64_t *number, sw_conn *conn, sw_error *error) {
    int64_t tables, ours;
    *number = 0;
    SW_TRY(query_number(&tables, conn, "SELECT COUNT(*) FROM sqlite_master", error));
    if (tables == 0)
        return SW_OK;
    SW_TRY(query_number(&ours, conn,
                        "SELECT COUNT(*) FROM sqlite_master"
                        " WHERE type = 'table' AND name = 'schema_migrations'",
                        error));
    if (ours == 0)
        return sw_fail(error, SW_CODE_CONFLICT,
                       "%s is a database of another program. Use another --data folder",
                       conn->path);
    return query_number(number, conn, "SELECT COALESCE(MAX(number), 0) FROM schema_migrations",
                        error);
}

static sw_status record(sw_conn *conn, const sw_migration *step, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn,
                         "INSERT INTO schema_migrations (number, name, applied_ms)"
                         " VALUES (?1, ?2, ?3)",
                         error));
    sw_stmt_bind_i64(stmt, 1, step->number);
    sw_stmt_bind_str(stmt, 2, sw_str_of(step->name));
    sw_stmt_bind_i64(stmt, 3, sw_clock_wall_ms());
    return sw_stmt_run(stmt, error);
}

static sw_status apply(sw_conn *conn, const sw_migration *step, sw_error *error) {
    if (step->number == 1)
        SW_TRY(sw_conn_script(conn,
                              "CREATE TABLE schema_migrations (number BIGINT NOT NULL PRIMARY KEY,"
                              " name TEXT NOT NULL, applied_ms BIGINT NOT NULL)",
                              error));
    SW_TRY(sw_conn_script(conn, step->sql, error));
    SW_TRY(record(conn, step, error));
    return sw_conn_exec(conn, "COMMIT", error);
}

static sw_status apply_whole(sw_conn *conn, const sw_migration *step, sw_error *error) {
    SW_TRY(sw_conn_exec(conn, "BEGIN IMMEDIATE", error));
    sw_status status = apply(conn, step, error);
    if (!sw_failed(status))
        return SW_OK;
    if (sw_conn_in_transaction(conn))
        (void)sw_failed(sw_conn_exec(conn, "ROLLBACK", NULL));
    return sw_fail_within(status, error, "migration %d (%s)", step->number, step->name);
}

sw_status sw_conn_migrate(sw_conn *conn, sw_error *error) {
    int64_t number, newest = sw_migrations[sw_migration_count - 1].number;
    SW_TRY(read_schema(&number, conn, error));
    if (number > newest)
        return sw_fail(
            error, SW_CODE_CONFLICT,
            "%s was made by a newer slipway: its schema is number %lld, this program knows "
            "up to %lld. Run that newer version, or use another --data folder",
            conn->path, (long long)number, (long long)newest);
    if (number == newest)
        return SW_OK;
    /* In order, but not yet on the disk: the first write that is answered takes them there with it.
     */
    SW_TRY(sw_conn_script(conn, "PRAGMA synchronous = NORMAL", error));
    for (size_t i = (size_t)number; i < sw_migration_count; i++)
        SW_TRY(apply_whole(conn, &sw_migrations[i], error));
    return sw_conn_script(conn, "PRAGMA synchronous = FULL", error);
}
