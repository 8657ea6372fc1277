/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "base/num_private.h"

/* ---- Whole numbers, two digits at a time ---- */

static const char pairs[201] = "00010203040506070809101112131415161718192021222324"
                               "25262728293031323334353637383940414243444546474849"
                               "50515253545556575859606162636465666768697071727374"
                               "75767778798081828384858687888990919293949596979899";

static int count_digits(uint64_t value) {
    static const uint64_t tens[20] = {0,
                                      10,
                                      100,
                                      1000,
                                      10000,
                                      100000,
                                      1000000,
                                      10000000,
                                      100000000,
                                      1000000000,
                                      10000000000,
                                      100000000000,
                                      1000000000000,
                                      10000000000000,
                                      100000000000000,
                                      1000000000000000,
                                      10000000000000000,
                                      100000000000000000,
                                      1000000000000000000,
                                      10000000000000000000U};
    int guess = ((64 - __builtin_clzll(value | 1)) * 1233) >> 12; /* log10(2) * 4096 */
    return guess + (guess < 20 && value >= tens[guess]);
}

/* `count` digits of `value`, the last before `end`. */
static void put_digits(char *end, uint64_t value, int count) {
    while (count >= 2) {
        end -= 2;
        memcpy(end, pairs + 2 * (value % 100), 2);
        value /= 100;
        count -= 2;
    }
    if (count)
        end[-1] = (char)('0' + value % 10);
}

size_t sw_num_print_u64(char *to, uint64_t value) {
    int count = count_digits(value);
    put_digits(to + count, value, count);
    return (size_t)count;
}

size_t sw_num_print_i64(char *to, int64_t value) {
    *to = '-';
    if (value < 0)
        return 1 + sw_num_print_u64(to + 1, 0 - (uint64_t)value);
    return sw_num_print_u64(to, (uint64_t)value);
}

/* ---- Schubfach: the shortest decimal in the rounding interval of a binary float ---- */

/* digits * 10^exponent */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

/* The fraction of 10^q rounded up, as Schubfach's proof wants it. */
static power128 power_up(int q) {
    power128 power = sw_num_power(q);
    bool already = q >= -27 && q <= 55; /* exact, or rounded up in the table */
    power.low += !already;
    return power;
}

static int floor_log2_pow10(int q) {
    return (q * 1741647) >> 19;
}

/* The product's integer part, its last bit telling whether anything was cut off. */
static uint64_t round_to_odd_64(power128 power, uint64_t c) {
    power128 low = multiply_64(power.low, c), high = multiply_64(power.high, c);
    uint64_t middle = high.low + low.high;
    return (high.high + (middle < high.low)) | (middle > 1);
}

static uint64_t round_to_odd_32(uint64_t power, uint64_t c) {
    power128 product = multiply_64(power, c);
    return product.high | ((product.low >> 32) > 1);
}

/* The value and its rounding interval, scaled by 4 * 10^-k. */
typedef struct interval {
    uint64_t lower, value, upper;
    bool open; /* the ends themselves round elsewhere */
} interval;

static decimal shortest_in(interval x, int k) {
    uint64_t lower = x.lower + x.open, upper = x.upper - x.open, s = x.value / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
        if (below != above)
            return (decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
    if (below != above)
        return (decimal){s + above, k};
    uint64_t middle = 4 * s + 2;
    bool up = x.value > middle || (x.value == middle && (s & 1));
    return (decimal){s + up, k};
}

/* floor(log10(2^q)), or of 3/4 * 2^q where the lower neighbour is closer. */
static int decimal_exponent(int q, bool closer) {
    return (q * 1262611 - (closer ? 524031 : 0)) >> 22;
}

static decimal shortest_f64(uint64_t mantissa, int exponent) {
    uint64_t c = exponent ? mantissa | (uint64_t)1 << 52 : mantissa;
    int q = exponent ? exponent - 1075 : -1074;
    if (q <= 0 && q > -53 && (c & (((uint64_t)1 << -q) - 1)) == 0)
        return (decimal){c >> -q, 0};
    bool closer = mantissa == 0 && exponent > 1;
    int k = decimal_exponent(q, closer), h = q + floor_log2_pow10(-k) + 1;
    power128 power = power_up(-k);
    interval x = {round_to_odd_64(power, (4 * c - 2 + closer) << h),
                  round_to_odd_64(power, 4 * c << h), round_to_odd_64(power, (4 * c + 2) << h),
                  c & 1};
    return shortest_in(x, k);
}

static decimal shortest_f32(uint32_t mantissa, int exponent) {
    uint64_t c = exponent ? mantissa | (uint32_t)1 << 23 : mantissa;
    int q = exponent ? exponent - 150 : -149;
    if (q <= 0 && q > -24 && (c & (((uint64_t)1 << -q) - 1)) == 0)
        return (decimal){c >> -q, 0};
    bool closer = mantissa == 0 && exponent > 1;
    int k = decimal_exponent(q, closer), h = q + floor_log2_pow10(-k) + 1;
    power128 wide = sw_num_power(-k);
    uint64_t power = wide.high + (wide.low != 0);
    interval x = {round_to_odd_32(power, (4 * c - 2 + closer) << h),
                  round_to_odd_32(power, 4 * c << h), round_to_odd_32(power, (4 * c + 2) << h),
                  c & 1};
    return shortest_in(x, k);
}

/* ---- Layout ---- */

static decimal without_zeros(decimal d) {
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    return d;
}

/* d.ddde-7 */
static size_t put_scientific(char *to, uint64_t digits, int count, int point) {
    size_t len = (size_t)count;
    put_digits(to + 1 + count, digits, count);
    to[0] = to[1];
    if (count > 1) {
        to[1] = '.';
        len++;
    }
    to[len++] = 'e';
    return len + sw_num_print_i64(to + len, point - 1);
}

/* `point`: where the decimal point stands, counted from the first digit. */
static size_t put_plain(char *to, uint64_t digits, int count, int point) {
    if (point <= 0) {
        memcpy(to, "0.000000", 8);
        put_digits(to + 2 - point + count, digits, count);
        return (size_t)(2 - point + count);
    }
    if (point >= count) {
        put_digits(to + count, digits, count);
        memset(to + count, '0', (size_t)(point - count));
        memcpy(to + point, ".0", 2);
        return (size_t)point + 2;
    }
    put_digits(to + 1 + count, digits, count);
    memmove(to, to + 1, (size_t)point);
    to[point] = '.';
    return (size_t)count + 1;
}

static size_t put_decimal(char *to, decimal d) {
    d = without_zeros(d);
    int count = count_digits(d.digits), point = count + d.exponent;
    if (point < -3 || point > 16)
        return put_scientific(to, d.digits, count, point);
    return put_plain(to, d.digits, count, point);
}

static size_t put_text(char *to, bool negative, const char *text) {
    size_t len = strlen(text);
    *to = '-';
    memcpy(to + negative, text, len);
    return len + negative;
}

size_t sw_num_print_f64(char *to, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t mantissa = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52) & 0x7FF;
    bool negative = bits >> 63;
    if (exponent == 0x7FF)
        return mantissa ? put_text(to, false, "NaN") : put_text(to, negative, "Infinity");
    if (mantissa == 0 && exponent == 0)
        return put_text(to, negative, "0.0");
    *to = '-';
    return negative + put_decimal(to + negative, shortest_f64(mantissa, exponent));
}

size_t sw_num_print_f32(char *to, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t mantissa = bits & (((uint32_t)1 << 23) - 1);
    int exponent = (int)(bits >> 23) & 0xFF;
    bool negative = bits >> 31;
    if (exponent == 0xFF)
        return mantissa ? put_text(to, false, "NaN") : put_text(to, negative, "Infinity");
    if (mantissa == 0 && exponent == 0)
        return put_text(to, negative, "0.0");
    *to = '-';
    return negative + put_decimal(to + negative, shortest_f32(mantissa, exponent));
}

sw_grouped sw_num_grouped(uint64_t value) {
    char digits[SW_NUM_BYTES];
    size_t len = sw_num_print_u64(digits, value), at = 0;
    sw_grouped out;
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            out.at[at++] = ',';
        out.at[at++] = digits[i];
    }
    out.at[at] = 0;
    return out;
}
