/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observe_private.h"

#include <math.h>

static double quarter_edge(uint32_t quarter, int octave) {
    return ldexp(1 + 0.25 * (quarter & 3), octave + (int)(quarter >> 2));
}

void sw_score_edges(double *from, double *to, uint32_t bin) {
    const uint32_t unit = SW_SCORE_FIRST_UNIT, positive = unit + SW_SCORE_UNIT;
    if (bin >= SW_SCORE_BINS - 1) {
        *from = 0x1p30;
        *to = INFINITY;
    } else if (bin >= positive) {
        *from = quarter_edge(bin - positive, 0);
        *to = quarter_edge(bin - positive + 1, 0);
    } else if (bin >= unit) {
        *from = (double)(bin - unit) / SW_SCORE_UNIT;
        *to = (double)(bin - unit + 1) / SW_SCORE_UNIT;
    } else if (bin == unit - 1) {
        *from = -0x1p-10;
        *to = 0;
    } else if (bin > 1) {
        uint32_t quarter = unit - 2 - bin;
        *from = -quarter_edge(quarter + 1, SW_SCORE_OCTAVE_MIN);
        *to = -quarter_edge(quarter, SW_SCORE_OCTAVE_MIN);
    } else {
        *from = -INFINITY;
        *to = -0x1p30;
    }
}
