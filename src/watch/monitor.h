/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor: says which features have drifted, with at most x false alarms a month.
 *
 * One monitor a version. Each finished minute with rows is a look. Each column has up to four
 * signals: its distribution over at most 12 groups of the reference's bins, its missing share, the
 * share out of range (or unseen), and, of a feature in all rows, the share of rows that were refused
 * for the type of its value (in a reference none is; it counts as a signal from the start, seen or
 * not, as it may raise). Each signal keeps an e-detector (stats/sequential.h) and e-BH names the
 * signals that drifted, so that in T looks the expected number of false alarms is at most
 * T · x / looks of a month, for any number of columns and segments and any dependence between
 * them, where an alarm that names k signals, v of them falsely, counts as v / k. That is while the
 * rows of a stretch come independently from one distribution of the null set; it takes in the
 * reference's own sampling error, but for one reference in a thousand. docs/adr/0010 has the proof.
 *
 * State is a function of the stored minutes: it is read back at start from a stored state of at
 * most an hour ago and the minutes since. Each minute is looked at once, also one of the past that
 * comes up to two days late, so that a clock that steps back changes nothing (by more than an hour:
 * looks go on from there).
 *
 * Threads: all of it from any thread but a loop's. Looks run on a thread of their own.
 * Memory:  a monitor copies what it needs of the profile.
 * Layer:   watch.
 */
#ifndef SW_WATCH_MONITOR_H
#define SW_WATCH_MONITOR_H

#include "stats/sequential.h"
#include "watch/settings.h"
#include "watch/watch.h"

typedef struct sw_monitors sw_monitors;   /* all of them */
typedef struct sw_monitored sw_monitored; /* one version's */

enum {
    SW_MONITOR_ROWS_MIN = 100, /* below: "too few rows" */
    SW_MONITOR_LOOKS_A_MONTH = 43830
};

SW_MUST_USE sw_status sw_monitors_open(sw_monitors **out, sw_watch *watch, sw_error *error);
/* `fn` is called on the monitors' thread after it has looked, holding no lock. Before any version is
 * added. */
void sw_monitors_after_look(sw_monitors *monitors, void (*fn)(void *context), void *context);
/* Ends the thread: before what `fn` works with goes. */
void sw_monitors_stop(sw_monitors *monitors);
/* Before the watch closes. NULL is fine, here and in stop. */
void sw_monitors_close(sw_monitors *monitors);

/*
 * A version begins to serve. Twice at once is fine: the same monitor goes on. Without a profile the
 * monitor says "unwatched".
 */
SW_MUST_USE sw_status sw_monitor_add(sw_monitored **out, sw_monitors *monitors, sw_str model,
                                     uint32_t version, sw_str profile_hash,
                                     const sw_observer *observer, const sw_profile *profile,
                                     const sw_monitor_settings *settings, sw_error *error);
void sw_monitor_remove(sw_monitored *monitored);

/* ---- What it found ---- */

typedef enum sw_finding_kind {
    SW_FINDING_DISTRIBUTION,
    SW_FINDING_MISSING,
    SW_FINDING_RANGE,  /* numeric: outside the reference's minimum and maximum */
    SW_FINDING_UNSEEN, /* category: not among the known values */
    SW_FINDING_TYPE,   /* values that do not parse as the column's kind: in files (compare.h), and
                          named rows that the server refused for one */
} sw_finding_kind;

typedef enum sw_finding_state {
    SW_FINDING_UNDEFINED, /* the reference says nothing to compare with; `reason` says why */
    SW_FINDING_TOO_FEW,
    SW_FINDING_SAME,
    SW_FINDING_DRIFTED,
} sw_finding_state;

const char *sw_finding_kind_text(sw_finding_kind kind);    /* "distribution", … */
const char *sw_finding_state_text(sw_finding_state state); /* "too few rows", … */

typedef struct sw_finding {
    sw_str column;
    bool output;
    sw_str segment; /* "" or "country=DE" */
    sw_finding_kind kind;
    sw_finding_state state;
    sw_str reason;         /* one line of words */
    double evidence_log10; /* of the detector; as of the alarm where drifted */
    double threshold_log10;
    double psi;       /* of the rows since `since_ms`; where not drifted, of the recent ones */
    int64_t since_ms; /* drifted: where the change most likely began; else 0 */
    int64_t alarm_ms; /* drifted: when it was told; else 0 */
    uint64_t rows;    /* those `psi` is of */
    uint32_t cells;   /* that `psi` compares; 0: undefined. Their counts: */
    uint64_t reference[SW_SEQ_CELLS_MAX], live[SW_SEQ_CELLS_MAX];
    /* But for the distribution: of the recent rows (but for `missing` and `type`: of those with a
     * value) so many are missing, out of range, …; drifted or not. */
    uint64_t recent_rows, recent_found;
    double influence; /* mean |change of the prediction|; NaN where not known: */
    sw_str influence_why;
    sw_str evidence; /* drifted: JSON for sw_monitor_recompute, as of the alarm; else "" */
} sw_finding;

/*
 * Whether recent rows as a whole can be told from the reference's (stats/domain_classifier.h): what
 * no column shows alone. It is shown beside the findings, takes no part in alarms and in their
 * stated number, and is looked at anew again and again: a small p alone is no alarm.
 */
enum { SW_MULTIVARIATE_TOP = 5 };
typedef struct sw_multivariate {
    double auc; /* NaN: not known, for the reason in */
    sw_str why;
    double log10_p; /* one-sided */
    size_t rows, reference_rows;
    sw_str reference; /* which rows they are, in words */
    struct {
        sw_str column;
        double share; /* of what the classifier learned */
    } top[SW_MULTIVARIATE_TOP];
    size_t top_count;
    int64_t at_ms; /* 0: never looked at */
} sw_multivariate;

typedef struct sw_drift {
    sw_str model;
    uint32_t version;
    const char *state; /* worst finding's; "unwatched" without a profile */
    double false_alarms_per_month, tolerance;
    int64_t since_ms; /* begin of the first look */
    int64_t last_ms;  /* end of the newest look; 0: none yet */
    uint64_t looks;
    sw_finding *findings; /* drifted first, then by how much they moved */
    size_t count, drifted;
    sw_multivariate multivariate;
} sw_drift;

/*
 * NOT_FOUND where the version is not monitored now. Everything in the arena. `with_evidence`: fills
 * `evidence`. `segment`: "" all rows, "*" everything, else that one.
 */
SW_MUST_USE sw_status sw_monitor_read(sw_drift *out, sw_monitors *monitors, sw_str model,
                                      uint32_t version, sw_str segment, bool with_evidence,
                                      sw_arena *arena, sw_error *error);
/* "at most 1 false alarm a month" */
sw_str sw_monitor_statement(double false_alarms_per_month, sw_arena *arena);

/* What evidence says when computed anew: bit for bit what the finding said. */
typedef struct sw_recomputed {
    double evidence_log10, threshold_log10, psi;
    bool alarm;
    bool agrees; /* with the results that the evidence states */
} sw_recomputed;
SW_MUST_USE sw_status sw_monitor_recompute(sw_recomputed *out, sw_str evidence, sw_arena *arena,
                                           sw_error *error);

/* How much the prediction depends on a drifted column (serve/influence.h finds out); `value` NaN
 * and the reason where it cannot be known. Forgotten once nobody monitors the version. */
void sw_monitor_set_influence(sw_monitors *monitors, sw_str model, uint32_t version, sw_str column,
                              double value, sw_str why);

/* What the classifier says of the version's rows (serve/multivariate.h finds out); it is copied. */
void sw_monitor_set_multivariate(sw_monitors *monitors, sw_str model, uint32_t version,
                                 const sw_multivariate *multivariate);

/* Looks at all minutes that have finished; the thread does so every few seconds. */
void sw_monitors_look(sw_monitors *monitors);

#endif /* SW_WATCH_MONITOR_H */
