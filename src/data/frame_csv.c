/* SPDX-License-Identifier: Apache-2.0 */
#include "data/frame_private.h"

#include "base/csv.h"
#include "base/mem.h"
#include "data/field.h"

enum { PROGRESS_BYTES = 4 << 20 };

typedef struct reading {
    sw_builder *b;
    sw_csv *csv;
    size_t width;      /* fields of the header */
    uint32_t *columns; /* of the frame */
    uint32_t *fields;  /* in the file; for those that take values in this pass */
    uint32_t count;
    uint64_t told; /* bytes at the last call of progress */
} reading;

static sw_status in_file(const reading *r, sw_status status) {
    return sw_failed(status) ? sw_fail_within(status, r->b->error, "%s", r->b->path) : status;
}

static sw_status next_row(sw_csv_row *row, reading *r) {
    return in_file(r, sw_csv_next(row, r->csv, r->b->error));
}

/* ---- The header ---- */

static sw_status read_header(reading *r) {
    sw_csv_row row;
    SW_TRY(next_row(&row, r));
    if (row.count == 0)
        return sw_fail(r->b->error, SW_CODE_INVALID,
                       "%s is empty; its first line must name the columns", r->b->path);
    SW_TRY(in_file(r, sw_csv_check_header(&row, r->b->error)));
    r->width = row.count;
    r->columns = sw_mem_alloc(row.count * sizeof *r->columns);
    r->fields = sw_mem_alloc(row.count * sizeof *r->fields);
    if (!r->columns || !r->fields)
        return sw_fail(r->b->error, SW_CODE_NO_MEMORY, "%s: not enough memory for %zu columns",
                       r->b->path, row.count);
    for (size_t i = 0; i < row.count; i++) {
        sw_str name = sw_str_trim(row.fields[i]);
        uint32_t column;
        if (name.len == 0)
            continue;
        SW_TRY(sw_builder_column(&column, r->b, name));
        if (column == UINT32_MAX)
            continue;
        r->columns[r->count] = column;
        r->fields[r->count++] = (uint32_t)i;
    }
    return sw_builder_columns_done(r->b);
}

/* ---- Rows ---- */

static sw_status check_width(const reading *r, const sw_csv_row *row) {
    if (row->count == r->width)
        return SW_OK;
    return sw_fail(r->b->error, SW_CODE_INVALID,
                   "%s, line %llu has %zu field%s, the header has %zu", r->b->path,
                   (unsigned long long)row->line, row->count, row->count == 1 ? "" : "s", r->width);
}

static sw_status add_value(reading *r, uint32_t column, sw_str field) {
    double value;
    sw_builder *b = r->b;
    const sw_maker *maker = &b->makers[column];
    if (maker->state == SW_MAKER_TEXT || maker->as_text)
        return sw_field_is_missing(field) ? SW_OK : sw_builder_text(b, column, field);
    if (!sw_builder_wants(b, column))
        return SW_OK;
    switch (sw_field_read(&value, field)) {
    case SW_FIELD_MISSING: return SW_OK;
    case SW_FIELD_NUMBER: return sw_builder_number(b, column, value, field);
    case SW_FIELD_TEXT: break;
    }
    return sw_builder_text(b, column, field);
}

static void tell_progress(reading *r, bool done) {
    const sw_frame_options *options = r->b->options;
    uint64_t read = sw_csv_bytes_read(r->csv);
    if (!options->progress || (!done && read - r->told < PROGRESS_BYTES))
        return;
    r->told = read;
    options->progress(options->context, read, r->b->size_bytes);
}

static sw_status read_rows(reading *r, uint64_t rows_max) {
    sw_builder *b = r->b;
    for (;;) {
        sw_csv_row row;
        if (rows_max && b->rows == rows_max)
            break;
        SW_TRY(next_row(&row, r));
        if (row.count == 0)
            break;
        SW_TRY(check_width(r, &row));
        SW_TRY(sw_builder_row(b));
        for (uint32_t i = 0; i < r->count; i++)
            SW_TRY(add_value(r, r->columns[i], row.fields[r->fields[i]]));
        tell_progress(r, false);
    }
    tell_progress(r, true);
    b->bytes_read = sw_csv_bytes_read(r->csv);
    return SW_OK;
}

/* The file once more, for the columns that turned out to be text. */
static sw_status read_late(reading *r) {
    sw_csv_row header;
    uint32_t count = 0;
    SW_TRY(sw_builder_again(r->b));
    for (uint32_t i = 0; i < r->count; i++)
        if (sw_builder_wants(r->b, r->columns[i])) {
            r->columns[count] = r->columns[i];
            r->fields[count++] = r->fields[i];
        }
    r->count = count;
    r->told = 0;
    sw_csv_close(r->csv);
    r->csv = NULL;
    SW_TRY(sw_csv_open(&r->csv, r->b->path, r->b->error));
    SW_TRY(next_row(&header, r));
    SW_TRY(check_width(r, &header));
    return read_rows(r, 0);
}

static sw_status read_all(reading *r, uint64_t rows_max) {
    SW_TRY(sw_csv_open(&r->csv, r->b->path, r->b->error));
    SW_TRY(read_header(r));
    SW_TRY(read_rows(r, rows_max));
    return r->b->late && !rows_max ? read_late(r) : SW_OK;
}

sw_status sw_frame_read_csv(sw_builder *b, uint64_t rows_max) {
    reading r = {.b = b};
    sw_status status = read_all(&r, rows_max);
    sw_csv_close(r.csv);
    sw_mem_free(r.columns);
    sw_mem_free(r.fields);
    return status;
}
