/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: numbers, times and tables as a person reads them, and the terminal they go to.
 *
 * Colours are used on a terminal alone, and not with NO_COLOR set (https://no-color.org) or
 * TERM=dumb. A progress line goes to standard error.
 *
 * Memory:  an sw_text is a value. sw_table_free what a table gathered.
 * Threads: the main thread; the sw_text functions any.
 * Layer:   cli.
 */
#ifndef SW_CLI_TEXT_PRIVATE_H
#define SW_CLI_TEXT_PRIVATE_H

#include "base/str.h"

#include <stdio.h>

typedef struct sw_text {
    char at[96];
} sw_text;

/* 1234567 → "1,234,567". */
sw_text sw_text_count(uint64_t count);
/* "1 row", "2 rows"; the plural adds an s. */
sw_text sw_text_plural(uint64_t count, const char *one);
/* In thousands: 690 → "690 B", 347123 → "347 KB", 1.5e6 → "1.5 MB". */
sw_text sw_text_bytes(uint64_t bytes);
/* "0.6 µs", "0.21 ms", "31 ms", "1.4 s", "2 min 5 s", "3 h 10 min", "2 d 4 h". */
sw_text sw_text_duration(double seconds);
/* Four significant digits, no exponent where it reads well: 41, 0.3127, 1.2e+09. */
sw_text sw_text_number(double value);
/* A rate a second: 0.25 → "0.2", 7.14 → "7.1", 2114.2 → "2,114". */
sw_text sw_text_rate(double per_s);
/* 0.0312 → "3.1 %". */
sw_text sw_text_percent(double share);
/* Local: "14:02:11" today, "2026-03-01 14:02" before. */
sw_text sw_text_time(int64_t wall_ms, int64_t now_ms);
/* The first four digits and "…". */
sw_text sw_text_hash(const char *hash);
/* `rest` seconds of a transfer: "12.4 of 80.0 MB · 9.1 MB/s · 8 s left" once it has lasted 5 s. */
sw_text sw_text_progress(uint64_t done_bytes, uint64_t total_bytes, double elapsed_s);

/* Eight heights of block characters, the greatest share the full one; a share above 0 is never
 * lower than the lowest. Appended to `out`, three bytes each. */
void sw_text_bars(sw_buf *out, const double *shares, size_t count);

/* How many columns UTF-8 text takes (every character one; this project prints no wide ones). */
size_t sw_text_width(const char *text);

typedef enum sw_style { SW_PLAIN, SW_BOLD, SW_DIM, SW_GOOD, SW_WARN, SW_BAD } sw_style;

/* The escape sequence for `style` on that stream, "" where it gets no colours. */
const char *sw_term_style(FILE *stream, sw_style style);
bool sw_term_is_live(FILE *stream); /* a terminal whose lines may be rewritten */

/* Rows of cells that line up. Cells are copied. */
typedef struct sw_table sw_table;
sw_table *sw_table_make(unsigned columns); /* NULL where memory is out: the rest does nothing */
/* Control characters are written as \n, \x1b and the like. */
void sw_table_cell(sw_table *table, sw_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sw_table_print(const sw_table *table, FILE *out, unsigned indent);
void sw_table_free(sw_table *table);

/* A progress line: nothing for half a second, then one that is rewritten on a terminal, and
 * plain lines five seconds apart elsewhere. */
typedef struct sw_progress {
    const char *what; /* "uploading fraud.onnx"; NULL: silent */
    uint64_t began_ns, shown_ns;
    bool shown;
} sw_progress;
void sw_progress_begin(sw_progress *progress, const char *what);
void sw_progress_tick(sw_progress *progress, uint64_t done_bytes, uint64_t total_bytes);
void sw_progress_end(sw_progress *progress);

#endif /* SW_CLI_TEXT_PRIVATE_H */
