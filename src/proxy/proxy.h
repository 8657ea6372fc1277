/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proxy: the command that stands in front of a model server and tells a Slipway server what it was
 * asked and said.
 *
 * Threads: the main thread.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_PROXY_H
#define SW_PROXY_PROXY_H

#include "cli/cli.h"

extern const sw_cli_command sw_proxy_command;

#endif /* SW_PROXY_PROXY_H */
