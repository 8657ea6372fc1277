/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sequential: evidence against "these counts are like the reference's", valid however often one
 * looks.
 *
 * A test compares live counts over a few cells with a reference sample's. The null set C holds all
 * distributions p with KL(reference ‖ p) <= radius: those that could have given the reference (it
 * is a sample too), and those too near to it to be told of. The evidence of live counts x is
 *
 *     E = Q(x) / sup { L(p; x) : p in C }
 *
 * L is the likelihood, Q a mixture of distributions fixed beforehand (moved, spread, with more in
 * one cell, with one cell emptied, and two Dirichlet ones for everything else). While rows come
 * from any p in C, E as a function of growing counts stays below a martingale that begins at 1: an
 * e-process. The sum of E over starting points j, each counting the rows since j, is an e-detector:
 * its mean after t looks is at most t, whatever the dependence between looks, features and the
 * decision to go on (J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", 2022). Few starts are kept for
 * long, and those have the weight of the ones that are not (sw_seq_log_weight).
 *
 * sup over C: p is proportional to x + λ·reference; any λ >= 0 gives an upper bound by Lagrange
 * duality, so an inexact λ costs power and never validity. Radius: R. Agrawal, "Finite-sample
 * concentration of the multinomial in relative entropy" (2020), which holds at every sample size.
 *
 * Cost: about half a microsecond for 12 cells. Same input, same bits (of one build on one machine).
 *
 * Threads: any; a test is immutable once made.
 * Layer:   stats.
 */
#ifndef SW_STATS_SEQUENTIAL_H
#define SW_STATS_SEQUENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SW_SEQ_CELLS_MAX = 12, SW_SEQ_TILTS = 24, SW_SEQ_SPIKES = 4 };

/* How the cells of a test lie. */
typedef enum sw_seq_shape {
    SW_SEQ_ORDERED, /* along a line: tilts move and spread */
    SW_SEQ_NOMINAL, /* in no order */
} sw_seq_shape;

typedef struct sw_seq_test {
    uint32_t cells;
    sw_seq_shape shape;
    uint64_t rows; /* of the reference: */
    uint64_t reference[SW_SEQ_CELLS_MAX];
    double radius;  /* of the null set, nats */
    double entropy; /* Σ share · ln share */
    double share[SW_SEQ_CELLS_MAX];
    double base[SW_SEQ_CELLS_MAX]; /* the smoothed share: the mixture's centre */
    double log_base[SW_SEQ_CELLS_MAX];
    double place[SW_SEQ_CELLS_MAX]; /* ORDERED: a score of the cell, near that of a normal */
    double log_norm[SW_SEQ_TILTS];
    double spike[SW_SEQ_CELLS_MAX][SW_SEQ_SPIKES]; /* ln of (mixed share / centre) */
    double emptied[SW_SEQ_CELLS_MAX];              /* the same of the sink, once this is emptied */
    double log_gamma[2][SW_SEQ_CELLS_MAX]; /* of the two Dirichlet parts' numbers, and their sums */
    double log_gamma_sum[2];
    uint32_t sink; /* where the rows of an emptied cell go */
} sw_seq_test;

/*
 * `tolerance`: PSI of a change too small to be told of (its half is the KL). `miss`: the chance
 * that the reference lies so far from its own source that C leaves that out. 2 <= cells <=
 * SW_SEQ_CELLS_MAX, rows > 0. `sink`: the cell of unseen values, say.
 */
void sw_seq_test_make(sw_seq_test *out, const uint64_t *reference, uint32_t cells,
                      sw_seq_shape shape, uint32_t sink, double tolerance, double miss);

/* ln E of counts since one start; -INFINITY where they are inside C or there are none. */
double sw_seq_log_evidence(const sw_seq_test *test, const uint64_t *counts);

enum { SW_SEQ_STARTS_MAX = 128 };

/* ln of the detector: the weighted sum of the evidence since each of `starts` starts, whose counts
 * stand one behind the other, `cells` each; `looks` are their numbers. `best` becomes the start that
 * says most. */
double sw_seq_log_detector(size_t *best, const sw_seq_test *test, const uint64_t *counts,
                           const uint64_t *looks, size_t starts);

/*
 * Twice the log-likelihood by which the counts lie outside C: 0 inside. While p is in C it is
 * stochastically below a chi-square with cells - 1 degrees of freedom, nearly.
 */
double sw_seq_distance(const sw_seq_test *test, const uint64_t *counts);

/* The radius for `cells` and `rows` without a tolerance: P(KL(sample ‖ source) > radius) <= miss.
 */
double sw_seq_radius(uint32_t cells, uint64_t rows, double miss);

/* Population stability index, half a count added to each cell. NaN without rows on a side. */
double sw_seq_psi(const uint64_t *reference, const uint64_t *live, uint32_t cells);

/*
 * How many of `count` detectors to name (e-BH: R. Wang and A. Ramdas, 2022): the largest k for which
 * k of them are at least log_limit + ln(count / k). `threshold` becomes that limit; of k = 1 where
 * none is named. Detectors that are out of the running are -INFINITY.
 */
size_t sw_seq_name(double *threshold, const double *log_detectors, size_t count, double log_limit);

/*
 * Starting points: at look t (0, 1, …) the start j < = t is kept while t - j < 4·2^v, v being how
 * often 2 divides j (0: for ever). So about 2·log2(t) are, the nearer the denser.
 */
bool sw_seq_keeps(uint64_t start, uint64_t look);
/*
 * ln of the weight of start j: (2 - √2) · 2^(v/2), v as above; start 0: 0. The weights of the first
 * t starts never add up to more than t: of 1 … t at most t/2^v are divisible by 2^v, weights rise
 * with v, and Σ 2^-(v+1) · (2 - √2) · 2^(v/2) = 1.
 */
double sw_seq_log_weight(uint64_t start);

#endif /* SW_STATS_SEQUENTIAL_H */
