/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tensor_json: elements of a tensor as JSON values.
 *
 * NaN is null; infinities are what the writer says.
 *
 * Threads: any; no state.
 * Layer:   serve.
 */
#ifndef SW_SERVE_TENSOR_JSON_H
#define SW_SERVE_TENSOR_JSON_H

#include "base/json.h"
#include "base/status.h"
#include "model/tensor.h"

/* `count` elements from `first` on, with commas between them. INVALID for a string that is no
 * UTF-8. */
SW_MUST_USE sw_status sw_tensor_put_json(sw_json *w, const sw_tensor *tensor, size_t first,
                                         size_t count, sw_error *error);

#endif /* SW_SERVE_TENSOR_JSON_H */
