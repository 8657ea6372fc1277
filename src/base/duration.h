/* SPDX-License-Identifier: Apache-2.0 */
/*
 * duration: lengths of time as people write them, on the command line and in alert rules.
 *
 * A number and a unit, with or without a blank between: "500ms", "90s", "1.5 h". Units are us, ms,
 * s, m or min, h, d and w. A plain 0 needs none.
 *
 * Threads: any.
 * Layer:   base.
 */
#ifndef SW_BASE_DURATION_H
#define SW_BASE_DURATION_H

#include "base/str.h"

/* False where `text` is no such thing. A sign is read: whether it makes sense, the caller knows. */
bool sw_duration_parse(double *ms, sw_str text);

#endif /* SW_BASE_DURATION_H */
