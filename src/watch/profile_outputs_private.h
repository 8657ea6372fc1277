/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_outputs: the part of a profile that says what the model predicted for the training data.
 *
 * Layer: watch.
 */
#ifndef SW_WATCH_PROFILE_OUTPUTS_PRIVATE_H
#define SW_WATCH_PROFILE_OUTPUTS_PRIVATE_H

#include "base/json.h"
#include "watch/counts_private.h"
#include "watch/profile_outputs.h"

#include <jansson.h>

/* Adds a profile's to counts of the observer's layout, found by their names. */
void sw_profile_outputs_add(sw_counts *into, const sw_observer *observer,
                            const sw_profile *profile);

/* The members "scored" and "outputs" of a profile's object; nothing where nothing was scored. */
void sw_profile_outputs_write(sw_json *w, const sw_profile *profile);
SW_MUST_USE sw_status sw_profile_outputs_read(sw_profile *out, const json_t *root, sw_arena *arena,
                                              sw_error *error);

#endif /* SW_WATCH_PROFILE_OUTPUTS_PRIVATE_H */
