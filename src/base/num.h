/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num: numbers to text and back, exactly.
 *
 * Reading takes the grammar of JSON (RFC 8259, section 6: no leading '+' or '0', a digit on both
 * sides of the point) and rounds correctly, to binary64 or straight to binary32. Writing gives the
 * shortest digits that read back as the same number. No locale, no memory from the heap.
 *
 * Source:  reading: W. Clinger, "How to read floating point numbers accurately" (1990) for short
 *          numbers, D. Lemire, "Number parsing at a gigabyte per second" (2021) with N. Mushtak and
 *          D. Lemire, "Fast number parsing without fallback" (2023) for the rest; the C library
 *          decides where more than 19 digits leave two candidates. Writing: R. Giulietti, "The
 *          Schubfach way to render doubles" (2020).
 * Threads: any.
 * Layer:   base.
 */
#ifndef SW_BASE_NUM_H
#define SW_BASE_NUM_H

#include "base/str.h"

#include <stdint.h>

/* Room that any number printed here fits into. */
enum { SW_NUM_BYTES = 32 };

typedef enum sw_num_fit {
    SW_NUM_FITS,
    SW_NUM_MALFORMED,    /* no number stands there */
    SW_NUM_OUT_OF_RANGE, /* too large for the type */
    SW_NUM_NOT_WHOLE     /* a fraction where a whole number was wanted */
} sw_num_fit;

/*
 * One number that begins at *at; *at then stands behind it (on MALFORMED where the grammar broke).
 * Nothing at or behind `end` is read. What follows the number is not looked at.
 *
 * OUT_OF_RANGE of a float gives the infinity that it rounds to. Whole numbers may be written as
 * 5, 5.0 or 50e-1; each must be exactly whole.
 */
sw_num_fit sw_num_scan_f64(double *out, const char **at, const char *end);
sw_num_fit sw_num_scan_f32(float *out, const char **at, const char *end);
sw_num_fit sw_num_scan_i64(int64_t *out, const char **at, const char *end);
sw_num_fit sw_num_scan_u64(uint64_t *out, const char **at, const char *end);
/* Stands behind the number, or NULL where the grammar breaks. */
const char *sw_num_skip(const char *at, const char *end);

/* The whole of `text` must be one number. */
sw_num_fit sw_num_parse_f64(double *out, sw_str text);
sw_num_fit sw_num_parse_i64(int64_t *out, sw_str text);

/*
 * Write at most SW_NUM_BYTES to `to` and return the count; no NUL. Floats look like 0.5, 3.0,
 * 1e-7 or 1.5e300 (plain from 1e-4 to below 1e16), the rest is "NaN", "Infinity", "-Infinity".
 */
size_t sw_num_print_f64(char *to, double value);
size_t sw_num_print_f32(char *to, float value);
size_t sw_num_print_i64(char *to, int64_t value);
size_t sw_num_print_u64(char *to, uint64_t value);

/* Bit for bit the same number, or neither is one: what a computation done again must give. */
bool sw_num_same_f64(double a, double b);

/* As people read it in a sentence: 1234567 → "1,234,567". */
typedef struct sw_grouped {
    char at[SW_NUM_BYTES];
} sw_grouped;
sw_grouped sw_num_grouped(uint64_t value);

#endif /* SW_BASE_NUM_H */
