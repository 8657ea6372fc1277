/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: does a loaded version still say what the training code said?
 *
 * Check rows are a CSV: the features' columns, and columns named "=OUTPUT" or "=OUTPUT[K]" with the
 * values that the training code predicted for the row (K counts from 0 within the row's output).
 * Each row goes the way of a named record: decoded, validated, run, compared.
 *
 * Numbers agree within SW_CHECK_TOLERANCE, absolute plus relative; strings and labels exactly.
 *
 * Threads: any but a loop's.
 * Layer:   serve.
 */
#ifndef SW_SERVE_CHECK_H
#define SW_SERVE_CHECK_H

#include "serve/live.h"

#define SW_CHECK_TOLERANCE 1e-4
enum { SW_CHECK_ROWS_MAX = 100000 };

/* REFUSED names the first rows that disagree, with what was expected and what came. */
SW_MUST_USE sw_status sw_check_rows(uint32_t *rows, const sw_served *served, const char *csv_path,
                                    sw_error *error);

/* INVALID, naming the line and the column, where these are no check rows for this signature;
 * TOO_LARGE where they are more than SW_CHECK_ROWS_MAX. Before there is a model to run. */
SW_MUST_USE sw_status sw_check_file(const sw_signature *signature, const char *csv_path,
                                    sw_error *error);

/*
 * `rows` rows of every input, as `inputs` (room for signature->input_count), in the arena: the first
 * of the check rows, over and over where the file has fewer. For a warm-up on values that the model
 * knows.
 */
SW_MUST_USE sw_status sw_check_sample(sw_tensor *inputs, size_t rows, const sw_served *served,
                                      const char *csv_path, sw_arena *arena, sw_error *error);

#endif /* SW_SERVE_CHECK_H */
