/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a segment of the prediction log: what is damaged is left out, and what is taken can be
 * read to its last value. */
#include "decay/plog_private.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

static void touch(sw_str bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        sink = (uint8_t)(sink ^ (uint8_t)bytes.at[i]);
}

static void check_index(sw_str bytes) {
    plog_foot foot;
    uint32_t row;
    if (!sw_plog_get_foot(&foot, bytes))
        return;
    (void)sw_plog_index_whole(&foot);
    if (foot.groups_end > bytes.len)
        abort();
    for (uint64_t hash = 0; hash < 4; hash++)
        if (sw_plog_index_find(&row, &foot.index, hash << 62) && row >= foot.index.rows)
            abort();
}

static void check_groups(sw_str bytes, size_t at, const plog_schema *schema) {
    plog_group group;
    sw_buf chunk = {0};
    while (sw_plog_get_group(&group, &at, bytes, PLOG_FIRST + schema->count)) {
        if (at > bytes.len || group.rows == 0)
            abort();
        for (uint32_t i = 0; i < group.count; i++) {
            sw_plog_type type = i >= PLOG_FIRST  ? schema->columns[i - PLOG_FIRST].type
                                : i == PLOG_TIME ? SW_PLOG_I64
                                : i == PLOG_ID   ? SW_PLOG_TEXT
                                                 : SW_PLOG_F32;
            if (!sw_failed(sw_plog_get_chunk(&chunk, &group, i, type, NULL)))
                touch(sw_buf_str(&chunk));
        }
    }
    sw_buf_free(&chunk);
}

/* A segment lies in memory as a mapping does: aligned. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    plog_schema schema;
    sw_str json;
    size_t at;
    char *copy = aligned_alloc(16, (size + 16) & ~(size_t)15);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    sw_str bytes = {copy, size};
    check_index(bytes);
    if (sw_plog_get_header(&json, &at, bytes) &&
        !sw_failed(sw_plog_schema_parse(&schema, json, &arena, NULL)))
        check_groups(bytes, at, &schema);
    sw_arena_free(&arena);
    free(copy);
    return 0;
}
