/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labels_input: labels as people send them: JSON, or CSV of any length.
 *
 * JSON: {"id", "label", "at_ms"?}, one of those a line, a list of them, or {"labels": […]}. A
 * label is a string, a number, true or false. CSV: a header, then rows; the columns are called "id" and "label" unless
 * said otherwise, and "at_ms", if there is one.
 *
 * Memory:  what `take` gets lives until it returns.
 * Threads: one at a time for each reader.
 * Layer:   decay.
 */
#ifndef SW_DECAY_LABELS_INPUT_H
#define SW_DECAY_LABELS_INPUT_H

#include "decay/decay.h"

/* Takes at most SW_LABELS_BATCH_MAX at once. */
typedef sw_status sw_labels_take(const sw_label *labels, size_t count, void *context,
                                 sw_error *error);

/* INVALID says where; nothing was taken then. */
SW_MUST_USE sw_status sw_labels_read_json(sw_str body, sw_labels_take *take, void *context,
                                          sw_error *error);

typedef struct sw_labels_csv {
    sw_str id_column, label_column; /* empty: "id", "label" */
    sw_labels_take *take;
    void *context;
    /* from here on its own: zeros at first */
    sw_buf held; /* of a row that is not whole yet */
    int32_t id_at, label_at, at_at;
    bool begun, continues;
    uint64_t lines;
} sw_labels_csv;

/* Reads what has come of the file; the last row waits until it is whole, or `last`. INVALID names
 * the line; rows before it may have been taken. */
SW_MUST_USE sw_status sw_labels_csv_add(sw_labels_csv *csv, sw_str bytes, bool last,
                                        sw_error *error);
void sw_labels_csv_free(sw_labels_csv *csv);

#endif /* SW_DECAY_LABELS_INPUT_H */
