/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observations: what a model that runs elsewhere was asked and said, counted like a prediction made
 * here.
 *
 * An observation is one JSON object:
 *
 *     {"features": {"amount": 12.5, …}, "prediction": 0.93, "id": "r-1",
 *      "at_ms": 1767225600000, "latency_ms": 3.2}
 *
 * `features` as in records.h; the rest may be left out. `prediction` is the value of the one output
 * (or, of an output of several columns, their list), or an object {output: value}; null or absent
 * is a missing value. `time` (base/iso_time.h) may stand for `at_ms`: without either it is now. An
 * observation belongs to the minute in which it was made, however late it comes, and to the traffic
 * figures only where that was within the last minutes.
 *
 * Memory:  a bounded number of rows and of minutes at a time, whatever the number of observations.
 * Threads: one at a time, not a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_OBSERVATIONS_H
#define SW_SERVE_OBSERVATIONS_H

#include "serve/live.h"

typedef struct sw_observations sw_observations;

/* Takes `served` over (sw_live_hold): sw_observations_end lets go of it, also where this fails.
 * INVALID where it has no named features. */
SW_MUST_USE sw_status sw_observations_begin(sw_observations **out, sw_served *served,
                                            sw_error *error);
/*
 * One observation; its bytes must stay until the next flush. INVALID: it was not taken, for the
 * reason in `error`, which calls it number `number` and says where in the whole the fault is:
 * `place` is that of `json` (NULL: none). Any other failure is of the whole.
 */
SW_MUST_USE sw_status sw_observations_add(sw_observations *all, sw_str json, uint64_t number,
                                          const sw_json_place *place, sw_error *error);
/* Counts what was added. */
SW_MUST_USE sw_status sw_observations_flush(sw_observations *all, sw_error *error);
/* Flushes, hands the counts to the watch and the traffic figures, frees. NULL is fine. */
SW_MUST_USE sw_status sw_observations_end(sw_observations *all, sw_error *error);

#endif /* SW_SERVE_OBSERVATIONS_H */
