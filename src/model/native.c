/* SPDX-License-Identifier: Apache-2.0 */
#include "model/engine_private.h"
#include "model/native_private.h"

static sw_status native_open(void **self, sw_model_info *info, sw_arena *arena, const sw_onnx *file,
                             sw_error *error) {
    sw_native_program *program = sw_arena_alloc(arena, sizeof *program);
    if (!program)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to load the model");
    *self = program;
    return sw_native_build(program, info, arena, file, error);
}

static bool make_outputs(sw_tensor *outputs, const sw_native_program *program, size_t rows,
                         sw_arena *arena) {
    for (uint32_t i = 0; i < program->output_count; i++) {
        const sw_tensor_spec *spec = &program->outputs[i];
        size_t row_bytes = program->slots[program->output_slots[i]].row_bytes, size_bytes;
        size_t width = spec->rank == 2 ? (size_t)spec->shape[1] : 1;
        sw_tensor *out = &outputs[i];
        out->name = spec->name;
        out->dtype = spec->dtype;
        out->rank = spec->rank;
        out->shape[0] = (int64_t)rows;
        out->shape[1] = (int64_t)width;
        if (__builtin_mul_overflow(rows, row_bytes, &size_bytes))
            return false;
        out->count = rows * width;
        out->data = sw_arena_alloc(arena, size_bytes);
        if (!out->data)
            return false;
    }
    return true;
}

/* Slots of the block that starts at `row`: in the input, in an output, or the scratch again. */
static void place_block(sw_native_block *block, const sw_native_program *program,
                        const sw_tensor *outputs, const sw_tensor *input, char *scratch,
                        size_t row) {
    block->slots[0] = (char *)input->data + row * program->slots[0].row_bytes;
    for (uint32_t i = 1; i < program->slot_count; i++) {
        const sw_native_slot *slot = &program->slots[i];
        block->slots[i] = slot->output < 0
                              ? scratch + slot->scratch_at
                              : (char *)outputs[slot->output].data + row * slot->row_bytes;
    }
}

static sw_status native_run(sw_tensor *outputs, void *self, const sw_tensor *inputs,
                            sw_arena *arena, sw_stop *stop, sw_error *error) {
    const sw_native_program *program = self;
    size_t rows = (size_t)inputs[0].shape[0];
    char *scratch = NULL;
    sw_native_block block;
    block.arena = arena;
    if (!make_outputs(outputs, program, rows, arena))
        goto no_memory;
    if (program->scratch_bytes && !(scratch = sw_arena_alloc(arena, program->scratch_bytes)))
        goto no_memory;
    for (size_t row = 0; row < rows; row += block.rows) {
        block.rows = rows - row < SW_NATIVE_BLOCK_ROWS ? rows - row : SW_NATIVE_BLOCK_ROWS;
        place_block(&block, program, outputs, &inputs[0], scratch, row);
        for (uint32_t i = 0; i < program->step_count; i++)
            if (!program->steps[i].run(&program->steps[i], &block))
                goto no_memory;
        if (sw_stop_asked(stop))
            return sw_fail(error, SW_CODE_CANCELLED, "the prediction was cancelled");
    }
    return SW_OK;
no_memory:
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the prediction of %zu rows", rows);
}

static void native_close(void *self) {
    (void)self; /* all of it lives in the model's arena */
}

const sw_engine sw_engine_native = {"native", native_open, native_run, native_close};
