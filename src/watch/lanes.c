/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/lanes_private.h"

#include <math.h>

/*
 * Where the processor has AVX2 (nearly all since 2013), a rank is two comparisons of eight numbers.
 * Chosen when the observer is made.
 */
#ifdef __x86_64__
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2,bmi")))

static inline AVX2 uint32_t wide_rank8f(const float *at, float x) {
    __m256 below = _mm256_cmp_ps(_mm256_loadu_ps(at), _mm256_set1_ps(x), _CMP_LE_OQ);
    return (uint32_t)__builtin_ctz(~(uint32_t)_mm256_movemask_ps(below));
}

static inline AVX2 uint32_t wide_rank8d(const double *at, double x) {
    __m256d v = _mm256_set1_pd(x);
    __m256d low = _mm256_cmp_pd(_mm256_loadu_pd(at), v, _CMP_LE_OQ);
    __m256d high = _mm256_cmp_pd(_mm256_loadu_pd(at + 4), v, _CMP_LE_OQ);
    uint32_t mask = (uint32_t)_mm256_movemask_pd(low) | (uint32_t)_mm256_movemask_pd(high) << 4;
    return (uint32_t)__builtin_ctz(~mask);
}

static inline AVX2 uint32_t wide_keys32_bin(const sw_keys32 *keys, float x) {
    uint32_t block = wide_rank8f(keys->root, x) * 8;
    return block + wide_rank8f(keys->leaf + block, x) + (x == x);
}

static inline AVX2 uint32_t wide_keys64_bin(const sw_keys64 *keys, double x) {
    uint32_t block = wide_rank8d(keys->root, x) * 8;
    return block + wide_rank8d(keys->leaf + block, x) + (x == x);
}

static bool is_wide(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}
#endif

/* ---- Numbers into bins ---- */

/*
 * A value that may be no number, not finite, or the least or greatest yet. What lies between the
 * least and the greatest is none of these: two comparisons tell, nearly always.
 */
static __attribute__((noinline)) void stretch(sw_sums *sums, double x, double centre) {
    if (isnan(x))
        return;
    if (isinf(x)) {
        sums->infinite++;
        return;
    }
    sums->min = x < sums->min ? x : sums->min;
    sums->max = x > sums->max ? x : sums->max;
    sums->sum += x - centre;
    sums->squares += (x - centre) * (x - centre);
}

static inline uint64_t bits32(float x) {
    uint32_t bits;
    x += 0.0F;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

typedef double pair __attribute__((vector_size(16)));
typedef int64_t pair_mask __attribute__((vector_size(16)));

static inline pair_mask within(pair v, pair low, pair high) {
    return (v >= low) & (v <= high);
}

/*
 * Adds numbers to the moments, four at a time without a branch; `count` is a multiple of four. What
 * is not between the least and the greatest, which is none in nearly all blocks, goes to stretch().
 */
static inline __attribute__((always_inline)) void add_moments(sw_sums *sums, const double *x,
                                                              uint32_t count, double centre) {
    const double from = sums->min, to = sums->max;
    const pair low = {from, from}, high = {to, to}, centres = {centre, centre};
    pair sum = {0}, sum2 = {0}, squares = {0}, squares2 = {0};
    pair_mask all = {-1, -1};
    for (uint32_t i = 0; i < count; i += 4) {
        pair a, b;
        memcpy(&a, x + i, sizeof a);
        memcpy(&b, x + i + 2, sizeof b);
        const pair_mask a_within = within(a, low, high), b_within = within(b, low, high);
        a = (pair)((pair_mask)(a - centres) & a_within);
        b = (pair)((pair_mask)(b - centres) & b_within);
        sum += a;
        sum2 += b;
        squares += a * a;
        squares2 += b * b;
        all &= a_within & b_within;
    }
    sum += sum2;
    squares += squares2;
    sums->sum += sum[0] + sum[1];
    sums->squares += squares[0] + squares[1];
    if (__builtin_expect((all[0] & all[1]) != 0, 1))
        return;
    for (uint32_t i = 0; i < count; i++)
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): padded with NaN */
        if (!(x[i] >= from && x[i] <= to))
            stretch(sums, x[i], centre);
}

/*
 * Values beyond the range, and no others, go to the tails: a bin that is neither missing nor
 * between. `distinct` is a constant where this is called, so that what takes no part in estimates
 * pays nothing for them.
 */
#define BIN_LANE(target, name, type, keys_type, bin_of, number_of, bits_of)                        \
    static inline target __attribute__((always_inline)) void count_##name##_as(                    \
        const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span,                 \
        bool distinct) {                                                                           \
        double numbers[SW_SPAN_ROWS];                                                              \
        const uint32_t padded = (span->count + 3) & ~3U;                                           \
        for (uint32_t row = span->count; row < padded; row++)                                      \
            numbers[row] = NAN;                                                                    \
        for (uint32_t i = 0; i < lane->probe_count; i++) {                                         \
            const sw_probe *p = &lane->probes[i];                                                  \
            const keys_type *keys = p->bins;                                                       \
            (void)keys;                                                                            \
            const uint32_t column = p->column, between = p->last - SW_BIN_FIRST;                   \
            uint32_t *counts = cell->counts + p->first;                                            \
            sw_distinct *registers = distinct ? &cell->distinct[p->counted] : NULL;                \
            for (uint32_t row = 0; row < span->count; row++) {                                     \
                const type x = ((const type *)span->rows[row])[column];                            \
                const uint32_t bin = bin_of;                                                       \
                counts[bin]++;                                                                     \
                numbers[row] = number_of;                                                          \
                if (distinct)                                                                      \
                    sw_distinct_add(registers, sw_distinct_hash(bits_of), bin != SW_BIN_MISSING);  \
                if (__builtin_expect(bin - SW_BIN_FIRST >= between, 0) && bin != SW_BIN_MISSING && \
                    cell->tails)                                                                   \
                    sw_tail_add(&cell->tails[0], random, p->counted, number_of);                   \
            }                                                                                      \
            add_moments(&cell->sums[p->counted], numbers, padded, p->centre);                      \
        }                                                                                          \
    }                                                                                              \
    static target void count_##name(const sw_lane *lane, sw_cell *cell, uint64_t *random,          \
                                    const sw_span *span) {                                         \
        if (span->distinct)                                                                        \
            count_##name##_as(lane, cell, random, span, true);                                     \
        else                                                                                       \
            count_##name##_as(lane, cell, random, span, false);                                    \
    }

#define WHOLE_LANE(name, type) \
    BIN_LANE(, name, type, sw_keys64, sw_keys64_bin(keys, (double)x), (double)x, (uint64_t)x)

BIN_LANE(, f32, float, sw_keys32, sw_keys32_bin(keys, x), (double)x, bits32(x))
BIN_LANE(, f16, uint16_t, sw_keys32, sw_keys32_bin(keys, sw_fp16_to_f32(x)),
         (double)sw_fp16_to_f32(x), (uint64_t)x)
BIN_LANE(, f64, double, sw_keys64, sw_keys64_bin(keys, x), x, sw_number_key(x))
BIN_LANE(, scores32, float, void, sw_score_bin((double)x), (double)x, bits32(x))
BIN_LANE(, scores64, double, void, sw_score_bin(x), x, sw_number_key(x))
#ifdef __x86_64__
BIN_LANE(AVX2, wide_f32, float, sw_keys32, wide_keys32_bin(keys, x), (double)x, bits32(x))
BIN_LANE(AVX2, wide_f64, double, sw_keys64, wide_keys64_bin(keys, x), x, sw_number_key(x))
#endif
WHOLE_LANE(u8, uint8_t)
WHOLE_LANE(u16, uint16_t)
WHOLE_LANE(u32, uint32_t)
WHOLE_LANE(u64, uint64_t)
WHOLE_LANE(i8, int8_t)
WHOLE_LANE(i16, int16_t)
WHOLE_LANE(i32, int32_t)
WHOLE_LANE(i64, int64_t)

/* ---- Categories ---- */

static void count_text(const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span) {
    (void)random;
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const sw_probe *p = &lane->probes[i];
        for (uint32_t row = 0; row < span->count; row++) {
            sw_str text = ((const sw_str *)span->rows[row])[p->column];
            uint32_t bin = sw_catalog_find_text(p->bins, text);
            cell->counts[p->first + bin]++;
            if (span->distinct)
                sw_distinct_add(&cell->distinct[p->counted], sw_hash_text(text), text.len > 0);
            if (bin == SW_BIN_UNSEEN && p->labels != SW_NO_TABLE && cell->tails)
                sw_labels_add(&cell->labels[p->labels], text, 1);
        }
    }
}

static sw_tensor as_tensor(const sw_lane *lane, const sw_span *span, uint32_t row) {
    return (sw_tensor){.dtype = lane->dtype, .count = span->width, .data = (void *)span->rows[row]};
}

void sw_lane_numbers(const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span) {
    (void)random;
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const sw_probe *p = &lane->probes[i];
        for (uint32_t row = 0; row < span->count; row++) {
            sw_tensor tensor = as_tensor(lane, span, row);
            double x = sw_tensor_f64(&tensor, p->column);
            cell->counts[p->first + sw_catalog_find_number(p->bins, x)]++;
            if (span->distinct)
                sw_distinct_add(&cell->distinct[p->counted], sw_distinct_hash(sw_number_key(x)),
                                x == x);
        }
    }
}

/* ---- Without a reference ---- */

void sw_lane_missing(const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span) {
    (void)random;
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const sw_probe *p = &lane->probes[i];
        for (uint32_t row = 0; row < span->count; row++) {
            sw_tensor tensor = as_tensor(lane, span, row);
            cell->counts[p->first] += lane->dtype == SW_BYTES
                                          ? ((const sw_str *)tensor.data)[p->column].len == 0
                                          : isnan(sw_tensor_f64(&tensor, p->column));
        }
    }
}

void sw_count_score(sw_cell *cell, uint64_t *random, const sw_probe *p, double x) {
    sw_sums *sums = &cell->sums[p->counted];
    cell->counts[p->first + sw_score_bin(x)]++;
    if (isnan(x))
        return;
    if (x >= sums->min && x <= sums->max) {
        sums->sum += x - p->centre;
        sums->squares += (x - p->centre) * (x - p->centre);
    } else {
        stretch(sums, x, p->centre);
    }
    if (cell->distinct)
        sw_distinct_add(&cell->distinct[p->counted], sw_distinct_hash(sw_number_key(x)), true);
    if (p->tails && cell->tails)
        sw_tail_add(&cell->tails[1], random, p->counted, x);
}

/* How many values of a row a probe looks at. */
static size_t row_values(const sw_lane *lane, size_t width) {
    if (!lane->pooled)
        return 1;
    return width < SW_OUTPUT_POOLED_MAX ? width : SW_OUTPUT_POOLED_MAX;
}

void sw_lane_scores(const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span) {
    size_t values = row_values(lane, span->width);
    for (uint32_t i = 0; i < lane->probe_count; i++) {
        const sw_probe *p = &lane->probes[i];
        for (uint32_t row = 0; row < span->count; row++) {
            sw_tensor tensor = as_tensor(lane, span, row);
            for (size_t value = 0; value < values; value++)
                sw_count_score(cell, random, p, sw_tensor_f64(&tensor, p->column + value));
        }
    }
}

static int64_t whole_at(const sw_tensor *tensor, size_t at) {
    switch (tensor->dtype) {
    case SW_INT64: return ((const int64_t *)tensor->data)[at];
    case SW_UINT64: return (int64_t)((const uint64_t *)tensor->data)[at];
    default: return (int64_t)sw_tensor_f64(tensor, at);
    }
}

static void count_label(const sw_lane *lane, sw_cell *cell, const sw_probe *p,
                        const sw_tensor *tensor, size_t at) {
    sw_labels *labels = &cell->labels[p->first];
    uint64_t hash;
    bool there = true;
    if (lane->dtype == SW_BYTES) {
        sw_str text = ((const sw_str *)tensor->data)[at];
        sw_labels_add(labels, text, 1);
        hash = sw_hash_text(text);
        there = text.len > 0;
    } else {
        int64_t number = whole_at(tensor, at);
        sw_labels_add_number(labels, lane->dtype, number);
        hash = sw_distinct_hash((uint64_t)number);
    }
    if (cell->distinct)
        sw_distinct_add(&cell->distinct[p->counted], hash, there);
}

void sw_lane_labels(const sw_lane *lane, sw_cell *cell, uint64_t *random, const sw_span *span) {
    (void)random;
    size_t values = row_values(lane, span->width);
    for (uint32_t i = 0; i < lane->probe_count; i++)
        for (uint32_t row = 0; row < span->count; row++) {
            sw_tensor tensor = as_tensor(lane, span, row);
            for (size_t value = 0; value < values; value++)
                count_label(lane, cell, &lane->probes[i], &tensor, lane->probes[i].column + value);
        }
}

/* ---- By type ---- */

sw_lane_fn *sw_lane_of_bins(sw_dtype dtype) {
    static sw_lane_fn *const lanes[SW_DTYPE_COUNT] = {
        [SW_BOOL] = count_u8,    [SW_UINT8] = count_u8,   [SW_UINT16] = count_u16,
        [SW_UINT32] = count_u32, [SW_UINT64] = count_u64, [SW_INT8] = count_i8,
        [SW_INT16] = count_i16,  [SW_INT32] = count_i32,  [SW_INT64] = count_i64,
        [SW_FP16] = count_f16,   [SW_FP32] = count_f32,   [SW_FP64] = count_f64,
        [SW_BYTES] = count_text,
    };
#ifdef __x86_64__
    if (dtype == SW_FP32 && is_wide())
        return count_wide_f32;
    if (dtype == SW_FP64 && is_wide())
        return count_wide_f64;
#endif
    return lanes[dtype];
}

sw_lane_fn *sw_lane_of_scores(sw_dtype dtype) {
    return dtype == SW_FP32 ? count_scores32 : dtype == SW_FP64 ? count_scores64 : sw_lane_scores;
}

uint32_t sw_lane_bin(const sw_splitter *splitter, const void *row) {
    const sw_probe *p = &splitter->probe;
    if (splitter->dtype == SW_BYTES)
        return sw_catalog_find_text(p->bins, ((const sw_str *)row)[p->column]);
    sw_tensor tensor = {.dtype = splitter->dtype, .count = splitter->width, .data = (void *)row};
    double x = sw_tensor_f64(&tensor, p->column);
    if (splitter->category)
        return sw_catalog_find_number(p->bins, x);
    bool narrow = splitter->dtype == SW_FP32 || splitter->dtype == SW_FP16;
    return narrow ? sw_keys32_bin(p->bins, (float)x) : sw_keys64_bin(p->bins, x);
}
