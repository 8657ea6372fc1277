/* SPDX-License-Identifier: Apache-2.0 */
/*
 * native: linear models as a short list of steps over rows of floats.
 *
 * The builder turns a graph into steps; a run takes the rows in blocks and each block through all
 * steps, so that what lies between two steps stays in the first cache. A slot is a matrix of rows:
 * the input, an output, or scratch of one block. Workload: 1 to some thousand rows of 2 to some
 * hundred features; one row of 30 features through a logistic regression in some 15 ns.
 *
 * Memory:  everything lives in the model's arena; scratch in the run's.
 * Threads: a program is immutable once built.
 * Layer:   model.
 */
#ifndef SW_MODEL_NATIVE_PRIVATE_H
#define SW_MODEL_NATIVE_PRIVATE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/model.h"
#include "model/onnx.h"

enum {
    SW_NATIVE_STEPS_MAX = 64,
    SW_NATIVE_SLOTS_MAX = 64,
    SW_NATIVE_WIDTH_MAX = 1 << 20,
    SW_NATIVE_BLOCK_ROWS = 64,
    SW_NATIVE_LANES = 8 /* rows of weights are padded to a multiple of it */
};

typedef struct sw_native_step sw_native_step;

/* What the steps of one block work on. */
typedef struct sw_native_block {
    char *slots[SW_NATIVE_SLOTS_MAX]; /* where the block's first row stands */
    size_t rows;
    sw_arena *arena;
} sw_native_block;

/*
 * out[r][j] = bias[j] + sum over i of in[r][i] * weights[j][i]. A row's result has the same bits
 * whatever rows stand around it.
 */
typedef void (*sw_native_affine)(float *out, const float *in, size_t rows,
                                 const sw_native_step *step);

struct sw_native_step {
    /* False where memory is out. */
    bool (*run)(const sw_native_step *step, sw_native_block *block);
    sw_native_affine affine;
    uint32_t from, to; /* slots; equal where a step works in place */
    uint32_t in_width, out_width;
    uint32_t stride;      /* floats from one row of weights to the next */
    const float *weights; /* or the constant of an element-wise step, out_width long */
    const float *bias;
    const int64_t *int_labels; /* of the classes, or NULL */
    const sw_str *text_labels;
    int norm; /* 0 MAX, 1 L1, 2 L2 */
};

typedef struct sw_native_slot {
    uint32_t row_bytes;
    int32_t output;      /* index of the output it is, or -1 */
    uint32_t scratch_at; /* bytes, where it is neither output nor input */
} sw_native_slot;

typedef struct sw_native_program {
    sw_native_slot slots[SW_NATIVE_SLOTS_MAX]; /* 0 is the input */
    sw_native_step steps[SW_NATIVE_STEPS_MAX];
    uint32_t slot_count, step_count;
    uint32_t scratch_bytes;
    const sw_tensor_spec *outputs;
    uint32_t output_slots[SW_NATIVE_SLOTS_MAX];
    uint32_t output_count;
} sw_native_program;

/* UNSUPPORTED, with the reason, where the graph is not linear. */
SW_MUST_USE sw_status sw_native_build(sw_native_program *out, sw_model_info *info, sw_arena *arena,
                                      const sw_onnx *file, sw_error *error);

/* The fastest one that this CPU can run. */
sw_native_affine sw_native_pick_affine(void);
void sw_native_affine_portable(float *out, const float *in, size_t rows,
                               const sw_native_step *step);

bool sw_native_run_affine(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_copy(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_add(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_subtract(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_subtract_from(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_multiply(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_divide(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_scale(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_normalize(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_sigmoid(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_logistic(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_softmax(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_softmax_zero(const sw_native_step *step, sw_native_block *block);
/* One score into the two of a binary classifier. */
bool sw_native_run_complement(const sw_native_step *step, sw_native_block *block);
bool sw_native_run_complement_logistic(const sw_native_step *step, sw_native_block *block);
/* The first column with the highest score: its index, or its label. */
bool sw_native_run_argmax(const sw_native_step *step, sw_native_block *block);

#endif /* SW_MODEL_NATIVE_PRIVATE_H */
