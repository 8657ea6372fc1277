/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quality: a model's quality over a window, held as counts and sums that add up.
 *
 * Windows, segments and replicas merge by addition and expire by subtraction; what comes out is
 * what one pass over all their rows would give.
 *
 * Exact (to the last bit but one of a double): the confusion matrix and all figures of decisions;
 * log loss, Brier, equal-width ECE and MCE; MAE, MSE, RMSE, MAPE, R2, MSLE, mean error, pinball;
 * all ranking figures; CBPE but for its roc_auc.
 * Binned: roc_auc, from a histogram of scores for each class; of BINARY average_precision and
 * ks_between_classes too. Rows in the same bin count as ties, so roc_auc's error is at most half
 * the share of (positive, negative) pairs that share a bin; that bound is handed out beside it.
 * Bins are 1/64 of an octave of p below 1/2 and of 1 - p above, so rare events' tiny scores keep
 * their order; below 2^-13 and above 1 - 2^-13 lies one bin each.
 * Not here, as they need the rows: ece_10_equal_count, medians, maxima, rank correlation.
 * classification.h and regression.h have them.
 *
 * Workload: one sw_quality for each window, segment and version; 62 KB binary, classes * classes
 *           counts and one histogram a class for multiclass, some hundred bytes else.
 * Memory:  sw_quality_free.
 * Threads: one at a time for each.
 * Layer:   stats.
 */
#ifndef SW_STATS_QUALITY_H
#define SW_STATS_QUALITY_H

#include "base/json.h"
#include "stats/calibration.h"
#include "stats/cbpe.h"
#include "stats/classification.h"
#include "stats/metrics.h"
#include "stats/ranking.h"
#include "stats/regression.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum sw_quality_task {
    SW_QUALITY_BINARY,
    SW_QUALITY_MULTICLASS,
    SW_QUALITY_REGRESSION,
    SW_QUALITY_RANKING,
} sw_quality_task;

/* "binary", "multiclass", "regression", "ranking". */
const char *sw_quality_task_words(sw_quality_task task);
bool sw_quality_task_of(sw_quality_task *out, const char *words);

typedef struct sw_quality sw_quality;

enum { SW_SCORE_OCTAVES = 12, SW_SCORE_BINS = 2 * (SW_SCORE_OCTAVES * 64 + 1) };

/* Rises with the score; scores outside of [0, 1] go to the ends. Not for NaN. */
unsigned sw_quality_score_bin(double score);

/*
 * `classes` is for MULTICLASS (2..SW_CLASSES_MAX), else ignored; `threshold` for BINARY.
 * `histograms` false leaves out roc_auc of MULTICLASS, which is most of its memory.
 */
SW_MUST_USE sw_status sw_quality_make(sw_quality **out, sw_quality_task task, uint32_t classes,
                                      double threshold, bool histograms, sw_error *error);
void sw_quality_free(sw_quality *quality);
/* Empty again, for the next window. */
void sw_quality_reset(sw_quality *quality);

/* One labelled row. Which of them fits is the task's; another is our own bug (asserted). */
void sw_quality_add_binary(sw_quality *quality, double score, bool label);
/* Without a score: BINARY (0 or 1) or MULTICLASS. */
void sw_quality_add_decision(sw_quality *quality, uint32_t decided, uint32_t label);
void sw_quality_add_classes(sw_quality *quality, const double *scores, uint32_t label);
void sw_quality_add_value(sw_quality *quality, double prediction, double label);
/* One whole query; sorts its rows. */
void sw_quality_add_query(sw_quality *quality, sw_ranked *rows, size_t count);
/* BINARY: one prediction, labelled or not, for the estimate without labels. `probability` is the
 * calibrated score (or the score itself). */
void sw_quality_add_estimate(sw_quality *quality, double score, double probability);
/* The same of MULTICLASS; scores outside of [0, 1] are no probabilities and left out. */
void sw_quality_add_class_estimate(sw_quality *quality, const double *scores);

/* Both of the same task, classes, threshold and histograms; of itself it doubles. */
void sw_quality_merge(sw_quality *to, const sw_quality *from);
/* `part` was merged or counted into `from` before. False where digits may have been lost (see
 * sw_sum_subtract): `from` is to be merged anew from its parts. */
bool sw_quality_subtract(sw_quality *from, const sw_quality *part);

/* Labelled rows. */
uint64_t sw_quality_rows(const sw_quality *quality);
/* What the task has of the figures named above, and roc_auc_error_max. */
void sw_quality_metrics(sw_metrics *out, const sw_quality *quality);
enum { SW_QUALITY_NAMES_MAX = 96 };
/* What its figures are called, of all tasks (without histograms of MULTICLASS), each once. */
SW_MUST_USE sw_status sw_quality_names(const char *names[SW_QUALITY_NAMES_MAX], size_t *count,
                                       sw_error *error);
/* CBPE over the rows of add_estimate, roc_auc binned; or of add_class_estimate. */
void sw_quality_estimate(sw_metrics *out, const sw_quality *quality);

/* One JSON object: all that sw_quality_metrics looks at, so that what is read back gives the same
 * figures to the bit. Not what the estimate is of. */
void sw_quality_to_json(sw_json *w, const sw_quality *quality);
/* INVALID where it is not that. */
SW_MUST_USE sw_status sw_quality_from_json(sw_quality **out, sw_str json, sw_arena *arena,
                                           sw_error *error);

#endif /* SW_STATS_QUALITY_H */
