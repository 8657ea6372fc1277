/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/counts.h"

#include "stats/special.h"

#include <math.h>
#include <stdbool.h>

#define EXPECTED_MIN 5.0

void sw_counts_sums(uint64_t *a, uint64_t *b, const sw_two_counts *counts) {
    *a = *b = 0;
    for (size_t i = 0; i < counts->count; i++) {
        *a += counts->a[i];
        *b += counts->b[i];
    }
}

static sw_chi2 judge(double statistic, double df) {
    if (!(df >= 1))
        return (sw_chi2){NAN, df, NAN, NAN};
    return (sw_chi2){statistic, df, sw_chi2_sf(statistic, df), sw_chi2_log_sf(statistic, df)};
}

/* One category's part of the statistic; `share` of it is expected on a's side. */
static double part(double a, double b, double share) {
    double all = a + b, off = a - all * share;
    return off * off / (all * share) + off * off / (all * (1 - share));
}

/* Yates' correction, which a table of two by two gets, as SciPy's chi2_contingency gives it. */
static double corrected_part(double a, double b, double share) {
    double all = a + b, off = fabs(a - all * share);
    off -= fmin(0.5, off);
    return off * off / (all * share) + off * off / (all * (1 - share));
}

sw_chi2 sw_chi2_homogeneity(const sw_two_counts *counts) {
    uint64_t a_sum, b_sum;
    double statistic = 0, corrected = 0, seen = 0;
    sw_counts_sums(&a_sum, &b_sum, counts);
    if (a_sum == 0 || b_sum == 0)
        return judge(0, 0);
    double share = (double)a_sum / ((double)a_sum + (double)b_sum);
    for (size_t i = 0; i < counts->count; i++) {
        double a = (double)counts->a[i], b = (double)counts->b[i];
        if (a + b == 0)
            continue;
        statistic += part(a, b, share);
        corrected += corrected_part(a, b, share);
        seen++;
    }
    return judge(seen == 2 ? corrected : statistic, seen - 1);
}

sw_chi2 sw_chi2_evidently(const sw_two_counts *counts) {
    uint64_t a_sum, b_sum;
    double statistic = 0, seen = 0;
    sw_counts_sums(&a_sum, &b_sum, counts);
    double scale = (double)b_sum / (double)a_sum;
    for (size_t i = 0; i < counts->count; i++) {
        if (counts->a[i] + counts->b[i] == 0)
            continue;
        double expected = (double)counts->a[i] * scale, off = (double)counts->b[i] - expected;
        statistic += off * off / expected;
        seen++;
    }
    return judge(statistic, seen - 1);
}

double sw_two_proportion_z(double x1, double n1, double x2, double n2) {
    double p = (x1 + x2) / (n1 + n2);
    return (x1 / n1 - x2 / n2) / sqrt(p * (1 - p) * (1 / n1 + 1 / n2));
}

double sw_two_proportion_evidently_p(double z) {
    return 2 * (1 - sw_normal_cdf(fabs(z)));
}

/* Sums the tables on one side that are no likelier, from the far end inwards, so that the scan is
 * as long as the tail is; the tail's terms grow towards the mode. */
static double tail(double white, double black, double n, double limit, bool low) {
    double least = fmax(0, n - black), most = fmin(white, n),
           mode = floor((n + 1) * (white + 1) / (white + black + 2));
    double from = low ? least : most, step = low ? 1 : -1, sum = 0;
    /* The first k, from the mode outwards, whose chance is within the limit. */
    double inside = mode, outside = from;
    if (sw_hypergeometric_pmf(from, white, black, n) > limit)
        return 0;
    while (fabs(inside - outside) > 1) {
        double middle = floor((inside + outside) / 2);
        if (sw_hypergeometric_pmf(middle, white, black, n) > limit)
            inside = middle;
        else
            outside = middle;
    }
    for (double k = outside; low ? k >= least : k <= most; k -= step) {
        double p = sw_hypergeometric_pmf(k, white, black, n);
        sum += p;
        if (p < sum * 1e-17)
            break;
    }
    return sum;
}

double sw_fisher_exact_p(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2) {
    double white = (double)(x1 + x2), black = (double)(n1 - x1) + (double)(n2 - x2);
    double n = (double)n1, k = (double)x1;
    if (white == 0 || black == 0 || n1 == 0 || n2 == 0)
        return 1;
    double limit = sw_hypergeometric_pmf(k, white, black, n) * (1 + 1e-7);
    double mode = floor((n + 1) * (white + 1) / (white + black + 2));
    mode = fmin(fmin(white, n), fmax(fmax(0, n - black), mode));
    if (sw_hypergeometric_pmf(mode, white, black, n) <= limit)
        return 1;
    return fmin(1, tail(white, black, n, limit, true) + tail(white, black, n, limit, false));
}

double sw_two_shares_p(uint64_t x1, uint64_t n1, uint64_t x2, uint64_t n2) {
    double all = (double)n1 + (double)n2, hits = (double)x1 + (double)x2;
    double least = fmin((double)n1, (double)n2) * fmin(hits, all - hits) / all;
    if (n1 == 0 || n2 == 0 || hits == 0 || hits == all)
        return 1;
    if (least < EXPECTED_MIN)
        return sw_fisher_exact_p(x1, n1, x2, n2);
    double z = sw_two_proportion_z((double)x1, (double)n1, (double)x2, (double)n2);
    return sw_chi2_sf(z * z, 1);
}

sw_homogeneity sw_counts_homogeneity(const sw_two_counts *counts) {
    uint64_t a_sum, b_sum, a_rest = 0, b_rest = 0;
    sw_homogeneity out = {NAN, NAN, NAN, 0, 0};
    sw_counts_sums(&a_sum, &b_sum, counts);
    if (a_sum == 0 || b_sum == 0)
        return out;
    double share = (double)a_sum / ((double)a_sum + (double)b_sum);
    double least = EXPECTED_MIN / fmin(share, 1 - share), statistic = 0, rarest = INFINITY;
    uint64_t one_a = 0;
    for (size_t i = 0; i < counts->count; i++) {
        double a = (double)counts->a[i], b = (double)counts->b[i];
        if (a + b > 0 && a + b < least) {
            a_rest += counts->a[i];
            b_rest += counts->b[i];
            out.pooled++;
        } else if (a + b > 0) {
            statistic += part(a, b, share);
            out.categories++;
            rarest = fmin(rarest, a + b);
            one_a = counts->a[i];
        }
    }
    if (out.pooled) {
        statistic += part((double)a_rest, (double)b_rest, share);
        out.categories++;
        rarest = fmin(rarest, (double)a_rest + (double)b_rest);
    }
    if (out.categories == 2 && rarest < least) {
        out.p = sw_fisher_exact_p(one_a, a_sum, a_sum + b_sum - a_rest - b_rest - one_a, b_sum);
    } else if (out.categories >= 2) {
        out.statistic = statistic;
        out.df = (double)out.categories - 1;
        out.p = sw_chi2_sf(statistic, out.df);
    }
    return out;
}

double sw_cramers_v(const sw_two_counts *counts) {
    uint64_t a_sum, b_sum;
    sw_counts_sums(&a_sum, &b_sum, counts);
    double less = fmin((double)a_sum, (double)b_sum), a_all = 0, b_all = 0, seen = 0, chi2 = 0;
    if (less == 0)
        return NAN;
    double a_scale = less / (double)a_sum, b_scale = less / (double)b_sum;
    for (size_t i = 0; i < counts->count; i++) {
        double a = nearbyint((double)counts->a[i] * a_scale);
        double b = nearbyint((double)counts->b[i] * b_scale);
        a_all += a;
        b_all += b;
        seen += a + b > 0;
    }
    if (seen < 2 || a_all == 0 || b_all == 0)
        return 0;
    double all = a_all + b_all, share = a_all / all;
    for (size_t i = 0; i < counts->count; i++) {
        double a = nearbyint((double)counts->a[i] * a_scale);
        double b = nearbyint((double)counts->b[i] * b_scale);
        if (a + b > 0)
            chi2 += seen == 2 ? corrected_part(a, b, share) : part(a, b, share);
    }
    double phi2 = fmax(0, chi2 / all - (seen - 1) / (all - 1));
    double rows = 2 - 1 / (all - 1), columns = seen - (seen - 1) * (seen - 1) / (all - 1);
    return sqrt(phi2 / (fmin(rows, columns) - 1));
}
