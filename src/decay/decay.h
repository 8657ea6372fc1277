/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decay: is a version still as good as it was? Labels joined to logged predictions.
 *
 * A label is the truth about one prediction, known by its id; it may come before the prediction is
 * logged or weeks later. It is acknowledged once it is durable (a row of the database), and counted
 * as soon as its prediction is in the log. Quality is computed over windows of the time of
 * *prediction*, from the rows that have both; a late label changes its window, and only that window
 * is computed anew.
 *
 * Memory:  results live in the arena passed in.
 * Threads: any but a loop's.
 * Layer:   decay. SQL is in labels_store.c.
 */
#ifndef SW_DECAY_DECAY_H
#define SW_DECAY_DECAY_H

#include "base/json.h"
#include "decay/prediction_log.h"
#include "stats/decay_test.h"
#include "stats/metrics.h"
#include "store/db.h"

typedef struct sw_decay sw_decay;

enum {
    SW_LABEL_BYTES_MAX = 256,
    SW_LABELS_BATCH_MAX = 5000,
    SW_QUALITY_STEPS_MAX = 500,
    SW_BASELINE_ROWS = 1000, /* the first that were labelled: what decay is measured against */
};

/* `log` and `db` must outlive it. */
SW_MUST_USE sw_status sw_decay_open(sw_decay **out, sw_db *db, sw_plog *log, sw_error *error);
void sw_decay_close(sw_decay *decay);

/* ---- Labels ---- */

typedef struct sw_label {
    sw_str id;
    sw_str label;  /* a number, or a class's name */
    int64_t at_ms; /* when the truth was known; 0: now */
} sw_label;

typedef struct sw_label_counts {
    uint64_t accepted;   /* durable now (duplicates included) */
    uint64_t joined;     /* their prediction is in the log */
    uint64_t waiting;    /* it is not: not yet, or it was not in the sample */
    uint64_t duplicates; /* the same label was there already */
    uint64_t changed;    /* another one was: the last wins */
} sw_label_counts;

/* Durable when it returns OK, all or none; at most SW_LABELS_BATCH_MAX at once. Adds to `counts`.
 * INVALID names the first bad one. */
SW_MUST_USE sw_status sw_decay_add_labels(sw_label_counts *counts, sw_decay *decay, sw_str model,
                                          const sw_label *labels, size_t count, sw_error *error);

/* Like sw_plog_scan, with labels, until `*left` is 0. */
SW_MUST_USE sw_status sw_predictions_read(sw_decay *decay, sw_str model, uint32_t version,
                                          int64_t from_ms, int64_t to_ms, const uint64_t *left,
                                          sw_plog_visit *visit, void *context, sw_error *error);

/* ---- Quality ---- */

/* "too few labels", "same", "decayed", "undefined" */
const char *sw_decay_state_words(sw_decay_state state);

/* Of one stretch of time. */
typedef struct sw_quality_window {
    int64_t from_ms, to_ms;
    double rows;     /* predictions, estimated from the sample: the sum of weights */
    uint64_t logged; /* rows in the log */
    uint64_t labelled;
    double coverage;             /* labelled / logged; NaN where nothing was logged */
    double lag_p50_s, lag_p90_s; /* from prediction to label; NaN where there is none */
    sw_metrics metrics;   /* of rows with a label, weighted; none where there is no task yet */
    sw_str sums;          /* JSON that `metrics` can be computed from; empty if not asked for */
    sw_metrics estimated; /* without labels (CBPE): of classes, where there are scores */
} sw_quality_window;

/* What a test's evidence came from: it is started, put to where it stood, and takes these looks. */
enum { SW_DECAY_LOOKS_KEPT = 512 };
typedef struct sw_decay_trail {
    sw_decay_plan plan;
    sw_loss_sums baseline;
    sw_decay_test before; /* the first of them; as it started but for a long trail */
    sw_loss_sums *looks;  /* those with rows since the last restart, or those that were kept */
    size_t count;         /* at most SW_DECAY_LOOKS_KEPT */
} sw_decay_trail;

typedef struct sw_decay_evidence {
    sw_decay_state state;
    const char *loss; /* what is tested, the less the better: "error rate", "absolute error"
                              (in units of `scale`, at most one), "1 - ndcg" */
    double scale;
    /* DECAYED: `now`, the evidence and its trail are as of the last alarm */
    double baseline, now; /* its mean: at first, and since the last restart */
    uint64_t baseline_rows, rows;
    double evidence_log10, threshold_log10;
    sw_decay_trail trail;
    double false_alarms_per_month;
    int64_t since_ms; /* when it was found; 0: it was not */
    char why[192];
} sw_decay_evidence;

typedef struct sw_quality_report {
    sw_task_kind task;        /* AUTO: nothing is known yet */
    sw_quality_window window; /* the whole time asked for */
    sw_decay_evidence decay;
    sw_quality_window *series; /* oldest first */
    size_t series_count;
} sw_quality_report;

typedef struct sw_quality_query {
    sw_str model;
    uint32_t version;
    const sw_monitor_settings *settings; /* NULL: defaults */
    int64_t from_ms, to_ms;
    uint32_t step_minutes; /* at most SW_QUALITY_STEPS_MAX steps; 0: no series. The window begins at
                              a whole multiple of it (0: of 5 minutes, or more) */
    sw_str segment;        /* "country=DE", or empty: all */
    bool with_sums;        /* the whole window's metrics are of its sums, never of the rows */
} sw_quality_query;

SW_MUST_USE sw_status sw_quality_read(sw_quality_report *out, sw_decay *decay,
                                      const sw_quality_query *query, sw_arena *arena,
                                      sw_error *error);

/* ---- Evidence ---- */

/* One JSON object, of at most 64 KB, for: */
void sw_decay_evidence_write(sw_json *w, const sw_decay_evidence *evidence);

typedef struct sw_decay_again {
    double evidence_log10, threshold_log10;
    bool alarm;  /* at the last look */
    bool agrees; /* with what the evidence states, to the bit */
} sw_decay_again;
SW_MUST_USE sw_status sw_decay_recompute(sw_decay_again *out, sw_str json, sw_arena *arena,
                                         sw_error *error);

/* The metric of that name from a window with sums; the other way round NaN where there is none. */
void sw_metric_evidence_write(sw_json *w, const sw_quality_window *window, const char *metric);
SW_MUST_USE sw_status sw_metric_recompute(double *out, sw_str json, sw_arena *arena,
                                          sw_error *error);

#endif /* SW_DECAY_DECAY_H */
