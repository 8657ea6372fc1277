/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decay_test: has the model become worse than it was at its own evaluation? Watched for ever, with
 * a stated number of false alarms.
 *
 * A loss in [0, 1] a labelled row: 0/1 error, (p - y)^2, or absolute error / scale, clipped to 1.
 * Null hypothesis: given all that came before, its mean is at most `bound`, which is an upper
 * confidence bound on the mean of the version's own evaluation, plus a tolerance below which
 * nobody wants to hear of it. Each look (say, a minute's or an hour's labelled rows) multiplies
 * bets against that hypothesis; the Shiryaev-Roberts sum R = E * (R + 1) starts a bet at every
 * look, so a change is found however late it comes. An alarm is R >= `threshold`, and R starts
 * again from 0.
 *
 * Statement: while the hypothesis holds, the expected number of alarms in T looks is at most
 * T / threshold (R + threshold * alarms - T is a supermartingale), whenever one looks and however
 * many rows a look has. That the baseline's bound itself holds has confidence 1 - `baseline_risk`.
 *
 * A look needs only rows, sum and sum of squares of the losses, so stored windows are enough to
 * compute the whole evidence again, bit for bit. Two families of bets, equal weights over a grid
 * of stakes each: Bernoulli (exact for 0/1 losses, valid for all in [0, 1], as log is concave) and
 * Bernstein (stronger where losses vary little, as Brier's).
 *
 * Memory:  plain data, no pointers; may be stored as it is.
 * Threads: one at a time for each test.
 * Layer:   stats. Source: J. Shin, A. Ramdas and A. Rinaldo, "E-detectors: a nonparametric
 *          framework for sequential change detection" (2022); X. Fan, I. Grama and Q. Liu,
 *          "Exponential inequalities for martingales" (2015) for the Bernstein bets; A. Maurer
 *          and M. Pontil, "Empirical Bernstein bounds" (2009) for the baseline's bound.
 */
#ifndef SW_STATS_DECAY_TEST_H
#define SW_STATS_DECAY_TEST_H

#include "stats/sum.h"

#include <stdbool.h>
#include <stdint.h>

/* Windows of them add up. */
typedef struct sw_loss_sums {
    uint64_t rows;
    sw_sum loss, square;
} sw_loss_sums;

/* `loss` is clipped to [0, 1]; NaN is not a loss and is left out. */
void sw_loss_add(sw_loss_sums *to, double loss);
void sw_loss_merge(sw_loss_sums *to, const sw_loss_sums *from);

typedef struct sw_decay_plan {
    double looks_per_month;        /* how many looks there will be: minutes: 43,830 */
    double false_alarms_per_month; /* > 0; at most this many are expected */
    double tolerance;              /* in units of the loss: worse by less is no decay */
    double baseline_risk;          /* that the baseline's bound fails; 0: 0.01 */
} sw_decay_plan;

enum { SW_DECAY_BERNOULLI = 10, SW_DECAY_BERNSTEIN = 8, SW_DECAY_BETS = 18 };

typedef struct sw_decay_test {
    double baseline_mean;  /* of the evaluation */
    double baseline_bound; /* its upper confidence bound */
    double bound;          /* what is tested: the bound plus the tolerance */
    double threshold_log;  /* natural logs, here and below */
    double evidence_log;   /* of the last look, before any restart; -INFINITY before the first */
    uint64_t looks, alarms;
    uint64_t last_alarm;        /* the look of the last alarm, from 1; 0: none */
    sw_loss_sums since;         /* losses since the last restart: for words */
    double bets[SW_DECAY_BETS]; /* log R of each */
} sw_decay_test;

typedef enum sw_decay_state {
    SW_DECAY_UNDEFINED, /* no baseline, or one so bad that no loss could be worse */
    SW_DECAY_TOO_FEW,   /* no labelled rows since the start or the last alarm */
    SW_DECAY_SAME,
    SW_DECAY_DECAYED, /* at this look */
} sw_decay_state;

/* A baseline without rows gives a test that stays UNDEFINED. */
void sw_decay_test_start(sw_decay_test *out, const sw_loss_sums *baseline,
                         const sw_decay_plan *plan);
/* One look: the losses of the rows labelled since the last. One without rows changes nothing. */
sw_decay_state sw_decay_test_look(sw_decay_test *test, const sw_loss_sums *look);
/* For the same units everywhere: log10. */
double sw_decay_evidence_log10(const sw_decay_test *test);
double sw_decay_threshold_log10(const sw_decay_test *test);

/* The least mean that `rows` losses of that mean and variance rule out with risk `risk`: an upper
 * confidence bound, at most 1. 1 without rows. */
double sw_loss_upper_bound(const sw_loss_sums *losses, double risk);

#endif /* SW_STATS_DECAY_TEST_H */
