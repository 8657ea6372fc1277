/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "model/engine_private.h"
#include "model/ort_private.h"


enum { FIXED = -1, UNKNOWN = -2 };

/* Where a dimension of an output comes from. */
typedef struct ort_dim {
    int32_t input; /* index of the input whose dimension it repeats, or FIXED or UNKNOWN */
    uint32_t at;
} ort_dim;

/*
 * Where an output's shape can be guessed from the inputs', the library writes straight into the
 * arena; that saves it an allocation and us a copy. A guess that the library refuses is not made
 * again.
 */
typedef struct ort_output {
    bool guessable;
    ort_dim dims[SW_RANK_MAX];
} ort_output;

typedef struct ort_model {
    const ort_library *ort;
    ort_session *session;
    const char **input_names, **output_names;
    const sw_tensor_spec *inputs, *outputs;
    ort_output *plans;
    size_t input_count, output_count;
    atomic_bool guess_held;   /* at least once */
    atomic_bool guess_failed; /* so no more guesses */
} ort_model;

static const uint8_t types[SW_DTYPE_COUNT] = {
    [SW_BOOL] = ORT_BOOL,     [SW_UINT8] = ORT_UINT8,   [SW_UINT16] = ORT_UINT16,
    [SW_UINT32] = ORT_UINT32, [SW_UINT64] = ORT_UINT64, [SW_INT8] = ORT_INT8,
    [SW_INT16] = ORT_INT16,   [SW_INT32] = ORT_INT32,   [SW_INT64] = ORT_INT64,
    [SW_FP16] = ORT_FLOAT16,  [SW_FP32] = ORT_FLOAT,    [SW_FP64] = ORT_DOUBLE,
    [SW_BYTES] = ORT_STRING,
};

static bool dtype_of(sw_dtype *out, int type) {
    for (int i = 0; i < SW_DTYPE_COUNT; i++)
        if (types[i] == type) {
            *out = (sw_dtype)i;
            return true;
        }
    return false;
}

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
}

#define ORT_TRY(model, call, error, what) SW_TRY(sw_ort_check((model)->ort, (call), error, what))

/* ---- Opening ---- */

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
        return sw_fail(error, SW_CODE_UNSUPPORTED,
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
        if (names[i] && *names[i] && !(spec->dim_names[i] = sw_arena_copy(arena, sw_str_of(names[i]))).at)
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
        return sw_fail(error, SW_CODE_UNSUPPORTED,
                       "%s \"%.*s\" is a sequence, map or optional value, not a tensor: export the model "
                       "with plain tensors",
                       is_input ? "input" : "output", SW_STR_ARG(spec->name));
    ORT_TRY(model, calls->type_as_tensor(type, &shape), error, "ONNX Runtime cannot tell a type");
    return read_shape(spec, model, shape, arena, error);
}

static sw_status read_spec(sw_tensor_spec *spec, const char **name, const ort_model *model, size_t index,
                           bool is_input, sw_arena *arena, sw_error *error) {
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
                            const ort_model *model, bool is_input, sw_arena *arena, sw_error *error) {
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

/* A dimension with a name repeats the input dimension of that name; a nameless first one, the batch. */
static ort_dim plan_dim(const ort_model *model, const sw_tensor_spec *output, uint32_t at) {
    sw_str name = output->dim_names[at];
    if (output->shape[at] >= 0)
        return (ort_dim){FIXED, at};
    for (size_t i = 0; i < model->input_count && name.len; i++)
        for (uint32_t j = 0; j < model->inputs[i].rank; j++)
            if (sw_str_eq(model->inputs[i].dim_names[j], name))
                return (ort_dim){(int32_t)i, j};
    if (at == 0 && name.len == 0 && model->input_count > 0 && model->inputs[0].rank > 0 &&
        model->inputs[0].shape[0] == -1 && model->inputs[0].dim_names[0].len == 0)
        return (ort_dim){0, 0};
    return (ort_dim){UNKNOWN, at};
}

static sw_status plan_outputs(ort_model *model, sw_arena *arena, sw_error *error) {
    model->plans = sw_arena_zalloc(arena, model->output_count, sizeof *model->plans);
    if (!model->plans)
        return no_memory(error);
    for (size_t i = 0; i < model->output_count; i++) {
        const sw_tensor_spec *spec = &model->outputs[i];
        ort_output *plan = &model->plans[i];
        plan->guessable = spec->dtype != SW_BYTES && spec->rank > 0;
        for (uint32_t j = 0; j < spec->rank; j++) {
            plan->dims[j] = plan_dim(model, spec, j);
            plan->guessable = plan->guessable && plan->dims[j].input != UNKNOWN;
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
        status = sw_ort_check(ort,
                              changed->len ? calls->create_session_from_array(ort->env, changed->at,
                                                                              changed->len, options,
                                                                              &model->session)
                                           : calls->create_session(ort->env, file->path, options,
                                                                   &model->session),
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
    const sw_tensor_spec *outputs;
    SW_TRY(read_specs(&model->inputs, &model->input_names, &model->input_count, model, true, arena,
                      error));
    SW_TRY(read_specs(&outputs, &model->output_names, &model->output_count, model, false, arena, error));
    model->outputs = outputs;
    if (plain)
        SW_TRY(rename_plain(model, plain, file, (sw_tensor_spec *)(uintptr_t)outputs, arena, error));
    SW_TRY(plan_outputs(model, arena, error));
    info->inputs = model->inputs;
    info->input_count = model->input_count;
    info->outputs = model->outputs;
    info->output_count = model->output_count;
    return SW_OK;
}

static void ort_close(void *self) {
    ort_model *model = self;
    if (model->session)
        model->ort->calls.release_session(model->session);
    sw_mem_free(model);
}

static sw_status ort_open(void **self, sw_model_info *info, sw_arena *arena, const sw_onnx *file,
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
        ort_close(model);
        return status;
    }
    *self = model;
    return SW_OK;
}

/* ---- Running ---- */

typedef struct ort_call {
    ort_model *model;
    const sw_tensor *inputs;
    sw_tensor *outputs;
    ort_value **in, **out;
    sw_arena *arena;
    sw_error *error;
    sw_stop *stop;
    bool guessed;
} ort_call;

static const char run_failed[] = "ONNX Runtime cannot compute the prediction";

static sw_status run_no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the prediction");
}

/* The library wants C strings. */
static sw_status wrap_strings(ort_value **out, const ort_call *call, const sw_tensor *input) {
    const ort_calls *calls = &call->model->ort->calls;
    const sw_str *from = input->data;
    const char **texts = sw_arena_zalloc(call->arena, input->count, sizeof *texts);
    if (!texts)
        return run_no_memory(call->error);
    for (size_t i = 0; i < input->count; i++) {
        if (from[i].len && memchr(from[i].at, '\0', from[i].len))
            return sw_fail(call->error, SW_CODE_INVALID,
                           "input \"%.*s\": string %zu holds a NUL byte, which ONNX Runtime cannot take",
                           SW_STR_ARG(input->name), i);
        texts[i] = sw_arena_copy(call->arena, from[i]).at;
        if (!texts[i])
            return run_no_memory(call->error);
    }
    ORT_TRY(call->model,
            calls->create_tensor(call->model->ort->allocator, input->shape, input->rank, ORT_STRING, out),
            call->error, run_failed);
    ORT_TRY(call->model, calls->fill_strings(*out, texts, input->count), call->error, run_failed);
    return SW_OK;
}

static sw_status wrap_inputs(const ort_call *call) {
    const ort_model *model = call->model;
    for (size_t i = 0; i < model->input_count; i++) {
        const sw_tensor *input = &call->inputs[i];
        if (input->dtype == SW_BYTES)
            SW_TRY(wrap_strings(&call->in[i], call, input));
        else
            ORT_TRY(model,
                    model->ort->calls.create_tensor_over(model->ort->memory, input->data,
                                                         input->count * sw_dtype_size(input->dtype),
                                                         input->shape, input->rank, types[input->dtype],
                                                         &call->in[i]),
                    call->error, run_failed);
    }
    return SW_OK;
}

static sw_status make_room(sw_tensor *out, const ort_call *call) {
    size_t size_bytes;
    if (!sw_shape_count(&out->count, out->shape, out->rank) ||
        __builtin_mul_overflow(out->count, sw_dtype_size(out->dtype), &size_bytes))
        return run_no_memory(call->error);
    out->data = sw_arena_alloc(call->arena, size_bytes);
    return out->data ? SW_OK : run_no_memory(call->error);
}

/* Outputs of a shape that can be guessed are made before the run. */
static sw_status guess_outputs(ort_call *call) {
    ort_model *model = call->model;
    for (size_t i = 0; i < model->output_count; i++) {
        const ort_output *plan = &model->plans[i];
        const sw_tensor_spec *spec = &model->outputs[i];
        sw_tensor *out = &call->outputs[i];
        if (!plan->guessable)
            continue;
        out->rank = spec->rank;
        for (uint32_t j = 0; j < spec->rank; j++)
            out->shape[j] = plan->dims[j].input == FIXED
                                ? spec->shape[j]
                                : call->inputs[plan->dims[j].input].shape[plan->dims[j].at];
        SW_TRY(make_room(out, call));
        ORT_TRY(model,
                model->ort->calls.create_tensor_over(model->ort->memory, out->data,
                                                     out->count * sw_dtype_size(out->dtype), out->shape,
                                                     out->rank, types[out->dtype], &call->out[i]),
                call->error, run_failed);
        call->guessed = true;
    }
    return SW_OK;
}

static sw_status copy_strings(sw_tensor *out, const ort_call *call, const ort_value *value) {
    const ort_calls *calls = &call->model->ort->calls;
    size_t size = 0;
    sw_str *strings = out->data;
    ORT_TRY(call->model, calls->strings_size(value, &size), call->error, run_failed);
    char *bytes = sw_arena_alloc(call->arena, size + 1);
    size_t *offsets = sw_arena_zalloc(call->arena, out->count, sizeof *offsets);
    if (!bytes || !offsets)
        return run_no_memory(call->error);
    if (out->count == 0)
        return SW_OK;
    ORT_TRY(call->model, calls->strings_content(value, bytes, size, offsets, out->count), call->error,
            run_failed);
    for (size_t i = 0; i < out->count; i++)
        strings[i] = (sw_str){bytes + offsets[i],
                              (i + 1 < out->count ? offsets[i + 1] : size) - offsets[i]};
    return SW_OK;
}

static sw_status take_shape(sw_tensor *out, const ort_call *call, const ort_shape *shape) {
    const ort_calls *calls = &call->model->ort->calls;
    size_t rank = 0;
    int type = 0;
    ORT_TRY(call->model, calls->shape_type(shape, &type), call->error, run_failed);
    ORT_TRY(call->model, calls->shape_rank(shape, &rank), call->error, run_failed);
    if (type != types[out->dtype] || rank > SW_RANK_MAX)
        return sw_fail(call->error, SW_CODE_INTERNAL,
                       "output \"%.*s\" came with another type or more dimensions than the model says",
                       SW_STR_ARG(out->name));
    out->rank = (uint8_t)rank;
    ORT_TRY(call->model, calls->shape_dims(shape, out->shape, rank), call->error, run_failed);
    return SW_OK;
}

static sw_status copy_output(sw_tensor *out, const ort_call *call, ort_value *value) {
    const ort_calls *calls = &call->model->ort->calls;
    ort_shape *shape = NULL;
    void *data = NULL;
    ORT_TRY(call->model, calls->value_shape(value, &shape), call->error, run_failed);
    sw_status status = take_shape(out, call, shape);
    calls->release_shape(shape);
    SW_TRY(status);
    SW_TRY(make_room(out, call));
    if (out->dtype == SW_BYTES)
        return copy_strings(out, call, value);
    ORT_TRY(call->model, calls->tensor_data(value, &data), call->error, run_failed);
    if (out->count)
        memcpy(out->data, data, out->count * sw_dtype_size(out->dtype));
    return SW_OK;
}

typedef struct ort_terminator {
    const ort_library *ort;
    ort_run_options *options;
} ort_terminator;

static void terminate(void *context) {
    const ort_terminator *terminator = context;
    ort_status *status = terminator->ort->calls.terminate(terminator->options);
    if (status)
        terminator->ort->calls.release_status(status);
}

static sw_status compute(const ort_call *call) {
    const ort_model *model = call->model;
    const ort_calls *calls = &model->ort->calls;
    ort_terminator terminator = {model->ort, NULL};
    if (call->stop) {
        ORT_TRY(model, calls->create_run_options(&terminator.options), call->error, run_failed);
        sw_stop_enter(call->stop, terminate, &terminator);
    }
    ort_status *failure = calls->run(model->session, terminator.options, model->input_names,
                                     (const ort_value *const *)call->in, model->input_count,
                                     model->output_names, model->output_count, call->out);
    sw_stop_leave(call->stop);
    if (terminator.options)
        calls->release_run_options(terminator.options);
    sw_status status = sw_ort_check(model->ort, failure, call->error, run_failed);
    if (sw_failed(status) && sw_stop_asked(call->stop))
        return sw_fail(call->error, SW_CODE_CANCELLED, "the prediction was cancelled");
    return status;
}

static void release(const ort_call *call, ort_value **values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i]) {
            call->model->ort->calls.release_value(values[i]);
            values[i] = NULL;
        }
}

static bool may_be_our_guess(const ort_call *call) {
    return call->guessed && !sw_stop_asked(call->stop) &&
           (!atomic_load_explicit(&call->model->guess_held, memory_order_relaxed) ||
            (call->error && strstr(call->error->text, "shape")));
}

static sw_status run_with_guesses(ort_call *call) {
    ort_model *model = call->model;
    if (!atomic_load_explicit(&model->guess_failed, memory_order_relaxed))
        SW_TRY(guess_outputs(call));
    sw_status status = compute(call);
    if (sw_failed(status) && may_be_our_guess(call)) {
        release(call, call->out, model->output_count);
        call->guessed = false;
        SW_TRY(compute(call));
        atomic_store_explicit(&model->guess_failed, true, memory_order_relaxed);
        return SW_OK;
    }
    if (!sw_failed(status) && call->guessed &&
        !atomic_load_explicit(&model->guess_held, memory_order_relaxed))
        atomic_store_explicit(&model->guess_held, true, memory_order_relaxed);
    return status;
}

static sw_status ort_run(sw_tensor *outputs, void *self, const sw_tensor *inputs, sw_arena *arena,
                         sw_stop *stop, sw_error *error) {
    ort_model *model = self;
    ort_call call = {.model = model, .inputs = inputs, .outputs = outputs, .arena = arena,
                     .error = error, .stop = stop};
    call.in = sw_arena_zalloc(arena, model->input_count, sizeof *call.in);
    call.out = sw_arena_zalloc(arena, model->output_count, sizeof *call.out);
    if (!call.in || !call.out)
        return run_no_memory(error);
    for (size_t i = 0; i < model->output_count; i++) {
        outputs[i].name = model->outputs[i].name;
        outputs[i].dtype = model->outputs[i].dtype;
    }
    sw_status status = wrap_inputs(&call);
    if (!sw_failed(status))
        status = run_with_guesses(&call);
    for (size_t i = 0; i < model->output_count && !sw_failed(status); i++)
        if (!call.guessed || !model->plans[i].guessable)
            status = copy_output(&outputs[i], &call, call.out[i]);
    release(&call, call.in, model->input_count);
    release(&call, call.out, model->output_count);
    return status;
}

const sw_engine sw_engine_ort = {"onnxruntime", ort_open, ort_run, ort_close};
