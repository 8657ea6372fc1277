/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/tensor_json.h"

#include <math.h>

/* Room is made for this many numbers at once. */
enum { CHUNK = 64 };

static size_t put_text(char *to, sw_str text) {
    memcpy(to, text.at, text.len);
    return text.len;
}

static size_t put_f64(char *to, double value, bool infinities) {
    if (isnan(value) || (isinf(value) && !infinities))
        return put_text(to, SW_STR("null"));
    return sw_num_print_f64(to, value);
}

static size_t put_f32(char *to, float value, bool infinities) {
    if (isnan(value) || (isinf(value) && !infinities))
        return put_text(to, SW_STR("null"));
    return sw_num_print_f32(to, value);
}

/* One element that is no string, into room for SW_NUM_BYTES. */
static inline size_t put_element(char *to, const sw_tensor *t, size_t i, bool infinities) {
    switch (t->dtype) {
    case SW_BOOL:
        return put_text(to, ((const uint8_t *)t->data)[i] ? SW_STR("true") : SW_STR("false"));
    case SW_UINT8: return sw_num_print_u64(to, ((const uint8_t *)t->data)[i]);
    case SW_UINT16: return sw_num_print_u64(to, ((const uint16_t *)t->data)[i]);
    case SW_UINT32: return sw_num_print_u64(to, ((const uint32_t *)t->data)[i]);
    case SW_UINT64: return sw_num_print_u64(to, ((const uint64_t *)t->data)[i]);
    case SW_INT8: return sw_num_print_i64(to, ((const int8_t *)t->data)[i]);
    case SW_INT16: return sw_num_print_i64(to, ((const int16_t *)t->data)[i]);
    case SW_INT32: return sw_num_print_i64(to, ((const int32_t *)t->data)[i]);
    case SW_INT64: return sw_num_print_i64(to, ((const int64_t *)t->data)[i]);
    case SW_FP16: return put_f32(to, sw_fp16_to_f32(((const uint16_t *)t->data)[i]), infinities);
    case SW_FP32: return put_f32(to, ((const float *)t->data)[i], infinities);
    case SW_FP64: return put_f64(to, ((const double *)t->data)[i], infinities);
    case SW_BYTES:
    case SW_DTYPE_COUNT: break;
    }
    return 0;
}

static sw_status put_strings(sw_json *w, const sw_tensor *t, size_t first, size_t count,
                             sw_error *error) {
    const sw_str *strings = (const sw_str *)t->data + first;
    for (size_t i = 0; i < count; i++) {
        if (!sw_str_is_utf8(strings[i]))
            return sw_fail(
                error, SW_CODE_INVALID,
                "element %zu of output '%.*s' is no UTF-8 text: ask for it as binary data",
                first + i, SW_STR_ARG(t->name));
        sw_json_str(w, strings[i]);
    }
    return SW_OK;
}

sw_status sw_tensor_put_json(sw_json *w, const sw_tensor *t, size_t first, size_t count,
                             sw_error *error) {
    sw_buf *out = w->out;
    if (t->dtype == SW_BYTES)
        return put_strings(w, t, first, count, error);
    for (size_t i = 0; i < count; i++) {
        if (i % CHUNK == 0) {
            size_t chunk = count - i < CHUNK ? count - i : CHUNK;
            if (!sw_buf_reserve(out, chunk * (SW_NUM_BYTES + 1)))
                return SW_OK; /* the buffer remembers */
        }
        out->at[out->len] = ',';
        out->len += w->comma;
        w->comma = true;
        out->len += put_element(out->at + out->len, t, first + i, w->infinities);
    }
    return SW_OK;
}
