/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_columns: what the columns of a CSV hold, where no model file says it.
 *
 * Threads: any.
 * Layer:   watch.
 */
#ifndef SW_WATCH_CSV_COLUMNS_H
#define SW_WATCH_CSV_COLUMNS_H

#include "base/arena.h"
#include "base/status.h"

/* A column of whole numbers with no more different values than this is one of labels. */
enum { SW_CSV_LABELS_MAX = 20 };

typedef struct sw_csv_column {
    sw_str name;
    bool text;   /* some value is no number (data/field.h says what one is) */
    bool labels; /* whole numbers of at most SW_CSV_LABELS_MAX different values */
} sw_csv_column;

/* Reads the whole file once. INVALID as sw_csv_header says. */
SW_MUST_USE sw_status sw_csv_columns(sw_csv_column **out, size_t *count, const char *path,
                                     sw_arena *arena, sw_error *error);

#endif /* SW_WATCH_CSV_COLUMNS_H */
