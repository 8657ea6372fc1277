/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a request with raw tensors: the first two say how many of the rest are JSON (0: the
 * whole body is one raw input), the third picks the model's input.
 */
#include "api/oip_json.h"
#include "fuzz/infer_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const sw_tensor_spec specs[] = {
    {.name = {"X", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 3}},
    {.name = {"X", 1}, .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}},
    {.name = {"X", 1}, .dtype = SW_BOOL, .rank = 1, .shape = {4}},
    {.name = {"X", 1}, .dtype = SW_INT64, .rank = 3, .shape = {-1, -1, 2}},
    {.name = {"X", 1}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 0}},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_error error = {{0}};
    sw_infer_request r = {0};
    sw_buf out = {0};
    int64_t header;
    if (size < 3)
        return 0;
    const sw_tensor_spec *spec = &specs[data[2] % (sizeof specs / sizeof *specs)];
    sw_status status = sw_oip_json_parse(&r, (sw_str){(const char *)data + 3, size - 3},
                                         data[0] << 8 | data[1], spec, 1, &arena, &error);
    if (sw_failed(status)) {
        must(error.text[0]);
    } else {
        check_request(&r);
        sw_infer_response answer = {.model = SW_STR("m"),
                                    .version = SW_STR("1"),
                                    .outputs = r.inputs,
                                    .output_count = r.input_count};
        sw_infer_request raw = {.binary_output = true};
        must(!sw_failed(sw_oip_json_write(&out, &header, &answer, &raw, &error)));
        must(header > 0 && (size_t)header <= out.len);
    }
    sw_buf_free(&out);
    sw_arena_free(&arena);
    return 0;
}
