/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/records_private.h"

#include "base/nearest.h"

#include <string.h>

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the plan of a model's records");
}

/* FNV-1a, 32 bits: names are short. */
static uint32_t hash_of(sw_str name) {
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.at[i]) * 16777619U;
    return hash ^ hash >> 15;
}

/* The slot that holds `name`, or the free one where it belongs. */
static uint32_t *slot_of(const sw_records_plan *plan, sw_str name) {
    uint32_t at = hash_of(name) & plan->slot_mask;
    while (plan->slots[at] && !sw_str_eq(plan->fields[plan->slots[at] - 1].name, name))
        at = (at + 1) & plan->slot_mask;
    return &plan->slots[at];
}

uint32_t sw_records_find(const sw_records_plan *plan, sw_str name) {
    return *slot_of(plan, name) - 1; /* 0 - 1 is FIELD_NONE */
}

/* ---- The nearest name ---- */

uint32_t sw_records_nearest(const sw_records_plan *plan, sw_str name) {
    uint32_t best = FIELD_NONE;
    size_t least = name.len / 3 > 2 ? name.len / 3 + 1 : 3; /* farther is not alike */
    for (uint32_t i = 0; i < plan->field_count; i++) {
        size_t d = sw_nearest_distance(plan->fields[i].name, name);
        if (d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

/* ---- Making one ---- */

/* How many columns a row of the input has; 0 where its shape is no row of columns. */
static uint32_t row_width(const sw_signature *signature, uint32_t input) {
    const sw_tensor_spec *spec = &signature->inputs[input];
    uint32_t known = 0;
    for (uint32_t i = 0; i < signature->feature_count; i++)
        known += signature->features[i].input == input;
    if (spec->rank == 1)
        return known == 1 ? 1 : 0;
    if (spec->rank != 2)
        return 0;
    return spec->shape[1] < 0 || spec->shape[1] == (int64_t)known ? known : 0;
}

static sw_status plan_inputs(sw_records_plan *plan, sw_error *error) {
    const sw_signature *s = plan->signature;
    for (uint32_t i = 0; i < s->input_count; i++) {
        plan->widths[i] = row_width(s, i);
        if (plan->widths[i] == 0)
            return sw_fail(
                error, SW_CODE_UNSUPPORTED,
                "input '%.*s' is no row of named features, so this model takes no records: use "
                "the Open Inference Protocol",
                SW_STR_ARG(s->inputs[i].name));
    }
    return SW_OK;
}

/* True where a body can have the name between quotes as it is. */
static bool needs_no_escape(sw_str name) {
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.at[i] < 0x20 || name.at[i] == '"' || name.at[i] == '\\')
            return false;
    return sw_str_is_utf8(name);
}

static bool plan_text(record_field *field, sw_arena *arena) {
    sw_str padded = sw_arena_printf(arena, "\"%.*s\":%16s", SW_STR_ARG(field->name), "");
    if (!padded.at)
        return false;
    field->quoted = (sw_str){padded.at, padded.len - 16};
    field->first_lanes = field->quoted.len < 16 ? (1U << field->quoted.len) - 1 : 0xFFFF;
    return true;
}

/* Sets `read` and `number` where numbers of that type have a reader. */
static void set_reader(record_field *field, sw_dtype dtype) {
    switch (dtype) {
#define READER(name, type) \
    case SW_##name: field->number = SW_NUM_##type; break;
        READER(UINT8, U8)
        READER(UINT16, U16)
        READER(UINT32, U32)
        READER(UINT64, U64)
        READER(INT8, I8)
        READER(INT16, I16)
        READER(INT32, I32)
        READER(INT64, I64)
        READER(FP32, F32)
        READER(FP64, F64)
#undef READER
    default: return;
    }
    field->read = sw_num_next(field->number);
}

static sw_status plan_field(sw_records_plan *plan, uint32_t i, bool *taken, sw_arena *arena,
                            sw_error *error) {
    const sw_feature *feature = &plan->signature->features[i];
    record_field *field = &plan->fields[i];
    if (feature->input >= plan->signature->input_count ||
        feature->column >= plan->widths[feature->input])
        return sw_fail(error, SW_CODE_INVALID, "feature '%.*s' is of no column that the model has",
                       SW_STR_ARG(feature->name));
    if (taken[feature->column])
        return sw_fail(error, SW_CODE_INVALID, "feature '%.*s' has the column of another one",
                       SW_STR_ARG(feature->name));
    taken[feature->column] = true;
    sw_dtype dtype = plan->signature->inputs[feature->input].dtype;
    uint32_t size = (uint32_t)sw_dtype_size(dtype);
    *field = (record_field){.name = feature->name,
                            .input = feature->input,
                            .column = feature->column,
                            .row_bytes = plan->widths[feature->input] * size,
                            .offset = feature->column * size,
                            .dtype = dtype,
                            .optional = feature->optional};
    set_reader(field, dtype);
    if (needs_no_escape(feature->name) && !plan_text(field, arena))
        return no_memory(error);
    uint32_t *slot = slot_of(plan, feature->name);
    if (*slot)
        return sw_fail(error, SW_CODE_INVALID, "two features are named '%.*s'",
                       SW_STR_ARG(feature->name));
    *slot = i + 1;
    return SW_OK;
}

static sw_status plan_fields(sw_records_plan *plan, sw_arena *arena, sw_error *error) {
    const sw_signature *s = plan->signature;
    for (uint32_t input = 0; input < s->input_count; input++) {
        bool *taken = sw_arena_zalloc(arena, plan->widths[input], sizeof *taken);
        if (!taken)
            return no_memory(error);
        for (uint32_t i = 0; i < s->feature_count; i++)
            if (s->features[i].input == input)
                SW_TRY(plan_field(plan, i, taken, arena, error));
    }
    return SW_OK;
}

sw_status sw_records_plan_make(sw_records_plan **out, const sw_signature *signature,
                               sw_arena *arena, sw_error *error) {
    uint32_t slots = 8;
    if (signature->feature_count == 0 || signature->feature_count > UINT32_MAX / 64)
        return sw_fail(
            error, SW_CODE_UNSUPPORTED,
            "the model has no named features, so it takes no records: use the Open Inference "
            "Protocol");
    while (slots < 4 * signature->feature_count)
        slots *= 2;
    sw_records_plan *plan = sw_arena_zalloc(arena, 1, sizeof *plan);
    if (!plan)
        return no_memory(error);
    *plan = (sw_records_plan){
        .signature = signature,
        .fields = sw_arena_zalloc(arena, signature->feature_count, sizeof *plan->fields),
        .field_count = signature->feature_count,
        .slots = sw_arena_zalloc(arena, slots, sizeof *plan->slots),
        .slot_mask = slots - 1,
        .widths = sw_arena_zalloc(arena, signature->input_count, sizeof *plan->widths),
    };
    if (!plan->fields || !plan->slots || !plan->widths)
        return no_memory(error);
    SW_TRY(plan_inputs(plan, error));
    SW_TRY(plan_fields(plan, arena, error));
    for (uint32_t i = 0; i < signature->feature_count; i++)
        if (signature->features[i].input >= signature->input_count)
            return sw_fail(error, SW_CODE_INVALID,
                           "feature '%.*s' is of no input that the model has",
                           SW_STR_ARG(signature->features[i].name));
    *out = plan;
    return SW_OK;
}
