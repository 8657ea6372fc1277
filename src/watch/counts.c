/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/counts_private.h"

#include "base/mem.h"

#include <math.h>

static sw_status no_memory(sw_error *error, uint32_t bins) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the counts of %u bins", bins);
}

sw_status sw_counts_make(sw_counts *out, uint32_t bin_count, uint32_t label_count,
                         sw_error *error) {
    *out = (sw_counts){.bin_count = bin_count, .label_count = label_count};
    out->bins = sw_mem_zalloc(bin_count, sizeof *out->bins);
    out->labels = sw_mem_zalloc(label_count, sizeof *out->labels);
    if (out->bins && out->labels)
        return SW_OK;
    sw_counts_free(out);
    return no_memory(error, bin_count);
}

/* `whole`: not of a segment. */
static bool add_columns(sw_counts *out, uint32_t column_count, bool distinct, bool whole) {
    out->column_count = column_count;
    out->moments = sw_mem_zalloc(column_count, sizeof *out->moments);
    out->distinct = distinct ? sw_mem_zalloc(column_count, sizeof *out->distinct) : NULL;
    out->mismatches = whole ? sw_mem_zalloc(column_count, sizeof *out->mismatches) : NULL;
    return out->moments && (out->distinct || !distinct) &&
           (!whole || (out->mismatches && sw_tails_make(&out->tails, column_count)));
}

sw_status sw_counts_make_for(sw_counts *out, const sw_observer *observer, bool segment,
                             sw_error *error) {
    SW_TRY(sw_counts_make(out, observer->counter_count,
                          segment ? observer->output_label_count : observer->label_count, error));
    if (add_columns(out, observer->column_count, observer->distinct && !segment, !segment))
        return SW_OK;
    sw_counts_free(out);
    return no_memory(error, observer->counter_count);
}

sw_status sw_counts_make_like(sw_counts *out, const sw_counts *like, sw_error *error) {
    SW_TRY(sw_counts_make(out, like->bin_count, like->label_count, error));
    if (add_columns(out, like->column_count, like->distinct != NULL, like->mismatches != NULL))
        return SW_OK;
    sw_counts_free(out);
    return no_memory(error, like->bin_count);
}

void sw_counts_free(sw_counts *counts) {
    sw_mem_free(counts->bins);
    sw_mem_free(counts->labels);
    sw_mem_free(counts->moments);
    sw_mem_free(counts->distinct);
    sw_mem_free(counts->mismatches);
    sw_tails_free(&counts->tails);
    *counts = (sw_counts){0};
}

void sw_counts_clear(sw_counts *counts) {
    counts->rows = 0;
    memset(counts->bins, 0, counts->bin_count * sizeof *counts->bins);
    for (uint32_t i = 0; i < counts->label_count; i++)
        sw_labels_clear(&counts->labels[i]);
    if (counts->moments)
        memset(counts->moments, 0, counts->column_count * sizeof *counts->moments);
    if (counts->distinct)
        memset(counts->distinct, 0, counts->column_count * sizeof *counts->distinct);
    sw_tails_clear(&counts->tails);
    if (counts->mismatched)
        memset(counts->mismatches, 0, counts->column_count * sizeof *counts->mismatches);
    counts->mismatched = false;
}

bool sw_counts_empty(const sw_counts *counts) {
    return counts->rows == 0 && !counts->mismatched;
}

void sw_moments_merge(sw_moments *into, const sw_moments *from) {
    if (from->count == 0)
        return;
    into->min = into->count && into->min < from->min ? into->min : from->min;
    into->max = into->count && into->max > from->max ? into->max : from->max;
    into->count += from->count;
    into->sum += from->sum;
    into->squares += from->squares;
}

static void add_mismatches(sw_counts *into, const uint64_t *from, uint32_t count) {
    for (uint32_t i = 0; i < into->column_count && i < count; i++)
        into->mismatches[i] += from[i];
    into->mismatched = true;
}

void sw_counts_add(sw_counts *into, const sw_counts *from) {
    into->rows += from->rows;
    for (uint32_t i = 0; i < into->bin_count; i++)
        into->bins[i] += from->bins[i];
    for (uint32_t i = 0; i < into->label_count && i < from->label_count; i++)
        sw_labels_merge(&into->labels[i], &from->labels[i]);
    for (uint32_t i = 0; i < into->column_count && i < from->column_count; i++) {
        sw_moments_merge(&into->moments[i], &from->moments[i]);
        if (into->distinct && from->distinct)
            sw_distinct_merge(&into->distinct[i], &from->distinct[i]);
    }
    sw_tails_merge(&into->tails, &from->tails);
    if (into->mismatches && from->mismatched)
        add_mismatches(into, from->mismatches, from->column_count);
}

void sw_counts_subtract(sw_counts *into, const sw_counts *from) {
    into->rows -= from->rows;
    for (uint32_t i = 0; i < into->bin_count; i++)
        into->bins[i] -= from->bins[i];
    for (uint32_t i = 0; i < into->label_count && i < from->label_count; i++)
        sw_labels_subtract(&into->labels[i], &from->labels[i]);
}

bool sw_counts_exact(const sw_counts *counts) {
    for (uint32_t i = 0; i < counts->label_count; i++)
        if (counts->labels[i].others)
            return false;
    return true;
}

void sw_sums_clear(sw_sums *sums) {
    *sums = (sw_sums){.min = INFINITY, .max = -INFINITY};
}

static void take_sums(sw_moments *into, const sw_cell *cell, const sw_counted *column, uint32_t i) {
    const sw_sums *sums = &cell->sums[i];
    uint64_t count = 0;
    if (sums->min > sums->max)
        return;
    for (uint32_t bin = 1; bin < column->bins; bin++)
        count += cell->counts[column->first + bin];
    sw_moments_merge(into, &(sw_moments){count - sums->infinite, sums->sum, sums->squares,
                                         sums->min, sums->max});
}

static void clear_cell(sw_cell *cell, const sw_observer *observer) {
    cell->rows = 0;
    memset(cell->counts, 0, observer->counter_count * sizeof *cell->counts);
    for (uint32_t i = 0; i < observer->column_count; i++)
        sw_sums_clear(&cell->sums[i]);
    if (cell->distinct)
        memset(cell->distinct, 0, observer->column_count * sizeof *cell->distinct);
}

void sw_counts_take(sw_counts *into, sw_shard *shard, uint32_t index) {
    sw_cell *cell = &shard->cells[index];
    sw_shard_settle(shard);
    into->rows += cell->rows;
    for (uint32_t i = 0; i < into->bin_count; i++)
        into->bins[i] += cell->counts[i];
    for (uint32_t i = 0; i < into->label_count; i++) {
        sw_labels_merge(&into->labels[i], &cell->labels[i]);
        sw_labels_clear(&cell->labels[i]);
    }
    for (uint32_t i = 0; i < into->column_count; i++) {
        take_sums(&into->moments[i], cell, &shard->observer->columns[i], i);
        if (into->distinct && cell->distinct)
            sw_distinct_merge(&into->distinct[i], &cell->distinct[i]);
    }
    for (int i = 0; cell->tails && i < 2; i++)
        sw_tails_take(&into->tails, &cell->tails[i]);
    clear_cell(cell, shard->observer);
    if (index > 0 || !shard->mismatched)
        return;
    if (into->mismatches)
        add_mismatches(into, shard->mismatches, shard->observer->feature_count);
    memset(shard->mismatches, 0, shard->observer->feature_count * sizeof *shard->mismatches);
    shard->mismatched = false;
}
