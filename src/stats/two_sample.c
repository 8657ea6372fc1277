/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/two_sample.h"

#include "base/mem.h"
#include "stats/special.h"

#include <math.h>

enum { MANN_WHITNEY_EXACT_MAX = 8 };

/* The integral of |F_a - F_b| to the power 1 or 2. */
static double area(const sw_samples *samples, bool squared) {
    long double sum = 0;
    double before = 0, gap = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples);) {
        if (walk.a_done + walk.b_done > walk.run.a + walk.run.b)
            sum += (long double)(squared ? gap * gap : fabs(gap)) * (walk.run.value - before);
        before = walk.run.value;
        gap = (double)walk.a_done / (double)samples->a_count -
              (double)walk.b_done / (double)samples->b_count;
    }
    return (double)sum;
}

double sw_wasserstein(const sw_samples *samples) {
    return area(samples, false);
}

double sw_energy_distance(const sw_samples *samples) {
    return M_SQRT2 * sqrt(area(samples, true));
}

double sw_wasserstein_normed(const sw_samples *samples) {
    double mean = sw_sample_mean(samples->a, samples->a_count);
    double spread = sqrt(sw_sample_variance(samples->a, samples->a_count, mean));
    return sw_wasserstein(samples) / fmax(spread, 0.001);
}

double sw_wasserstein_of_range(const sw_samples *samples) {
    double least = fmin(samples->a[0], samples->b[0]);
    double most = fmax(samples->a[samples->a_count - 1], samples->b[samples->b_count - 1]);
    return most > least ? sw_wasserstein(samples) / (most - least) : 0;
}

double sw_t_test_p(const sw_samples *samples) {
    double n = (double)samples->a_count, m = (double)samples->b_count;
    double mean_a = sw_sample_mean(samples->a, samples->a_count);
    double mean_b = sw_sample_mean(samples->b, samples->b_count);
    double squares = n * sw_sample_variance(samples->a, samples->a_count, mean_a) +
                     m * sw_sample_variance(samples->b, samples->b_count, mean_b);
    double pooled = squares / (n + m - 2);
    return sw_student_two_sided((mean_a - mean_b) / sqrt(pooled * (1 / n + 1 / m)), n + m - 2);
}

/* P(U >= u) when nothing is tied: U's generating function is the Gaussian binomial coefficient. */
static sw_status exact_u_sf(double *p, double u, size_t a_count, size_t b_count) {
    size_t few = a_count < b_count ? a_count : b_count, many = a_count + b_count - few;
    size_t top = few * many, from = u > 0 ? (size_t)u : 0;
    double *ways = sw_mem_zalloc(top + 1, sizeof *ways), sum = 0;
    if (!ways)
        return (sw_status){SW_CODE_NO_MEMORY};
    ways[0] = 1;
    for (size_t i = 1; i <= few; i++) { /* times (1 - q^(many+i)) / (1 - q^i) */
        for (size_t k = top; k >= many + i; k--)
            ways[k] -= ways[k - many - i];
        for (size_t k = i; k <= top; k++)
            ways[k] += ways[k - i];
    }
    for (size_t k = from; k <= top; k++)
        sum += ways[k];
    *p = fmin(1, sum * exp(-sw_log_choose((double)(few + many), (double)few)));
    sw_mem_free(ways);
    return SW_OK;
}

sw_status sw_mann_whitney_p(double *less, double *two_sided, const sw_samples *samples) {
    double n = (double)samples->a_count, m = (double)samples->b_count, total = n + m;
    double rank_sum = 0, ties = 0;
    bool tied = false;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples);) {
        double size = (double)(walk.run.a + walk.run.b), done = (double)(walk.a_done + walk.b_done);
        rank_sum += (double)walk.run.a * (done - (size - 1) / 2);
        ties += size * size * size - size;
        tied = tied || size > 1;
    }
    double u = rank_sum - n * (n + 1) / 2, other = n * m - u, most = fmax(u, other);
    bool few = n <= MANN_WHITNEY_EXACT_MAX || m <= MANN_WHITNEY_EXACT_MAX;
    if (few && !tied) {
        SW_TRY(exact_u_sf(less, other, samples->a_count, samples->b_count));
        SW_TRY(exact_u_sf(two_sided, most, samples->a_count, samples->b_count));
    } else {
        double spread = sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))));
        double middle = n * m / 2 + 0.5; /* with the correction for continuity */
        *less = sw_normal_sf((other - middle) / spread);
        *two_sided = sw_normal_sf((most - middle) / spread);
    }
    *two_sided = fmin(1, 2 * *two_sided);
    return SW_OK;
}
