/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/num.h"
#include "watch/compare_private.h"

#include <math.h>
#include <stdlib.h>

void sw_prepared_free(sw_prepared *prepared) {
    for (size_t i = 0; i < sizeof prepared->blocks / sizeof prepared->blocks[0]; i++)
        sw_mem_free(prepared->blocks[i]);
    *prepared = (sw_prepared){0};
}

/* A block that sw_prepared_free frees. */
static sw_status take(void **out, sw_prepared *prepared, size_t slot, size_t count, size_t size,
                      sw_error *error) {
    *out = prepared->blocks[slot] = sw_mem_zalloc(count + 1, size);
    return *out ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "no memory to compare a column");
}

static bool is_text(const sw_column *column, uint64_t rows) {
    return column->type == SW_COLUMN_TEXT && column->missing < rows;
}

/* The numbers of a column; of words those that are some. */
static sw_status gather(double *out, size_t *count, uint64_t *unfit, const sw_column *column,
                        uint64_t rows, sw_error *error) {
    size_t kept = 0;
    *unfit = 0;
    if (column->type == SW_COLUMN_NUMBER) {
        memcpy(out, column->numbers, (size_t)rows * sizeof *out);
        kept = (size_t)rows;
    } else {
        double *values = sw_mem_alloc(((size_t)column->word_count + 1) * sizeof *values);
        if (!values)
            return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to compare a column");
        for (uint32_t i = 0; i < column->word_count; i++)
            if (sw_num_parse_f64(&values[i], sw_str_trim(column->words[i])) == SW_NUM_MALFORMED)
                values[i] = NAN;
        for (uint64_t i = 0; i < rows; i++) {
            uint32_t code = column->codes[i];
            if (code == SW_TEXT_MISSING)
                continue;
            if (isnan(values[code]))
                (*unfit)++;
            else
                out[kept++] = values[code];
        }
        sw_mem_free(values);
    }
    *count = sw_samples_keep_finite(out, kept);
    return SW_OK;
}

static sw_status prepare_numbers(sw_prepared *out, const sw_column *const columns[2],
                                 const uint64_t rows[2], sw_error *error) {
    void *values[2], *scratch = NULL;
    size_t count[2] = {0}, most = (size_t)(rows[0] > rows[1] ? rows[0] : rows[1]);
    SW_TRY(take(&scratch, out, 2, most, sizeof(double), error));
    for (int side = 0; side < 2; side++) {
        SW_TRY(take(&values[side], out, (size_t)side, (size_t)rows[side], sizeof(double), error));
        SW_TRY(gather(values[side], &count[side], &out->unfit[side], columns[side], rows[side],
                      error));
        sw_samples_sort(values[side], scratch, count[side]);
        out->used[side] = count[side];
    }
    sw_mem_free(out->blocks[2]);
    out->blocks[2] = NULL;
    out->kind = SW_COMPARED_NUMBER;
    out->samples = (sw_samples){values[0], values[1], count[0], count[1]};
    return SW_OK;
}

/* Numbers that stand for categories. */
static sw_status count_values(sw_prepared *out, sw_error *error) {
    size_t distinct = sw_samples_distinct(&out->samples), at = 0;
    void *a, *b, *levels;
    SW_TRY(take(&a, out, 2, distinct, sizeof(uint64_t), error));
    SW_TRY(take(&b, out, 3, distinct, sizeof(uint64_t), error));
    SW_TRY(take(&levels, out, 4, distinct, sizeof(double), error));
    for (sw_walk walk = {0}; sw_walk_next(&walk, &out->samples); at++) {
        ((uint64_t *)a)[at] = walk.run.a;
        ((uint64_t *)b)[at] = walk.run.b;
        ((double *)levels)[at] = walk.run.value;
    }
    out->kind = SW_COMPARED_CATEGORY;
    out->counts = (sw_two_counts){a, b, distinct};
    out->levels = levels;
    return SW_OK;
}

typedef struct word {
    sw_str text;
    uint64_t count;
    int side;
} word;

static int compare_words(const void *a, const void *b) {
    const word *x = a, *y = b;
    return sw_str_order(x->text, y->text);
}

static void count_words(word *words, uint64_t *used, const sw_column *column, uint64_t rows,
                        int side) {
    if (column->type != SW_COLUMN_TEXT)
        return;
    for (uint32_t i = 0; i < column->word_count; i++)
        words[i] = (word){column->words[i], 0, side};
    for (uint64_t i = 0; i < rows; i++)
        if (column->codes[i] != SW_TEXT_MISSING) {
            words[column->codes[i]].count++;
            (*used)++;
        }
}

static size_t words_of(const sw_column *column) {
    return column->type == SW_COLUMN_TEXT ? column->word_count : 0;
}

static sw_status prepare_words(sw_prepared *out, const sw_column *const columns[2],
                               const uint64_t rows[2], sw_error *error) {
    size_t first = words_of(columns[0]), all = first + words_of(columns[1]), count = 0;
    void *block, *a, *b, *labels;
    SW_TRY(take(&block, out, 5, all, sizeof(word), error));
    SW_TRY(take(&a, out, 2, all, sizeof(uint64_t), error));
    SW_TRY(take(&b, out, 3, all, sizeof(uint64_t), error));
    SW_TRY(take(&labels, out, 4, all, sizeof(sw_str), error));
    word *words = block;
    uint64_t *counts[2] = {a, b};
    sw_str *names = labels;
    count_words(words, &out->used[0], columns[0], rows[0], 0);
    count_words(words + first, &out->used[1], columns[1], rows[1], 1);
    if (all > 1)
        qsort(words, all, sizeof *words, compare_words);
    for (size_t i = 0; i < all; i++) {
        if (count == 0 || !sw_str_eq(names[count - 1], words[i].text))
            names[count++] = words[i].text;
        counts[words[i].side][count - 1] += words[i].count;
    }
    out->kind = SW_COMPARED_CATEGORY;
    out->counts = (sw_two_counts){a, b, count};
    out->labels = labels;
    return SW_OK;
}

sw_status sw_prepare(sw_prepared *out, const sw_column *reference, const sw_column *current,
                     const uint64_t rows[2], bool as_category, sw_error *error) {
    const sw_column *const columns[2] = {reference, current};
    *out = (sw_prepared){0};
    bool words[2] = {is_text(reference, rows[0]), is_text(current, rows[1])};
    bool numbers[2] = {!words[0] && reference->missing < rows[0],
                       !words[1] && current->missing < rows[1]};
    out->mixed = (words[0] && numbers[1]) || (words[1] && numbers[0]);
    if ((words[0] || words[1]) && !out->mixed)
        return prepare_words(out, columns, rows, error);
    if (reference->type == SW_COLUMN_TEXT && current->type == SW_COLUMN_TEXT)
        return prepare_words(out, columns, rows, error); /* both hold nothing */
    SW_TRY(prepare_numbers(out, columns, rows, error));
    return as_category ? count_values(out, error) : SW_OK;
}
