/* SPDX-License-Identifier: Apache-2.0 */
/* What labels*.c and quality*.c share. */
#ifndef SW_DECAY_DECAY_PRIVATE_H
#define SW_DECAY_DECAY_PRIVATE_H

#include "decay/decay.h"
#include "decay/plog_private.h"
#include "stats/classification.h"
#include "stats/quality.h"

/* ---- Labels of one model ---- */

typedef struct label_class {
    char *name;
    bool stored;
} label_class;

typedef struct decay_model {
    struct decay_model *next;
    char *name;
    pthread_mutex_t lock;
    label_class *classes; /* names that labels had; a code is an index */
    _Atomic uint32_t class_count;
    int64_t newest_seq;  /* given to a label so far */
    int64_t joined_seq;  /* all up to here have been looked for in the log */
    int64_t saved_seq;   /* the same, in the database */
    uint32_t in_flight;  /* batches between the database and the log */
    _Atomic bool replay; /* some could not be joined: again from joined_seq on */
    _Atomic bool has_labels;
} decay_model;

/* A label as it is stored beside a segment. */
typedef struct placed_label {
    uint64_t hash;
    sw_plog_label label;
    bool joined;
} placed_label;

typedef struct quality_cells quality_cells;     /* quality_cells.h */
typedef struct quality_results quality_results; /* quality.c */
void sw_quality_cells_free(quality_cells *cells);
void sw_quality_results_free(quality_results *results);

struct sw_decay {
    sw_db *db;
    sw_plog *log;
    pthread_mutex_t lock; /* of the list of models */
    decay_model *models;
    pthread_mutex_t quality_lock; /* one computation at a time */
    quality_cells *cells;
    quality_results *results;

    pthread_mutex_t sync_lock;
    struct touched {
        plog_store *store;
        uint64_t segment;
    } touched[256]; /* label files that are not yet synced */
    uint32_t touched_count;

    pthread_t thread;
    pthread_mutex_t sleep_lock;
    pthread_cond_t wake;
    bool running;
    _Atomic bool stopping;
};

/* The same truth, however it is written: 1, 1.0 and true are one number. */
bool sw_label_same(sw_str a, sw_str b);
/* "1.0" → 1, "true" → 1, else a name, whose code is looked up or made. */
SW_MUST_USE sw_status sw_label_place(placed_label *out, decay_model *model, sw_str id, sw_str label,
                                     int64_t at_ms, sw_error *error);
/* The name of a class, or {NULL, 0}. Lives as long as the model. */
sw_str sw_label_class(decay_model *model, uint32_t code);
SW_MUST_USE sw_status sw_decay_model_of(decay_model **out, sw_decay *decay, sw_str name,
                                        sw_error *error);
/* Writes labels beside the segments that have their rows, and says which were found. */
SW_MUST_USE sw_status sw_labels_join(sw_decay *decay, decay_model *model, placed_label *labels,
                                     size_t count, sw_error *error);

/* ---- Quality ---- */

enum { QUALITY_CLASSES_MAX = 100, QUALITY_SAMPLE = 200 };

/* What is compared with the labels, and how: found from settings, outputs and the first labels. */
typedef struct quality_setup {
    sw_task_kind task; /* AUTO: cannot be told yet */
    sw_str output;     /* the scores or the prediction */
    uint32_t width;    /* of the scores; 0: none, decisions alone */
    sw_str decision;   /* an output that names a class, or empty */
    uint32_t classes;
    double threshold;
    double positive;                      /* a number, or (named) a class's code */
    bool named;                           /* labels are names */
    double class_of[QUALITY_CLASSES_MAX]; /* label of each score, as number or code; NaN: unknown */
    char text[256];                       /* all but the classes, to compare */
} quality_setup;

/* One labelled row as the setup reads it. */
typedef struct quality_row {
    double score;         /* BINARY, REGRESSION, RANKING */
    const double *scores; /* MULTICLASS, `classes` of them; NULL: decisions alone */
    uint32_t decided;
    double label; /* BINARY: 0 or 1; MULTICLASS: the class's index */
} quality_row;

/* The columns of one view that a setup needs. */
typedef struct quality_columns {
    const double *scores[QUALITY_CLASSES_MAX];
    const double *decisions;
    const sw_str *names; /* of decisions */
    double row[QUALITY_CLASSES_MAX];
} quality_columns;

SW_MUST_USE sw_status sw_quality_setup_find(quality_setup *out, sw_decay *decay, plog_store *store,
                                            const sw_monitor_settings *settings, sw_arena *arena,
                                            sw_error *error);
/* Whether a column is needed. */
bool sw_quality_wants(const quality_setup *setup, const sw_plog_column *column);
/* False where the view lacks what is needed. */
bool sw_quality_columns_of(quality_columns *out, const quality_setup *setup,
                           const sw_plog_rows *rows);
/* False where the label does not fit the task, or the prediction is missing. */
bool sw_quality_row_of(quality_row *out, quality_columns *columns, const quality_setup *setup,
                       decay_model *model, size_t row, const sw_plog_label *label);
/* A score alone, for the estimate; NaN where there is none. */
double sw_quality_score_of(const quality_columns *columns, const quality_setup *setup, size_t row);
/* All scores of a row, within `columns`; NULL where one is missing or there are none. */
const double *sw_quality_scores_of(quality_columns *columns, const quality_setup *setup,
                                   size_t row);
SW_MUST_USE sw_status sw_quality_sums_make(sw_quality **out, const quality_setup *setup,
                                           sw_error *error);
void sw_quality_sums_add(sw_quality *sums, const quality_setup *setup, const quality_row *row);

/* Counts within metrics of sums are in units. */
void sw_quality_scale_counts(sw_metrics *metrics, double unit);
/* JSON for sw_metric_recompute. */
void sw_quality_sums_write(sw_buf *out, const sw_quality *sums, double unit);

/* Of a segment of the traffic: "country=DE". */
typedef struct quality_filter {
    sw_str column, value; /* empty: all rows */
} quality_filter;
bool sw_quality_passes(const quality_filter *filter, const sw_plog_rows *rows, size_t row);

enum { DECAY_LOOK_MS = 5 * 60 * 1000 };
/* Fills in what the test says, of the trail's plan and baseline. `looks` follow each other, the first
 * being number `first_look` since 1970. The trail's looks go into `arena`. */
SW_MUST_USE sw_status sw_decay_run(sw_decay_evidence *out, const sw_loss_sums *looks, size_t count,
                                   int64_t first_look, int64_t now_ms, sw_arena *arena,
                                   sw_error *error);

/* Fills window and series of the report. */
SW_MUST_USE sw_status sw_quality_windows(sw_quality_report *out, sw_decay *decay,
                                         decay_model *model, plog_store *store,
                                         const quality_setup *setup, const sw_quality_query *query,
                                         sw_arena *arena, sw_error *error);
/* Looks again at what has changed since somebody asked; the keeper's. */
void sw_quality_keep(sw_decay *decay);

/* ---- labels_store.c ---- */

typedef struct stored_label {
    sw_str id, label;
    int64_t at_ms, seq;
} stored_label;
typedef sw_status stored_label_fn(const stored_label *label, void *context, sw_error *error);

/* Also sets each one's seq where it is new or changed. */
SW_MUST_USE sw_status sw_labels_write(sw_label_counts *counts, sw_db *db, decay_model *model,
                                      const sw_label *labels, size_t count, int64_t now_ms,
                                      sw_error *error);
/* Classes, the newest seq, and how far labels were joined. */
SW_MUST_USE sw_status sw_labels_load_model(sw_db *db, decay_model *model, sw_error *error);
SW_MUST_USE sw_status sw_labels_each_model(sw_db *db, void (*visit)(sw_str model, void *context),
                                           void *context, sw_error *error);
/* Up to `limit` labels with a seq above `after`, in its order. */
SW_MUST_USE sw_status sw_labels_read_after(sw_db *db, sw_str model, int64_t after, uint32_t limit,
                                           stored_label_fn *fn, void *context, sw_error *error);
/* Those of these ids that have one. */
SW_MUST_USE sw_status sw_labels_read_ids(sw_db *db, sw_str model, const sw_str *ids, size_t count,
                                         stored_label_fn *fn, void *context, sw_error *error);
SW_MUST_USE sw_status sw_labels_save_joined(sw_db *db, sw_str model, int64_t seq, sw_error *error);
/* At most `limit` of those older than `seq`. */
SW_MUST_USE sw_status sw_labels_expire(int64_t *removed, sw_db *db, sw_str model, int64_t seq,
                                       uint32_t limit, sw_error *error);
/* {NULL, 0} where there is none. */
SW_MUST_USE sw_status sw_baseline_read(sw_str *out, sw_db *db, sw_str model, uint32_t version,
                                       sw_str setup, sw_arena *arena, sw_error *error);
SW_MUST_USE sw_status sw_baseline_write(sw_db *db, sw_str model, uint32_t version, sw_str setup,
                                        sw_str bytes, int64_t now_ms, sw_error *error);

/* Of a time in ms. */
static inline int64_t sw_label_seq(int64_t at_ms) {
    return at_ms * 4096;
}

#endif /* SW_DECAY_DECAY_PRIVATE_H */
