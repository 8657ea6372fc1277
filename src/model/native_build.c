/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "model/native_graph_private.h"

/*
 * The operator sets whose operators were compared with what is computed here. Since opset 14 those
 * of ours have gained datatypes alone; those of ai.onnx.ml never changed. A newer set may give one
 * another meaning.
 */
enum { FILE_BYTES_MAX = 64 << 20, OPSET_MAX = 28, ML_OPSET_MAX = 5 };

/* Before anything is unpacked: most models are told apart here, whatever their size. */
static sw_status check_operators(const sw_onnx *file, sw_error *error) {
    for (uint32_t i = 0; i < file->op_count; i++)
        if (!sw_native_find_operator(file->ops[i]))
            return sw_fail(error, SW_CODE_UNSUPPORTED, "operator %.*s is not linear",
                           (int)(file->ops[i].len < 80 ? file->ops[i].len : 80),
                           file->ops[i].at ? file->ops[i].at : "");
    if (file->more_ops || file->bytes.len > FILE_BYTES_MAX || file->graph_count != 1)
        return sw_fail(error, SW_CODE_UNSUPPORTED, "the file is too large for a linear model");
    return SW_OK;
}

static bool is_plain_domain(const char *domain) {
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static bool is_known_domain(const char *domain) {
    return is_plain_domain(domain) || strcmp(domain, "ai.onnx.ml") == 0;
}

static sw_status build_nodes(sw_native_builder *b) {
    for (size_t i = 0; i < b->graph->n_node; i++) {
        b->node = b->graph->node[i];
        sw_native_operator operator= sw_native_find_operator(sw_str_of(b->node->op_type));
        if (!operator|| !is_known_domain(b->node->domain))
            return sw_native_refuse(b, "is not linear");
        SW_TRY(operator(b));
    }
    return SW_OK;
}

static bool is_initializer(const Onnx__GraphProto *graph, const char *name) {
    for (size_t i = 0; i < graph->n_initializer; i++)
        if (graph->initializer[i]->name && strcmp(graph->initializer[i]->name, name) == 0)
            return true;
    return false;
}

static sw_status add_initializers(sw_native_builder *b) {
    for (size_t i = 0; i < b->graph->n_initializer; i++) {
        const Onnx__TensorProto *tensor = b->graph->initializer[i];
        SW_TRY(sw_native_add_value(b, (sw_native_value){.name = tensor->name ? tensor->name : "",
                                                        .kind = SW_NATIVE_CONSTANT,
                                                        .constant = tensor}));
    }
    return SW_OK;
}

static sw_status read_dim(sw_tensor_spec *spec, size_t at, sw_native_builder *b,
                          const Onnx__TensorShapeProto__Dimension *dim) {
    spec->shape[at] = -1;
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE &&
        dim->dim_value > 0)
        spec->shape[at] = dim->dim_value;
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && dim->dim_param) {
        spec->dim_names[at] = sw_arena_copy(b->arena, sw_str_of(dim->dim_param));
        if (!spec->dim_names[at].at)
            return sw_native_no_memory(b);
    }
    return SW_OK;
}

/* The one input that is no initializer: FP32 [N, k]. */
static sw_status add_graph_input(sw_tensor_spec *spec, sw_native_builder *b) {
    const Onnx__ValueInfoProto *input = NULL;
    for (size_t i = 0; i < b->graph->n_input; i++) {
        const Onnx__ValueInfoProto *next = b->graph->input[i];
        if (!next->name || is_initializer(b->graph, next->name))
            continue;
        if (input)
            return sw_fail(b->error, SW_CODE_UNSUPPORTED, "the model has more than one input");
        input = next;
    }
    const Onnx__TypeProto *type = input ? input->type : NULL;
    if (!type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
        !type->tensor_type->shape ||
        type->tensor_type->elem_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ||
        type->tensor_type->shape->n_dim != 2)
        return sw_fail(b->error, SW_CODE_UNSUPPORTED, "the model's input is not FP32 [N, k]");
    *spec = (sw_tensor_spec){
        .dtype = SW_FP32, .rank = 2, .name = sw_arena_copy(b->arena, sw_str_of(input->name))};
    if (!spec->name.at)
        return sw_native_no_memory(b);
    for (size_t i = 0; i < 2; i++)
        SW_TRY(read_dim(spec, i, b, type->tensor_type->shape->dim[i]));
    if (spec->shape[1] > SW_NATIVE_WIDTH_MAX)
        return sw_fail(b->error, SW_CODE_UNSUPPORTED, "the model has too many columns");
    b->program->slots[0] = (sw_native_slot){.output = -1};
    b->program->slot_count = 1;
    b->shared[0] = true;
    b->input_width = spec->shape[1] > 0 ? (uint32_t)spec->shape[1] : 0;
    return sw_native_add_value(b, (sw_native_value){.name = input->name,
                                                    .kind = SW_NATIVE_FLOATS,
                                                    .dtype = SW_FP32,
                                                    .rank = 2,
                                                    .width = b->input_width});
}

/* An output has a slot of its own: what is the input, or another output too, is copied. */
static sw_status own_slot(uint32_t *slot, sw_native_builder *b, const sw_native_value *value) {
    *slot = value->slot;
    if (*slot != 0 && b->program->slots[*slot].output < 0)
        return SW_OK;
    uint32_t row_bytes = (uint32_t)(sw_dtype_size(value->dtype) * value->width);
    sw_native_step copy = {.run = sw_native_run_copy, .from = value->slot, .stride = row_bytes};
    SW_TRY(sw_native_new_slot(&copy.to, b, row_bytes));
    *slot = copy.to;
    return sw_native_add_step(b, copy);
}

static sw_status add_graph_output(sw_tensor_spec *spec, sw_native_builder *b, uint32_t index,
                                  const sw_tensor_spec *input) {
    const char *name = b->graph->output[index]->name ? b->graph->output[index]->name : "";
    const sw_native_value *value = NULL;
    for (uint32_t i = b->value_count; i-- > 0 && !value;)
        value = strcmp(b->values[i].name, name) == 0 ? &b->values[i] : NULL;
    if (!value || !*name || value->kind == SW_NATIVE_CONSTANT || value->width == 0)
        return sw_fail(b->error, SW_CODE_UNSUPPORTED,
                       "output \"%.80s\" does not come from the input", name);
    uint32_t slot;
    SW_TRY(own_slot(&slot, b, value));
    b->program->slots[slot].output = (int32_t)index;
    b->program->output_slots[index] = slot;
    *spec = (sw_tensor_spec){.name = sw_arena_copy(b->arena, sw_str_of(name)),
                             .dtype = value->dtype,
                             .rank = value->rank,
                             .labels = value->labels,
                             .label_count = value->label_count};
    spec->shape[0] = input->shape[0];
    spec->dim_names[0] = input->dim_names[0];
    if (spec->rank == 2)
        spec->shape[1] = value->width;
    return spec->name.at ? SW_OK : sw_native_no_memory(b);
}

static sw_status add_graph_outputs(sw_tensor_spec *specs, sw_native_builder *b,
                                   const sw_tensor_spec *input) {
    b->program->output_count = (uint32_t)b->graph->n_output;
    for (uint32_t i = 0; i < b->program->output_count; i++)
        SW_TRY(add_graph_output(&specs[i], b, i, input));
    return SW_OK;
}

/* Scratch slots lie one behind the other, each long enough for a block. */
static sw_status place_slots(sw_native_builder *b, sw_tensor_spec *input) {
    sw_native_program *program = b->program;
    size_t at = 0;
    input->shape[1] = b->input_width; /* which may have come with the weights */
    program->slots[0].row_bytes = b->input_width * (uint32_t)sizeof(float);
    for (uint32_t i = 1; i < program->slot_count; i++) {
        if (program->slots[i].output >= 0)
            continue;
        program->slots[i].scratch_at = (uint32_t)at;
        at += ((size_t)program->slots[i].row_bytes * SW_NATIVE_BLOCK_ROWS + 63) & ~(size_t)63;
        if (at > UINT32_MAX / 2)
            return sw_fail(b->error, SW_CODE_UNSUPPORTED, "the model has too many columns");
    }
    program->scratch_bytes = (uint32_t)at;
    return SW_OK;
}

static sw_status read_opset(int64_t *out, const Onnx__ModelProto *model, sw_error *error) {
    *out = 1;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];
        bool plain = is_plain_domain(set->domain);
        int64_t most = plain ? OPSET_MAX : ML_OPSET_MAX;
        if (is_known_domain(set->domain) && set->version > most)
            return sw_fail(error, SW_CODE_UNSUPPORTED,
                           "%s %lld is newer than what the native engine knows (up to %lld)",
                           plain ? "opset" : "opset of ai.onnx.ml", (long long)set->version,
                           (long long)most);
        if (plain)
            *out = set->version;
    }
    return SW_OK;
}

static sw_status build(sw_native_builder *b, sw_model_info *info) {
    if (b->graph->n_node > SW_NATIVE_NODES_MAX || b->graph->n_output > SW_NATIVE_SLOTS_MAX / 2 ||
        b->graph->n_sparse_initializer)
        return sw_fail(b->error, SW_CODE_UNSUPPORTED, "the graph is too large for a linear model");
    sw_tensor_spec *input = sw_arena_zalloc(b->arena, 1, sizeof *input);
    sw_tensor_spec *outputs = sw_arena_zalloc(b->arena, b->graph->n_output, sizeof *outputs);
    if (!input || !outputs)
        return sw_native_no_memory(b);
    SW_TRY(add_initializers(b));
    SW_TRY(add_graph_input(input, b));
    SW_TRY(build_nodes(b));
    SW_TRY(add_graph_outputs(outputs, b, input));
    SW_TRY(place_slots(b, input));
    b->program->outputs = outputs;
    info->inputs = input;
    info->input_count = 1;
    info->outputs = outputs;
    info->output_count = b->graph->n_output;
    info->engine_why = "linear model: computed natively, no runtime needed";
    return SW_OK;
}

sw_status sw_native_build(sw_native_program *out, sw_model_info *info, sw_arena *arena,
                          const sw_onnx *file, sw_error *error) {
    sw_status status;
    sw_native_builder *b;
    Onnx__ModelProto *model = NULL;
    *out = (sw_native_program){0};
    SW_TRY(check_operators(file, error));
    b = sw_mem_zalloc(1, sizeof *b);
    if (!b) {
        status = sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
        goto done;
    }
    model = onnx__model_proto__unpack(NULL, file->bytes.len, (const uint8_t *)file->bytes.at);
    if (!model || !model->graph) {
        status = sw_fail(error, SW_CODE_INVALID, "the ONNX model is damaged: it does not unpack");
        goto done;
    }
    b->program = out;
    b->arena = arena;
    b->error = error;
    b->graph = model->graph;
    status = read_opset(&b->opset, model, error);
    if (!sw_failed(status))
        status = build(b, info);
done:
    if (model)
        onnx__model_proto__free_unpacked(model, NULL);
    sw_mem_free(b);
    return status;
}
