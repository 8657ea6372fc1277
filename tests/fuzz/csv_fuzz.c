/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a CSV file: every field must lie within what was read, and be UTF-8. */
#include "base/csv.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_csv *csv;
    sw_csv_row row;
    sw_error error = {{0}};
    size_t bytes = 0;
    uint64_t line = 0;
    if (sw_failed(sw_csv_open_bytes(&csv, (sw_str){(const char *)data, size}, &error)))
        return 0;
    while (!sw_failed(sw_csv_next(&row, csv, &error)) && row.count) {
        if (row.line <= line)
            abort();
        line = row.line;
        for (size_t i = 0; i < row.count; i++) {
            bytes += row.fields[i].len;
            if (!sw_str_is_utf8(row.fields[i]))
                abort();
        }
        bytes += row.count - 1; /* commas */
    }
    if (bytes > size)
        abort();
    sw_csv_close(csv);
    return 0;
}
