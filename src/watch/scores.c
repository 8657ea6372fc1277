/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observe_private.h"

#include <math.h>

/* Quarters of an octave since 2^octave; only for finite |x| >= 2^octave. */
static uint32_t quarters(double x, int octave) {
    uint64_t bits;
    x = fabs(x);
    memcpy(&bits, &x, sizeof bits);
    return (uint32_t)(bits >> 50) - (uint32_t)(1023 + octave) * 4;
}

static double quarter_edge(uint32_t quarter, int octave) {
    return ldexp(1 + 0.25 * (quarter & 3), octave + (int)(quarter >> 2));
}

uint32_t sw_score_bin(double x) {
    if (x >= 0 && x <= 1) {
        uint32_t unit = (uint32_t)(x * SW_SCORE_UNIT);
        return SW_SCORE_FIRST_UNIT + unit - (unit == SW_SCORE_UNIT);
    }
    if (x >= 0x1p30)
        return SW_SCORE_BINS - 1;
    if (x > 1)
        return SW_SCORE_FIRST_UNIT + SW_SCORE_UNIT + quarters(x, 0);
    if (x > -0x1p-10)
        return SW_SCORE_FIRST_UNIT - 1;
    if (x > -0x1p30)
        return SW_SCORE_FIRST_UNIT - 2 - quarters(x, SW_SCORE_OCTAVE_MIN);
    return x == x ? 1 : SW_BIN_MISSING;
}

void sw_score_edges(double *from, double *to, uint32_t bin) {
    const uint32_t unit = SW_SCORE_FIRST_UNIT, positive = unit + SW_SCORE_UNIT;
    if (bin >= SW_SCORE_BINS - 1) {
        *from = 0x1p30;
        *to = INFINITY;
    } else if (bin >= positive) {
        *from = quarter_edge(bin - positive, 0);
        *to = quarter_edge(bin - positive + 1, 0);
    } else if (bin >= unit) {
        *from = (double)(bin - unit) / SW_SCORE_UNIT;
        *to = (double)(bin - unit + 1) / SW_SCORE_UNIT;
    } else if (bin == unit - 1) {
        *from = -0x1p-10;
        *to = 0;
    } else if (bin > 1) {
        uint32_t quarter = unit - 2 - bin;
        *from = -quarter_edge(quarter + 1, SW_SCORE_OCTAVE_MIN);
        *to = -quarter_edge(quarter, SW_SCORE_OCTAVE_MIN);
    } else {
        *from = -INFINITY;
        *to = -0x1p30;
    }
}

/* ---- Labels ---- */

static sw_label *slot_of(sw_labels *labels, uint64_t hash, sw_str text) {
    for (uint32_t at = (uint32_t)hash;; at++) {
        sw_label *label = &labels->slots[at % SW_LABEL_SLOTS];
        if (label->count == 0 || (label->hash == hash && label->len == text.len &&
                                  memcmp(label->text, text.at, text.len) == 0))
            return label;
    }
}

void sw_labels_add(sw_labels *labels, sw_str text, uint64_t count) {
    if (text.len == 0) {
        labels->missing += count;
        return;
    }
    if (text.len > SW_LABEL_BYTES_MAX) {
        labels->others += count;
        return;
    }
    uint64_t hash = sw_hash_text(text);
    sw_label *label = slot_of(labels, hash, text);
    if (label->count == 0) {
        if (labels->used == SW_LABELS_MAX || count == 0) {
            labels->others += count;
            return;
        }
        labels->used++;
        label->hash = hash;
        label->len = (uint8_t)text.len;
        memcpy(label->text, text.at, text.len);
    }
    label->count += count;
}

void sw_labels_merge(sw_labels *into, const sw_labels *from) {
    into->missing += from->missing;
    into->others += from->others;
    for (size_t i = 0; from->used && i < SW_LABEL_SLOTS; i++)
        if (from->slots[i].count)
            sw_labels_add(into, (sw_str){from->slots[i].text, from->slots[i].len},
                          from->slots[i].count);
}

void sw_labels_clear(sw_labels *labels) {
    if (labels->used)
        memset(labels, 0, sizeof *labels);
    labels->missing = labels->others = 0;
}
