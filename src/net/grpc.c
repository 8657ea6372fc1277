/* SPDX-License-Identifier: Apache-2.0 */
/* The small formats of gRPC over HTTP/2 (its PROTOCOL-HTTP2 document). */
#include "net/net_private.h"

#include "base/clock.h"

/* 1*8 digits and one of H M S m u n; 0 where it is none of that. */
uint64_t sw_grpc_timeout_ns(sw_str text) {
    enum { DIGITS_MAX = 8 };
    if (text.len < 2 || text.len > DIGITS_MAX + 1)
        return 0;
    uint64_t count;
    if (!sw_str_to_u64(&count, (sw_str){text.at, text.len - 1}, UINT64_MAX))
        return 0;
    uint64_t unit = 0;
    switch (text.at[text.len - 1]) {
    case 'H': unit = 3600 * SW_NS_PER_S; break;
    case 'M': unit = 60 * SW_NS_PER_S; break;
    case 'S': unit = SW_NS_PER_S; break;
    case 'm': unit = SW_NS_PER_MS; break;
    case 'u': unit = 1000; break;
    case 'n': unit = 1; break;
    }
    uint64_t total = count * unit; /* 10^8 hours are 3.6e20 ns: too many for 64 bits */
    bool fits = unit == 0 || count <= UINT64_MAX / 4 / unit;
    return !fits ? UINT64_MAX / 4 : unit && total == 0 ? 1 : total;
}

/* Bytes outside of the printable ASCII range, and '%', go as %XX. */
sw_str sw_grpc_encode_message(sw_arena *arena, sw_str text) {
    static const char hex[] = "0123456789ABCDEF";
    char *out = sw_arena_alloc(arena, text.len * 3 + 1);
    size_t len = 0;
    if (!out)
        return (sw_str){"", 0};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool edge_space = c == ' ' && (i == 0 || i + 1 == text.len);
        if (c < 0x20 || c > 0x7E || c == '%' || edge_space) {
            out[len++] = '%';
            out[len++] = hex[c >> 4];
            out[len++] = hex[c & 15];
        } else {
            out[len++] = (char)c;
        }
    }
    return (sw_str){out, len};
}

/* "application/grpc", also with "+proto" or parameters; not grpc-web. */
bool sw_is_grpc_type(sw_str type) {
    static const sw_str grpc = {"application/grpc", 16};
    if (type.len < grpc.len || (memcmp(type.at, grpc.at, grpc.len) != 0 &&
                                !sw_str_eq_nocase((sw_str){type.at, grpc.len}, grpc)))
        return false;
    return type.len == grpc.len || type.at[grpc.len] == '+' || type.at[grpc.len] == ';';
}

/* Compressed-flag 0 and the length, big-endian. */
void sw_grpc_prefix(char prefix[SW_GRPC_PREFIX_BYTES], size_t len) {
    prefix[0] = 0;
    for (int i = 1; i < SW_GRPC_PREFIX_BYTES; i++)
        prefix[i] = (char)(unsigned char)(len >> (8 * (4 - i)));
}
