/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/profile_outputs_private.h"

#include <math.h>

/*
 * "scored": 10000, "outputs": [
 *   {"name": "score", "bins": [[163, 41], …], "mean", "stddev", "min", "max"},
 *   {"name": "label", "values": [["yes", 41], …], "missing", "others"}]
 */
enum { OUTPUTS_MAX = 1 << 16 };

/* ---- From counts ---- */

static bool from_scores(sw_profile_output *out, const sw_counted *counted, const sw_counts *counts,
                        uint32_t column, sw_arena *arena) {
    const uint64_t *bins = counts->bins + counted->first;
    const sw_moments *m = &counts->moments[column];
    out->bins = sw_arena_zalloc(arena, counted->bins, sizeof *out->bins);
    out->counts = sw_arena_zalloc(arena, counted->bins, sizeof *out->counts);
    if (!out->bins || !out->counts)
        return false;
    for (uint32_t i = 0; i < counted->bins; i++) {
        if (bins[i] == 0)
            continue;
        out->bins[out->count] = i;
        out->counts[out->count++] = bins[i];
    }
    double n = (double)m->count, mean = m->sum / n;
    double spread = m->squares / n - mean * mean;
    out->mean = m->count ? mean : NAN;
    out->stddev = m->count ? sqrt(spread > 0 ? spread : 0) : NAN;
    out->min = m->count ? m->min : NAN;
    out->max = m->count ? m->max : NAN;
    return true;
}

static bool from_labels(sw_profile_output *out, const sw_labels *labels, sw_arena *arena) {
    out->labels = true;
    out->missing = labels->missing;
    out->others = labels->others;
    out->values = sw_arena_zalloc(arena, SW_LABELS_MAX, sizeof *out->values);
    out->counts = sw_arena_zalloc(arena, SW_LABELS_MAX, sizeof *out->counts);
    if (!out->values || !out->counts)
        return false;
    for (uint32_t i = 0; i < SW_LABEL_SLOTS; i++) {
        const sw_label *label = &labels->slots[i];
        if (label->count == 0)
            continue;
        sw_str value = sw_arena_copy(arena, (sw_str){label->text, label->len});
        if (!value.at)
            return false;
        out->values[out->count] = value;
        out->counts[out->count++] = label->count;
    }
    return true;
}

static bool take(sw_profile *profile, const sw_observer *observer, const sw_counts *counts,
                 sw_arena *arena) {
    uint32_t count = observer->column_count - observer->feature_count;
    profile->outputs = sw_arena_zalloc(arena, count, sizeof *profile->outputs);
    profile->output_count = 0;
    profile->scored = counts->rows;
    if (count && !profile->outputs)
        return false;
    for (uint32_t i = observer->feature_count; i < observer->column_count; i++) {
        const sw_counted *counted = &observer->columns[i];
        sw_profile_output *out = &profile->outputs[profile->output_count++];
        out->name = sw_arena_copy(arena, counted->name);
        bool good = counted->kind == SW_COUNTED_LABELS
                        ? from_labels(out, &counts->labels[counted->labels], arena)
                        : from_scores(out, counted, counts, i, arena);
        if (!good || !out->name.at)
            return false;
    }
    return true;
}

sw_status sw_profile_outputs_count(sw_profile *profile, sw_shard *shard, sw_arena *arena,
                                   sw_error *error) {
    sw_counts counts;
    SW_TRY(sw_counts_make_for(&counts, shard->observer, false, error));
    sw_counts_take(&counts, shard, 0);
    bool good = counts.rows == 0 || take(profile, shard->observer, &counts, arena);
    sw_counts_free(&counts);
    return good ? SW_OK
                : sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for a profile's outputs");
}

/* ---- Into counts ---- */

static void add_scores(sw_counts *into, const sw_counted *counted, uint32_t column,
                       const sw_profile_output *out) {
    sw_moments m = {.min = out->min, .max = out->max};
    for (uint32_t i = 0; i < out->count; i++) {
        if (out->bins[i] >= counted->bins)
            continue;
        into->bins[counted->first + out->bins[i]] += out->counts[i];
        m.count += out->bins[i] == SW_BIN_MISSING ? 0 : out->counts[i];
    }
    if (isnan(out->mean))
        return;
    m.sum = out->mean * (double)m.count;
    m.squares = (out->stddev * out->stddev + out->mean * out->mean) * (double)m.count;
    sw_moments_merge(&into->moments[column], &m);
}

static void add_labels(sw_labels *into, const sw_profile_output *out) {
    into->missing += out->missing;
    into->others += out->others;
    for (uint32_t i = 0; i < out->count; i++)
        sw_labels_add(into, out->values[i], out->counts[i]);
}

void sw_profile_outputs_add(sw_counts *into, const sw_observer *observer,
                            const sw_profile *profile) {
    for (uint32_t i = observer->feature_count; i < observer->column_count; i++) {
        const sw_counted *counted = &observer->columns[i];
        for (uint32_t k = 0; k < profile->output_count; k++) {
            const sw_profile_output *out = &profile->outputs[k];
            bool labels = counted->kind == SW_COUNTED_LABELS;
            if (labels != out->labels || !sw_str_eq(counted->name, out->name))
                continue;
            if (labels)
                add_labels(&into->labels[counted->labels], out);
            else
                add_scores(into, counted, i, out);
            break;
        }
    }
}

/* ---- JSON ---- */

static void write_pairs(sw_json *w, const sw_profile_output *out) {
    sw_json_key(w, out->labels ? "values" : "bins");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < out->count; i++) {
        sw_json_begin_array(w);
        if (out->labels)
            sw_json_str(w, out->values[i]);
        else
            sw_json_u64(w, out->bins[i]);
        sw_json_u64(w, out->counts[i]);
        sw_json_end_array(w);
    }
    sw_json_end_array(w);
}

void sw_profile_outputs_write(sw_json *w, const sw_profile *profile) {
    if (profile->scored == 0)
        return;
    sw_json_add_u64(w, "scored", profile->scored);
    sw_json_key(w, "outputs");
    sw_json_begin_array(w);
    for (uint32_t i = 0; i < profile->output_count; i++) {
        const sw_profile_output *out = &profile->outputs[i];
        sw_json_begin_object(w);
        sw_json_add_str(w, "name", out->name);
        write_pairs(w, out);
        if (out->labels) {
            sw_json_add_u64(w, "missing", out->missing);
            sw_json_add_u64(w, "others", out->others);
        } else {
            sw_json_add_f64(w, "mean", out->mean);
            sw_json_add_f64(w, "stddev", out->stddev);
            sw_json_add_f64(w, "min", out->min);
            sw_json_add_f64(w, "max", out->max);
        }
        sw_json_end_object(w);
    }
    sw_json_end_array(w);
}

static bool get_count(uint64_t *out, const json_t *value) {
    json_int_t x = json_is_integer(value) ? json_integer_value(value) : -1;
    *out = (uint64_t)x;
    return x >= 0 && x <= INT64_C(1) << 52;
}

static double number_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool read_pair(sw_profile_output *out, uint32_t at, const json_t *pair, sw_arena *arena) {
    const json_t *what = json_array_get(pair, 0);
    uint64_t bin = 0;
    if (!get_count(&out->counts[at], json_array_get(pair, 1)))
        return false;
    if (!out->labels) {
        bool good =
            get_count(&bin, what) && bin < SW_SCORE_BINS && (at == 0 || bin > out->bins[at - 1]);
        out->bins[at] = (uint32_t)bin;
        return good;
    }
    if (!json_is_string(what))
        return false;
    out->values[at] =
        sw_arena_copy(arena, (sw_str){json_string_value(what), json_string_length(what)});
    return out->values[at].at != NULL && out->values[at].len <= SW_LABEL_BYTES_MAX;
}

static bool read_output(sw_profile_output *out, const json_t *from, sw_arena *arena) {
    const json_t *name = json_object_get(from, "name"), *bins = json_object_get(from, "bins"),
                 *values = json_object_get(from, "values"), *pairs = bins ? bins : values;
    size_t count = json_array_size(pairs);
    *out = (sw_profile_output){.labels = bins == NULL,
                               .mean = number_of(from, "mean"),
                               .stddev = number_of(from, "stddev"),
                               .min = number_of(from, "min"),
                               .max = number_of(from, "max")};
    if (!json_is_string(name) || !json_is_array(pairs) ||
        count > (out->labels ? (size_t)SW_LABELS_MAX : (size_t)SW_SCORE_BINS))
        return false;
    /* Moments are all there, or none. */
    if (isnan(out->mean) || isnan(out->stddev) || isnan(out->min) || !(out->max >= out->min))
        out->mean = out->stddev = out->min = out->max = NAN;
    if (out->labels && (!get_count(&out->missing, json_object_get(from, "missing")) ||
                        !get_count(&out->others, json_object_get(from, "others"))))
        return false;
    out->name = sw_arena_copy(arena, (sw_str){json_string_value(name), json_string_length(name)});
    out->bins = sw_arena_zalloc(arena, count, sizeof *out->bins);
    out->values = sw_arena_zalloc(arena, count, sizeof *out->values);
    out->counts = sw_arena_zalloc(arena, count, sizeof *out->counts);
    if (!out->name.at || (count && (!out->bins || !out->values || !out->counts)))
        return false;
    for (; out->count < count; out->count++)
        if (!read_pair(out, out->count, json_array_get(pairs, out->count), arena))
            return false;
    return true;
}

sw_status sw_profile_outputs_read(sw_profile *out, const json_t *root, sw_arena *arena,
                                  sw_error *error) {
    const json_t *list = json_object_get(root, "outputs");
    size_t count = json_array_size(list);
    if (!list)
        return SW_OK;
    if (!get_count(&out->scored, json_object_get(root, "scored")) || count > OUTPUTS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "profile: \"outputs\" need \"scored\", how many rows "
                       "they were counted from");
    out->outputs = sw_arena_zalloc(arena, count, sizeof *out->outputs);
    if (count && !out->outputs)
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to read a profile");
    for (; out->output_count < count; out->output_count++)
        if (!read_output(&out->outputs[out->output_count], json_array_get(list, out->output_count),
                         arena))
            return sw_fail(error, SW_CODE_INVALID,
                           "profile: output %u is damaged: it needs a \"name\", and \"bins\" or "
                           "\"values\" with counts",
                           out->output_count + 1);
    return SW_OK;
}
