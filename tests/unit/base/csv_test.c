/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/test.h"

#include "base/csv.h"
#include "base/mem.h"
#include "base/rng.h"

#include <unistd.h>

/* Rows as "a|b/c|d/", or "! reason" at the end. */
static char *read_all(const char *bytes, size_t len) {
    sw_error error = {{0}};
    sw_buf out = {0};
    sw_csv *csv;
    sw_csv_row row;
    sw_status status = sw_csv_open_bytes(&csv, (sw_str){bytes, len}, &error);
    while (!sw_failed(status) && !sw_failed(status = sw_csv_next(&row, csv, &error)) && row.count) {
        for (size_t i = 0; i < row.count; i++) {
            if (i)
                sw_buf_add_char(&out, '|');
            sw_buf_add_str(&out, row.fields[i]);
        }
        sw_buf_add_char(&out, '/');
    }
    if (sw_failed(status))
        sw_buf_printf(&out, "! %s", error.text);
    sw_csv_close(csv);
    sw_buf_add_char(&out, '\0');
    return out.at;
}

static void check_reads(const char *file, int line, const char *csv, size_t len,
                        const char *wanted) {
    char *got = read_all(csv, len);
    if (strcmp(got, wanted) != 0)
        TEST_FAIL_("%s:%d read as \"%s\", not \"%s\"", file, line, got, wanted);
    sw_mem_free(got);
}

#define CHECK_READS(csv, wanted) check_reads(__FILE__, __LINE__, csv, sizeof(csv) - 1, wanted)

TEST(csv__reads_rows_of_fields) {
    CHECK_READS("a,b,c\n1,2,3\n", "a|b|c/1|2|3/");
}

TEST(csv__needs_no_line_end_at_the_end) {
    CHECK_READS("a,b\n1,2", "a|b/1|2/");
    CHECK_READS("a,b\n1,", "a|b/1|/");
    CHECK_READS("a", "a/");
    CHECK_READS("\"a\"", "a/");
}

TEST(csv__an_empty_file_has_no_row) {
    CHECK_READS("", "");
    CHECK_READS("\n\r\n\n", "");
    CHECK_READS("\xEF\xBB\xBF", "");
}

TEST(csv__skips_empty_lines_but_not_empty_fields) {
    CHECK_READS("a\n\n1\n\r\n2\n", "a/1/2/");
    CHECK_READS("a\n\"\"\n,\n", "a//|/");
}

TEST(csv__takes_crlf_and_a_byte_order_mark) {
    CHECK_READS("\xEF\xBB\xBF"
                "a,b\r\n1,2\r\n",
                "a|b/1|2/");
    CHECK_READS("\xEF\xBB\xBF\"a\",\"b\"\r\n\"1\",\"2\"\r\n", "a|b/1|2/");
    CHECK_READS("\"1\"\r", "1/");
}

TEST(csv__quoted_fields_hold_commas_quotes_and_line_breaks) {
    CHECK_READS("\"a,b\",\"c\"\"d\"\n\"e\nf\",\"\"\"\"\n", "a,b|c\"d/e\nf|\"/");
    CHECK_READS("\"\"\"\"\"\",x\n", "\"\"|x/");
    CHECK_READS("\"\",\"\"\n", "|/");
}

TEST(csv__a_quote_inside_a_plain_field_is_itself) {
    CHECK_READS("5\" pipe,a\"\"b\n", "5\" pipe|a\"\"b/");
}

TEST(csv__an_open_quote_is_refused_with_its_line) {
    CHECK_READS("a\n1\n\"2\n3\n", "a/1/! line 3, field 1: a quote is opened and never closed");
    CHECK_READS("\"", "! line 1, field 1: a quote is opened and never closed");
}

TEST(csv__text_behind_a_closing_quote_is_refused) {
    CHECK_READS(
        "a,b\n1,\"2\" 3\n",
        "a|b/! line 2, field 2: text follows the closing quote; write \"\" for a quote within a "
        "quoted field");
    CHECK_READS("\"a\"\rb\n",
                "! line 1, field 1: text follows the closing quote; write \"\" for a quote "
                "within a quoted field");
    CHECK_READS("\"a\r\n\nb\"c\n",
                "! line 3, field 1: text follows the closing quote; write \"\" for a "
                "quote within a quoted field");
}

TEST(csv__lines_are_counted_through_quoted_breaks_and_empty_lines) {
    CHECK_READS("\"a\nb\"\n\n\n\"c\n",
                "a\nb/! line 5, field 1: a quote is opened and never closed");
}

TEST(csv__invalid_utf8_is_refused_with_its_place) {
    CHECK_READS("a,b\n\xC3\xA9t\xC3\xA9,1\nx,caf\xE9\n",
                "a|b/\xC3\xA9t\xC3\xA9|1/! line 3, field 2: not valid UTF-8; save the file in that "
                "encoding");
}

TEST(csv__nul_bytes_are_ordinary) {
    sw_error error;
    sw_csv *csv;
    sw_csv_row row;
    REQUIRE_OK(sw_csv_open_bytes(&csv, (sw_str){"a\0b,c", 5}, &error), error);
    CHECK_OK(sw_csv_next(&row, csv, &error), error);
    CHECK_INT(row.count, 2);
    CHECK_INT(row.fields[0].len, 3);
    sw_csv_close(csv);
}

TEST(csv__a_field_beyond_the_limit_is_refused) {
    size_t len = SW_CSV_FIELD_BYTES_MAX + 8;
    char *text = sw_mem_alloc(len);
    memset(text, 'x', len);
    memcpy(text, "a\n", 2);
    char *got = read_all(text, len - 6);
    CHECK_INT(strlen(got), 2 + SW_CSV_FIELD_BYTES_MAX + 1);
    sw_mem_free(got);
    got = read_all(text, len);
    CHECK_TEXT(got, "a/! line 2, field 1: longer than 1024 KiB");
    sw_mem_free(got);
    sw_mem_free(text);
}

TEST(csv__a_row_beyond_the_limit_is_refused) {
    size_t len = (size_t)SW_CSV_ROW_BYTES_MAX + 100;
    char *text = sw_mem_alloc(len);
    memset(text, '\n', len);
    memcpy(text, "a\n\"", 3);
    char *got = read_all(text, len);
    CHECK_HAS(got, "a/! line 2: the row that begins here is longer than 16 MiB; is there a quote");
    sw_mem_free(got);
    sw_mem_free(text);
}

TEST(csv__too_many_fields_are_refused) {
    size_t len = (size_t)SW_CSV_COLUMNS_MAX + 10;
    char *text = sw_mem_alloc(len);
    memset(text, ',', len);
    char *got = read_all(text, len);
    CHECK_TEXT(got, "! line 1: more than 131072 fields in one row");
    sw_mem_free(got);
    sw_mem_free(text);
}

/* ---- Against a plain reader ---- */

/* One character after the other, for what is well formed. */
static void plain_read(sw_buf *out, const char *at, size_t len) {
    bool quoted = false, row_begun = false, any = false;
    for (size_t i = 0; i < len; i++) {
        char c = at[i];
        if (quoted && c == '"' && i + 1 < len && at[i + 1] == '"') {
            sw_buf_add_char(out, '"');
            i++;
        } else if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (quoted) {
            sw_buf_add_char(out, c);
        } else if (c == ',') {
            sw_buf_add_char(out, '|');
            row_begun = any = true;
        } else if (c == '\n') {
            if (any)
                sw_buf_add_char(out, '/');
            row_begun = any = false;
        } else if (c != '\r') {
            sw_buf_add_char(out, c);
            any = true;
        }
    }
    if (row_begun || any)
        sw_buf_add_char(out, '/');
    sw_buf_add_char(out, '\0');
}

static void random_field(sw_buf *out, uint64_t *seed) {
    static const char *const pieces[] = {"a",      "1.5", "\xC3\xA9", "longer text of some bytes",
                                         "",       ",",   "\n",       "\"\"",
                                         "-7e300", "\r\n"};
    bool quoted = sw_rng_next(seed) % 4 == 0;
    if (quoted)
        sw_buf_add_char(out, '"');
    for (uint64_t n = sw_rng_next(seed) % 4; n > 0; n--) {
        const char *piece = pieces[sw_rng_next(seed) % (quoted ? 9 : 5)];
        sw_buf_add_str(out, sw_str_of(piece));
    }
    if (quoted)
        sw_buf_add_char(out, '"');
}

TEST(csv__agrees_with_a_plain_reader_across_every_buffer_edge) {
    uint64_t seed = 1;
    for (int round = 0; round < 60; round++) {
        sw_buf text = {0}, wanted = {0};
        size_t bytes = round < 50 ? sw_rng_next(&seed) % 400 : 700000 + sw_rng_next(&seed) % 1000;
        while (text.len < bytes) {
            for (uint64_t n = sw_rng_next(&seed) % 6; n > 0; n--) {
                random_field(&text, &seed);
                sw_buf_add_char(&text, ',');
            }
            random_field(&text, &seed);
            sw_buf_add_str(&text, sw_rng_next(&seed) % 2 ? SW_STR("\n") : SW_STR("\r\n"));
        }
        plain_read(&wanted, text.at, text.len);
        char *got = text.len ? read_all(text.at, text.len) : sw_mem_copy("", 0);
        if (strcmp(got, wanted.at) != 0)
            TEST_FAIL_("round %d differs", round);
        sw_mem_free(got);
        sw_buf_free(&text);
        sw_buf_free(&wanted);
    }
}

TEST(csv__a_file_is_read_like_its_bytes) {
    char path[] = "/tmp/sw_csv_test_XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    FILE *file = fdopen(fd, "w");
    for (int i = 0; i < 60000; i++)
        fprintf(file, "%d,\"row %d\"\n", i, i);
    fclose(file);
    sw_error error;
    sw_csv *csv;
    sw_csv_row row;
    REQUIRE_OK(sw_csv_open(&csv, path, &error), error);
    for (int i = 0; i < 60000; i++) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "row %d", i);
        REQUIRE_OK(sw_csv_next(&row, csv, &error), error);
        REQUIRE(row.count == 2 && sw_str_is(row.fields[1], wanted) && row.line == (uint64_t)i + 1);
    }
    CHECK_OK(sw_csv_next(&row, csv, &error), error);
    CHECK_INT(row.count, 0);
    sw_csv_close(csv);
    unlink(path);
}

TEST(csv__a_missing_file_and_a_folder_are_errors) {
    sw_error error;
    sw_csv *csv = NULL;
    sw_csv_row row;
    CHECK_INT(sw_csv_open(&csv, "/nowhere/at.csv", &error).code, SW_CODE_NOT_FOUND);
    CHECK_HAS(error.text, "cannot open /nowhere/at.csv");
    sw_status status = sw_csv_open(&csv, "/", &error);
    if (!sw_failed(status)) {
        status = sw_csv_next(&row, csv, &error);
        sw_csv_close(csv);
    }
    CHECK_INT(status.code, SW_CODE_IO);
}

#ifdef SW_FAULTS
TEST(csv__survives_every_failed_allocation) {
    char text[3000];
    memset(text, ',', sizeof text);
    for (size_t nth = 1;; nth++) {
        sw_error error;
        sw_csv *csv = NULL;
        sw_csv_row row;
        sw_mem_fail_at(nth);
        sw_status status = sw_csv_open_bytes(&csv, (sw_str){text, sizeof text}, &error);
        if (!sw_failed(status))
            status = sw_csv_next(&row, csv, &error);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        sw_csv_close(csv);
        if (!failed)
            break;
        CHECK_INT(status.code, SW_CODE_NO_MEMORY);
    }
}
#endif

static sw_code judge_header(const char *csv) {
    sw_error error = {{0}};
    sw_csv *reader;
    sw_csv_row row;
    CHECK_OK(sw_csv_open_bytes(&reader, sw_str_of(csv), &error), error);
    CHECK_OK(sw_csv_next(&row, reader, &error), error);
    sw_status status = sw_csv_check_header(&row, &error);
    sw_csv_close(reader);
    return status.code;
}

TEST(header__says_whether_something_else_separates) {
    CHECK_INT(judge_header("a,b\n1,2\n"), SW_CODE_OK);
    CHECK_INT(judge_header("a\n1\n"), SW_CODE_OK);
    CHECK_INT(judge_header("\"a\r\nb\",c;d\r\n1,2\r\n"), SW_CODE_OK);
    CHECK_INT(judge_header("a;b\n1;2\n"), SW_CODE_INVALID);
    CHECK_INT(judge_header("sep=;\na;b\n"), SW_CODE_INVALID);
    CHECK_INT(judge_header("a\tb\n1\t2\n"), SW_CODE_INVALID);
    CHECK_INT(judge_header("a,b\r1,2\r"), SW_CODE_INVALID);
}

TEST_MAIN
