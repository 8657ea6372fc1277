/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str: a borrowed run of bytes, and a buffer that grows.
 *
 * sw_str points at bytes that somebody else owns; it need not end in NUL and may hold any byte.
 * sw_buf owns its bytes. A buffer whose growth fails turns `failed` and swallows further appends,
 * so that a writer checks once at its end instead of at every step.
 *
 * Memory:  sw_buf_free what a buffer gathered. sw_str owns nothing.
 * Threads: one at a time for each buffer.
 * Layer:   base.
 */
#ifndef SW_BASE_STR_H
#define SW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct sw_str {
    const char *at;
    size_t len;
} sw_str;

#define SW_STR(literal) ((sw_str){"" literal, sizeof(literal) - 1})
/* For printf("%.*s", SW_STR_ARG(s)). */
#define SW_STR_ARG(s) (int)(s).len, (s).at ? (s).at : ""

static inline sw_str sw_str_of(const char *text) {
    return (sw_str){text, text ? strlen(text) : 0};
}

static inline bool sw_str_eq(sw_str a, sw_str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* Within its caller a literal's length is known: a few instructions and no call. */
static inline __attribute__((always_inline)) bool sw_str_is(sw_str a, const char *text) {
    return sw_str_eq(a, sw_str_of(text));
}

static inline bool sw_str_starts(sw_str a, sw_str prefix) {
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.at, prefix.at, prefix.len) == 0);
}

/* Below, at or above 0 as `a` comes before, with or after `b`, byte by byte. */
static inline int sw_str_order(sw_str a, sw_str b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The value of a hexadecimal digit in either case, or -1. */
static inline int sw_hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline char sw_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Whether `wanted` is one of the names. */
bool sw_str_in(const sw_str *names, size_t count, sw_str wanted);
/* ASCII letters compare without case (header names). */
bool sw_str_eq_nocase(sw_str a, sw_str b);
/* Cuts off and returns what stands before the first `separator`; `rest` becomes what follows. */
sw_str sw_str_split(sw_str *rest, char separator);
sw_str sw_str_trim(sw_str s);
/* False where `s` is not all digits, or the value is above `max`. */
bool sw_str_to_u64(uint64_t *out, sw_str s, uint64_t max);
/* Splits "name", "name:port" or "[address]:port"; the port is {NULL, 0} where there is none. False
 * where the name is empty, or the port no number up to 65535. */
bool sw_str_split_host(sw_str *name, sw_str *port, sw_str host);
/* Whether such a host reaches no further than this machine: "localhost", an IPv4 address in
 * 127.0.0.0/8, "[::1]". A name that only looks like one ("127.example.com") does not. */
bool sw_str_is_loopback(sw_str host);
/* RFC 3629, surrogates and overlong forms refused. */
bool sw_str_is_utf8(sw_str s);

typedef struct sw_buf {
    char *at;
    size_t len;
    size_t cap;
    bool failed; /* memory ran out; contents are what fitted */
} sw_buf;

/* Room for `more` bytes behind len. False (and `failed`) where memory is out. */
bool sw_buf_reserve_slow(sw_buf *buf, size_t more);

static inline bool sw_buf_reserve(sw_buf *buf, size_t more) {
    return (buf->cap - buf->len >= more && !buf->failed) || sw_buf_reserve_slow(buf, more);
}

static inline void sw_buf_add(sw_buf *buf, const void *bytes, size_t len) {
    if (len && sw_buf_reserve(buf, len)) {
        memcpy(buf->at + buf->len, bytes, len);
        buf->len += len;
    }
}

static inline void sw_buf_add_str(sw_buf *buf, sw_str s) {
    sw_buf_add(buf, s.at, s.len);
}

static inline void sw_buf_add_char(sw_buf *buf, char c) {
    if (sw_buf_reserve(buf, 1))
        buf->at[buf->len++] = c;
}

#define sw_buf_add_lit(buf, literal) sw_buf_add((buf), "" literal, sizeof(literal) - 1)

void sw_buf_printf(sw_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline sw_str sw_buf_str(const sw_buf *buf) {
    return (sw_str){buf->at, buf->len};
}

/* Empties it and keeps the memory. */
static inline void sw_buf_clear(sw_buf *buf) {
    buf->len = 0;
    buf->failed = false;
}

void sw_buf_free(sw_buf *buf);

#endif /* SW_BASE_STR_H */
