/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input: a file that a command reads more than once, also where it is a pipe.
 *
 * Tables are looked at, planned and read in passes. A pipe can be read once; so "-" (standard
 * input) and whatever else is no regular file are copied first, into a file that has no name and
 * goes with the command.
 *
 * Memory:  a buffer of the copy; the disk holds the rest.
 * Threads: the main thread.
 * Layer:   cli.
 */
#ifndef SW_CLI_INPUT_PRIVATE_H
#define SW_CLI_INPUT_PRIVATE_H

#include "base/status.h"

typedef struct sw_cli_input {
    const char *shown; /* how the user named it */
    const char *path;  /* what to read; in this struct where it is a copy */
    int fd;            /* of the copy; -1: there is none */
    char of_fd[32];
} sw_cli_input;

/* Close it, also where this failed. A missing file is not looked at here: its reader says so. */
SW_MUST_USE sw_status sw_cli_input_open(sw_cli_input *out, const char *argument, sw_error *error);
/* Nothing happens on a zeroed one. */
void sw_cli_input_close(sw_cli_input *input);
/* Puts the shown name into the words of a failure that has the copy's; returns `status`. */
sw_status sw_cli_input_blame(sw_status status, const sw_cli_input *input, sw_error *error);

#endif /* SW_CLI_INPUT_PRIVATE_H */
