/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile: how `slipway profile` shows a profile.
 *
 * Threads: the main thread.
 * Layer:   cli.
 */
#ifndef SW_CLI_PROFILE_PRIVATE_H
#define SW_CLI_PROFILE_PRIVATE_H

#include "cli/text_private.h"
#include "watch/profile.h"

/* A table on standard output; `took_s`: how long it took to read the file. */
void sw_cli_profile_print(const sw_profile *profile, const char *path, double took_s);
/* {"profile": as -o writes it, "warnings": [{"column", "warning"}]} */
SW_MUST_USE sw_status sw_cli_profile_print_json(const sw_profile *profile, sw_error *error);

#endif /* SW_CLI_PROFILE_PRIVATE_H */
