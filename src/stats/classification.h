/* SPDX-License-Identifier: Apache-2.0 */
/*
 * classification: how good a classifier's scores and decisions are, exactly, from the rows.
 *
 * Binary: labels 0 and 1, one score a row, positive from the threshold on. Multiclass: labels
 * 0..classes-1 and one score for each class, the highest deciding (the first of equals).
 *
 * Conventions. Precision, recall, F1 and MCC are 0 where their bottom is 0 (scikit-learn's
 * zero_division). Log loss clips scores to [eps, 1 - eps], eps being 2^-52 (scikit-learn) or 1e-15
 * (older tools). ROC AUC counts a tie as one half (midranks); average precision is the step-wise
 * sum over distinct scores. Macro averages are over the classes that occur among labels or
 * decisions. What needs both classes, or scores that are probabilities, is undefined without
 * them, with the reason beside it.
 *
 * Memory:  two words a row for the time of a call.
 * Threads: any; no state.
 * Layer:   stats. Source: D. J. Hand and R. J. Till, "A simple generalisation of the area under
 *          the ROC curve" (2001) for one-vs-one; J. Gorodkin, "Comparing two K-category
 *          assignments" (2004) for the multiclass MCC.
 */
#ifndef SW_STATS_CLASSIFICATION_H
#define SW_STATS_CLASSIFICATION_H

#include "base/status.h"
#include "stats/metrics.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sw_confusion {
    uint64_t tp, fp, fn, tn;
} sw_confusion;

static inline void sw_confusion_count(sw_confusion *to, bool decided, bool label) {
    if (decided)
        label ? to->tp++ : to->fp++;
    else
        label ? to->fn++ : to->tn++;
}

/* tp, fp, fn, tn, accuracy, precision, recall, f1, specificity, mcc: all that decisions alone
 * tell. */
void sw_confusion_metrics(sw_metrics *out, const sw_confusion *confusion);

/*
 * All of binary classification: roc_auc, average_precision, log_loss_clip_eps,
 * log_loss_clip_1e-15, brier, ece_10_equal_width, mce_10_equal_width, ece_10_equal_count,
 * threshold, ks_between_classes and those of the confusion. Scores must not be NaN. NO_MEMORY is
 * the only failure.
 */
SW_MUST_USE sw_status sw_binary_metrics(sw_metrics *out, sw_confusion *confusion,
                                        const double *scores, const uint8_t *labels, size_t rows,
                                        double threshold, sw_error *error);

/* Probability that a positive outscores a negative, ties one half; NaN without both classes. */
SW_MUST_USE sw_status sw_roc_auc(double *out, const double *scores, const uint8_t *labels,
                                 size_t rows, sw_error *error);

/* -log of the score's probability of the label, clipped to [clip, 1 - clip]. */
double sw_log_loss_of(double score, bool label, double clip);

#define SW_CLIP_EPS 0x1p-52
#define SW_CLIP_1E15 1e-15

enum { SW_CLASSES_MAX = 1000 };

/*
 * From a matrix of counts, rows being the labels and columns the decisions: accuracy, balanced
 * accuracy, macro, micro and weighted precision, recall and F1, mcc, kappa. `per_class` takes one
 * for each class, or is NULL.
 */
typedef struct sw_class_figures {
    double precision, recall, f1;
    uint64_t support; /* rows of that label */
} sw_class_figures;
void sw_matrix_metrics(sw_metrics *out, sw_class_figures *per_class, const uint64_t *matrix,
                       uint32_t classes);

/*
 * All of multiclass classification: the above and log_loss (rows normalised to add up to 1),
 * log_loss_clip_1e-15, brier (over all classes, 0 to 2), ece_10_equal_width (of the decision's
 * score), roc_auc_ovr_macro, roc_auc_ovr_weighted, roc_auc_ovo_macro, top2. `scores` is row-major,
 * classes to a row; `matrix` takes classes * classes counts, `per_class` one for each class.
 */
SW_MUST_USE sw_status sw_multiclass_metrics(sw_metrics *out, uint64_t *matrix,
                                            sw_class_figures *per_class, const double *scores,
                                            const uint32_t *labels, size_t rows, uint32_t classes,
                                            sw_error *error);

/* The loss of one row, and its squared distance from the label over all classes. */
double sw_multiclass_loss_of(const double *scores, uint32_t classes, uint32_t label, double clip);
double sw_multiclass_brier_of(const double *scores, uint32_t classes, uint32_t label);
/* Whether all lie in [0, 1]. */
bool sw_are_probabilities(const double *scores, size_t count);

/* The class of the highest score, the first of equals. */
static inline uint32_t sw_class_of(const double *scores, uint32_t classes) {
    uint32_t best = 0;
    for (uint32_t k = 1; k < classes; k++)
        if (scores[k] > scores[best])
            best = k;
    return best;
}

#endif /* SW_STATS_CLASSIFICATION_H */
