/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a signature file: whole, on top of a model's, and as a CSV header. */
#include "model/signature.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const sw_signature *signature, sw_arena *arena) {
    sw_buf once = {0}, twice = {0};
    sw_signature back;
    sw_error error;
    sw_signature_to_json(&once, signature);
    if (sw_failed(sw_signature_from_json(&back, sw_buf_str(&once), arena, &error)))
        abort();
    sw_signature_to_json(&twice, &back);
    if (!sw_str_eq(sw_buf_str(&once), sw_buf_str(&twice)))
        abort();
    sw_buf_free(&once);
    sw_buf_free(&twice);
}

static void make(sw_signature *out, sw_arena *arena) {
    static const sw_tensor_spec inputs[] = {
        {.name = {"X", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 3}},
        {.name = {"city", 4}, .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}},
    };
    static const sw_tensor_spec outputs[] = {
        {.name = {"Y", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 2}},
    };
    sw_model_info info = {
        .inputs = inputs, .input_count = 2, .outputs = outputs, .output_count = 1};
    if (sw_failed(sw_signature_from_model(out, &info, arena, NULL)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_error error;
    sw_signature signature;
    sw_str text = {(const char *)data, size}, columns[8], rest = text;
    size_t count = 0;
    if (!sw_failed(sw_signature_from_json(&signature, text, &arena, &error)))
        check_round_trip(&signature, &arena);
    make(&signature, &arena);
    if (!sw_failed(sw_signature_apply_json(&signature, text, &arena, &error)))
        check_round_trip(&signature, &arena);
    make(&signature, &arena);
    while (rest.len && count < 8)
        columns[count++] = sw_str_split(&rest, ',');
    if (!sw_failed(sw_signature_name_columns(&signature, columns, count, &arena, &error)))
        check_round_trip(&signature, &arena);
    sw_arena_free(&arena);
    return 0;
}
