/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/quantiles_private.h"

#include <math.h>

const double sw_quantile_levels[SW_QUANTILES] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
const char *const sw_quantile_names[SW_QUANTILES] = {"p01", "p05", "p25", "p50",
                                                     "p75", "p95", "p99"};

double sw_moments_mean(const sw_moments *m, double centre) {
    return m->count ? centre + m->sum / (double)m->count : NAN;
}

double sw_moments_stddev(const sw_moments *m) {
    double n = (double)m->count, mean = m->sum / n, spread = m->squares / n - mean * mean;
    return m->count ? sqrt(spread > 0 ? spread : 0) : NAN;
}

/* The bin of 1 … last that holds a share `level` of them below its inside, and how far inside. */
static uint32_t bin_at(double *part, const uint64_t *counts, uint32_t last, double level) {
    uint64_t total = 0, sum = 0;
    for (uint32_t bin = 1; bin <= last; bin++)
        total += counts[bin];
    double wanted = level * (double)total;
    for (uint32_t bin = 1; bin <= last; bin++) {
        if (counts[bin] && (double)(sum + counts[bin]) >= wanted) {
            *part = (wanted - (double)sum) / (double)counts[bin];
            return bin;
        }
        sum += counts[bin];
    }
    return 0;
}

/* A share `level` of the tails within [low, high] lies below it. */
static double tail_at(const sw_tails *tails, uint32_t column, double low, double high,
                      double level) {
    size_t count;
    uint64_t total = 0, sum = 0;
    const sw_tail *at = sw_tails_of(tails, column, &count);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            double x = sw_tail_value(at[i].code, tails->levels[column]);
            if (x < low || x > high)
                continue;
            if (pass == 0)
                total += at[i].count;
            else if ((double)(sum += at[i].count) >= level * (double)total)
                return x;
        }
    return NAN;
}

static double edge(const sw_profile_column *c, uint32_t k) {
    return k == 0 ? c->min : k <= c->cut_count ? c->cuts[k - 1] : c->max;
}

static double of_feature(const sw_profile_column *c, const uint64_t *counts, uint32_t column,
                         const sw_tails *tails, double level) {
    double part = 0;
    uint32_t last = c->bin_count - 1, bin = bin_at(&part, counts, last, level);
    bool known = !isnan(c->min) && !isnan(c->max);
    if (bin == 0)
        return NAN;
    /* The middle of a code may lie across the edge: half a code is allowed for. */
    double slack = known ? fabs(c->max) / 64 : 0, slack_low = known ? fabs(c->min) / 64 : 0;
    if (!known)
        return tail_at(tails, column, -INFINITY, INFINITY, level);
    if (bin == SW_BIN_BELOW)
        return tail_at(tails, column, -INFINITY, c->min + slack_low, part);
    if (bin == last)
        return tail_at(tails, column, c->max - slack, INFINITY, part);
    uint32_t between = bin - SW_BIN_FIRST;
    if (c->levels)
        return c->levels[between];
    double from = edge(c, between), to = edge(c, between + 1);
    return from + (to - from) * part;
}

static double of_scores(const uint64_t *counts, const sw_moments *m, double level) {
    double part = 0, from, to;
    uint32_t bin = bin_at(&part, counts, SW_SCORE_BINS - 1, level);
    if (bin <= 1 || bin == SW_SCORE_BINS - 1)
        return NAN;
    sw_score_edges(&from, &to, bin);
    if (m->count) { /* nothing lies beyond the least and the greatest */
        from = from < m->min && m->min <= to ? m->min : from;
        to = to > m->max && m->max >= from ? m->max : to;
    }
    return from + (to - from) * part;
}

double sw_quantile_of(const sw_observer *observer, const sw_profile_column *profile,
                      uint32_t column, const sw_counts *counts, double level) {
    const sw_counted *counted = &observer->columns[column];
    const uint64_t *bins = counts->bins + counted->first;
    size_t tails = 0;
    if (!counted->number)
        return NAN;
    if (counted->kind == SW_COUNTED_FEATURE)
        return profile ? of_feature(profile, bins, column, &counts->tails, level) : NAN;
    if (!counted->feature && counts->tails.count)
        sw_tails_of(&counts->tails, column, &tails);
    if (tails)
        return tail_at(&counts->tails, column, -INFINITY, INFINITY, level);
    return of_scores(bins, &counts->moments[column], level);
}
