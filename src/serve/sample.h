/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample: made-up rows that a model should be able to take, for warm-up and measurement.
 *
 * Values are drawn within the training ranges and from the known categories where the signature
 * has them, else from [-1, 1) (integers: 0 and 1; strings: empty). Deterministic.
 *
 * Memory:  in the arena.
 * Threads: any.
 * Layer:   serve.
 */
#ifndef SW_SERVE_SAMPLE_H
#define SW_SERVE_SAMPLE_H

#include "model/signature.h"

/* `rows` rows of every input, as `inputs` (room for signature->input_count). `free_dim` stands in
 * for dimensions of any size other than the batch. False where memory is out. */
bool sw_sample_make(sw_tensor *inputs, const sw_signature *signature, size_t rows, int64_t free_dim,
                    uint64_t seed, sw_arena *arena);

/* Row `at` of a sample, alone. */
bool sw_sample_row(sw_tensor *row, const sw_tensor *inputs, size_t input_count, size_t at,
                   size_t rows);

#endif /* SW_SERVE_SAMPLE_H */
