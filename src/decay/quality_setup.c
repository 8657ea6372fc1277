/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a version's outputs and labels mean.
 *
 * The owner's settings say it, or the outputs' shapes and the first labels do: two scores a row are
 * a binary classifier's (the second is that of the positive class), more are a multiclass one's;
 * one score within [0, 1] and labels 0 and 1 are binary, any other single number is a regression's;
 * an output of whole numbers or texts alone is a decision. Where a model says both its decision and
 * its scores, the rows themselves tell which score belongs to which class.
 */
#include "base/num.h"
#include "decay/decay_private.h"

#include <math.h>
#include <stdio.h>

/* "proba[1]" → "proba"; an output of one element is its own. */
static sw_str output_of(sw_str column) {
    if (column.len && column.at[column.len - 1] == ']')
        for (size_t i = column.len; i-- > 1;)
            if (column.at[i] == '[')
                return (sw_str){column.at, i};
    return column;
}

static bool is_float(sw_plog_type type) {
    return type == SW_PLOG_F32 || type == SW_PLOG_F64;
}

static bool is_decision(sw_plog_type type) {
    return type == SW_PLOG_I64 || type == SW_PLOG_TEXT;
}

/* ---- The first labelled rows ---- */

typedef struct sample {
    const quality_setup *setup;
    decay_model *model;
    uint32_t rows, named;
    bool all_binary, scores_in_unit, enough;
    double label_max;
    double class_of[QUALITY_CLASSES_MAX];
} sample;

static bool want_outputs(const sw_plog_column *column, void *context) {
    const sample *s = context;
    return sw_quality_wants(s->setup, column);
}

/* The code of a class that the model names; NaN where no label was ever called so. */
static double code_of(decay_model *model, sw_str name) {
    double code = NAN;
    pthread_mutex_lock(&model->lock);
    for (uint32_t i = 0; i < model->class_count && isnan(code); i++)
        if (sw_str_is(name, model->classes[i].name))
            code = i;
    pthread_mutex_unlock(&model->lock);
    return code;
}

static double decision_value(const quality_columns *columns, decay_model *model, bool named,
                             size_t row) {
    double number;
    if (columns->decisions)
        return columns->decisions[row];
    if (!columns->names)
        return NAN;
    if (named)
        return code_of(model, columns->names[row]);
    return sw_num_parse_f64(&number, columns->names[row]) == SW_NUM_FITS ? number : NAN;
}

/* The decision is that of the highest score. */
static void learn_class(sample *s, const quality_columns *columns, bool named, size_t row) {
    uint32_t best = 0, width = s->setup->width;
    for (uint32_t k = 1; k < width; k++)
        if (columns->scores[k][row] > columns->scores[best][row])
            best = k;
    s->class_of[best] = decision_value(columns, s->model, named, row);
}

static sw_status visit_sample(const plog_view *view, void *context, sw_error *error) {
    sample *s = context;
    quality_columns columns;
    (void)error;
    if (!sw_quality_columns_of(&columns, s->setup, &view->rows))
        return SW_OK;
    for (size_t i = 0; i < view->rows.count && s->rows < QUALITY_SAMPLE; i++) {
        const sw_plog_label *label = &view->labels[i];
        if (label->kind == PLOG_LABEL_NONE)
            continue;
        s->rows++;
        s->named += label->kind == PLOG_LABEL_CLASS;
        s->all_binary &= label->value == 0 || label->value == 1;
        s->label_max = fmax(s->label_max, fabs(label->value));
        if (s->setup->width == 1)
            s->scores_in_unit &= columns.scores[0][i] >= 0 && columns.scores[0][i] <= 1;
        if (s->setup->width > 1 && s->setup->decision.len)
            learn_class(s, &columns, label->kind == PLOG_LABEL_CLASS, i);
    }
    s->enough = s->rows == QUALITY_SAMPLE;
    return SW_OK;
}

/* ---- Outputs ---- */

typedef struct outputs {
    const sw_monitor_settings *settings;
    sw_arena *arena;
    quality_setup *setup;
    bool seen, failed;
} outputs;

static uint32_t width_of(const sw_plog_rows *rows, sw_str output) {
    uint32_t width = 0;
    for (uint32_t i = 0; i < rows->column_count; i++)
        width += rows->columns[i].output && sw_str_eq(output_of(rows->columns[i].name), output);
    return width;
}

/* Several scores before one, in the order of the outputs. */
static void choose_scores(outputs *o, const sw_plog_rows *rows) {
    for (uint32_t least = 2; least >= 1 && o->setup->width == 0; least--)
        for (uint32_t i = 0; i < rows->column_count && o->setup->width == 0; i++) {
            const sw_plog_column *column = &rows->columns[i];
            sw_str output = output_of(column->name);
            bool wanted = o->settings->output.len == 0 || sw_str_eq(output, o->settings->output);
            uint32_t width = width_of(rows, output);
            if (!column->output || !is_float(column->type) || !wanted || width < least ||
                width > QUALITY_CLASSES_MAX)
                continue;
            o->setup->output = sw_arena_copy(o->arena, output);
            o->setup->width = width;
        }
}

static void choose_decision(outputs *o, const sw_plog_rows *rows) {
    for (uint32_t i = 0; i < rows->column_count && o->setup->decision.len == 0; i++) {
        const sw_plog_column *column = &rows->columns[i];
        bool wanted = o->setup->width || o->settings->output.len == 0 ||
                      sw_str_eq(column->name, o->settings->output);
        if (column->output && is_decision(column->type) && wanted &&
            sw_str_eq(output_of(column->name), column->name))
            o->setup->decision = sw_arena_copy(o->arena, column->name);
    }
}

static sw_status visit_outputs(const plog_view *view, void *context, sw_error *error) {
    outputs *o = context;
    (void)error;
    if (o->seen)
        return SW_OK;
    o->seen = true;
    choose_scores(o, &view->rows);
    choose_decision(o, &view->rows);
    return SW_OK;
}

static bool want_nothing(const sw_plog_column *column, void *context) {
    (void)column;
    (void)context;
    return false;
}

/* ---- The task ---- */

static sw_task_kind task_of(const quality_setup *setup, const sample *s) {
    if (setup->width >= 2)
        return setup->width == 2 ? SW_TASK_BINARY : SW_TASK_MULTICLASS;
    if (s->rows == 0)
        return SW_TASK_AUTO;
    if (setup->width == 1)
        return s->all_binary && s->scores_in_unit ? SW_TASK_BINARY : SW_TASK_REGRESSION;
    if (setup->decision.len == 0)
        return SW_TASK_AUTO;
    if (s->all_binary && s->named == 0)
        return SW_TASK_BINARY;
    return s->named || s->label_max < QUALITY_CLASSES_MAX ? SW_TASK_MULTICLASS : SW_TASK_REGRESSION;
}

/* Of two names the one that sorts last is positive, as scikit-learn orders classes. */
static void choose_positive(quality_setup *setup, const sw_monitor_settings *settings,
                            decay_model *model) {
    sw_str wanted = settings->positive;
    setup->positive = 1;
    if (!setup->named) {
        double number;
        if (wanted.len && sw_num_parse_f64(&number, wanted) == SW_NUM_FITS)
            setup->positive = number;
        return;
    }
    setup->positive = wanted.len ? code_of(model, wanted) : 0;
    pthread_mutex_lock(&model->lock);
    for (uint32_t i = 0; wanted.len == 0 && i < model->class_count; i++)
        if (strcmp(model->classes[i].name, model->classes[(uint32_t)setup->positive].name) > 0)
            setup->positive = i;
    pthread_mutex_unlock(&model->lock);
}

static uint32_t class_count(const quality_setup *setup, const sample *s, decay_model *model) {
    if (setup->width)
        return setup->width;
    double count = setup->named ? model->class_count : s->label_max + 1;
    return count < 2 ? 2 : count > QUALITY_CLASSES_MAX ? QUALITY_CLASSES_MAX : (uint32_t)count;
}

/* Where nothing was learnt: numbers are indexes, names are in their order. */
static void complete_classes(quality_setup *setup, const sample *s, decay_model *model) {
    for (uint32_t k = 0; k < QUALITY_CLASSES_MAX; k++) {
        setup->class_of[k] = s->class_of[k];
        if (setup->decision.len && setup->width)
            continue;
        setup->class_of[k] = k;
        if (!setup->named || setup->width == 0 || model->class_count != setup->width)
            continue;
        pthread_mutex_lock(&model->lock);
        for (uint32_t i = 0; i < model->class_count; i++) {
            uint32_t before = 0;
            for (uint32_t j = 0; j < model->class_count; j++)
                before += strcmp(model->classes[j].name, model->classes[i].name) < 0;
            if (before == k)
                setup->class_of[k] = i;
        }
        pthread_mutex_unlock(&model->lock);
    }
}

static void describe(quality_setup *setup) {
    snprintf(setup->text, sizeof setup->text, "%d %.64s %u %.64s %g %g %d", (int)setup->task,
             setup->output.len ? setup->output.at : "-", setup->width,
             setup->decision.len ? setup->decision.at : "-", setup->threshold, setup->positive,
             setup->named);
}

sw_status sw_quality_setup_find(quality_setup *out, sw_decay *decay, plog_store *store,
                                const sw_monitor_settings *settings, sw_arena *arena,
                                sw_error *error) {
    *out = (quality_setup){.threshold = settings->threshold};
    outputs o = {.settings = settings, .arena = arena, .setup = out};
    decay_model *model;
    SW_TRY(sw_decay_model_of(&model, decay, sw_str_of(store->model), error));
    plog_scan scan = {.from_ms = INT64_MIN,
                      .to_ms = INT64_MAX,
                      .without_ids = true,
                      .want = want_nothing,
                      .visit = visit_outputs,
                      .until = &o.seen,
                      .context = &o};
    SW_TRY(sw_plog_scan_store(store, &scan, error));
    sample s = {.setup = out, .model = model, .all_binary = true, .scores_in_unit = true};
    for (uint32_t k = 0; k < QUALITY_CLASSES_MAX; k++)
        s.class_of[k] = NAN;
    plog_scan first = {.from_ms = INT64_MIN,
                       .to_ms = INT64_MAX,
                       .without_ids = true,
                       .with_labels = true,
                       .want = want_outputs,
                       .visit = visit_sample,
                       .until = &s.enough,
                       .context = &s};
    SW_TRY(sw_plog_scan_store(store, &first, error));
    out->named = s.named > 0;
    out->task = settings->task != SW_TASK_AUTO ? settings->task : task_of(out, &s);
    choose_positive(out, settings, model);
    out->classes = class_count(out, &s, model);
    complete_classes(out, &s, model);
    describe(out);
    return SW_OK;
}

/* ---- Rows ---- */

bool sw_quality_wants(const quality_setup *setup, const sw_plog_column *column) {
    return column->output && ((setup->width && sw_str_eq(output_of(column->name), setup->output)) ||
                              (setup->decision.len && sw_str_eq(column->name, setup->decision)));
}

bool sw_quality_columns_of(quality_columns *out, const quality_setup *setup,
                           const sw_plog_rows *rows) {
    uint32_t found = 0;
    *out = (quality_columns){0};
    for (uint32_t i = 0; i < rows->column_count; i++) {
        const sw_plog_column *column = &rows->columns[i];
        if (!sw_quality_wants(setup, column))
            continue;
        if (setup->width && sw_str_eq(output_of(column->name), setup->output)) {
            if (found == setup->width || !rows->numbers[i])
                return false;
            out->scores[found++] = rows->numbers[i];
        } else {
            out->decisions = rows->numbers[i];
            out->names = rows->texts[i];
        }
    }
    return setup->width ? found == setup->width : out->decisions || out->names;
}

double sw_quality_score_of(const quality_columns *columns, const quality_setup *setup, size_t row) {
    if (setup->width == 0)
        return NAN;
    return columns->scores[setup->width == 2 ? 1 : 0][row];
}

const double *sw_quality_scores_of(quality_columns *columns, const quality_setup *setup,
                                   size_t row) {
    for (uint32_t k = 0; k < setup->width; k++) {
        columns->row[k] = columns->scores[k][row];
        if (isnan(columns->row[k]))
            return NULL;
    }
    return setup->width ? columns->row : NULL;
}

/* The index of the class that this label says; -1 for none. */
static int32_t class_index(const quality_setup *setup, double label) {
    for (uint32_t k = 0; k < setup->classes; k++)
        if (setup->class_of[k] == label)
            return (int32_t)k;
    return -1;
}

static bool binary_row(quality_row *out, const quality_columns *columns, const quality_setup *setup,
                       decay_model *model, size_t row, const sw_plog_label *label) {
    out->label = label->value == setup->positive;
    out->score = sw_quality_score_of(columns, setup, row);
    if (setup->width)
        return out->score >= 0 && out->score <= 1;
    double decision = decision_value(columns, model, setup->named, row);
    out->decided = decision == setup->positive;
    return !isnan(decision);
}

static bool class_row(quality_row *out, quality_columns *columns, const quality_setup *setup,
                      decay_model *model, size_t row, const sw_plog_label *label) {
    int32_t index = class_index(setup, label->value);
    out->label = index;
    if (index < 0)
        return false;
    if (setup->width == 0) {
        int32_t decided = class_index(setup, decision_value(columns, model, setup->named, row));
        out->decided = (uint32_t)decided;
        return decided >= 0;
    }
    out->scores = sw_quality_scores_of(columns, setup, row);
    if (!out->scores)
        return false;
    out->decided = sw_class_of(out->scores, setup->width);
    return true;
}

bool sw_quality_row_of(quality_row *out, quality_columns *columns, const quality_setup *setup,
                       decay_model *model, size_t row, const sw_plog_label *label) {
    *out = (quality_row){0};
    if (label->kind == PLOG_LABEL_NONE || (label->kind == PLOG_LABEL_CLASS) != setup->named)
        return false;
    switch (setup->task) {
    case SW_TASK_BINARY: return binary_row(out, columns, setup, model, row, label);
    case SW_TASK_MULTICLASS: return class_row(out, columns, setup, model, row, label);
    case SW_TASK_REGRESSION:
    case SW_TASK_RANKING:
        out->score = setup->width ? sw_quality_score_of(columns, setup, row)
                                  : decision_value(columns, model, false, row);
        out->label = label->value;
        return isfinite(out->score) && !setup->named &&
               (setup->task == SW_TASK_REGRESSION || label->value >= 0);
    case SW_TASK_AUTO: break;
    }
    return false;
}

sw_status sw_quality_sums_make(sw_quality **out, const quality_setup *setup, sw_error *error) {
    static const sw_quality_task tasks[] = {[SW_TASK_AUTO] = SW_QUALITY_REGRESSION,
                                            [SW_TASK_BINARY] = SW_QUALITY_BINARY,
                                            [SW_TASK_MULTICLASS] = SW_QUALITY_MULTICLASS,
                                            [SW_TASK_REGRESSION] = SW_QUALITY_REGRESSION,
                                            [SW_TASK_RANKING] = SW_QUALITY_RANKING};
    return sw_quality_make(out, tasks[setup->task], setup->classes, setup->threshold, false, error);
}

void sw_quality_sums_add(sw_quality *sums, const quality_setup *setup, const quality_row *row) {
    if (setup->task == SW_TASK_REGRESSION)
        sw_quality_add_value(sums, row->score, row->label);
    else if (setup->task == SW_TASK_MULTICLASS && row->scores)
        sw_quality_add_classes(sums, row->scores, (uint32_t)row->label);
    else if (setup->task == SW_TASK_BINARY && setup->width)
        sw_quality_add_binary(sums, row->score, row->label != 0);
    else if (setup->task != SW_TASK_RANKING)
        sw_quality_add_decision(sums, row->decided, (uint32_t)row->label);
}

bool sw_quality_passes(const quality_filter *filter, const sw_plog_rows *rows, size_t row) {
    if (filter->column.len == 0)
        return true;
    for (uint32_t i = 0; i < rows->column_count; i++) {
        double number;
        if (!sw_str_eq(rows->columns[i].name, filter->column))
            continue;
        if (rows->texts[i])
            return sw_str_eq(rows->texts[i][row], filter->value);
        return rows->numbers[i] && sw_num_parse_f64(&number, filter->value) == SW_NUM_FITS &&
               rows->numbers[i][row] == number;
    }
    return false;
}
