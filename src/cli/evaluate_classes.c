/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/evaluate_private.h"

#include "base/num.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_DIGITS_BELOW = 1000000000 }; /* whole numbers up to here are written without a point */

sw_str sw_eval_word_of(double number, sw_arena *arena) {
    char text[SW_NUM_BYTES];
    bool whole = number == floor(number) && fabs(number) < ALL_DIGITS_BELOW;
    size_t len = whole ? sw_num_print_i64(text, (int64_t)number) : sw_num_print_f64(text, number);
    return sw_arena_copy(arena, (sw_str){text, len});
}

double sw_eval_number_of(sw_str word) {
    double number;
    return sw_num_parse_f64(&number, word) == SW_NUM_FITS ? number : NAN;
}

static sw_status fail_classes(sw_str column, sw_error *error) {
    return sw_fail(error, SW_CODE_INVALID,
                   "column %.*s has more than %d different values: for numbers to be predicted "
                   "rather than classes, add --task regression",
                   SW_STR_ARG(column), SW_CLASSES_MAX);
}

static sw_status add_class(sw_eval_classes *classes, sw_str word, double number, sw_str column,
                           sw_error *error) {
    for (uint32_t i = 0; i < classes->count; i++)
        if (sw_str_eq(classes->at[i].word, word) || classes->at[i].number == number)
            return SW_OK;
    if (classes->count == SW_CLASSES_MAX)
        return fail_classes(column, error);
    if (!word.at)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the classes of %.*s",
                       SW_STR_ARG(column));
    classes->at[classes->count++] = (sw_eval_class){word, number};
    return SW_OK;
}

static sw_status add_column(sw_eval_classes *classes, const sw_frame *frame, sw_str name,
                            sw_arena *arena, sw_error *error) {
    const sw_column *column = frame && name.len ? sw_frame_find(frame, name) : NULL;
    if (!column)
        return SW_OK;
    if (column->type == SW_COLUMN_TEXT) {
        for (uint32_t i = 0; i < column->word_count; i++)
            SW_TRY(add_class(classes, column->words[i], sw_eval_number_of(column->words[i]), name,
                             error));
        return SW_OK;
    }
    double last = NAN;
    for (uint64_t i = 0; i < frame->rows; i++) {
        double number = column->numbers[i];
        if (!isfinite(number) || number == last)
            continue;
        SW_TRY(add_class(classes, sw_eval_word_of(number, arena), number, name, error));
        last = number;
    }
    return SW_OK;
}

static int by_class(const void *a, const void *b) {
    const sw_eval_class *x = a, *y = b;
    if (!isnan(x->number) && !isnan(y->number))
        return (x->number > y->number) - (x->number < y->number);
    if (isnan(x->number) != isnan(y->number))
        return isnan(x->number) ? 1 : -1;
    size_t len = x->word.len < y->word.len ? x->word.len : y->word.len;
    int order = memcmp(x->word.at, y->word.at, len);
    return order ? order : (x->word.len > y->word.len) - (x->word.len < y->word.len);
}

static void sort_classes(sw_eval_classes *classes) {
    qsort(classes->at, classes->count, sizeof classes->at[0], by_class);
    classes->numeric = true;
    for (uint32_t i = 0; i < classes->count; i++)
        classes->numeric &= !isnan(classes->at[i].number);
}

/* "a, b, c, …" */
static void list_classes(char *to, size_t size, const sw_eval_classes *classes) {
    size_t used = 0;
    *to = 0;
    for (uint32_t i = 0; i < classes->count && i < 6 && used + 1 < size; i++)
        used += (size_t)snprintf(to + used, size - used, "%s%.*s", i ? ", " : "",
                                 SW_STR_ARG(classes->at[i].word));
    if (classes->count > 6 && used + 1 < size)
        snprintf(to + used, size - used, ", …");
}

static bool are_zero_and_one(const sw_eval_classes *classes) {
    for (uint32_t i = 0; i < classes->count; i++)
        if (classes->at[i].number != 0 && classes->at[i].number != 1)
            return false;
    return true;
}

/* The positive class comes second, whatever its word sorts as; a class that does not occur gets
 * its place all the same. */
static sw_status settle_binary(sw_eval_classes *classes, const sw_eval_plan *plan,
                               sw_error *error) {
    char list[256];
    list_classes(list, sizeof list, classes);
    if (classes->count > 2)
        return sw_fail(error, SW_CODE_INVALID,
                       "column %.*s holds %s: a single score tells two classes apart; for several, "
                       "give a --score CLASS=COLUMN each",
                       SW_STR_ARG(plan->label), list);
    if (!plan->positive.len) {
        if (!are_zero_and_one(classes))
            return sw_fail(
                error, SW_CODE_INVALID,
                "column %.*s holds %s: say which is the positive class: --positive VALUE",
                SW_STR_ARG(plan->label), list);
        classes->at[0] = (sw_eval_class){SW_STR("0"), 0};
        classes->at[1] = (sw_eval_class){SW_STR("1"), 1};
        classes->count = 2;
        return SW_OK;
    }
    double number = sw_eval_number_of(plan->positive);
    sw_eval_class positive = {plan->positive, number}, other = {SW_STR("other"), NAN};
    uint32_t found = 0;
    for (uint32_t i = 0; i < classes->count; i++) {
        bool is = sw_str_eq(classes->at[i].word, positive.word) || classes->at[i].number == number;
        found += is;
        if (is)
            positive = classes->at[i];
        else
            other = classes->at[i];
    }
    if (!found && classes->count == 2)
        return sw_fail(error, SW_CODE_INVALID,
                       "column %.*s holds %s: none of them is --positive %.*s",
                       SW_STR_ARG(plan->label), list, SW_STR_ARG(plan->positive));
    classes->at[0] = other;
    classes->at[1] = positive;
    classes->count = 2;
    return SW_OK;
}

static sw_status settle_named(sw_eval_classes *classes, const sw_eval_plan *plan, sw_error *error) {
    sw_eval_classes named = {0};
    for (uint32_t i = 0; i < plan->score_count; i++)
        named.at[named.count++] =
            (sw_eval_class){plan->scores[i].of, sw_eval_number_of(plan->scores[i].of)};
    for (uint32_t i = 0; i < classes->count; i++) {
        uint32_t before = named.count;
        SW_TRY(add_class(&named, classes->at[i].word, classes->at[i].number, plan->label, error));
        if (named.count > before)
            return sw_fail(
                error, SW_CODE_INVALID,
                "column %.*s holds %.*s, a class without a score: add --score %.*s=COLUMN",
                SW_STR_ARG(plan->label), SW_STR_ARG(classes->at[i].word),
                SW_STR_ARG(classes->at[i].word));
    }
    *classes = named; /* in the order of the scores: not sorted, so not searched as sorted */
    return SW_OK;
}

/* Scores without names are of the classes in order: 0, 1, 2, … or the sorted words. */
static sw_status settle_unnamed(sw_eval_classes *classes, const sw_eval_plan *plan, sw_arena *arena,
                                sw_error *error) {
    bool codes = classes->numeric;
    for (uint32_t i = 0; i < classes->count; i++)
        codes &= classes->at[i].number == floor(classes->at[i].number) &&
                 classes->at[i].number >= 0 && classes->at[i].number < plan->score_count;
    if (codes) {
        classes->count = plan->score_count;
        for (uint32_t i = 0; i < plan->score_count; i++)
            classes->at[i] = (sw_eval_class){sw_eval_word_of(i, arena), i};
        return SW_OK;
    }
    if (classes->count == plan->score_count)
        return SW_OK;
    char list[256];
    list_classes(list, sizeof list, classes);
    return sw_fail(error, SW_CODE_INVALID,
                   "column %.*s holds %u classes (%s), and there are %u scores: name them, --score "
                   "CLASS=COLUMN, one for each class",
                   SW_STR_ARG(plan->label), classes->count, list, plan->score_count);
}

/* "red" of "p[red]"; empty where there is none. */
static sw_str in_brackets(sw_str column) {
    const char *open = column.len ? memchr(column.at, '[', column.len) : NULL;
    if (!open || column.at[column.len - 1] != ']')
        return (sw_str){0};
    return (sw_str){open + 1, (size_t)(column.at + column.len - 1 - (open + 1))};
}

/* Scores that are exported as p[red], p[blue], … are of the classes that they name, if all labels are
 * among these. */
static void name_by_columns(sw_eval_plan *plan, const sw_eval_classes *classes) {
    uint32_t known = 0;
    for (uint32_t i = 0; i < plan->score_count; i++) {
        sw_str name = in_brackets(plan->scores[i].column);
        if (name.len == 0 || plan->scores[i].of.len)
            return;
        for (uint32_t k = 0; k < i; k++)
            if (sw_str_eq(in_brackets(plan->scores[k].column), name))
                return;
    }
    for (uint32_t k = 0; k < classes->count; k++)
        for (uint32_t i = 0; i < plan->score_count; i++) {
            sw_str name = in_brackets(plan->scores[i].column);
            if (sw_str_eq(classes->at[k].word, name) ||
                classes->at[k].number == sw_eval_number_of(name)) {
                known++;
                break;
            }
        }
    for (uint32_t i = 0; known == classes->count && i < plan->score_count; i++)
        plan->scores[i].of = in_brackets(plan->scores[i].column);
}

static bool is_number(const sw_frame *frame, sw_str name) {
    const sw_column *column = sw_frame_find(frame, name);
    return column && column->type == SW_COLUMN_NUMBER;
}

/* By what is given; two columns of numbers are a regression unless all are 0 and 1. */
static sw_quality_task infer(const sw_eval_plan *plan, const sw_eval_classes *classes,
                             bool too_many, const sw_frame *frame) {
    if (plan->query.len)
        return SW_QUALITY_RANKING;
    if (plan->score_count)
        return plan->score_count > 1 ? SW_QUALITY_MULTICLASS : SW_QUALITY_BINARY;
    bool numbers = is_number(frame, plan->label) && is_number(frame, plan->pred);
    if (plan->positive.len || (!too_many && classes->count && are_zero_and_one(classes)))
        return SW_QUALITY_BINARY;
    return numbers ? SW_QUALITY_REGRESSION : SW_QUALITY_MULTICLASS;
}

sw_status sw_eval_classes_find(sw_eval_classes *out, sw_eval_plan *plan, const sw_frame *frame,
                               const sw_frame *baseline, sw_arena *arena, sw_error *error) {
    *out = (sw_eval_classes){0};
    bool wanted = !plan->query.len && !(plan->task_given && (plan->task == SW_QUALITY_REGRESSION ||
                                                             plan->task == SW_QUALITY_RANKING));
    sw_status status = SW_OK;
    const sw_frame *const frames[] = {frame, baseline};
    for (int i = 0; i < 2 && wanted && !sw_failed(status); i++) {
        status = add_column(out, frames[i], plan->label, arena, error);
        if (!sw_failed(status))
            status = add_column(out, frames[i], plan->pred, arena, error);
    }
    if (sw_failed(status) && status.code != SW_CODE_INVALID)
        return status;
    if (!plan->task_given)
        plan->task = infer(plan, out, sw_failed(status), frame);
    if (plan->task == SW_QUALITY_REGRESSION || plan->task == SW_QUALITY_RANKING)
        return SW_OK;
    SW_TRY(status);
    sort_classes(out);
    if (plan->task == SW_QUALITY_BINARY)
        return settle_binary(out, plan, error);
    if (plan->score_count)
        name_by_columns(plan, out);
    if (plan->score_count)
        return plan->scores[0].of.len ? settle_named(out, plan, error)
                                      : settle_unnamed(out, plan, arena, error);
    return SW_OK;
}
