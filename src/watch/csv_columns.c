/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/csv_columns.h"

#include "base/csv.h"
#include "data/field.h"
#include "watch/profile.h"

#include <math.h>

/* What was seen of a column so far. */
typedef struct seen {
    bool text, odd; /* odd: no column of labels */
    uint32_t value_count;
    double values[SW_CSV_LABELS_MAX];
} seen;

static void see_number(seen *s, double x) {
    if (s->odd)
        return;
    for (uint32_t i = 0; i < s->value_count; i++)
        if (s->values[i] == x)
            return;
    if (s->value_count == SW_CSV_LABELS_MAX || x != trunc(x) || fabs(x) >= 0x1p53)
        s->odd = true;
    else
        s->values[s->value_count++] = x;
}

static void see(seen *s, sw_str field) {
    double x;
    if (s->text)
        return;
    switch (sw_field_read(&x, field)) {
    case SW_FIELD_NUMBER: see_number(s, x); break;
    case SW_FIELD_TEXT: s->text = true; break;
    case SW_FIELD_MISSING: break;
    }
}

static sw_status read_rows(seen *columns, size_t count, sw_csv *csv, sw_error *error) {
    sw_csv_row row;
    SW_TRY(sw_csv_next(&row, csv, error)); /* the header */
    do {
        SW_TRY(sw_csv_next(&row, csv, error));
        for (size_t i = 0; i < row.count && i < count; i++)
            see(&columns[i], row.fields[i]);
    } while (row.count);
    return SW_OK;
}

sw_status sw_csv_columns(sw_csv_column **out, size_t *count, const char *path, sw_arena *arena,
                         sw_error *error) {
    sw_csv *csv;
    sw_str *names;
    SW_TRY(sw_csv_header(&names, count, path, arena, error));
    sw_csv_column *columns = sw_arena_zalloc(arena, *count, sizeof *columns);
    seen *all = sw_arena_zalloc(arena, *count, sizeof *all);
    if (!columns || !all)
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the columns of a CSV");
    SW_TRY(sw_csv_open(&csv, path, error));
    sw_status status = read_rows(all, *count, csv, error);
    sw_csv_close(csv);
    for (size_t i = 0; i < *count; i++)
        columns[i] = (sw_csv_column){
            .name = names[i],
            .text = all[i].text,
            .labels = !all[i].text && !all[i].odd && all[i].value_count > 0,
        };
    *out = columns;
    return status;
}
