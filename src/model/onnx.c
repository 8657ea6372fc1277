/* SPDX-License-Identifier: Apache-2.0 */
#include "model/onnx.h"

#include "io/file.h"

/* The messages of onnx.proto that may hold others, as far as the scan follows them. */
typedef enum kind {
    NONE, /* a leaf: stepped over */
    MODEL,
    GRAPH,
    NODE,
    ATTRIBUTE,
    TENSOR,
    SPARSE,
    VALUE,
    TYPE,
    TYPE_SEQUENCE,
    TYPE_MAP,
    TYPE_OPTIONAL,
    TRAINING,
    FUNCTION,
    ONE_STRING, /* bytes of a repeated field that are cheap to unpack: not counted */
    KINDS
} kind;

enum { FIELD_MAX = 32 };

static const char *const kind_names[KINDS] = {"field",
                                              "ModelProto",
                                              "GraphProto",
                                              "NodeProto",
                                              "AttributeProto",
                                              "TensorProto",
                                              "SparseTensorProto",
                                              "ValueInfoProto",
                                              "TypeProto",
                                              "TypeProto.Sequence",
                                              "TypeProto.Map",
                                              "TypeProto.Optional",
                                              "TrainingInfoProto",
                                              "FunctionProto",
                                              "string"};

/* What the length-delimited field `number` of a message holds (field numbers: onnx.proto). */
static const uint8_t holds[KINDS][FIELD_MAX] = {
    [MODEL] = {[7] = GRAPH, [20] = TRAINING, [25] = FUNCTION},
    [GRAPH] = {[1] = NODE, [5] = TENSOR, [11] = VALUE, [12] = VALUE, [13] = VALUE, [15] = SPARSE},
    [NODE] = {[5] = ATTRIBUTE},
    [ATTRIBUTE] = {[5] = TENSOR,
                   [6] = GRAPH,
                   [7] = ONE_STRING,
                   [8] = ONE_STRING,
                   [9] = ONE_STRING,
                   [10] = TENSOR,
                   [11] = GRAPH,
                   [14] = TYPE,
                   [15] = TYPE,
                   [22] = SPARSE,
                   [23] = SPARSE},
    [TENSOR] = {[6] = ONE_STRING},
    [SPARSE] = {[1] = TENSOR, [2] = TENSOR},
    [VALUE] = {[2] = TYPE},
    [TYPE] = {[4] = TYPE_SEQUENCE, [5] = TYPE_MAP, [9] = TYPE_OPTIONAL},
    [TYPE_SEQUENCE] = {[1] = TYPE},
    [TYPE_MAP] = {[2] = TYPE},
    [TYPE_OPTIONAL] = {[1] = TYPE},
    [TRAINING] = {[1] = GRAPH, [2] = GRAPH},
    [FUNCTION] = {[7] = NODE},
};

typedef struct field {
    uint32_t number;
    uint8_t wire;   /* 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes */
    uint64_t value; /* of a varint */
    sw_str payload; /* of a length-delimited field */
    sw_str whole;   /* tag included */
} field;

typedef struct scan {
    sw_onnx *onnx;
    sw_arena *arena;
    sw_error *error;
    uint32_t parts;
} scan;

static size_t offset_of(const scan *s, const char *at) {
    return (size_t)(at - s->onnx->bytes.at);
}

static bool take_varint(uint64_t *out, sw_str *rest) {
    uint64_t value = 0;
    for (uint32_t shift = 0; shift < 64 && rest->len; shift += 7) {
        uint8_t byte = (uint8_t)rest->at[0];
        rest->at++;
        rest->len--;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

static sw_status take_bytes(field *out, const scan *s, sw_str *rest, uint64_t want) {
    if (want > rest->len)
        return sw_fail(s->error, SW_CODE_INVALID,
                       "the ONNX model is truncated or damaged: the field at byte %zu wants %llu "
                       "bytes, and its message has %zu left",
                       offset_of(s, out->whole.at), (unsigned long long)want, rest->len);
    out->payload = (sw_str){rest->at, (size_t)want};
    rest->at += want;
    rest->len -= (size_t)want;
    return SW_OK;
}

static sw_status take_field(field *out, const scan *s, sw_str *rest, kind within) {
    *out = (field){.whole = *rest};
    uint64_t tag = 0, length = 0;
    bool fine = take_varint(&tag, rest) && tag >> 3 >= 1 && tag >> 3 < (1U << 29);
    out->number = (uint32_t)(tag >> 3);
    out->wire = (uint8_t)(tag & 7);
    if (fine && out->wire == 0) {
        fine = take_varint(&out->value, rest);
    } else if (fine && out->wire == 2) {
        fine = take_varint(&length, rest);
        if (fine)
            SW_TRY(take_bytes(out, s, rest, length));
    } else if (fine && (out->wire == 1 || out->wire == 5)) {
        SW_TRY(take_bytes(out, s, rest, out->wire == 1 ? 8 : 4));
    } else {
        fine = false;
    }
    if (!fine)
        return sw_fail(s->error, SW_CODE_INVALID,
                       "the file is no ONNX model, or is damaged: byte %zu starts no field of a %s",
                       offset_of(s, out->whole.at), kind_names[within]);
    out->whole.len -= rest->len;
    return SW_OK;
}

static sw_status scan_dims(const scan *s, const field *dim) {
    sw_str packed = dim->payload;
    bool one = dim->wire == 0;
    while (one || packed.len) {
        uint64_t size = dim->value;
        if (!one && !take_varint(&size, &packed))
            size = UINT64_MAX;
        if (size > INT64_C(1) << 40)
            return sw_fail(
                s->error, SW_CODE_INVALID,
                "the ONNX model is damaged: the tensor at byte %zu has a dimension of %lld",
                offset_of(s, dim->whole.at), (long long)size);
        one = false;
    }
    return SW_OK;
}

static sw_status scan_tensor(scan *s, sw_str bytes) {
    sw_str rest = bytes, name = {0};
    bool external = false;
    while (rest.len) {
        field f;
        SW_TRY(take_field(&f, s, &rest, TENSOR));
        if (f.number == 1)
            SW_TRY(scan_dims(s, &f));
        else if (f.number == 8)
            name = f.payload;
        else if (f.number == 14 && f.wire == 0)
            external = f.value == 1;
    }
    if (external)
        return sw_fail(
            s->error, SW_CODE_UNSUPPORTED,
            "the weights \"%.*s\" are kept in another file (external data): save the model "
            "as one file, e.g. onnx.save(model, path, save_as_external_data=False)",
            (int)(name.len < 200 ? name.len : 200), name.at ? name.at : "");
    return SW_OK;
}

static void note_op(sw_onnx *onnx, sw_str op) {
    for (uint32_t i = 0; i < onnx->op_count; i++)
        if (sw_str_eq(onnx->ops[i], op))
            return;
    if (onnx->op_count == SW_ONNX_OPS_MAX)
        onnx->more_ops = true;
    else
        onnx->ops[onnx->op_count++] = op;
}

static sw_status note_main_node(scan *s, const field *node) {
    sw_str rest = node->payload, op = {0};
    while (rest.len) {
        field f;
        SW_TRY(take_field(&f, s, &rest, NODE));
        if (f.number == 4 && f.wire == 2)
            op = f.payload;
    }
    note_op(s->onnx, op);
    if (sw_str_is(op, "ZipMap")) {
        if (s->onnx->zipmap_count == SW_ONNX_ZIPMAPS_MAX)
            return sw_fail(s->error, SW_CODE_UNSUPPORTED, "the model has more than %d ZipMaps",
                           SW_ONNX_ZIPMAPS_MAX);
        s->onnx->zipmaps[s->onnx->zipmap_count++] = node->whole;
    }
    return SW_OK;
}

static sw_status note_main_value(sw_str **list, uint32_t *count, scan *s, const field *value) {
    if (*count == SW_ONNX_VALUES_MAX)
        return sw_fail(s->error, SW_CODE_UNSUPPORTED,
                       "the model has more than %d inputs or outputs", SW_ONNX_VALUES_MAX);
    if ((*count & (*count - 1)) == 0) { /* full at each power of two */
        sw_str *grown = sw_arena_zalloc(s->arena, *count ? *count * 2 : 1, sizeof *grown);
        if (!grown)
            return sw_fail(s->error, SW_CODE_NO_MEMORY, "no memory to read the model");
        if (*count)
            memcpy(grown, *list, *count * sizeof *grown);
        *list = grown;
    }
    (*list)[(*count)++] = value->whole;
    return SW_OK;
}

static sw_status note(scan *s, const field *f, kind within, uint32_t depth) {
    if (within == MODEL && f->number == 1 && f->wire == 0) {
        s->onnx->ir_version = (int64_t)f->value;
    } else if (within == MODEL && f->number == 2 && f->wire == 2) {
        s->onnx->producer = f->payload;
    } else if (within == MODEL && f->number == 7 && f->wire == 2) {
        s->onnx->graph = f->whole;
        s->onnx->graph_count++;
    } else if (within == GRAPH && depth == 1 && f->wire == 2) {
        if (f->number == 1)
            return note_main_node(s, f);
        if (f->number == 11)
            return note_main_value(&s->onnx->inputs, &s->onnx->input_count, s, f);
        if (f->number == 12)
            return note_main_value(&s->onnx->outputs, &s->onnx->output_count, s, f);
    }
    return SW_OK;
}

static sw_status scan_message(scan *s, sw_str bytes, kind what, uint32_t depth) {
    if (what == TENSOR)
        return scan_tensor(s, bytes);
    if (depth > SW_ONNX_DEPTH_MAX)
        return sw_fail(s->error, SW_CODE_INVALID,
                       "the model's graphs or types lie more than %d levels deep (byte %zu)",
                       SW_ONNX_DEPTH_MAX, offset_of(s, bytes.at));
    while (bytes.len) {
        field f;
        SW_TRY(take_field(&f, s, &bytes, what));
        kind inner = f.number < FIELD_MAX ? (kind)holds[what][f.number] : NONE;
        if (inner != ONE_STRING && f.wire == 2 && ++s->parts > SW_ONNX_PARTS_MAX)
            return sw_fail(s->error, SW_CODE_UNSUPPORTED, "the model has more than %d parts",
                           SW_ONNX_PARTS_MAX);
        if (inner != NONE && inner != ONE_STRING && f.wire != 2)
            return sw_fail(s->error, SW_CODE_INVALID,
                           "the ONNX model is damaged: byte %zu holds a number in place of a %s",
                           offset_of(s, f.whole.at), kind_names[inner]);
        SW_TRY(note(s, &f, what, depth));
        if (inner != NONE && inner != ONE_STRING)
            SW_TRY(scan_message(s, f.payload, inner, depth + 1));
    }
    return SW_OK;
}

/* What people push by mistake, by its first bytes. */
static const struct {
    sw_str start;
    const char *what;
} strangers[] = {
    {{"PK\3\4", 4}, "a zip archive (a PyTorch or Keras model?)"},
    {{"\x89HDF", 4}, "an HDF5 file (a Keras model?)"},
    {{"\x80\x02", 2}, "a Python pickle"},
    {{"\x80\x03", 2}, "a Python pickle"},
    {{"\x80\x04", 2}, "a Python pickle"},
    {{"\x80\x05", 2}, "a Python pickle"},
    {{"{", 1}, "JSON (an XGBoost model?)"},
    {{"\x1f\x8b", 2}, "gzip-compressed"},
};

static sw_status refuse_strangers(sw_str bytes, sw_error *error) {
    if (bytes.len == 0)
        return sw_fail(error, SW_CODE_INVALID, "the model file is empty");
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        if (sw_str_starts(bytes, strangers[i].start))
            return sw_fail(
                error, SW_CODE_INVALID,
                "the file is %s, not an ONNX model: export the model to ONNX and push that",
                strangers[i].what);
    return SW_OK;
}

sw_status sw_onnx_scan(sw_onnx *out, sw_str bytes, sw_arena *arena, sw_error *error) {
    *out = (sw_onnx){.bytes = bytes};
    scan s = {.onnx = out, .arena = arena, .error = error};
    SW_TRY(refuse_strangers(bytes, error));
    SW_TRY(scan_message(&s, bytes, MODEL, 0));
    if (out->graph_count == 0)
        return sw_fail(error, SW_CODE_INVALID, "the file is no ONNX model: it holds no graph");
    if (out->output_count == 0)
        return sw_fail(error, SW_CODE_INVALID, "the ONNX model has no outputs");
    return SW_OK;
}

sw_status sw_onnx_open(sw_onnx *out, const char *path, sw_arena *arena, sw_error *error) {
    sw_str bytes;
    *out = (sw_onnx){0};
    SW_TRY(sw_fail_within(sw_file_map(&bytes, path, error), error, "cannot read the model"));
    sw_status status = sw_onnx_scan(out, bytes, arena, error);
    out->path = path;
    if (sw_failed(status))
        sw_onnx_close(out);
    return status;
}

void sw_onnx_close(sw_onnx *onnx) {
    sw_file_unmap(onnx->bytes);
    *onnx = (sw_onnx){0};
}

sw_str sw_onnx_payload(sw_str field_bytes) {
    sw_str whole = field_bytes;
    uint64_t tag, length;
    if (!take_varint(&tag, &whole) || !take_varint(&length, &whole) || length > whole.len)
        return (sw_str){0};
    return (sw_str){whole.at, (size_t)length};
}

/* The first length-delimited field `number` of a message. */
static sw_str find_field(sw_str message, uint32_t number) {
    scan quiet = {.onnx = &(sw_onnx){.bytes = message}};
    while (message.len) {
        field f;
        if (sw_failed(take_field(&f, &quiet, &message, NONE)))
            break;
        if (f.number == number && f.wire == 2)
            return f.payload;
    }
    return (sw_str){0};
}

bool sw_onnx_input_has_shape(const sw_onnx *onnx, sw_str input) {
    for (uint32_t i = 0; i < onnx->input_count; i++) {
        sw_str value = sw_onnx_payload(onnx->inputs[i]);
        if (!sw_str_eq(find_field(value, 1), input))
            continue;
        sw_str tensor = find_field(find_field(value, 2), 1);
        return find_field(tensor, 2).at != NULL;
    }
    return false;
}
