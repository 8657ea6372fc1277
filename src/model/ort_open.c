/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "model/ort_private.h"

const uint8_t sw_ort_types[SW_DTYPE_COUNT] = {
    [SW_BOOL] = ORT_BOOL,     [SW_UINT8] = ORT_UINT8,   [SW_UINT16] = ORT_UINT16,
    [SW_UINT32] = ORT_UINT32, [SW_UINT64] = ORT_UINT64, [SW_INT8] = ORT_INT8,
    [SW_INT16] = ORT_INT16,   [SW_INT32] = ORT_INT32,   [SW_INT64] = ORT_INT64,
    [SW_FP16] = ORT_FLOAT16,  [SW_FP32] = ORT_FLOAT,    [SW_FP64] = ORT_DOUBLE,
    [SW_BYTES] = ORT_STRING,
};

static bool dtype_of(sw_dtype *out, int type) {
    for (int i = 0; i < SW_DTYPE_COUNT; i++)
        if (sw_ort_types[i] == type) {
            *out = (sw_dtype)i;
            return true;
        }
    return false;
}

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
}

static sw_status read_shape(sw_tensor_spec *spec, const ort_model *model, const ort_shape *shape,
                            sw_arena *arena, sw_error *error) {
    const ort_calls *calls = &model->ort->calls;
    static const char what[] = "ONNX Runtime cannot tell a shape";
    const char *names[SW_RANK_MAX] = {0};
    size_t rank = 0;
    int type = 0;
    ORT_TRY(model, calls->shape_type(shape, &type), error, what);
    ORT_TRY(model, calls->shape_rank(shape, &rank), error, what);
    if (!dtype_of(&spec->dtype, type))
        return sw_fail(
            error, SW_CODE_UNSUPPORTED,
            "\"%.*s\" has the ONNX element type %d, which the serving protocols lack (bfloat16, "
            "complex or 8-bit floats): cast it within the model",
            SW_STR_ARG(spec->name), type);
    if (rank > SW_RANK_MAX)
        return sw_fail(error, SW_CODE_UNSUPPORTED, "\"%.*s\" has %zu dimensions, more than %d",
                       SW_STR_ARG(spec->name), rank, SW_RANK_MAX);
    spec->rank = (uint8_t)rank;
    ORT_TRY(model, calls->shape_dims(shape, spec->shape, rank), error, what);
    ORT_TRY(model, calls->shape_dim_names(shape, names, rank), error, what);
    for (size_t i = 0; i < rank; i++) {
        if (spec->shape[i] < 0)
            spec->shape[i] = -1;
        if (names[i] && *names[i] &&
            !(spec->dim_names[i] = sw_arena_copy(arena, sw_str_of(names[i]))).at)
            return no_memory(error);
    }
    return SW_OK;
}

static sw_status read_type(sw_tensor_spec *spec, const ort_model *model, const ort_type *type,
                           bool is_input, sw_arena *arena, sw_error *error) {
    const ort_calls *calls = &model->ort->calls;
    const ort_shape *shape = NULL;
    int kind = 0;
    ORT_TRY(model, calls->type_kind(type, &kind), error, "ONNX Runtime cannot tell a type");
    if (kind != ORT_IS_TENSOR)
        return sw_fail(
            error, SW_CODE_UNSUPPORTED,
            "%s \"%.*s\" is a sequence, map or optional value, not a tensor: export the model "
            "with plain tensors",
            is_input ? "input" : "output", SW_STR_ARG(spec->name));
    ORT_TRY(model, calls->type_as_tensor(type, &shape), error, "ONNX Runtime cannot tell a type");
    return read_shape(spec, model, shape, arena, error);
}

static sw_status read_spec(sw_tensor_spec *spec, const char **name, const ort_model *model,
                           size_t index, bool is_input, sw_arena *arena, sw_error *error) {
    const ort_calls *calls = &model->ort->calls;
    ort_allocator *allocator = model->ort->allocator;
    ort_type *type = NULL;
    char *text = NULL;
    ORT_TRY(model,
            is_input ? calls->input_name(model->session, index, allocator, &text)
                     : calls->output_name(model->session, index, allocator, &text),
            error, "ONNX Runtime cannot name a tensor");
    spec->name = sw_arena_copy(arena, sw_str_of(text));
    *name = spec->name.at;
    if (calls->allocator_free(allocator, text) || !spec->name.at)
        return no_memory(error);
    ORT_TRY(model,
            is_input ? calls->input_type(model->session, index, &type)
                     : calls->output_type(model->session, index, &type),
            error, "ONNX Runtime cannot tell a type");
    sw_status status = read_type(spec, model, type, is_input, arena, error);
    calls->release_type(type);
    return status;
}

static sw_status read_specs(const sw_tensor_spec **out, const char ***names, size_t *count,
                            const ort_model *model, bool is_input, sw_arena *arena,
                            sw_error *error) {
    const ort_calls *calls = &model->ort->calls;
    ORT_TRY(model,
            is_input ? calls->input_count(model->session, count)
                     : calls->output_count(model->session, count),
            error, "ONNX Runtime cannot count the model's tensors");
    if (*count > SW_TENSORS_MAX)
        return sw_fail(error, SW_CODE_UNSUPPORTED, "the model has more than %d %s", SW_TENSORS_MAX,
                       is_input ? "inputs" : "outputs");
    sw_tensor_spec *specs = sw_arena_zalloc(arena, *count, sizeof *specs);
    *names = sw_arena_zalloc(arena, *count, sizeof **names);
    if (!specs || !*names)
        return no_memory(error);
    for (size_t i = 0; i < *count; i++)
        SW_TRY(read_spec(&specs[i], &(*names)[i], model, i, is_input, arena, error));
    *out = specs;
    return SW_OK;
}

/* A dimension with a name repeats the input dimension of that name; a nameless first one, the
 * batch. */
static ort_dim plan_dim(const ort_model *model, const sw_tensor_spec *output, uint32_t at) {
    sw_str name = output->dim_names[at];
    if (output->shape[at] >= 0)
        return (ort_dim){ORT_DIM_FIXED, at};
    for (size_t i = 0; i < model->input_count && name.len; i++)
        for (uint32_t j = 0; j < model->inputs[i].rank; j++)
            if (sw_str_eq(model->inputs[i].dim_names[j], name))
                return (ort_dim){(int32_t)i, j};
    if (at == 0 && name.len == 0 && model->input_count > 0 && model->inputs[0].rank > 0 &&
        model->inputs[0].shape[0] == -1 && model->inputs[0].dim_names[0].len == 0)
        return (ort_dim){0, 0};
    return (ort_dim){ORT_DIM_UNKNOWN, at};
}

static sw_status plan_outputs(ort_model *model, sw_arena *arena, sw_error *error) {
    model->plans = sw_arena_zalloc(arena, model->output_count, sizeof *model->plans);
    if (!model->plans || !model->outputs)
        return no_memory(error);
    for (size_t i = 0; i < model->output_count; i++) {
        const sw_tensor_spec *spec = &model->outputs[i];
        ort_output *plan = &model->plans[i];
        plan->guessable = spec->dtype != SW_BYTES && spec->rank > 0;
        for (uint32_t j = 0; j < spec->rank; j++) {
            plan->dims[j] = plan_dim(model, spec, j);
            plan->guessable = plan->guessable && plan->dims[j].input != ORT_DIM_UNKNOWN;
        }
    }
    return SW_OK;
}

static sw_status create_session(ort_model *model, const sw_onnx *file, const sw_buf *changed,
                                sw_error *error) {
    const ort_calls *calls = &model->ort->calls;
    const ort_library *ort = model->ort;
    ort_options *options = NULL;
    ORT_TRY(model, calls->create_options(&options), error, "ONNX Runtime cannot load the model");
    sw_status status = sw_ort_check(ort, calls->use_env_pool(options), error, "ONNX Runtime");
    if (!sw_failed(status))
        status = sw_ort_check(ort, calls->set_optimization(options, ORT_OPTIMIZE_ALL), error,
                              "ONNX Runtime");
    if (!sw_failed(status))
        status = sw_ort_check(
            ort,
            changed->len ? calls->create_session_from_array(ort->env, changed->at, changed->len,
                                                            options, &model->session)
                         : calls->create_session(ort->env, file->path, options, &model->session),
            error, "ONNX Runtime cannot load the model");
    calls->release_options(options);
    /* What it cannot load is the file's fault, whatever class the library puts it into. */
    if (status.code == SW_CODE_INTERNAL)
        status.code = SW_CODE_INVALID;
    return status;
}

/* Outputs that were ZipMaps keep the name that the file gives them. */
static sw_status rename_plain(ort_model *model, const sw_onnx_plain *plain, const sw_onnx *file,
                              sw_tensor_spec *outputs, sw_arena *arena, sw_error *error) {
    for (size_t i = 0; i < model->output_count && i < file->output_count; i++) {
        if (!plain[i].tensor.len)
            continue;
        outputs[i].name = sw_arena_copy(arena, plain[i].name);
        outputs[i].labels = plain[i].labels;
        outputs[i].label_count = plain[i].label_count;
        if (!outputs[i].name.at)
            return no_memory(error);
        if (outputs[i].rank == 0) { /* not inferred; a ZipMap reads [N, classes] */
            outputs[i].rank = 2;
            outputs[i].shape[0] = outputs[i].shape[1] = -1;
        }
        if (outputs[i].rank == 2 && outputs[i].shape[1] == -1 && plain[i].label_count)
            outputs[i].shape[1] = plain[i].label_count;
    }
    return SW_OK;
}

static sw_status read_model(ort_model *model, sw_model_info *info, const sw_onnx_plain *plain,
                            const sw_onnx *file, sw_arena *arena, sw_error *error) {
    const sw_tensor_spec *outputs = NULL;
    SW_TRY(read_specs(&model->inputs, &model->input_names, &model->input_count, model, true, arena,
                      error));
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i].rank == 0 && !sw_onnx_input_has_shape(file, model->inputs[i].name))
            return sw_fail(
                error, SW_CODE_UNSUPPORTED,
                "the model does not say how many dimensions its input \"%.*s\" has: export it "
                "with a shape (sizes may stay open)",
                SW_STR_ARG(model->inputs[i].name));
    SW_TRY(read_specs(&outputs, &model->output_names, &model->output_count, model, false, arena,
                      error));
    model->outputs = outputs;
    if (plain)
        SW_TRY(rename_plain(model, plain, file, (sw_tensor_spec *)outputs, arena, error));
    SW_TRY(plan_outputs(model, arena, error));
    SW_TRY(sw_ort_plan_frames(model, arena, error));
    info->inputs = model->inputs;
    info->input_count = model->input_count;
    info->outputs = model->outputs;
    info->output_count = model->output_count;
    return SW_OK;
}

void sw_ort_close(void *self) {
    ort_model *model = self;
    sw_ort_free_frames(model);
    if (model->session)
        model->ort->calls.release_session(model->session);
    sw_mem_free(model);
}

sw_status sw_ort_open(void **self, sw_model_info *info, sw_arena *arena, const sw_onnx *file,
                      sw_error *error) {
    sw_buf changed = {0};
    sw_onnx_plain *plain = NULL;
    sw_status status = SW_OK;
    const ort_library *ort = sw_ort_load(error);
    if (!ort)
        return (sw_status){SW_CODE_UNAVAILABLE};
    ort_model *model = sw_mem_zalloc(1, sizeof *model);
    if (!model)
        return no_memory(error);
    model->ort = ort;
    if (file->zipmap_count)
        status = sw_onnx_without_zipmaps(&changed, &plain, file, arena, error);
    if (!sw_failed(status))
        status = create_session(model, file, &changed, error);
    sw_buf_free(&changed);
    if (!sw_failed(status))
        status = read_model(model, info, plain, file, arena, error);
    if (sw_failed(status)) {
        sw_ort_close(model);
        return status;
    }
    *self = model;
    return SW_OK;
}

const sw_engine sw_engine_ort = {"onnxruntime", sw_ort_open, sw_ort_run, sw_ort_close};
