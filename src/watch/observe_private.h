/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe, within: how an observer's counters lie, and the bins of outputs.
 *
 * All counters of a version stand in one array: a run for each feature, then one for each watched
 * column of an output. Outputs have no reference at hand, so their bins are the same for every
 * model: scores get 20 equal ones on [0, 1] and four to the octave elsewhere (found from the
 * leading bits of the number); labels, whole numbers or strings, get a small table of values
 * instead of bins.
 *
 * Layer: domain.
 */
#ifndef SW_WATCH_OBSERVE_PRIVATE_H
#define SW_WATCH_OBSERVE_PRIVATE_H

#include "watch/bins_private.h"
#include "watch/observe.h"

/* ---- Scores ---- */

enum {
    SW_SCORE_OCTAVE_MIN = -10, /* of negative numbers: the bin next to 0 ends at -2^-10 */
    SW_SCORE_OCTAVE_MAX = 30,  /* 2^30 and beyond share a bin */
    SW_SCORE_NEGATIVE = (SW_SCORE_OCTAVE_MAX - SW_SCORE_OCTAVE_MIN) * 4,
    SW_SCORE_UNIT = 20, /* bins on [0, 1] */
    SW_SCORE_POSITIVE = SW_SCORE_OCTAVE_MAX * 4,
    /* missing, far below, negative octaves, just below 0, [0, 1], positive octaves, far above */
    SW_SCORE_FIRST_UNIT = 3 + SW_SCORE_NEGATIVE,
    SW_SCORE_BINS = SW_SCORE_FIRST_UNIT + SW_SCORE_UNIT + SW_SCORE_POSITIVE + 1,
    SW_OUTPUT_COLUMNS_MAX = 64, /* a wider output is counted as one column of all its values, */
    SW_OUTPUT_POOLED_MAX = 1024 /* or the first so many of each row */
};

/* Bins grow with the number; 0 is for NaN. */
uint32_t sw_score_bin(double x);
/* From where to where; infinite at both ends. For bins from 1. */
void sw_score_edges(double *from, double *to, uint32_t bin);

/* ---- Labels ---- */

enum { SW_LABELS_MAX = 64, SW_LABEL_SLOTS = 128, SW_LABEL_BYTES_MAX = 39 };

typedef struct sw_label {
    uint64_t hash;
    int64_t number; /* where the output holds numbers */
    uint64_t count; /* 0: the slot is empty */
    uint8_t len;
    char text[SW_LABEL_BYTES_MAX];
} sw_label;

/* How often each value occurred: the first 64 different ones; the rest are `others`. */
typedef struct sw_labels {
    uint64_t missing, others;
    uint32_t used;
    sw_label slots[SW_LABEL_SLOTS];
} sw_labels;

void sw_labels_add(sw_labels *labels, sw_str text, uint64_t count);
void sw_labels_merge(sw_labels *into, const sw_labels *from);
void sw_labels_clear(sw_labels *labels);

/* ---- Columns ---- */

typedef enum sw_counted_kind {
    SW_COUNTED_FEATURE,
    SW_COUNTED_SCORES,
    SW_COUNTED_LABELS
} sw_counted_kind;

typedef struct sw_counted {
    sw_counted_kind kind;
    sw_str name;
    uint32_t first, bins; /* counters; of labels: none */
    uint32_t labels;      /* which table, where kind is LABELS */
} sw_counted;

typedef struct sw_lane sw_lane;

struct sw_observer {
    sw_arena arena;
    sw_counted *columns; /* features in the signature's order, then outputs */
    uint32_t column_count, feature_count, counter_count, label_count;
    sw_lane *lanes; /* one for each tensor and way of counting */
    uint32_t lane_count;
};

struct sw_shard {
    const sw_observer *observer;
    uint64_t rows;
    sw_labels *labels;
    uint32_t counts[];
};

#endif /* SW_WATCH_OBSERVE_PRIVATE_H */
