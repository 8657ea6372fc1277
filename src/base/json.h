/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: reading straight off bytes, and writing into a buffer.
 *
 * The reader builds no tree: its caller pulls one value after the other and says which kind it
 * expects. It is strict (RFC 8259, strings must be UTF-8, no lone surrogate) and never recurses;
 * what nests deeper than SW_JSON_DEPTH_MAX is refused. A failure sticks: every later call
 * returns false at once, so that a caller may check once at the end of a run of reads. For hot
 * paths.
 *
 *     sw_json_read_init(&in, body, arena, error);
 *     sw_json_read_object(&in);
 *     while (sw_json_read_key(&in, &key)) {
 *         if (sw_str_is(key, "limit")) sw_json_read_i64(&in, &limit);
 *         else sw_json_read_skip(&in);
 *     }
 *     return sw_json_read_end(&in);
 *
 * The writer puts commas by itself:
 *
 *     sw_json w = sw_json_to(&buf);
 *     sw_json_begin_object(&w);
 *     sw_json_add_str(&w, "name", name);
 *     sw_json_key(&w, "shape");
 *     sw_json_begin_array(&w);
 *     sw_json_i64(&w, -1);
 *     sw_json_end_array(&w);
 *     sw_json_end_object(&w);
 *
 * Numbers that JSON does not have: NaN is written as null, and so is an infinity, unless
 * `infinities` asks for the tokens Infinity and -Infinity that Python, Java and RapidJSON read.
 *
 * Memory:  strings read are slices of the text where it has no escapes, else in the arena.
 * Threads: one at a time for each reader or writer.
 * Layer:   base.
 */
#ifndef SW_BASE_JSON_H
#define SW_BASE_JSON_H

#include "base/arena.h"
#include "base/num.h"
#include "base/status.h"
#include "base/str.h"

/* ---- Reading ---- */

enum { SW_JSON_DEPTH_MAX = 64 };

typedef enum sw_json_kind {
    SW_JSON_NOTHING, /* the text ends, or no value begins there */
    SW_JSON_OBJECT,
    SW_JSON_ARRAY,
    SW_JSON_STRING,
    SW_JSON_NUMBER,
    SW_JSON_TRUE,
    SW_JSON_FALSE,
    SW_JSON_NULL
} sw_json_kind;

/* Where in a larger text a part of it stands, so that failures say where in the whole they are. */
typedef struct sw_json_place {
    const char *from;        /* … of the part that is in memory */
    uint64_t byte;           /* of the whole, before it, */
    uint64_t lines, columns; /* line breaks, and bytes behind the last of them */
} sw_json_place;

typedef struct sw_json_reader {
    const char *at;
    const char *start;
    const char *end;
    sw_arena *arena;
    sw_error *error;            /* may be NULL */
    sw_status status;           /* not SW_OK once something failed */
    uint32_t depth;             /* containers that are open */
    bool first;                 /* nothing was read yet in the innermost one */
    const sw_json_place *place; /* NULL: the text is the whole */
} sw_json_reader;

void sw_json_read_init(sw_json_reader *in, sw_str text, sw_arena *arena, sw_error *error);
/* Failures say where in the whole they are. `place` stays until the end; NULL is fine. */
static inline void sw_json_read_placed(sw_json_reader *in, const sw_json_place *place) {
    in->place = place;
}

/* What comes next, without taking it. */
sw_json_kind sw_json_read_peek(sw_json_reader *in);
/* "an object", "a string", … for messages. */
const char *sw_json_kind_words(sw_json_kind kind);

bool sw_json_read_object(sw_json_reader *in);
/* The next key, the reader standing before its value. False once the object is closed. */
bool sw_json_read_key(sw_json_reader *in, sw_str *key);
bool sw_json_read_array(sw_json_reader *in);
/* The reader stands before the next element. False once the array is closed. */
bool sw_json_read_item(sw_json_reader *in);

bool sw_json_read_str(sw_json_reader *in, sw_str *out);
bool sw_json_read_f64(sw_json_reader *in, double *out);
bool sw_json_read_i64(sw_json_reader *in, int64_t *out);
bool sw_json_read_u64(sw_json_reader *in, uint64_t *out);
/* A time in ms since 1970; a fraction of one, as time.time() * 1000 has, is cut off. */
bool sw_json_read_ms(sw_json_reader *in, int64_t *out);
bool sw_json_read_bool(sw_json_reader *in, bool *out);
bool sw_json_read_null(sw_json_reader *in);
/* Takes `token` if it comes next. For what others write and JSON has not: NaN, Infinity. */
bool sw_json_read_token(sw_json_reader *in, sw_str token);
/* Any value, checked as strictly as if it were read. */
bool sw_json_read_skip(sw_json_reader *in);

/* SW_OK where all went well and only white space is left. */
SW_MUST_USE sw_status sw_json_read_end(sw_json_reader *in);

/* INVALID with the reason and, behind it, where `at` is. Keeps an earlier failure. Returns false.
 */
bool sw_json_read_fail(sw_json_reader *in, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool sw_json_read_no_memory(sw_json_reader *in);

/* Both count from 1; columns are bytes. */
void sw_json_position(size_t *line, size_t *column, sw_str text, const char *at);

static inline bool sw_json_is_space(char c) {
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

static inline void sw_json_read_space(sw_json_reader *in) {
    while (in->at < in->end && sw_json_is_space(*in->at))
        in->at++;
}

/* ---- Writing ---- */

typedef struct sw_json {
    sw_buf *out;     /* `failed` there where memory ran out */
    bool comma;      /* due before the next key or element */
    bool infinities; /* as tokens instead of null */
} sw_json;

static inline sw_json sw_json_to(sw_buf *out) {
    return (sw_json){.out = out};
}

void sw_json_begin_object(sw_json *w);
void sw_json_end_object(sw_json *w);
void sw_json_begin_array(sw_json *w);
void sw_json_end_array(sw_json *w);

/* `key` is of the program's own: it has nothing to escape. */
void sw_json_key(sw_json *w, const char *key);
void sw_json_key_of(sw_json *w, sw_str key);

/* Bytes that are no UTF-8 become U+FFFD. */
void sw_json_str(sw_json *w, sw_str value);
/* NULL becomes null. */
void sw_json_text(sw_json *w, const char *value);
void sw_json_i64(sw_json *w, int64_t value);
void sw_json_u64(sw_json *w, uint64_t value);
void sw_json_f64(sw_json *w, double value);
void sw_json_f32(sw_json *w, float value);
void sw_json_bool(sw_json *w, bool value);
void sw_json_null(sw_json *w);
/* A value that is JSON already. */
void sw_json_raw(sw_json *w, sw_str json);

/* A key and its value. */
void sw_json_add_str(sw_json *w, const char *key, sw_str value);
void sw_json_add_text(sw_json *w, const char *key, const char *value);
void sw_json_add_i64(sw_json *w, const char *key, int64_t value);
void sw_json_add_u64(sw_json *w, const char *key, uint64_t value);
void sw_json_add_f64(sw_json *w, const char *key, double value);
void sw_json_add_bool(sw_json *w, const char *key, bool value);
void sw_json_add_null(sw_json *w, const char *key);

#endif /* SW_BASE_JSON_H */
