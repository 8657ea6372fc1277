/* SPDX-License-Identifier: Apache-2.0 */
#include "data/frame_private.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/file.h"

#include <math.h>

enum { KEYS_MAX = 1 << 17, KEYS_FIRST = 64, PROGRESS_BYTES = 4 << 20, SCRATCH_ROWS = 256 };

typedef struct named {
    sw_str name;
    uint32_t column;   /* of the frame; UINT32_MAX: not asked for */
    uint64_t last_row; /* that had it, from 1 */
} named;

typedef struct reading {
    sw_builder *b;
    sw_json_reader in;
    sw_str text;
    sw_arena names, scratch; /* scratch: strings with escapes, of a few rows */
    named *keys;             /* in the order of their first occurrence */
    uint32_t *slots;         /* index + 1; 0: empty */
    uint32_t count, cap, slot_mask;
    uint64_t row;  /* from 1 */
    uint64_t told; /* bytes at the last call of progress */
} reading;

static sw_status no_memory(const reading *r) {
    return sw_fail(r->b->error, SW_CODE_NO_MEMORY, "not enough memory for %u fields", r->count);
}

/* ---- Keys ---- */

static sw_status more_keys(reading *r) {
    uint32_t cap = r->cap ? r->cap * 2 : KEYS_FIRST;
    if (cap > KEYS_MAX)
        return sw_fail(r->b->error, SW_CODE_INVALID,
                       "row %llu: more than %d different fields; are they data rather than names?",
                       (unsigned long long)r->row, KEYS_MAX);
    named *keys = sw_mem_realloc(r->keys, cap * sizeof *keys);
    if (keys)
        r->keys = keys;
    uint32_t *slots = sw_mem_zalloc((size_t)cap * 2, sizeof *slots);
    if (!keys || !slots) {
        sw_mem_free(slots);
        return no_memory(r);
    }
    sw_mem_free(r->slots);
    r->slots = slots;
    r->slot_mask = cap * 2 - 1;
    r->cap = cap;
    for (uint32_t i = 0; i < r->count; i++) {
        uint32_t at = (uint32_t)sw_hash_text(keys[i].name) & r->slot_mask;
        while (slots[at])
            at = (at + 1) & r->slot_mask;
        slots[at] = i + 1;
    }
    return SW_OK;
}

static sw_status find_key(uint32_t *index, reading *r, sw_str name) {
    if (r->count == r->cap)
        SW_TRY(more_keys(r));
    uint32_t at = (uint32_t)sw_hash_text(name) & r->slot_mask;
    for (; r->slots[at]; at = (at + 1) & r->slot_mask) {
        *index = r->slots[at] - 1;
        if (sw_str_eq(r->keys[*index].name, name))
            return SW_OK;
    }
    if (r->b->second)
        return sw_builder_changed(r->b);
    sw_str copy = sw_arena_copy(&r->names, name);
    if (!copy.at)
        return no_memory(r);
    named *new = &r->keys[r->count];
    *new = (named){.name = copy};
    SW_TRY(sw_builder_column(&new->column, r->b, name));
    *index = r->count++;
    r->slots[at] = r->count;
    return SW_OK;
}

/* ---- Values ---- */

/* What Python and others write, though JSON has no such numbers. */
static bool take_no_json(double *out, sw_json_reader *in) {
    *out = NAN;
    if (sw_json_read_token(in, SW_STR("NaN")))
        return true;
    *out = INFINITY;
    if (sw_json_read_token(in, SW_STR("Infinity")))
        return true;
    *out = -INFINITY;
    return sw_json_read_token(in, SW_STR("-Infinity"));
}

static sw_status add_number(reading *r, uint32_t column, const char *from, double value) {
    return sw_builder_number(r->b, column, value, (sw_str){from, (size_t)(r->in.at - from)});
}

/* The reader's own failures are found in its status, by the caller. */
static sw_status add_value(reading *r, const named *key) {
    sw_json_reader *in = &r->in;
    sw_json_kind kind = sw_json_read_peek(in);
    const char *from = in->at;
    double number = 0;
    bool truth;
    sw_str text;
    if (kind == SW_JSON_STRING)
        return sw_json_read_str(in, &text) ? sw_builder_text(r->b, key->column, text) : SW_OK;
    if (kind == SW_JSON_NULL) {
        sw_json_read_null(in);
        return SW_OK;
    }
    if (kind == SW_JSON_TRUE || kind == SW_JSON_FALSE)
        return sw_json_read_bool(in, &truth) ? add_number(r, key->column, from, truth) : SW_OK;
    if (kind == SW_JSON_OBJECT || kind == SW_JSON_ARRAY) {
        sw_json_read_fail(in, from,
                          "field \"%.*s\" holds %s; a column holds numbers, texts, true, false or "
                          "null: flatten it first",
                          SW_STR_ARG(key->name), sw_json_kind_words(kind));
        return SW_OK;
    }
    if (!take_no_json(&number, in) && !sw_json_read_f64(in, &number))
        return SW_OK;
    return add_number(r, key->column, from, number);
}

static sw_status skip_value(reading *r) {
    double number;
    sw_json_read_peek(&r->in);
    if (!take_no_json(&number, &r->in))
        sw_json_read_skip(&r->in);
    return SW_OK;
}

/* ---- Rows ---- */

static sw_status read_row(reading *r) {
    sw_json_reader *in = &r->in;
    sw_builder *b = r->b;
    uint32_t guess = 0, index = 0;
    sw_str name;
    r->row++;
    SW_TRY(sw_builder_row(b));
    sw_json_read_object(in);
    while (sw_json_read_key(in, &name)) {
        if (guess < r->count && sw_str_eq(r->keys[guess].name, name))
            index = guess;
        else
            SW_TRY(find_key(&index, r, name));
        named *key = &r->keys[index];
        guess = index + 1;
        if (key->last_row == r->row)
            sw_json_read_fail(in, in->at, "field \"%.*s\" is there twice", SW_STR_ARG(name));
        else if (key->column == UINT32_MAX || !sw_builder_wants(b, key->column))
            SW_TRY(skip_value(r));
        else
            SW_TRY(add_value(r, key));
        key->last_row = r->row;
    }
    return in->status;
}

static void tell_progress(reading *r, bool done) {
    const sw_frame_options *options = r->b->options;
    uint64_t read = (uint64_t)(r->in.at - r->text.at);
    r->b->bytes_read = read;
    if (!options->progress || (!done && read - r->told < PROGRESS_BYTES))
        return;
    r->told = read;
    options->progress(options->context, read, r->text.len);
}

static bool has_more(sw_json_reader *in, bool list) {
    if (list)
        return sw_json_read_item(in);
    return sw_json_read_peek(in) != SW_JSON_NOTHING || in->at < in->end;
}

static sw_status read_rows(reading *r, uint64_t rows_max) {
    sw_json_reader *in = &r->in;
    sw_json_read_init(in, r->text, &r->scratch, r->b->error);
    if (sw_str_starts(r->text, SW_STR("\xEF\xBB\xBF")))
        in->at += 3;
    bool list = sw_json_read_peek(in) == SW_JSON_ARRAY && sw_json_read_array(in);
    r->row = r->told = 0;
    while ((rows_max == 0 || r->row < rows_max) && has_more(in, list)) {
        SW_TRY(read_row(r));
        tell_progress(r, false);
        if (r->row % SCRATCH_ROWS == 0)
            sw_arena_reset(&r->scratch);
    }
    tell_progress(r, true);
    if (rows_max && r->row == rows_max)
        return in->status;
    return sw_json_read_end(in);
}

static sw_status read_all(reading *r, uint64_t rows_max) {
    SW_TRY(read_rows(r, rows_max));
    SW_TRY(sw_builder_columns_done(r->b));
    if (!r->b->late || rows_max)
        return SW_OK;
    SW_TRY(sw_builder_again(r->b));
    for (uint32_t i = 0; i < r->count; i++)
        r->keys[i].last_row = 0;
    return read_rows(r, 0);
}

sw_status sw_frame_read_json(sw_builder *b, uint64_t rows_max) {
    reading r = {.b = b};
    sw_status status = sw_file_map(&r.text, b->path, b->error);
    if (!sw_failed(status)) {
        status = read_all(&r, rows_max);
        if (sw_failed(status))
            status = sw_fail_within(status, b->error, "%s", b->path);
        sw_file_unmap(r.text);
    }
    sw_arena_free(&r.names);
    sw_arena_free(&r.scratch);
    sw_mem_free(r.keys);
    sw_mem_free(r.slots);
    return status;
}
