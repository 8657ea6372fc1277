/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_json.h"

#include "api/oip_json_data.h"
#include "api/oip_raw.h"
#include "base/json.h"
#include "model/model.h"

/* ---- Keys ---- */

typedef enum key_bit {
    KEY_OTHER = 0,
    KEY_ID = 1,
    KEY_PARAMETERS = 2,
    KEY_INPUTS = 4,
    KEY_OUTPUTS = 8,
    KEY_NAME = 16,
    KEY_SHAPE = 32,
    KEY_DATATYPE = 64,
    KEY_DATA = 128
} key_bit;

/* The length tells most keys apart, so that one comparison is enough. */
static key_bit which_key(sw_str key) {
#define IS(word, bit) (memcmp(key.at, word, sizeof(word) - 1) == 0 ? (bit) : KEY_OTHER)
    switch (key.len) {
    case 2: return IS("id", KEY_ID);
    case 4: return key.at[0] == 'n' ? IS("name", KEY_NAME) : IS("data", KEY_DATA);
    case 5: return IS("shape", KEY_SHAPE);
    case 6: return IS("inputs", KEY_INPUTS);
    case 7: return IS("outputs", KEY_OUTPUTS);
    case 8: return IS("datatype", KEY_DATATYPE);
    case 10: return IS("parameters", KEY_PARAMETERS);
    default: return KEY_OTHER;
    }
#undef IS
}

/* Marks a key as seen; false where it was already. */
static bool see(sw_json_reader *in, unsigned *seen, key_bit key, sw_str name) {
    if (*seen & key)
        return sw_json_read_fail(in, in->at, "duplicate key \"%.*s\"", SW_STR_ARG(name));
    *seen |= key;
    return true;
}

/* ---- Parameters ---- */

/* What the codec itself obeys; all others are skipped. */
typedef struct known_parameters {
    bool has_size;
    uint64_t binary_data_size;
    bool has_binary;
    bool binary; /* binary_data or binary_data_output */
} known_parameters;

static bool read_parameter(sw_json_reader *in, known_parameters *out, sw_str key) {
    if (sw_str_is(key, "binary_data_size")) {
        if (out->has_size)
            return sw_json_read_fail(in, in->at, "duplicate key \"binary_data_size\"");
        out->has_size = true;
        return sw_json_read_u64(in, &out->binary_data_size);
    }
    if (sw_str_is(key, "binary_data") || sw_str_is(key, "binary_data_output")) {
        if (out->has_binary)
            return sw_json_read_fail(in, in->at, "duplicate key \"%.*s\"", SW_STR_ARG(key));
        out->has_binary = true;
        return sw_json_read_bool(in, &out->binary);
    }
    if (sw_str_is(key, "shared_memory_region"))
        return sw_json_read_fail(in, in->at,
                                 "shared memory is not supported: send the data with the request");
    if (sw_str_is(key, "classification"))
        return sw_json_read_fail(
            in, in->at,
            "the parameter \"classification\" is not supported: ask for the output itself");
    return sw_json_read_skip(in);
}

static bool read_parameters(sw_json_reader *in, known_parameters *out) {
    sw_str key;
    if (sw_json_read_peek(in) == SW_JSON_NULL)
        return sw_json_read_null(in);
    if (!sw_json_read_object(in))
        return false;
    while (sw_json_read_key(in, &key))
        if (!read_parameter(in, out, key))
            return false;
    return !sw_failed(in->status);
}

/* ---- Inputs ---- */

/* One entry of "inputs" while its keys come in. */
typedef struct input {
    sw_tensor *tensor;
    known_parameters parameters;
    unsigned seen;
    sw_json_reader data; /* stands before data that came ahead of its datatype or shape */
    const char *at;
} input;

static bool fail_input(sw_json_reader *in, const input *x, const char *what) {
    sw_str name = x->seen & KEY_NAME ? x->tensor->name : SW_STR("?");
    return sw_json_read_fail(in, x->at, "input '%.*s' %s", SW_STR_ARG(name), what);
}

/* [1,30] or [1, 30], as nearly all shapes are; false, with nothing taken, for any other form. */
static bool take_plain_shape(sw_json_reader *in, sw_tensor *tensor) {
    const char *p = in->at;
    uint8_t rank = 0;
    if (in->end - p < (SW_RANK_MAX + 1) * 12)
        return false;
    p += *p == ' ';
    if (*p++ != '[')
        return false;
    for (;;) {
        const char *first = p;
        int64_t size = 0;
        while (p - first < 9 && (unsigned char)(*p - '0') <= 9)
            size = size * 10 + (*p++ - '0');
        if (p == first || *first == '0' || rank == SW_RANK_MAX)
            return false;
        tensor->shape[rank++] = size;
        if (*p == ']')
            break;
        if (*p++ != ',')
            return false;
        p += *p == ' ';
    }
    if (!sw_shape_count(&tensor->count, tensor->shape, rank))
        return false;
    tensor->rank = rank;
    in->at = p + 1;
    in->first = false;
    return true;
}

static bool read_shape(sw_json_reader *in, sw_tensor *tensor) {
    int64_t size;
    if (take_plain_shape(in, tensor))
        return true;
    if (!sw_json_read_array(in))
        return false;
    while (sw_json_read_item(in)) {
        const char *at = in->at;
        if (tensor->rank == SW_RANK_MAX)
            return sw_json_read_fail(in, at, "a shape of more than %d dimensions", SW_RANK_MAX);
        if (!sw_json_read_i64(in, &size))
            return false;
        if (size < 0)
            return sw_json_read_fail(
                in, at, "a dimension of %lld in a shape: say how many there are", (long long)size);
        tensor->shape[tensor->rank++] = size;
    }
    if (!sw_shape_count(&tensor->count, tensor->shape, tensor->rank))
        return sw_json_read_fail(in, in->at, "a shape of more elements than any machine holds");
    return !sw_failed(in->status);
}

static bool read_datatype(sw_json_reader *in, sw_tensor *tensor) {
    sw_str name;
    const char *at = in->at;
    if (!sw_json_read_str(in, &name))
        return false;
    if (name.len == 4 && memcmp(name.at, "FP32", 4) == 0) {
        tensor->dtype = SW_FP32; /* by far the most frequent */
        return true;
    }
    if (sw_dtype_parse(&tensor->dtype, name))
        return true;
    return sw_json_read_fail(
        in, at,
        "unknown datatype '%.*s': use BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, "
        "INT32, INT64, FP16, FP32, FP64 or BYTES",
        SW_STR_ARG(name));
}

/* Data can be read once datatype and shape are known; until then its place is remembered. */
static bool read_data(sw_json_reader *in, input *x) {
    const unsigned needed = KEY_DATATYPE | KEY_SHAPE;
    if ((x->seen & needed) == needed)
        return sw_oip_json_read_data(in, x->tensor);
    x->data = *in;
    return sw_json_read_skip(in);
}

static bool read_input_key(sw_json_reader *in, input *x, sw_str key) {
    key_bit bit = which_key(key);
    if (bit != KEY_OTHER && !see(in, &x->seen, bit, key))
        return false;
    switch (bit) {
    case KEY_NAME: return sw_json_read_str(in, &x->tensor->name);
    case KEY_SHAPE: return read_shape(in, x->tensor);
    case KEY_DATATYPE: return read_datatype(in, x->tensor);
    case KEY_DATA: return read_data(in, x);
    case KEY_PARAMETERS: return read_parameters(in, &x->parameters);
    default: return sw_json_read_skip(in);
    }
}

static bool check_input(sw_json_reader *in, const input *x) {
    bool data = x->seen & KEY_DATA;
    if (!(x->seen & KEY_NAME))
        return fail_input(in, x, "has no \"name\"");
    if (!(x->seen & KEY_DATATYPE))
        return fail_input(in, x, "has no \"datatype\"");
    if (!(x->seen & KEY_SHAPE))
        return fail_input(in, x, "has no \"shape\"");
    if (data && x->parameters.has_size)
        return fail_input(in, x, "has both \"data\" and \"binary_data_size\"");
    return data || x->parameters.has_size ||
           fail_input(in, x, "has no \"data\" (or \"binary_data_size\" among its parameters)");
}

static bool read_late_data(sw_json_reader *in, input *x) {
    bool good = sw_oip_json_read_data(&x->data, x->tensor);
    if (!good) {
        in->status = x->data.status;
        in->at = in->end;
    }
    return good;
}

/* `raw_bytes`: becomes the size of its raw data plus one, or 0 where the data is JSON. */
static bool read_input(sw_json_reader *in, sw_tensor *tensor, uint64_t *raw_bytes) {
    input x = {.tensor = tensor, .at = in->at};
    sw_str key;
    if (!sw_json_read_object(in))
        return false;
    while (sw_json_read_key(in, &key))
        if (!read_input_key(in, &x, key))
            return false;
    if (sw_failed(in->status) || !check_input(in, &x))
        return false;
    *raw_bytes = 0;
    if (x.data.start)
        return read_late_data(in, &x);
    if (x.parameters.has_size && x.parameters.binary_data_size >= SIZE_MAX)
        return fail_input(in, &x, "has a \"binary_data_size\" that no body can have");
    if (x.parameters.has_size)
        *raw_bytes = x.parameters.binary_data_size + 1;
    return true;
}

/* ---- The body ---- */

typedef struct body {
    sw_infer_request *request;
    bool answer; /* of another server: "outputs" are the tensors, and go where inputs would */
    uint64_t *raw_bytes; /* for each input: see read_input */
    size_t input_cap, raw_cap, output_cap;
    bool any_raw;
    unsigned seen;
    bool *output_says; /* the output itself says whether it goes out raw */
    size_t says_cap;
} body;

static bool read_inputs(sw_json_reader *in, body *b) {
    sw_infer_request *r = b->request;
    if (!sw_json_read_array(in))
        return false;
    while (sw_json_read_item(in)) {
        if (r->input_count == SW_TENSORS_MAX)
            return sw_json_read_fail(in, in->at, "more than %d inputs", SW_TENSORS_MAX);
        r->inputs =
            sw_oip_grow(r->inputs, r->input_count, &b->input_cap, sizeof *r->inputs, in->arena);
        b->raw_bytes =
            sw_oip_grow(b->raw_bytes, r->input_count, &b->raw_cap, sizeof *b->raw_bytes, in->arena);
        if (!r->inputs || !b->raw_bytes)
            return sw_json_read_no_memory(in);
        if (!read_input(in, &r->inputs[r->input_count], &b->raw_bytes[r->input_count]))
            return false;
        b->any_raw |= b->raw_bytes[r->input_count++] != 0;
    }
    return !sw_failed(in->status);
}

static bool read_output(sw_json_reader *in, sw_wanted *wanted, bool *says) {
    known_parameters parameters = {0};
    unsigned seen = 0;
    sw_str key;
    const char *at = in->at;
    if (!sw_json_read_object(in))
        return false;
    while (sw_json_read_key(in, &key)) {
        key_bit bit = which_key(key);
        if (bit != KEY_OTHER && !see(in, &seen, bit, key))
            return false;
        bool good = bit == KEY_NAME         ? sw_json_read_str(in, &wanted->name)
                    : bit == KEY_PARAMETERS ? read_parameters(in, &parameters)
                                            : sw_json_read_skip(in);
        if (!good)
            return false;
    }
    if (!sw_failed(in->status) && !(seen & KEY_NAME))
        return sw_json_read_fail(in, at, "an output without a \"name\"");
    wanted->binary = parameters.binary;
    *says = parameters.has_binary;
    return !sw_failed(in->status);
}

static bool is_named_twice(const sw_infer_request *r) {
    for (size_t i = 0; i + 1 < r->output_count; i++)
        if (sw_str_eq(r->outputs[i].name, r->outputs[r->output_count - 1].name))
            return true;
    return false;
}

static bool read_outputs(sw_json_reader *in, body *b) {
    sw_infer_request *r = b->request;
    if (sw_json_read_peek(in) == SW_JSON_NULL)
        return sw_json_read_null(in);
    if (!sw_json_read_array(in))
        return false;
    while (sw_json_read_item(in)) {
        if (r->output_count == SW_TENSORS_MAX)
            return sw_json_read_fail(in, in->at, "more than %d outputs", SW_TENSORS_MAX);
        r->outputs =
            sw_oip_grow(r->outputs, r->output_count, &b->output_cap, sizeof *r->outputs, in->arena);
        b->output_says =
            sw_oip_grow(b->output_says, r->output_count, &b->says_cap, sizeof(bool), in->arena);
        if (!r->outputs || !b->output_says)
            return sw_json_read_no_memory(in);
        if (!read_output(in, &r->outputs[r->output_count], &b->output_says[r->output_count]))
            return false;
        r->output_count++;
        if (is_named_twice(r))
            return sw_json_read_fail(in, in->at, "output '%.*s' is asked for twice",
                                     SW_STR_ARG(r->outputs[r->output_count - 1].name));
    }
    return !sw_failed(in->status);
}

/* A string; numbers and null are taken too, as some clients send them. */
static bool read_id(sw_json_reader *in, sw_str *id) {
    const char *at;
    switch (sw_json_read_peek(in)) {
    case SW_JSON_NULL: return sw_json_read_null(in);
    case SW_JSON_NUMBER:
        at = in->at;
        if (!sw_json_read_skip(in))
            return false;
        *id = (sw_str){at, (size_t)(in->at - at)};
        return true;
    default: return sw_json_read_str(in, id);
    }
}

static bool read_body_key(sw_json_reader *in, body *b, sw_str key) {
    known_parameters parameters = {0};
    key_bit bit = which_key(key);
    if (bit != KEY_OTHER && !see(in, &b->seen, bit, key))
        return false;
    if (b->answer && (bit == KEY_INPUTS || bit == KEY_OUTPUTS))
        return bit == KEY_OUTPUTS ? read_inputs(in, b) : sw_json_read_skip(in);
    switch (bit) {
    case KEY_ID: return read_id(in, &b->request->id);
    case KEY_INPUTS: return read_inputs(in, b);
    case KEY_OUTPUTS: return read_outputs(in, b);
    case KEY_PARAMETERS:
        if (!read_parameters(in, &parameters))
            return false;
        b->request->binary_output = parameters.binary;
        return true;
    default: return sw_json_read_skip(in);
    }
}

static bool read_body(sw_json_reader *in, body *b) {
    sw_str key;
    if (!sw_json_read_object(in))
        return false;
    while (sw_json_read_key(in, &key))
        if (!read_body_key(in, b, key))
            return false;
    if (!sw_failed(in->status) && b->answer && !(b->seen & KEY_OUTPUTS))
        return sw_json_read_fail(in, in->start, "the answer has no \"outputs\"");
    if (!sw_failed(in->status) && !b->answer && !(b->seen & KEY_INPUTS))
        return sw_json_read_fail(in, in->start, "the request has no \"inputs\"");
    if (!sw_failed(in->status) && b->answer && b->request->input_count == 0)
        return sw_json_read_fail(in, in->start, "\"outputs\" is an empty list");
    for (size_t i = 0; i < b->request->output_count; i++)
        if (!b->output_says[i])
            b->request->outputs[i].binary = b->request->binary_output;
    return !sw_failed(in->status);
}

/* ---- Raw tensors behind the JSON ---- */

static sw_status read_raw_inputs(body *b, sw_str raw, sw_arena *arena, sw_error *error) {
    for (size_t i = 0; i < b->request->input_count; i++) {
        sw_tensor *tensor = &b->request->inputs[i];
        if (b->raw_bytes[i] == 0)
            continue;
        size_t size = b->raw_bytes[i] - 1;
        if (size > raw.len)
            return sw_fail(
                error, SW_CODE_INVALID,
                "input '%.*s' has a binary_data_size of %zu, but only %zu raw bytes are left",
                SW_STR_ARG(tensor->name), size, raw.len);
        SW_TRY(sw_oip_raw_read(tensor, (sw_str){raw.at, size}, arena, error));
        raw = (sw_str){raw.at + size, raw.len - size};
    }
    if (raw.len)
        return sw_fail(error, SW_CODE_INVALID, "%zu raw bytes are left over behind the last input",
                       raw.len);
    return SW_OK;
}

/* The dimensions of any size become 1, but the last of them, which takes what the bytes give. */
static sw_status solve_shape(sw_tensor *tensor, const sw_tensor_spec *spec, size_t bytes,
                             sw_error *error) {
    int unknown = -1;
    size_t known, size = sw_dtype_size(spec->dtype);
    tensor->rank = spec->rank;
    for (int i = 0; i < spec->rank; i++) {
        tensor->shape[i] = spec->shape[i] < 0 ? 1 : spec->shape[i];
        unknown = spec->shape[i] < 0 ? i : unknown;
    }
    if (!sw_shape_count(&known, tensor->shape, tensor->rank) ||
        __builtin_mul_overflow(known, size, &size))
        return sw_fail(error, SW_CODE_INVALID, "input '%.*s' is too large", SW_STR_ARG(spec->name));
    if (unknown >= 0 && size) {
        tensor->shape[unknown] = (int64_t)(bytes / size);
        known *= bytes / size;
    }
    tensor->count = known;
    return SW_OK;
}

static sw_status read_one_raw_string(sw_tensor *tensor, sw_str raw, sw_arena *arena,
                                     sw_error *error) {
    sw_str *string = sw_arena_alloc(arena, sizeof *string);
    if (!string)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the request's tensors");
    *string = raw;
    tensor->data = string;
    return tensor->count == 1
               ? SW_OK
               : sw_fail(error, SW_CODE_INVALID,
                         "a raw body can be only one string, but input '%.*s' takes more",
                         SW_STR_ARG(tensor->name));
}

static sw_status parse_raw_body(sw_infer_request *out, sw_str raw, const sw_tensor_spec *specs,
                                size_t count, sw_arena *arena, sw_error *error) {
    if (count != 1)
        return sw_fail(
            error, SW_CODE_INVALID,
            "Inference-Header-Content-Length is 0, so the body is one raw input, but the model has "
            "%zu: send a JSON header that names each",
            count);
    out->inputs = sw_arena_zalloc(arena, 1, sizeof *out->inputs);
    if (!out->inputs)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the request's tensors");
    out->input_count = 1;
    out->binary_output = true;
    sw_tensor *tensor = out->inputs;
    tensor->name = specs->name;
    tensor->dtype = specs->dtype;
    SW_TRY(solve_shape(tensor, specs, specs->dtype == SW_BYTES ? sizeof(sw_str) : raw.len, error));
    if (specs->dtype == SW_BYTES)
        return read_one_raw_string(tensor, raw, arena, error);
    return sw_oip_raw_read(tensor, raw, arena, error);
}

/* The JSON, and the raw tensors behind it. */
static sw_status parse_body(body *b, sw_str text, int64_t header_bytes, sw_arena *arena,
                            sw_error *error) {
    sw_json_reader in;
    bool split = header_bytes != SW_OIP_NO_HEADER;
    if (split && (header_bytes < 0 || (uint64_t)header_bytes > text.len))
        return sw_fail(error, SW_CODE_INVALID,
                       "Inference-Header-Content-Length is %lld, but the body has %zu bytes",
                       (long long)header_bytes, text.len);
    size_t json_len = split ? (size_t)header_bytes : text.len;
    sw_json_read_init(&in, (sw_str){text.at, json_len}, arena, error);
    read_body(&in, b);
    SW_TRY(sw_json_read_end(&in));
    if (b->any_raw && !split)
        return sw_fail(
            error, SW_CODE_INVALID,
            "an input has a binary_data_size, but the header Inference-Header-Content-Length is "
            "missing");
    return split
               ? read_raw_inputs(b, (sw_str){text.at + json_len, text.len - json_len}, arena, error)
               : SW_OK;
}

sw_status sw_oip_json_parse(sw_infer_request *out, sw_str text, int64_t header_bytes,
                            const sw_tensor_spec *specs, size_t spec_count, sw_arena *arena,
                            sw_error *error) {
    body b = {.request = out};
    sw_str model = out->model, version = out->version;
    *out = (sw_infer_request){.model = model, .version = version};
    if (header_bytes == 0)
        return parse_raw_body(out, text, specs, spec_count, arena, error);
    return parse_body(&b, text, header_bytes, arena, error);
}

sw_status sw_oip_json_parse_answer(sw_tensor **outputs, size_t *count, sw_str text,
                                   int64_t header_bytes, sw_arena *arena, sw_error *error) {
    sw_infer_request answer = {0};
    body b = {.request = &answer, .answer = true};
    SW_TRY(parse_body(&b, text, header_bytes, arena, error));
    *outputs = answer.inputs;
    *count = answer.input_count;
    return SW_OK;
}
