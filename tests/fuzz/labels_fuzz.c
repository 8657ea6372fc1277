/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as labels, in JSON and in CSV; the same CSV in pieces gives the same labels, or is refused
 * the same. */
#include "decay/labels_input.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct seen {
    uint64_t count, sum;
} seen;

static uint64_t fold(uint64_t sum, sw_str text) {
    for (size_t i = 0; i < text.len; i++)
        sum = sum * 31 + (uint8_t)text.at[i];
    return sum * 31 + text.len;
}

static sw_status take(const sw_label *labels, size_t count, void *context, sw_error *error) {
    seen *s = context;
    (void)error;
    if (count == 0 || count > SW_LABELS_BATCH_MAX)
        abort();
    for (size_t i = 0; i < count; i++) {
        s->count++;
        s->sum = fold(fold(s->sum, labels[i].id), labels[i].label) + (uint64_t)labels[i].at_ms;
    }
    return SW_OK;
}

static sw_status read_csv(seen *s, sw_str bytes, size_t piece) {
    sw_labels_csv csv = {.take = take, .context = s};
    sw_error error;
    sw_status status = SW_OK;
    while (!sw_failed(status) && bytes.len) {
        size_t len = bytes.len < piece ? bytes.len : piece;
        status = sw_labels_csv_add(&csv, (sw_str){bytes.at, len}, false, &error);
        bytes = (sw_str){bytes.at + len, bytes.len - len};
    }
    if (!sw_failed(status))
        status = sw_labels_csv_add(&csv, (sw_str){0}, true, &error);
    sw_labels_csv_free(&csv);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_str bytes = {(const char *)data, size};
    seen json = {0}, whole = {0}, pieces = {0};
    sw_error error;
    sw_status status = sw_labels_read_json(bytes, take, &json, &error);
    if (sw_failed(status) && json.count)
        abort();
    status = read_csv(&whole, bytes, size ? size : 1);
    if (sw_failed(status) != sw_failed(read_csv(&pieces, bytes, 7)))
        abort();
    if (!sw_failed(status) && (whole.count != pieces.count || whole.sum != pieces.sum))
        abort();
    return 0;
}
