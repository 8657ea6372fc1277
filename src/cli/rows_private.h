/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows: what a person has rows in, as named records.
 *
 * A CSV file with a header, a JSON list of objects, JSON Lines, one JSON object; by path, from
 * standard input or from an argument. Files are read as a stream; a CSV that comes by standard
 * input is held whole.
 *
 * Memory:  sw_rows_close what an open gave.
 * Threads: one at a time.
 * Layer:   cli.
 */
#ifndef SW_CLI_ROWS_PRIVATE_H
#define SW_CLI_ROWS_PRIVATE_H

#include "base/status.h"
#include "base/str.h"

#include <jansson.h>

typedef struct sw_rows sw_rows;

/* `path` "-" is standard input. */
SW_MUST_USE sw_status sw_rows_open(sw_rows **out, const char *path, sw_error *error);
/* `what` names the text in messages: "--data". */
SW_MUST_USE sw_status sw_rows_open_json(sw_rows **out, sw_str text, const char *what,
                                        sw_error *error);
/* One row of values in the order of the model's features, as --row has it. */
SW_MUST_USE sw_status sw_rows_open_row(sw_rows **out, sw_str text, sw_error *error);
void sw_rows_close(sw_rows *rows);

/* Whether the values have to be matched to features first. */
bool sw_rows_needs_signature(const sw_rows *rows);
/* `model` names it in messages. `left_out` gathers the names of columns that are no features,
 * parted by ", ". INVALID where no column is one; a feature without a column the server names. */
SW_MUST_USE sw_status sw_rows_match(sw_buf *left_out, sw_rows *rows, const json_t *signature,
                                    const char *model, sw_error *error);

/* Appends the next row as a JSON object. `more` false: there was none. */
SW_MUST_USE sw_status sw_rows_next(bool *more, sw_buf *out, sw_rows *rows, sw_error *error);

#endif /* SW_CLI_ROWS_PRIVATE_H */
