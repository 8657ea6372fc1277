/* SPDX-License-Identifier: Apache-2.0 */
#include "model/native_graph_private.h"

enum { CACHE_LINE = 64 };

/* `weights`: [outputs][inputs]. Rows are padded with zeros, so that they load as whole vectors. */
static sw_status pad_weights(sw_native_step *step, sw_native_builder *b, const float *weights) {
    size_t stride = (step->in_width + SW_NATIVE_LANES - 1) / SW_NATIVE_LANES * SW_NATIVE_LANES;
    char *at = sw_arena_zalloc(b->arena, step->out_width * stride + CACHE_LINE / sizeof(float),
                               sizeof(float));
    if (!at)
        return sw_native_no_memory(b);
    at += (CACHE_LINE - (uintptr_t)at % CACHE_LINE) % CACHE_LINE;
    float *padded = (float *)(void *)at;
    for (size_t j = 0; j < step->out_width; j++)
        memcpy(padded + j * stride, weights + j * step->in_width, step->in_width * sizeof(float));
    step->weights = padded;
    step->stride = (uint32_t)stride;
    return SW_OK;
}

static sw_status check_width(sw_native_builder *b, sw_native_value *value, size_t width) {
    if (value->width == 0 && value->slot == 0) {
        if (b->input_width == 0)
            b->input_width = (uint32_t)width;
        value->width = b->input_width;
    }
    if (value->width != width)
        return sw_native_refuse(b, "wants %zu columns where %u come", width, value->width);
    return SW_OK;
}

/* Adds the step that multiplies with `weights` ([outputs][inputs]); `bias` may be NULL. */
static sw_status add_affine(uint32_t *slot, sw_native_builder *b, sw_native_value *in,
                            const float *weights, const float *bias, size_t inputs,
                            size_t outputs) {
    if (in->curved)
        return sw_native_refuse(b, "behind a Sigmoid or Softmax makes more than a linear model");
    if (in->rank != 2 || inputs == 0 || outputs == 0 || inputs > SW_NATIVE_WIDTH_MAX ||
        outputs > SW_NATIVE_WIDTH_MAX)
        return sw_native_refuse(b, "multiplies shapes that are not [N, k]");
    SW_TRY(check_width(b, in, inputs));
    SW_TRY(sw_native_new_slot(slot, b, outputs * sizeof(float)));
    sw_native_step step = {.run = sw_native_run_affine,
                           .affine = sw_native_pick_affine(),
                           .from = in->slot,
                           .to = *slot,
                           .in_width = (uint32_t)inputs,
                           .out_width = (uint32_t)outputs,
                           .bias = bias};
    SW_TRY(pad_weights(&step, b, weights));
    if (!bias && !(step.bias = sw_arena_zalloc(b->arena, outputs, sizeof(float))))
        return sw_native_no_memory(b);
    return sw_native_add_step(b, step);
}

static sw_status add_floats(sw_native_builder *b, uint32_t slot, uint8_t rank, uint32_t width,
                            bool curved) {
    return sw_native_add_value(b, (sw_native_value){.name = sw_native_output(b, 0),
                                                    .kind = SW_NATIVE_FLOATS,
                                                    .dtype = SW_FP32,
                                                    .rank = rank,
                                                    .width = width,
                                                    .slot = slot,
                                                    .curved = curved});
}

/* The same slot under another name. */
static sw_status add_alias(sw_native_builder *b, const sw_native_value *of, uint8_t rank) {
    sw_native_value alias = *of;
    alias.name = sw_native_output(b, 0);
    alias.rank = rank;
    if (of->kind != SW_NATIVE_CONSTANT && sw_native_uses(b, of->name) > 1)
        b->shared[of->slot] = true;
    return sw_native_add_value(b, alias);
}

/* One constant for each column; a single one is spread over all. */
static sw_status spread(const float **out, sw_native_builder *b, const float *from, size_t count,
                        size_t width) {
    *out = from;
    if (count == width)
        return SW_OK;
    if (count != 1)
        return sw_native_refuse(b, "has %zu constants for %zu columns", count, width);
    float *wide = sw_arena_alloc(b->arena, width * sizeof *wide);
    if (!wide)
        return sw_native_no_memory(b);
    for (size_t i = 0; i < width; i++)
        wide[i] = from[0];
    *out = wide;
    return SW_OK;
}

/* [inputs][outputs] → [outputs][inputs] */
static sw_status transpose(float **weights, sw_native_builder *b, size_t inputs, size_t outputs) {
    float *turned = sw_arena_zalloc(b->arena, inputs * outputs, sizeof *turned);
    if (!turned)
        return sw_native_no_memory(b);
    for (size_t i = 0; i < inputs; i++)
        for (size_t j = 0; j < outputs; j++)
            turned[j * inputs + i] = (*weights)[i * outputs + j];
    *weights = turned;
    return SW_OK;
}

static sw_status gemm_bias(const float **out, sw_native_builder *b, size_t outputs) {
    sw_native_value *value;
    float *bias;
    size_t count;
    *out = NULL;
    if (b->node->n_input < 3 || !*b->node->input[2])
        return SW_OK;
    SW_TRY(sw_native_input(&value, b, 2));
    SW_TRY(sw_native_constant_floats(&bias, &count, b, value));
    size_t rank = value->constant->n_dims;
    if (rank > 2 || (rank > 0 && count != 1 && (size_t)value->constant->dims[rank - 1] != count))
        return sw_native_refuse(b, "adds what is not one number for each column");
    float beta = sw_native_float(b, "beta", 1);
    for (size_t i = 0; i < count; i++)
        bias[i] *= beta;
    return spread(out, b, bias, count, outputs);
}

static sw_status build_product(sw_native_builder *b) {
    bool gemm = strcmp(b->node->op_type, "Gemm") == 0;
    bool turned = gemm && sw_native_int(b, "transB", 0) != 0;
    sw_native_value *in, *by;
    float *weights;
    const float *bias = NULL;
    size_t count;
    uint32_t slot = 0;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    SW_TRY(sw_native_input(&by, b, 1));
    SW_TRY(sw_native_constant_floats(&weights, &count, b, by));
    if (by->constant->n_dims != 2 || (gemm && sw_native_int(b, "transA", 0) != 0))
        return sw_native_refuse(b, "multiplies shapes that are not [N, k] and [k, m]");
    size_t inputs = (size_t)by->constant->dims[turned],
           outputs = (size_t)by->constant->dims[!turned];
    float alpha = gemm ? sw_native_float(b, "alpha", 1) : 1;
    for (size_t i = 0; i < count; i++)
        weights[i] *= alpha;
    if (!turned)
        SW_TRY(transpose(&weights, b, inputs, outputs));
    if (gemm)
        SW_TRY(gemm_bias(&bias, b, outputs));
    SW_TRY(add_affine(&slot, b, in, weights, bias, inputs, outputs));
    return add_floats(b, slot, 2, (uint32_t)outputs, false);
}

static sw_status add_elementwise(sw_native_builder *b, const sw_native_value *in,
                                 bool (*run)(const sw_native_step *, sw_native_block *),
                                 const float *weights, const float *bias, bool curved) {
    sw_native_step step = {.run = run,
                           .from = in->slot,
                           .in_width = in->width,
                           .out_width = in->width,
                           .weights = weights,
                           .bias = bias};
    if (in->width == 0)
        return sw_native_refuse(b,
                                "works on an input whose number of columns the model does not say");
    SW_TRY(sw_native_slot_after(&step.to, b, in));
    if (strcmp(b->node->op_type, "Normalizer") == 0)
        step.norm = sw_native_text_is(b, "norm", "MAX", "L2")   ? 2
                    : sw_native_text_is(b, "norm", "MAX", "L1") ? 1
                                                                : 0;
    SW_TRY(sw_native_add_step(b, step));
    return add_floats(b, step.to, in->rank, in->width, curved || in->curved);
}

/* MatMul then Add: the sum goes into the product's step. */
static bool fold_into_product(sw_native_builder *b, const sw_native_value *in, const float *bias) {
    sw_native_program *program = b->program;
    sw_native_step *last = program->step_count ? &program->steps[program->step_count - 1] : NULL;
    if (!last || last->run != sw_native_run_affine || last->to != in->slot || b->shared[in->slot] ||
        sw_native_uses(b, in->name) != 1)
        return false;
    for (uint32_t j = 0; j < last->out_width; j++)
        if (last->bias[j] != 0)
            return false;
    last->bias = bias;
    return true;
}

static sw_status build_arithmetic(sw_native_builder *b) {
    sw_native_value *left, *right;
    float *numbers;
    const float *constants = NULL;
    size_t count;
    char op = b->node->op_type[0]; /* Add, Sub, Mul, Div */
    SW_TRY(sw_native_input(&left, b, 0));
    SW_TRY(sw_native_input(&right, b, 1));
    bool turned = left->kind == SW_NATIVE_CONSTANT;
    sw_native_value *in = turned ? right : left, *by = turned ? left : right;
    if (in->kind != SW_NATIVE_FLOATS)
        return sw_native_refuse(b, "works on something other than the model's float input");
    SW_TRY(sw_native_constant_floats(&numbers, &count, b, by));
    size_t rank = by->constant->n_dims;
    if (rank > in->rank ||
        (rank > 0 && count != 1 && (size_t)by->constant->dims[rank - 1] != count) ||
        (in->rank == 1 && count != 1) || (turned && op == 'D'))
        return sw_native_refuse(b, "combines shapes that are not [N, k] and [k]");
    SW_TRY(spread(&constants, b, numbers, count, in->width));
    if (op == 'A' && fold_into_product(b, in, constants))
        return add_alias(b, in, in->rank);
    return add_elementwise(b, in,
                           op == 'A'   ? sw_native_run_add
                           : op == 'M' ? sw_native_run_multiply
                           : op == 'D' ? sw_native_run_divide
                           : turned    ? sw_native_run_subtract_from
                                       : sw_native_run_subtract,
                           constants, NULL, false);
}

/* An attribute that is a list of floats, copied and spread over `width` columns. */
static sw_status float_list(const float **out, sw_native_builder *b, const char *name,
                            size_t width) {
    const Onnx__AttributeProto *list = sw_native_attribute(b, name);
    if (!list || list->n_floats == 0)
        return sw_native_refuse(b, "lacks its %s", name);
    float *copy = sw_arena_zalloc(b->arena, list->n_floats, sizeof *copy);
    if (!copy)
        return sw_native_no_memory(b);
    memcpy(copy, list->floats, list->n_floats * sizeof *copy);
    return width ? spread(out, b, copy, list->n_floats, width) : (*out = copy, SW_OK);
}

static sw_status build_scaler(sw_native_builder *b) {
    sw_native_value *in;
    const float *scale = NULL, *offset = NULL;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    const Onnx__AttributeProto *list = sw_native_attribute(b, "scale");
    if (in->width == 0 && in->slot == 0 && list)
        SW_TRY(check_width(b, in, list->n_floats));
    SW_TRY(float_list(&scale, b, "scale", in->width));
    SW_TRY(float_list(&offset, b, "offset", in->width));
    return add_elementwise(b, in, sw_native_run_scale, scale, offset, false);
}

static sw_status build_sigmoid(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    return add_elementwise(b, in, sw_native_run_sigmoid, NULL, NULL, true);
}

static sw_status build_softmax(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    int64_t axis = sw_native_int(b, "axis", b->opset >= 13 ? -1 : 1);
    if (in->rank != 2 || (axis != 1 && axis != -1))
        return sw_native_refuse(b, "runs along the rows");
    return add_elementwise(b, in, sw_native_run_softmax, NULL, NULL, true);
}

static sw_status build_normalizer(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    if (in->rank != 2)
        return sw_native_refuse(b, "runs along the rows");
    return add_elementwise(b, in, sw_native_run_normalize, NULL, NULL, true);
}

/* post_transform of ai.onnx.ml on a matrix of its own slot, in place. */
static sw_status add_transform(sw_native_builder *b, uint32_t slot, uint32_t width) {
    sw_native_step step = {.from = slot, .to = slot, .in_width = width, .out_width = width};
    if (sw_native_text_is(b, "post_transform", "NONE", "NONE"))
        return SW_OK;
    if (sw_native_text_is(b, "post_transform", "NONE", "LOGISTIC"))
        step.run = sw_native_run_logistic;
    else if (sw_native_text_is(b, "post_transform", "NONE", "SOFTMAX"))
        step.run = sw_native_run_softmax;
    else if (sw_native_text_is(b, "post_transform", "NONE", "SOFTMAX_ZERO"))
        step.run = sw_native_run_softmax_zero;
    if (!step.run || width < 2)
        return sw_native_refuse(b, "has a post transform that is not computed natively");
    return sw_native_add_step(b, step);
}

/* Coefficients and intercepts of LinearClassifier and LinearRegressor. */
static sw_status add_linear(uint32_t *slot, size_t *outputs, sw_native_builder *b) {
    sw_native_value *in;
    const float *weights = NULL, *bias = NULL;
    const Onnx__AttributeProto *coefficients = sw_native_attribute(b, "coefficients");
    const Onnx__AttributeProto *intercepts = sw_native_attribute(b, "intercepts");
    SW_TRY(sw_native_floats_input(&in, b, 0));
    SW_TRY(float_list(&weights, b, "coefficients", 0));
    SW_TRY(float_list(&bias, b, "intercepts", 0));
    *outputs = intercepts->n_floats;
    if (coefficients->n_floats % *outputs)
        return sw_native_refuse(b, "has %zu coefficients for %zu intercepts",
                                coefficients->n_floats, *outputs);
    return add_affine(slot, b, in, weights, bias, coefficients->n_floats / *outputs, *outputs);
}

static sw_status build_regressor(sw_native_builder *b) {
    uint32_t slot = 0;
    size_t outputs = 0;
    const Onnx__AttributeProto *intercepts = sw_native_attribute(b, "intercepts");
    int64_t targets = sw_native_int(b, "targets", 1);
    if (!intercepts || (int64_t)intercepts->n_floats != targets)
        return sw_native_refuse(b, "has not one intercept for each target");
    SW_TRY(add_linear(&slot, &outputs, b));
    SW_TRY(add_transform(b, slot, (uint32_t)outputs));
    return add_floats(b, slot, 2, (uint32_t)outputs, true);
}

typedef struct classes {
    const int64_t *ints;
    const sw_str *texts;
    size_t count;
    const sw_str *names; /* as text, whatever they are */
} classes;

static sw_status copy_int_classes(classes *out, sw_native_builder *b,
                                  const Onnx__AttributeProto *list) {
    int64_t *ints = sw_arena_zalloc(b->arena, list->n_ints, sizeof *ints);
    sw_str *names = sw_arena_zalloc(b->arena, list->n_ints, sizeof *names);
    if (!ints || !names)
        return sw_native_no_memory(b);
    for (size_t i = 0; i < list->n_ints; i++) {
        ints[i] = list->ints[i];
        names[i] = sw_arena_printf(b->arena, "%lld", (long long)list->ints[i]);
        if (!names[i].at)
            return sw_native_no_memory(b);
    }
    *out = (classes){.ints = ints, .count = list->n_ints, .names = names};
    return SW_OK;
}

static sw_status copy_text_classes(classes *out, sw_native_builder *b,
                                   const Onnx__AttributeProto *list) {
    sw_str *names = sw_arena_zalloc(b->arena, list->n_strings, sizeof *names);
    if (!names)
        return sw_native_no_memory(b);
    for (size_t i = 0; i < list->n_strings; i++) {
        names[i] = sw_arena_copy(
            b->arena, (sw_str){(const char *)list->strings[i].data, list->strings[i].len});
        if (!names[i].at)
            return sw_native_no_memory(b);
    }
    *out = (classes){.texts = names, .count = list->n_strings, .names = names};
    return SW_OK;
}

static sw_status read_classes(classes *out, sw_native_builder *b, const char *ints,
                              const char *texts) {
    const Onnx__AttributeProto *of_ints = sw_native_attribute(b, ints);
    const Onnx__AttributeProto *of_texts = sw_native_attribute(b, texts);
    *out = (classes){0};
    if (of_texts && of_texts->n_strings)
        return copy_text_classes(out, b, of_texts);
    if (of_ints && of_ints->n_ints)
        return copy_int_classes(out, b, of_ints);
    return SW_OK;
}

/* The column of labels that `node output 0` is. */
static sw_status add_labels(sw_native_builder *b, const classes *known, uint32_t from,
                            uint32_t width) {
    sw_dtype dtype = known->texts ? SW_BYTES : SW_INT64;
    sw_native_step step = {.run = sw_native_run_argmax,
                           .from = from,
                           .in_width = width,
                           .out_width = 1,
                           .int_labels = known->ints,
                           .text_labels = known->texts};
    SW_TRY(sw_native_new_slot(&step.to, b, sw_dtype_size(dtype)));
    SW_TRY(sw_native_add_step(b, step));
    return sw_native_add_value(b, (sw_native_value){.name = sw_native_output(b, 0),
                                                    .kind = SW_NATIVE_LABELS,
                                                    .dtype = dtype,
                                                    .rank = 1,
                                                    .width = 1,
                                                    .slot = step.to});
}

/* One coefficient row and two classes: the score is the second's, its complement the first's. */
static sw_status add_complement(uint32_t *slot, sw_native_builder *b, uint32_t from) {
    if (!sw_native_text_is(b, "post_transform", "NONE", "NONE") &&
        !sw_native_text_is(b, "post_transform", "NONE", "LOGISTIC"))
        return sw_native_refuse(b, "has a post transform that is not computed natively");
    bool logistic = sw_native_text_is(b, "post_transform", "NONE", "LOGISTIC");
    sw_native_step step = {.from = from,
                           .in_width = 1,
                           .out_width = 2,
                           .run = logistic ? sw_native_run_complement_logistic
                                           : sw_native_run_complement};
    SW_TRY(sw_native_new_slot(&step.to, b, 2 * sizeof(float)));
    *slot = step.to;
    return sw_native_add_step(b, step);
}

static sw_status build_classifier(sw_native_builder *b) {
    uint32_t slot = 0;
    size_t outputs = 0;
    classes known;
    SW_TRY(add_linear(&slot, &outputs, b));
    SW_TRY(read_classes(&known, b, "classlabels_ints", "classlabels_strings"));
    bool binary = outputs == 1 && known.count == 2;
    if (!binary && (known.count != outputs || outputs == 1))
        return sw_native_refuse(b, "has %zu class labels for %zu scores", known.count, outputs);
    SW_TRY(add_labels(b, &known, slot, (uint32_t)outputs));
    if (binary)
        SW_TRY(add_complement(&slot, b, slot));
    else
        SW_TRY(add_transform(b, slot, (uint32_t)outputs));
    return sw_native_add_value(b, (sw_native_value){.name = sw_native_output(b, 1),
                                                    .kind = SW_NATIVE_FLOATS,
                                                    .dtype = SW_FP32,
                                                    .rank = 2,
                                                    .width = (uint32_t)known.count,
                                                    .slot = slot,
                                                    .curved = true,
                                                    .labels = known.names,
                                                    .label_count = (uint32_t)known.count});
}

static sw_status build_zipmap(sw_native_builder *b) {
    sw_native_value *in;
    classes known;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    SW_TRY(read_classes(&known, b, "classlabels_int64s", "classlabels_strings"));
    if (in->rank != 2 || known.count != in->width)
        return sw_native_refuse(b, "has %zu class labels for %u columns", known.count, in->width);
    SW_TRY(add_alias(b, in, 2));
    b->values[b->value_count - 1].labels = known.names;
    b->values[b->value_count - 1].label_count = (uint32_t)known.count;
    return SW_OK;
}

static sw_status build_argmax(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_floats_input(&in, b, 0));
    int64_t axis = sw_native_int(b, "axis", 0);
    if (in->rank != 2 || in->width < 2 || (axis != 1 && axis != -1) ||
        sw_native_int(b, "select_last_index", 0) != 0)
        return sw_native_refuse(b, "picks by other rules than the first highest column");
    SW_TRY(add_labels(b, &(classes){0}, in->slot, in->width));
    b->values[b->value_count - 1].rank = sw_native_int(b, "keepdims", 1) ? 2 : 1;
    return SW_OK;
}

static sw_status build_constant(sw_native_builder *b) {
    const Onnx__AttributeProto *value = sw_native_attribute(b, "value");
    if (!value || !value->t)
        return sw_native_refuse(b, "is no tensor");
    return sw_native_add_value(b, (sw_native_value){.name = sw_native_output(b, 0),
                                                    .kind = SW_NATIVE_CONSTANT,
                                                    .constant = value->t});
}

static sw_status build_cast(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_input(&in, b, 0));
    int64_t to = sw_native_int(b, "to", 0);
    bool same = in->kind != SW_NATIVE_CONSTANT &&
                ((in->dtype == SW_FP32 && to == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT) ||
                 (in->dtype == SW_INT64 && to == ONNX__TENSOR_PROTO__DATA_TYPE__INT64) ||
                 (in->dtype == SW_BYTES && to == ONNX__TENSOR_PROTO__DATA_TYPE__STRING));
    return same ? add_alias(b, in, in->rank) : sw_native_refuse(b, "changes the datatype");
}

static sw_status build_identity(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_input(&in, b, 0));
    return add_alias(b, in, in->rank);
}

/* [-1], [-1, 1], [-1, k], [0, k]: the same numbers, in the same order. */
static sw_status build_reshape(sw_native_builder *b) {
    sw_native_value *in, *shape;
    int64_t dims[8];
    size_t count;
    SW_TRY(sw_native_input(&in, b, 0));
    SW_TRY(sw_native_input(&shape, b, 1));
    SW_TRY(sw_native_constant_ints(dims, &count, b, shape));
    bool rows_stay =
        count > 0 && (dims[0] == -1 || (dims[0] == 0 && !sw_native_int(b, "allowzero", 0)));
    bool flat = count == 1 && in->width == 1;
    bool wide =
        count == 2 && in->width && (dims[1] == in->width || (dims[1] == -1 && dims[0] == 0));
    if (in->kind == SW_NATIVE_CONSTANT || !rows_stay || !(flat || wide))
        return sw_native_refuse(b, "changes the shape");
    return add_alias(b, in, (uint8_t)count);
}

static sw_status build_flatten(sw_native_builder *b) {
    sw_native_value *in;
    SW_TRY(sw_native_input(&in, b, 0));
    if (in->kind == SW_NATIVE_CONSTANT || in->rank != 2 || sw_native_int(b, "axis", 1) != 1)
        return sw_native_refuse(b, "changes the shape");
    return add_alias(b, in, 2);
}

static const struct {
    const char *op;
    sw_native_operator build;
} operators[] = {
    {"Add", build_arithmetic},
    {"ArgMax", build_argmax},
    {"Cast", build_cast},
    {"Constant", build_constant},
    {"Div", build_arithmetic},
    {"Flatten", build_flatten},
    {"Gemm", build_product},
    {"Identity", build_identity},
    {"LinearClassifier", build_classifier},
    {"LinearRegressor", build_regressor},
    {"MatMul", build_product},
    {"Mul", build_arithmetic},
    {"Normalizer", build_normalizer},
    {"Reshape", build_reshape},
    {"Scaler", build_scaler},
    {"Sigmoid", build_sigmoid},
    {"Softmax", build_softmax},
    {"Sub", build_arithmetic},
    {"ZipMap", build_zipmap},
};

sw_native_operator sw_native_find_operator(sw_str op) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (sw_str_is(op, operators[i].op))
            return operators[i].build;
    return NULL;
}
