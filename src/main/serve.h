/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the command that is the server.
 *
 * Threads: the main thread.
 * Layer:   main.
 */
#ifndef SW_MAIN_SERVE_H
#define SW_MAIN_SERVE_H

#include "cli/cli.h"

extern const sw_cli_command sw_serve_command;

#endif /* SW_MAIN_SERVE_H */
