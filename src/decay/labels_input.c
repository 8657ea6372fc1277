/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/labels_input.h"

#include "base/csv.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"

#include <math.h>

/* A row of CSV that is not whole after as many bytes is none. */
#define HELD_BYTES_MAX ((size_t)SW_CSV_ROW_BYTES_MAX)

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the labels");
}

/* ---- JSON ---- */

static bool read_text(sw_json_reader *in, sw_str *out, const char *what) {
    const char *at = in->at;
    sw_json_read_space(in);
    switch (sw_json_read_peek(in)) {
    case SW_JSON_STRING: return sw_json_read_str(in, out);
    case SW_JSON_NUMBER:
    case SW_JSON_TRUE:
    case SW_JSON_FALSE:
        at = in->at;
        if (!sw_json_read_skip(in))
            return false;
        *out = (sw_str){at, (size_t)(in->at - at)};
        return true;
    default: return sw_json_read_fail(in, at, "\"%s\" should be a string or a number", what);
    }
}

static bool read_label(sw_json_reader *in, sw_label *label) {
    sw_str key;
    sw_json_read_space(in);
    const char *start = in->at;
    *label = (sw_label){0};
    if (!sw_json_read_object(in))
        return false;
    while (sw_json_read_key(in, &key)) {
        bool good = sw_str_is(key, "id")      ? read_text(in, &label->id, "id")
                    : sw_str_is(key, "label") ? read_text(in, &label->label, "label")
                    : sw_str_is(key, "at_ms") ? sw_json_read_ms(in, &label->at_ms)
                                              : sw_json_read_fail(in, in->at,
                                                                  "unknown key '%.*s': a label has "
                                                                  "\"id\", \"label\" and \"at_ms\"",
                                                                  SW_STR_ARG(key));
        if (!good)
            return false;
    }
    if (!sw_failed(in->status) && (!label->id.at || !label->label.at))
        return sw_json_read_fail(in, start, "a label needs \"id\" and \"label\"");
    return !sw_failed(in->status);
}

typedef struct gathered {
    sw_label *at;
    size_t count, cap;
} gathered;

static bool add_label(sw_json_reader *in, gathered *g) {
    if (g->count == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 64;
        sw_label *more = sw_mem_realloc(g->at, cap * sizeof *more);
        if (!more)
            return sw_json_read_no_memory(in);
        g->at = more;
        g->cap = cap;
    }
    return read_label(in, &g->at[g->count]) && ++g->count;
}

static bool read_list(sw_json_reader *in, gathered *g) {
    if (!sw_json_read_array(in))
        return false;
    while (sw_json_read_item(in))
        if (!add_label(in, g))
            return false;
    return !sw_failed(in->status);
}

/* Its only key is "labels". */
static bool is_wrapper(const sw_json_reader *in) {
    sw_json_reader ahead = *in;
    sw_str key;
    ahead.error = NULL;
    return sw_json_read_object(&ahead) && sw_json_read_key(&ahead, &key) &&
           sw_str_is(key, "labels");
}

static void read_body(sw_json_reader *in, gathered *g) {
    sw_str key;
    if (sw_json_read_peek(in) == SW_JSON_ARRAY) {
        read_list(in, g);
    } else if (sw_json_read_peek(in) == SW_JSON_OBJECT && is_wrapper(in)) {
        sw_json_read_object(in);
        sw_json_read_key(in, &key);
        if (read_list(in, g) && sw_json_read_key(in, &key))
            sw_json_read_fail(in, in->at, "unknown key '%.*s' beside \"labels\"", SW_STR_ARG(key));
    } else {
        /* One, or a line each. */
        while (add_label(in, g) && sw_json_read_peek(in) == SW_JSON_OBJECT)
            ;
    }
}

sw_status sw_labels_read_json(sw_str body, sw_labels_take *take, void *context, sw_error *error) {
    sw_arena arena = {0};
    sw_json_reader in;
    gathered g = {0};
    sw_json_read_init(&in, body, &arena, error);
    read_body(&in, &g);
    sw_status status = sw_json_read_end(&in);
    for (size_t i = 0, n; !sw_failed(status) && i < g.count; i += n) {
        n = g.count - i < SW_LABELS_BATCH_MAX ? g.count - i : SW_LABELS_BATCH_MAX;
        status = take(g.at + i, n, context, error);
    }
    sw_mem_free(g.at);
    sw_arena_free(&arena);
    return status;
}

/* ---- CSV ---- */

static int32_t find_column(const sw_csv_row *row, sw_str name) {
    for (size_t i = 0; i < row->count; i++)
        if (sw_str_eq(sw_str_trim(row->fields[i]), name))
            return (int32_t)i;
    return -1;
}

static sw_status read_header(sw_labels_csv *csv, const sw_csv_row *row, sw_error *error) {
    sw_str id = csv->id_column.len ? csv->id_column : SW_STR("id");
    sw_str label = csv->label_column.len ? csv->label_column : SW_STR("label");
    csv->id_at = find_column(row, id);
    csv->label_at = find_column(row, label);
    csv->at_at = find_column(row, SW_STR("at_ms"));
    csv->begun = true;
    sw_str missing = csv->id_at < 0 ? id : label;
    if (csv->id_at >= 0 && csv->label_at >= 0)
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID,
                   "the file has no column '%.*s': its first line must name the columns, and "
                   "id_column and label_column say which of them are the prediction's id and the "
                   "label",
                   SW_STR_ARG(missing));
}

static sw_status read_fields(sw_label *out, const sw_labels_csv *csv, const sw_csv_row *row,
                             sw_arena *arena, sw_error *error) {
    uint64_t line = csv->lines + row->line;
    if ((int32_t)row->count <= csv->id_at || (int32_t)row->count <= csv->label_at)
        return sw_fail(error, SW_CODE_INVALID, "line %llu has %zu fields, fewer than the header",
                       (unsigned long long)line, row->count);
    *out = (sw_label){.id = sw_arena_copy(arena, sw_str_trim(row->fields[csv->id_at])),
                      .label = sw_arena_copy(arena, sw_str_trim(row->fields[csv->label_at]))};
    if (!out->id.at || !out->label.at)
        return no_memory(error);
    sw_str at = csv->at_at >= 0 && (int32_t)row->count > csv->at_at
                    ? sw_str_trim(row->fields[csv->at_at])
                    : (sw_str){0};
    double at_ms = 0;
    if (at.len && (sw_num_parse_f64(&at_ms, at) != SW_NUM_FITS || !(fabs(at_ms) < 0x1p53)))
        return sw_fail(error, SW_CODE_INVALID,
                       "line %llu: at_ms '%.*s' is no number of milliseconds since 1970",
                       (unsigned long long)line, SW_STR_ARG(at));
    out->at_ms = (int64_t)floor(at_ms);
    if (out->id.len && out->label.len)
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID, "line %llu: the %s is empty", (unsigned long long)line,
                   out->id.len ? "label" : "id");
}

typedef struct batch {
    sw_label *labels;
    size_t count;
    sw_arena arena;
} batch;

static sw_status give(batch *b, sw_labels_csv *csv, sw_error *error) {
    sw_status status = b->count ? csv->take(b->labels, b->count, csv->context, error) : SW_OK;
    b->count = 0;
    sw_arena_reset(&b->arena);
    return status;
}

static sw_status read_rows(batch *b, sw_labels_csv *csv, sw_csv *reader, sw_error *error) {
    sw_csv_row row;
    for (;;) {
        SW_TRY(sw_csv_next(&row, reader, error));
        if (row.count == 0)
            return give(b, csv, error);
        if (!csv->begun) {
            SW_TRY(read_header(csv, &row, error));
            continue;
        }
        SW_TRY(read_fields(&b->labels[b->count], csv, &row, &b->arena, error));
        if (++b->count == SW_LABELS_BATCH_MAX)
            SW_TRY(give(b, csv, error));
    }
}

static sw_status read_whole_rows(sw_labels_csv *csv, sw_str bytes, sw_error *error) {
    batch b = {.labels = sw_mem_alloc(SW_LABELS_BATCH_MAX * sizeof *b.labels)};
    sw_csv *reader;
    if (!b.labels)
        return no_memory(error);
    sw_status status = sw_csv_open_bytes(&reader, bytes, error);
    if (!sw_failed(status)) {
        status = read_rows(&b, csv, reader, error);
        sw_csv_close(reader);
    }
    for (size_t i = 0; i < bytes.len; i++)
        csv->lines += bytes.at[i] == '\n';
    sw_mem_free(b.labels);
    sw_arena_free(&b.arena);
    return status;
}

/* Bytes up to the last line break outside of quotes. As in base/csv.h a quote opens its field only
 * as the field's first character. */
static size_t whole_rows(sw_str bytes) {
    size_t end = 0;
    bool quoted = false, begins = true;
    for (size_t i = sw_str_starts(bytes, SW_STR("\xEF\xBB\xBF")) ? 3 : 0; i < bytes.len; i++) {
        char c = bytes.at[i];
        if (quoted) {
            bool doubled = c == '"' && i + 1 < bytes.len && bytes.at[i + 1] == '"';
            i += doubled;
            quoted = doubled || c != '"';
            continue;
        }
        quoted = begins && c == '"';
        begins = c == ',' || c == '\n';
        if (c == '\n')
            end = i + 1;
    }
    return end;
}

sw_status sw_labels_csv_add(sw_labels_csv *csv, sw_str bytes, bool last, sw_error *error) {
    sw_buf_add_str(&csv->held, bytes);
    if (csv->held.failed)
        return no_memory(error);
    sw_str all = sw_buf_str(&csv->held);
    size_t used = last ? all.len : whole_rows(all);
    if (used <= (size_t)csv->continues && all.len > HELD_BYTES_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "line %llu is longer than %d bytes: is a quote missing?",
                       (unsigned long long)csv->lines + 1, SW_CSV_ROW_BYTES_MAX);
    if (used > (size_t)csv->continues)
        SW_TRY(read_whole_rows(csv, (sw_str){all.at, used}, error));
    else
        used = 0;
    if (last && !csv->begun)
        return sw_fail(error, SW_CODE_INVALID,
                       "the file is empty: its first line must name the columns");
    if (used == 0)
        return SW_OK;
    /* An empty line goes before what follows: only a file may begin with a byte order mark. */
    memmove(csv->held.at + 1, csv->held.at + used, all.len - used);
    csv->held.at[0] = '\n';
    csv->held.len = all.len - used + 1;
    csv->lines--;
    csv->continues = true;
    return SW_OK;
}

void sw_labels_csv_free(sw_labels_csv *csv) {
    sw_buf_free(&csv->held);
}
