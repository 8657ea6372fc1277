/* SPDX-License-Identifier: Apache-2.0 */
/* What every parsed inference request must hold, whatever bytes it came from. */
#ifndef SW_TESTS_FUZZ_INFER_CHECK_H
#define SW_TESTS_FUZZ_INFER_CHECK_H

#include "serve/infer_request.h"

#include <stdlib.h>

static volatile unsigned char infer_check_sink;

static inline void must(bool condition) {
    if (!condition)
        abort();
}

static inline void touch(const void *at, size_t len) {
    for (size_t i = 0; i < len; i++)
        infer_check_sink = (unsigned char)(infer_check_sink + ((const unsigned char *)at)[i]);
}

/* Reads every byte of it, so that the sanitizers see what it points at. */
static inline void check_tensor(const sw_tensor *t) {
    size_t count;
    must(t->rank <= SW_RANK_MAX && sw_shape_count(&count, t->shape, t->rank) && count == t->count);
    must(t->data && (uintptr_t)t->data % (t->dtype == SW_BYTES ? 8 : sw_dtype_size(t->dtype)) == 0);
    touch(t->data, t->count * sw_dtype_size(t->dtype));
    for (size_t i = 0; i < t->count && t->dtype == SW_BYTES; i++)
        touch(((const sw_str *)t->data)[i].at, ((const sw_str *)t->data)[i].len);
    for (size_t i = 0; i < t->count && t->dtype == SW_BOOL; i++)
        must(((const uint8_t *)t->data)[i] <= 1);
}

static inline void check_request(const sw_infer_request *r) {
    for (size_t i = 0; i < r->input_count; i++) {
        touch(r->inputs[i].name.at, r->inputs[i].name.len);
        check_tensor(&r->inputs[i]);
    }
    for (size_t i = 0; i < r->output_count; i++)
        touch(r->outputs[i].name.at, r->outputs[i].name.len);
    touch(r->id.at, r->id.len);
}

static inline bool is_float_nan(const sw_tensor *t, size_t i) {
    double value = sw_tensor_f64(t, i);
    return t->dtype != SW_BYTES && value != value;
}

/* The same values; any NaN is like any other. */
static inline bool same_tensor(const sw_tensor *a, const sw_tensor *b) {
    size_t size = sw_dtype_size(a->dtype);
    if (a->dtype != b->dtype || a->count != b->count || a->rank != b->rank)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->dtype == SW_BYTES
                ? !sw_str_eq(((const sw_str *)a->data)[i], ((const sw_str *)b->data)[i])
                : memcmp((const char *)a->data + i * size, (const char *)b->data + i * size,
                         size) != 0 &&
                      !(is_float_nan(a, i) && is_float_nan(b, i)))
            return false;
    }
    return true;
}

#endif /* SW_TESTS_FUZZ_INFER_CHECK_H */
