/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library: shared libraries that the program does without where they are not installed.
 *
 * Looked for where an environment variable says ("none" turns it off), in lib/ beside the program
 * (as built), in ../lib/slipway from it (as installed), in /usr/lib/slipway, and where the system
 * looks.
 *
 * Threads: any. Memory: a library stays loaded.
 * Layer:   io.
 */
#ifndef SW_IO_LIBRARY_H
#define SW_IO_LIBRARY_H

#include "base/status.h"

/* `what` is its name in messages. NULL with the reason in `why`. */
void *sw_library_open(const char *what, const char *file, const char *variable, sw_error *why);

#endif /* SW_IO_LIBRARY_H */
