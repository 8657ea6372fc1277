/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num_row.h"

#include "base/num_private.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* ---- Storing ---- */

INLINE bool store_signed(sw_num_type type, void *out, size_t i, int64_t value) {
    switch (type) {
    case SW_NUM_I8: ((int8_t *)out)[i] = (int8_t)value; return value == (int8_t)value;
    case SW_NUM_I16: ((int16_t *)out)[i] = (int16_t)value; return value == (int16_t)value;
    case SW_NUM_I32: ((int32_t *)out)[i] = (int32_t)value; return value == (int32_t)value;
    case SW_NUM_I64: ((int64_t *)out)[i] = value; return true;
    case SW_NUM_U8: ((uint8_t *)out)[i] = (uint8_t)value; return value == (uint8_t)value;
    case SW_NUM_U16: ((uint16_t *)out)[i] = (uint16_t)value; return value == (uint16_t)value;
    case SW_NUM_U32: ((uint32_t *)out)[i] = (uint32_t)value; return value == (uint32_t)value;
    case SW_NUM_U64: ((uint64_t *)out)[i] = (uint64_t)value; return value >= 0;
    case SW_NUM_F32:
    case SW_NUM_F64: break;
    }
    return false;
}

/* A number of any form. */
static __attribute__((noinline)) bool read_any(sw_num_type type, void *out, size_t i,
                                               const char **at, const char *end) {
    int64_t whole;
    if (type == SW_NUM_F32)
        return sw_num_scan_f32((float *)out + i, at, end) == SW_NUM_FITS;
    if (type == SW_NUM_F64)
        return sw_num_scan_f64((double *)out + i, at, end) == SW_NUM_FITS;
    if (type == SW_NUM_U64)
        return sw_num_scan_u64((uint64_t *)out + i, at, end) == SW_NUM_FITS;
    return sw_num_scan_i64(&whole, at, end) == SW_NUM_FITS && store_signed(type, out, i, whole);
}

#define EACH_TYPE(ONE) \
    ONE(U8) ONE(U16) ONE(U32) ONE(U64) ONE(I8) ONE(I16) ONE(I32) ONE(I64) ONE(F32) ONE(F64)

#ifdef __SSE2__

/*
 * A long number: a point and as many digits as always fit 64 bits, what a double needs that is
 * printed in full. So many characters are read before the end of any number.
 */
enum { LANES = 16, BLOCK = 64, LONG_CHARACTERS = 20, READ_BEFORE = LONG_CHARACTERS };

/* A load at n gives a mask of the n last lanes. */
static const uint8_t slide[2 * LANES] __attribute__((aligned(16))) = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* By the lane of the decimal point plus one (0: there is none): ten to the number of digits behind
 * it. */
static const double scale_by_point[LANES + 1] = {1e0, 1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8,
                                                 1e7, 1e6,  1e5,  1e4,  1e3,  1e2,  1e1,  1e0};

/* What is between `s` (behind any sign) and `e`: digits with at most one point among them. */
typedef struct plain {
    uint64_t digits;
    unsigned point; /* its lane plus one; 0: none */
} plain;

typedef size_t place_reader(sw_num_type type, const sw_num_place *places, size_t count,
                            const char *start);

/* ---- For any x86-64, and for those with AVX2 and bit instructions (nearly all since 2013) ---- */

typedef size_t row_reader(sw_num_type type, void *out, size_t max, const char **at,
                          const char *start, const char *end);

#define ENTRY
#define KERNEL(name) name##_plain
#include "base/num_row_kernel.inc"
#undef KERNEL

#undef INLINE
#undef ENTRY
#define AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt")))
#define INLINE static inline AVX2 __attribute__((always_inline))
#define ENTRY AVX2
#define KERNEL(name) name##_avx2
#define KERNEL_AVX2
#include "base/num_row_kernel.inc"
#undef KERNEL

/* Chosen before main; each is right on the machine that chose it. (What has BMI has LZCNT too.) */
static row_reader *read_row = sw_num_row_plain;
static place_reader *read_places = sw_num_places_plain;
static sw_num_reader *const *nexts = nexts_plain;

__attribute__((constructor)) static void choose(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2")) {
        read_row = sw_num_row_avx2;
        read_places = sw_num_places_avx2;
        nexts = nexts_avx2;
    }
}

#else

#define NEXT(name)                                                               \
    static const char *next_##name(void *out, const char *at, const char *start, \
                                   const char *end) {                            \
        (void)start;                                                             \
        return read_any(SW_NUM_##name, out, 0, &at, end) ? at : NULL;            \
    }
EACH_TYPE(NEXT)
#undef NEXT

#define NEXT(name) [SW_NUM_##name] = next_##name,
static sw_num_reader *const nexts[] = {EACH_TYPE(NEXT)};
#undef NEXT

INLINE size_t read_row(sw_num_type type, void *out, size_t max, const char **at, const char *start,
                       const char *end) {
    size_t taken = 0;
    const char *s = *at;
    (void)start;
    while (taken < max && s < end) {
        const char *e = s;
        /* The faster readers take '/' for a part of a number too, and then refuse it. */
        if (!read_any(type, out, taken, &e, end) || e == end || *e == '/')
            break;
        taken++;
        *at = e;
        if (*e != ',')
            break;
        s = e + 1;
        if (s < end)
            s += *s == ' ';
    }
    return taken;
}

static size_t read_places(sw_num_type type, const sw_num_place *places, size_t count,
                          const char *start) {
    size_t taken = 0;
    (void)start;
    for (; taken < count; taken++) {
        const char *at = places[taken].at;
        if (!read_any(type, places[taken].out, 0, &at, places[taken].end) ||
            at != places[taken].end)
            break;
    }
    return taken;
}

#endif

size_t sw_num_places(sw_num_type type, const sw_num_place *places, size_t count,
                     const char *start) {
    return read_places(type, places, count, start);
}

size_t sw_num_row(sw_num_type type, void *out, size_t max, const char **at, const char *start,
                  const char *end) {
    return max ? read_row(type, out, max, at, start, end) : 0;
}

sw_num_reader *sw_num_next(sw_num_type type) {
    return nexts[type];
}
