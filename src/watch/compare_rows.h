/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compare_rows: whole rows of two tables, gathered for the domain classifier.
 *
 * Workload: up to 10,000 rows a side, drawn at random but the same for the same file, however many
 * groups of columns a wide file is read in: 600,000 values or so in all.
 *
 * Memory:  sw_domain_rows_free what was gathered; names and importances are in the arena.
 * Threads: one at a time.
 * Layer:   watch.
 */
#ifndef SW_WATCH_COMPARE_ROWS_H
#define SW_WATCH_COMPARE_ROWS_H

#include "base/json.h"
#include "data/frame.h"
#include "stats/domain_classifier.h"

typedef struct sw_domain_rows {
    sw_arena *arena;
    size_t column_room, column_count;
    sw_domain_column *columns; /* values of the reference's rows, then the current ones */
    sw_str *names;
    double *importance;
    uint64_t *picked[2]; /* which rows, ascending */
    uint64_t rows[2];    /* how many of them */
    uint64_t rows_max;   /* a side */
} sw_domain_rows;

SW_MUST_USE sw_status sw_domain_rows_begin(sw_domain_rows *out, size_t columns, sw_arena *arena,
                                           sw_error *error);
/* A column that holds numbers on one side and words on the other is left out. */
SW_MUST_USE sw_status sw_domain_rows_add(sw_domain_rows *rows, const sw_column *reference,
                                         uint64_t reference_rows, const sw_column *current,
                                         uint64_t current_rows, sw_error *error);
SW_MUST_USE sw_status sw_domain_rows_judge(sw_domain_result *out, sw_domain_rows *rows,
                                           sw_error *error);
void sw_domain_rows_free(sw_domain_rows *rows);

/* "multivariate": {…}, a member of an open object. */
void sw_domain_to_json(sw_json *w, const sw_domain_result *result, const sw_domain_rows *rows,
                       double alpha);

#endif /* SW_WATCH_COMPARE_ROWS_H */
