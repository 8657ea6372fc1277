/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duckdb: the part of DuckDB's C interface that Slipway calls, loaded at run time.
 *
 * It reads Parquet, and nothing else here: a database of its own in memory for each file, closed
 * off from the network and from every other file, with two threads and bounded memory.
 *
 * Layer:  data. Source: duckdb.h of DuckDB 1.4 (MIT licence); the calls and types below are part of
 *         its stable interface.
 */
#ifndef SW_DATA_DUCKDB_PRIVATE_H
#define SW_DATA_DUCKDB_PRIVATE_H

#include "base/status.h"

#include <stdint.h>

typedef struct duck_base duck_base;         /* duckdb_database is a pointer to it */
typedef struct duck_conn duck_conn;         /* duckdb_connection */
typedef struct duck_config duck_config;     /* duckdb_config */
typedef struct duck_prepared duck_prepared; /* duckdb_prepared_statement */
typedef struct duck_pending duck_pending;   /* duckdb_pending_result */
typedef struct duck_chunk duck_chunk;       /* duckdb_data_chunk */
typedef struct duck_vector duck_vector;     /* duckdb_vector */
typedef enum { DUCK_DONE, DUCK_FAILED } duck_state;

typedef struct duck_result {
    uint64_t deprecated[3];
    void *deprecated_pointers[2];
    void *internal;
} duck_result;

/* A text of a vector: in place where it has at most 12 bytes. */
typedef struct duck_text {
    uint32_t length;
    char prefix[4];
    const char *at; /* its last 8 bytes, where the text is in place */
} duck_text;

enum { DUCK_TEXT_IN_PLACE = 12 };

/* duckdb_type, as far as it is told apart */
enum {
    DUCK_BOOLEAN = 1,
    DUCK_DOUBLE = 11,
    DUCK_HUGEINT = 16,
    DUCK_DECIMAL = 19,
    DUCK_LIST = 24,
    DUCK_STRUCT = 25,
    DUCK_MAP = 26,
    DUCK_UNION = 28,
    DUCK_UHUGEINT = 32,
    DUCK_ARRAY = 33,
    DUCK_NULL = 36
};

/* X(result, name, parameters); each is called duckdb_name in the library. */
#define DUCK_CALLS(X)                                                                      \
    X(const char *, library_version, (void))                                               \
    X(duck_state, create_config, (duck_config **))                                         \
    X(duck_state, set_config, (duck_config *, const char *name, const char *value))        \
    X(void, destroy_config, (duck_config **))                                              \
    X(duck_state, open_ext, (const char *path, duck_base **, duck_config *, char **error)) \
    X(void, close, (duck_base **))                                                         \
    X(duck_state, connect, (duck_base *, duck_conn **))                                    \
    X(void, disconnect, (duck_conn **))                                                    \
    X(void, free, (void *))                                                                \
    X(duck_state, query, (duck_conn *, const char *sql, duck_result *))                    \
    X(duck_state, prepare, (duck_conn *, const char *sql, duck_prepared **))               \
    X(const char *, prepare_error, (duck_prepared *))                                      \
    X(void, destroy_prepare, (duck_prepared **))                                           \
    X(duck_state, pending_prepared_streaming, (duck_prepared *, duck_pending **))          \
    X(const char *, pending_error, (duck_pending *))                                       \
    X(duck_state, execute_pending, (duck_pending *, duck_result *))                        \
    X(void, destroy_pending, (duck_pending **))                                            \
    X(const char *, result_error, (duck_result *))                                         \
    X(void, destroy_result, (duck_result *))                                               \
    X(uint64_t, column_count, (duck_result *))                                             \
    X(const char *, column_name, (duck_result *, uint64_t column))                         \
    X(int, column_type, (duck_result *, uint64_t column))                                  \
    X(duck_chunk *, fetch_chunk, (duck_result))                                            \
    X(void, destroy_data_chunk, (duck_chunk **))                                           \
    X(uint64_t, data_chunk_get_size, (duck_chunk *))                                       \
    X(duck_vector *, data_chunk_get_vector, (duck_chunk *, uint64_t column))               \
    X(void *, vector_get_data, (duck_vector *))                                            \
    X(uint64_t *, vector_get_validity, (duck_vector *))

typedef struct duck_calls {
/* NOLINTNEXTLINE(bugprone-macro-parentheses) */
#define X(result, name, parameters) result(*name) parameters;
    DUCK_CALLS(X)
#undef X
} duck_calls;

/* NULL where the library is not installed or lacks a call, with the reason in `why`. Loads it at
 * the first call; any thread. */
const duck_calls *sw_duckdb_load(sw_error *why);

#endif /* SW_DATA_DUCKDB_PRIVATE_H */
