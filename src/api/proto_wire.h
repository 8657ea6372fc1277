/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_wire: protobuf's wire format, field by field.
 *
 * The reader sticks to its first failure: every later call returns false. No length is believed
 * beyond the bytes that are there.
 *
 * Memory:  a reader borrows its bytes.
 * Threads: one at a time for each reader.
 * Layer:   api. Source: protobuf.dev/programming-guides/encoding.
 */
#ifndef SW_API_PROTO_WIRE_H
#define SW_API_PROTO_WIRE_H

#include "base/status.h"
#include "base/str.h"

typedef enum sw_wire_type {
    SW_WIRE_VARINT = 0,
    SW_WIRE_FIXED64 = 1,
    SW_WIRE_BYTES = 2,
    SW_WIRE_FIXED32 = 5
} sw_wire_type;

typedef struct sw_wire_reader {
    const char *at;
    const char *end;
    const char *message; /* its name, for errors */
    uint32_t field;      /* of what comes next */
    sw_wire_type type;
    sw_error *error;
    sw_status status;
} sw_wire_reader;

sw_wire_reader sw_wire_read(sw_str bytes, const char *message, sw_error *error);
/* The next field's number and type. False at the end, or on failure. */
bool sw_wire_next(sw_wire_reader *in);
bool sw_wire_skip(sw_wire_reader *in);

/* The field's value; INVALID where its type is another. */
bool sw_wire_varint(sw_wire_reader *in, uint64_t *out);
bool sw_wire_bytes(sw_wire_reader *in, sw_str *out);
bool sw_wire_string(sw_wire_reader *in, sw_str *out); /* must be UTF-8 */

/* Within packed fields: a varint or fixed-size value without a tag. */
bool sw_wire_raw_varint(sw_wire_reader *in, uint64_t *out);
bool sw_wire_raw_fixed(sw_wire_reader *in, void *out, size_t size);

bool sw_wire_fail(sw_wire_reader *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void sw_wire_put_varint(sw_buf *out, uint64_t value);
void sw_wire_put_tag(sw_buf *out, uint32_t field, sw_wire_type type);
/* proto3: an empty or zero value is left out. */
void sw_wire_put_string(sw_buf *out, uint32_t field, sw_str value);
void sw_wire_put_number(sw_buf *out, uint32_t field, uint64_t value);
/* A message within the message: its contents go between the two calls. */
size_t sw_wire_begin(sw_buf *out, uint32_t field);
void sw_wire_end(sw_buf *out, size_t began);

#endif /* SW_API_PROTO_WIRE_H */
