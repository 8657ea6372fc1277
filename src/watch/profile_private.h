/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile, within: the two things a profile is made from.
 *
 * A tally counts the values of a category column, a sample gathers those of a numeric one. Both are
 * bounded, whatever the file holds.
 *
 * Layer: domain.
 */
#ifndef SW_WATCH_PROFILE_PRIVATE_H
#define SW_WATCH_PROFILE_PRIVATE_H

#include "watch/profile.h"

/* ---- Tally: how often each value occurs ---- */

enum {
    SW_TALLY_VALUES_MAX = 1 << 16, /* further values are counted as others */
    SW_TALLY_VALUE_BYTES_MAX = 256 /* a longer value is one of the others too */
};

typedef struct sw_tally_entry {
    uint64_t hash;
    uint64_t count;
    sw_str value; /* in the tally's arena */
} sw_tally_entry;

typedef struct sw_tally {
    sw_arena arena;
    sw_tally_entry *entries; /* in the order of their first occurrence */
    uint32_t *slots;         /* index + 1; 0: empty */
    uint32_t count, cap, slot_mask;
    uint64_t others;
} sw_tally;

/* False where memory is out. */
bool sw_tally_add(sw_tally *tally, sw_str value);
/* Most frequent first, ties in the order of the bytes. The table is of no use afterwards. */
void sw_tally_sort(sw_tally *tally);
void sw_tally_free(sw_tally *tally);

/* ---- Sample: all values of a column while they fit, then each with the same chance ---- */

typedef struct sw_sample {
    double *at;
    size_t count, room, cap; /* `cap`: the bound; `room` grows up to it */
    uint64_t seen;
    uint64_t next; /* beyond `cap`: which value (from 0) comes in next */
    double weight; /* of Algorithm L */
    uint64_t random;
} sw_sample;

void sw_sample_init(sw_sample *sample, size_t cap, uint64_t seed);
/* False where memory is out. Takes finite values. */
bool sw_sample_add(sw_sample *sample, const double *values, size_t count);
void sw_sample_free(sw_sample *sample);

/* Growing order; `spare` has room for `count` too. */
void sw_sort_doubles(double *values, double *spare, size_t count);

/*
 * Inner cuts of growing `values`: a bin for each value where there are at most SW_PROFILE_BINS
 * (then `levels` gets those values), else bins of near-equal counts that leave no value split.
 * Room for SW_PROFILE_BINS each. Returns how many cuts; *leveled says whether levels were set.
 */
uint32_t sw_cuts_of(double *cuts, double *levels, bool *leveled, const double *values,
                    size_t count);

#endif /* SW_WATCH_PROFILE_PRIVATE_H */
