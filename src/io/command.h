/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command: runs a program, with bounds on time and output.
 *
 * No shell. The program leads a process group of its own, which is killed whole when its time is
 * up. It inherits the environment and no descriptors.
 *
 * Threads: any but a loop's: it waits. SIGPIPE must be ignored, as it is in the server: a program
 *          need not read its input.
 * Layer:   io.
 */
#ifndef SW_IO_COMMAND_H
#define SW_IO_COMMAND_H

#include "base/status.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdint.h>

enum { SW_COMMAND_OUTPUT_BYTES = 2048 };

typedef struct sw_command {
    char *const *argv; /* the program by its whole path; NULL at the end */
    sw_str input;      /* on its standard input, then the end of it */
    int64_t timeout_ms;
    const atomic_bool *stop; /* set: killed; may be NULL */
} sw_command;

/*
 * `exit_status`: 0..255, or 128 + the signal that ended it. `output`: the first bytes of what it
 * wrote to standard output and error, NUL behind them. NOT_FOUND or DENIED where it cannot be
 * started; DEADLINE where its time was up, CANCELLED where `stop` was set.
 */
SW_MUST_USE sw_status sw_command_run(int *exit_status, char output[SW_COMMAND_OUTPUT_BYTES],
                                     const sw_command *command, sw_error *error);

#endif /* SW_IO_COMMAND_H */
