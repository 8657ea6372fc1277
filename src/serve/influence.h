/* SPDX-License-Identifier: Apache-2.0 */
/*
 * influence: how much predictions depend on a column that has drifted.
 *
 * Recent rows of the prediction log are scored again as they are, and with one column's values
 * given back the reference's distribution (watch/marginal.h). The mean absolute difference of the
 * scores (or, where outputs are labels alone, the share of rows whose label changes) is the
 * column's influence: movement and dependence in one number.
 *
 * At most SW_INFLUENCE_ROWS rows, and fewer where the model is slow, so that all of a version's
 * columns take two seconds at the most. Neither requests nor deployments wait for it.
 *
 * Threads: a thread of its own, never a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_INFLUENCE_H
#define SW_SERVE_INFLUENCE_H

#include "serve/load.h"

enum { SW_INFLUENCE_ROWS = 512, SW_INFLUENCE_COLUMNS_MAX = 32 };

/*
 * For sw_monitors_after_look: finds out what is not known yet of the live versions' drifted
 * columns, and tells the monitor.
 */
void sw_influence_update(const sw_load_parts *parts);

/* Of one column, by these rows. INVALID or UNSUPPORTED with the reason where it cannot be known. */
SW_MUST_USE sw_status sw_influence_of(double *out, const sw_served *served,
                                      const sw_plog_rows *rows, uint32_t feature, sw_error *error);

#endif /* SW_SERVE_INFLUENCE_H */
