/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_json_data.h"

#include "base/num_row.h"

#include <math.h>
#include <stdio.h>

/* The tensor that is being filled. */
typedef struct filling {
    sw_json_reader *in;
    sw_tensor *tensor;
    size_t filled;
    size_t index[SW_RANK_MAX]; /* of the list that is open at each level of nesting, plus one */
} filling;

static const struct {
    bool plain; /* the fast row reader knows it */
    sw_num_type type;
} row_types[SW_DTYPE_COUNT] = {
    [SW_UINT8] = {true, SW_NUM_U8},   [SW_UINT16] = {true, SW_NUM_U16},
    [SW_UINT32] = {true, SW_NUM_U32}, [SW_UINT64] = {true, SW_NUM_U64},
    [SW_INT8] = {true, SW_NUM_I8},    [SW_INT16] = {true, SW_NUM_I16},
    [SW_INT32] = {true, SW_NUM_I32},  [SW_INT64] = {true, SW_NUM_I64},
    [SW_FP32] = {true, SW_NUM_F32},   [SW_FP64] = {true, SW_NUM_F64},
};

/* ---- One element, whatever its form ---- */

static bool fail_element(filling *f, const char *at, const char *what) {
    return sw_json_read_fail(f->in, at, "input '%.*s': data element %zu %s",
                             SW_STR_ARG(f->tensor->name), f->filled, what);
}

static bool fail_wanted(filling *f, const char *what) {
    char text[96];
    sw_json_kind kind = sw_json_read_peek(f->in);
    if (kind == SW_JSON_NOTHING)
        snprintf(text, sizeof text, "should be %s", what);
    else
        snprintf(text, sizeof text, "should be %s, but is %s", what, sw_json_kind_words(kind));
    return fail_element(f, f->in->at, text);
}

/* The values that JSON has no numbers for. */
static bool take_special(sw_json_reader *in, double *out) {
    if (sw_json_read_token(in, SW_STR("NaN")) || sw_json_read_token(in, SW_STR("null")))
        *out = (double)NAN;
    else if (sw_json_read_token(in, SW_STR("Infinity")))
        *out = (double)INFINITY;
    else if (sw_json_read_token(in, SW_STR("-Infinity")))
        *out = (double)-INFINITY;
    else
        return false;
    return true;
}

static bool fail_fit(filling *f, const char *at, sw_num_fit fit) {
    char text[64];
    if (fit == SW_NUM_MALFORMED)
        return fail_element(f, at, "is a malformed number");
    if (fit == SW_NUM_NOT_WHOLE)
        snprintf(text, sizeof text, "is not whole, as %.*s must be",
                 SW_STR_ARG(sw_dtype_name(f->tensor->dtype)));
    else
        snprintf(text, sizeof text, "does not fit %.*s",
                 SW_STR_ARG(sw_dtype_name(f->tensor->dtype)));
    return fail_element(f, at, text);
}

/* Rounds to odd, so that rounding the result again to fewer bits rounds once. */
static float narrow_to_odd(double value) {
    float narrow = (float)value;
    uint32_t bits;
    if (isinf(narrow) || (double)narrow == value)
        return narrow;
    if (fabs((double)narrow) > fabs(value))
        narrow = nextafterf(narrow, 0);
    memcpy(&bits, &narrow, sizeof bits);
    bits |= 1;
    memcpy(&narrow, &bits, sizeof narrow);
    return narrow;
}

static bool put_float(filling *f, const char *at, const char **behind) {
    void *data = f->tensor->data;
    sw_num_fit fit;
    double value;
    *behind = at;
    if (f->tensor->dtype == SW_FP32) {
        fit = sw_num_scan_f32((float *)data + f->filled, behind, f->in->end);
    } else if (f->tensor->dtype == SW_FP64) {
        fit = sw_num_scan_f64((double *)data + f->filled, behind, f->in->end);
    } else {
        fit = sw_num_scan_f64(&value, behind, f->in->end);
        uint16_t half = fit == SW_NUM_FITS ? sw_fp16_from_f32(narrow_to_odd(value)) : 0;
        if ((half & 0x7FFF) == 0x7C00)
            fit = SW_NUM_OUT_OF_RANGE;
        ((uint16_t *)data)[f->filled] = half;
    }
    return fit == SW_NUM_FITS || fail_fit(f, fit == SW_NUM_MALFORMED ? *behind : at, fit);
}

static bool read_float(filling *f) {
    double special;
    if (take_special(f->in, &special)) {
        if (f->tensor->dtype == SW_FP32)
            ((float *)f->tensor->data)[f->filled] = (float)special;
        else if (f->tensor->dtype == SW_FP64)
            ((double *)f->tensor->data)[f->filled] = special;
        else
            ((uint16_t *)f->tensor->data)[f->filled] = sw_fp16_from_f32((float)special);
        return true;
    }
    const char *behind;
    if (sw_json_read_peek(f->in) != SW_JSON_NUMBER)
        return fail_wanted(f, "a number");
    if (!put_float(f, f->in->at, &behind))
        return false;
    f->in->at = behind;
    return true;
}

/* Least and greatest value of the signed types and of those without a sign. */
static const struct {
    int64_t least;
    uint64_t greatest;
} ranges[SW_DTYPE_COUNT] = {
    [SW_BOOL] = {0, 1},
    [SW_UINT8] = {0, UINT8_MAX},
    [SW_UINT16] = {0, UINT16_MAX},
    [SW_UINT32] = {0, UINT32_MAX},
    [SW_UINT64] = {0, UINT64_MAX},
    [SW_INT8] = {INT8_MIN, INT8_MAX},
    [SW_INT16] = {INT16_MIN, INT16_MAX},
    [SW_INT32] = {INT32_MIN, INT32_MAX},
    [SW_INT64] = {INT64_MIN, INT64_MAX},
};

static void put_whole(filling *f, uint64_t value) {
    size_t size = sw_dtype_size(f->tensor->dtype);
    /* Little-endian: the low bytes come first. */
    memcpy((char *)f->tensor->data + f->filled * size, &value, size);
}

static bool read_whole(filling *f) {
    const char *at = f->in->at, *behind = at;
    uint64_t value;
    int64_t below;
    sw_num_fit fit;
    if (sw_json_read_peek(f->in) != SW_JSON_NUMBER)
        return fail_wanted(f,
                           f->tensor->dtype == SW_BOOL ? "true, false, 0 or 1" : "a whole number");
    if (*at == '-') {
        fit = sw_num_scan_i64(&below, &behind, f->in->end);
        value = (uint64_t)below;
        if (fit == SW_NUM_FITS && below < ranges[f->tensor->dtype].least)
            fit = SW_NUM_OUT_OF_RANGE;
    } else {
        fit = sw_num_scan_u64(&value, &behind, f->in->end);
        if (fit == SW_NUM_FITS && value > ranges[f->tensor->dtype].greatest)
            fit = SW_NUM_OUT_OF_RANGE;
    }
    if (fit != SW_NUM_FITS)
        return fail_fit(f, fit == SW_NUM_MALFORMED ? behind : at, fit);
    put_whole(f, value);
    f->in->at = behind;
    return true;
}

static bool read_bool(filling *f) {
    if (sw_json_read_token(f->in, SW_STR("true")))
        put_whole(f, 1);
    else if (sw_json_read_token(f->in, SW_STR("false")))
        put_whole(f, 0);
    else
        return read_whole(f);
    return true;
}

static bool read_element(filling *f) {
    bool good;
    sw_json_read_space(f->in);
    switch (f->tensor->dtype) {
    case SW_BYTES:
        if (sw_json_read_peek(f->in) != SW_JSON_STRING)
            return fail_wanted(f, "a string");
        return sw_json_read_str(f->in, (sw_str *)f->tensor->data + f->filled);
    case SW_FP16:
    case SW_FP32:
    case SW_FP64: good = read_float(f); break;
    case SW_BOOL: good = read_bool(f); break;
    default: good = read_whole(f);
    }
    f->in->first = false;
    return good;
}

/* ---- Lists of elements ---- */

static void shape_text(char *text, size_t cap, const sw_tensor *tensor) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tensor->rank && used < cap; i++)
        used += (size_t)snprintf(text + used, cap - used, i ? ",%lld" : "%lld",
                                 (long long)tensor->shape[i]);
}

/* "data[3][1]", the list at nesting `level`. */
static void place_text(char *text, size_t cap, const filling *f, size_t level) {
    size_t used = (size_t)snprintf(text, cap, "data");
    for (size_t i = 0; i < level && used < cap; i++)
        used += (size_t)snprintf(text + used, cap - used, "[%zu]", f->index[i] - 1);
}

static bool fail_count(filling *f, size_t level, const char *found, size_t wanted) {
    char shape[192], place[192];
    shape_text(shape, sizeof shape, f->tensor);
    place_text(place, sizeof place, f, level);
    return sw_json_read_fail(f->in, f->in->at, "input '%.*s': %s has %s, but shape [%s] wants %zu",
                             SW_STR_ARG(f->tensor->name), place, found, shape, wanted);
}

static bool fail_too_few(filling *f, size_t level, size_t found, size_t wanted) {
    char text[64];
    snprintf(text, sizeof text, "%zu element%s", found, found == 1 ? "" : "s");
    return fail_count(f, level, text, wanted);
}

static bool fail_too_many(filling *f, size_t level, size_t wanted) {
    char text[64];
    snprintf(text, sizeof text, "more than %zu element%s", wanted, wanted == 1 ? "" : "s");
    return fail_count(f, level, text, wanted);
}

/* The rest of an innermost list that was opened: `wanted` elements and the bracket. */
static bool read_list(filling *f, size_t level, size_t wanted) {
    sw_json_reader *in = f->in;
    sw_tensor *t = f->tensor;
    size_t size = sw_dtype_size(t->dtype), before = f->filled;
    while (sw_json_read_item(in)) {
        size_t left = wanted - (f->filled - before);
        if (left == 0)
            return fail_too_many(f, level, wanted);
        sw_json_read_space(in);
        size_t taken = row_types[t->dtype].plain ? sw_num_row(row_types[t->dtype].type,
                                                              (char *)t->data + f->filled * size,
                                                              left, &in->at, in->start, in->end)
                                                 : 0;
        in->first = false;
        f->filled += taken;
        if (taken == 0) {
            if (!read_element(f))
                return false;
            f->filled++;
        }
    }
    if (!sw_failed(in->status) && f->filled - before != wanted)
        return fail_too_few(f, level, f->filled - before, wanted);
    return !sw_failed(in->status);
}

/* ---- Nested lists ---- */

/* Enters the next list within the one that is open at `level`. */
static bool open_inner(filling *f, size_t level) {
    char shape[192];
    if (f->index[level] == (size_t)f->tensor->shape[level])
        return fail_too_many(f, level, f->index[level]);
    f->index[level]++;
    if (sw_json_read_peek(f->in) == SW_JSON_ARRAY)
        return sw_json_read_array(f->in);
    shape_text(shape, sizeof shape, f->tensor);
    return sw_json_read_fail(f->in, f->in->at,
                             "input '%.*s': data is nested %zu deep here, but shape [%s] wants %u",
                             SW_STR_ARG(f->tensor->name), level + 1, shape, f->tensor->rank);
}

static bool read_nested(filling *f) {
    const sw_tensor *t = f->tensor;
    size_t level = 0; /* of the list that is open */
    for (;;) {
        while (sw_json_read_item(f->in)) {
            if (!open_inner(f, level))
                return false;
            if (level + 2 == t->rank) {
                if (!read_list(f, level + 1, (size_t)t->shape[level + 1]))
                    return false;
            } else {
                f->index[++level] = 0;
            }
        }
        if (sw_failed(f->in->status))
            return false;
        if (f->index[level] != (size_t)t->shape[level])
            return fail_too_few(f, level, f->index[level], (size_t)t->shape[level]);
        if (level-- == 0)
            return true;
    }
}

static bool is_nested(const sw_json_reader *in) {
    const char *p = in->at + 1;
    while (p < in->end && sw_json_is_space(*p))
        p++;
    return p < in->end && *p == '[';
}

bool sw_oip_json_read_data(sw_json_reader *in, sw_tensor *tensor) {
    filling f = {.in = in, .tensor = tensor};
    if (sw_json_read_peek(in) != SW_JSON_ARRAY)
        return sw_json_read_fail(in, in->at, "input '%.*s': data should be a list, but is %s",
                                 SW_STR_ARG(tensor->name),
                                 sw_json_kind_words(sw_json_read_peek(in)));
    /* An element takes at least a character and a comma: a shape that claims more is not believed.
     */
    if (tensor->count > (size_t)(in->end - in->at) / 2 + 1)
        return sw_json_read_fail(in, in->at,
                                 "input '%.*s': data has fewer elements than the %zu of its shape",
                                 SW_STR_ARG(tensor->name), tensor->count);
    tensor->data = sw_arena_alloc(in->arena, tensor->count * sw_dtype_size(tensor->dtype));
    if (!tensor->data)
        return sw_json_read_no_memory(in);
    bool nested = tensor->rank > 1 && is_nested(in);
    if (!sw_json_read_array(in))
        return false;
    return nested ? read_nested(&f) : read_list(&f, 0, tensor->count);
}
