/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/regression.h"

#include "base/mem.h"
#include "stats/order_private.h"

#include <float.h>
#include <math.h>

/* Of the pinball loss: predicting too little costs nine times what predicting too much does. */
#define PINBALL_QUANTILE 0.9

/* A spread that is a smaller share of the sum of squares is rounding: labels differ by less than
 * 2^-40 of their size. */
#define CONSTANT_SHARE 0x1p-80

static const char no_rows[] = "there are no rows";

void sw_regression_add(sw_regression_sums *to, double label, double prediction) {
    double gap = label - prediction, size = fabs(gap);
    to->rows++;
    sw_sum_add(&to->error, prediction - label);
    sw_sum_add(&to->absolute, size);
    sw_sum_add_square(&to->squared, gap);
    sw_sum_add(&to->relative, size / fmax(fabs(label), DBL_EPSILON));
    sw_sum_add(&to->pinball, fmax(PINBALL_QUANTILE * gap, (PINBALL_QUANTILE - 1) * gap));
    sw_sum_add(&to->labels, label);
    sw_sum_add_square(&to->labels_squared, label);
    if (label < 0 || prediction < 0)
        to->negatives++;
    else
        sw_sum_add_square(&to->log_squared, log1p(label) - log1p(prediction));
}

void sw_regression_merge(sw_regression_sums *to, const sw_regression_sums *from) {
    to->rows += from->rows;
    to->negatives += from->negatives;
    sw_sum_merge(&to->error, from->error);
    sw_sum_merge(&to->absolute, from->absolute);
    sw_sum_merge(&to->squared, from->squared);
    sw_sum_merge(&to->relative, from->relative);
    sw_sum_merge(&to->log_squared, from->log_squared);
    sw_sum_merge(&to->pinball, from->pinball);
    sw_sum_merge(&to->labels, from->labels);
    sw_sum_merge(&to->labels_squared, from->labels_squared);
}

bool sw_regression_subtract(sw_regression_sums *from, const sw_regression_sums *part) {
    from->rows -= part->rows;
    from->negatives -= part->negatives;
    bool whole = sw_sum_subtract(&from->error, part->error);
    whole &= sw_sum_subtract(&from->absolute, part->absolute);
    whole &= sw_sum_subtract(&from->squared, part->squared);
    whole &= sw_sum_subtract(&from->relative, part->relative);
    whole &= sw_sum_subtract(&from->log_squared, part->log_squared);
    whole &= sw_sum_subtract(&from->pinball, part->pinball);
    whole &= sw_sum_subtract(&from->labels, part->labels);
    whole &= sw_sum_subtract(&from->labels_squared, part->labels_squared);
    return whole;
}

static void add_product(sw_sum *to, double a, double b) {
    double product = a * b;
    sw_sum_merge(to, (sw_sum){product, fma(a, b, -product)});
}

/* The labels' squared distances from their mean m: sum of y^2 - 2 m sum of y + n m^2, every product
 * kept whole, so that what cancels is among the 106 bits held. */
static double spread(const sw_regression_sums *sums) {
    double rows = (double)sums->rows, mean = sw_sum_value(sums->labels) / rows;
    double square = mean * mean;
    sw_sum left = sums->labels_squared;
    add_product(&left, -2 * mean, sums->labels.high);
    add_product(&left, -2 * mean, sums->labels.low);
    add_product(&left, rows, square);
    add_product(&left, rows, fma(mean, mean, -square));
    return fmax(sw_sum_value(left), 0);
}

static double r_squared(const sw_regression_sums *sums) {
    double rest = sw_sum_value(sums->squared), all = spread(sums);
    if (all > sw_sum_value(sums->labels_squared) * CONSTANT_SHARE)
        return 1 - rest / all;
    return rest == 0 ? 1 : 0; /* a constant label */
}

void sw_regression_sums_metrics(sw_metrics *out, const sw_regression_sums *sums) {
    static const char *const names[] = {"mean_error", "mae", "mse",  "rmse",
                                        "mape",       "r2",  "msle", "pinball_0.9"};
    double rows = (double)sums->rows;
    if (rows == 0) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            sw_metrics_add_undefined(out, names[i], no_rows);
        return;
    }
    double mse = sw_sum_value(sums->squared) / rows;
    sw_metrics_add(out, "mean_error", sw_sum_value(sums->error) / rows);
    sw_metrics_add(out, "mae", sw_sum_value(sums->absolute) / rows);
    sw_metrics_add(out, "mse", mse);
    sw_metrics_add(out, "rmse", sqrt(mse));
    sw_metrics_add(out, "mape", sw_sum_value(sums->relative) / rows);
    if (sums->rows < 2)
        sw_metrics_add_undefined(out, "r2", "one row has no spread to explain");
    else
        sw_metrics_add(out, "r2", r_squared(sums));
    if (sums->negatives)
        sw_metrics_add_undefined(out, "msle", "a label or prediction is below 0");
    else
        sw_metrics_add(out, "msle", sw_sum_value(sums->log_squared) / rows);
    sw_metrics_add(out, "pinball_0.9", sw_sum_value(sums->pinball) / rows);
}

/* Pearson's r of midranks; NaN where either side is constant. `room` takes 2 * rows. */
static double rank_correlation(double *room, const sw_scored *labels, const sw_scored *predictions,
                               size_t rows) {
    double *x = room, *y = room + rows, mean = ((double)rows + 1) / 2;
    sw_midranks(x, labels, rows);
    sw_midranks(y, predictions, rows);
    sw_sum xx = {0}, yy = {0}, xy = {0};
    for (size_t i = 0; i < rows; i++) {
        sw_sum_add_square(&xx, x[i] - mean);
        sw_sum_add_square(&yy, y[i] - mean);
        sw_sum_add(&xy, (x[i] - mean) * (y[i] - mean));
    }
    return sw_sum_value(xy) / (sqrt(sw_sum_value(xx)) * sqrt(sw_sum_value(yy)));
}

static double median_of(const sw_scored *sorted, size_t rows) {
    return rows % 2 ? sorted[rows / 2].score
                    : (sorted[rows / 2 - 1].score + sorted[rows / 2].score) / 2;
}

static void add_sorted(sw_metrics *out, double *room, const sw_scored *errors,
                       const sw_scored *labels, const sw_scored *predictions, size_t rows) {
    sw_metrics_add(out, "max_error", errors[rows - 1].score);
    sw_metrics_add(out, "median_abs_error", median_of(errors, rows));
    double r = rank_correlation(room, labels, predictions, rows);
    isnan(r) ? sw_metrics_add_undefined(out, "spearman", "the labels or predictions are constant")
             : sw_metrics_add(out, "spearman", r);
}

sw_status sw_regression_metrics(sw_metrics *out, const double *labels, const double *predictions,
                                size_t rows, sw_error *error) {
    sw_regression_sums sums = {0};
    sw_scored *by_label = NULL, *by_prediction = NULL, *by_error = NULL;
    double *room = sw_mem_zalloc(2 * rows + 1, sizeof *room);
    *out = (sw_metrics){0};
    sw_status status =
        room ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "no memory to evaluate %zu rows", rows);
    for (size_t i = 0; i < rows && room; i++) {
        sw_regression_add(&sums, labels[i], predictions[i]);
        room[i] = fabs(labels[i] - predictions[i]);
    }
    if (!sw_failed(status))
        status = sw_scored_sort(&by_error, room, rows, error);
    if (!sw_failed(status))
        status = sw_scored_sort(&by_label, labels, rows, error);
    if (!sw_failed(status))
        status = sw_scored_sort(&by_prediction, predictions, rows, error);
    if (sw_failed(status))
        goto done;
    sw_regression_sums_metrics(out, &sums);
    if (rows) {
        add_sorted(out, room, by_error, by_label, by_prediction, rows);
    } else {
        sw_metrics_add_undefined(out, "max_error", no_rows);
        sw_metrics_add_undefined(out, "median_abs_error", no_rows);
        sw_metrics_add_undefined(out, "spearman", no_rows);
    }
done:
    sw_mem_free(by_label);
    sw_mem_free(by_prediction);
    sw_mem_free(by_error);
    sw_mem_free(room);
    return status;
}
