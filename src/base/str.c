/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>

bool sw_str_in(const sw_str *names, size_t count, sw_str wanted) {
    for (size_t i = 0; i < count; i++)
        if (sw_str_eq(names[i], wanted))
            return true;
    return false;
}

bool sw_str_eq_nocase(sw_str a, sw_str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (sw_lower(a.at[i]) != sw_lower(b.at[i]))
            return false;
    return true;
}

sw_str sw_str_split(sw_str *rest, char separator) {
    const char *cut = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    sw_str head = *rest;
    if (!cut) {
        *rest = (sw_str){rest->at ? rest->at + rest->len : NULL, 0};
        return head;
    }
    head.len = (size_t)(cut - head.at);
    *rest = (sw_str){cut + 1, rest->len - head.len - 1};
    return head;
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

sw_str sw_str_trim(sw_str s) {
    while (s.len && is_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len && is_space(s.at[s.len - 1]))
        s.len--;
    return s;
}

bool sw_str_to_u64(uint64_t *out, sw_str s, uint64_t max) {
    uint64_t value = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.at[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return value <= max;
}

bool sw_str_split_host(sw_str *name, sw_str *port, sw_str host) {
    *port = (sw_str){0};
    const char *end = host.at + host.len;
    const char *colon;
    if (host.len && host.at[0] == '[') {
        const char *bracket = memchr(host.at, ']', host.len);
        if (!bracket)
            return false;
        *name = (sw_str){host.at + 1, (size_t)(bracket - host.at) - 1};
        colon = bracket + 1 < end ? bracket + 1 : NULL;
        if (colon && *colon != ':')
            return false;
    } else {
        colon = host.len ? memchr(host.at, ':', host.len) : NULL;
        *name = (sw_str){host.at, colon ? (size_t)(colon - host.at) : host.len};
    }
    uint64_t number;
    if (colon) {
        *port = (sw_str){colon + 1, (size_t)(end - colon) - 1};
        if (!sw_str_to_u64(&number, *port, 65535))
            return false;
    }
    return name->len > 0;
}

static bool is_loopback_v4(sw_str name) {
    uint64_t ignored;
    if (!sw_str_starts(name, SW_STR("127.")) || name.at[name.len - 1] == '.')
        return false;
    for (int i = 0; i < 4; i++) {
        sw_str part = sw_str_split(&name, '.');
        if (part.len == 0 || part.len > 3 || !sw_str_to_u64(&ignored, part, 255))
            return false;
    }
    return name.len == 0;
}

bool sw_str_is_loopback(sw_str host) {
    sw_str name, port;
    if (!sw_str_split_host(&name, &port, host))
        return false;
    if (host.at[0] == '[')
        return sw_str_is(name, "::1");
    return sw_str_eq_nocase(name, SW_STR("localhost")) || is_loopback_v4(name);
}

/* The number of bytes of the well-formed sequence at `at`, or 0 (RFC 3629, section 4). */
static size_t utf8_step(const uint8_t *at, size_t left) {
    uint8_t a = at[0];
    if (a < 0x80)
        return 1;
    size_t want = a >= 0xC2 && a <= 0xDF   ? 2
                  : (a & 0xF0) == 0xE0     ? 3
                  : a >= 0xF0 && a <= 0xF4 ? 4
                                           : 0;
    if (want == 0 || left < want)
        return 0;
    for (size_t i = 1; i < want; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (a == 0xE0 && at[1] < 0xA0) || (a == 0xF0 && at[1] < 0x90);
    bool surrogate = a == 0xED && at[1] > 0x9F;
    bool beyond = a == 0xF4 && at[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : want;
}

bool sw_str_is_utf8(sw_str s) {
    const uint8_t *at = (const uint8_t *)s.at;
    for (size_t i = 0; i < s.len;) {
        uint64_t word;
        if (s.len - i >= 8 && (memcpy(&word, at + i, 8), (word & 0x8080808080808080U) == 0)) {
            i += 8;
            continue;
        }
        size_t step = utf8_step(at + i, s.len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

bool sw_buf_reserve_slow(sw_buf *buf, size_t more) {
    if (buf->failed)
        return false;
    size_t want = buf->len + more, cap = buf->cap ? buf->cap : 256;
    while (cap < want && cap <= SIZE_MAX / 2)
        cap *= 2;
    char *at = want >= more && cap >= want ? sw_mem_realloc(buf->at, cap) : NULL;
    if (!at) {
        buf->failed = true;
        return false;
    }
    buf->at = at;
    buf->cap = cap;
    return true;
}

void sw_buf_printf(sw_buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int want = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (want < 0 || !sw_buf_reserve(buf, (size_t)want + 1))
        return;
    va_start(args, format);
    vsnprintf(buf->at + buf->len, (size_t)want + 1, format, args);
    va_end(args);
    buf->len += (size_t)want;
}

void sw_buf_free(sw_buf *buf) {
    sw_mem_free(buf->at);
    *buf = (sw_buf){0};
}
