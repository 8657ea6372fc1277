/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request codec alone: `read` takes Open Inference JSON to typed tensors, `write` takes the
 * model's one output back to JSON. Usage: codec read|write BODIES OUTPUTS.f32 SECONDS
 */
#include "micro.h"

#include "api/oip_json.h"

enum { FEATURES = 30 };

static micro_line *bodies;
static size_t body_count;
static float *scores;
static size_t score_count;
static sw_arena arena;
static sw_buf reply;

static double read_one(size_t i) {
    sw_error error;
    sw_infer_request request;
    const micro_line *body = &bodies[i % body_count];
    sw_arena_reset(&arena);
    sw_status status = sw_oip_json_parse(&request, (sw_str){body->at, body->len}, SW_OIP_NO_HEADER,
                                         NULL, 0, &arena, &error);
    if (sw_failed(status))
        micro_require(false, error.text);
    micro_require(request.input_count == 1 && request.inputs[0].count == FEATURES &&
                      request.inputs[0].dtype == SW_FP32,
                  "the codec read something else");
    const float *row = request.inputs[0].data;
    return row[0] + row[FEATURES - 1];
}

static double write_one(size_t i) {
    sw_error error;
    int64_t header_bytes;
    sw_tensor output = {.name = SW_STR("Y"),
                        .dtype = SW_FP32,
                        .rank = 2,
                        .shape = {1, 1},
                        .count = 1,
                        .data = &scores[i % score_count]};
    sw_infer_response response = {
        .model = SW_STR("logreg30"), .version = SW_STR("1"), .outputs = &output, .output_count = 1};
    sw_infer_request request = {0};
    sw_buf_clear(&reply);
    sw_status status = sw_oip_json_write(&reply, &header_bytes, &response, &request, &error);
    if (sw_failed(status))
        micro_require(false, error.text);
    return reply.at[reply.len - 4];
}

int main(int argc, char **argv) {
    micro_require(argc == 5, "usage: codec read|write BODIES OUTPUTS SECONDS");
    size_t size;
    bodies = micro_lines(&body_count, argv[2], 0);
    scores = (float *)(void *)micro_read(&size, argv[3], 0);
    score_count = size / sizeof(float);
    sw_arena_init(&arena, 16 * 1024);
    micro_run(strcmp(argv[1], "read") == 0 ? read_one : write_one, atof(argv[4]));
    return 0;
}
