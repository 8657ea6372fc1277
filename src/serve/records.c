/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/num_row.h"
#include "serve/records_private.h"

#include <math.h>
#include <stdio.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* One body on its way into the tensors. */
typedef struct filling {
    sw_json_reader in;
    const sw_records_plan *plan;
    sw_records *out;
    sw_arena *arena;
    size_t row_cap;
    uint32_t *seen; /* by field: number of the last row that had it, from 1 */
    uint32_t
        *next; /* by field: the one that came after it in the last row; NULL: the plan's order */
    uint32_t first;      /* the field that came first in the last row */
    uint32_t seen_count; /* fields of this row so far */
    bool alone;          /* records come one by one: messages do not number them */
    bool with_ids;       /* a record of a list may carry an id of its own */
} filling;

/* "record 5, ", or nothing where whoever gave it says which one it is. */
typedef struct whose {
    char text[48];
} whose;

static whose whose_record(const filling *f, const char *behind) {
    whose out = {""};
    if (!f->alone)
        snprintf(out.text, sizeof out.text, "record %zu%s", f->out->rows, behind);
    return out;
}

/* ---- Where values go ---- */

enum {
    GUESS_MAX = 16384, /* rows that are made room for on the first row's word */
    ORDERED_MAX = 64,  /* fields that are taken at once */
    BLOCK = 64,
};

static inline void *place_of(const filling *f, const record_field *field) {
    return (char *)f->out->inputs[field->input].data + f->out->rows * field->row_bytes +
           field->offset;
}

/* Room for an id a row; those that are there stay. */
static bool make_ids(filling *f) {
    sw_str *ids = sw_arena_zalloc(f->arena, f->row_cap, sizeof *ids);
    if (!ids)
        return sw_json_read_no_memory(&f->in);
    if (f->out->row_ids)
        memcpy(ids, f->out->row_ids, f->out->rows * sizeof *ids);
    f->out->row_ids = ids;
    return true;
}

static bool grow_to(filling *f, size_t rows) {
    for (size_t i = 0; i < f->out->input_count; i++) {
        sw_tensor *t = &f->out->inputs[i];
        size_t row_bytes = f->plan->widths[i] * sw_dtype_size(t->dtype);
        void *data = sw_arena_alloc(f->arena, rows * row_bytes);
        if (!data)
            return sw_json_read_no_memory(&f->in);
        if (f->out->rows)
            memcpy(data, t->data, f->out->rows * row_bytes);
        t->data = data;
    }
    f->row_cap = rows;
    return !f->out->row_ids || make_ids(f);
}

/* Room for one row more. From the second on, as many as the rest of the body may hold if they are
 * alike. */
static bool make_room(filling *f, const char *start, size_t first_row_bytes) {
    size_t rows = f->out->rows, rows_max = SW_RECORDS_VALUES_MAX / f->plan->field_count;
    if (rows < f->row_cap)
        return true;
    if (rows >= rows_max && rows)
        return sw_json_read_fail(&f->in, start,
                                 "too many records for one request: at most %zu of this model's",
                                 rows_max);
    size_t alike = (size_t)(f->in.end - start) / (first_row_bytes + 1) + 1;
    size_t more = rows == 0 ? 1 : rows == 1 && alike < GUESS_MAX ? alike : rows + GUESS_MAX;
    return grow_to(f, rows && more > rows_max - rows ? rows_max : rows + more);
}

/* ---- Failing ---- */

/* The field may be unknown, so by name. */
static bool fail_field(filling *f, const char *at, sw_str name, const char *what) {
    return sw_json_read_fail(&f->in, at, "%sfield '%.*s': %s", whose_record(f, ", ").text,
                             SW_STR_ARG(name), what);
}

static bool fail_unknown(filling *f, const char *at, sw_str name) {
    uint32_t nearest = sw_records_nearest(f->plan, name);
    if (nearest != FIELD_NONE)
        return sw_json_read_fail(&f->in, at, "%sunknown field '%.*s'; did you mean '%.*s'?",
                                 whose_record(f, ": ").text, SW_STR_ARG(name),
                                 SW_STR_ARG(f->plan->fields[nearest].name));
    return sw_json_read_fail(
        &f->in, at, "%sunknown field '%.*s'; the model has %u, of which the first is '%.*s'",
        whose_record(f, ": ").text, SW_STR_ARG(name), f->plan->field_count,
        SW_STR_ARG(f->plan->fields[0].name));
}

static void note_mismatch(filling *f, const record_field *field) {
    f->out->mismatched = (uint32_t)(field - f->plan->fields) + 1;
}

static bool fail_value(filling *f, const record_field *field) {
    sw_json_kind kind = sw_json_read_peek(&f->in);
    const char *wanted = field->dtype == SW_BYTES  ? "a string"
                         : field->dtype == SW_BOOL ? "true or false"
                         : field->dtype < SW_FP16  ? "a whole number"
                                                   : "a number";
    if (kind == SW_JSON_NOTHING)
        return sw_json_read_fail(&f->in, f->in.at, "%sfield '%.*s': expected %s",
                                 whose_record(f, ", ").text, SW_STR_ARG(field->name), wanted);
    note_mismatch(f, field);
    return sw_json_read_fail(&f->in, f->in.at, "%sfield '%.*s': expected %s, found %s",
                             whose_record(f, ", ").text, SW_STR_ARG(field->name), wanted,
                             sw_json_kind_words(kind));
}

/* ---- One value ---- */

static bool is_float(sw_dtype dtype) {
    return dtype == SW_FP16 || dtype == SW_FP32 || dtype == SW_FP64;
}

static void put_double(const filling *f, const record_field *field, double value) {
    void *to = place_of(f, field);
    if (field->dtype == SW_FP64)
        *(double *)to = value;
    else if (field->dtype == SW_FP32)
        *(float *)to = (float)value;
    else
        *(uint16_t *)to = sw_fp16_from_f32((float)value);
}

static bool put_missing(filling *f, const char *at, const record_field *field) {
    if (!field->optional)
        return fail_field(f, at, field->name, "is missing");
    if (field->dtype == SW_BYTES)
        *(sw_str *)place_of(f, field) = SW_STR("");
    else if (is_float(field->dtype))
        put_double(f, field, (double)NAN);
    else
        return fail_field(f, at, field->name, "is missing, and a whole number cannot say so");
    return true;
}

/* Little-endian: the low bytes come first. */
static void put_one_or_zero(const filling *f, const record_field *field, bool one) {
    uint64_t value = one;
    if (is_float(field->dtype))
        put_double(f, field, one);
    else
        memcpy(place_of(f, field), &value, sw_dtype_size(field->dtype));
}

static bool put_token(filling *f, const record_field *field) {
    double value;
    if (sw_json_read_token(&f->in, SW_STR("NaN")))
        value = (double)NAN;
    else if (sw_json_read_token(&f->in, SW_STR("Infinity")))
        value = (double)INFINITY;
    else if (sw_json_read_token(&f->in, SW_STR("-Infinity")))
        value = (double)-INFINITY;
    else
        return false;
    put_double(f, field, value);
    return true;
}

/* The datatypes that have no row reader: FP16, and BOOL as 0 or 1. */
static bool read_odd_number(filling *f, const record_field *field) {
    const char *at = f->in.at;
    double value;
    if (sw_num_scan_f64(&value, &at, f->in.end) != SW_NUM_FITS)
        return false;
    if (field->dtype == SW_FP16) {
        put_double(f, field, value);
        if (isinf(sw_fp16_to_f32(*(uint16_t *)place_of(f, field))))
            return false;
    } else if (value == 0 || value == 1) {
        put_one_or_zero(f, field, value != 0);
    } else {
        return false;
    }
    f->in.at = at;
    return true;
}

static bool read_number(filling *f, const record_field *field) {
    const char *at = f->in.at;
    const char *behind =
        field->read ? field->read(place_of(f, field), at, f->in.start, f->in.end) : NULL;
    bool good = field->read ? behind != NULL : read_odd_number(f, field);
    if (behind)
        f->in.at = behind;
    f->in.first = false;
    if (good || (is_float(field->dtype) && put_token(f, field)))
        return true;
    if (!sw_num_skip(at, f->in.end))
        return fail_field(f, at, field->name, "a malformed number");
    note_mismatch(f, field);
    return sw_json_read_fail(&f->in, at, "%sfield '%.*s': a number that %.*s cannot hold",
                             whose_record(f, ", ").text, SW_STR_ARG(field->name),
                             SW_STR_ARG(sw_dtype_name(field->dtype)));
}

static bool read_value(filling *f, const record_field *field) {
    sw_json_kind kind = sw_json_read_peek(&f->in);
    const char *at = f->in.at;
    bool yes;
    if (kind == SW_JSON_NULL)
        return sw_json_read_null(&f->in) && put_missing(f, at, field);
    if (field->dtype == SW_BYTES)
        return kind == SW_JSON_STRING ? sw_json_read_str(&f->in, place_of(f, field))
                                      : fail_value(f, field);
    if (kind == SW_JSON_NUMBER)
        return read_number(f, field);
    if (kind == SW_JSON_TRUE || kind == SW_JSON_FALSE) {
        if (!sw_json_read_bool(&f->in, &yes))
            return false;
        put_one_or_zero(f, field, yes);
        return true;
    }
    return (kind == SW_JSON_NOTHING && is_float(field->dtype) && put_token(f, field)) ||
           fail_value(f, field);
}

/* ---- Fields in the expected order ---- */

static inline uint32_t after(const filling *f, uint32_t field) {
    if (f->next)
        return f->next[field];
    return field + 1 < f->plan->field_count ? field + 1 : 0;
}

/* Whether the field's name, in quotes and with its colon, stands at `at`. */
static inline bool stands_here(const char *at, const char *end, const record_field *field) {
    sw_str quoted = field->quoted;
    size_t left = (size_t)(end - at);
    if (left < quoted.len || quoted.len == 0)
        return false;
#ifdef __SSE2__
    if (left >= 16) {
        const __m128i *a = (const __m128i *)(const void *)at,
                      *b = (const __m128i *)(const void *)quoted.at;
        unsigned same =
            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128(a), _mm_loadu_si128(b)));
        if ((same & field->first_lanes) != field->first_lanes)
            return false;
        return quoted.len <= 16 || memcmp(at + 16, quoted.at + 16, quoted.len - 16) == 0;
    }
#endif
    return memcmp(at, quoted.at, quoted.len) == 0;
}

/* A number or string that begins at `at`: what is behind it, or NULL. */
static inline const char *take_plain(filling *f, const record_field *field, const char *at) {
    if (field->read)
        return field->read(place_of(f, field), at, f->in.start, f->in.end);
    if (field->dtype != SW_BYTES || *at != '"')
        return NULL;
    sw_json_reader ahead = f->in; /* so that what is wrong with it is said by the slower path */
    ahead.at = at;
    ahead.error = NULL;
    return sw_json_read_str(&ahead, place_of(f, field)) ? ahead.at : NULL;
}

/* As a branch that is foretold, so that what follows need not wait for the byte. */
static inline const char *over_space(const char *at) {
    if (*at == ' ') {
        at++;
        __asm__ volatile("" : "+r"(at));
    }
    return at;
}

/* Which of 64 characters end a value: commas and closing braces. What lies behind `end` is none. */
static inline uint64_t value_ends(const char *at, const char *end) {
    char last[BLOCK] = {0};
    uint64_t ends = 0;
    if (__builtin_expect(end - at < BLOCK, 0)) {
        memcpy(last, at, (size_t)(end - at));
        at = last;
    }
#ifdef __SSE2__
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(at + i));
        __m128i found = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(',')),
                                     _mm_cmpeq_epi8(v, _mm_set1_epi8('}')));
        ends |= (uint64_t)(unsigned)_mm_movemask_epi8(found) << i;
    }
#else
    for (unsigned i = 0; i < BLOCK; i++)
        ends |= (uint64_t)(at[i] == ',' || at[i] == '}') << i;
#endif
    return ends;
}

/* Whether a number of this field may stand between `at` and `end`, its name before it. */
static inline bool find_place(sw_num_place *out, const filling *f, const record_field *field,
                              const char *at, const char *end) {
    at = over_space(at);
    if (!field->read || field->number != f->plan->fields[0].number ||
        !stands_here(at, f->in.end, field))
        return false;
    at += field->quoted.len;
    if (at >= end)
        return false;
    at = over_space(at);
    *out = (sw_num_place){at, end, place_of(f, field)};
    return at < end;
}

/*
 * A record in the plan's own order with nothing but numbers, as most are: first where each begins
 * and ends, 64 characters at a time so that none waits for the one before it, then all numbers at
 * once. Returns how many fields it took, from the first one on; the reader then stands behind them.
 */
static uint32_t take_ordered(filling *f) {
    sw_num_place places[ORDERED_MAX];
    const record_field *fields = f->plan->fields;
    uint32_t found = 0, count = f->plan->field_count;
    const char *at = f->in.at, *end = f->in.end;
    count = count < ORDERED_MAX ? count : ORDERED_MAX;
    for (const char *block = at; block < end; block += BLOCK) {
        for (uint64_t ends = value_ends(block, end); ends; ends &= ends - 1) {
            const char *behind = block + __builtin_ctzll(ends);
            if (found == count || !find_place(&places[found], f, &fields[found], at, behind))
                goto found_all;
            found++;
            at = behind + 1;
            if (*behind == '}')
                goto found_all;
        }
    }
found_all:
    found = (uint32_t)sw_num_places(fields[0].number, places, found, f->in.start);
    for (uint32_t i = 0; i < found; i++)
        f->seen[i] = (uint32_t)f->out->rows + 1;
    f->seen_count = found;
    if (found) {
        f->in.at = places[found - 1].end;
        f->in.first = false;
    }
    return found;
}

/*
 * Takes fields for as long as they come in the expected order, with plain numbers, and no more
 * white space than Python writes. Stops where a field begins or the comma before one stands. `last`
 * is the one it took last.
 */
static void take_expected(filling *f, uint32_t expected, uint32_t *last) {
    const sw_records_plan *plan = f->plan;
    const char *p = f->in.at, *end = f->in.end;
    uint32_t stamp = (uint32_t)f->out->rows + 1;
    for (;;) {
        const record_field *field = &plan->fields[expected];
        const char *at = p;
        if (!f->in.first) {
            if (at >= end || *at != ',')
                break;
            at++;
        }
        if (at >= end)
            break;
        at = over_space(at);
        if (!stands_here(at, end, field) || f->seen[expected] == stamp)
            break;
        at += field->quoted.len;
        if (end - at < 2)
            break;
        at = take_plain(f, field, over_space(at));
        if (!at)
            break;
        p = at;
        f->in.first = false;
        f->seen[expected] = stamp;
        f->seen_count++;
        *last = expected;
        expected = after(f, expected);
    }
    f->in.at = p;
}

/* ---- One record ---- */

/* Remembers that `field` came behind `last`, for the rows to come. */
static bool learn(filling *f, uint32_t last, uint32_t field) {
    if (last == FIELD_NONE) {
        f->first = field;
        return true;
    }
    if (!f->next) {
        f->next = sw_arena_alloc(f->arena, f->plan->field_count * sizeof *f->next);
        if (!f->next)
            return sw_json_read_no_memory(&f->in);
        for (uint32_t i = 0; i < f->plan->field_count; i++)
            f->next[i] = i + 1 < f->plan->field_count ? i + 1 : 0;
    }
    f->next[last] = field;
    return true;
}

static bool read_id(filling *f, sw_str *id) {
    const char *at = f->in.at;
    switch (sw_json_read_peek(&f->in)) {
    case SW_JSON_STRING: return sw_json_read_str(&f->in, id);
    case SW_JSON_NULL: return sw_json_read_null(&f->in);
    case SW_JSON_NUMBER:
        at = f->in.at;
        if (!sw_json_read_skip(&f->in))
            return false;
        *id = (sw_str){at, (size_t)(f->in.at - at)};
        return true;
    default: return sw_json_read_fail(&f->in, at, "\"id\" should be a string or a number");
    }
}

static bool has_row_id(const filling *f) {
    return f->out->row_ids && f->out->row_ids[f->out->rows].at;
}

static bool read_row_id(filling *f) {
    return (f->out->row_ids || make_ids(f)) && read_id(f, &f->out->row_ids[f->out->rows]);
}

/* A field in any order and form. */
static bool take_field(filling *f, sw_str key, uint32_t *last) {
    uint32_t stamp = (uint32_t)f->out->rows + 1, at = sw_records_find(f->plan, key);
    if (at == FIELD_NONE) {
        if (f->out->single && !f->out->id.at && sw_str_is(key, "id"))
            return read_id(f, &f->out->id);
        if (f->with_ids && !f->out->single && sw_str_is(key, "id") && !has_row_id(f))
            return read_row_id(f);
        return fail_unknown(f, f->in.at, key);
    }
    if (f->seen[at] == stamp)
        return fail_field(f, f->in.at, key, "came twice");
    f->seen[at] = stamp;
    f->seen_count++;
    if ((*last == FIELD_NONE ? f->first : after(f, *last)) != at && !learn(f, *last, at))
        return false;
    *last = at;
    return read_value(f, &f->plan->fields[at]);
}

static bool fill_missing(filling *f, const char *at) {
    uint32_t stamp = (uint32_t)f->out->rows + 1;
    for (uint32_t i = 0; i < f->plan->field_count; i++)
        if (f->seen[i] != stamp && !put_missing(f, at, &f->plan->fields[i]))
            return false;
    return true;
}

static bool read_record(filling *f) {
    uint32_t last = FIELD_NONE, expected = f->first;
    sw_str key;
    sw_json_kind kind = sw_json_read_peek(&f->in);
    const char *start = f->in.at;
    if (kind != SW_JSON_OBJECT)
        return sw_json_read_fail(&f->in, start, "%s should be an object, but is %s",
                                 f->alone ? "\"features\"" : whose_record(f, "").text,
                                 sw_json_kind_words(kind));
    f->seen_count = 0;
    if (!sw_json_read_object(&f->in))
        return false;
    if (!f->next && f->first == 0) {
        uint32_t taken = take_ordered(f);
        last = taken ? taken - 1 : FIELD_NONE;
        expected = taken ? after(f, last) : 0;
    }
    for (;;) {
        take_expected(f, expected, &last);
        if (!sw_json_read_key(&f->in, &key))
            break;
        if (!take_field(f, key, &last))
            return false;
        expected = last == FIELD_NONE ? f->first : after(f, last);
    }
    if (sw_failed(f->in.status))
        return false;
    if (f->seen_count != f->plan->field_count && !fill_missing(f, start))
        return false;
    f->out->rows++;
    return true;
}

/* ---- The body ---- */

static bool read_list(filling *f) {
    size_t first_bytes = 0;
    if (!sw_json_read_array(&f->in))
        return false;
    while (sw_json_read_item(&f->in)) {
        const char *start = f->in.at;
        if (f->out->rows == UINT32_MAX - 1)
            return sw_json_read_fail(&f->in, start, "too many records for one request");
        if (!make_room(f, start, first_bytes) || !read_record(f))
            return false;
        if (f->out->rows == 1)
            first_bytes = (size_t)(f->in.at - start);
    }
    return !sw_failed(f->in.status);
}

static bool is_list_key(const filling *f, sw_str key) {
    return (sw_str_is(key, "instances") || sw_str_is(key, "records")) &&
           sw_records_find(f->plan, key) == FIELD_NONE;
}

/* An object around a list: its first key (behind "id") is that of the list. */
static bool is_wrapper(const filling *f) {
    sw_json_reader ahead = f->in;
    sw_str key;
    ahead.error = NULL;
    if (!sw_json_read_object(&ahead))
        return false;
    while (sw_json_read_key(&ahead, &key)) {
        if (is_list_key(f, key))
            return true;
        bool beside = sw_str_is(key, "id") || sw_str_is(key, "parameters");
        if (!beside || sw_records_find(f->plan, key) != FIELD_NONE || !sw_json_read_skip(&ahead))
            return false;
    }
    return false;
}

static bool read_wrapper(filling *f) {
    bool list = false;
    sw_str key;
    if (!sw_json_read_object(&f->in))
        return false;
    while (sw_json_read_key(&f->in, &key)) {
        bool good;
        if (is_list_key(f, key))
            good = list ? sw_json_read_fail(&f->in, f->in.at, "a second list of records")
                        : read_list(f);
        else if (sw_str_is(key, "id"))
            good = f->out->id.at ? sw_json_read_fail(&f->in, f->in.at, "duplicate key \"id\"")
                                 : read_id(f, &f->out->id);
        else if (sw_str_is(key, "parameters"))
            good = sw_json_read_skip(&f->in);
        else
            good = sw_json_read_fail(
                &f->in, f->in.at,
                "unknown key '%.*s' beside the list of records: \"id\" may stand there",
                SW_STR_ARG(key));
        if (!good)
            return false;
        list |= is_list_key(f, key);
    }
    return !sw_failed(f->in.status);
}

static bool read_body(filling *f) {
    sw_json_kind kind = sw_json_read_peek(&f->in);
    if (kind == SW_JSON_ARRAY)
        return read_list(f);
    if (kind != SW_JSON_OBJECT)
        return sw_json_read_fail(&f->in, f->in.at,
                                 "expected an object or a list of objects, found %s",
                                 sw_json_kind_words(kind));
    if (f->in.end - f->in.at > 1 && !stands_here(f->in.at + 1, f->in.end, &f->plan->fields[0]) &&
        is_wrapper(f))
        return read_wrapper(f);
    f->out->single = true;
    return grow_to(f, 1) && read_record(f);
}

static bool prepare(filling *f) {
    const sw_signature *s = f->plan->signature;
    f->out->input_count = s->input_count;
    f->out->inputs = sw_arena_zalloc(f->arena, s->input_count, sizeof *f->out->inputs);
    f->seen = sw_arena_zalloc(f->arena, f->plan->field_count, sizeof *f->seen);
    if (!f->out->inputs || !f->seen)
        return sw_json_read_no_memory(&f->in);
    for (uint32_t i = 0; i < s->input_count; i++) {
        f->out->inputs[i].name = s->inputs[i].name;
        f->out->inputs[i].dtype = s->inputs[i].dtype;
        f->out->inputs[i].rank = s->inputs[i].rank;
    }
    return true;
}

static void set_shapes(filling *f) {
    for (size_t i = 0; i < f->out->input_count; i++) {
        sw_tensor *t = &f->out->inputs[i];
        t->shape[0] = (int64_t)f->out->rows;
        t->shape[1] = t->rank == 2 ? f->plan->widths[i] : 0;
        t->count = f->out->rows * f->plan->widths[i];
    }
}

sw_status sw_records_parse(sw_records *out, const sw_records_plan *plan, sw_str body,
                           sw_arena *arena, sw_error *error) {
    filling f = {.plan = plan, .out = out, .arena = arena, .with_ids = true};
    *out = (sw_records){0};
    sw_json_read_init(&f.in, body, arena, error);
    if (prepare(&f))
        read_body(&f);
    SW_TRY(sw_json_read_end(&f.in));
    if (out->rows == 0)
        return sw_fail(error, SW_CODE_INVALID, "the list of records is empty: send at least one");
    set_shapes(&f);
    return SW_OK;
}

/* ---- Row by row ---- */

struct sw_records_rows {
    filling filling;
    sw_records records;
    size_t rows_max;
};

sw_status sw_records_rows_make(sw_records_rows **out, const sw_records_plan *plan, size_t rows_max,
                               sw_arena *arena, sw_error *error) {
    sw_records_rows *rows = sw_arena_zalloc(arena, 1, sizeof *rows);
    if (!rows)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the records");
    rows->rows_max = rows_max;
    rows->filling = (filling){.plan = plan, .out = &rows->records, .arena = arena};
    sw_json_read_init(&rows->filling.in, SW_STR(""), arena, error);
    if (!prepare(&rows->filling) || !grow_to(&rows->filling, rows_max))
        return rows->filling.in.status;
    *out = rows;
    return SW_OK;
}

/* Forgets which fields the row that failed had. */
static void unsee(filling *f) {
    uint32_t stamp = (uint32_t)f->out->rows + 1;
    for (uint32_t i = 0; i < f->plan->field_count; i++)
        if (f->seen[i] == stamp)
            f->seen[i] = 0;
}

sw_status sw_records_rows_add(sw_records_rows *rows, sw_str object, const sw_json_place *place,
                              sw_arena *texts, sw_error *error) {
    filling *f = &rows->filling;
    if (rows->records.rows == rows->rows_max)
        return sw_fail(error, SW_CODE_TOO_LARGE, "there is no room for another record");
    f->alone = true;
    f->out->mismatched = 0;
    sw_json_read_init(&f->in, object, texts, error);
    sw_json_read_placed(&f->in, place);
    bool good = read_record(f);
    sw_status status = sw_json_read_end(&f->in);
    if (good && sw_failed(status))
        rows->records.rows--; /* something stood behind the object */
    if (sw_failed(status))
        unsee(f);
    return status;
}

uint32_t sw_records_rows_mismatched(const sw_records_rows *rows) {
    return rows->records.mismatched;
}

const sw_records *sw_records_rows_see(sw_records_rows *rows) {
    set_shapes(&rows->filling);
    return &rows->records;
}

void sw_records_rows_clear(sw_records_rows *rows) {
    rows->records.rows = 0;
    memset(rows->filling.seen, 0, rows->filling.plan->field_count * sizeof *rows->filling.seen);
}
