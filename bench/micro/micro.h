/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock and the rotation of the in-process benchmarks: `one(i)` is called with a growing i for
 * the time given, and the mean cost of a call is printed in nanoseconds. Each program prints one
 * number a run; the harness runs ours and its peers in turn and takes the median.
 *
 * Plain C that C++ takes too: one of the peers is a C++ library.
 */
#ifndef BENCH_MICRO_MICRO_H
#define BENCH_MICRO_MICRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MICRO_BLOCK = 4096 }; /* calls between two looks at the clock */

/* The results of the work end here, so that no compiler drops it. */
static volatile double micro_sink;

static inline double micro_now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void micro_require(bool ok, const char *what) {
    if (ok)
        return;
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static inline double micro_block(double (*one)(size_t), size_t from) {
    double sum = 0;
    for (size_t i = from; i < from + MICRO_BLOCK; i++)
        sum += one(i);
    return sum;
}

/* A tenth of the time warms caches and branch predictors up. */
static inline void micro_run(double (*one)(size_t), double seconds) {
    size_t i = 0;
    for (double end = micro_now_s() + seconds / 10; micro_now_s() < end; i += MICRO_BLOCK)
        micro_sink = micro_block(one, i);
    size_t first = i;
    double started = micro_now_s();
    double now = started;
    for (; now < started + seconds; now = micro_now_s(), i += MICRO_BLOCK)
        micro_sink = micro_block(one, i);
    printf("%.2f\n", (now - started) * 1e9 / (double)(i - first));
}

/* A whole file with `padding` zero bytes behind it; never freed. */
static inline char *micro_read(size_t *size, const char *path, size_t padding) {
    FILE *file = fopen(path, "rb");
    micro_require(file != NULL, path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = (char *)calloc(1, *size + padding);
    micro_require(bytes != NULL && fread(bytes, 1, *size, file) == *size, path);
    fclose(file);
    return bytes;
}

typedef struct micro_line {
    char *at;
    size_t len;
} micro_line;

/* Every line of a file in memory of its own with `padding` zero bytes behind it. */
static inline micro_line *micro_lines(size_t *count, const char *path, size_t padding) {
    size_t size;
    char *bytes = micro_read(&size, path, 1);
    micro_line *lines = NULL;
    *count = 0;
    for (char *at = bytes; at < bytes + size;) {
        char *end = (char *)memchr(at, '\n', (size_t)(bytes + size - at));
        size_t len = end ? (size_t)(end - at) : (size_t)(bytes + size - at);
        lines = (micro_line *)realloc(lines, (*count + 1) * sizeof *lines);
        micro_require(lines != NULL, "out of memory");
        char *copy = (char *)calloc(1, len + padding + 1);
        micro_require(copy != NULL, "out of memory");
        memcpy(copy, at, len);
        lines[(*count)++] = (micro_line){copy, len};
        at += len + 1;
    }
    micro_require(*count > 0, path);
    return lines;
}

#endif /* BENCH_MICRO_MICRO_H */
