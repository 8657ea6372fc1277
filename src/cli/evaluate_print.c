/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "cli/evaluate_private.h"
#include "cli/text_private.h"

#include <math.h>

enum { MATRIX_SHOWN_MAX = 12, SEGMENTS_SHOWN_MAX = 20, PLOT_WIDTH = 40 };

/* ---- JSON ---- */

static void add_metrics(sw_json *w, const sw_metrics *metrics) {
    sw_json_key(w, "metrics");
    sw_json_begin_object(w);
    for (unsigned i = 0; i < metrics->count; i++)
        sw_json_add_f64(w, metrics->at[i].name, metrics->at[i].value);
    sw_json_end_object(w);
    sw_json_key(w, "undefined");
    sw_json_begin_object(w);
    for (unsigned i = 0; i < metrics->count; i++)
        if (metrics->at[i].undefined)
            sw_json_add_text(w, metrics->at[i].name, metrics->at[i].undefined);
    sw_json_end_object(w);
}

static void add_matrix(sw_json *w, const sw_eval_result *result, uint32_t classes) {
    sw_json_key(w, "confusion");
    if (!result->matrix) {
        sw_json_null(w);
        return;
    }
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < classes; i++) {
        sw_json_begin_array(w);
        for (uint32_t k = 0; k < classes; k++)
            sw_json_u64(w, result->matrix[(size_t)i * classes + k]);
        sw_json_end_array(w);
    }
    sw_json_end_array(w);
}

static void add_reliability(sw_json *w, const sw_eval_result *result) {
    sw_json_key(w, "calibration");
    sw_json_begin_array(w);
    for (unsigned i = 0; result->has_reliability && i < SW_RELIABILITY_BINS; i++) {
        const sw_reliability_bin *bin = &result->reliability.bins[i];
        double rows = (double)bin->rows;
        sw_json_begin_object(w);
        sw_json_add_f64(w, "from", (double)i / SW_RELIABILITY_BINS);
        sw_json_add_f64(w, "to", (double)(i + 1) / SW_RELIABILITY_BINS);
        sw_json_add_u64(w, "rows", bin->rows);
        sw_json_add_f64(w, "mean_score", bin->rows ? sw_sum_value(bin->scores) / rows : NAN);
        sw_json_add_f64(w, "positive_share", bin->rows ? (double)bin->positives / rows : NAN);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static void add_estimate(sw_json *w, const char *key, const sw_metrics *metrics,
                         const bool *calibrated) {
    sw_json_key(w, key);
    sw_json_begin_object(w);
    if (calibrated)
        sw_json_add_bool(w, "calibrated", *calibrated);
    for (unsigned i = 0; i < metrics->count; i++)
        sw_json_add_f64(w, metrics->at[i].name, metrics->at[i].value);
    sw_json_end_object(w);
}

static void add_per_class(sw_json *w, const sw_eval_report *report) {
    const sw_eval_classes *classes = report->classes;
    sw_json_key(w, "classes");
    sw_json_begin_array(w);
    for (uint32_t k = 0; k < classes->count && report->result.matrix; k++)
        sw_json_str(w, classes->at[k].word);
    sw_json_end_array(w);
    if (report->plan->task != SW_QUALITY_MULTICLASS)
        return;
    sw_json_key(w, "per_class");
    sw_json_begin_array(w);
    for (uint32_t k = 0; k < classes->count; k++) {
        const sw_class_figures *one = &report->result.per_class[k];
        sw_json_begin_object(w);
        sw_json_add_str(w, "class", classes->at[k].word);
        sw_json_add_f64(w, "precision", one->precision);
        sw_json_add_f64(w, "recall", one->recall);
        sw_json_add_f64(w, "f1", one->f1);
        sw_json_add_u64(w, "support", one->support);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static void add_counts(sw_json *w, const sw_eval_sample *sample) {
    sw_json_add_u64(w, "rows", sample->rows);
    sw_json_add_u64(w, "used", sample->used);
    sw_json_add_u64(w, "dropped", sample->rows - sample->used);
}

static void add_dropped(sw_json *w, const sw_eval_report *report) {
    const sw_eval_sample *sample = &report->sample;
    sw_json_key(w, "dropped_for");
    sw_json_begin_object(w);
    sw_json_add_u64(w, "label", sample->missing_label);
    sw_json_add_u64(w, report->plan->pred.len ? "pred" : "score", sample->missing_score);
    if (report->plan->task == SW_QUALITY_RANKING)
        sw_json_add_u64(w, "query", sample->missing_query);
    sw_json_end_object(w);
}

static void add_segments(sw_json *w, const sw_eval_report *report) {
    sw_json_key(w, "segments");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < report->segment_count; i++) {
        const sw_eval_segment *segment = &report->segments[i];
        sw_json_begin_object(w);
        sw_json_add_str(w, "column", report->plan->segment);
        if (segment->word.at)
            sw_json_add_str(w, "value", segment->word);
        else
            sw_json_add_null(w, "value");
        sw_json_add_u64(w, "used", segment->result.rows);
        add_metrics(w, &segment->result.metrics);
        add_matrix(w, &segment->result, report->classes->count);
        add_reliability(w, &segment->result);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

void sw_eval_print_json(sw_buf *out, const sw_eval_report *report) {
    sw_json w = sw_json_to(out);
    const sw_eval_result *result = &report->result;
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "task", sw_quality_task_words(report->plan->task));
    add_counts(&w, &report->sample);
    add_dropped(&w, report);
    add_metrics(&w, &result->metrics);
    if (result->has_estimate)
        add_estimate(&w, "cbpe_no_calibration", &result->estimate, NULL);
    if (report->has_estimate)
        add_estimate(&w, "cbpe", &report->estimate, &report->calibrated);
    add_per_class(&w, report);
    add_matrix(&w, result, report->classes->count);
    add_reliability(&w, result);
    add_segments(&w, report);
    if (report->plan->baseline.path) {
        sw_json_key(&w, "baseline");
        sw_json_begin_object(&w);
        add_counts(&w, &report->baseline_sample);
        add_metrics(&w, &report->baseline.metrics);
        add_matrix(&w, &report->baseline, report->classes->count);
        sw_json_end_object(&w);
    }
    sw_json_end_object(&w);
}

/* ---- Text ---- */

/* What the confusion matrix and the head already say. */
static bool is_elsewhere(const char *name) {
    static const char *const names[] = {"tp", "fp", "fn", "tn", "threshold"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void cell_of(sw_table *table, sw_style style, double value) {
    if (isnan(value))
        sw_table_cell(table, SW_DIM, "–");
    else
        sw_table_cell(table, style, "%s", sw_text_number(value).at);
}

/* The estimate to show beside the figures: against the baseline's labels if there are any. */
static const sw_metrics *shown_estimate(const sw_eval_report *report) {
    if (report->has_estimate)
        return &report->estimate;
    return report->result.has_estimate ? &report->result.estimate : NULL;
}

static void print_figures(FILE *out, const sw_eval_report *report) {
    const sw_metrics *metrics = &report->result.metrics, *estimate = shown_estimate(report);
    bool baseline = report->plan->baseline.path != NULL, reasons = false;
    for (unsigned i = 0; i < metrics->count; i++)
        reasons |= metrics->at[i].undefined != NULL;
    sw_table *table = sw_table_make(2U + baseline + (estimate != NULL) + reasons);
    sw_table_cell(table, SW_DIM, " ");
    sw_table_cell(table, SW_DIM, "value");
    if (baseline)
        sw_table_cell(table, SW_DIM, "baseline");
    if (estimate)
        sw_table_cell(table, SW_DIM, "without labels");
    if (reasons)
        sw_table_cell(table, SW_DIM, " ");
    for (unsigned i = 0; i < metrics->count; i++) {
        const sw_metric *metric = &metrics->at[i];
        if (is_elsewhere(metric->name))
            continue;
        sw_table_cell(table, SW_PLAIN, "%s", metric->name);
        cell_of(table, SW_BOLD, metric->value);
        if (baseline)
            cell_of(table, SW_PLAIN, sw_metrics_value(&report->baseline.metrics, metric->name));
        if (estimate && sw_metrics_find(estimate, metric->name))
            cell_of(table, SW_PLAIN, sw_metrics_value(estimate, metric->name));
        else if (estimate)
            sw_table_cell(table, SW_PLAIN, " ");
        if (reasons)
            sw_table_cell(table, SW_DIM, "%s", metric->undefined ? metric->undefined : " ");
    }
    sw_table_print(table, out, 2);
    sw_table_free(table);
}

static void print_matrix(FILE *out, const sw_eval_report *report) {
    uint32_t classes = report->classes->count;
    if (!report->result.matrix || classes > MATRIX_SHOWN_MAX)
        return;
    fprintf(out, "\nConfusion: rows are labels, columns decisions");
    if (report->plan->task == SW_QUALITY_BINARY && report->plan->score_count)
        fprintf(out, " (from %s on)", sw_text_number(report->plan->threshold).at);
    fputc('\n', out);
    sw_table *table = sw_table_make(classes + 1);
    sw_table_cell(table, SW_DIM, " ");
    for (uint32_t k = 0; k < classes; k++)
        sw_table_cell(table, SW_DIM, "%.*s", SW_STR_ARG(report->classes->at[k].word));
    for (uint32_t i = 0; i < classes; i++) {
        sw_table_cell(table, SW_DIM, "%.*s", SW_STR_ARG(report->classes->at[i].word));
        for (uint32_t k = 0; k < classes; k++)
            sw_table_cell(table, i == k ? SW_BOLD : SW_PLAIN, "%s",
                          sw_text_count(report->result.matrix[(size_t)i * classes + k]).at);
    }
    sw_table_print(table, out, 2);
    sw_table_free(table);
}

/* One line of the plot: | is the mean score, * the share that came true, X both. */
static void plot(char *line, const sw_reliability_bin *bin) {
    double rows = (double)bin->rows;
    int score = (int)lrint(sw_sum_value(bin->scores) / rows * (PLOT_WIDTH - 1)),
        share = (int)lrint((double)bin->positives / rows * (PLOT_WIDTH - 1));
    memset(line, '.', PLOT_WIDTH);
    line[PLOT_WIDTH] = 0;
    line[score] = '|';
    line[share] = share == score ? 'X' : '*';
}

static void print_reliability(FILE *out, const sw_eval_report *report) {
    if (!report->result.has_reliability)
        return;
    fprintf(out, "\nReliability: | is the mean score, * the share that came true, from 0 to 1\n");
    sw_table *table = sw_table_make(3);
    for (unsigned i = 0; i < SW_RELIABILITY_BINS; i++) {
        const sw_reliability_bin *bin = &report->result.reliability.bins[i];
        char line[PLOT_WIDTH + 1];
        if (!bin->rows)
            continue;
        plot(line, bin);
        sw_table_cell(table, SW_DIM, "%.1f to %.1f", i / 10.0, (i + 1) / 10.0);
        sw_table_cell(table, SW_PLAIN, "%s", line);
        sw_table_cell(table, SW_DIM, "%s", sw_text_plural(bin->rows, "row").at);
    }
    sw_table_print(table, out, 2);
    sw_table_free(table);
}

/* The figures that tell a segment from the others at a glance. */
static const char *const *headline(const sw_eval_report *report) {
    static const char *const scores[] = {"accuracy", "precision", "recall", "roc_auc", NULL},
                             *const decisions[] = {"accuracy", "precision", "recall", "f1", NULL},
                             *const classes[] = {"accuracy", "macro_f1", "log_loss",
                                                 "roc_auc_ovr_macro", NULL},
                             *const numbers[] = {"mae", "rmse", "r2", "mean_error", NULL},
                             *const ranks[] = {"ndcg@10", "map", "mrr", "precision@10", NULL};
    switch (report->plan->task) {
    case SW_QUALITY_BINARY: return report->plan->score_count ? scores : decisions;
    case SW_QUALITY_MULTICLASS: return classes;
    case SW_QUALITY_REGRESSION: return numbers;
    case SW_QUALITY_RANKING: break;
    }
    return ranks;
}

static void print_segments(FILE *out, const sw_eval_report *report) {
    if (!report->segment_count)
        return;
    const char *const *names = headline(report);
    fprintf(out, "\nBy %.*s\n", SW_STR_ARG(report->plan->segment));
    sw_table *table = sw_table_make(6);
    sw_table_cell(table, SW_DIM, " ");
    sw_table_cell(table, SW_DIM, "rows");
    for (int i = 0; i < 4; i++)
        sw_table_cell(table, SW_DIM, "%s", names[i]);
    for (uint32_t s = 0; s < report->segment_count && s < SEGMENTS_SHOWN_MAX; s++) {
        const sw_eval_segment *segment = &report->segments[s];
        sw_table_cell(table, SW_PLAIN, "%.*s", segment->word.at ? (int)segment->word.len : 9,
                      segment->word.at ? segment->word.at : "(missing)");
        sw_table_cell(table, SW_PLAIN, "%s", sw_text_count(segment->result.rows).at);
        for (int i = 0; i < 4; i++)
            cell_of(table, SW_PLAIN, sw_metrics_value(&segment->result.metrics, names[i]));
    }
    sw_table_print(table, out, 2);
    sw_table_free(table);
    if (report->segment_count > SEGMENTS_SHOWN_MAX)
        fprintf(out, "  and %u more, smaller ones; --json has them all\n",
                report->segment_count - SEGMENTS_SHOWN_MAX);
}

static void print_head(FILE *out, const sw_eval_report *report) {
    const sw_eval_sample *sample = &report->sample;
    const sw_eval_plan *plan = report->plan;
    fprintf(out, "%s%s%s   %s · %s", sw_term_style(out, SW_BOLD), plan->file.shown,
            sw_term_style(out, SW_PLAIN), sw_quality_task_words(plan->task),
            sw_text_plural(sample->used, "row").at);
    if (sample->missing_label)
        fprintf(out, " · %s without a %.*s left out", sw_text_count(sample->missing_label).at,
                SW_STR_ARG(plan->label));
    if (sample->missing_score)
        fprintf(out, " · %s without a prediction left out",
                sw_text_count(sample->missing_score).at);
    if (sample->missing_query)
        fprintf(out, " · %s without a %.*s left out", sw_text_count(sample->missing_query).at,
                SW_STR_ARG(plan->query));
    fputc('\n', out);
    if (sample->outside_row)
        fprintf(out,
                "%sRow %llu has the score %s, which is no probability: figures that need one are "
                "left open.%s\n",
                sw_term_style(out, SW_WARN), (unsigned long long)sample->outside_row,
                sw_text_number(sample->outside_score).at, sw_term_style(out, SW_PLAIN));
}

void sw_eval_print_text(FILE *out, const sw_eval_report *report) {
    print_head(out, report);
    fputc('\n', out);
    print_figures(out, report);
    if (shown_estimate(report))
        fprintf(out, "  %swithout labels: what the scores alone promise (CBPE%s)%s\n",
                sw_term_style(out, SW_DIM),
                report->calibrated ? ", calibrated on the baseline" : "",
                sw_term_style(out, SW_PLAIN));
    print_matrix(out, report);
    print_reliability(out, report);
    print_segments(out, report);
}
