/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ranking: does the order by score put what is worth most first?
 *
 * Rows belong to queries; each has a gain of 0 or more, and is relevant where it is above 0.
 * ndcg discounts the gain at rank r by 1 / log2(r + 1), over the best order there is (linear gain,
 * as scikit-learn). Equal scores get the mean over their orders, so that the order of a file never
 * matters: exactly so in ndcg, precision, recall, hit rate and mrr; map takes equal scores as one
 * step of its curve. Queries without a relevant row say nothing about an order and are left out,
 * counted apart.
 *
 * Memory:  the caller's; queries are sorted in place.
 * Threads: any; no state.
 * Layer:   stats. Source: K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation" (2002);
 *          F. McSherry and M. Najork, "Computing information retrieval performance measures
 *          efficiently in the presence of tied scores" (2008).
 */
#ifndef SW_STATS_RANKING_H
#define SW_STATS_RANKING_H

#include "stats/metrics.h"
#include "stats/sum.h"

#include <stddef.h>
#include <stdint.h>

typedef struct sw_ranked {
    double score, gain;
} sw_ranked;

typedef enum sw_ranking_figure {
    SW_RANKING_NDCG,
    SW_RANKING_NDCG_5,
    SW_RANKING_NDCG_10,
    SW_RANKING_MAP,
    SW_RANKING_MRR,
    SW_RANKING_PRECISION_1,
    SW_RANKING_PRECISION_5,
    SW_RANKING_PRECISION_10,
    SW_RANKING_RECALL_5,
    SW_RANKING_RECALL_10,
    SW_RANKING_HIT_RATE_10,
    SW_RANKING_FIGURES
} sw_ranking_figure;

/* "ndcg", "ndcg@5", "ndcg@10", "map", "mrr", "precision@1", … */
extern const char *const sw_ranking_names[SW_RANKING_FIGURES];

/* Windows of them add up. */
typedef struct sw_ranking_sums {
    uint64_t queries, without_gain, rows; /* queries include those without gain */
    sw_sum figures[SW_RANKING_FIGURES];
} sw_ranking_sums;

/* One whole query; sorts `rows`. Gains are 0 or more; neither they nor scores may be NaN. */
void sw_ranking_add(sw_ranking_sums *to, sw_ranked *rows, size_t count);
void sw_ranking_merge(sw_ranking_sums *to, const sw_ranking_sums *from);
/* False as of sw_sum_subtract. */
bool sw_ranking_subtract(sw_ranking_sums *from, const sw_ranking_sums *part);
/* The means over queries, queries and queries_without_gain. */
void sw_ranking_metrics(sw_metrics *out, const sw_ranking_sums *sums);

#endif /* SW_STATS_RANKING_H */
