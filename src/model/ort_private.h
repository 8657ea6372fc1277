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

#endif /* SW_MODEL_ORT_PRIVATE_H */
