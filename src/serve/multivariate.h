/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multivariate: can the newest rows of a version be told from its reference's?
 *
 * The reference's rows are logged ones: of the window or the trailing time that the monitor is
 * set to, taken from all over it; where it compares with the training profile, which keeps counts
 * and no rows, the first rows that this version served and that are still kept. They are older than
 * the newest rows and share none with them. A classifier (stats/domain_classifier.h) learns the
 * features of both sides; outputs follow from them.
 *
 * At most SW_MULTIVARIATE_ROWS rows a side and SW_MULTIVARIATE_VALUES values, every ten minutes (at
 * each look below 500 rows); a round over all versions begins no further one after two seconds.
 *
 * Threads: a thread of its own, never a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_MULTIVARIATE_H
#define SW_SERVE_MULTIVARIATE_H

#include "serve/load.h"

enum { SW_MULTIVARIATE_ROWS = 2000, SW_MULTIVARIATE_VALUES = 300000 /* a side */ };

/* For sw_monitors_after_look, with the parts: tells the monitor of the live versions. */
void sw_multivariate_update(const sw_load_parts *parts);

/*
 * Of one version's log. Where it cannot be known, `auc` is NaN and `why` says why; words are in the
 * arena. Fails where the log cannot be read or memory is out.
 */
SW_MUST_USE sw_status sw_multivariate_of(sw_multivariate *out, sw_plog *log, sw_str model,
                                         uint32_t version, const sw_monitor_settings *settings,
                                         sw_arena *arena, sw_error *error);

#endif /* SW_SERVE_MULTIVARIATE_H */
