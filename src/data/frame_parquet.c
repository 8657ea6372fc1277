/* SPDX-License-Identifier: Apache-2.0 */
#include "data/frame_private.h"

#include "data/duckdb_private.h"
#include "io/file.h"

#include <stdio.h>

/*
 * DuckDB is given the file as /proc/self/fd/N: a path of its own would be searched for patterns
 * (a*.parquet) and for folders that look like columns (year=2024/).
 */
enum { FILE_PATH_BYTES = 64, PROGRESS_ROWS = 1 << 16, WORD_BITS = 64 };

typedef struct reading {
    sw_builder *b;
    const duck_calls *duck;
    int fd;
    char file[FILE_PATH_BYTES];
    duck_base *base;
    duck_conn *conn;
    duck_prepared *prepared;
    duck_pending *pending;
    duck_result result;
    bool has_result;
    uint64_t rows; /* by the file's own account */
    sw_arena arena;
    sw_str *names; /* of the columns, as the file writes them */
    size_t name_count, name_cap;
} reading;

/* DuckDB's own words, without the advice behind the first line and with the name that we know. */
static sw_status fail(const reading *r, const char *words) {
    sw_str reason = sw_str_of(words ? words : "no reason given");
    sw_str line = sw_str_split(&reason, '\n'), rest = {0};
    const char *ours = *r->file ? memmem(line.at, line.len, r->file, strlen(r->file)) : NULL;
    if (ours) {
        size_t before = (size_t)(ours - line.at), named = before + strlen(r->file);
        rest = (sw_str){line.at + named, line.len - named};
        line.len = before;
    }
    return sw_fail(r->b->error, SW_CODE_INVALID, "%s cannot be read as Parquet: %.*s%s%.*s",
                   r->b->path, SW_STR_ARG(line), ours ? r->b->path : "", SW_STR_ARG(rest));
}

static sw_status no_memory(const reading *r) {
    return sw_fail(r->b->error, SW_CODE_NO_MEMORY, "%s: not enough memory", r->b->path);
}

/* ---- A database that knows this file alone ---- */

static sw_status run(reading *r, const char *sql) {
    duck_result result;
    duck_state state = r->duck->query(r->conn, sql, &result);
    sw_status status = state == DUCK_DONE ? SW_OK : fail(r, r->duck->result_error(&result));
    r->duck->destroy_result(&result);
    return status;
}

static sw_status open_base(reading *r) {
    static const char *const settings[][2] = {
        {"threads", "2"},
        {"memory_limit", "1GiB"},
        {"temp_directory", ""},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"allow_community_extensions", "false"},
    };
    duck_config *config = NULL;
    char *words = NULL;
    duck_state state = r->duck->create_config(&config);
    for (size_t i = 0; state == DUCK_DONE && i < sizeof settings / sizeof *settings; i++)
        state = r->duck->set_config(config, settings[i][0], settings[i][1]);
    if (state == DUCK_DONE)
        state = r->duck->open_ext(NULL, &r->base, config, &words);
    r->duck->destroy_config(&config);
    sw_status status = state == DUCK_DONE ? SW_OK : fail(r, words ? words : "DuckDB did not start");
    if (words)
        r->duck->free(words);
    SW_TRY(status);
    return r->duck->connect(r->base, &r->conn) == DUCK_DONE ? SW_OK : fail(r, NULL);
}

/* After this, nothing but the file can be read, and no setting changed. */
static sw_status close_off(reading *r) {
    char sql[FILE_PATH_BYTES + 64];
    snprintf(sql, sizeof sql, "SET allowed_paths = ['%s']", r->file);
    SW_TRY(run(r, sql));
    SW_TRY(run(r, "SET enable_external_access = false"));
    return run(r, "SET lock_configuration = true");
}

static void end_query(reading *r) {
    if (r->has_result)
        r->duck->destroy_result(&r->result);
    if (r->pending)
        r->duck->destroy_pending(&r->pending);
    if (r->prepared)
        r->duck->destroy_prepare(&r->prepared);
    r->has_result = false;
    r->pending = NULL;
    r->prepared = NULL;
}

/* Rows are then fetched chunk by chunk, as they are made. */
static sw_status begin_query(reading *r, const char *sql) {
    const duck_calls *duck = r->duck;
    end_query(r);
    if (duck->prepare(r->conn, sql, &r->prepared) != DUCK_DONE)
        return fail(r, duck->prepare_error(r->prepared));
    if (duck->pending_prepared_streaming(r->prepared, &r->pending) != DUCK_DONE)
        return fail(r, duck->pending_error(r->pending));
    r->has_result = true;
    if (duck->execute_pending(r->pending, &r->result) != DUCK_DONE)
        return fail(r, duck->result_error(&r->result));
    return SW_OK;
}

/* NULL at the end. */
static sw_status next_chunk(duck_chunk **out, reading *r) {
    *out = r->duck->fetch_chunk(r->result);
    const char *words = *out ? NULL : r->duck->result_error(&r->result);
    return words && *words ? fail(r, words) : SW_OK;
}

/* ---- What is in the file ---- */

static sw_str text_of(const duck_text *text) {
    const char *at = text->length <= DUCK_TEXT_IN_PLACE ? text->prefix : text->at;
    return (sw_str){at, text->length};
}

static sw_status count_rows(reading *r) {
    char sql[FILE_PATH_BYTES + 96];
    duck_chunk *chunk;
    snprintf(sql, sizeof sql, "SELECT CAST(num_rows AS DOUBLE) FROM parquet_file_metadata('%s')",
             r->file);
    SW_TRY(begin_query(r, sql));
    SW_TRY(next_chunk(&chunk, r));
    if (!chunk)
        return fail(r, NULL);
    const double *rows = r->duck->vector_get_data(r->duck->data_chunk_get_vector(chunk, 0));
    r->rows = (uint64_t)rows[0];
    r->duck->destroy_data_chunk(&chunk);
    return SW_OK;
}

static sw_status add_column_name(reading *r, sw_str name) {
    if (r->name_count == r->name_cap) {
        size_t cap = r->name_cap ? 2 * r->name_cap : 64;
        sw_str *names = sw_arena_zalloc(&r->arena, cap, sizeof *names);
        if (!names)
            return no_memory(r);
        if (r->names)
            memcpy(names, r->names, r->name_count * sizeof *names);
        r->names = names;
        r->name_cap = cap;
    }
    r->names[r->name_count] = sw_arena_copy(&r->arena, name);
    return r->names[r->name_count++].at ? SW_OK : no_memory(r);
}

/* The schema is a tree, written root first: each element has so many children, which follow it. */
static sw_status read_names(reading *r) {
    char sql[FILE_PATH_BYTES + 128];
    duck_chunk *chunk;
    bool in_root = false;
    double within = 0; /* elements that are still to come within a column */
    snprintf(sql, sizeof sql,
             "SELECT name, CAST(coalesce(num_children, 0) AS DOUBLE) FROM parquet_schema('%s')",
             r->file);
    SW_TRY(begin_query(r, sql));
    for (;;) {
        SW_TRY(next_chunk(&chunk, r));
        if (!chunk)
            return SW_OK;
        const duck_text *names = r->duck->vector_get_data(r->duck->data_chunk_get_vector(chunk, 0));
        const double *children = r->duck->vector_get_data(r->duck->data_chunk_get_vector(chunk, 1));
        uint64_t count = r->duck->data_chunk_get_size(chunk);
        sw_status status = SW_OK;
        for (uint64_t i = 0; i < count && !sw_failed(status); i++) {
            if (in_root && within == 0)
                status = add_column_name(r, text_of(&names[i]));
            else if (in_root)
                within--;
            within += in_root ? children[i] : 0;
            in_root = true;
        }
        r->duck->destroy_data_chunk(&chunk);
        SW_TRY(status);
    }
}

static bool is_number(int type) {
    return (type >= DUCK_BOOLEAN && type <= DUCK_DOUBLE) || type == DUCK_HUGEINT ||
           type == DUCK_UHUGEINT || type == DUCK_DECIMAL || type == DUCK_NULL;
}

static bool is_nested(int type) {
    return type == DUCK_LIST || type == DUCK_STRUCT || type == DUCK_MAP || type == DUCK_UNION ||
           type == DUCK_ARRAY;
}

/* A name in SQL: in quotes, those within doubled. */
static void add_name(sw_buf *sql, sw_str name) {
    sw_buf_add_char(sql, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.at[i] == '"')
            sw_buf_add_char(sql, '"');
        sw_buf_add_char(sql, name.at[i]);
    }
    sw_buf_add_char(sql, '"');
}

static void add_source(sw_buf *sql, const reading *r) {
    sw_buf_printf(sql,
                  " FROM read_parquet('%s', hive_partitioning = false, binary_as_string = true)",
                  r->file);
    sw_buf_add_char(sql, '\0');
}

/* Adds the columns that are asked for to the frame and to the query that reads them. DuckDB tells
 * names apart without regard to case, and calls the second of "x" and "X" "X_1": the file's own
 * names are what the frame gets. */
static sw_status choose_columns(sw_buf *sql, reading *r) {
    sw_builder *b = r->b;
    uint64_t count = r->duck->column_count(&r->result);
    sw_buf_add_lit(sql, "SELECT ");
    for (uint64_t i = 0; i < count; i++) {
        sw_str known_as = sw_str_of(r->duck->column_name(&r->result, i));
        sw_str name = r->name_count == count ? r->names[i] : known_as;
        int type = r->duck->column_type(&r->result, i);
        uint32_t column;
        SW_TRY(sw_builder_column(&column, b, name));
        if (column == UINT32_MAX)
            continue;
        if (is_nested(type))
            return sw_fail(b->error, SW_CODE_INVALID,
                           "%s, column \"%.*s\": lists and structures are not read; flatten it, or "
                           "leave it out",
                           b->path, SW_STR_ARG(name));
        bool number = is_number(type) && !b->makers[column].as_text;
        b->makers[column].as_text = !number;
        b->frame->columns[column].type = number ? SW_COLUMN_NUMBER : SW_COLUMN_TEXT;
        sw_buf_printf(sql, "%sCAST(", column ? ", " : "");
        add_name(sql, known_as);
        sw_buf_printf(sql, " AS %s)", number ? "DOUBLE" : "VARCHAR");
    }
    add_source(sql, r);
    return sql->failed ? no_memory(r) : sw_builder_columns_done(b);
}

static sw_status plan(sw_buf *sql, reading *r) {
    sw_buf all = {0};
    sw_buf_add_lit(&all, "SELECT *");
    add_source(&all, r);
    sw_status status = all.failed ? no_memory(r) : begin_query(r, all.at);
    sw_buf_free(&all);
    SW_TRY(status);
    return choose_columns(sql, r);
}

/* ---- Rows ---- */

static inline bool is_there(const uint64_t *valid, uint64_t row) {
    return !valid || (valid[row / WORD_BITS] >> (row % WORD_BITS) & 1);
}

static sw_status add_vector(reading *r, uint32_t column, duck_vector *vector, uint64_t from,
                            uint64_t count) {
    sw_builder *b = r->b;
    bool number = b->frame->columns[column].type == SW_COLUMN_NUMBER;
    const uint64_t *valid = r->duck->vector_get_validity(vector);
    const void *data = r->duck->vector_get_data(vector);
    for (uint64_t i = 0; i < count; i++) {
        b->row = from + i;
        if (!is_there(valid, i))
            continue;
        if (number)
            SW_TRY(sw_builder_number(b, column, ((const double *)data)[i], (sw_str){0}));
        else
            SW_TRY(sw_builder_text(b, column, text_of((const duck_text *)data + i)));
    }
    return SW_OK;
}

static sw_status add_chunk(reading *r, duck_chunk *chunk) {
    sw_builder *b = r->b;
    uint64_t from = b->rows, count = r->duck->data_chunk_get_size(chunk);
    for (uint64_t i = 0; i < count; i++)
        SW_TRY(sw_builder_row(b));
    for (uint32_t i = 0; i < b->frame->column_count; i++)
        SW_TRY(add_vector(r, i, r->duck->data_chunk_get_vector(chunk, i), from, count));
    return SW_OK;
}

static void tell_progress(const reading *r, bool done) {
    const sw_frame_options *options = r->b->options;
    double share = r->rows ? (double)r->b->rows / (double)r->rows : 1;
    if (options->progress)
        options->progress(options->context,
                          done ? r->b->size_bytes : (uint64_t)(share * (double)r->b->size_bytes),
                          r->b->size_bytes);
}

static sw_status read_rows(reading *r, const char *sql) {
    uint64_t told = 0;
    duck_chunk *chunk;
    SW_TRY(begin_query(r, sql));
    for (;;) {
        SW_TRY(next_chunk(&chunk, r));
        if (!chunk)
            break;
        sw_status status = add_chunk(r, chunk);
        r->duck->destroy_data_chunk(&chunk);
        SW_TRY(status);
        if (r->b->rows - told >= PROGRESS_ROWS) {
            told = r->b->rows;
            tell_progress(r, false);
        }
    }
    tell_progress(r, true);
    return SW_OK;
}

/* ---- The whole ---- */

static sw_status read_all(reading *r, uint64_t rows_max) {
    sw_buf sql = {0};
    SW_TRY(sw_file_open_read(&r->fd, r->b->path, r->b->error));
    snprintf(r->file, sizeof r->file, "/proc/self/fd/%d", r->fd);
    SW_TRY(open_base(r));
    SW_TRY(close_off(r));
    SW_TRY(count_rows(r));
    SW_TRY(read_names(r));
    sw_status status = plan(&sql, r);
    if (!sw_failed(status) && rows_max) {
        r->b->rows = r->rows;
    } else if (!sw_failed(status)) {
        r->b->row_cap = r->rows;
        if (r->b->frame->column_count)
            status = read_rows(r, sql.at);
    }
    sw_buf_free(&sql);
    return status;
}

sw_status sw_frame_read_parquet(sw_builder *b, uint64_t rows_max) {
    sw_error why;
    reading r = {.b = b, .duck = sw_duckdb_load(&why), .fd = -1};
    if (!r.duck)
        return sw_fail(
            b->error, SW_CODE_UNSUPPORTED,
            "%s is a Parquet file, and reading those needs DuckDB's library: %s. Or save "
            "the file as CSV or JSON Lines",
            b->path, why.text);
    sw_status status = read_all(&r, rows_max);
    end_query(&r);
    if (r.conn)
        r.duck->disconnect(&r.conn);
    if (r.base)
        r.duck->close(&r.base);
    sw_file_close(&r.fd);
    sw_arena_free(&r.arena);
    return status;
}
