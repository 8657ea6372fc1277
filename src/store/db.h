/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db: the metadata database, with one writer and many readers.
 *
 * SQLite in WAL mode with synchronous=FULL. Writes run on one writer thread, each within a
 * savepoint of its own; what has gathered meanwhile commits together, so durability costs one fsync
 * a group. A write is answered only after its group is on disk. Readers see committed data.
 *
 * SQL stands only in files named *_store.c, in the subset that SQLite and PostgreSQL share.
 *
 * Threads: any but a loop's: these calls wait for the disk.
 * Layer:   store.
 */
#ifndef SW_STORE_DB_H
#define SW_STORE_DB_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "io/task.h"

#include <stdint.h>

typedef struct sw_db sw_db;     /* the database */
typedef struct sw_conn sw_conn; /* one connection, inside a read or a write */
typedef struct sw_stmt sw_stmt; /* one statement being run */

/*
 * Opens or creates (its folder too), takes the folder's lock, migrates. CONFLICT where another
 * server has the folder, or the database is a newer version's or somebody else's.
 */
SW_MUST_USE sw_status sw_db_open(sw_db **out, const char *path, sw_error *error);
/* Answers what is queued, then closes. Nobody else may be using `db`. NULL is fine. */
void sw_db_close(sw_db *db);

/*
 * Work on a connection. Statements that it leaves open are ended for it. It makes no other write or
 * read of the same db from within.
 */
typedef sw_status sw_db_fn(sw_conn *conn, void *context, sw_error *error);
/*
 * Runs `fn` on the writer thread; a failure rolls back this write alone. OK means durable: where
 * the group's commit fails, each write of it fails with that reason, although `fn` was content.
 */
SW_MUST_USE sw_status sw_db_write(sw_db *db, sw_db_fn *fn, void *context, sw_error *error);
/* Runs on the calling thread with a reader of its own, in one consistent view. */
SW_MUST_USE sw_status sw_db_read(sw_db *db, sw_db_fn *fn, void *context, sw_error *error);

/*
 * Within a write: runs `task` on the writer thread once the write is durable and before its caller
 * is answered; never, where the write fails. In the order of the writes. It must be quick.
 */
void sw_conn_after_commit(sw_conn *conn, sw_task *task);

/* Writes answered and commits made since it was opened: their ratio is the size of a group. */
void sw_db_counts(sw_db *db, uint64_t *writes, uint64_t *commits);

/*
 * Statements are cached by their text, which must be a string literal. `?1`-style parameters; what
 * is bound must live until the statement ends. A text that finds no memory fails the read or write.
 */
SW_MUST_USE sw_status sw_stmt_begin(sw_stmt **out, sw_conn *conn, const char *sql, sw_error *error);
void sw_stmt_bind_str(sw_stmt *stmt, int at, sw_str value); /* {NULL, 0} binds NULL */
void sw_stmt_bind_i64(sw_stmt *stmt, int at, int64_t value);
void sw_stmt_bind_f64(sw_stmt *stmt, int at, double value);
void sw_stmt_bind_blob(sw_stmt *stmt, int at, sw_str value);
void sw_stmt_bind_null(sw_stmt *stmt, int at);
/* Next row: `*row` says whether there is one. CONFLICT for a broken uniqueness. */
SW_MUST_USE sw_status sw_stmt_step(bool *row, sw_stmt *stmt, sw_error *error);
/* Runs to the end, and ends it. */
SW_MUST_USE sw_status sw_stmt_run(sw_stmt *stmt, sw_error *error);
void sw_stmt_end(sw_stmt *stmt);
/* Columns from 0; strings are copied into the arena. */
sw_str sw_stmt_str(sw_stmt *stmt, int at, sw_arena *arena);
int64_t sw_stmt_i64(sw_stmt *stmt, int at);
double sw_stmt_f64(sw_stmt *stmt, int at);
bool sw_stmt_is_null(sw_stmt *stmt, int at);
/* Rows that the last insert, update or delete of this connection touched. */
int64_t sw_conn_changes(sw_conn *conn);

#endif /* SW_STORE_DB_H */
