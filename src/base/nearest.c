/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/*
 * Insertions, deletions, replacements and swaps of neighbours that lead from one name to the other,
 * letters without case (optimal string alignment: R. A. Wagner and R. Lowrance, 1975, with unit
 * costs and each piece edited once).
 */
size_t sw_nearest_distance(sw_str a, sw_str b) {
    if (a.len > SW_NEAREST_BYTES || b.len > SW_NEAREST_BYTES)
        return SIZE_MAX;
    size_t rows[3][SW_NEAREST_BYTES + 1];
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t cost = sw_lower(a.at[i - 1]) != sw_lower(b.at[j - 1]);
            row[j] = least(least(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
            if (i > 1 && j > 1 && sw_lower(a.at[i - 1]) == sw_lower(b.at[j - 2]) &&
                sw_lower(a.at[i - 2]) == sw_lower(b.at[j - 1]))
                row[j] = least(row[j], above2[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void sw_nearest_begin(sw_nearest *nearest, sw_str wanted) {
    nearest->wanted = wanted;
    nearest->best[0] = '\0';
    /* One slip in a short name, one in three letters of a long one: more is another name. */
    nearest->distance = 1 + (wanted.len > 3 ? wanted.len / 3 : 1);
}

void sw_nearest_offer(sw_nearest *nearest, sw_str name) {
    sw_str wanted = nearest->wanted;
    if (wanted.len == 0 || name.len > SW_NEAREST_BYTES)
        return;
    size_t far = sw_nearest_distance(wanted, name);
    if (wanted.len >= 3 && sw_str_starts(name, wanted) && far > 1)
        far = 1; /* a beginning of the name is as good as a slip */
    if (far >= nearest->distance)
        return;
    nearest->distance = far;
    memcpy(nearest->best, name.at, name.len);
    nearest->best[name.len] = '\0';
}
