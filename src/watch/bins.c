/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"

#include "base/num.h"

#include <math.h>
#include <stdlib.h>

size_t sw_bins_keys(double *keys, const sw_profile_column *column) {
    size_t count = 0;
    bool known = !isnan(column->min) && !isnan(column->max);
    /* With no finite value in the reference there is no range: whatever comes is within. */
    keys[count++] = known ? column->min : -INFINITY;
    for (uint32_t i = 0; i < column->cut_count; i++)
        keys[count++] = column->cuts[i];
    if (known)
        keys[count++] = nextafter(column->max, INFINITY);
    return count;
}

/* The smallest float that is not below `x`. */
static float float_above(double x) {
    float near = (float)x;
    return (double)near < x ? nextafterf(near, INFINITY) : near;
}

void sw_keys32_fill(sw_keys32 *out, const double *keys, size_t count) {
    for (size_t i = 0; i < SW_KEYS_MAX; i++)
        out->leaf[i] = i < count ? float_above(keys[i]) : NAN;
    for (size_t i = 0; i < 8; i++)
        out->root[i] = out->leaf[(i + 1) * 8];
}

void sw_keys64_fill(sw_keys64 *out, const double *keys, size_t count) {
    for (size_t i = 0; i < SW_KEYS_MAX; i++)
        out->leaf[i] = i < count ? keys[i] : NAN;
    for (size_t i = 0; i < 8; i++)
        out->root[i] = out->leaf[(i + 1) * 8];
}

static void put(sw_catalog *catalog, sw_str value, uint32_t bin, bool number) {
    uint64_t key = sw_hash_text(value), at = key;
    if (number) {
        double x = NAN;
        sw_bins_parse(&x, value, SW_FP64);
        key = sw_number_key(x);
        at = sw_hash_mix(key, 0);
    }
    uint32_t slot = (uint32_t)at & catalog->mask;
    while (catalog->slots[slot].bin)
        slot = (slot + 1) & catalog->mask;
    catalog->slots[slot] = (sw_catalog_slot){key, bin};
}

bool sw_catalog_make(sw_catalog *out, const sw_str *values, uint32_t count, bool numbers,
                     sw_arena *arena) {
    uint32_t size = 4;
    while (size < count * 2 + 2)
        size *= 2;
    sw_catalog_slot *slots = sw_arena_zalloc(arena, size, sizeof *slots);
    if (!slots)
        return false;
    *out = (sw_catalog){slots, size - 1, values};
    for (uint32_t i = 0; i < count; i++)
        put(out, values[i], SW_BIN_FIRST + i, numbers);
    return true;
}

/* What people write beyond JSON's grammar: " 1", "+1", ".5", "5.", "007", "inf". */
static bool parse_loosely(double *out, sw_str text) {
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

static bool is_missing(sw_str text) {
    static const sw_str words[] = {SW_STR("na"), SW_STR("nan"), SW_STR("n/a"), SW_STR("null"),
                                   SW_STR("none")};
    text = sw_str_trim(text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (sw_str_eq_nocase(text, words[i]))
            return true;
    return text.len == 0;
}

static bool parse_bool(double *out, sw_str text) {
    text = sw_str_trim(text);
    bool yes = sw_str_eq_nocase(text, SW_STR("true"));
    *out = yes;
    return yes || sw_str_eq_nocase(text, SW_STR("false"));
}

bool sw_bins_parse(double *out, sw_str text, sw_dtype dtype) {
    const char *at = text.at, *end = text.at + text.len;
    if (text.len == 0) {
        *out = NAN;
        return true;
    }
    if (dtype == SW_FP32) {
        float x;
        if (sw_num_scan_f32(&x, &at, end) != SW_NUM_MALFORMED && at == end) {
            *out = (double)x;
            return true;
        }
    } else if (sw_num_scan_f64(out, &at, end) != SW_NUM_MALFORMED && at == end) {
        if (dtype == SW_FP16)
            *out = (double)sw_fp16_to_f32(sw_fp16_from_f32((float)*out));
        return true;
    }
    if (is_missing(text)) {
        *out = NAN;
        return true;
    }
    if (dtype == SW_BOOL && parse_bool(out, text))
        return true;
    if (!parse_loosely(out, text))
        return false;
    if (dtype == SW_FP32)
        *out = (double)(float)*out;
    return true;
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
static bool parse_decimal(double *out, sw_str text) {
    static const double tens[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8};
    uint64_t bytes;
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

/*
 * Rounding to float after rounding to double goes wrong only for a decimal that is not halfway
 * between two floats, but so near that its double is. With at most eight decimals there is none: a
 * decimal k / 10^8 and a halfway point j / 2^b, j of 25 bits, that differ at all differ by at least
 * 1 / (5^8 2^b), which is above half a unit in the double's last place, 2^(-29 - b).
 */
bool sw_bins_parse_padded(double *out, sw_str text, sw_dtype dtype) {
    if (text.len && parse_decimal(out, text)) {
        if (dtype != SW_FP32 && dtype != SW_FP16)
            return true;
        if (dtype == SW_FP32) {
            *out = (double)(float)*out;
            return true;
        }
    }
    return sw_bins_parse(out, text, dtype);
}
