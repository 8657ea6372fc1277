/* SPDX-License-Identifier: Apache-2.0 */
#include "data/frame_private.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/nearest.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS_FIRST = 1024, WORDS_FIRST = 16 };

static sw_status no_memory(const sw_builder *b) {
    return sw_fail(b->error, SW_CODE_NO_MEMORY,
                   "%s: not enough memory for %llu rows of %zu columns", b->path,
                   (unsigned long long)b->rows, b->frame->column_count);
}

/* Takes note of memory before it is asked for. */
static sw_status take(sw_builder *b, uint64_t bytes) {
    b->bytes += bytes;
    if (b->options->bytes_max == 0 || b->bytes <= b->options->bytes_max)
        return SW_OK;
    return sw_fail(
        b->error, SW_CODE_TOO_LARGE,
        "%s: %llu rows of %zu columns take more than the %llu MiB that are allowed; read "
        "fewer columns at a time",
        b->path, (unsigned long long)b->rows, b->frame->column_count,
        (unsigned long long)(b->options->bytes_max >> 20));
}

/* ---- Columns ---- */

void sw_builder_begin(sw_builder *b, sw_frame *frame, const char *path,
                      const sw_frame_options *options, sw_error *error) {
    static const sw_frame_options none;
    *frame = (sw_frame){0};
    *b = (sw_builder){
        .frame = frame, .options = options ? options : &none, .path = path, .error = error};
}

static sw_status more_columns(sw_builder *b) {
    size_t cap = b->column_cap ? b->column_cap * 2 : 16;
    sw_column *columns = sw_mem_realloc(b->frame->columns, cap * sizeof *columns);
    if (columns)
        b->frame->columns = columns;
    sw_maker *makers = sw_mem_realloc(b->makers, cap * sizeof *makers);
    if (makers)
        b->makers = makers;
    if (!columns || !makers)
        return no_memory(b);
    b->column_cap = cap;
    return SW_OK;
}

sw_status sw_builder_column(uint32_t *index, sw_builder *b, sw_str name) {
    const sw_frame_options *options = b->options;
    sw_frame *frame = b->frame;
    *index = UINT32_MAX;
    if (options->columns && !sw_str_in(options->columns, options->column_count, name))
        return SW_OK;
    if (frame->column_count == b->column_cap)
        SW_TRY(more_columns(b));
    sw_str copy = sw_arena_copy(&frame->arena, name);
    if (!copy.at)
        return no_memory(b);
    *index = (uint32_t)frame->column_count++;
    frame->columns[*index] = (sw_column){.name = copy};
    b->makers[*index] =
        (sw_maker){.as_text = sw_str_in(options->as_text, options->as_text_count, name)};
    return SW_OK;
}

/* The names that were not asked for are forgotten by now: the file is asked again. */
static sw_status not_there(const sw_builder *b, sw_str wanted) {
    sw_frame all;
    sw_error unheard;
    sw_nearest nearest;
    sw_nearest_begin(&nearest, wanted);
    if (!sw_failed(sw_frame_columns(&all, b->path, &unheard)))
        for (size_t i = 0; i < all.column_count; i++)
            sw_nearest_offer(&nearest, all.columns[i].name);
    sw_frame_free(&all);
    return sw_fail(b->error, SW_CODE_NOT_FOUND, "%s has no column \"%.*s\"%s%s%s", b->path,
                   SW_STR_ARG(wanted), nearest.best[0] ? "; did you mean \"" : "", nearest.best,
                   nearest.best[0] ? "\"?" : "");
}

static int by_name(const void *left, const void *right, void *columns) {
    const sw_column *a = (const sw_column *)columns + *(const uint32_t *)left,
                    *b = (const sw_column *)columns + *(const uint32_t *)right;
    return sw_str_order(a->name, b->name);
}

static sw_status index_names(sw_builder *b) {
    sw_frame *frame = b->frame;
    size_t count = frame->column_count;
    uint32_t *index = sw_mem_realloc(frame->by_name, (count + 1) * sizeof *index);
    if (!index)
        return no_memory(b);
    frame->by_name = index;
    for (uint32_t i = 0; i < count; i++)
        index[i] = i;
    qsort_r(index, count, sizeof *index, by_name, frame->columns);
    for (size_t i = 1; i < count; i++)
        if (sw_str_eq(frame->columns[index[i - 1]].name, frame->columns[index[i]].name))
            return sw_fail(b->error, SW_CODE_INVALID,
                           "%s: two columns are named \"%.*s\"; give each a name of its own",
                           b->path, SW_STR_ARG(frame->columns[index[i]].name));
    return SW_OK;
}

sw_status sw_builder_columns_done(sw_builder *b) {
    SW_TRY(index_names(b));
    for (size_t i = 0; b->options->columns && i < b->options->column_count; i++)
        if (!sw_frame_find(b->frame, b->options->columns[i]))
            return not_there(b, b->options->columns[i]);
    return SW_OK;
}

/* ---- Room ---- */

/* All ones are a NaN, and SW_TEXT_MISSING. */
static void make_missing(void *values, size_t size_bytes, uint64_t from, uint64_t to) {
    memset((char *)values + from * size_bytes, 0xFF, (to - from) * size_bytes);
}

static sw_status give_room(sw_builder *b, void **values, size_t size_bytes, uint64_t from,
                           uint64_t to) {
    SW_TRY(take(b, (to - from) * size_bytes));
    void *more = sw_mem_realloc(*values, to * size_bytes);
    if (!more)
        return no_memory(b);
    *values = more;
    make_missing(more, size_bytes, from, to);
    return SW_OK;
}

static sw_status room_from(sw_builder *b, uint32_t column, uint64_t from, uint64_t to) {
    sw_column *c = &b->frame->columns[column];
    void *values = c->type == SW_COLUMN_NUMBER ? (void *)c->numbers : (void *)c->codes;
    sw_status status = give_room(
        b, &values, c->type == SW_COLUMN_NUMBER ? sizeof *c->numbers : sizeof *c->codes, from, to);
    if (c->type == SW_COLUMN_NUMBER)
        c->numbers = values;
    else
        c->codes = values;
    return status;
}

static sw_status more_rows(sw_builder *b) {
    uint64_t cap = b->row_cap ? b->row_cap + b->row_cap / 2 : ROWS_FIRST;
    for (uint32_t i = 0; i < b->frame->column_count; i++) {
        sw_maker_state state = b->makers[i].state;
        if (state == SW_MAKER_NUMBER || state == SW_MAKER_TEXT)
            SW_TRY(room_from(b, i, b->row_cap, cap));
    }
    b->row_cap = cap;
    return SW_OK;
}

sw_status sw_builder_changed(const sw_builder *b) {
    return sw_fail(b->error, SW_CODE_INVALID,
                   "%s changed while it was read (it is read twice, as a column turned out to be "
                   "text)",
                   b->path);
}

sw_status sw_builder_row(sw_builder *b) {
    if (b->second && b->rows == b->frame->rows)
        return sw_builder_changed(b);
    if (b->rows == b->row_cap)
        SW_TRY(more_rows(b));
    b->row = b->rows++;
    return SW_OK;
}

static sw_status decide(sw_builder *b, uint32_t column, sw_column_type type) {
    b->makers[column].state = type == SW_COLUMN_NUMBER ? SW_MAKER_NUMBER : SW_MAKER_TEXT;
    b->frame->columns[column].type = type;
    return room_from(b, column, 0, b->row_cap);
}

/* ---- Words ---- */

static sw_status more_words(sw_builder *b, sw_maker *maker, sw_column *c) {
    uint32_t cap = maker->word_cap ? maker->word_cap * 2 : WORDS_FIRST;
    if (cap > SW_TEXT_MISSING / 4)
        return sw_fail(b->error, SW_CODE_TOO_LARGE,
                       "%s, column \"%.*s\": more than %u different texts", b->path,
                       SW_STR_ARG(c->name), maker->word_cap);
    SW_TRY(take(b, (uint64_t)(cap - maker->word_cap) * (sizeof *c->words + 2 * sizeof(uint32_t))));
    sw_str *words = sw_mem_realloc(c->words, cap * sizeof *words);
    if (words)
        c->words = words;
    uint32_t *slots = sw_mem_zalloc((size_t)cap * 2, sizeof *slots);
    if (!words || !slots) {
        sw_mem_free(slots);
        return no_memory(b);
    }
    sw_mem_free(maker->slots);
    maker->slots = slots;
    maker->slot_mask = cap * 2 - 1;
    maker->word_cap = cap;
    for (uint32_t i = 0; i < c->word_count; i++) {
        uint32_t at = (uint32_t)sw_hash_text(c->words[i]) & maker->slot_mask;
        while (slots[at])
            at = (at + 1) & maker->slot_mask;
        slots[at] = i + 1;
    }
    return SW_OK;
}

static sw_status code_of(uint32_t *code, sw_builder *b, uint32_t column, sw_str text) {
    sw_maker *maker = &b->makers[column];
    sw_column *c = &b->frame->columns[column];
    if (c->word_count == maker->word_cap)
        SW_TRY(more_words(b, maker, c));
    uint32_t at = (uint32_t)sw_hash_text(text) & maker->slot_mask;
    for (; maker->slots[at]; at = (at + 1) & maker->slot_mask) {
        *code = maker->slots[at] - 1;
        if (sw_str_eq(c->words[*code], text))
            return SW_OK;
    }
    SW_TRY(take(b, text.len + 16));
    sw_str copy = sw_arena_copy(&b->frame->arena, text);
    if (!copy.at)
        return no_memory(b);
    *code = c->word_count++;
    c->words[*code] = copy;
    maker->slots[at] = c->word_count;
    return SW_OK;
}

/* ---- Values ---- */

/* The column's numbers make way for text in the second pass. */
static void turn_late(sw_builder *b, uint32_t column) {
    sw_column *c = &b->frame->columns[column];
    sw_mem_free(c->numbers);
    c->numbers = NULL;
    c->type = SW_COLUMN_TEXT;
    b->bytes -= b->row_cap * sizeof *c->numbers;
    b->makers[column] = (sw_maker){.late = true};
    b->late = true;
}

sw_status sw_builder_text(sw_builder *b, uint32_t column, sw_str text) {
    sw_maker *maker = &b->makers[column];
    if (maker->state == SW_MAKER_NUMBER)
        turn_late(b, column);
    if (!sw_builder_wants(b, column))
        return SW_OK;
    if (maker->state == SW_MAKER_UNDECIDED)
        SW_TRY(decide(b, column, SW_COLUMN_TEXT));
    uint32_t code = 0;
    SW_TRY(code_of(&code, b, column, text));
    b->frame->columns[column].codes[b->row] = code;
    maker->there++;
    return SW_OK;
}

sw_status sw_builder_number(sw_builder *b, uint32_t column, double value, sw_str text) {
    sw_maker *maker = &b->makers[column];
    if (isnan(value) || !sw_builder_wants(b, column))
        return SW_OK;
    if (maker->state == SW_MAKER_TEXT || maker->as_text)
        return sw_builder_text(b, column, text);
    if (maker->state == SW_MAKER_UNDECIDED)
        SW_TRY(decide(b, column, SW_COLUMN_NUMBER));
    b->frame->columns[column].numbers[b->row] = value;
    maker->there++;
    return SW_OK;
}

/* ---- The ends of the passes ---- */

sw_status sw_builder_again(sw_builder *b) {
    b->second = true;
    b->frame->rows = b->rows;
    b->rows = 0;
    for (uint32_t i = 0; i < b->frame->column_count; i++)
        if (b->makers[i].late)
            SW_TRY(decide(b, i, SW_COLUMN_TEXT));
    return SW_OK;
}

/* Gives back what growth took too much. */
static void trim(void **values, size_t size_bytes, uint64_t rows) {
    void *less = *values && rows ? sw_mem_realloc(*values, rows * size_bytes) : NULL;
    if (less)
        *values = less;
}

sw_status sw_builder_end(sw_builder *b) {
    sw_frame *frame = b->frame;
    if (b->second && b->rows != frame->rows)
        return sw_builder_changed(b);
    frame->rows = b->rows;
    for (uint32_t i = 0; i < frame->column_count; i++) {
        sw_column *c = &frame->columns[i];
        void *values;
        if (b->makers[i].state == SW_MAKER_UNDECIDED)
            SW_TRY(decide(b, i, b->makers[i].as_text ? SW_COLUMN_TEXT : SW_COLUMN_NUMBER));
        values = c->numbers;
        trim(&values, sizeof *c->numbers, frame->rows);
        c->numbers = values;
        values = c->codes;
        trim(&values, sizeof *c->codes, frame->rows);
        c->codes = values;
        c->missing = frame->rows - b->makers[i].there;
    }
    return SW_OK;
}

void sw_builder_free(sw_builder *b) {
    for (size_t i = 0; b->makers && i < b->frame->column_count; i++)
        sw_mem_free(b->makers[i].slots);
    sw_mem_free(b->makers);
}
