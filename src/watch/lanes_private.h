/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanes: how the values of a tensor get into a cell.
 *
 * A lane is one tensor and one way of counting its values; a probe is one column of it. Rows are
 * gathered from the requests of a turn, up to 64 at a time, and counted a probe at a time, so that
 * its keys stay at hand and one row's misses are waited for together with the next one's.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_LANES_PRIVATE_H
#define SW_WATCH_LANES_PRIVATE_H

#include "watch/observe_private.h"

enum { SW_SPAN_ROWS = 64 };

typedef struct sw_probe {
    uint32_t column;  /* of the tensor's row */
    uint32_t first;   /* counter of bin 0; of labels: the table */
    uint32_t last;    /* bin of numbers above the range */
    uint32_t counted; /* which of the observer's columns */
    uint32_t labels;  /* table of a text feature's unseen values, or SW_NO_TABLE */
    bool tails;       /* of scores: kept finer */
    const void *bins; /* sw_keys32, sw_keys64 or sw_catalog */
    double centre;
} sw_probe;

/* Rows of `width` values each; `distinct`: they take part in the estimates of distinct values. */
typedef struct sw_span {
    const void *rows[SW_SPAN_ROWS];
    uint32_t count;
    size_t width;
    bool distinct;
} sw_span;

typedef void sw_lane_fn(const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span);

struct sw_lane {
    sw_lane_fn *count;
    sw_probe *probes;
    uint32_t probe_count, tensor, column_max;
    uint32_t width; /* values in a row; 0: any number */
    sw_dtype dtype;
    size_t pending_bytes; /* of a row that may wait for others; 0: it may not */
    bool output, pooled;  /* pooled: all values of a row are one column */
    const void *summary;  /* of a lane of summaries */
};

/* A feature whose value says which further cell a row belongs to. */
struct sw_splitter {
    uint32_t tensor, width;
    sw_dtype dtype;
    sw_probe probe;
    bool category;
    const uint8_t *cell_of; /* by bin: 0 none, else 1 + the place among this splitter's cells */
    uint32_t first_cell;
};

/* ---- Lanes by what they count (lanes.c) ---- */

sw_lane_fn *sw_lane_of_bins(sw_dtype dtype);
sw_lane_fn *sw_lane_of_scores(sw_dtype dtype); /* features without a reference */
sw_lane_fn sw_lane_numbers;                    /* categories that are numbers */
sw_lane_fn sw_lane_missing;                    /* missing values alone */
sw_lane_fn sw_lane_scores;                     /* outputs */
sw_lane_fn sw_lane_labels;

/* Adds one number to a scores column: bin, moments, distinct values, tail. */
void sw_count_score(sw_cell *cell, uint64_t *random, const sw_probe *probe, double x);
/* The bin of the probe's value in one row. */
uint32_t sw_lane_bin(const sw_splitter *splitter, const void *row);

#endif /* SW_WATCH_LANES_PRIVATE_H */
