/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/sample.h"

#include "base/rng.h"

static void set_number(sw_tensor *tensor, size_t at, double value) {
    switch (tensor->dtype) {
    case SW_BOOL: ((uint8_t *)tensor->data)[at] = value > 0; break;
    case SW_UINT8: ((uint8_t *)tensor->data)[at] = (uint8_t)value; break;
    case SW_UINT16: ((uint16_t *)tensor->data)[at] = (uint16_t)value; break;
    case SW_UINT32: ((uint32_t *)tensor->data)[at] = (uint32_t)value; break;
    case SW_UINT64: ((uint64_t *)tensor->data)[at] = (uint64_t)value; break;
    case SW_INT8: ((int8_t *)tensor->data)[at] = (int8_t)value; break;
    case SW_INT16: ((int16_t *)tensor->data)[at] = (int16_t)value; break;
    case SW_INT32: ((int32_t *)tensor->data)[at] = (int32_t)value; break;
    case SW_INT64: ((int64_t *)tensor->data)[at] = (int64_t)value; break;
    case SW_FP16: ((uint16_t *)tensor->data)[at] = sw_fp16_from_f32((float)value); break;
    case SW_FP32: ((float *)tensor->data)[at] = (float)value; break;
    case SW_FP64: ((double *)tensor->data)[at] = value; break;
    case SW_BYTES:
    case SW_DTYPE_COUNT: break;
    }
}

static bool is_float(sw_dtype dtype) {
    return dtype == SW_FP16 || dtype == SW_FP32 || dtype == SW_FP64;
}

static void fill_plain(sw_tensor *tensor, uint64_t *rng) {
    for (size_t i = 0; i < tensor->count; i++) {
        double unit = sw_rng_unit(rng);
        if (tensor->dtype == SW_BYTES)
            ((sw_str *)tensor->data)[i] = SW_STR("");
        else
            set_number(tensor, i, is_float(tensor->dtype) ? 2 * unit - 1 : unit < 0.5 ? 0 : 1);
    }
}

static void fill_feature(sw_tensor *tensor, const sw_feature *feature, size_t rows, uint64_t *rng) {
    size_t width = tensor->count / rows;
    for (size_t row = 0; row < rows; row++) {
        double unit = sw_rng_unit(rng);
        size_t at = row * width + feature->column;
        if (tensor->dtype == SW_BYTES && feature->category_count)
            ((sw_str *)tensor->data)[at] =
                feature->categories[(size_t)(unit * feature->category_count)];
        else if (tensor->dtype != SW_BYTES && feature->has_range)
            set_number(tensor, at, feature->min + unit * (feature->max - feature->min));
    }
}

bool sw_sample_make(sw_tensor *inputs, const sw_signature *signature, size_t rows, int64_t free_dim,
                    uint64_t seed, sw_arena *arena) {
    uint64_t rng = seed;
    for (uint32_t i = 0; i < signature->input_count; i++) {
        const sw_tensor_spec *spec = &signature->inputs[i];
        sw_tensor *tensor = &inputs[i];
        *tensor = (sw_tensor){.name = spec->name, .dtype = spec->dtype, .rank = spec->rank};
        for (size_t d = 0; d < spec->rank; d++)
            tensor->shape[d] = spec->shape[d] >= 0 ? spec->shape[d]
                               : d == 0            ? (int64_t)rows
                                                   : free_dim;
        size_t bytes;
        if (!sw_shape_count(&tensor->count, tensor->shape, tensor->rank) ||
            __builtin_mul_overflow(tensor->count, sw_dtype_size(tensor->dtype), &bytes))
            return false;
        tensor->data = sw_arena_zalloc(arena, bytes, 1);
        if (!tensor->data)
            return false;
        fill_plain(tensor, &rng);
    }
    for (uint32_t f = 0; f < signature->feature_count; f++)
        fill_feature(&inputs[signature->features[f].input], &signature->features[f], rows, &rng);
    return true;
}

bool sw_sample_row(sw_tensor *row, const sw_tensor *inputs, size_t input_count, size_t at,
                   size_t rows) {
    for (size_t i = 0; i < input_count; i++) {
        if (inputs[i].rank == 0 || inputs[i].shape[0] != (int64_t)rows)
            return false;
        size_t width = inputs[i].count / rows;
        row[i] = inputs[i];
        row[i].shape[0] = 1;
        row[i].count = width;
        row[i].data = (char *)inputs[i].data + at * width * sw_dtype_size(inputs[i].dtype);
    }
    return true;
}
