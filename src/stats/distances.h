/* SPDX-License-Identifier: Apache-2.0 */
/*
 * distances: how far apart two distributions are, on the shares of their bins.
 *
 * The figure depends on the bins and on what is done about empty ones, so both are named here:
 * Evidently's conventions, NannyML's, and the deciles of the reference.
 *
 * Memory:  sw_shares_free what an sw_shares function filled.
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  the definitions that Evidently 0.4 and NannyML 0.13 document, with numpy's rules for
 *          histograms (the last bin holds its upper edge).
 */
#ifndef SW_STATS_DISTANCES_H
#define SW_STATS_DISTANCES_H

#include "base/status.h"
#include "stats/samples.h"

#include <stdint.h>

/* Shares of the same bins on each side. */
typedef struct sw_shares {
    double *a, *b;
    size_t count;
} sw_shares;
void sw_shares_free(sw_shares *shares);

/* How Evidently bins numbers: Sturges' equal widths over both samples where the reference has more
 * than 20 distinct values, else each value. INVALID where the range overflows a double. `bins` is 0
 * for values. Neither sample may be empty. */
SW_MUST_USE sw_status sw_shares_evidently(sw_shares *out, size_t *bins, const sw_samples *samples,
                                          sw_error *error);
/* The bins of its Hellinger distance: Sturges' rule over the distinct values. */
SW_MUST_USE sw_status sw_shares_sturges_distinct(sw_shares *out, const sw_samples *samples,
                                                 sw_error *error);
/* NannyML: Doane's bins over the reference, and one for what is left over. */
SW_MUST_USE sw_status sw_shares_doane(sw_shares *out, const sw_samples *samples, sw_error *error);
/* The reference's deciles, distinct ones; the outer bins are open. `edges` (may be NULL): room for
 * 9, the inner ones; there are out->count - 1. */
SW_MUST_USE sw_status sw_shares_deciles(sw_shares *out, double *edges, const sw_samples *samples,
                                        sw_error *error);
/* Of counts; either sum may be 0, then its shares are. */
SW_MUST_USE sw_status sw_shares_of_counts(sw_shares *out, const uint64_t *a, const uint64_t *b,
                                          size_t count, sw_error *error);

/* Evidently's rule for empty bins: on each side they become 1e-4, or a millionth of the smallest
 * share where that is at most 1e-4. Nothing is renormalised. */
void sw_shares_fill_evidently(sw_shares *shares);
void sw_shares_fill(sw_shares *shares, double floor);

/* Population stability index: sum of (a - b) ln(a/b). No share may be 0. */
double sw_psi(const sw_shares *shares);
/* The four below norm each side to 1 themselves, but for Hellinger. Kullback–Leibler of a from b. */
double sw_kl(const sw_shares *shares);
/* Jensen–Shannon distance with natural logarithms: 0 … sqrt(ln 2). */
double sw_jensen_shannon(const sw_shares *shares);
/* The same with base 2: 0 … 1. */
double sw_jensen_shannon_base2(const sw_shares *shares);
double sw_hellinger(const sw_shares *shares);
double sw_total_variation(const sw_shares *shares);
/* The greatest difference of a share. */
double sw_l_infinity(const sw_shares *shares);

#endif /* SW_STATS_DISTANCES_H */
