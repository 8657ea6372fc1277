/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"

#include "base/num_powers.inc"
#include "base/num_private.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

power128 sw_num_power(int q) {
    const uint64_t *power = powers[q - POWER_LOWEST];
    return (power128){power[0], power[1]};
}

/* ---- The decimal that stands in the text ---- */

/* (-1)^negative * digits * 10^exponent. */
typedef struct decimal {
    uint64_t digits; /* the first 19 significant ones */
    int64_t exponent;
    bool negative;
    bool cut;       /* digits other than zero follow the 19th */
    const char *at; /* the text, for the rare case that needs all of its digits */
    const char *end;
} decimal;

enum { DIGITS_MAX = 19 };
/* Beyond the length of any text, so that a point far away and an exponent still cancel out. */
static const int64_t exponent_bound = 100000000000000000;

static inline bool is_digit(char c) {
    return (unsigned char)(c - '0') <= 9;
}

/* Eight digits at once: little-endian, so the first digit is in the lowest byte. */
static inline bool are_eight_digits(uint64_t word) {
    return (((word & 0xF0F0F0F0F0F0F0F0U) |
             (((word + 0x0606060606060606U) & 0xF0F0F0F0F0F0F0F0U) >> 4)) == 0x3333333333333333U);
}

static inline uint64_t eight_digits(uint64_t word) {
    word -= 0x3030303030303030U;
    word = (word * 10) + (word >> 8);
    return (((word & 0x000000FF000000FFU) * 0x000F424000000064U) +
            (((word >> 16) & 0x000000FF000000FFU) * 0x0000271000000001U)) >>
           32;
}

/* Adds a run of digits to `value`, which wraps where there are more than 19. */
static inline const char *add_digits(uint64_t *value, const char *at, const char *end) {
    uint64_t sum = *value, word;
    while (end - at >= 8 && (memcpy(&word, at, 8), are_eight_digits(word))) {
        sum = sum * 100000000 + eight_digits(word);
        at += 8;
    }
    while (at < end && is_digit(*at))
        sum = sum * 10 + (uint64_t)(*at++ - '0');
    *value = sum;
    return at;
}

/* The exponent behind 'e'; NULL where it has no digit. Bounded, so that no later sum overflows. */
static const char *scan_exponent(int64_t *out, const char **at, const char *end) {
    const char *p = *at;
    bool negative = p < end && *p == '-';
    int64_t value = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    *at = p;
    if (p == end || !is_digit(*p))
        return NULL;
    for (; p < end && is_digit(*p); p++)
        if (value < exponent_bound)
            value = value * 10 + (*p - '0');
    *out = negative ? -value : value;
    *at = p;
    return p;
}

/* Zeros before the first digit that counts. */
static int64_t count_leading_zeros(const char *at, const char *end) {
    int64_t zeros = 0;
    for (; at < end && (*at == '0' || *at == '.'); at++)
        zeros += *at == '0';
    return zeros;
}

/* More than 19 digits: reads the first 19 that count again. */
static void gather_first_digits(decimal *d, int64_t exponent, const char *at, const char *end) {
    uint64_t digits = 0;
    int taken = 0;
    bool point = false;
    d->cut = false;
    d->exponent = exponent;
    for (; at < end && (is_digit(*at) || *at == '.'); at++) {
        if (*at == '.') {
            point = true;
            continue;
        }
        if (taken < DIGITS_MAX) {
            digits = digits * 10 + (uint64_t)(*at - '0');
            taken += digits != 0;
            d->exponent -= point;
        } else {
            d->cut |= *at != '0';
            d->exponent += !point;
        }
    }
    d->digits = digits;
}

/* False where the grammar breaks, with *at there. */
static inline bool scan_decimal(decimal *d, const char **at, const char *end) {
    const char *p = *at, *first;
    int64_t exponent = 0;
    *d = (decimal){.at = p};
    d->negative = p < end && *p == '-';
    p += d->negative;
    first = p;
    p = add_digits(&d->digits, p, end);
    *at = first;
    if (p == first || (*first == '0' && p - first > 1))
        return false;
    int64_t count = p - first;
    if (p < end && *p == '.') {
        const char *fraction = ++p;
        p = add_digits(&d->digits, p, end);
        *at = p;
        if (p == fraction)
            return false;
        d->exponent = fraction - p;
        count -= d->exponent;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        *at = p + 1;
        p = scan_exponent(&exponent, at, end);
        if (!p)
            return false;
        d->exponent += exponent;
    }
    d->end = p;
    *at = p;
    if (__builtin_expect(count > DIGITS_MAX, 0) &&
        count - count_leading_zeros(first, p) > DIGITS_MAX)
        gather_first_digits(d, exponent, first, p);
    return true;
}

/* ---- Decimal to binary ---- */

/* The layout of an IEEE 754 binary format. */
typedef struct format {
    int mantissa_bits; /* as stored */
    int exponent_least;
    int exponent_infinite;
    int lowest_power; /* 10^q below this is zero whatever the digits */
    int highest_power;
    int tie_lowest, tie_highest; /* powers at which digits may lie exactly between two values */
} format;

static const format binary64 = {52, -1023, 0x7FF, -342, 308, -4, 23};
static const format binary32 = {23, -127, 0xFF, -64, 38, -17, 10};

static inline power128 multiply_by_power(const format *f, int q, uint64_t digits) {
    power128 power = sw_num_power(q), product = multiply_64(digits, power.high);
    uint64_t mask = UINT64_MAX >> (f->mantissa_bits + 3);
    if ((product.high & mask) == mask) {
        power128 more = multiply_64(digits, power.low);
        product.low += more.high;
        product.high += product.low < more.high;
    }
    return product;
}

/* floor(log2(10^q)) + 63, for |q| < 400. */
static inline int binary_exponent(int q) {
    return ((217706 * q) >> 16) + 63;
}

static inline uint64_t assemble(const format *f, uint64_t mantissa, int exponent) {
    return mantissa | (uint64_t)exponent << f->mantissa_bits;
}

static uint64_t round_subnormal(uint64_t mantissa, int exponent) {
    if (1 - exponent >= 64)
        return 0;
    mantissa >>= 1 - exponent;
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    return mantissa; /* a carry into the exponent's place makes the least normal number */
}

/* The bits of digits * 10^q without a sign, rounded correctly. */
static inline uint64_t decimal_bits(const format *f, uint64_t digits, int64_t q) {
    if (digits == 0 || q < f->lowest_power)
        return 0;
    if (q > f->highest_power)
        return assemble(f, 0, f->exponent_infinite);
    int zeros = __builtin_clzll(digits);
    power128 product = multiply_by_power(f, (int)q, digits << zeros);
    int upper = (int)(product.high >> 63);
    int shift = upper + 64 - f->mantissa_bits - 3;
    uint64_t mantissa = product.high >> shift;
    int exponent = binary_exponent((int)q) + upper - zeros - f->exponent_least;
    if (exponent <= 0)
        return round_subnormal(mantissa, exponent);
    if (product.low <= 1 && q >= f->tie_lowest && q <= f->tie_highest && (mantissa & 3) == 1 &&
        mantissa << shift == product.high)
        mantissa &= ~(uint64_t)1; /* exactly between: to even */
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> (f->mantissa_bits + 1)) {
        mantissa >>= 1;
        exponent++;
    }
    if (exponent >= f->exponent_infinite)
        return assemble(f, 0, f->exponent_infinite);
    return assemble(f, mantissa & (((uint64_t)1 << f->mantissa_bits) - 1), exponent);
}

/* ---- The rare case that needs every digit ---- */

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/*
 * Between two neighbours of binary64 lies no number of more than 767 significant digits, so that a
 * digit behind the 800th can only say "a little more".
 */
enum { EXACT_DIGITS = 800, EXACT_BYTES = EXACT_DIGITS + 40 };

static void write_exact(char text[EXACT_BYTES], const decimal *d) {
    int64_t exponent = 0;
    size_t len = 0;
    bool point = false, more = false;
    const char *p = d->at + d->negative;
    for (; p < d->end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.') {
            point = true;
        } else if (len < EXACT_DIGITS) {
            if (len || *p != '0')
                text[len++] = *p;
            exponent -= point;
        } else {
            more |= *p != '0';
            exponent += !point;
        }
    }
    if (more) {
        text[len++] = '1';
        exponent--;
    }
    int64_t written = 0;
    if (p < d->end) {
        p++;
        scan_exponent(&written, &p, d->end);
    }
    text[len++] = 'e';
    len += sw_num_print_i64(text + len, exponent + written);
    text[len] = '\0';
}

static __attribute__((noinline)) double exact_f64(const decimal *d) {
    char text[EXACT_BYTES];
    pthread_once(&c_locale_once, make_c_locale);
    write_exact(text, d);
    return c_locale ? strtod_l(text, NULL, c_locale) : strtod(text, NULL);
}

static __attribute__((noinline)) float exact_f32(const decimal *d) {
    char text[EXACT_BYTES];
    pthread_once(&c_locale_once, make_c_locale);
    write_exact(text, d);
    return c_locale ? strtof_l(text, NULL, c_locale) : strtof(text, NULL);
}

/* ---- Floats ---- */

static const double tens_f64[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const float tens_f32[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F, 1e8F, 1e9F, 1e10F};

sw_num_fit sw_num_scan_f64(double *out, const char **at, const char *end) {
    decimal d;
    double value;
    if (!scan_decimal(&d, at, end))
        return SW_NUM_MALFORMED;
    if (d.exponent >= -22 && d.exponent <= 22 && d.digits <= (uint64_t)1 << 53 && !d.cut) {
        value = (double)d.digits;
        value = d.exponent < 0 ? value / tens_f64[-d.exponent] : value * tens_f64[d.exponent];
    } else {
        uint64_t bits = decimal_bits(&binary64, d.digits, d.exponent);
        if (d.cut && bits != decimal_bits(&binary64, d.digits + 1, d.exponent))
            value = exact_f64(&d);
        else
            memcpy(&value, &bits, sizeof value);
    }
    *out = d.negative ? -value : value;
    return isinf(value) ? SW_NUM_OUT_OF_RANGE : SW_NUM_FITS;
}

sw_num_fit sw_num_scan_f32(float *out, const char **at, const char *end) {
    decimal d;
    float value;
    if (!scan_decimal(&d, at, end))
        return SW_NUM_MALFORMED;
    if (d.exponent >= -10 && d.exponent <= 10 && d.digits <= (uint64_t)1 << 24 && !d.cut) {
        value = (float)d.digits;
        value = d.exponent < 0 ? value / tens_f32[-d.exponent] : value * tens_f32[d.exponent];
    } else {
        uint64_t wide = decimal_bits(&binary32, d.digits, d.exponent);
        uint32_t bits = (uint32_t)wide;
        if (d.cut && wide != decimal_bits(&binary32, d.digits + 1, d.exponent))
            value = exact_f32(&d);
        else
            memcpy(&value, &bits, sizeof value);
    }
    *out = d.negative ? -value : value;
    return isinf(value) ? SW_NUM_OUT_OF_RANGE : SW_NUM_FITS;
}

bool sw_num_compose_f64(double *out, uint64_t digits, int exponent, bool negative) {
    uint64_t bits = decimal_bits(&binary64, digits, exponent) | (uint64_t)negative << 63;
    memcpy(out, &bits, sizeof bits);
    return !isinf(*out);
}

bool sw_num_compose_f32(float *out, uint64_t digits, int exponent, bool negative) {
    uint32_t bits = (uint32_t)decimal_bits(&binary32, digits, exponent) | (uint32_t)negative << 31;
    memcpy(out, &bits, sizeof bits);
    return !isinf(*out);
}

/* ---- Whole numbers ---- */

/*
 * A number with a point or an exponent, or of 20 digits: its digits without zeros at the end, times
 * a power of ten. More than 20 digits that count are too many for any whole 64-bit number.
 */
static sw_num_fit whole_of_text(uint64_t *out, const decimal *d) {
    uint64_t value = 0;
    int64_t zeros = 0, exponent = 0;
    bool point = false, over = false;
    const char *p = d->at + d->negative;
    for (; p < d->end && (is_digit(*p) || *p == '.'); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        exponent -= point;
        zeros++;
        if (*p == '0')
            continue;
        for (; zeros > 0 && value && !over; zeros--)
            over = __builtin_mul_overflow(value, (uint64_t)10, &value);
        over = over || __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value);
        zeros = 0;
    }
    int64_t written = 0;
    if (p < d->end) {
        p++;
        scan_exponent(&written, &p, d->end);
    }
    exponent += written + zeros;
    if (value == 0 && !over) {
        *out = 0;
        return SW_NUM_FITS;
    }
    if (exponent < 0)
        return SW_NUM_NOT_WHOLE;
    for (; exponent > 0 && !over; exponent--)
        over = __builtin_mul_overflow(value, (uint64_t)10, &value);
    *out = value;
    return over ? SW_NUM_OUT_OF_RANGE : SW_NUM_FITS;
}

/* The number without its sign. */
static inline sw_num_fit scan_whole(uint64_t *out, bool *negative, const char **at,
                                    const char *end) {
    const char *p = *at + (*at < end && **at == '-'), *first = p;
    uint64_t value = 0;
    while (p < end && is_digit(*p))
        value = value * 10 + (uint64_t)(*p++ - '0');
    bool plain = p == end || (*p != '.' && *p != 'e' && *p != 'E');
    if (plain && p - first <= DIGITS_MAX && p > first && (*first != '0' || p - first == 1)) {
        *negative = first != *at;
        *out = value;
        *at = p;
        return SW_NUM_FITS;
    }
    decimal d;
    if (!scan_decimal(&d, at, end))
        return SW_NUM_MALFORMED;
    *negative = d.negative;
    return whole_of_text(out, &d);
}

sw_num_fit sw_num_scan_u64(uint64_t *out, const char **at, const char *end) {
    bool negative = false;
    sw_num_fit fit = scan_whole(out, &negative, at, end);
    if (fit == SW_NUM_FITS && negative && *out != 0)
        return SW_NUM_OUT_OF_RANGE;
    return fit;
}

sw_num_fit sw_num_scan_i64(int64_t *out, const char **at, const char *end) {
    uint64_t value = 0;
    bool negative = false;
    sw_num_fit fit = scan_whole(&value, &negative, at, end);
    if (fit != SW_NUM_FITS)
        return fit;
    if (value > (uint64_t)INT64_MAX + negative)
        return SW_NUM_OUT_OF_RANGE;
    *out = (int64_t)(negative ? 0 - value : value);
    return SW_NUM_FITS;
}

const char *sw_num_skip(const char *at, const char *end) {
    decimal d;
    return scan_decimal(&d, &at, end) ? at : NULL;
}

sw_num_fit sw_num_parse_f64(double *out, sw_str text) {
    const char *at = text.at, *end = text.at + text.len;
    sw_num_fit fit = text.len ? sw_num_scan_f64(out, &at, end) : SW_NUM_MALFORMED;
    return at == end ? fit : SW_NUM_MALFORMED;
}

sw_num_fit sw_num_parse_i64(int64_t *out, sw_str text) {
    const char *at = text.at, *end = text.at + text.len;
    sw_num_fit fit = text.len ? sw_num_scan_i64(out, &at, end) : SW_NUM_MALFORMED;
    return at == end ? fit : SW_NUM_MALFORMED;
}

bool sw_num_same_f64(double a, double b) {
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y || (isnan(a) && isnan(b));
}
