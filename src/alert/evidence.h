/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence: the numbers behind an alert, and the way back from them to its value.
 *
 * {"kind": "latency", "measure": "p99", "value": …, "limit": …, "above": true, "data": {…}}: `data`
 * is what the signal was computed from. The very functions that computed the value when it was
 * measured compute it again from `data` alone; doubles are printed so that they read back to the
 * bit.
 *
 * Threads: any.
 * Layer:   alert.
 */
#ifndef SW_ALERT_EVIDENCE_H
#define SW_ALERT_EVIDENCE_H

#include "alert/rules.h"
#include "base/histogram.h"
#include "stats/sequential.h"

#include <stdbool.h>

/* The counts of some seconds. */
typedef struct sw_evidence_window {
    uint32_t window_s;
    sw_histogram total; /* of all requests, ns */
    uint64_t requests, failures;
    uint64_t usual_requests; /* of the time before, for what is gone */
    uint32_t usual_s;
} sw_evidence_window;

/* NaN where nothing came. `measure` of LATENCY, ERROR_RATE or TRAFFIC. */
double sw_evidence_value(const sw_measure *measure, const sw_evidence_window *window);
void sw_evidence_write_window(sw_json *w, const sw_measure *measure,
                              const sw_evidence_window *window);

typedef struct sw_evidence_share {
    uint64_t part, whole;
} sw_evidence_share;
double sw_evidence_share_value(const sw_evidence_share *share);
void sw_evidence_write_share(sw_json *w, const sw_evidence_share *share);

/* Counts of a column, in the groups that the monitor compares. */
typedef struct sw_evidence_psi {
    uint32_t cells;
    uint64_t reference[SW_SEQ_CELLS_MAX], live[SW_SEQ_CELLS_MAX];
} sw_evidence_psi;
double sw_evidence_psi_value(const sw_evidence_psi *psi);
void sw_evidence_write_psi(sw_json *w, const sw_evidence_psi *psi);

/* What was read, not computed: computing it again is comparing it. */
void sw_evidence_write_reading(sw_json *w, double reading);

/* What an alert that `rule` raised from `signal` is measured in. */
sw_unit sw_evidence_unit(const sw_rule *rule, const sw_signal *signal);
/* All of it, for an alert that `rule` raised from `signal`. */
void sw_evidence_write(sw_buf *out, const sw_rule *rule, const sw_signal *signal);

typedef struct sw_evidence_again {
    double stored, computed;
    bool same;     /* to the last bit */
    bool raised;   /* the computed value is beyond the limit */
    bool possible; /* false: the evidence has no data; alerts of earlier versions alone */
} sw_evidence_again;

/* From the JSON alone. INVALID where it is not what an alert carries. */
SW_MUST_USE sw_status sw_evidence_recompute(sw_evidence_again *out, sw_str evidence_json,
                                            sw_arena *arena, sw_error *error);

#endif /* SW_ALERT_EVIDENCE_H */
