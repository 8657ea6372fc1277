/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "stats/distances.h"
#include "stats/ks.h"
#include "stats/two_sample.h"
#include "watch/compare_private.h"

#include <math.h>

/* Numbers with so few values, each often enough, are compared value by value. */
enum { FEW_VALUES = 10, OFTEN = 10 };
#define EMPTY_SHARE 1e-4

/* PSI of a share against its complement: the size of a signal, on the scale of the tolerance. */
static double share_psi(double reference, double current) {
    double a[2] = {reference, 1 - reference}, b[2] = {current, 1 - current};
    sw_shares shares = {a, b, 2};
    sw_shares_fill(&shares, EMPTY_SHARE);
    return sw_psi(&shares);
}

static double share_of(uint64_t part, uint64_t all) {
    return all ? (double)part / (double)all : NAN;
}

static sw_compared_signal shares_signal(const char *test, double p, uint64_t x1, uint64_t n1,
                                        uint64_t x2, uint64_t n2) {
    double a = share_of(x1, n1), b = share_of(x2, n2);
    return (sw_compared_signal){.test = test,
                                .statistic = b - a,
                                .p = p,
                                .effect = share_psi(a, b),
                                .reference_share = a,
                                .current_share = b};
}

static bool enough(uint64_t a, uint64_t b) {
    return a >= SW_COMPARE_ROWS_MIN && b >= SW_COMPARE_ROWS_MIN;
}

/* Fixed by the pooled values alone (nothing missing anywhere), it is no test at all. */
void sw_compare_missing(sw_compared *out) {
    uint64_t a = out->missing[0], b = out->missing[1];
    if (a + b > 0 && a + b < out->rows[0] + out->rows[1] && enough(out->rows[0], out->rows[1]))
        out->signals[SW_FINDING_MISSING] =
            shares_signal("two_shares", sw_two_shares_p(a, out->rows[0], b, out->rows[1]), a,
                          out->rows[0], b, out->rows[1]);
}

static void type_signal(sw_compared *out, const sw_prepared *prepared) {
    uint64_t a = prepared->unfit[0], b = prepared->unfit[1];
    uint64_t n = prepared->used[0] + a, m = prepared->used[1] + b;
    if (prepared->mixed && a + b > 0 && n > 0 && m > 0)
        out->signals[SW_FINDING_TYPE] =
            shares_signal("two_shares", sw_two_shares_p(a, n, b, m), a, n, b, m);
}

/* P(the outermost `k` pooled values are all from b), of n and m; ties make it rarer still. */
static double all_outermost(uint64_t k, uint64_t n, uint64_t m) {
    double log_p = 0;
    for (uint64_t i = 0; i < k && log_p > -745; i++)
        log_p += log((double)(m - i) / ((double)n + (double)(m - i)));
    return exp(log_p);
}

static void range_signal(sw_compared *out, const sw_samples *samples) {
    uint64_t below = 0, above = 0, n = samples->a_count, m = samples->b_count;
    if (!enough(n, m))
        return;
    while (below < m && samples->b[below] < samples->a[0])
        below++;
    while (above < m && samples->b[m - 1 - above] > samples->a[n - 1])
        above++;
    double p = fmin(1, 2 * fmin(all_outermost(below, n, m), all_outermost(above, n, m)));
    out->signals[SW_FINDING_RANGE] = shares_signal("exceedance", p, 0, n, below + above, m);
}

/* ln of the bound at one theta. */
static double chernoff(const sw_two_counts *counts, double share, double unseen, double theta) {
    double sum = -theta * unseen;
    for (size_t i = 0; i < counts->count; i++) {
        double all = (double)counts->a[i] + (double)counts->b[i];
        if (all == 0)
            continue;
        double log_p = all * log(share), log_grown = log_p + theta * all;
        sum += log_grown > 30 ? log_grown : log1p(exp(log_grown) - exp(log_p));
    }
    return sum;
}

/*
 * A category of t pooled rows lies wholly in the current data with chance share^t or less. Dealt out
 * without return these events hinder each other, so that Chernoff's bound on the number of such
 * rows holds.
 */
static void unseen_signal(sw_compared *out, const sw_two_counts *counts, uint64_t n, uint64_t m) {
    uint64_t unseen = 0;
    if (!enough(n, m))
        return;
    for (size_t i = 0; i < counts->count; i++)
        unseen += counts->a[i] == 0 ? counts->b[i] : 0;
    double share = (double)m / ((double)n + (double)m), low = 0, high = -log(share) * 1.5 + 1;
    const double golden = 0.6180339887498949;
    for (int i = 0; i < 40 && unseen; i++) { /* the bound is convex in theta */
        double x = high - golden * (high - low), y = low + golden * (high - low);
        if (chernoff(counts, share, (double)unseen, x) < chernoff(counts, share, (double)unseen, y))
            high = y;
        else
            low = x;
    }
    double p = unseen ? exp(fmin(0, chernoff(counts, share, (double)unseen, (low + high) / 2))) : 1;
    out->signals[SW_FINDING_UNSEEN] = shares_signal("chernoff", p, 0, n, unseen, m);
}

static void no_distribution(sw_compared *out, const char *reason) {
    out->reason = reason;
}

static void distribution(sw_compared *out, const char *test, double statistic, double p) {
    out->test = test;
    out->signals[SW_FINDING_DISTRIBUTION] = (sw_compared_signal){.test = test,
                                                                 .statistic = statistic,
                                                                 .p = p,
                                                                 .effect = out->psi,
                                                                 .reference_share = NAN,
                                                                 .current_share = NAN};
}

static void test_counts(sw_compared *out, const sw_two_counts *counts) {
    sw_homogeneity result = sw_counts_homogeneity(counts);
    if (isnan(result.p))
        no_distribution(out, "every category is too rare to compare");
    else
        distribution(out, isnan(result.df) ? "fisher_exact" : "chisquare", result.statistic,
                     result.p);
}

static void test_few_values(sw_compared *out, const sw_samples *samples) {
    uint64_t a[FEW_VALUES] = {0}, b[FEW_VALUES] = {0};
    size_t count = 0;
    for (sw_walk walk = {0}; count < FEW_VALUES && sw_walk_next(&walk, samples); count++) {
        a[count] = walk.run.a;
        b[count] = walk.run.b;
    }
    test_counts(out, &(sw_two_counts){a, b, count});
}

static sw_status test_asked_for(sw_compared *out, const sw_samples *samples, const char *test) {
    double statistic = NAN, p = NAN, other;
    if (strcmp(test, "cramer_von_mises") == 0)
        SW_TRY(sw_cramer_von_mises(&statistic, &p, samples, true));
    else if (strcmp(test, "mannw") == 0)
        SW_TRY(sw_mann_whitney_p(&other, &p, samples));
    else
        p = sw_t_test_p(samples);
    distribution(out, test, statistic, p);
    return SW_OK;
}

static sw_status test_numbers(sw_compared *out, const sw_samples *samples, const char *test) {
    bool ks = test && strcmp(test, "ks") == 0, chisquare = test && strcmp(test, "chisquare") == 0;
    size_t distinct = sw_samples_distinct(samples);
    bool few = distinct <= FEW_VALUES && samples->a_count + samples->b_count >= OFTEN * distinct;
    if (few && !ks && (!test || chisquare)) {
        test_few_values(out, samples);
    } else if (test && !ks && !chisquare) {
        return test_asked_for(out, samples, test);
    } else {
        double d = sw_ks_statistic(samples), p;
        SW_TRY(sw_ks_tied_p(&p, d, samples));
        distribution(out, "ks", d, p);
    }
    return SW_OK;
}

static bool is_constant(const sw_prepared *prepared) {
    const sw_samples *samples = &prepared->samples;
    size_t seen = 0;
    if (prepared->kind == SW_COMPARED_NUMBER)
        return samples->a[0] == samples->b[0] &&
               samples->a[0] == samples->a[samples->a_count - 1] &&
               samples->b[0] == samples->b[samples->b_count - 1];
    for (size_t i = 0; i < prepared->counts.count; i++)
        seen += prepared->counts.a[i] + prepared->counts.b[i] > 0;
    return seen == 1;
}

sw_status sw_compare_own(sw_compared *out, const sw_prepared *prepared,
                         const sw_compare_options *options, sw_arena *arena, sw_error *error) {
    uint64_t n = prepared->used[0], m = prepared->used[1];
    sw_compare_missing(out);
    type_signal(out, prepared);
    if (n == 0 || m == 0) {
        no_distribution(out, n   ? "no usable value in the current data"
                             : m ? "no usable value in the reference"
                                 : "no usable value on either side");
        return SW_OK;
    }
    if (prepared->kind == SW_COMPARED_NUMBER)
        range_signal(out, &prepared->samples);
    else
        unseen_signal(out, &prepared->counts, n, m);
    if (!enough(n, m)) {
        sw_str words = sw_arena_printf(
            arena, "too few values: %s in the reference, %s in the current data; %d are needed",
            sw_num_grouped(n).at, sw_num_grouped(m).at, SW_COMPARE_ROWS_MIN);
        if (!words.at)
            return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to compare a column");
        no_distribution(out, words.at);
    } else if (is_constant(prepared)) {
        no_distribution(out, "one value throughout, on both sides");
    } else if (prepared->kind == SW_COMPARED_NUMBER) {
        return test_numbers(out, &prepared->samples, options->test);
    } else {
        test_counts(out, &prepared->counts);
    }
    return SW_OK;
}
