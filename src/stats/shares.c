/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "stats/distances.h"

#include <math.h>

enum { VALUES_MAX = 20, EDGES_MAX = 1 << 20 };

void sw_shares_free(sw_shares *shares) {
    sw_mem_free(shares->a);
    *shares = (sw_shares){0};
}

static sw_status make(sw_shares *out, size_t count, sw_error *error) {
    double *block = sw_mem_zalloc(2 * count + 1, sizeof *block);
    if (!block)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for %zu bins", count);
    *out = (sw_shares){block, block + count, count};
    return SW_OK;
}

/* How many values are below `edge`, or at it too. */
static size_t rank_of(const double *sorted, size_t count, double edge, bool with_equal) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] < edge || (with_equal && sorted[middle] == edge))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Equal widths, as numpy.linspace and numpy.histogram have them. */
typedef struct even_bins {
    double first, last, step;
    size_t count;
} even_bins;

static sw_status plan(even_bins *bins, double first, double last, double width, sw_error *error) {
    double range = last - first, count = 1;
    if (range == 0) {
        first -= 0.5;
        last += 0.5;
        range = last - first;
    } else if (width > 0) {
        count = ceil(range / width);
    }
    if (!isfinite(range) || !(count <= EDGES_MAX))
        return sw_fail(error, SW_CODE_INVALID, "its values span more than a histogram can hold");
    *bins = (even_bins){first, last, range / count, (size_t)count};
    return SW_OK;
}

static double edge_of(const even_bins *bins, size_t i) {
    return i == bins->count ? bins->last : (double)i * bins->step + bins->first;
}

static void fill(double *shares, const even_bins *bins, const double *sorted, size_t count) {
    size_t before = rank_of(sorted, count, edge_of(bins, 0), false);
    for (size_t i = 0; i < bins->count; i++) {
        size_t rank = rank_of(sorted, count, edge_of(bins, i + 1), i + 1 == bins->count);
        shares[i] = (double)(rank - before) / (double)count;
        before = rank;
    }
}

static sw_status sturges(sw_shares *out, const sw_samples *samples, double size, sw_error *error) {
    double first = fmin(samples->a[0], samples->b[0]);
    double last = fmax(samples->a[samples->a_count - 1], samples->b[samples->b_count - 1]);
    even_bins bins = {0};
    SW_TRY(plan(&bins, first, last, (last - first) / (log2(size) + 1), error));
    SW_TRY(make(out, bins.count, error));
    fill(out->a, &bins, samples->a, samples->a_count);
    fill(out->b, &bins, samples->b, samples->b_count);
    return SW_OK;
}

static sw_status by_value(sw_shares *out, const sw_samples *samples, sw_error *error) {
    SW_TRY(make(out, sw_samples_distinct(samples), error));
    size_t i = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, samples); i++) {
        out->a[i] = (double)walk.run.a / (double)samples->a_count;
        out->b[i] = (double)walk.run.b / (double)samples->b_count;
    }
    return SW_OK;
}

sw_status sw_shares_evidently(sw_shares *out, size_t *bins, const sw_samples *samples,
                              sw_error *error) {
    *bins = 0;
    if (sw_sample_distinct(samples->a, samples->a_count, VALUES_MAX) <= VALUES_MAX)
        return by_value(out, samples, error);
    SW_TRY(sturges(out, samples, (double)(samples->a_count + samples->b_count), error));
    *bins = out->count;
    return SW_OK;
}

sw_status sw_shares_sturges_distinct(sw_shares *out, const sw_samples *samples, sw_error *error) {
    return sturges(out, samples, (double)sw_samples_distinct(samples), error);
}

/* Doane (1976): Sturges' rule with an allowance for skew. */
static double doane_width(const double *sorted, size_t count) {
    double n = (double)count, mean = sw_sample_mean(sorted, count);
    double spread = sqrt(sw_sample_variance(sorted, count, mean));
    if (count < 3 || !(spread > 0))
        return 0;
    long double cubes = 0;
    for (size_t i = 0; i < count; i++)
        cubes += pow((sorted[i] - mean) / spread, 3);
    double skew = fabs((double)(cubes / (long double)n));
    double error = sqrt(6 * (n - 2) / ((n + 1) * (n + 3)));
    return (sorted[count - 1] - sorted[0]) / (1 + log2(n) + log2(1 + skew / error));
}

sw_status sw_shares_doane(sw_shares *out, const sw_samples *samples, sw_error *error) {
    even_bins bins = {0};
    double width = doane_width(samples->a, samples->a_count);
    SW_TRY(plan(&bins, samples->a[0], samples->a[samples->a_count - 1], width, error));
    SW_TRY(make(out, bins.count + 1, error));
    fill(out->a, &bins, samples->a, samples->a_count);
    fill(out->b, &bins, samples->b, samples->b_count);
    double inside = 0;
    for (size_t i = 0; i < bins.count; i++)
        inside += out->b[i];
    out->b[bins.count] = fmax(0, 1 - inside);
    return SW_OK;
}

sw_status sw_shares_deciles(sw_shares *out, double *edges, const sw_samples *samples,
                            sw_error *error) {
    double inner[9];
    size_t count = 0;
    double before = samples->a[0], last = samples->a[samples->a_count - 1];
    for (int i = 1; i < 10; i++) {
        double edge = sw_sample_quantile(samples->a, samples->a_count, i / 10.);
        if (edge > before && edge < last)
            before = inner[count++] = edge;
    }
    SW_TRY(make(out, count + 1, error));
    size_t a_before = 0, b_before = 0;
    for (size_t i = 0; i <= count; i++) {
        bool end = i == count;
        size_t a = end ? samples->a_count : rank_of(samples->a, samples->a_count, inner[i], false);
        size_t b = end ? samples->b_count : rank_of(samples->b, samples->b_count, inner[i], false);
        out->a[i] = (double)(a - a_before) / (double)samples->a_count;
        out->b[i] = (double)(b - b_before) / (double)samples->b_count;
        a_before = a;
        b_before = b;
        if (edges && !end)
            edges[i] = inner[i];
    }
    return SW_OK;
}

sw_status sw_shares_of_counts(sw_shares *out, const uint64_t *a, const uint64_t *b, size_t count,
                              sw_error *error) {
    double a_sum = 0, b_sum = 0;
    SW_TRY(make(out, count, error));
    for (size_t i = 0; i < count; i++) {
        a_sum += (double)a[i];
        b_sum += (double)b[i];
    }
    for (size_t i = 0; i < count; i++) {
        out->a[i] = a_sum > 0 ? (double)a[i] / a_sum : 0;
        out->b[i] = b_sum > 0 ? (double)b[i] / b_sum : 0;
    }
    return SW_OK;
}
