/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/display_private.h"

#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Numeric features ---- */

/* Edge k of the bins between: 0 is the minimum, cut_count + 1 the maximum. */
static double edge(const sw_profile_column *c, uint32_t k) {
    return k == 0 ? c->min : k <= c->cut_count ? c->cuts[k - 1] : c->max;
}

static sw_bar *add_bar(sw_bar *bars, size_t *count, double from, double to) {
    sw_bar *bar = &bars[(*count)++];
    *bar = (sw_bar){.from = from, .to = to};
    return bar;
}

static void label_number(sw_bar *bar, const char *before, double x) {
    char number[SW_NUM_BYTES];
    bool whole = fabs(x) < 0x1p53 && x == trunc(x);
    size_t len = whole ? sw_num_print_i64(number, (int64_t)x) : sw_num_print_f64(number, x);
    snprintf(bar->text, sizeof bar->text, "%s%.*s", before, (int)len, number);
    bar->label = sw_str_of(bar->text);
}

/* A bar for what lies out of the range, where anything does. */
static void add_outside(sw_bar *bars, size_t *count, const sw_profile_column *c,
                        const uint64_t *live, bool above) {
    uint32_t bin = above ? c->bin_count - 1 : SW_BIN_BELOW;
    if (c->counts[bin] + live[bin] == 0)
        return;
    sw_bar *bar = add_bar(bars, count, above ? c->max : -INFINITY, above ? INFINITY : c->min);
    bar->reference = (double)c->counts[bin];
    bar->live = (double)live[bin];
    label_number(bar, above ? "> " : "< ", above ? c->max : c->min);
}

/* Few values: a bar for each, or for a few neighbours. */
static size_t level_bars(sw_bar *bars, const sw_profile_column *c, const uint64_t *live) {
    uint32_t levels = c->cut_count + 1, room = SW_DISPLAY_BINS - 2;
    uint32_t step = (levels + room - 1) / room;
    size_t count = 0;
    add_outside(bars, &count, c, live, false);
    for (uint32_t at = 0; at < levels; at += step) {
        uint32_t end = at + step < levels ? at + step : levels;
        sw_bar *bar = add_bar(bars, &count, c->levels[at], c->levels[end - 1]);
        for (uint32_t i = at; i < end; i++) {
            bar->reference += (double)c->counts[SW_BIN_FIRST + i];
            bar->live += (double)live[SW_BIN_FIRST + i];
        }
        if (step == 1)
            label_number(bar, "", c->levels[at]);
    }
    add_outside(bars, &count, c, live, true);
    return count;
}

/* The edges between which all but about 1.5 % at either end of the reference lie. */
static void middle_of(double *low, double *high, const sw_profile_column *c) {
    uint32_t last = c->cut_count + 1, from = 0, to = 0;
    double sum = 0, total = 0;
    for (uint32_t i = 0; i < last; i++)
        total += (double)c->counts[SW_BIN_FIRST + i];
    for (uint32_t k = 0; k <= last; k++) {
        from = sum < 0.015 * total ? k + 1 : from;
        to = sum <= 0.985 * total ? k : to;
        sum += k < last ? (double)c->counts[SW_BIN_FIRST + k] : 0;
    }
    bool wide = to >= from + 4;
    *low = edge(c, wide ? from : 0);
    *high = edge(c, wide ? to : last);
}

static size_t even_bars(sw_bar *bars, const sw_profile_column *c) {
    double low, high;
    size_t count = 0;
    middle_of(&low, &high, c);
    bool first = c->min < low, last = high<c->max, ratios = low> 0 && high / low > 50;
    int inner = SW_DISPLAY_BINS - first - last;
    double at = low;
    if (first)
        add_bar(bars, &count, c->min, low);
    for (int i = 1; i <= inner; i++) {
        double part = (double)i / inner;
        double to = i == inner ? high
                    : ratios   ? low * pow(high / low, part)
                               : low + (high - low) * part;
        add_bar(bars, &count, at, to);
        at = to;
    }
    if (last)
        add_bar(bars, &count, high, c->max);
    return count;
}

/* The share of a fine bin that lies within a bar, as if its values lay evenly. */
static double overlap(const sw_bar *bar, double from, double to) {
    double low = from > bar->from ? from : bar->from, high = to < bar->to ? to : bar->to;
    return high > low ? (high - low) / (to - from) : 0;
}

static size_t spread_bars(sw_bar *bars, const sw_profile_column *c, const uint64_t *live) {
    size_t count = even_bars(bars, c), last = count - 1;
    for (uint32_t i = 0; i <= c->cut_count; i++)
        for (size_t b = 0; b < count; b++) {
            double part = overlap(&bars[b], edge(c, i), edge(c, i + 1));
            bars[b].reference += part * (double)c->counts[SW_BIN_FIRST + i];
            bars[b].live += part * (double)live[SW_BIN_FIRST + i];
        }
    bars[0].reference += (double)c->counts[SW_BIN_BELOW];
    bars[0].live += (double)live[SW_BIN_BELOW];
    bars[last].reference += (double)c->counts[c->bin_count - 1];
    bars[last].live += (double)live[c->bin_count - 1];
    return count;
}

/* ---- Categories ---- */

static size_t category_bars(sw_bar *bars, const sw_profile_column *c, const uint64_t *live) {
    size_t count = 0;
    double reference = 0, seen = 0;
    for (uint32_t i = 0; i < c->value_count; i++) {
        if (i >= SW_DISPLAY_BINS - 2) {
            reference += (double)c->counts[SW_BIN_FIRST + i];
            seen += (double)live[SW_BIN_FIRST + i];
            continue;
        }
        sw_bar *bar = add_bar(bars, &count, NAN, NAN);
        bar->label = c->values[i];
        bar->reference = (double)c->counts[SW_BIN_FIRST + i];
        bar->live = (double)live[SW_BIN_FIRST + i];
    }
    if (reference + seen > 0) {
        sw_bar *bar = add_bar(bars, &count, NAN, NAN);
        bar->label = SW_STR("(less frequent)");
        bar->reference = reference;
        bar->live = seen;
    }
    if (c->counts[SW_BIN_UNSEEN] + live[SW_BIN_UNSEEN]) {
        sw_bar *bar = add_bar(bars, &count, NAN, NAN);
        bar->label = c->counts[SW_BIN_UNSEEN] ? SW_STR("(other)") : SW_STR("(unseen)");
        bar->reference = (double)c->counts[SW_BIN_UNSEEN];
        bar->live = (double)live[SW_BIN_UNSEEN];
    }
    return count;
}

size_t sw_display_feature(sw_bar *bars, const sw_profile_column *c, const uint64_t *live) {
    if (c->kind == SW_FEATURE_CATEGORY)
        return category_bars(bars, c, live);
    if (isnan(c->min) || isnan(c->max))
        return 0;
    return c->levels ? level_bars(bars, c, live) : spread_bars(bars, c, live);
}

/* ---- Outputs ---- */

/* [0, 1] whole where all values are in it, else from the first bin that is not empty to the last. */
static void span_of(uint32_t *first, uint32_t *last, const uint64_t *reference,
                    const uint64_t *live) {
    uint32_t unit = SW_SCORE_FIRST_UNIT, unit_end = unit + SW_SCORE_UNIT - 1, low = 0, high = 0;
    for (uint32_t bin = 1; bin < SW_SCORE_BINS; bin++) {
        if (live[bin] + (reference ? reference[bin] : 0) == 0)
            continue;
        low = low ? low : bin;
        high = bin;
    }
    bool within = low == 0 || (low >= unit && high <= unit_end);
    *first = within ? unit : low;
    *last = within ? unit_end : high;
}

size_t sw_display_scores(sw_bar *bars, const uint64_t *reference, const uint64_t *live) {
    uint32_t first, last;
    size_t count = 0;
    span_of(&first, &last, reference, live);
    uint32_t step = (last - first) / SW_DISPLAY_BINS + 1;
    for (uint32_t at = first; at <= last; at += step) {
        uint32_t end = at + step - 1 < last ? at + step - 1 : last;
        double from, to, ignored;
        sw_score_edges(&from, &ignored, at);
        sw_score_edges(&ignored, &to, end);
        sw_bar *bar = add_bar(bars, &count, from, to);
        for (uint32_t bin = at; bin <= end; bin++) {
            bar->reference += reference ? (double)reference[bin] : 0;
            bar->live += (double)live[bin];
        }
    }
    return count;
}

static double count_in(const sw_labels *labels, const sw_label *wanted) {
    for (size_t i = 0; labels && labels->used && i < SW_LABEL_SLOTS; i++)
        if (labels->slots[i].count && labels->slots[i].len == wanted->len &&
            memcmp(labels->slots[i].text, wanted->text, wanted->len) == 0)
            return (double)labels->slots[i].count;
    return 0;
}

/* Of both tables: live ones first, then those that the reference alone has. */
size_t sw_display_labels(sw_bar *bars, const sw_labels *reference, const sw_labels *live) {
    const sw_label *found[2 * SW_LABELS_MAX];
    size_t found_count = 0, live_count, count = 0;
    double rest = (double)live->others, rest_before = reference ? (double)reference->others : 0;
    for (size_t i = 0; i < SW_LABEL_SLOTS; i++)
        if (live->slots[i].count)
            found[found_count++] = &live->slots[i];
    live_count = found_count;
    for (size_t i = 0; reference && i < SW_LABEL_SLOTS; i++)
        if (reference->slots[i].count && count_in(live, &reference->slots[i]) == 0)
            found[found_count++] = &reference->slots[i];
    if (live_count)
        qsort(found, live_count, sizeof(const sw_label *), sw_labels_by_count);
    if (found_count > live_count)
        qsort(found + live_count, found_count - live_count, sizeof(const sw_label *),
              sw_labels_by_count);
    for (size_t i = 0; i < found_count; i++) {
        double now = count_in(live, found[i]), before = count_in(reference, found[i]);
        if (count == SW_DISPLAY_BINS - 1) {
            rest += now;
            rest_before += before;
            continue;
        }
        sw_bar *bar = add_bar(bars, &count, NAN, NAN);
        bar->label = (sw_str){found[i]->text, found[i]->len};
        bar->live = now;
        bar->reference = before;
    }
    if (rest + rest_before > 0) {
        sw_bar *bar = add_bar(bars, &count, NAN, NAN);
        bar->label = SW_STR("(other)");
        bar->live = rest;
        bar->reference = rest_before;
    }
    return count;
}
