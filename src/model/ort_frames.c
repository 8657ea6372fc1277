/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "model/ort_private.h"

enum { FRAME_BYTES_MAX = 1 << 16 };

/* Made by the first run that takes it. */
struct ort_frame {
    atomic_bool busy;
    bool broken; /* could not be made */
    ort_binding *binding;
    ort_value **values; /* inputs, then outputs */
    char **places;      /* their bytes */
    sw_arena memory;
};

/* Bytes of one row; 0 where that is not known, or nothing. */
static size_t row_bytes(const sw_tensor_spec *spec) {
    size_t bytes = spec->dtype == SW_BYTES ? 0 : sw_dtype_size(spec->dtype);
    if (spec->rank == 0 || spec->shape[0] != -1)
        return 0;
    for (uint8_t i = 1; i < spec->rank; i++) {
        if (spec->shape[i] < 1 || spec->shape[i] > FRAME_BYTES_MAX)
            return 0;
        bytes *= (size_t)spec->shape[i];
        if (bytes > FRAME_BYTES_MAX)
            return 0;
    }
    return bytes;
}

static bool measure_rows(size_t *sizes, const sw_tensor_spec *specs, size_t count, size_t *left) {
    for (size_t i = 0; i < count; i++) {
        sizes[i] = row_bytes(&specs[i]);
        if (sizes[i] == 0 || sizes[i] > *left)
            return false;
        *left -= sizes[i];
    }
    return true;
}

sw_status sw_ort_plan_frames(ort_model *model, sw_arena *arena, sw_error *error) {
    size_t left = FRAME_BYTES_MAX, inputs = model->input_count, outputs = model->output_count;
    model->row_bytes = sw_arena_zalloc(arena, inputs + outputs, sizeof *model->row_bytes);
    if (!model->row_bytes)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
    bool fits = inputs > 0 && measure_rows(model->row_bytes, model->inputs, inputs, &left) &&
                measure_rows(model->row_bytes + inputs, model->outputs, outputs, &left);
    for (size_t i = 0; i < outputs; i++)
        fits = fits && model->plans[i].guessable;
    if (!fits)
        return SW_OK;
    model->frames = sw_arena_zalloc(arena, ORT_FRAMES, sizeof *model->frames);
    return model->frames ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
}

static bool fine(const ort_model *model, ort_status *status) {
    if (status)
        model->ort->calls.release_status(status);
    return !status;
}

static bool bind(ort_frame *frame, const ort_model *model, size_t at) {
    const ort_calls *calls = &model->ort->calls;
    bool is_input = at < model->input_count;
    size_t index = is_input ? at : at - model->input_count;
    const sw_tensor_spec *spec = is_input ? &model->inputs[index] : &model->outputs[index];
    int64_t shape[SW_RANK_MAX];
    memcpy(shape, spec->shape, sizeof shape);
    shape[0] = 1;
    size_t bytes = model->row_bytes[at];
    frame->places[at] = sw_arena_alloc(&frame->memory, bytes);
    return frame->places[at] &&
           fine(model, calls->create_tensor_over(model->ort->memory, frame->places[at], bytes,
                                                 shape, spec->rank, sw_ort_types[spec->dtype],
                                                 &frame->values[at])) &&
           fine(model, is_input ? calls->bind_input(frame->binding, model->input_names[index],
                                                    frame->values[at])
                                : calls->bind_output(frame->binding, model->output_names[index],
                                                     frame->values[at]));
}

static bool make(ort_frame *frame, const ort_model *model) {
    size_t count = model->input_count + model->output_count;
    frame->values = sw_arena_zalloc(&frame->memory, count, sizeof(ort_value *));
    frame->places = sw_arena_zalloc(&frame->memory, count, sizeof(char *));
    if (!frame->values || !frame->places ||
        !fine(model, model->ort->calls.create_binding(model->session, &frame->binding)))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!bind(frame, model, i))
            return false;
    return true;
}

/* A free frame; each thread begins its search at a place of its own. */
static ort_frame *take(ort_model *model) {
    static atomic_uint next;
    static _Thread_local unsigned place; /* 0: none yet */
    if (place == 0)
        place = 1 + atomic_fetch_add_explicit(&next, 1, memory_order_relaxed);
    for (unsigned i = 0; i < ORT_FRAMES; i++) {
        ort_frame *frame = &model->frames[(place + i) % ORT_FRAMES];
        if (!atomic_exchange_explicit(&frame->busy, true, memory_order_acquire))
            return frame;
    }
    return NULL;
}

static bool compute(sw_tensor *outputs, ort_frame *frame, const ort_model *model,
                    const sw_tensor *inputs, sw_arena *arena) {
    if (!frame->binding && !frame->broken)
        frame->broken = !make(frame, model);
    if (frame->broken)
        return false;
    for (size_t i = 0; i < model->input_count; i++)
        memcpy(frame->places[i], inputs[i].data, model->row_bytes[i]);
    if (!fine(model, model->ort->calls.run_binding(model->session, NULL, frame->binding)))
        return false;
    for (size_t i = 0; i < model->output_count; i++) {
        const sw_tensor_spec *spec = &model->outputs[i];
        size_t bytes = model->row_bytes[model->input_count + i];
        outputs[i].name = spec->name;
        outputs[i].dtype = spec->dtype;
        outputs[i].rank = spec->rank;
        memcpy(outputs[i].shape, spec->shape, sizeof spec->shape);
        outputs[i].shape[0] = 1;
        outputs[i].count = bytes / sw_dtype_size(spec->dtype);
        outputs[i].data = sw_arena_alloc(arena, bytes);
        if (!outputs[i].data)
            return false;
        memcpy(outputs[i].data, frame->places[model->input_count + i], bytes);
    }
    return true;
}

bool sw_ort_run_in_frame(sw_tensor *outputs, ort_model *model, const sw_tensor *inputs,
                         sw_arena *arena) {
    if (!model->frames || !atomic_load_explicit(&model->guess_held, memory_order_relaxed) ||
        atomic_load_explicit(&model->guess_failed, memory_order_relaxed))
        return false;
    for (size_t i = 0; i < model->input_count; i++)
        if (inputs[i].shape[0] != 1 ||
            inputs[i].count * sw_dtype_size(inputs[i].dtype) != model->row_bytes[i])
            return false;
    ort_frame *frame = take(model);
    if (!frame)
        return false;
    bool done = compute(outputs, frame, model, inputs, arena);
    atomic_store_explicit(&frame->busy, false, memory_order_release);
    return done;
}

void sw_ort_free_frames(ort_model *model) {
    const ort_calls *calls = &model->ort->calls;
    for (size_t i = 0; model->frames && i < ORT_FRAMES; i++) {
        ort_frame *frame = &model->frames[i];
        if (frame->binding)
            calls->release_binding(frame->binding);
        for (size_t j = 0; frame->values && j < model->input_count + model->output_count; j++)
            if (frame->values[j])
                calls->release_value(frame->values[j]);
        sw_arena_free(&frame->memory);
    }
}
