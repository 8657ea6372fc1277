/* SPDX-License-Identifier: Apache-2.0 */
/* Open Inference Protocol: tensors, as JSON or raw. */
#include "api/oip_json.h"
#include "proxy/extract_private.h"

/* Where one feature's or output's values are. */
typedef struct source {
    const sw_tensor *tensor; /* NULL: it was not sent */
    size_t width, column;    /* values in a row; which of them is the first */
} source;

static size_t row_width(const sw_tensor *tensor, size_t rows) {
    return rows ? tensor->count / rows : 0;
}

static const sw_tensor *find(const sw_tensor *tensors, size_t count, sw_str name) {
    for (size_t i = 0; i < count; i++)
        if (sw_str_eq(tensors[i].name, name))
            return &tensors[i];
    return NULL;
}

static source source_of(const sw_signature *s, const sw_feature *feature, size_t index,
                        const sw_infer_request *request, size_t rows) {
    const sw_tensor *tensor =
        find(request->inputs, request->input_count, s->inputs[feature->input].name);
    size_t column = feature->column;
    if (!tensor && request->input_count == 1 &&
        row_width(request->inputs, rows) == s->feature_count) {
        tensor = request->inputs;
        column = index;
    }
    size_t width = tensor ? row_width(tensor, rows) : 0;
    return column < width ? (source){tensor, width, column} : (source){0};
}

static void write_element(sw_json *w, const sw_tensor *tensor, size_t at) {
    switch (tensor->dtype) {
    case SW_BYTES: sw_json_str(w, ((const sw_str *)tensor->data)[at]); break;
    case SW_FP32: sw_json_f32(w, ((const float *)tensor->data)[at]); break;
    case SW_INT64: sw_json_i64(w, ((const int64_t *)tensor->data)[at]); break;
    case SW_UINT64: sw_json_u64(w, ((const uint64_t *)tensor->data)[at]); break;
    default: sw_json_f64(w, sw_tensor_f64(tensor, at));
    }
}

static void write_values(sw_json *w, const source *from, size_t row) {
    size_t first = row * from->width;
    if (from->width == 1) {
        write_element(w, from->tensor, first);
        return;
    }
    sw_json_begin_array(w);
    for (size_t i = 0; i < from->width; i++)
        write_element(w, from->tensor, first + i);
    sw_json_end_array(w);
}

/* Whether all of them have `rows` rows. */
static bool agree(const sw_tensor *tensors, size_t count, size_t rows) {
    for (size_t i = 0; i < count; i++)
        if (tensors[i].rank == 0 || tensors[i].shape[0] != (int64_t)rows)
            return false;
    return true;
}

typedef struct mapping {
    source *features, *outputs;
    size_t found, outputs_found;
} mapping;

static sw_status map(mapping *out, const sw_signature *s, const sw_infer_request *request,
                     const sw_tensor *answers, size_t answer_count, size_t rows, sw_arena *arena,
                     sw_error *error) {
    *out = (mapping){
        .features = sw_arena_zalloc(arena, s->feature_count + 1, sizeof *out->features),
        .outputs = sw_arena_zalloc(arena, s->output_count + 1, sizeof *out->outputs),
    };
    if (!out->features || !out->outputs)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the observations");
    for (uint32_t i = 0; i < s->feature_count; i++) {
        out->features[i] = source_of(s, &s->features[i], i, request, rows);
        out->found += out->features[i].tensor != NULL;
    }
    for (uint32_t i = 0; i < s->output_count; i++) {
        const sw_tensor *tensor = find(answers, answer_count, s->outputs[i].name);
        if (!tensor && s->output_count == 1 && answer_count == 1)
            tensor = answers;
        if (tensor && row_width(tensor, rows))
            out->outputs[i] = (source){tensor, row_width(tensor, rows), 0};
        out->outputs_found += out->outputs[i].tensor != NULL;
    }
    return out->found ? SW_OK
                      : sw_fail(error, SW_CODE_INVALID,
                                "none of the request's tensors is an input of the model: '%.*s' is "
                                "its first",
                                SW_STR_ARG(s->inputs[s->features[0].input].name));
}

static void write_row(sw_buf *lines, const sw_signature *s, const mapping *m,
                      const sw_capture *capture, size_t row, size_t rows) {
    sw_json w;
    sw_extract_begin_line(&w, lines);
    for (uint32_t i = 0; i < s->feature_count; i++) {
        const source *from = &m->features[i];
        if (!from->tensor)
            continue;
        sw_json_key_of(&w, s->features[i].name);
        write_element(&w, from->tensor, row * from->width + from->column);
    }
    sw_json_end_object(&w);
    if (m->outputs_found) {
        sw_json_key(&w, "prediction");
        sw_json_begin_object(&w);
        for (uint32_t i = 0; i < s->output_count; i++)
            if (m->outputs[i].tensor) {
                sw_json_key_of(&w, s->outputs[i].name);
                write_values(&w, &m->outputs[i], row);
            }
        sw_json_end_object(&w);
    }
    sw_extract_end_line(&w, capture, row, rows);
}

sw_status sw_extract_oip(sw_buf *lines, size_t *rows, const sw_capture *capture,
                         const sw_extract_rules *rules, sw_arena *arena, sw_error *error) {
    const sw_signature *s = rules->signature;
    sw_infer_request request = {0};
    sw_tensor *answers;
    size_t answer_count;
    mapping m;
    SW_TRY(sw_oip_json_parse(&request, sw_buf_str(&capture->request), capture->request_json_bytes,
                             s->inputs, s->input_count, arena, error));
    SW_TRY(sw_oip_json_parse_answer(&answers, &answer_count, sw_buf_str(&capture->reply),
                                    capture->reply_json_bytes, arena, error));
    if (request.input_count == 0 || request.inputs->rank == 0 || request.inputs->shape[0] < 1)
        return sw_fail(error, SW_CODE_INVALID, "the request's tensors have no rows");
    size_t count = (size_t)request.inputs->shape[0];
    if (!agree(request.inputs, request.input_count, count) || !agree(answers, answer_count, count))
        return sw_fail(error, SW_CODE_INVALID,
                       "the tensors of request and answer differ in their first dimension, the "
                       "rows");
    SW_TRY(map(&m, s, &request, answers, answer_count, count, arena, error));
    for (size_t row = 0; row < count; row++)
        write_row(lines, s, &m, capture, row, count);
    *rows = count;
    return SW_OK;
}
