/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reference.h"

#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/num.h"
#include "watch/profile_outputs.h"

enum { ROWS_MAX = 10000, BATCH = 64, RUN_S = 2, ALL_S = 5 };

typedef struct scoring {
    const sw_served *served;
    sw_csv *csv;
    int32_t *features; /* of each of the file's columns; -1: none */
    size_t column_count;
    uint64_t stride; /* one row in so many */
    sw_buf json;     /* a list of records */
    size_t rows;     /* in it */
    sw_arena arena;  /* of one run */
    sw_shard *shard;
} scoring;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY,
                   "out of memory for what the model says to its training rows");
}

/* ---- A row as an application would send it ---- */

static void put_value(sw_json *w, sw_dtype dtype, sw_str value) {
    double number;
    if (dtype == SW_BYTES)
        sw_json_str(w, value);
    else if (sw_num_parse_f64(&number, value) == SW_NUM_FITS)
        sw_json_raw(w, value);
    else if (sw_str_eq_nocase(value, SW_STR("true")) || sw_str_eq_nocase(value, SW_STR("false")))
        sw_json_raw(w, sw_str_eq_nocase(value, SW_STR("true")) ? SW_STR("true") : SW_STR("false"));
    else
        sw_json_null(w);
}

static void add_row(scoring *s, const sw_csv_row *row) {
    const sw_signature *signature = &s->served->signature;
    sw_json w = sw_json_to(&s->json);
    sw_buf_add_char(&s->json, s->rows++ ? ',' : '[');
    sw_json_begin_object(&w);
    for (size_t i = 0; i < s->column_count && i < row->count; i++) {
        if (s->features[i] < 0)
            continue;
        const sw_feature *feature = &signature->features[s->features[i]];
        sw_json_key_of(&w, feature->name);
        put_value(&w, signature->inputs[feature->input].dtype, sw_str_trim(row->fields[i]));
    }
    sw_json_end_object(&w);
}

/* ---- Runs ---- */

/* Rows that it does not take are no reference: what fails is left out. */
static sw_status run_batch(scoring *s, sw_error *error) {
    const sw_served *served = s->served;
    sw_records records;
    sw_error ignored;
    if (s->rows == 0)
        return SW_OK;
    sw_buf_add_char(&s->json, ']');
    sw_arena_reset(&s->arena);
    sw_tensor *outputs = sw_arena_zalloc(&s->arena, served->info->output_count, sizeof *outputs);
    if (s->json.failed || !outputs)
        return no_memory(error);
    sw_status status =
        sw_records_parse(&records, served->records, sw_buf_str(&s->json), &s->arena, &ignored);
    if (!sw_failed(status))
        status = sw_model_run(outputs, served->model, records.inputs, &s->arena, NULL, &ignored);
    if (!sw_failed(status))
        sw_observe(s->shard, records.inputs, outputs, records.rows);
    sw_buf_clear(&s->json);
    s->rows = 0;
    return SW_OK;
}

static sw_status run_all(scoring *s, sw_error *error) {
    sw_csv_row row = {.count = 1};
    const size_t batch = s->served->batchable ? BATCH : 1;
    const uint64_t until_ns = sw_clock_ns() + (uint64_t)ALL_S * 1000000000;
    for (uint64_t at = 0; sw_clock_ns() < until_ns; at++) {
        SW_TRY(sw_csv_next(&row, s->csv, error));
        if (row.count == 0)
            break;
        if (at % s->stride == 0)
            add_row(s, &row);
        if (s->rows == batch)
            SW_TRY(run_batch(s, error));
    }
    return run_batch(s, error);
}

/* ---- The whole ---- */

static sw_status open_csv(scoring *s, const char *path, sw_arena *arena, sw_error *error) {
    sw_csv_row header;
    SW_TRY(sw_csv_open(&s->csv, path, error));
    SW_TRY(sw_csv_next(&header, s->csv, error));
    s->column_count = header.count;
    s->features = sw_arena_zalloc(arena, header.count, sizeof *s->features);
    if (!s->features)
        return no_memory(error);
    for (size_t i = 0; i < header.count; i++)
        s->features[i] = sw_signature_find(&s->served->signature, sw_str_trim(header.fields[i]));
    return SW_OK;
}

static uint64_t stride_of(const sw_served *served, uint64_t rows) {
    double row_ns = served->batchable ? served->row_ns : served->run_ns;
    double most = RUN_S * 1e9 / (row_ns > 1 ? row_ns : 1);
    uint64_t wanted = most < 1 ? 1 : most < ROWS_MAX ? (uint64_t)most : ROWS_MAX;
    return rows <= wanted ? 1 : (rows + wanted - 1) / wanted;
}

sw_status sw_reference_score(sw_profile *profile, const sw_served *served, const char *csv_path,
                             sw_arena *arena, sw_error *error) {
    scoring s = {.served = served, .stride = stride_of(served, profile->rows)};
    sw_observer *observer;
    if (!served->records || served->info->external)
        return SW_OK;
    SW_TRY(sw_observer_make(&observer, &served->signature, profile, NULL, error));
    sw_status status = sw_shard_make(&s.shard, observer, error);
    if (!sw_failed(status))
        status = open_csv(&s, csv_path, arena, error);
    if (!sw_failed(status))
        status = run_all(&s, error);
    if (!sw_failed(status))
        status = sw_profile_outputs_count(profile, s.shard, arena, error);
    sw_csv_close(s.csv);
    sw_buf_free(&s.json);
    sw_arena_free(&s.arena);
    sw_shard_free(s.shard);
    sw_observer_free(observer);
    return status;
}
