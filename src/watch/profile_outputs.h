/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_outputs: what a model said to training rows becomes part of its profile.
 *
 * Memory:  in the arena.
 * Threads: any.
 * Layer:   watch.
 */
#ifndef SW_WATCH_PROFILE_OUTPUTS_H
#define SW_WATCH_PROFILE_OUTPUTS_H

#include "watch/observe.h"

/* What `shard` counted of outputs and summaries becomes the profile's; nothing where it counted
 * nothing. Clears the shard. */
SW_MUST_USE sw_status sw_profile_outputs_count(sw_profile *profile, sw_shard *shard,
                                               sw_arena *arena, sw_error *error);

#endif /* SW_WATCH_PROFILE_OUTPUTS_H */
