/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/text_private.h"

#include "unit/test.h"

TEST(text_count__parts_thousands) {
    CHECK_TEXT(sw_text_count(0).at, "0");
    CHECK_TEXT(sw_text_count(999).at, "999");
    CHECK_TEXT(sw_text_count(1000).at, "1,000");
    CHECK_TEXT(sw_text_count(48000).at, "48,000");
    CHECK_TEXT(sw_text_count(1234567).at, "1,234,567");
    CHECK_TEXT(sw_text_count(UINT64_MAX).at, "18,446,744,073,709,551,615");
}

TEST(text_plural__knows_one) {
    CHECK_TEXT(sw_text_plural(0, "row").at, "0 rows");
    CHECK_TEXT(sw_text_plural(1, "row").at, "1 row");
    CHECK_TEXT(sw_text_plural(2114, "request").at, "2,114 requests");
}

TEST(text_bytes__steps_by_thousands) {
    CHECK_TEXT(sw_text_bytes(0).at, "0 B");
    CHECK_TEXT(sw_text_bytes(999).at, "999 B");
    CHECK_TEXT(sw_text_bytes(1000).at, "1.0 KB");
    CHECK_TEXT(sw_text_bytes(347123).at, "347 KB");
    CHECK_TEXT(sw_text_bytes(999400).at, "999 KB");
    CHECK_TEXT(sw_text_bytes(999600).at, "1.0 MB");
    CHECK_TEXT(sw_text_bytes(46000000).at, "46 MB");
    CHECK_TEXT(sw_text_bytes(UINT64_MAX).at, "18 EB");
}

TEST(text_duration__picks_the_unit_a_person_would) {
    CHECK_TEXT(sw_text_duration(0.6e-6).at, "0.60 µs");
    CHECK_TEXT(sw_text_duration(12e-6).at, "12 µs");
    CHECK_TEXT(sw_text_duration(0.00021).at, "0.21 ms");
    CHECK_TEXT(sw_text_duration(0.0021).at, "2.1 ms");
    CHECK_TEXT(sw_text_duration(0.031).at, "31 ms");
    CHECK_TEXT(sw_text_duration(0.9996).at, "1.0 s");
    CHECK_TEXT(sw_text_duration(59.94).at, "59.9 s");
    CHECK_TEXT(sw_text_duration(59.96).at, "1 min 0 s");
    CHECK_TEXT(sw_text_duration(125).at, "2 min 5 s");
    CHECK_TEXT(sw_text_duration(3725).at, "1 h 2 min");
    CHECK_TEXT(sw_text_duration(2 * 86400 + 4 * 3600).at, "2 d 4 h");
}

TEST(text_duration__survives_what_is_no_time) {
    CHECK_TEXT(sw_text_duration(-1).at, "0.00 µs");
    CHECK_TEXT(sw_text_duration((double)NAN).at, "0.00 µs");
    CHECK_HAS(sw_text_duration((double)INFINITY).at, " d ");
}

TEST(text_number__keeps_four_digits) {
    CHECK_TEXT(sw_text_number(41).at, "41");
    CHECK_TEXT(sw_text_number(0.312749).at, "0.3127");
    CHECK_TEXT(sw_text_number(12345.6).at, "12346");
    CHECK_TEXT(sw_text_number(-2.5).at, "-2.5");
    CHECK_TEXT(sw_text_number(1.25e9).at, "1.25e+09");
}

TEST(text_percent_and_rate__round_as_they_grow) {
    CHECK_TEXT(sw_text_percent(0).at, "0 %");
    CHECK_TEXT(sw_text_percent(0.0312).at, "3.1 %");
    CHECK_TEXT(sw_text_percent(0.972).at, "97 %");
    CHECK_TEXT(sw_text_percent(1).at, "100 %");
    CHECK_TEXT(sw_text_rate(0).at, "0");
    CHECK_TEXT(sw_text_rate(7.14).at, "7.1");
    CHECK_TEXT(sw_text_rate(2114.2).at, "2,114");
}

TEST(text_time__says_the_day_only_of_another_day) {
    setenv("TZ", "UTC", 1);
    CHECK_TEXT(sw_text_time(1700000000000, 1700000060000).at, "22:13:20");
    CHECK_TEXT(sw_text_time(1700000000000, 1700100000000).at, "2023-11-14 22:13");
}

TEST(text_progress__adds_rate_and_rest_after_five_seconds) {
    CHECK_TEXT(sw_text_progress(12400000, 80000000, 1).at, "12 MB of 80 MB");
    CHECK_TEXT(sw_text_progress(50000000, 100000000, 10).at,
               "50 MB of 100 MB · 5.0 MB/s · 10.0 s left");
    CHECK_TEXT(sw_text_progress(0, 100, 60).at, "0 B of 100 B");
}

TEST(text_bars__gives_the_greatest_share_the_full_height) {
    double shares[] = {0.1, 0.2, 0.8, 0.4, 0};
    sw_buf bars = {0};
    sw_text_bars(&bars, shares, 5);
    CHECK_STR(sw_buf_str(&bars), "▁▂█▄ ");
    sw_buf_free(&bars);
}

TEST(text_bars__shows_the_smallest_share_and_hides_none_as_some) {
    double shares[] = {1e-9, 0, 1};
    sw_buf bars = {0};
    sw_text_bars(&bars, shares, 3);
    CHECK_STR(sw_buf_str(&bars), "▁ █");
    sw_buf_clear(&bars);
    sw_text_bars(&bars, (double[]){0, 0}, 2);
    CHECK_STR(sw_buf_str(&bars), "  ");
    sw_buf_free(&bars);
}

TEST(text_width__counts_characters_not_bytes) {
    CHECK_INT(sw_text_width(""), 0);
    CHECK_INT(sw_text_width("amount"), 6);
    CHECK_INT(sw_text_width("▁▂█ µs"), 6);
}

TEST(table__lines_cells_up_and_leaves_no_blanks_at_the_end) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    REQUIRE(out != NULL);
    sw_table *table = sw_table_make(3);
    sw_table_cell(table, SW_PLAIN, "a");
    sw_table_cell(table, SW_PLAIN, "µ");
    sw_table_cell(table, SW_PLAIN, "%d", 7);
    sw_table_cell(table, SW_PLAIN, "long");
    sw_table_cell(table, SW_PLAIN, "bb");
    sw_table_cell(table, SW_PLAIN, "%s", "");
    sw_table_print(table, out, 1);
    sw_table_free(table);
    fclose(out);
    CHECK_TEXT(text, " a     µ   7\n long  bb\n");
    free(text);
}

TEST(table__writes_control_characters_so_that_they_do_nothing) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    REQUIRE(out != NULL);
    sw_table *table = sw_table_make(2);
    sw_table_cell(table, SW_PLAIN, "two\r\nlines");
    sw_table_cell(table, SW_PLAIN, "\t\x1b[31mred\x7f");
    sw_table_print(table, out, 0);
    sw_table_free(table);
    fclose(out);
    CHECK_TEXT(text, "two\\r\\nlines  \\t\\x1b[31mred\\x7f\n");
    free(text);
}

TEST(term__gives_no_colours_to_what_is_no_terminal) {
    FILE *out = tmpfile();
    REQUIRE(out != NULL);
    CHECK_TEXT(sw_term_style(out, SW_BAD), "");
    CHECK(!sw_term_is_live(out));
    fclose(out);
}

TEST_MAIN
