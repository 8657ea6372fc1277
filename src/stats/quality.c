/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/quality_private.h"

#include "base/mem.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { OCTAVE_BINS = 64, HALF_BINS = SW_SCORE_BINS / 2 };

static const char no_rows[] = "there are no rows";
static const char no_scores[] = "rows came without scores";
static const char no_probability[] = "a score lies outside of 0 to 1, so it is no probability";

static const char *const task_words[] = {"binary", "multiclass", "regression", "ranking"};

const char *sw_quality_task_words(sw_quality_task task) {
    return task_words[task];
}

bool sw_quality_task_of(sw_quality_task *out, const char *words) {
    for (unsigned i = 0; i < sizeof task_words / sizeof task_words[0]; i++) {
        if (strcmp(words, task_words[i]) == 0) {
            *out = (sw_quality_task)i;
            return true;
        }
    }
    return false;
}

/* 0 for p below 2^-13, then 64 bins an octave up to 1/2. `p` is at most 1/2. */
static unsigned half_bin(double p) {
    if (!(p >= 0x1p-13))
        return 0;
    int exponent;
    double fraction = frexp(p, &exponent); /* [1/2, 1) * 2^exponent: exponent -12..0 */
    unsigned bin = 1 + (unsigned)(exponent + SW_SCORE_OCTAVES) * OCTAVE_BINS +
                   (unsigned)((fraction - 0.5) * 2 * OCTAVE_BINS);
    return bin < HALF_BINS ? bin : HALF_BINS - 1;
}

unsigned sw_quality_score_bin(double score) {
    return score < 0.5 ? half_bin(score) : SW_SCORE_BINS - 1 - half_bin(1 - score);
}

sw_status sw_quality_make(sw_quality **out, sw_quality_task task, uint32_t classes,
                          double threshold, bool histograms, sw_error *error) {
    *out = NULL;
    if (task == SW_QUALITY_MULTICLASS && (classes < 2 || classes > SW_CLASSES_MAX))
        return sw_fail(error, SW_CODE_INVALID, "%u classes: 2 to %d are possible", classes,
                       SW_CLASSES_MAX);
    sw_quality *quality = sw_mem_zalloc(1, sizeof *quality);
    if (!quality)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to count a model's quality");
    quality->task = task;
    quality->threshold = threshold;
    quality->classes = task == SW_QUALITY_BINARY ? 2 : task == SW_QUALITY_MULTICLASS ? classes : 0;
    quality->histograms = task == SW_QUALITY_BINARY || (quality->classes && histograms);
    quality->matrix = sw_mem_zalloc(sw_quality_matrix_cells(quality) + 1, sizeof *quality->matrix);
    quality->cells = sw_mem_zalloc(sw_quality_histogram_cells(quality) + 1, sizeof *quality->cells);
    if (task == SW_QUALITY_BINARY)
        quality->estimate_cells = sw_mem_zalloc(SW_SCORE_BINS, sizeof *quality->estimate_cells);
    if (task == SW_QUALITY_MULTICLASS)
        quality->estimate_classes = sw_mem_zalloc(classes, sizeof *quality->estimate_classes);
    if (!quality->matrix || !quality->cells ||
        (task == SW_QUALITY_BINARY && !quality->estimate_cells) ||
        (task == SW_QUALITY_MULTICLASS && !quality->estimate_classes)) {
        sw_quality_free(quality);
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to count a model's quality");
    }
    *out = quality;
    return SW_OK;
}

void sw_quality_free(sw_quality *quality) {
    if (!quality)
        return;
    sw_mem_free(quality->matrix);
    sw_mem_free(quality->cells);
    sw_mem_free(quality->estimate_cells);
    sw_mem_free(quality->estimate_classes);
    sw_mem_free(quality);
}

void sw_quality_reset(sw_quality *quality) {
    sw_quality kept = *quality;
    memset(quality->matrix, 0, sw_quality_matrix_cells(quality) * sizeof *quality->matrix);
    memset(quality->cells, 0, sw_quality_histogram_cells(quality) * sizeof *quality->cells);
    if (quality->estimate_cells)
        memset(quality->estimate_cells, 0, SW_SCORE_BINS * sizeof *quality->estimate_cells);
    if (quality->estimate_classes)
        memset(quality->estimate_classes, 0, kept.classes * sizeof *quality->estimate_classes);
    *quality = (sw_quality){.task = kept.task,
                            .classes = kept.classes,
                            .threshold = kept.threshold,
                            .histograms = kept.histograms,
                            .matrix = kept.matrix,
                            .cells = kept.cells,
                            .estimate_cells = kept.estimate_cells,
                            .estimate_classes = kept.estimate_classes};
}

void sw_quality_add_decision(sw_quality *quality, uint32_t decided, uint32_t label) {
    assert(decided < quality->classes && label < quality->classes);
    quality->rows++;
    quality->matrix[(size_t)label * quality->classes + decided]++;
}

static void add_losses(sw_quality *quality, double eps, double old, double brier) {
    sw_sum_add(&quality->log_loss, eps);
    sw_sum_add(&quality->log_loss_1e15, old);
    sw_sum_add(&quality->brier, brier);
}

static void count_score(sw_quality_cell *histogram, double score, bool label) {
    sw_quality_cell *at = &histogram[sw_quality_score_bin(score)];
    label ? at->positives++ : at->negatives++;
}

void sw_quality_add_binary(sw_quality *quality, double score, bool label) {
    assert(quality->task == SW_QUALITY_BINARY);
    sw_quality_add_decision(quality, score >= quality->threshold, label);
    count_score(quality->cells, score, label);
    quality->scored++;
    if (!(score >= 0 && score <= 1)) {
        quality->outside++;
        return;
    }
    sw_sum square = {0};
    sw_sum_add_square(&square, score - label);
    sw_sum_merge(&quality->brier, square);
    sw_sum_add(&quality->log_loss, sw_log_loss_of(score, label, SW_CLIP_EPS));
    sw_sum_add(&quality->log_loss_1e15, sw_log_loss_of(score, label, SW_CLIP_1E15));
    sw_reliability_add(&quality->reliability, score, label);
}

void sw_quality_add_classes(sw_quality *quality, const double *scores, uint32_t label) {
    assert(quality->task == SW_QUALITY_MULTICLASS);
    uint32_t classes = quality->classes, decided = sw_class_of(scores, classes);
    sw_quality_add_decision(quality, decided, label);
    quality->scored++;
    for (uint32_t k = 0; quality->histograms && k < classes; k++)
        count_score(quality->cells + (size_t)k * SW_SCORE_BINS, scores[k], k == label);
    if (!sw_are_probabilities(scores, classes)) {
        quality->outside++;
        return;
    }
    add_losses(quality, sw_multiclass_loss_of(scores, classes, label, SW_CLIP_EPS),
               sw_multiclass_loss_of(scores, classes, label, SW_CLIP_1E15),
               sw_multiclass_brier_of(scores, classes, label));
    sw_reliability_add(&quality->reliability, scores[decided], decided == label);
}

void sw_quality_add_value(sw_quality *quality, double prediction, double label) {
    assert(quality->task == SW_QUALITY_REGRESSION);
    quality->rows++;
    sw_regression_add(&quality->regression, label, prediction);
}

void sw_quality_add_query(sw_quality *quality, sw_ranked *rows, size_t count) {
    assert(quality->task == SW_QUALITY_RANKING);
    quality->rows += count;
    sw_ranking_add(&quality->ranking, rows, count);
}

void sw_quality_add_estimate(sw_quality *quality, double score, double probability) {
    assert(quality->task == SW_QUALITY_BINARY);
    sw_cbpe_add(&quality->estimate, probability, score >= quality->threshold);
    sw_quality_estimate_cell *at = &quality->estimate_cells[sw_quality_score_bin(score)];
    at->rows++;
    sw_sum_add(&at->expected, probability);
}

void sw_quality_add_class_estimate(sw_quality *quality, const double *scores) {
    assert(quality->task == SW_QUALITY_MULTICLASS);
    if (!sw_are_probabilities(scores, quality->classes))
        return;
    quality->estimate.rows++;
    sw_cbpe_classes_add(quality->estimate_classes, quality->classes, scores,
                        sw_class_of(scores, quality->classes));
}

/* Counts of both ways, by adding `sign` times: 1, or all ones, which is minus 1 modulo 2^64. */
static void combine_counts(sw_quality *to, const sw_quality *part, uint64_t sign) {
    assert(to->task == part->task && to->classes == part->classes &&
           to->histograms == part->histograms);
    to->rows += sign * part->rows;
    to->scored += sign * part->scored;
    to->outside += sign * part->outside;
    for (unsigned i = 0; i < SW_RELIABILITY_BINS; i++) {
        to->reliability.bins[i].rows += sign * part->reliability.bins[i].rows;
        to->reliability.bins[i].positives += sign * part->reliability.bins[i].positives;
    }
    for (size_t i = 0; i < sw_quality_matrix_cells(to); i++)
        to->matrix[i] += sign * part->matrix[i];
    for (size_t i = 0; i < sw_quality_histogram_cells(to); i++) {
        to->cells[i].negatives += sign * part->cells[i].negatives;
        to->cells[i].positives += sign * part->cells[i].positives;
    }
    for (size_t i = 0; to->estimate_cells && i < SW_SCORE_BINS; i++)
        to->estimate_cells[i].rows += sign * part->estimate_cells[i].rows;
}

void sw_quality_merge(sw_quality *to, const sw_quality *from) {
    combine_counts(to, from, 1);
    sw_sum_merge(&to->log_loss, from->log_loss);
    sw_sum_merge(&to->log_loss_1e15, from->log_loss_1e15);
    sw_sum_merge(&to->brier, from->brier);
    for (unsigned i = 0; i < SW_RELIABILITY_BINS; i++)
        sw_sum_merge(&to->reliability.bins[i].scores, from->reliability.bins[i].scores);
    for (size_t i = 0; to->estimate_cells && i < SW_SCORE_BINS; i++)
        sw_sum_merge(&to->estimate_cells[i].expected, from->estimate_cells[i].expected);
    sw_regression_merge(&to->regression, &from->regression);
    sw_ranking_merge(&to->ranking, &from->ranking);
    sw_cbpe_merge(&to->estimate, &from->estimate);
    if (to->estimate_classes)
        sw_cbpe_classes_merge(to->estimate_classes, from->estimate_classes, to->classes);
}

/* Of which so many rows are left: none sum to 0. */
static bool subtract_sum(sw_sum *from, sw_sum part, uint64_t rows_left) {
    if (rows_left)
        return sw_sum_subtract(from, part);
    *from = (sw_sum){0};
    return true;
}

bool sw_quality_subtract(sw_quality *from, const sw_quality *part) {
    combine_counts(from, part, UINT64_MAX);
    if (from->rows == 0 && from->estimate.rows == part->estimate.rows) {
        sw_quality_reset(from);
        return true;
    }
    uint64_t losses = from->scored - from->outside;
    bool whole = subtract_sum(&from->log_loss, part->log_loss, losses);
    whole &= subtract_sum(&from->log_loss_1e15, part->log_loss_1e15, losses);
    whole &= subtract_sum(&from->brier, part->brier, losses);
    for (unsigned i = 0; i < SW_RELIABILITY_BINS; i++) {
        sw_reliability_bin *bin = &from->reliability.bins[i];
        whole &= subtract_sum(&bin->scores, part->reliability.bins[i].scores, bin->rows);
    }
    for (size_t i = 0; from->estimate_cells && i < SW_SCORE_BINS; i++) {
        sw_quality_estimate_cell *cell = &from->estimate_cells[i];
        whole &= subtract_sum(&cell->expected, part->estimate_cells[i].expected, cell->rows);
    }
    whole &= sw_regression_subtract(&from->regression, &part->regression);
    whole &= sw_ranking_subtract(&from->ranking, &part->ranking);
    if (from->estimate_classes)
        whole &=
            sw_cbpe_classes_subtract(from->estimate_classes, part->estimate_classes, from->classes);
    return whole & sw_cbpe_subtract(&from->estimate, &part->estimate);
}

uint64_t sw_quality_rows(const sw_quality *quality) {
    return quality->rows;
}

/* Rows of a bin count as ties; `error_max` is half the share of pairs that share one. NaN without
 * both classes. */
static double binned_auc(double *error_max, const sw_quality_cell *histogram) {
    double below = 0, pairs = 0, tied = 0, positives = 0;
    for (unsigned i = 0; i < SW_SCORE_BINS; i++) {
        double p = (double)histogram[i].positives, n = (double)histogram[i].negatives;
        pairs += p * (below + n / 2);
        tied += p * n / 2;
        below += n;
        positives += p;
    }
    *error_max = tied / (positives * below);
    return pairs / (positives * below);
}

/* From the highest bin down, rows of a bin being ties. `precision`: the average one. */
static void binned_curve(double *precision, double *ks, const sw_quality_cell *histogram) {
    double positives = 0, negatives = 0, tp = 0, fp = 0;
    for (unsigned i = 0; i < SW_SCORE_BINS; i++) {
        positives += (double)histogram[i].positives;
        negatives += (double)histogram[i].negatives;
    }
    *precision = *ks = 0;
    for (unsigned i = SW_SCORE_BINS; i-- > 0;) {
        double p = (double)histogram[i].positives, n = (double)histogram[i].negatives;
        if (p + n == 0)
            continue;
        tp += p;
        fp += n;
        *precision += p / positives * (tp / (tp + fp));
        *ks = fmax(*ks, fabs(tp / positives - fp / negatives));
    }
}

/* Why figures of scores have no value; NULL where they have. */
static const char *why_no_losses(const sw_quality *quality) {
    if (quality->rows == 0)
        return no_rows;
    if (quality->scored < quality->rows)
        return no_scores;
    return quality->outside ? no_probability : NULL;
}

static void add_score_figures(sw_metrics *out, const sw_quality *quality, const char *log_loss) {
    const char *why = why_no_losses(quality);
    const char *const names[] = {log_loss, "log_loss_clip_1e-15", "brier", "ece_10_equal_width",
                                 "mce_10_equal_width"};
    double ece, mce, rows = (double)quality->rows;
    sw_reliability_errors(&ece, &mce, &quality->reliability);
    const double values[] = {sw_sum_value(quality->log_loss) / rows,
                             sw_sum_value(quality->log_loss_1e15) / rows,
                             sw_sum_value(quality->brier) / rows, ece, mce};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        why ? sw_metrics_add_undefined(out, names[i], why)
            : sw_metrics_add(out, names[i], values[i]);
}

static const char *why_no_auc(const sw_quality *quality) {
    if (quality->rows == 0)
        return no_rows;
    return quality->scored < quality->rows ? no_scores : "only one class occurs among the labels";
}

static void add_binary(sw_metrics *out, const sw_quality *quality) {
    static const char *const names[] = {"roc_auc", "roc_auc_error_max", "average_precision",
                                        "ks_between_classes"};
    const uint64_t *m = quality->matrix;
    sw_confusion confusion = {.tn = m[0], .fp = m[1], .fn = m[2], .tp = m[3]};
    double values[4];
    values[0] = binned_auc(&values[1], quality->cells);
    binned_curve(&values[2], &values[3], quality->cells);
    bool undefined = isnan(values[0]) || quality->scored < quality->rows;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        undefined ? sw_metrics_add_undefined(out, names[i], why_no_auc(quality))
                  : sw_metrics_add(out, names[i], values[i]);
    add_score_figures(out, quality, "log_loss_clip_eps");
    sw_metrics_add(out, "threshold", quality->threshold);
    sw_confusion_metrics(out, &confusion);
}

static void add_multiclass(sw_metrics *out, const sw_quality *quality) {
    sw_matrix_metrics(out, NULL, quality->matrix, quality->classes);
    add_score_figures(out, quality, "log_loss");
    double sum = 0, error_max = 0;
    for (uint32_t k = 0; quality->histograms && k < quality->classes; k++) {
        double error;
        sum += binned_auc(&error, quality->cells + (size_t)k * SW_SCORE_BINS);
        error_max = fmax(error_max, error);
    }
    if (quality->histograms && !isnan(sum) && quality->scored == quality->rows) {
        sw_metrics_add(out, "roc_auc_ovr_macro", sum / quality->classes);
        sw_metrics_add(out, "roc_auc_error_max", error_max);
    } else if (quality->histograms) {
        sw_metrics_add_undefined(
            out, "roc_auc_ovr_macro",
            quality->scored < quality->rows ? no_scores : "a class never occurs among the labels");
    }
}

void sw_quality_metrics(sw_metrics *out, const sw_quality *quality) {
    *out = (sw_metrics){0};
    switch (quality->task) {
    case SW_QUALITY_BINARY: add_binary(out, quality); break;
    case SW_QUALITY_MULTICLASS: add_multiclass(out, quality); break;
    case SW_QUALITY_REGRESSION: sw_regression_sums_metrics(out, &quality->regression); break;
    case SW_QUALITY_RANKING: sw_ranking_metrics(out, &quality->ranking); break;
    }
}

sw_status sw_quality_names(const char *names[SW_QUALITY_NAMES_MAX], size_t *count,
                           sw_error *error) {
    *count = 0;
    for (int task = SW_QUALITY_BINARY; task <= SW_QUALITY_RANKING; task++) {
        sw_quality *empty;
        sw_metrics metrics;
        SW_TRY(sw_quality_make(&empty, (sw_quality_task)task, 2, 0.5, false, error));
        sw_quality_metrics(&metrics, empty);
        sw_quality_free(empty);
        for (unsigned i = 0; i < metrics.count && *count < SW_QUALITY_NAMES_MAX; i++) {
            size_t k = 0;
            while (k < *count && strcmp(names[k], metrics.at[i].name) != 0)
                k++;
            names[k] = metrics.at[i].name;
            *count += k == *count;
        }
    }
    return SW_OK;
}

void sw_quality_estimate(sw_metrics *out, const sw_quality *quality) {
    *out = (sw_metrics){0};
    if (quality->estimate_classes) {
        sw_cbpe_classes_metrics(out, quality->estimate_classes, quality->classes);
        return;
    }
    sw_cbpe_sums_metrics(out, &quality->estimate);
    double below = 0, pairs = 0, positives = 0;
    for (unsigned i = 0; quality->estimate_cells && i < SW_SCORE_BINS; i++) {
        double p = sw_sum_value(quality->estimate_cells[i].expected),
               n = (double)quality->estimate_cells[i].rows - p;
        pairs += p * (below + n / 2);
        below += n;
        positives += p;
    }
    sw_metrics_add_ratio(out, "roc_auc", pairs, positives * below,
                         quality->estimate.rows ? "only one class is expected to occur" : no_rows);
}
