/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: requests for one version that run as one.
 *
 * Threads: the loop's, or the pool thread of a dear run.
 * Layer:   serve.
 */
#ifndef SW_SERVE_BATCH_H
#define SW_SERVE_BATCH_H

#include "serve/predict.h"

enum { SW_BATCH_ROWS_MAX = 1024 };

/*
 * Runs the first of a list of requests for one version, together with as many of those behind it
 * as fit its shapes and SW_BATCH_ROWS_MAX, and sets their outputs and statuses. Returns the first
 * that was not run. Joined tensors live in `arena`. One that fails in company is
 * run again alone, so that it fails nobody else.
 */
sw_predict *sw_batch_run(sw_predict *first, sw_arena *arena);

#endif /* SW_SERVE_BATCH_H */
