/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"
#include "watch/profile_private.h"

#include "base/csv.h"
#include "base/mem.h"
#include "data/field.h"

#include <math.h>
#include <stdlib.h>

/*
 * Rows are turned into columns a block at a time: fields are parsed into a block of a few hundred
 * rows, then each column of the block is worked through while it is in the cache.
 */
enum {
    BLOCK_ROWS_MAX = 1024,
    BLOCK_BYTES = 8 << 20,
    PAD_VALUES = 8,
    PROGRESS_ROWS = 256, /* at least, between two calls */
    SHOWN_BYTES = 40     /* of a value in an error message */
};

typedef struct column {
    sw_str name;
    sw_feature *feature; /* NULL: what it holds decides */
    sw_dtype dtype;
    bool category, numbers; /* numbers: of a numeric input */
    bool late;              /* text behind numbers: its values are taken in the second pass */
    uint32_t field;         /* in the file */
    double *block;
    sw_gather gather;
} column;

typedef enum taking { TAKE_NUMBER, TAKE_CATEGORY, TAKE_NOTHING } taking;

/* What the loop over a row's fields needs of a column, close together. */
typedef struct target {
    double *block;
    uint32_t field;
    sw_dtype dtype;
    taking taking;
} target;

typedef struct reading {
    const sw_profile_options *options;
    const char *path;
    sw_csv *csv;
    column *columns;
    target *targets; /* one for each column */
    uint32_t count;
    size_t width;  /* fields in the header */
    sw_str *names; /* of the header */
    uint64_t rows;
    uint64_t size_bytes;
    size_t block_rows, filled;
    double *block, *finite;
    bool late; /* a column is */
} reading;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to profile the CSV file");
}

/* ---- Header ---- */

typedef struct named {
    sw_str name;
    uint32_t field;
} named;

static int by_name(const void *left, const void *right) {
    const named *a = left, *b = right;
    return sw_str_order(a->name, b->name);
}

static sw_status check_twice(const named *sorted, size_t count, sw_error *error) {
    for (size_t i = 1; i < count; i++)
        if (sorted[i].name.len && sw_str_eq(sorted[i - 1].name, sorted[i].name))
            return sw_fail(
                error, SW_CODE_INVALID,
                "line 1: two columns are named \"%.*s\" (fields %u and %u); give each a name of "
                "its own",
                SW_STR_ARG(sorted[i].name), sorted[i - 1].field + 1, sorted[i].field + 1);
    return SW_OK;
}

static sw_status sorted_names(named **out, const sw_str *names, size_t count, sw_arena *arena,
                              sw_error *error) {
    named *sorted = sw_arena_zalloc(arena, count, sizeof *sorted);
    if (!sorted)
        return no_memory(error);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (named){names[i], (uint32_t)i};
    qsort(sorted, count, sizeof *sorted, by_name);
    *out = sorted;
    return check_twice(sorted, count, error);
}

static sw_status read_header(sw_str **names, size_t *count, named **sorted, sw_csv *csv,
                             sw_arena *arena, sw_error *error) {
    sw_csv_row row;
    SW_TRY(sw_csv_next(&row, csv, error));
    if (row.count == 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "the CSV file is empty; its first line must name the columns");
    SW_TRY(sw_csv_check_header(&row, error));
    *count = row.count;
    *names = sw_arena_zalloc(arena, row.count, sizeof **names);
    if (!*names)
        return no_memory(error);
    for (size_t i = 0; i < row.count; i++) {
        (*names)[i] = sw_arena_copy(arena, sw_str_trim(row.fields[i]));
        if (!(*names)[i].at)
            return no_memory(error);
    }
    return sorted_names(sorted, *names, row.count, arena, error);
}

sw_status sw_csv_header(sw_str **names, size_t *count, const char *path, sw_arena *arena,
                        sw_error *error) {
    sw_csv *csv;
    named *sorted = NULL;
    SW_TRY(sw_csv_open(&csv, path, error));
    sw_status status = read_header(names, count, &sorted, csv, arena, error);
    sw_csv_close(csv);
    return status;
}

static sw_status missing_column(sw_str name, const sw_str *names, size_t count, sw_error *error) {
    sw_buf list = {0};
    for (size_t i = 0; i < count && list.len < 300; i++)
        sw_buf_printf(&list, "%s\"%.*s\"", i ? ", " : "", SW_STR_ARG(names[i]));
    sw_buf_add_char(&list, '\0');
    sw_status status = sw_fail(
        error, SW_CODE_INVALID,
        "the CSV file has no column \"%.*s\", which the model takes; its columns are %.400s%s",
        SW_STR_ARG(name), list.at ? list.at : "", list.len >= 300 ? ", …" : "");
    sw_buf_free(&list);
    return status;
}

/* ---- Fields into blocks ---- */

static sw_status bad_value(const reading *r, const column *c, const sw_csv_row *row,
                           sw_error *error) {
    sw_str value = row->fields[c->field];
    bool cut = value.len > SHOWN_BYTES;
    value.len = cut ? SHOWN_BYTES : value.len;
    while (cut && value.len && !sw_str_is_utf8(value))
        value.len--;
    return sw_fail(error, SW_CODE_INVALID, "line %llu, column \"%.*s\": \"%.*s%s\" is not a number",
                   (unsigned long long)row->line, SW_STR_ARG(r->names[c->field]), SW_STR_ARG(value),
                   cut ? "…" : "");
}

static sw_status add_category(const reading *r, column *c, const sw_csv_row *row, sw_error *error) {
    sw_str value = row->fields[c->field];
    double x;
    bool good;
    if (c->numbers) {
        if (!sw_bins_parse(&x, value, c->dtype))
            return bad_value(r, c, row, error);
        good = sw_gather_number_text(&c->gather, x);
    } else {
        bool missing = !c->feature && sw_field_is_missing(value);
        good = sw_gather_text(&c->gather, missing ? (sw_str){0} : value);
    }
    return good ? SW_OK : no_memory(error);
}

/* A text where numbers were expected: before the first number the column is one of text from here
 * on; behind one, its values are taken in the second pass. */
static sw_status turn_to_text(reading *r, uint32_t i, const sw_csv_row *row, sw_error *error) {
    column *c = &r->columns[i];
    bool numbers = c->gather.finite + c->gather.below + c->gather.above > 0;
    for (size_t j = 0; j < r->filled; j++)
        numbers |= !isnan(c->block[j]);
    size_t bytes = c->gather.cap * sizeof(double);
    sw_gather_free(&c->gather);
    sw_gather_init(&c->gather, true, bytes);
    c->category = true;
    c->late = numbers;
    r->late |= numbers;
    r->targets[i].taking = numbers ? TAKE_NOTHING : TAKE_CATEGORY;
    c->gather.missing = r->rows;
    return numbers ? SW_OK : add_category(r, c, row, error);
}

static sw_status add_row(reading *r, const sw_csv_row *row, sw_error *error) {
    if (row->count != r->width)
        return sw_fail(error, SW_CODE_INVALID, "line %llu has %zu field%s, the header has %zu",
                       (unsigned long long)row->line, row->count, row->count == 1 ? "" : "s",
                       r->width);
    for (uint32_t i = 0; i < r->count; i++) {
        const target *t = &r->targets[i];
        if (t->taking == TAKE_NUMBER) {
            if (sw_bins_parse_padded(&t->block[r->filled], row->fields[t->field], t->dtype))
                continue;
            if (r->columns[i].feature)
                return bad_value(r, &r->columns[i], row, error);
            SW_TRY(turn_to_text(r, i, row, error));
        } else if (t->taking == TAKE_CATEGORY) {
            SW_TRY(add_category(r, &r->columns[i], row, error));
        }
    }
    r->filled++;
    if (++r->rows == UINT32_MAX)
        return sw_fail(error, SW_CODE_TOO_LARGE, "more than %u rows: profile a part of them",
                       UINT32_MAX - 1);
    return SW_OK;
}

static sw_status end_block(reading *r, sw_error *error) {
    for (uint32_t i = 0; i < r->count; i++)
        if (r->targets[i].taking == TAKE_NUMBER &&
            !sw_gather_numbers(&r->columns[i].gather, r->columns[i].block, r->finite, r->filled))
            return no_memory(error);
    r->filled = 0;
    return SW_OK;
}

static void tell_progress(const reading *r) {
    if (r->options->progress)
        r->options->progress(r->options->context, sw_csv_bytes_read(r->csv), r->size_bytes);
}

static sw_status read_rows(reading *r, sw_error *error) {
    r->rows = 0;
    for (;;) {
        sw_csv_row row;
        SW_TRY(sw_csv_next(&row, r->csv, error));
        if (row.count == 0)
            break;
        SW_TRY(add_row(r, &row, error));
        if (r->filled == r->block_rows)
            SW_TRY(end_block(r, error));
        if (r->rows % PROGRESS_ROWS == 0)
            tell_progress(r);
    }
    tell_progress(r);
    return end_block(r, error);
}

/* ---- The whole ---- */

static sw_status finish(sw_profile *out, reading *r, sw_arena *arena, sw_error *error) {
    out->rows = r->rows;
    out->column_count = r->count;
    out->columns = sw_arena_zalloc(arena, r->count, sizeof *out->columns);
    if (!out->columns && r->count)
        return no_memory(error);
    for (uint32_t i = 0; i < r->count; i++) {
        column *c = &r->columns[i];
        SW_TRY(sw_gather_finish(&out->columns[i], &c->gather, c->name, r->rows, arena, error));
        if (!c->feature)
            continue;
        sw_profile_keep_certain(&out->columns[i]);
        sw_profile_set_feature(c->feature, &out->columns[i]);
    }
    return SW_OK;
}

static sw_status match_features(reading *r, sw_signature *signature, const named *sorted,
                                sw_error *error) {
    r->count = signature->feature_count;
    for (uint32_t i = 0; i < r->count; i++) {
        sw_feature *feature = &signature->features[i];
        named wanted = {feature->name, 0};
        const named *found =
            sorted ? bsearch(&wanted, sorted, r->width, sizeof *sorted, by_name) : NULL;
        if (!found)
            return missing_column(feature->name, r->names, r->width, error);
        sw_dtype dtype = signature->inputs[feature->input].dtype;
        r->columns[i] = (column){
            .name = feature->name,
            .feature = feature,
            .dtype = dtype,
            .category = feature->kind == SW_FEATURE_CATEGORY || dtype == SW_BYTES,
            .numbers = dtype != SW_BYTES,
            .field = found->field,
        };
    }
    return SW_OK;
}

static void take_every_column(reading *r) {
    for (uint32_t i = 0; i < r->width; i++)
        if (r->names[i].len)
            r->columns[r->count++] = (column){.name = r->names[i], .dtype = SW_FP64, .field = i};
}

static sw_status choose_columns(reading *r, const named *sorted, sw_error *error) {
    sw_signature *signature = r->options->signature;
    size_t room = signature ? signature->feature_count : r->width;
    r->columns = sw_mem_zalloc(room + 1, sizeof *r->columns);
    if (!r->columns)
        return no_memory(error);
    if (signature)
        return match_features(r, signature, sorted, error);
    take_every_column(r);
    return SW_OK;
}

static sw_status make_blocks(reading *r, sw_error *error) {
    size_t count = r->count ? r->count : 1, rows = BLOCK_BYTES / sizeof(double) / count;
    r->block_rows = rows < 16 ? 16 : rows > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : rows;
    /* Without the pad, a row's values would all fall into the same few sets of the cache. */
    size_t stride = r->block_rows + PAD_VALUES;
    r->block = sw_mem_alloc(stride * count * sizeof *r->block);
    r->finite = sw_mem_alloc(r->block_rows * sizeof *r->finite);
    r->targets = sw_mem_alloc(count * sizeof *r->targets);
    if (!r->block || !r->finite || !r->targets)
        return no_memory(error);
    for (uint32_t i = 0; i < r->count; i++) {
        column *c = &r->columns[i];
        c->block = r->block + i * stride;
        r->targets[i] =
            (target){c->block, c->field, c->dtype, c->category ? TAKE_CATEGORY : TAKE_NUMBER};
        sw_gather_init(&c->gather, c->category, SW_GATHER_BYTES / count);
    }
    return SW_OK;
}

static sw_status open_csv(reading *r, named **sorted, sw_arena *arena, sw_error *error) {
    sw_csv_close(r->csv);
    r->csv = NULL;
    SW_TRY(sw_csv_open(&r->csv, r->path, error));
    return read_header(&r->names, &r->width, sorted, r->csv, arena, error);
}

/* Once more, for the columns that turned out to be text. */
static sw_status read_late(reading *r, sw_arena *arena, sw_error *error) {
    named *sorted;
    uint64_t rows = r->rows;
    size_t width = r->width;
    for (uint32_t i = 0; i < r->count; i++) {
        r->targets[i].taking = r->columns[i].late ? TAKE_CATEGORY : TAKE_NOTHING;
        if (r->columns[i].late)
            r->columns[i].gather.missing = 0;
    }
    SW_TRY(open_csv(r, &sorted, arena, error));
    sw_status status = r->width == width ? read_rows(r, error) : SW_OK;
    if (!sw_failed(status) && (r->width != width || r->rows != rows))
        return sw_fail(error, SW_CODE_INVALID,
                       "the CSV file changed while it was read (it is read twice, as a column "
                       "turned out to be text: a pipe will not do)");
    return status;
}

static sw_status profile(sw_profile *out, reading *r, sw_arena *arena, sw_error *error) {
    named *sorted = NULL;
    SW_TRY(open_csv(r, &sorted, arena, error));
    SW_TRY(choose_columns(r, sorted, error));
    SW_TRY(make_blocks(r, error));
    SW_TRY(read_rows(r, error));
    if (r->rows == 0)
        return sw_fail(error, SW_CODE_INVALID, "the CSV file has a header and no row");
    if (r->late)
        SW_TRY(read_late(r, arena, error));
    return finish(out, r, arena, error);
}

sw_status sw_profile_read_csv(sw_profile *out, const sw_profile_options *options, const char *path,
                              uint64_t size_bytes, sw_arena *arena, sw_error *error) {
    reading r = {.options = options, .path = path, .size_bytes = size_bytes};
    *out = (sw_profile){0};
    sw_status status = profile(out, &r, arena, error);
    for (uint32_t i = 0; i < r.count; i++)
        sw_gather_free(&r.columns[i].gather);
    sw_mem_free(r.columns);
    sw_mem_free(r.block);
    sw_mem_free(r.finite);
    sw_mem_free(r.targets);
    sw_csv_close(r.csv);
    return status;
}

sw_status sw_profile_from_csv(sw_profile *out, sw_signature *signature, const char *path,
                              sw_arena *arena, sw_error *error) {
    sw_profile_options options = {.signature = signature};
    return sw_profile_read_csv(out, &options, path, 0, arena, error);
}
