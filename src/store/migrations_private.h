/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrations: the tables, as a list of numbered steps that only ever grows.
 *
 * A step that has been released is never edited: a change is a new step at the end. The SQL is of
 * the subset that SQLite and PostgreSQL share; the one difference is BLOB, which is BYTEA there.
 *
 * Layer: store.
 */
#ifndef SW_STORE_MIGRATIONS_PRIVATE_H
#define SW_STORE_MIGRATIONS_PRIVATE_H

#include <stddef.h>

typedef struct sw_migration {
    int number; /* 1, 2, … without gaps */
    const char *name;
    const char *sql; /* statements, each ended by ';' */
} sw_migration;

extern const sw_migration sw_migrations[];
extern const size_t sw_migration_count;

#endif /* SW_STORE_MIGRATIONS_PRIVATE_H */
