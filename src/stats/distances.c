/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/distances.h"

#include <math.h>

static double sum_of(const double *values, size_t count) {
    long double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return (double)sum;
}

static void fill_side(double *shares, size_t count, double floor) {
    double least = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (shares[i] > 0)
            least = fmin(least, shares[i]);
    if (floor <= 0)
        floor = least <= 1e-4 ? least / 1e6 : 1e-4;
    for (size_t i = 0; i < count; i++)
        if (shares[i] == 0)
            shares[i] = floor;
}

void sw_shares_fill_evidently(sw_shares *shares) {
    fill_side(shares->a, shares->count, 0);
    fill_side(shares->b, shares->count, 0);
}

void sw_shares_fill(sw_shares *shares, double floor) {
    fill_side(shares->a, shares->count, floor);
    fill_side(shares->b, shares->count, floor);
}

double sw_psi(const sw_shares *shares) {
    long double sum = 0;
    for (size_t i = 0; i < shares->count; i++)
        sum += (shares->a[i] - shares->b[i]) * log(shares->a[i] / shares->b[i]);
    return (double)sum;
}

double sw_kl(const sw_shares *shares) {
    double a = sum_of(shares->a, shares->count), b = sum_of(shares->b, shares->count);
    long double sum = 0;
    for (size_t i = 0; i < shares->count; i++) {
        double p = shares->a[i] / a, q = shares->b[i] / b;
        sum += p > 0 ? p * log(p / q) : 0;
    }
    return (double)sum;
}

/* The divergence, not yet its root. */
static double jensen_shannon(const sw_shares *shares) {
    double a = sum_of(shares->a, shares->count), b = sum_of(shares->b, shares->count);
    long double sum = 0;
    for (size_t i = 0; i < shares->count; i++) {
        double p = shares->a[i] / a, q = shares->b[i] / b, m = (p + q) / 2;
        sum += (p > 0 ? p * log(p / m) : 0) + (q > 0 ? q * log(q / m) : 0);
    }
    return fmax(0, (double)sum / 2);
}

double sw_jensen_shannon(const sw_shares *shares) {
    return sqrt(jensen_shannon(shares));
}

double sw_jensen_shannon_base2(const sw_shares *shares) {
    return sqrt(jensen_shannon(shares) / M_LN2);
}

double sw_hellinger(const sw_shares *shares) {
    long double overlap = 0;
    for (size_t i = 0; i < shares->count; i++)
        overlap += sqrt(shares->a[i] * shares->b[i]);
    return sqrt(1 - (double)fminl(overlap, 1));
}

double sw_total_variation(const sw_shares *shares) {
    double sum = 0;
    for (size_t i = 0; i < shares->count; i++)
        sum += fabs(shares->a[i] - shares->b[i]);
    return sum / 2;
}

double sw_l_infinity(const sw_shares *shares) {
    double most = 0;
    for (size_t i = 0; i < shares->count; i++)
        most = fmax(most, fabs(shares->a[i] - shares->b[i]));
    return most;
}
