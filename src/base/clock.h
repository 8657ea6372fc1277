/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: the two clocks.
 *
 * Durations and deadlines go by the monotonic clock (ns); what a person reads or a table keeps
 * goes by the wall clock (ms since 1970, UTC).
 *
 * Threads: any.
 * Layer:   base.
 */
#ifndef SW_BASE_CLOCK_H
#define SW_BASE_CLOCK_H

#include <stdint.h>

uint64_t sw_clock_ns(void);
int64_t sw_clock_wall_ms(void);

#define SW_NS_PER_S UINT64_C(1000000000)
#define SW_NS_PER_MS UINT64_C(1000000)

#endif /* SW_BASE_CLOCK_H */
