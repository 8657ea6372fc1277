/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare: has a table drifted from another? Column by column, with a stated rate of false alarms.
 *
 * Workload: files of up to thousands of columns and millions of rows, handed over in groups of
 * columns. A column is copied, sorted and let go; what stays of it are its figures and 20 bins.
 *
 * Our own way tests several signals of a column, each a true two-sample test that holds for any
 * sizes and any ties:
 *   distribution  numbers: Kolmogorov–Smirnov, exact with ties; with at most 10 distinct values and
 *                 for categories: chi-square of homogeneity with rare categories pooled, Fisher's
 *                 exact test where little is left
 *   missing       the shares of missing values
 *   range         numbers beyond the reference's least and greatest value: how likely the outermost
 *                 pooled values all fall to one side
 *   unseen        rows in categories that the reference has not: a Chernoff bound over categories
 *   type          values that are no numbers, in a column that holds numbers on the other side
 * Over all signals of all columns, Benjamini and Hochberg keep the share of false alarms among the
 * alarms at alpha; where nothing has moved, the chance of any alarm. A signal has drifted where its
 * corrected p-value is at most alpha AND it is large enough to matter: its PSI (over up to ten bins
 * of the pooled values, or of the two shares) reaches the tolerance.
 *
 * `evidently` is Evidently's way instead, number for number (stats/compat_evidently.h).
 *
 * What cannot be told (no value on a side, one value throughout, fewer than 5 rows, only rare
 * categories) is undefined, with a reason: never "no drift".
 *
 * Memory:  all of a comparison is in the arena it was begun with.
 * Threads: one at a time for each comparison.
 * Layer:   watch.
 */
#ifndef SW_WATCH_COMPARE_H
#define SW_WATCH_COMPARE_H

#include "base/json.h"
#include "data/frame.h"
#include "watch/monitor.h"

#include <stdbool.h>

enum { SW_COMPARE_BINS_MAX = 20, SW_COMPARE_ROWS_MIN = 5 };

typedef struct sw_compare_options {
    bool evidently;
    const char *test; /* NULL: chosen by the column (sw_compare_knows says which there are) */
    double alpha;     /* not for Evidently's way */
    double tolerance; /* the same; PSI */
    const sw_str *categories; /* number columns to compare as categories */
    size_t category_count;
    const sw_str *texts; /* columns of free text: by a classifier that tells the sides apart */
    size_t text_count;
} sw_compare_options;
/* Our own way at 5 % and a PSI of 0.02: what a mean shifted by an eighth of a standard deviation
 * has. */
void sw_compare_defaults(sw_compare_options *out);
/* Whether `test` is one; `known` lists all names. */
bool sw_compare_knows(const sw_compare_options *options, const char *test, const char **known);

enum { SW_FINDING_KINDS = SW_FINDING_TYPE + 1 };

/* p NaN: not tested. Shares are of the rows: missing, out of range, … */
typedef struct sw_compared_signal {
    const char *test;
    double statistic, p, adjusted;
    double effect; /* PSI */
    double reference_share, current_share;
    bool drift;
} sw_compared_signal;

typedef enum sw_compared_kind {
    SW_COMPARED_NUMBER,
    SW_COMPARED_CATEGORY,
    SW_COMPARED_TEXT
} sw_compared_kind;

typedef struct sw_compared_bin {
    double from, to; /* numbers; the outer ones are open */
    sw_str label;    /* categories */
    double reference_share, current_share;
} sw_compared_bin;

typedef struct sw_compared {
    sw_str name;
    sw_compared_kind kind;
    const char *test;
    double score; /* ours: the corrected p-value; Evidently's: a p-value or a distance; or NaN */
    double threshold; /* NaN where there was no test */
    bool defined, drift;
    const char *reason; /* why undefined; else NULL or a remark */
    sw_compared_signal signals[SW_FINDING_KINDS];
    double psi, jensen_shannon, hellinger, wasserstein_normed; /* NaN where there is none */
    double median[2];                                          /* reference, current */
    uint64_t rows[2], missing[2];
    sw_compared_bin *bins;
    size_t bin_count;
} sw_compared;

typedef struct sw_comparison {
    sw_compare_options options;
    sw_arena *arena;
    sw_compared *columns; /* in the reference's order */
    size_t column_count, column_room;
    sw_str *added; /* columns that only the current data has */
    size_t added_count;
    /* by sw_compare_end */
    size_t drifted, defined;
    bool dataset_drift;
    double share; /* of defined columns; NaN where there is none */
} sw_comparison;

/* `options` and `arena` must live as long as the comparison. */
void sw_compare_begin(sw_comparison *out, const sw_compare_options *options, sw_arena *arena);
/* One column. `current` NULL: it is gone. Any two columns are fine. */
SW_MUST_USE sw_status sw_compare_column(sw_comparison *comparison, const sw_column *reference,
                                        uint64_t reference_rows, const sw_column *current,
                                        uint64_t current_rows, sw_error *error);
SW_MUST_USE sw_status sw_compare_added(sw_comparison *comparison, sw_str column, sw_error *error);
/* Corrects over all columns and decides. */
SW_MUST_USE sw_status sw_compare_end(sw_comparison *comparison, sw_error *error);

/* Appends the members of {"columns", "dataset_drift", "share", …} to an open object;
 * docs/drift.md says the fields. */
void sw_compare_to_json(sw_json *w, const sw_comparison *comparison);

#endif /* SW_WATCH_COMPARE_H */
