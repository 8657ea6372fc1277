/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile, within: what a profile's columns are made from.
 *
 * A tally counts the values of a category column; those of a numeric one are held while they fit,
 * and else counted. All of it is bounded, whatever the file holds.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_PROFILE_PRIVATE_H
#define SW_WATCH_PROFILE_PRIVATE_H

#include "watch/grid_private.h"
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

/* `size_bytes` of the file, for the progress. */
SW_MUST_USE sw_status sw_profile_read_csv(sw_profile *out, const sw_profile_options *options,
                                          const char *path, uint64_t size_bytes, sw_arena *arena,
                                          sw_error *error);
/* Values that are known by chance alone become others: live rows are compared with the rest. */
void sw_profile_keep_certain(sw_profile_column *made);
/* What a column's values were set to: kind, range, categories. */
void sw_profile_set_feature(sw_feature *feature, const sw_profile_column *made);

/* ---- Gathering: one column's values, in bounded memory ---- */

enum { SW_GATHER_BYTES = 128 << 20 }; /* of all columns together */

typedef struct sw_levels sw_levels;

typedef enum sw_gather_mode {
    SW_GATHER_ALL,    /* holds every value */
    SW_GATHER_LEVELS, /* counts each of at most SW_PROFILE_BINS distinct values */
    SW_GATHER_GRID,   /* counts buckets */
} sw_gather_mode;

typedef struct sw_gather {
    bool category, whole;
    sw_gather_mode mode;
    sw_tally tally;
    double *at; /* finite values; up to `cap` of them are held */
    size_t count, room, cap;
    sw_levels *levels;
    sw_grid grid;
    struct sw_distinct *registers;  /* how many distinct values, where they are not held */
    uint64_t missing, below, above; /* below and above: the infinities */
    uint64_t finite;
    double min, max, mean, squares; /* squares: sum of squared differences from the mean */
} sw_gather;

/* `bytes`: of memory that a numeric column may take, at least 16 KiB. */
void sw_gather_init(sw_gather *gather, bool category, size_t bytes);
/* NaN: missing. `finite` is scratch of the same size. False where memory is out. */
bool sw_gather_numbers(sw_gather *gather, const double *values, double *finite, size_t count);
/* Empty: missing. */
bool sw_gather_text(sw_gather *gather, sw_str value);
/* A category that is a number: known by its text, as live values are. */
bool sw_gather_number_text(sw_gather *gather, double value);
/* `name` is copied. The gather holds nothing afterwards. */
SW_MUST_USE sw_status sw_gather_finish(sw_profile_column *out, sw_gather *gather, sw_str name,
                                       uint64_t rows, sw_arena *arena, sw_error *error);
void sw_gather_free(sw_gather *gather);

/* ---- Cuts ---- */

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
