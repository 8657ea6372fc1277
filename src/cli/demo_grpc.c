/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of inference.GRPCInferenceService/ModelInfer, written and read by hand: as much of
 * protobuf's wire format (https://protobuf.dev/programming-guides/encoding) and gRPC's framing
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) as this takes.
 */
#include "cli/demo_private.h"

#include <stdlib.h>

/* Field numbers of ModelInferRequest, ModelInferResponse and their tensors. */
enum {
    REQUEST_MODEL = 1,
    REQUEST_INPUTS = 5,
    REQUEST_RAW = 7,
    RESPONSE_OUTPUTS = 5,
    RESPONSE_RAW = 6,
    TENSOR_NAME = 1,
    TENSOR_DATATYPE = 2,
    TENSOR_SHAPE = 3,
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
    FRAME_BYTES = 5
};

static void add_varint(sw_buf *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        sw_buf_add_char(out, (char)(value | 0x80));
    sw_buf_add_char(out, (char)value);
}

static void add_bytes(sw_buf *out, unsigned field, sw_str bytes) {
    add_varint(out, field << 3 | WIRE_BYTES);
    add_varint(out, bytes.len);
    sw_buf_add_str(out, bytes);
}

static void add_tensor(sw_buf *out, size_t rows) {
    sw_buf tensor = {0}, shape = {0};
    add_bytes(&tensor, TENSOR_NAME, SW_STR("features"));
    add_bytes(&tensor, TENSOR_DATATYPE, SW_STR("FP32"));
    add_varint(&shape, rows);
    add_varint(&shape, SW_DEMO_COLUMNS);
    add_bytes(&tensor, TENSOR_SHAPE, sw_buf_str(&shape));
    add_bytes(out, REQUEST_INPUTS, sw_buf_str(&tensor));
    out->failed = out->failed || tensor.failed || shape.failed;
    sw_buf_free(&tensor);
    sw_buf_free(&shape);
}

void sw_demo_write_grpc(sw_buf *out, const sw_demo_rows *rows, size_t first, size_t count) {
    sw_buf message = {0}, raw = {0};
    for (size_t row = 0; row < count; row++)
        for (size_t i = 0; i < SW_DEMO_COLUMNS; i++) {
            float value = (float)rows->x[(first + row) % rows->count][i];
            sw_buf_add(&raw, &value, sizeof value);
        }
    add_bytes(&message, REQUEST_MODEL, SW_STR(SW_DEMO_MODEL));
    add_tensor(&message, count);
    add_bytes(&message, REQUEST_RAW, sw_buf_str(&raw));
    char frame[FRAME_BYTES] = {0, (char)(message.len >> 24), (char)(message.len >> 16),
                               (char)(message.len >> 8), (char)message.len};
    sw_buf_add(out, frame, sizeof frame);
    sw_buf_add_str(out, sw_buf_str(&message));
    out->failed = out->failed || message.failed || raw.failed;
    sw_buf_free(&message);
    sw_buf_free(&raw);
}

static bool take_varint(uint64_t *out, sw_str *in) {
    *out = 0;
    for (unsigned shift = 0; in->len && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*in->at;
        in->at++, in->len--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

/* One field; `bytes` is empty for a number. */
static bool take_field(unsigned *field, sw_str *bytes, sw_str *in) {
    uint64_t tag, length = 0;
    if (!in->len || !take_varint(&tag, in))
        return false;
    *field = (unsigned)(tag >> 3);
    *bytes = (sw_str){NULL, 0};
    switch (tag & 7) {
    case WIRE_VARINT: return take_varint(&length, in);
    case WIRE_FIXED64: length = 8; break;
    case WIRE_FIXED32: length = 4; break;
    case WIRE_BYTES:
        if (!take_varint(&length, in))
            return false;
        break;
    default: return false;
    }
    if (length > in->len)
        return false;
    *bytes = (sw_str){in->at, (size_t)length};
    in->at += length;
    in->len -= (size_t)length;
    return true;
}

static bool is_probabilities(sw_str tensor) {
    unsigned field;
    sw_str bytes;
    while (take_field(&field, &bytes, &tensor))
        if (field == TENSOR_NAME)
            return sw_str_is(bytes, "probabilities");
    return false;
}

/* Raw contents stand in the order of the outputs. */
static sw_str find_raw(sw_str message) {
    sw_str bytes, rest = message;
    unsigned field, outputs = 0, raws = 0, wanted = UINT32_MAX;
    while (take_field(&field, &bytes, &rest)) {
        if (field == RESPONSE_OUTPUTS) {
            if (is_probabilities(bytes))
                wanted = outputs;
            outputs++;
        }
    }
    rest = message;
    while (take_field(&field, &bytes, &rest))
        if (field == RESPONSE_RAW && raws++ == wanted)
            return bytes;
    return (sw_str){NULL, 0};
}

/* The value of a trailer; empty where there is none. */
static sw_str find_trailer(sw_str trailers, const char *name) {
    while (trailers.len) {
        sw_str line = sw_str_split(&trailers, '\n');
        sw_str key = sw_str_split(&line, ':');
        if (sw_str_eq_nocase(key, sw_str_of(name)))
            return sw_str_trim(line);
    }
    return (sw_str){NULL, 0};
}

sw_status sw_demo_read_grpc(double *to, size_t count, sw_str body, sw_str trailers,
                            sw_error *error) {
    sw_str code = find_trailer(trailers, "grpc-status"),
           why = find_trailer(trailers, "grpc-message");
    if (!sw_str_is(code, "0"))
        return sw_fail(error, SW_CODE_INVALID, "gRPC status '%.*s': %.*s", SW_STR_ARG(code),
                       SW_STR_ARG(why));
    if (body.len < FRAME_BYTES || body.at[0] != 0)
        return sw_fail(error, SW_CODE_INVALID, "the gRPC answer holds no plain message");
    sw_str raw = find_raw((sw_str){body.at + FRAME_BYTES, body.len - FRAME_BYTES});
    if (raw.len != count * 2 * sizeof(float))
        return sw_fail(error, SW_CODE_INVALID,
                       "the gRPC answer holds %zu bytes of probabilities, not %zu", raw.len,
                       count * 2 * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        float value;
        memcpy(&value, raw.at + (2 * i + 1) * sizeof value, sizeof value);
        to[i] = (double)value;
    }
    return SW_OK;
}
