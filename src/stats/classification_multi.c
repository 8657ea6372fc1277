/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "stats/calibration.h"
#include "stats/classification.h"

#include <math.h>

static const char no_rows[] = "there are no rows";

/* One-vs-one takes a sort for each pair of classes. */
enum { PAIRED_CLASSES_MAX = 64 };

typedef struct margins {
    double rows, right;
    double labels_squared, decisions_squared, product; /* sums over classes of the counts */
} margins;

static double or_zero(double top, double bottom) {
    return bottom > 0 ? top / bottom : 0;
}

static void count_class(sw_class_figures *out, uint64_t *decided, const uint64_t *matrix,
                        uint32_t classes, uint32_t k) {
    uint64_t right = matrix[(size_t)k * classes + k];
    out->support = *decided = 0;
    for (uint32_t i = 0; i < classes; i++) {
        out->support += matrix[(size_t)k * classes + i];
        *decided += matrix[(size_t)i * classes + k];
    }
    out->precision = or_zero((double)right, (double)*decided);
    out->recall = or_zero((double)right, (double)out->support);
    out->f1 = or_zero(2 * (double)right, (double)(out->support + *decided));
}

static void add_agreement(sw_metrics *out, const margins *m) {
    double s = m->rows, top = m->right * s - m->product,
           bottom = sqrt((s * s - m->labels_squared) * (s * s - m->decisions_squared));
    sw_metrics_add(out, "mcc", or_zero(top, bottom));
    sw_metrics_add_ratio(out, "kappa", m->right * s - m->product, s * s - m->product,
                         "all labels and decisions are of one class");
}

static void add_undefined(sw_metrics *out, const char *const *names, size_t count,
                          const char *why) {
    for (size_t i = 0; i < count; i++)
        sw_metrics_add_undefined(out, names[i], why);
}

static const char *const matrix_names[] = {"accuracy",
                                           "balanced_accuracy",
                                           "macro_precision",
                                           "macro_recall",
                                           "macro_f1",
                                           "micro_f1",
                                           "micro_precision",
                                           "micro_recall",
                                           "weighted_precision",
                                           "weighted_recall",
                                           "weighted_f1",
                                           "mcc",
                                           "kappa"};

void sw_matrix_metrics(sw_metrics *out, sw_class_figures *per_class, const uint64_t *matrix,
                       uint32_t classes) {
    margins m = {0};
    sw_class_figures macro = {0}, weighted = {0};
    double occurring = 0, labelled = 0, recall_labelled = 0;
    for (uint32_t k = 0; k < classes; k++) {
        sw_class_figures one;
        uint64_t decided;
        count_class(&one, &decided, matrix, classes, k);
        double support = (double)one.support;
        if (per_class)
            per_class[k] = one;
        m.rows += support;
        m.right += (double)matrix[(size_t)k * classes + k];
        m.labels_squared += support * support;
        m.decisions_squared += (double)decided * (double)decided;
        m.product += support * (double)decided;
        occurring += one.support || decided;
        labelled += one.support > 0;
        recall_labelled += one.recall;
        macro.precision += one.precision, weighted.precision += support * one.precision;
        macro.recall += one.recall, weighted.recall += support * one.recall;
        macro.f1 += one.f1, weighted.f1 += support * one.f1;
    }
    if (m.rows == 0) {
        add_undefined(out, matrix_names, sizeof matrix_names / sizeof matrix_names[0], no_rows);
        return;
    }
    const double values[] = {m.right / m.rows,
                             recall_labelled / labelled,
                             macro.precision / occurring,
                             macro.recall / occurring,
                             macro.f1 / occurring,
                             m.right / m.rows, /* each row is decided once: all micro are alike */
                             m.right / m.rows,
                             m.right / m.rows,
                             weighted.precision / m.rows,
                             weighted.recall / m.rows,
                             weighted.f1 / m.rows};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sw_metrics_add(out, matrix_names[i], values[i]);
    add_agreement(out, &m);
}

/* Whether the label is among the two highest scores; of equals the later class is the higher. */
static bool in_top_two(const double *scores, uint32_t classes, uint32_t label) {
    uint32_t above = 0;
    for (uint32_t k = 0; k < classes; k++)
        above += scores[k] > scores[label] || (k > label && scores[k] == scores[label]);
    return above < 2;
}

double sw_multiclass_loss_of(const double *scores, uint32_t classes, uint32_t label, double clip) {
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++)
        sum += fmin(fmax(scores[k], clip), 1 - clip);
    return -log(fmin(fmax(scores[label], clip), 1 - clip) / sum);
}

double sw_multiclass_brier_of(const double *scores, uint32_t classes, uint32_t label) {
    double sum = 0;
    for (uint32_t k = 0; k < classes; k++) {
        double gap = scores[k] - (k == label);
        sum += gap * gap;
    }
    return sum;
}

bool sw_are_probabilities(const double *scores, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!(scores[i] >= 0 && scores[i] <= 1))
            return false;
    return true;
}

static void add_probabilities(sw_metrics *out, const double *scores, const uint32_t *labels,
                              size_t rows, uint32_t classes) {
    static const char *const names[] = {"log_loss", "log_loss_clip_1e-15", "brier",
                                        "ece_10_equal_width", "mce_10_equal_width"};
    if (!rows || !sw_are_probabilities(scores, rows * classes)) {
        add_undefined(out, names, sizeof names / sizeof names[0],
                      rows ? "a score lies outside of 0 to 1, so it is no probability" : no_rows);
        return;
    }
    sw_sum eps = {0}, old = {0}, brier = {0};
    sw_reliability reliability = {0};
    for (size_t i = 0; i < rows; i++) {
        const double *row = scores + i * classes;
        uint32_t decided = sw_class_of(row, classes);
        sw_sum_add(&eps, sw_multiclass_loss_of(row, classes, labels[i], SW_CLIP_EPS));
        sw_sum_add(&old, sw_multiclass_loss_of(row, classes, labels[i], SW_CLIP_1E15));
        sw_sum_add(&brier, sw_multiclass_brier_of(row, classes, labels[i]));
        sw_reliability_add(&reliability, row[decided], decided == labels[i]);
    }
    double ece, mce, count = (double)rows;
    sw_reliability_errors(&ece, &mce, &reliability);
    const double values[] = {sw_sum_value(eps) / count, sw_sum_value(old) / count,
                             sw_sum_value(brier) / count, ece, mce};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sw_metrics_add(out, names[i], values[i]);
}

/* Room for one column of scores with its labels. */
typedef struct column {
    double *scores;
    uint8_t *labels;
} column;

/* ROC AUC of class `a` against class `b`, or against all others where b is a. */
static sw_status auc_of(double *out, column *room, const double *scores, const uint32_t *labels,
                        size_t rows, uint32_t classes, uint32_t a, uint32_t b, sw_error *error) {
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        if (a != b && labels[i] != a && labels[i] != b)
            continue;
        room->scores[count] = scores[i * classes + a];
        room->labels[count++] = labels[i] == a;
    }
    return sw_roc_auc(out, room->scores, room->labels, count, error);
}

static sw_status add_one_vs_rest(sw_metrics *out, column *room, const double *scores,
                                 const uint32_t *labels, size_t rows, uint32_t classes,
                                 const sw_class_figures *per_class, sw_error *error) {
    double macro = 0, weighted = 0;
    for (uint32_t k = 0; k < classes; k++) {
        double auc;
        SW_TRY(auc_of(&auc, room, scores, labels, rows, classes, k, k, error));
        macro += auc;
        weighted += auc * (double)per_class[k].support;
    }
    if (isnan(macro)) {
        static const char *const names[] = {"roc_auc_ovr_macro", "roc_auc_ovr_weighted"};
        add_undefined(out, names, 2, rows ? "a class never occurs among the labels" : no_rows);
        return SW_OK;
    }
    sw_metrics_add(out, "roc_auc_ovr_macro", macro / classes);
    sw_metrics_add(out, "roc_auc_ovr_weighted", weighted / (double)rows);
    return SW_OK;
}

static sw_status add_one_vs_one(sw_metrics *out, column *room, const double *scores,
                                const uint32_t *labels, size_t rows, uint32_t classes,
                                sw_error *error) {
    double sum = 0;
    for (uint32_t a = 0; a < classes && classes <= PAIRED_CLASSES_MAX && !isnan(sum); a++) {
        for (uint32_t b = 0; b < classes; b++) {
            double auc;
            if (a == b)
                continue;
            SW_TRY(auc_of(&auc, room, scores, labels, rows, classes, a, b, error));
            sum += auc;
        }
    }
    if (classes > PAIRED_CLASSES_MAX)
        sw_metrics_add_undefined(out, "roc_auc_ovo_macro", "there are more than 64 classes");
    else if (isnan(sum))
        sw_metrics_add_undefined(out, "roc_auc_ovo_macro",
                                 rows ? "a class never occurs among the labels" : no_rows);
    else
        sw_metrics_add(out, "roc_auc_ovo_macro", sum / classes / (classes - 1));
    return SW_OK;
}

sw_status sw_multiclass_metrics(sw_metrics *out, uint64_t *matrix, sw_class_figures *per_class,
                                const double *scores, const uint32_t *labels, size_t rows,
                                uint32_t classes, sw_error *error) {
    *out = (sw_metrics){0};
    column room = {.scores = sw_mem_zalloc(rows + 1, sizeof(double)),
                   .labels = sw_mem_zalloc(rows + 1, 1)};
    sw_status status;
    if (!room.scores || !room.labels) {
        status = sw_fail(error, SW_CODE_NO_MEMORY, "no memory to evaluate %zu rows", rows);
        goto done;
    }
    uint64_t top_two = 0;
    for (size_t i = 0; i < (size_t)classes * classes; i++)
        matrix[i] = 0;
    for (size_t i = 0; i < rows; i++) {
        const double *row = scores + i * classes;
        matrix[(size_t)labels[i] * classes + sw_class_of(row, classes)]++;
        top_two += in_top_two(row, classes, labels[i]);
    }
    sw_matrix_metrics(out, per_class, matrix, classes);
    sw_metrics_add_ratio(out, "top2", (double)top_two, (double)rows, no_rows);
    add_probabilities(out, scores, labels, rows, classes);
    status = add_one_vs_rest(out, &room, scores, labels, rows, classes, per_class, error);
    if (!sw_failed(status))
        status = add_one_vs_one(out, &room, scores, labels, rows, classes, error);
done:
    sw_mem_free(room.scores);
    sw_mem_free(room.labels);
    return status;
}
