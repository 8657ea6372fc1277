/* SPDX-License-Identifier: Apache-2.0 */
#include "model/tensor.h"

#include <math.h>

typedef struct dtype_row {
    sw_str name;
    size_t size_bytes;
} dtype_row;

static const dtype_row rows[SW_DTYPE_COUNT] = {
    [SW_BOOL] = {{"BOOL", 4}, 1},
    [SW_UINT8] = {{"UINT8", 5}, 1},
    [SW_UINT16] = {{"UINT16", 6}, 2},
    [SW_UINT32] = {{"UINT32", 6}, 4},
    [SW_UINT64] = {{"UINT64", 6}, 8},
    [SW_INT8] = {{"INT8", 4}, 1},
    [SW_INT16] = {{"INT16", 5}, 2},
    [SW_INT32] = {{"INT32", 5}, 4},
    [SW_INT64] = {{"INT64", 5}, 8},
    [SW_FP16] = {{"FP16", 4}, 2},
    [SW_FP32] = {{"FP32", 4}, 4},
    [SW_FP64] = {{"FP64", 4}, 8},
    [SW_BYTES] = {{"BYTES", 5}, sizeof(sw_str)},
};

size_t sw_dtype_size(sw_dtype dtype) {
    return rows[dtype].size_bytes;
}

sw_str sw_dtype_name(sw_dtype dtype) {
    return rows[dtype].name;
}

bool sw_dtype_parse(sw_dtype *out, sw_str name) {
    for (int i = 0; i < SW_DTYPE_COUNT; i++)
        if (sw_str_eq(rows[i].name, name)) {
            *out = (sw_dtype)i;
            return true;
        }
    return false;
}

bool sw_shape_count(size_t *count, const int64_t *shape, size_t rank) {
    size_t product = 1;
    bool fits = true;
    for (size_t i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return false;
        /* A later 0 would make an overflowing product fit again: such shapes are refused too. */
        fits = fits && !__builtin_mul_overflow(product, (size_t)shape[i], &product);
    }
    *count = product;
    return fits;
}

static float f32_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t f32_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

float sw_fp16_to_f32(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = (half >> 10) & 0x1F, mantissa = half & 0x3FF;
    if (exponent == 0x1F)
        return f32_from_bits(sign | 0x7F800000 | mantissa << 13);
    if (exponent == 0) { /* zero and subnormals: mantissa * 2^-24 is exact in binary32 */
        float value = (float)mantissa * 0x1p-24F;
        return sign ? -value : value;
    }
    return f32_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t sw_fp16_from_f32(float value) {
    uint32_t bits = f32_bits(value), size = bits & 0x7FFFFFFF;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (size > 0x7F800000) /* NaN: quiet, the payload's top bits kept */
        return (uint16_t)(sign | 0x7E00 | (size >> 13 & 0x3FF));
    if (size >= 0x477FF000) /* 65520 and beyond round to infinity */
        return (uint16_t)(sign | 0x7C00);
    if (size <
        0x38800000) { /* below 2^-14: adding 0.5 leaves size * 2^24, rounded, in the low bits */
        float shifted = f32_from_bits(size) + 0.5F;
        return (uint16_t)(sign | (f32_bits(shifted) - f32_bits(0.5F)));
    }
    uint32_t odd = size >> 13 & 1;
    return (uint16_t)(sign | (size - 0x38000000 + 0xFFF + odd) >> 13);
}

double sw_tensor_f64(const sw_tensor *tensor, size_t at) {
    switch (tensor->dtype) {
    case SW_BOOL:
    case SW_UINT8: return ((const uint8_t *)tensor->data)[at];
    case SW_UINT16: return ((const uint16_t *)tensor->data)[at];
    case SW_UINT32: return ((const uint32_t *)tensor->data)[at];
    case SW_UINT64: return (double)((const uint64_t *)tensor->data)[at];
    case SW_INT8: return ((const int8_t *)tensor->data)[at];
    case SW_INT16: return ((const int16_t *)tensor->data)[at];
    case SW_INT32: return ((const int32_t *)tensor->data)[at];
    case SW_INT64: return (double)((const int64_t *)tensor->data)[at];
    case SW_FP16: return (double)sw_fp16_to_f32(((const uint16_t *)tensor->data)[at]);
    case SW_FP32: return (double)((const float *)tensor->data)[at];
    case SW_FP64: return ((const double *)tensor->data)[at];
    case SW_BYTES:
    case SW_DTYPE_COUNT: break;
    }
    return (double)NAN;
}
