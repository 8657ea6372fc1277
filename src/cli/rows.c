/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rows_private.h"

#include "base/csv.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/slice_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { ROW_BYTES_MAX = 64 << 20, NAME_BYTES_MAX = 512 };

/* How a CSV field becomes a JSON value. */
typedef enum field_kind { FIELD_LEFT_OUT, FIELD_NUMBER, FIELD_BOOL, FIELD_TEXT } field_kind;

typedef struct field_plan {
    field_kind kind;
    char *key; /* the feature's name as a JSON string, quotes and all */
    char *name;
} field_plan;

struct sw_rows {
    const char *what; /* for messages */
    /* JSON */
    FILE *file; /* NULL where all of the text is in `text` */
    sw_buf text;
    size_t at;
    bool is_list, began, ended;
    uint64_t count;
    /* CSV */
    sw_csv *csv;
    bool positional; /* one row without a header */
    field_plan *fields;
    size_t field_count;
};

/* ---- Opening ---- */

/* NULL where memory is out. */
static sw_rows *make(const char *what) {
    sw_rows *rows = sw_mem_zalloc(1, sizeof *rows);
    if (rows)
        rows->what = what;
    return rows;
}

static sw_status out_of_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
}

void sw_rows_close(sw_rows *rows) {
    if (!rows)
        return;
    for (size_t i = 0; i < rows->field_count; i++) {
        free(rows->fields[i].key);
        sw_mem_free(rows->fields[i].name);
    }
    sw_mem_free(rows->fields);
    if (rows->csv)
        sw_csv_close(rows->csv);
    if (rows->file && rows->file != stdin)
        fclose(rows->file);
    sw_buf_free(&rows->text);
    sw_mem_free(rows);
}

/* One more line, so that rows which trickle in are seen as they come. False at the end. */
static bool read_line(sw_rows *rows) {
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = rows->file ? getline(&line, &cap, rows->file) : -1;
    if (len > 0)
        sw_buf_add(&rows->text, line, (size_t)len);
    free(line);
    return len > 0;
}

static sw_status read_all(sw_rows *rows, sw_error *error) {
    char piece[65536];
    size_t len;
    while ((len = fread(piece, 1, sizeof piece, rows->file)) > 0)
        sw_buf_add(&rows->text, piece, len);
    if (ferror(rows->file))
        return sw_fail(error, SW_CODE_IO, "%s: %s", rows->what, strerror(errno));
    return rows->text.failed ? out_of_memory(error) : SW_OK;
}

/* The first byte that says anything; 0 where there is none. Byte order marks are no news. */
static char sniff(sw_rows *rows) {
    do {
        for (; rows->at < rows->text.len; rows->at++) {
            if (rows->at == 0 && rows->text.len >= 3 &&
                memcmp(rows->text.at, "\xef\xbb\xbf", 3) == 0)
                rows->at = 3;
            if (rows->at < rows->text.len && !strchr(" \t\r\n", rows->text.at[rows->at]))
                return rows->text.at[rows->at];
        }
    } while (read_line(rows));
    return 0;
}

static sw_status open_csv(sw_rows *rows, const char *path, sw_error *error) {
    if (rows->file != stdin)
        return sw_csv_open(&rows->csv, path, error);
    SW_TRY(read_all(rows, error));
    return sw_csv_open_bytes(&rows->csv, sw_buf_str(&rows->text), error);
}

sw_status sw_rows_open(sw_rows **out, const char *path, sw_error *error) {
    bool is_stdin = strcmp(path, "-") == 0;
    sw_rows *rows = make(is_stdin ? "standard input" : path);
    sw_status status = SW_OK;
    *out = rows;
    if (!rows)
        return out_of_memory(error);
    rows->file = is_stdin ? stdin : fopen(path, "re");
    if (!rows->file) {
        status = sw_fail(error, errno == ENOENT ? SW_CODE_NOT_FOUND : SW_CODE_IO, "%s: %s", path,
                         strerror(errno));
    } else {
        char first = sniff(rows);
        if (!first)
            status = sw_fail(error, SW_CODE_INVALID, "%s holds no rows", rows->what);
        else if (first == '{' || first == '[')
            rows->is_list = first == '[';
        else
            status = open_csv(rows, path, error);
    }
    if (sw_failed(status)) {
        sw_rows_close(rows);
        *out = NULL;
    }
    return status;
}

sw_status sw_rows_open_json(sw_rows **out, sw_str text, const char *what, sw_error *error) {
    sw_rows *rows = make(what);
    *out = NULL;
    if (!rows)
        return out_of_memory(error);
    sw_buf_add_str(&rows->text, text);
    char first = sniff(rows);
    rows->is_list = first == '[';
    if (!rows->text.failed && (first == '{' || first == '[')) {
        *out = rows;
        return SW_OK;
    }
    sw_rows_close(rows);
    return sw_fail(error, SW_CODE_USAGE,
                   "%s takes a JSON object or a list of them, such as '{\"amount\": 3.5}'", what);
}

sw_status sw_rows_open_row(sw_rows **out, sw_str text, sw_error *error) {
    sw_rows *rows = make("--row");
    *out = NULL;
    if (!rows)
        return out_of_memory(error);
    rows->positional = true;
    sw_buf_add_str(&rows->text, text);
    sw_status status = rows->text.failed
                           ? out_of_memory(error)
                           : sw_csv_open_bytes(&rows->csv, sw_buf_str(&rows->text), error);
    if (sw_failed(status))
        sw_rows_close(rows);
    else
        *out = rows;
    return status;
}

bool sw_rows_needs_signature(const sw_rows *rows) {
    return rows->csv != NULL;
}

/* ---- Matching columns to features ---- */

/* A feature's input is named or numbered. */
static const char *datatype_of(const json_t *signature, const json_t *feature) {
    const json_t *inputs = json_object_get(signature, "inputs"),
                 *which = json_object_get(feature, "input");
    size_t i;
    json_t *input;
    json_array_foreach(inputs, i, input) {
        const char *name = json_string_value(json_object_get(input, "name"));
        bool this_one = json_is_string(which) ? name && strcmp(name, json_string_value(which)) == 0
                                              : (json_int_t)i == json_integer_value(which);
        const char *datatype = json_string_value(json_object_get(input, "datatype"));
        if (this_one && datatype)
            return datatype;
    }
    return "FP32";
}

static sw_status plan_field(field_plan *plan, const json_t *signature, const json_t *feature,
                            sw_error *error) {
    const json_t *name = json_object_get(feature, "name");
    const char *datatype = datatype_of(signature, feature);
    plan->kind = strcmp(datatype, "BYTES") == 0  ? FIELD_TEXT
                 : strcmp(datatype, "BOOL") == 0 ? FIELD_BOOL
                                                 : FIELD_NUMBER;
    plan->key = json_dumps(name, JSON_ENCODE_ANY);
    plan->name = sw_mem_copy(json_string_value(name), json_string_length(name));
    return plan->key && plan->name ? SW_OK : out_of_memory(error);
}

static const json_t *find_feature(const json_t *features, sw_str name) {
    size_t i;
    json_t *feature;
    json_array_foreach(features, i, feature) {
        const json_t *known = json_object_get(feature, "name");
        if (sw_str_eq((sw_str){json_string_value(known), json_string_length(known)}, name))
            return feature;
    }
    return NULL;
}

static sw_status match_header(sw_buf *left_out, sw_rows *rows, const json_t *signature,
                              const char *model, sw_error *error) {
    const json_t *features = json_object_get(signature, "features");
    sw_csv_row header;
    SW_TRY(sw_csv_next(&header, rows->csv, error));
    rows->fields = sw_mem_zalloc(header.count ? header.count : 1, sizeof *rows->fields);
    if (!rows->fields)
        return out_of_memory(error);
    size_t matched = 0;
    for (; rows->field_count < header.count; rows->field_count++) {
        sw_str name = sw_str_trim(header.fields[rows->field_count]);
        const json_t *feature = find_feature(features, name);
        if (feature) {
            matched++;
            SW_TRY(plan_field(&rows->fields[rows->field_count], signature, feature, error));
        } else if (!sw_str_starts(name, SW_STR("="))) {
            sw_buf_printf(left_out, "%s%.*s", left_out->len ? ", " : "", SW_STR_ARG(name));
        }
    }
    if (matched)
        return SW_OK;
    const char *first = json_string_value(json_object_get(json_array_get(features, 0), "name"));
    bool unnamed = first && strcmp(first, "x0") == 0;
    sw_str begins = header.count ? header.fields[0] : SW_STR("");
    return sw_fail(
        error, SW_CODE_INVALID,
        "%s: the first line names none of the features of %s. It begins with '%.*s', the "
        "features with '%s'%s",
        rows->what, model, SW_STR_ARG(begins), first ? first : "",
        unnamed ? ", as nothing has named them: push it with --profile train.csv" : "");
}

static sw_status match_positions(sw_rows *rows, const json_t *signature, sw_error *error) {
    const json_t *features = json_object_get(signature, "features");
    size_t count = json_array_size(features);
    rows->fields = sw_mem_zalloc(count ? count : 1, sizeof *rows->fields);
    if (!rows->fields)
        return out_of_memory(error);
    for (; rows->field_count < count; rows->field_count++)
        SW_TRY(plan_field(&rows->fields[rows->field_count], signature,
                          json_array_get(features, rows->field_count), error));
    return SW_OK;
}

sw_status sw_rows_match(sw_buf *left_out, sw_rows *rows, const json_t *signature, const char *model,
                        sw_error *error) {
    if (!json_array_size(json_object_get(signature, "features")))
        return sw_fail(error, SW_CODE_INVALID,
                       "%s takes whole tensors rather than named features: send it POST "
                       "/v2/models/…/infer",
                       model);
    return rows->positional ? match_positions(rows, signature, error)
                            : match_header(left_out, rows, signature, model, error);
}

/* ---- CSV rows ---- */

static bool is_missing(sw_str text) {
    static const char *const words[] = {"", "nan", "na", "n/a", "null", "none", "?"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (sw_str_eq_nocase(text, sw_str_of(words[i])))
            return true;
    return false;
}

/* A number in JSON's grammar goes through as it is; ".5" and "+1" are put right. */
static bool add_number(sw_buf *out, sw_str text) {
    double value;
    if (sw_num_parse_f64(&value, text) == SW_NUM_FITS) {
        sw_buf_add_str(out, text);
        return true;
    }
    char copy[64], *end = NULL, digits[SW_NUM_BYTES];
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    value = strtod(copy, &end);
    if (end == copy || *end || !(value - value == 0)) /* infinity and NaN too */
        return false;
    sw_buf_add(out, digits, sw_num_print_f64(digits, value));
    return true;
}

static bool add_bool(sw_buf *out, sw_str text) {
    bool yes = sw_str_eq_nocase(text, SW_STR("true")) || sw_str_is(text, "1");
    bool no = sw_str_eq_nocase(text, SW_STR("false")) || sw_str_is(text, "0");
    sw_buf_add_str(out, yes ? SW_STR("true") : SW_STR("false"));
    return yes || no;
}

static bool add_text(sw_buf *out, sw_str text) {
    json_t *string = json_stringn(text.at ? text.at : "", text.len);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    json_decref(string);
    if (quoted)
        sw_buf_add(out, quoted, strlen(quoted));
    free(quoted);
    return quoted != NULL;
}

static sw_status add_field(sw_buf *out, const sw_rows *rows, const field_plan *plan, sw_str text,
                           uint64_t line, sw_error *error) {
    if (plan->kind == FIELD_TEXT) {
        if (!add_text(out, text))
            return out_of_memory(error);
        return SW_OK;
    }
    text = sw_str_trim(text);
    bool fits = true;
    if (is_missing(text))
        sw_buf_add_lit(out, "null");
    else
        fits = plan->kind == FIELD_BOOL ? add_bool(out, text) : add_number(out, text);
    if (fits)
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID, "%s, line %llu, %s: '%.*s' is no %s", rows->what,
                   (unsigned long long)line, plan->name, (int)(text.len < 60 ? text.len : 60),
                   text.at, plan->kind == FIELD_BOOL ? "true or false" : "number");
}

static sw_status next_csv(bool *more, sw_buf *out, sw_rows *rows, sw_error *error) {
    sw_csv_row row;
    SW_TRY(sw_csv_next(&row, rows->csv, error));
    *more = row.count > 0;
    if (!*more)
        return SW_OK;
    if (row.count != rows->field_count && rows->positional)
        return sw_fail(error, SW_CODE_USAGE, "--row has %zu values, the model takes %zu: %s, …",
                       row.count, rows->field_count, rows->field_count ? rows->fields[0].name : "");
    if (row.count != rows->field_count)
        return sw_fail(error, SW_CODE_INVALID, "%s, line %llu: %zu fields, the first line has %zu",
                       rows->what, (unsigned long long)row.line, row.count, rows->field_count);
    bool first = true;
    sw_buf_add_char(out, '{');
    for (size_t i = 0; i < row.count; i++) {
        const field_plan *plan = &rows->fields[i];
        if (plan->kind == FIELD_LEFT_OUT)
            continue;
        sw_buf_printf(out, "%s%s:", first ? "" : ",", plan->key);
        SW_TRY(add_field(out, rows, plan, row.fields[i], row.line, error));
        first = false;
    }
    sw_buf_add_char(out, '}');
    return SW_OK;
}

/* ---- JSON rows ---- */

/* Moves the unread half to the front, not more often than it halves. */
static void forget_read(sw_rows *rows) {
    if (rows->at * 2 < rows->text.len)
        return;
    memmove(rows->text.at, rows->text.at + rows->at, rows->text.len - rows->at);
    rows->text.len -= rows->at;
    rows->at = 0;
}

/* Stands on the next row's first byte, or says that there is none. */
static sw_status find_row(bool *more, sw_rows *rows, sw_error *error) {
    *more = false;
    if (rows->is_list && !rows->began)
        rows->at++; /* the opening bracket */
    bool comma = rows->is_list && rows->began;
    rows->began = true;
    char first = rows->ended ? 0 : sniff(rows);
    if (rows->is_list && first == ']') {
        rows->ended = true;
        return SW_OK;
    }
    if (comma && first == ',') {
        rows->at++;
        first = sniff(rows);
    }
    if (!first && rows->is_list && !rows->ended)
        return sw_fail(error, SW_CODE_INVALID, "%s ends within its list, behind row %llu",
                       rows->what, (unsigned long long)rows->count);
    if (first && first != '{')
        return sw_fail(
            error, SW_CODE_INVALID,
            "%s, row %llu: an object of named values is needed, such as {\"amount\": 3.5}; "
            "it begins with '%c'",
            rows->what, (unsigned long long)rows->count + 1, first);
    *more = first != 0;
    return SW_OK;
}

static sw_status next_json(bool *more, sw_buf *out, sw_rows *rows, sw_error *error) {
    SW_TRY(find_row(more, rows, error));
    if (!*more)
        return SW_OK;
    const char *end = NULL;
    size_t tried = 0; /* another try pays once the text has doubled, or is whole */
    for (bool grew = true; !end && grew;) {
        while (grew && rows->text.len - rows->at < tried * 2)
            grew = read_line(rows);
        end = sw_slice_skip(rows->text.at + rows->at, rows->text.at + rows->text.len);
        tried = rows->text.len - rows->at;
        if (!end && tried > ROW_BYTES_MAX)
            return sw_fail(error, SW_CODE_TOO_LARGE, "%s, row %llu is longer than 64 MB",
                           rows->what, (unsigned long long)rows->count + 1);
        if (!end && grew)
            grew = read_line(rows);
    }
    if (rows->text.failed)
        return out_of_memory(error);
    if (!end)
        return sw_fail(error, SW_CODE_INVALID, "%s ends within row %llu", rows->what,
                       (unsigned long long)rows->count + 1);
    size_t len = (size_t)(end - rows->text.at) - rows->at;
    sw_buf_add(out, rows->text.at + rows->at, len);
    rows->at += len;
    rows->count++;
    forget_read(rows);
    return SW_OK;
}

sw_status sw_rows_next(bool *more, sw_buf *out, sw_rows *rows, sw_error *error) {
    return rows->csv ? next_csv(more, out, rows, error) : next_json(more, out, rows, error);
}
