/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor, within: cells of columns, signals on them, and the engine that looks.
 *
 * The engine knows neither clock nor database: it is given the counts of one minute after the other
 * and is a function of those alone. Columns of all rows and of each segment stand in one list, so
 * that one budget of false alarms holds for all of them.
 *
 * Cells of a column: 0 missing; then, numeric: below, up to ten groups of neighbouring bins, above;
 * category: up to ten frequent values, the rest, unseen. Behind them, of a feature in all rows, stands
 * how many rows were refused for the type of its value; such a row is in no other cell.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_MONITOR_PRIVATE_H
#define SW_WATCH_MONITOR_PRIVATE_H

#include "stats/sequential.h"
#include "watch/monitor.h"
#include "watch/watch_private.h"

enum {
    SW_COLUMN_CELLS_MAX = 2 + SW_SEQ_CELLS_MAX,
    SW_COLUMN_SIGNALS = 4, /* distribution, missing, range or unseen, type */
};

typedef struct sw_column_cells {
    bool numeric;
    uint32_t cells;     /* all of them, missing included */
    uint32_t width;     /* the same, and that of refused rows where there is one */
    uint32_t groups;    /* of values within the reference's, that it has counts of */
    uint32_t bin_count; /* of the column as it is counted */
    uint8_t *cell_of;   /* of each bin */
    uint32_t first;     /* the engine's first cell of the column */
    uint64_t reference[SW_COLUMN_CELLS_MAX];
} sw_column_cells;

/*
 * False where memory is out. The reference's counts are those of rows left out one at a time: a row
 * that alone has the least or the greatest value lies outside the others, and so does a category
 * that occurred once (I. Good, "The population frequencies of species", 1953).
 */
bool sw_column_cells_make(sw_column_cells *out, const sw_profile_column *reference);
void sw_column_cells_free(sw_column_cells *cells);
/* Adds the counts of bins to those of cells. */
void sw_column_cells_add(uint32_t *into, const sw_column_cells *cells, const uint64_t *bins);

/* ---- Signals ---- */

typedef struct sw_alarm {
    int64_t at_ms, since_ms;
    uint64_t look;
    double log_evidence, log_threshold;
    uint32_t before[SW_COLUMN_CELLS_MAX]; /* the column's sums where the change began */
    sw_str evidence;                      /* JSON; its own */
} sw_alarm;

typedef struct sw_signal {
    uint32_t column; /* of the engine */
    sw_finding_kind kind;
    const sw_seq_test *test; /* NULL: undefined; may be another signal's */
    bool owns_test;
    uint64_t first;      /* look: starts before it do not count */
    double log_detector; /* as of the last look */
    sw_alarm *alarm;     /* drifted */
} sw_signal;

/* Cells of the test a signal makes of its column's cells. */
uint32_t sw_signal_cells(sw_finding_kind kind, const sw_column_cells *column);
void sw_signal_take(uint64_t *out, sw_finding_kind kind, const sw_column_cells *column,
                    const uint32_t *until, const uint32_t *since);

/* ---- The engine ---- */

typedef struct sw_engine_column {
    sw_str name, segment; /* in the engine's arena */
    bool output;
    sw_column_cells cells;
} sw_engine_column;

typedef struct sw_start {
    uint64_t look;
    int64_t minute;
    uint32_t *sums; /* before the look */
} sw_start;

typedef struct sw_engine {
    sw_arena arena;
    double false_alarms, tolerance, miss, log_limit;
    sw_engine_column *columns;
    size_t column_count, column_cap;
    sw_signal *signals;
    size_t signal_count, running; /* running: those with a test */
    uint32_t cell_count;
    uint32_t *sums; /* of each cell since the first look, wrapping round */
    uint64_t looks;
    int64_t first_minute, last_minute;
    sw_start starts[SW_SEQ_STARTS_MAX];
    size_t start_count;
    double *detectors; /* scratch: one for each signal */
} sw_engine;

/* Rows that one start may count, so that 32 bits are enough. */
#define SW_START_ROWS_MAX (UINT32_C(1) << 31)

void sw_engine_init(sw_engine *engine, const sw_monitor_settings *settings);
void sw_engine_free(sw_engine *engine);
/* False where memory is out. The strings are copied. */
bool sw_engine_add_column(sw_engine *engine, sw_str name, sw_str segment, bool output,
                          const sw_profile_column *reference);
/* Once all columns are added: makes the signals. */
bool sw_engine_ready(sw_engine *engine);

/* Takes over looks, starts and the state of the columns that both have alike. */
bool sw_engine_carry(sw_engine *into, sw_engine *from);

/*
 * One look: `cells` are the minute's counts of every column. False where memory is out; the look
 * then has not happened.
 */
bool sw_engine_look(sw_engine *engine, int64_t minute, const uint32_t *cells);
/* Detectors as of the last look, anew from sums and starts. */
void sw_engine_refresh(sw_engine *engine);

/* The counts of the signal's test since a start, or since `before` of its column. */
uint64_t sw_engine_since(uint64_t *out, const sw_engine *engine, const sw_signal *signal,
                         const uint32_t *before);
/* The youngest start with so many looks and rows of the signal, else the oldest; NULL: none. */
const sw_start *sw_engine_recent(const sw_engine *engine, const sw_signal *signal, uint64_t looks,
                                 uint64_t rows);

/* State in bytes, for the same columns and settings. False from read: damaged, or of others. */
void sw_engine_write(sw_buf *out, const sw_engine *engine);
bool sw_engine_read(sw_engine *engine, sw_str bytes);

/* ---- Evidence ---- */

/* `counts`: since each of the signal's starts, whose numbers are `looks`; `best` says most. */
void sw_finding_evidence_write(sw_buf *out, const sw_engine *engine, const sw_signal *signal,
                               size_t named, double log_threshold, const uint64_t *counts,
                               const uint64_t *looks, const sw_start *const *starts,
                               size_t start_count, size_t best);

#endif /* SW_WATCH_MONITOR_PRIVATE_H */
