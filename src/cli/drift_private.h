/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `slipway drift` prints for a person.
 *
 * Threads: the main thread.
 * Layer:   cli.
 */
#ifndef SW_CLI_DRIFT_PRIVATE_H
#define SW_CLI_DRIFT_PRIVATE_H

#include "cli/cli_private.h"
#include "watch/compare.h"
#include "watch/compare_rows.h"

/* A table, worst first. `domain` NULL: it was not asked for. `all`: draw every column. */
void sw_drift_print(const sw_comparison *comparison, const uint64_t rows[2],
                    const sw_domain_result *domain, const sw_domain_rows *sampled, bool all);

#endif /* SW_CLI_DRIFT_PRIVATE_H */
