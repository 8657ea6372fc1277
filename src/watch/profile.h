/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile: what the training data looked like, feature by feature.
 *
 * A numeric feature keeps cut points at its quantiles and the reference's count in each bin; a
 * category feature keeps its values and their counts. Missing values, and (live only) values below
 * and above the range and unseen categories, have bins of their own.
 *
 * Bins of a numeric feature: 0 missing, 1 below min, 2 … cut_count+2 between the cuts, last: above
 * max. Bins of a category feature: 0 missing, 1 unseen, 2 … one for each known value.
 *
 * Memory:  immutable once made, in the arena it was made in.
 * Threads: any.
 * Layer:   watch.
 */
#ifndef SW_WATCH_PROFILE_H
#define SW_WATCH_PROFILE_H

#include "base/arena.h"
#include "base/status.h"
#include "model/signature.h"

enum { SW_PROFILE_BINS = 64, SW_PROFILE_CATEGORIES_MAX = 256 };

typedef struct sw_profile_column {
    sw_str name;
    sw_feature_kind kind;
    uint64_t rows, missing;
    double min, max, mean,
        stddev;         /* numeric, of finite values (population); NaN where there is none */
    double *cuts;       /* inner cut points, strictly growing; a bin begins at its cut */
    uint32_t cut_count; /* bins between = cut_count + 1 */
    double *levels;     /* few distinct values: the one value of each bin between; else NULL */
    double median; /* of finite values; within 1.6 % where they were too many to hold. NaN: none */
    uint64_t distinct; /* different values; with a standard error of 5 % where they were too many
                          to hold, and of categories at most 65,536. 0: not known */
    bool whole;        /* numeric: as far as was looked at, whole numbers alone */
    sw_str *values;    /* category: known values, most frequent first */
    uint32_t value_count;
    uint32_t certain_count; /* of them, those that are not known by the luck of this sample; only of
                               a column that was just gathered */
    uint64_t *counts;       /* the reference's count for each bin */
    uint32_t bin_count;
} sw_profile_column;

/*
 * What the model said to rows of the training data: counts of one output (or of a summary of an
 * input, such as "image.brightness"), so that predictions have a reference too.
 */
typedef struct sw_profile_output {
    sw_str name;
    bool labels;    /* `values` with their counts; else bins of scores (observe_private.h) */
    uint32_t *bins; /* those that are not empty, growing */
    sw_str *values;
    uint64_t *counts;
    uint32_t count;
    uint64_t missing, others;      /* labels */
    double mean, stddev, min, max; /* of finite scores; NaN where there is none */
} sw_profile_output;

typedef struct sw_profile {
    uint64_t rows;
    sw_profile_column *columns; /* in the order of the signature's features */
    uint32_t column_count;
    uint64_t scored; /* rows that `outputs` were counted from; 0: none were */
    sw_profile_output *outputs;
    uint32_t output_count;
} sw_profile;

/*
 * Reads a CSV with a header, once, as a stream. Columns are matched to the features by name, further
 * ones are left out; INVALID names a missing one, or the line and column of a value that does not
 * parse.
 *
 * Values are binned as the model's input will hold them (a float32 input: rounded to float32).
 * Missing: an empty field; for numbers also NA, N/A, NaN, null, none. true and false are 1 and 0.
 * Features of BYTES inputs are
 * categories. Counts are always exact, and of all rows.
 *
 * While all values fit into 128 MiB they are held, and cuts lie midway between neighbouring values.
 * Beyond, a column of at most SW_PROFILE_BINS distinct values keeps a bin for each all the same; of
 * another one the values are counted in a grid of buckets (grid_private.h), and cuts lie on the
 * edges of buckets: bins of near-equal counts, as near as the width of a bucket allows, which is 1.6 %
 * of a value or (mostly) much less. Columns then take 128 MiB together, or 16 KiB each where they
 * are more than 8,192. Sets the features' kinds (BYTES), ranges and categories too.
 */
SW_MUST_USE sw_status sw_profile_from_csv(sw_profile *out, sw_signature *signature,
                                          const char *path, sw_arena *arena, sw_error *error);

typedef struct sw_profile_options {
    sw_signature *signature; /* as above; NULL: every column that has a name, as numbers where all
                                its values are (frame.h says which), else as categories */
    /* Called now and then with bytes read and bytes in all; may be NULL. */
    void (*progress)(void *context, uint64_t done, uint64_t all);
    void *context;
} sw_profile_options;

/*
 * The same from CSV, JSON Lines or Parquet (frame.h). The latter two are read in groups of columns
 * of 256 MiB. Without a signature a CSV whose column turns out late to be text is read twice.
 */
SW_MUST_USE sw_status sw_profile_from_file(sw_profile *out, const sw_profile_options *options,
                                           const char *path, sw_arena *arena, sw_error *error);
/* The column names of a CSV file's first line, trimmed. INVALID where one occurs
 * twice, or there is none; a column without a name is allowed, and no feature's. */
SW_MUST_USE sw_status sw_csv_header(sw_str **names, size_t *count, const char *path,
                                    sw_arena *arena, sw_error *error);
void sw_profile_to_json(sw_buf *out, const sw_profile *profile);
SW_MUST_USE sw_status sw_profile_from_json(sw_profile *out, sw_str json, sw_arena *arena,
                                           sw_error *error);

#endif /* SW_WATCH_PROFILE_H */
