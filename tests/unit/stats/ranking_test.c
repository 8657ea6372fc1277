/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/ranking.h"

#include "unit/stats/quality_cases.h"

#include <math.h>

static double figure(sw_ranked *rows, size_t count, const char *name) {
    sw_ranking_sums sums = {0};
    sw_metrics metrics = {0};
    sw_ranking_add(&sums, rows, count);
    sw_ranking_metrics(&metrics, &sums);
    return sw_metrics_value(&metrics, name);
}

TEST(ranking__of_a_perfect_order_is_one_everywhere) {
    sw_ranked rows[] = {{0.9, 3}, {0.5, 2}, {0.1, 0}};
    CHECK_NEAR(figure(rows, 3, "ndcg"), 1, 1e-15);
    CHECK_NEAR(figure(rows, 3, "map"), 1, 1e-15);
    CHECK_NEAR(figure(rows, 3, "mrr"), 1, 1e-15);
    CHECK_NEAR(figure(rows, 3, "precision@1"), 1, 0);
    CHECK_NEAR(figure(rows, 3, "precision@5"), 0.4, 1e-15);
    CHECK_NEAR(figure(rows, 3, "recall@5"), 1, 1e-15);
}

/* By hand: gains 1, 0, 2 in the order of scores. */
TEST(ranking__agrees_with_figures_by_hand) {
    sw_ranked rows[] = {{0.2, 2}, {0.9, 1}, {0.5, 0}};
    double best = 2 + 1 / log2(3), got = 1 + 2 / 2.0;
    CHECK_NEAR(figure(rows, 3, "ndcg"), got / best, 1e-15);
    CHECK_NEAR(figure(rows, 3, "map"), (1 + 2.0 / 3) / 2, 1e-15);
    CHECK_NEAR(figure(rows, 3, "mrr"), 1, 1e-15);
}

/* Mean over all orders of the tied rows, one by one. */
static void visit_orders(double *sum, double *orders, sw_ranked *rows, size_t count, size_t at,
                         const char *name) {
    if (at == count) {
        sw_ranked copy[8];
        for (size_t i = 0; i < count; i++)
            copy[i] = (sw_ranked){rows[i].score - 1e-6 * (double)i, rows[i].gain};
        *sum += figure(copy, count, name);
        ++*orders;
        return;
    }
    for (size_t i = at; i < count; i++) {
        sw_ranked swap = rows[at];
        rows[at] = rows[i], rows[i] = swap;
        visit_orders(sum, orders, rows, count, at + 1, name);
        swap = rows[at];
        rows[at] = rows[i], rows[i] = swap;
    }
}

TEST(ranking__of_equal_scores_is_the_mean_over_their_orders) {
    static const char *const names[] = {"ndcg",        "ndcg@5",      "mrr",
                                        "precision@1", "precision@5", "recall@5"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sw_ranked rows[] = {{0.9, 0}, {0.5, 1}, {0.5, 0}, {0.5, 3}, {0.5, 0}, {0.1, 2}, {0.1, 0}};
        double sum = 0, orders = 0;
        visit_orders(&sum, &orders, rows, 7, 0, names[i]);
        CHECK_NEAR(figure(rows, 7, names[i]), sum / orders, 1e-12);
    }
}

TEST(ranking__leaves_out_and_counts_queries_without_gain) {
    sw_ranking_sums sums = {0};
    sw_ranked none[] = {{0.9, 0}, {0.5, 0}}, some[] = {{0.9, 0}, {0.5, 1}};
    sw_metrics metrics = {0};
    sw_ranking_add(&sums, none, 2);
    sw_ranking_metrics(&metrics, &sums);
    CHECK_HAS(sw_metrics_find(&metrics, "ndcg")->undefined, "gain above 0");
    sw_ranking_add(&sums, some, 2);
    metrics = (sw_metrics){0};
    sw_ranking_metrics(&metrics, &sums);
    CHECK_NEAR(sw_metrics_value(&metrics, "mrr"), 0.5, 0);
    CHECK_NEAR(sw_metrics_value(&metrics, "queries"), 2, 0);
    CHECK_NEAR(sw_metrics_value(&metrics, "queries_without_gain"), 1, 0);
}

TEST(ranking__hit_rate_counts_the_chance_of_a_tied_row_within_the_cut) {
    sw_ranked rows[12];
    for (size_t i = 0; i < 12; i++)
        rows[i] = (sw_ranked){i < 9 ? 1 : 0, i == 11};
    CHECK_NEAR(figure(rows, 12, "hit_rate@10"), 1.0 / 3, 1e-15);
    CHECK_NEAR(figure(rows, 12, "mrr"), (1.0 / 10 + 1.0 / 11 + 1.0 / 12) / 3, 1e-15);
}

TEST_MAIN
