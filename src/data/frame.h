/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame: a table in memory, column by column, from a file.
 *
 * Workload: offline comparison and evaluation of files with up to thousands of columns and millions
 * of rows. A reader takes only the columns that it is asked for, so a wide file is worked off in
 * groups of columns within a budget of memory.
 *
 * A column is numeric where every value that is there reads as a number (true and false as 1 and
 * 0), else it is text. Missing: an empty field, NA, N/A, NaN, null, none (CSV); null or absent
 * (JSON Lines); NULL (Parquet). Infinities are kept as they are.
 *
 * Memory:  the frame owns all; sw_frame_free releases it.
 * Threads: immutable once read; any.
 * Layer:   data.
 */
#ifndef SW_DATA_FRAME_H
#define SW_DATA_FRAME_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

typedef enum sw_column_type {
    SW_COLUMN_NUMBER,
    SW_COLUMN_TEXT,
} sw_column_type;

enum { SW_TEXT_MISSING = UINT32_MAX };

typedef struct sw_column {
    sw_str name;
    sw_column_type type;
    double *numbers; /* NUMBER: one for each row; NaN where missing */
    uint32_t *codes; /* TEXT: index into words, or SW_TEXT_MISSING */
    sw_str *words;   /* TEXT: the distinct values, in the order of their first occurrence */
    uint32_t word_count;
    uint64_t missing; /* values that are not there */
} sw_column;

typedef struct sw_frame {
    sw_column *columns; /* in the file's order */
    size_t column_count;
    uint64_t rows;
    uint32_t *by_name; /* the columns in the order of their names, for sw_frame_find */
    sw_arena arena;
} sw_frame;

typedef struct sw_frame_options {
    const sw_str *columns; /* only these, in the file's order; NULL: all. NOT_FOUND names one that
                              is not there, and what is near */
    size_t column_count;
    const sw_str *as_text; /* read these as text, whatever they hold */
    size_t as_text_count;
    uint64_t bytes_max; /* refuses what would take more memory, saying so; 0: no bound */
    /* Called now and then with bytes read and bytes in all (0 where unknown); may be NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t all);
    void *context;
} sw_frame_options;

typedef enum sw_frame_format { SW_FRAME_CSV, SW_FRAME_JSON, SW_FRAME_PARQUET } sw_frame_format;

/* By the first bytes. UNSUPPORTED where the file is packed (gzip, zip …). */
SW_MUST_USE sw_status sw_frame_format_of(sw_frame_format *out, const char *path, sw_error *error);

/*
 * Reads CSV (RFC 4180), JSON Lines (.jsonl, .ndjson, .json with one object a line) or Parquet, told
 * apart by the first bytes rather than by the name. INVALID names the line and the column.
 * UNSUPPORTED where Parquet's library is not installed, saying what to install. `options` may be
 * NULL.
 */
SW_MUST_USE sw_status sw_frame_read(sw_frame *out, const char *path,
                                    const sw_frame_options *options, sw_error *error);
void sw_frame_free(sw_frame *frame);

/*
 * Names and types alone, cheaply, for planning: numbers, codes and words are NULL. What CSV and
 * JSON hold is judged by the first 1,000 rows, and `rows` is then an estimate from their length.
 */
SW_MUST_USE sw_status sw_frame_columns(sw_frame *out, const char *path, sw_error *error);

/* NULL where there is none. */
const sw_column *sw_frame_find(const sw_frame *frame, sw_str name);

#endif /* SW_DATA_FRAME_H */
