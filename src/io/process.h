/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: what this process uses of the machine.
 *
 * Threads: any.
 * Layer:   io.
 */
#ifndef SW_IO_PROCESS_H
#define SW_IO_PROCESS_H

#include <stdint.h>

/* Resident memory now, bytes; 0 where the kernel does not say. */
uint64_t sw_process_rss_bytes(void);
/* Processor time used so far, user and system, seconds. */
double sw_process_cpu_s(void);
/* CPUs that this process may run on. */
uint32_t sw_process_cpus(void);

#endif /* SW_IO_PROCESS_H */
