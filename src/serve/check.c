/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/check.h"

#include "base/csv.h"
#include "base/json.h"
#include "base/num.h"

#include <math.h>
#include <stdio.h>

enum { SHOWN_MAX = 5, SAMPLE_MAX = 32 /* different rows */ };

/* What a column of the file is. */
typedef struct column {
    bool expected;
    int32_t feature; /* of the signature, where it is a feature */
    uint32_t output; /* of the model, and the element within its row, where it is expected */
    uint64_t element;
} column;

typedef struct check {
    const sw_signature *signature;
    const sw_records_plan *records;
    sw_arena arena; /* the columns, and the plan where it is not the version's */
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

/* Values that one row has in an output; UINT64_MAX where the model leaves that open. */
static uint64_t row_width(const sw_tensor_spec *output) {
    uint64_t width = 1;
    for (uint32_t d = 0; d < output->rank; d++) {
        if (output->shape[d] < 0 && d > 0)
            return UINT64_MAX;
        width *= output->shape[d] < 0 ? 1 : (uint64_t)output->shape[d];
    }
    return width;
}

static sw_status parse_column(column *out, const sw_signature *signature, sw_str field,
                              sw_error *error) {
    *out = (column){0};
    if (field.len && field.at[0] == '=') {
        if (parse_expected(out, signature, field)) {
            uint64_t width = row_width(&signature->outputs[out->output]);
            if (out->element < width)
                return SW_OK;
            return sw_fail(error, SW_CODE_INVALID,
                           "check rows: column '%.*s' is beyond the %llu values that the output "
                           "has in a row (they count from 0)",
                           SW_STR_ARG(field), (unsigned long long)width);
        }
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

static sw_status find_missing_column(const check *c, sw_error *error) {
    for (uint32_t f = 0; f < c->signature->feature_count; f++) {
        bool has = c->signature->features[f].optional;
        for (size_t i = 0; i < c->column_count && !has; i++)
            has = !c->columns[i].expected && c->columns[i].feature == (int32_t)f;
        if (!has)
            return sw_fail(error, SW_CODE_INVALID,
                           "check rows: there is no column for the feature '%.*s'",
                           SW_STR_ARG(c->signature->features[f].name));
    }
    return SW_OK;
}

static sw_status open_check(check *c, const sw_signature *signature, const char *path,
                            sw_error *error) {
    *c = (check){.signature = signature};
    SW_TRY(sw_csv_open(&c->csv, path, error));
    sw_csv_row header;
    SW_TRY(sw_fail_within(sw_csv_next(&header, c->csv, error), error, "check rows"));
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
    return find_missing_column(c, error);
}

static void close_check(check *c) {
    sw_csv_close(c->csv);
    sw_arena_free(&c->arena);
}

/* ---- The rows ---- */

/* What stands for no value in files of data. */
static bool is_missing(sw_str value) {
    static const char *const words[] = {"", "nan", "na", "n/a", "null", "none"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sw_str_eq_nocase(value, sw_str_of(words[i])))
            return true;
    return false;
}

/* 1 and 0 for true and false too, as dataframes write them; NaN for "nan". */
static bool read_expected(double *out, sw_str value) {
    bool yes = sw_str_eq_nocase(value, SW_STR("true"));
    *out = yes ? 1 : 0;
    if (yes || sw_str_eq_nocase(value, SW_STR("false")))
        return true;
    *out = NAN;
    return sw_str_eq_nocase(value, SW_STR("nan")) || sw_num_parse_f64(out, value) == SW_NUM_FITS;
}

static bool put_value(sw_json *w, sw_dtype dtype, sw_str value) {
    double number;
    if (dtype == SW_BYTES)
        sw_json_str(w, value);
    else if (is_missing(value))
        sw_json_null(w);
    else if (sw_num_parse_f64(&number, value) == SW_NUM_FITS)
        sw_json_raw(w, value);
    else if (read_expected(&number, value))
        sw_json_raw(w, number == 1 ? SW_STR("true") : SW_STR("false"));
    else
        return false;
    return true;
}

/* The row's features as the JSON object that an application would send. INVALID names the column
 * that holds no number where one has to be, among the expected values too. */
static sw_status write_record(sw_buf *json, const check *c, const sw_csv_row *row,
                              sw_error *error) {
    const sw_signature *s = c->signature;
    sw_json w = sw_json_to(json);
    if (row->count != c->column_count)
        return sw_fail(error, SW_CODE_INVALID,
                       "check rows: line %llu has %zu fields, the header has %zu",
                       (unsigned long long)row->line, row->count, c->column_count);
    sw_json_begin_object(&w);
    for (size_t i = 0; i < c->column_count; i++) {
        const column *at = &c->columns[i];
        const sw_feature *feature = at->expected ? NULL : &s->features[at->feature];
        sw_dtype dtype = feature ? s->inputs[feature->input].dtype : s->outputs[at->output].dtype;
        sw_str name = feature ? feature->name : s->outputs[at->output].name;
        sw_str value = sw_str_trim(row->fields[i]);
        double ignored;
        if (feature)
            sw_json_key_of(&w, name);
        if (feature ? !put_value(&w, dtype, value)
                    : dtype != SW_BYTES && !read_expected(&ignored, value))
            return sw_fail(error, SW_CODE_INVALID,
                           "check rows: line %llu, column '%s%.*s': '%.*s' is no number",
                           (unsigned long long)row->line, feature ? "" : "=", SW_STR_ARG(name),
                           (int)(value.len < 100 ? value.len : 100), value.at);
    }
    sw_json_end_object(&w);
    return json->failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the check rows")
                        : SW_OK;
}

static sw_status parse_record(sw_records *out, const check *c, sw_buf *json, const sw_csv_row *row,
                              sw_arena *arena, sw_error *error) {
    sw_buf_clear(json);
    SW_TRY(write_record(json, c, row, error));
    return sw_fail_within(sw_records_parse(out, c->records, sw_buf_str(json), arena, error), error,
                          "check rows: line %llu", (unsigned long long)row->line);
}

static bool agrees(const sw_tensor *output, size_t at, sw_str expected) {
    double want;
    if (output->dtype == SW_BYTES)
        return sw_str_eq(((sw_str *)output->data)[at], expected);
    double got = sw_tensor_f64(output, at);
    if (!read_expected(&want, expected))
        return false;
    if (isnan(want) || want == got)
        return isnan(want) == isnan(got);
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
    sw_records records;
    SW_TRY(parse_record(&records, c, json, row, arena, error));
    if (!served) {
        t->rows++;
        return SW_OK;
    }
    sw_tensor *outputs = sw_arena_zalloc(arena, served->info->output_count, sizeof *outputs);
    if (!outputs)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the check rows");
    SW_TRY(sw_fail_within(sw_model_run(outputs, served->model, records.inputs, arena, NULL, error),
                          error, "check rows: row %llu", (unsigned long long)t->rows + 1));
    t->rows++;
    if (!compare(text, sizeof text, c, row, t->rows, outputs))
        note_wrong(t, text);
    return SW_OK;
}

static sw_status too_many(sw_error *error) {
    return sw_fail(error, SW_CODE_TOO_LARGE,
                   "check rows: the file has more than %d rows, and each deploy would replay them "
                   "all: give fewer, such as a sample of a thousand",
                   SW_CHECK_ROWS_MAX);
}

/* `served` NULL: whether they can be replayed, not yet what comes of it. */
static sw_status check_all(tally *t, check *c, const sw_served *served, sw_error *error) {
    sw_arena arena = {0};
    sw_buf json = {0};
    sw_csv_row row = {.count = 1};
    sw_status status;
    for (;;) {
        status = sw_fail_within(sw_csv_next(&row, c->csv, error), error, "check rows");
        if (sw_failed(status) || row.count == 0)
            break;
        status = t->rows < SW_CHECK_ROWS_MAX ? SW_OK : too_many(error);
        if (!sw_failed(status))
            status = check_row(t, c, served, &row, &json, &arena, error);
        if (sw_failed(status))
            break;
        sw_arena_reset(&arena);
    }
    sw_buf_free(&json);
    sw_arena_free(&arena);
    return status;
}

static sw_status no_features(sw_error *error) {
    return sw_fail(error, SW_CODE_INVALID,
                   "check rows need named features, and the model's inputs are no columns: leave "
                   "the check rows out, or name the columns by a signature");
}

sw_status sw_check_file(const sw_signature *signature, const char *csv_path, sw_error *error) {
    check c;
    tally t = {0};
    sw_records_plan *plan = NULL;
    sw_status status = open_check(&c, signature, csv_path, error);
    if (!sw_failed(status))
        status = sw_records_plan_make(&plan, signature, &c.arena, error);
    c.records = plan;
    if (status.code == SW_CODE_UNSUPPORTED)
        status = no_features(error);
    if (!sw_failed(status))
        status = check_all(&t, &c, NULL, error);
    if (!sw_failed(status) && t.rows == 0)
        status = sw_fail(error, SW_CODE_INVALID, "check rows: the file has no rows");
    close_check(&c);
    return status;
}

/* The first rows as a list of records. */
static sw_status write_sample(sw_buf *list, check *c, size_t rows, sw_error *error) {
    sw_str seen[SAMPLE_MAX];
    sw_buf json = {0};
    sw_csv_row row;
    size_t count = 0;
    sw_status status = SW_OK;
    while (count < rows && count < SAMPLE_MAX) {
        status = sw_fail_within(sw_csv_next(&row, c->csv, error), error, "check rows");
        if (sw_failed(status) || row.count == 0)
            break;
        sw_buf_clear(&json);
        status = write_record(&json, c, &row, error);
        if (sw_failed(status))
            break;
        seen[count] = sw_arena_copy(&c->arena, sw_buf_str(&json));
        if (!seen[count++].at)
            status = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the check rows");
    }
    sw_buf_free(&json);
    SW_TRY(status);
    if (count == 0)
        return sw_fail(error, SW_CODE_INVALID, "check rows: the file has no rows");
    for (size_t i = 0; i < rows; i++) {
        sw_buf_add_char(list, i ? ',' : '[');
        sw_buf_add_str(list, seen[i % count]);
    }
    sw_buf_add_char(list, ']');
    return SW_OK;
}

static sw_status read_sample(sw_tensor *inputs, check *c, size_t rows, sw_arena *arena,
                             sw_error *error) {
    sw_buf list = {0};
    sw_records records;
    sw_status status = write_sample(&list, c, rows, error);
    sw_str body =
        sw_failed(status) || list.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&list));
    sw_buf_free(&list);
    SW_TRY(status);
    if (!body.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the check rows");
    SW_TRY(sw_records_parse(&records, c->records, body, arena, error));
    memcpy(inputs, records.inputs, records.input_count * sizeof *inputs);
    return SW_OK;
}

sw_status sw_check_sample(sw_tensor *inputs, size_t rows, const sw_served *served,
                          const char *csv_path, sw_arena *arena, sw_error *error) {
    check c;
    sw_status status = open_check(&c, &served->signature, csv_path, error);
    c.records = served->records;
    if (!sw_failed(status))
        status = served->records ? read_sample(inputs, &c, rows, arena, error) : no_features(error);
    close_check(&c);
    return status;
}

sw_status sw_check_rows(uint32_t *rows, const sw_served *served, const char *csv_path,
                        sw_error *error) {
    check c;
    tally t = {0};
    sw_status status = open_check(&c, &served->signature, csv_path, error);
    c.records = served->records;
    if (!sw_failed(status))
        status = served->records ? check_all(&t, &c, served, error) : no_features(error);
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
