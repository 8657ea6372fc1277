/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"
#include "watch/profile_private.h"

#include "base/csv.h"
#include "base/mem.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

/*
 * Rows are turned into columns a block at a time: fields are parsed into a block of a few hundred
 * rows, then each column of the block is worked through while it is in the cache.
 */
enum {
    BLOCK_ROWS_MAX = 256,
    BLOCK_BYTES = 256 << 10,
    SAMPLE_BYTES = 128 << 20, /* of all columns together */
    SAMPLE_VALUES_MIN = 2048, /* of one column, however many there are */
    SHOWN_BYTES = 40          /* of a value in an error message */
};

typedef struct column {
    sw_feature *feature;
    sw_dtype dtype;
    bool category, numbers; /* numbers: of a numeric input */
    uint32_t field;         /* in the file */
    double *block;
    sw_sample sample;
    sw_tally tally;
    uint64_t missing, below, above; /* below and above: the infinities */
    uint64_t finite;
    double min, max, mean, squares; /* squares: sum of squared differences from the mean */
    sw_keys64 *keys;                /* second pass */
    uint64_t *counts;
} column;

/* What the loop over a row's fields needs of a column, close together. */
typedef struct target {
    double *block; /* NULL: a category */
    uint32_t field;
    sw_dtype dtype;
} target;

typedef struct reading {
    sw_csv *csv;
    column *columns;
    target *targets; /* one for each column */
    uint32_t count;
    size_t width;  /* fields in the header */
    sw_str *names; /* of the header */
    uint64_t rows;
    size_t block_rows, filled;
    double *block, *finite;
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
    size_t common = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order = common ? memcmp(a->name.at, b->name.at, common) : 0;
    return order ? order : (a->name.len > b->name.len) - (a->name.len < b->name.len);
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
    char text[SW_NUM_BYTES];
    if (c->numbers) {
        double x;
        if (!sw_bins_parse(&x, value, c->dtype))
            return bad_value(r, c, row, error);
        bool whole = fabs(x) < 0x1p53 && x == trunc(x);
        size_t len = whole ? sw_num_print_i64(text, (int64_t)x) : sw_num_print_f64(text, x);
        value = (sw_str){text, isnan(x) ? 0 : len};
    }
    if (value.len == 0)
        c->missing++;
    else if (!sw_tally_add(&c->tally, value))
        return no_memory(error);
    return SW_OK;
}

static sw_status add_row(reading *r, const sw_csv_row *row, bool second, sw_error *error) {
    if (row->count != r->width)
        return sw_fail(error, SW_CODE_INVALID, "line %llu has %zu field%s, the header has %zu",
                       (unsigned long long)row->line, row->count, row->count == 1 ? "" : "s",
                       r->width);
    for (uint32_t i = 0; i < r->count; i++) {
        const target *t = &r->targets[i];
        if (t->block) {
            if (!sw_bins_parse_padded(&t->block[r->filled], row->fields[t->field], t->dtype))
                return bad_value(r, &r->columns[i], row, error);
        } else if (!second) {
            SW_TRY(add_category(r, &r->columns[i], row, error));
        }
    }
    r->filled++;
    r->rows++;
    return SW_OK;
}

/* ---- Blocks into columns ---- */

/* Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing sample variances"
 * (1979). */
static void add_moments(column *c, const double *x, size_t count) {
    double sum = 0, squares = 0, n = (double)count, share = 1 / n, before = (double)c->finite;
    double min = x[0], max = x[0];
    for (size_t i = 0; i < count; i++) {
        sum += x[i] * share;
        min = x[i] < min ? x[i] : min;
        max = x[i] > max ? x[i] : max;
    }
    for (size_t i = 0; i < count; i++)
        squares += (x[i] - sum) * (x[i] - sum);
    double apart = sum - c->mean;
    c->mean += apart * (n / (n + before));
    c->squares += squares + apart * apart * (n * before / (n + before));
    c->min = c->finite == 0 || min < c->min ? min : c->min;
    c->max = c->finite == 0 || max > c->max ? max : c->max;
    c->finite += count;
}

static bool take_column(column *c, double *finite, size_t rows) {
    size_t count = 0;
    uint64_t missing = 0;
    for (size_t i = 0; i < rows; i++) {
        double x = c->block[i];
        finite[count] = x;
        count += fabs(x) <= 0x1.fffffffffffffp1023;
        missing += x != x;
    }
    c->missing += missing;
    if (count + missing < rows)
        for (size_t i = 0; i < rows; i++) {
            c->below += c->block[i] == -INFINITY;
            c->above += c->block[i] == INFINITY;
        }
    if (count == 0)
        return true;
    add_moments(c, finite, count);
    return sw_sample_add(&c->sample, finite, count);
}

static void recount_column(column *c, size_t rows) {
    for (size_t i = 0; i < rows; i++)
        c->counts[sw_keys64_bin(c->keys, c->block[i])]++;
}

static sw_status end_block(reading *r, bool second, sw_error *error) {
    for (uint32_t i = 0; i < r->count; i++) {
        column *c = &r->columns[i];
        if (c->category)
            continue;
        if (!second) {
            if (!take_column(c, r->finite, r->filled))
                return no_memory(error);
        } else if (c->keys) {
            recount_column(c, r->filled);
        }
    }
    r->filled = 0;
    return SW_OK;
}

static sw_status read_rows(reading *r, bool second, sw_error *error) {
    r->rows = 0;
    for (;;) {
        sw_csv_row row;
        SW_TRY(sw_csv_next(&row, r->csv, error));
        if (row.count == 0)
            return end_block(r, second, error);
        SW_TRY(add_row(r, &row, second, error));
        if (r->filled == r->block_rows)
            SW_TRY(end_block(r, second, error));
    }
}

/* ---- Columns into the profile ---- */

static sw_status category_column(sw_profile_column *out, column *c, sw_arena *arena,
                                 sw_error *error) {
    sw_tally_sort(&c->tally);
    uint32_t known =
        c->tally.count < SW_PROFILE_CATEGORIES_MAX ? c->tally.count : SW_PROFILE_CATEGORIES_MAX;
    out->value_count = known;
    out->bin_count = known + SW_BIN_FIRST;
    out->values = sw_arena_zalloc(arena, known, sizeof *out->values);
    out->counts = sw_arena_zalloc(arena, out->bin_count, sizeof *out->counts);
    if ((known && !out->values) || !out->counts)
        return no_memory(error);
    out->counts[SW_BIN_MISSING] = c->missing;
    out->counts[SW_BIN_UNSEEN] = c->tally.others;
    for (uint32_t i = 0; i < c->tally.count; i++) {
        const sw_tally_entry *entry = &c->tally.entries[i];
        if (i >= known) {
            out->counts[SW_BIN_UNSEEN] += entry->count;
            continue;
        }
        out->counts[SW_BIN_FIRST + i] = entry->count;
        out->values[i] = sw_arena_copy(arena, entry->value);
        if (!out->values[i].at)
            return no_memory(error);
    }
    return SW_OK;
}

static sw_status numeric_cuts(sw_profile_column *out, column *c, double *spare, sw_arena *arena,
                              sw_error *error) {
    double cuts[SW_PROFILE_BINS], levels[SW_PROFILE_BINS];
    bool leveled;
    sw_sort_doubles(c->sample.at, spare, c->sample.count);
    out->cut_count = sw_cuts_of(cuts, levels, &leveled, c->sample.at, c->sample.count);
    out->sampled = c->sample.seen > c->sample.count ? c->sample.count : 0;
    out->bin_count = out->cut_count + 4;
    out->cuts = sw_arena_zalloc(arena, out->cut_count + 1, sizeof *out->cuts);
    out->counts = sw_arena_zalloc(arena, out->bin_count, sizeof *out->counts);
    if (!out->cuts || !out->counts)
        return no_memory(error);
    memcpy(out->cuts, cuts, out->cut_count * sizeof *cuts);
    if (leveled && !out->sampled) {
        out->levels = sw_arena_zalloc(arena, out->cut_count + 1, sizeof *levels);
        if (!out->levels)
            return no_memory(error);
        memcpy(out->levels, levels, (out->cut_count + 1) * sizeof *levels);
    }
    return SW_OK;
}

/* Counts from the sample where that is all there is; else gets ready for the second pass. */
static sw_status numeric_counts(sw_profile_column *out, column *c, sw_error *error) {
    double keys[SW_KEYS_MAX];
    size_t count = sw_bins_keys(keys, out);
    sw_keys64 *table = sw_mem_alloc(sizeof *table);
    if (!table)
        return no_memory(error);
    sw_keys64_fill(table, keys, count);
    c->counts = out->counts;
    if (out->sampled) {
        c->keys = table;
        return SW_OK;
    }
    for (size_t i = 0; i < c->sample.count; i++)
        c->counts[sw_keys64_bin(table, c->sample.at[i])]++;
    c->counts[SW_BIN_MISSING] = c->missing;
    c->counts[SW_BIN_BELOW] = c->below;
    c->counts[out->bin_count - 1] = c->above;
    sw_mem_free(table);
    return SW_OK;
}

static sw_status finish_column(sw_profile_column *out, column *c, uint64_t rows, double *spare,
                               sw_arena *arena, sw_error *error) {
    bool none = c->finite == 0;
    *out = (sw_profile_column){
        .kind = c->category ? SW_FEATURE_CATEGORY : SW_FEATURE_NUMERIC,
        .name = sw_arena_copy(arena, c->feature->name),
        .rows = rows,
        .missing = c->missing,
        .min = none ? NAN : c->min,
        .max = none ? NAN : c->max,
        .mean = none ? NAN : c->mean,
        .stddev = none ? NAN : sqrt(c->squares / (double)c->finite),
    };
    if (!out->name.at)
        return no_memory(error);
    if (c->category)
        return category_column(out, c, arena, error);
    SW_TRY(numeric_cuts(out, c, spare, arena, error));
    SW_TRY(numeric_counts(out, c, error));
    sw_sample_free(&c->sample);
    return SW_OK;
}

static void set_feature(sw_feature *feature, const sw_profile_column *made) {
    bool category = made->kind == SW_FEATURE_CATEGORY;
    feature->kind = made->kind;
    feature->categories = category ? made->values : NULL;
    feature->category_count = category ? made->value_count : 0;
    feature->has_range = !isnan(made->min);
    feature->min = feature->has_range ? made->min : 0;
    feature->max = feature->has_range ? made->max : 0;
}

static sw_status make_columns(sw_profile *out, const reading *r, sw_arena *arena, sw_error *error) {
    out->rows = r->rows;
    out->column_count = r->count;
    out->columns = sw_arena_zalloc(arena, r->count, sizeof *out->columns);
    return out->columns || r->count == 0 ? SW_OK : no_memory(error);
}

static sw_status finish(sw_profile *out, reading *r, sw_arena *arena, sw_error *error) {
    size_t largest = 0;
    for (uint32_t i = 0; i < r->count; i++)
        largest = r->columns[i].sample.count > largest ? r->columns[i].sample.count : largest;
    SW_TRY(make_columns(out, r, arena, error));
    double *spare = sw_mem_alloc(largest * sizeof *spare);
    if (!spare)
        return no_memory(error);
    sw_status status = SW_OK;
    for (uint32_t i = 0; i < r->count && !sw_failed(status); i++) {
        status = finish_column(&out->columns[i], &r->columns[i], r->rows, spare, arena, error);
        if (!sw_failed(status))
            set_feature(r->columns[i].feature, &out->columns[i]);
    }
    sw_mem_free(spare);
    return status;
}

/* ---- The whole ---- */

static sw_status match_columns(reading *r, sw_signature *signature, const named *sorted,
                               sw_error *error) {
    for (uint32_t i = 0; i < r->count; i++) {
        sw_feature *feature = &signature->features[i];
        named wanted = {feature->name, 0};
        const named *found =
            sorted ? bsearch(&wanted, sorted, r->width, sizeof *sorted, by_name) : NULL;
        if (!found)
            return missing_column(feature->name, r->names, r->width, error);
        sw_dtype dtype = signature->inputs[feature->input].dtype;
        r->columns[i] = (column){
            .feature = feature,
            .dtype = dtype,
            .category = feature->kind == SW_FEATURE_CATEGORY || dtype == SW_BYTES,
            .numbers = dtype != SW_BYTES,
            .field = found->field,
        };
    }
    return SW_OK;
}

static sw_status make_blocks(reading *r, sw_error *error) {
    size_t rows = BLOCK_BYTES / sizeof(double) / (r->count ? r->count : 1);
    r->block_rows = rows < 16 ? 16 : rows > BLOCK_ROWS_MAX ? BLOCK_ROWS_MAX : rows;
    r->block = sw_mem_alloc(r->block_rows * r->count * sizeof *r->block);
    r->finite = sw_mem_alloc(r->block_rows * sizeof *r->finite);
    r->targets = sw_mem_alloc(r->count * sizeof *r->targets);
    if (!r->block || !r->finite || !r->targets)
        return no_memory(error);
    size_t cap = SAMPLE_BYTES / sizeof(double) / (r->count ? r->count : 1);
    for (uint32_t i = 0; i < r->count; i++) {
        column *c = &r->columns[i];
        c->block = r->block + i * r->block_rows;
        r->targets[i] = (target){c->category ? NULL : c->block, c->field, c->dtype};
        sw_sample_init(&c->sample, cap < SAMPLE_VALUES_MIN ? SAMPLE_VALUES_MIN : cap, i);
    }
    return SW_OK;
}

static sw_status second_pass(reading *r, const char *path, sw_arena *arena, sw_error *error) {
    bool needed = false;
    uint64_t rows = r->rows;
    for (uint32_t i = 0; i < r->count; i++)
        needed |= r->columns[i].keys != NULL;
    if (!needed)
        return SW_OK;
    sw_csv_close(r->csv);
    r->csv = NULL;
    SW_TRY(sw_csv_open(&r->csv, path, error));
    named *sorted = NULL;
    size_t width = r->width;
    SW_TRY(read_header(&r->names, &r->width, &sorted, r->csv, arena, error));
    sw_status status = r->width == width ? read_rows(r, true, error) : SW_OK;
    if (!sw_failed(status) && (r->width != width || r->rows != rows))
        return sw_fail(
            error, SW_CODE_INVALID,
            "the CSV file changed while it was read (it is read twice, as it is large: a pipe "
            "will not do)");
    return status;
}

static sw_status profile(sw_profile *out, reading *r, sw_signature *signature, const char *path,
                         sw_arena *arena, sw_error *error) {
    named *sorted = NULL;
    SW_TRY(sw_csv_open(&r->csv, path, error));
    SW_TRY(read_header(&r->names, &r->width, &sorted, r->csv, arena, error));
    r->columns = sw_mem_zalloc(signature->feature_count, sizeof *r->columns);
    if (!r->columns)
        return no_memory(error);
    r->count = signature->feature_count;
    SW_TRY(match_columns(r, signature, sorted, error));
    SW_TRY(make_blocks(r, error));
    SW_TRY(read_rows(r, false, error));
    if (r->rows == 0)
        return sw_fail(error, SW_CODE_INVALID, "the CSV file has a header and no row");
    SW_TRY(finish(out, r, arena, error));
    return second_pass(r, path, arena, error);
}

sw_status sw_profile_from_csv(sw_profile *out, sw_signature *signature, const char *path,
                              sw_arena *arena, sw_error *error) {
    reading r = {0};
    *out = (sw_profile){0};
    sw_status status = profile(out, &r, signature, path, arena, error);
    for (uint32_t i = 0; i < r.count; i++) {
        sw_sample_free(&r.columns[i].sample);
        sw_tally_free(&r.columns[i].tally);
        sw_mem_free(r.columns[i].keys);
    }
    sw_mem_free(r.columns);
    sw_mem_free(r.block);
    sw_mem_free(r.finite);
    sw_mem_free(r.targets);
    sw_csv_close(r.csv);
    return status;
}
