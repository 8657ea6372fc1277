/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "stats/special.h"
#include "stats/two_sample.h"

#include <math.h>
#include <string.h>

enum { EXACT_MAX = 20 };

/* Of n values in the pooled ranks of a run: sum of (rank - own index)^2. */
static double squares(double rank, size_t first, size_t count) {
    double c = (double)count, off = rank - (double)first; /* off, off - 1, … */
    return c * off * off - off * c * (c - 1) + (c - 1) * c * (2 * c - 1) / 6;
}

/* The limiting law; terms below 1e-7 are left out, as SciPy does. */
static double limit_cdf(double x) {
    double sum = 0;
    for (int k = 0; k < 10000; k++) {
        double y = 4 * k + 1, q = y * y / (16 * x);
        double u = exp(sw_log_gamma(k + 0.5) - sw_log_gamma(k + 1.)) / (pow(M_PI, 1.5) * sqrt(x));
        double term = u * sqrt(y) * sw_bessel_k_quarter_scaled(q);
        sum += term;
        if (!(fabs(term) >= 1e-7))
            break;
    }
    return sum;
}

/* How many ways lead to each sum; ascending sums. */
typedef struct table {
    double *sums, *ways;
    size_t count;
} table;

static void forget(table *one) {
    sw_mem_free(one->sums);
    *one = (table){0};
}

/* Both tables merged, every sum raised by `add`. False where memory is out. */
static bool merge(table *out, const table *x, const table *y, double add) {
    size_t room = x->count + y->count, i = 0, j = 0, count = 0;
    double *block = sw_mem_zalloc(2 * room + 1, sizeof *block);
    if (!block)
        return false;
    for (; i < x->count || j < y->count; count++) {
        double a = i < x->count ? x->sums[i] : INFINITY, b = j < y->count ? y->sums[j] : INFINITY;
        block[count] = fmin(a, b) + add;
        if (a <= b)
            block[room + count] += x->ways[i++];
        if (b <= a)
            block[room + count] += y->ways[j++];
    }
    *out = (table){block, block + room, count};
    return true;
}

/* All ways to deal m and n values (Xiao, Gordon, Yakovlev 2006): paths by their sum of squares. */
static sw_status exact_p(double *p, double u, size_t m, size_t n) {
    size_t a = n, b = m; /* lcm/m and lcm/n */
    for (size_t d = m < n ? m : n; d > 1; d--)
        if (m % d == 0 && n % d == 0) {
            a = n / d;
            b = m / d;
            break;
        }
    double lcm = (double)(a * m), mn = (double)(m * n);
    double zeta = floor(lcm * lcm * (double)(m + n) * (6 * u - mn * (4 * mn - 1)) / (6 * mn * mn));
    table row[EXACT_MAX + 1] = {0};
    double first[2] = {0, 1};
    bool good = true;
    for (size_t i = 0; i <= n && good; i++) {
        table left = {0};
        for (size_t j = 0; j <= m && good; j++) {
            table start = {first, first + 1, 1}, none = {0}, sum;
            const table *above = i == 0 && j == 0 ? &start : i == 0 ? &none : &row[j];
            double gap = (double)(a * j) - (double)(b * i);
            good = merge(&sum, &left, above, gap * gap);
            if (!good)
                break;
            forget(&row[j]);
            row[j] = sum;
            left = sum;
        }
    }
    double hits = 0, all = 0;
    for (size_t k = 0; good && k < row[m].count; k++) {
        all += row[m].ways[k];
        hits += row[m].sums[k] >= zeta ? row[m].ways[k] : 0;
    }
    *p = hits / all;
    for (size_t j = 0; j <= m; j++)
        forget(&row[j]);
    return good ? SW_OK : (sw_status){SW_CODE_NO_MEMORY};
}

sw_status sw_cramer_von_mises(double *statistic, double *p, const sw_samples *samples, bool exact) {
    double n = (double)samples->a_count, m = (double)samples->b_count, k = n * m, total = n + m;
    *statistic = *p = NAN;
    if (samples->a_count < 2 || samples->b_count < 2)
        return SW_OK;
    long double sum_a = 0, sum_b = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples);) {
        double size = (double)(walk.run.a + walk.run.b);
        double rank = (double)(walk.a_done + walk.b_done) - (size - 1) / 2;
        sum_a += squares(rank, walk.a_done - walk.run.a + 1, walk.run.a);
        sum_b += squares(rank, walk.b_done - walk.run.b + 1, walk.run.b);
    }
    double u = (double)((long double)n * sum_a + (long double)m * sum_b);
    *statistic = u / (k * total) - (4 * k - 1) / (6 * total);
    if (exact && samples->a_count <= EXACT_MAX && samples->b_count <= EXACT_MAX)
        return exact_p(p, u, samples->a_count, samples->b_count);
    double mean = (1 + 1 / total) / 6;
    double variance =
        (total + 1) * (4 * k * total - 3 * (n * n + m * m) - 2 * k) / (45 * total * total * 4 * k);
    double normed = 1. / 6 + (*statistic - mean) / sqrt(45 * variance);
    *p = normed < 0.003 ? 1 : fmax(0, 1 - limit_cdf(normed));
    return SW_OK;
}
