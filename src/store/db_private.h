/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_private: one SQLite connection with its statement cache, as db.c, conn.c and migrate.c see it.
 *
 * Threads: a connection is used by one thread at a time.
 * Layer:   store.
 */
#ifndef SW_STORE_DB_PRIVATE_H
#define SW_STORE_DB_PRIVATE_H

#include "store/db.h"

#include <sqlite3.h>

/* The cache is set-associative: a text's address picks the set, the longest unused way gives way.
 */
enum { CACHE_SETS = 16, CACHE_WAYS = 4 };

struct sw_stmt {
    sqlite3_stmt *sqlite;
    sw_conn *conn;
    sw_stmt *next_open;
    const char *sql;
    uint64_t used_at; /* the connection's count of begun statements */
    int bind_code;    /* of the first bind that failed */
    bool open;
    bool cached;
};

struct sw_conn {
    sqlite3 *sqlite;
    const char *path; /* for error texts */
    sw_stmt *open;    /* begun and not ended */
    sw_stmt cache[CACHE_SETS][CACHE_WAYS];
    uint64_t begun;
    bool in_work;    /* a caller's function runs: the transaction must still be there */
    bool no_memory;  /* a column found no memory */
    sw_task **after; /* where the next after-commit task goes */
    sw_conn *next;   /* in the pool of idle readers */
};

SW_MUST_USE sw_status sw_conn_connect(sw_conn **out, const char *path, bool writer,
                                      sw_error *error);
void sw_conn_disconnect(sw_conn *conn);
/* Runs several statements without parameters, once: they are not cached. */
SW_MUST_USE sw_status sw_conn_script(sw_conn *conn, const char *sql, sw_error *error);
/* Runs one statement without parameters. */
SW_MUST_USE sw_status sw_conn_exec(sw_conn *conn, const char *sql, sw_error *error);
/* Runs a caller's work, and tidies up behind it. */
SW_MUST_USE sw_status sw_conn_work(sw_conn *conn, sw_db_fn *fn, void *context, sw_error *error);
/* Whether a transaction is open; SQLite ends one by itself after some failures. */
bool sw_conn_in_transaction(const sw_conn *conn);

/* Writes that wait while the writer is busy with others. */
size_t sw_db_waiting(sw_db *db);

/* Brings the tables up to date, each step in a transaction of its own. */
SW_MUST_USE sw_status sw_conn_migrate(sw_conn *conn, sw_error *error);

#endif /* SW_STORE_DB_PRIVATE_H */
