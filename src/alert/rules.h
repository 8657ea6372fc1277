/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules: what is worth an alert, who is told and how: read from YAML.
 *
 * docs/alerts.md says the format. Built-in rules (sw_rules_default_yaml) are read by the same
 * reader and stand behind the user's, unless `defaults: false`; a rule of the same name replaces a
 * built-in one.
 *
 * Memory:  immutable once read; all in the arena passed in.
 * Threads: any.
 * Layer:   alert. YAML is read by libyaml.
 */
#ifndef SW_ALERT_RULES_H
#define SW_ALERT_RULES_H

#include "alert/action.h"
#include "alert/signal.h"

enum { SW_RULES_MAX = 1000, SW_NOTIFIERS_MAX = 64, SW_RULES_BYTES_MAX = 256 << 10 };

typedef enum sw_severity { SW_INFO, SW_WARNING, SW_CRITICAL } sw_severity;
const char *sw_severity_name(sw_severity severity);

typedef struct sw_rule_label {
    sw_str name, value;
} sw_rule_label;

/* Whether a label has a value; `pattern` may hold '*' and '?'. */
typedef struct sw_matcher {
    sw_str name, pattern;
    bool negated;
} sw_matcher;

typedef struct sw_rule {
    sw_str name;
    const sw_measure *measure;
    sw_str model, column, segment; /* patterns; empty: any */
    bool has_limit;
    bool above;   /* raised above the limit; else below it */
    double limit; /* in the measure's unit */
    int64_t for_ms, keep_firing_for_ms;
    uint32_t window_s;
    sw_severity severity;
    sw_rule_label *labels;
    size_t label_count;
    uint64_t notify; /* bits: places in sw_rules.notifiers */
    bool builtin;
    size_t line;
} sw_rule;

typedef struct sw_inhibition {
    sw_matcher *source, *target;
    size_t source_count, target_count;
    sw_str *equal;
    size_t equal_count;
} sw_inhibition;

/* Times of the day (UTC) at which some severities wait. */
typedef struct sw_quiet {
    uint16_t from_minute, to_minute; /* of the day; to < from: over midnight */
    uint8_t days;                    /* bits from Sunday; of the day it begins in */
    uint8_t severities;              /* bits */
} sw_quiet;

typedef struct sw_notifier {
    sw_action action;
    int64_t wait_ms, interval_ms, repeat_ms; /* repeat 0: never */
    sw_str *by;                              /* labels that part groups */
    size_t by_count;
} sw_notifier;

typedef struct sw_rules {
    sw_rule *rules;
    size_t count;
    sw_notifier *notifiers;
    size_t notifier_count;
    sw_inhibition *inhibitions;
    size_t inhibition_count;
    sw_quiet *quiet;
    size_t quiet_count;
    int64_t every_ms; /* between evaluations */
    sw_str url;       /* of this server, for links; may be empty */
} sw_rules;

typedef struct sw_rules_context {
    bool allow_commands; /* accept notifiers and actions that run a program */
    bool look_up;        /* resolve ${NAME} and file:/path; else only their form is checked */
} sw_rules_context;

/*
 * INVALID: "line 7, column 5: above: '5 apples' is no duration: write 200ms, 2s". An empty text is
 * the built-in rules alone.
 */
SW_MUST_USE sw_status sw_rules_read(sw_rules *out, sw_str yaml, const sw_rules_context *context,
                                    sw_arena *arena, sw_error *error);

extern const char sw_rules_default_yaml[];

bool sw_glob_match(sw_str pattern, sw_str text);
/* Whether the rule is about this signal (its measure, window, model, column, segment). */
bool sw_rule_covers(const sw_rule *rule, const sw_signal *signal);
/* YES: raised; UNKNOWN: the signal is undefined. */
sw_tri sw_rule_judge(const sw_rule *rule, const sw_signal *signal);

/* 250 with SW_UNIT_MS → "250 ms"; 0.05 of a share → "5 %". */
sw_str sw_unit_print(sw_arena *arena, double value, sw_unit unit);

/* NAME=PATTERN or NAME!=PATTERN, as `slipway silence add` takes it. */
SW_MUST_USE sw_status sw_matcher_read(sw_matcher *out, sw_str text, sw_error *error);

#endif /* SW_ALERT_RULES_H */
