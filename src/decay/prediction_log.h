/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prediction_log: what was predicted, for whom, with which inputs: sampled, on disk, in columns.
 *
 * Workload: each loop hands over a sample of its rows (`settings.log_rows_per_s`) by copying them
 * into a queue of its own, which never blocks: a full one drops rows and counts them. One thread
 * splits rows into columns, applies each column's privacy, and appends them to segment files
 * (plog_private.h says the format). Every stored row carries `weight`, one over the
 * probability with which it was kept, so that sums over rows estimate sums over all traffic.
 *
 * Files: DATA/predictions/MODEL/VERSION/…, removed whole by age and by total size. A crash loses at
 * most the last second. A disk that takes nothing stops the log and nothing else; it resumes by
 * itself. What a label was acknowledged for is kept elsewhere (decay.h) and depends on none of it.
 *
 * Columns: each feature, then each output's element ("proba", or "proba[1]" where it has several;
 * at most SW_PLOG_ELEMENTS_MAX an output). A column whose privacy is DROP is not there.
 *
 * Memory:  what reads return lives in the arena passed in.
 * Threads: sw_plog_put on a loop; the rest on any other thread.
 * Layer:   decay.
 */
#ifndef SW_DECAY_PREDICTION_LOG_H
#define SW_DECAY_PREDICTION_LOG_H

#include "model/signature.h"
#include "watch/settings.h"

typedef struct sw_plog sw_plog;               /* all of a data folder */
typedef struct sw_plog_writer sw_plog_writer; /* a loaded version's way in */

enum {
    SW_PLOG_ID_BYTES_MAX = 128, /* rows with a longer id are not logged */
    SW_PLOG_ELEMENTS_MAX = 64,
    SW_PLOG_TEXT_BYTES_MAX = 1024, /* longer values are cut */
};

/* How a column is stored. */
typedef enum sw_plog_type {
    SW_PLOG_F32,
    SW_PLOG_F64,
    SW_PLOG_I64,
    SW_PLOG_TEXT,
    SW_PLOG_HASHED, /* 64 bits of a keyed hash, 0: missing; read as 16 hex digits */
    SW_PLOG_MASKED, /* 1: a value was there, 0: none was */
    SW_PLOG_TYPE_COUNT
} sw_plog_type;

typedef struct sw_plog_column {
    sw_str name;
    sw_plog_type type;
    bool output;
} sw_plog_column;

/* Rows in columns. A column has `numbers` or, for TEXT and HASHED, `texts`. */
typedef struct sw_plog_rows {
    const sw_plog_column *columns;
    uint32_t column_count;
    size_t count;
    int64_t *at_ms;
    sw_str *ids;
    double *weights;
    double **numbers; /* [column][row]; NULL for texts. NaN: missing */
    sw_str **texts;   /* [column][row]; NULL for numbers. Empty: missing */
    sw_str *labels;   /* [row]; empty: none came. NULL but from sw_predictions_read */
} sw_plog_rows;

SW_MUST_USE sw_status sw_plog_open(sw_plog **out, const char *data_dir, uint32_t loops,
                                   sw_error *error);
/* Stores what is queued, then closes. NULL is fine. */
void sw_plog_close(sw_plog *log);

/* A version begins to serve. Settings are copied; several writers of one version at once are fine
 * (while it replaces itself). `*out` is NULL where nothing is to be logged. */
SW_MUST_USE sw_status sw_plog_add(sw_plog_writer **out, sw_plog *log, sw_str model,
                                  uint32_t version, const sw_signature *signature,
                                  const sw_monitor_settings *settings, sw_error *error);
/* After the last put; what was put is stored soon. NULL is fine. */
void sw_plog_remove(sw_plog_writer *writer);

/* How many days rows of a model's versions are kept, and how many bytes of all of them together.
 * Until it is said nothing goes. */
SW_MUST_USE sw_status sw_plog_retain(sw_plog *log, sw_str model, uint32_t days, uint64_t bytes_max,
                                     sw_error *error);

/*
 * On loop number `loop`: logs those of the rows that the sample takes. `inputs` and `outputs` in
 * the signature's order. Row i has the id "ID" where there is one row, else "ID.i" or, where
 * `row_ids` is given and the i-th not empty, that one.
 */
void sw_plog_put(sw_plog_writer *writer, uint32_t loop, sw_str id, const sw_str *row_ids,
                 const sw_tensor *inputs, const sw_tensor *outputs, size_t rows);

/* The same off the loops, for predictions that were made elsewhere; `at_ms` 0: now. */
void sw_plog_put_shared(sw_plog_writer *writer, int64_t at_ms, sw_str id, const sw_str *row_ids,
                        const sw_tensor *inputs, const sw_tensor *outputs, size_t rows);

/* ---- Reading ---- */

/* The last `rows_max` rows, oldest first. None is no failure: count 0, and no columns where there
 * never was one. */
SW_MUST_USE sw_status sw_plog_recent(sw_plog_rows *out, sw_plog *log, sw_str model,
                                     uint32_t version, size_t rows_max, sw_arena *arena,
                                     sw_error *error);

/* Calls `visit` with runs of rows that were predicted within [from_ms, to_ms), oldest run first,
 * until it fails. The rows live until it returns; columns may differ from one call to the next. */
typedef sw_status sw_plog_visit(const sw_plog_rows *rows, void *context, sw_error *error);
SW_MUST_USE sw_status sw_plog_scan(sw_plog *log, sw_str model, uint32_t version, int64_t from_ms,
                                   int64_t to_ms, sw_plog_visit *visit, void *context,
                                   sw_error *error);

/* Makes what was put so far readable, for an export. */
void sw_plog_flush(sw_plog *log);

/* ---- State, for alerts and metrics ---- */

typedef struct sw_plog_status {
    bool stopped;          /* the disk takes nothing */
    int64_t stopped_ms;    /* since when */
    char reason[256];      /* why */
    uint64_t rows_logged;  /* since start */
    uint64_t rows_dropped; /* since start: queue full, id too long, or the disk took nothing */
    uint64_t bytes;        /* on disk */
} sw_plog_status;

/* Of all logs; with `model`, of that model's versions (`bytes` too). */
void sw_plog_status_get(sw_plog_status *out, sw_plog *log, sw_str model);

#endif /* SW_DECAY_PREDICTION_LOG_H */
