/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multiple: many p-values at once, so that a thousand columns do not raise fifty false alarms.
 *
 * Each function writes adjusted p-values in the order given; a test is rejected at level alpha where
 * its adjusted value is at most alpha. NaN (undefined) stays NaN and is not counted as a test.
 *
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 * Source:  Y. Benjamini, Y. Hochberg (1995); S. Holm (1979); C. E. Bonferroni (1936).
 */
#ifndef SW_STATS_MULTIPLE_H
#define SW_STATS_MULTIPLE_H

#include "base/status.h"

#include <stddef.h>

/* Keeps the expected share of false alarms among the alarms at alpha. */
SW_MUST_USE sw_status sw_adjust_benjamini_hochberg(double *adjusted, const double *p, size_t count);
/* Keep the chance of any false alarm at alpha. */
SW_MUST_USE sw_status sw_adjust_holm(double *adjusted, const double *p, size_t count);
void sw_adjust_bonferroni(double *adjusted, const double *p, size_t count);

#endif /* SW_STATS_MULTIPLE_H */
