/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/compare.h"

#include <math.h>

static void write_signal(sw_json *w, sw_finding_kind kind, const sw_compared_signal *signal) {
    sw_json_begin_object(w);
    sw_json_add_text(w, "kind", sw_finding_kind_text(kind));
    sw_json_add_text(w, "test", signal->test);
    sw_json_add_f64(w, "statistic", signal->statistic);
    sw_json_add_f64(w, "p", signal->p);
    sw_json_add_f64(w, "p_corrected", signal->adjusted);
    sw_json_add_f64(w, "psi", signal->effect);
    if (kind != SW_FINDING_DISTRIBUTION) {
        sw_json_add_f64(w, "reference_share", signal->reference_share);
        sw_json_add_f64(w, "current_share", signal->current_share);
    }
    sw_json_add_bool(w, "drift", signal->drift);
    sw_json_end_object(w);
}

static void write_bins(sw_json *w, const sw_compared *column) {
    sw_json_key(w, "bins");
    sw_json_begin_array(w);
    for (size_t i = 0; i < column->bin_count; i++) {
        const sw_compared_bin *bin = &column->bins[i];
        sw_json_begin_object(w);
        if (column->kind == SW_COMPARED_NUMBER) {
            sw_json_add_f64(w, "from", bin->from);
            sw_json_add_f64(w, "to", bin->to);
        } else {
            sw_json_add_str(w, "label", bin->label);
        }
        sw_json_add_f64(w, "reference_share", bin->reference_share);
        sw_json_add_f64(w, "current_share", bin->current_share);
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static void add_pair(sw_json *w, const char *key, double reference, double current) {
    sw_json_key(w, key);
    sw_json_begin_object(w);
    sw_json_add_f64(w, "reference", reference);
    sw_json_add_f64(w, "current", current);
    sw_json_end_object(w);
}

static void write_verdict(sw_json *w, const sw_compared *column) {
    sw_json_add_str(w, "column", column->name);
    sw_json_add_text(w, "kind",
                     column->kind == SW_COMPARED_NUMBER     ? "number"
                     : column->kind == SW_COMPARED_CATEGORY ? "category"
                                                            : "text");
    sw_json_add_text(w, "test", column->test);
    sw_json_add_f64(w, "score", column->score);
    sw_json_add_f64(w, "threshold", column->threshold);
    if (column->defined)
        sw_json_add_bool(w, "drift", column->drift);
    else
        sw_json_add_null(w, "drift");
    if (column->reason)
        sw_json_add_text(w, "reason", column->reason);
}

static void write_column(sw_json *w, const sw_compared *column, bool signals) {
    sw_json_begin_object(w);
    write_verdict(w, column);
    sw_json_key(w, "rows");
    sw_json_begin_object(w);
    sw_json_add_u64(w, "reference", column->rows[0]);
    sw_json_add_u64(w, "current", column->rows[1]);
    sw_json_end_object(w);
    add_pair(w, "missing_share", (double)column->missing[0] / (double)column->rows[0],
             (double)column->missing[1] / (double)column->rows[1]);
    if (column->kind == SW_COMPARED_NUMBER)
        add_pair(w, "median", column->median[0], column->median[1]);
    sw_json_key(w, "effects");
    sw_json_begin_object(w);
    sw_json_add_f64(w, "psi", column->psi);
    sw_json_add_f64(w, "jensen_shannon", column->jensen_shannon);
    sw_json_add_f64(w, "hellinger", column->hellinger);
    if (column->kind == SW_COMPARED_NUMBER)
        sw_json_add_f64(w, "wasserstein_normed", column->wasserstein_normed);
    sw_json_end_object(w);
    if (signals) {
        sw_json_key(w, "signals");
        sw_json_begin_array(w);
        for (int i = 0; i < SW_FINDING_KINDS; i++)
            if (!isnan(column->signals[i].p))
                write_signal(w, (sw_finding_kind)i, &column->signals[i]);
        sw_json_end_array(w);
    }
    write_bins(w, column);
    sw_json_end_object(w);
}

void sw_compare_to_json(sw_json *w, const sw_comparison *comparison) {
    const sw_compare_options *options = &comparison->options;
    sw_json_key(w, "columns");
    sw_json_begin_array(w);
    for (size_t i = 0; i < comparison->column_count; i++)
        write_column(w, &comparison->columns[i], !options->evidently);
    sw_json_end_array(w);
    if (comparison->defined)
        sw_json_add_bool(w, "dataset_drift", comparison->dataset_drift);
    else
        sw_json_add_null(w, "dataset_drift");
    sw_json_add_f64(w, "share", comparison->share);
    sw_json_add_u64(w, "drifted", comparison->drifted);
    sw_json_add_text(w, "compat", options->evidently ? "evidently" : NULL);
    if (!options->evidently) {
        sw_json_add_f64(w, "alpha", options->alpha);
        sw_json_add_f64(w, "tolerance", options->tolerance);
    }
    sw_json_key(w, "columns_added");
    sw_json_begin_array(w);
    for (size_t i = 0; i < comparison->added_count; i++)
        sw_json_str(w, comparison->added[i]);
    sw_json_end_array(w);
}
