/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: how a model is watched: what its owner may choose, with defaults that need no choice.
 *
 * One JSON object a model (docs/watching.md says the fields), kept by the registry as it came and
 * read into this. Changed settings take effect by loading the live version anew, so whatever serves
 * sees one set of them from begin to end.
 *
 * Memory:  immutable once made, in the arena it was made in.
 * Threads: any.
 * Layer:   watch.
 */
#ifndef SW_WATCH_SETTINGS_H
#define SW_WATCH_SETTINGS_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What may be stored of a column's values. Numbers of bins are always counted, but for DROP. */
typedef enum sw_privacy {
    SW_PRIVACY_KEEP, /* raw values may be stored in the prediction log */
    SW_PRIVACY_MASK, /* only that a value was there */
    SW_PRIVACY_HASH, /* a keyed hash: equal values stay equal, nothing else is told */
    SW_PRIVACY_DROP, /* nothing: neither counted nor stored */
} sw_privacy;

typedef struct sw_column_setting {
    sw_str column; /* feature or output */
    sw_privacy privacy;
} sw_column_setting;

/* What live traffic is compared with. */
typedef enum sw_reference_kind {
    SW_REFERENCE_PROFILE,  /* the version's training profile */
    SW_REFERENCE_WINDOW,   /* a fixed time of this model's own traffic */
    SW_REFERENCE_TRAILING, /* the `reference_minutes` before the window */
} sw_reference_kind;

/* What the labels say, so that quality can be computed. */
typedef enum sw_task_kind {
    SW_TASK_AUTO, /* by the labels and the outputs */
    SW_TASK_BINARY,
    SW_TASK_MULTICLASS,
    SW_TASK_REGRESSION,
    SW_TASK_RANKING,
} sw_task_kind;

enum { SW_SEGMENTS_MAX = 4, SW_SEGMENT_VALUES_MAX = 16 };

typedef struct sw_monitor_settings {
    double false_alarms_per_month; /* for the whole monitor of one version; default 1 */
    double tolerance;              /* PSI of a movement too small to be told of; default 0.02 */
    sw_reference_kind reference;
    int64_t reference_from_ms, reference_to_ms; /* WINDOW */
    uint32_t reference_minutes;                 /* TRAILING; default 10,080 (a week) */
    sw_str segments[SW_SEGMENTS_MAX];           /* features that split the monitor */
    uint32_t segment_count;
    sw_column_setting *columns; /* those that differ from `privacy` */
    uint32_t column_count;
    sw_privacy privacy; /* of all other columns; default KEEP */

    double log_rows_per_s;  /* predictions logged a second, at most; beyond, a uniform sample;
                               0: none. default 100 */
    uint32_t log_days;      /* default 14 */
    uint64_t log_bytes_max; /* on disk; default 1 GiB */

    sw_task_kind task;
    sw_str output;    /* which output is the score or the prediction; empty: found by its shape */
    sw_str positive;  /* BINARY: the label of the positive class; empty: "1" */
    double threshold; /* BINARY: scores from here on are positive; default 0.5 */
} sw_monitor_settings;

void sw_monitor_settings_default(sw_monitor_settings *out);
/* Empty JSON: the defaults. INVALID names the field, what it holds and what it may hold. */
SW_MUST_USE sw_status sw_monitor_settings_from_json(sw_monitor_settings *out, sw_str json,
                                                    sw_arena *arena, sw_error *error);
/* All fields, defaults included. */
void sw_monitor_settings_to_json(sw_buf *out, const sw_monitor_settings *settings);
/* What may be stored of a column. */
sw_privacy sw_monitor_privacy(const sw_monitor_settings *settings, sw_str column);

#endif /* SW_WATCH_SETTINGS_H */
