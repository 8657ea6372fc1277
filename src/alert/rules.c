/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/rules.h"

#include <math.h>

const char *sw_severity_name(sw_severity severity) {
    static const char *const names[] = {"info", "warning", "critical"};
    return names[severity];
}

/* Linear in the text for each '*', with no recursion: the last star alone is gone back to. */
bool sw_glob_match(sw_str pattern, sw_str text) {
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.len && (pattern.at[p] == '?' || pattern.at[p] == text.at[t])) {
            p++, t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*')
        p++;
    return p == pattern.len;
}

static bool fits(sw_str pattern, sw_str text) {
    return pattern.len == 0 || sw_glob_match(pattern, text);
}

/* "any" stands for each measure of its kind. */
static bool covers_measure(const sw_measure *rule, const sw_measure *signal) {
    return rule == signal || (rule->kind == signal->kind && strcmp(rule->name, "any") == 0);
}

bool sw_rule_covers(const sw_rule *rule, const sw_signal *signal) {
    return covers_measure(rule->measure, signal->measure) &&
           (!rule->measure->windowed || rule->window_s == signal->window_s) &&
           fits(rule->model, signal->model) && fits(rule->column, signal->column) &&
           fits(rule->segment, signal->segment);
}

sw_tri sw_rule_judge(const sw_rule *rule, const sw_signal *signal) {
    if (!rule->has_limit)
        return signal->verdict;
    if (isnan(signal->value))
        return SW_UNKNOWN;
    bool raised = rule->above ? signal->value > rule->limit : signal->value < rule->limit;
    return raised ? SW_YES : SW_NO;
}

static sw_str print_bytes(sw_arena *arena, double value) {
    static const char *const names[] = {"B", "KB", "MB", "GB", "TB"};
    size_t i = 0;
    for (; value >= 1000 && i < 4; i++)
        value /= 1000;
    return sw_arena_printf(arena, "%.3g %s", value, names[i]);
}

sw_str sw_unit_print(sw_arena *arena, double value, sw_unit unit) {
    if (isnan(value))
        return SW_STR("undefined");
    switch (unit) {
    case SW_UNIT_MS: return sw_arena_printf(arena, "%.4g ms", value);
    case SW_UNIT_SHARE: return sw_arena_printf(arena, "%.3g %%", value * 100);
    case SW_UNIT_RATE: return sw_arena_printf(arena, "%.3g/s", value);
    case SW_UNIT_BYTES: return print_bytes(arena, value);
    case SW_UNIT_PSI: return sw_arena_printf(arena, "PSI %.3g", value);
    case SW_UNIT_LOG10: return sw_arena_printf(arena, "10^%.3g", value);
    case SW_UNIT_NONE:
    case SW_UNITS: break;
    }
    return sw_arena_printf(arena, "%.4g", value);
}

sw_status sw_matcher_read(sw_matcher *out, sw_str text, sw_error *error) {
    const char *equal = memchr(text.at ? text.at : "", '=', text.len);
    size_t name_len = equal ? (size_t)(equal - text.at) : 0;
    bool negated = name_len && text.at[name_len - 1] == '!';
    *out = (sw_matcher){.name = {text.at, name_len - negated}, .negated = negated};
    if (!equal || out->name.len == 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "'%.*s' matches nothing: write NAME=VALUE or NAME!=VALUE, such as "
                       "model=fraud or rule=slow*",
                       (int)(text.len < 80 ? text.len : 80), text.at ? text.at : "");
    out->pattern = (sw_str){equal + 1, text.len - name_len - 1};
    return SW_OK;
}
