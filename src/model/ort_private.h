/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ort: ONNX Runtime as loaded into this process.
 *
 * One environment with one pool of threads for all models. A run computes on the thread that calls
 * it: with one thread a small model answers soonest and many requests do not fight for cores.
 * SLIPWAY_ORT_THREADS=n lets large models use n threads for one run.
 *
 * Memory:  never unloaded: the library keeps threads and thread-locals of its own.
 * Threads: any.
 * Layer:   model.
 */
#ifndef SW_MODEL_ORT_PRIVATE_H
#define SW_MODEL_ORT_PRIVATE_H

#include "base/status.h"
#include "model/engine_private.h"
#include "model/ort_abi.h"

typedef struct ort_library {
    ort_calls calls;
    const char *version;
    ort_env *env;
    ort_memory *memory; /* "the CPU's" */
    ort_allocator *allocator;
} ort_library;

/* NULL with the reason in `why` where there is none. Loads it on the first call. */
const ort_library *sw_ort_load(sw_error *why);

/* SW_OK for NULL; else takes the library's words over, behind `what`, and releases them. */
SW_MUST_USE sw_status sw_ort_check(const ort_library *ort, ort_status *status, sw_error *error,
                                   const char *what);

/* The library's message without the path of the model, the place in its own source, and line ends. */
void sw_ort_plain_words(char *out, size_t cap, const char *message);

#define ORT_TRY(model, call, error, what) SW_TRY(sw_ort_check((model)->ort, (call), error, what))

/* ---- A loaded model ---- */

typedef struct ort_frame ort_frame;

enum { ORT_DIM_FIXED = -1, ORT_DIM_UNKNOWN = -2 };

/* Where a dimension of an output comes from. */
typedef struct ort_dim {
    int32_t input; /* index of the input whose dimension it repeats, or one of the above */
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
    ort_frame *frames;        /* ORT_FRAMES of them, or NULL */
    size_t *row_bytes;        /* of the inputs, then the outputs; where there are frames */
} ort_model;

/* ONNXTensorElementDataType of a datatype. */
extern const uint8_t sw_ort_types[SW_DTYPE_COUNT];

SW_MUST_USE sw_status sw_ort_open(void **self, sw_model_info *info, sw_arena *arena,
                                  const sw_onnx *file, sw_error *error);
void sw_ort_close(void *self);
sw_status sw_ort_run(sw_tensor *outputs, void *self, const sw_tensor *inputs, sw_arena *arena,
                     sw_stop *stop, sw_error *error);

/* ---- One row, the quick way ---- */

enum { ORT_FRAMES = 8 };

/*
 * Makes room for the model's frames: inputs and outputs of one row that stay bound to the session,
 * so that a run makes no values. Leaves model->frames NULL where rows have no fixed size, are
 * large, or hold strings.
 */
SW_MUST_USE sw_status sw_ort_plan_frames(ort_model *model, sw_arena *arena, sw_error *error);
/* False where no frame fits or the run failed: then the ordinary way is to be taken. */
bool sw_ort_run_in_frame(sw_tensor *outputs, ort_model *model, const sw_tensor *inputs,
                         sw_arena *arena);
void sw_ort_free_frames(ort_model *model);

#endif /* SW_MODEL_ORT_PRIVATE_H */
