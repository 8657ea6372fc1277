/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe: counts every prediction's features and outputs into bins, at almost no cost.
 *
 * An sw_observer is the immutable plan for one version (which tensor column goes to which bins).
 * Each loop has its own sw_shard of it and counts there without a lock; once a second the loop
 * merges the shard into the version's sw_watch and zeroes it.
 *
 * Outputs: a score gets fixed bins (20 on [0, 1], four to the octave elsewhere), an integer or
 * string a table of its first 64 values. An output of more than 64 columns is counted as one
 * column.
 *
 * Cost goal: 30 numeric features in 300 ns a row or less; no lock, no allocation.
 *
 * Memory:  observer lives with its version; a shard belongs to its loop.
 * Threads: observer: any, read only. shard: its loop only.
 * Layer:   domain.
 */
#ifndef SW_WATCH_OBSERVE_H
#define SW_WATCH_OBSERVE_H

#include "model/tensor.h"
#include "watch/profile.h"

typedef struct sw_observer sw_observer;
typedef struct sw_shard sw_shard;

/* `profile` NULL: counts nothing of the features but rows and missing values; outputs get log bins
 * (or values, for labels) of their own. */
SW_MUST_USE sw_status sw_observer_make(sw_observer **out, const sw_signature *signature,
                                       const sw_profile *profile, sw_error *error);
void sw_observer_free(sw_observer *observer);

SW_MUST_USE sw_status sw_shard_make(sw_shard **out, const sw_observer *observer, sw_error *error);
void sw_shard_free(sw_shard *shard);

/* Counts `rows` rows: `inputs` and `outputs` in the signature's order. */
void sw_observe(sw_shard *shard, const sw_tensor *inputs, const sw_tensor *outputs, size_t rows);

#endif /* SW_WATCH_OBSERVE_H */
