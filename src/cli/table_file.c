/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/table_file.h"

#include "base/csv.h"
#include "base/num.h"
#include "data/frame.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { WRITE_BYTES = 1 << 20 };

static void put_value(sw_buf *out, const sw_column *column, uint64_t row) {
    char digits[SW_NUM_BYTES];
    if (column->type == SW_COLUMN_TEXT && column->codes[row] != SW_TEXT_MISSING)
        sw_csv_put(out, column->words[column->codes[row]]);
    if (column->type == SW_COLUMN_NUMBER && !isnan(column->numbers[row]))
        sw_buf_add(out, digits, sw_num_print_f64(digits, column->numbers[row]));
}

/* A line alone must not be empty: it would be no row. */
static void put_row(sw_buf *out, const sw_frame *frame, uint64_t row) {
    size_t start = out->len;
    for (size_t c = 0; c < frame->column_count; c++) {
        if (c)
            sw_buf_add_char(out, ',');
        put_value(out, &frame->columns[c], row);
    }
    if (out->len == start)
        sw_buf_add(out, "\"\"", 2);
    sw_buf_add_char(out, '\n');
}

static bool flush(sw_buf *rows, FILE *to, size_t beyond) {
    if (rows->len <= beyond)
        return !rows->failed;
    bool written = !rows->failed && fwrite(rows->at, 1, rows->len, to) == rows->len;
    sw_buf_clear(rows);
    return written;
}

static bool write_all(FILE *to, const sw_frame *frame) {
    sw_buf rows = {0};
    for (size_t c = 0; c < frame->column_count; c++) {
        if (c)
            sw_buf_add_char(&rows, ',');
        sw_csv_put(&rows, frame->columns[c].name);
    }
    sw_buf_add_char(&rows, '\n');
    bool good = true;
    for (uint64_t i = 0; good && i < frame->rows; i++) {
        put_row(&rows, frame, i);
        good = flush(&rows, to, WRITE_BYTES);
    }
    good = good && flush(&rows, to, 0) && fflush(to) == 0 && fseek(to, 0, SEEK_SET) == 0;
    sw_buf_free(&rows);
    return good;
}

static sw_status fail_write(const char *path, sw_error *error) {
    return sw_fail(error, SW_CODE_IO, "%s cannot be written again as CSV, to send it: %s", path,
                   strerror(errno));
}

static sw_status convert(FILE **out, const char *path, sw_error *error) {
    sw_frame frame;
    FILE *file = tmpfile();
    if (!file)
        return fail_write(path, error);
    sw_status status = sw_frame_read(&frame, path, NULL, error);
    if (!sw_failed(status)) {
        if (!write_all(file, &frame))
            status = fail_write(path, error);
        sw_frame_free(&frame);
    }
    if (sw_failed(status))
        fclose(file);
    else
        *out = file;
    return status;
}

sw_status sw_table_file_as_csv(FILE **file, const char *path, sw_error *error) {
    sw_frame_format format;
    FILE *csv = NULL;
    SW_TRY(sw_frame_format_of(&format, path, error));
    if (format == SW_FRAME_CSV)
        return SW_OK;
    SW_TRY(convert(&csv, path, error));
    fclose(*file);
    *file = csv;
    return SW_OK;
}
