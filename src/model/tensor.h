/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor: a named, typed, shaped run of numbers or strings.
 *
 * Row-major, native byte order (little-endian machines only). A BYTES tensor's data is an array
 * of sw_str. FP16 is carried as its 16 bits.
 *
 * Memory:  borrowed: name and data belong to whoever made the tensor (an arena, a request's body).
 * Threads: any; plain data.
 * Layer:   model. Source of the datatype names: Open Inference Protocol v2.
 */
#ifndef SW_MODEL_TENSOR_H
#define SW_MODEL_TENSOR_H

#include "base/str.h"

#include <stdint.h>

typedef enum sw_dtype {
    SW_BOOL,
    SW_UINT8,
    SW_UINT16,
    SW_UINT32,
    SW_UINT64,
    SW_INT8,
    SW_INT16,
    SW_INT32,
    SW_INT64,
    SW_FP16,
    SW_FP32,
    SW_FP64,
    SW_BYTES,
    SW_DTYPE_COUNT
} sw_dtype;

enum { SW_RANK_MAX = 8 };

typedef struct sw_tensor {
    sw_str name;
    sw_dtype dtype;
    uint8_t rank;
    int64_t shape[SW_RANK_MAX];
    size_t count; /* elements: the product of the shape */
    void *data;   /* count elements; sw_str[count] for BYTES */
} sw_tensor;

/* What a model says of one of its inputs or outputs. */
/* What an input holds, where the signature file says so. It is watched accordingly. */
typedef enum sw_content {
    SW_CONTENT_COLUMNS, /* features; nothing else was said */
    SW_CONTENT_IMAGE,
    SW_CONTENT_TOKENS,
    SW_CONTENT_EMBEDDING,
    SW_CONTENT_TEXT,
} sw_content;

typedef struct sw_tensor_spec {
    sw_str name;
    sw_dtype dtype;
    uint8_t rank;
    int64_t shape[SW_RANK_MAX];    /* -1: any size */
    sw_str dim_names[SW_RANK_MAX]; /* a symbolic dimension's name, or empty */
    const sw_str *labels;          /* names of the last dimension's columns (classes), or NULL */
    uint32_t label_count;
    sw_content content;
    int64_t vocabulary; /* TOKENS: ids are below; 0: not known */
    int64_t unknown;    /* TOKENS: the id of what the vocabulary lacks, where has_unknown */
    bool has_unknown;
} sw_tensor_spec;

/* Bytes of one element; sizeof(sw_str) for BYTES. */
size_t sw_dtype_size(sw_dtype dtype);
/* "FP32" and so on. */
sw_str sw_dtype_name(sw_dtype dtype);
bool sw_dtype_parse(sw_dtype *out, sw_str name);

/* The product of `shape`; false where it overflows or a dimension is negative. */
bool sw_shape_count(size_t *count, const int64_t *shape, size_t rank);

/* IEEE 754 binary16 both ways (round to nearest, ties to even). */
float sw_fp16_to_f32(uint16_t half);
uint16_t sw_fp16_from_f32(float value);

/* Element `at` as a double (BYTES: NaN). int64 beyond 2^53 rounds. */
double sw_tensor_f64(const sw_tensor *tensor, size_t at);

#endif /* SW_MODEL_TENSOR_H */
