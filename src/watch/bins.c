/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"

#include "base/num.h"
#include "data/field.h"

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
    if (sw_field_is_missing(text)) {
        *out = NAN;
        return true;
    }
    if (sw_field_truth(out, text))
        return true;
    if (!sw_field_loose_number(out, text))
        return false;
    if (dtype == SW_FP32)
        *out = (double)(float)*out;
    return true;
}

/*
 * Rounding to float after rounding to double goes wrong only for a decimal that is not halfway
 * between two floats, but so near that its double is. With at most eight decimals there is none: a
 * decimal k / 10^8 and a halfway point j / 2^b, j of 25 bits, that differ at all differ by at least
 * 1 / (5^8 2^b), which is above half a unit in the double's last place, 2^(-29 - b).
 */
bool sw_bins_parse_padded(double *out, sw_str text, sw_dtype dtype) {
    if (sw_field_decimal(out, text)) {
        if (dtype != SW_FP32 && dtype != SW_FP16)
            return true;
        if (dtype == SW_FP32) {
            *out = (double)(float)*out;
            return true;
        }
    }
    return sw_bins_parse(out, text, dtype);
}
