/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a ModelInferRequest and as the small requests. Typed contents that were taken are
 * written as an answer, which has the fields of a request, and must read back the same.
 */
#include "api/oip_proto.h"
#include "fuzz/infer_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const sw_infer_request *r, sw_arena *arena) {
    sw_infer_response answer = {
        .model = r->model, .id = r->id, .outputs = r->inputs, .output_count = r->input_count};
    sw_infer_request plain = {.raw = r->raw}, back;
    sw_error error = {{0}};
    sw_buf out = {0};
    bool half = false;
    for (size_t i = 0; i < r->input_count; i++)
        half |= r->inputs[i].dtype == SW_FP16;
    must(!sw_failed(sw_oip_proto_write_infer(&out, &answer, &plain, &error)));
    if (!r->raw && !half) {
        must(!sw_failed(sw_oip_proto_parse_infer(&back, sw_buf_str(&out), arena, &error)));
        must(back.input_count == r->input_count);
        for (size_t i = 0; i < r->input_count; i++)
            must(same_tensor(&back.inputs[i], &r->inputs[i]));
    }
    sw_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_error error = {{0}};
    sw_infer_request r;
    sw_str bytes = {(const char *)data, size}, name, version;
    if (sw_failed(sw_oip_proto_parse_infer(&r, bytes, &arena, &error))) {
        must(error.text[0]);
    } else {
        check_request(&r);
        check_round_trip(&r, &arena);
    }
    if (!sw_failed(sw_oip_proto_parse_model(&name, &version, bytes, &error)))
        touch(name.at, name.len);
    if (!sw_failed(sw_oip_proto_parse_health(&name, bytes, &error)))
        touch(name.at, name.len);
    sw_arena_free(&arena);
    return 0;
}
