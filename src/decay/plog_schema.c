/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns a version's log has, and rows gathered in them. */
#include "base/json.h"
#include "base/mem.h"
#include "decay/plog_private.h"

static const char *const type_names[SW_PLOG_TYPE_COUNT] = {"f32",  "f64",    "i64",
                                                           "text", "hashed", "masked"};

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the prediction log's columns");
}

/* ---- From a signature ---- */

static sw_plog_type type_of(sw_dtype dtype, sw_privacy privacy) {
    if (privacy == SW_PRIVACY_MASK)
        return SW_PLOG_MASKED;
    if (privacy == SW_PRIVACY_HASH)
        return SW_PLOG_HASHED;
    switch (dtype) {
    case SW_BYTES: return SW_PLOG_TEXT;
    case SW_FP16:
    case SW_FP32: return SW_PLOG_F32;
    case SW_FP64:
    case SW_UINT64: return SW_PLOG_F64;
    default: return SW_PLOG_I64;
    }
}

/* Elements of one row; 0 where it is not known. */
static size_t elements_of(const sw_tensor_spec *spec) {
    size_t count = 1;
    for (size_t d = 1; d < spec->rank; d++) {
        if (spec->shape[d] <= 0 || count > SW_PLOG_ELEMENTS_MAX)
            return 0;
        count *= (size_t)spec->shape[d];
    }
    return count;
}

typedef struct making {
    plog_schema *schema;
    plog_source *sources;
    const sw_monitor_settings *settings;
    sw_arena *arena;
} making;

static bool add_column(making *m, sw_str name, sw_str setting, bool output, plog_source source) {
    sw_privacy privacy = sw_monitor_privacy(m->settings, setting);
    if (privacy == SW_PRIVACY_DROP)
        return true;
    sw_plog_column *column = &m->schema->columns[m->schema->count];
    *column =
        (sw_plog_column){sw_arena_copy(m->arena, name), type_of(source.dtype, privacy), output};
    m->sources[m->schema->count++] = source;
    return column->name.at != NULL;
}

static bool add_features(making *m, const sw_signature *s) {
    for (uint32_t i = 0; i < s->feature_count; i++) {
        const sw_feature *f = &s->features[i];
        plog_source source = {f->input, f->column, s->inputs[f->input].dtype};
        if (!add_column(m, f->name, f->name, false, source))
            return false;
    }
    return true;
}

/* The signature's labels name an output's columns, as in the watch, where they can be told apart, and
 * the output's name from them. */
static bool has_labels(const sw_tensor_spec *spec, size_t count) {
    if (!spec->labels || spec->label_count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        sw_str label = spec->labels[i];
        if (label.len == 0 || memchr(label.at, '[', label.len) || memchr(label.at, ']', label.len))
            return false;
        for (size_t k = 0; k < i; k++)
            if (sw_str_eq(label, spec->labels[k]))
                return false;
    }
    return true;
}

static sw_str output_column(const sw_tensor_spec *spec, uint32_t k, size_t count, bool labels,
                            sw_arena *arena) {
    if (count == 1)
        return spec->name;
    if (labels)
        return sw_arena_printf(arena, "%.*s[%.*s]", SW_STR_ARG(spec->name),
                               SW_STR_ARG(spec->labels[k]));
    return sw_arena_printf(arena, "%.*s[%u]", SW_STR_ARG(spec->name), k);
}

static bool add_output(making *m, const sw_signature *s, uint32_t output) {
    const sw_tensor_spec *spec = &s->outputs[output];
    size_t count = elements_of(spec);
    if (count > SW_PLOG_ELEMENTS_MAX)
        return true;
    bool labels = has_labels(spec, count);
    for (uint32_t k = 0; k < count; k++) {
        plog_source source = {output, k, spec->dtype};
        sw_str name = output_column(spec, k, count, labels, m->arena);
        if (!name.at || !add_column(m, name, spec->name, true, source))
            return false;
    }
    return true;
}

static sw_status write_json(plog_schema *schema, sw_arena *arena, sw_error *error) {
    sw_buf text = {0};
    sw_json w = sw_json_to(&text);
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < schema->count; i++) {
        const sw_plog_column *column = &schema->columns[i];
        sw_json_begin_object(&w);
        sw_json_add_str(&w, "name", column->name);
        sw_json_add_text(&w, "type", type_names[column->type]);
        sw_json_add_bool(&w, "output", column->output);
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    schema->json = text.failed ? (sw_str){0} : sw_arena_copy(arena, sw_buf_str(&text));
    sw_buf_free(&text);
    return schema->json.at ? SW_OK : no_memory(error);
}

sw_status sw_plog_schema_make(plog_schema *out, plog_source **sources, const sw_signature *s,
                              const sw_monitor_settings *settings, sw_arena *arena,
                              sw_error *error) {
    size_t room = s->feature_count + (size_t)s->output_count * SW_PLOG_ELEMENTS_MAX;
    making m = {out, sw_arena_zalloc(arena, room + 1, sizeof **sources), settings, arena};
    *out = (plog_schema){.columns = sw_arena_zalloc(arena, room + 1, sizeof *out->columns)};
    if (!out->columns || !m.sources || !add_features(&m, s))
        return no_memory(error);
    for (uint32_t i = 0; i < s->output_count; i++)
        if (!add_output(&m, s, i))
            return no_memory(error);
    *sources = m.sources;
    return write_json(out, arena, error);
}

/* ---- From a file ---- */

static bool read_type(sw_json_reader *in, sw_plog_type *type) {
    sw_str name;
    const char *at = in->at;
    if (!sw_json_read_str(in, &name))
        return false;
    for (unsigned i = 0; i < SW_PLOG_TYPE_COUNT; i++)
        if (sw_str_is(name, type_names[i])) {
            *type = (sw_plog_type)i;
            return true;
        }
    return sw_json_read_fail(in, at, "a column's type is unknown");
}

static bool read_column(sw_json_reader *in, sw_plog_column *column) {
    sw_str key;
    *column = (sw_plog_column){0};
    if (!sw_json_read_object(in))
        return false;
    while (sw_json_read_key(in, &key)) {
        bool good = sw_str_is(key, "name")     ? sw_json_read_str(in, &column->name)
                    : sw_str_is(key, "type")   ? read_type(in, &column->type)
                    : sw_str_is(key, "output") ? sw_json_read_bool(in, &column->output)
                                               : sw_json_read_skip(in);
        if (!good)
            return false;
    }
    return !sw_failed(in->status);
}

sw_status sw_plog_schema_parse(plog_schema *out, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    size_t room = json.len / 2 + 1; /* a column takes more than two characters */
    room = room > PLOG_COLUMNS_MAX ? PLOG_COLUMNS_MAX : room;
    *out = (plog_schema){.json = sw_arena_copy(arena, json)};
    out->columns = sw_arena_zalloc(arena, room, sizeof *out->columns);
    if (!out->columns || !out->json.at)
        return no_memory(error);
    sw_json_read_init(&in, out->json, arena, error);
    sw_json_read_array(&in);
    while (sw_json_read_item(&in)) {
        if (out->count == room)
            sw_json_read_fail(&in, in.at, "too many columns");
        else if (read_column(&in, &out->columns[out->count]))
            out->count++;
    }
    return sw_json_read_end(&in);
}

/* ---- Blocks ---- */

sw_status sw_plog_block_make(plog_block *out, const plog_schema *schema, sw_error *error) {
    *out = (plog_block){.count = schema->count + PLOG_FIRST};
    out->types = sw_mem_zalloc(out->count, sizeof *out->types);
    out->chunks = sw_mem_zalloc(out->count, sizeof *out->chunks);
    if (!out->types || !out->chunks) {
        sw_plog_block_free(out);
        return no_memory(error);
    }
    out->types[PLOG_TIME] = SW_PLOG_I64;
    out->types[PLOG_ID] = SW_PLOG_TEXT;
    out->types[PLOG_WEIGHT] = SW_PLOG_F32;
    for (uint32_t i = 0; i < schema->count; i++)
        out->types[PLOG_FIRST + i] = schema->columns[i].type;
    return SW_OK;
}

void sw_plog_block_clear(plog_block *block) {
    for (uint32_t i = 0; i < block->count; i++)
        sw_buf_clear(&block->chunks[i]);
    block->rows = 0;
    block->bytes = 0;
}

void sw_plog_block_free(plog_block *block) {
    for (uint32_t i = 0; block->chunks && i < block->count; i++)
        sw_buf_free(&block->chunks[i]);
    sw_mem_free(block->chunks);
    sw_mem_free(block->types);
    *block = (plog_block){0};
}

bool sw_plog_block_failed(const plog_block *block) {
    for (uint32_t i = 0; i < block->count; i++)
        if (block->chunks[i].failed)
            return true;
    return false;
}
