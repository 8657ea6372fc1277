/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "cli/evaluate_private.h"
#include "stats/cbpe.h"

#include <math.h>
#include <stdlib.h>

/* The rows of one segment, or of all, side by side: borrowed from the sample where it is all. */
typedef struct rows {
    size_t count;
    const double *scores, *values;
    const uint32_t *labels, *decided, *queries;
    const double *estimable; /* scores to estimate quality from: of all, labelled or not */
    size_t estimable_count;
    void *owned[5];
} rows;

static sw_status fail_memory(size_t count, sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to evaluate %zu rows", count);
}

static void forget(rows *r) {
    for (size_t i = 0; i < sizeof r->owned / sizeof r->owned[0]; i++)
        sw_mem_free(r->owned[i]);
}

/* The rows of `segment` from `from`, `width` elements of `size` bytes each; NULL from NULL. */
static bool pick(const void **out, void **owned, const void *from, size_t size, size_t width,
                 const sw_eval_sample *sample, uint32_t segment, size_t count) {
    *out = NULL;
    if (!from)
        return true;
    char *to = sw_mem_alloc(count * size * width + 1);
    *owned = to;
    *out = to;
    if (!to)
        return false;
    size_t step = size * width;
    for (size_t i = 0; i < sample->used; i++) {
        if (sample->segments[i] != segment)
            continue;
        memcpy(to, (const char *)from + i * step, step);
        to += step;
    }
    return true;
}

static sw_status gather(rows *out, const sw_eval_sample *sample, uint32_t segment,
                        sw_error *error) {
    *out = (rows){.count = sample->used,
                  .scores = sample->scores,
                  .values = sample->values,
                  .labels = sample->labels,
                  .decided = sample->decided,
                  .queries = sample->queries,
                  .estimable = sample->estimable,
                  .estimable_count = sample->estimable_count};
    if (segment == SW_EVAL_ALL)
        return SW_OK;
    const void *found[5];
    const void *const from[5] = {sample->scores, sample->values, sample->labels, sample->decided,
                                 sample->queries};
    out->count = 0;
    for (size_t i = 0; i < sample->used; i++)
        out->count += sample->segments[i] == segment;
    for (int i = 0; i < 5; i++)
        if (!pick(&found[i], &out->owned[i], from[i], i < 2 ? sizeof(double) : sizeof(uint32_t),
                  i == 0 ? sample->score_count : 1, sample, segment, out->count)) {
            forget(out);
            return fail_memory(sample->used, error);
        }
    out->scores = out->estimable = found[0];
    out->estimable_count = out->count;
    out->values = found[1];
    out->labels = found[2];
    out->decided = found[3];
    out->queries = found[4];
    return SW_OK;
}

static sw_status make_matrix(sw_eval_result *out, uint32_t classes, sw_error *error) {
    out->matrix = sw_mem_zalloc((size_t)classes * classes, sizeof *out->matrix);
    out->per_class = sw_mem_zalloc(classes, sizeof *out->per_class);
    return out->matrix && out->per_class
               ? SW_OK
               : sw_fail(error, SW_CODE_NO_MEMORY, "no memory for %u classes", classes);
}

static void set_matrix(sw_eval_result *out, const sw_confusion *confusion) {
    out->matrix[0] = confusion->tn;
    out->matrix[1] = confusion->fp;
    out->matrix[2] = confusion->fn;
    out->matrix[3] = confusion->tp;
}

static sw_status measure_binary(sw_eval_result *out, const sw_eval_plan *plan, const rows *r,
                                sw_error *error) {
    sw_confusion confusion = {0};
    SW_TRY(make_matrix(out, 2, error));
    if (r->decided) {
        for (size_t i = 0; i < r->count; i++)
            sw_confusion_count(&confusion, r->decided[i], r->labels[i]);
        sw_confusion_metrics(&out->metrics, &confusion);
        set_matrix(out, &confusion);
        return SW_OK;
    }
    uint8_t *labels = sw_mem_alloc(r->count + 1);
    if (!labels)
        return fail_memory(r->count, error);
    bool probabilities = sw_are_probabilities(r->scores, r->count);
    out->has_reliability = probabilities && r->count;
    out->has_estimate =
        r->estimable_count && sw_are_probabilities(r->estimable, r->estimable_count);
    for (size_t i = 0; i < r->count; i++) {
        labels[i] = (uint8_t)r->labels[i];
        if (probabilities)
            sw_reliability_add(&out->reliability, r->scores[i], labels[i]);
    }
    sw_status status = sw_binary_metrics(&out->metrics, &confusion, r->scores, labels, r->count,
                                         plan->threshold, error);
    set_matrix(out, &confusion);
    if (!sw_failed(status) && out->has_estimate)
        status = sw_cbpe_metrics(&out->estimate, r->estimable, r->estimable_count, plan->threshold,
                                 NULL, error);
    sw_mem_free(labels);
    return status;
}

static sw_status measure_multiclass(sw_eval_result *out, const sw_eval_classes *classes,
                                    const rows *r, sw_error *error) {
    uint32_t count = classes->count ? classes->count : 1;
    SW_TRY(make_matrix(out, count, error));
    if (r->decided) {
        for (size_t i = 0; i < r->count; i++)
            out->matrix[(size_t)r->labels[i] * count + r->decided[i]]++;
        sw_matrix_metrics(&out->metrics, out->per_class, out->matrix, count);
        return SW_OK;
    }
    out->has_reliability = r->count && sw_are_probabilities(r->scores, r->count * count);
    for (size_t i = 0; i < r->count && out->has_reliability; i++) {
        const double *row = r->scores + i * count;
        uint32_t decided = sw_class_of(row, count);
        sw_reliability_add(&out->reliability, row[decided], decided == r->labels[i]);
    }
    out->has_estimate =
        r->estimable_count && sw_are_probabilities(r->estimable, r->estimable_count * count);
    SW_TRY(sw_multiclass_metrics(&out->metrics, out->matrix, out->per_class, r->scores, r->labels,
                                 r->count, count, error));
    return out->has_estimate ? sw_cbpe_multiclass_metrics(&out->estimate, r->estimable,
                                                          r->estimable_count, count, NULL, error)
                             : SW_OK;
}

typedef struct query_row {
    uint32_t query;
    sw_ranked row;
} query_row;

static int by_query(const void *a, const void *b) {
    const query_row *x = a, *y = b;
    return (x->query > y->query) - (x->query < y->query);
}

static sw_status measure_ranking(sw_eval_result *out, const rows *r, sw_error *error) {
    query_row *sorted = sw_mem_zalloc(r->count + 1, sizeof *sorted);
    sw_ranked *query = sw_mem_zalloc(r->count + 1, sizeof *query);
    sw_ranking_sums sums = {0};
    sw_status status = sorted && query ? SW_OK : fail_memory(r->count, error);
    if (sw_failed(status))
        goto done;
    for (size_t i = 0; i < r->count; i++)
        sorted[i] = (query_row){r->queries[i], {r->scores[i], r->values[i]}};
    qsort(sorted, r->count, sizeof *sorted, by_query);
    for (size_t begin = 0, end; begin < r->count; begin = end) {
        for (end = begin; end < r->count && sorted[end].query == sorted[begin].query; end++)
            query[end - begin] = sorted[end].row;
        sw_ranking_add(&sums, query, end - begin);
    }
    sw_ranking_metrics(&out->metrics, &sums);
done:
    sw_mem_free(sorted);
    sw_mem_free(query);
    return status;
}

static sw_status measure_rows(sw_eval_result *out, const sw_eval_plan *plan,
                              const sw_eval_classes *classes, const rows *r, sw_error *error) {
    switch (plan->task) {
    case SW_QUALITY_BINARY: return measure_binary(out, plan, r, error);
    case SW_QUALITY_MULTICLASS: return measure_multiclass(out, classes, r, error);
    case SW_QUALITY_REGRESSION:
        return sw_regression_metrics(&out->metrics, r->values, r->scores, r->count, error);
    case SW_QUALITY_RANKING: break;
    }
    return measure_ranking(out, r, error);
}

sw_status sw_eval_measure(sw_eval_result *out, const sw_eval_plan *plan,
                          const sw_eval_classes *classes, const sw_eval_sample *sample,
                          uint32_t segment, sw_error *error) {
    rows r;
    *out = (sw_eval_result){0};
    SW_TRY(gather(&r, sample, segment, error));
    out->rows = r.count;
    sw_status status = measure_rows(out, plan, classes, &r, error);
    forget(&r);
    if (sw_failed(status))
        sw_eval_result_free(out);
    return status;
}

void sw_eval_result_free(sw_eval_result *result) {
    sw_mem_free(result->matrix);
    sw_mem_free(result->per_class);
    *result = (sw_eval_result){0};
}

/* One class against all others, where that helps; `scores` and `labels` take one for each row. */
static sw_status calibrate(sw_isotonic *map, const sw_eval_sample *baseline, uint32_t class,
                           double *scores, uint8_t *labels, sw_error *error) {
    uint32_t columns = baseline->score_count;
    bool helps;
    for (size_t i = 0; i < baseline->used; i++) {
        scores[i] = baseline->scores[i * columns + (columns > 1 ? class : 0)];
        labels[i] = baseline->labels[i] == class;
    }
    SW_TRY(sw_isotonic_helps(&helps, scores, labels, baseline->used, error));
    return helps ? sw_isotonic_fit(map, scores, labels, baseline->used, error) : SW_OK;
}

sw_status sw_eval_estimate(sw_metrics *out, bool *calibrated, const sw_eval_plan *plan,
                           const sw_eval_sample *sample, const sw_eval_sample *baseline,
                           sw_error *error) {
    uint32_t columns = sample->score_count;
    sw_isotonic *maps = sw_mem_zalloc(columns, sizeof *maps);
    double *scores = sw_mem_alloc((baseline->used + 1) * sizeof *scores);
    uint8_t *labels = sw_mem_alloc(baseline->used + 1);
    sw_status status = maps && scores && labels ? SW_OK : fail_memory(baseline->used, error);
    *calibrated = false;
    for (uint32_t k = 0; !sw_failed(status) && k < columns; k++) {
        status = calibrate(&maps[k], baseline, columns > 1 ? k : 1, scores, labels, error);
        *calibrated |= maps[k].knots > 0;
    }
    if (!sw_failed(status))
        status = plan->task == SW_QUALITY_BINARY
                     ? sw_cbpe_metrics(out, sample->estimable, sample->estimable_count,
                                       plan->threshold, maps, error)
                     : sw_cbpe_multiclass_metrics(out, sample->estimable, sample->estimable_count,
                                                  columns, maps, error);
    for (uint32_t k = 0; maps && k < columns; k++)
        sw_isotonic_free(&maps[k]);
    sw_mem_free(maps);
    sw_mem_free(scores);
    sw_mem_free(labels);
    return status;
}
