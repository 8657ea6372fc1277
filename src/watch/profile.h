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
 * Layer:   domain.
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
    uint64_t sampled;   /* the cuts come from a sample of so many values; 0 = from all */
    sw_str *values;     /* category: known values, most frequent first */
    uint32_t value_count;
    uint64_t *counts; /* the reference's count for each bin */
    uint32_t bin_count;
} sw_profile_column;

typedef struct sw_profile {
    uint64_t rows;
    sw_profile_column *columns; /* in the order of the signature's features */
    uint32_t column_count;
} sw_profile;

/*
 * Reads a CSV with a header, as a stream. Columns are matched to the features by name, further ones
 * are left out; INVALID names a missing one, or the line and column of a value that does not parse.
 *
 * Values are binned as the model's input will hold them (a float32 input: rounded to float32).
 * Missing: an empty field; for numbers also NA, N/A, NaN, null, none. Features of BYTES inputs are
 * categories. Cuts lie midway between neighbouring values. Counts are always of all rows. Cuts come
 * from all values too while they fit into 128 MiB; beyond, from a sample (the same for the same
 * file) and a second pass for the counts. Sets the features' kinds (BYTES), ranges and categories
 * too.
 */
SW_MUST_USE sw_status sw_profile_from_csv(sw_profile *out, sw_signature *signature,
                                          const char *path, sw_arena *arena, sw_error *error);
/* The column names of a CSV file's first line, trimmed. INVALID where one occurs
 * twice, or there is none; a column without a name is allowed, and no feature's. */
SW_MUST_USE sw_status sw_csv_header(sw_str **names, size_t *count, const char *path,
                                    sw_arena *arena, sw_error *error);
void sw_profile_to_json(sw_buf *out, const sw_profile *profile);
SW_MUST_USE sw_status sw_profile_from_json(sw_profile *out, sw_str json, sw_arena *arena,
                                           sw_error *error);

#endif /* SW_WATCH_PROFILE_H */
