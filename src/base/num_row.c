/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num_row.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* ---- Storing ---- */

INLINE bool store_signed(sw_num_type type, void *out, size_t i, int64_t value) {
    switch (type) {
    case SW_NUM_I8:
        ((int8_t *)out)[i] = (int8_t)value;
        return value == (int8_t)value;
    case SW_NUM_I16:
        ((int16_t *)out)[i] = (int16_t)value;
        return value == (int16_t)value;
    case SW_NUM_I32:
        ((int32_t *)out)[i] = (int32_t)value;
        return value == (int32_t)value;
    case SW_NUM_I64:
        ((int64_t *)out)[i] = value;
        return true;
    case SW_NUM_U8:
        ((uint8_t *)out)[i] = (uint8_t)value;
        return value == (uint8_t)value;
    case SW_NUM_U16:
        ((uint16_t *)out)[i] = (uint16_t)value;
        return value == (uint16_t)value;
    case SW_NUM_U32:
        ((uint32_t *)out)[i] = (uint32_t)value;
        return value == (uint32_t)value;
    case SW_NUM_U64:
        ((uint64_t *)out)[i] = (uint64_t)value;
        return value >= 0;
    case SW_NUM_F32:
    case SW_NUM_F64:
        break;
    }
    return false;
}

/* A number of any form. */
static __attribute__((noinline)) bool read_any(sw_num_type type, void *out, size_t i, const char **at,
                                               const char *end) {
    int64_t whole;
    if (type == SW_NUM_F32)
        return sw_num_scan_f32((float *)out + i, at, end) == SW_NUM_FITS;
    if (type == SW_NUM_F64)
        return sw_num_scan_f64((double *)out + i, at, end) == SW_NUM_FITS;
    if (type == SW_NUM_U64)
        return sw_num_scan_u64((uint64_t *)out + i, at, end) == SW_NUM_FITS;
    return sw_num_scan_i64(&whole, at, end) == SW_NUM_FITS && store_signed(type, out, i, whole);
}

/* ---- Sixteen characters at once ---- */

#ifdef __SSE2__

enum { LANES = 16, READ_BEFORE = LANES + 1, BLOCK = 64 };

/* A load at n gives a mask of the n last lanes. */
static const uint8_t slide[2 * LANES] __attribute__((aligned(16))) = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

/* By the lane of the decimal point plus one (0: there is none): ten to the number of digits behind it. */
static const double scale_by_point[LANES + 1] = {1e0,  1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8,
                                                 1e7,  1e6,  1e5,  1e4,  1e3,  1e2,  1e1,  1e0};

INLINE __m128i load(const void *at) {
    return _mm_loadu_si128((const __m128i *)at);
}

INLINE unsigned bits_of(__m128i lanes) {
    return (unsigned)_mm_movemask_epi8(lanes);
}

/* Which of 64 characters may be part of a number: 0-9 - . / + e E. ('/' falls in the range; no reader takes it.) */
INLINE uint64_t number_characters(const char *at) {
    uint64_t all = 0;
    for (int i = 0; i < BLOCK / LANES; i++) {
        __m128i v = load(at + LANES * i);
        __m128i low = _mm_sub_epi8(v, _mm_set1_epi8('-'));
        __m128i in_range = _mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8('9' - '-')), low);
        __m128i e = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('e'));
        __m128i plus = _mm_cmpeq_epi8(v, _mm_set1_epi8('+'));
        all |= (uint64_t)bits_of(_mm_or_si128(in_range, _mm_or_si128(e, plus))) << (LANES * i);
    }
    return all;
}

/* Sixteen digits as lanes of 0 to 9, the last one lowest in value. */
INLINE uint64_t join_digits(__m128i digits) {
    __m128i tens = _mm_mullo_epi16(_mm_and_si128(digits, _mm_set1_epi16(0xFF)), _mm_set1_epi16(10));
    __m128i two = _mm_add_epi16(tens, _mm_srli_epi16(digits, 8));
    __m128i four = _mm_madd_epi16(two, _mm_set_epi16(1, 100, 1, 100, 1, 100, 1, 100));
    four = _mm_packs_epi32(four, four);
    __m128i eight = _mm_madd_epi16(four, _mm_set_epi16(1, 10000, 1, 10000, 1, 10000, 1, 10000));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eight);
    return (both & 0xFFFFFFFF) * 100000000 + (both >> 32);
}

/* What is between `s` (behind any sign) and `e`: digits with at most one point among them. */
typedef struct plain {
    uint64_t digits;
    unsigned point; /* its lane plus one; 0: none */
} plain;

/* False where it is anything else, or breaks JSON's grammar. `count` is e - s, 1 to 16. */
INLINE bool read_plain(plain *out, const char *s, const char *e, unsigned count) {
    __m128i text = load(e - LANES), shifted = load(e - READ_BEFORE);
    __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    unsigned is_digit = bits_of(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits));
    unsigned is_point = bits_of(_mm_cmpeq_epi8(text, _mm_set1_epi8('.')));
    unsigned first = LANES - count; /* lane of the first character */
    unsigned other = ~is_digit & (0xFFFFU << first) & 0xFFFFU;
    unsigned zero_first = (*s == '0') & (is_digit >> (first + 1));
    unsigned ends_in_digits = (is_digit >> first) & (is_digit >> (LANES - 1)) & 1;
    if ((other & (other - 1)) | (other & ~is_point) | (zero_first & 1) | (ends_in_digits ^ 1))
        return false;
    unsigned point = 31 - (unsigned)__builtin_clz(other << 1 | 1);
    /* What stands before the point moves one lane on, over it. */
    __m128i behind = load(slide + LANES - point);
    __m128i joined = _mm_or_si128(_mm_and_si128(behind, text), _mm_andnot_si128(behind, shifted));
    joined = _mm_sub_epi8(joined, _mm_set1_epi8('0'));
    joined = _mm_and_si128(joined, load(slide + count - (point != 0)));
    *out = (plain){join_digits(joined), point};
    return true;
}

INLINE bool store_f64(void *out, size_t i, plain x, uint64_t negative) {
    double value = (double)(int64_t)x.digits / scale_by_point[x.point];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits |= negative << 63;
    memcpy((double *)out + i, &bits, sizeof bits);
    return x.digits <= (uint64_t)1 << 53;
}

/*
 * By way of a double, which is rounded correctly. Rounding that again gives what rounding once would,
 * unless the double lies exactly between two floats. (No subnormal has so few digits.)
 */
INLINE bool store_f32(void *out, size_t i, plain x, uint64_t negative) {
    double value = (double)(int64_t)x.digits / scale_by_point[x.point];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    float narrow = (float)value;
    ((float *)out)[i] = negative ? -narrow : narrow;
    return ((bits & 0x1FFFFFFF) != 0x10000000) & (x.digits <= (uint64_t)1 << 53);
}

INLINE bool store(sw_num_type type, void *out, size_t i, plain x, uint64_t negative) {
    if (type == SW_NUM_F32)
        return store_f32(out, i, x, negative);
    if (type == SW_NUM_F64)
        return store_f64(out, i, x, negative);
    int64_t value = negative ? -(int64_t)x.digits : (int64_t)x.digits;
    return store_signed(type, out, i, value) & (x.point == 0);
}

/* The number that takes up all from `s` to `e`. */
INLINE bool read_one(sw_num_type type, void *out, size_t i, const char *s, const char *e,
                     const char *start) {
    uint64_t negative = *s == '-';
    plain x;
    size_t count = (size_t)(e - s) - negative;
    if (__builtin_expect(count - 1 < LANES && e - start >= READ_BEFORE, 1) &&
        read_plain(&x, s + negative, e, (unsigned)count) && store(type, out, i, x, negative))
        return true;
    return read_any(type, out, i, &s, e) && s == e;
}

INLINE uint64_t block_characters(const char *block, const char *end) {
    char last[BLOCK] = {0};
    if (end - block >= BLOCK)
        return number_characters(block);
    memcpy(last, block, (size_t)(end - block));
    return number_characters(last);
}

INLINE size_t read_row(sw_num_type type, void *out, size_t max, const char **at, const char *start,
                       const char *end) {
    const char *s = *at, *block = s;
    uint64_t carry = 0;
    size_t taken = 0;
    for (; block < end; block += BLOCK) {
        uint64_t inside = block_characters(block, end);
        uint64_t ends = ~inside & (inside << 1 | carry);
        carry = inside >> 63;
        for (; ends; ends &= ends - 1) {
            const char *e = block + __builtin_ctzll(ends);
            if (e >= end || !read_one(type, out, taken, s, e, start))
                return taken;
            taken++;
            *at = e;
            if (taken == max || *e != ',')
                return taken;
            s = e + 1;
            if (s < end)
                s += *s == ' ';
        }
    }
    return taken;
}

/* Where the characters of the number at `s` end; NULL where that is not within 16 characters. */
INLINE const char *number_end(const char *s, const char *end) {
    char last[LANES] = {0};
    const char *from = s;
    if (__builtin_expect(end - s < LANES, 0)) {
        memcpy(last, s, (size_t)(end - s));
        from = last;
    }
    __m128i v = load(from);
    __m128i low = _mm_sub_epi8(v, _mm_set1_epi8('-'));
    __m128i in_range = _mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8('9' - '-')), low);
    unsigned outside = ~bits_of(in_range) & 0xFFFF;
    const char *e = s + __builtin_ctz(outside | 0x10000);
    return outside && e < end && (*e | 0x20) != 'e' ? e : NULL;
}

INLINE bool read_next(sw_num_type type, void *out, const char **at, const char *start, const char *end) {
    const char *s = *at, *e = number_end(s, end);
    if (e ? !read_one(type, out, 0, s, e, start) : !read_any(type, out, 0, &s, end))
        return false;
    *at = e ? e : s;
    return true;
}

#else

INLINE bool read_next(sw_num_type type, void *out, const char **at, const char *start, const char *end) {
    const char *s = *at;
    (void)start;
    if (!read_any(type, out, 0, &s, end))
        return false;
    *at = s;
    return true;
}

INLINE size_t read_row(sw_num_type type, void *out, size_t max, const char **at, const char *start,
                       const char *end) {
    size_t taken = 0;
    const char *s = *at;
    (void)start;
    while (taken < max && s < end) {
        const char *e = s;
        if (!read_any(type, out, taken, &e, end) || e == end)
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

#endif

#define EACH_TYPE(ONE) \
    ONE(U8) ONE(U16) ONE(U32) ONE(U64) ONE(I8) ONE(I16) ONE(I32) ONE(I64) ONE(F32) ONE(F64)

size_t sw_num_row(sw_num_type type, void *out, size_t max, const char **at, const char *start,
                  const char *end) {
    if (max == 0)
        return 0;
    switch (type) {
#define ROW(name)       \
    case SW_NUM_##name: \
        return read_row(SW_NUM_##name, out, max, at, start, end);
        EACH_TYPE(ROW)
#undef ROW
    }
    return 0;
}

bool sw_num_next(sw_num_type type, void *out, const char **at, const char *start, const char *end) {
    switch (type) {
#define NEXT(name)      \
    case SW_NUM_##name: \
        return read_next(SW_NUM_##name, out, at, start, end);
        EACH_TYPE(NEXT)
#undef NEXT
    }
    return false;
}
