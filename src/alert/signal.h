/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signal: one thing that was measured, at one moment, as the rules see it.
 *
 * Some measurements bring a verdict of their own (the calibrated monitor, the test for decay, a log
 * that stopped): a rule without a threshold takes that. The others need a rule's threshold.
 *
 * Memory:  a row borrows; it lives as long as the arena it was collected into.
 * Threads: any.
 * Layer:   alert.
 */
#ifndef SW_ALERT_SIGNAL_H
#define SW_ALERT_SIGNAL_H

#include "base/json.h"
#include "base/str.h"

#include <stdint.h>

typedef enum sw_signal_kind {
    SW_SIGNAL_DRIFT,      /* of a column's distribution */
    SW_SIGNAL_QUALITY,    /* share of rows missing, out of range, unseen, of the wrong type */
    SW_SIGNAL_DECAY,      /* the version got worse than its own evaluation */
    SW_SIGNAL_METRIC,     /* a realised metric of the labelled predictions */
    SW_SIGNAL_LATENCY,    /* ms */
    SW_SIGNAL_ERROR_RATE, /* share of requests */
    SW_SIGNAL_TRAFFIC,    /* requests a second, or the share of the usual that is gone */
    SW_SIGNAL_COVERAGE,   /* share of predictions that have their label */
    SW_SIGNAL_LOG,        /* the prediction log */
    SW_SIGNAL_DISK,       /* room in the data folder */
    SW_SIGNAL_LAG,        /* of the event loops, ms */
    SW_SIGNAL_KINDS
} sw_signal_kind;

typedef enum sw_unit {
    SW_UNIT_NONE,
    SW_UNIT_MS,
    SW_UNIT_SHARE,
    SW_UNIT_RATE,
    SW_UNIT_BYTES,
    SW_UNIT_PSI,
    SW_UNIT_LOG10, /* of evidence: once in 10^x looks by chance */
    SW_UNITS
} sw_unit;

/* What a kind can be measured by; the first of a kind is its default. */
typedef struct sw_measure {
    sw_signal_kind kind;
    const char *name; /* "p99" */
    sw_unit unit;
    bool windowed;    /* over a rule's `window` */
    bool verdict;     /* brings one of its own */
    const char *says; /* "drifts", "p99 latency": for summaries */
} sw_measure;

extern const sw_measure sw_measures[];
extern const size_t sw_measure_count;

const char *sw_signal_kind_name(sw_signal_kind kind); /* "error_rate" */
const char *sw_unit_name(sw_unit unit); /* "ms", "share", "per_s", "bytes", "psi", "log10", "" */
/* The measure of that name; of an empty name the kind's default. NULL where there is none. */
const sw_measure *sw_measure_find(sw_signal_kind kind, sw_str name);

typedef enum sw_tri { SW_UNKNOWN, SW_NO, SW_YES } sw_tri;

typedef struct sw_signal sw_signal;
struct sw_signal {
    const sw_measure *measure;
    sw_str model;      /* empty: of the server */
    uint32_t version;  /* 0: of the model or the server */
    sw_str segment;    /* "country=DE" or empty */
    sw_str column;     /* or a metric's name; or empty */
    uint32_t window_s; /* what a windowed measure was taken over */
    double value;      /* in the measure's unit; NaN: undefined */
    sw_tri verdict;
    double strength, strength_limit; /* of the verdict: log10 of the evidence, as a rule */
    /* Writes one JSON object: all numbers that `value` (or `strength`) came from. NULL: none. */
    void (*write_evidence)(sw_json *w, const sw_signal *signal);
    void (*write_value)(sw_json *w, const sw_signal *signal); /* where `value` came from others */
    const void *data;                                         /* for both */
};

#endif /* SW_ALERT_SIGNAL_H */
