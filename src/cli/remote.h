/* SPDX-License-Identifier: Apache-2.0 */
/*
 * remote: the server that --server and SLIPWAY_URL name, for commands that stand above this folder.
 *
 * Memory:  an answer is borrowed until the next request.
 * Threads: make and free in the main thread; requests from one thread at a time.
 * Layer:   cli.
 */
#ifndef SW_CLI_REMOTE_H
#define SW_CLI_REMOTE_H

#include "base/str.h"
#include "cli/cli.h"

typedef struct sw_remote sw_remote;

SW_MUST_USE sw_status sw_remote_make(sw_remote **out, sw_cli *cli);
void sw_remote_free(sw_remote *remote);
/* As the user wrote it. */
const char *sw_remote_url(const sw_remote *remote);

/* The answer, whatever its HTTP status. UNREACHABLE where there was none within `timeout_ms`.
 * `type` is the body's; no body where `body.at` is NULL. */
SW_MUST_USE sw_status sw_remote_ask(long *http, sw_str *answer, sw_remote *remote,
                                    const char *method, const char *path, const char *type,
                                    sw_str body, long timeout_ms, sw_error *error);

#endif /* SW_CLI_REMOTE_H */
