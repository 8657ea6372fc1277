/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe, within: how an observer's counters lie, and the bins of scores.
 *
 * A cell is one set of counters: all rows have one, and so has each value of a segment. Its bins
 * stand in one array: a run for each feature, then one for each watched column of an output, then
 * one for each summary. Outputs and summaries have no quantiles at hand, so their bins are the same
 * for every model: 20 equal ones on [0, 1] and four to the octave elsewhere (found from the leading
 * bits of the number); labels, whole numbers or strings, get a small table of values instead of
 * bins. Features of a version without a profile are counted as outputs are.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_OBSERVE_PRIVATE_H
#define SW_WATCH_OBSERVE_PRIVATE_H

#include "watch/bins_private.h"
#include "watch/distinct_private.h"
#include "watch/observe.h"
#include "watch/tails_private.h"

/* ---- Scores ---- */

enum {
    SW_SCORE_OCTAVE_MIN = -10, /* of negative numbers: the bin next to 0 ends at -2^-10 */
    SW_SCORE_OCTAVE_MAX = 30,  /* 2^30 and beyond share a bin */
    SW_SCORE_NEGATIVE = (SW_SCORE_OCTAVE_MAX - SW_SCORE_OCTAVE_MIN) * 4,
    SW_SCORE_UNIT = 20, /* bins on [0, 1] */
    SW_SCORE_POSITIVE = SW_SCORE_OCTAVE_MAX * 4,
    SW_SCORE_FIRST_UNIT = 3 + SW_SCORE_NEGATIVE,
    /* missing, far below, negative octaves, just below 0, [0, 1], positive octaves, far above */
    SW_SCORE_BINS = SW_SCORE_FIRST_UNIT + SW_SCORE_UNIT + SW_SCORE_POSITIVE + 1,
    SW_OUTPUT_COLUMNS_MAX = 64, /* a wider output is counted as one column of all its values, */
    SW_OUTPUT_POOLED_MAX = 1024 /* or the first so many of each row */
};

/* Bins grow with the number; 0 is for NaN. Without a branch: neither side of 0 or 1 is the rule. */
static inline uint32_t sw_score_bin(double x) {
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    /* Quarters of an octave from 2^0 on, of |x|. */
    int32_t quarter = (int32_t)(bits >> 50 & 0x1FFF) - 1023 * 4;
    int32_t up = quarter < SW_SCORE_POSITIVE ? quarter : SW_SCORE_POSITIVE;
    int32_t down = quarter < SW_SCORE_OCTAVE_MIN * 4 ? -1 : up - SW_SCORE_OCTAVE_MIN * 4;
    double within = x < 1 ? x : 1;
    int32_t unit = (int32_t)((within > 0 ? within : 0) * SW_SCORE_UNIT);
    int32_t bin = unit - (unit == SW_SCORE_UNIT);
    bin = x > 1 ? SW_SCORE_UNIT + up : bin;
    bin = x < 0 ? -2 - down : bin;
    return x == x ? (uint32_t)(SW_SCORE_FIRST_UNIT + bin) : SW_BIN_MISSING;
}

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

/*
 * How often values occurred. Up to 64 different ones: exactly. Beyond, the frequent ones: a value
 * that finds no room takes one from each count (J. Misra and D. Gries, "Finding repeated elements",
 * 1982), and what was taken goes to `others`, so that all counts always add up to all values. A
 * count is then too low, by at most others / 65; a value that came more often than that is there.
 * Tables merge with the same bound (P. Agarwal and others, "Mergeable summaries", 2012).
 */
typedef struct sw_labels {
    uint64_t missing, others;
    uint32_t used;
    sw_label slots[SW_LABEL_SLOTS];
} sw_labels;

void sw_labels_add(sw_labels *labels, sw_str text, uint64_t count);
/* As sw_labels_add of its digits (or "true" and "false"), found by the number. */
void sw_labels_add_number(sw_labels *labels, sw_dtype dtype, int64_t number);
void sw_labels_merge(sw_labels *into, const sw_labels *from);
/* Takes off what had been merged into it, where neither has let values go (others = 0). */
void sw_labels_subtract(sw_labels *into, const sw_labels *from);
void sw_labels_clear(sw_labels *labels);
/* For qsort of pointers to labels: the most frequent first, those as frequent by their text. */
int sw_labels_by_count(const void *left, const void *right);

/* ---- Moments ---- */

/*
 * Of finite values, about a centre that is the reference's mean (0 without one), so that the squares
 * keep their digits. Sums of float32 values are exact as long as value, centre and sum fit into the
 * 53 bits of a double.
 */
typedef struct sw_moments {
    uint64_t count;
    double sum, squares; /* of x - centre */
    double min, max;     /* where count > 0 */
} sw_moments;

/* The same in a cell: how many they are follows from the bins. min > max: none yet. */
typedef struct sw_sums {
    double min, max, sum, squares;
    uint64_t infinite; /* values that are in a bin and not in the sums */
} sw_sums;

void sw_sums_clear(sw_sums *sums);
void sw_moments_merge(sw_moments *into, const sw_moments *from);

/* ---- Columns ---- */

enum {
    SW_NO_TABLE = UINT32_MAX,
    SW_DISTINCT_COLUMNS_MAX = 1024, /* a wider model's distinct values are not estimated */
    SW_DISTINCT_ROWS = 4096,        /* between two merges; of more, one in SW_DISTINCT_ONE_IN */
    SW_DISTINCT_ONE_IN = 8,         /* spans of rows is looked at */
    SW_UNPROFILED_BINS_MAX = 1024,  /* nor are its features binned without a profile */
    SW_FEATURE_TABLES_MAX = 64,     /* text features that have a table for unseen values */
    SW_SEGMENT_CELLS_MAX = 4 * (SW_SEGMENT_VALUES_MAX + 1),
    SW_SEGMENT_COUNTERS_MAX = 8 << 20, /* of all cells of a shard; further segments are left out */
};

typedef enum sw_counted_kind {
    SW_COUNTED_FEATURE, /* by the bins of its profile column */
    SW_COUNTED_SCORES,
    SW_COUNTED_LABELS,
    SW_COUNTED_MISSING, /* missing values alone */
} sw_counted_kind;

typedef struct sw_counted {
    sw_counted_kind kind;
    sw_str name;
    uint32_t first, bins; /* counters; of labels: none */
    uint32_t labels;      /* its table, or SW_NO_TABLE. Of a feature: of its unseen values */
    double centre;        /* of its moments */
    bool feature;         /* one of the signature's */
    bool number;          /* has moments */
    bool dropped;         /* by the settings: never counted */
    bool summarised;      /* not counted: its input's summaries are */
    bool hidden;          /* by the settings: unseen values are not kept */
} sw_counted;

typedef struct sw_lane sw_lane;
typedef struct sw_splitter sw_splitter;

struct sw_observer {
    sw_arena arena;
    sw_counted *columns; /* features in the signature's order, then outputs, then summaries */
    uint32_t column_count, feature_count, counter_count;
    uint32_t label_count, output_label_count; /* tables of outputs come first */
    bool distinct;                            /* distinct values are estimated */
    sw_lane *lanes;                           /* one for each tensor and way of counting */
    uint32_t lane_count;
    sw_splitter *splitters; /* one for each feature of the settings' segments */
    uint32_t splitter_count, segment_count;
    sw_str *segments; /* names of cells 1 …: "country=DE" */
};

/* What one loop has counted since the last merge, of all rows or of a segment's. */
typedef struct sw_cell {
    uint64_t rows;
    uint32_t *counts;
    sw_labels *labels;
    sw_sums *sums;         /* one for each column */
    sw_distinct *distinct; /* one for each column; NULL: none */
    sw_tail_sample *tails; /* of features, and of outputs; NULL: none */
} sw_cell;

/* Rows that came alone, copied until there are enough of them to be counted together. */
typedef struct sw_pending {
    char *rows; /* SW_PENDING_ROWS; NULL: this lane's rows are counted at once */
    uint32_t count;
} sw_pending;

enum { SW_PENDING_ROWS = 32, SW_PENDING_ROW_BYTES_MAX = 2048 };

struct sw_shard {
    const sw_observer *observer;
    uint64_t random;     /* state of the sampling */
    sw_pending *pending; /* one for each lane */
    uint32_t pending_count;
    uint64_t *mismatches; /* refused rows, one for each feature; of all rows alone, as what segment
                             a refused one was of is not known */
    bool mismatched;      /* any */
    uint32_t cell_count;
    sw_cell cells[]; /* [0]: all rows */
};

/* Whether there is anything to take from a cell. */
static inline bool sw_shard_has(const sw_shard *shard, uint32_t cell) {
    return shard->cells[cell].rows > 0 || (cell == 0 && shard->mismatched);
}

/* Counts what is pending; before anything is read from a cell. */
void sw_shard_settle(sw_shard *shard);

#endif /* SW_WATCH_OBSERVE_PRIVATE_H */
