/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "stats/distances.h"
#include "stats/two_sample.h"
#include "watch/compare_private.h"

#include <math.h>
#include <stdlib.h>

enum { GROUPS = 10 };
#define EMPTY_SHARE 1e-4
#define EXPECTED_MIN 5.0

static void read_off(sw_compared *out, sw_shares *shares) {
    out->jensen_shannon = sw_jensen_shannon(shares);
    out->hellinger = sw_hellinger(shares);
    sw_shares_fill(shares, EMPTY_SHARE);
    out->psi = sw_psi(shares);
}

/*
 * Up to ten groups of the pooled values, about as heavy as each other; a value that is a tenth of
 * all by itself (a default, zero) is a group of its own. So the groups depend on neither side more
 * than on the other, and no spike hides what moves around it.
 */
static void group_numbers(double a[2 * GROUPS + 2], double b[2 * GROUPS + 2], size_t *count,
                          const sw_samples *samples) {
    double n = (double)samples->a_count, m = (double)samples->b_count, target = 1. / GROUPS;
    double x = 0, y = 0;
    *count = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples);) {
        double run_x = (double)walk.run.a / n, run_y = (double)walk.run.b / m;
        bool heavy = (run_x + run_y) / 2 >= target;
        if (x + y > 0 && (heavy || (x + y) / 2 >= target - 1e-12)) {
            a[*count] = x;
            b[(*count)++] = y;
            x = y = 0;
        }
        x += run_x;
        y += run_y;
        if (heavy) {
            a[*count] = x;
            b[(*count)++] = y;
            x = y = 0;
        }
    }
    if (x + y > 0) {
        a[*count] = x;
        b[(*count)++] = y;
    }
}

/* Rare categories are one, as in the test. */
static sw_status group_counts(sw_shares *out, const sw_prepared *prepared, sw_error *error) {
    const sw_two_counts *counts = &prepared->counts;
    double n = (double)prepared->used[0], m = (double)prepared->used[1];
    double least = EXPECTED_MIN * (n + m) / fmin(n, m), rest_a = 0, rest_b = 0;
    SW_TRY(sw_shares_of_counts(out, counts->a, counts->b, counts->count, error));
    size_t kept = 0;
    for (size_t i = 0; i < counts->count; i++) {
        if ((double)(counts->a[i] + counts->b[i]) < least) {
            rest_a += out->a[i];
            rest_b += out->b[i];
        } else {
            out->a[kept] = out->a[i];
            out->b[kept++] = out->b[i];
        }
    }
    if (rest_a + rest_b > 0) { /* at least one category was left out: there is room */
        out->a[kept] = rest_a;
        out->b[kept++] = rest_b;
    }
    out->count = kept;
    return SW_OK;
}

sw_status sw_compare_effects(sw_compared *out, const sw_prepared *prepared, sw_error *error) {
    if (prepared->used[0] == 0 || prepared->used[1] == 0)
        return SW_OK;
    if (prepared->kind != SW_COMPARED_NUMBER) {
        sw_shares shares;
        SW_TRY(group_counts(&shares, prepared, error));
        read_off(out, &shares);
        sw_shares_free(&shares);
        return SW_OK;
    }
    double a[2 * GROUPS + 2], b[2 * GROUPS + 2];
    sw_shares shares = {a, b, 0};
    group_numbers(a, b, &shares.count, &prepared->samples);
    read_off(out, &shares);
    out->wasserstein_normed = sw_wasserstein_normed(&prepared->samples);
    out->median[0] = sw_sample_quantile(prepared->samples.a, prepared->samples.a_count, 0.5);
    out->median[1] = sw_sample_quantile(prepared->samples.b, prepared->samples.b_count, 0.5);
    return SW_OK;
}

/* ---- The bins to draw ---- */

static sw_status make_bins(sw_compared *out, size_t count, sw_arena *arena, sw_error *error) {
    out->bins = sw_arena_zalloc(arena, count + 1, sizeof *out->bins);
    out->bin_count = out->bins ? count : 0;
    return out->bins ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "no memory for a column's bins");
}

static void count_into(sw_compared *out, const double *sorted, size_t count, bool current,
                       double low, double width) {
    size_t last = out->bin_count - 1;
    for (size_t i = 0, bin = 0; i < count; i++) {
        while (bin < last && sorted[i] >= low + width * (double)(bin + 1))
            bin++;
        if (current)
            out->bins[bin].current_share += 1 / (double)count;
        else
            out->bins[bin].reference_share += 1 / (double)count;
    }
}

static sw_status draw_values(sw_compared *out, const sw_samples *samples, size_t distinct,
                             sw_arena *arena, sw_error *error) {
    SW_TRY(make_bins(out, distinct, arena, error));
    size_t at = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples); at++)
        out->bins[at] =
            (sw_compared_bin){.from = walk.run.value,
                              .to = walk.run.value,
                              .reference_share = (double)walk.run.a / (double)samples->a_count,
                              .current_share = (double)walk.run.b / (double)samples->b_count};
    return SW_OK;
}

/* Few values one by one; else equal widths between the outer percents, so that an outlier does not
 * press all others into one bin. */
static sw_status draw_numbers(sw_compared *out, const sw_samples *samples, sw_arena *arena,
                              sw_error *error) {
    size_t distinct = sw_samples_distinct(samples);
    if (distinct <= SW_COMPARE_BINS_MAX)
        return draw_values(out, samples, distinct, arena, error);
    double low = fmin(sw_sample_quantile(samples->a, samples->a_count, 0.01),
                      sw_sample_quantile(samples->b, samples->b_count, 0.01));
    double high = fmax(sw_sample_quantile(samples->a, samples->a_count, 0.99),
                       sw_sample_quantile(samples->b, samples->b_count, 0.99));
    double width = (high - low) / SW_COMPARE_BINS_MAX;
    if (!(width > 0) || !isfinite(width))
        return SW_OK; /* nearly all the same: there is no shape to show */
    SW_TRY(make_bins(out, SW_COMPARE_BINS_MAX, arena, error));
    for (size_t i = 0; i < out->bin_count; i++) {
        out->bins[i].from = low + width * (double)i;
        out->bins[i].to = low + width * (double)(i + 1);
    }
    out->bins[0].from = fmin(low, fmin(samples->a[0], samples->b[0]));
    out->bins[out->bin_count - 1].to =
        fmax(high, fmax(samples->a[samples->a_count - 1], samples->b[samples->b_count - 1]));
    count_into(out, samples->a, samples->a_count, false, low, width);
    count_into(out, samples->b, samples->b_count, true, low, width);
    return SW_OK;
}

typedef struct heavy {
    double weight;
    size_t index;
} heavy;

static int compare_heavy(const void *a, const void *b) {
    const heavy *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

static sw_str label_of(const sw_prepared *prepared, size_t i, sw_arena *arena) {
    return prepared->labels ? sw_arena_copy(arena, prepared->labels[i])
                            : sw_arena_printf(arena, "%.17g", prepared->levels[i]);
}

/* The heaviest categories, and the others together. */
static sw_status draw_counts(sw_compared *out, const sw_prepared *prepared, sw_arena *arena,
                             sw_error *error) {
    const sw_two_counts *counts = &prepared->counts;
    double n = (double)prepared->used[0], m = (double)prepared->used[1], rest_a = 1, rest_b = 1;
    heavy *order = sw_mem_alloc((counts->count + 1) * sizeof *order);
    if (!order)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for a column's bins");
    for (size_t i = 0; i < counts->count; i++)
        order[i] = (heavy){(double)counts->a[i] / n + (double)counts->b[i] / m, i};
    if (counts->count > 1)
        qsort(order, counts->count, sizeof *order, compare_heavy);
    bool all = counts->count <= SW_COMPARE_BINS_MAX;
    size_t shown = all ? counts->count : SW_COMPARE_BINS_MAX - 1;
    sw_status status = make_bins(out, shown + !all, arena, error);
    for (size_t i = 0; i < shown && !sw_failed(status); i++) {
        size_t at = order[i].index;
        sw_compared_bin bin = {.label = label_of(prepared, at, arena),
                               .reference_share = (double)counts->a[at] / n,
                               .current_share = (double)counts->b[at] / m};
        rest_a -= bin.reference_share;
        rest_b -= bin.current_share;
        out->bins[i] = bin;
    }
    if (!all && !sw_failed(status))
        out->bins[shown] = (sw_compared_bin){.label = SW_STR("(others)"),
                                             .reference_share = fmax(0, rest_a),
                                             .current_share = fmax(0, rest_b)};
    sw_mem_free(order);
    return status;
}

sw_status sw_compare_draw(sw_compared *out, const sw_prepared *prepared, sw_arena *arena,
                          sw_error *error) {
    if (prepared->used[0] == 0 || prepared->used[1] == 0)
        return SW_OK;
    return prepared->kind == SW_COMPARED_NUMBER
               ? draw_numbers(out, &prepared->samples, arena, error)
               : draw_counts(out, prepared, arena, error);
}
