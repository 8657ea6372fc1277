/* SPDX-License-Identifier: Apache-2.0 */
#include "base/varint.h"
#include "model/onnx.h"
#include "onnx.pb-c.h"

enum { TAG_GRAPH = 7 << 3 | 2, TAG_OUTPUT = 12 << 3 | 2 };

typedef struct zipmap {
    sw_str from, to; /* the tensor, and the list of maps */
    const sw_str *labels;
    uint32_t label_count;
} zipmap;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to read the model");
}

static sw_status read_labels(zipmap *out, const Onnx__NodeProto *node, sw_arena *arena,
                             sw_error *error) {
    for (size_t i = 0; i < node->n_attribute; i++) {
        const Onnx__AttributeProto *list = node->attribute[i];
        bool texts = list->name && strcmp(list->name, "classlabels_strings") == 0;
        bool ints = list->name && strcmp(list->name, "classlabels_int64s") == 0;
        size_t count = texts ? list->n_strings : ints ? list->n_ints : 0;
        if (count == 0)
            continue;
        sw_str *labels = sw_arena_zalloc(arena, count, sizeof *labels);
        if (!labels)
            return no_memory(error);
        for (size_t j = 0; j < count; j++) {
            labels[j] = texts ? sw_arena_copy(arena, (sw_str){(const char *)list->strings[j].data,
                                                              list->strings[j].len})
                              : sw_arena_printf(arena, "%lld", (long long)list->ints[j]);
            if (!labels[j].at)
                return no_memory(error);
        }
        out->labels = labels;
        out->label_count = (uint32_t)count;
    }
    return SW_OK;
}

static sw_status read_zipmap(zipmap *out, sw_str field, sw_arena *arena, sw_error *error) {
    sw_str payload = sw_onnx_payload(field);
    *out = (zipmap){0};
    Onnx__NodeProto *node =
        onnx__node_proto__unpack(NULL, payload.len, (const uint8_t *)payload.at);
    if (!node || node->n_input != 1 || node->n_output != 1) {
        if (node)
            onnx__node_proto__free_unpacked(node, NULL);
        return sw_fail(error, SW_CODE_INVALID,
                       "the ONNX model is damaged: a ZipMap has one input and "
                       "one output");
    }
    sw_status status = read_labels(out, node, arena, error);
    out->from = sw_arena_copy(arena, sw_str_of(node->input[0]));
    out->to = sw_arena_copy(arena, sw_str_of(node->output[0]));
    onnx__node_proto__free_unpacked(node, NULL);
    return !sw_failed(status) && (!out->from.at || !out->to.at) ? no_memory(error) : status;
}

static sw_status output_name(sw_str *out, sw_str field, sw_arena *arena, sw_error *error) {
    sw_str payload = sw_onnx_payload(field);
    Onnx__ValueInfoProto *value =
        onnx__value_info_proto__unpack(NULL, payload.len, (const uint8_t *)payload.at);
    if (!value)
        return sw_fail(error, SW_CODE_INVALID,
                       "the ONNX model is damaged: an output does not unpack");
    *out = sw_arena_copy(arena, sw_str_of(value->name));
    onnx__value_info_proto__free_unpacked(value, NULL);
    return out->at ? SW_OK : no_memory(error);
}

/* What each output of the model becomes. */
static sw_status match_outputs(sw_onnx_plain *plain, const sw_onnx *onnx, const zipmap *zipmaps,
                               sw_arena *arena, sw_error *error) {
    sw_str *names = sw_arena_zalloc(arena, onnx->output_count, sizeof *names);
    if (!names)
        return no_memory(error);
    for (uint32_t i = 0; i < onnx->output_count; i++)
        SW_TRY(output_name(&names[i], onnx->outputs[i], arena, error));
    for (uint32_t i = 0; i < onnx->output_count; i++)
        for (uint32_t j = 0; j < onnx->zipmap_count; j++)
            if (sw_str_eq(names[i], zipmaps[j].to))
                plain[i] = (sw_onnx_plain){names[i], zipmaps[j].from, zipmaps[j].labels,
                                           zipmaps[j].label_count};
    for (uint32_t i = 0; i < onnx->output_count; i++)
        for (uint32_t j = 0; j < onnx->output_count; j++)
            if (plain[i].tensor.len && i != j &&
                (sw_str_eq(plain[i].tensor, names[j]) ||
                 sw_str_eq(plain[i].tensor, plain[j].tensor)))
                return sw_fail(
                    error, SW_CODE_UNSUPPORTED,
                    "the ZipMap of output \"%.*s\" shares its input with another output: "
                    "export the model without ZipMap (skl2onnx: options={\"zipmap\": False})",
                    SW_STR_ARG(names[i]));
    return SW_OK;
}

/* The output field of an FP32 tensor; its shape is inferred by whoever loads the model. */
static sw_status add_output(sw_buf *to, const char *name, sw_error *error) {
    Onnx__TypeProto__Tensor tensor = ONNX__TYPE_PROTO__TENSOR__INIT;
    Onnx__TypeProto type = ONNX__TYPE_PROTO__INIT;
    Onnx__ValueInfoProto value = ONNX__VALUE_INFO_PROTO__INIT;
    tensor.has_elem_type = 1;
    tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type.tensor_type = &tensor;
    value.name = (char *)name;
    value.type = &type;
    size_t size = onnx__value_info_proto__get_packed_size(&value);
    sw_varint_put(to, TAG_OUTPUT);
    sw_varint_put(to, size);
    if (!sw_buf_reserve(to, size))
        return no_memory(error);
    to->len += onnx__value_info_proto__pack(&value, (uint8_t *)to->at + to->len);
    return SW_OK;
}

/* The graph's payload, with the fields that lie at the given places left out or replaced. */
static sw_status splice_graph(sw_buf *to, const sw_onnx *onnx, const sw_onnx_plain *plain,
                              sw_error *error) {
    sw_str graph = sw_onnx_payload(onnx->graph);
    const char *at = graph.at, *end = graph.at + graph.len;
    uint32_t zip = 0, out = 0;
    while (zip < onnx->zipmap_count || out < onnx->output_count) {
        bool is_zipmap =
            zip < onnx->zipmap_count &&
            (out == onnx->output_count || onnx->zipmaps[zip].at < onnx->outputs[out].at);
        sw_str field = is_zipmap ? onnx->zipmaps[zip++] : onnx->outputs[out++];
        sw_buf_add(to, at, (size_t)(field.at - at));
        at = field.at + field.len;
        if (is_zipmap)
            continue;
        if (plain[out - 1].tensor.len)
            SW_TRY(add_output(to, plain[out - 1].tensor.at, error));
        else
            sw_buf_add_str(to, field);
    }
    sw_buf_add(to, at, (size_t)(end - at));
    return to->failed ? no_memory(error) : SW_OK;
}

sw_status sw_onnx_without_zipmaps(sw_buf *model, sw_onnx_plain **plain, const sw_onnx *onnx,
                                  sw_arena *arena, sw_error *error) {
    zipmap *zipmaps = sw_arena_zalloc(arena, onnx->zipmap_count, sizeof *zipmaps);
    sw_buf graph = {0};
    sw_status status;
    *plain = sw_arena_zalloc(arena, onnx->output_count, sizeof **plain);
    if (!zipmaps || !*plain)
        return no_memory(error);
    if (onnx->graph_count != 1)
        return sw_fail(error, SW_CODE_UNSUPPORTED, "the model's graph comes in several parts");
    for (uint32_t i = 0; i < onnx->zipmap_count; i++)
        SW_TRY(read_zipmap(&zipmaps[i], onnx->zipmaps[i], arena, error));
    SW_TRY(match_outputs(*plain, onnx, zipmaps, arena, error));
    status = splice_graph(&graph, onnx, *plain, error);
    if (!sw_failed(status)) {
        const char *behind = onnx->graph.at + onnx->graph.len;
        sw_buf_add(model, onnx->bytes.at, (size_t)(onnx->graph.at - onnx->bytes.at));
        sw_varint_put(model, TAG_GRAPH);
        sw_varint_put(model, graph.len);
        sw_buf_add_str(model, sw_buf_str(&graph));
        sw_buf_add(model, behind, (size_t)(onnx->bytes.at + onnx->bytes.len - behind));
        status = model->failed ? no_memory(error) : SW_OK;
    }
    sw_buf_free(&graph);
    return status;
}
