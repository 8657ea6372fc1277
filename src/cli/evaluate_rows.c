/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evaluate_private.h"

#include <math.h>
#include <stdlib.h>

static uint32_t class_of(const sw_eval_classes *classes, double number) {
    for (uint32_t i = 0; i < classes->count; i++)
        if (classes->at[i].number == number)
            return i;
    return SW_TEXT_MISSING;
}

static uint32_t class_of_word(const sw_eval_classes *classes, sw_str word) {
    double number = sw_eval_number_of(word);
    for (uint32_t i = 0; i < classes->count; i++)
        if (sw_str_eq(classes->at[i].word, word) || classes->at[i].number == number)
            return i;
    return SW_TEXT_MISSING;
}

/* What reads one column, whichever type it is. */
typedef struct reader {
    const sw_column *column;
    const sw_eval_classes *classes;
    uint32_t *of_code; /* TEXT: the class of each word */
    double last;       /* NUMBER: the class of the last number */
    uint32_t last_class;
} reader;

static sw_status fail_text(const sw_column *column, const sw_frame *frame, const char *file,
                           sw_error *error) {
    for (uint32_t word = 0; word < column->word_count; word++) {
        if (!isnan(sw_eval_number_of(column->words[word])))
            continue;
        uint64_t row = 0;
        while (row < frame->rows && column->codes[row] != word)
            row++;
        sw_str text = column->words[word];
        return sw_fail(error, SW_CODE_INVALID,
                       "%s, row %llu, column %.*s: '%.*s' is not a number; leave the field empty "
                       "where there is none",
                       file, (unsigned long long)row + 1, SW_STR_ARG(column->name),
                       (int)(text.len < 40 ? text.len : 40), text.at);
    }
    return sw_fail(error, SW_CODE_INVALID,
                   "%s, column %.*s: numbers are needed, and these are text", file,
                   SW_STR_ARG(column->name));
}

static sw_status find_column(const sw_column **out, const sw_frame *frame, sw_str name,
                             const char *file, bool number, sw_error *error) {
    *out = sw_frame_find(frame, name);
    if (!*out)
        return sw_fail(error, SW_CODE_NOT_FOUND, "%s has no column %.*s", file, SW_STR_ARG(name));
    if (number && (*out)->type == SW_COLUMN_TEXT && (*out)->word_count)
        return fail_text(*out, frame, file, error);
    return SW_OK;
}

static double number_at(const sw_column *column, uint64_t row) {
    return column->type == SW_COLUMN_NUMBER ? column->numbers[row] : NAN;
}

static sw_status read_classes(reader *out, const sw_column *column, const sw_eval_classes *classes,
                              sw_arena *arena, sw_error *error) {
    *out = (reader){.column = column, .classes = classes, .last = NAN};
    if (column->type == SW_COLUMN_NUMBER)
        return SW_OK;
    out->of_code = sw_arena_zalloc(arena, (size_t)column->word_count + 1, sizeof *out->of_code);
    if (!out->of_code)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the classes of %.*s",
                       SW_STR_ARG(column->name));
    for (uint32_t i = 0; i < column->word_count; i++)
        out->of_code[i] = class_of_word(classes, column->words[i]);
    return SW_OK;
}

/* SW_TEXT_MISSING where the row has none. */
static uint32_t class_at(reader *in, uint64_t row) {
    const sw_column *column = in->column;
    if (column->type == SW_COLUMN_TEXT)
        return column->codes[row] == SW_TEXT_MISSING ? SW_TEXT_MISSING
                                                     : in->of_code[column->codes[row]];
    double number = column->numbers[row];
    if (!isfinite(number))
        return SW_TEXT_MISSING;
    if (number != in->last) {
        in->last_class = class_of(in->classes, number);
        in->last = number;
    }
    return in->last_class;
}

/* ---- Words of any column, for segments and queries ---- */

typedef struct numbered {
    double number;
    uint64_t row;
} numbered;

static int by_number(const void *a, const void *b) {
    const numbered *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Numbers get the codes 0, 1, … of their distinct values, rising; `words` NULL leaves them
 * unwritten. */
static sw_status code_numbers(uint32_t *codes, sw_str *words, uint32_t *count,
                              const sw_column *column, uint64_t rows, sw_arena *arena,
                              sw_error *error) {
    numbered *sorted = sw_arena_zalloc(arena, rows + 1, sizeof *sorted);
    if (!sorted)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the values of %.*s",
                       SW_STR_ARG(column->name));
    uint64_t present = 0;
    for (uint64_t i = 0; i < rows; i++) {
        codes[i] = SW_TEXT_MISSING;
        if (isfinite(column->numbers[i]))
            sorted[present++] = (numbered){column->numbers[i], i};
    }
    qsort(sorted, present, sizeof *sorted, by_number);
    *count = 0;
    for (uint64_t i = 0; i < present; i++) {
        if (i == 0 || sorted[i].number != sorted[i - 1].number) {
            if (words && *count < SW_EVAL_SEGMENTS_MAX)
                words[*count] = sw_eval_word_of(sorted[i].number, arena);
            ++*count;
        }
        codes[sorted[i].row] = *count - 1;
    }
    return SW_OK;
}

/* Codes of all rows of the frame, in the arena where the column has none of its own. */
static sw_status code_column(uint32_t **codes, sw_str *words, uint32_t *count,
                             const sw_column *column, uint64_t rows, sw_arena *arena,
                             sw_error *error) {
    if (column->type == SW_COLUMN_TEXT) {
        *codes = column->codes;
        *count = column->word_count;
        for (uint32_t i = 0; words && i < *count && i < SW_EVAL_SEGMENTS_MAX; i++)
            words[i] = column->words[i];
        return SW_OK;
    }
    *codes = sw_arena_zalloc(arena, rows + 1, sizeof **codes);
    if (!*codes)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the values of %.*s",
                       SW_STR_ARG(column->name));
    return code_numbers(*codes, words, count, column, rows, arena, error);
}

/* ---- The sample ---- */

typedef struct taking {
    sw_eval_sample *out;
    const sw_eval_plan *plan;
    const sw_column *label, *scores[SW_EVAL_SCORES_MAX];
    reader label_classes, pred_classes;
    uint32_t *query_codes, *segment_codes;
} taking;

static bool has_classes(const sw_eval_plan *plan) {
    return plan->task == SW_QUALITY_BINARY || plan->task == SW_QUALITY_MULTICLASS;
}

static sw_status make_room(sw_eval_sample *out, const sw_eval_plan *plan, uint64_t rows,
                           sw_arena *arena, sw_error *error) {
    bool classes = has_classes(plan), wanted = true;
    size_t n = (size_t)rows + 1,
           columns = plan->task == SW_QUALITY_REGRESSION ? 1 : plan->score_count;
    out->score_count = (uint32_t)columns;
    if (columns)
        wanted &= (out->scores = sw_arena_zalloc(arena, n * columns, sizeof(double))) != NULL;
    if (classes)
        wanted &= (out->labels = sw_arena_zalloc(arena, n, sizeof(uint32_t))) != NULL;
    else
        wanted &= (out->values = sw_arena_zalloc(arena, n, sizeof(double))) != NULL;
    if (classes && plan->pred.len)
        wanted &= (out->decided = sw_arena_zalloc(arena, n, sizeof(uint32_t))) != NULL;
    if (plan->task == SW_QUALITY_RANKING)
        wanted &= (out->queries = sw_arena_zalloc(arena, n, sizeof(uint32_t))) != NULL;
    if (plan->segment.len)
        wanted &= (out->segments = sw_arena_zalloc(arena, n, sizeof(uint32_t))) != NULL;
    if (classes && columns)
        wanted &= (out->estimable = sw_arena_zalloc(arena, n * columns, sizeof(double))) != NULL;
    if (!wanted)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for %llu rows",
                       (unsigned long long)rows);
    return SW_OK;
}

/* Copies a row's scores; false where one is missing. */
static bool take_scores(taking *t, double *to, uint64_t row) {
    for (uint32_t k = 0; k < t->out->score_count; k++) {
        to[k] = number_at(t->scores[k], row);
        if (!isfinite(to[k]))
            return false;
    }
    for (uint32_t k = 0; k < t->out->score_count && has_classes(t->plan); k++) {
        if (!t->out->outside_row && !(to[k] >= 0 && to[k] <= 1)) {
            t->out->outside_row = row + 1;
            t->out->outside_score = to[k];
        }
    }
    return true;
}

/* Appends the row if it has all it needs, else counts what it lacks. */
static void take_row(taking *t, uint64_t row) {
    sw_eval_sample *out = t->out;
    size_t at = out->used;
    bool scored = take_scores(t, out->scores ? out->scores + at * out->score_count : NULL, row);
    if (scored && out->estimable)
        memcpy(out->estimable + out->estimable_count++ * out->score_count,
               out->scores + at * out->score_count, out->score_count * sizeof(double));
    uint32_t label = out->labels ? class_at(&t->label_classes, row) : 0,
             decided = out->decided ? class_at(&t->pred_classes, row) : 0;
    double value = out->values ? number_at(t->label, row) : 0;
    if (label == SW_TEXT_MISSING || !isfinite(value)) {
        out->missing_label++;
    } else if (!scored || decided == SW_TEXT_MISSING) {
        out->missing_score++;
    } else if (out->queries && t->query_codes[row] == SW_TEXT_MISSING) {
        out->missing_query++;
    } else {
        if (out->labels)
            out->labels[at] = label;
        if (out->decided)
            out->decided[at] = decided;
        if (out->values)
            out->values[at] = value;
        if (out->queries)
            out->queries[at] = t->query_codes[row];
        if (out->segments)
            out->segments[at] = t->segment_codes[row];
        out->used++;
    }
}

static sw_status take_segments(taking *t, const sw_frame *frame, const char *file, sw_arena *arena,
                               sw_error *error) {
    const sw_column *column;
    sw_eval_sample *out = t->out;
    SW_TRY(find_column(&column, frame, t->plan->segment, file, false, error));
    out->segment_words = sw_arena_zalloc(arena, SW_EVAL_SEGMENTS_MAX, sizeof *out->segment_words);
    if (!out->segment_words)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the segments");
    SW_TRY(code_column(&t->segment_codes, out->segment_words, &out->segment_count, column,
                       frame->rows, arena, error));
    if (out->segment_count > SW_EVAL_SEGMENTS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "column %.*s has %u different values: --segment takes a column of at most "
                       "%d",
                       SW_STR_ARG(column->name), out->segment_count, SW_EVAL_SEGMENTS_MAX);
    return SW_OK;
}

static sw_status check_gains(const sw_eval_plan *plan, const sw_frame *frame, const char *file,
                             const sw_column *gain, sw_error *error) {
    for (uint64_t row = 0; row < frame->rows; row++)
        if (number_at(gain, row) < 0)
            return sw_fail(error, SW_CODE_INVALID,
                           "%s, row %llu, column %.*s: the gain %g is below 0: 0 says irrelevant, "
                           "more is better",
                           file, (unsigned long long)row + 1, SW_STR_ARG(plan->label),
                           gain->numbers[row]);
    return SW_OK;
}

static sw_status open_columns(taking *t, const sw_eval_classes *classes, const char *file,
                              const sw_frame *frame, sw_arena *arena, sw_error *error) {
    const sw_eval_plan *plan = t->plan;
    const sw_column *pred, *query;
    uint32_t queries;
    bool numbers = !has_classes(plan);
    SW_TRY(find_column(&t->label, frame, plan->label, file, numbers, error));
    if (!numbers)
        SW_TRY(read_classes(&t->label_classes, t->label, classes, arena, error));
    for (uint32_t k = 0; k < plan->score_count; k++)
        SW_TRY(find_column(&t->scores[k], frame, plan->scores[k].column, file, true, error));
    if (plan->pred.len)
        SW_TRY(find_column(&pred, frame, plan->pred, file, numbers, error));
    if (plan->pred.len && numbers)
        t->scores[0] = pred;
    else if (plan->pred.len)
        SW_TRY(read_classes(&t->pred_classes, pred, classes, arena, error));
    if (plan->task != SW_QUALITY_RANKING)
        return SW_OK;
    SW_TRY(check_gains(plan, frame, file, t->label, error));
    SW_TRY(find_column(&query, frame, plan->query, file, false, error));
    return code_column(&t->query_codes, NULL, &queries, query, frame->rows, arena, error);
}

sw_status sw_eval_sample_take(sw_eval_sample *out, const sw_eval_plan *plan,
                              const sw_eval_classes *classes, const char *file,
                              const sw_frame *frame, sw_arena *arena, sw_error *error) {
    *out = (sw_eval_sample){.rows = frame->rows};
    taking t = {.out = out, .plan = plan};
    SW_TRY(make_room(out, plan, frame->rows, arena, error));
    SW_TRY(open_columns(&t, classes, file, frame, arena, error));
    if (plan->segment.len)
        SW_TRY(take_segments(&t, frame, file, arena, error));
    for (uint64_t row = 0; row < frame->rows; row++)
        take_row(&t, row);
    return SW_OK;
}
