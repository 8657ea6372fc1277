/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/*
 * The buffer is scanned in blocks of 64 bytes: a block becomes a mask with a bit for each comma,
 * quote and line feed, and the parser walks from bit to bit. The mask outlives a row, so that a
 * block is loaded once however many rows lie in it.
 */
enum { BLOCK = 64, CHUNK_BYTES = 256 << 10, SMALL_CHUNK_BYTES = 1 << 10 };

struct sw_csv {
    FILE *file; /* NULL: `rest` is what is left of the caller's bytes */
    sw_str rest;
    char *buf; /* cap + BLOCK bytes: a block may be loaded at any place before cap */
    size_t cap, at, end;
    bool eof, started;

    size_t block;       /* where the mask's block begins */
    uint64_t mask;      /* marks in it that have not been visited */
    size_t scan;        /* the next block to load */
    size_t dirty_until; /* the end of the last block that holds bytes beyond ASCII */

    sw_str *fields;
    uint32_t *doubled; /* fields with "" to make single, once their row is whole */
    size_t field_count, field_cap, doubled_count;
    uint64_t line, row_line, bytes_read;
};

/* ---- Blocks ---- */

#ifdef __SSE2__
static uint64_t marks_of(const char *at, bool *dirty) {
    const __m128i comma = _mm_set1_epi8(','), quote = _mm_set1_epi8('"'),
                  feed = _mm_set1_epi8('\n');
    uint64_t marks = 0;
    uint32_t high = 0;
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(at + 16 * i));
        __m128i hit =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, comma), _mm_cmpeq_epi8(bytes, quote)),
                         _mm_cmpeq_epi8(bytes, feed));
        marks |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * i);
        high |= (uint32_t)_mm_movemask_epi8(bytes);
    }
    *dirty = high != 0;
    return marks;
}
#else
static uint64_t marks_of(const char *at, bool *dirty) {
    uint64_t marks = 0;
    unsigned char high = 0;
    for (int i = 0; i < BLOCK; i++) {
        high |= (unsigned char)at[i];
        marks |= (uint64_t)(at[i] == ',' || at[i] == '"' || at[i] == '\n') << i;
    }
    *dirty = high >= 0x80;
    return marks;
}
#endif

static void rescan_from(sw_csv *csv, size_t at) {
    csv->mask = 0;
    csv->scan = at;
    csv->dirty_until = 0;
}

/* The next comma, quote or line feed; false where the buffer holds no more. */
static inline bool next_mark(size_t *at, sw_csv *csv) {
    while (csv->mask == 0) {
        if (csv->scan >= csv->end)
            return false;
        bool dirty;
        csv->mask = marks_of(csv->buf + csv->scan, &dirty);
        csv->block = csv->scan;
        csv->scan += BLOCK;
        if (dirty)
            csv->dirty_until = csv->scan;
        if (csv->end - csv->block < BLOCK)
            csv->mask &= (UINT64_C(1) << (csv->end - csv->block)) - 1;
    }
    *at = csv->block + (size_t)__builtin_ctzll(csv->mask);
    csv->mask &= csv->mask - 1;
    return true;
}

/* ---- Bytes ---- */

static sw_status new_reader(sw_csv **out, FILE *file, sw_str bytes, sw_error *error) {
    size_t cap = file || bytes.len >= CHUNK_BYTES ? CHUNK_BYTES : SMALL_CHUNK_BYTES;
    sw_csv *csv = sw_mem_zalloc(1, sizeof *csv);
    char *buf = sw_mem_zalloc(1, cap + BLOCK);
    if (!csv || !buf) {
        sw_mem_free(csv);
        sw_mem_free(buf);
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to read a CSV file");
    }
    *csv = (sw_csv){.file = file, .rest = bytes, .buf = buf, .cap = cap, .line = 1};
    *out = csv;
    return SW_OK;
}

sw_status sw_csv_open(sw_csv **out, const char *path, sw_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return sw_fail(error, errno == ENOENT ? SW_CODE_NOT_FOUND : SW_CODE_IO,
                       "cannot open %s: %s", path, strerror(errno));
    setvbuf(file, NULL, _IONBF, 0);
    sw_status status = new_reader(out, file, (sw_str){0}, error);
    if (sw_failed(status))
        fclose(file);
    return status;
}

sw_status sw_csv_open_bytes(sw_csv **out, sw_str bytes, sw_error *error) {
    return new_reader(out, NULL, bytes, error);
}

void sw_csv_close(sw_csv *csv) {
    if (!csv)
        return;
    if (csv->file)
        fclose(csv->file);
    sw_mem_free(csv->buf);
    sw_mem_free(csv->fields);
    sw_mem_free(csv->doubled);
    sw_mem_free(csv);
}

static sw_status grow(sw_csv *csv, sw_error *error) {
    if (csv->cap >= SW_CSV_ROW_BYTES_MAX)
        return sw_fail(
            error, SW_CODE_INVALID,
            "line %llu: the row that begins here is longer than %d MiB; is there a quote that "
            "is never closed?",
            (unsigned long long)csv->row_line, SW_CSV_ROW_BYTES_MAX >> 20);
    char *buf = sw_mem_realloc(csv->buf, csv->cap * 2 + BLOCK);
    if (!buf)
        return sw_fail(error, SW_CODE_NO_MEMORY, "line %llu: not enough memory for a row this long",
                       (unsigned long long)csv->row_line);
    memset(buf + csv->cap + BLOCK, 0, csv->cap);
    csv->buf = buf;
    csv->cap *= 2;
    return SW_OK;
}

static sw_status read_more(size_t *got, sw_csv *csv, sw_error *error) {
    size_t room = csv->cap - csv->end;
    if (!csv->file) {
        *got = csv->rest.len < room ? csv->rest.len : room;
        if (*got)
            memcpy(csv->buf + csv->end, csv->rest.at, *got);
        csv->rest = (sw_str){csv->rest.at + *got, csv->rest.len - *got};
        return SW_OK;
    }
    *got = fread(csv->buf + csv->end, 1, room, csv->file);
    if (*got < room && ferror(csv->file))
        return sw_fail(error, SW_CODE_IO, "line %llu: reading the file failed: %s",
                       (unsigned long long)csv->line, strerror(errno));
    return SW_OK;
}

uint64_t sw_csv_bytes_read(const sw_csv *csv) {
    return csv->bytes_read - (csv->end - csv->at);
}

/* Moves the unfinished row to the front and fills what is free behind it. */
static sw_status refill(sw_csv *csv, sw_error *error) {
    size_t kept = csv->end - csv->at, got;
    if (csv->at)
        memmove(csv->buf, csv->buf + csv->at, kept);
    csv->at = 0;
    csv->end = kept;
    if (kept == csv->cap)
        SW_TRY(grow(csv, error));
    size_t room = csv->cap - csv->end;
    SW_TRY(read_more(&got, csv, error));
    csv->end += got;
    csv->bytes_read += got;
    csv->eof = got < room;
    if (!csv->started && csv->end >= 3 && memcmp(csv->buf, "\xEF\xBB\xBF", 3) == 0)
        csv->at = 3;
    csv->started = true;
    rescan_from(csv, csv->at);
    return SW_OK;
}

/* ---- Fields ---- */

static sw_status more_fields(sw_csv *csv, sw_error *error) {
    if (csv->field_count >= SW_CSV_COLUMNS_MAX)
        return sw_fail(error, SW_CODE_INVALID, "line %llu: more than %d fields in one row",
                       (unsigned long long)csv->row_line, SW_CSV_COLUMNS_MAX);
    size_t cap = csv->field_cap ? csv->field_cap * 2 : 64;
    sw_str *fields = sw_mem_realloc(csv->fields, cap * sizeof *fields);
    if (fields)
        csv->fields = fields;
    uint32_t *doubled = sw_mem_realloc(csv->doubled, cap * sizeof *doubled);
    if (doubled)
        csv->doubled = doubled;
    if (!fields || !doubled)
        return sw_fail(error, SW_CODE_NO_MEMORY,
                       "line %llu: not enough memory for a row of %zu fields",
                       (unsigned long long)csv->row_line, csv->field_count);
    csv->field_cap = cap;
    return SW_OK;
}

static inline sw_status add_field(sw_csv *csv, size_t from, size_t to, sw_error *error) {
    if (to - from > SW_CSV_FIELD_BYTES_MAX)
        return sw_fail(error, SW_CODE_INVALID, "line %llu, field %zu: longer than %d KiB",
                       (unsigned long long)csv->row_line, csv->field_count + 1,
                       SW_CSV_FIELD_BYTES_MAX >> 10);
    if (csv->field_count == csv->field_cap)
        SW_TRY(more_fields(csv, error));
    csv->fields[csv->field_count++] = (sw_str){csv->buf + from, to - from};
    return SW_OK;
}

typedef enum part { PART_MORE, PART_FIELD, PART_ROW } part; /* what a step came to the end of */

/*
 * A quoted field whose opening quote is at `from`. `*next` becomes the place behind its comma or
 * line end; `*lines` counts the line feeds within it.
 */
static sw_status quoted(part *out, size_t *next, uint64_t *lines, sw_csv *csv, size_t from,
                        sw_error *error) {
    bool doubled = false;
    size_t at;
    *out = PART_MORE;
    for (;;) {
        if (!next_mark(&at, csv)) {
            if (!csv->eof)
                return SW_OK;
            return sw_fail(error, SW_CODE_INVALID,
                           "line %llu, field %zu: a quote is opened and never closed",
                           (unsigned long long)csv->row_line, csv->field_count + 1);
        }
        if (csv->buf[at] == '\n')
            (*lines)++;
        if (csv->buf[at] != '"')
            continue;
        if (at + 1 >= csv->end && !csv->eof)
            return SW_OK;
        if (at + 1 >= csv->end || csv->buf[at + 1] != '"')
            break;
        size_t second;
        next_mark(&second, csv);
        doubled = true;
    }
    size_t closed = at + 1, after = closed;
    if (after < csv->end && csv->buf[after] == '\r')
        after++;
    if (after >= csv->end && !csv->eof)
        return SW_OK;
    bool comma = closed < csv->end && csv->buf[closed] == ',';
    bool line_end = after >= csv->end || csv->buf[after] == '\n';
    if (!comma && !line_end)
        return sw_fail(
            error, SW_CODE_INVALID,
            "line %llu, field %zu: text follows the closing quote; write \"\" for a quote "
            "within a quoted field",
            (unsigned long long)csv->line + *lines, csv->field_count + 1);
    SW_TRY(add_field(csv, from + 1, at, error));
    if (doubled)
        csv->doubled[csv->doubled_count++] = (uint32_t)(csv->field_count - 1);
    if (closed < csv->end)
        next_mark(&at, csv);
    *next = comma ? closed + 1 : after < csv->end ? after + 1 : csv->end;
    *out = comma ? PART_FIELD : PART_ROW;
    return SW_OK;
}

/* The row at csv->at, as far as the buffer holds it: PART_MORE or PART_ROW, then behind it `*next`.
 */
static sw_status scan_row(part *out, size_t *next, sw_csv *csv, uint64_t *lines, sw_error *error) {
    size_t from = csv->at, at;
    csv->field_count = csv->doubled_count = 0;
    *lines = 0;
    for (;;) {
        if (!next_mark(&at, csv)) {
            *out = csv->eof ? PART_ROW : PART_MORE;
            *next = csv->end;
            return csv->eof ? add_field(csv, from, csv->end, error) : SW_OK;
        }
        char mark = csv->buf[at];
        if (mark == ',') {
            SW_TRY(add_field(csv, from, at, error));
            from = at + 1;
        } else if (mark == '\n') {
            (*lines)++;
            *out = PART_ROW;
            *next = at + 1;
            return add_field(csv, from, at > from && csv->buf[at - 1] == '\r' ? at - 1 : at, error);
        } else if (at == from) {
            SW_TRY(quoted(out, &from, lines, csv, from, error));
            if (*out != PART_FIELD) {
                *next = from;
                *lines += *out == PART_ROW && from > csv->at && csv->buf[from - 1] == '\n';
                return SW_OK;
            }
        }
    }
}

static void make_single(sw_str *field, char *at) {
    size_t to = 0;
    for (size_t from = 0; from < field->len; from++) {
        at[to++] = at[from];
        from += at[from] == '"';
    }
    field->len = to;
}

static sw_status check_utf8(const sw_csv *csv, sw_error *error) {
    for (size_t i = 0; i < csv->field_count; i++)
        if (!sw_str_is_utf8(csv->fields[i]))
            return sw_fail(error, SW_CODE_INVALID,
                           "line %llu, field %zu: not valid UTF-8; save the file in that encoding",
                           (unsigned long long)csv->row_line, i + 1);
    return SW_OK;
}

/* A row of the buffer, refilled until the row is whole. */
static sw_status whole_row(size_t *next, uint64_t *lines, sw_csv *csv, sw_error *error) {
    for (;;) {
        part got = PART_MORE;
        if (csv->at < csv->end)
            SW_TRY(scan_row(&got, next, csv, lines, error));
        if (got == PART_ROW)
            return SW_OK;
        if (csv->at == csv->end && csv->eof) {
            csv->field_count = 0;
            *next = csv->end;
            return SW_OK;
        }
        SW_TRY(refill(csv, error));
    }
}

sw_status sw_csv_next(sw_csv_row *row, sw_csv *csv, sw_error *error) {
    size_t next;
    uint64_t lines = 0;
    bool empty;
    do {
        csv->row_line = csv->line;
        SW_TRY(whole_row(&next, &lines, csv, error));
        empty = csv->field_count == 1 && csv->fields[0].len == 0 && csv->buf[csv->at] != '"';
        if (csv->field_count && csv->at < csv->dirty_until)
            SW_TRY(check_utf8(csv, error));
        csv->line += lines;
        csv->at = next;
    } while (empty);
    for (size_t i = 0; i < csv->doubled_count; i++) {
        sw_str *field = &csv->fields[csv->doubled[i]];
        make_single(field, csv->buf + (field->at - csv->buf));
    }
    *row = (sw_csv_row){csv->fields, csv->field_count, csv->row_line};
    return SW_OK;
}

static bool has_lone_return(sw_str text) {
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.at[i] == '\r' && text.at[i + 1] != '\n')
            return true;
    return false;
}

sw_status sw_csv_check_header(const sw_csv_row *row, sw_error *error) {
    for (size_t i = 0; i < row->count; i++)
        if (has_lone_return(row->fields[i]))
            return sw_fail(error, SW_CODE_INVALID,
                           "line %llu: lines end in carriage returns alone; save the file with "
                           "line feeds",
                           (unsigned long long)row->line);
    if (row->count != 1)
        return SW_OK;
    sw_str only = row->fields[0];
    bool tabs = only.len && memchr(only.at, '\t', only.len);
    if (tabs || (only.len && memchr(only.at, ';', only.len)))
        return sw_fail(error, SW_CODE_INVALID,
                       "line %llu: columns are separated by %s; save the file with commas between "
                       "columns and points in numbers",
                       (unsigned long long)row->line, tabs ? "tabs" : "semicolons");
    return SW_OK;
}

/* ---- Writing ---- */

void sw_csv_put(sw_buf *out, sw_str text) {
    bool plain = true;
    for (size_t i = 0; i < text.len && plain; i++)
        plain = text.at[i] != ',' && text.at[i] != '"' && text.at[i] != '\n' && text.at[i] != '\r';
    if (plain) {
        sw_buf_add_str(out, text);
        return;
    }
    sw_buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            sw_buf_add_char(out, '"');
        sw_buf_add_char(out, text.at[i]);
    }
    sw_buf_add_char(out, '"');
}
