/* SPDX-License-Identifier: Apache-2.0 */
/*
 * validate: do a request's tensors fit the model?
 *
 * Threads: any; no state.
 * Layer:   serve.
 */
#ifndef SW_SERVE_VALIDATE_H
#define SW_SERVE_VALIDATE_H

#include "serve/predict.h"

/*
 * Puts request.inputs into the model's order (predict->inputs), checks names, datatypes and shapes,
 * and sets predict->rows. INVALID names the input and what was expected of it.
 */
SW_MUST_USE sw_status sw_validate(sw_predict *predict);

/* Whether a symbolic dimension's name occurs more than once among the inputs. */
bool sw_shares_dims(const sw_model_info *info);

/* "[-1,30]", for messages. */
void sw_shape_text(char *text, size_t cap, const int64_t *shape, size_t rank);

#endif /* SW_SERVE_VALIDATE_H */
