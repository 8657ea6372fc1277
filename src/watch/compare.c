/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/compare.h"

#include "base/mem.h"
#include "stats/compat_evidently.h"
#include "stats/multiple.h"
#include "watch/compare_private.h"

#include <math.h>
#include <stdlib.h>

#define EVIDENTLY_DATASET_SHARE 0.5

void sw_compare_defaults(sw_compare_options *out) {
    *out = (sw_compare_options){.alpha = 0.05, .tolerance = 0.02};
}

bool sw_compare_knows(const sw_compare_options *options, const char *test, const char **known) {
    static const char *const own[] = {"ks", "chisquare", "cramer_von_mises", "mannw", "t_test"};
    if (options->evidently)
        return sw_evidently_knows(test, known);
    if (known)
        *known = "ks, chisquare, cramer_von_mises, mannw, t_test";
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(own[i], test) == 0)
            return true;
    return false;
}

void sw_compare_begin(sw_comparison *out, const sw_compare_options *options, sw_arena *arena) {
    *out = (sw_comparison){.options = *options, .arena = arena};
}

/* Grows in the arena: what is outgrown goes with it. */
static sw_status next_column(sw_compared **out, sw_comparison *comparison, sw_str name,
                             sw_error *error) {
    if (comparison->column_count == comparison->column_room) {
        size_t room = comparison->column_room ? 2 * comparison->column_room : 32;
        sw_compared *grown = sw_arena_zalloc(comparison->arena, room, sizeof *grown);
        if (!grown)
            return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for %zu columns", room);
        if (comparison->column_count)
            memcpy(grown, comparison->columns, comparison->column_count * sizeof *grown);
        comparison->columns = grown;
        comparison->column_room = room;
    }
    *out = &comparison->columns[comparison->column_count++];
    **out = (sw_compared){.name = sw_arena_copy(comparison->arena, name),
                          .score = NAN,
                          .threshold = NAN,
                          .psi = NAN,
                          .jensen_shannon = NAN,
                          .hellinger = NAN,
                          .wasserstein_normed = NAN,
                          .median = {NAN, NAN}};
    for (int i = 0; i < SW_FINDING_KINDS; i++)
        (*out)->signals[i] =
            (sw_compared_signal){.p = NAN, .adjusted = NAN, .statistic = NAN, .effect = NAN};
    return SW_OK;
}

static sw_status compare_as_evidently(sw_compared *out, const sw_prepared *prepared,
                                      const sw_compare_options *options, sw_error *error) {
    sw_evidently result;
    if (prepared->kind == SW_COMPARED_NUMBER)
        SW_TRY(sw_evidently_numbers(&result, &prepared->samples, options->test, NAN, error));
    else
        SW_TRY(sw_evidently_categories(&result, &prepared->counts, options->test, NAN, error));
    out->test = result.test;
    out->score = result.score;
    out->threshold = result.threshold;
    out->defined = result.defined;
    out->drift = result.drift;
    out->reason = result.reason;
    if (prepared->mixed && prepared->unfit[0] + prepared->unfit[1] > 0) {
        out->score = NAN;
        out->defined = out->drift = false;
        out->reason = "numbers on one side and text on the other";
    }
    return SW_OK;
}

sw_status sw_compare_column(sw_comparison *comparison, const sw_column *reference,
                            uint64_t reference_rows, const sw_column *current,
                            uint64_t current_rows, sw_error *error) {
    const sw_compare_options *options = &comparison->options;
    const uint64_t rows[2] = {reference_rows, current_rows};
    sw_compared *out = NULL;
    SW_TRY(next_column(&out, comparison, reference->name, error));
    out->rows[0] = reference_rows;
    out->missing[0] = reference->missing;
    out->kind = reference->type == SW_COLUMN_TEXT ? SW_COMPARED_CATEGORY : SW_COMPARED_NUMBER;
    if (!current) {
        out->reason = "the column is gone from the current data";
        out->drift = out->defined = !options->evidently;
        return SW_OK;
    }
    out->rows[1] = current_rows;
    out->missing[1] = current->missing;
    if (sw_str_in(options->texts, options->text_count, reference->name)) {
        if (!options->evidently)
            sw_compare_missing(out);
        return sw_compare_text(out, reference, current, rows, options, error);
    }
    sw_prepared prepared;
    bool as_category = sw_str_in(options->categories, options->category_count, reference->name);
    sw_status status = sw_prepare(&prepared, reference, current, rows, as_category, error);
    out->kind = prepared.kind;
    if (!sw_failed(status))
        status = sw_compare_effects(out, &prepared, error);
    if (!sw_failed(status))
        status = sw_compare_draw(out, &prepared, comparison->arena, error);
    if (!sw_failed(status))
        status = options->evidently
                     ? compare_as_evidently(out, &prepared, options, error)
                     : sw_compare_own(out, &prepared, options, comparison->arena, error);
    sw_prepared_free(&prepared);
    return status;
}

sw_status sw_compare_added(sw_comparison *comparison, sw_str column, sw_error *error) {
    size_t count = comparison->added_count;
    if ((count & (count - 1)) == 0) { /* at each power of two: room for as many more */
        sw_str *grown = sw_arena_zalloc(comparison->arena, count ? 2 * count : 1, sizeof *grown);
        if (!grown)
            return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for %zu columns", count);
        if (count)
            memcpy(grown, comparison->added, count * sizeof *grown);
        comparison->added = grown;
    }
    comparison->added[comparison->added_count++] = sw_arena_copy(comparison->arena, column);
    return SW_OK;
}

/* A column has drifted where a signal has; it is undefined where its distribution is and no other
 * signal speaks. */
static void judge(sw_compared *column, const sw_compare_options *options) {
    for (int i = 0; i < SW_FINDING_KINDS; i++) {
        sw_compared_signal *signal = &column->signals[i];
        signal->drift = signal->adjusted <= options->alpha && signal->effect >= options->tolerance;
        column->drift = column->drift || signal->drift;
    }
    const sw_compared_signal *distribution = &column->signals[SW_FINDING_DISTRIBUTION];
    if (isnan(distribution->p) && column->test)
        column->reason = "the test has no value: neither side varies";
    if (!isnan(distribution->p)) {
        column->score = distribution->adjusted;
        column->threshold = options->alpha;
    }
    column->defined = column->defined || column->drift || !isnan(distribution->p);
}

static sw_status correct(sw_comparison *comparison, sw_error *error) {
    size_t count = comparison->column_count * SW_FINDING_KINDS;
    double *p = sw_mem_alloc((2 * count + 1) * sizeof *p);
    if (!p)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to correct %zu p-values", count);
    for (size_t i = 0; i < count; i++)
        p[i] = comparison->columns[i / SW_FINDING_KINDS].signals[i % SW_FINDING_KINDS].p;
    sw_status status = sw_adjust_benjamini_hochberg(p + count, p, count);
    for (size_t i = 0; i < count && !sw_failed(status); i++)
        comparison->columns[i / SW_FINDING_KINDS].signals[i % SW_FINDING_KINDS].adjusted =
            p[count + i];
    for (size_t i = 0; i < comparison->column_count && !sw_failed(status); i++)
        judge(&comparison->columns[i], &comparison->options);
    sw_mem_free(p);
    return sw_failed(status) ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory to rank p-values")
                             : SW_OK;
}

sw_status sw_compare_end(sw_comparison *comparison, sw_error *error) {
    if (!comparison->options.evidently)
        SW_TRY(correct(comparison, error));
    comparison->drifted = comparison->defined = 0;
    for (size_t i = 0; i < comparison->column_count; i++) {
        comparison->defined += comparison->columns[i].defined;
        comparison->drifted += comparison->columns[i].drift;
    }
    comparison->share =
        comparison->defined ? (double)comparison->drifted / (double)comparison->defined : NAN;
    comparison->dataset_drift = comparison->options.evidently
                                    ? comparison->share >= EVIDENTLY_DATASET_SHARE
                                    : comparison->drifted > 0;
    return SW_OK;
}
