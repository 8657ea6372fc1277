/* SPDX-License-Identifier: Apache-2.0 */
/* Counts and sums as JSON, and back. Lists are flat; of the scores' bins those alone that count. */
#include "stats/quality_private.h"
#include "stats/sum_json.h"

enum { FIGURE_SUMS = 3, REGRESSION_SUMS = 8 };

/* In the order in which they are written. */
static void list_losses(sw_sum **out, sw_quality *q) {
    out[0] = &q->log_loss;
    out[1] = &q->log_loss_1e15;
    out[2] = &q->brier;
}

static void list_regression(sw_sum **out, sw_regression_sums *r) {
    sw_sum *const all[REGRESSION_SUMS] = {&r->error,    &r->absolute,      &r->squared,
                                          &r->relative, &r->log_squared,   &r->pinball,
                                          &r->labels,   &r->labels_squared};
    for (size_t i = 0; i < REGRESSION_SUMS; i++)
        out[i] = all[i];
}

/* ---- Writing ---- */

static void begin_list(sw_json *w, const char *key) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
}

static void write_classes(sw_json *w, sw_quality *q) {
    sw_sum *losses[FIGURE_SUMS];
    list_losses(losses, q);
    begin_list(w, "losses");
    for (size_t i = 0; i < FIGURE_SUMS; i++)
        sw_sum_to_json(w, *losses[i]);
    sw_json_end_array(w);
    begin_list(w, "reliability");
    for (size_t i = 0; i < SW_RELIABILITY_BINS; i++) {
        sw_json_u64(w, q->reliability.bins[i].rows);
        sw_json_u64(w, q->reliability.bins[i].positives);
        sw_sum_to_json(w, q->reliability.bins[i].scores);
    }
    sw_json_end_array(w);
    begin_list(w, "matrix");
    for (size_t i = 0; i < sw_quality_matrix_cells(q); i++)
        sw_json_u64(w, q->matrix[i]);
    sw_json_end_array(w);
    begin_list(w, "scores");
    for (size_t i = 0; i < sw_quality_histogram_cells(q); i++) {
        if (q->cells[i].negatives == 0 && q->cells[i].positives == 0)
            continue;
        sw_json_u64(w, i);
        sw_json_u64(w, q->cells[i].negatives);
        sw_json_u64(w, q->cells[i].positives);
    }
    sw_json_end_array(w);
}

static void write_regression(sw_json *w, sw_regression_sums *r) {
    sw_sum *sums[REGRESSION_SUMS];
    list_regression(sums, r);
    begin_list(w, "regression");
    sw_json_u64(w, r->rows);
    sw_json_u64(w, r->negatives);
    for (size_t i = 0; i < REGRESSION_SUMS; i++)
        sw_sum_to_json(w, *sums[i]);
    sw_json_end_array(w);
}

static void write_ranking(sw_json *w, const sw_ranking_sums *r) {
    begin_list(w, "ranking");
    sw_json_u64(w, r->queries);
    sw_json_u64(w, r->without_gain);
    sw_json_u64(w, r->rows);
    for (size_t i = 0; i < SW_RANKING_FIGURES; i++)
        sw_sum_to_json(w, r->figures[i]);
    sw_json_end_array(w);
}

void sw_quality_to_json(sw_json *w, const sw_quality *quality) {
    sw_quality q = *quality;
    sw_json_begin_object(w);
    sw_json_add_text(w, "task", sw_quality_task_words(q.task));
    sw_json_add_u64(w, "classes", q.classes);
    sw_json_add_bool(w, "histograms", q.histograms);
    sw_json_add_f64(w, "threshold", q.threshold);
    sw_json_add_u64(w, "rows", q.rows);
    sw_json_add_u64(w, "scored", q.scored);
    sw_json_add_u64(w, "outside", q.outside);
    if (q.classes)
        write_classes(w, &q);
    if (q.task == SW_QUALITY_REGRESSION)
        write_regression(w, &q.regression);
    if (q.task == SW_QUALITY_RANKING)
        write_ranking(w, &q.ranking);
    sw_json_end_object(w);
}

/* ---- Reading ---- */

typedef struct head {
    sw_str task;
    uint64_t classes;
    double threshold;
    bool histograms;
} head;

static sw_status read_head(head *h, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    *h = (head){0};
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "task"))
            sw_json_read_str(&in, &h->task);
        else if (sw_str_is(key, "classes"))
            sw_json_read_u64(&in, &h->classes);
        else if (sw_str_is(key, "threshold"))
            sw_json_read_f64(&in, &h->threshold);
        else if (sw_str_is(key, "histograms"))
            sw_json_read_bool(&in, &h->histograms);
        else
            sw_json_read_skip(&in);
    }
    return sw_json_read_end(&in);
}

static sw_status make(sw_quality **out, const head *h, sw_error *error) {
    for (int task = SW_QUALITY_BINARY; task <= SW_QUALITY_RANKING; task++)
        if (sw_str_is(h->task, sw_quality_task_words((sw_quality_task)task)))
            return sw_quality_make(out, (sw_quality_task)task,
                                   h->classes > SW_CLASSES_MAX ? 0 : (uint32_t)h->classes,
                                   h->threshold, h->histograms, error);
    return sw_fail(error, SW_CODE_INVALID, "these sums are of no task that is known");
}

static void read_losses(sw_json_reader *in, sw_quality *q) {
    sw_sum *losses[FIGURE_SUMS];
    list_losses(losses, q);
    for (size_t i = 0; i < FIGURE_SUMS; i++)
        sw_take_sum(in, losses[i]);
}

static void read_reliability(sw_json_reader *in, sw_quality *q) {
    for (size_t i = 0; i < SW_RELIABILITY_BINS; i++) {
        sw_take_u64(in, &q->reliability.bins[i].rows);
        sw_take_u64(in, &q->reliability.bins[i].positives);
        sw_take_sum(in, &q->reliability.bins[i].scores);
    }
}

static void read_matrix(sw_json_reader *in, sw_quality *q) {
    size_t cells = sw_quality_matrix_cells(q);
    for (size_t i = 0; i < cells && !sw_failed(in->status); i++)
        sw_take_u64(in, &q->matrix[i]);
}

static void read_scores(sw_json_reader *in, sw_quality *q) {
    uint64_t at = 0;
    while (sw_json_read_item(in)) {
        if (!sw_json_read_u64(in, &at))
            return;
        if (at >= sw_quality_histogram_cells(q)) {
            sw_json_read_fail(in, in->at, "there is no bin of scores with this number");
            return;
        }
        sw_take_u64(in, &q->cells[at].negatives);
        sw_take_u64(in, &q->cells[at].positives);
    }
}

static void read_regression(sw_json_reader *in, sw_quality *q) {
    sw_sum *sums[REGRESSION_SUMS];
    list_regression(sums, &q->regression);
    sw_take_u64(in, &q->regression.rows);
    sw_take_u64(in, &q->regression.negatives);
    for (size_t i = 0; i < REGRESSION_SUMS; i++)
        sw_take_sum(in, sums[i]);
}

static void read_ranking(sw_json_reader *in, sw_quality *q) {
    sw_take_u64(in, &q->ranking.queries);
    sw_take_u64(in, &q->ranking.without_gain);
    sw_take_u64(in, &q->ranking.rows);
    for (size_t i = 0; i < SW_RANKING_FIGURES; i++)
        sw_take_sum(in, &q->ranking.figures[i]);
}

static void read_field(sw_quality *q, sw_json_reader *in, sw_str key) {
    static const struct {
        const char *key;
        void (*read)(sw_json_reader *in, sw_quality *q);
    } lists[] = {{"losses", read_losses},
                 {"reliability", read_reliability},
                 {"matrix", read_matrix},
                 {"regression", read_regression},
                 {"ranking", read_ranking}};
    if (sw_str_is(key, "rows"))
        sw_json_read_u64(in, &q->rows);
    else if (sw_str_is(key, "scored"))
        sw_json_read_u64(in, &q->scored);
    else if (sw_str_is(key, "outside"))
        sw_json_read_u64(in, &q->outside);
    else if (sw_str_is(key, "scores")) {
        sw_json_read_array(in);
        read_scores(in, q);
    } else {
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
            if (!sw_str_is(key, lists[i].key))
                continue;
            sw_json_read_array(in);
            lists[i].read(in, q);
            sw_take_end(in);
            return;
        }
        sw_json_read_skip(in);
    }
}

sw_status sw_quality_from_json(sw_quality **out, sw_str json, sw_arena *arena, sw_error *error) {
    sw_json_reader in;
    sw_str key;
    head h;
    *out = NULL;
    SW_TRY(read_head(&h, json, arena, error));
    SW_TRY(make(out, &h, error));
    sw_json_read_init(&in, json, arena, error);
    sw_json_read_object(&in);
    while (sw_json_read_key(&in, &key))
        read_field(*out, &in, key);
    sw_status status = sw_json_read_end(&in);
    if (sw_failed(status)) {
        sw_quality_free(*out);
        *out = NULL;
    }
    return status;
}
