/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a model: the scan, the removal of ZipMaps, the native engine, and a run of what it
 * took. */
#include "model/native_private.h"
#include "model/signature.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const sw_native_program *program, const sw_model_info *info, sw_arena *arena) {
    /* The engine itself is not exported; its steps are, and they are what a model's bytes decide.
     */
    sw_native_block block = {.rows = 3, .arena = arena};
    for (uint32_t i = 0; i < program->slot_count; i++) {
        size_t bytes = (size_t)program->slots[i].row_bytes * block.rows;
        block.slots[i] = bytes <= 1 << 20 ? malloc(bytes ? bytes : 1) : NULL;
        if (block.slots[i])
            memset(block.slots[i], 0, bytes);
    }
    bool small = info->inputs[0].shape[1] <= 1 << 16;
    for (uint32_t i = 0; i < program->slot_count; i++)
        small = small && block.slots[i];
    for (uint32_t i = 0; small && i < program->step_count; i++)
        if (!program->steps[i].run(&program->steps[i], &block))
            abort();
    for (uint32_t i = 0; i < program->slot_count; i++)
        free(block.slots[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_error error;
    sw_onnx onnx;
    sw_onnx_plain *plain;
    sw_buf changed = {0};
    sw_model_info info = {0};
    sw_signature signature;
    static sw_native_program program;
    if (sw_failed(sw_onnx_scan(&onnx, (sw_str){(const char *)data, size}, &arena, &error)))
        goto done;
    if (onnx.zipmap_count &&
        !sw_failed(sw_onnx_without_zipmaps(&changed, &plain, &onnx, &arena, &error))) {
        sw_onnx again;
        if (sw_failed(sw_onnx_scan(&again, sw_buf_str(&changed), &arena, &error)) ||
            again.zipmap_count)
            abort();
    }
    if (sw_failed(sw_native_build(&program, &info, &arena, &onnx, &error)))
        goto done;
    if (sw_failed(sw_signature_from_model(&signature, &info, &arena, &error)))
        abort();
    run(&program, &info, &arena);
done:
    sw_buf_free(&changed);
    sw_arena_free(&arena);
    return 0;
}
