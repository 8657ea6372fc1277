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

/* ---- The outermost bins ---- */

/*
 * Half of the range or more may lie in an outermost bin, and most of its values near its inner edge,
 * so they are taken to lie as beyond a threshold they do: by a generalised Pareto distribution
 * (Pickands 1975). Its shape is that which goes through three points that are known: the edges of
 * the bin before, `width` apart, and the last one, `reach` further out. Evenly spread values, a
 * normal's, an exponential's and a power's tails are each such a distribution.
 */
typedef struct tail_curve {
    double width, reach;
    double before; /* values beyond the first point, to those beyond the second; > 1 */
    double beyond; /* of those beyond the second, one in this many lies at the last; > 1 */
} tail_curve;

/* How far outside the second point the value lies beyond which one in `one_in` of them is. */
static double curve_at(const tail_curve *t, double shape, double one_in) {
    if (fabs(shape) < 1e-6)
        return t->width * log(one_in) / log(t->before);
    return t->width * expm1(shape * log(one_in)) / -expm1(-shape * log(t->before));
}

static double shape_of(const tail_curve *t) {
    double low = -16, high = 16; /* curve_at grows with the shape */
    for (int i = 0; i < 60; i++) {
        double shape = low / 2 + high / 2;
        if (curve_at(t, shape, t->beyond) < t->reach)
            low = shape;
        else
            high = shape;
    }
    return low;
}

/* Of an outermost bin of the bins between: how far outside its inner edge, at `reach` of which it
 * ends, a share `part` of its values, counted from there, lies. `further`: values beyond its end. */
static double within_tail(double width, double reach, uint64_t before, uint64_t there,
                          uint64_t further, double part) {
    double all = (double)(there + further);
    if (!(width > 0 && reach > 0) || before == 0)
        return reach * part; /* nothing to go by */
    tail_curve t = {width, reach, 1 + (double)before / all,
                    further ? all / (double)further : all + 1};
    double left = all - part * (double)there;
    double at = left > 0 ? curve_at(&t, shape_of(&t), all / left) : reach;
    return at < reach ? at : reach;
}

/* Between edges `k` and `k + 1`, values lying evenly, but in the first bin and the last. */
static double between(const sw_profile_column *c, const uint64_t *counts, const sw_moments *m,
                      uint32_t k, double part) {
    const uint64_t *at = counts + SW_BIN_FIRST + k;
    double from = edge(c, k), to = edge(c, k + 1);
    if (m->count) { /* nothing lies beyond the least and the greatest */
        from = from < m->min && m->min <= to ? m->min : from;
        to = to > m->max && m->max >= from ? m->max : to;
    }
    if (c->cut_count && k == 0)
        return to - within_tail(edge(c, 2) - edge(c, 1), to - from, at[1], at[0],
                                counts[SW_BIN_BELOW], 1 - part);
    if (c->cut_count && k == c->cut_count)
        return from +
               within_tail(edge(c, k) - edge(c, k - 1), to - from, at[-1], at[0], at[1], part);
    return from + (to - from) * part;
}

static double of_feature(const sw_profile_column *c, const uint64_t *counts, const sw_moments *m,
                         uint32_t column, const sw_tails *tails, double level) {
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
        return fmin(tail_at(tails, column, -INFINITY, c->min + slack_low, part), c->min);
    if (bin == last)
        return fmax(tail_at(tails, column, c->max - slack, INFINITY, part), c->max);
    if (c->levels)
        return c->levels[bin - SW_BIN_FIRST];
    return between(c, counts, m, bin - SW_BIN_FIRST, part);
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

/* A code's middle may be beyond all values that have it. Infinite values are not in the moments. */
static double held(double x, const sw_moments *m) {
    if (m->count == 0 || isinf(x) || isnan(x))
        return x;
    return x < m->min ? m->min : x > m->max ? m->max : x;
}

double sw_quantile_of(const sw_observer *observer, const sw_profile_column *profile,
                      uint32_t column, const sw_counts *counts, double level) {
    const sw_counted *counted = &observer->columns[column];
    const uint64_t *bins = counts->bins + counted->first;
    const sw_moments *m = &counts->moments[column];
    size_t tails = 0;
    if (!counted->number)
        return NAN;
    if (counted->kind == SW_COUNTED_FEATURE)
        return profile ? held(of_feature(profile, bins, m, column, &counts->tails, level), m) : NAN;
    if (!counted->feature && counts->tails.count)
        sw_tails_of(&counts->tails, column, &tails);
    if (tails)
        return held(tail_at(&counts->tails, column, -INFINITY, INFINITY, level), m);
    return held(of_scores(bins, m, level), m);
}
