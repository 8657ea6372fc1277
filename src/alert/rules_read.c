/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/rules_private.h"
#include "base/nearest.h"
#include "io/task.h"
#include "stats/quality.h"

#include <stddef.h>
#include <stdio.h>

enum {
    EVERY_MS = 5000,
    EVERY_MS_MIN = 100,
    EVERY_MS_MAX = 300000,
    WAIT_MS = 30000,
    INTERVAL_MS = 300000,
    REPEAT_MS = 4 * 3600000,
    WINDOW_MS = 300000,
    WINDOW_MS_MAX = 600000,
    SLOT_MS = 10000,
    INHIBITIONS_MAX = 100,
};

/* ---- One rule ---- */

/* What of a rule is understood only once all of it is read. */
typedef struct raw_rule {
    sw_rule rule;
    sw_str on, measure;
    yaml_node_t *above, *below, *notify, *action, *window, *column;
    int64_t window_ms;
} raw_rule;

static sw_status keep_node(sw_yaml *y, yaml_node_t *node, void *into) {
    (void)y;
    *(yaml_node_t **)into = node;
    return SW_OK;
}

static sw_status read_severity(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str text = node->type == YAML_SCALAR_NODE ? sw_yaml_scalar(node) : SW_STR("");
    for (int i = SW_INFO; i <= SW_CRITICAL; i++)
        if (sw_str_is(text, sw_severity_name((sw_severity)i))) {
            *(sw_severity *)into = (sw_severity)i;
            return SW_OK;
        }
    return sw_yaml_fail(y, node, "severity: is info, warning or critical");
}

static sw_status read_window(sw_yaml *y, yaml_node_t *node, void *into) {
    raw_rule *raw = SW_CONTAINER(into, raw_rule, window_ms);
    raw->window = node;
    SW_TRY(sw_yaml_duration(y, node, &raw->window_ms));
    if (raw->window_ms < SLOT_MS || raw->window_ms > WINDOW_MS_MAX || raw->window_ms % SLOT_MS)
        return sw_yaml_fail(y, node, "window: is 10s to 10m, in steps of 10s");
    return SW_OK;
}

static sw_status read_column(sw_yaml *y, yaml_node_t *node, void *into) {
    raw_rule *raw = SW_CONTAINER(into, raw_rule, rule.column);
    raw->column = node;
    return sw_yaml_str(y, node, into);
}

#define OF_RULE(member) offsetof(raw_rule, rule) + offsetof(sw_rule, member)

static const sw_yaml_field rule_fields[] = {
    {"name", sw_yaml_str, OF_RULE(name)},
    {"on", sw_yaml_str, offsetof(raw_rule, on)},
    {"measure", sw_yaml_str, offsetof(raw_rule, measure)},
    {"model", sw_yaml_str, OF_RULE(model)},
    {"column", read_column, OF_RULE(column)},
    {"segment", sw_yaml_str, OF_RULE(segment)},
    {"above", keep_node, offsetof(raw_rule, above)},
    {"below", keep_node, offsetof(raw_rule, below)},
    {"window", read_window, offsetof(raw_rule, window_ms)},
    {"for", sw_yaml_duration, OF_RULE(for_ms)},
    {"keep_firing_for", sw_yaml_duration, OF_RULE(keep_firing_for_ms)},
    {"severity", read_severity, OF_RULE(severity)},
    {"labels", sw_yaml_labels, OF_RULE(labels)},
    {"notify", keep_node, offsetof(raw_rule, notify)},
    {"action", keep_node, offsetof(raw_rule, action)},
    {0}};

static sw_status find_measure(sw_yaml *y, const yaml_node_t *node, raw_rule *raw) {
    char names[256] = "";
    size_t used = 0;
    int kind = 0;
    while (kind < SW_SIGNAL_KINDS && !sw_str_is(raw->on, sw_signal_kind_name((sw_signal_kind)kind)))
        kind++;
    if (kind == SW_SIGNAL_KINDS)
        return sw_yaml_fail(y, node,
                            "a rule says what it is on: drift, quality, decay, metric, latency, "
                            "error_rate, traffic, coverage, log, disk or lag");
    raw->rule.measure = sw_measure_find((sw_signal_kind)kind, raw->measure);
    if (raw->rule.measure)
        return SW_OK;
    for (size_t i = 0; i < sw_measure_count; i++)
        if ((int)sw_measures[i].kind == kind)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     sw_measures[i].name);
    return sw_yaml_fail(y, node, "measure: of %.*s it is one of %s", SW_STR_ARG(raw->on), names);
}

/* A rule on a metric that no model has would be silent for ever. `column` may be a pattern. */
static sw_status check_metric(sw_yaml *y, const yaml_node_t *node, sw_str column) {
    const char *names[SW_QUALITY_NAMES_MAX];
    size_t count;
    sw_nearest nearest;
    sw_buf list = {0};
    if (column.len == 0)
        return sw_yaml_fail(y, node, "a rule on metric says which: column: accuracy");
    SW_TRY(sw_quality_names(names, &count, y->error));
    sw_nearest_begin(&nearest, column);
    for (size_t i = 0; i < count; i++) {
        if (sw_glob_match(column, sw_str_of(names[i])))
            return SW_OK;
        sw_nearest_offer(&nearest, sw_str_of(names[i]));
    }
    for (size_t i = 0; i < count; i++)
        sw_buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    sw_status status = sw_yaml_fail(
        y, node, "column: '%.*s' is no metric of labelled predictions%s%s%s They are %.*s",
        (int)(column.len < 60 ? column.len : 60), column.at,
        *nearest.best ? "; did you mean '" : "", nearest.best, *nearest.best ? "'?" : ".",
        (int)list.len, list.at ? list.at : "");
    sw_buf_free(&list);
    return status;
}

static sw_status read_limit(sw_yaml *y, const yaml_node_t *node, raw_rule *raw) {
    sw_rule *rule = &raw->rule;
    const sw_measure *m = rule->measure;
    if (raw->above && raw->below)
        return sw_yaml_fail(y, raw->below, "a rule has above: or below:, not both");
    rule->has_limit = raw->above || raw->below;
    rule->above = !raw->below;
    if (m->kind == SW_SIGNAL_METRIC)
        SW_TRY(check_metric(y, raw->column ? raw->column : node, rule->column));
    if (rule->has_limit)
        return sw_yaml_quantity(&rule->limit, y, raw->above ? raw->above : raw->below, m->unit,
                                raw->above ? "above" : "below");
    if (m->verdict)
        return SW_OK;
    return sw_yaml_fail(
        y, node, "a rule on %s needs a threshold: above: or below:", sw_signal_kind_name(m->kind));
}

static sw_status check_name(sw_yaml *y, const yaml_node_t *node, sw_str name) {
    if (name.len == 0 || name.len > 128 || !sw_str_is_utf8(name))
        return sw_yaml_fail(y, node, "a rule has a name: of 1 to 128 bytes");
    for (size_t i = 0; i < y->rules->count; i++) {
        const sw_rule *other = &y->rules->rules[i];
        if (sw_str_eq(other->name, name) && !y->builtin)
            return sw_yaml_fail(y, node, "the rule '%.*s' is there twice, first in line %zu",
                                SW_STR_ARG(name), other->line);
    }
    return SW_OK;
}

static bool is_replaced(const sw_yaml *y, sw_str name) {
    for (size_t i = 0; i < y->rules->count; i++)
        if (sw_str_eq(y->rules->rules[i].name, name))
            return true;
    return false;
}

static sw_status read_notify(sw_yaml *y, const yaml_node_t *node, raw_rule *raw) {
    sw_rule *rule = &raw->rule;
    sw_str *names = y->notify;
    size_t count = y->notify_count;
    if (raw->notify)
        SW_TRY(sw_yaml_strs(&names, &count, y, raw->notify));
    SW_TRY(sw_yaml_notify_bits(&rule->notify, y, raw->notify ? raw->notify : node, names, count));
    return raw->action ? sw_yaml_rule_action(&rule->notify, y, raw->action, rule->name) : SW_OK;
}

static sw_status read_rule(sw_yaml *y, yaml_node_t *node) {
    raw_rule raw = {.rule = {.severity = SW_WARNING, .builtin = y->builtin},
                    .window_ms = WINDOW_MS};
    raw.rule.line = node->start_mark.line + 1;
    SW_TRY(sw_yaml_map(y, node, rule_fields, &raw, "a rule"));
    SW_TRY(check_name(y, node, raw.rule.name));
    if (y->builtin && is_replaced(y, raw.rule.name))
        return SW_OK;
    SW_TRY(find_measure(y, node, &raw));
    SW_TRY(read_limit(y, node, &raw));
    if (raw.window && !raw.rule.measure->windowed)
        return sw_yaml_fail(y, raw.window, "window: has no meaning on %s",
                            sw_signal_kind_name(raw.rule.measure->kind));
    raw.rule.window_s = raw.rule.measure->windowed ? (uint32_t)(raw.window_ms / 1000) : 0;
    SW_TRY(read_notify(y, node, &raw));
    if (y->rules->count == SW_RULES_MAX)
        return sw_yaml_fail(y, node, "these are more than %d rules", SW_RULES_MAX);
    y->rules->rules[y->rules->count++] = raw.rule;
    return SW_OK;
}

static sw_status read_rules(sw_yaml *y, yaml_node_t *node) {
    if (node->type != YAML_SEQUENCE_NODE)
        return sw_yaml_fail(y, node, "rules are a list: lines that begin with \"- name:\"");
    for (size_t i = 0; i < sw_yaml_items(node); i++)
        SW_TRY(read_rule(y, sw_yaml_node(y, node->data.sequence.items.start[i])));
    return SW_OK;
}

/* ---- Inhibition, quiet hours ---- */

typedef struct raw_inhibition {
    struct {
        sw_rule_label *at;
        size_t count;
    } source, target;
    yaml_node_t *equal;
} raw_inhibition;

static const sw_yaml_field inhibition_fields[] = {
    {"source", sw_yaml_labels, offsetof(raw_inhibition, source)},
    {"target", sw_yaml_labels, offsetof(raw_inhibition, target)},
    {"equal", keep_node, offsetof(raw_inhibition, equal)},
    {0}};

static sw_matcher *to_matchers(sw_yaml *y, const sw_rule_label *labels, size_t count) {
    sw_matcher *out = sw_arena_zalloc(y->arena, count + 1, sizeof *out);
    for (size_t i = 0; out && i < count; i++) {
        sw_str pattern = labels[i].value;
        bool negated = pattern.len && pattern.at[0] == '!';
        out[i] =
            (sw_matcher){labels[i].name, {pattern.at + negated, pattern.len - negated}, negated};
    }
    return out;
}

static sw_status read_inhibition(sw_yaml *y, yaml_node_t *node) {
    raw_inhibition raw = {0};
    sw_inhibition *out = &y->rules->inhibitions[y->rules->inhibition_count];
    SW_TRY(sw_yaml_map(y, node, inhibition_fields, &raw, "an inhibition"));
    if (raw.source.count == 0 || raw.target.count == 0)
        return sw_yaml_fail(y, node, "an inhibition has source: and target:, labels each");
    out->source = to_matchers(y, raw.source.at, raw.source.count);
    out->target = to_matchers(y, raw.target.at, raw.target.count);
    if (!out->source || !out->target)
        return sw_yaml_no_memory(y);
    out->source_count = raw.source.count;
    out->target_count = raw.target.count;
    if (raw.equal)
        SW_TRY(sw_yaml_strs(&out->equal, &out->equal_count, y, raw.equal));
    y->rules->inhibition_count++;
    return SW_OK;
}

static sw_status read_minute(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_str text = node->type == YAML_SCALAR_NODE ? sw_yaml_scalar(node) : SW_STR(""), rest = text;
    sw_str hour_text = sw_str_split(&rest, ':');
    uint64_t hour, minute;
    if (!sw_str_to_u64(&hour, hour_text, 24) || !sw_str_to_u64(&minute, rest, 59) ||
        hour * 60 + minute > 1440)
        return sw_yaml_fail(y, node, "write a time of the day (UTC) as \"22:30\"");
    *(uint16_t *)into = (uint16_t)(hour * 60 + minute);
    return SW_OK;
}

static sw_status read_bits(sw_yaml *y, yaml_node_t *node, uint8_t *out, const char *const *names,
                           int count, const char *what) {
    sw_str *texts;
    size_t text_count;
    *out = 0;
    SW_TRY(sw_yaml_strs(&texts, &text_count, y, node));
    for (size_t i = 0; i < text_count; i++) {
        int at = 0;
        while (at < count && !sw_str_is(texts[i], names[at]))
            at++;
        if (at == count)
            return sw_yaml_fail(y, node, "'%.*s' is no %s", SW_STR_ARG(texts[i]), what);
        *out = (uint8_t)(*out | 1u << at);
    }
    return SW_OK;
}

static sw_status read_days(sw_yaml *y, yaml_node_t *node, void *into) {
    static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
    return read_bits(y, node, into, names, 7, "day: sun, mon, tue, wed, thu, fri, sat");
}

static sw_status read_severities(sw_yaml *y, yaml_node_t *node, void *into) {
    static const char *const names[] = {"info", "warning", "critical"};
    return read_bits(y, node, into, names, 3, "severity: info, warning, critical");
}

static const sw_yaml_field quiet_fields[] = {
    {"from", read_minute, offsetof(sw_quiet, from_minute)},
    {"to", read_minute, offsetof(sw_quiet, to_minute)},
    {"days", read_days, offsetof(sw_quiet, days)},
    {"severity", read_severities, offsetof(sw_quiet, severities)},
    {0}};

static sw_status read_quiet(sw_yaml *y, yaml_node_t *node) {
    sw_quiet *out = &y->rules->quiet[y->rules->quiet_count];
    *out = (sw_quiet){.days = 127, .severities = 1 << SW_INFO | 1 << SW_WARNING};
    SW_TRY(sw_yaml_map(y, node, quiet_fields, out, "quiet hours"));
    if (!sw_yaml_get(y, node, "from") || !sw_yaml_get(y, node, "to"))
        return sw_yaml_fail(y, node, "quiet hours have from: and to:");
    y->rules->quiet_count++;
    return SW_OK;
}

static sw_status read_list(void **at, sw_yaml *y, yaml_node_t *node, size_t item_bytes,
                           sw_status (*read)(sw_yaml *y, yaml_node_t *node)) {
    if (node->type != YAML_SEQUENCE_NODE || sw_yaml_items(node) > INHIBITIONS_MAX)
        return sw_yaml_fail(y, node, "a list of at most %d belongs here", INHIBITIONS_MAX);
    *at = sw_arena_zalloc(y->arena, sw_yaml_items(node) + 1, item_bytes);
    if (!*at)
        return sw_yaml_no_memory(y);
    for (size_t i = 0; i < sw_yaml_items(node); i++)
        SW_TRY(read(y, sw_yaml_node(y, node->data.sequence.items.start[i])));
    return SW_OK;
}

/* ---- The whole ---- */

typedef struct top {
    yaml_node_t *notify, *notifiers, *rules, *inhibit, *quiet, *groups;
    bool defaults;
    int64_t every_ms;
    sw_str url;
} top;

static const sw_yaml_field top_fields[] = {{"defaults", sw_yaml_bool, offsetof(top, defaults)},
                                           {"every", sw_yaml_duration, offsetof(top, every_ms)},
                                           {"url", sw_yaml_str, offsetof(top, url)},
                                           {"notify", keep_node, offsetof(top, notify)},
                                           {"notifiers", keep_node, offsetof(top, notifiers)},
                                           {"groups", keep_node, offsetof(top, groups)},
                                           {"rules", keep_node, offsetof(top, rules)},
                                           {"inhibit", keep_node, offsetof(top, inhibit)},
                                           {"quiet", keep_node, offsetof(top, quiet)},
                                           {0}};

static sw_status read_group_by(sw_yaml *y, yaml_node_t *node, void *into) {
    sw_yaml *self = SW_CONTAINER(into, sw_yaml, by);
    return sw_yaml_strs(&self->by, &self->by_count, y, node);
}

static const sw_yaml_field group_fields[] = {
    {"by", read_group_by, offsetof(sw_yaml, by)},
    {"wait", sw_yaml_duration, offsetof(sw_yaml, wait_ms)},
    {"interval", sw_yaml_duration, offsetof(sw_yaml, interval_ms)},
    {"repeat", sw_yaml_duration, offsetof(sw_yaml, repeat_ms)},
    {0}};

static sw_status read_parts(sw_yaml *y, const top *t) {
    if (t->groups)
        SW_TRY(sw_yaml_map(y, t->groups, group_fields, y, "groups"));
    if (t->notifiers)
        SW_TRY(sw_yaml_notifiers(y, t->notifiers));
    if (t->notify) {
        uint64_t bits;
        SW_TRY(sw_yaml_strs(&y->notify, &y->notify_count, y, t->notify));
        SW_TRY(sw_yaml_notify_bits(&bits, y, t->notify, y->notify, y->notify_count));
    }
    if (t->rules)
        SW_TRY(read_rules(y, t->rules));
    if (t->inhibit)
        SW_TRY(read_list((void **)&y->rules->inhibitions, y, t->inhibit,
                         sizeof *y->rules->inhibitions, read_inhibition));
    if (t->quiet)
        SW_TRY(
            read_list((void **)&y->rules->quiet, y, t->quiet, sizeof *y->rules->quiet, read_quiet));
    return SW_OK;
}

static sw_status read_top(sw_yaml *y, yaml_node_t *root) {
    top t = {.defaults = true, .every_ms = EVERY_MS};
    SW_TRY(sw_yaml_map(y, root, top_fields, &t, "the rules' file"));
    y->defaults = t.defaults;
    y->rules->every_ms = t.every_ms;
    y->rules->url = t.url;
    if (t.every_ms < EVERY_MS_MIN || t.every_ms > EVERY_MS_MAX)
        return sw_yaml_fail(y, sw_yaml_get(y, root, "every"), "every: is 100ms to 5m");
    return read_parts(y, &t);
}

static sw_status fail_syntax(sw_yaml *y, const yaml_parser_t *parser) {
    if (parser->error == YAML_MEMORY_ERROR)
        return sw_yaml_no_memory(y);
    const yaml_mark_t *at =
        parser->error == YAML_READER_ERROR ? &parser->mark : &parser->problem_mark;
    return sw_fail(y->error, SW_CODE_INVALID, "line %zu, column %zu: this is no YAML: %s",
                   at->line + 1, at->column + 1, parser->problem ? parser->problem : "broken");
}

/* What stands behind a second "---" would be passed over. */
static sw_status read_end(sw_yaml *y, yaml_parser_t *parser) {
    yaml_document_t document;
    if (!yaml_parser_load(parser, &document))
        return fail_syntax(y, parser);
    bool more = yaml_document_get_root_node(&document) != NULL;
    size_t line = document.start_mark.line + 1;
    yaml_document_delete(&document);
    return more ? sw_fail(y->error, SW_CODE_INVALID,
                          "line %zu, column 1: the rules are one document: a second begins here",
                          line)
                : SW_OK;
}

static sw_status read_text(sw_yaml *y, sw_str yaml) {
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return sw_yaml_no_memory(y);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml.at, yaml.len);
    sw_status status = SW_OK;
    if (!yaml_parser_load(&parser, &document)) {
        status = fail_syntax(y, &parser);
    } else {
        y->document = &document;
        yaml_node_t *root = yaml_document_get_root_node(&document);
        bool nothing = root && root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0;
        if (root && !nothing)
            status = read_top(y, root);
        yaml_document_delete(&document);
        y->document = NULL;
        if (root && !sw_failed(status))
            status = read_end(y, &parser);
    }
    yaml_parser_delete(&parser);
    return status;
}

sw_status sw_rules_read(sw_rules *out, sw_str yaml, const sw_rules_context *context,
                        sw_arena *arena, sw_error *error) {
    static sw_str by_model = {"model", 5};
    *out = (sw_rules){.every_ms = EVERY_MS};
    sw_yaml y = {.context = context,
                 .arena = arena,
                 .error = error,
                 .rules = out,
                 .defaults = true,
                 .wait_ms = WAIT_MS,
                 .interval_ms = INTERVAL_MS,
                 .repeat_ms = REPEAT_MS,
                 .by = &by_model,
                 .by_count = 1};
    if (yaml.len > SW_RULES_BYTES_MAX)
        return sw_fail(error, SW_CODE_TOO_LARGE, "the rules are larger than %d KiB",
                       SW_RULES_BYTES_MAX >> 10);
    out->rules = sw_arena_alloc(arena, SW_RULES_MAX * sizeof *out->rules);
    out->notifiers = sw_arena_zalloc(arena, SW_NOTIFIERS_MAX, sizeof *out->notifiers);
    if (!out->rules || !out->notifiers)
        return sw_yaml_no_memory(&y);
    SW_TRY(read_text(&y, yaml.len ? yaml : SW_STR(" ")));
    if (!y.defaults)
        return SW_OK;
    sw_str url = out->url;
    int64_t every_ms = out->every_ms;
    y.builtin = true;
    SW_TRY(read_text(&y, sw_str_of(sw_rules_default_yaml)));
    out->url = url;
    out->every_ms = every_ms;
    return SW_OK;
}
