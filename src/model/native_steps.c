/* SPDX-License-Identifier: Apache-2.0 */
#include "model/native_private.h"

#include <math.h>

static const float *from(const sw_native_step *step, const sw_native_block *block) {
    return (const float *)(const void *)block->slots[step->from];
}

static float *to(const sw_native_step *step, const sw_native_block *block) {
    return (float *)(void *)block->slots[step->to];
}

bool sw_native_run_affine(const sw_native_step *step, sw_native_block *block) {
    step->affine(to(step, block), from(step, block), block->rows, step);
    return true;
}

bool sw_native_run_copy(const sw_native_step *step, sw_native_block *block) {
    memcpy(block->slots[step->to], block->slots[step->from], block->rows * step->stride);
    return true;
}

#define ELEMENTWISE(name, expression)                                  \
    bool name(const sw_native_step *step, sw_native_block *block) {    \
        const float *in = from(step, block), *weights = step->weights; \
        const float *bias = step->bias;                                \
        float *out = to(step, block);                                  \
        (void)bias;                                                    \
        for (size_t row = 0; row < block->rows; row++)                 \
            for (size_t j = 0; j < step->out_width; j++, in++, out++)  \
                *out = (expression);                                   \
        return true;                                                   \
    }

ELEMENTWISE(sw_native_run_add, *in + weights[j])
ELEMENTWISE(sw_native_run_subtract, *in - weights[j])
ELEMENTWISE(sw_native_run_subtract_from, weights[j] - *in)
ELEMENTWISE(sw_native_run_multiply, *in *weights[j])
ELEMENTWISE(sw_native_run_divide, *in / weights[j])
ELEMENTWISE(sw_native_run_scale, (*in - bias[j]) * weights[j])

static float norm_of(const float *row, size_t width, int norm) {
    float sum = norm == 0 ? -INFINITY : 0;
    for (size_t j = 0; j < width; j++) {
        if (norm == 0)
            sum = row[j] > sum ? row[j] : sum;
        else
            sum += norm == 1 ? fabsf(row[j]) : row[j] * row[j];
    }
    return norm == 2 ? sqrtf(sum) : sum;
}

bool sw_native_run_normalize(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    size_t width = step->out_width;
    for (size_t row = 0; row < block->rows; row++, in += width, out += width) {
        float norm = norm_of(in, width, step->norm);
        for (size_t j = 0; j < width; j++)
            out[j] = norm != 0 ? in[j] / norm : in[j];
    }
    return true;
}

/* Operator Sigmoid. expf(-x) may be infinite: the result is 0 then, as it should be. */
bool sw_native_run_sigmoid(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    for (size_t i = 0, count = block->rows * step->out_width; i < count; i++)
        out[i] = 1 / (1 + expf(-in[i]));
    return true;
}

/* Post transform LOGISTIC of ai.onnx.ml: the same curve, by the half that cannot overflow. */
static float logistic(float x) {
    float y = 1 / (1 + expf(-fabsf(x)));
    return x < 0 ? 1 - y : y;
}

bool sw_native_run_logistic(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    for (size_t i = 0, count = block->rows * step->out_width; i < count; i++)
        out[i] = logistic(in[i]);
    return true;
}

static float highest(const float *row, size_t width) {
    float top = row[0];
    for (size_t j = 1; j < width; j++)
        top = row[j] > top ? row[j] : top;
    return top;
}

bool sw_native_run_softmax(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    size_t width = step->out_width;
    for (size_t row = 0; row < block->rows; row++, in += width, out += width) {
        float top = highest(in, width), sum = 0;
        for (size_t j = 0; j < width; j++)
            sum += out[j] = expf(in[j] - top);
        for (size_t j = 0; j < width; j++)
            out[j] /= sum;
    }
    return true;
}

/* As softmax, but a score of (almost) zero stays zero and takes no part. */
bool sw_native_run_softmax_zero(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    size_t width = step->out_width;
    for (size_t row = 0; row < block->rows; row++, in += width, out += width) {
        float top = highest(in, width), sum = 0, rest = expf(-top);
        for (size_t j = 0; j < width; j++) {
            bool zero = in[j] <= 1e-7F && in[j] >= -1e-7F;
            out[j] = zero ? in[j] * rest : expf(in[j] - top);
            sum += zero ? 0 : out[j];
        }
        for (size_t j = 0; j < width; j++)
            out[j] /= sum;
    }
    return true;
}

bool sw_native_run_complement(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    for (size_t row = 0; row < block->rows; row++) {
        out[2 * row] = 1 - in[row];
        out[2 * row + 1] = in[row];
    }
    return true;
}

bool sw_native_run_complement_logistic(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    float *out = to(step, block);
    for (size_t row = 0; row < block->rows; row++) {
        out[2 * row] = logistic(-in[row]);
        out[2 * row + 1] = logistic(in[row]);
    }
    return true;
}

static size_t winner(const float *row, size_t width) {
    if (width == 1) /* a binary classifier of one score */
        return row[0] > 0;
    size_t best = 0;
    for (size_t j = 1; j < width; j++)
        if (row[j] > row[best])
            best = j;
    return best;
}

bool sw_native_run_argmax(const sw_native_step *step, sw_native_block *block) {
    const float *in = from(step, block);
    void *out = block->slots[step->to];
    for (size_t row = 0; row < block->rows; row++, in += step->in_width) {
        size_t best = winner(in, step->in_width);
        if (!step->text_labels) {
            ((int64_t *)out)[row] = step->int_labels ? step->int_labels[best] : (int64_t)best;
            continue;
        }
        sw_str label = sw_arena_copy(block->arena, step->text_labels[best]);
        if (!label.at)
            return false;
        ((sw_str *)out)[row] = label;
    }
    return true;
}
