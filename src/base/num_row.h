/* SPDX-License-Identifier: Apache-2.0 */
/*
 * num_row: many numbers in a row, as the data of a tensor has them.
 *
 * Workload: 30 to a million numbers of 1 to 16 characters with ',' or ', ' between them. Sixteen
 * characters are read at once, and where a number ends is found for 64 characters at once, so
 * that one number need not wait for the one before it.
 *
 * Threads: any.
 * Layer:   base.
 */
#ifndef SW_BASE_NUM_ROW_H
#define SW_BASE_NUM_ROW_H

#include "base/num.h"

typedef enum sw_num_type {
    SW_NUM_U8,
    SW_NUM_U16,
    SW_NUM_U32,
    SW_NUM_U64,
    SW_NUM_I8,
    SW_NUM_I16,
    SW_NUM_I32,
    SW_NUM_I64,
    SW_NUM_F32,
    SW_NUM_F64
} sw_num_type;

/*
 * Reads up to `max` numbers from *at on into `out` and returns how many; *at then stands behind
 * the last one. It stops early, be it at 0, before an element that is not plain (other white space,
 * NaN, null, out of range, no number at all): the caller looks at that one by itself, and comes
 * back. `start` is where readable memory begins, somewhere before *at; nothing at or behind `end`
 * is read.
 */
size_t sw_num_row(sw_num_type type, void *out, size_t max, const char **at, const char *start,
                  const char *end);

/* One number at `at` into `out`. Returns what is behind it, or NULL where it is none or does not
 * fit. */
typedef const char *sw_num_reader(void *out, const char *at, const char *start, const char *end);

/* The reader of that type for the machine this runs on. */
sw_num_reader *sw_num_next(sw_num_type type);

/* What may be a number and takes up all from `at` to `end` (at least one character), and where it
 * goes. */
typedef struct sw_num_place {
    const char *at, *end;
    void *out;
} sw_num_place;

/* Reads the numbers of `places` and returns how many there are before one that does not fit, or is
 * none. `start` as above; one character behind each end is readable. */
size_t sw_num_places(sw_num_type type, const sw_num_place *places, size_t count, const char *start);

#endif /* SW_BASE_NUM_ROW_H */
