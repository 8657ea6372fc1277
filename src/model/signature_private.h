/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature: what its two files share.
 *
 * Layer: model.
 */
#ifndef SW_MODEL_SIGNATURE_PRIVATE_H
#define SW_MODEL_SIGNATURE_PRIVATE_H

#include "model/signature.h"

/* Columns of one row of the input: 0 where it has none (images, sizes that the model leaves open).
 */
uint32_t sw_signature_columns_of(const sw_tensor_spec *input);

/* Features "x0" and so on for every input that has columns, token ids too where `all`. */
SW_MUST_USE sw_status sw_signature_make_features(sw_signature *signature, bool all, sw_arena *arena,
                                                 sw_error *error);

/* INVALID where a name is empty, no UTF-8, or given twice. */
SW_MUST_USE sw_status sw_signature_check_names(const sw_signature *signature, sw_error *error);

SW_MUST_USE sw_status sw_signature_no_memory(sw_error *error);

#endif /* SW_MODEL_SIGNATURE_PRIVATE_H */
