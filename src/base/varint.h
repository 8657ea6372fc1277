/* SPDX-License-Identifier: Apache-2.0 */
/*
 * varint: whole numbers in as few bytes as they need, seven bits a byte, lowest first; and doubles
 * in eight.
 *
 * A reader whose bytes are wrong turns `bad` and gives 0 from then on, so that it is asked once, at
 * the end.
 *
 * Memory:  a reader borrows its bytes.
 * Threads: one at a time for each reader.
 * Layer:   base. Source of the format: Protocol Buffers, "Base 128 Varints".
 */
#ifndef SW_BASE_VARINT_H
#define SW_BASE_VARINT_H

#include "base/str.h"

static inline void sw_varint_put(sw_buf *out, uint64_t value) {
    while (value >= 0x80) {
        sw_buf_add_char(out, (char)(value | 0x80));
        value >>= 7;
    }
    sw_buf_add_char(out, (char)value);
}

/* IEEE 754, lowest byte first. */
static inline void sw_varint_put_f64(sw_buf *out, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++)
        sw_buf_add_char(out, (char)(bits >> (8 * i)));
}

typedef struct sw_varint_reader {
    const uint8_t *at, *end;
    bool bad;
} sw_varint_reader;

static inline sw_varint_reader sw_varint_from(sw_str bytes) {
    return (sw_varint_reader){(const uint8_t *)bytes.at, (const uint8_t *)bytes.at + bytes.len,
                              false};
}

/* What is above `max`, or cut off, is bad. */
static inline uint64_t sw_varint_get(sw_varint_reader *in, uint64_t max) {
    uint64_t value = 0;
    for (unsigned shift = 0; !in->bad && in->at < in->end && shift < 64; shift += 7) {
        uint8_t byte = *in->at++;
        if (shift == 63 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            in->bad = value > max;
            return in->bad ? 0 : value;
        }
    }
    in->bad = true;
    return 0;
}

static inline double sw_varint_get_f64(sw_varint_reader *in) {
    uint64_t bits = 0;
    double value;
    in->bad |= in->end - in->at < 8;
    for (int i = 0; !in->bad && i < 8; i++)
        bits |= (uint64_t)*in->at++ << (8 * i);
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif /* SW_BASE_VARINT_H */
