/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature: what goes into a version and what comes out, by name.
 *
 * The tensors come from the model. The features (named columns that application developers
 * send) come from the model's inputs, then the CSV header or the signature file that was pushed
 * along. A feature is one column of an input of many columns ([N, 30]) or the whole of an input of
 * one column ([N, 1] or [N]). Inputs that are no columns (images, token ids) have no features.
 *
 * Memory:  immutable once made, in the arena it was made in.
 * Threads: any.
 * Layer:   model.
 */
#ifndef SW_MODEL_SIGNATURE_H
#define SW_MODEL_SIGNATURE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/model.h"

enum { SW_FEATURES_MAX = 4096 }; /* wider inputs (images laid flat) have no features */

typedef enum sw_feature_kind { SW_FEATURE_NUMERIC, SW_FEATURE_CATEGORY } sw_feature_kind;

typedef struct sw_feature {
    sw_str name;
    sw_feature_kind kind;
    uint32_t input;  /* index into sw_signature.inputs */
    uint32_t column; /* within that input's row */
    bool has_range;
    double min, max;    /* of the training data, where has_range */
    sw_str *categories; /* known values, where kind is CATEGORY; strings, or numbers as text */
    uint32_t category_count;
    bool optional; /* a missing value is accepted (becomes NaN, or the empty string) */
} sw_feature;

typedef struct sw_signature {
    sw_tensor_spec *inputs;
    uint32_t input_count;
    sw_tensor_spec *outputs;
    uint32_t output_count;
    sw_feature *features; /* in the model's column order */
    uint32_t feature_count;
} sw_signature;

/*
 * Names features "x0", "x1", … (or by their input's name) where nothing better is known. An input
 * of whole numbers in many columns may be token ids: it gets features only when columns are named.
 */
SW_MUST_USE sw_status sw_signature_from_model(sw_signature *out, const sw_model_info *info,
                                              sw_arena *arena, sw_error *error);
/*
 * Completes it with names from a CSV header: features that are already called like a column keep
 * their name, whatever the order (inputs of one column each); the columns that are left name the
 * features that are left, in the model's order. One further column, the label, is left out (the one
 * called target, label, class, outcome or y, else the last). INVALID where the numbers do not fit.
 */
SW_MUST_USE sw_status sw_signature_name_columns(sw_signature *signature, const sw_str *columns,
                                                size_t count, sw_arena *arena, sw_error *error);
/* A column of which no model file tells: of a model that runs elsewhere. */
typedef struct sw_signature_column {
    sw_str name;
    sw_dtype dtype;
} sw_signature_column;
/* Each feature is an input of its own, [N, 1]; each output a column, [N]. INVALID where a name is
 * missing, no UTF-8 or twice there, or where there are too many. */
SW_MUST_USE sw_status sw_signature_from_columns(
    sw_signature *out, const sw_signature_column *features, size_t feature_count,
    const sw_signature_column *outputs, size_t output_count, sw_arena *arena, sw_error *error);
/* Whether a column of this name is taken for the label where nobody says which one is. */
bool sw_signature_is_label(sw_str column);
/*
 * Completes or overrides it from a signature file (JSON; docs/signature.md says the format).
 * INVALID names the place in the file, or what contradicts the model.
 */
SW_MUST_USE sw_status sw_signature_apply_json(sw_signature *signature, sw_str json, sw_arena *arena,
                                              sw_error *error);
/* The same format, whole: {"inputs": […], "outputs": […], "features": […]}. out->failed where
 * memory is out. */
void sw_signature_to_json(sw_buf *out, const sw_signature *signature);
SW_MUST_USE sw_status sw_signature_from_json(sw_signature *out, sw_str json, sw_arena *arena,
                                             sw_error *error);

/* Its index; -1 where there is none. Linear in the number of features: for set-up, not for
 * requests. */
int32_t sw_signature_find(const sw_signature *signature, sw_str feature);

#endif /* SW_MODEL_SIGNATURE_H */
