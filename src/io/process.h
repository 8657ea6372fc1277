/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process: what this process uses of the machine, and how.
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
/* CPUs that this process may run on, at least 1. */
uint32_t sw_process_cpus(void);
/* The heap gets one arena for each CPU instead of glibc's eight: most threads hardly allocate, and
 * an arena of their own only holds pages. Before any other thread is started. */
void sw_process_share_heap(void);

#endif /* SW_IO_PROCESS_H */
