/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/display_private.h"
#include "watch/watch_private.h"
#include "watch/windows_private.h"

#include "base/json.h"

#include <math.h>

/* ---- The window's counts ---- */

static sw_status add_row(const sw_window_row *row, void *context, sw_error *error) {
    (void)error;
    /* A damaged row is as good as none: the rest is still true. */
    sw_status status = sw_counts_add_encoded(context, row->counts, NULL);
    (void)status;
    return SW_OK;
}

/* From memory where the version serves and the window is short, else from the database. */
static sw_status window_counts(sw_counts *into, sw_watch *watch, sw_str model, uint32_t version,
                               sw_str hash, uint32_t minutes, sw_error *error) {
    sw_status status = {SW_CODE_NOT_FOUND};
    if (minutes <= SW_WATCH_RING)
        status = sw_watch_sum(into, watch, model, version, hash, minutes, error);
    if (status.code != SW_CODE_NOT_FOUND)
        return status;
    return sw_windows_read(watch->db, model, version, hash, sw_watch_minute(watch) - minutes + 1,
                           add_row, into, error);
}

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

typedef struct column_report {
    sw_str name;
    bool category;
    const sw_verdict *verdict;
    uint64_t rows;
    double median, reference_median;
    const sw_bar *bars;
    size_t bar_count;
} column_report;

static void add_column(sw_json *w, const column_report *c) {
    const sw_verdict *v = c->verdict;
    sw_json_begin_object(w);
    sw_json_add_str(w, "name", c->name);
    sw_json_add_text(w, "kind", c->category ? "category" : "numeric");
    sw_json_add_text(w, "state", sw_watch_state_text(v->state));
    sw_json_add_text(w, "why", v->why);
    add_share(w, "psi", v->psi);
    sw_json_add_u64(w, "rows", c->rows);
    add_share(w, "missing_share", v->missing);
    add_share(w, "out_of_range_share", v->outside);
    add_share(w, "reference_missing_share", v->reference_missing);
    sw_json_add_f64(w, "median", c->median);
    sw_json_add_f64(w, "reference_median", c->reference_median);
    add_bars(w, c->bars, c->bar_count, v->state != SW_WATCH_UNWATCHED);
    sw_json_end_object(w);
}

static void add_feature(sw_json *w, const sw_counted *counted, sw_feature_kind kind,
                        const sw_profile_column *reference, const uint64_t *live, uint64_t rows) {
    sw_bar bars[SW_DISPLAY_BINS];
    sw_verdict verdict = sw_watch_judge(reference, live, rows);
    add_column(w, &(column_report){
                      .name = counted->name,
                      .category = kind == SW_FEATURE_CATEGORY,
                      .verdict = &verdict,
                      .rows = rows,
                      .median = reference ? sw_display_median(reference, live) : NAN,
                      .reference_median =
                          reference ? sw_display_median(reference, reference->counts) : NAN,
                      .bars = bars,
                      .bar_count = reference ? sw_display_feature(bars, reference, live) : 0,
                  });
}

static void add_output(sw_json *w, const sw_counted *counted, const sw_counts *counts) {
    sw_bar bars[SW_DISPLAY_BINS];
    bool labels = counted->kind == SW_COUNTED_LABELS;
    const uint64_t *live = counts->bins + counted->first;
    const sw_labels *table = labels ? &counts->labels[counted->labels] : NULL;
    uint64_t missing = labels ? table->missing : live[SW_BIN_MISSING],
             values = labels ? table->others : 0;
    for (uint32_t i = 0; labels && i < SW_LABEL_SLOTS; i++)
        values += table->slots[i].count;
    for (uint32_t i = 1; !labels && i < counted->bins; i++)
        values += live[i];
    sw_verdict verdict = {
        .state = SW_WATCH_UNWATCHED,
        .psi = NAN,
        .outside = NAN,
        .reference_missing = NAN,
        .missing = missing + values ? (double)missing / (double)(missing + values) : NAN,
        .why = "outputs have no reference: they are shown, not judged",
    };
    add_column(
        w, &(column_report){
               .name = counted->name,
               .category = labels,
               .verdict = &verdict,
               .rows = counts->rows,
               .median = labels ? NAN : sw_display_scores_median(live),
               .reference_median = NAN,
               .bars = bars,
               .bar_count = labels ? sw_display_labels(bars, table) : sw_display_scores(bars, live),
           });
}

/* ---- The whole ---- */

static sw_watch_state worst_of(const sw_observer *observer, const sw_profile *profile,
                               const sw_counts *counts) {
    sw_watch_state worst = SW_WATCH_UNWATCHED;
    for (uint32_t i = 0; profile && i < observer->feature_count; i++) {
        sw_verdict v = sw_watch_judge(&profile->columns[i],
                                      counts->bins + observer->columns[i].first, counts->rows);
        worst = v.state > worst ? v.state : worst;
    }
    return sw_watch_overall(profile != NULL, counts->rows, worst);
}

static void write_report(sw_buf *json, sw_str model, uint32_t version,
                         const sw_signature *signature, const sw_profile *profile,
                         const sw_observer *observer, const sw_counts *counts, uint32_t minutes) {
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", model);
    sw_json_add_u64(&w, "version", version);
    sw_json_add_u64(&w, "window_minutes", minutes);
    sw_json_add_u64(&w, "rows", counts->rows);
    sw_json_add_text(&w, "state", sw_watch_state_text(worst_of(observer, profile, counts)));
    sw_json_add_u64(&w, "rows_min", SW_WATCH_ROWS_MIN);
    sw_json_key(&w, "features");
    sw_json_begin_array(&w);
    for (uint32_t i = 0; i < observer->feature_count; i++)
        add_feature(&w, &observer->columns[i],
                    profile ? profile->columns[i].kind : signature->features[i].kind,
                    profile ? &profile->columns[i] : NULL,
                    counts->bins + observer->columns[i].first, counts->rows);
    sw_json_end_array(&w);
    sw_json_key(&w, "outputs");
    sw_json_begin_array(&w);
    for (uint32_t i = observer->feature_count; i < observer->column_count; i++)
        add_output(&w, &observer->columns[i], counts);
    sw_json_end_array(&w);
    sw_json_end_object(&w);
}

sw_status sw_watch_report(sw_buf *json, sw_watch *watch, sw_str model, uint32_t version,
                          const sw_signature *signature, const sw_profile *profile,
                          sw_str profile_hash, uint32_t window_minutes, sw_error *error) {
    const uint32_t most = SW_WATCH_DAYS * 24 * 60;
    uint32_t minutes = window_minutes == 0     ? SW_WATCH_SUMMARY_MINUTES
                       : window_minutes > most ? most
                                               : window_minutes;
    sw_observer *observer;
    sw_counts counts;
    SW_TRY(sw_observer_make(&observer, signature, profile, error));
    sw_status status =
        sw_counts_make(&counts, observer->counter_count, observer->label_count, error);
    if (!sw_failed(status)) {
        status = window_counts(&counts, watch, model, version, profile_hash, minutes, error);
        if (!sw_failed(status))
            write_report(json, model, version, signature, profile, observer, &counts, minutes);
        if (!sw_failed(status) && json->failed)
            status = sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for a report");
        sw_counts_free(&counts);
    }
    sw_observer_free(observer);
    return status;
}
