/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/special.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

#define LN_SQRT_2PI 0.91893853320467274178
#define TINY 1e-300

double sw_log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

double sw_normal_cdf(double x) {
    return 0.5 * erfc(-x * M_SQRT1_2);
}

double sw_normal_sf(double x) {
    return 0.5 * erfc(x * M_SQRT1_2);
}

/* ln(n!) - its Stirling approximation. */
static double stirling_error(double n) {
    if (n < 16)
        return n > 0 ? sw_log_gamma(n + 1) - (n + 0.5) * log(n) + n - LN_SQRT_2PI : 0;
    double s = 1 / (n * n);
    return (1. / 12 - (1. / 360 - (1. / 1260 - (1. / 1680 - s / 1188) * s) * s) * s) / n;
}

/* ln(1 + u) - u without cancellation. */
static double log1p_minus(double u) {
    if (fabs(u) > 0.3)
        return log1p(u) - u;
    double r = u / (2 + u), r2 = r * r, term = r2, sum = 0; /* ln(1+u) = 2 atanh(r) */
    for (int k = 3; k < 60; k += 2) {
        double add = term / k;
        sum += add;
        if (add < sum * 1e-17)
            break;
        term *= r2;
    }
    return 2 * r * sum - u * r;
}

/* x ln(x/m) + m - x. */
static double deviance(double x, double m) {
    return -x * log1p_minus((m - x) / x);
}

/* ln of x^a e^-x / Gamma(a). */
static double log_gamma_prefix(double a, double x) {
    if (a < 16)
        return a * log(x) - x - sw_log_gamma(a);
    return a * log1p_minus((x - a) / a) + 0.5 * log(a) - LN_SQRT_2PI - stirling_error(a);
}

static int iterations_max(double a) {
    return 500 + (int)fmin(20 * sqrt(a), 1e7);
}

/* P(a, x) over its prefix, for x < a + 1. */
static double gamma_series(double a, double x) {
    double term = 1 / a, sum = term, n = a;
    for (int i = iterations_max(a); i > 0 && term > sum * DBL_EPSILON / 4; i--) {
        n += 1;
        term *= x / n;
        sum += term;
    }
    return sum;
}

/* Q(a, x) over its prefix, for x >= a + 1. */
static double gamma_fraction(double a, double x) {
    double b = x + 1 - a, c = 1 / TINY, d = 1 / b, h = d;
    for (int i = 1; i < iterations_max(a); i++) {
        double an = -i * (i - a);
        b += 2;
        d = an * d + b;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = b + an / c;
        c = fabs(c) < TINY ? TINY : c;
        h *= d * c;
        if (fabs(d * c - 1) < DBL_EPSILON / 2)
            break;
    }
    return h;
}

/* Regularised upper incomplete gamma function Q(a, x); a > 0, x >= 0, else NaN. */
static double gamma_log_q(double a, double x) {
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (x == 0)
        return 0;
    if (isinf(x))
        return -INFINITY;
    double prefix = log_gamma_prefix(a, x);
    if (x < a + 1)
        return log1p(-fmin(1, exp(prefix) * gamma_series(a, x)));
    return prefix + log(gamma_fraction(a, x));
}

static double gamma_q(double a, double x) {
    if (!(a > 0) || !(x >= 0))
        return NAN;
    if (x == 0)
        return 1;
    if (isinf(x))
        return 0;
    double prefix = exp(log_gamma_prefix(a, x));
    if (x < a + 1)
        return 1 - fmin(1, prefix * gamma_series(a, x));
    return prefix * gamma_fraction(a, x);
}

double sw_chi2_sf(double x, double df) {
    return gamma_q(df / 2, x / 2);
}

double sw_chi2_log_sf(double x, double df) {
    return gamma_log_q(df / 2, x / 2);
}

static double beta_fraction(double a, double b, double x) {
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < TINY ? TINY : d);
    double h = d;
    for (int m = 1; m < iterations_max(a + b); m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step = 1;
        for (int half = 0; half < 2; half++) {
            double an = half ? odd : even;
            d = 1 + an * d;
            d = 1 / (fabs(d) < TINY ? TINY : d);
            c = 1 + an / c;
            c = fabs(c) < TINY ? TINY : c;
            step = d * c;
            h *= step;
        }
        if (fabs(step - 1) < DBL_EPSILON)
            break;
    }
    return h;
}

/* ln of x^a y^b / B(a, b) with y = 1 - x given on its own, so that neither loses digits. */
static double log_beta_prefix(double a, double b, double x, double y) {
    if (a < 16 || b < 16)
        return a * log(x) + b * log(y) + sw_log_gamma(a + b) - sw_log_gamma(a) - sw_log_gamma(b);
    double n = a + b;
    return -deviance(a, n * x) - deviance(b, n * y) + stirling_error(n) - stirling_error(a) -
           stirling_error(b) + 0.5 * log(a * b / n) - LN_SQRT_2PI;
}

static double beta_i(double a, double b, double x, double y) {
    double prefix = exp(log_beta_prefix(a, b, x, y));
    if (x < (a + 1) / (a + b + 2))
        return prefix * beta_fraction(a, b, x) / a;
    return 1 - prefix * beta_fraction(b, a, y) / b;
}

double sw_beta_i(double a, double b, double x) {
    if (!(a > 0) || !(b > 0) || !(x >= 0) || !(x <= 1))
        return NAN;
    return x == 0 ? 0 : x == 1 ? 1 : beta_i(a, b, x, 1 - x);
}

double sw_student_two_sided(double t, double df) {
    if (isnan(t) || !(df > 0))
        return NAN;
    if (t == 0)
        return 1;
    if (isinf(t))
        return 0;
    double t2 = t * t;
    return isinf(t2) ? 0 : beta_i(df / 2, 0.5, df / (df + t2), t2 / (df + t2));
}

double sw_log_choose(double n, double k) {
    if (k <= 0 || k >= n)
        return 0;
    if (n < 100)
        return sw_log_gamma(n + 1) - sw_log_gamma(k + 1) - sw_log_gamma(n - k + 1);
    double rest = n - k;
    return stirling_error(n) - stirling_error(k) - stirling_error(rest) - LN_SQRT_2PI +
           0.5 * log(n / (k * rest)) - k * log(k / n) - rest * log(rest / n);
}

double sw_binomial_pmf(double k, double n, double p) {
    double q = 1 - p;
    if (k < 0 || k > n)
        return 0;
    if (p <= 0 || q <= 0)
        return (p <= 0 ? k == 0 : k == n) ? 1 : 0;
    if (k == 0)
        return exp(n * log1p(-p));
    if (k == n)
        return exp(n * log(p));
    double rest = n - k;
    double log_p = stirling_error(n) - stirling_error(k) - stirling_error(rest) -
                   deviance(k, n * p) - deviance(rest, n * q);
    return exp(log_p - LN_SQRT_2PI) * sqrt(n / (k * rest));
}

double sw_hypergeometric_pmf(double k, double white, double black, double n) {
    if (k < 0 || k > white || n - k < 0 || n - k > black)
        return 0;
    double p = n / (white + black);
    double whole = sw_binomial_pmf(n, white + black, p);
    return sw_binomial_pmf(k, white, p) * sw_binomial_pmf(n - k, black, p) / whole;
}

/* The integral of exp(-x (cosh t + 1)) cosh(t/4); the trapezoid rule converges doubly
 * exponentially here. */
double sw_bessel_k_quarter_scaled(double x) {
    const double step = 1. / 16;
    double sum = 0.5 * exp(-2 * x);
    for (int i = 1; i < 20000; i++) {
        double t = i * step, term = exp(-x * (cosh(t) + 1)) * cosh(t / 4);
        sum += term;
        if (term < sum * 1e-19)
            break;
    }
    return sum * step;
}
