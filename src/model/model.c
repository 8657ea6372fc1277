/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"

#include "base/mem.h"
#include "model/engine_private.h"

enum { ARENA_BYTES = 4096 };

struct sw_model {
    const sw_engine *engine;
    void *self;
    sw_model_info info;
    sw_arena arena;
};

static bool every_first_dim_is_free(const sw_tensor_spec *specs, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (specs[i].rank == 0 || specs[i].shape[0] != -1)
            return false;
    return true;
}

/* The engine's `open` on a clean slate: nothing of an engine that was tried before stays. */
static sw_status try_engine(sw_model *model, const sw_engine *engine, const sw_onnx *file,
                            sw_error *error) {
    sw_arena_reset(&model->arena);
    model->info = (sw_model_info){.engine = engine->name};
    model->self = NULL;
    SW_TRY(engine->open(&model->self, &model->info, &model->arena, file, error));
    model->engine = engine;
    return SW_OK;
}

static sw_status open_automatically(sw_model *model, const sw_onnx *file, sw_error *error) {
    sw_error why_not = {0};
    sw_status status = try_engine(model, &sw_engine_native, file, error);
    if (status.code != SW_CODE_UNSUPPORTED)
        return status;
    why_not = *error;
    status = try_engine(model, &sw_engine_ort, file, error);
    if (status.code == SW_CODE_UNAVAILABLE)
        return sw_fail_within(status, error, "%.200s, so the model needs ONNX Runtime",
                              why_not.text);
    SW_TRY(status);
    sw_str why = sw_arena_printf(&model->arena, "%.200s: computed by ONNX Runtime %s", why_not.text,
                                 sw_ort_version(NULL));
    if (!why.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
    model->info.engine_why = why.at;
    return SW_OK;
}

static sw_status open_by_name(sw_model *model, const sw_onnx *file, const char *engine,
                              sw_error *error) {
    if (strcmp(engine, "native") == 0) {
        sw_status status = try_engine(model, &sw_engine_native, file, error);
        if (status.code == SW_CODE_UNSUPPORTED)
            return sw_fail_within(status, error, "the native engine computes linear models alone");
        return status;
    }
    if (strcmp(engine, "onnxruntime") == 0) {
        SW_TRY(try_engine(model, &sw_engine_ort, file, error));
        model->info.engine_why = "ONNX Runtime was asked for";
        return SW_OK;
    }
    return sw_fail(error, SW_CODE_INVALID,
                   "there is no engine \"%.80s\": use auto, native or onnxruntime", engine);
}

/* What holds for any engine. */
static sw_status complete_info(sw_model *model, const sw_onnx *file, sw_error *error) {
    sw_model_info *info = &model->info;
    info->first_dim_is_batch = info->input_count > 0 &&
                               every_first_dim_is_free(info->inputs, info->input_count) &&
                               every_first_dim_is_free(info->outputs, info->output_count);
    sw_str producer = file->producer;
    info->producer = sw_str_is_utf8(producer) ? sw_arena_copy(&model->arena, producer) : SW_STR("");
    if (!info->producer.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
    return SW_OK;
}

sw_status sw_model_open(sw_model **out, const char *path, const char *engine, sw_error *error) {
    sw_status status = {SW_CODE_NO_MEMORY};
    sw_onnx file = {0};
    sw_arena scratch = {0};
    sw_error unheard;
    if (!error)
        error = &unheard;
    *out = NULL;
    sw_model *model = sw_mem_zalloc(1, sizeof *model);
    if (!model) {
        status = sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
        goto done;
    }
    sw_arena_init(&model->arena, ARENA_BYTES);
    status = sw_onnx_open(&file, path, &scratch, error);
    if (sw_failed(status))
        goto done;
    if (!engine || strcmp(engine, "auto") == 0)
        status = open_automatically(model, &file, error);
    else
        status = open_by_name(model, &file, engine, error);
    if (!sw_failed(status))
        status = complete_info(model, &file, error);
    if (!sw_failed(status)) {
        *out = model;
        model = NULL;
    }
done:
    sw_onnx_close(&file);
    sw_arena_free(&scratch);
    sw_model_close(model);
    return status;
}

sw_status sw_model_open_external(sw_model **out, const sw_tensor_spec *inputs, size_t input_count,
                                 const sw_tensor_spec *outputs, size_t output_count,
                                 sw_error *error) {
    sw_model *model = sw_mem_zalloc(1, sizeof *model);
    *out = model;
    if (!model)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
    model->engine = &sw_engine_external;
    model->info = (sw_model_info){
        .engine = sw_engine_external.name,
        .engine_why = "it is served elsewhere and watched by the observations that are sent",
        .inputs = inputs,
        .input_count = input_count,
        .outputs = outputs,
        .output_count = output_count,
        .external = true,
    };
    return SW_OK;
}

void sw_model_close(sw_model *model) {
    if (!model)
        return;
    if (model->engine)
        model->engine->close(model->self);
    sw_arena_free(&model->arena);
    sw_mem_free(model);
}

const sw_model_info *sw_model_get_info(const sw_model *model) {
    return &model->info;
}

static bool is_aligned(const sw_tensor *tensor) {
    uintptr_t at = (uintptr_t)tensor->data;
    return (at & 7) == 0 ||
           (tensor->dtype != SW_BYTES && (at & (sw_dtype_size(tensor->dtype) - 1)) == 0);
}

/* Tensors that lie at an odd place, as in the middle of a binary body, are moved. */
static sw_status run_aligned(sw_tensor *outputs, sw_model *model, const sw_tensor *inputs,
                             sw_arena *arena, sw_stop *stop, sw_error *error) {
    size_t count = model->info.input_count;
    sw_tensor *moved = sw_arena_zalloc(arena, count, sizeof *moved);
    for (size_t i = 0; moved && i < count; i++) {
        moved[i] = inputs[i];
        if (is_aligned(&inputs[i]))
            continue;
        size_t size_bytes = inputs[i].count * sw_dtype_size(inputs[i].dtype);
        moved[i].data = sw_arena_alloc(arena, size_bytes);
        if (!moved[i].data)
            return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the prediction");
        if (size_bytes)
            memcpy(moved[i].data, inputs[i].data, size_bytes);
    }
    if (!moved)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the prediction");
    return model->engine->run(outputs, model->self, moved, arena, stop, error);
}

sw_status sw_model_run(sw_tensor *outputs, sw_model *model, const sw_tensor *inputs,
                       sw_arena *arena, sw_stop *stop, sw_error *error) {
    if (sw_stop_asked(stop))
        return sw_fail(error, SW_CODE_CANCELLED, "the prediction was cancelled");
    for (size_t i = 0; i < model->info.input_count; i++)
        if (!is_aligned(&inputs[i]))
            return run_aligned(outputs, model, inputs, arena, stop, error);
    return model->engine->run(outputs, model->self, inputs, arena, stop, error);
}
