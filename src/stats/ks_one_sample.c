/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "stats/ks.h"
#include "stats/special.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { SMALL_N = 140, SUM_ALL_MAX = 20000, SUM_POINTS = 8192, DURBIN_N_MAX = 100000 };
#define RESCALE 0x1p128

/* One-sided: P(D+ >= d), by Smirnov's sum, whose terms are binomial probabilities. */
static double one_sided_sf(double n, double d) {
    double last = floor(n * (1 - d));
    /* The terms of a long sum are a smooth bump that is nothing at both ends: every s-th term times
     * s is the same sum, to far below rounding. */
    double stride = n > SUM_ALL_MAX ? floor(n / SUM_POINTS) : 1, sum = 0;
    for (uint64_t i = 0; (double)i * stride <= last; i++) {
        double v = (double)i * stride, p = d + v / n;
        sum += p >= 1 ? 0 : sw_binomial_pmf(v, n, p) * d / p;
    }
    return sum * stride;
}

static void multiply(double *to, const double *a, const double *b, size_t m) {
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++) {
            double sum = 0;
            for (size_t k = 0; k < m; k++)
                sum += a[i * m + k] * b[k * m + j];
            to[i * m + j] = sum;
        }
}

static void scale(double *matrix, size_t m, double by) {
    for (size_t i = 0; i < m * m; i++)
        matrix[i] *= by;
}

/* Durbin's matrix, as Marsaglia, Tsang and Wang fill it. `h` is ceil(n d) - n d. */
static void fill(double *matrix, double *w, size_t m, double h) {
    double factorial = 1;
    for (size_t j = 1; j <= m; j++) {
        w[j - 1] = factorial;
        factorial /= (double)j;
    }
    memset(matrix, 0, m * m * sizeof *matrix);
    for (size_t i = 0; i < m; i++)
        for (size_t j = 1; j < m; j++)
            if (i + 1 >= j)
                matrix[i * m + j] = w[i + 1 - j];
    for (size_t i = 1; i <= m; i++) {
        double v = (1 - pow(h, (double)i)) * (i < m ? w[i] : factorial);
        if (i == m)
            v = (1 + pow(fmax(2 * h - 1, 0), (double)m) - 2 * pow(h, (double)m)) * factorial;
        matrix[(i - 1) * m] = v;
        matrix[(m - 1) * m + (m - i)] = v;
    }
}

/* P(D_n < d), exactly. */
static sw_status durbin_cdf(double *cdf, double n, double d) {
    size_t k = (size_t)ceil(n * d), m = 2 * k - 1;
    double *block = sw_mem_alloc((3 * m * m + m) * sizeof *block);
    if (!block)
        return (sw_status){SW_CODE_NO_MEMORY};
    double *base = block, *power = base + m * m, *scratch = power + m * m;
    fill(base, scratch + m * m, m, (double)k - n * d);
    memset(power, 0, m * m * sizeof *power);
    for (size_t i = 0; i < m; i++)
        power[i * m + i] = 1;
    int exponent = 0, base_exponent = 0; /* in steps of 128 bits */
    for (uint64_t bits = (uint64_t)n; bits; bits >>= 1) {
        if (bits & 1) {
            multiply(scratch, power, base, m);
            memcpy(power, scratch, m * m * sizeof *power);
            exponent += base_exponent;
            if (fabs(power[(k - 1) * m + k - 1]) > RESCALE) {
                scale(power, m, 1 / RESCALE);
                exponent++;
            }
        }
        if (bits == 1)
            break;
        multiply(scratch, base, base, m);
        memcpy(base, scratch, m * m * sizeof *base);
        base_exponent *= 2;
        if (fabs(base[(k - 1) * m + k - 1]) > RESCALE) {
            scale(base, m, 1 / RESCALE);
            base_exponent++;
        }
    }
    double p = power[(k - 1) * m + k - 1];
    for (uint64_t i = 1; (double)i <= n; i++) {
        p = (double)i * p / n;
        if (fabs(p) < 1 / RESCALE) {
            p *= RESCALE;
            exponent--;
        }
    }
    *cdf = ldexp(p, 128 * exponent);
    sw_mem_free(block);
    return SW_OK;
}

/* P(D_n < d) to order n^(-3/2). */
static double pelz_good_cdf(double n, double d) {
    double z = sqrt(n) * d, z2 = z * z, z4 = z2 * z2, z6 = z4 * z2, z8 = z4 * z4;
    double pi2 = M_PI * M_PI, pi4 = pi2 * pi2, pi6 = pi4 * pi2;
    double sums[4] = {0}, extra[2] = {0};
    if (-pi2 / 8 / z2 < -708)
        return 0;
    for (int k = (int)ceil(16 * z / M_PI); k > 0; k--) {
        double m = 2 * k - 1, m2 = m * m, m4 = m2 * m2, k2 = (double)k * k;
        double q = exp(-pi2 * m2 / (8 * z2)), q_whole = exp(-pi2 * k2 / (2 * z2));
        sums[0] += q;
        sums[1] += q * (-z2 + pi2 / 4 * m2);
        sums[2] +=
            q * (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * pi2 / 4 * m2 + pi4 * (1 - 2 * z2) / 16 * m4);
        sums[3] += q * (-30 * z6 - 90 * z8 + pi2 * (135 * z4 - 96 * z6) / 4 * m2 +
                        pi4 * (-60 * z2 + 212 * z4) / 16 * m4 + pi6 * (5 - 30 * z2) / 64 * m4 * m2);
        extra[0] += k2 * q_whole;
        extra[1] += (3 * z2 - pi2 * k2) * k2 * q_whole;
    }
    double root = sqrt(2 * M_PI);
    sums[0] *= root / z;
    sums[1] *= root / (6 * z4);
    sums[2] = sums[2] * root / (72 * z6 * z) - extra[0] * pi2 * root / (36 * z2 * z);
    sums[3] = sums[3] * root / (6480 * z8 * z2) + extra[1] * pi2 * root / (216 * z6);
    return sums[0] + sums[1] / sqrt(n) + sums[2] / n + sums[3] / (n * sqrt(n));
}

static double clip(double p) {
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

/* n d <= 1: Ruben and Gambino. */
static double smallest_cdf(double n, double t) {
    if (t <= 0.5)
        return 0;
    return exp(sw_log_gamma(n + 1) - n * log(n) + n * log(2 * t - 1));
}

sw_status sw_ks_one_sample_sf(double *p, double d, double n) {
    double t = n * d, nd2 = t * d, cdf;
    if (!(n >= 1) || isnan(d)) {
        *p = NAN;
        return SW_OK;
    }
    if (d >= 1 || d <= 0) {
        *p = d <= 0;
        return SW_OK;
    }
    if (t <= 1) {
        *p = clip(1 - smallest_cdf(n, t));
        return SW_OK;
    }
    if (t >= n - 1) {
        *p = clip(2 * pow(1 - d, n));
        return SW_OK;
    }
    if (n > SMALL_N && nd2 >= 370) {
        *p = 0;
        return SW_OK;
    }
    if (d >= 0.5 || nd2 > 4 || (n > SMALL_N && nd2 >= 2.2)) {
        *p = clip(2 * one_sided_sf(n, d));
        return SW_OK;
    }
    if (n <= SMALL_N || (n <= DURBIN_N_MAX && n * pow(d, 1.5) <= 1.4))
        SW_TRY(durbin_cdf(&cdf, n, d));
    else
        cdf = pelz_good_cdf(n, d);
    *p = clip(1 - cdf);
    return SW_OK;
}
