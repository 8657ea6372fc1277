/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

void sw_base64url_encode(char *text, const void *bytes, size_t len) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *at = bytes;
    uint32_t bits = 0, held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | at[i];
        for (held += 8; held >= 6; held -= 6)
            *text++ = letters[bits >> (held - 6) & 63];
    }
    if (held)
        *text++ = letters[bits << (6 - held) & 63];
    *text = '\0';
}

static int value_of(char c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

bool sw_base64_decode(void *bytes, size_t *len, size_t cap, sw_str text) {
    uint8_t *at = bytes;
    uint32_t bits = 0, held = 0;
    *len = 0;
    if (text.len % 4)
        return false;
    for (int pad = 0; pad < 2 && text.len && text.at[text.len - 1] == '='; pad++)
        text.len--;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.at[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held < 8)
            continue;
        held -= 8;
        if (*len == cap)
            return false;
        at[(*len)++] = (uint8_t)(bits >> held);
    }
    return (bits & ((1U << held) - 1)) == 0;
}
