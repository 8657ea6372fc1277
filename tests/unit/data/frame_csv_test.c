/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/data/frame_testing.h"

#include "base/mem.h"

static sw_status read_csv(const char *text, const sw_frame_options *options) {
    return read_text(text, strlen(text), options);
}

#define CHECK_VALUES(name, wanted) CHECK_STR(sw_str_of(values_of(name)), wanted)

TEST(frame_csv__tells_numbers_from_text_by_every_value) {
    REQUIRE_OK(read_csv("a,b,c\n1,x,1\n2.5,y,2\n-3e2,x,three\n", NULL), error);
    CHECK_INT(frame.rows, 3);
    CHECK_INT(frame.column_count, 3);
    CHECK_INT(type_of("a"), SW_COLUMN_NUMBER);
    CHECK_INT(type_of("b"), SW_COLUMN_TEXT);
    CHECK_INT(type_of("c"), SW_COLUMN_TEXT);
    CHECK_VALUES("a", "1 2.5 -300");
    CHECK_VALUES("b", "x y x");
    CHECK_VALUES("c", "1 2 three");
    CHECK_INT(sw_frame_find(&frame, SW_STR("b"))->word_count, 2);
    sw_frame_free(&frame);
}

TEST(frame_csv__keeps_the_text_of_numbers_before_a_late_text) {
    REQUIRE_OK(read_csv("id,n\n007,1\n1.0,2\n1,\n,4\nx,5\n", NULL), error);
    CHECK_VALUES("id", "007 1.0 1 - x");
    CHECK_VALUES("n", "1 2 - 4 5");
    CHECK_INT(sw_frame_find(&frame, SW_STR("id"))->missing, 1);
    CHECK_INT(sw_frame_find(&frame, SW_STR("n"))->missing, 1);
    sw_frame_free(&frame);
}

TEST(frame_csv__knows_the_ways_to_write_missing) {
    REQUIRE_OK(
        read_csv("n,t,none\n,,\nNA,N/A,nan\nnull,None,NULL\n NaN ,<NA>,#N/A\n1,x,n/a\n", NULL),
        error);
    CHECK_VALUES("n", "- - - - 1");
    CHECK_VALUES("t", "- - - - x");
    CHECK_INT(type_of("none"), SW_COLUMN_NUMBER);
    CHECK_INT(sw_frame_find(&frame, SW_STR("none"))->missing, 5);
    CHECK_INT(sw_frame_find(&frame, SW_STR("n"))->missing, 4);
    sw_frame_free(&frame);
}

TEST(frame_csv__reads_truth_and_infinity_as_numbers) {
    REQUIRE_OK(read_csv("a,b\ntrue,inf\nFalse,-Infinity\n1,1e999\n", NULL), error);
    CHECK_VALUES("a", "1 0 1");
    CHECK_VALUES("b", "inf -inf inf");
    sw_frame_free(&frame);
}

TEST(frame_csv__reads_doubles_exactly) {
    REQUIRE_OK(read_csv("x\n0.1\n123456789.123456789\n9007199254740993\n1e-320\n"
                        "2.2250738585072011e-308\n",
                        NULL),
               error);
    const double wanted[] = {0.1, 123456789.123456789, 9007199254740993.0, 1e-320,
                             2.2250738585072011e-308};
    CHECK(memcmp(frame.columns[0].numbers, wanted, sizeof wanted) == 0);
    sw_frame_free(&frame);
}

TEST(frame_csv__takes_only_the_columns_asked_for) {
    const sw_str wanted[] = {SW_STR("d"), SW_STR("a")};
    sw_frame_options options = {.columns = wanted, .column_count = 2};
    REQUIRE_OK(read_csv("a,b,c,d\n1,x,2,late\n3,y,4,5\n", &options), error);
    CHECK_INT(frame.column_count, 2);
    CHECK_STR(frame.columns[0].name, "a");
    CHECK_VALUES("a", "1 3");
    CHECK_VALUES("d", "late 5");
    sw_frame_free(&frame);
    const sw_str absent[] = {SW_STR("a"), SW_STR("amonut")};
    options.columns = absent;
    CHECK_INT(read_csv("a,amount\n1,2\n", &options).code, SW_CODE_NOT_FOUND);
    CHECK_HAS(error.text, "\"amonut\"");
    CHECK_HAS(error.text, "\"amount\"");
}

TEST(frame_csv__reads_as_text_what_is_said_to_be) {
    const sw_str text[] = {SW_STR("zip"), SW_STR("none")};
    sw_frame_options options = {.as_text = text, .as_text_count = 2};
    REQUIRE_OK(read_csv("zip,none,n\n01234,,1\n1234,,2\n,,3\n", &options), error);
    CHECK_INT(type_of("zip"), SW_COLUMN_TEXT);
    CHECK_VALUES("zip", "01234 1234 -");
    CHECK_INT(type_of("none"), SW_COLUMN_TEXT);
    CHECK_VALUES("none", "- - -");
    sw_frame_free(&frame);
}

TEST(frame_csv__leaves_out_a_column_without_a_name) {
    REQUIRE_OK(read_csv("\xEF\xBB\xBF,a, \n0,1,x\n1,2,y\n", NULL), error);
    CHECK_INT(frame.column_count, 1);
    CHECK_VALUES("a", "1 2");
    sw_frame_free(&frame);
}

TEST(frame_csv__reads_a_header_without_rows) {
    REQUIRE_OK(read_csv("a,b\n", NULL), error);
    CHECK_INT(frame.rows, 0);
    CHECK_INT(frame.column_count, 2);
    sw_frame_free(&frame);
}

TEST(frame_csv__says_what_is_wrong_and_where) {
    check_refused("", "is empty");
    check_refused("a,b,a\n1,2,3\n", "two columns are named \"a\"");
    check_refused("a,b\n1,2\n3\n", "line 3 has 1 field, the header has 2");
    check_refused("a,b\n1,\"2\n", "line 2, field 2: a quote is opened and never closed");
    check_refused("a\n\xFF\n", "not valid UTF-8");
}

TEST(frame_csv__reads_many_rows_with_texts_that_are_all_distinct) {
    enum { ROWS = 50000 };
    sw_buf text = {0};
    sw_buf_add_lit(&text, "id,n,late\n");
    for (int i = 0; i < ROWS; i++)
        sw_buf_printf(&text, "id-%d,%d.25,%s\n", i, i, i == ROWS - 1 ? "x" : "5");
    REQUIRE_OK(read_text(text.at, text.len, NULL), error);
    CHECK_INT(frame.rows, ROWS);
    const sw_column *id = sw_frame_find(&frame, SW_STR("id")),
                    *late = sw_frame_find(&frame, SW_STR("late"));
    CHECK_INT(id->word_count, ROWS);
    CHECK_STR(id->words[id->codes[49998]], "id-49998");
    CHECK_NEAR(sw_frame_find(&frame, SW_STR("n"))->numbers[49998], 49998.25, 0);
    CHECK_INT(late->word_count, 2);
    CHECK_INT(late->codes[ROWS - 1], 1);
    sw_frame_free(&frame);

    sw_frame_options options = {.bytes_max = 1 << 20};
    CHECK_INT(read_text(text.at, text.len, &options).code, SW_CODE_TOO_LARGE);
    CHECK_HAS(error.text, "1 MiB");
    sw_buf_free(&text);
}

TEST(frame_csv__reads_ten_thousand_columns) {
    enum { COLUMNS = 10000, ROWS = 20 };
    sw_buf text = {0};
    for (int i = 0; i < COLUMNS; i++)
        sw_buf_printf(&text, "%sc%d", i ? "," : "", i);
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < COLUMNS; i++)
            sw_buf_printf(&text, "%c%d", i ? ',' : '\n', row * i);
    REQUIRE_OK(read_text(text.at, text.len, NULL), error);
    CHECK_INT(frame.column_count, COLUMNS);
    CHECK_INT(frame.rows, ROWS);
    CHECK_NEAR(sw_frame_find(&frame, SW_STR("c9999"))->numbers[19], 19 * 9999, 0);
    sw_frame_free(&frame);
    sw_buf_free(&text);
}

typedef struct told {
    int calls;
    uint64_t done, all;
} told;

static void listen(void *context, uint64_t done, uint64_t all) {
    struct told *heard = context;
    heard->calls++;
    heard->done = done;
    heard->all = all;
}

TEST(frame_csv__tells_how_far_it_is) {
    struct told heard = {0};
    sw_frame_options options = {.progress = listen, .context = &heard};
    sw_buf text = {0};
    sw_buf_add_lit(&text, "n\n");
    while (text.len < 9 << 20)
        sw_buf_add_lit(&text, "123456789012345\n");
    REQUIRE_OK(read_text(text.at, text.len, &options), error);
    CHECK_INT(heard.calls, 3);
    CHECK_INT(heard.done, text.len);
    CHECK_INT(heard.all, text.len);
    sw_frame_free(&frame);
    sw_buf_free(&text);
}

#ifdef SW_FAULTS
TEST(frame_csv__survives_every_failed_allocation) {
    size_t nth = 1;
    for (bool failed = true; failed && nth < 1000; nth++) {
        sw_mem_fail_at(nth);
        sw_status status = read_csv("a,b,c\n1,x,1\n2,y,2\n3,z,late\n", NULL);
        failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK(failed ? status.code == SW_CODE_NO_MEMORY || !sw_failed(status) : !sw_failed(status));
        sw_frame_free(&frame);
    }
    CHECK(nth > 10 && nth < 1000);
}
#endif

TEST_MAIN
