/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model: an artifact that was loaded and can be run; and the small interface behind which its
 * engines stand.
 *
 * Two engines: `native` (linear models, computed here) and `onnxruntime` (anything ONNX, by a
 * library that is loaded at run time). sw_model_open picks the first engine that takes the file,
 * or the one that is asked for, and keeps the reason of its choice for people to see. A third,
 * `external`, stands for models that run elsewhere, and computes nothing.
 *
 * Memory:  sw_model_close what sw_model_open made. Outputs of a run live in the arena given to it.
 * Threads: sw_model_run from any number at once on one model; open and close never on a loop.
 * Layer:   model. Knows no HTTP, no SQL.
 */
#ifndef SW_MODEL_MODEL_H
#define SW_MODEL_MODEL_H

#include "base/arena.h"
#include "base/status.h"
#include "model/stop.h"
#include "model/tensor.h"

typedef struct sw_model sw_model;

enum { SW_TENSORS_MAX = 4096 }; /* inputs or outputs of one model */

typedef struct sw_model_info {
    const char *engine;     /* "native", "onnxruntime" or "external" */
    const char *engine_why; /* one sentence: why this engine serves it */
    const sw_tensor_spec *inputs;
    size_t input_count;
    const sw_tensor_spec *outputs;
    size_t output_count;
    sw_str producer;         /* the exporting framework, as the file says; may be empty */
    bool first_dim_is_batch; /* every input and output has an any-size first dimension */
    bool external;           /* runs elsewhere: sw_model_run is REFUSED */
} sw_model_info;

/*
 * `engine`: NULL or "auto", "native", "onnxruntime" (else INVALID). INVALID too where the file is
 * no ONNX model (says what is wrong with it), UNSUPPORTED where no engine takes it (says why each
 * did not), UNAVAILABLE where it needs ONNX Runtime and that is not installed (says how to). The
 * file must not change while it is opened.
 */
SW_MUST_USE sw_status sw_model_open(sw_model **out, const char *path, const char *engine,
                                    sw_error *error);
/* A model that runs elsewhere, by what is known of it. The specs are borrowed: they must outlive it. */
SW_MUST_USE sw_status sw_model_open_external(sw_model **out, const sw_tensor_spec *inputs,
                                             size_t input_count, const sw_tensor_spec *outputs,
                                             size_t output_count, sw_error *error);
void sw_model_close(sw_model *model);
const sw_model_info *sw_model_get_info(const sw_model *model);

/*
 * One run. `inputs` are in the order of info->inputs and already checked against it. `outputs`
 * points at room for info->output_count tensors; all are filled, with data in the arena.
 * `stop`, where not NULL, is a handle by which another thread ends a long run early (CANCELLED).
 */
SW_MUST_USE sw_status sw_model_run(sw_tensor *outputs, sw_model *model, const sw_tensor *inputs,
                                   sw_arena *arena, sw_stop *stop, sw_error *error);

/*
 * "1.30.0", or NULL with the reason in `why` (may be NULL). Loads the library on the first call:
 * not on a loop. It is looked for at SLIPWAY_ORT (a path; "none" turns it off), else in lib/ beside
 * the executable, in ../lib/slipway from it, in /usr/lib/slipway, and where the system keeps
 * libraries.
 */
const char *sw_ort_version(sw_error *why);

#endif /* SW_MODEL_MODEL_H */
