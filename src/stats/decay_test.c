/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/decay_test.h"

#include <math.h>
#include <stddef.h>

#define DEFAULT_RISK 0.01
/* A bound outside of these leaves nothing to bet on. */
#define BOUND_MIN 1e-9
#define BOUND_MAX (1 - 1e-9)

/* How many times the bound's odds each Bernoulli bet takes the loss's odds to be. */
static const double odds_ratios[SW_DECAY_BERNOULLI] = {1.05, 1.1, 1.2, 1.35, 1.6, 2, 3, 5, 10, 30};
static const double stakes[SW_DECAY_BERNSTEIN] = {0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9};

void sw_loss_add(sw_loss_sums *to, double loss) {
    if (isnan(loss))
        return;
    loss = fmin(fmax(loss, 0), 1);
    to->rows++;
    sw_sum_add(&to->loss, loss);
    sw_sum_add_square(&to->square, loss);
}

void sw_loss_merge(sw_loss_sums *to, const sw_loss_sums *from) {
    to->rows += from->rows;
    sw_sum_merge(&to->loss, from->loss);
    sw_sum_merge(&to->square, from->square);
}

/* Kullback-Leibler divergence of Bernoulli(p) from Bernoulli(q). */
static double divergence(double p, double q) {
    double sum = p > 0 ? p * log(p / q) : 0;
    return sum + (p < 1 ? (1 - p) * log((1 - p) / (1 - q)) : 0);
}

/* Chernoff's bound for means in [0, 1], turned around by bisection. */
static double chernoff_bound(double mean, double rows, double risk) {
    double low = mean, high = 1, limit = log(1 / risk) / rows;
    for (int i = 0; i < 60; i++) {
        double middle = low + (high - low) / 2;
        if (divergence(mean, middle) < limit)
            low = middle;
        else
            high = middle;
    }
    return high;
}

static double bernstein_bound(double mean, double variance, double rows, double risk) {
    double l = log(2 / risk);
    return mean + sqrt(2 * variance * l / rows) + 7 * l / (3 * (rows - 1));
}

double sw_loss_upper_bound(const sw_loss_sums *losses, double risk) {
    double rows = (double)losses->rows;
    if (losses->rows == 0)
        return 1;
    double mean = fmin(fmax(sw_sum_value(losses->loss) / rows, 0), 1);
    double bound = chernoff_bound(mean, rows, risk / 2);
    if (losses->rows < 2)
        return bound;
    double variance = fmax(sw_sum_value(losses->square) / rows - mean * mean, 0);
    return fmin(bound, bernstein_bound(mean, variance * rows / (rows - 1), rows, risk / 2));
}

void sw_decay_test_start(sw_decay_test *out, const sw_loss_sums *baseline,
                         const sw_decay_plan *plan) {
    double risk = plan->baseline_risk > 0 ? plan->baseline_risk : DEFAULT_RISK;
    *out = (sw_decay_test){.evidence_log = -INFINITY};
    out->baseline_mean =
        baseline->rows ? sw_sum_value(baseline->loss) / (double)baseline->rows : NAN;
    out->baseline_bound = sw_loss_upper_bound(baseline, risk);
    out->bound = fmax(out->baseline_bound + plan->tolerance, BOUND_MIN);
    out->threshold_log = log(fmax(plan->looks_per_month / plan->false_alarms_per_month, 1));
    for (unsigned i = 0; i < SW_DECAY_BETS; i++)
        out->bets[i] = -INFINITY;
}

/* The logarithm of what bet `i` multiplies its money with at this look. */
static double bet_log(unsigned i, double bound, double rows, double loss, double square) {
    if (i < SW_DECAY_BERNOULLI) { /* the likelihood ratio of `bound` with its odds raised */
        double odds = bound / (1 - bound) * odds_ratios[i], other = odds / (1 + odds);
        return loss * log(other / bound) + (rows - loss) * log((1 - other) / (1 - bound));
    }
    /* exp(s x + (s + log(1 - s)) x^2) <= 1 + s x for x >= -1 */
    double stake = stakes[i - SW_DECAY_BERNOULLI];
    double centred = loss - rows * bound,
           squares = square - 2 * bound * loss + rows * bound * bound;
    return stake * centred + (stake + log1p(-stake)) * fmax(squares, 0);
}

/* log(1 + exp(x)) */
static double log_one_more(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* The logarithm of the mean of what the bets hold. */
static double mean_log(const double *bets) {
    double most = -INFINITY, sum = 0;
    for (unsigned i = 0; i < SW_DECAY_BETS; i++)
        most = fmax(most, bets[i]);
    if (isinf(most))
        return most;
    for (unsigned i = 0; i < SW_DECAY_BETS; i++)
        sum += exp(bets[i] - most);
    return most + log(sum / SW_DECAY_BETS);
}

static void restart(sw_decay_test *test) {
    test->since = (sw_loss_sums){0};
    for (unsigned i = 0; i < SW_DECAY_BETS; i++)
        test->bets[i] = -INFINITY;
}

sw_decay_state sw_decay_test_look(sw_decay_test *test, const sw_loss_sums *look) {
    if (isnan(test->baseline_mean) || test->bound > BOUND_MAX)
        return SW_DECAY_UNDEFINED;
    if (look->rows == 0) /* the sum grows by 1 a look: without rows that would be no evidence */
        return test->since.rows ? SW_DECAY_SAME : SW_DECAY_TOO_FEW;
    double rows = (double)look->rows, loss = sw_sum_value(look->loss),
           square = sw_sum_value(look->square);
    test->looks++;
    sw_loss_merge(&test->since, look);
    for (unsigned i = 0; i < SW_DECAY_BETS; i++)
        test->bets[i] = bet_log(i, test->bound, rows, loss, square) + log_one_more(test->bets[i]);
    test->evidence_log = mean_log(test->bets);
    if (test->evidence_log < test->threshold_log)
        return SW_DECAY_SAME;
    test->alarms++;
    test->last_alarm = test->looks;
    restart(test);
    return SW_DECAY_DECAYED;
}

double sw_decay_evidence_log10(const sw_decay_test *test) {
    return test->evidence_log / M_LN10;
}

double sw_decay_threshold_log10(const sw_decay_test *test) {
    return test->threshold_log / M_LN10;
}
