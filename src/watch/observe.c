/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observe_private.h"

#include "base/mem.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

/*
 * A lane is one tensor and one way of counting its values; a probe is one column of it. One row is
 * counted probe after probe; many rows go in blocks that fit the first-level cache, a probe at a
 * time, so that its keys stay at hand.
 */
enum { ROWS_PER_BLOCK = 64 };

typedef struct probe {
    uint32_t column;  /* of the tensor's row */
    uint32_t first;   /* counter of bin 0 */
    const void *bins; /* sw_keys32, sw_keys64 or sw_catalog */
} probe;

/* Where a lane's values lie: rows of `width`, from the block's first row. */
typedef struct span {
    void *data; /* read only */
    size_t width, rows;
} span;

struct sw_lane {
    void (*count)(const sw_lane *lane, sw_shard *shard, span at);
    probe *probes;
    uint32_t probe_count, tensor, column_max;
    uint32_t width; /* values in a row; 0: any number */
    sw_dtype dtype;
    bool output, pooled; /* pooled: all values of a row are one column */
};

/* ---- Numbers into bins ---- */

#define BIN_LANE(name, type, keys_type, bin_of)                               \
    static void count_##name(const sw_lane *lane, sw_shard *shard, span at) { \
        for (uint32_t i = 0; i < lane->probe_count; i++) {                    \
            const probe *p = &lane->probes[i];                                \
            const keys_type *keys = p->bins;                                  \
            const type *x = (const type *)at.data + p->column;                \
            uint32_t *counts = shard->counts + p->first;                      \
            for (size_t row = 0; row < at.rows; row++, x += at.width)         \
                counts[bin_of]++;                                             \
        }                                                                     \
    }

BIN_LANE(f32, float, sw_keys32, sw_keys32_bin(keys, *x))
BIN_LANE(f16, uint16_t, sw_keys32, sw_keys32_bin(keys, sw_fp16_to_f32(*x)))
BIN_LANE(f64, double, sw_keys64, sw_keys64_bin(keys, *x))
BIN_LANE(u8, uint8_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(u16, uint16_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(u32, uint32_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(u64, uint64_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(i8, int8_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(i16, int16_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(i32, int32_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(i64, int64_t, sw_keys64, sw_keys64_bin(keys, (double)*x))
BIN_LANE(text, sw_str, sw_catalog, sw_catalog_find_text(keys, *x))

typedef void count_fn(const sw_lane *lane, sw_shard *shard, span at);

static count_fn *const bin_lanes[SW_DTYPE_COUNT] = {
    [SW_BOOL] = count_u8,    [SW_UINT8] = count_u8,   [SW_UINT16] = count_u16,
    [SW_UINT32] = count_u32, [SW_UINT64] = count_u64, [SW_INT8] = count_i8,
    [SW_INT16] = count_i16,  [SW_INT32] = count_i32,  [SW_INT64] = count_i64,
    [SW_FP16] = count_f16,   [SW_FP32] = count_f32,   [SW_FP64] = count_f64,
    [SW_BYTES] = count_text,
};

/* ---- The rarer lanes, a value at a time ---- */

static sw_tensor as_tensor(const sw_lane *lane, span at) {
    return (sw_tensor){.dtype = lane->dtype, .count = at.rows * at.width, .data = at.data};
}

/* Categories that are numbers. */
static void count_numbers(const sw_lane *lane, sw_shard *shard, span at) {
    sw_tensor tensor = as_tensor(lane, at);
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const probe *p = &lane->probes[i];
        for (size_t row = 0; row < at.rows; row++) {
            double x = sw_tensor_f64(&tensor, row * at.width + p->column);
            shard->counts[p->first + sw_catalog_find_number(p->bins, x)]++;
        }
    }
}

/* Features without a reference: missing values alone. */
static void count_missing(const sw_lane *lane, sw_shard *shard, span at) {
    sw_tensor tensor = as_tensor(lane, at);
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const probe *p = &lane->probes[i];
        for (size_t row = 0; row < at.rows; row++) {
            size_t value = row * at.width + p->column;
            bool missing = lane->dtype == SW_BYTES ? ((const sw_str *)at.data)[value].len == 0
                                                   : isnan(sw_tensor_f64(&tensor, value));
            shard->counts[p->first] += missing;
        }
    }
}

/* How many values of a row a probe of an output looks at. */
static size_t row_values(const sw_lane *lane, size_t width) {
    if (!lane->pooled)
        return 1;
    return width < SW_OUTPUT_POOLED_MAX ? width : SW_OUTPUT_POOLED_MAX;
}

static void count_scores(const sw_lane *lane, sw_shard *shard, span at) {
    sw_tensor tensor = as_tensor(lane, at);
    size_t values = row_values(lane, at.width);
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const probe *p = &lane->probes[i];
        for (size_t row = 0; row < at.rows; row++)
            for (size_t value = row * at.width + p->column, n = values; n > 0; n--, value++)
                shard->counts[p->first + sw_score_bin(sw_tensor_f64(&tensor, value))]++;
    }
}

static int64_t whole_at(const sw_tensor *tensor, size_t at) {
    switch (tensor->dtype) {
    case SW_INT64: return ((const int64_t *)tensor->data)[at];
    case SW_UINT64: return (int64_t)((const uint64_t *)tensor->data)[at];
    default: return (int64_t)sw_tensor_f64(tensor, at);
    }
}

static size_t print_whole(char *text, sw_dtype dtype, int64_t x) {
    if (dtype == SW_BOOL) {
        memcpy(text, x ? "true" : "false", 5);
        return x ? 4 : 5;
    }
    return dtype == SW_UINT64 ? sw_num_print_u64(text, (uint64_t)x) : sw_num_print_i64(text, x);
}

/* Slots are found by the number; its text is made once, for the merge. */
static void add_whole(sw_labels *labels, sw_dtype dtype, int64_t x) {
    uint64_t hash = sw_hash_mix((uint64_t)x, 0);
    sw_label *label;
    for (uint32_t at = (uint32_t)hash;; at++) {
        label = &labels->slots[at % SW_LABEL_SLOTS];
        if (label->count == 0 || label->number == x)
            break;
    }
    if (label->count == 0) {
        if (labels->used == SW_LABELS_MAX) {
            labels->others++;
            return;
        }
        labels->used++;
        label->number = x;
        label->len = (uint8_t)print_whole(label->text, dtype, x);
    }
    label->count++;
}

/* Its one probe is all values of a row. */
static void count_labels(const sw_lane *lane, sw_shard *shard, span at) {
    sw_tensor tensor = as_tensor(lane, at);
    sw_labels *labels = &shard->labels[lane->probes[0].first];
    size_t values = row_values(lane, at.width);
    for (size_t row = 0; row < at.rows; row++)
        for (size_t value = row * at.width, n = values; n > 0; n--, value++) {
            if (lane->dtype == SW_BYTES)
                sw_labels_add(labels, ((const sw_str *)at.data)[value], 1);
            else
                add_whole(labels, lane->dtype, whole_at(&tensor, value));
        }
}

/* ---- Counting ---- */

static void count_lane(const sw_lane *lane, sw_shard *shard, const sw_tensor *tensor, size_t rows) {
    size_t width = lane->width ? lane->width
                   : rows == 1 ? tensor->count
                               : tensor->count / rows,
           need;
    /* Shapes were checked when the request came in; what does not fit all the same is left out. */
    if (tensor->dtype != lane->dtype || width <= lane->column_max ||
        __builtin_mul_overflow(rows, width, &need) || tensor->count < need)
        return;
    size_t row_bytes = width * sw_dtype_size(lane->dtype);
    char *data = tensor->data;
    for (size_t row = 0; row < rows; row += ROWS_PER_BLOCK) {
        size_t left = rows - row;
        lane->count(
            lane, shard,
            (span){data + row * row_bytes, width, left < ROWS_PER_BLOCK ? left : ROWS_PER_BLOCK});
    }
}

void sw_observe(sw_shard *shard, const sw_tensor *inputs, const sw_tensor *outputs, size_t rows) {
    const sw_observer *observer = shard->observer;
    if (rows == 0)
        return;
    shard->rows += rows;
    for (uint32_t i = 0; i < observer->lane_count; i++) {
        const sw_lane *lane = &observer->lanes[i];
        count_lane(lane, shard, lane->output ? &outputs[lane->tensor] : &inputs[lane->tensor],
                   rows);
    }
}

/* ---- The plan ---- */

typedef enum way { WAY_BINS, WAY_NUMBERS, WAY_MISSING } way;

typedef struct planned {
    uint32_t tensor;
    way way;
    probe probe;
} planned;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to watch a model's features");
}

static sw_status make_keys(const void **out, sw_observer *observer, const sw_profile_column *column,
                           sw_dtype dtype, sw_error *error) {
    double keys[SW_KEYS_MAX];
    size_t count = sw_bins_keys(keys, column);
    bool narrow = dtype == SW_FP32 || dtype == SW_FP16;
    void *table = sw_arena_alloc(&observer->arena, narrow ? sizeof(sw_keys32) : sizeof(sw_keys64));
    if (!table)
        return no_memory(error);
    if (narrow)
        sw_keys32_fill(table, keys, count);
    else
        sw_keys64_fill(table, keys, count);
    *out = table;
    return SW_OK;
}

static sw_status make_catalog(const void **out, sw_observer *observer,
                              const sw_profile_column *column, sw_dtype dtype, sw_error *error) {
    sw_catalog *catalog = sw_arena_alloc(&observer->arena, sizeof *catalog);
    if (!catalog || !sw_catalog_make(catalog, column->values, column->value_count,
                                     dtype != SW_BYTES, &observer->arena))
        return no_memory(error);
    *out = catalog;
    return SW_OK;
}

/* Appends a run of `bins` counters. */
static sw_counted *add_column(sw_observer *observer, sw_counted_kind kind, sw_str name,
                              uint32_t bins) {
    sw_counted *column = &observer->columns[observer->column_count++];
    *column =
        (sw_counted){.kind = kind, .name = name, .first = observer->counter_count, .bins = bins};
    observer->counter_count += bins;
    return column;
}

static sw_status plan_feature(planned *out, sw_observer *observer, const sw_feature *feature,
                              const sw_profile_column *column, sw_dtype dtype, sw_error *error) {
    sw_str name = sw_arena_copy(&observer->arena, feature->name);
    if (!name.at)
        return no_memory(error);
    sw_counted *counted =
        add_column(observer, SW_COUNTED_FEATURE, name, column ? column->bin_count : 1);
    *out = (planned){feature->input, WAY_MISSING, {feature->column, counted->first, NULL}};
    if (!column)
        return SW_OK;
    out->way = column->kind == SW_FEATURE_CATEGORY && dtype != SW_BYTES ? WAY_NUMBERS : WAY_BINS;
    if (column->kind == SW_FEATURE_CATEGORY)
        return make_catalog(&out->probe.bins, observer, column, dtype, error);
    if (dtype == SW_BYTES)
        return sw_fail(error, SW_CODE_INVALID,
                       "feature \"%.*s\" is numeric in the profile, but its input holds strings",
                       SW_STR_ARG(name));
    return make_keys(&out->probe.bins, observer, column, dtype, error);
}

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
    return lane;
}

static void add_probe(sw_lane *lane, probe added) {
    lane->probes[lane->probe_count++] = added;
    lane->column_max = added.column > lane->column_max ? added.column : lane->column_max;
}

static count_fn *counter_of(way wanted, sw_dtype dtype) {
    return wanted == WAY_BINS      ? bin_lanes[dtype]
           : wanted == WAY_NUMBERS ? count_numbers
                                   : count_missing;
}

/* A lane for each run of planned features that are counted alike. */
static sw_status make_lanes(sw_observer *observer, planned *features, const sw_signature *signature,
                            sw_error *error) {
    uint32_t count = signature->feature_count;
    probe *probes = sw_arena_zalloc(&observer->arena, count, sizeof *probes);
    if (count && !probes)
        return no_memory(error);
    if (count)
        qsort(features, count, sizeof *features, by_lane);
    for (uint32_t i = 0; i < count; i++) {
        const planned *f = &features[i];
        if (i == 0 || f->tensor != f[-1].tensor || f->way != f[-1].way) {
            sw_lane *lane = add_lane(observer, f->tensor, &signature->inputs[f->tensor]);
            lane->count = counter_of(f->way, lane->dtype);
            lane->probes = probes + i;
        }
        add_probe(&observer->lanes[observer->lane_count - 1], f->probe);
    }
    return SW_OK;
}

static sw_status plan_features(sw_observer *observer, const sw_signature *signature,
                               const sw_profile *profile, sw_error *error) {
    uint32_t count = signature->feature_count;
    planned *features = sw_mem_alloc(count * sizeof *features);
    if (!features)
        return no_memory(error);
    sw_status status = SW_OK;
    for (uint32_t i = 0; i < count && !sw_failed(status); i++) {
        const sw_feature *feature = &signature->features[i];
        status = feature->input < signature->input_count
                     ? plan_feature(&features[i], observer, feature,
                                    profile ? &profile->columns[i] : NULL,
                                    signature->inputs[feature->input].dtype, error)
                     : sw_fail(error, SW_CODE_INVALID, "feature \"%.*s\" belongs to no input",
                               SW_STR_ARG(feature->name));
    }
    observer->feature_count = count;
    if (!sw_failed(status))
        status = make_lanes(observer, features, signature, error);
    sw_mem_free(features);
    return status;
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

static sw_status plan_output(sw_observer *observer, const sw_tensor_spec *spec, uint32_t index,
                             sw_error *error) {
    sw_lane *lane = add_lane(observer, index, spec);
    bool scores = spec->dtype == SW_FP16 || spec->dtype == SW_FP32 || spec->dtype == SW_FP64;
    bool apart = scores && lane->width && lane->width <= SW_OUTPUT_COLUMNS_MAX;
    uint32_t columns = apart ? lane->width : 1;
    lane->output = true;
    lane->pooled = !apart;
    lane->count = scores ? count_scores : count_labels;
    lane->probes = sw_arena_zalloc(&observer->arena, columns, sizeof *lane->probes);
    if (!lane->probes)
        return no_memory(error);
    for (uint32_t i = 0; i < columns; i++) {
        sw_str name = output_name(observer, spec, i, columns);
        if (!name.at)
            return no_memory(error);
        sw_counted *counted = add_column(observer, scores ? SW_COUNTED_SCORES : SW_COUNTED_LABELS,
                                         name, scores ? SW_SCORE_BINS : 0);
        counted->labels = observer->label_count;
        add_probe(lane, (probe){i, scores ? counted->first : observer->label_count, NULL});
        observer->label_count += !scores;
    }
    return SW_OK;
}

static sw_status plan(sw_observer *observer, const sw_signature *signature,
                      const sw_profile *profile, sw_error *error) {
    if (profile && profile->column_count != signature->feature_count)
        return sw_fail(error, SW_CODE_INVALID,
                       "the profile has %u columns, the signature %u features",
                       profile->column_count, signature->feature_count);
    size_t columns =
        signature->feature_count + (size_t)signature->output_count * SW_OUTPUT_COLUMNS_MAX;
    size_t lanes = (size_t)signature->feature_count + signature->output_count;
    observer->columns = sw_arena_zalloc(&observer->arena, columns, sizeof *observer->columns);
    observer->lanes = sw_arena_zalloc(&observer->arena, lanes, sizeof *observer->lanes);
    if ((columns && !observer->columns) || (lanes && !observer->lanes))
        return no_memory(error);
    SW_TRY(plan_features(observer, signature, profile, error));
    for (uint32_t i = 0; i < signature->output_count; i++)
        SW_TRY(plan_output(observer, &signature->outputs[i], i, error));
    return SW_OK;
}

sw_status sw_observer_make(sw_observer **out, const sw_signature *signature,
                           const sw_profile *profile, sw_error *error) {
    sw_observer *observer = sw_mem_zalloc(1, sizeof *observer);
    if (!observer)
        return no_memory(error);
    sw_arena_init(&observer->arena, 4096);
    sw_status status = plan(observer, signature, profile, error);
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

sw_status sw_shard_make(sw_shard **out, const sw_observer *observer, sw_error *error) {
    sw_shard *shard =
        sw_mem_zalloc(1, sizeof *shard + observer->counter_count * sizeof *shard->counts);
    sw_labels *labels = sw_mem_zalloc(observer->label_count, sizeof *labels);
    if (!shard || !labels) {
        sw_mem_free(shard);
        sw_mem_free(labels);
        return no_memory(error);
    }
    shard->observer = observer;
    shard->labels = labels;
    *out = shard;
    return SW_OK;
}

void sw_shard_free(sw_shard *shard) {
    if (!shard)
        return;
    sw_mem_free(shard->labels);
    sw_mem_free(shard);
}
