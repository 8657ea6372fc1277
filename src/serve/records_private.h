/* SPDX-License-Identifier: Apache-2.0 */
/* What the files records*.c share. */
#ifndef SW_SERVE_RECORDS_PRIVATE_H
#define SW_SERVE_RECORDS_PRIVATE_H

#include "base/num_row.h"
#include "serve/records.h"

/* Where the values of one feature go. */
typedef struct record_field {
    sw_str name;
    sw_str quoted; /* as it stands in a body, with its colon; empty where it would have escapes.
                      Sixteen readable bytes lie behind it */
    uint32_t first_lanes; /* mask of its first sixteen characters */
    uint32_t input;
    uint32_t column;
    uint32_t row_bytes; /* of the input */
    uint32_t offset;    /* bytes within the row */
    sw_dtype dtype;
    bool optional;
    sw_num_reader *read; /* NULL for FP16, BOOL and BYTES */
    sw_num_type number;  /* what `read` reads */
} record_field;

struct sw_records_plan {
    const sw_signature *signature;
    record_field *fields; /* in the signature's order */
    uint32_t field_count;
    uint32_t *slots; /* open addressing: index of a field plus one, 0 = free */
    uint32_t slot_mask;
    uint32_t *widths; /* columns of each input */
};

enum { FIELD_NONE = UINT32_MAX };

uint32_t sw_records_find(const sw_records_plan *plan, sw_str name);
/* The field whose name is most like `name`, or FIELD_NONE where none is like it. */
uint32_t sw_records_nearest(const sw_records_plan *plan, sw_str name);

#endif /* SW_SERVE_RECORDS_PRIVATE_H */
