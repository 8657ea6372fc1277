/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv: rows of comma-separated fields, read as a stream, and written field by field.
 *
 * Workload: files larger than memory, profiled at tens of millions of values a second; and small
 * uploads by strangers. Fields may be quoted ("" stands for a quote within one) and then hold
 * commas and line breaks; a row ends with LF or CRLF; a byte order mark and empty lines are
 * skipped. A quote that does not begin its field is an ordinary character, as spreadsheets write
 * it.
 *
 * Every row is checked to be UTF-8. Whether rows are as long as the header is for the caller to
 * say.
 *
 * Memory:  a row's fields point into the reader's buffer until the next call; 64 bytes behind a
 *          field may be read too (whatever they are).
 * Threads: one at a time for each reader.
 * Layer:   base. Source of the format: RFC 4180.
 */
#ifndef SW_BASE_CSV_H
#define SW_BASE_CSV_H

#include "base/status.h"
#include "base/str.h"

typedef struct sw_csv sw_csv;

enum {
    SW_CSV_COLUMNS_MAX = 1 << 17,
    SW_CSV_FIELD_BYTES_MAX = 1 << 20,
    SW_CSV_ROW_BYTES_MAX = 16 << 20,
};

typedef struct sw_csv_row {
    const sw_str *fields;
    size_t count;  /* 0: the end of the file */
    uint64_t line; /* on which the row begins, from 1 */
} sw_csv_row;

/* NOT_FOUND or IO where the file cannot be opened. */
SW_MUST_USE sw_status sw_csv_open(sw_csv **out, const char *path, sw_error *error);
/* `bytes` must stay until the reader is closed; they are not written to. */
SW_MUST_USE sw_status sw_csv_open_bytes(sw_csv **out, sw_str bytes, sw_error *error);
void sw_csv_close(sw_csv *csv);

/* Of the file, so far. */
uint64_t sw_csv_bytes_read(const sw_csv *csv);

/* INVALID names the line and the field; nothing can be read after a failure. */
SW_MUST_USE sw_status sw_csv_next(sw_csv_row *row, sw_csv *csv, sw_error *error);

/* Of the first row of a table. INVALID where it says that the file's fields or lines are separated
 * by something else: such a file would otherwise be read as one column. */
SW_MUST_USE sw_status sw_csv_check_header(const sw_csv_row *row, sw_error *error);

/* Appends `text` as one field, in quotes where it needs them. */
void sw_csv_put(sw_buf *out, sw_str text);

#endif /* SW_BASE_CSV_H */
