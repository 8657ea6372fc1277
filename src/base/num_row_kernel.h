/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row reader, sixteen characters at once. Included by num_row.c once for each instruction set,
 * with KERNEL naming its functions.
 */

INLINE __m128i KERNEL(load)(const void *at) {
    return _mm_loadu_si128((const __m128i *)at);
}

INLINE unsigned KERNEL(bits_of)(__m128i lanes) {
    return (unsigned)_mm_movemask_epi8(lanes);
}

/* Which of 64 characters may be part of a number: 0-9 - . / + e E. ('/' falls in the range; no
 * reader takes it.) */
INLINE uint64_t KERNEL(number_characters)(const char *at) {
    uint64_t all = 0;
    for (int i = 0; i < BLOCK / LANES; i++) {
        __m128i v = KERNEL(load)(at + LANES * i);
        __m128i low = _mm_sub_epi8(v, _mm_set1_epi8('-'));
        __m128i in_range = _mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8('9' - '-')), low);
        __m128i e = _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), _mm_set1_epi8('e'));
        __m128i plus = _mm_cmpeq_epi8(v, _mm_set1_epi8('+'));
        all |= (uint64_t)KERNEL(bits_of)(_mm_or_si128(in_range, _mm_or_si128(e, plus)))
               << (LANES * i);
    }
    return all;
}

/* Sixteen digits as lanes of 0 to 9, the last one lowest in value. */
INLINE uint64_t KERNEL(join_digits)(__m128i digits) {
#ifdef KERNEL_AVX2
    __m128i two = _mm_maddubs_epi16(digits, _mm_set1_epi16(0x010A));
#else
    __m128i tens = _mm_mullo_epi16(_mm_and_si128(digits, _mm_set1_epi16(0xFF)), _mm_set1_epi16(10));
    __m128i two = _mm_add_epi16(tens, _mm_srli_epi16(digits, 8));
#endif
    __m128i four = _mm_madd_epi16(two, _mm_set1_epi32(0x00010064));
    four = _mm_packs_epi32(four, four);
    __m128i eight = _mm_madd_epi16(four, _mm_set1_epi32(0x00012710));
    uint64_t both = (uint64_t)_mm_cvtsi128_si64(eight);
    return (both & 0xFFFFFFFF) * 100000000 + (both >> 32);
}

/* False where it is anything else, or breaks JSON's grammar. `count` is e - s, 1 to 16. */
INLINE bool KERNEL(read_plain)(plain *out, const char *s, const char *e, unsigned count) {
    __m128i text = KERNEL(load)(e - LANES), shifted = KERNEL(load)(e - READ_BEFORE);
    __m128i digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    unsigned is_digit =
        KERNEL(bits_of)(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits));
    unsigned is_point = KERNEL(bits_of)(_mm_cmpeq_epi8(text, _mm_set1_epi8('.')));
    unsigned first = LANES - count, taken = 0xFFFFU << first; /* lanes of the number */
    unsigned other = ~is_digit & taken & 0xFFFFU;
    /* All that is no digit may be one point, neither the first nor the last. */
    unsigned point_bit = other & -other & is_point & (taken << 1) & 0x7FFFU;
    unsigned zero_first = (*s == '0') & (is_digit >> (first + 1));
    if ((other ^ point_bit) | (zero_first & 1))
        return false;
    unsigned point = 31 - (unsigned)__builtin_clz(other << 1 | 1);
    /* What stands before the point moves one lane on, over it. */
    __m128i behind = KERNEL(load)(slide + LANES - point);
    __m128i joined = _mm_or_si128(_mm_and_si128(behind, text), _mm_andnot_si128(behind, shifted));
    joined = _mm_sub_epi8(joined, _mm_set1_epi8('0'));
    joined = _mm_and_si128(joined, KERNEL(load)(slide + count - (point != 0)));
    *out = (plain){KERNEL(join_digits)(joined), point};
    return true;
}

INLINE bool KERNEL(store_f64)(void *out, size_t i, plain x, uint64_t negative) {
    double value = (double)(int64_t)x.digits / scale_by_point[x.point];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits |= negative << 63;
    memcpy((double *)out + i, &bits, sizeof bits);
    return x.digits <= (uint64_t)1 << 53;
}

/*
 * By way of a double, which is rounded correctly. Rounding that again gives what rounding once
 * would, unless the double lies exactly between two floats. (No subnormal has so few digits.)
 */
INLINE bool KERNEL(store_f32)(void *out, size_t i, plain x, uint64_t negative) {
    double value = (double)(int64_t)x.digits / scale_by_point[x.point];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    float narrow = (float)value;
    ((float *)out)[i] = negative ? -narrow : narrow;
    return ((bits & 0x1FFFFFFF) != 0x10000000) & (x.digits <= (uint64_t)1 << 53);
}

INLINE bool KERNEL(store)(sw_num_type type, void *out, size_t i, plain x, uint64_t negative) {
    if (type == SW_NUM_F32)
        return KERNEL(store_f32)(out, i, x, negative);
    if (type == SW_NUM_F64)
        return KERNEL(store_f64)(out, i, x, negative);
    int64_t value = negative ? -(int64_t)x.digits : (int64_t)x.digits;
    return store_signed(type, out, i, value) & (x.point == 0);
}

/* Four characters as a number, the first one lowest in memory; false where one is no digit. */
INLINE bool KERNEL(join_four)(uint64_t *out, uint32_t text) {
    uint32_t four = text ^ 0x30303030U;
    uint32_t two = (four * 10 + (four >> 8)) & 0x00FF00FFU;
    *out = (two & 0xFF) * 100 + (two >> 16);
    return (((four + 0x76767676U) | four) & 0x80808080U) == 0;
}

/*
 * 17 to 20 characters (0.30000001192092896): up to four, then sixteen, with one point somewhere
 * among them. False where it is anything else.
 */
INLINE bool KERNEL(read_long)(sw_num_type type, void *out, size_t i, const char *s, const char *e,
                              bool negative) {
    __m128i text = KERNEL(load)(e - LANES), digits = _mm_sub_epi8(text, _mm_set1_epi8('0'));
    unsigned other =
        ~KERNEL(bits_of)(_mm_cmpeq_epi8(_mm_min_epu8(digits, _mm_set1_epi8(9)), digits)) & 0xFFFFU;
    unsigned outside =
        8 * (unsigned)(LONG_MAX_CHARACTERS - (e - s)); /* bits before s, in the low bytes */
    uint32_t head;
    int behind; /* digits behind the point */
    memcpy(&head, e - LONG_MAX_CHARACTERS, sizeof head);
    head = (head & UINT32_MAX << outside) | (0x30303030U & ((1U << outside) - 1));
    if (other) { /* the point is among the sixteen: what is before it moves one on, as in read_plain
                  */
        unsigned is_point = KERNEL(bits_of)(_mm_cmpeq_epi8(text, _mm_set1_epi8('.')));
        if ((other & (other - 1)) | (other & ~is_point) | (other & 0x8000U))
            return false;
        unsigned point = 32 - (unsigned)__builtin_clz(other);
        __m128i mask = KERNEL(load)(slide + LANES - point), shifted = KERNEL(load)(e - READ_BEFORE);
        digits = _mm_or_si128(_mm_and_si128(mask, text), _mm_andnot_si128(mask, shifted));
        digits = _mm_sub_epi8(digits, _mm_set1_epi8('0'));
        unsigned moved = (head >> 24) - '0';
        if (moved > 9 || (*s == '0' && !(point == 1 && e - s == READ_BEFORE)))
            return false;
        head = head << 8 | '0';
        behind = LANES - (int)point;
    } else {
        uint32_t points = head ^ 0x2E2E2E2EU;
        points =
            (points - 0x01010101U) & ~points & 0x80808080U; /* top bit of the first point's byte */
        if (points == 0)
            return false;
        unsigned point = (unsigned)__builtin_ctz(points) & ~7U; /* where its byte begins */
        uint64_t before = head & (((uint64_t)1 << point) - 1);
        uint64_t after = (uint64_t)head >> (point + 8) << (point + 8);
        head = (uint32_t)(before << 8 | after | '0');
        if (point == outside || (*s == '0' && point != outside + 8))
            return false;
        behind = LANES + 3 - (int)(point / 8);
    }
    uint64_t all;
    if (!KERNEL(join_four)(&all, head))
        return false;
    all = all * 10000000000000000U + KERNEL(join_digits)(digits);
    return type == SW_NUM_F32 ? sw_num_compose_f32((float *)out + i, all, -behind, negative)
                              : sw_num_compose_f64((double *)out + i, all, -behind, negative);
}

/* The number that takes up all from `s` to `e`. */
INLINE bool KERNEL(read_one)(sw_num_type type, void *out, size_t i, const char *s, const char *e,
                             const char *start) {
    uint64_t negative = *s == '-';
    plain x;
    size_t count = (size_t)(e - s) - negative;
    if (__builtin_expect(count - 1 < LANES && e - start >= READ_BEFORE, 1) &&
        KERNEL(read_plain)(&x, s + negative, e, (unsigned)count) &&
        KERNEL(store)(type, out, i, x, negative))
        return true;
    if ((type == SW_NUM_F32 || type == SW_NUM_F64) && count > LANES &&
        count <= LONG_MAX_CHARACTERS && e - start >= LONG_MAX_CHARACTERS &&
        KERNEL(read_long)(type, out, i, s + negative, e, negative))
        return true;
    return read_any(type, out, i, &s, e) && s == e;
}

INLINE uint64_t KERNEL(block_characters)(const char *block, const char *end) {
    char last[BLOCK] = {0};
    if (end - block >= BLOCK)
        return KERNEL(number_characters)(block);
    memcpy(last, block, (size_t)(end - block));
    return KERNEL(number_characters)(last);
}

INLINE size_t KERNEL(read_row)(sw_num_type type, void *out, size_t max, const char **at,
                               const char *start, const char *end) {
    const char *s = *at, *block = s;
    uint64_t carry = 0;
    size_t taken = 0;
    for (; block < end; block += BLOCK) {
        uint64_t inside = KERNEL(block_characters)(block, end);
        uint64_t ends = ~inside & (inside << 1 | carry);
        carry = inside >> 63;
        for (; ends; ends &= ends - 1) {
            const char *e = block + __builtin_ctzll(ends);
            if (e >= end || !KERNEL(read_one)(type, out, taken, s, e, start))
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

/* Where the characters of the number at `s` end; NULL where that is not plain to see. */
INLINE const char *KERNEL(number_end)(const char *s, const char *end) {
    if (__builtin_expect(end - s <= LANES, 0))
        return NULL;
    __m128i v = KERNEL(load)(s);
    __m128i low = _mm_sub_epi8(v, _mm_set1_epi8('-'));
    __m128i in_range = _mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8('9' - '-')), low);
    unsigned outside = ~KERNEL(bits_of)(in_range) & 0xFFFF;
    if (__builtin_expect(outside == 0, 0))
        return NULL;
    const char *e = s + __builtin_ctz(outside);
    return __builtin_expect((*e | 0x20) == 'e', 0) ? NULL : e;
}

INLINE const char *KERNEL(read_next)(sw_num_type type, void *out, const char *at, const char *start,
                                     const char *end) {
    const char *e = KERNEL(number_end)(at, end);
    if (__builtin_expect(e != NULL, 1))
        return KERNEL(read_one)(type, out, 0, at, e, start) ? e : NULL;
    return read_any(type, out, 0, &at, end) ? at : NULL;
}

static ENTRY size_t KERNEL(sw_num_row)(sw_num_type type, void *out, size_t max, const char **at,
                                       const char *start, const char *end) {
    switch (type) {
#define ROW(name) \
    case SW_NUM_##name: return KERNEL(read_row)(SW_NUM_##name, out, max, at, start, end);
        EACH_TYPE(ROW)
#undef ROW
    }
    return 0;
}

#define NEXT(name)                                                                             \
    static ENTRY const char *KERNEL(next_##name)(void *out, const char *at, const char *start, \
                                                 const char *end) {                            \
        return KERNEL(read_next)(SW_NUM_##name, out, at, start, end);                          \
    }
EACH_TYPE(NEXT)
#undef NEXT

#define NEXT(name) [SW_NUM_##name] = KERNEL(next_##name),
static sw_num_reader *const KERNEL(nexts)[] = {EACH_TYPE(NEXT)};
#undef NEXT
