/* SPDX-License-Identifier: Apache-2.0 */
#include "data/field.h"

#include "base/num.h"

#include <math.h>
#include <stdlib.h>

bool sw_field_loose_number(double *out, sw_str text) {
    char copy[128], *end;
    text = sw_str_trim(text);
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.at, 'x', text.len) ||
        memchr(text.at, 'X', text.len) || memchr(text.at, '(', text.len))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    *out = strtod(copy, &end);
    return end == copy + text.len;
}

bool sw_field_is_missing(sw_str text) {
    static const sw_str words[] = {SW_STR("na"),   SW_STR("nan"),  SW_STR("n/a"), SW_STR("null"),
                                   SW_STR("none"), SW_STR("<na>"), SW_STR("#n/a")};
    text = sw_str_trim(text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sw_str_eq_nocase(text, words[i]))
            return true;
    return text.len == 0;
}

bool sw_field_truth(double *out, sw_str text) {
    text = sw_str_trim(text);
    bool yes = sw_str_eq_nocase(text, SW_STR("true"));
    *out = yes;
    return yes || sw_str_eq_nocase(text, SW_STR("false"));
}

/* ---- Plain decimals, eight digits at a time ---- */

/* How many of eight bytes, from the first on, are digits. */
static unsigned digits_in(uint64_t bytes) {
    uint64_t below = bytes - UINT64_C(0x3030303030303030),
             above = bytes + UINT64_C(0x4646464646464646);
    uint64_t other = (below | above | bytes) & UINT64_C(0x8080808080808080);
    return other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
}

/* The first `count` of eight digits as a number: the others become leading zeros. */
static uint64_t value_of(uint64_t bytes, unsigned count) {
    if (count == 0)
        return 0;
    uint64_t d = (bytes & UINT64_C(0x0F0F0F0F0F0F0F0F)) << (64 - 8 * count);
    d = (d * 10 + (d >> 8)) & UINT64_C(0x00FF00FF00FF00FF);
    d = (d * 100 + (d >> 16)) & UINT64_C(0x0000FFFF0000FFFF);
    return (d * 10000 + (d >> 32)) & UINT64_C(0xFFFFFFFF);
}

/*
 * [-]digits[.digits] with at most eight digits on each side and fifteen in all. Those are a whole
 * number below 2^53 over a power of ten that is exact too, so that one division rounds correctly
 * (Clinger).
 */
bool sw_field_decimal(double *out, sw_str text) {
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    uint64_t bytes;
    if (text.len == 0)
        return false;
    bool negative = text.at[0] == '-';
    const char *at = text.at + negative;
    size_t len = text.len - negative;
    memcpy(&bytes, at, 8);
    unsigned before = digits_in(bytes), after = 0;
    before = before < len ? before : (unsigned)len;
    uint64_t whole = value_of(bytes, before);
    if (before < len) {
        memcpy(&bytes, at + before + 1, 8);
        after = digits_in(bytes);
        if (at[before] != '.' || len - before - 1 > after || before + after > 15)
            return false;
        after = (unsigned)(len - before - 1);
        whole = whole * (uint64_t)tens[after] + value_of(bytes, after);
    }
    *out = (negative ? -(double)whole : (double)whole) / tens[after];
    return before + after > 0;
}

sw_field_kind sw_field_read(double *out, sw_str text) {
    const char *at = text.at, *end = text.at + text.len;
    if (sw_field_decimal(out, text))
        return SW_FIELD_NUMBER;
    if (text.len && sw_num_scan_f64(out, &at, end) != SW_NUM_MALFORMED && at == end)
        return SW_FIELD_NUMBER;
    if (sw_field_is_missing(text))
        return SW_FIELD_MISSING;
    return sw_field_truth(out, text) || sw_field_loose_number(out, text) ? SW_FIELD_NUMBER
                                                                         : SW_FIELD_TEXT;
}
