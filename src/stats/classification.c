/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/classification.h"

#include "base/mem.h"
#include "stats/calibration.h"
#include "stats/order_private.h"

#include <math.h>

static const char no_rows[] = "there are no rows";
static const char one_class[] = "only one class occurs among the labels";
static const char no_positives[] = "no label is positive";
static const char no_probability[] = "a score lies outside of 0 to 1, so it is no probability";

/* 0 where the bottom is 0: scikit-learn's zero_division. */
static double or_zero(double top, double bottom) {
    return bottom > 0 ? top / bottom : 0;
}

void sw_confusion_metrics(sw_metrics *out, const sw_confusion *confusion) {
    double tp = (double)confusion->tp, fp = (double)confusion->fp, fn = (double)confusion->fn,
           tn = (double)confusion->tn, rows = tp + fp + fn + tn;
    sw_metrics_add(out, "tp", tp);
    sw_metrics_add(out, "fp", fp);
    sw_metrics_add(out, "fn", fn);
    sw_metrics_add(out, "tn", tn);
    sw_metrics_add_ratio(out, "accuracy", tp + tn, rows, no_rows);
    if (rows == 0) {
        static const char *const rest[] = {"precision", "recall", "f1", "specificity", "mcc"};
        for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++)
            sw_metrics_add_undefined(out, rest[i], no_rows);
        return;
    }
    sw_metrics_add(out, "precision", or_zero(tp, tp + fp));
    sw_metrics_add(out, "recall", or_zero(tp, tp + fn));
    sw_metrics_add(out, "f1", or_zero(2 * tp, 2 * tp + fp + fn));
    sw_metrics_add(out, "specificity", or_zero(tn, tn + fp));
    double bottom = sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
    sw_metrics_add(out, "mcc", or_zero(tp * tn - fp * fn, bottom));
}

double sw_log_loss_of(double score, bool label, double clip) {
    double p = fmin(fmax(score, clip), 1 - clip);
    return -log(label ? p : 1 - p);
}

/* What walking down or up the distinct scores gathers. */
typedef struct curve {
    double auc, average_precision, ks;
    uint64_t positives, negatives;
} curve;

static void walk(curve *out, const sw_scored *sorted, const uint8_t *labels, size_t rows) {
    *out = (curve){0};
    for (size_t i = 0; i < rows; i++)
        labels[i] ? out->positives++ : out->negatives++;
    double p = (double)out->positives, n = (double)out->negatives, pairs = 0;
    uint64_t tp = 0, fp = 0;
    for (size_t end = rows; end > 0;) { /* from the highest score down */
        size_t begin = end;
        uint64_t group_tp = 0;
        while (begin > 0 && sorted[begin - 1].score == sorted[end - 1].score)
            group_tp += labels[sorted[--begin].row] != 0;
        uint64_t group_fp = end - begin - group_tp;
        pairs += (double)group_fp * ((double)tp + 0.5 * (double)group_tp);
        tp += group_tp;
        fp += group_fp;
        out->average_precision += (double)group_tp / p * ((double)tp / (double)(tp + fp));
        out->ks = fmax(out->ks, fabs((double)tp / p - (double)fp / n));
        end = begin;
    }
    out->auc = pairs / (p * n);
}

sw_status sw_roc_auc(double *out, const double *scores, const uint8_t *labels, size_t rows,
                     sw_error *error) {
    sw_scored *sorted = NULL;
    SW_TRY(sw_scored_sort(&sorted, scores, rows, error));
    curve found;
    walk(&found, sorted, labels, rows);
    *out = found.positives && found.negatives ? found.auc : NAN;
    sw_mem_free(sorted);
    return SW_OK;
}

static void add_curve(sw_metrics *out, const curve *found) {
    uint64_t rows = found->positives + found->negatives;
    bool both = found->positives && found->negatives;
    const char *why = rows ? one_class : no_rows;
    both ? sw_metrics_add(out, "roc_auc", found->auc)
         : sw_metrics_add_undefined(out, "roc_auc", why);
    found->positives
        ? sw_metrics_add(out, "average_precision", found->average_precision)
        : sw_metrics_add_undefined(out, "average_precision", rows ? no_positives : no_rows);
    both ? sw_metrics_add(out, "ks_between_classes", found->ks)
         : sw_metrics_add_undefined(out, "ks_between_classes", why);
}

static void add_undefined_probabilities(sw_metrics *out, const char *why) {
    static const char *const names[] = {
        "log_loss_clip_eps",  "log_loss_clip_1e-15", "brier",
        "ece_10_equal_width", "mce_10_equal_width",  "ece_10_equal_count"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        sw_metrics_add_undefined(out, names[i], why);
}

static void add_probabilities(sw_metrics *out, const sw_scored *sorted, const uint8_t *labels,
                              size_t rows) {
    sw_sum eps = {0}, old = {0}, brier = {0};
    sw_reliability reliability = {0};
    for (size_t i = 0; i < rows; i++) {
        double score = sorted[i].score;
        uint8_t label = labels[sorted[i].row];
        sw_sum_add(&eps, sw_log_loss_of(score, label, SW_CLIP_EPS));
        sw_sum_add(&old, sw_log_loss_of(score, label, SW_CLIP_1E15));
        sw_sum_add_square(&brier, score - label);
        sw_reliability_add(&reliability, score, label);
    }
    double ece, mce, count = (double)rows;
    sw_reliability_errors(&ece, &mce, &reliability);
    sw_metrics_add(out, "log_loss_clip_eps", sw_sum_value(eps) / count);
    sw_metrics_add(out, "log_loss_clip_1e-15", sw_sum_value(old) / count);
    sw_metrics_add(out, "brier", sw_sum_value(brier) / count);
    sw_metrics_add(out, "ece_10_equal_width", ece);
    sw_metrics_add(out, "mce_10_equal_width", mce);
    double equal_count = sw_ece_equal_count(sorted, labels, rows, SW_RELIABILITY_BINS);
    isnan(equal_count)
        ? sw_metrics_add_undefined(out, "ece_10_equal_count", "two bins need at least four rows")
        : sw_metrics_add(out, "ece_10_equal_count", equal_count);
}

sw_status sw_binary_metrics(sw_metrics *out, sw_confusion *confusion, const double *scores,
                            const uint8_t *labels, size_t rows, double threshold, sw_error *error) {
    sw_scored *sorted = NULL;
    *out = (sw_metrics){0};
    *confusion = (sw_confusion){0};
    SW_TRY(sw_scored_sort(&sorted, scores, rows, error));
    for (size_t i = 0; i < rows; i++)
        sw_confusion_count(confusion, scores[i] >= threshold, labels[i]);
    curve found;
    walk(&found, sorted, labels, rows);
    add_curve(out, &found);
    if (rows && sorted[0].score >= 0 && sorted[rows - 1].score <= 1)
        add_probabilities(out, sorted, labels, rows);
    else
        add_undefined_probabilities(out, rows ? no_probability : no_rows);
    sw_metrics_add(out, "threshold", threshold);
    sw_confusion_metrics(out, confusion);
    sw_mem_free(sorted);
    return SW_OK;
}
