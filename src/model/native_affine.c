/* SPDX-License-Identifier: Apache-2.0 */
#include "model/native_private.h"

enum { LANES = SW_NATIVE_LANES };

/*
 * Both kernels sum in the same shape: sixteen partial sums over columns i mod 16, folded in a fixed
 * order, so that a row's result does not depend on the rows or outputs computed beside it.
 */

static float portable_dot(const float *in, const float *weights, size_t width) {
    float sums[2 * LANES] = {0};
    size_t i = 0;
    for (; i + 2 * LANES <= width; i += 2 * LANES)
        for (size_t lane = 0; lane < 2 * LANES; lane++)
            sums[lane] += in[i + lane] * weights[i + lane];
    for (size_t lane = 0; i < width; i++, lane++)
        sums[lane] += in[i] * weights[i];
    for (size_t half = LANES; half >= 1; half /= 2)
        for (size_t lane = 0; lane < half; lane++)
            sums[lane] += sums[lane + half];
    return sums[0];
}

void sw_native_affine_portable(float *out, const float *in, size_t rows,
                               const sw_native_step *step) {
    for (size_t row = 0; row < rows; row++, in += step->in_width)
        for (size_t j = 0; j < step->out_width; j++)
            *out++ =
                portable_dot(in, step->weights + j * step->stride, step->in_width) + step->bias[j];
}

#if defined(__x86_64__)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))

/* Eight lanes on, eight off: the mask of the first `n` lanes starts at 8 - n. */
static const int32_t lanes_on[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};

AVX2 static inline __m256i lanes(size_t n) {
    return _mm256_loadu_si256((const __m256i *)(const void *)(lanes_on + LANES - n));
}

AVX2 static inline float fold(__m256 a, __m256 b) {
    __m256 sum8 = _mm256_add_ps(a, b);
    __m128 sum4 = _mm_add_ps(_mm256_castps256_ps128(sum8), _mm256_extractf128_ps(sum8, 1));
    __m128 sum2 = _mm_add_ps(sum4, _mm_movehl_ps(sum4, sum4));
    return _mm_cvtss_f32(_mm_add_ss(sum2, _mm_movehdup_ps(sum2)));
}

/* `many` dot products, of rows `stride` apart with one vector: partial sums into a[] and b[]. */
AVX2 static inline __attribute__((always_inline)) void dots(__m256 *a, __m256 *b, size_t many,
                                                            const float *rows, size_t stride,
                                                            const float *vector, size_t width) {
    for (size_t r = 0; r < many; r++)
        a[r] = b[r] = _mm256_setzero_ps();
    size_t i = 0;
    for (; i + 2 * LANES <= width; i += 2 * LANES) {
        __m256 va = _mm256_loadu_ps(vector + i), vb = _mm256_loadu_ps(vector + i + LANES);
        for (size_t r = 0; r < many; r++) {
            const float *row = rows + r * stride + i;
            a[r] = _mm256_fmadd_ps(_mm256_loadu_ps(row), va, a[r]);
            b[r] = _mm256_fmadd_ps(_mm256_loadu_ps(row + LANES), vb, b[r]);
        }
    }
    size_t left = width - i;
    if (left > LANES) {
        __m256i mask = lanes(left - LANES);
        __m256 va = _mm256_loadu_ps(vector + i), vb = _mm256_maskload_ps(vector + i + LANES, mask);
        for (size_t r = 0; r < many; r++) {
            const float *row = rows + r * stride + i;
            a[r] = _mm256_fmadd_ps(_mm256_loadu_ps(row), va, a[r]);
            b[r] = _mm256_fmadd_ps(_mm256_maskload_ps(row + LANES, mask), vb, b[r]);
        }
    } else if (left) {
        __m256i mask = lanes(left);
        __m256 va = _mm256_maskload_ps(vector + i, mask);
        for (size_t r = 0; r < many; r++)
            a[r] = _mm256_fmadd_ps(_mm256_maskload_ps(rows + r * stride + i, mask), va, a[r]);
    }
}

AVX2 static inline float dot1(const float *row, const float *vector, size_t width) {
    __m256 a, b;
    dots(&a, &b, 1, row, 0, vector, width);
    return fold(a, b);
}

AVX2 static inline void dot4(float *out, size_t out_stride, const float *bias, size_t bias_stride,
                             const float *rows, size_t rows_stride, const float *vector,
                             size_t width) {
    __m256 a[4], b[4];
    dots(a, b, 4, rows, rows_stride, vector, width);
    for (size_t r = 0; r < 4; r++)
        out[r * out_stride] = fold(a[r], b[r]) + bias[r * bias_stride];
}

/* One row against the outputs, four at a time. */
AVX2 static void row_by_outputs(float *out, const float *in, const sw_native_step *step) {
    size_t width = step->in_width, j = 0;
    for (; j + 4 <= step->out_width; j += 4)
        dot4(out + j, 1, step->bias + j, 1, step->weights + j * step->stride, step->stride, in,
             width);
    for (; j < step->out_width; j++)
        out[j] = dot1(in, step->weights + j * step->stride, width) + step->bias[j];
}

/* Four rows against each output. */
AVX2 static void rows_by_output(float *out, const float *in, const sw_native_step *step) {
    size_t width = step->in_width;
    for (size_t j = 0; j < step->out_width; j++)
        dot4(out + j, step->out_width, step->bias + j, 0, in, width,
             step->weights + j * step->stride, width);
}

AVX2 static __attribute__((noinline)) void blocks(float *out, const float *in, size_t rows,
                                                  const sw_native_step *step) {
    for (; rows >= 4;
         rows -= 4, in += 4 * (size_t)step->in_width, out += 4 * (size_t)step->out_width)
        rows_by_output(out, in, step);
    for (; rows; rows--, in += step->in_width, out += step->out_width)
        row_by_outputs(out, in, step);
}

/* One row and one output, the commonest of all, stays clear of the large frame of the rest. */
AVX2 static void affine_avx2(float *out, const float *in, size_t rows, const sw_native_step *step) {
    if (rows == 1 && step->out_width == 1)
        *out = dot1(in, step->weights, step->in_width) + step->bias[0];
    else
        blocks(out, in, rows, step);
}
#endif

sw_native_affine sw_native_pick_affine(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return affine_avx2;
#endif
    return sw_native_affine_portable;
}
