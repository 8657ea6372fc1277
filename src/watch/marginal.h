/* SPDX-License-Identifier: Apache-2.0 */
/*
 * marginal: gives a column's live values back the distribution that its reference has.
 *
 * Numbers keep their ranks: each becomes the reference's quantile at its place among the live ones,
 * which is the least movement that does it. Of categories as many rows keep theirs as the
 * reference's shares allow; the others get those that are short. Values that are missing beyond
 * the reference's share are filled in evenly.
 *
 * Memory:  scratch in the arena; false where memory is out.
 * Threads: any.
 * Layer:   watch.
 */
#ifndef SW_WATCH_MARGINAL_H
#define SW_WATCH_MARGINAL_H

#include "watch/profile.h"

/* `values`: one a row, NaN where missing; changed in place. The reference is numeric. */
bool sw_marginal_numbers(double *values, size_t rows, const sw_profile_column *reference,
                         sw_arena *arena);
/* `values`: empty where missing. New ones point into the reference. It is a category. */
bool sw_marginal_words(sw_str *values, size_t rows, const sw_profile_column *reference,
                       sw_arena *arena);

#endif /* SW_WATCH_MARGINAL_H */
