/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics: a list of named figures, where a figure that has no value says why.
 *
 * Everything that measures a model's quality, from the rows of a file or from a window's counts,
 * fills one of these, so that both print, travel and compare the same way. Names are those of
 * docs/evaluate.md: "roc_auc", "log_loss_clip_eps", "ndcg@10", …
 *
 * Memory:  plain data; names and reasons are texts of the program.
 * Threads: one at a time for each list.
 * Layer:   stats.
 */
#ifndef SW_STATS_METRICS_H
#define SW_STATS_METRICS_H

#include <stdbool.h>

enum { SW_METRICS_MAX = 48 };

typedef struct sw_metric {
    const char *name;
    double value;          /* NaN where undefined */
    const char *undefined; /* the reason; NULL where there is a value */
} sw_metric;

typedef struct sw_metrics {
    sw_metric at[SW_METRICS_MAX];
    unsigned count;
} sw_metrics;

void sw_metrics_add(sw_metrics *to, const char *name, double value);
void sw_metrics_add_undefined(sw_metrics *to, const char *name, const char *why);
/* `top / bottom`, or undefined for `why` where the bottom is 0. */
void sw_metrics_add_ratio(sw_metrics *to, const char *name, double top, double bottom,
                          const char *why);
/* NULL where there is none of that name. */
const sw_metric *sw_metrics_find(const sw_metrics *metrics, const char *name);
/* NaN where there is none or it is undefined. */
double sw_metrics_value(const sw_metrics *metrics, const char *name);

#endif /* SW_STATS_METRICS_H */
