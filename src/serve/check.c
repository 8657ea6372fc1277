/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/check.h"

#include "base/csv.h"
#include "base/json.h"
#include "base/num.h"

#include <math.h>
#include <stdio.h>

enum { SHOWN_MAX = 5 };

/* What a column of the file is. */
typedef struct column {
    bool expected;
    int32_t feature; /* of the signature, where it is a feature */
    uint32_t output; /* of the model, and the element within its row, where it is expected */
    uint64_t element;
} column;

typedef struct check {
    const sw_signature *signature;
    sw_arena arena; /* the plan */
    sw_csv *csv;
    column *columns;
    size_t column_count;
} check;

/* ---- The header ---- */

static int32_t find_output(const sw_signature *signature, sw_str name) {
    for (uint32_t i = 0; i < signature->output_count; i++)
        if (sw_str_eq(signature->outputs[i].name, name))
            return (int32_t)i;
    return -1;
}

/* "=probabilities[1]" → output "probabilities", element 1. */
static bool parse_expected(column *out, const sw_signature *signature, sw_str field) {
    sw_str rest = {field.at + 1, field.len - 1};
    out->element = 0;
    int32_t whole = find_output(signature, rest);
    if (whole < 0 && rest.len && rest.at[rest.len - 1] == ']') {
        sw_str name = sw_str_split(&rest, '[');
        if (rest.len < 2 ||
            !sw_str_to_u64(&out->element, (sw_str){rest.at, rest.len - 1}, UINT32_MAX))
            return false;
        whole = find_output(signature, name);
    }
    out->expected = true;
    out->output = (uint32_t)whole;
    return whole >= 0;
}

static sw_status parse_column(column *out, const sw_signature *signature, sw_str field,
                              sw_error *error) {
    *out = (column){0};
    if (field.len && field.at[0] == '=') {
        if (parse_expected(out, signature, field))
            return SW_OK;
        return sw_fail(
            error, SW_CODE_INVALID,
            "check rows: column '%.*s' names no output of the model; its first output is "
            "'%.*s', so write =%.*s or =%.*s[0]",
            SW_STR_ARG(field), SW_STR_ARG(signature->outputs[0].name),
            SW_STR_ARG(signature->outputs[0].name), SW_STR_ARG(signature->outputs[0].name));
    }
    out->feature = sw_signature_find(signature, field);
    if (out->feature >= 0)
        return SW_OK;
    return sw_fail(
        error, SW_CODE_INVALID,
        "check rows: column '%.*s' is no feature of the model (columns with expected values "
        "begin with '=')",
        SW_STR_ARG(field));
}

static sw_status open_check(check *c, const sw_signature *signature, const char *path,
                            sw_error *error) {
    *c = (check){.signature = signature};
    SW_TRY(sw_csv_open(&c->csv, path, error));
    sw_csv_row header;
    SW_TRY(sw_csv_next(&header, c->csv, error));
    c->column_count = header.count;
    c->columns = sw_arena_zalloc(&c->arena, header.count + 1, sizeof *c->columns);
    if (!c->columns)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the check rows");
    bool expects = false;
    for (size_t i = 0; i < header.count; i++) {
        SW_TRY(parse_column(&c->columns[i], signature, sw_str_trim(header.fields[i]), error));
        expects = expects || c->columns[i].expected;
    }
    if (!expects)
        return sw_fail(error, SW_CODE_INVALID,
                       "check rows: no column with expected values: name one '=%.*s'",
                       SW_STR_ARG(signature->outputs[0].name));
    return SW_OK;
}

static void close_check(check *c) {
    sw_csv_close(c->csv);
    sw_arena_free(&c->arena);
}

sw_status sw_check_header(const sw_signature *signature, const char *csv_path, sw_error *error) {
    check c;
    sw_status status = open_check(&c, signature, csv_path, error);
    close_check(&c);
    return status;
}

/* ---- The rows ---- */

/* The row as the JSON object that an application would send. */
static void write_record(sw_buf *json, const check *c, const sw_csv_row *row) {
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    for (size_t i = 0; i < c->column_count; i++) {
        if (c->columns[i].expected)
            continue;
        const sw_feature *feature = &c->signature->features[c->columns[i].feature];
        sw_str value = sw_str_trim(row->fields[i]);
        double number;
        sw_json_key_of(&w, feature->name);
        if (c->signature->inputs[feature->input].dtype == SW_BYTES)
            sw_json_str(&w, value);
        else if (value.len == 0)
            sw_json_null(&w);
        else if (sw_num_parse_f64(&number, value) == SW_NUM_FITS)
            sw_json_raw(&w, value);
        else
            sw_json_str(&w, value);
    }
    sw_json_end_object(&w);
}

static bool agrees(const sw_tensor *output, size_t at, sw_str expected) {
    double want;
    if (output->dtype == SW_BYTES)
        return sw_str_eq(((sw_str *)output->data)[at], expected);
    double got = sw_tensor_f64(output, at);
    if (sw_num_parse_f64(&want, expected) != SW_NUM_FITS)
        return sw_str_is(expected, "nan") && isnan(got);
    return fabs(got - want) <= SW_CHECK_TOLERANCE + SW_CHECK_TOLERANCE * fabs(want);
}

static void say_difference(char *text, size_t cap, uint64_t row, const sw_tensor *output, size_t at,
                           sw_str expected) {
    if (output->dtype == SW_BYTES)
        snprintf(text, cap, "row %llu: %.*s is %.*s, expected %.*s", (unsigned long long)row,
                 SW_STR_ARG(output->name), SW_STR_ARG(((sw_str *)output->data)[at]),
                 SW_STR_ARG(expected));
    else
        snprintf(text, cap, "row %llu: %.*s[%zu] is %.6g, expected %.*s", (unsigned long long)row,
                 SW_STR_ARG(output->name), at, sw_tensor_f64(output, at), SW_STR_ARG(expected));
}

/* False, and says where, at the first expected value that the outputs do not show. */
static bool compare(char *text, size_t cap, const check *c, const sw_csv_row *row, uint64_t number,
                    const sw_tensor *outputs) {
    for (size_t i = 0; i < c->column_count; i++) {
        if (!c->columns[i].expected)
            continue;
        const sw_tensor *output = &outputs[c->columns[i].output];
        sw_str expected = sw_str_trim(row->fields[i]);
        if (c->columns[i].element >= output->count) {
            snprintf(text, cap, "row %llu: %.*s has %zu values, expected one at [%llu]",
                     (unsigned long long)number, SW_STR_ARG(output->name), output->count,
                     (unsigned long long)c->columns[i].element);
            return false;
        }
        if (!agrees(output, c->columns[i].element, expected)) {
            say_difference(text, cap, number, output, c->columns[i].element, expected);
            return false;
        }
    }
    return true;
}

static sw_status predict_row(sw_tensor *outputs, const sw_served *served, sw_str json,
                             sw_arena *arena, sw_error *error) {
    sw_records records;
    SW_TRY(sw_records_parse(&records, served->records, json, arena, error));
    return sw_model_run(outputs, served->model, records.inputs, arena, NULL, error);
}

typedef struct tally {
    uint64_t rows, wrong;
    char shown[SW_ERROR_BYTES - 256];
} tally;

static void note_wrong(tally *t, const char *text) {
    size_t used = strlen(t->shown);
    if (++t->wrong <= SHOWN_MAX)
        snprintf(t->shown + used, sizeof t->shown - used, "%s%s", used ? "; " : "", text);
}

static sw_status check_row(tally *t, check *c, const sw_served *served, const sw_csv_row *row,
                           sw_buf *json, sw_arena *arena, sw_error *error) {
    char text[256];
    if (row->count != c->column_count)
        return sw_fail(error, SW_CODE_INVALID,
                       "check rows: line %llu has %zu fields, the header has %zu",
                       (unsigned long long)row->line, row->count, c->column_count);
    sw_tensor *outputs = sw_arena_zalloc(arena, served->info->output_count, sizeof *outputs);
    sw_buf_clear(json);
    write_record(json, c, row);
    if (!outputs || json->failed)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the check rows");
    SW_TRY(sw_fail_within(predict_row(outputs, served, sw_buf_str(json), arena, error), error,
                          "check rows: row %llu", (unsigned long long)t->rows + 1));
    t->rows++;
    if (!compare(text, sizeof text, c, row, t->rows, outputs))
        note_wrong(t, text);
    return SW_OK;
}

static sw_status check_all(tally *t, check *c, const sw_served *served, sw_error *error) {
    sw_arena arena = {0};
    sw_buf json = {0};
    sw_csv_row row = {.count = 1};
    sw_status status = SW_OK;
    while (t->rows < SW_CHECK_ROWS_MAX) {
        status = sw_csv_next(&row, c->csv, error);
        if (sw_failed(status) || row.count == 0)
            break;
        status = check_row(t, c, served, &row, &json, &arena, error);
        if (sw_failed(status))
            break;
        sw_arena_reset(&arena);
    }
    sw_buf_free(&json);
    sw_arena_free(&arena);
    return status;
}

sw_status sw_check_rows(uint32_t *rows, const sw_served *served, const char *csv_path,
                        sw_error *error) {
    check c;
    tally t = {0};
    sw_status status = open_check(&c, &served->signature, csv_path, error);
    if (!sw_failed(status))
        status = check_all(&t, &c, served, error);
    close_check(&c);
    *rows = (uint32_t)t.rows;
    if (sw_failed(status) || t.wrong == 0)
        return status;
    return sw_fail(
        error, SW_CODE_REFUSED,
        "%.*s@%u disagrees with its check rows: %llu of %llu are off by more than %g. %s%s",
        SW_STR_ARG(served->model_name), served->version, (unsigned long long)t.wrong,
        (unsigned long long)t.rows, SW_CHECK_TOLERANCE, t.shown, t.wrong > SHOWN_MAX ? "; …" : "");
}
