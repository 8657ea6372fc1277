/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/display_private.h"
#include "watch/history_private.h"
#include "watch/quantiles_private.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>

enum { TOP = 10, MINUTE_MS = 60000 };

/* All that a report is made from. */
typedef struct report {
    const sw_watch_subject *subject;
    sw_str segment;
    sw_observer *observer;
    sw_counts live, reference;
    int64_t from_ms, to_ms;
} report;

/* ---- Columns ---- */

/* Four decimals: a count of ten thousand shows. */
static void add_share(sw_json *w, const char *key, double share) {
    sw_json_add_f64(w, key, isnan(share) ? NAN : round(share * 1e4) / 1e4);
}

static void add_bars(sw_json *w, const sw_bar *bars, size_t count, bool referenced) {
    double reference = 0, live = 0;
    for (size_t i = 0; i < count; i++) {
        reference += bars[i].reference;
        live += bars[i].live;
    }
    sw_json_key(w, "bins");
    sw_json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        sw_json_begin_object(w);
        sw_json_add_f64(w, "from", bars[i].from);
        sw_json_add_f64(w, "to", bars[i].to);
        if (bars[i].label.len)
            sw_json_add_str(w, "label", bars[i].label);
        else
            sw_json_add_null(w, "label");
        add_share(w, "reference_share",
                  referenced && reference > 0 ? bars[i].reference / reference : NAN);
        add_share(w, "live_share", live > 0 ? bars[i].live / live : 0);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static const sw_profile_column *profile_of(const report *r, uint32_t column) {
    bool feature = r->subject->profile && r->observer->columns[column].kind == SW_COUNTED_FEATURE;
    return feature ? &r->subject->profile->columns[column] : NULL;
}

static void add_quantiles(sw_json *w, const char *key, const report *r, uint32_t column,
                          const sw_counts *counts) {
    sw_json_key(w, key);
    sw_json_begin_object(w);
    for (int i = 0; i < SW_QUANTILES; i++)
        sw_json_add_f64(w, sw_quantile_names[i],
                        sw_quantile_of(r->observer, profile_of(r, column), column, counts,
                                       sw_quantile_levels[i]));
    sw_json_end_object(w);
}

static void add_numbers(sw_json *w, const report *r, uint32_t column, const sw_watch_pair *pair) {
    const sw_moments *live = &r->live.moments[column], *before = &r->reference.moments[column];
    double centre = r->observer->columns[column].centre;
    const sw_profile_column *profile = profile_of(r, column);
    bool own = r->segment.len == 0 && profile && !isnan(profile->median) && profile->counts &&
               pair->reference.rows == profile->rows;
    sw_json_add_f64(w, "median", sw_quantile_of(r->observer, profile, column, &r->live, 0.5));
    sw_json_add_f64(w, "reference_median",
                    own ? profile->median
                        : sw_quantile_of(r->observer, profile, column, &r->reference, 0.5));
    sw_json_add_f64(w, "mean", sw_moments_mean(live, centre));
    sw_json_add_f64(w, "reference_mean", sw_moments_mean(before, centre));
    sw_json_add_f64(w, "stddev", sw_moments_stddev(live));
    sw_json_add_f64(w, "reference_stddev", sw_moments_stddev(before));
    sw_json_add_f64(w, "min", live->count ? live->min : NAN);
    sw_json_add_f64(w, "max", live->count ? live->max : NAN);
    add_quantiles(w, "quantiles", r, column, &r->live);
    add_quantiles(w, "reference_quantiles", r, column, &r->reference);
}

typedef struct value {
    sw_str text;
    uint64_t count;
} value;

static int by_count(const void *left, const void *right) {
    const value *a = left, *b = right;
    return (a->count < b->count) - (a->count > b->count);
}

/* The most frequent values, known to the reference or not. */
static void add_top(sw_json *w, const report *r, const sw_counted *counted,
                    const sw_watch_pair *pair) {
    value values[SW_PROFILE_CATEGORIES_MAX + SW_LABELS_MAX];
    size_t count = 0;
    bool known = counted->kind == SW_COUNTED_FEATURE;
    for (uint32_t i = 0; known && i < pair->reference.value_count; i++)
        if (pair->live[SW_BIN_FIRST + i] && count < SW_PROFILE_CATEGORIES_MAX)
            values[count++] = (value){pair->reference.values[i], pair->live[SW_BIN_FIRST + i]};
    const sw_labels *table =
        counted->labels < r->live.label_count ? &r->live.labels[counted->labels] : NULL;
    for (uint32_t i = 0; table && table->used && i < SW_LABEL_SLOTS; i++)
        if (table->slots[i].count)
            values[count++] =
                (value){{table->slots[i].text, table->slots[i].len}, table->slots[i].count};
    if (count)
        qsort(values, count, sizeof *values, by_count);
    sw_json_key(w, "top");
    sw_json_begin_array(w);
    for (size_t i = 0; i < count && i < TOP; i++) {
        sw_json_begin_object(w);
        sw_json_add_str(w, "value", values[i].text);
        sw_json_add_u64(w, "count", values[i].count);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static size_t bars_of(sw_bar *bars, const report *r, const sw_counted *counted,
                      const sw_watch_pair *pair) {
    switch (counted->kind) {
    case SW_COUNTED_FEATURE: return sw_display_feature(bars, &pair->reference, pair->live);
    case SW_COUNTED_SCORES: return sw_display_scores(bars, pair->reference.counts, pair->live);
    case SW_COUNTED_LABELS:
        return counted->labels < r->live.label_count
                   ? sw_display_labels(bars, &r->reference.labels[counted->labels],
                                       &r->live.labels[counted->labels])
                   : 0;
    default: return 0;
    }
}

static const char *why_unwatched(const report *r, const sw_counted *counted) {
    if (counted->dropped)
        return "neither counted nor stored, by the monitor's settings";
    if (counted->summarised)
        return "watched by its summaries";
    if (r->reference.rows == 0)
        return r->subject->profile || r->segment.len
                   ? "there is no reference: nothing was counted in its time"
                   : "no reference profile was pushed with this version";
    return counted->feature ? "there is no reference for it"
                            : "what the model says to its training rows is not in the profile";
}

/* Rows that were refused for the type of this feature's value, and their share of all that came. */
static void add_mismatches(sw_json *w, const report *r, uint32_t column) {
    const sw_counted *counted = &r->observer->columns[column];
    if (!counted->feature || counted->dropped || !r->live.mismatches) {
        sw_json_add_null(w, "type_mismatches");
        sw_json_add_null(w, "type_mismatch_share");
        return;
    }
    double refused = (double)r->live.mismatches[column], rows = (double)r->live.rows + refused;
    sw_json_add_u64(w, "type_mismatches", r->live.mismatches[column]);
    add_share(w, "type_mismatch_share", rows > 0 ? refused / rows : NAN);
}

static void add_column(sw_json *w, const report *r, uint32_t column) {
    const sw_counted *counted = &r->observer->columns[column];
    sw_bar bars[SW_DISPLAY_BINS];
    sw_watch_pair pair;
    sw_watch_pair_of(&pair, r->observer, r->subject->profile, column, &r->reference, &r->live);
    sw_verdict v = sw_watch_judge(pair.watched ? &pair.reference : NULL, pair.live, r->live.rows);
    if (!pair.watched && counted->kind != SW_COUNTED_MISSING)
        v.missing = pair.rows ? (double)pair.live[SW_BIN_MISSING] / (double)pair.rows : NAN;
    bool category = pair.reference.kind == SW_FEATURE_CATEGORY;
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", counted->name);
    sw_json_add_text(w, "kind", category ? "category" : "numeric");
    sw_json_add_text(w, "state", sw_watch_state_text(v.state));
    sw_json_add_text(w, "why", pair.watched ? v.why : why_unwatched(r, counted));
    add_share(w, "psi", v.psi);
    sw_json_add_u64(w, "rows", r->live.rows);
    add_share(w, "missing_share", v.missing);
    add_share(w, "out_of_range_share", v.outside);
    add_share(w, "reference_missing_share", v.reference_missing);
    add_mismatches(w, r, column);
    if (counted->number && r->live.column_count) {
        add_numbers(w, r, column, &pair);
    } else {
        sw_json_add_null(w, "median");
        sw_json_add_null(w, "reference_median");
    }
    double distinct = r->live.distinct ? sw_distinct_estimate(&r->live.distinct[column]) : NAN;
    sw_json_add_f64(w, "distinct", round(distinct));
    if (category)
        add_top(w, r, counted, &pair);
    add_bars(w, bars, bars_of(bars, r, counted, &pair), pair.watched);
    sw_json_end_object(w);
}

/* ---- The whole ---- */

static sw_watch_state worst_of(const report *r) {
    sw_watch_state worst = SW_WATCH_UNWATCHED;
    for (uint32_t i = 0; i < r->observer->column_count; i++) {
        sw_watch_pair pair;
        sw_watch_pair_of(&pair, r->observer, r->subject->profile, i, &r->reference, &r->live);
        if (!pair.watched)
            continue;
        sw_verdict v = sw_watch_judge(&pair.reference, pair.live, r->live.rows);
        worst = v.state > worst ? v.state : worst;
    }
    return sw_watch_overall(r->reference.rows > 0, r->live.rows, worst);
}

static void add_reference(sw_json *w, const report *r) {
    const sw_monitor_settings *s = r->subject->settings;
    static const char *const names[] = {"profile", "window", "trailing"};
    sw_reference_kind kind = s ? s->reference : SW_REFERENCE_PROFILE;
    if (kind == SW_REFERENCE_PROFILE && r->segment.len)
        kind = SW_REFERENCE_TRAILING;
    sw_json_key(w, "reference");
    sw_json_begin_object(w);
    sw_json_add_text(w, "kind", names[kind]);
    sw_json_add_u64(w, "rows", r->reference.rows);
    if (kind == SW_REFERENCE_WINDOW) {
        sw_json_add_i64(w, "from_ms", s->reference_from_ms);
        sw_json_add_i64(w, "to_ms", s->reference_to_ms);
    }
    sw_json_end_object(w);
}

static void add_columns(sw_json *w, const char *key, const report *r, uint32_t from, uint32_t to) {
    sw_json_key(w, key);
    sw_json_begin_array(w);
    for (uint32_t i = from; i < to; i++)
        add_column(w, r, i);
    sw_json_end_array(w);
}

static void write_report(sw_buf *json, const report *r, uint32_t minutes) {
    const sw_observer *observer = r->observer;
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", r->subject->model);
    sw_json_add_u64(&w, "version", r->subject->version);
    sw_json_add_str(&w, "segment", r->segment);
    sw_json_key(&w, "segments");
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < observer->segment_count; i++)
        sw_json_str(&w, observer->segments[i]);
    sw_json_end_array(&w);
    sw_json_add_u64(&w, "window_minutes", minutes);
    sw_json_add_u64(&w, "rows", r->live.rows);
    sw_json_add_text(&w, "state", sw_watch_state_text(worst_of(r)));
    sw_json_add_u64(&w, "rows_min", SW_WATCH_ROWS_MIN);
    add_reference(&w, r);
    add_columns(&w, "features", r, 0, observer->feature_count);
    add_columns(&w, "outputs", r, observer->feature_count, observer->column_count);
    sw_json_end_object(&w);
}

static sw_status fill_report(report *r, sw_watch *watch, sw_error *error) {
    bool segment = r->segment.len > 0;
    SW_TRY(sw_counts_make_for(&r->live, r->observer, segment, error));
    SW_TRY(sw_counts_make_for(&r->reference, r->observer, segment, error));
    SW_TRY(sw_watch_counts(&r->live, watch, r->subject, r->segment, r->from_ms, r->to_ms, error));
    return sw_watch_reference(&r->reference, watch, r->subject, r->observer, r->segment, r->from_ms,
                              error);
}

sw_status sw_watch_report(sw_buf *json, sw_watch *watch, const sw_watch_subject *subject,
                          sw_str segment, uint32_t window_minutes, int64_t to_ms, sw_error *error) {
    uint32_t minutes = window_minutes == 0                   ? SW_WATCH_SUMMARY_MINUTES
                       : window_minutes > SW_WATCH_DAYS_KEPT ? SW_WATCH_DAYS_KEPT
                                                             : window_minutes;
    report r = {.subject = subject, .segment = segment};
    int64_t now_ms = (sw_watch_minute(watch) + 1) * MINUTE_MS;
    r.to_ms =
        to_ms > 0 && to_ms < now_ms ? (to_ms + MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS : now_ms;
    r.from_ms = r.to_ms - (int64_t)minutes * MINUTE_MS;
    SW_TRY(sw_observer_make(&r.observer, subject->signature, subject->profile, subject->settings,
                            error));
    sw_status status = sw_watch_know_segment(r.observer, segment, error);
    if (!sw_failed(status))
        status = fill_report(&r, watch, error);
    if (!sw_failed(status))
        write_report(json, &r, minutes);
    if (!sw_failed(status) && json->failed)
        status = sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for a report");
    sw_counts_free(&r.live);
    sw_counts_free(&r.reference);
    sw_observer_free(r.observer);
    return status;
}
