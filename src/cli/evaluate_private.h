/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evaluate: from the columns of a file to figures, for the files of `slipway evaluate`.
 *
 *     plan (what the command line says) → sample (rows as arrays) → result (figures) → print
 *
 * Memory:  a sample lives in the arena it was made in; a result holds its own tables until
 *          sw_eval_result_free.
 * Threads: the main thread.
 * Layer:   cli.
 */
#ifndef SW_CLI_EVALUATE_PRIVATE_H
#define SW_CLI_EVALUATE_PRIVATE_H

#include "cli/input_private.h"
#include "data/frame.h"
#include "stats/calibration.h"
#include "stats/classification.h"
#include "stats/metrics.h"
#include "stats/quality.h"

#include <stdio.h>

enum { SW_EVAL_SCORES_MAX = 64, SW_EVAL_SEGMENTS_MAX = 1000 };

typedef struct sw_eval_score {
    sw_str of; /* the class it is of; empty: by its place among the classes */
    sw_str column;
} sw_eval_score;

typedef struct sw_eval_plan {
    sw_cli_input file, baseline; /* baseline: zeroed where there is none */
    bool task_given;
    sw_quality_task task;
    sw_str label, pred, query, segment; /* label: the gain, in ranking */
    sw_eval_score scores[SW_EVAL_SCORES_MAX];
    uint32_t score_count;
    sw_str positive;
    double threshold;
} sw_eval_plan;

/* A class by its word; numbers are written the same way wherever they come from. */
typedef struct sw_eval_class {
    sw_str word;
    double number; /* NaN where the word is none */
} sw_eval_class;

typedef struct sw_eval_classes {
    sw_eval_class at[SW_CLASSES_MAX];
    uint32_t count;
    bool numeric; /* all are numbers, rising */
} sw_eval_classes;

/* Rows that have all they need, as arrays; of those arrays only the task's are there. */
typedef struct sw_eval_sample {
    uint64_t rows; /* of the file */
    size_t used;
    uint64_t missing_label, missing_score, missing_query; /* the first that a row lacks counts */
    double *scores;                                       /* score_count to a row */
    uint32_t score_count;
    uint32_t *labels;  /* classes */
    uint32_t *decided; /* classes, from --pred */
    double *values;    /* labels of regression, gains of ranking */
    uint32_t *queries;
    uint32_t *segments; /* index into segment_words; SW_TEXT_MISSING where it is not there */
    sw_str *segment_words;
    uint32_t segment_count;
    double *estimable; /* BINARY, MULTICLASS: scores of all rows that have them, labelled or not */
    size_t estimable_count;
    uint64_t outside_row; /* BINARY, MULTICLASS: first with a score outside of [0, 1], from 1; 0 */
    double outside_score;
} sw_eval_sample;

/* How a number is written as a class; what number a word is (NaN: none). */
sw_str sw_eval_word_of(double number, sw_arena *arena);
double sw_eval_number_of(sw_str word);

/* Settles the task where it was not given, and the classes, from both files. `baseline` may be
 * NULL. */
SW_MUST_USE sw_status sw_eval_classes_find(sw_eval_classes *out, sw_eval_plan *plan,
                                           const sw_frame *frame, const sw_frame *baseline,
                                           sw_arena *arena, sw_error *error);
SW_MUST_USE sw_status sw_eval_sample_take(sw_eval_sample *out, const sw_eval_plan *plan,
                                          const sw_eval_classes *classes, const char *file,
                                          const sw_frame *frame, sw_arena *arena, sw_error *error);

/* The figures of some rows. */
typedef struct sw_eval_result {
    uint64_t rows;
    sw_metrics metrics;
    uint64_t *matrix;            /* classes * classes, rows being labels; NULL without classes */
    sw_class_figures *per_class; /* MULTICLASS */
    bool has_reliability;
    sw_reliability reliability;
    bool has_estimate;
    sw_metrics estimate; /* CBPE, scores taken as they are; of rows without labels, too */
} sw_eval_result;

/* Of the rows of `segment` (an index), or of all where it is SW_EVAL_ALL. */
enum { SW_EVAL_ALL = UINT32_MAX - 1 };
SW_MUST_USE sw_status sw_eval_measure(sw_eval_result *out, const sw_eval_plan *plan,
                                      const sw_eval_classes *classes, const sw_eval_sample *sample,
                                      uint32_t segment, sw_error *error);
void sw_eval_result_free(sw_eval_result *result);

/* CBPE of `sample`, calibrated on the labelled rows of `baseline` where that helps. */
SW_MUST_USE sw_status sw_eval_estimate(sw_metrics *out, bool *calibrated, const sw_eval_plan *plan,
                                       const sw_eval_sample *sample, const sw_eval_sample *baseline,
                                       sw_error *error);

/* All that there is to print. */
typedef struct sw_eval_segment {
    sw_str word; /* at NULL: rows whose segment is missing */
    sw_eval_result result;
} sw_eval_segment;

typedef struct sw_eval_report {
    const sw_eval_plan *plan;
    const sw_eval_classes *classes;
    sw_eval_sample sample, baseline_sample;
    sw_eval_result result, baseline; /* baseline: zeroed where the plan has none */
    bool has_estimate, calibrated;   /* against the baseline's labels */
    sw_metrics estimate;
    sw_eval_segment *segments; /* most rows first */
    uint32_t segment_count;
} sw_eval_report;

void sw_eval_print_json(sw_buf *out, const sw_eval_report *report);
void sw_eval_print_text(FILE *out, const sw_eval_report *report);

#endif /* SW_CLI_EVALUATE_PRIVATE_H */
