/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/cbpe.h"

#include "base/mem.h"
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

/* The trapezoid under the expected curve, from the highest score down. */
static double expected_auc(const sw_scored *sorted, const sw_isotonic *map, size_t rows) {
    double tp = 0, tp_before = 0, fp_before = 0, area = 0, fp_now = 0;
    for (size_t i = 0; i < rows; i++) {
        double score = sorted[rows - 1 - i].score;
        tp += map ? sw_isotonic_value(map, score) : score;
        double tp_now = round_5(tp);
        fp_now = round_5((double)(i + 1) - tp);
        area += (fp_now - fp_before) * (tp_now + tp_before) / 2;
        tp_before = tp_now;
        fp_before = fp_now;
    }
    return area / (tp_before * fp_before); /* 0 / 0 without an expected positive or negative */
}

sw_status sw_cbpe_metrics(sw_metrics *out, const double *scores, size_t rows, double threshold,
                          const sw_isotonic *map, sw_error *error) {
    sw_scored *sorted = NULL;
    sw_cbpe_sums sums = {0};
    *out = (sw_metrics){0};
    SW_TRY(sw_scored_sort(&sorted, scores, rows, error));
    for (size_t i = 0; i < rows; i++)
        sw_cbpe_add(&sums, map ? sw_isotonic_value(map, scores[i]) : scores[i],
                    scores[i] >= threshold);
    sw_cbpe_sums_metrics(out, &sums);
    double auc = expected_auc(sorted, map, rows);
    isnan(auc) ? sw_metrics_add_undefined(out, "roc_auc",
                                          rows ? "only one class is expected to occur" : no_rows)
               : sw_metrics_add(out, "roc_auc", auc);
    sw_mem_free(sorted);
    return SW_OK;
}
