/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sum_json: sums as elements of a JSON array, both parts, so that they read back to the bit.
 *
 * `take` reads the next element of an array that is open; an array that ends too early is an error
 * of the reader's, as everything else that is wrong. A number that JSON does not have is null, and
 * reads back as NaN.
 *
 * Threads: one at a time for each reader or writer.
 * Layer:   stats.
 */
#ifndef SW_STATS_SUM_JSON_H
#define SW_STATS_SUM_JSON_H

#include "base/json.h"
#include "stats/decay_test.h"
#include "stats/sum.h"

void sw_sum_to_json(sw_json *w, sw_sum sum);
/* An array: rows, then the two sums. */
void sw_loss_sums_to_json(sw_json *w, const sw_loss_sums *sums);

void sw_take_u64(sw_json_reader *in, uint64_t *out);
void sw_take_f64(sw_json_reader *in, double *out);
void sw_take_sum(sw_json_reader *in, sw_sum *out);
/* The array must end here. */
void sw_take_end(sw_json_reader *in);
void sw_loss_sums_from_json(sw_json_reader *in, sw_loss_sums *out);

#endif /* SW_STATS_SUM_JSON_H */
