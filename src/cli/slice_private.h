/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice: cuts JSON text into its values without reading them.
 *
 * So that a number goes from a file to the server and from the server to the terminal in the
 * digits it was written in (64-bit whole numbers, doubles), however large. Brackets and strings
 * are followed; whether the text in between is right JSON the server says.
 *
 * Memory:  slices are borrowed from the text.
 * Threads: any.
 * Layer:   cli.
 */
#ifndef SW_CLI_SLICE_PRIVATE_H
#define SW_CLI_SLICE_PRIVATE_H

#include "base/str.h"

/* Stands behind the value that begins at `at`; NULL where it does not end before `end`. A value
 * that is a bare word or number ends at `end` too. */
const char *sw_slice_skip(const char *at, const char *end);
/* The value of an object's member, {NULL, 0} where it has none. */
sw_str sw_slice_member(sw_str object, const char *key);

/* Steps through an array or object: `rest` begins as the whole value. `key` is the member's name
 * without its quotes (still escaped), {NULL, 0} in arrays. False at the end. */
bool sw_slice_next(sw_str *key, sw_str *value, sw_str *rest);

#endif /* SW_CLI_SLICE_PRIVATE_H */
