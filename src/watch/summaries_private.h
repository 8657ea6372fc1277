/* SPDX-License-Identifier: Apache-2.0 */
/*
 * summaries: a few numbers for each row of an input that is no columns.
 *
 *   image       brightness (mean), contrast (standard deviation), min, max
 *   tokens      length (up to the last id that is not 0), unknown_share (ids that are the
 *               signature's "unknown", below 0, or not below its "vocabulary")
 *   embedding   norm (Euclidean), projection0 … 7
 *   text        bytes, words
 *
 * A projection is a sum of up to 256 of the row's values, each with a sign, over the root of their
 * number; places and signs are drawn once from a fixed seed, the same for every version whose rows
 * are as wide (D. Achlioptas, "Database-friendly random projections", 2003).
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_SUMMARIES_PRIVATE_H
#define SW_WATCH_SUMMARIES_PRIVATE_H

#include "watch/lanes_private.h"

enum { SW_SUMMARIES_MAX = 9, SW_PROJECTIONS = 8, SW_PROJECTION_VALUES = 256 };

/* What the signature says of an input, or what it most likely is. */
sw_content sw_summary_content(const sw_tensor_spec *spec);
/* The names of its summaries, as above. Returns how many. */
uint32_t sw_summary_names(const char *const **names, sw_content content);
/* Of the lane's input; the lane's probes are its summaries in order. */
SW_MUST_USE bool sw_summary_plan(sw_lane *lane, const sw_tensor_spec *spec, sw_arena *arena);

#endif /* SW_WATCH_SUMMARIES_PRIVATE_H */
