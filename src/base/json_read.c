/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

void sw_json_read_init(sw_json_reader *in, sw_str text, sw_arena *arena, sw_error *error) {
    const char *start = text.at ? text.at : "";
    *in = (sw_json_reader){
        .at = start, .start = start, .end = start + text.len, .arena = arena, .error = error};
}

/* ---- Failing ---- */

void sw_json_position(size_t *line, size_t *column, sw_str text, const char *at) {
    *line = 1;
    *column = 1;
    for (const char *p = text.at; p < at; p++) {
        (*column)++;
        if (*p == '\n') {
            (*line)++;
            *column = 1;
        }
    }
}

/* Whatever comes later fails at once: there is nothing left to read. */
static bool stop_with(sw_json_reader *in, sw_status status) {
    in->status = status;
    in->at = in->end;
    return false;
}

bool sw_json_read_fail(sw_json_reader *in, const char *at, const char *format, ...) {
    char reason[SW_ERROR_BYTES - 128];
    size_t line, column;
    if (sw_failed(in->status))
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    const sw_json_place *place = in->place ? in->place : &(sw_json_place){.from = in->start};
    sw_json_position(&line, &column, (sw_str){place->from, (size_t)(in->end - place->from)}, at);
    if (line == 1)
        column += place->columns;
    return stop_with(
        in, sw_fail(in->error, SW_CODE_INVALID, "%s, at byte %zu (line %zu, column %zu)", reason,
                    place->byte + (size_t)(at - place->from), place->lines + line, column));
}

bool sw_json_read_no_memory(sw_json_reader *in) {
    if (sw_failed(in->status))
        return false;
    return stop_with(in, sw_fail(in->error, SW_CODE_NO_MEMORY, "no memory to read a JSON string"));
}

/* Says what stands at `at` in place of what was expected. */
static bool fail_expected(sw_json_reader *in, const char *at, const char *expected) {
    if (at >= in->end)
        return sw_json_read_fail(in, in->end, "expected %s, but the JSON ends", expected);
    unsigned char c = (unsigned char)*at;
    if (c > 0x20 && c < 0x7F)
        return sw_json_read_fail(in, at, "expected %s, found '%c'", expected, c);
    return sw_json_read_fail(in, at, "expected %s, found byte 0x%02X", expected, c);
}

const char *sw_json_kind_words(sw_json_kind kind) {
    static const char *const words[] = {"nothing",  "an object", "an array", "a string",
                                        "a number", "true",      "false",    "null"};
    return words[kind];
}

static sw_json_kind kind_of(char c) {
    switch (c) {
    case '{': return SW_JSON_OBJECT;
    case '[': return SW_JSON_ARRAY;
    case '"': return SW_JSON_STRING;
    case 't': return SW_JSON_TRUE;
    case 'f': return SW_JSON_FALSE;
    case 'n': return SW_JSON_NULL;
    default: return c == '-' || (c >= '0' && c <= '9') ? SW_JSON_NUMBER : SW_JSON_NOTHING;
    }
}

sw_json_kind sw_json_read_peek(sw_json_reader *in) {
    sw_json_read_space(in);
    return in->at < in->end ? kind_of(*in->at) : SW_JSON_NOTHING;
}

static bool fail_kind(sw_json_reader *in, sw_json_kind wanted) {
    sw_json_kind found = sw_json_read_peek(in);
    if (found == SW_JSON_NOTHING)
        return fail_expected(in, in->at, sw_json_kind_words(wanted));
    return sw_json_read_fail(in, in->at, "expected %s, found %s", sw_json_kind_words(wanted),
                             sw_json_kind_words(found));
}

/* ---- Strings ---- */

/* The first byte that ends or interrupts a plain run of a string; `high` where one is not ASCII. */
static inline const char *plain_run(const char *at, const char *end, bool *high) {
    unsigned any = 0;
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);
        __m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        unsigned stops = (unsigned)_mm_movemask_epi8(_mm_or_si128(stop, control));
        unsigned highs = (unsigned)_mm_movemask_epi8(v);
        if (stops) {
            int before = __builtin_ctz(stops);
            *high |= (any | (highs & ((1U << before) - 1))) != 0;
            return at + before;
        }
        any |= highs;
    }
#endif
    for (; at < end; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\' || c < 0x20)
            break;
        any |= c & 0x80U;
    }
    *high |= any != 0;
    return at;
}

/* The four digits behind \u, or -1. */
static int32_t hex_four(const char *at, const char *end) {
    int32_t value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = sw_hex_value(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *put_utf8(char *to, uint32_t c) {
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xE0 | c >> 12);
        } else {
            *to++ = (char)(0xF0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (c & 0x3F));
    return to;
}

/* \uXXXX, or a pair of them. `*at` stands on the 'u'; the character goes to `*to` if that is not
 * NULL. */
static bool unicode_escape(sw_json_reader *in, const char **at, const char *end, char **to) {
    const char *p = *at;
    int32_t code = hex_four(p + 1, end);
    if (code < 0)
        return sw_json_read_fail(in, p - 1, "\\u needs four hexadecimal digits");
    p += 5;
    if (code >= 0xDC00 && code <= 0xDFFF)
        return sw_json_read_fail(in, *at - 1,
                                 "the second half of a surrogate pair without its first");
    if (code >= 0xD800 && code <= 0xDBFF) {
        int32_t low = end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex_four(p + 2, end) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return sw_json_read_fail(in, *at - 1,
                                     "the first half of a surrogate pair without its second");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        p += 6;
    }
    if (*to)
        *to = put_utf8(*to, (uint32_t)code);
    *at = p;
    return true;
}

/* One escape; `*at` stands behind the backslash. */
static bool escape(sw_json_reader *in, const char **at, const char *end, char **to) {
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = *at < end ? **at : '\0';
    if (c == 'u')
        return unicode_escape(in, at, end, to);
    const char *known = c ? strchr(plain, c) : NULL;
    if (!known)
        return sw_json_read_fail(in, *at - 1, "unknown escape in a string");
    (*at)++;
    if (*to)
        *(*to)++ = meant[known - plain];
    return true;
}

/* The raw text between the quotes, which ends at the first quote that no backslash escapes. */
static bool string_bounds(sw_json_reader *in, sw_str *raw, bool *escapes) {
    const char *first = in->at + 1, *p = first;
    bool high = false;
    *escapes = false;
    for (;;) {
        p = plain_run(p, in->end, &high);
        if (p >= in->end)
            return sw_json_read_fail(in, in->at, "a string without its closing quote");
        if (*p == '"')
            break;
        if (*p != '\\')
            return sw_json_read_fail(in, p, "a control character in a string: escape it as \\u%04X",
                                     (unsigned)*p);
        *escapes = true;
        p += 2;
        if (p > in->end)
            p = in->end;
    }
    *raw = (sw_str){first, (size_t)(p - first)};
    if (high && !sw_str_is_utf8(*raw))
        return sw_json_read_fail(in, first, "a string that is not UTF-8");
    in->at = p + 1;
    return true;
}

/* Replaces the escapes of `raw` into `to`, or only checks them where that is NULL. */
static bool unescape(sw_json_reader *in, size_t *len, char *to, sw_str raw) {
    const char *p = raw.at, *end = raw.at + raw.len;
    char *next = to;
    while (p < end) {
        const char *cut = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((cut ? cut : end) - p);
        if (to) {
            memcpy(next, p, plain);
            next += plain;
        }
        p += plain;
        if (cut) {
            p++;
            if (!escape(in, &p, end, &next))
                return false;
        }
    }
    *len = (size_t)(next - to);
    return true;
}

/* A string of up to 15 plain ASCII characters, as most keys are. `in` stands on its quote. */
static inline bool short_string(sw_json_reader *in, sw_str *out) {
#ifdef __SSE2__
    if (in->end - in->at > 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(in->at + 1));
        __m128i quotes = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
        /* As signed bytes, control characters and those above 0x7F are both below the space. */
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')),
                                   _mm_cmplt_epi8(v, _mm_set1_epi8(' ')));
        unsigned ends = (unsigned)_mm_movemask_epi8(quotes),
                 odds = (unsigned)_mm_movemask_epi8(odd);
        if (ends && (odds & (ends ^ (ends - 1))) == 0) {
            *out = (sw_str){in->at + 1, (size_t)__builtin_ctz(ends)};
            in->at += out->len + 2;
            return true;
        }
    }
#else
    (void)in;
    (void)out;
#endif
    return false;
}

static bool skip_string(sw_json_reader *in) {
    sw_str raw;
    bool escapes;
    size_t len;
    return string_bounds(in, &raw, &escapes) && (!escapes || unescape(in, &len, NULL, raw));
}

bool sw_json_read_str(sw_json_reader *in, sw_str *out) {
    bool escapes;
    sw_str raw;
    sw_json_read_space(in);
    if (in->at >= in->end || *in->at != '"')
        return fail_kind(in, SW_JSON_STRING);
    in->first = false;
    if (short_string(in, out))
        return true;
    if (!string_bounds(in, &raw, &escapes))
        return false;
    if (!escapes) {
        *out = raw;
        return true;
    }
    char *to = sw_arena_alloc(in->arena, raw.len);
    if (!to)
        return sw_json_read_no_memory(in);
    *out = (sw_str){to, 0};
    return unescape(in, &out->len, to, raw);
}

/* ---- Containers ---- */

static bool enter(sw_json_reader *in, char opening, sw_json_kind kind) {
    sw_json_read_space(in);
    if (in->at >= in->end || *in->at != opening)
        return fail_kind(in, kind);
    if (in->depth == SW_JSON_DEPTH_MAX)
        return sw_json_read_fail(in, in->at, "nested deeper than %d levels", SW_JSON_DEPTH_MAX);
    in->at++;
    in->depth++;
    in->first = true;
    return true;
}

/* Takes the comma before the next entry. False at the closing bracket, which it takes, or on
 * failure. */
static bool next_entry(sw_json_reader *in, char closing) {
    sw_json_read_space(in);
    char c = in->at < in->end ? *in->at : '\0';
    if (c == closing) {
        in->at++;
        in->depth--;
        in->first = false;
        return false;
    }
    if (in->first)
        return in->at < in->end ||
               fail_expected(in, in->at, closing == '}' ? "a key or '}'" : "a value or ']'");
    if (c != ',')
        return fail_expected(in, in->at, closing == '}' ? "',' or '}'" : "',' or ']'");
    in->at++;
    sw_json_read_space(in);
    if (in->at < in->end && *in->at == closing)
        return sw_json_read_fail(in, in->at, "a comma before '%c'", closing);
    return true;
}

bool sw_json_read_object(sw_json_reader *in) {
    return enter(in, '{', SW_JSON_OBJECT);
}

bool sw_json_read_array(sw_json_reader *in) {
    return enter(in, '[', SW_JSON_ARRAY);
}

static bool take_colon(sw_json_reader *in) {
    sw_json_read_space(in);
    if (in->at >= in->end || *in->at != ':')
        return fail_expected(in, in->at, "':' behind the key");
    in->at++;
    return true;
}

bool sw_json_read_key(sw_json_reader *in, sw_str *key) {
    const char *at = in->at;
    /* The form that machines write: no white space before the key, none behind it. */
    if (in->end - at > 2 && at[!in->first] == '"' && (in->first || *at == ',')) {
        in->at += !in->first;
        if (short_string(in, key) && in->at < in->end && *in->at == ':') {
            in->at++;
            in->first = false;
            return true;
        }
        in->at = at;
    }
    if (sw_failed(in->status) || !next_entry(in, '}'))
        return false;
    if (in->at >= in->end || *in->at != '"')
        return fail_expected(in, in->at, "a key in quotes");
    return sw_json_read_str(in, key) && take_colon(in);
}

bool sw_json_read_item(sw_json_reader *in) {
    /* Without white space, where there is one more. */
    if (in->end - in->at > 1) {
        unsigned char next = (unsigned char)in->at[!in->first];
        if (next > ' ' && next != ']' && (in->first || *in->at == ',')) {
            in->at += !in->first;
            return true;
        }
    }
    return !sw_failed(in->status) && next_entry(in, ']');
}

/* ---- Plain values ---- */

static bool number_done(sw_json_reader *in, const char *at, sw_num_fit fit, const char *type) {
    switch (fit) {
    case SW_NUM_FITS:
        in->at = at;
        in->first = false;
        return true;
    case SW_NUM_MALFORMED: return sw_json_read_fail(in, at, "a malformed number");
    case SW_NUM_OUT_OF_RANGE:
        return sw_json_read_fail(in, in->at, "a number that does not fit %s", type);
    case SW_NUM_NOT_WHOLE: return sw_json_read_fail(in, in->at, "expected a whole number");
    }
    return false;
}

bool sw_json_read_f64(sw_json_reader *in, double *out) {
    if (sw_json_read_peek(in) != SW_JSON_NUMBER)
        return fail_kind(in, SW_JSON_NUMBER);
    const char *at = in->at;
    sw_num_fit fit = sw_num_scan_f64(out, &at, in->end);
    return number_done(in, at, fit, "a 64-bit float");
}

bool sw_json_read_i64(sw_json_reader *in, int64_t *out) {
    if (sw_json_read_peek(in) != SW_JSON_NUMBER)
        return fail_kind(in, SW_JSON_NUMBER);
    const char *at = in->at;
    sw_num_fit fit = sw_num_scan_i64(out, &at, in->end);
    return number_done(in, at, fit, "64 bits");
}

bool sw_json_read_u64(sw_json_reader *in, uint64_t *out) {
    if (sw_json_read_peek(in) != SW_JSON_NUMBER)
        return fail_kind(in, SW_JSON_NUMBER);
    const char *at = in->at;
    sw_num_fit fit = sw_num_scan_u64(out, &at, in->end);
    return number_done(in, at, fit, "64 bits without a sign");
}

bool sw_json_read_ms(sw_json_reader *in, int64_t *out) {
    const char *at = in->at;
    double ms = 0;
    if (sw_json_read_peek(in) != SW_JSON_NUMBER)
        return sw_json_read_fail(in, at, "a time should be a number of milliseconds since 1970");
    if (!sw_json_read_f64(in, &ms))
        return false;
    if (!(fabs(ms) < 0x1p53))
        return sw_json_read_fail(in, at, "a time should be in milliseconds since 1970");
    *out = (int64_t)floor(ms);
    return true;
}

bool sw_json_read_token(sw_json_reader *in, sw_str token) {
    if (!sw_str_starts((sw_str){in->at, (size_t)(in->end - in->at)}, token))
        return false;
    in->at += token.len;
    in->first = false;
    return true;
}

static bool take_word(sw_json_reader *in, sw_str word) {
    return sw_json_read_token(in, word) || fail_expected(in, in->at, "a value");
}

bool sw_json_read_bool(sw_json_reader *in, bool *out) {
    sw_json_kind kind = sw_json_read_peek(in);
    *out = kind == SW_JSON_TRUE;
    if (kind == SW_JSON_TRUE)
        return take_word(in, SW_STR("true"));
    if (kind == SW_JSON_FALSE)
        return take_word(in, SW_STR("false"));
    return sw_json_read_fail(in, in->at, "expected true or false, found %s",
                             sw_json_kind_words(kind));
}

bool sw_json_read_null(sw_json_reader *in) {
    if (sw_json_read_peek(in) != SW_JSON_NULL)
        return fail_kind(in, SW_JSON_NULL);
    return take_word(in, SW_STR("null"));
}

/* ---- Skipping ---- */

static bool skip_number(sw_json_reader *in) {
    const char *behind = sw_num_skip(in->at, in->end);
    if (!behind)
        return sw_json_read_fail(in, in->at, "a malformed number");
    in->at = behind;
    in->first = false;
    return true;
}

/* A value that is no container, or the opening of one. */
static bool skip_step(sw_json_reader *in, sw_json_kind kind) {
    switch (kind) {
    case SW_JSON_OBJECT: return sw_json_read_object(in);
    case SW_JSON_ARRAY: return sw_json_read_array(in);
    case SW_JSON_STRING: in->first = false; return skip_string(in);
    case SW_JSON_NUMBER: return skip_number(in);
    case SW_JSON_TRUE: return take_word(in, SW_STR("true"));
    case SW_JSON_FALSE: return take_word(in, SW_STR("false"));
    case SW_JSON_NULL: return take_word(in, SW_STR("null"));
    case SW_JSON_NOTHING: break;
    }
    return fail_expected(in, in->at, "a value");
}

static bool skip_key(sw_json_reader *in) {
    if (in->at >= in->end || *in->at != '"')
        return fail_expected(in, in->at, "a key in quotes");
    return skip_string(in) && take_colon(in);
}

bool sw_json_read_skip(sw_json_reader *in) {
    uint64_t objects = 0; /* one bit for each open container: it is an object */
    uint32_t outside = in->depth;
    if (sw_failed(in->status))
        return false;
    do {
        sw_json_kind kind = sw_json_read_peek(in);
        if (!skip_step(in, kind))
            return false;
        if (kind == SW_JSON_OBJECT || kind == SW_JSON_ARRAY)
            objects = objects << 1 | (kind == SW_JSON_OBJECT);
        while (in->depth > outside) {
            bool object = objects & 1;
            if (next_entry(in, object ? '}' : ']')) {
                if (object && !skip_key(in))
                    return false;
                break;
            }
            if (sw_failed(in->status))
                return false;
            objects >>= 1;
        }
    } while (in->depth > outside);
    return true;
}

sw_status sw_json_read_end(sw_json_reader *in) {
    if (sw_failed(in->status))
        return in->status;
    sw_json_read_space(in);
    if (in->at < in->end)
        fail_expected(in, in->at, "nothing more behind the JSON value");
    return in->status;
}
