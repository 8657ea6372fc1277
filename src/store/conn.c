/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_private.h"

#include "base/mem.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>

enum {
    BUSY_TIMEOUT_MS = 5000, /* for a sqlite3 shell that somebody has open on the file */
    LOOKASIDE_SLOT_BYTES = 512,
    LOOKASIDE_SLOTS = 48,
};

/* ---- Errors ---- */

static sw_code code_of(int code) {
    switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return SW_CODE_CONFLICT;
    case SQLITE_NOMEM: return SW_CODE_NO_MEMORY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return SW_CODE_UNAVAILABLE;
    case SQLITE_TOOBIG: return SW_CODE_TOO_LARGE;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
    case SQLITE_MISMATCH: return SW_CODE_INTERNAL;
    default: return SW_CODE_IO;
    }
}

static sw_status fail_code(const char *path, int code, const char *words, sw_error *error) {
    sw_code as = code_of(code);
    switch (code & 0xff) {
    case SQLITE_FULL:
        (void)sw_fail(error, as, "the disk that holds %s is full. Free some space and try again",
                      path);
        break;
    case SQLITE_NOTADB:
        (void)sw_fail(error, as, "%s is not a database: was it overwritten? Restore a copy", path);
        break;
    case SQLITE_CORRUPT:
        (void)sw_fail(error, as, "the database %s is damaged (%s). Restore a copy", path, words);
        break;
    default: (void)sw_fail(error, as, "database %s: %s", path, words);
    }
    return (sw_status){as};
}

/* The words for what SQLite last said on this connection. */
static sw_status fail_with(sw_conn *conn, int code, sw_error *error) {
    bool same = sqlite3_extended_errcode(conn->sqlite) == code;
    const char *words = same ? sqlite3_errmsg(conn->sqlite) : sqlite3_errstr(code);
    return fail_code(conn->path, code, words, error);
}

/* ---- Opening ---- */

static pthread_once_t configured = PTHREAD_ONCE_INIT;

/* Without the statistics SQLite's allocator takes no lock; pages are allocated when they are read,
 * not twenty for each connection. Refused, harmlessly, once SQLite runs. */
static void configure(void) {
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

static sw_status set_up(sw_conn *conn, bool writer, sw_error *error) {
    sqlite3 *sqlite = conn->sqlite;
    (void)sqlite3_extended_result_codes(sqlite, 1);
    (void)sqlite3_busy_timeout(sqlite, BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(sqlite, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_SLOT_BYTES,
                            LOOKASIDE_SLOTS);
    (void)sqlite3_db_config(sqlite, SQLITE_DBCONFIG_ENABLE_FKEY, 1, NULL);
    (void)sqlite3_db_config(sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Caches in KiB. The limit cuts a write-ahead log that one large write blew up. */
    return sw_conn_script(conn,
                          writer
                              ? "PRAGMA cell_size_check = ON; PRAGMA cache_size = -1024;"
                                "PRAGMA journal_size_limit = 8388608; PRAGMA synchronous = NORMAL"
                              : "PRAGMA cell_size_check = ON; PRAGMA cache_size = -512",
                          error);
}

sw_status sw_conn_script(sw_conn *conn, const char *sql, sw_error *error) {
    int code = sqlite3_exec(conn->sqlite, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SW_OK : fail_with(conn, code, error);
}

static sw_status use_wal(sw_conn *conn, sw_error *error) {
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, "PRAGMA journal_mode = WAL", error));
    sw_status status = sw_stmt_step(&row, stmt, error);
    if (!sw_failed(status)) {
        const char *mode = row ? (const char *)sqlite3_column_text(stmt->sqlite, 0) : NULL;
        if (!mode || strcmp(mode, "wal") != 0)
            status =
                sw_fail(error, SW_CODE_IO,
                        "%s cannot have a write-ahead log here (mode %s): is this a network file "
                        "system? Use a local folder",
                        conn->path, mode ? mode : "unknown");
    }
    sw_stmt_end(stmt);
    return status;
}

sw_status sw_conn_connect(sw_conn **out, const char *path, bool writer, sw_error *error) {
    pthread_once(&configured, configure);
    sw_conn *conn = sw_mem_zalloc(1, sizeof *conn);
    if (!conn)
        return fail_code(path, SQLITE_NOMEM, "out of memory", error);
    conn->path = path;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                (writer ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    int code = sqlite3_open_v2(path, &conn->sqlite, flags, NULL);
    sw_status status;
    if (code != SQLITE_OK) {
        const char *words = conn->sqlite ? sqlite3_errmsg(conn->sqlite) : sqlite3_errstr(code);
        status = fail_code(path, code, words, error);
    } else {
        status = set_up(conn, writer, error);
        if (!sw_failed(status) && writer)
            status = use_wal(conn, error);
        if (!sw_failed(status) && writer)
            status = sw_conn_script(conn, "PRAGMA synchronous = FULL", error);
    }
    if (sw_failed(status))
        sw_conn_disconnect(conn);
    else
        *out = conn;
    return status;
}

void sw_conn_disconnect(sw_conn *conn) {
    if (!conn)
        return;
    while (conn->open)
        sw_stmt_end(conn->open);
    for (size_t i = 0; i < CACHE_SETS * CACHE_WAYS; i++)
        (void)sqlite3_finalize(conn->cache[i / CACHE_WAYS][i % CACHE_WAYS].sqlite);
    (void)sqlite3_close_v2(conn->sqlite);
    sw_mem_free(conn);
}

/* ---- Work ---- */

bool sw_conn_in_transaction(const sw_conn *conn) {
    return sqlite3_get_autocommit(conn->sqlite) == 0;
}

sw_status sw_conn_exec(sw_conn *conn, const char *sql, sw_error *error) {
    sw_stmt *stmt;
    SW_TRY(sw_stmt_begin(&stmt, conn, sql, error));
    return sw_stmt_run(stmt, error);
}

sw_status sw_conn_work(sw_conn *conn, sw_db_fn *fn, void *context, sw_error *error) {
    conn->in_work = true;
    conn->no_memory = false;
    sw_status status = fn(conn, context, error);
    conn->in_work = false;
    while (conn->open)
        sw_stmt_end(conn->open);
    if (!sw_failed(status) && conn->no_memory)
        return fail_code(conn->path, SQLITE_NOMEM, "out of memory", error);
    return status;
}

void sw_conn_after_commit(sw_conn *conn, sw_task *task) {
    assert(conn->after); /* only within a write */
    task->next = NULL;
    *conn->after = task;
    conn->after = &task->next;
}

int64_t sw_conn_changes(sw_conn *conn) {
    return sqlite3_changes(conn->sqlite);
}

/* ---- Statements ---- */

static sw_stmt *cache_set(sw_conn *conn, const char *sql) {
    uint64_t mixed = (uint64_t)(uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15);
    return conn->cache[mixed >> 60];
}

/* The address alone is not enough: a buffer may hold another text than before. */
static bool holds(const sw_stmt *stmt, const char *sql) {
    return stmt->sqlite && stmt->sql == sql && strcmp(sqlite3_sql(stmt->sqlite), sql) == 0;
}

/* The way that holds `sql`; else one to prepare it into; NULL where every way is in use. */
static sw_stmt *cache_find(sw_conn *conn, const char *sql) {
    sw_stmt *set = cache_set(conn, sql), *free_way = NULL;
    for (sw_stmt *way = set; way < set + CACHE_WAYS; way++) {
        if (way->open)
            continue;
        way->cached = true;
        if (holds(way, sql))
            return way;
        if (!free_way || way->used_at < free_way->used_at)
            free_way = way;
    }
    return free_way;
}

static sw_status prepare(sw_stmt *stmt, sw_conn *conn, const char *sql, sw_error *error) {
    (void)sqlite3_finalize(stmt->sqlite);
    stmt->sqlite = NULL;
    unsigned flags = stmt->cached ? SQLITE_PREPARE_PERSISTENT : 0;
    int code = sqlite3_prepare_v3(conn->sqlite, sql, -1, flags, &stmt->sqlite, NULL);
    if (code == SQLITE_OK) {
        stmt->sql = sql;
        return SW_OK;
    }
    if (!stmt->cached)
        sw_mem_free(stmt);
    return fail_with(conn, code, error);
}

sw_status sw_stmt_begin(sw_stmt **out, sw_conn *conn, const char *sql, sw_error *error) {
    /* After a failure that ended the transaction, a statement would commit by itself: never. */
    if (conn->in_work && !sw_conn_in_transaction(conn))
        return fail_code(conn->path, SQLITE_ABORT, "an earlier failure ended the transaction",
                         error);
    sw_stmt *stmt = cache_find(conn, sql);
    if (!stmt && !(stmt = sw_mem_zalloc(1, sizeof *stmt)))
        return fail_code(conn->path, SQLITE_NOMEM, "out of memory", error);
    if (!holds(stmt, sql))
        SW_TRY(prepare(stmt, conn, sql, error));
    stmt->conn = conn;
    stmt->used_at = ++conn->begun;
    stmt->bind_code = SQLITE_OK;
    stmt->open = true;
    stmt->next_open = conn->open;
    conn->open = stmt;
    *out = stmt;
    return SW_OK;
}

void sw_stmt_end(sw_stmt *stmt) {
    if (!stmt || !stmt->open)
        return;
    sw_stmt **link = &stmt->conn->open;
    while (*link != stmt)
        link = &(*link)->next_open;
    *link = stmt->next_open;
    stmt->open = false;
    (void)sqlite3_reset(stmt->sqlite);
    (void)sqlite3_clear_bindings(stmt->sqlite);
    if (!stmt->cached) {
        (void)sqlite3_finalize(stmt->sqlite);
        sw_mem_free(stmt);
    }
}

static void note_bind(sw_stmt *stmt, int code) {
    if (stmt->bind_code == SQLITE_OK)
        stmt->bind_code = code;
}

void sw_stmt_bind_str(sw_stmt *stmt, int at, sw_str value) {
    note_bind(stmt, value.at ? sqlite3_bind_text64(stmt->sqlite, at, value.at, value.len,
                                                   SQLITE_STATIC, SQLITE_UTF8)
                             : sqlite3_bind_null(stmt->sqlite, at));
}

void sw_stmt_bind_i64(sw_stmt *stmt, int at, int64_t value) {
    note_bind(stmt, sqlite3_bind_int64(stmt->sqlite, at, value));
}

void sw_stmt_bind_f64(sw_stmt *stmt, int at, double value) {
    note_bind(stmt, sqlite3_bind_double(stmt->sqlite, at, value));
}

void sw_stmt_bind_blob(sw_stmt *stmt, int at, sw_str value) {
    note_bind(stmt, value.at
                        ? sqlite3_bind_blob64(stmt->sqlite, at, value.at, value.len, SQLITE_STATIC)
                        : sqlite3_bind_null(stmt->sqlite, at));
}

void sw_stmt_bind_null(sw_stmt *stmt, int at) {
    note_bind(stmt, sqlite3_bind_null(stmt->sqlite, at));
}

sw_status sw_stmt_step(bool *row, sw_stmt *stmt, sw_error *error) {
    *row = false;
    int code = stmt->bind_code;
    if (code == SQLITE_OK)
        code = sqlite3_step(stmt->sqlite);
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        *row = code == SQLITE_ROW;
        return SW_OK;
    }
    return fail_with(stmt->conn, code, error);
}

sw_status sw_stmt_run(sw_stmt *stmt, sw_error *error) {
    bool row;
    sw_status status;
    do {
        status = sw_stmt_step(&row, stmt, error);
    } while (row);
    sw_stmt_end(stmt);
    return status;
}

/* ---- Columns ---- */

static sw_str out_of_memory(sw_stmt *stmt) {
    stmt->conn->no_memory = true;
    return (sw_str){0};
}

sw_str sw_stmt_str(sw_stmt *stmt, int at, sw_arena *arena) {
    int type = sqlite3_column_type(stmt->sqlite, at);
    if (type == SQLITE_NULL)
        return (sw_str){0};
    const char *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(stmt->sqlite, at)
                                            : (const char *)sqlite3_column_text(stmt->sqlite, at);
    int len = sqlite3_column_bytes(stmt->sqlite, at);
    if (!bytes && (len > 0 || type != SQLITE_BLOB))
        return out_of_memory(stmt);
    sw_str copy = sw_arena_copy(arena, (sw_str){bytes, (size_t)len});
    return copy.at ? copy : out_of_memory(stmt);
}

int64_t sw_stmt_i64(sw_stmt *stmt, int at) {
    return sqlite3_column_int64(stmt->sqlite, at);
}

double sw_stmt_f64(sw_stmt *stmt, int at) {
    return sqlite3_column_double(stmt->sqlite, at);
}

bool sw_stmt_is_null(sw_stmt *stmt, int at) {
    return sqlite3_column_type(stmt->sqlite, at) == SQLITE_NULL;
}
