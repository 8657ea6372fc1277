/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "cli/text_private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { TABLE_COLUMNS_MAX = 12, GAP = 2 };

typedef struct table_cell {
    char *text;
    sw_style style;
} table_cell;

struct sw_table {
    table_cell *cells;
    size_t count, cap;
    unsigned columns;
    bool failed;
};

bool sw_term_is_live(FILE *stream) {
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && term && strcmp(term, "dumb") != 0;
}

const char *sw_term_style(FILE *stream, sw_style style) {
    static const char *const escapes[] = {
        [SW_PLAIN] = "\033[0m", [SW_BOLD] = "\033[1m",  [SW_DIM] = "\033[2m",
        [SW_GOOD] = "\033[32m", [SW_WARN] = "\033[33m", [SW_BAD] = "\033[31m",
    };
    const char *no_colour = getenv("NO_COLOR");
    if ((no_colour && *no_colour) || !sw_term_is_live(stream))
        return "";
    return escapes[style];
}

sw_table *sw_table_make(unsigned columns) {
    sw_table *table = sw_mem_zalloc(1, sizeof *table);
    if (table)
        table->columns = columns < TABLE_COLUMNS_MAX ? columns : TABLE_COLUMNS_MAX;
    return table;
}

static bool table_grow(sw_table *table) {
    if (table->count < table->cap)
        return true;
    size_t cap = table->cap ? table->cap * 2 : 64;
    table_cell *cells = sw_mem_realloc(table->cells, cap * sizeof *cells);
    if (!cells)
        return false;
    table->cells = cells;
    table->cap = cap;
    return true;
}

/* Names and values come from files of others: a line break or an escape sequence within them would
 * spoil the table, or the terminal. */
static char *copy_escaped(const char *text) {
    static const char letters[] = "abtnvfr"; /* 7 to 13 */
    sw_buf out = {0};
    for (const unsigned char *at = (const unsigned char *)text; *at; at++)
        if (*at >= 7 && *at <= 13)
            sw_buf_printf(&out, "\\%c", letters[*at - 7]);
        else if (*at < 0x20 || *at == 0x7f)
            sw_buf_printf(&out, "\\x%02x", *at);
        else
            sw_buf_add_char(&out, (char)*at);
    char *copy = out.failed ? NULL : sw_mem_copy(out.len ? out.at : "", out.len);
    sw_buf_free(&out);
    return copy;
}

void sw_table_cell(sw_table *table, sw_style style, const char *format, ...) {
    if (!table || table->failed || !table_grow(table)) {
        if (table)
            table->failed = true;
        return;
    }
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *copy = copy_escaped(text);
    table->failed = !copy;
    if (copy)
        table->cells[table->count++] = (table_cell){copy, style};
}

static void print_cell(FILE *out, const table_cell *cell, size_t width) {
    const char *on = cell->style == SW_PLAIN ? "" : sw_term_style(out, cell->style);
    fprintf(out, "%s%s%s", on, cell->text, *on ? sw_term_style(out, SW_PLAIN) : "");
    for (size_t at = sw_text_width(cell->text); at < width; at++)
        fputc(' ', out);
}

/* The last cell of the row that holds anything: nothing is padded behind it. */
static unsigned row_end(const sw_table *table, size_t row) {
    for (unsigned end = table->columns; end > 0; end--) {
        size_t i = row + end - 1;
        if (i < table->count && *table->cells[i].text)
            return end;
    }
    return 0;
}

void sw_table_print(const sw_table *table, FILE *out, unsigned indent) {
    if (!table || !table->columns)
        return;
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < table->count; i++) {
        size_t width = sw_text_width(table->cells[i].text), column = i % table->columns;
        widths[column] = width > widths[column] ? width : widths[column];
    }
    for (size_t row = 0; row < table->count; row += table->columns) {
        unsigned end = row_end(table, row);
        fprintf(out, "%*s", end ? (int)indent : 0, "");
        for (unsigned column = 0; column < end; column++) {
            size_t pad = column + 1 == end || !widths[column] ? 0 : widths[column] + GAP;
            print_cell(out, &table->cells[row + column], pad);
        }
        fputc('\n', out);
    }
}

void sw_table_free(sw_table *table) {
    if (!table)
        return;
    for (size_t i = 0; i < table->count; i++)
        sw_mem_free(table->cells[i].text);
    sw_mem_free(table->cells);
    sw_mem_free(table);
}

void sw_progress_begin(sw_progress *progress, const char *what) {
    *progress = (sw_progress){.what = what, .began_ns = sw_clock_ns()};
}

static void print_progress(const sw_progress *progress, uint64_t done, uint64_t total, bool live) {
    double elapsed_s = (double)(sw_clock_ns() - progress->began_ns) / 1e9;
    char line[256];
    if (total)
        snprintf(line, sizeof line, "%s … %s", progress->what,
                 sw_text_progress(done, total, elapsed_s).at);
    else if (done)
        snprintf(line, sizeof line, "%s … %s, %s", progress->what, sw_text_plural(done, "row").at,
                 sw_text_duration(elapsed_s).at);
    else
        snprintf(line, sizeof line, "%s … %s", progress->what, sw_text_duration(elapsed_s).at);
    if (live)
        fprintf(stderr, "\r\033[K%s%s%s", sw_term_style(stderr, SW_DIM), line,
                sw_term_style(stderr, SW_PLAIN));
    else
        fprintf(stderr, "%s\n", line);
    fflush(stderr);
}

/* `total_bytes` 0: a wait of unknown length, in which done counts rows. */
void sw_progress_tick(sw_progress *progress, uint64_t done_bytes, uint64_t total_bytes) {
    if (!progress || !progress->what)
        return;
    uint64_t now_ns = sw_clock_ns();
    bool live = sw_term_is_live(stderr);
    uint64_t pause_ns = !progress->shown ? SW_NS_PER_S / 2
                        : live           ? SW_NS_PER_S / 5
                                         : SW_NS_PER_S * 5;
    if (now_ns - (progress->shown ? progress->shown_ns : progress->began_ns) < pause_ns)
        return;
    print_progress(progress, done_bytes, total_bytes, live);
    progress->shown = true;
    progress->shown_ns = now_ns;
}

void sw_progress_end(sw_progress *progress) {
    if (progress && progress->shown && sw_term_is_live(stderr)) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    if (progress)
        progress->what = NULL;
}
