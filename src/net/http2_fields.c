/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What makes a field of a request malformed (RFC 9113, 8.2 and 8.3). nghttp2 can check this too, at
 * a tenth of a unary call's cost; eight bytes at a time it is nearly free.
 */
#include "net/net_private.h"

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EACH(0x80)

static uint64_t load8(const char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t load4(const char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* All bytes of a string shorter than eight, some of them twice, and 'a' (good everywhere) between.
 */
static uint64_t load_short(sw_str s) {
    if (s.len >= 4)
        return load4(s.at) | load4(s.at + s.len - 4) << 32;
    if (s.len == 0)
        return EACH('a');
    uint64_t first = (unsigned char)s.at[0], middle = (unsigned char)s.at[s.len / 2];
    uint64_t last = (unsigned char)s.at[s.len - 1];
    return (EACH('a') & ~UINT64_C(0xFFFFFF)) | first | middle << 8 | last << 16;
}

/* The word at `at`; where fewer than eight bytes are left, the last eight. */
static uint64_t word_at(sw_str s, size_t at) {
    if (s.len < sizeof(uint64_t))
        return load_short(s);
    return load8(s.at + (s.len - at < sizeof(uint64_t) ? s.len - sizeof(uint64_t) : at));
}

/* High bits where a byte is below `limit` (at most 0x80); exact for bytes below 0x80. */
static uint64_t below(uint64_t word, uint8_t limit) {
    return (word - EACH(limit)) & ~word & HIGH_BITS;
}

/* Lower case, visible, ASCII, no colon. */
bool sw_http2_name_ok(sw_str name) {
    uint64_t bad = 0;
    for (size_t i = 0; i < name.len; i += sizeof(uint64_t)) {
        uint64_t word = word_at(name, i);
        bad |= word & HIGH_BITS;
        bad |= below(word, 0x21);
        /* 'A' to 'Z': at least 'A', and not above 'Z' (no carry: every byte is below 0x80 or bad)
         */
        uint64_t seven = word & ~HIGH_BITS;
        bad |= (seven + EACH(0x80 - 'A')) & ~(seven + EACH(0x80 - 'Z' - 1)) & HIGH_BITS;
        bad |= below(word ^ EACH(':'), 1) | below(word ^ EACH(0x7F), 1);
    }
    return bad == 0 && name.len > 0;
}

static bool has_line_end(sw_str value) {
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] == '\0' || value.at[i] == '\r' || value.at[i] == '\n')
            return true;
    return false;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* No NUL, CR or LF, and no blanks round it. */
bool sw_http2_value_ok(sw_str value) {
    uint64_t control = 0;
    if (value.len == 0)
        return true;
    for (size_t i = 0; i < value.len; i += sizeof(uint64_t))
        control |= below(word_at(value, i), 0x20);
    return !(control && has_line_end(value)) && !is_blank(value.at[0]) &&
           !is_blank(value.at[value.len - 1]);
}

/* Fields that speak of one HTTP/1.1 connection have no place here. */
bool sw_http2_is_hop_field(sw_str name, sw_str value) {
    switch (name.len) {
    case 2: return sw_str_is(name, "te") && !sw_str_is(value, "trailers");
    case 7: return sw_str_is(name, "upgrade");
    case 10: return sw_str_is(name, "connection") || sw_str_is(name, "keep-alive");
    case 16: return sw_str_is(name, "proxy-connection");
    case 17: return sw_str_is(name, "transfer-encoding");
    default: return false;
    }
}
