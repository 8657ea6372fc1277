/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples: two sorted samples, walked together.
 *
 * Workload: a thousand columns of a million values each. A column is cleaned and sorted once; every
 * test and distance of it is then one walk over the runs of equal values, in no further memory.
 *
 * Memory:  arrays are the caller's and stay as they are once sorted.
 * Threads: any; nothing is shared.
 * Layer:   stats, on base alone.
 */
#ifndef SW_STATS_SAMPLES_H
#define SW_STATS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

/* `a` is the reference, `b` what is compared with it; each ascending and finite. */
typedef struct sw_samples {
    const double *a, *b;
    size_t a_count, b_count;
} sw_samples;

/* Moves the finite values to the front, in their order, and returns how many there are. */
size_t sw_samples_keep_finite(double *values, size_t count);
/* Ascending; `scratch` has room for `count` values too. No NaN. */
void sw_samples_sort(double *values, double *scratch, size_t count);

/* A value that occurs, and how often on each side. */
typedef struct sw_run {
    double value;
    size_t a, b;
} sw_run;

/* Begin with a zeroed walk; sw_walk_next is false behind the last run. */
typedef struct sw_walk {
    sw_run run;
    size_t a_done, b_done; /* values up to and with the run's */
} sw_walk;
bool sw_walk_next(sw_walk *walk, const sw_samples *samples);

size_t sw_samples_distinct(const sw_samples *samples);
/* Stops counting behind `enough`. */
size_t sw_sample_distinct(const double *sorted, size_t count, size_t enough);

/* Population figures of one sorted sample; NaN where it is empty. */
double sw_sample_mean(const double *sorted, size_t count);
double sw_sample_variance(const double *sorted, size_t count, double mean);
/* Linear between neighbours (type 7); 0 <= q <= 1. */
double sw_sample_quantile(const double *sorted, size_t count, double q);

#endif /* SW_STATS_SAMPLES_H */
