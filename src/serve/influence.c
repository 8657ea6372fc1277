/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/influence.h"

#include "base/num.h"
#include "serve/sample.h"
#include "watch/marginal.h"

#include <math.h>

enum { ROWS_MIN = 32 };
static const double budget_ns = 2e9;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to score rows again");
}

/* ---- Rows of the log as the model's inputs ---- */

static const sw_plog_column *find_column(uint32_t *at, const sw_plog_rows *rows, sw_str name) {
    for (*at = 0; *at < rows->column_count; (*at)++)
        if (!rows->columns[*at].output && sw_str_eq(rows->columns[*at].name, name))
            return &rows->columns[*at];
    return NULL;
}

static bool is_kept(const sw_plog_column *column) {
    return column && column->type != SW_PLOG_HASHED && column->type != SW_PLOG_MASKED;
}

static void set_number(sw_tensor *tensor, size_t at, double x) {
    double whole = isnan(x) ? 0 : nearbyint(x);
    switch (tensor->dtype) {
    case SW_FP64: ((double *)tensor->data)[at] = x; break;
    case SW_FP32: ((float *)tensor->data)[at] = (float)x; break;
    case SW_FP16: ((uint16_t *)tensor->data)[at] = sw_fp16_from_f32((float)x); break;
    case SW_INT64: ((int64_t *)tensor->data)[at] = (int64_t)whole; break;
    case SW_UINT64: ((uint64_t *)tensor->data)[at] = (uint64_t)whole; break;
    case SW_INT32: ((int32_t *)tensor->data)[at] = (int32_t)whole; break;
    case SW_UINT32: ((uint32_t *)tensor->data)[at] = (uint32_t)whole; break;
    case SW_INT16: ((int16_t *)tensor->data)[at] = (int16_t)whole; break;
    case SW_UINT16: ((uint16_t *)tensor->data)[at] = (uint16_t)whole; break;
    case SW_INT8: ((int8_t *)tensor->data)[at] = (int8_t)whole; break;
    case SW_UINT8: ((uint8_t *)tensor->data)[at] = (uint8_t)whole; break;
    case SW_BOOL: ((uint8_t *)tensor->data)[at] = whole != 0; break;
    case SW_BYTES:
    case SW_DTYPE_COUNT: break;
    }
}

static void set_column(sw_tensor *tensor, uint32_t column, size_t rows, const double *numbers,
                       const sw_str *texts) {
    size_t width = tensor->count / rows;
    for (size_t row = 0; row < rows; row++) {
        size_t at = row * width + column;
        double number = NAN;
        if (tensor->dtype == SW_BYTES)
            ((sw_str *)tensor->data)[at] = texts ? texts[row] : SW_STR("");
        else if (numbers)
            set_number(tensor, at, numbers[row]);
        else if (texts && sw_num_parse_f64(&number, texts[row]) == SW_NUM_FITS)
            set_number(tensor, at, number);
    }
}

/* Every value of every input has to be a feature that the log keeps as it was. */
static sw_status check(const sw_served *served, const sw_plog_rows *rows, sw_error *error) {
    const sw_signature *s = &served->signature;
    uint32_t at;
    for (uint32_t i = 0; i < s->input_count; i++) {
        size_t width = 1, features = 0;
        const sw_tensor_spec *spec = &s->inputs[i];
        bool open =
            spec->rank < 1 || !sw_shape_count(&width, spec->shape + 1, (size_t)(spec->rank - 1));
        for (uint32_t f = 0; f < s->feature_count; f++)
            features += s->features[f].input == i;
        if (open || features != width)
            return sw_fail(error, SW_CODE_UNSUPPORTED, "input \"%.*s\" is not made of features",
                           SW_STR_ARG(spec->name));
    }
    for (uint32_t f = 0; f < s->feature_count; f++)
        if (!is_kept(find_column(&at, rows, s->features[f].name)))
            return sw_fail(error, SW_CODE_UNSUPPORTED,
                           "the prediction log does not keep \"%.*s\" as it was",
                           SW_STR_ARG(s->features[f].name));
    return SW_OK;
}

static sw_status make_inputs(sw_tensor *inputs, const sw_served *served, const sw_plog_rows *rows,
                             sw_arena *arena, sw_error *error) {
    const sw_signature *s = &served->signature;
    uint32_t at;
    if (!sw_sample_make(inputs, s, rows->count, 1, 1, arena))
        return no_memory(error);
    for (uint32_t f = 0; f < s->feature_count; f++)
        if (find_column(&at, rows, s->features[f].name))
            set_column(&inputs[s->features[f].input], s->features[f].column, rows->count,
                       rows->numbers[at], rows->texts[at]);
    return SW_OK;
}

/* ---- What the change does ---- */

static bool is_score(sw_dtype dtype) {
    return dtype == SW_FP16 || dtype == SW_FP32 || dtype == SW_FP64;
}

static bool differs(const sw_tensor *a, const sw_tensor *b, size_t at) {
    if (a->dtype == SW_BYTES)
        return !sw_str_eq(((const sw_str *)a->data)[at], ((const sw_str *)b->data)[at]);
    return sw_tensor_f64(a, at) != sw_tensor_f64(b, at);
}

static double mean_change(const sw_tensor *a, const sw_tensor *b, size_t count) {
    double sum = 0;
    size_t values = 0;
    bool scores = false;
    for (size_t i = 0; i < count; i++)
        scores |= is_score(a[i].dtype);
    for (size_t i = 0; i < count; i++) {
        if (is_score(a[i].dtype) != scores || a[i].count != b[i].count)
            continue;
        for (size_t at = 0; at < a[i].count; at++) {
            double apart = scores ? fabs(sw_tensor_f64(&a[i], at) - sw_tensor_f64(&b[i], at))
                                  : differs(&a[i], &b[i], at);
            sum += isfinite(apart) ? apart : 0;
            values++;
        }
    }
    return values ? sum / (double)values : NAN;
}

/* The feature's column, its marginal that of the reference. */
static sw_status restore(sw_tensor *inputs, const sw_served *served, const sw_plog_rows *rows,
                         uint32_t feature, sw_arena *arena, sw_error *error) {
    const sw_feature *f = &served->signature.features[feature];
    const sw_profile_column *reference = &served->profile->columns[feature];
    uint32_t at;
    find_column(&at, rows, f->name);
    double *numbers = rows->numbers[at];
    sw_str *texts = rows->texts[at];
    bool good = true;
    if (reference->kind == SW_FEATURE_NUMERIC) {
        if (!numbers)
            return sw_fail(error, SW_CODE_UNSUPPORTED, "\"%.*s\" is logged as text",
                           SW_STR_ARG(f->name));
        double *copy = sw_arena_alloc(arena, rows->count * sizeof *copy);
        good = copy != NULL;
        if (good)
            memcpy(copy, numbers, rows->count * sizeof *copy);
        good = good && sw_marginal_numbers(copy, rows->count, reference, arena);
        numbers = copy;
    } else {
        sw_str *words = sw_arena_zalloc(arena, rows->count, sizeof *words);
        good = words != NULL;
        for (size_t i = 0; good && i < rows->count; i++) {
            char text[SW_NUM_BYTES];
            if (texts)
                words[i] = texts[i];
            else if (!isnan(numbers[i]))
                words[i] = sw_arena_copy(
                    arena, (sw_str){text, sw_num_print_i64(text, (int64_t)numbers[i])});
        }
        good = good && sw_marginal_words(words, rows->count, reference, arena);
        texts = words;
        numbers = NULL;
    }
    if (!good)
        return no_memory(error);
    set_column(&inputs[f->input], f->column, rows->count, numbers, texts);
    return SW_OK;
}

sw_status sw_influence_of(double *out, const sw_served *served, const sw_plog_rows *rows,
                          uint32_t feature, sw_error *error) {
    sw_arena arena = {0};
    const sw_model_info *info = served->info;
    sw_tensor *inputs = sw_arena_zalloc(&arena, info->input_count, sizeof *inputs),
              *before = sw_arena_zalloc(&arena, info->output_count, sizeof *before),
              *after = sw_arena_zalloc(&arena, info->output_count, sizeof *after);
    sw_status status = inputs && before && after ? check(served, rows, error) : no_memory(error);
    if (!sw_failed(status))
        status = make_inputs(inputs, served, rows, &arena, error);
    if (!sw_failed(status))
        status = sw_model_run(before, served->model, inputs, &arena, NULL, error);
    if (!sw_failed(status))
        status = restore(inputs, served, rows, feature, &arena, error);
    if (!sw_failed(status))
        status = sw_model_run(after, served->model, inputs, &arena, NULL, error);
    if (!sw_failed(status))
        *out = mean_change(before, after, info->output_count);
    sw_arena_free(&arena);
    return status;
}

/* ---- All that is not known ---- */

typedef struct updating {
    const sw_load_parts *parts;
    sw_arena *arena;
} updating;

/* "" where rows can be scored again; else why not. */
static const char *hindrance(const sw_served *served, const sw_load_parts *parts) {
    return !served->profile                    ? "there is no reference profile"
           : served->info->external            ? "the model runs elsewhere"
           : !parts->log || !served->log       ? "predictions are not logged"
           : !served->info->first_dim_is_batch ? "the model takes no rows in a batch"
                                               : "";
}

static size_t affordable_rows(const sw_served *served, size_t columns) {
    double rows = budget_ns / ((served->row_ns > 1 ? served->row_ns : 1) * 2 * (double)columns);
    return rows < SW_INFLUENCE_ROWS ? (size_t)rows : SW_INFLUENCE_ROWS;
}

static void tell(const updating *u, const sw_served *served, sw_str column,
                 const sw_plog_rows *rows, const char *why) {
    sw_error error = {{0}};
    double value = NAN;
    sw_str words = sw_str_of(why);
    int32_t feature = sw_signature_find(&served->signature, column);
    if (words.len == 0 && rows->count < ROWS_MIN)
        return; /* the next look asks again */
    if (words.len == 0 && feature < 0)
        words = SW_STR("it is no feature");
    else if (words.len == 0)
        words =
            sw_failed(sw_influence_of(&value, served, rows, (uint32_t)feature, &error))
                ? sw_str_of(error.text)
                : sw_arena_printf(u->arena, "of %s logged rows", sw_num_grouped(rows->count).at);
    sw_monitor_set_influence(u->parts->monitors, served->model_name, served->version, column, value,
                             words);
}

static void update_one(const sw_served *served, void *context) {
    const updating *u = context;
    sw_str columns[SW_INFLUENCE_COLUMNS_MAX];
    size_t count = 0;
    sw_drift drift;
    sw_error error;
    if (sw_failed(sw_monitor_read(&drift, u->parts->monitors, served->model_name, served->version,
                                  SW_STR(""), false, u->arena, &error)))
        return;
    for (size_t i = 0; i < drift.drifted && count < SW_INFLUENCE_COLUMNS_MAX; i++) {
        const sw_finding *f = &drift.findings[i];
        bool there = f->output || f->influence_why.len > 0;
        for (size_t k = 0; k < count; k++)
            there |= sw_str_eq(columns[k], f->column);
        if (!there)
            columns[count++] = f->column;
    }
    if (count == 0)
        return;
    const char *why = hindrance(served, u->parts);
    sw_plog_rows rows = {0};
    if (!why[0] &&
        sw_failed(sw_plog_recent(&rows, u->parts->log, served->model_name, served->version,
                                 affordable_rows(served, count), u->arena, &error)))
        why = "the prediction log cannot be read";
    for (size_t i = 0; i < count; i++)
        tell(u, served, columns[i], &rows, why);
}

void sw_influence_update(const sw_load_parts *parts) {
    sw_arena arena = {0};
    updating u = {.parts = parts, .arena = &arena};
    if (parts->live)
        sw_live_each_held(u.parts->live, update_one, &u);
    sw_arena_free(&arena);
}
