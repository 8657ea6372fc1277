/* SPDX-License-Identifier: Apache-2.0 */
#include "data/frame.h"

#include "base/mem.h"
#include "data/frame_private.h"
#include "io/file.h"

#include <stdlib.h>

enum { FIRST_BYTES = 512, PLANNED_ROWS = 1000 };

typedef sw_status reader(sw_builder *b, uint64_t rows_max);

/* ---- Which kind of file ---- */

static bool starts(sw_str text, const char *bytes, size_t count) {
    return sw_str_starts(text, (sw_str){bytes, count});
}

static sw_status refuse_packed(sw_str first, const char *path, sw_error *error) {
    const char *name = starts(first, "\x1F\x8B", 2)           ? "gzip"
                       : starts(first, "\x28\xB5\x2F\xFD", 4) ? "zstd"
                       : starts(first, "PK\x03\x04", 4)       ? "zip"
                       : starts(first, "BZh", 3)              ? "bzip2"
                       : starts(first,
                                "\xFD"
                                "7zXZ",
                                5)
                           ? "xz"
                           : NULL;
    if (!name)
        return SW_OK;
    return sw_fail(error, SW_CODE_UNSUPPORTED,
                   "%s is packed with %s: unpack it first, or save it as Parquet, which is packed "
                   "within",
                   path, name);
}

sw_status sw_frame_format_of(sw_frame_format *out, const char *path, sw_error *error) {
    char bytes[FIRST_BYTES];
    size_t got;
    int fd;
    SW_TRY(sw_file_open_read(&fd, path, error));
    sw_status status = sw_file_read(&got, fd, bytes, sizeof bytes, path, error);
    sw_file_close(&fd);
    SW_TRY(status);
    sw_str first = {bytes, got};
    SW_TRY(refuse_packed(first, path, error));
    if (starts(first, "\xEF\xBB\xBF", 3))
        first = (sw_str){first.at + 3, first.len - 3};
    sw_str text = sw_str_trim(first);
    *out = starts(first, "PAR1", 4)                       ? SW_FRAME_PARQUET
           : starts(text, "{", 1) || starts(text, "[", 1) ? SW_FRAME_JSON
                                                          : SW_FRAME_CSV;
    return SW_OK;
}

static sw_status read_file(sw_builder *b, uint64_t rows_max) {
    static reader *const readers[] = {[SW_FRAME_CSV] = sw_frame_read_csv,
                                      [SW_FRAME_JSON] = sw_frame_read_json,
                                      [SW_FRAME_PARQUET] = sw_frame_read_parquet};
    sw_frame_format format;
    sw_file_facts facts;
    SW_TRY(sw_file_stat(&facts, b->path, b->error));
    if (facts.is_folder)
        return sw_fail(b->error, SW_CODE_INVALID, "%s is a folder: name a file in it", b->path);
    b->size_bytes = facts.size_bytes;
    SW_TRY(sw_frame_format_of(&format, b->path, b->error));
    return readers[format](b, rows_max);
}

/* ---- The whole ---- */

sw_status sw_frame_read(sw_frame *out, const char *path, const sw_frame_options *options,
                        sw_error *error) {
    sw_builder b;
    sw_builder_begin(&b, out, path, options, error);
    sw_status status = read_file(&b, 0);
    if (!sw_failed(status))
        status = sw_builder_end(&b);
    sw_builder_free(&b);
    if (sw_failed(status))
        sw_frame_free(out);
    return status;
}

static void forget_values(sw_column *column) {
    sw_mem_free(column->numbers);
    sw_mem_free(column->codes);
    sw_mem_free(column->words);
    column->numbers = NULL;
    column->codes = NULL;
    column->words = NULL;
    column->word_count = 0;
    column->missing = 0;
}

sw_status sw_frame_columns(sw_frame *out, const char *path, sw_error *error) {
    sw_builder b;
    sw_builder_begin(&b, out, path, NULL, error);
    sw_status status = read_file(&b, PLANNED_ROWS);
    out->rows = b.rows;
    if (b.rows == PLANNED_ROWS && b.bytes_read)
        out->rows = (uint64_t)((double)b.rows * (double)b.size_bytes / (double)b.bytes_read);
    for (size_t i = 0; i < out->column_count; i++)
        forget_values(&out->columns[i]);
    sw_builder_free(&b);
    if (sw_failed(status))
        sw_frame_free(out);
    return status;
}

void sw_frame_free(sw_frame *frame) {
    for (size_t i = 0; i < frame->column_count; i++)
        forget_values(&frame->columns[i]);
    sw_mem_free(frame->columns);
    sw_mem_free(frame->by_name);
    sw_arena_free(&frame->arena);
    *frame = (sw_frame){0};
}

const sw_column *sw_frame_find(const sw_frame *frame, sw_str name) {
    size_t from = 0, to = frame->column_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const sw_column *column = &frame->columns[frame->by_name[middle]];
        int order = sw_str_order(column->name, name);
        if (order == 0)
            return column;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}
