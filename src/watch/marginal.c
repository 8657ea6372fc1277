/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/marginal.h"

#include "watch/bins_private.h"

#include <math.h>
#include <stdlib.h>

/* Rows of `rows` that may miss a value, by the reference's share. */
static size_t missing_allowed(const sw_profile_column *r, size_t rows) {
    return r->rows ? (size_t)llround((double)r->missing / (double)r->rows * (double)rows) : 0;
}

/* ---- Numbers ---- */

/* The reference's quantile at `share`, straight within a bin. */
static double quantile(const sw_profile_column *r, double share) {
    uint64_t values = 0, below = 0;
    uint32_t last = r->bin_count - 2;
    for (uint32_t bin = SW_BIN_FIRST; bin <= last; bin++)
        values += r->counts[bin];
    double wanted = share * (double)values;
    uint32_t bin = SW_BIN_FIRST;
    while (bin < last && (double)(below + r->counts[bin]) <= wanted)
        below += r->counts[bin++];
    uint32_t i = bin - SW_BIN_FIRST;
    if (r->levels)
        return r->levels[i];
    double from = i == 0 ? r->min : r->cuts[i - 1], to = i < r->cut_count ? r->cuts[i] : r->max;
    double within = r->counts[bin] ? (wanted - (double)below) / (double)r->counts[bin] : 0;
    return from + (to - from) * (within < 1 ? within : 1);
}

typedef struct ranked {
    double value;
    size_t row;
} ranked;

static int by_value(const void *left, const void *right) {
    const ranked *a = left, *b = right;
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

bool sw_marginal_numbers(double *values, size_t rows, const sw_profile_column *reference,
                         sw_arena *arena) {
    ranked *there = sw_arena_alloc(arena, (rows + 1) * sizeof *there);
    size_t count = 0, allowed = missing_allowed(reference, rows), left = 0, filled = 0;
    if (!there || reference->bin_count < 4)
        return there != NULL;
    for (size_t i = 0; i < rows; i++)
        if (!isnan(values[i]))
            there[count++] = (ranked){values[i], i};
    if (count)
        qsort(there, count, sizeof *there, by_value);
    for (size_t i = 0; i < count; i++)
        values[there[i].row] = quantile(reference, ((double)i + 0.5) / (double)count);
    size_t missing = rows - count, surplus = missing > allowed ? missing - allowed : 0;
    for (size_t i = 0; i < rows; i++) {
        if (!isnan(values[i]) || ++left * surplus / (missing ? missing : 1) == filled)
            continue;
        filled++;
        values[i] = quantile(reference, ((double)filled - 0.5) / (double)surplus);
    }
    return true;
}

/* ---- Words ---- */

static uint32_t find_word(const sw_profile_column *r, sw_str word) {
    uint32_t i = 0;
    while (i < r->value_count && !sw_str_eq(r->values[i], word))
        i++;
    return i;
}

bool sw_marginal_words(sw_str *values, size_t rows, const sw_profile_column *reference,
                       sw_arena *arena) {
    const sw_profile_column *r = reference;
    uint64_t known = 0, reached = 0;
    size_t *room = sw_arena_zalloc(arena, r->value_count + 1, sizeof *room);
    size_t allowed = missing_allowed(r, rows), filled = rows - (allowed < rows ? allowed : rows);
    if (!room)
        return false;
    for (uint32_t i = 0; i < r->value_count; i++)
        known += r->counts[SW_BIN_FIRST + i];
    for (uint32_t i = 0; i < r->value_count; i++) { /* shares of `filled`, rounded at their sums */
        uint64_t before = known ? reached * filled / known : 0;
        reached += r->counts[SW_BIN_FIRST + i];
        room[i] = known ? (size_t)(reached * filled / known - before) : 0;
    }
    bool *kept = sw_arena_zalloc(arena, rows + 1, sizeof *kept);
    if (!kept)
        return false;
    for (size_t i = 0; i < rows; i++) {
        uint32_t word = values[i].len ? find_word(r, values[i]) : r->value_count;
        kept[i] = word < r->value_count && room[word] > 0;
        if (kept[i])
            room[word]--;
        else if (values[i].len == 0 && allowed > 0) {
            allowed--;
            kept[i] = true;
        }
    }
    uint32_t next = 0;
    for (size_t i = 0; i < rows; i++) {
        while (next < r->value_count && room[next] == 0)
            next++;
        if (kept[i] || next == r->value_count)
            continue;
        values[i] = r->values[next];
        room[next]--;
    }
    return true;
}
