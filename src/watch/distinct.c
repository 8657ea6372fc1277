/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/distinct_private.h"

#include <math.h>

void sw_distinct_merge(sw_distinct *into, const sw_distinct *from) {
    for (size_t i = 0; i < SW_DISTINCT_REGISTERS; i++)
        into->at[i] = from->at[i] > into->at[i] ? from->at[i] : into->at[i];
}

/* σ(x) = x + Σ x^(2^k) 2^(k - 1), for registers that are 0. */
static double sigma(double x) {
    double sum = x, before, y = 1;
    if (x == 1)
        return INFINITY;
    do {
        before = sum;
        x *= x;
        sum += x * y;
        y += y;
    } while (sum != before);
    return sum;
}

/* τ(x) = (1 - x - Σ (1 - x^(2^-k))² 2^-k) / 3, for registers that are full. */
static double tau(double x) {
    double y = 1, sum = 1 - x, before;
    if (x == 0 || x == 1)
        return 0;
    do {
        before = sum;
        x = sqrt(x);
        y *= 0.5;
        sum -= (1 - x) * (1 - x) * y;
    } while (sum != before);
    return sum / 3;
}

double sw_distinct_estimate(const sw_distinct *registers) {
    const double m = SW_DISTINCT_REGISTERS;
    uint32_t of_rank[SW_DISTINCT_TOP + 1] = {0};
    for (size_t i = 0; i < SW_DISTINCT_REGISTERS; i++)
        of_rank[registers->at[i]]++;
    double z = m * tau(1 - of_rank[SW_DISTINCT_TOP] / m);
    for (int rank = SW_DISTINCT_TOP - 1; rank >= 1; rank--)
        z = 0.5 * (z + of_rank[rank]);
    z += m * sigma(of_rank[0] / m);
    return m * m / (2 * 0.69314718055994530942 * z);
}
