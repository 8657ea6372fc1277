/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/calibration.h"

#include "base/mem.h"
#include "stats/classification.h"
#include "stats/order_private.h"

#include <math.h>

/* Above this ROC AUC the classes are parted already, and a map could only blur it. */
#define PARTED_AUC 0.999

enum { FOLDS = 10 };

void sw_reliability_errors(double *ece, double *mce, const sw_reliability *reliability) {
    uint64_t rows = 0;
    for (unsigned i = 0; i < SW_RELIABILITY_BINS; i++)
        rows += reliability->bins[i].rows;
    *ece = *mce = rows ? 0 : NAN;
    for (unsigned i = 0; i < SW_RELIABILITY_BINS; i++) {
        const sw_reliability_bin *bin = &reliability->bins[i];
        if (!bin->rows)
            continue;
        double count = (double)bin->rows,
               gap = fabs((double)bin->positives / count - sw_sum_value(bin->scores) / count);
        *ece += count / (double)rows * gap;
        *mce = fmax(*mce, gap);
    }
}

double sw_ece_equal_count(const sw_scored *sorted, const uint8_t *labels, size_t rows,
                          unsigned bins) {
    if (rows <= 2 * (size_t)bins)
        bins = (unsigned)(rows / 2);
    if (bins < 2)
        return NAN;
    /* Every floor(rows / bins)-th row is an edge, the last of which moves to the end. */
    size_t width = rows / bins, edges = rows / width;
    double error = 0;
    for (size_t e = 0; e < edges; e++) {
        size_t begin = e * width, end = e + 1 == edges ? rows : begin + width;
        sw_sum scores = {0};
        uint64_t positives = 0;
        for (size_t i = begin; i < end; i++) {
            sw_sum_add(&scores, sorted[i].score);
            positives += labels[sorted[i].row];
        }
        double count = (double)(end - begin);
        error +=
            count / (double)rows * fabs(sw_sum_value(scores) / count - (double)positives / count);
    }
    return error;
}

/* A block of pooled scores; equal scores are pooled before anything else. */
typedef struct block {
    double first, last; /* scores */
    uint64_t rows, positives;
} block;

static bool violates(const block *low, const block *high) {
    return (double)low->positives * (double)high->rows >=
           (double)high->positives * (double)low->rows;
}

/* Pools adjacent violators in place; returns how many blocks are left. */
static size_t pool(block *blocks, const sw_scored *sorted, const uint8_t *labels, size_t rows) {
    size_t count = 0;
    for (size_t begin = 0, end; begin < rows; begin = end) {
        block next = {sorted[begin].score, sorted[begin].score, 0, 0};
        for (end = begin; end < rows && sorted[end].score == next.first; end++) {
            next.rows++;
            next.positives += labels[sorted[end].row];
        }
        while (count && violates(&blocks[count - 1], &next)) {
            next.first = blocks[count - 1].first;
            next.rows += blocks[count - 1].rows;
            next.positives += blocks[--count].positives;
        }
        blocks[count++] = next;
    }
    return count;
}

static sw_status fit_sorted(sw_isotonic *out, const sw_scored *sorted, const uint8_t *labels,
                            size_t rows, sw_error *error) {
    *out = (sw_isotonic){0};
    block *blocks = sw_mem_zalloc(rows + 1, sizeof *blocks);
    size_t count = blocks ? pool(blocks, sorted, labels, rows) : 0;
    out->at = sw_mem_zalloc(2 * count + 1, sizeof *out->at);
    out->value = sw_mem_zalloc(2 * count + 1, sizeof *out->value);
    if (!blocks || !out->at || !out->value) {
        sw_mem_free(blocks);
        sw_isotonic_free(out);
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to calibrate on %zu rows", rows);
    }
    for (size_t i = 0; i < count; i++) {
        double value = (double)blocks[i].positives / (double)blocks[i].rows;
        out->at[out->knots] = blocks[i].first;
        out->value[out->knots++] = value;
        if (blocks[i].last > blocks[i].first) {
            out->at[out->knots] = blocks[i].last;
            out->value[out->knots++] = value;
        }
    }
    sw_mem_free(blocks);
    return SW_OK;
}

sw_status sw_isotonic_fit(sw_isotonic *out, const double *scores, const uint8_t *labels,
                          size_t rows, sw_error *error) {
    sw_scored *sorted = NULL;
    *out = (sw_isotonic){0};
    SW_TRY(sw_scored_sort(&sorted, scores, rows, error));
    sw_status status = fit_sorted(out, sorted, labels, rows, error);
    sw_mem_free(sorted);
    return status;
}

double sw_isotonic_value(const sw_isotonic *map, double score) {
    if (map->knots == 0)
        return score;
    if (score <= map->at[0])
        return map->value[0];
    if (score >= map->at[map->knots - 1])
        return map->value[map->knots - 1];
    size_t low = 0, high = map->knots - 1; /* at[low] <= score < at[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->at[middle] <= score)
            low = middle;
        else
            high = middle;
    }
    double share = (score - map->at[low]) / (map->at[high] - map->at[low]);
    return map->value[low] + share * (map->value[high] - map->value[low]);
}

void sw_isotonic_free(sw_isotonic *map) {
    sw_mem_free(map->at);
    sw_mem_free(map->value);
    *map = (sw_isotonic){0};
}

/* Room for the folds, and what each row got while it was left out. */
typedef struct trial {
    sw_scored *sorted, *train;
    double *left_out;
    uint8_t *fold;
} trial;

static sw_status make_trial(trial *out, const double *scores, const uint8_t *labels, size_t rows,
                            sw_error *error) {
    SW_TRY(sw_scored_sort(&out->sorted, scores, rows, error));
    out->train = sw_mem_zalloc(rows + 1, sizeof *out->train);
    out->left_out = sw_mem_zalloc(rows + 1, sizeof *out->left_out);
    out->fold = sw_mem_zalloc(rows + 1, 1);
    if (!out->train || !out->left_out || !out->fold)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to try calibration on %zu rows", rows);
    size_t seen[2] = {0, 0};
    for (size_t i = 0; i < rows; i++) /* every tenth of each class goes to the same fold */
        out->fold[i] = (uint8_t)(seen[labels[i] != 0]++ % FOLDS);
    return SW_OK;
}

static void forget(trial *t) {
    sw_mem_free(t->sorted);
    sw_mem_free(t->train);
    sw_mem_free(t->left_out);
    sw_mem_free(t->fold);
}

static sw_status run_fold(trial *t, unsigned fold, const double *scores, const uint8_t *labels,
                          size_t rows, sw_error *error) {
    size_t count = 0;
    for (size_t i = 0; i < rows; i++)
        if (t->fold[t->sorted[i].row] != fold)
            t->train[count++] = t->sorted[i];
    sw_isotonic map;
    SW_TRY(fit_sorted(&map, t->train, labels, count, error));
    for (size_t i = 0; i < rows; i++)
        if (t->fold[i] == fold)
            t->left_out[i] = sw_isotonic_value(&map, scores[i]);
    sw_isotonic_free(&map);
    return SW_OK;
}

/* Whether the pooled error of what was left out is below that of the scores themselves. */
static sw_status compare(bool *out, const trial *t, const uint8_t *labels, size_t rows,
                         sw_error *error) {
    sw_scored *after = NULL;
    SW_TRY(sw_scored_sort(&after, t->left_out, rows, error));
    *out = sw_ece_equal_count(t->sorted, labels, rows, SW_RELIABILITY_BINS) >
           sw_ece_equal_count(after, labels, rows, SW_RELIABILITY_BINS);
    sw_mem_free(after);
    return SW_OK;
}

sw_status sw_isotonic_helps(bool *out, const double *scores, const uint8_t *labels, size_t rows,
                            sw_error *error) {
    double auc;
    trial t = {0};
    *out = false;
    SW_TRY(sw_roc_auc(&auc, scores, labels, rows, error));
    if (isnan(auc) || auc > PARTED_AUC)
        return SW_OK;
    sw_status status = make_trial(&t, scores, labels, rows, error);
    for (unsigned fold = 0; fold < FOLDS && !sw_failed(status); fold++)
        status = run_fold(&t, fold, scores, labels, rows, error);
    if (!sw_failed(status))
        status = compare(out, &t, labels, rows, error);
    forget(&t);
    return status;
}
