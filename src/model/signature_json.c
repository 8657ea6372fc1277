/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "model/signature_private.h"

/* ---- Writing ---- */

static const char *const contents[] = {
    [SW_CONTENT_COLUMNS] = "columns", [SW_CONTENT_IMAGE] = "image",
    [SW_CONTENT_TOKENS] = "tokens",   [SW_CONTENT_EMBEDDING] = "embedding",
    [SW_CONTENT_TEXT] = "text",
};

static void write_spec(sw_json *w, const sw_tensor_spec *spec) {
    bool named = false;
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", spec->name);
    sw_json_add_str(w, "datatype", sw_dtype_name(spec->dtype));
    sw_json_key(w, "shape");
    sw_json_begin_array(w);
    for (size_t i = 0; i < spec->rank; i++) {
        sw_json_i64(w, spec->shape[i]);
        named = named || spec->dim_names[i].len;
    }
    sw_json_end_array(w);
    if (named) {
        sw_json_key(w, "dim_names");
        sw_json_begin_array(w);
        for (size_t i = 0; i < spec->rank; i++)
            sw_json_str(w, spec->dim_names[i]);
        sw_json_end_array(w);
    }
    if (spec->label_count) {
        sw_json_key(w, "labels");
        sw_json_begin_array(w);
        for (uint32_t i = 0; i < spec->label_count; i++)
            sw_json_str(w, spec->labels[i]);
        sw_json_end_array(w);
    }
    if (spec->content != SW_CONTENT_COLUMNS)
        sw_json_add_text(w, "content", contents[spec->content]);
    if (spec->vocabulary)
        sw_json_add_i64(w, "vocabulary", spec->vocabulary);
    if (spec->has_unknown)
        sw_json_add_i64(w, "unknown", spec->unknown);
    sw_json_end_object(w);
}

static void write_specs(sw_json *w, const char *key, const sw_tensor_spec *specs, uint32_t count) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < count; i++)
        write_spec(w, &specs[i]);
    sw_json_end_array(w);
}

static void write_feature(sw_json *w, const sw_signature *signature, const sw_feature *feature) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", feature->name);
    sw_json_add_text(w, "kind", feature->kind == SW_FEATURE_CATEGORY ? "category" : "numeric");
    sw_json_add_str(w, "input", signature->inputs[feature->input].name);
    sw_json_add_u64(w, "column", feature->column);
    if (feature->has_range) {
        sw_json_add_f64(w, "min", feature->min);
        sw_json_add_f64(w, "max", feature->max);
    }
    if (feature->category_count) {
        sw_json_key(w, "categories");
        sw_json_begin_array(w);
        for (uint32_t i = 0; i < feature->category_count; i++)
            sw_json_str(w, feature->categories[i]);
        sw_json_end_array(w);
    }
    if (feature->optional)
        sw_json_add_bool(w, "optional", true);
    sw_json_end_object(w);
}

void sw_signature_to_json(sw_buf *out, const sw_signature *signature) {
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    write_specs(&w, "inputs", signature->inputs, signature->input_count);
    write_specs(&w, "outputs", signature->outputs, signature->output_count);
    sw_json_key(&w, "features");
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < signature->feature_count; i++)
        write_feature(&w, signature, &signature->features[i]);
    sw_json_end_array(&w);
    sw_json_end_object(&w);
}

/* ---- Reading: first a draft of what the file says, then what it means ---- */

typedef struct feature_draft {
    sw_feature feature;
    bool has_name, has_kind, has_input, has_column, has_min, has_max, has_optional, has_categories;
    sw_str input_name; /* where the input is named */
    uint64_t input_index, column;
} feature_draft;

typedef struct spec_draft {
    sw_tensor_spec spec;
    bool has_datatype, has_shape;
} spec_draft;

typedef struct draft {
    spec_draft *inputs, *outputs;
    feature_draft *features;
    size_t input_count, output_count, feature_count;
    bool has_inputs, has_outputs, has_features;
} draft;

/* Room for one more in a list that is full at every power of two; NULL where memory is out. */
static void *grow(void *list, size_t count, size_t size_bytes, sw_arena *arena) {
    if (count & (count - 1))
        return list;
    void *grown = sw_arena_zalloc(arena, count ? count * 2 : 1, size_bytes);
    if (grown && count)
        memcpy(grown, list, count * size_bytes);
    return grown;
}

/* Strings, or numbers and booleans taken as the text they are written as. */
static bool read_texts(sw_json_reader *in, sw_str **out, uint32_t *count) {
    *count = 0;
    for (bool more = sw_json_read_array(in); more && sw_json_read_item(in);) {
        sw_str *grown = grow(*out, *count, sizeof **out, in->arena);
        if (!grown || *count == UINT32_MAX / 2)
            return sw_json_read_no_memory(in);
        *out = grown;
        if (sw_json_read_peek(in) == SW_JSON_STRING) {
            if (!sw_json_read_str(in, &grown[*count]))
                return false;
        } else {
            const char *start = in->at;
            sw_json_kind kind = sw_json_read_peek(in);
            if (kind == SW_JSON_OBJECT || kind == SW_JSON_ARRAY)
                return sw_json_read_fail(in, start, "a name is wanted, not %s",
                                         sw_json_kind_words(kind));
            if (!sw_json_read_skip(in))
                return false;
            grown[*count] = sw_str_trim((sw_str){start, (size_t)(in->at - start)});
        }
        ++*count;
    }
    return in->status.code == SW_CODE_OK;
}

static bool read_shape(sw_json_reader *in, sw_tensor_spec *spec) {
    spec->rank = 0;
    for (bool more = sw_json_read_array(in); more && sw_json_read_item(in);) {
        int64_t size = 0;
        const char *at = in->at;
        if (!sw_json_read_i64(in, &size))
            return false;
        if (size < -1 || spec->rank == SW_RANK_MAX)
            return sw_json_read_fail(in, at, "a shape has at most %d sizes, each -1 (any) or more",
                                     SW_RANK_MAX);
        spec->shape[spec->rank++] = size;
    }
    return in->status.code == SW_CODE_OK;
}

static bool read_dim_names(sw_json_reader *in, sw_tensor_spec *spec) {
    size_t at = 0;
    for (bool more = sw_json_read_array(in); more && sw_json_read_item(in); at++) {
        if (at == SW_RANK_MAX)
            return sw_json_read_fail(in, in->at, "a shape has at most %d sizes", SW_RANK_MAX);
        if (!sw_json_read_str(in, &spec->dim_names[at]))
            return false;
    }
    return in->status.code == SW_CODE_OK;
}

static bool read_content(sw_json_reader *in, sw_tensor_spec *spec) {
    const char *at = in->at;
    sw_str text;
    if (!sw_json_read_str(in, &text))
        return false;
    for (unsigned i = 0; i < sizeof contents / sizeof *contents; i++)
        if (sw_str_is(text, contents[i])) {
            spec->content = (sw_content)i;
            return true;
        }
    return sw_json_read_fail(in, at,
                             "\"content\" is \"%.*s\": it may be columns, image, tokens, "
                             "embedding or text",
                             (int)(text.len < 80 ? text.len : 80), text.at);
}

static bool read_spec(sw_json_reader *in, spec_draft *out) {
    sw_str key, text;
    for (bool more = sw_json_read_object(in); more && sw_json_read_key(in, &key);) {
        const char *at = in->at;
        if (sw_str_is(key, "name")) {
            sw_json_read_str(in, &out->spec.name);
        } else if (sw_str_is(key, "datatype")) {
            out->has_datatype = sw_json_read_str(in, &text);
            if (out->has_datatype && !sw_dtype_parse(&out->spec.dtype, text))
                return sw_json_read_fail(in, at, "there is no datatype \"%.*s\"",
                                         (int)(text.len < 80 ? text.len : 80), text.at);
        } else if (sw_str_is(key, "shape")) {
            out->has_shape = read_shape(in, &out->spec);
        } else if (sw_str_is(key, "dim_names")) {
            read_dim_names(in, &out->spec);
        } else if (sw_str_is(key, "labels")) {
            sw_str *labels = NULL;
            if (read_texts(in, &labels, &out->spec.label_count))
                out->spec.labels = labels;
        } else if (sw_str_is(key, "content")) {
            read_content(in, &out->spec);
        } else if (sw_str_is(key, "vocabulary")) {
            sw_json_read_i64(in, &out->spec.vocabulary);
        } else if (sw_str_is(key, "unknown")) {
            out->spec.has_unknown = sw_json_read_i64(in, &out->spec.unknown);
        } else {
            sw_json_read_skip(in);
        }
    }
    return in->status.code == SW_CODE_OK;
}

static bool read_specs(sw_json_reader *in, spec_draft **out, size_t *count) {
    for (bool more = sw_json_read_array(in); more && sw_json_read_item(in); ++*count) {
        const char *at = in->at;
        if (*count == SW_TENSORS_MAX)
            return sw_json_read_fail(in, at, "there are more than %d tensors", SW_TENSORS_MAX);
        *out = grow(*out, *count, sizeof **out, in->arena);
        if (!*out)
            return sw_json_read_no_memory(in);
        if (!read_spec(in, &(*out)[*count]))
            return false;
        if (!(*out)[*count].spec.name.len)
            return sw_json_read_fail(in, at, "a tensor lacks its \"name\"");
    }
    return in->status.code == SW_CODE_OK;
}

static bool read_kind(sw_json_reader *in, sw_feature_kind *out) {
    sw_str text;
    const char *at = in->at;
    if (!sw_json_read_str(in, &text))
        return false;
    *out = sw_str_is(text, "category") ? SW_FEATURE_CATEGORY : SW_FEATURE_NUMERIC;
    if (*out == SW_FEATURE_NUMERIC && !sw_str_is(text, "numeric"))
        return sw_json_read_fail(in, at, "a feature's kind is \"numeric\" or \"category\"");
    return true;
}

/* A bound: a number, or null for none. */
static bool read_bound(sw_json_reader *in, double *out, bool *has) {
    if (sw_json_read_peek(in) == SW_JSON_NULL)
        return sw_json_read_null(in);
    return *has = sw_json_read_f64(in, out);
}

static bool read_feature_field(sw_json_reader *in, feature_draft *out, sw_str key) {
    if (sw_str_is(key, "name"))
        return out->has_name = sw_json_read_str(in, &out->feature.name);
    if (sw_str_is(key, "kind"))
        return out->has_kind = read_kind(in, &out->feature.kind);
    if (sw_str_is(key, "input")) {
        out->has_input = true;
        return sw_json_read_peek(in) == SW_JSON_STRING ? sw_json_read_str(in, &out->input_name)
                                                       : sw_json_read_u64(in, &out->input_index);
    }
    if (sw_str_is(key, "column"))
        return out->has_column = sw_json_read_u64(in, &out->column);
    if (sw_str_is(key, "min"))
        return read_bound(in, &out->feature.min, &out->has_min);
    if (sw_str_is(key, "max"))
        return read_bound(in, &out->feature.max, &out->has_max);
    if (sw_str_is(key, "optional"))
        return out->has_optional = sw_json_read_bool(in, &out->feature.optional);
    if (sw_str_is(key, "categories"))
        return out->has_categories =
                   read_texts(in, &out->feature.categories, &out->feature.category_count);
    return sw_json_read_skip(in);
}

static bool read_feature(sw_json_reader *in, feature_draft *out) {
    const char *at = in->at;
    sw_str key;
    if (sw_json_read_peek(in) == SW_JSON_STRING) /* the name alone */
        return out->has_name = sw_json_read_str(in, &out->feature.name);
    for (bool more = sw_json_read_object(in); more && sw_json_read_key(in, &key);)
        if (!read_feature_field(in, out, key))
            break;
    if (in->status.code != SW_CODE_OK)
        return false;
    if (!out->has_name)
        return sw_json_read_fail(in, at, "a feature lacks its \"name\"");
    if (out->has_min != out->has_max || (out->has_min && !(out->feature.min <= out->feature.max)))
        return sw_json_read_fail(
            in, at, "a feature has both \"min\" and \"max\", in that order, or neither");
    out->feature.has_range = out->has_min;
    return true;
}

static bool read_features(sw_json_reader *in, draft *out) {
    for (bool more = sw_json_read_array(in); more && sw_json_read_item(in); out->feature_count++) {
        if (out->feature_count == SW_FEATURES_MAX)
            return sw_json_read_fail(in, in->at, "there are more than %d features",
                                     SW_FEATURES_MAX);
        out->features = grow(out->features, out->feature_count, sizeof *out->features, in->arena);
        if (!out->features)
            return sw_json_read_no_memory(in);
        if (!read_feature(in, &out->features[out->feature_count]))
            return false;
    }
    return in->status.code == SW_CODE_OK;
}

static sw_status read_draft(draft *out, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *out = (draft){0};
    sw_str text = sw_arena_copy(arena, json); /* what is read keeps pointing into it */
    if (!text.at)
        return sw_signature_no_memory(error);
    sw_json_read_init(&in, text, arena, error);
    for (bool more = sw_json_read_object(&in); more && sw_json_read_key(&in, &key);) {
        if (sw_str_is(key, "inputs"))
            out->has_inputs = read_specs(&in, &out->inputs, &out->input_count);
        else if (sw_str_is(key, "outputs"))
            out->has_outputs = read_specs(&in, &out->outputs, &out->output_count);
        else if (sw_str_is(key, "features"))
            out->has_features = read_features(&in, out);
        else
            sw_json_read_skip(&in);
    }
    sw_status status = sw_json_read_end(&in);
    return sw_failed(status) ? sw_fail_within(status, error, "the signature is not right") : status;
}

/* A draft that is whole by itself. */
static sw_status take_specs(sw_tensor_spec **out, uint32_t *count, const spec_draft *drafts,
                            size_t draft_count, const char *what, sw_arena *arena,
                            sw_error *error) {
    *out = sw_arena_zalloc(arena, draft_count, sizeof **out);
    *count = (uint32_t)draft_count;
    if (!*out)
        return sw_signature_no_memory(error);
    for (size_t i = 0; i < draft_count; i++) {
        if (!drafts[i].has_datatype || !drafts[i].has_shape)
            return sw_fail(error, SW_CODE_INVALID,
                           "the signature's %s %zu lacks its \"datatype\" or its \"shape\"", what,
                           i);
        (*out)[i] = drafts[i].spec;
    }
    return SW_OK;
}

/* A draft that speaks of a model's tensor: what it says must hold; labels are taken over. */
static sw_status match_specs(sw_tensor_spec *specs, uint32_t count, const spec_draft *drafts,
                             size_t draft_count, const char *what, sw_error *error) {
    for (size_t i = 0; i < draft_count; i++) {
        const sw_tensor_spec *said = &drafts[i].spec;
        sw_tensor_spec *spec = NULL;
        for (uint32_t j = 0; j < count && !spec; j++)
            spec = sw_str_eq(specs[j].name, said->name) ? &specs[j] : NULL;
        int length = (int)(said->name.len < 200 ? said->name.len : 200);
        if (!spec)
            return sw_fail(error, SW_CODE_INVALID,
                           "the signature names %s \"%.*s\", which the model lacks", what, length,
                           said->name.at);
        bool same = !drafts[i].has_datatype || said->dtype == spec->dtype;
        same = same && (!drafts[i].has_shape || said->rank == spec->rank);
        for (size_t j = 0; same && drafts[i].has_shape && j < said->rank; j++)
            same = said->shape[j] == spec->shape[j] || said->shape[j] == -1 || spec->shape[j] == -1;
        if (!same)
            return sw_fail(
                error, SW_CODE_INVALID,
                "the signature gives %s \"%.*s\" a datatype or shape that the model contradicts",
                what, length, said->name.at);
        int64_t columns = spec->rank > 1 ? spec->shape[spec->rank - 1] : -1;
        if (said->label_count && columns >= 0 && columns != (int64_t)said->label_count)
            return sw_fail(error, SW_CODE_INVALID,
                           "the signature has %u labels for %s \"%.*s\", which has %lld columns",
                           said->label_count, what, length, said->name.at, (long long)columns);
        if (said->label_count) {
            spec->labels = said->labels;
            spec->label_count = said->label_count;
        }
        spec->content = said->content;
        spec->vocabulary = said->vocabulary;
        spec->unknown = said->unknown;
        spec->has_unknown = said->has_unknown;
    }
    return SW_OK;
}

/* Which feature a draft speaks of: by its place, else by its name, else by its turn. */
static sw_status locate(int32_t *out, const sw_signature *signature, const feature_draft *said,
                        size_t turn, sw_error *error) {
    int length = (int)(said->feature.name.len < 200 ? said->feature.name.len : 200);
    *out = -1;
    if (said->has_input || said->has_column) {
        for (uint32_t i = 0; i < signature->feature_count; i++) {
            const sw_feature *feature = &signature->features[i];
            bool same = said->input_name.at
                            ? sw_str_eq(signature->inputs[feature->input].name, said->input_name)
                            : feature->input == said->input_index;
            if (same && feature->column == said->column)
                *out = (int32_t)i;
        }
        if (*out < 0)
            return sw_fail(error, SW_CODE_INVALID,
                           "the signature puts feature \"%.*s\" where the model has no column",
                           length, said->feature.name.at);
        return SW_OK;
    }
    *out = sw_signature_find(signature, said->feature.name);
    if (*out < 0 && turn < signature->feature_count)
        *out = (int32_t)turn;
    if (*out < 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "the signature has a feature \"%.*s\" beyond the model's %u columns", length,
                       said->feature.name.at, signature->feature_count);
    return SW_OK;
}

static void override(sw_feature *feature, const feature_draft *said) {
    const sw_feature *from = &said->feature;
    feature->name = from->name;
    if (said->has_kind)
        feature->kind = from->kind;
    if (from->has_range) {
        feature->has_range = true;
        feature->min = from->min;
        feature->max = from->max;
    }
    if (said->has_optional)
        feature->optional = from->optional;
    if (said->has_categories) {
        feature->categories = from->categories;
        feature->category_count = from->category_count;
        if (!said->has_kind)
            feature->kind = SW_FEATURE_CATEGORY;
    }
}

static sw_status apply_features(sw_signature *signature, const draft *said, sw_arena *arena,
                                sw_error *error) {
    if (signature->feature_count == 0 && said->feature_count)
        SW_TRY(sw_signature_make_features(signature, true, arena, error));
    bool *taken = sw_arena_zalloc(arena, signature->feature_count, sizeof *taken);
    int32_t *places = sw_arena_zalloc(arena, said->feature_count, sizeof *places);
    if (!taken || !places)
        return sw_signature_no_memory(error);
    for (size_t i = 0; i < said->feature_count; i++) {
        SW_TRY(locate(&places[i], signature, &said->features[i], i, error));
        if (taken[places[i]])
            return sw_fail(error, SW_CODE_INVALID, "the signature names column %d twice",
                           places[i]);
        taken[places[i]] = true;
    }
    for (size_t i = 0; i < said->feature_count; i++)
        override(&signature->features[places[i]], &said->features[i]);
    return sw_signature_check_names(signature, error);
}

sw_status sw_signature_apply_json(sw_signature *signature, sw_str json, sw_arena *arena,
                                  sw_error *error) {
    draft said;
    SW_TRY(read_draft(&said, json, arena, error));
    SW_TRY(match_specs(signature->inputs, signature->input_count, said.inputs, said.input_count,
                       "input", error));
    SW_TRY(match_specs(signature->outputs, signature->output_count, said.outputs, said.output_count,
                       "output", error));
    return apply_features(signature, &said, arena, error);
}

/* A feature that says no place is the input of one column of its name, else the column whose turn
 * it is, as in apply_features. */
static void find_turn(uint64_t *input, uint64_t *column, const sw_signature *signature, sw_str name,
                      uint64_t turn) {
    *column = 0;
    for (*input = 0; *input < signature->input_count; (*input)++)
        if (sw_str_eq(signature->inputs[*input].name, name) &&
            sw_signature_columns_of(&signature->inputs[*input]) == 1)
            return;
    *column = turn;
    for (*input = 0; *input < signature->input_count; (*input)++) {
        uint32_t columns = sw_signature_columns_of(&signature->inputs[*input]);
        if (*column < columns)
            return;
        *column -= columns;
    }
}

/* Places of a whole signature need not be those that sw_signature_make_features would give. */
static sw_status place_feature(sw_feature *out, const sw_signature *signature,
                               const feature_draft *said, uint64_t turn, sw_error *error) {
    uint64_t input = said->input_index, column = said->column;
    *out = said->feature;
    if (!said->has_input && !said->has_column)
        find_turn(&input, &column, signature, out->name, turn);
    if (said->input_name.at)
        for (input = 0; input < signature->input_count; input++)
            if (sw_str_eq(signature->inputs[input].name, said->input_name))
                break;
    if (input >= signature->input_count ||
        column >= sw_signature_columns_of(&signature->inputs[input]))
        return sw_fail(error, SW_CODE_INVALID,
                       "the signature puts feature \"%.*s\" where no input has a column",
                       (int)(out->name.len < 200 ? out->name.len : 200), out->name.at);
    out->input = (uint32_t)input;
    out->column = (uint32_t)column;
    return SW_OK;
}

sw_status sw_signature_from_json(sw_signature *out, sw_str json, sw_arena *arena, sw_error *error) {
    draft said;
    *out = (sw_signature){0};
    SW_TRY(read_draft(&said, json, arena, error));
    SW_TRY(take_specs(&out->inputs, &out->input_count, said.inputs, said.input_count, "input",
                      arena, error));
    SW_TRY(take_specs(&out->outputs, &out->output_count, said.outputs, said.output_count, "output",
                      arena, error));
    out->features = sw_arena_zalloc(arena, said.feature_count, sizeof *out->features);
    if (!out->features)
        return sw_signature_no_memory(error);
    for (size_t i = 0; i < said.feature_count; i++) {
        SW_TRY(place_feature(&out->features[i], out, &said.features[i], i, error));
        for (size_t j = 0; j < i; j++)
            if (out->features[j].input == out->features[i].input &&
                out->features[j].column == out->features[i].column)
                return sw_fail(error, SW_CODE_INVALID, "the signature names one column twice");
        out->feature_count++;
    }
    return sw_signature_check_names(out, error);
}
