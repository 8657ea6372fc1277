/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine: the interface behind which the ways to compute a model stand.
 *
 * Memory:  `info` and what it points at live in the model's arena, the rest in `self`.
 * Threads: run from any number at once; open and close from one.
 * Layer:   model.
 */
#ifndef SW_MODEL_ENGINE_PRIVATE_H
#define SW_MODEL_ENGINE_PRIVATE_H

#include "model/model.h"
#include "model/onnx.h"

typedef struct sw_engine {
    const char *name;
    /* Fills info's inputs, outputs and engine_why. UNSUPPORTED, with the reason, where the model is
     * not of a kind it computes. Nothing of `file` is kept. */
    sw_status (*open)(void **self, sw_model_info *info, sw_arena *arena, const sw_onnx *file,
                      sw_error *error);
    sw_status (*run)(sw_tensor *outputs, void *self, const sw_tensor *inputs, sw_arena *arena,
                     sw_stop *stop, sw_error *error);
    void (*close)(void *self);
} sw_engine;

extern const sw_engine sw_engine_native;
extern const sw_engine sw_engine_ort;
extern const sw_engine sw_engine_external; /* has no `open`: sw_model_open_external */

#endif /* SW_MODEL_ENGINE_PRIVATE_H */
