/* SPDX-License-Identifier: Apache-2.0 */
#include "io/process.h"

#include "base/str.h"

#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

uint64_t sw_process_rss_bytes(void) {
    char text[128];
    uint64_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm)
        return 0;
    if (fgets(text, sizeof text, statm)) {
        sw_str rest = sw_str_of(text); /* size, then resident */
        sw_str_split(&rest, ' ');
        if (!sw_str_to_u64(&pages, sw_str_split(&rest, ' '), UINT64_MAX))
            pages = 0;
    }
    fclose(statm);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

double sw_process_cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

uint32_t sw_process_cpus(void) {
    cpu_set_t cpus;
    int count = sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
    return count < 1 ? 1 : (uint32_t)count;
}

void sw_process_share_heap(void) {
    mallopt(M_ARENA_MAX, (int)sw_process_cpus());
}
