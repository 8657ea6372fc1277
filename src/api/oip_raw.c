/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_raw.h"

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the request's tensors");
}

static uint32_t read_u32(const char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static sw_status read_strings(sw_tensor *tensor, sw_str raw, sw_arena *arena, sw_error *error) {
    const char *at = raw.at, *end = raw.at + raw.len;
    if (tensor->count > raw.len / 4)
        return sw_fail(
            error, SW_CODE_INVALID,
            "input '%.*s': %zu raw bytes are too few for the %zu BYTES elements of its shape",
            SW_STR_ARG(tensor->name), raw.len, tensor->count);
    sw_str *strings = sw_arena_alloc(arena, tensor->count * sizeof *strings);
    if (!strings)
        return no_memory(error);
    for (size_t i = 0; i < tensor->count; i++) {
        if (end - at < 4 || read_u32(at) > (size_t)(end - at) - 4)
            return sw_fail(
                error, SW_CODE_INVALID,
                "input '%.*s': the raw bytes end within BYTES element %zu (each is a 32-bit "
                "length and its bytes)",
                SW_STR_ARG(tensor->name), i);
        strings[i] = (sw_str){at + 4, read_u32(at)};
        at += 4 + strings[i].len;
    }
    if (at != end)
        return sw_fail(error, SW_CODE_INVALID,
                       "input '%.*s': %zu raw bytes are left over behind its %zu BYTES elements",
                       SW_STR_ARG(tensor->name), (size_t)(end - at), tensor->count);
    tensor->data = strings;
    return SW_OK;
}

static sw_status check_bools(const sw_tensor *tensor, sw_str raw, sw_error *error) {
    for (size_t i = 0; i < raw.len; i++)
        if ((unsigned char)raw.at[i] > 1)
            return sw_fail(error, SW_CODE_INVALID,
                           "input '%.*s': BOOL element %zu is byte %u, not 0 or 1",
                           SW_STR_ARG(tensor->name), i, (unsigned char)raw.at[i]);
    return SW_OK;
}

sw_status sw_oip_raw_read(sw_tensor *tensor, sw_str raw, sw_arena *arena, sw_error *error) {
    size_t size = sw_dtype_size(tensor->dtype), bytes;
    if (tensor->dtype == SW_BYTES)
        return read_strings(tensor, raw, arena, error);
    if (__builtin_mul_overflow(tensor->count, size, &bytes) || bytes != raw.len)
        return sw_fail(
            error, SW_CODE_INVALID,
            "input '%.*s' came with %zu raw bytes, but %zu elements of %.*s take %zu each",
            SW_STR_ARG(tensor->name), raw.len, tensor->count,
            SW_STR_ARG(sw_dtype_name(tensor->dtype)), size);
    if (tensor->dtype == SW_BOOL)
        SW_TRY(check_bools(tensor, raw, error));
    if (((uintptr_t)raw.at & (size - 1)) == 0 && raw.len) {
        tensor->data = (void *)(uintptr_t)raw.at; /* inputs are never written to */
        return SW_OK;
    }
    tensor->data = sw_arena_alloc(arena, raw.len);
    if (!tensor->data)
        return no_memory(error);
    if (raw.len)
        memcpy(tensor->data, raw.at, raw.len);
    return SW_OK;
}

bool sw_oip_raw_size(size_t *bytes, const sw_tensor *tensor) {
    if (tensor->dtype != SW_BYTES)
        return !__builtin_mul_overflow(tensor->count, sw_dtype_size(tensor->dtype), bytes);
    const sw_str *strings = tensor->data;
    *bytes = 0;
    for (size_t i = 0; i < tensor->count; i++)
        if (strings[i].len > UINT32_MAX ||
            __builtin_add_overflow(*bytes, strings[i].len + 4, bytes))
            return false;
    return true;
}

void sw_oip_raw_write(sw_buf *out, const sw_tensor *tensor) {
    if (tensor->dtype != SW_BYTES) {
        sw_buf_add(out, tensor->data, tensor->count * sw_dtype_size(tensor->dtype));
        return;
    }
    const sw_str *strings = tensor->data;
    for (size_t i = 0; i < tensor->count; i++) {
        uint32_t len = (uint32_t)strings[i].len;
        sw_buf_add(out, &len, sizeof len);
        sw_buf_add_str(out, strings[i]);
    }
}

void *sw_oip_grow(void *list, size_t count, size_t *cap, size_t size_bytes, sw_arena *arena) {
    if (count < *cap)
        return list;
    size_t more = *cap ? *cap * 4 : 1; /* one is by far the most frequent count */
    void *grown = sw_arena_zalloc(arena, more, size_bytes);
    if (!grown)
        return NULL;
    if (count)
        memcpy(grown, list, count * size_bytes);
    *cap = more;
    return grown;
}

sw_status sw_oip_bad_datatype(sw_error *error, sw_str tensor, sw_str datatype) {
    return sw_fail(
        error, SW_CODE_INVALID,
        "input '%.*s' has datatype '%.*s': use BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, "
        "INT32, INT64, FP16, FP32, FP64 or BYTES",
        SW_STR_ARG(tensor), SW_STR_ARG(datatype));
}
