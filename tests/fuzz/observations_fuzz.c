/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a body of observations: cut into pieces, each read for a model of several outputs;
 * and as an ObserveRequest. The first byte says how the body is cut and in which portions it comes. */
#include "api/observations_proto.h"
#include "api/observations_split.h"
#include "fuzz/infer_check.h"
#include "serve/observations_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sw_tensor_spec outputs[] = {
    {.name = {"score", 5}, .dtype = SW_FP32, .rank = 1, .shape = {-1}},
    {.name = {"label", 5}, .dtype = SW_INT16, .rank = 2, .shape = {-1, 1}},
    {.name = {"proba", 5}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 2}},
    {.name = {"word", 4}, .dtype = SW_BYTES, .rank = 1, .shape = {-1}},
    {.name = {"open", 4}, .dtype = SW_FP32, .rank = 2, .shape = {-1, -1}},
};
static const sw_signature all = {.outputs = outputs, .output_count = 5};
static const sw_signature one = {.outputs = outputs, .output_count = 1};

static void put(const sw_signature *signature, sw_str prediction, sw_arena *arena) {
    sw_observed_outputs o;
    sw_error error = {{0}};
    must(!sw_failed(sw_observed_outputs_make(&o, signature, 2, arena, &error)));
    if (sw_failed(sw_observed_outputs_put(&o, 1, prediction, NULL, arena, &error)))
        must(error.text[0]);
}

static void read_piece(sw_str piece, const sw_json_place *place) {
    sw_arena arena = {0};
    sw_error error = {{0}};
    sw_observation o;
    if (sw_failed(sw_observation_read(&o, piece, place, &arena, &error))) {
        must(error.text[0]);
    } else {
        must(o.features.len > 0);
        touch(o.features.at, o.features.len);
        touch(o.id.at, o.id.len);
        put(&all, o.prediction, &arena);
        put(&one, o.prediction, &arena);
    }
    sw_arena_free(&arena);
}

static void split_body(sw_str body, size_t step, bool lines) {
    sw_split split = {.lines = lines};
    sw_error error = {{0}};
    size_t given = 0, at = 0;
    for (bool end = false; !end;) {
        given = body.len - given > step ? given + step : body.len;
        end = given == body.len;
        sw_str left = {body.at + at, given - at}, piece;
        do {
            if (sw_failed(sw_split_next(&piece, &split, &left, end, &error)))
                return;
            if (piece.len)
                read_piece(piece, &split.place);
        } while (piece.len);
        must(left.len <= given - at);
        at = given - left.len;
    }
}

static sw_status visit(sw_str observation, void *context, sw_error *error) {
    sw_buf *json = context;
    sw_buf_clear(json);
    SW_TRY(sw_observation_proto_to_json(json, observation, error));
    read_piece(sw_buf_str(json), NULL);
    return SW_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_error error = {{0}};
    sw_str model, version, body = {(const char *)data, size};
    sw_buf json = {0};
    if (size) {
        sw_str rest = {body.at + 1, size - 1};
        split_body(rest, 1 + data[0] / 2, data[0] & 1);
    }
    if (!sw_failed(sw_observe_request_address(&model, &version, body, &error)) &&
        sw_failed(sw_observe_request_each(body, visit, &json, &error)))
        must(error.text[0]);
    sw_buf_free(&json);
    return 0;
}
