/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the JSON of an inference request. What is taken is written as an answer, and that
 * answer, read as a request, must hold the same tensors.
 */
#include "api/oip_json.h"
#include "fuzz/infer_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sw_status parse(sw_infer_request *out, sw_str body, sw_arena *arena, sw_error *error) {
    *out = (sw_infer_request){0};
    return sw_oip_json_parse(out, body, SW_OIP_NO_HEADER, NULL, 0, arena, error);
}

static bool names_differ(const sw_infer_request *r) {
    for (size_t i = 0; i < r->input_count; i++)
        for (size_t k = 0; k < i; k++)
            if (sw_str_eq(r->inputs[i].name, r->inputs[k].name))
                return false;
    return true;
}

static void check_round_trip(const sw_infer_request *r, sw_arena *arena) {
    sw_infer_response answer = {.model = SW_STR("m"),
                                .version = SW_STR("1"),
                                .outputs = r->inputs,
                                .output_count = r->input_count};
    sw_infer_request all = {0}, back;
    sw_error error = {{0}};
    sw_buf json = {0}, body = {0};
    int64_t header;
    must(!sw_failed(sw_oip_json_write(&json, &header, &answer, &all, &error)) &&
         header == SW_OIP_NO_HEADER);
    const char *outputs = strstr((sw_buf_add_char(&json, '\0'), json.at), "\"outputs\":");
    sw_buf_add_lit(&body, "{\"inputs\":");
    sw_buf_add(&body, outputs + 10, strlen(outputs + 10));
    must(!sw_failed(parse(&back, sw_buf_str(&body), arena, &error)) &&
         back.input_count == r->input_count);
    for (size_t i = 0; i < r->input_count; i++)
        must(same_tensor(&back.inputs[i], &r->inputs[i]) &&
             sw_str_eq(back.inputs[i].name, r->inputs[i].name));
    sw_buf_free(&json);
    sw_buf_free(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_error error = {{0}};
    sw_infer_request r;
    sw_status status = parse(&r, (sw_str){(const char *)data, size}, &arena, &error);
    if (sw_failed(status)) {
        must(error.text[0]);
    } else {
        check_request(&r);
        if (names_differ(&r))
            check_round_trip(&r, &arena);
    }
    sw_arena_free(&arena);
    return 0;
}
