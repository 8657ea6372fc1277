/* SPDX-License-Identifier: Apache-2.0 */
#include "model/ort_private.h"

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
            return sw_fail(
                call->error, SW_CODE_INVALID,
                "input \"%.*s\": string %zu holds a NUL byte, which ONNX Runtime cannot take",
                SW_STR_ARG(input->name), i);
        texts[i] = sw_arena_copy(call->arena, from[i]).at;
        if (!texts[i])
            return run_no_memory(call->error);
    }
    ORT_TRY(call->model,
            calls->create_tensor(call->model->ort->allocator, input->shape, input->rank, ORT_STRING,
                                 out),
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
                    model->ort->calls.create_tensor_over(
                        model->ort->memory, input->data, input->count * sw_dtype_size(input->dtype),
                        input->shape, input->rank, sw_ort_types[input->dtype], &call->in[i]),
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
            out->shape[j] = plan->dims[j].input == ORT_DIM_FIXED
                                ? spec->shape[j]
                                : call->inputs[plan->dims[j].input].shape[plan->dims[j].at];
        SW_TRY(make_room(out, call));
        ORT_TRY(model,
                model->ort->calls.create_tensor_over(
                    model->ort->memory, out->data, out->count * sw_dtype_size(out->dtype),
                    out->shape, out->rank, sw_ort_types[out->dtype], &call->out[i]),
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
    ORT_TRY(call->model, calls->strings_content(value, bytes, size, offsets, out->count),
            call->error, run_failed);
    for (size_t i = 0; i < out->count; i++)
        strings[i] =
            (sw_str){bytes + offsets[i], (i + 1 < out->count ? offsets[i + 1] : size) - offsets[i]};
    return SW_OK;
}

static sw_status take_shape(sw_tensor *out, const ort_call *call, const ort_shape *shape) {
    const ort_calls *calls = &call->model->ort->calls;
    size_t rank = 0;
    int type = 0;
    ORT_TRY(call->model, calls->shape_type(shape, &type), call->error, run_failed);
    ORT_TRY(call->model, calls->shape_rank(shape, &rank), call->error, run_failed);
    if (type != sw_ort_types[out->dtype] || rank > SW_RANK_MAX)
        return sw_fail(
            call->error, SW_CODE_INTERNAL,
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

sw_status sw_ort_run(sw_tensor *outputs, void *self, const sw_tensor *inputs, sw_arena *arena,
                     sw_stop *stop, sw_error *error) {
    ort_model *model = self;
    if (!stop && sw_ort_run_in_frame(outputs, model, inputs, arena))
        return SW_OK;
    ort_call call = {.model = model,
                     .inputs = inputs,
                     .outputs = outputs,
                     .arena = arena,
                     .error = error,
                     .stop = stop};
    call.in = sw_arena_zalloc(arena, model->input_count, sizeof(ort_value *));
    call.out = sw_arena_zalloc(arena, model->output_count, sizeof(ort_value *));
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
