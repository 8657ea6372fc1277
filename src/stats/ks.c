/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/ks.h"
#include "base/mem.h"
#include "stats/special.h"

#include <math.h>
#include <stdint.h>

enum { EXACT_MAX = 10000, STEPS_MAX = 10000000 };

double sw_ks_statistic(const sw_samples *samples) {
    double low = 0, high = 0, n = (double)samples->a_count, m = (double)samples->b_count;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples);) {
        double gap = (double)walk.a_done / n - (double)walk.b_done / m;
        low = fmin(low, gap);
        high = fmax(high, gap);
    }
    return fmax(high, -low);
}

static size_t common_divisor(size_t a, size_t b) {
    while (b) {
        size_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Equal sizes: the share of paths that leave |x - y| < h, by inclusion and exclusion. */
static double outside_square(size_t n, size_t h) {
    double p = 0;
    for (size_t k = n / h + 1; k-- > 0;) {
        double part = 1;
        for (size_t j = 0; j < h; j++)
            part = ((double)n - (double)(k * h) - (double)j) * part / (double)(n + k * h + j + 1);
        p = part * (1 - p);
    }
    return 2 * p;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/*
 * Unequal sizes: out[j] is the chance that a path to (i, j) has been outside |x/m - y/n| < h/lcm;
 * column after column, only the window of j that is inside.
 */
static sw_status outside_window(double *p, size_t a_count, size_t b_count, size_t divisor,
                                int64_t h) {
    int64_t m = (int64_t)(a_count > b_count ? a_count : b_count);
    int64_t n = (int64_t)(a_count > b_count ? b_count : a_count);
    int64_t mg = m / (int64_t)divisor, ng = n / (int64_t)divisor;
    double *out = sw_mem_alloc((size_t)(n + 2) * sizeof *out);
    if (!out)
        return (sw_status){SW_CODE_NO_MEMORY};
    int64_t from = 0, to = floor_div(h + mg - 1, mg);
    to = to < n + 1 ? to : n + 1;
    for (int64_t j = 0; j <= n; j++)
        out[j] = j < to ? 0 : 1;
    *p = 1;
    for (int64_t i = 1; i <= m; i++) {
        from = floor_div(ng * i - h, mg) + 1;
        from = from < 0 ? 0 : from > n ? n : from;
        int64_t behind = floor_div(ng * i + h + mg - 1, mg);
        to = behind < n + 1 ? behind : n + 1;
        if (to <= from)
            goto done;
        double left = from == 0 ? 0 : 1;
        for (int64_t j = from; j < to; j++)
            out[j] = left = (out[j] * (double)i + left * (double)j) / (double)(i + j);
    }
    *p = out[n];
done:
    sw_mem_free(out);
    return SW_OK;
}

static double effective_size(size_t a_count, size_t b_count) {
    double m = (double)a_count, n = (double)b_count;
    return m * n / (m + n);
}

sw_status sw_ks_asymptotic_p(double *p, double d, size_t a_count, size_t b_count) {
    return sw_ks_one_sample_sf(p, d, nearbyint(effective_size(a_count, b_count)));
}

sw_status sw_ks_p(double *p, double d, size_t a_count, size_t b_count) {
    if (a_count > EXACT_MAX || b_count > EXACT_MAX)
        return sw_ks_asymptotic_p(p, d, a_count, b_count);
    size_t divisor = common_divisor(a_count, b_count);
    double multiple = (double)a_count / (double)divisor * (double)b_count;
    int64_t h = (int64_t)nearbyint(d * multiple);
    *p = 1;
    if (h <= 0)
        return SW_OK;
    if (a_count == b_count)
        *p = outside_square(a_count, (size_t)h);
    else
        SW_TRY(outside_window(p, a_count, b_count, divisor, h));
    if (!(*p >= 0 && *p <= 1))
        return sw_ks_asymptotic_p(p, (double)h / multiple, a_count, b_count);
    return SW_OK;
}

/*
 * Ties. A path is a state i (values of `a` among the first k pooled ones); only where a run of equal
 * values ends must it stay inside. From one end to the next i grows by a hypergeometric law.
 */
typedef struct paths {
    double *now, *next;
    double m, n, d;
    size_t from, to; /* states inside at the last run's end */
} paths;

/* The least and one past the greatest i that is inside after k pooled values. */
static void window_at(size_t *from, size_t *to, const paths *walk, double k) {
    /* |i/m - (k-i)/n| < d  <=>  |i - k m/(m+n)| < d m n/(m+n); equality, to rounding, is outside */
    double middle = k * walk->m / (walk->m + walk->n);
    double half = walk->d * walk->m * walk->n / (walk->m + walk->n) * (1 - 1e-12) - 1e-9;
    double low = fmax(fmax(0, k - walk->n), ceil(middle - half));
    double high = fmin(fmin(walk->m, k), floor(middle + half));
    *from = (size_t)low;
    *to = high < low ? *from : (size_t)high + 1;
}

static double log_ways(double n, double k) {
    return sw_log_gamma(n + 1) - sw_log_gamma(k + 1) - sw_log_gamma(n - k + 1);
}

/* A value that is tied with none: it is one side's or the other's. */
static void step_once(paths *walk, size_t k, size_t from, size_t to) {
    for (size_t i = walk->from; i < walk->to; i++) {
        double left_a = walk->m - (double)i, left_b = walk->n - (double)(k - i);
        double to_a = walk->now[i] * left_a / (left_a + left_b);
        if (i >= from && i < to)
            walk->next[i] += walk->now[i] - to_a;
        if (i + 1 >= from && i + 1 < to)
            walk->next[i + 1] += to_a;
    }
}

/* Chances of i' after the run of `size` values that follow k; each a recurrence from its mode. */
static void spread(paths *walk, size_t k, size_t size, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        walk->next[i] = 0;
    if (size == 1) {
        step_once(walk, k, from, to);
        return;
    }
    for (size_t i = walk->from; i < walk->to; i++) {
        double mass = walk->now[i], left_a = walk->m - (double)i,
               left_b = walk->n - (double)(k - i), s = (double)size;
        if (mass < 1e-300)
            continue;
        double least = fmax(0, s - left_b), most = fmin(left_a, s);
        double mode =
            fmin(most, fmax(least, floor((s + 1) * (left_a + 1) / (left_a + left_b + 2))));
        double top = mass * exp(log_ways(left_a, mode) + log_ways(left_b, s - mode) -
                                log_ways(left_a + left_b, s));
        double p = top;
        for (double x = mode; x <= most && p > 1e-18 * top; x++) {
            size_t at = i + (size_t)x;
            if (at >= from && at < to)
                walk->next[at] += p;
            p *= (left_a - x) * (s - x) / ((x + 1) * (left_b - s + x + 1));
        }
        p = top;
        for (double x = mode; x > least && p > 1e-18 * top;) {
            p *= x * (left_b - s + x) / ((left_a - x + 1) * (s - x + 1));
            x--;
            size_t at = i + (size_t)x;
            if (at >= from && at < to)
                walk->next[at] += p;
        }
    }
}

/* About how many steps `spread` will take in all: states times the spread of each run. */
static double cost_of(const paths *walk, const sw_samples *samples) {
    double total = walk->m + walk->n, share = walk->m / total, steps = 0;
    double states = fmin(2 * walk->d * walk->m * share * walk->n / walk->m + 2, walk->m + 1);
    for (sw_walk at = {0}; sw_walk_next(&at, samples) && steps <= STEPS_MAX;) {
        double size = (double)(at.run.a + at.run.b);
        steps += states * (4 + fmin(size, 17 * sqrt(size * share * (1 - share))));
    }
    return steps;
}

sw_status sw_ks_tied_p(double *p, double d, const sw_samples *samples) {
    SW_TRY(sw_ks_p(p, d, samples->a_count, samples->b_count));
    paths walk = {.m = (double)samples->a_count, .n = (double)samples->b_count, .d = d};
    bool tied = sw_samples_distinct(samples) < samples->a_count + samples->b_count;
    if (!tied || *p < 1e-9 || d <= 0 || cost_of(&walk, samples) > STEPS_MAX)
        return SW_OK;
    double *states = sw_mem_zalloc(2 * (samples->a_count + 1), sizeof *states);
    if (!states)
        return (sw_status){SW_CODE_NO_MEMORY};
    walk.now = states;
    walk.next = states + samples->a_count + 1;
    walk.now[0] = 1;
    walk.to = 1;
    size_t k = 0;
    for (sw_walk at = {0}; sw_walk_next(&at, samples);) {
        size_t size = at.run.a + at.run.b, from, to;
        window_at(&from, &to, &walk, (double)(k + size));
        spread(&walk, k, size, from, to);
        double *swap = walk.now;
        walk.now = walk.next;
        walk.next = swap;
        walk.from = from;
        walk.to = to;
        k += size;
    }
    double inside = walk.from < walk.to ? walk.now[walk.to - 1] : 0;
    *p = fmin(1, fmax(0, 1 - inside));
    sw_mem_free(states);
    return SW_OK;
}
