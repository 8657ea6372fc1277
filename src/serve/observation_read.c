/* SPDX-License-Identifier: Apache-2.0 */
#include "base/iso_time.h"
#include "base/json.h"
#include "serve/observations_private.h"

#include <math.h>

/* ---- The parts ---- */

static sw_str take_raw(sw_json_reader *in) {
    (void)sw_json_read_peek(in); /* steps over white space */
    const char *at = in->at;
    if (!sw_json_read_skip(in))
        return (sw_str){0};
    return (sw_str){at, (size_t)(in->at - at)};
}

/* A string, or a number as it is written. */
static bool take_id(sw_str *id, sw_json_reader *in) {
    sw_json_kind kind = sw_json_read_peek(in);
    if (kind == SW_JSON_STRING)
        return sw_json_read_str(in, id);
    if (kind != SW_JSON_NUMBER)
        return sw_json_read_fail(in, in->at, "\"id\" should be a string or a number, but is %s",
                                 sw_json_kind_words(kind));
    *id = take_raw(in);
    return id->at != NULL;
}

/* ISO 8601, or a number of seconds since 1970 as time.time() gives it. */
static bool take_time(int64_t *at_ms, sw_json_reader *in) {
    sw_str text;
    double seconds;
    const char *at = in->at;
    if (sw_json_read_peek(in) == SW_JSON_NUMBER) {
        if (!sw_json_read_f64(in, &seconds))
            return false;
        if (!(fabs(seconds) < 1e11))
            return sw_json_read_fail(in, at,
                                     "\"time\" as a number is in seconds since 1970: give "
                                     "milliseconds as \"at_ms\"");
        *at_ms = (int64_t)(seconds * 1000);
        return true;
    }
    if (!sw_json_read_str(in, &text))
        return false;
    return sw_iso_time_parse(at_ms, text) ||
           sw_json_read_fail(in, at,
                             "\"time\" should look like 2026-03-01T12:30:05Z, with a zone, but is "
                             "'%.*s'",
                             (int)(text.len < 60 ? text.len : 60), text.at);
}

static bool take_latency(double *latency_ms, sw_json_reader *in) {
    const char *at = in->at;
    return sw_json_read_f64(in, latency_ms) &&
           ((*latency_ms >= 0 && *latency_ms < 1e12) ||
            sw_json_read_fail(in, at, "\"latency_ms\" is no duration"));
}

static bool take_part(sw_observation *out, sw_json_reader *in, sw_str key) {
    if (sw_str_is(key, "features")) {
        if (out->features.at)
            return sw_json_read_fail(in, in->at, "\"features\" came twice");
        out->features = take_raw(in);
        return out->features.at != NULL;
    }
    if (sw_json_read_peek(in) == SW_JSON_NULL &&
        (sw_str_is(key, "prediction") || sw_str_is(key, "id") || sw_str_is(key, "at_ms") ||
         sw_str_is(key, "time") || sw_str_is(key, "latency_ms")))
        return sw_json_read_null(in);
    if (sw_str_is(key, "prediction")) {
        if (out->prediction.at)
            return sw_json_read_fail(in, in->at, "\"prediction\" came twice");
        out->prediction = take_raw(in);
        return out->prediction.at != NULL;
    }
    if (sw_str_is(key, "id"))
        return take_id(&out->id, in);
    if (sw_str_is(key, "at_ms"))
        return sw_json_read_ms(in, &out->at_ms);
    if (sw_str_is(key, "time"))
        return take_time(&out->at_ms, in);
    if (sw_str_is(key, "latency_ms"))
        return take_latency(&out->latency_ms, in);
    return sw_json_read_fail(in, in->at,
                             "unknown key '%.*s': an observation has \"features\", \"prediction\", "
                             "\"id\", \"at_ms\" or \"time\", and \"latency_ms\"",
                             (int)(key.len < 60 ? key.len : 60), key.at);
}

sw_status sw_observation_read(sw_observation *out, sw_str json, const sw_json_place *place,
                              sw_arena *texts, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *out = (sw_observation){.latency_ms = (double)NAN};
    sw_json_read_init(&in, json, texts, error);
    sw_json_read_placed(&in, place);
    if (sw_json_read_peek(&in) != SW_JSON_OBJECT)
        sw_json_read_fail(&in, in.at, "an observation should be an object, but is %s",
                          sw_json_kind_words(sw_json_read_peek(&in)));
    else if (sw_json_read_object(&in))
        while (sw_json_read_key(&in, &key) && take_part(out, &in, key))
            ;
    SW_TRY(sw_json_read_end(&in));
    return out->features.at ? SW_OK
                            : sw_fail(error, SW_CODE_INVALID,
                                      "\"features\" is missing: {\"features\": {…}, "
                                      "\"prediction\": …}");
}

/* ---- The outputs ---- */

static bool is_float(sw_dtype dtype) {
    return dtype == SW_FP16 || dtype == SW_FP32 || dtype == SW_FP64;
}

static size_t width_of(const sw_tensor_spec *spec) {
    size_t width;
    if (spec->rank == 0)
        return 1;
    return sw_shape_count(&width, spec->shape + 1, spec->rank - 1U) ? width : 0;
}

size_t sw_observed_outputs_width(const sw_signature *signature) {
    size_t sum = 0;
    for (uint32_t i = 0; i < signature->output_count; i++)
        sum += width_of(&signature->outputs[i]);
    return sum;
}

sw_status sw_observed_outputs_make(sw_observed_outputs *out, const sw_signature *signature,
                                   size_t rows_max, sw_arena *arena, sw_error *error) {
    size_t count = signature->output_count;
    *out = (sw_observed_outputs){
        .signature = signature,
        .tensors = sw_arena_zalloc(arena, count + 1, sizeof *out->tensors),
        .widths = sw_arena_zalloc(arena, count + 1, sizeof *out->widths),
    };
    bool good = out->tensors && out->widths;
    for (size_t i = 0; good && i < count; i++) {
        const sw_tensor_spec *spec = &signature->outputs[i];
        out->widths[i] = width_of(spec);
        sw_tensor *t = &out->tensors[i];
        *t = (sw_tensor){.name = spec->name, .dtype = spec->dtype, .rank = spec->rank};
        memcpy(t->shape, spec->shape, sizeof t->shape);
        t->data = sw_arena_zalloc(arena, rows_max * out->widths[i] + 1, sw_dtype_size(spec->dtype));
        good = t->data != NULL;
    }
    return good ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the observations");
}

typedef struct putting {
    sw_json_reader in;
    const sw_tensor *tensor; /* the output */
    size_t at;               /* its next value */
} putting;

static void store_f64(const putting *p, double x) {
    void *data = p->tensor->data;
    if (p->tensor->dtype == SW_FP64)
        ((double *)data)[p->at] = x;
    else if (p->tensor->dtype == SW_FP32)
        ((float *)data)[p->at] = (float)x;
    else
        ((uint16_t *)data)[p->at] = sw_fp16_from_f32((float)x);
}

/* The low bytes of a number of 64 bits: little-endian machines only. */
static void store_bits(const putting *p, uint64_t bits) {
    size_t size = sw_dtype_size(p->tensor->dtype);
    memcpy((char *)p->tensor->data + p->at * size, &bits, size);
}

static bool fits(sw_dtype dtype, int64_t x) {
    switch (dtype) {
    case SW_BOOL: return x == 0 || x == 1;
    case SW_UINT8: return x >= 0 && x <= UINT8_MAX;
    case SW_UINT16: return x >= 0 && x <= UINT16_MAX;
    case SW_UINT32: return x >= 0 && x <= UINT32_MAX;
    case SW_UINT64: return x >= 0;
    case SW_INT8: return x >= INT8_MIN && x <= INT8_MAX;
    case SW_INT16: return x >= INT16_MIN && x <= INT16_MAX;
    case SW_INT32: return x >= INT32_MIN && x <= INT32_MAX;
    default: return true;
    }
}

static bool fail_put(putting *p, const char *at, const char *what) {
    return sw_json_read_fail(&p->in, at, "prediction '%.*s' %s", SW_STR_ARG(p->tensor->name), what);
}

static bool put_missing(putting *p, const char *at) {
    if (p->tensor->dtype == SW_BYTES)
        ((sw_str *)p->tensor->data)[p->at] = SW_STR("");
    else if (is_float(p->tensor->dtype))
        store_f64(p, (double)NAN);
    else
        return fail_put(p, at, "is missing, and a whole number cannot say so");
    return true;
}

static bool put_number(putting *p) {
    const char *at = p->in.at;
    double x;
    int64_t whole;
    if (p->tensor->dtype == SW_BYTES) { /* a label that is a number: as it is written */
        ((sw_str *)p->tensor->data)[p->at] = take_raw(&p->in);
        return !sw_failed(p->in.status);
    }
    if (is_float(p->tensor->dtype)) {
        if (!sw_json_read_f64(&p->in, &x))
            return false;
        store_f64(p, x);
        return true;
    }
    if (!sw_json_read_i64(&p->in, &whole))
        return false;
    store_bits(p, (uint64_t)whole);
    return fits(p->tensor->dtype, whole) ||
           fail_put(p, at, "is a number that its datatype cannot hold");
}

static bool put_truth(putting *p) {
    bool yes;
    if (!sw_json_read_bool(&p->in, &yes))
        return false;
    if (p->tensor->dtype == SW_BYTES)
        ((sw_str *)p->tensor->data)[p->at] = yes ? SW_STR("true") : SW_STR("false");
    else if (is_float(p->tensor->dtype))
        store_f64(p, yes);
    else
        store_bits(p, yes);
    return true;
}

static bool put_scalar(putting *p) {
    sw_json_kind kind = sw_json_read_peek(&p->in);
    const char *at = p->in.at;
    switch (kind) {
    case SW_JSON_NULL: return sw_json_read_null(&p->in) && put_missing(p, at);
    case SW_JSON_NUMBER: return put_number(p);
    case SW_JSON_TRUE:
    case SW_JSON_FALSE: return put_truth(p);
    case SW_JSON_STRING:
        if (p->tensor->dtype == SW_BYTES)
            return sw_json_read_str(&p->in, (sw_str *)p->tensor->data + p->at);
        return fail_put(p, at, "should be a number, but is a string");
    default:
        return sw_json_read_fail(&p->in, at, "prediction '%.*s' should be a value, but is %s",
                                 SW_STR_ARG(p->tensor->name), sw_json_kind_words(kind));
    }
}

/* A value, or the list of the output's columns. */
static bool put_values(putting *p, size_t width) {
    size_t count = 0;
    const char *at;
    if (width == 0)
        return sw_json_read_skip(&p->in);
    if (sw_json_read_peek(&p->in) == SW_JSON_NULL) {
        at = p->in.at;
        if (!sw_json_read_null(&p->in))
            return false;
        for (; count < width; count++, p->at++)
            if (!put_missing(p, at))
                return false;
        return true;
    }
    at = p->in.at;
    if (sw_json_read_peek(&p->in) != SW_JSON_ARRAY) {
        if (width == 1)
            return put_scalar(p);
        return sw_json_read_fail(&p->in, at, "prediction '%.*s' should be a list of %zu values",
                                 SW_STR_ARG(p->tensor->name), width);
    }
    if (!sw_json_read_array(&p->in))
        return false;
    bool more = false;
    for (; !more && sw_json_read_item(&p->in); count++, p->at++) {
        more = count == width;
        if (!more && !put_scalar(p))
            break;
    }
    if (sw_failed(p->in.status))
        return false;
    return (count == width && !more) ||
           sw_json_read_fail(&p->in, at, "prediction '%.*s' should have %zu value%s, but has %s",
                             SW_STR_ARG(p->tensor->name), width, width == 1 ? "" : "s",
                             more ? "more" : "fewer");
}

static bool aim(putting *p, sw_observed_outputs *outputs, size_t row, uint32_t output) {
    p->tensor = &outputs->tensors[output];
    p->at = row * outputs->widths[output];
    return true;
}

static bool fail_unknown(putting *p, const sw_signature *s, sw_str key) {
    return sw_json_read_fail(&p->in, p->in.at,
                             "the model has no output '%.*s': it has %u, of which the first is "
                             "'%.*s'",
                             (int)(key.len < 60 ? key.len : 60), key.at, s->output_count,
                             SW_STR_ARG(s->outputs[0].name));
}

static bool put_named(putting *p, sw_observed_outputs *outputs, size_t row) {
    const sw_signature *s = outputs->signature;
    sw_str key;
    if (!sw_json_read_object(&p->in))
        return false;
    while (sw_json_read_key(&p->in, &key)) {
        uint32_t output = 0;
        while (output < s->output_count && !sw_str_eq(s->outputs[output].name, key))
            output++;
        if (output == s->output_count)
            return fail_unknown(p, s, key);
        if (!aim(p, outputs, row, output) || !put_values(p, outputs->widths[output]))
            return false;
    }
    return !sw_failed(p->in.status);
}

/* What an integer cannot say goes unsaid here: a name in the object may still give it. */
static void clear_row(sw_observed_outputs *outputs, size_t row) {
    for (uint32_t i = 0; i < outputs->signature->output_count; i++) {
        putting p = {0};
        aim(&p, outputs, row, i);
        for (size_t k = 0; k < outputs->widths[i]; k++, p.at++)
            if (p.tensor->dtype == SW_BYTES || is_float(p.tensor->dtype))
                (void)put_missing(&p, NULL);
            else
                store_bits(&p, 0);
    }
}

static bool is_given(sw_str prediction, const sw_signature *s, uint32_t output, sw_arena *texts) {
    sw_json_reader in;
    sw_str key;
    sw_json_read_init(&in, prediction, texts, NULL);
    if (sw_json_read_peek(&in) != SW_JSON_OBJECT)
        return true;
    if (!sw_json_read_object(&in))
        return false;
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_eq(key, s->outputs[output].name))
            return true;
        if (!sw_json_read_skip(&in))
            return false;
    }
    return false;
}

/* Every output of whole numbers must have been named. */
static sw_status check_whole(const sw_observed_outputs *outputs, sw_str prediction, sw_arena *texts,
                             sw_error *error) {
    const sw_signature *s = outputs->signature;
    for (uint32_t i = 0; i < s->output_count; i++)
        if (s->outputs[i].dtype < SW_FP16 && outputs->widths[i] > 0 &&
            (prediction.len == 0 || !is_given(prediction, s, i, texts)))
            return sw_fail(error, SW_CODE_INVALID,
                           "prediction '%.*s' is missing, and a whole number cannot say so",
                           SW_STR_ARG(s->outputs[i].name));
    return SW_OK;
}

static sw_status read_prediction(sw_observed_outputs *outputs, size_t row, sw_str prediction,
                                 const sw_json_place *place, sw_arena *texts, sw_error *error) {
    const sw_signature *s = outputs->signature;
    putting p = {0};
    sw_json_read_init(&p.in, prediction, texts, error);
    sw_json_read_placed(&p.in, place);
    if (s->output_count == 0)
        sw_json_read_fail(&p.in, p.in.at, "the model has no outputs, so leave out \"prediction\"");
    else if (sw_json_read_peek(&p.in) == SW_JSON_OBJECT)
        put_named(&p, outputs, row);
    else if (s->output_count > 1)
        sw_json_read_fail(&p.in, p.in.at, "the model has %u outputs: give {\"%.*s\": …, …}",
                          s->output_count, SW_STR_ARG(s->outputs[0].name));
    else if (aim(&p, outputs, row, 0))
        put_values(&p, outputs->widths[0]);
    return sw_json_read_end(&p.in);
}

sw_status sw_observed_outputs_put(sw_observed_outputs *outputs, size_t row, sw_str prediction,
                                  const sw_json_place *place, sw_arena *texts, sw_error *error) {
    clear_row(outputs, row);
    if (prediction.len)
        SW_TRY(read_prediction(outputs, row, prediction, place, texts, error));
    return check_whole(outputs, prediction, texts, error);
}
