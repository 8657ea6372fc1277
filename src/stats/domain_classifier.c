/* SPDX-License-Identifier: Apache-2.0 */
#include "stats/domain_classifier.h"

#include "base/mem.h"
#include "base/rng.h"
#include "stats/samples.h"
#include "stats/special.h"
#include "stats/two_sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 33, MISSING = 0, FOLDS = 5, TREES = 40, DEPTH = 3, LEAVES = 1 << DEPTH };
enum { CHILD_ROWS_MIN = 10 };
#define LEARNING_RATE 0.2
#define SHRINKAGE 1.0 /* added to a node's curvature */

typedef struct node_split {
    size_t column;
    uint64_t right; /* bit b: bin b goes right */
    double gain;    /* 0: a leaf */
} node_split;

typedef struct cell {
    double slope, curve; /* sums of the loss's first and second derivatives */
    double rows;
} cell;

typedef struct learner {
    uint8_t *bins; /* column by column */
    const sw_domain_column *columns;
    size_t column_count, rows;
    const bool *current;
    uint8_t *fold;
    uint8_t *node;  /* of each row, in the tree that grows */
    double *margin; /* log odds so far */
    double *slope, *curve;
    double *importance;
    cell (*cells)[LEAVES][BINS]; /* of one column */
} learner;

/* ---- Bins ---- */

static void bin_categories(uint8_t *bins, const double *values, size_t rows) {
    uint32_t counts[1 << 12] = {0};
    uint8_t bin_of[1 << 12] = {0};
    for (size_t i = 0; i < rows; i++)
        if (values[i] >= 0 && values[i] < 1 << 12)
            counts[(size_t)values[i]]++;
    for (unsigned bin = 1; bin < BINS - 1; bin++) { /* the most frequent have bins of their own */
        size_t best = 0;
        for (size_t code = 0; code < 1 << 12; code++)
            if (counts[code] > counts[best])
                best = code;
        if (counts[best] == 0)
            break;
        counts[best] = 0;
        bin_of[best] = (uint8_t)bin;
    }
    for (size_t i = 0; i < rows; i++) {
        bool known = values[i] >= 0 && values[i] < 1 << 12;
        uint8_t bin = known ? bin_of[(size_t)values[i]] : 0;
        bins[i] = isnan(values[i]) ? MISSING : bin ? bin : BINS - 1;
    }
}

static void bin_numbers(uint8_t *bins, const double *values, size_t rows, double *scratch) {
    double cuts[BINS];
    size_t finite, cut_count = 0;
    memcpy(scratch, values, rows * sizeof *values);
    finite = sw_samples_keep_finite(scratch, rows);
    sw_samples_sort(scratch, scratch + rows, finite);
    for (size_t i = 1; i < BINS - 1 && finite; i++) {
        double cut = scratch[finite * i / (BINS - 1)];
        if (cut > (cut_count ? cuts[cut_count - 1] : scratch[0]))
            cuts[cut_count++] = cut;
    }
    for (size_t i = 0; i < rows; i++) {
        size_t low = 0, high = cut_count;
        while (low < high) {
            size_t middle = (low + high) / 2;
            if (cuts[middle] <= values[i])
                low = middle + 1;
            else
                high = middle;
        }
        bins[i] = isnan(values[i]) ? MISSING : (uint8_t)(low + 1);
    }
}

/* ---- One tree ---- */

static double score_of(cell sum) {
    return sum.slope * sum.slope / (sum.curve + SHRINKAGE);
}

static cell plus(cell x, cell y) {
    return (cell){x.slope + y.slope, x.curve + y.curve, x.rows + y.rows};
}

static cell minus(cell x, cell y) {
    return (cell){x.slope - y.slope, x.curve - y.curve, x.rows - y.rows};
}

static void consider(node_split *best, cell all, cell right, size_t column, uint64_t bits) {
    cell left = minus(all, right);
    if (right.rows < CHILD_ROWS_MIN || left.rows < CHILD_ROWS_MIN)
        return;
    double gain = score_of(left) + score_of(right) - score_of(all);
    if (gain > best->gain + 1e-9)
        *best = (node_split){column, bits, gain};
}

/* Bins in the order in which a cut may part them. */
static size_t order_bins(uint8_t order[BINS], const cell *cells, bool category) {
    size_t count = 0;
    for (unsigned bin = 1; bin < BINS; bin++) {
        if (cells[bin].rows == 0)
            continue;
        size_t at = count++;
        double rank = cells[bin].slope / (cells[bin].curve + SHRINKAGE);
        for (; category && at > 0; at--) {
            const cell *before = &cells[order[at - 1]];
            if (before->slope / (before->curve + SHRINKAGE) <= rank)
                break;
            order[at] = order[at - 1];
        }
        order[at] = (uint8_t)bin;
    }
    return count;
}

static void find_split(node_split *best, const cell *cells, size_t column, bool category) {
    uint8_t order[BINS];
    size_t count = order_bins(order, cells, category);
    cell missing = cells[MISSING], all = missing, right = {0};
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++)
        all = plus(all, cells[order[i]]);
    for (size_t i = count; i-- > 0;) {
        right = plus(right, cells[order[i]]);
        bits |= UINT64_C(1) << order[i];
        if (i > 0)
            consider(best, all, right, column, bits);
        if (missing.rows > 0 && i > 0)
            consider(best, all, plus(right, missing), column, bits | 1);
    }
    if (missing.rows > 0)
        consider(best, all, missing, column, 1);
}

static void fill_cells(learner *l, size_t column, size_t nodes, uint8_t tested) {
    const uint8_t *bins = l->bins + column * l->rows;
    memset(l->cells, 0, nodes * sizeof(*l->cells)[0]);
    for (size_t i = 0; i < l->rows; i++) {
        if (l->fold[i] >= tested)
            continue;
        cell *at = &(*l->cells)[l->node[i]][bins[i]];
        at->slope += l->slope[i];
        at->curve += l->curve[i];
        at->rows++;
    }
}

static void split_level(learner *l, size_t nodes, uint8_t tested) {
    node_split best[LEAVES] = {{0}};
    for (size_t column = 0; column < l->column_count; column++) {
        fill_cells(l, column, nodes, tested);
        for (size_t node = 0; node < nodes; node++)
            find_split(&best[node], (*l->cells)[node], column, l->columns[column].category);
    }
    for (size_t node = 0; node < nodes; node++)
        l->importance[best[node].column] += best[node].gain;
    for (size_t i = 0; i < l->rows; i++) {
        const node_split *split = &best[l->node[i]];
        bool right = split->gain > 0 && (split->right >> l->bins[split->column * l->rows + i] & 1);
        l->node[i] = (uint8_t)(2 * l->node[i] + right);
    }
}

static void grow_tree(learner *l, uint8_t tested) {
    cell leaves[LEAVES] = {{0}};
    for (size_t i = 0; i < l->rows; i++) {
        double p = 1 / (1 + exp(-l->margin[i]));
        l->slope[i] = p - l->current[i];
        l->curve[i] = p * (1 - p);
        l->node[i] = 0;
    }
    for (size_t nodes = 1; nodes < LEAVES; nodes *= 2)
        split_level(l, nodes, tested);
    for (size_t i = 0; i < l->rows; i++)
        if (l->fold[i] < tested)
            leaves[l->node[i]] = plus(leaves[l->node[i]], (cell){l->slope[i], l->curve[i], 1});
    for (size_t i = 0; i < l->rows; i++) {
        const cell *leaf = &leaves[l->node[i]];
        l->margin[i] -= LEARNING_RATE * leaf->slope / (leaf->curve + SHRINKAGE);
    }
}

/* ---- Folds ---- */

/* Each fold gets its share of either side, shuffled by the seed. */
static void deal_folds(learner *l, uint64_t seed, size_t *order) {
    for (int side = 0; side < 2; side++) {
        size_t count = 0;
        for (size_t i = 0; i < l->rows; i++)
            if (l->current[i] == (side == 1))
                order[count++] = i;
        for (size_t i = count; i > 1; i--) {
            size_t j = (size_t)(sw_rng_next(&seed) % i), swap = order[i - 1];
            order[i - 1] = order[j];
            order[j] = swap;
        }
        for (size_t i = 0; i < count; i++)
            l->fold[order[i]] = (uint8_t)(i % FOLDS);
    }
}

sw_status sw_domain_auc(double *auc, double *z, const double *scores, const bool *current,
                        size_t rows, sw_error *error) {
    double *block = sw_mem_alloc((3 * rows + 1) * sizeof *block);
    size_t count[2] = {0, 0};
    *auc = *z = NAN;
    if (!block)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to rank %zu scores", rows);
    double *sides[2] = {block, block + rows}, *scratch = block + 2 * rows;
    for (size_t i = 0; i < rows; i++)
        sides[current[i]][count[current[i]]++] = scores[i];
    for (int side = 0; side < 2; side++)
        sw_samples_sort(sides[side], scratch, count[side]);
    sw_samples samples = {sides[0], sides[1], count[0], count[1]};
    double n = (double)count[0], m = (double)count[1], total = n + m, wins = 0, ties = 0;
    for (sw_walk walk = {0}; sw_walk_next(&walk, &samples);) {
        double size = (double)(walk.run.a + walk.run.b);
        wins += (double)walk.run.b * ((double)walk.a_done - (double)walk.run.a / 2);
        ties += size * size * size - size;
    }
    if (count[0] && count[1]) {
        double spread = sqrt(n * m / 12 * (total + 1 - ties / (total * (total - 1))));
        *auc = wins / (n * m);
        *z = spread > 0 ? (wins - n * m / 2) / spread : 0;
    }
    sw_mem_free(block);
    return SW_OK;
}

static sw_status judge_fold(double *auc, double *z, const learner *l, uint8_t fold, double *scores,
                            bool *sides, sw_error *error) {
    size_t count = 0;
    for (size_t i = 0; i < l->rows; i++)
        if (l->fold[i] == fold) {
            scores[count] = l->margin[i];
            sides[count++] = l->current[i];
        }
    return sw_domain_auc(auc, z, scores, sides, count, error);
}

static sw_status validate(sw_domain_result *out, learner *l, double *scores, bool *sides,
                          sw_error *error) {
    double auc_sum = 0, z_sum = 0;
    /* Learns from those before, is asked about it. */
    for (unsigned fold = 1; fold < FOLDS; fold++) {
        double auc, z;
        for (size_t i = 0; i < l->rows; i++)
            l->margin[i] = 0;
        for (int tree = 0; tree < TREES; tree++)
            grow_tree(l, (uint8_t)fold);
        SW_TRY(judge_fold(&auc, &z, l, (uint8_t)fold, scores, sides, error));
        auc_sum += auc;
        z_sum += z;
    }
    out->defined = true;
    out->auc = auc_sum / (FOLDS - 1);
    out->z = z_sum / sqrt(FOLDS - 1);
    out->p = sw_normal_sf(out->z);
    return SW_OK;
}

static bool is_fit(sw_domain_result *out, const bool *current, size_t rows, size_t column_count) {
    size_t right = 0;
    for (size_t i = 0; i < rows; i++)
        right += current[i];
    *out = (sw_domain_result){.auc = NAN, .z = NAN, .p = NAN};
    if (column_count == 0)
        out->reason = "there is no column to tell rows apart by";
    else if (right < SW_DOMAIN_ROWS_MIN || rows - right < SW_DOMAIN_ROWS_MIN)
        out->reason = "too few rows: 50 on each side are needed";
    return !out->reason;
}

static void norm(double *importance, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += importance[i];
    for (size_t i = 0; i < count && sum > 0; i++)
        importance[i] /= sum;
}

sw_status sw_domain_classify(sw_domain_result *out, double *importance,
                             const sw_domain_column *columns, size_t column_count,
                             const bool *current, size_t rows, uint64_t seed, sw_error *error) {
    if (importance)
        memset(importance, 0, column_count * sizeof *importance);
    if (!is_fit(out, current, rows, column_count))
        return SW_OK;
    learner l = {
        .columns = columns, .column_count = column_count, .rows = rows, .current = current};
    sw_status status = sw_fail(error, SW_CODE_NO_MEMORY, "no memory to tell %zu rows apart", rows);
    size_t *order = sw_mem_alloc(rows * sizeof *order);
    bool *sides = sw_mem_alloc(rows * sizeof *sides);
    double *numbers = sw_mem_alloc((5 * rows + column_count) * sizeof *numbers);
    uint8_t *bytes = sw_mem_alloc(rows * (column_count + 2));
    l.cells = sw_mem_alloc(sizeof *l.cells);
    if (order && sides && numbers && bytes && l.cells) {
        l.margin = numbers;
        l.slope = numbers + rows;
        l.curve = numbers + 2 * rows;
        l.importance = numbers + 5 * rows;
        memset(l.importance, 0, column_count * sizeof *l.importance);
        l.fold = bytes;
        l.node = bytes + rows;
        l.bins = bytes + 2 * rows;
        for (size_t i = 0; i < column_count; i++) {
            if (columns[i].category)
                bin_categories(l.bins + i * rows, columns[i].values, rows);
            else
                bin_numbers(l.bins + i * rows, columns[i].values, rows, numbers + 3 * rows);
        }
        deal_folds(&l, seed, order);
        status = validate(out, &l, numbers + 3 * rows, sides, error);
        norm(l.importance, column_count);
        if (importance)
            memcpy(importance, l.importance, column_count * sizeof *importance);
    }
    sw_mem_free(order);
    sw_mem_free(sides);
    sw_mem_free(numbers);
    sw_mem_free(bytes);
    sw_mem_free(l.cells);
    return status;
}
