/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"
#include "watch/distinct_private.h"
#include "watch/profile_private.h"

#include "base/mem.h"
#include "base/num.h"

#include <math.h>

enum {
    VALUES_FIRST = 256,
    VALUES_MIN = 2048, /* that are held at least */
    TABLE_BYTES = 64,  /* of a grid's table, for each block */
    BLOCKS_MAX = 128,  /* of a grid; more would leave the cache sooner */
    LANES = 4,         /* sums side by side, so that none waits for another */
};

struct sw_levels {
    sw_keys64 keys;
    double values[SW_PROFILE_BINS];
    uint64_t counts[SW_PROFILE_BINS];
    uint32_t count;
};

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to profile the file");
}

void sw_gather_init(sw_gather *gather, bool category, size_t bytes) {
    size_t cap = bytes / sizeof(double);
    *gather = (sw_gather){.category = category, .cap = cap < VALUES_MIN ? VALUES_MIN : cap};
}

static void let_go_of_values(sw_gather *gather) {
    sw_mem_free(gather->at);
    gather->at = NULL;
    gather->count = gather->room = 0;
}

void sw_gather_free(sw_gather *gather) {
    sw_tally_free(&gather->tally);
    let_go_of_values(gather);
    sw_mem_free(gather->levels);
    sw_grid_free(&gather->grid);
    sw_mem_free(gather->registers);
    *gather = (sw_gather){0};
}

/* ---- Moments ---- */

typedef struct moments {
    double min, max, mean, squares;
} moments;

static moments moments_of(const double *x, size_t count) {
    double sum[LANES] = {0}, squares[LANES] = {0}, min[LANES], max[LANES];
    double share = 1 / (double)count;
    size_t even = count - count % LANES;
    for (size_t j = 0; j < LANES; j++)
        min[j] = max[j] = x[0];
    for (size_t i = 0; i < count; i++) {
        size_t j = i < even ? i % LANES : 0;
        sum[j] += x[i] * share; /* a sum of very large values would overflow */
        min[j] = x[i] < min[j] ? x[i] : min[j];
        max[j] = x[i] > max[j] ? x[i] : max[j];
    }
    double mean = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (size_t i = 0; i < count; i++)
        squares[i < even ? i % LANES : 0] += (x[i] - mean) * (x[i] - mean);
    moments m = {min[0], max[0], mean, (squares[0] + squares[1]) + (squares[2] + squares[3])};
    for (size_t j = 1; j < LANES; j++) {
        m.min = min[j] < m.min ? min[j] : m.min;
        m.max = max[j] > m.max ? max[j] : m.max;
    }
    return m;
}

/* Chan, Golub, LeVeque: "Updating formulae and a pairwise algorithm for computing sample variances"
 * (1979). */
static void add_moments(sw_gather *g, const double *x, size_t count) {
    moments m = moments_of(x, count);
    double n = (double)count, before = (double)g->finite, apart = m.mean - g->mean;
    g->mean += apart * (n / (n + before));
    g->squares += m.squares + apart * apart * (n * before / (n + before));
    g->min = g->finite == 0 || m.min < g->min ? m.min : g->min;
    g->max = g->finite == 0 || m.max > g->max ? m.max : g->max;
    g->finite += count;
}

/* ---- Values ---- */

static bool hold(sw_gather *g, const double *x, size_t count) {
    if (g->count + count > g->room) {
        size_t room = g->room ? g->room : VALUES_FIRST;
        while (room < g->count + count)
            room *= 2;
        room = room < g->cap ? room : g->cap;
        double *at = sw_mem_realloc(g->at, room * sizeof *at);
        if (!at)
            return false;
        g->at = at;
        g->room = room;
    }
    memcpy(g->at + g->count, x, count * sizeof *x);
    g->count += count;
    return true;
}

static void note_distinct(sw_distinct *registers, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++)
        sw_distinct_add(registers, sw_distinct_hash(sw_number_key(x[i])), true);
}

/* From values in growing order, of which `distinct` differ. */
static bool begin_levels(sw_gather *g, const double *sorted, size_t count) {
    sw_levels *levels = sw_mem_zalloc(1, sizeof *levels);
    if (!levels)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (levels->count == 0 || levels->values[levels->count - 1] != sorted[i])
            levels->values[levels->count++] = sorted[i];
        levels->counts[levels->count - 1]++;
    }
    sw_keys64_fill(&levels->keys, levels->values, levels->count);
    g->levels = levels;
    g->mode = SW_GATHER_LEVELS;
    return true;
}

static bool begin_grid(sw_gather *g, const double *sorted, size_t count) {
    size_t blocks = g->cap * sizeof(double) / (SW_GRID_BLOCK * sizeof(uint32_t) + TABLE_BYTES);
    blocks = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX;
    g->registers = sw_mem_zalloc(1, sizeof *g->registers);
    if (!g->registers)
        return false;
    note_distinct(g->registers, sorted, count);
    g->mode = SW_GATHER_GRID;
    return sw_grid_make(&g->grid, sorted, count, (uint32_t)blocks);
}

static size_t count_distinct(const double *sorted, size_t count) {
    size_t distinct = count > 0;
    for (size_t i = 1; i < count; i++)
        distinct += sorted[i] != sorted[i - 1];
    return distinct;
}

static bool sort_held(sw_gather *g) {
    double *spare = sw_mem_alloc(g->count * sizeof *spare);
    if (!spare)
        return false;
    sw_sort_doubles(g->at, spare, g->count);
    sw_mem_free(spare);
    return true;
}

static bool all_whole(const double *x, size_t count) {
    size_t i = 0;
    while (i < count && x[i] == trunc(x[i]))
        i++;
    return i == count;
}

/* The values do not fit any longer: from here on they are counted. */
static bool begin_counting(sw_gather *g) {
    g->whole = all_whole(g->at, g->count);
    bool good = sort_held(g) && (count_distinct(g->at, g->count) <= SW_PROFILE_BINS
                                     ? begin_levels(g, g->at, g->count)
                                     : begin_grid(g, g->at, g->count));
    let_go_of_values(g);
    return good;
}

/* A value that is none of the levels: each level goes into the grid as often as it occurred. */
static bool leave_levels(sw_gather *g) {
    sw_levels *levels = g->levels;
    bool good = begin_grid(g, levels->values, levels->count);
    for (uint32_t i = 0; i < levels->count && good; i++)
        sw_grid_add_more(&g->grid, levels->values[i], (uint32_t)(levels->counts[i] - 1));
    sw_mem_free(levels);
    g->levels = NULL;
    return good;
}

/* How many of `x` are among the levels, from the first on; those are counted. */
static size_t count_levels(sw_levels *levels, const double *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t rank = sw_keys64_bin(&levels->keys, x[i]) - 1;
        if (rank == 0 || levels->values[rank - 1] != x[i])
            return i;
        levels->counts[rank - 1]++;
    }
    return count;
}

static bool add_finite(sw_gather *g, const double *x, size_t count) {
    add_moments(g, x, count);
    if (g->mode == SW_GATHER_ALL) {
        if (g->count + count <= g->cap)
            return hold(g, x, count);
        if (!begin_counting(g))
            return false;
    }
    if (g->mode == SW_GATHER_LEVELS) {
        size_t counted = count_levels(g->levels, x, count);
        if (counted == count)
            return true;
        x += counted;
        count -= counted;
        if (!leave_levels(g))
            return false;
    }
    note_distinct(g->registers, x, count);
    return sw_grid_add(&g->grid, x, count);
}

bool sw_gather_numbers(sw_gather *g, const double *values, double *finite, size_t count) {
    size_t found = 0;
    uint64_t missing = 0;
    for (size_t i = 0; i < count; i++) {
        double x = values[i];
        finite[found] = x;
        found += fabs(x) <= 0x1.fffffffffffffp1023;
        missing += x != x;
    }
    g->missing += missing;
    if (found + missing < count)
        for (size_t i = 0; i < count; i++) {
            g->below += values[i] == -INFINITY;
            g->above += values[i] == INFINITY;
        }
    return found == 0 || add_finite(g, finite, found);
}

bool sw_gather_text(sw_gather *g, sw_str value) {
    if (value.len)
        return sw_tally_add(&g->tally, value);
    g->missing++;
    return true;
}

bool sw_gather_number_text(sw_gather *g, double x) {
    char text[SW_NUM_BYTES];
    bool whole = fabs(x) < 0x1p53 && x == trunc(x);
    size_t len = whole ? sw_num_print_i64(text, (int64_t)x) : sw_num_print_f64(text, x);
    return sw_gather_text(g, (sw_str){text, isnan(x) ? 0 : len});
}

/* ---- Into the profile ---- */

/*
 * Of more values than are kept, those are chosen that occur most often in this very sample, so that
 * new rows hold fewer of them: of a column of ids, none. By chance are values whose count is within
 * two standard errors of the best that is left out; their rows, times half of what such an error is
 * of the count, are what the choice moves. As many are certain as keep that to a hundredth, or have a gap below them.
 */
static uint32_t certain_of(const sw_tally *tally, uint32_t known) {
    const sw_tally_entry *e = tally->entries;
    double total = (double)tally->others, near = 0;
    uint32_t from = tally->count, to = tally->count, kept = known;
    if (tally->count <= known)
        return known;
    for (uint32_t i = 0; i < tally->count; i++)
        total += (double)e[i].count;
    for (; kept > 0; kept--) {
        double best_out = (double)e[kept].count, error = sqrt(best_out),
               least_in = (double)e[kept - 1].count;
        while (from > 0 && (double)e[from - 1].count <= best_out + 2 * error)
            near += (double)e[--from].count;
        while (to > from && (double)e[to - 1].count < best_out - 2 * error)
            near -= (double)e[--to].count;
        bool gap = least_in - 2 * sqrt(least_in) > best_out + 2 * error;
        if (gap || near * 0.5 / error <= 0.01 * total)
            break;
    }
    return kept;
}

static sw_status category_column(sw_profile_column *out, sw_gather *g, sw_arena *arena,
                                 sw_error *error) {
    sw_tally *tally = &g->tally;
    sw_tally_sort(tally);
    uint32_t known =
        tally->count < SW_PROFILE_CATEGORIES_MAX ? tally->count : SW_PROFILE_CATEGORIES_MAX;
    out->value_count = known;
    out->certain_count = certain_of(tally, known);
    out->distinct = tally->count; /* the others are some more, or all of one value */
    out->bin_count = known + SW_BIN_FIRST;
    out->values = sw_arena_zalloc(arena, known, sizeof *out->values);
    out->counts = sw_arena_zalloc(arena, out->bin_count, sizeof *out->counts);
    if ((known && !out->values) || !out->counts)
        return no_memory(error);
    out->counts[SW_BIN_MISSING] = g->missing;
    out->counts[SW_BIN_UNSEEN] = tally->others;
    for (uint32_t i = 0; i < tally->count; i++) {
        const sw_tally_entry *entry = &tally->entries[i];
        if (i >= known) {
            out->counts[SW_BIN_UNSEEN] += entry->count;
            continue;
        }
        out->counts[SW_BIN_FIRST + i] = entry->count;
        out->values[i] = sw_arena_copy(arena, entry->value);
        if (!out->values[i].at)
            return no_memory(error);
    }
    return SW_OK;
}

/* The bins between the cuts, as they are found. */
typedef struct between {
    double cuts[SW_PROFILE_BINS], levels[SW_PROFILE_BINS];
    uint64_t counts[SW_PROFILE_BINS];
    uint32_t cut_count;
    bool leveled;
} between;

static bool bins_of_all(between *out, sw_profile_column *column, sw_gather *g) {
    if (g->count && !sort_held(g))
        return false;
    const double *at = g->at;
    out->cut_count = sw_cuts_of(out->cuts, out->levels, &out->leveled, at, g->count);
    uint32_t bin = 0;
    for (size_t i = 0; i < g->count; i++) {
        while (bin < out->cut_count && at[i] >= out->cuts[bin])
            bin++;
        out->counts[bin]++;
    }
    column->distinct = count_distinct(at, g->count);
    g->whole = g->count && all_whole(at, g->count);
    if (g->count)
        column->median = at[(g->count - 1) / 2] / 2 + at[g->count / 2] / 2;
    return true;
}

static void bins_of_levels(between *out, sw_profile_column *column, const sw_gather *g) {
    const sw_levels *levels = g->levels;
    uint64_t before = 0;
    out->cut_count =
        sw_cuts_of(out->cuts, out->levels, &out->leveled, levels->values, levels->count);
    memcpy(out->counts, levels->counts, levels->count * sizeof *levels->counts);
    column->distinct = levels->count;
    for (uint32_t i = 0; i < levels->count; before += levels->counts[i++])
        if (before * 2 <= g->finite && (before + levels->counts[i]) * 2 > g->finite)
            column->median = before * 2 < g->finite || i == 0
                                 ? levels->values[i]
                                 : levels->values[i - 1] / 2 + levels->values[i] / 2;
}

static bool bins_of_grid(between *out, sw_profile_column *column, const sw_gather *g) {
    out->cut_count =
        sw_grid_cuts(out->cuts, out->counts, SW_PROFILE_BINS - 1, &column->median, &g->grid);
    double distinct = sw_distinct_estimate(g->registers);
    column->distinct = distinct < (double)g->finite ? (uint64_t)distinct : g->finite;
    return !isnan(column->median);
}

static sw_status numeric_column(sw_profile_column *out, sw_gather *g, sw_arena *arena,
                                sw_error *error) {
    between b = {0};
    bool good = true;
    switch (g->mode) {
    case SW_GATHER_ALL: good = bins_of_all(&b, out, g); break;
    case SW_GATHER_LEVELS: bins_of_levels(&b, out, g); break;
    case SW_GATHER_GRID: good = bins_of_grid(&b, out, g); break;
    }
    uint32_t bins = b.cut_count + 1;
    out->whole = g->whole;
    out->cut_count = b.cut_count;
    out->bin_count = bins + 3;
    out->cuts = sw_arena_zalloc(arena, bins, sizeof *out->cuts);
    out->counts = sw_arena_zalloc(arena, out->bin_count, sizeof *out->counts);
    out->levels = b.leveled ? sw_arena_zalloc(arena, bins, sizeof *out->levels) : NULL;
    if (!good || !out->cuts || !out->counts || (b.leveled && !out->levels))
        return no_memory(error);
    memcpy(out->cuts, b.cuts, b.cut_count * sizeof *b.cuts);
    memcpy(out->counts + SW_BIN_FIRST, b.counts, bins * sizeof *b.counts);
    if (b.leveled)
        memcpy(out->levels, b.levels, bins * sizeof *b.levels);
    out->counts[SW_BIN_MISSING] = g->missing;
    out->counts[SW_BIN_BELOW] = g->below;
    out->counts[out->bin_count - 1] = g->above;
    return SW_OK;
}

sw_status sw_gather_finish(sw_profile_column *out, sw_gather *g, sw_str name, uint64_t rows,
                           sw_arena *arena, sw_error *error) {
    bool none = g->finite == 0;
    if (g->min == g->max) { /* no trace of rounding */
        g->mean = g->min;
        g->squares = 0;
    }
    *out = (sw_profile_column){
        .kind = g->category ? SW_FEATURE_CATEGORY : SW_FEATURE_NUMERIC,
        .name = sw_arena_copy(arena, name),
        .rows = rows,
        .missing = g->missing,
        .min = none ? NAN : g->min,
        .max = none ? NAN : g->max,
        .mean = none ? NAN : g->mean,
        .stddev = none ? NAN : sqrt(g->squares / (double)g->finite),
        .median = NAN,
    };
    if (!out->name.at)
        return no_memory(error);
    sw_status status =
        g->category ? category_column(out, g, arena, error) : numeric_column(out, g, arena, error);
    sw_gather_free(g);
    return status;
}

void sw_profile_keep_certain(sw_profile_column *made) {
    if (made->kind != SW_FEATURE_CATEGORY)
        return;
    for (uint32_t i = made->certain_count; i < made->value_count; i++)
        made->counts[SW_BIN_UNSEEN] += made->counts[SW_BIN_FIRST + i];
    made->value_count = made->certain_count;
    made->bin_count = made->value_count + SW_BIN_FIRST;
}

void sw_profile_set_feature(sw_feature *feature, const sw_profile_column *made) {
    bool category = made->kind == SW_FEATURE_CATEGORY;
    feature->kind = made->kind;
    feature->categories = category ? made->values : NULL;
    feature->category_count = category ? made->value_count : 0;
    feature->has_range = !isnan(made->min);
    feature->min = feature->has_range ? made->min : 0;
    feature->max = feature->has_range ? made->max : 0;
}
