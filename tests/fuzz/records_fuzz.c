/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as named records, for a model of one wide input and for one of many inputs. */
#include "fuzz/infer_check.h"
#include "serve/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sw_feature wide_features[] = {
    {.name = {"amount", 6}, .column = 0},
    {.name = {"age", 3}, .column = 1, .optional = true},
    {.name = {"mean concave points", 19}, .column = 2, .optional = true},
};
static sw_tensor_spec wide_inputs[] = {
    {.name = {"X", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 3}}};
static sw_feature mixed_features[] = {
    {.name = {"s", 1}, .input = 0, .optional = true},
    {.name = {"i", 1}, .input = 1},
    {.name = {"l", 1}, .input = 2},
    {.name = {"b", 1}, .input = 3},
    {.name = {"d", 1}, .input = 4, .optional = true},
    {.name = {"h", 1}, .input = 5, .optional = true},
};
static sw_tensor_spec mixed_inputs[] = {
    {.name = {"s", 1}, .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}},
    {.name = {"i", 1}, .dtype = SW_INT16, .rank = 2, .shape = {-1, 1}},
    {.name = {"l", 1}, .dtype = SW_UINT64, .rank = 1, .shape = {-1}},
    {.name = {"b", 1}, .dtype = SW_BOOL, .rank = 2, .shape = {-1, 1}},
    {.name = {"d", 1}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 1}},
    {.name = {"h", 1}, .dtype = SW_FP16, .rank = 2, .shape = {-1, 1}},
};
static const sw_signature signatures[] = {
    {.inputs = wide_inputs, .input_count = 1, .features = wide_features, .feature_count = 3},
    {.inputs = mixed_inputs, .input_count = 6, .features = mixed_features, .feature_count = 6},
};

static void check_body(const sw_signature *signature, sw_str body) {
    sw_arena arena = {0};
    sw_error error = {{0}};
    sw_records_plan *plan;
    sw_records r;
    sw_buf out = {0};
    must(!sw_failed(sw_records_plan_make(&plan, signature, &arena, &error)));
    if (sw_failed(sw_records_parse(&r, plan, body, &arena, &error))) {
        must(error.text[0]);
    } else {
        must(r.rows > 0 && r.input_count == signature->input_count && (!r.single || r.rows == 1));
        for (size_t i = 0; i < r.input_count; i++) {
            check_tensor(&r.inputs[i]);
            must(r.inputs[i].shape[0] == (int64_t)r.rows);
        }
        touch(r.id.at, r.id.len);
        for (size_t i = 0; r.row_ids && i < r.rows; i++)
            touch(r.row_ids[i].at, r.row_ids[i].len);
        sw_infer_response answer = {.model = SW_STR("m"),
                                    .version = SW_STR("1"),
                                    .outputs = r.inputs,
                                    .output_count = r.input_count};
        must(!sw_failed(sw_records_write(&out, &answer, r.rows, r.single, &error)));
    }
    sw_buf_free(&out);
    sw_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_body(&signatures[0], (sw_str){(const char *)data, size});
    check_body(&signatures[1], (sw_str){(const char *)data, size});
    return 0;
}
