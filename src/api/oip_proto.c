/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_proto.h"

#include "api/oip_raw.h"
#include "api/proto_wire.h"
#include "model/model.h"

static const char request_name[] = "ModelInferRequest";

/* Field numbers of InferTensorContents. */
typedef enum contents_field {
    CONTENTS_NONE = 0, /* FP16 can only be raw */
    CONTENTS_BOOL = 1,
    CONTENTS_INT = 2,
    CONTENTS_INT64 = 3,
    CONTENTS_UINT = 4,
    CONTENTS_UINT64 = 5,
    CONTENTS_FP32 = 6,
    CONTENTS_FP64 = 7,
    CONTENTS_BYTES = 8
} contents_field;

static const char *const contents_names[] = {"no typed field", "bool_contents", "int_contents",
                                             "int64_contents", "uint_contents", "uint64_contents",
                                             "fp32_contents",  "fp64_contents", "bytes_contents"};

static const uint8_t contents_of[SW_DTYPE_COUNT] = {
    [SW_BOOL] = CONTENTS_BOOL,   [SW_UINT8] = CONTENTS_UINT,    [SW_UINT16] = CONTENTS_UINT,
    [SW_UINT32] = CONTENTS_UINT, [SW_UINT64] = CONTENTS_UINT64, [SW_INT8] = CONTENTS_INT,
    [SW_INT16] = CONTENTS_INT,   [SW_INT32] = CONTENTS_INT,     [SW_INT64] = CONTENTS_INT64,
    [SW_FP16] = CONTENTS_NONE,   [SW_FP32] = CONTENTS_FP32,     [SW_FP64] = CONTENTS_FP64,
    [SW_BYTES] = CONTENTS_BYTES,
};

static bool no_memory(sw_wire_reader *in) {
    if (!sw_failed(in->status))
        in->status = sw_fail(in->error, SW_CODE_NO_MEMORY, "no memory for the request's tensors");
    in->at = in->end;
    return false;
}

/* Hands the failure of a reader within the message to the reader of the message. */
static bool take_status(sw_wire_reader *in, sw_status status) {
    if (!sw_failed(status))
        return true;
    if (!sw_failed(in->status))
        in->status = status;
    in->at = in->end;
    return false;
}

/* ---- Reading typed contents ---- */

static bool fail_input(sw_wire_reader *in, const sw_tensor *t, const char *what) {
    return sw_wire_fail(in, "input '%.*s' %s", SW_STR_ARG(t->name), what);
}

static bool fail_count(sw_wire_reader *in, const sw_tensor *t, const char *than) {
    return sw_wire_fail(in, "input '%.*s' has %s elements than the %zu of its shape",
                        SW_STR_ARG(t->name), than, t->count);
}

static bool fits(sw_dtype dtype, int64_t value) {
    switch (dtype) {
    case SW_INT8: return value == (int8_t)value;
    case SW_INT16: return value == (int16_t)value;
    case SW_INT32: return value == (int32_t)value;
    case SW_UINT8: return value == (uint8_t)value;
    case SW_UINT16: return value == (uint16_t)value;
    case SW_UINT32: return value == (uint32_t)value;
    default: return true;
    }
}

/* One varint element. int32 comes as 64 bits with its sign; a uint32 has no bits above. */
static bool put_varint(sw_wire_reader *in, sw_tensor *t, size_t i) {
    uint64_t value;
    if (!sw_wire_raw_varint(in, &value))
        return false;
    if (t->dtype == SW_BOOL)
        value = value != 0;
    if (!fits(t->dtype, (int64_t)value))
        return sw_wire_fail(in, "input '%.*s': element %zu does not fit %.*s", SW_STR_ARG(t->name),
                            i, SW_STR_ARG(sw_dtype_name(t->dtype)));
    size_t size = sw_dtype_size(t->dtype);
    memcpy((char *)t->data + i * size, &value, size); /* little-endian: low bytes first */
    return true;
}

static bool put_fixed(sw_wire_reader *in, sw_tensor *t, size_t i) {
    size_t size = sw_dtype_size(t->dtype);
    return sw_wire_raw_fixed(in, (char *)t->data + i * size, size);
}

static bool is_fixed(sw_dtype dtype) {
    return dtype == SW_FP32 || dtype == SW_FP64;
}

static bool read_packed(sw_wire_reader *in, sw_tensor *t, size_t *filled) {
    size_t size = sw_dtype_size(t->dtype);
    sw_str bytes;
    if (!sw_wire_bytes(in, &bytes))
        return false;
    sw_wire_reader packed = sw_wire_read(bytes, in->message, in->error);
    if (is_fixed(t->dtype) && bytes.len % size == 0) {
        if (bytes.len / size > t->count - *filled)
            return fail_count(in, t, "more");
        if (bytes.len)
            memcpy((char *)t->data + *filled * size, bytes.at, bytes.len);
        *filled += bytes.len / size;
        return true;
    }
    while (packed.at < packed.end) {
        if (*filled == t->count)
            return fail_count(in, t, "more");
        if (!(is_fixed(t->dtype) ? put_fixed(&packed, t, *filled)
                                 : put_varint(&packed, t, *filled)))
            return take_status(in, packed.status);
        (*filled)++;
    }
    return take_status(in, packed.status);
}

/* One field of the contents: a packed run, or a single element. */
static bool read_elements(sw_wire_reader *in, sw_tensor *t, size_t *filled) {
    sw_wire_type single = t->dtype == SW_FP32   ? SW_WIRE_FIXED32
                          : t->dtype == SW_FP64 ? SW_WIRE_FIXED64
                                                : SW_WIRE_VARINT;
    if (t->dtype != SW_BYTES && in->type == SW_WIRE_BYTES)
        return read_packed(in, t, filled);
    if (*filled == t->count)
        return fail_count(in, t, "more");
    if (t->dtype == SW_BYTES)
        return sw_wire_bytes(in, (sw_str *)t->data + (*filled)++);
    if (in->type != single)
        return sw_wire_fail(in, "field %u has wire type %d, not %d", in->field, (int)in->type,
                            (int)single);
    return is_fixed(t->dtype) ? put_fixed(in, t, (*filled)++) : put_varint(in, t, (*filled)++);
}

static bool fail_field(sw_wire_reader *in, const sw_tensor *t) {
    return sw_wire_fail(in, "input '%.*s' is %.*s, which goes into %s, not %s", SW_STR_ARG(t->name),
                        SW_STR_ARG(sw_dtype_name(t->dtype)),
                        contents_of[t->dtype] ? contents_names[contents_of[t->dtype]]
                                              : "raw_input_contents",
                        contents_names[in->field]);
}

static bool read_contents(sw_wire_reader *request, sw_tensor *t, sw_str contents, sw_arena *arena) {
    sw_wire_reader in = sw_wire_read(contents, request->message, request->error);
    size_t filled = 0;
    /* Each element takes a byte at least: a shape that claims more is not believed. */
    if (t->count > contents.len)
        return fail_count(request, t, "fewer");
    t->data = sw_arena_alloc(arena, t->count * sw_dtype_size(t->dtype));
    if (!t->data)
        return no_memory(request);
    while (sw_wire_next(&in)) {
        bool typed = in.field >= CONTENTS_BOOL && in.field <= CONTENTS_BYTES;
        bool good = !typed                              ? sw_wire_skip(&in)
                    : in.field != contents_of[t->dtype] ? fail_field(&in, t)
                                                        : read_elements(&in, t, &filled);
        if (!good)
            break;
    }
    if (!sw_failed(in.status) && filled != t->count)
        fail_count(&in, t, "fewer");
    return take_status(request, in.status);
}

/* ---- Reading one input ---- */

typedef struct input {
    sw_tensor *tensor;
    sw_str datatype;
    sw_str contents; /* at is NULL where there are none */
} input;

static bool add_dimension(sw_wire_reader *in, sw_tensor *t, uint64_t size) {
    if (t->rank == SW_RANK_MAX)
        return sw_wire_fail(in, "a shape of more than %d dimensions", SW_RANK_MAX);
    if ((int64_t)size < 0)
        return sw_wire_fail(in, "a dimension of %lld in a shape: say how many there are",
                            (long long)size);
    t->shape[t->rank++] = (int64_t)size;
    return true;
}

static bool read_shape(sw_wire_reader *in, sw_tensor *t) {
    uint64_t size;
    sw_str bytes;
    if (in->type != SW_WIRE_BYTES)
        return sw_wire_varint(in, &size) && add_dimension(in, t, size);
    if (!sw_wire_bytes(in, &bytes))
        return false;
    sw_wire_reader packed = sw_wire_read(bytes, in->message, in->error);
    while (packed.at < packed.end)
        if (!sw_wire_raw_varint(&packed, &size) || !add_dimension(&packed, t, size))
            break;
    return take_status(in, packed.status);
}

/* A map entry: only the key matters. */
static bool read_parameter(sw_wire_reader *in) {
    sw_str bytes, key = {0};
    if (!sw_wire_bytes(in, &bytes))
        return false;
    sw_wire_reader entry = sw_wire_read(bytes, in->message, in->error);
    while (sw_wire_next(&entry))
        if (!(entry.field == 1 ? sw_wire_string(&entry, &key) : sw_wire_skip(&entry)))
            break;
    if (!sw_failed(entry.status) && sw_str_is(key, "shared_memory_region"))
        sw_wire_fail(&entry, "shared memory is not supported: send the data with the request");
    if (!sw_failed(entry.status) && sw_str_is(key, "classification"))
        sw_wire_fail(
            &entry, "the parameter \"classification\" is not supported: ask for the output itself");
    return take_status(in, entry.status);
}

static bool read_input_field(sw_wire_reader *in, input *x) {
    switch (in->field) {
    case 1: return sw_wire_string(in, &x->tensor->name);
    case 2: return sw_wire_string(in, &x->datatype);
    case 3: return read_shape(in, x->tensor);
    case 4: return read_parameter(in);
    case 5:
        if (x->contents.at)
            return fail_input(in, x->tensor, "has contents twice");
        return sw_wire_bytes(in, &x->contents);
    default: return sw_wire_skip(in);
    }
}

static bool check_input(sw_wire_reader *in, const input *x) {
    sw_tensor *t = x->tensor;
    if (t->name.len == 0)
        return sw_wire_fail(in, "an input without a name");
    if (!sw_dtype_parse(&t->dtype, x->datatype))
        return take_status(in, sw_oip_bad_datatype(in->error, t->name, x->datatype));
    if (!sw_shape_count(&t->count, t->shape, t->rank))
        return fail_input(in, t, "has a shape of more elements than any machine holds");
    return true;
}

static bool read_input(sw_wire_reader *in, sw_tensor *tensor, bool *typed, sw_arena *arena) {
    input x = {.tensor = tensor};
    sw_str bytes;
    if (!sw_wire_bytes(in, &bytes))
        return false;
    sw_wire_reader message = sw_wire_read(bytes, in->message, in->error);
    while (sw_wire_next(&message))
        if (!read_input_field(&message, &x))
            break;
    if (!sw_failed(message.status) && check_input(&message, &x) && x.contents.at)
        read_contents(&message, tensor, x.contents, arena);
    *typed = x.contents.len > 0;
    return take_status(in, message.status);
}

/* ---- Reading the request ---- */

typedef struct body {
    sw_infer_request *request;
    sw_str *raw;
    bool *typed; /* for each input: contents came with it */
    size_t raw_count;
    size_t input_cap, typed_cap, output_cap, raw_cap;
    sw_arena *arena;
} body;

static bool add_input(sw_wire_reader *in, body *b) {
    sw_infer_request *r = b->request;
    if (r->input_count == SW_TENSORS_MAX)
        return sw_wire_fail(in, "more than %d inputs", SW_TENSORS_MAX);
    r->inputs = sw_oip_grow(r->inputs, r->input_count, &b->input_cap, sizeof *r->inputs, b->arena);
    b->typed = sw_oip_grow(b->typed, r->input_count, &b->typed_cap, sizeof *b->typed, b->arena);
    if (!r->inputs || !b->typed)
        return no_memory(in);
    bool good = read_input(in, &r->inputs[r->input_count], &b->typed[r->input_count], b->arena);
    r->input_count++;
    return good;
}

static bool add_output(sw_wire_reader *in, body *b) {
    sw_infer_request *r = b->request;
    sw_str bytes;
    if (r->output_count == SW_TENSORS_MAX)
        return sw_wire_fail(in, "more than %d outputs", SW_TENSORS_MAX);
    r->outputs =
        sw_oip_grow(r->outputs, r->output_count, &b->output_cap, sizeof *r->outputs, b->arena);
    if (!r->outputs)
        return no_memory(in);
    if (!sw_wire_bytes(in, &bytes))
        return false;
    sw_wanted *wanted = &r->outputs[r->output_count++];
    *wanted = (sw_wanted){0};
    sw_wire_reader message = sw_wire_read(bytes, in->message, in->error);
    while (sw_wire_next(&message)) {
        bool good = message.field == 1   ? sw_wire_string(&message, &wanted->name)
                    : message.field == 2 ? read_parameter(&message)
                                         : sw_wire_skip(&message);
        if (!good)
            break;
    }
    if (!take_status(in, message.status))
        return false;
    for (size_t i = 0; i + 1 < r->output_count; i++)
        if (sw_str_eq(r->outputs[i].name, wanted->name))
            return sw_wire_fail(in, "output '%.*s' is asked for twice", SW_STR_ARG(wanted->name));
    return true;
}

static bool add_raw(sw_wire_reader *in, body *b) {
    if (b->raw_count == SW_TENSORS_MAX)
        return sw_wire_fail(in, "more than %d raw_input_contents", SW_TENSORS_MAX);
    b->raw = sw_oip_grow(b->raw, b->raw_count, &b->raw_cap, sizeof *b->raw, b->arena);
    return b->raw ? sw_wire_bytes(in, &b->raw[b->raw_count++]) : no_memory(in);
}

static bool read_request_field(sw_wire_reader *in, body *b) {
    switch (in->field) {
    case 1: return sw_wire_string(in, &b->request->model);
    case 2: return sw_wire_string(in, &b->request->version);
    case 3: return sw_wire_string(in, &b->request->id);
    case 5: return add_input(in, b);
    case 6: return add_output(in, b);
    case 7: return add_raw(in, b);
    default: return sw_wire_skip(in);
    }
}

static sw_status take_raw(body *b, sw_error *error) {
    sw_infer_request *r = b->request;
    if (b->raw_count != r->input_count)
        return sw_fail(error, SW_CODE_INVALID, "%s: %zu raw_input_contents for %zu inputs",
                       request_name, b->raw_count, r->input_count);
    for (size_t i = 0; i < r->input_count; i++) {
        if (b->typed[i])
            return sw_fail(error, SW_CODE_INVALID,
                           "%s: input '%.*s' has contents beside raw_input_contents", request_name,
                           SW_STR_ARG(r->inputs[i].name));
        SW_TRY(sw_oip_raw_read(&r->inputs[i], b->raw[i], b->arena, error));
    }
    r->raw = true;
    return SW_OK;
}

/* An input with neither kind of contents is one of no elements, or a mistake. */
static sw_status check_typed(const body *b, sw_error *error) {
    const sw_infer_request *r = b->request;
    for (size_t i = 0; i < r->input_count; i++) {
        sw_tensor *t = &r->inputs[i];
        if (!t->data && t->count)
            return sw_fail(error, SW_CODE_INVALID, "%s: input '%.*s' has no contents", request_name,
                           SW_STR_ARG(t->name));
        if (!t->data && !(t->data = sw_arena_alloc(b->arena, 0)))
            return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the request's tensors");
    }
    return SW_OK;
}

sw_status sw_oip_proto_parse_infer(sw_infer_request *out, sw_str bytes, sw_arena *arena,
                                   sw_error *error) {
    sw_wire_reader in = sw_wire_read(bytes, request_name, error);
    body b = {.request = out, .arena = arena};
    *out = (sw_infer_request){0};
    while (sw_wire_next(&in))
        if (!read_request_field(&in, &b))
            break;
    if (sw_failed(in.status))
        return in.status;
    return b.raw_count ? take_raw(&b, error) : check_typed(&b, error);
}

/* ---- Writing the answer ---- */

static void put_shape(sw_buf *out, const int64_t *shape, size_t rank) {
    if (rank == 0)
        return;
    size_t began = sw_wire_begin(out, 3);
    for (size_t i = 0; i < rank; i++)
        sw_wire_put_varint(out, (uint64_t)shape[i]);
    sw_wire_end(out, began);
}

static void put_varints(sw_buf *out, const sw_tensor *t) {
    const void *data = t->data;
    for (size_t i = 0; i < t->count; i++) {
        switch (t->dtype) {
#define WHOLE(dtype, type) \
    case dtype: sw_wire_put_varint(out, (uint64_t)(int64_t)((const type *)data)[i]); break;
            WHOLE(SW_BOOL, uint8_t)
            WHOLE(SW_UINT8, uint8_t)
            WHOLE(SW_UINT16, uint16_t)
            WHOLE(SW_UINT32, uint32_t)
            WHOLE(SW_UINT64, uint64_t)
            WHOLE(SW_INT8, int8_t)
            WHOLE(SW_INT16, int16_t)
            WHOLE(SW_INT32, int32_t)
            WHOLE(SW_INT64, int64_t)
#undef WHOLE
        default: break;
        }
    }
}

static void put_contents(sw_buf *out, const sw_tensor *t) {
    uint32_t field = contents_of[t->dtype];
    size_t began = sw_wire_begin(out, 5);
    if (t->dtype == SW_BYTES) {
        const sw_str *strings = t->data;
        for (size_t i = 0; i < t->count; i++) {
            sw_wire_put_tag(out, field, SW_WIRE_BYTES);
            sw_wire_put_varint(out, strings[i].len);
            sw_buf_add_str(out, strings[i]);
        }
    } else if (t->count) {
        size_t packed = sw_wire_begin(out, field);
        if (is_fixed(t->dtype))
            sw_buf_add(out, t->data, t->count * sw_dtype_size(t->dtype));
        else
            put_varints(out, t);
        sw_wire_end(out, packed);
    }
    sw_wire_end(out, began);
}

static void put_output(sw_buf *out, const sw_tensor *t, bool raw) {
    size_t began = sw_wire_begin(out, 5);
    sw_wire_put_string(out, 1, t->name);
    sw_wire_put_string(out, 2, sw_dtype_name(t->dtype));
    put_shape(out, t->shape, t->rank);
    if (!raw)
        put_contents(out, t);
    sw_wire_end(out, began);
}

/* Also whether the outputs must be raw: FP16 has no typed contents. */
static sw_status check_outputs(bool *raw, const sw_infer_response *response,
                               const sw_infer_request *request, size_t count, sw_error *error) {
    size_t bytes;
    *raw = request->raw;
    for (size_t i = 0; i < count; i++) {
        const sw_tensor *t = sw_infer_output_at(i, response, request);
        if (!t)
            return sw_fail(error, SW_CODE_INVALID, "the model has no output '%.*s'",
                           SW_STR_ARG(request->outputs[i].name));
        if (!sw_oip_raw_size(&bytes, t) || bytes > UINT32_MAX)
            return sw_fail(error, SW_CODE_INTERNAL, "output '%.*s' is too large to send",
                           SW_STR_ARG(t->name));
        *raw |= t->dtype == SW_FP16;
    }
    return SW_OK;
}

static void put_raw(sw_buf *out, const sw_tensor *t) {
    size_t bytes = 0;
    (void)sw_oip_raw_size(&bytes, t); /* checked before */
    sw_wire_put_tag(out, 6, SW_WIRE_BYTES);
    sw_wire_put_varint(out, bytes);
    sw_oip_raw_write(out, t);
}

sw_status sw_oip_proto_write_infer(sw_buf *out, const sw_infer_response *response,
                                   const sw_infer_request *request, sw_error *error) {
    size_t count = request->output_count ? request->output_count : response->output_count;
    bool raw;
    SW_TRY(check_outputs(&raw, response, request, count, error));
    sw_wire_put_string(out, 1, response->model);
    sw_wire_put_string(out, 2, response->version);
    sw_wire_put_string(out, 3, response->id);
    for (size_t i = 0; i < count; i++)
        put_output(out, sw_infer_output_at(i, response, request), raw);
    for (size_t i = 0; i < count && raw; i++)
        put_raw(out, sw_infer_output_at(i, response, request));
    return out->failed ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the answer") : SW_OK;
}
