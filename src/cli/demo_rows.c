/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/demo_private.h"

enum { ROWS_MAX = 1024, NAME_BYTES = 48 };

/* Where a CSV column goes: a feature by its place, the label, the expected probability. */
typedef struct csv_columns {
    size_t count, label, expected;
} csv_columns;

static sw_status read_header(csv_columns *out, sw_demo_rows *rows, sw_csv *csv, sw_error *error) {
    sw_csv_row header;
    SW_TRY(sw_csv_next(&header, csv, error));
    if (header.count <= SW_DEMO_COLUMNS)
        return sw_fail(error, SW_CODE_INVALID, "the example's CSV has too few columns");
    *out = (csv_columns){.count = header.count, .label = SW_DEMO_COLUMNS, .expected = header.count};
    for (size_t i = SW_DEMO_COLUMNS; i < header.count; i++)
        if (sw_str_starts(header.fields[i], SW_STR("=probabilities")))
            out->expected = i;
    for (size_t i = 0; i < SW_DEMO_COLUMNS; i++)
        snprintf(rows->names[i], NAME_BYTES, "%.*s", SW_STR_ARG(header.fields[i]));
    return SW_OK;
}

static double number(sw_str field) {
    double value = 0;
    return sw_num_parse_f64(&value, field) == SW_NUM_FITS ? value : 0;
}

static sw_status read_rows(sw_demo_rows *rows, sw_csv *csv, sw_error *error) {
    csv_columns columns = {0};
    SW_TRY(read_header(&columns, rows, csv, error));
    for (;;) {
        sw_csv_row row;
        SW_TRY(sw_csv_next(&row, csv, error));
        if (row.count == 0)
            return SW_OK;
        if (row.count != columns.count || rows->count == ROWS_MAX)
            return sw_fail(error, SW_CODE_INVALID, "the example's CSV is damaged");
        for (size_t i = 0; i < SW_DEMO_COLUMNS; i++)
            rows->x[rows->count][i] = number(row.fields[i]);
        rows->label[rows->count] = number(row.fields[columns.label]);
        if (columns.expected < columns.count)
            rows->expected[rows->count] = number(row.fields[columns.expected]);
        rows->count++;
    }
}

sw_str sw_demo_file(const char *name) {
    for (const sw_embedded *file = sw_examples; file->name; file++)
        if (strcmp(file->name, name) == 0)
            return (sw_str){file->plain.at, (size_t)(file->plain.end - file->plain.at)};
    return (sw_str){NULL, 0};
}

sw_status sw_demo_rows_read(sw_demo_rows *out, const char *file, sw_error *error) {
    *out = (sw_demo_rows){
        .x = sw_mem_zalloc(ROWS_MAX, sizeof *out->x),
        .label = sw_mem_zalloc(ROWS_MAX, sizeof *out->label),
        .expected = sw_mem_zalloc(ROWS_MAX, sizeof *out->expected),
        .names = sw_mem_zalloc(SW_DEMO_COLUMNS, sizeof *out->names),
    };
    sw_csv *csv = NULL;
    sw_status status = out->x && out->label && out->expected && out->names
                           ? sw_csv_open_bytes(&csv, sw_demo_file(file), error)
                           : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
    if (!sw_failed(status)) {
        status = read_rows(out, csv, error);
        sw_csv_close(csv);
    }
    if (sw_failed(status))
        sw_demo_rows_free(out);
    return status;
}

void sw_demo_rows_free(sw_demo_rows *rows) {
    sw_mem_free(rows->x);
    sw_mem_free(rows->label);
    sw_mem_free(rows->expected);
    sw_mem_free(rows->names);
    *rows = (sw_demo_rows){0};
}

void sw_demo_rows_stretch(sw_demo_rows *rows, double factor) {
    for (size_t i = 0; i < SW_DEMO_COLUMNS; i++) {
        bool length = strstr(rows->names[i], "radius") || strstr(rows->names[i], "perimeter");
        double by = length ? factor : strstr(rows->names[i], "area") ? factor * factor : 1;
        for (size_t row = 0; row < rows->count; row++)
            rows->x[row][i] *= by;
    }
}

static void add_number(sw_buf *out, double value) {
    char digits[SW_NUM_BYTES];
    sw_buf_add(out, digits, sw_num_print_f32(digits, (float)value));
}

void sw_demo_write_infer(sw_buf *out, const sw_demo_rows *rows, size_t first, size_t count) {
    sw_buf_printf(
        out,
        "{\"inputs\":[{\"name\":\"features\",\"datatype\":\"FP32\",\"shape\":[%zu,%d],\"data\":[",
        count, SW_DEMO_COLUMNS);
    for (size_t row = 0; row < count; row++)
        for (size_t i = 0; i < SW_DEMO_COLUMNS; i++) {
            if (row || i)
                sw_buf_add_char(out, ',');
            add_number(out, rows->x[(first + row) % rows->count][i]);
        }
    sw_buf_add_lit(out, "]}]}");
}

void sw_demo_write_records(sw_buf *out, const sw_demo_rows *rows, size_t first, size_t count) {
    for (size_t row = 0; row < count; row++) {
        sw_buf_printf(out, "%s{", row ? "," : "[");
        for (size_t i = 0; i < SW_DEMO_COLUMNS; i++) {
            sw_buf_printf(out, "%s\"%s\":", i ? "," : "", rows->names[i]);
            add_number(out, rows->x[(first + row) % rows->count][i]);
        }
        sw_buf_add_char(out, '}');
    }
    sw_buf_add_char(out, ']');
}

static sw_status read_pairs(double *to, size_t count, const json_t *data, sw_error *error) {
    if (json_array_size(data) != 2 * count)
        return sw_fail(error, SW_CODE_INVALID,
                       "the answer holds no two probabilities for each row");
    for (size_t i = 0; i < count; i++)
        to[i] = json_number_value(json_array_get(data, 2 * i + 1));
    return SW_OK;
}

sw_status sw_demo_read_infer(double *to, size_t count, sw_str body, sw_error *error) {
    json_t *answer = json_loadb(body.at, body.len, 0, NULL), *output;
    sw_status status = sw_fail(error, SW_CODE_INVALID, "the answer has no output 'probabilities'");
    size_t i;
    json_array_foreach(json_object_get(answer, "outputs"), i, output) {
        if (strcmp(sw_js_text(output, "name"), "probabilities") == 0)
            status = read_pairs(to, count, json_object_get(output, "data"), error);
    }
    json_decref(answer);
    return status;
}

sw_status sw_demo_read_records(double *to, size_t count, sw_str body, sw_error *error) {
    json_t *answer = json_loadb(body.at, body.len, 0, NULL);
    const json_t *predictions = json_object_get(answer, "predictions");
    sw_status status = SW_OK;
    if (json_array_size(predictions) != count)
        status = sw_fail(error, SW_CODE_INVALID, "the answer holds %zu of %zu predictions",
                         json_array_size(predictions), count);
    for (size_t i = 0; i < count && !sw_failed(status); i++) {
        const json_t *pair = json_object_get(json_array_get(predictions, i), "probabilities");
        status = read_pairs(&to[i], 1, pair, error);
    }
    json_decref(answer);
    return status;
}
