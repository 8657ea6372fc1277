/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/metrics.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static void add(sw_metrics *to, sw_metric metric) {
    if (to->count < SW_METRICS_MAX)
        to->at[to->count++] = metric;
}

void sw_metrics_add(sw_metrics *to, const char *name, double value) {
    add(to, (sw_metric){name, value, isnan(value) ? "it came out as no number" : NULL});
}

void sw_metrics_add_undefined(sw_metrics *to, const char *name, const char *why) {
    add(to, (sw_metric){name, NAN, why});
}

void sw_metrics_add_ratio(sw_metrics *to, const char *name, double top, double bottom,
                          const char *why) {
    if (bottom == 0)
        sw_metrics_add_undefined(to, name, why);
    else
        sw_metrics_add(to, name, top / bottom);
}

const sw_metric *sw_metrics_find(const sw_metrics *metrics, const char *name) {
    for (unsigned i = 0; i < metrics->count; i++)
        if (strcmp(metrics->at[i].name, name) == 0)
            return &metrics->at[i];
    return NULL;
}

double sw_metrics_value(const sw_metrics *metrics, const char *name) {
    const sw_metric *metric = sw_metrics_find(metrics, name);
    return metric ? metric->value : NAN;
}
