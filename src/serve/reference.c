/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/reference.h"

#include "base/clock.h"
#include "base/csv.h"
#include "base/json.h"
#include "base/num.h"
#include "serve/observations_private.h"
#include "watch/profile_outputs.h"

enum { ROWS_MAX = 10000, BATCH = 64, RUN_S = 2, ALL_S = 5 };

typedef struct scoring {
    const sw_served *served;
    sw_csv *csv;
    int32_t *features; /* of each of the file's columns; -1: none */
    int32_t *outputs; /* likewise: where it is served elsewhere, the file says what was predicted */
    size_t column_count;
    uint64_t stride;          /* one row in so many */
    sw_buf json;              /* a list of records */
    sw_buf said;              /* of one row served elsewhere: its outputs by name */
    sw_observed_outputs told; /* of the rows in `json` */
    sw_arena texts;           /* and their texts */
    size_t rows;              /* in it */
    sw_arena arena;           /* of one run */
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

/* What the file says was predicted for a row; false where it does not, and the row is no reference. */
static bool add_told(scoring *s, const sw_csv_row *row) {
    const sw_signature *signature = &s->served->signature;
    sw_json w = sw_json_to(&s->said);
    sw_error ignored;
    sw_buf_clear(&s->said);
    sw_json_begin_object(&w);
    for (size_t i = 0; i < s->column_count && i < row->count; i++) {
        if (s->outputs[i] < 0)
            continue;
        const sw_tensor_spec *output = &signature->outputs[s->outputs[i]];
        sw_json_key_of(&w, output->name);
        put_value(&w, output->dtype, sw_str_trim(row->fields[i]));
    }
    sw_json_end_object(&w);
    /* Texts of outputs are slices of the copy. */
    sw_str json = s->said.failed ? (sw_str){0} : sw_arena_copy(&s->texts, sw_buf_str(&s->said));
    return json.at &&
           !sw_failed(sw_observed_outputs_put(&s->told, s->rows, json, NULL, &s->texts, &ignored));
}

static void add_row(scoring *s, const sw_csv_row *row) {
    const sw_signature *signature = &s->served->signature;
    if (s->served->info->external && !add_told(s, row))
        return;
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

static void tell_outputs(sw_tensor *outputs, const scoring *s) {
    for (uint32_t i = 0; i < s->served->signature.output_count; i++) {
        outputs[i] = s->told.tensors[i];
        if (outputs[i].rank)
            outputs[i].shape[0] = (int64_t)s->rows;
        outputs[i].count = s->rows * s->told.widths[i];
    }
}

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
    if (!sw_failed(status) && served->info->external)
        tell_outputs(outputs, s);
    else if (!sw_failed(status))
        status = sw_model_run(outputs, served->model, records.inputs, &s->arena, NULL, &ignored);
    if (!sw_failed(status))
        sw_observe(s->shard, records.inputs, outputs, records.rows);
    sw_arena_reset(&s->texts);
    sw_buf_clear(&s->json);
    s->rows = 0;
    return SW_OK;
}

static sw_status run_all(scoring *s, sw_error *error) {
    sw_csv_row row = {.count = 1};
    const size_t batch = s->served->batchable || s->served->info->external ? BATCH : 1;
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

/* The output of one value a row that a column of the file is; -1: none. */
static int32_t output_of(const sw_signature *signature, sw_str name) {
    for (uint32_t i = 0; i < signature->output_count; i++)
        if (sw_str_eq(signature->outputs[i].name, name))
            return (int32_t)i;
    return -1;
}

static bool is_told(const scoring *s, sw_str name) {
    for (size_t i = 0; i < s->column_count; i++)
        if (s->outputs[i] >= 0 && sw_str_eq(s->served->signature.outputs[s->outputs[i]].name, name))
            return true;
    return false;
}

/* Of a model that is served elsewhere only what the file has is known. */
static void leave_told(sw_profile *profile, const scoring *s) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < profile->output_count; i++)
        if (is_told(s, profile->outputs[i].name))
            profile->outputs[kept++] = profile->outputs[i];
    profile->output_count = kept;
    profile->scored = kept ? profile->scored : 0;
}

static sw_status open_csv(scoring *s, const char *path, sw_arena *arena, sw_error *error) {
    sw_csv_row header;
    SW_TRY(sw_csv_open(&s->csv, path, error));
    SW_TRY(sw_csv_next(&header, s->csv, error));
    s->column_count = header.count;
    s->features = sw_arena_zalloc(arena, header.count, sizeof *s->features);
    s->outputs = sw_arena_zalloc(arena, header.count, sizeof *s->outputs);
    if (!s->features || !s->outputs)
        return no_memory(error);
    for (size_t i = 0; i < header.count; i++) {
        sw_str name = sw_str_trim(header.fields[i]);
        s->features[i] = sw_signature_find(&s->served->signature, name);
        s->outputs[i] = output_of(&s->served->signature, name);
    }
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
    if (!served->records)
        return SW_OK;
    SW_TRY(sw_observer_make(&observer, &served->signature, profile, NULL, error));
    sw_status status = sw_shard_make(&s.shard, observer, error);
    if (!sw_failed(status))
        status = open_csv(&s, csv_path, arena, error);
    if (!sw_failed(status) && served->info->external)
        status = sw_observed_outputs_make(&s.told, &served->signature, BATCH, arena, error);
    if (!sw_failed(status))
        status = run_all(&s, error);
    if (!sw_failed(status))
        status = sw_profile_outputs_count(profile, s.shard, arena, error);
    if (!sw_failed(status) && served->info->external)
        leave_told(profile, &s);
    sw_csv_close(s.csv);
    sw_buf_free(&s.json);
    sw_buf_free(&s.said);
    sw_arena_free(&s.texts);
    sw_arena_free(&s.arena);
    sw_shard_free(s.shard);
    sw_observer_free(observer);
    return status;
}
