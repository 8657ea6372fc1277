/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/settings.h"

#include "base/json.h"

#include <stdio.h>

static const char *const privacy_names[] = {"keep", "mask", "hash", "drop", NULL};
static const char *const reference_names[] = {"profile", "window", "trailing", NULL};
static const char *const task_names[] = {"auto",       "binary",  "multiclass",
                                         "regression", "ranking", NULL};

enum { LOG_DAYS_MAX = 3650, TRAILING_MINUTES_MAX = 366 * 24 * 60 };

void sw_monitor_settings_default(sw_monitor_settings *out) {
    *out = (sw_monitor_settings){
        .false_alarms_per_month = 1,
        .tolerance = 0.02,
        .reference_minutes = 7 * 24 * 60,
        .log_rows_per_s = 100,
        .log_days = 14,
        .log_bytes_max = UINT64_C(1) << 30,
        .threshold = 0.5,
    };
}

/* ---- Fields ---- */

typedef struct parse {
    sw_json_reader in;
    sw_monitor_settings *out;
    sw_arena *arena;
} parse;

static void read_number(parse *p, double *out, const char *key, double min, double max) {
    double value;
    const char *at = p->in.at;
    if (!sw_json_read_f64(&p->in, &value))
        return;
    if (!(value >= min && value <= max))
        sw_json_read_fail(&p->in, at, "\"%s\" is %g: it may be from %g to %g", key, value, min,
                          max);
    else
        *out = value;
}

static void read_whole(parse *p, uint64_t *out, const char *key, uint64_t min, uint64_t max) {
    uint64_t value;
    const char *at = p->in.at;
    if (!sw_json_read_u64(&p->in, &value))
        return;
    if (value < min || value > max)
        sw_json_read_fail(&p->in, at, "\"%s\" is %llu: it may be from %llu to %llu", key,
                          (unsigned long long)value, (unsigned long long)min,
                          (unsigned long long)max);
    else
        *out = value;
}

/* The place of a word among `names`; 0 and a failure where it is none of them. */
static unsigned read_choice(parse *p, const char *key, const char *const *names) {
    sw_str word;
    char known[96] = "";
    size_t len = 0;
    const char *at = p->in.at;
    if (!sw_json_read_str(&p->in, &word))
        return 0;
    for (unsigned i = 0; names[i]; i++) {
        if (sw_str_is(word, names[i]))
            return i;
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "", names[i]);
    }
    sw_json_read_fail(&p->in, at, "\"%s\" is \"%.*s\": it may be %s", key, SW_STR_ARG(word), known);
    return 0;
}

/* A copy that stays, whatever becomes of the text that was read. */
static void read_name(parse *p, sw_str *out) {
    sw_str text;
    if (!sw_json_read_str(&p->in, &text))
        return;
    *out = sw_arena_copy(p->arena, text);
    if (!out->at)
        sw_json_read_no_memory(&p->in);
}

static void unknown_field(parse *p, const char *where, sw_str key) {
    sw_json_read_fail(&p->in, p->in.at, "%s has no field \"%.*s\"", where, SW_STR_ARG(key));
}

static void read_reference(parse *p) {
    sw_monitor_settings *s = p->out;
    sw_str key;
    uint64_t minutes = s->reference_minutes;
    const char *at = p->in.at;
    sw_json_read_object(&p->in);
    while (sw_json_read_key(&p->in, &key)) {
        if (sw_str_is(key, "kind"))
            s->reference = (sw_reference_kind)read_choice(p, "reference.kind", reference_names);
        else if (sw_str_is(key, "from_ms"))
            sw_json_read_i64(&p->in, &s->reference_from_ms);
        else if (sw_str_is(key, "to_ms"))
            sw_json_read_i64(&p->in, &s->reference_to_ms);
        else if (sw_str_is(key, "minutes"))
            read_whole(p, &minutes, "reference.minutes", 1, TRAILING_MINUTES_MAX);
        else
            unknown_field(p, "\"reference\"", key);
    }
    s->reference_minutes = (uint32_t)minutes;
    if (s->reference == SW_REFERENCE_WINDOW && s->reference_from_ms >= s->reference_to_ms)
        sw_json_read_fail(&p->in, at,
                          "a reference of kind \"window\" needs \"from_ms\" and a later \"to_ms\"");
}

static void read_segments(parse *p) {
    sw_monitor_settings *s = p->out;
    s->segment_count = 0;
    sw_json_read_array(&p->in);
    while (sw_json_read_item(&p->in)) {
        if (s->segment_count == SW_SEGMENTS_MAX) {
            sw_json_read_fail(&p->in, p->in.at, "\"segments\" names more than %d features",
                              SW_SEGMENTS_MAX);
            return;
        }
        read_name(p, &s->segments[s->segment_count++]);
    }
}

static bool more_columns(parse *p) {
    sw_monitor_settings *s = p->out;
    if (s->column_count & (s->column_count + 1) && s->columns)
        return true;
    /* Full at 1, 3, 7, …: the next array has room for twice as many and one. */
    sw_column_setting *more =
        sw_arena_zalloc(p->arena, (size_t)s->column_count * 2 + 1, sizeof *more);
    if (!more)
        return sw_json_read_no_memory(&p->in);
    if (s->column_count)
        memcpy(more, s->columns, s->column_count * sizeof *more);
    s->columns = more;
    return true;
}

static void read_columns(parse *p) {
    sw_monitor_settings *s = p->out;
    sw_str name, key;
    sw_json_read_object(&p->in);
    while (sw_json_read_key(&p->in, &name)) {
        sw_column_setting column = {.column = sw_arena_copy(p->arena, name)};
        sw_json_read_object(&p->in);
        while (sw_json_read_key(&p->in, &key)) {
            if (sw_str_is(key, "privacy"))
                column.privacy = (sw_privacy)read_choice(p, "privacy", privacy_names);
            else
                unknown_field(p, "a column", key);
        }
        if (!column.column.at)
            sw_json_read_no_memory(&p->in);
        else if (more_columns(p))
            s->columns[s->column_count++] = column;
    }
}

static void read_log(parse *p) {
    sw_monitor_settings *s = p->out;
    sw_str key;
    uint64_t days = s->log_days;
    sw_json_read_object(&p->in);
    while (sw_json_read_key(&p->in, &key)) {
        if (sw_str_is(key, "rows_per_s"))
            read_number(p, &s->log_rows_per_s, "log.rows_per_s", 0, 1e9);
        else if (sw_str_is(key, "days"))
            read_whole(p, &days, "log.days", 1, LOG_DAYS_MAX);
        else if (sw_str_is(key, "bytes_max"))
            read_whole(p, &s->log_bytes_max, "log.bytes_max", 1 << 20, UINT64_C(1) << 50);
        else
            unknown_field(p, "\"log\"", key);
    }
    s->log_days = (uint32_t)days;
}

static void read_field(parse *p, sw_str key) {
    sw_monitor_settings *s = p->out;
    if (sw_str_is(key, "false_alarms_per_month"))
        read_number(p, &s->false_alarms_per_month, "false_alarms_per_month", 0.001, 1000);
    else if (sw_str_is(key, "tolerance"))
        read_number(p, &s->tolerance, "tolerance", 0, 1);
    else if (sw_str_is(key, "reference"))
        read_reference(p);
    else if (sw_str_is(key, "segments"))
        read_segments(p);
    else if (sw_str_is(key, "privacy"))
        s->privacy = (sw_privacy)read_choice(p, "privacy", privacy_names);
    else if (sw_str_is(key, "columns"))
        read_columns(p);
    else if (sw_str_is(key, "log"))
        read_log(p);
    else if (sw_str_is(key, "task"))
        s->task = (sw_task_kind)read_choice(p, "task", task_names);
    else if (sw_str_is(key, "output"))
        read_name(p, &s->output);
    else if (sw_str_is(key, "positive"))
        read_name(p, &s->positive);
    else if (sw_str_is(key, "threshold"))
        read_number(p, &s->threshold, "threshold", -1e300, 1e300);
    else
        unknown_field(p, "a monitor", key);
}

sw_status sw_monitor_settings_from_json(sw_monitor_settings *out, sw_str json, sw_arena *arena,
                                        sw_error *error) {
    parse p = {.out = out, .arena = arena};
    sw_str key;
    sw_monitor_settings_default(out);
    if (json.len == 0)
        return SW_OK;
    sw_json_read_init(&p.in, json, arena, error);
    sw_json_read_object(&p.in);
    while (sw_json_read_key(&p.in, &key))
        read_field(&p, key);
    return sw_json_read_end(&p.in);
}

/* ---- Writing ---- */

static void write_reference(sw_json *w, const sw_monitor_settings *s) {
    sw_json_key(w, "reference");
    sw_json_begin_object(w);
    sw_json_add_text(w, "kind", reference_names[s->reference]);
    if (s->reference == SW_REFERENCE_WINDOW) {
        sw_json_add_i64(w, "from_ms", s->reference_from_ms);
        sw_json_add_i64(w, "to_ms", s->reference_to_ms);
    } else if (s->reference == SW_REFERENCE_TRAILING) {
        sw_json_add_u64(w, "minutes", s->reference_minutes);
    }
    sw_json_end_object(w);
}

static void write_columns(sw_json *w, const sw_monitor_settings *s) {
    sw_json_key(w, "segments");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < s->segment_count; i++)
        sw_json_str(w, s->segments[i]);
    sw_json_end_array(w);
    sw_json_add_text(w, "privacy", privacy_names[s->privacy]);
    sw_json_key(w, "columns");
    sw_json_begin_object(w);
    for (uint32_t i = 0; i < s->column_count; i++) {
        sw_json_key_of(w, s->columns[i].column);
        sw_json_begin_object(w);
        sw_json_add_text(w, "privacy", privacy_names[s->columns[i].privacy]);
        sw_json_end_object(w);
    }
    sw_json_end_object(w);
}

void sw_monitor_settings_to_json(sw_buf *out, const sw_monitor_settings *s) {
    sw_json json = sw_json_to(out), *w = &json;
    sw_json_begin_object(w);
    sw_json_add_f64(w, "false_alarms_per_month", s->false_alarms_per_month);
    sw_json_add_f64(w, "tolerance", s->tolerance);
    write_reference(w, s);
    write_columns(w, s);
    sw_json_key(w, "log");
    sw_json_begin_object(w);
    sw_json_add_f64(w, "rows_per_s", s->log_rows_per_s);
    sw_json_add_u64(w, "days", s->log_days);
    sw_json_add_u64(w, "bytes_max", s->log_bytes_max);
    sw_json_end_object(w);
    sw_json_add_text(w, "task", task_names[s->task]);
    sw_json_add_str(w, "output", s->output);
    sw_json_add_str(w, "positive", s->positive);
    sw_json_add_f64(w, "threshold", s->threshold);
    sw_json_end_object(w);
}

/* The last word on a column counts. */
sw_privacy sw_monitor_privacy(const sw_monitor_settings *settings, sw_str column) {
    for (uint32_t i = settings->column_count; i > 0; i--)
        if (sw_str_eq(settings->columns[i - 1].column, column))
            return settings->columns[i - 1].privacy;
    return settings->privacy;
}
