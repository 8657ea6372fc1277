/* SPDX-License-Identifier: Apache-2.0 */
#include "model/native_graph_private.h"

#include <stdarg.h>
#include <stdio.h>

sw_status sw_native_refuse(sw_native_builder *b, const char *format, ...) {
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    const char *op = b->node && b->node->op_type ? b->node->op_type : "?";
    return sw_fail(b->error, SW_CODE_UNSUPPORTED, "operator %.80s %s", op, reason);
}

sw_status sw_native_no_memory(sw_native_builder *b) {
    return sw_fail(b->error, SW_CODE_NO_MEMORY, "no memory to load the model");
}

sw_status sw_native_add_value(sw_native_builder *b, sw_native_value value) {
    if (b->value_count == SW_NATIVE_VALUES_MAX)
        return sw_native_refuse(b, "is in a graph of more than %d values", SW_NATIVE_VALUES_MAX);
    b->values[b->value_count++] = value;
    return SW_OK;
}

static sw_native_value *find(sw_native_builder *b, const char *name) {
    for (uint32_t i = b->value_count; i-- > 0;)
        if (strcmp(b->values[i].name, name) == 0)
            return &b->values[i];
    return NULL;
}

sw_status sw_native_input(sw_native_value **out, sw_native_builder *b, size_t index) {
    *out = NULL;
    if (index >= b->node->n_input || !*b->node->input[index])
        return sw_native_refuse(b, "lacks its input %zu", index);
    *out = find(b, b->node->input[index]);
    if (!*out)
        return sw_native_refuse(b, "reads \"%.80s\", which nothing before it makes",
                                b->node->input[index]);
    return SW_OK;
}

sw_status sw_native_floats_input(sw_native_value **out, sw_native_builder *b, size_t index) {
    SW_TRY(sw_native_input(out, b, index));
    if (!*out || (*out)->kind != SW_NATIVE_FLOATS)
        return sw_native_refuse(b, "works on something other than the model's float input");
    return SW_OK;
}

const char *sw_native_output(const sw_native_builder *b, size_t index) {
    return index < b->node->n_output ? b->node->output[index] : "";
}

size_t sw_native_uses(const sw_native_builder *b, const char *name) {
    size_t uses = 0;
    for (size_t i = 0; i < b->graph->n_node; i++)
        for (size_t j = 0; j < b->graph->node[i]->n_input; j++)
            uses += strcmp(b->graph->node[i]->input[j], name) == 0;
    for (size_t i = 0; i < b->graph->n_output; i++)
        uses += b->graph->output[i]->name && strcmp(b->graph->output[i]->name, name) == 0;
    return uses;
}

sw_status sw_native_new_slot(uint32_t *out, sw_native_builder *b, size_t row_bytes) {
    sw_native_program *program = b->program;
    if (program->slot_count == SW_NATIVE_SLOTS_MAX ||
        row_bytes > SW_NATIVE_WIDTH_MAX * sizeof(float))
        return sw_native_refuse(b, "makes the model too large to be computed natively");
    *out = program->slot_count++;
    program->slots[*out] = (sw_native_slot){.row_bytes = (uint32_t)row_bytes, .output = -1};
    return SW_OK;
}

sw_status sw_native_slot_after(uint32_t *out, sw_native_builder *b, const sw_native_value *from) {
    *out = from->slot;
    if (!b->shared[from->slot] && sw_native_uses(b, from->name) == 1)
        for (size_t i = 0; i < b->node->n_input; i++)
            if (strcmp(b->node->input[i], from->name) == 0)
                return SW_OK;
    return sw_native_new_slot(out, b, from->width * sizeof(float));
}

sw_status sw_native_add_step(sw_native_builder *b, sw_native_step step) {
    if (b->program->step_count == SW_NATIVE_STEPS_MAX)
        return sw_native_refuse(b, "is in a graph of more than %d steps", SW_NATIVE_STEPS_MAX);
    b->program->steps[b->program->step_count++] = step;
    return SW_OK;
}

const Onnx__AttributeProto *sw_native_attribute(const sw_native_builder *b, const char *name) {
    for (size_t i = 0; i < b->node->n_attribute; i++)
        if (b->node->attribute[i]->name && strcmp(b->node->attribute[i]->name, name) == 0)
            return b->node->attribute[i];
    return NULL;
}

int64_t sw_native_int(const sw_native_builder *b, const char *name, int64_t otherwise) {
    const Onnx__AttributeProto *found = sw_native_attribute(b, name);
    return found && found->has_i ? found->i : otherwise;
}

float sw_native_float(const sw_native_builder *b, const char *name, float otherwise) {
    const Onnx__AttributeProto *found = sw_native_attribute(b, name);
    return found && found->has_f ? found->f : otherwise;
}

bool sw_native_text_is(const sw_native_builder *b, const char *name, const char *otherwise,
                       const char *wanted) {
    const Onnx__AttributeProto *found = sw_native_attribute(b, name);
    if (!found || !found->has_s)
        return strcmp(otherwise, wanted) == 0;
    return sw_str_is((sw_str){(const char *)found->s.data, found->s.len}, wanted);
}

/* The number of elements by the dimensions, which the scan has bounded one by one. */
static sw_status constant_count(size_t *count, sw_native_builder *b,
                                const Onnx__TensorProto *tensor) {
    if (!sw_shape_count(count, tensor->dims, tensor->n_dims) || *count > SIZE_MAX / 16)
        return sw_native_refuse(b, "has a constant of impossible size");
    return SW_OK;
}

/* raw_data where the file has it, else the typed list; NULL where the number of elements is wrong.
 */
static const void *elements(const Onnx__TensorProto *tensor, size_t count, size_t size_bytes,
                            const void *typed, size_t typed_count) {
    if (tensor->has_raw_data)
        return tensor->raw_data.len == count * size_bytes ? tensor->raw_data.data : NULL;
    return typed_count == count ? typed : NULL;
}

sw_status sw_native_constant_floats(float **out, size_t *count, sw_native_builder *b,
                                    const sw_native_value *value) {
    if (value->kind != SW_NATIVE_CONSTANT)
        return sw_native_refuse(b, "takes weights that are computed, not constant");
    const Onnx__TensorProto *tensor = value->constant;
    if (tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
        return sw_native_refuse(b, "has weights that are not FP32");
    SW_TRY(constant_count(count, b, tensor));
    const void *from =
        elements(tensor, *count, sizeof(float), tensor->float_data, tensor->n_float_data);
    if (!from && *count)
        return sw_fail(b->error, SW_CODE_INVALID,
                       "the weights \"%.80s\" hold fewer or more numbers than their dimensions say",
                       value->name);
    *out = sw_arena_zalloc(b->arena, *count, sizeof **out);
    if (!*out)
        return sw_native_no_memory(b);
    if (*count)
        memcpy(*out, from, *count * sizeof **out);
    return SW_OK;
}

sw_status sw_native_constant_ints(int64_t out[8], size_t *count, sw_native_builder *b,
                                  const sw_native_value *value) {
    const Onnx__TensorProto *tensor = value->constant;
    if (value->kind != SW_NATIVE_CONSTANT ||
        tensor->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
        return sw_native_refuse(b, "takes dimensions that are computed");
    SW_TRY(constant_count(count, b, tensor));
    const void *from =
        elements(tensor, *count, sizeof *out, tensor->int64_data, tensor->n_int64_data);
    if (*count > 8 || (!from && *count))
        return sw_native_refuse(b, "takes more than 8 dimensions");
    if (*count)
        memcpy(out, from, *count * sizeof *out);
    return SW_OK;
}
