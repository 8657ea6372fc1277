/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/cbpe.h"

#include "base/mem.h"
#include "stats/classification.h"
#include "stats/order_private.h"

#include <math.h>

static const char no_rows[] = "there are no rows";

void sw_cbpe_add(sw_cbpe_sums *to, double probability, bool decided) {
    to->rows++;
    sw_sum_add(decided ? &to->tp : &to->fn, probability);
    sw_sum_add(decided ? &to->fp : &to->tn, 1 - probability);
}

void sw_cbpe_merge(sw_cbpe_sums *to, const sw_cbpe_sums *from) {
    to->rows += from->rows;
    sw_sum_merge(&to->tp, from->tp);
    sw_sum_merge(&to->fp, from->fp);
    sw_sum_merge(&to->fn, from->fn);
    sw_sum_merge(&to->tn, from->tn);
}

bool sw_cbpe_subtract(sw_cbpe_sums *from, const sw_cbpe_sums *part) {
    from->rows -= part->rows;
    bool whole = sw_sum_subtract(&from->tp, part->tp);
    whole &= sw_sum_subtract(&from->fp, part->fp);
    whole &= sw_sum_subtract(&from->fn, part->fn);
    whole &= sw_sum_subtract(&from->tn, part->tn);
    return whole;
}

void sw_cbpe_sums_metrics(sw_metrics *out, const sw_cbpe_sums *sums) {
    double tp = sw_sum_value(sums->tp), fp = sw_sum_value(sums->fp), fn = sw_sum_value(sums->fn),
           tn = sw_sum_value(sums->tn), rows = (double)sums->rows;
    sw_metrics_add(out, "tp", tp);
    sw_metrics_add(out, "fp", fp);
    sw_metrics_add(out, "fn", fn);
    sw_metrics_add(out, "tn", tn);
    sw_metrics_add_ratio(out, "accuracy", tp + tn, rows, no_rows);
    sw_metrics_add_ratio(out, "precision", tp, tp + fp, "no decision is positive");
    sw_metrics_add_ratio(out, "recall", tp, tp + fn, "no positive is expected");
    sw_metrics_add_ratio(out, "specificity", tn, tn + fp, "no negative is expected");
    sw_metrics_add_ratio(out, "f1", 2 * tp, 2 * tp + fp + fn, "no positive is decided or expected");
}

static double round_5(double count) {
    return rint(count * 1e5) / 1e5;
}

/* The trapezoid under the expected curve, from the highest score down. A row's probability is at
 * its number times `stride`. */
static double expected_auc(const sw_scored *sorted, const double *probabilities, size_t stride,
                           size_t rows) {
    double tp = 0, tp_before = 0, fp_before = 0, area = 0, fp_now = 0;
    for (size_t i = 0; i < rows; i++) {
        tp += probabilities[sorted[rows - 1 - i].row * stride];
        double tp_now = round_5(tp);
        fp_now = round_5((double)(i + 1) - tp);
        area += (fp_now - fp_before) * (tp_now + tp_before) / 2;
        tp_before = tp_now;
        fp_before = fp_now;
    }
    return area / (tp_before * fp_before); /* 0 / 0 without an expected positive or negative */
}

static sw_status no_memory(size_t rows, sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to estimate the quality of %zu rows", rows);
}

sw_status sw_cbpe_metrics(sw_metrics *out, const double *scores, size_t rows, double threshold,
                          const sw_isotonic *map, sw_error *error) {
    sw_scored *sorted = NULL;
    sw_cbpe_sums sums = {0};
    double *probabilities = sw_mem_alloc((rows + 1) * sizeof *probabilities);
    *out = (sw_metrics){0};
    if (!probabilities)
        return no_memory(rows, error);
    for (size_t i = 0; i < rows; i++) {
        probabilities[i] = map ? sw_isotonic_value(map, scores[i]) : scores[i];
        sw_cbpe_add(&sums, probabilities[i], scores[i] >= threshold);
    }
    sw_status status = sw_scored_sort(&sorted, scores, rows, error);
    if (!sw_failed(status)) {
        sw_cbpe_sums_metrics(out, &sums);
        double auc = expected_auc(sorted, probabilities, 1, rows);
        isnan(auc) ? sw_metrics_add_undefined(
                         out, "roc_auc", rows ? "only one class is expected to occur" : no_rows)
                   : sw_metrics_add(out, "roc_auc", auc);
    }
    sw_mem_free(sorted);
    sw_mem_free(probabilities);
    return status;
}

/* ---- More than two classes ---- */

static double share_of(const double *scores, uint32_t classes, uint32_t k, double sum) {
    return sum > 0 ? scores[k] / sum : 1.0 / classes;
}

static double sum_of(const double *scores, uint32_t classes) {
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++)
        sum += scores[k];
    return sum;
}

void sw_cbpe_classes_add(sw_cbpe_class *to, uint32_t classes, const double *scores,
                         uint32_t decided) {
    double sum = sum_of(scores, classes);
    for (uint32_t k = 0; k < classes; k++)
        sw_sum_add(&to[k].expected, share_of(scores, classes, k, sum));
    sw_sum_add(&to[decided].right, share_of(scores, classes, decided, sum));
    to[decided].decided++;
}

void sw_cbpe_classes_merge(sw_cbpe_class *to, const sw_cbpe_class *from, uint32_t classes) {
    for (uint32_t k = 0; k < classes; k++) {
        to[k].decided += from[k].decided;
        sw_sum_merge(&to[k].expected, from[k].expected);
        sw_sum_merge(&to[k].right, from[k].right);
    }
}

bool sw_cbpe_classes_subtract(sw_cbpe_class *from, const sw_cbpe_class *part, uint32_t classes) {
    bool whole = true;
    for (uint32_t k = 0; k < classes; k++) {
        from[k].decided -= part[k].decided;
        whole &= sw_sum_subtract(&from[k].expected, part[k].expected);
        if (from[k].decided)
            whole &= sw_sum_subtract(&from[k].right, part[k].right);
        else
            from[k].right = (sw_sum){0};
    }
    return whole;
}

static double ratio(double top, double bottom) {
    return bottom > 0 ? top / bottom : 0;
}

void sw_cbpe_classes_metrics(sw_metrics *out, const sw_cbpe_class *sums, uint32_t classes) {
    double rows = 0, right = 0, precision = 0, recall = 0, f1 = 0, occurring = 0;
    for (uint32_t k = 0; k < classes; k++) {
        double decided = (double)sums[k].decided, tp = sw_sum_value(sums[k].right),
               expected = sw_sum_value(sums[k].expected);
        rows += decided;
        right += tp;
        occurring += decided > 0 || expected > 0;
        precision += ratio(tp, decided);
        recall += ratio(tp, expected);
        f1 += ratio(2 * tp, decided + expected);
    }
    sw_metrics_add_ratio(out, "accuracy", right, rows, no_rows);
    sw_metrics_add_ratio(out, "macro_precision", precision, occurring, no_rows);
    sw_metrics_add_ratio(out, "macro_recall", recall, occurring, no_rows);
    sw_metrics_add_ratio(out, "macro_f1", f1, occurring, no_rows);
}

/* Of one class after the other: `column` takes one score for each row. */
static sw_status expected_auc_macro(double *out, const double *scores, const double *probabilities,
                                    size_t rows, uint32_t classes, double *column,
                                    sw_error *error) {
    *out = 0;
    for (uint32_t k = 0; k < classes; k++) {
        sw_scored *sorted = NULL;
        for (size_t i = 0; i < rows; i++)
            column[i] = scores[i * classes + k];
        SW_TRY(sw_scored_sort(&sorted, column, rows, error));
        *out += expected_auc(sorted, probabilities + k, classes, rows) / classes;
        sw_mem_free(sorted);
    }
    return SW_OK;
}

sw_status sw_cbpe_multiclass_metrics(sw_metrics *out, const double *scores, size_t rows,
                                     uint32_t classes, const sw_isotonic *maps, sw_error *error) {
    double *probabilities = sw_mem_alloc((rows * classes + 1) * sizeof *probabilities),
           *column = sw_mem_alloc((rows + 1) * sizeof *column), auc;
    sw_cbpe_class *sums = sw_mem_zalloc(classes, sizeof *sums);
    *out = (sw_metrics){0};
    sw_status status = probabilities && column && sums ? SW_OK : no_memory(rows, error);
    for (size_t i = 0; !sw_failed(status) && i < rows; i++) {
        const double *from = scores + i * classes;
        double *to = probabilities + i * classes;
        for (uint32_t k = 0; k < classes; k++)
            to[k] = maps ? sw_isotonic_value(&maps[k], from[k]) : from[k];
        sw_cbpe_classes_add(sums, classes, to, sw_class_of(from, classes));
        double sum = sum_of(to, classes);
        for (uint32_t k = 0; k < classes; k++)
            to[k] = share_of(to, classes, k, sum);
    }
    if (!sw_failed(status))
        status = expected_auc_macro(&auc, scores, probabilities, rows, classes, column, error);
    if (!sw_failed(status)) {
        sw_cbpe_classes_metrics(out, sums, classes);
        isnan(auc) ? sw_metrics_add_undefined(
                         out, "roc_auc_ovr_macro",
                         rows ? "a class is not expected to occur, or nothing else" : no_rows)
                   : sw_metrics_add(out, "roc_auc_ovr_macro", auc);
    }
    sw_mem_free(probabilities);
    sw_mem_free(column);
    sw_mem_free(sums);
    return status;
}
