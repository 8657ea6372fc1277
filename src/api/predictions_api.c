/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/predictions: what was logged, as CSV or JSON Lines. */
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"

#include <math.h>

enum { LIMIT_MAX = 100000000, PIECE_BYTES = 128 << 10 };

typedef struct exporting {
    sw_exchange *exchange;
    sw_buf out;
    const sw_plog_column *columns; /* of the header that was written */
    uint32_t column_count;
    uint64_t left;
    bool csv, begun, gone;
    sw_arena arena;
} exporting;

/* Outputs are printed in full, so that what is computed from the file is what is computed here. */
static void put_csv_number(sw_buf *out, double value, sw_plog_type type, bool output) {
    char text[SW_NUM_BYTES];
    if (isnan(value))
        return;
    bool whole = (type == SW_PLOG_I64 || type == SW_PLOG_MASKED) && fabs(value) < 0x1p63;
    sw_buf_add(out, text,
               whole                            ? sw_num_print_i64(text, (int64_t)value)
               : type == SW_PLOG_F32 && !output ? sw_num_print_f32(text, (float)value)
                                                : sw_num_print_f64(text, value));
}

/* Names that no feature or output has, most likely: many have an "id", a "weight" or a "label". */
static void put_csv_header(sw_buf *out, const sw_plog_rows *rows) {
    sw_buf_add_lit(out, "predicted_at_ms,prediction_id,sample_weight");
    for (uint32_t c = 0; c < rows->column_count; c++) {
        sw_buf_add_char(out, ',');
        sw_csv_put(out, rows->columns[c].name);
    }
    sw_buf_add_lit(out, ",true_label\n");
}

static void put_csv_row(sw_buf *out, const sw_plog_rows *rows, size_t row) {
    put_csv_number(out, (double)rows->at_ms[row], SW_PLOG_I64, false);
    sw_buf_add_char(out, ',');
    sw_csv_put(out, rows->ids[row]);
    sw_buf_add_char(out, ',');
    put_csv_number(out, rows->weights[row], SW_PLOG_F64, false);
    for (uint32_t c = 0; c < rows->column_count; c++) {
        sw_buf_add_char(out, ',');
        if (rows->numbers[c])
            put_csv_number(out, rows->numbers[c][row], rows->columns[c].type,
                           rows->columns[c].output);
        else
            sw_csv_put(out, rows->texts[c][row]);
    }
    sw_buf_add_char(out, ',');
    sw_csv_put(out, rows->labels[row]);
    sw_buf_add_char(out, '\n');
}

static void put_json_value(sw_json *w, const sw_plog_rows *rows, uint32_t column, size_t row) {
    sw_json_key_of(w, rows->columns[column].name);
    if (!rows->numbers[column]) {
        sw_json_str(w, rows->texts[column][row]);
        return;
    }
    double value = rows->numbers[column][row];
    if (rows->columns[column].type == SW_PLOG_F32)
        sw_json_f32(w, (float)value);
    else if (rows->columns[column].type == SW_PLOG_F64)
        sw_json_f64(w, value);
    else
        sw_json_i64(w, (int64_t)value);
}

static void put_json_part(sw_json *w, const char *key, const sw_plog_rows *rows, bool output,
                          size_t row) {
    sw_json_key(w, key);
    sw_json_begin_object(w);
    for (uint32_t c = 0; c < rows->column_count; c++)
        if (rows->columns[c].output == output)
            put_json_value(w, rows, c, row);
    sw_json_end_object(w);
}

static void put_json_row(sw_buf *out, const sw_plog_rows *rows, size_t row) {
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_add_i64(&w, "at_ms", rows->at_ms[row]);
    sw_json_add_str(&w, "id", rows->ids[row]);
    sw_json_add_f64(&w, "weight", rows->weights[row]);
    put_json_part(&w, "features", rows, false, row);
    put_json_part(&w, "outputs", rows, true, row);
    if (rows->labels[row].len)
        sw_json_add_str(&w, "label", rows->labels[row]);
    else
        sw_json_add_null(&w, "label");
    sw_json_end_object(&w);
    sw_buf_add_char(out, '\n');
}

static void send_out(exporting *e) {
    if (e->out.len)
        e->gone |= !sw_exchange_stream_send(e->exchange, sw_buf_str(&e->out));
    sw_buf_clear(&e->out);
}

/* Columns changed (a setting, most likely): a table has one header, so it ends there. */
static bool same_columns(const exporting *e, const sw_plog_rows *rows) {
    if (rows->column_count != e->column_count)
        return false;
    for (uint32_t c = 0; c < rows->column_count; c++)
        if (!sw_str_eq(rows->columns[c].name, e->columns[c].name))
            return false;
    return true;
}

static sw_status begin(exporting *e, const sw_plog_rows *rows, sw_error *error) {
    sw_plog_column *columns =
        sw_arena_zalloc(&e->arena, (size_t)rows->column_count + 1, sizeof *columns);
    bool whole = columns != NULL;
    for (uint32_t c = 0; whole && c < rows->column_count; c++) {
        columns[c].name = sw_arena_copy(&e->arena, rows->columns[c].name);
        whole = columns[c].name.at != NULL;
    }
    if (!whole)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the predictions");
    e->columns = columns;
    e->column_count = rows->column_count;
    e->begun = true;
    if (e->csv)
        put_csv_header(&e->out, rows);
    return SW_OK;
}

static sw_status visit(const sw_plog_rows *rows, void *context, sw_error *error) {
    exporting *e = context;
    if (!e->begun)
        SW_TRY(begin(e, rows, error));
    if (e->csv && !same_columns(e, rows))
        return sw_fail(error, SW_CODE_CONFLICT,
                       "the columns that are logged have changed since: ask for the rows from %lld "
                       "on, or for JSON Lines (format=jsonl)",
                       (long long)rows->at_ms[0]);
    for (size_t i = 0; i < rows->count && e->left > 0 && !e->gone; i++, e->left--) {
        if (e->csv)
            put_csv_row(&e->out, rows, i);
        else
            put_json_row(&e->out, rows, i);
        if (e->out.len >= PIECE_BYTES)
            send_out(e);
    }
    return e->gone ? sw_fail(error, SW_CODE_CANCELLED, "the client has gone") : SW_OK;
}

typedef struct wanted {
    uint32_t version;
    int64_t from_ms, to_ms;
    uint64_t limit;
    bool csv;
} wanted;

static sw_status read_wanted(wanted *out, sw_exchange *exchange, sw_app *app, sw_error *error) {
    uint64_t from_ms, to_ms;
    int64_t now_ms = sw_clock_wall_ms();
    sw_str format = sw_exchange_query(exchange, "format");
    SW_TRY(sw_api_pick_version(&out->version, exchange, app, error));
    SW_TRY(sw_query_u64(&from_ms, exchange, "from", 1, INT64_MAX, error));
    SW_TRY(sw_query_u64(&to_ms, exchange, "to", (uint64_t)now_ms + 1, INT64_MAX, error));
    SW_TRY(sw_query_u64(&out->limit, exchange, "limit", LIMIT_MAX, LIMIT_MAX, error));
    out->from_ms = (int64_t)from_ms;
    out->to_ms = (int64_t)to_ms;
    out->csv = format.len == 0 || sw_str_is(format, "csv");
    if (out->csv || sw_str_is(format, "jsonl"))
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID, "?format=%.*s: csv or jsonl", SW_STR_ARG(format));
}

void sw_api_predictions(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error = {""};
    wanted w;
    sw_status status = read_wanted(&w, exchange, app, &error);
    if (sw_failed(status)) {
        sw_exchange_fail(exchange, status, &error);
        return;
    }
    exporting e = {.exchange = exchange, .left = w.limit, .csv = w.csv};
    sw_plog_flush(app->parts.log);
    sw_exchange_stream_open(exchange, 200, w.csv ? "text/csv" : "application/jsonl");
    status = sw_predictions_read(app->decay, exchange->params[0], w.version, w.from_ms, w.to_ms,
                                 &e.left, visit, &e, &error);
    send_out(&e);
    sw_exchange_stream_close(exchange, status, &error);
    sw_buf_free(&e.out);
    sw_arena_free(&e.arena);
}
