/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static void before_value(sw_json *w) {
    if (w->comma)
        sw_buf_add_char(w->out, ',');
    w->comma = true;
}

void sw_json_begin_object(sw_json *w) {
    before_value(w);
    sw_buf_add_char(w->out, '{');
    w->comma = false;
}

void sw_json_end_object(sw_json *w) {
    sw_buf_add_char(w->out, '}');
    w->comma = true;
}

void sw_json_begin_array(sw_json *w) {
    before_value(w);
    sw_buf_add_char(w->out, '[');
    w->comma = false;
}

void sw_json_end_array(sw_json *w) {
    sw_buf_add_char(w->out, ']');
    w->comma = true;
}

/* ---- Strings ---- */

enum { SHORT_MAX = 256 };

/* Every byte of a word is one. */
#define ONES ((uint64_t)0x0101010101010101)

/* Whether these eight bytes go out as they are. */
static inline bool is_plain(const char *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    /* A top bit is left where a byte is below the space, above 0x7F, a quote or a backslash. */
    uint64_t quote = word ^ (ONES * '"'), back = word ^ (ONES * '\\');
    uint64_t odd = word | (word - ONES * 0x20) | (quote - ONES) | (back - ONES);
    return !(odd & (ONES * 0x80));
}

/* How many bytes from `at` on go out as they are: printable ASCII but quote and backslash. */
static size_t plain_len(const char *at, size_t len) {
    size_t i = 0;
#ifdef __SSE2__
    for (; len - i >= 16; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        /* As signed bytes, control characters and those above 0x7F are both below the space. */
        stop = _mm_or_si128(stop, _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)));
        unsigned stops = (unsigned)_mm_movemask_epi8(stop);
        if (stops)
            return i + (size_t)__builtin_ctz(stops);
    }
#endif
    for (; len - i >= 8; i += 8)
        if (!is_plain(at + i))
            break;
    /* The last word overlaps what was looked at. */
    if (i < len && len - i < 8 && len >= 8 && is_plain(at + len - 8))
        return len;
    while (i < len && (signed char)at[i] >= 0x20 && at[i] != '"' && at[i] != '\\')
        i++;
    return i;
}

static void put_escape(sw_buf *out, unsigned char c) {
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* the character, then its letter */
    for (size_t i = 0; i + 1 < sizeof letters; i += 2) {
        if ((unsigned char)letters[i] == c) {
            sw_buf_add(out, (char[]){'\\', letters[i + 1]}, 2);
            return;
        }
    }
    sw_buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

/* A character beyond ASCII, or U+FFFD for one byte that is no part of one. Returns the bytes taken.
 */
static size_t put_wide(sw_buf *out, sw_str rest) {
    for (size_t len = 2; len <= 4 && len <= rest.len; len++) {
        if (sw_str_is_utf8((sw_str){rest.at, len})) {
            sw_buf_add(out, rest.at, len);
            return len;
        }
    }
    sw_buf_add_lit(out, "\xEF\xBF\xBD");
    return 1;
}

static void put_string(sw_buf *out, sw_str s) {
    if (s.len <= SHORT_MAX && sw_buf_reserve(out, s.len + 2) && plain_len(s.at, s.len) == s.len) {
        char *to = out->at + out->len;
        *to = '"';
        if (s.len)
            memcpy(to + 1, s.at, s.len);
        to[s.len + 1] = '"';
        out->len += s.len + 2;
        return;
    }
    sw_buf_add_char(out, '"');
    while (s.len) {
        size_t taken = plain_len(s.at, s.len);
        sw_buf_add(out, s.at, taken);
        if (taken < s.len) {
            unsigned char c = (unsigned char)s.at[taken];
            if (c >= 0x80) {
                taken += put_wide(out, (sw_str){s.at + taken, s.len - taken});
            } else {
                put_escape(out, c);
                taken++;
            }
        }
        s = (sw_str){s.at + taken, s.len - taken};
    }
    sw_buf_add_char(out, '"');
}

void sw_json_key_of(sw_json *w, sw_str key) {
    before_value(w);
    put_string(w->out, key);
    sw_buf_add_char(w->out, ':');
    w->comma = false;
}

void sw_json_key(sw_json *w, const char *key) {
    size_t len = strlen(key);
    before_value(w);
    w->comma = false;
    if (!sw_buf_reserve(w->out, len + 3))
        return;
    char *to = w->out->at + w->out->len;
    *to = '"';
    memcpy(to + 1, key, len);
    memcpy(to + 1 + len, "\":", 2);
    w->out->len += len + 3;
}

void sw_json_str(sw_json *w, sw_str value) {
    before_value(w);
    put_string(w->out, value);
}

void sw_json_text(sw_json *w, const char *value) {
    if (value)
        sw_json_str(w, sw_str_of(value));
    else
        sw_json_null(w);
}

/* ---- Plain values ---- */

void sw_json_i64(sw_json *w, int64_t value) {
    before_value(w);
    if (sw_buf_reserve(w->out, SW_NUM_BYTES))
        w->out->len += sw_num_print_i64(w->out->at + w->out->len, value);
}

void sw_json_u64(sw_json *w, uint64_t value) {
    before_value(w);
    if (sw_buf_reserve(w->out, SW_NUM_BYTES))
        w->out->len += sw_num_print_u64(w->out->at + w->out->len, value);
}

void sw_json_f64(sw_json *w, double value) {
    if (!isfinite(value) && !(w->infinities && isinf(value))) {
        sw_json_null(w);
        return;
    }
    before_value(w);
    if (sw_buf_reserve(w->out, SW_NUM_BYTES))
        w->out->len += sw_num_print_f64(w->out->at + w->out->len, value);
}

void sw_json_f32(sw_json *w, float value) {
    if (!isfinite(value) && !(w->infinities && isinf(value))) {
        sw_json_null(w);
        return;
    }
    before_value(w);
    if (sw_buf_reserve(w->out, SW_NUM_BYTES))
        w->out->len += sw_num_print_f32(w->out->at + w->out->len, value);
}

void sw_json_bool(sw_json *w, bool value) {
    sw_json_raw(w, value ? SW_STR("true") : SW_STR("false"));
}

void sw_json_null(sw_json *w) {
    sw_json_raw(w, SW_STR("null"));
}

void sw_json_raw(sw_json *w, sw_str json) {
    before_value(w);
    sw_buf_add_str(w->out, json);
}

/* ---- Members ---- */

void sw_json_add_str(sw_json *w, const char *key, sw_str value) {
    sw_json_key(w, key);
    sw_json_str(w, value);
}

void sw_json_add_text(sw_json *w, const char *key, const char *value) {
    sw_json_key(w, key);
    sw_json_text(w, value);
}

void sw_json_add_i64(sw_json *w, const char *key, int64_t value) {
    sw_json_key(w, key);
    sw_json_i64(w, value);
}

void sw_json_add_u64(sw_json *w, const char *key, uint64_t value) {
    sw_json_key(w, key);
    sw_json_u64(w, value);
}

void sw_json_add_f64(sw_json *w, const char *key, double value) {
    sw_json_key(w, key);
    sw_json_f64(w, value);
}

void sw_json_add_bool(sw_json *w, const char *key, bool value) {
    sw_json_key(w, key);
    sw_json_bool(w, value);
}

void sw_json_add_null(sw_json *w, const char *key) {
    sw_json_key(w, key);
    sw_json_null(w);
}
