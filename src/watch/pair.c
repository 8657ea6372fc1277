/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/history_private.h"

#include <math.h>
#include <stdlib.h>

static uint64_t sum_of(const uint64_t *counts, uint32_t from, uint32_t to) {
    uint64_t sum = 0;
    for (uint32_t i = from; i < to; i++)
        sum += counts[i];
    return sum;
}

/* ---- Labels as bins ---- */

static uint32_t sorted(const sw_label **out, const sw_labels *labels) {
    uint32_t count = 0;
    for (uint32_t i = 0; labels->used && i < SW_LABEL_SLOTS; i++)
        if (labels->slots[i].count)
            out[count++] = &labels->slots[i];
    if (count)
        qsort(out, count, sizeof(const sw_label *), sw_labels_by_count);
    return count;
}

static void pair_labels(sw_watch_pair *out, const sw_labels *reference, const sw_labels *live) {
    const sw_label *known[SW_LABELS_MAX], *seen[SW_LABELS_MAX];
    uint32_t count = sorted(known, reference), seen_count = sorted(seen, live);
    out->reference_bins[SW_BIN_MISSING] = reference->missing;
    out->reference_bins[SW_BIN_UNSEEN] = reference->others;
    out->live_bins[SW_BIN_MISSING] = live->missing;
    out->live_bins[SW_BIN_UNSEEN] = live->others;
    for (uint32_t i = 0; i < count; i++) {
        out->values[i] = (sw_str){known[i]->text, known[i]->len};
        out->reference_bins[SW_BIN_FIRST + i] = known[i]->count;
        out->live_bins[SW_BIN_FIRST + i] = 0;
    }
    for (uint32_t k = 0; k < seen_count; k++) {
        uint32_t at = 0;
        while (at < count && !sw_str_eq(out->values[at], (sw_str){seen[k]->text, seen[k]->len}))
            at++;
        out->live_bins[at < count ? SW_BIN_FIRST + at : SW_BIN_UNSEEN] += seen[k]->count;
    }
    out->reference = (sw_profile_column){.kind = SW_FEATURE_CATEGORY,
                                         .values = out->values,
                                         .value_count = count,
                                         .bin_count = SW_BIN_FIRST + count};
    out->reference.counts = out->reference_bins;
    out->live = out->live_bins;
}

/* ---- Numbers and profiled features ---- */

static const double none = NAN;

static void pair_bins(sw_watch_pair *out, const sw_counted *counted,
                      const sw_profile_column *column, const sw_counts *reference,
                      const sw_counts *live) {
    if (column)
        out->reference = *column;
    else
        out->reference = (sw_profile_column){.kind = SW_FEATURE_NUMERIC,
                                             .bin_count = counted->bins,
                                             .min = none,
                                             .max = none,
                                             .mean = none,
                                             .stddev = none};
    out->reference.counts = reference->bins + counted->first;
    out->live = live->bins + counted->first;
}

void sw_watch_pair_of(sw_watch_pair *out, const sw_observer *observer, const sw_profile *profile,
                      uint32_t column, const sw_counts *reference, const sw_counts *live) {
    const sw_counted *counted = &observer->columns[column];
    bool profiled = counted->kind == SW_COUNTED_FEATURE && profile;
    out->output = !counted->feature;
    if (counted->kind == SW_COUNTED_LABELS && counted->labels < live->label_count)
        pair_labels(out, &reference->labels[counted->labels], &live->labels[counted->labels]);
    else
        pair_bins(out, counted, profiled ? &profile->columns[column] : NULL, reference, live);
    sw_profile_column *c = &out->reference;
    c->name = counted->name;
    c->missing = c->bin_count ? c->counts[SW_BIN_MISSING] : 0;
    c->rows = sum_of(c->counts, 0, c->bin_count);
    out->rows = sum_of(out->live, 0, c->bin_count);
    out->watched = c->rows > 0 && counted->kind != SW_COUNTED_MISSING && !counted->dropped &&
                   !counted->summarised;
}
