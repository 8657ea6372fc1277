/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observe: counts every prediction's features and outputs into bins, at almost no cost.
 *
 * An sw_observer is the immutable plan for one version (which tensor column goes to which bins).
 * Each loop has its own sw_shard of it and counts there without a lock; once a second the loop
 * merges the shard into the version's sw_watch and zeroes it.
 *
 * Outputs: a score gets fixed bins (20 on [0, 1], four to the octave elsewhere), an integer or
 * string a table of its 64 most frequent values. An output of more than 64 columns is counted as
 * one column.
 *
 * Beside its bins a number has moments, fed by every row, and the registers of a HyperLogLog, fed by
 * every row of the first 4,096 between two merges and by one in eight of the others (so that busy
 * traffic's distinct values are at least as many as it says). Values out of the reference's range and
 * outputs are kept finer, from a uniform sample (tails_private.h).
 * Inputs that are images, tokens or embeddings are counted by summaries (summaries_private.h).
 *
 * Cost goal: 30 numeric features in 300 ns a row or less; no lock, no allocation.
 *
 * Memory:  observer lives with its version; a shard belongs to its loop.
 * Threads: observer: any, read only. shard: its loop only.
 * Layer:   watch.
 */
#ifndef SW_WATCH_OBSERVE_H
#define SW_WATCH_OBSERVE_H

#include "model/tensor.h"
#include "watch/profile.h"
#include "watch/settings.h"

typedef struct sw_observer sw_observer;
typedef struct sw_shard sw_shard;

/*
 * `profile` NULL: features get the bins of scores (up to 1,024 of them; beyond, only rows and
 * missing values are counted) or a table of values. `settings` NULL: the defaults.
 */
SW_MUST_USE sw_status sw_observer_make(sw_observer **out, const sw_signature *signature,
                                       const sw_profile *profile,
                                       const sw_monitor_settings *settings, sw_error *error);
void sw_observer_free(sw_observer *observer);

SW_MUST_USE sw_status sw_shard_make(sw_shard **out, const sw_observer *observer, sw_error *error);
void sw_shard_free(sw_shard *shard);

/* Of one request: tensors in the signature's order. */
typedef struct sw_observed {
    const sw_tensor *inputs, *outputs;
    size_t rows;
} sw_observed;

/* Counts what a turn predicted with one version: many requests at once cost less than each alone.
 */
void sw_observe_many(sw_shard *shard, const sw_observed *requests, size_t count);
/* The same, for one request. */
void sw_observe(sw_shard *shard, const sw_tensor *inputs, const sw_tensor *outputs, size_t rows);

/* A row was refused for the type of this feature's value (an index of the signature): it counts
 * nowhere else. A dropped feature's are not counted. */
void sw_observe_mismatch(sw_shard *shard, uint32_t feature);

#endif /* SW_WATCH_OBSERVE_H */
