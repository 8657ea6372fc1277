/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observe_private.h"

#include "base/mem.h"
#include "watch/lanes_private.h"
#include "watch/summaries_private.h"

#include <math.h>
#include <stdlib.h>

typedef enum way { WAY_NONE, WAY_BINS, WAY_NUMBERS, WAY_SCORES, WAY_LABELS, WAY_MISSING } way;

typedef struct planned {
    uint32_t tensor;
    way way;
    sw_probe probe;
} planned;

/* What the plan is made from. */
typedef struct plan {
    sw_observer *observer;
    const sw_signature *signature;
    const sw_profile *profile;
    const sw_monitor_settings *settings;
    planned *features;
    uint32_t output_tables; /* given away so far; tables of features come behind */
    uint32_t feature_tables;
    sw_error *error;
} plan;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to watch a model's features");
}

/* ---- Columns ---- */

/* Appends a run of `bins` counters. */
static sw_counted *add_column(plan *p, sw_counted_kind kind, sw_str name, uint32_t bins) {
    sw_observer *observer = p->observer;
    sw_counted *column = &observer->columns[observer->column_count++];
    sw_privacy privacy = p->settings ? sw_monitor_privacy(p->settings, name) : SW_PRIVACY_KEEP;
    *column = (sw_counted){.kind = kind,
                           .name = name,
                           .first = observer->counter_count,
                           .bins = bins,
                           .labels = SW_NO_TABLE,
                           .dropped = privacy == SW_PRIVACY_DROP,
                           .hidden = privacy != SW_PRIVACY_KEEP};
    observer->counter_count += bins;
    return column;
}

static sw_probe probe_of(const plan *p, const sw_counted *counted, uint32_t column) {
    return (sw_probe){.column = column,
                      .first = counted->first,
                      .last = counted->bins - 1,
                      .counted = (uint32_t)(counted - p->observer->columns),
                      .labels = counted->hidden ? SW_NO_TABLE : counted->labels,
                      .centre = counted->centre};
}

/* ---- Bins of features ---- */

static sw_status make_keys(const void **out, plan *p, const sw_profile_column *column,
                           sw_dtype dtype) {
    double keys[SW_KEYS_MAX];
    size_t count = sw_bins_keys(keys, column);
    bool narrow = dtype == SW_FP32 || dtype == SW_FP16;
    void *table =
        sw_arena_alloc(&p->observer->arena, narrow ? sizeof(sw_keys32) : sizeof(sw_keys64));
    if (!table)
        return no_memory(p->error);
    if (narrow)
        sw_keys32_fill(table, keys, count);
    else
        sw_keys64_fill(table, keys, count);
    *out = table;
    return SW_OK;
}

static sw_status make_catalog(const void **out, plan *p, const sw_profile_column *column,
                              sw_dtype dtype) {
    sw_catalog *catalog = sw_arena_alloc(&p->observer->arena, sizeof *catalog);
    if (!catalog || !sw_catalog_make(catalog, column->values, column->value_count,
                                     dtype != SW_BYTES, &p->observer->arena))
        return no_memory(p->error);
    *out = catalog;
    return SW_OK;
}

static sw_status make_bins(planned *out, plan *p, const sw_profile_column *column, sw_str name,
                           sw_dtype dtype) {
    if (column->kind == SW_FEATURE_CATEGORY)
        return make_catalog(&out->probe.bins, p, column, dtype);
    if (dtype == SW_BYTES)
        return sw_fail(p->error, SW_CODE_INVALID,
                       "feature \"%.*s\" is numeric in the profile, but its input holds strings",
                       SW_STR_ARG(name));
    return make_keys(&out->probe.bins, p, column, dtype);
}

/* A table for values that the reference does not know; the widest models have some only. */
static uint32_t feature_table(plan *p) {
    if (p->feature_tables == SW_FEATURE_TABLES_MAX)
        return SW_NO_TABLE;
    return p->observer->output_label_count + p->feature_tables++;
}

/* ---- Features ---- */

static sw_status plan_profiled(planned *out, plan *p, const sw_feature *feature,
                               const sw_profile_column *column, sw_str name, sw_dtype dtype) {
    sw_counted *counted = add_column(p, SW_COUNTED_FEATURE, name, column->bin_count);
    counted->number = column->kind == SW_FEATURE_NUMERIC;
    counted->centre = counted->number && isfinite(column->mean) ? column->mean : 0;
    if (dtype == SW_BYTES)
        counted->labels = feature_table(p);
    out->probe = probe_of(p, counted, feature->column);
    out->way = counted->dropped                                           ? WAY_NONE
               : column->kind == SW_FEATURE_CATEGORY && dtype != SW_BYTES ? WAY_NUMBERS
                                                                          : WAY_BINS;
    return make_bins(out, p, column, name, dtype);
}

/* As an output: numbers get the bins of scores, strings a table. */
static void plan_bare(planned *out, plan *p, const sw_feature *feature, sw_str name,
                      sw_dtype dtype) {
    bool binned = p->signature->feature_count <= SW_UNPROFILED_BINS_MAX;
    bool table = dtype == SW_BYTES && p->feature_tables < SW_FEATURE_TABLES_MAX;
    sw_counted_kind kind = binned && dtype != SW_BYTES ? SW_COUNTED_SCORES
                           : binned && table           ? SW_COUNTED_LABELS
                                                       : SW_COUNTED_MISSING;
    sw_counted *counted = add_column(p, kind, name,
                                     kind == SW_COUNTED_SCORES   ? SW_SCORE_BINS
                                     : kind == SW_COUNTED_LABELS ? 0
                                                                 : 1);
    counted->number = kind == SW_COUNTED_SCORES;
    if (kind == SW_COUNTED_LABELS)
        counted->labels = feature_table(p);
    out->probe = probe_of(p, counted, feature->column);
    if (kind == SW_COUNTED_LABELS)
        out->probe.first = counted->labels;
    out->way = counted->dropped            ? WAY_NONE
               : kind == SW_COUNTED_SCORES ? WAY_SCORES
               : kind == SW_COUNTED_LABELS ? WAY_LABELS
                                           : WAY_MISSING;
}

static sw_status plan_feature(planned *out, plan *p, uint32_t index) {
    const sw_feature *feature = &p->signature->features[index];
    sw_str name = sw_arena_copy(&p->observer->arena, feature->name);
    if (!name.at)
        return no_memory(p->error);
    if (feature->input >= p->signature->input_count)
        return sw_fail(p->error, SW_CODE_INVALID, "feature \"%.*s\" belongs to no input",
                       SW_STR_ARG(name));
    sw_dtype dtype = p->signature->inputs[feature->input].dtype;
    out->tensor = feature->input;
    sw_status status = SW_OK;
    if (p->profile)
        status = plan_profiled(out, p, feature, &p->profile->columns[index], name, dtype);
    else
        plan_bare(out, p, feature, name, dtype);
    p->observer->columns[index].feature = true;
    if (p->signature->inputs[feature->input].content != SW_CONTENT_COLUMNS) {
        p->observer->columns[index].summarised = true;
        out->way = WAY_NONE;
    }
    return status;
}

/* ---- Lanes ---- */

static int by_lane(const void *left, const void *right) {
    const planned *a = left, *b = right;
    if (a->tensor != b->tensor)
        return a->tensor < b->tensor ? -1 : 1;
    if (a->way != b->way)
        return a->way < b->way ? -1 : 1;
    return (a->probe.column > b->probe.column) - (a->probe.column < b->probe.column);
}

/* Values in a row, or 0 where a dimension is open. */
static uint32_t width_of(const sw_tensor_spec *spec) {
    size_t width = 1;
    for (uint8_t i = 1; i < spec->rank; i++)
        if (spec->shape[i] < 0)
            return 0;
    if (spec->rank > 1 && !sw_shape_count(&width, spec->shape + 1, (size_t)spec->rank - 1))
        return 0;
    return width <= UINT32_MAX ? (uint32_t)width : 0;
}

static sw_lane *add_lane(sw_observer *observer, uint32_t tensor, const sw_tensor_spec *spec) {
    sw_lane *lane = &observer->lanes[observer->lane_count++];
    *lane = (sw_lane){.tensor = tensor, .dtype = spec->dtype, .width = width_of(spec)};
    size_t bytes = lane->width * sw_dtype_size(spec->dtype);
    /* Text lies in the request's memory, which goes with it. */
    if (spec->dtype != SW_BYTES && bytes <= SW_PENDING_ROW_BYTES_MAX)
        lane->pending_bytes = bytes;
    return lane;
}

static void add_probe(sw_lane *lane, sw_probe added) {
    lane->probes[lane->probe_count++] = added;
    lane->column_max = added.column > lane->column_max ? added.column : lane->column_max;
}

static sw_lane_fn *counter_of(way wanted, sw_dtype dtype) {
    switch (wanted) {
    case WAY_BINS: return sw_lane_of_bins(dtype);
    case WAY_NUMBERS: return sw_lane_numbers;
    case WAY_SCORES: return sw_lane_of_scores(dtype);
    case WAY_LABELS: return sw_lane_labels;
    default: return sw_lane_missing;
    }
}

/* A lane for each run of planned features that are counted alike. */
static sw_status make_lanes(plan *p) {
    sw_observer *observer = p->observer;
    uint32_t count = p->signature->feature_count;
    sw_probe *probes = sw_arena_zalloc(&observer->arena, count, sizeof *probes);
    if (count && !probes)
        return no_memory(p->error);
    if (count)
        qsort(p->features, count, sizeof *p->features, by_lane);
    const planned *before = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const planned *f = &p->features[i];
        if (f->way == WAY_NONE)
            continue;
        if (!before || f->tensor != before->tensor || f->way != before->way) {
            sw_lane *lane = add_lane(observer, f->tensor, &p->signature->inputs[f->tensor]);
            lane->count = counter_of(f->way, lane->dtype);
            lane->probes = probes + i;
        }
        add_probe(&observer->lanes[observer->lane_count - 1], f->probe);
        before = f;
    }
    return SW_OK;
}

/* ---- Segments ---- */

/* "age=q1" to "age=q4": by the quarters of the reference. */
static sw_status split_number(plan *p, const sw_profile_column *c, uint8_t *cells) {
    sw_observer *observer = p->observer;
    uint64_t values = c->rows - c->missing, sum = 0;
    for (uint32_t bin = 1; bin < c->bin_count; bin++) {
        uint64_t quarter = values ? (sum + c->counts[bin] / 2) * 4 / values : 0;
        cells[bin] = (uint8_t)(1 + (quarter < 3 ? quarter : 3));
        sum += c->counts[bin];
    }
    for (unsigned i = 1; i <= 4; i++) {
        sw_str name = sw_arena_printf(&observer->arena, "%.*s=q%u", SW_STR_ARG(c->name), i);
        if (!name.at)
            return no_memory(p->error);
        observer->segments[observer->segment_count++] = name;
    }
    return SW_OK;
}

/* "country=DE" for the most frequent values, "country=(other)" for the rest. */
static sw_status split_category(plan *p, const sw_profile_column *c, uint8_t *cells) {
    sw_observer *observer = p->observer;
    uint32_t shown =
        c->value_count < SW_SEGMENT_VALUES_MAX ? c->value_count : SW_SEGMENT_VALUES_MAX;
    for (uint32_t bin = 1; bin < c->bin_count; bin++) {
        uint32_t at = bin - SW_BIN_FIRST;
        cells[bin] = (uint8_t)(1 + (bin >= SW_BIN_FIRST && at < shown ? at : shown));
    }
    for (uint32_t i = 0; i <= shown; i++) {
        sw_str value = i < shown ? c->values[i] : SW_STR("(other)");
        sw_str name =
            sw_arena_printf(&observer->arena, "%.*s=%.*s", SW_STR_ARG(c->name), SW_STR_ARG(value));
        if (!name.at)
            return no_memory(p->error);
        observer->segments[observer->segment_count++] = name;
    }
    return SW_OK;
}

static const planned *planned_of(const plan *p, uint32_t counted) {
    for (uint32_t i = 0; i < p->signature->feature_count; i++)
        if (p->features[i].probe.counted == counted)
            return &p->features[i];
    return NULL;
}

/* A feature that is dropped, unknown, or has no reference splits nothing. */
static sw_status plan_segment(plan *p, sw_str name) {
    sw_observer *observer = p->observer;
    int32_t index = sw_signature_find(p->signature, name);
    const planned *f = index >= 0 ? planned_of(p, (uint32_t)index) : NULL;
    if (!f || f->way == WAY_NONE || observer->columns[index].hidden)
        return SW_OK;
    const sw_profile_column *column = &p->profile->columns[index];
    bool category = column->kind == SW_FEATURE_CATEGORY;
    uint32_t most = category ? SW_SEGMENT_VALUES_MAX + 1 : 4;
    uint64_t cells = 1 + (uint64_t)observer->segment_count + most;
    if (cells * observer->counter_count > SW_SEGMENT_COUNTERS_MAX)
        return SW_OK;
    uint8_t *cell_of = sw_arena_zalloc(&observer->arena, column->bin_count, 1);
    if (!cell_of)
        return no_memory(p->error);
    const sw_tensor_spec *spec = &p->signature->inputs[f->tensor];
    sw_splitter *s = &observer->splitters[observer->splitter_count++];
    *s = (sw_splitter){.tensor = f->tensor,
                       .width = width_of(spec),
                       .dtype = spec->dtype,
                       .probe = f->probe,
                       .category = category,
                       .cell_of = cell_of,
                       .first_cell = 1 + observer->segment_count};
    return category ? split_category(p, column, cell_of) : split_number(p, column, cell_of);
}

static sw_status plan_segments(plan *p) {
    uint32_t count = p->settings && p->profile ? p->settings->segment_count : 0;
    sw_observer *observer = p->observer;
    if (count == 0)
        return SW_OK;
    observer->splitters = sw_arena_zalloc(&observer->arena, count, sizeof *observer->splitters);
    observer->segments =
        sw_arena_zalloc(&observer->arena, SW_SEGMENT_CELLS_MAX, sizeof *observer->segments);
    if (!observer->splitters || !observer->segments)
        return no_memory(p->error);
    for (uint32_t i = 0; i < count && i < SW_SEGMENTS_MAX; i++)
        SW_TRY(plan_segment(p, p->settings->segments[i]));
    return SW_OK;
}

/* ---- Outputs ---- */

static bool is_float(sw_dtype dtype) {
    return dtype == SW_FP16 || dtype == SW_FP32 || dtype == SW_FP64;
}

/* "score", or "score[2]" or "score[setosa]" where it has several columns. */
static sw_str output_name(sw_observer *observer, const sw_tensor_spec *spec, uint32_t column,
                          uint32_t columns) {
    if (columns == 1)
        return sw_arena_copy(&observer->arena, spec->name);
    if (spec->labels && spec->label_count == columns)
        return sw_arena_printf(&observer->arena, "%.*s[%.*s]", SW_STR_ARG(spec->name),
                               SW_STR_ARG(spec->labels[column]));
    return sw_arena_printf(&observer->arena, "%.*s[%u]", SW_STR_ARG(spec->name), column);
}

static sw_status plan_output(plan *p, const sw_tensor_spec *spec, uint32_t index) {
    sw_observer *observer = p->observer;
    sw_lane *lane = add_lane(observer, index, spec);
    bool scores = is_float(spec->dtype);
    bool apart = scores && lane->width && lane->width <= SW_OUTPUT_COLUMNS_MAX;
    uint32_t columns = apart ? lane->width : 1;
    lane->output = true;
    lane->pooled = !apart;
    lane->count = scores ? sw_lane_scores : sw_lane_labels;
    lane->probes = sw_arena_zalloc(&observer->arena, columns, sizeof *lane->probes);
    if (!lane->probes)
        return no_memory(p->error);
    for (uint32_t i = 0; i < columns; i++) {
        sw_str name = output_name(observer, spec, i, columns);
        if (!name.at)
            return no_memory(p->error);
        sw_counted *counted = add_column(p, scores ? SW_COUNTED_SCORES : SW_COUNTED_LABELS, name,
                                         scores ? SW_SCORE_BINS : 0);
        counted->number = scores;
        counted->labels = scores ? SW_NO_TABLE : p->output_tables++;
        /* Numbers are classes; only text can tell what should not be told. */
        counted->hidden = counted->hidden && spec->dtype == SW_BYTES;
        sw_probe probe = probe_of(p, counted, i);
        probe.tails = scores;
        probe.first = scores ? counted->first : counted->labels;
        if (!counted->dropped)
            add_probe(lane, probe);
    }
    return SW_OK;
}

/* ---- Inputs that are no columns ---- */

static bool has_features(const sw_signature *signature, uint32_t input) {
    for (uint32_t i = 0; i < signature->feature_count; i++)
        if (signature->features[i].input == input)
            return true;
    return false;
}

static sw_status plan_summaries(plan *p, uint32_t input) {
    sw_observer *observer = p->observer;
    const sw_tensor_spec *spec = &p->signature->inputs[input];
    const char *const *names;
    if (spec->content == SW_CONTENT_COLUMNS && has_features(p->signature, input))
        return SW_OK;
    uint32_t count = sw_summary_names(&names, sw_summary_content(spec));
    sw_lane *lane = add_lane(observer, input, spec);
    lane->probes = sw_arena_zalloc(&observer->arena, count, sizeof *lane->probes);
    if (!lane->probes)
        return no_memory(p->error);
    for (uint32_t i = 0; i < count; i++) {
        sw_str name =
            sw_arena_printf(&observer->arena, "%.*s.%s", SW_STR_ARG(spec->name), names[i]);
        if (!name.at)
            return no_memory(p->error);
        sw_counted *counted = add_column(p, SW_COUNTED_SCORES, name, SW_SCORE_BINS);
        counted->number = true;
        counted->dropped =
            p->settings && sw_monitor_privacy(p->settings, spec->name) == SW_PRIVACY_DROP;
        sw_probe probe = probe_of(p, counted, i);
        probe.tails = true;
        if (!counted->dropped)
            add_probe(lane, probe);
    }
    return sw_summary_plan(lane, spec, &observer->arena) ? SW_OK : no_memory(p->error);
}

/* ---- The whole ---- */

static sw_status make_tables(plan *p) {
    const sw_signature *s = p->signature;
    sw_observer *observer = p->observer;
    size_t columns = s->feature_count + (size_t)s->output_count * SW_OUTPUT_COLUMNS_MAX +
                     (size_t)s->input_count * SW_SUMMARIES_MAX;
    size_t lanes = (size_t)s->feature_count + s->output_count + s->input_count;
    observer->columns = sw_arena_zalloc(&observer->arena, columns, sizeof *observer->columns);
    observer->lanes = sw_arena_zalloc(&observer->arena, lanes, sizeof *observer->lanes);
    observer->feature_count = s->feature_count;
    for (uint32_t i = 0; i < s->output_count; i++)
        observer->output_label_count += !is_float(s->outputs[i].dtype);
    return (columns && !observer->columns) || (lanes && !observer->lanes) ? no_memory(p->error)
                                                                          : SW_OK;
}

static sw_status make_plan(plan *p) {
    const sw_signature *s = p->signature;
    sw_observer *observer = p->observer;
    if (p->profile && p->profile->column_count != s->feature_count)
        return sw_fail(p->error, SW_CODE_INVALID,
                       "the profile has %u columns, the signature %u features",
                       p->profile->column_count, s->feature_count);
    SW_TRY(make_tables(p));
    for (uint32_t i = 0; i < s->feature_count; i++)
        SW_TRY(plan_feature(&p->features[i], p, i));
    for (uint32_t i = 0; i < s->output_count; i++)
        SW_TRY(plan_output(p, &s->outputs[i], i));
    for (uint32_t i = 0; i < s->input_count; i++)
        SW_TRY(plan_summaries(p, i));
    SW_TRY(plan_segments(p));
    observer->label_count = observer->output_label_count + p->feature_tables;
    observer->distinct = observer->column_count <= SW_DISTINCT_COLUMNS_MAX;
    return make_lanes(p);
}

sw_status sw_observer_make(sw_observer **out, const sw_signature *signature,
                           const sw_profile *profile, const sw_monitor_settings *settings,
                           sw_error *error) {
    sw_observer *observer = sw_mem_zalloc(1, sizeof *observer);
    plan p = {.observer = observer,
              .signature = signature,
              .profile = profile,
              .settings = settings,
              .error = error};
    p.features = sw_mem_zalloc(signature->feature_count, sizeof *p.features);
    sw_status status = no_memory(error);
    if (observer && p.features) {
        sw_arena_init(&observer->arena, 4096);
        status = make_plan(&p);
    }
    sw_mem_free(p.features);
    if (sw_failed(status))
        sw_observer_free(observer);
    else
        *out = observer;
    return status;
}

void sw_observer_free(sw_observer *observer) {
    if (!observer)
        return;
    sw_arena_free(&observer->arena);
    sw_mem_free(observer);
}
