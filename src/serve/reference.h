/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference: what a model says to its training rows, so that its predictions can be watched.
 *
 * While a version is checked, up to 10,000 rows of the profile's CSV, evenly spread over it, are
 * predicted and their outputs (and summaries of inputs that are no columns) are counted as live
 * ones will be. A dear model gets fewer rows: those that take two seconds. Rows that the model does
 * not take are left out; without any there is no reference for outputs. Of a model that is served
 * elsewhere the CSV itself may say what was predicted, in columns named as the outputs.
 *
 * Memory:  in the arena.
 * Threads: any but a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_REFERENCE_H
#define SW_SERVE_REFERENCE_H

#include "serve/live.h"

/* Sets `profile->outputs`. `served` was loaded and need not be published. */
SW_MUST_USE sw_status sw_reference_score(sw_profile *profile, const sw_served *served,
                                         const char *csv_path, sw_arena *arena, sw_error *error);

#endif /* SW_SERVE_REFERENCE_H */
