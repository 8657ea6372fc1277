/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/compare_rows.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 600000, ROWS_LEAST = 1000, ROWS_MOST = 10000, IMPORTANT_SHOWN = 10 };
enum { SEED = 42 };

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for a sample of the rows");
}

sw_status sw_domain_rows_begin(sw_domain_rows *out, size_t columns, sw_arena *arena,
                               sw_error *error) {
    uint64_t fit = VALUES_MAX / (2 * (columns + 1));
    *out = (sw_domain_rows){.arena = arena, .column_room = columns};
    out->rows_max = fit < ROWS_LEAST ? ROWS_LEAST : fit > ROWS_MOST ? ROWS_MOST : fit;
    out->columns = sw_arena_zalloc(arena, columns + 1, sizeof *out->columns);
    out->names = sw_arena_zalloc(arena, columns + 1, sizeof *out->names);
    out->importance = sw_arena_zalloc(arena, columns + 1, sizeof *out->importance);
    return out->columns && out->names && out->importance ? SW_OK : no_memory(error);
}

void sw_domain_rows_free(sw_domain_rows *rows) {
    for (size_t i = 0; i < rows->column_count; i++)
        sw_mem_free((void *)(uintptr_t)rows->columns[i].values);
    for (int side = 0; side < 2; side++)
        sw_mem_free(rows->picked[side]);
    rows->column_count = 0;
    rows->picked[0] = rows->picked[1] = NULL;
}

/* So many of `all`, each as likely (D. Knuth, TAOCP 2, algorithm 3.4.2S). */
static sw_status pick(sw_domain_rows *rows, int side, uint64_t all, sw_error *error) {
    uint64_t want = all < rows->rows_max ? all : rows->rows_max, seed = SEED + (uint64_t)side;
    uint64_t *picked = sw_mem_alloc(((size_t)want + 1) * sizeof *picked);
    if (!picked)
        return no_memory(error);
    for (uint64_t row = 0, count = 0; count < want; row++)
        if ((double)(all - row) * sw_rng_unit(&seed) < (double)(want - count))
            picked[count++] = row;
    rows->picked[side] = picked;
    rows->rows[side] = want;
    return SW_OK;
}

typedef struct coded {
    sw_str word;
    uint32_t code;
} coded;

static int compare_coded(const void *a, const void *b) {
    const coded *x = a, *y = b;
    if (x->word.len != y->word.len)
        return x->word.len < y->word.len ? -1 : 1;
    return x->word.len ? memcmp(x->word.at, y->word.at, x->word.len) : 0;
}

/* The reference's code for each word of the current side; words it has not come behind. */
static sw_status match_words(uint32_t *codes, const sw_column *reference, const sw_column *current,
                             sw_error *error) {
    coded *known = sw_mem_alloc(((size_t)reference->word_count + 1) * sizeof *known);
    if (!known)
        return no_memory(error);
    for (uint32_t i = 0; i < reference->word_count; i++)
        known[i] = (coded){reference->words[i], i};
    if (reference->word_count > 1)
        qsort(known, reference->word_count, sizeof *known, compare_coded);
    uint32_t next = reference->word_count;
    for (uint32_t i = 0; i < current->word_count; i++) {
        coded wanted = {current->words[i], 0};
        const coded *found = reference->word_count ? bsearch(&wanted, known, reference->word_count,
                                                             sizeof *known, compare_coded)
                                                   : NULL;
        codes[i] = found ? found->code : next++;
    }
    sw_mem_free(known);
    return SW_OK;
}

static double value_at(const sw_column *column, const uint32_t *codes, uint64_t row) {
    if (column->type == SW_COLUMN_NUMBER)
        return isfinite(column->numbers[row]) ? column->numbers[row] : (double)NAN;
    uint32_t code = column->codes[row];
    if (code == SW_TEXT_MISSING)
        return (double)NAN;
    return (double)(codes ? codes[code] : code);
}

static bool is_empty(const sw_column *column, uint64_t rows) {
    return column->missing >= rows;
}

sw_status sw_domain_rows_add(sw_domain_rows *rows, const sw_column *reference,
                             uint64_t reference_rows, const sw_column *current,
                             uint64_t current_rows, sw_error *error) {
    bool mixed = reference->type != current->type && !is_empty(reference, reference_rows) &&
                 !is_empty(current, current_rows);
    if (mixed || rows->column_count == rows->column_room)
        return SW_OK;
    if (!rows->picked[0])
        SW_TRY(pick(rows, 0, reference_rows, error));
    if (!rows->picked[1])
        SW_TRY(pick(rows, 1, current_rows, error));
    bool words = reference->type == SW_COLUMN_TEXT && current->type == SW_COLUMN_TEXT;
    uint32_t *codes = NULL;
    double *values = sw_mem_alloc((size_t)(rows->rows[0] + rows->rows[1] + 1) * sizeof *values);
    sw_status status = values ? SW_OK : no_memory(error);
    if (words && values) {
        codes = sw_mem_alloc(((size_t)current->word_count + 1) * sizeof *codes);
        status = codes ? match_words(codes, reference, current, error) : no_memory(error);
    }
    if (sw_failed(status)) {
        sw_mem_free(values);
        sw_mem_free(codes);
        return status;
    }
    for (uint64_t i = 0; i < rows->rows[0]; i++)
        values[i] = value_at(reference, NULL, rows->picked[0][i]);
    for (uint64_t i = 0; i < rows->rows[1]; i++)
        values[rows->rows[0] + i] = value_at(current, codes, rows->picked[1][i]);
    sw_mem_free(codes);
    bool category = reference->type == SW_COLUMN_TEXT || current->type == SW_COLUMN_TEXT;
    rows->names[rows->column_count] = sw_arena_copy(rows->arena, reference->name);
    rows->columns[rows->column_count++] = (sw_domain_column){values, category};
    return SW_OK;
}

sw_status sw_domain_rows_judge(sw_domain_result *out, sw_domain_rows *rows, sw_error *error) {
    size_t all = (size_t)(rows->rows[0] + rows->rows[1]);
    bool *current = sw_mem_zalloc(all + 1, sizeof *current);
    if (!current)
        return no_memory(error);
    for (size_t i = (size_t)rows->rows[0]; i < all; i++)
        current[i] = true;
    sw_status status = sw_domain_classify(out, rows->importance, rows->columns, rows->column_count,
                                          current, all, SEED, error);
    sw_mem_free(current);
    return status;
}

static void write_importances(sw_json *w, const sw_domain_rows *rows) {
    double below = INFINITY;
    sw_json_key(w, "importances");
    sw_json_begin_array(w);
    for (int shown = 0; shown < IMPORTANT_SHOWN; shown++) { /* the next largest */
        double best = 0;
        for (size_t i = 0; i < rows->column_count; i++)
            if (rows->importance[i] < below && rows->importance[i] > best)
                best = rows->importance[i];
        for (size_t i = 0; i < rows->column_count && best > 0; i++) {
            if (rows->importance[i] != best)
                continue;
            sw_json_begin_object(w);
            sw_json_add_str(w, "column", rows->names[i]);
            sw_json_add_f64(w, "share", best);
            sw_json_end_object(w);
        }
        below = best;
    }
    sw_json_end_array(w);
}

void sw_domain_to_json(sw_json *w, const sw_domain_result *result, const sw_domain_rows *rows,
                       double alpha) {
    sw_json_key(w, "multivariate");
    sw_json_begin_object(w);
    sw_json_add_text(w, "test", "domain_classifier");
    sw_json_add_f64(w, "auc", result->auc);
    sw_json_add_f64(w, "p", result->p);
    if (result->defined)
        sw_json_add_bool(w, "drift", result->p <= alpha);
    else
        sw_json_add_null(w, "drift");
    if (result->reason)
        sw_json_add_text(w, "reason", result->reason);
    sw_json_key(w, "rows");
    sw_json_begin_object(w);
    sw_json_add_u64(w, "reference", rows->rows[0]);
    sw_json_add_u64(w, "current", rows->rows[1]);
    sw_json_end_object(w);
    write_importances(w, rows);
    sw_json_end_object(w);
}
