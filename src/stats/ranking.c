/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/ranking.h"

#include <math.h>
#include <stdlib.h>

const char *const sw_ranking_names[SW_RANKING_FIGURES] = {
    "ndcg",        "ndcg@5",       "ndcg@10",  "map",       "mrr",        "precision@1",
    "precision@5", "precision@10", "recall@5", "recall@10", "hit_rate@10"};

static int by_score_falling(const void *a, const void *b) {
    const sw_ranked *x = a, *y = b;
    return (x->score < y->score) - (x->score > y->score);
}

static int by_gain_falling(const void *a, const void *b) {
    double x = ((const sw_ranked *)a)->gain, y = ((const sw_ranked *)b)->gain;
    return (x < y) - (x > y);
}

static double discount(size_t place) {
    return 1 / log2((double)place + 2);
}

/* Rows of equal score, from `begin` on. */
typedef struct group {
    size_t begin, end;
    uint64_t relevant;
    double gain;
} group;

static group group_at(const sw_ranked *sorted, size_t count, size_t begin) {
    group g = {begin, begin, 0, 0};
    for (; g.end < count && sorted[g.end].score == sorted[begin].score; g.end++) {
        g.relevant += sorted[g.end].gain > 0;
        g.gain += sorted[g.end].gain;
    }
    return g;
}

/* Each row of a group gets the mean discount of the group's places. */
static double dcg(const sw_ranked *sorted, size_t count, size_t k) {
    double sum = 0;
    for (size_t begin = 0; begin < count && begin < k;) {
        group g = group_at(sorted, count, begin);
        double discounts = 0;
        for (size_t place = begin; place < g.end && place < k; place++)
            discounts += discount(place);
        sum += g.gain / (double)(g.end - begin) * discounts;
        begin = g.end;
    }
    return sum;
}

/* Of rows sorted by gain. */
static double best_dcg(const sw_ranked *rows, size_t count, size_t k) {
    double sum = 0;
    for (size_t place = 0; place < count && place < k; place++)
        sum += rows[place].gain * discount(place);
    return sum;
}

/* How many relevant rows are to be expected among the first `k`. */
static double expected_hits(const sw_ranked *sorted, size_t count, size_t k) {
    double hits = 0;
    for (size_t begin = 0; begin < count && begin < k;) {
        group g = group_at(sorted, count, begin);
        size_t within = (g.end < k ? g.end : k) - begin;
        hits += (double)g.relevant * (double)within / (double)(g.end - begin);
        begin = g.end;
    }
    return hits;
}

/* The group of the first relevant row; there is one. */
static group first_relevant(const sw_ranked *sorted, size_t count) {
    group g = group_at(sorted, count, 0);
    while (g.relevant == 0 && g.end < count)
        g = group_at(sorted, count, g.end);
    return g;
}

/*
 * Walks the places of the group that holds the first relevant row: the chance that it stands on
 * each, were the group's order drawn. Gives the mean of 1 / place, and the chance of a place among
 * the first `k`.
 */
static void first_place(double *reciprocal, double *within, const sw_ranked *sorted, size_t count,
                        size_t k) {
    group g = first_relevant(sorted, count);
    double none_yet = 1, left = (double)(g.end - g.begin), other = left - (double)g.relevant;
    *reciprocal = *within = 0;
    for (size_t place = g.begin; place < g.end && none_yet > 0; place++) {
        double here = none_yet * (double)g.relevant / left;
        *reciprocal += here / (double)(place + 1);
        *within += place < k ? here : 0;
        none_yet *= other / left;
        other--;
        left--;
    }
}

static double average_precision(const sw_ranked *sorted, size_t count, double relevant) {
    double sum = 0, found = 0;
    for (size_t begin = 0; begin < count;) {
        group g = group_at(sorted, count, begin);
        found += (double)g.relevant;
        sum += (double)g.relevant / relevant * (found / (double)g.end);
        begin = g.end;
    }
    return sum;
}

static void measure(double *out, const sw_ranked *sorted, size_t count, double relevant) {
    double hits_5 = expected_hits(sorted, count, 5), hits_10 = expected_hits(sorted, count, 10);
    out[SW_RANKING_MAP] = average_precision(sorted, count, relevant);
    first_place(&out[SW_RANKING_MRR], &out[SW_RANKING_HIT_RATE_10], sorted, count, 10);
    out[SW_RANKING_PRECISION_1] = expected_hits(sorted, count, 1);
    out[SW_RANKING_PRECISION_5] = hits_5 / 5;
    out[SW_RANKING_PRECISION_10] = hits_10 / 10;
    out[SW_RANKING_RECALL_5] = hits_5 / relevant;
    out[SW_RANKING_RECALL_10] = hits_10 / relevant;
}

void sw_ranking_add(sw_ranking_sums *to, sw_ranked *rows, size_t count) {
    static const struct {
        sw_ranking_figure figure;
        size_t k;
    } cuts[] = {{SW_RANKING_NDCG, SIZE_MAX}, {SW_RANKING_NDCG_5, 5}, {SW_RANKING_NDCG_10, 10}};
    double out[SW_RANKING_FIGURES], relevant = 0;
    to->queries++;
    to->rows += count;
    for (size_t i = 0; i < count; i++)
        relevant += rows[i].gain > 0;
    if (relevant == 0) {
        to->without_gain++;
        return;
    }
    qsort(rows, count, sizeof *rows, by_gain_falling);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        out[cuts[i].figure] = best_dcg(rows, count, cuts[i].k);
    qsort(rows, count, sizeof *rows, by_score_falling);
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        out[cuts[i].figure] = dcg(rows, count, cuts[i].k) / out[cuts[i].figure];
    measure(out, rows, count, relevant);
    for (size_t i = 0; i < SW_RANKING_FIGURES; i++)
        sw_sum_add(&to->figures[i], out[i]);
}

void sw_ranking_merge(sw_ranking_sums *to, const sw_ranking_sums *from) {
    to->queries += from->queries;
    to->without_gain += from->without_gain;
    to->rows += from->rows;
    for (size_t i = 0; i < SW_RANKING_FIGURES; i++)
        sw_sum_merge(&to->figures[i], from->figures[i]);
}

bool sw_ranking_subtract(sw_ranking_sums *from, const sw_ranking_sums *part) {
    bool whole = true;
    from->queries -= part->queries;
    from->without_gain -= part->without_gain;
    from->rows -= part->rows;
    for (size_t i = 0; i < SW_RANKING_FIGURES; i++)
        whole &= sw_sum_subtract(&from->figures[i], part->figures[i]);
    return whole;
}

void sw_ranking_metrics(sw_metrics *out, const sw_ranking_sums *sums) {
    double queries = (double)(sums->queries - sums->without_gain);
    for (size_t i = 0; i < SW_RANKING_FIGURES; i++)
        sw_metrics_add_ratio(out, sw_ranking_names[i], sw_sum_value(sums->figures[i]), queries,
                             sums->queries ? "no query has a row of gain above 0"
                                           : "there are no rows");
    sw_metrics_add(out, "queries", (double)sums->queries);
    sw_metrics_add(out, "queries_without_gain", (double)sums->without_gain);
}
