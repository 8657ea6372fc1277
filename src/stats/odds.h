/* SPDX-License-Identifier: Apache-2.0 */
/*
 * odds: what evidence means, in words.
 *
 * An e-detector (stats/sequential.h, stats/decay_test.h) whose evidence reaches E does so, where
 * nothing has changed, once in E looks on average, or less often: its mean after t looks is at most
 * t (J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", 2022, the bound on the average run length).
 *
 * Threads: any.
 * Layer:   stats.
 */
#ifndef SW_STATS_ODDS_H
#define SW_STATS_ODDS_H

typedef struct sw_odds {
    char at[64];
} sw_odds;

/* "1 in 63 million"; beyond a million million "1 in 10^183". Two
 * significant digits, rounded down. */
sw_odds sw_odds_of(double evidence_log10);

#endif /* SW_STATS_ODDS_H */
