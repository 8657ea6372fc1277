/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iso_time: moments as people and programs write them.
 *
 * "2026-03-01T12:30:05.25Z", "2026-03-01 12:30+01:00": a date, 'T' or a blank, hours and minutes,
 * seconds and their fraction where they matter, and the zone, which must be there: 'Z' or an offset
 * (+01:00, +0100, +01).
 *
 * Threads: any.
 * Layer:   base. Source: RFC 3339; its leap second is read as the second after.
 */
#ifndef SW_BASE_ISO_TIME_H
#define SW_BASE_ISO_TIME_H

#include "base/str.h"

/* Ms since 1970, UTC; digits beyond them are cut. False where it is no such moment. */
bool sw_iso_time_parse(int64_t *ms, sw_str text);

#endif /* SW_BASE_ISO_TIME_H */
