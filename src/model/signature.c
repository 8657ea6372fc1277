/* SPDX-License-Identifier: Apache-2.0 */
#include "model/signature.h"

#include "model/signature_private.h"

sw_status sw_signature_no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the signature");
}

uint32_t sw_signature_columns_of(const sw_tensor_spec *input) {
    if (input->rank == 1)
        return input->shape[0] == -1 ? 1 : 0;
    if (input->rank != 2 || input->shape[1] < 1 || input->shape[1] > SW_FEATURES_MAX)
        return 0;
    return (uint32_t)input->shape[1];
}

static bool may_be_token_ids(const sw_tensor_spec *input) {
    return input->dtype >= SW_UINT8 && input->dtype <= SW_INT64 &&
           sw_signature_columns_of(input) > 1;
}

static uint32_t wanted_columns(const sw_tensor_spec *input, bool all) {
    return all || !may_be_token_ids(input) ? sw_signature_columns_of(input) : 0;
}

static sw_str default_name(const sw_signature *signature, uint32_t input, uint32_t column,
                           sw_arena *arena) {
    const sw_tensor_spec *spec = &signature->inputs[input];
    if (sw_signature_columns_of(spec) == 1)
        return spec->name;
    if (signature->input_count == 1)
        return sw_arena_printf(arena, "x%u", column);
    return sw_arena_printf(arena, "%.*s[%u]", SW_STR_ARG(spec->name), column);
}

sw_status sw_signature_make_features(sw_signature *signature, bool all, sw_arena *arena,
                                     sw_error *error) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < signature->input_count; i++)
        count += wanted_columns(&signature->inputs[i], all);
    signature->features = NULL;
    signature->feature_count = 0;
    if (count == 0 || count > SW_FEATURES_MAX)
        return SW_OK;
    signature->features = sw_arena_zalloc(arena, count, sizeof *signature->features);
    if (!signature->features)
        return sw_signature_no_memory(error);
    for (uint32_t i = 0; i < signature->input_count; i++) {
        uint32_t columns = wanted_columns(&signature->inputs[i], all);
        for (uint32_t column = 0; column < columns; column++) {
            sw_feature *feature = &signature->features[signature->feature_count++];
            feature->name = default_name(signature, i, column, arena);
            feature->kind =
                signature->inputs[i].dtype == SW_BYTES ? SW_FEATURE_CATEGORY : SW_FEATURE_NUMERIC;
            feature->input = i;
            feature->column = column;
            if (!feature->name.at)
                return sw_signature_no_memory(error);
        }
    }
    return SW_OK;
}

static bool copy_labels(sw_tensor_spec *spec, sw_arena *arena) {
    if (spec->label_count == 0)
        return true;
    sw_str *labels = sw_arena_zalloc(arena, spec->label_count, sizeof *labels);
    for (uint32_t i = 0; labels && i < spec->label_count; i++) {
        labels[i] = sw_arena_copy(arena, spec->labels[i]);
        if (!labels[i].at)
            return false;
    }
    spec->labels = labels;
    return labels != NULL;
}

static sw_tensor_spec *copy_specs(const sw_tensor_spec *specs, size_t count, sw_arena *arena) {
    sw_tensor_spec *copies = sw_arena_zalloc(arena, count, sizeof *copies);
    for (size_t i = 0; copies && i < count; i++) {
        copies[i] = specs[i];
        copies[i].name = sw_arena_copy(arena, specs[i].name);
        bool fine = copies[i].name.at && copy_labels(&copies[i], arena);
        for (size_t j = 0; fine && j < specs[i].rank; j++)
            if (specs[i].dim_names[j].len) {
                copies[i].dim_names[j] = sw_arena_copy(arena, specs[i].dim_names[j]);
                fine = copies[i].dim_names[j].at;
            }
        if (!fine)
            return NULL;
    }
    return copies;
}

sw_status sw_signature_from_model(sw_signature *out, const sw_model_info *info, sw_arena *arena,
                                  sw_error *error) {
    *out = (sw_signature){.input_count = (uint32_t)info->input_count,
                          .output_count = (uint32_t)info->output_count};
    out->inputs = copy_specs(info->inputs, info->input_count, arena);
    out->outputs = copy_specs(info->outputs, info->output_count, arena);
    if (!out->inputs || !out->outputs)
        return sw_signature_no_memory(error);
    return sw_signature_make_features(out, false, arena, error);
}

static sw_tensor_spec *specs_of(const sw_signature_column *columns, size_t count, uint8_t rank,
                                sw_arena *arena) {
    sw_tensor_spec *specs = sw_arena_zalloc(arena, count, sizeof *specs);
    for (size_t i = 0; specs && i < count; i++) {
        specs[i] = (sw_tensor_spec){.name = sw_arena_copy(arena, columns[i].name),
                                    .dtype = columns[i].dtype,
                                    .rank = rank,
                                    .shape = {-1, rank > 1}};
        if (!specs[i].name.at)
            return NULL;
    }
    return specs;
}

sw_status sw_signature_from_columns(sw_signature *out, const sw_signature_column *features,
                                    size_t feature_count, const sw_signature_column *outputs,
                                    size_t output_count, sw_arena *arena, sw_error *error) {
    if (feature_count > SW_FEATURES_MAX || output_count > SW_TENSORS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "%zu features and %zu outputs are too many: at most %d and %d",
                       feature_count, output_count, SW_FEATURES_MAX, SW_TENSORS_MAX);
    *out = (sw_signature){.inputs = specs_of(features, feature_count, 2, arena),
                          .input_count = (uint32_t)feature_count,
                          .outputs = specs_of(outputs, output_count, 1, arena),
                          .output_count = (uint32_t)output_count};
    if (!out->inputs || !out->outputs)
        return sw_signature_no_memory(error);
    SW_TRY(sw_signature_make_features(out, true, arena, error));
    return sw_signature_check_names(out, error);
}

sw_status sw_signature_check_names(const sw_signature *signature, sw_error *error) {
    for (uint32_t i = 0; i < signature->feature_count; i++) {
        sw_str name = signature->features[i].name;
        if (name.len == 0 || !sw_str_is_utf8(name))
            return sw_fail(error, SW_CODE_INVALID, "feature %u %s", i + 1,
                           name.len ? "has a name that is not UTF-8" : "has no name");
        for (uint32_t j = 0; j < i; j++)
            if (sw_str_eq(signature->features[j].name, name))
                return sw_fail(error, SW_CODE_INVALID, "two features are called \"%.*s\"",
                               (int)(name.len < 200 ? name.len : 200), name.at);
    }
    return SW_OK;
}

int32_t sw_signature_find(const sw_signature *signature, sw_str feature) {
    for (uint32_t i = 0; i < signature->feature_count; i++)
        if (sw_str_eq(signature->features[i].name, feature))
            return (int32_t)i;
    return -1;
}

bool sw_signature_is_label(sw_str column) {
    static const char *const words[] = {"target", "label", "class", "outcome", "y"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sw_str_eq_nocase(column, sw_str_of(words[i])))
            return true;
    return false;
}

/* Which of the columns that name no feature yet is the label: the last that looks like it. */
static size_t label_among(const sw_str *columns, const size_t *left, size_t left_count) {
    for (size_t i = left_count; i-- > 0;)
        if (sw_signature_is_label(columns[left[i]]))
            return i;
    return left_count - 1;
}

static size_t features_left(bool *named, const sw_signature *signature, const sw_str *columns,
                            size_t count) {
    size_t left = 0;
    for (uint32_t i = 0; i < signature->feature_count; i++) {
        named[i] = false;
        for (size_t j = 0; j < count && !named[i]; j++)
            named[i] = sw_str_eq(columns[j], signature->features[i].name);
        left += !named[i];
    }
    return left;
}

static sw_status name_the_rest(sw_signature *signature, const bool *named, const sw_str *columns,
                               const size_t *left, sw_arena *arena, sw_error *error) {
    size_t next = 0;
    for (uint32_t i = 0; i < signature->feature_count; i++) {
        if (named[i])
            continue;
        signature->features[i].name = sw_arena_copy(arena, columns[left[next++]]);
        if (!signature->features[i].name.at)
            return sw_signature_no_memory(error);
    }
    return SW_OK;
}

sw_status sw_signature_name_columns(sw_signature *signature, const sw_str *columns, size_t count,
                                    sw_arena *arena, sw_error *error) {
    if (signature->feature_count == 0)
        SW_TRY(sw_signature_make_features(signature, true, arena, error));
    if (signature->feature_count == 0)
        return sw_fail(
            error, SW_CODE_INVALID,
            "the model's inputs have no columns that a CSV could name: leave out the CSV");
    bool *named = sw_arena_zalloc(arena, signature->feature_count, sizeof *named);
    size_t *left = sw_arena_zalloc(arena, count, sizeof *left);
    if (!named || !left)
        return sw_signature_no_memory(error);
    size_t missing = features_left(named, signature, columns, count), left_count = 0;
    if (missing == 0)
        return SW_OK;
    for (size_t j = 0; j < count; j++)
        if (sw_signature_find(signature, columns[j]) < 0)
            left[left_count++] = j;
    if (left_count == missing + 1) {
        size_t label = label_among(columns, left, left_count--);
        memmove(left + label, left + label + 1, (left_count - label) * sizeof *left);
    }
    if (left_count != missing)
        return sw_fail(
            error, SW_CODE_INVALID,
            "the CSV has %zu columns and the model has %u features: it needs one column for "
            "each feature, and may have one more, the label",
            count, signature->feature_count);
    SW_TRY(name_the_rest(signature, named, columns, left, arena, error));
    return sw_signature_check_names(signature, error);
}
