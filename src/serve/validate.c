/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/validate.h"

#include <stdio.h>

void sw_shape_text(char *text, size_t cap, const int64_t *shape, size_t rank) {
    size_t used = (size_t)snprintf(text, cap, "[");
    for (size_t i = 0; i < rank && used < cap; i++)
        used +=
            (size_t)snprintf(text + used, cap - used, i ? ",%lld" : "%lld", (long long)shape[i]);
    if (used < cap)
        snprintf(text + used, cap - used, "]");
}

static int find_input(const sw_model_info *info, sw_str name) {
    for (size_t i = 0; i < info->input_count; i++)
        if (sw_str_eq(info->inputs[i].name, name))
            return (int)i;
    return -1;
}

static sw_status wrong_shape(sw_predict *p, const sw_tensor_spec *spec, const sw_tensor *tensor) {
    char got[192], want[192];
    sw_shape_text(got, sizeof got, tensor->shape, tensor->rank);
    sw_shape_text(want, sizeof want, spec->shape, spec->rank);
    return sw_fail(&p->error, SW_CODE_INVALID,
                   "input '%.*s' has shape %s, but the model takes %s%s", SW_STR_ARG(spec->name),
                   got, want, strstr(want, "-1") ? " (-1: any size)" : "");
}

static sw_status check_input(sw_predict *p, const sw_tensor_spec *spec, const sw_tensor *tensor) {
    if (tensor->dtype != spec->dtype)
        return sw_fail(&p->error, SW_CODE_INVALID,
                       "input '%.*s' has datatype %.*s, but the model takes %.*s",
                       SW_STR_ARG(spec->name), SW_STR_ARG(sw_dtype_name(tensor->dtype)),
                       SW_STR_ARG(sw_dtype_name(spec->dtype)));
    if (tensor->rank != spec->rank)
        return wrong_shape(p, spec, tensor);
    for (size_t i = 0; i < spec->rank; i++)
        if (spec->shape[i] >= 0 && spec->shape[i] != tensor->shape[i])
            return wrong_shape(p, spec, tensor);
    return SW_OK;
}

/* All inputs of a batch model have the same number of rows; a batch has at least one. */
static sw_status count_rows(sw_predict *p) {
    const sw_model_info *info = p->served->info;
    p->rows = 1;
    if (!info->first_dim_is_batch)
        return SW_OK;
    p->rows = (size_t)p->inputs[0].shape[0];
    for (size_t i = 0; i < info->input_count; i++)
        if (p->inputs[i].shape[0] != p->inputs[0].shape[0])
            return sw_fail(&p->error, SW_CODE_INVALID,
                           "input '%.*s' has %lld rows, but input '%.*s' has %zu",
                           SW_STR_ARG(info->inputs[i].name), (long long)p->inputs[i].shape[0],
                           SW_STR_ARG(info->inputs[0].name), p->rows);
    if (p->rows == 0)
        return sw_fail(&p->error, SW_CODE_INVALID, "the batch is empty: send at least one row");
    return SW_OK;
}

static sw_status check_wanted(sw_predict *p) {
    const sw_model_info *info = p->served->info;
    for (size_t i = 0; i < p->request.output_count; i++) {
        sw_str name = p->request.outputs[i].name;
        size_t k = 0;
        while (k < info->output_count && !sw_str_eq(info->outputs[k].name, name))
            k++;
        if (k == info->output_count)
            return sw_fail(&p->error, SW_CODE_INVALID,
                           "the model has no output '%.*s'; its first is '%.*s'", SW_STR_ARG(name),
                           SW_STR_ARG(info->outputs[0].name));
    }
    return SW_OK;
}

/* Each input of the request in its place; a name that is given twice leaves another one out. */
static sw_status order_inputs(sw_predict *p) {
    const sw_model_info *info = p->served->info;
    for (size_t i = 0; i < p->request.input_count; i++) {
        sw_str name = p->request.inputs[i].name;
        int at = find_input(info, name);
        if (info->input_count == 0)
            return sw_fail(&p->error, SW_CODE_INVALID,
                           "the model takes no inputs, but the request has '%.*s'",
                           SW_STR_ARG(name));
        if (at < 0)
            return sw_fail(&p->error, SW_CODE_INVALID,
                           "the model has no input '%.*s'; it takes %zu, the first is '%.*s'",
                           SW_STR_ARG(name), info->input_count, SW_STR_ARG(info->inputs[0].name));
        if (p->inputs[at].data)
            return sw_fail(&p->error, SW_CODE_INVALID, "input '%.*s' is given twice",
                           SW_STR_ARG(name));
        p->inputs[at] = p->request.inputs[i];
    }
    for (size_t i = 0; i < info->input_count; i++)
        if (!p->inputs[i].data)
            return sw_fail(&p->error, SW_CODE_INVALID,
                           "input '%.*s' is missing: the model takes %zu",
                           SW_STR_ARG(info->inputs[i].name), info->input_count);
    return SW_OK;
}

/* A request most often has the model's own order: then nothing is moved. */
static bool in_order(const sw_predict *p) {
    const sw_model_info *info = p->served->info;
    if (p->request.input_count != info->input_count)
        return false;
    for (size_t i = 0; i < info->input_count; i++)
        if (!sw_str_eq(p->request.inputs[i].name, info->inputs[i].name))
            return false;
    return true;
}

/* The next dimension at or behind (*input, *dim) that bears `name` (any, where it is empty). */
static bool find_dim(const sw_model_info *info, size_t *input, size_t *dim, sw_str name) {
    for (; *input < info->input_count; (*input)++, *dim = 0)
        for (; *dim < info->inputs[*input].rank; (*dim)++) {
            sw_str found = info->inputs[*input].dim_names[*dim];
            if (found.len && (name.len == 0 || sw_str_eq(found, name)))
                return true;
        }
    return false;
}

/* Calls `check` for each pair of dimensions of one name that follow one another. */
static bool each_pair(const sw_model_info *info,
                      bool (*check)(size_t i, size_t d, size_t k, size_t e, void *context),
                      void *context) {
    size_t i = 0, d = 0;
    for (; find_dim(info, &i, &d, (sw_str){0}); d++) {
        size_t k = i, e = d + 1;
        if (find_dim(info, &k, &e, info->inputs[i].dim_names[d]) && !check(i, d, k, e, context))
            return false;
    }
    return true;
}

static bool found_pair(size_t i, size_t d, size_t k, size_t e, void *context) {
    (void)i, (void)d, (void)k, (void)e, (void)context;
    return false;
}

bool sw_shares_dims(const sw_model_info *info) {
    return !each_pair(info, found_pair, NULL);
}

static bool same_size(size_t i, size_t d, size_t k, size_t e, void *context) {
    sw_predict *p = context;
    const sw_tensor_spec *a = &p->served->info->inputs[i], *b = &p->served->info->inputs[k];
    int64_t one = p->inputs[i].shape[d], other = p->inputs[k].shape[e];
    if (one == other)
        return true;
    p->status =
        sw_fail(&p->error, SW_CODE_INVALID,
                "'%.*s' is %lld in input '%.*s' and %lld in input '%.*s': it must be the same",
                SW_STR_ARG(a->dim_names[d]), (long long)one, SW_STR_ARG(a->name), (long long)other,
                SW_STR_ARG(b->name));
    return false;
}

sw_status sw_validate(sw_predict *p) {
    const sw_model_info *info = p->served->info;
    if (in_order(p)) {
        p->inputs = p->request.inputs;
    } else {
        p->inputs = sw_arena_zalloc(p->arena, info->input_count, sizeof *p->inputs);
        if (!p->inputs)
            return sw_fail(&p->error, SW_CODE_NO_MEMORY, "out of memory for the inputs");
        SW_TRY(order_inputs(p));
    }
    for (size_t i = 0; i < info->input_count; i++)
        SW_TRY(check_input(p, &info->inputs[i], &p->inputs[i]));
    if (p->served->shares_dims && !each_pair(info, same_size, p))
        return p->status;
    SW_TRY(check_wanted(p));
    return count_rows(p);
}
