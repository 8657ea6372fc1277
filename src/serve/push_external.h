/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push_external: the signature of a model that runs elsewhere, of which there is no file.
 *
 * It comes whole from a signature file (one with "inputs"), or from the columns of a CSV: each
 * column is a feature that is an input of its own, a number (FP64) or a text (BYTES); the columns of
 * predictions are the outputs; what looks like the label (sw_signature_is_label) is neither.
 * Observations may lack values, so every feature that can say so may be missing.
 *
 * Memory:  the signature lives in the arena.
 * Threads: any but a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_PUSH_EXTERNAL_H
#define SW_SERVE_PUSH_EXTERNAL_H

#include "serve/push.h"

/* `csv`: the path of the profile's CSV, or NULL. */
SW_MUST_USE sw_status sw_push_external_signature(sw_signature *out, const sw_push *push,
                                                 const char *csv, sw_arena *arena, sw_error *error);

#endif /* SW_SERVE_PUSH_EXTERNAL_H */
