/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/push_external.h"

#include "base/json.h"
#include "watch/csv_columns.h"

/* Where nobody names the column of predictions. */
static const sw_str usual_prediction = SW_STR("prediction");

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while making the version");
}

/* A signature with inputs tells all. One that is no JSON is left to whoever reads it in earnest. */
static bool is_whole(sw_str json, sw_arena *arena) {
    sw_json_reader in;
    sw_str key;
    bool inputs = false;
    sw_json_read_init(&in, json, arena, NULL);
    if (sw_json_read_object(&in))
        while (!inputs && sw_json_read_key(&in, &key)) {
            inputs = sw_str_is(key, "inputs");
            if (!sw_json_read_skip(&in))
                break;
        }
    return inputs;
}

static bool is_among(const sw_signature_column *columns, size_t count, sw_str name) {
    for (size_t i = 0; i < count; i++)
        if (sw_str_eq(columns[i].name, name))
            return true;
    return false;
}

static sw_dtype output_dtype(const sw_csv_column *column) {
    return column->text ? SW_BYTES : column->labels ? SW_INT64 : SW_FP64;
}

static const sw_csv_column *find(const sw_csv_column *columns, size_t count, sw_str name) {
    for (size_t i = 0; i < count; i++)
        if (sw_str_eq(columns[i].name, name))
            return &columns[i];
    return NULL;
}

/* The columns that were named; the usual one where none was, which need not be there. */
static sw_status take_outputs(sw_signature_column *outputs, size_t *output_count,
                              const sw_push *push, const sw_csv_column *columns, size_t count,
                              sw_error *error) {
    bool named = push->prediction_count > 0;
    *output_count = named ? push->prediction_count : 1;
    for (size_t i = 0; i < *output_count; i++) {
        sw_str name = named ? push->predictions[i] : usual_prediction;
        const sw_csv_column *column = find(columns, count, name);
        if (!column && named)
            return sw_fail(error, SW_CODE_INVALID,
                           "the CSV has no column \"%.*s\" of predictions: it has %zu columns, of "
                           "which the first is \"%.*s\"",
                           SW_STR_ARG(name), count, SW_STR_ARG(columns[0].name));
        outputs[i] = (sw_signature_column){name, column ? output_dtype(column) : SW_FP64};
    }
    return SW_OK;
}

static sw_status from_csv(sw_signature *out, const sw_push *push, const char *csv, sw_arena *arena,
                          sw_error *error) {
    sw_csv_column *columns;
    size_t count, feature_count = 0, output_count;
    SW_TRY(sw_csv_columns(&columns, &count, csv, arena, error));
    sw_signature_column *features = sw_arena_zalloc(arena, count, sizeof *features);
    sw_signature_column *outputs =
        sw_arena_zalloc(arena, push->prediction_count + 1, sizeof *outputs);
    if (!features || !outputs)
        return no_memory(error);
    SW_TRY(take_outputs(outputs, &output_count, push, columns, count, error));
    for (size_t i = 0; i < count; i++)
        if (columns[i].name.len && !sw_signature_is_label(columns[i].name) &&
            !is_among(outputs, output_count, columns[i].name))
            features[feature_count++] =
                (sw_signature_column){columns[i].name, columns[i].text ? SW_BYTES : SW_FP64};
    if (feature_count == 0)
        return sw_fail(error, SW_CODE_INVALID, "no column of the CSV is left to be a feature");
    SW_TRY(sw_signature_from_columns(out, features, feature_count, outputs, output_count, arena,
                                     error));
    return push->signature_json.len
               ? sw_signature_apply_json(out, push->signature_json, arena, error)
               : SW_OK;
}

static sw_status from_file(sw_signature *out, const sw_push *push, const char *csv, sw_arena *arena,
                           sw_error *error) {
    SW_TRY(sw_signature_from_json(out, push->signature_json, arena, error));
    if (out->feature_count || !csv)
        return SW_OK;
    sw_str *names;
    size_t count;
    SW_TRY(sw_csv_header(&names, &count, csv, arena, error));
    return sw_signature_name_columns(out, names, count, arena, error);
}

static void allow_missing(sw_signature *signature) {
    for (uint32_t i = 0; i < signature->feature_count; i++) {
        sw_dtype dtype = signature->inputs[signature->features[i].input].dtype;
        signature->features[i].optional = dtype >= SW_FP16; /* floats and texts can say so */
    }
}

sw_status sw_push_external_signature(sw_signature *out, const sw_push *push, const char *csv,
                                     sw_arena *arena, sw_error *error) {
    bool whole = push->signature_json.len && is_whole(push->signature_json, arena);
    if (!whole && !csv)
        return sw_fail(error, SW_CODE_INVALID,
                       "what does %.*s take? Give its training data (a profile), or a signature "
                       "with inputs, outputs and features",
                       SW_STR_ARG(push->model));
    SW_TRY(whole ? from_file(out, push, csv, arena, error)
                 : from_csv(out, push, csv, arena, error));
    if (out->feature_count == 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "the signature names no features, so nothing could be observed: list them "
                       "under \"features\"");
    allow_missing(out);
    return SW_OK;
}
