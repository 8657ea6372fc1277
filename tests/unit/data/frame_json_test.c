/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/data/frame_testing.h"

static sw_status read_json(const char *text, const sw_frame_options *options) {
    return read_text(text, strlen(text), options);
}

#define CHECK_VALUES(name, wanted) CHECK_STR(sw_str_of(values_of(name)), wanted)

TEST(frame_json__reads_an_object_a_line) {
    REQUIRE_OK(
        read_json("{\"a\":1,\"b\":\"x\",\"c\":true}\n{\"b\":\"y\",\"a\":-2.5e1,\"c\":false}\r\n"
                  "\n{\"a\":null,\"c\":null}\n",
                  NULL),
        error);
    CHECK_INT(frame.rows, 3);
    CHECK_VALUES("a", "1 -25 -");
    CHECK_VALUES("b", "x y -");
    CHECK_VALUES("c", "1 0 -");
    CHECK_INT(sw_frame_find(&frame, SW_STR("b"))->missing, 1);
    sw_frame_free(&frame);
}

TEST(frame_json__reads_a_list_of_objects) {
    REQUIRE_OK(
        read_json(" [ {\"a\": 1}, {\"a\": 2, \"b\": \"caf\\u00e9\"} ,\n{\"b\":\"\"}]\n", NULL),
        error);
    CHECK_INT(frame.rows, 3);
    CHECK_VALUES("a", "1 2 -");
    CHECK_VALUES("b", "- café ");
    sw_frame_free(&frame);
    REQUIRE_OK(read_json("[]", NULL), error);
    CHECK_INT(frame.rows, 0);
    sw_frame_free(&frame);
}

TEST(frame_json__keeps_a_string_a_text_whatever_it_looks_like) {
    REQUIRE_OK(
        read_json("{\"a\":\"1\",\"b\":1}\n{\"a\":\"NA\",\"b\":10}\n{\"a\":2.50,\"b\":\"x\"}\n",
                  NULL),
        error);
    CHECK_INT(type_of("a"), SW_COLUMN_TEXT);
    CHECK_VALUES("a", "1 NA 2.50");
    CHECK_VALUES("b", "1 10 x");
    sw_frame_free(&frame);
}

TEST(frame_json__takes_the_numbers_that_python_writes) {
    REQUIRE_OK(read_json("{\"a\": NaN, \"b\": Infinity}\n{\"a\": 1, \"b\": -Infinity}\n", NULL),
               error);
    CHECK_VALUES("a", "- 1");
    CHECK_VALUES("b", "inf -inf");
    sw_frame_free(&frame);
}

TEST(frame_json__finds_fields_that_begin_late) {
    sw_buf text = {0};
    for (int i = 0; i < 3000; i++)
        sw_buf_printf(&text, i < 2500 ? "{\"a\":%d}\n" : "{\"a\":%d,\"late\":7}\n", i);
    REQUIRE_OK(read_text(text.at, text.len, NULL), error);
    CHECK_INT(frame.rows, 3000);
    CHECK_INT(sw_frame_find(&frame, SW_STR("late"))->missing, 2500);
    CHECK_NEAR(sw_frame_find(&frame, SW_STR("late"))->numbers[2999], 7, 0);
    CHECK(isnan(sw_frame_find(&frame, SW_STR("late"))->numbers[0]));
    sw_frame_free(&frame);
    sw_buf_free(&text);
}

TEST(frame_json__skips_what_is_not_asked_for_even_if_it_is_nested) {
    const sw_str wanted[] = {SW_STR("a")};
    sw_frame_options options = {.columns = wanted, .column_count = 1};
    REQUIRE_OK(read_json("{\"t\":[1,{}],\"a\":1,\"n\":NaN}\n{\"a\":2}\n", &options), error);
    CHECK_INT(frame.column_count, 1);
    CHECK_VALUES("a", "1 2");
    sw_frame_free(&frame);
}

TEST(frame_json__says_what_is_wrong_and_where) {
    check_refused("{\"a\":1}\n{\"a\":2,\"tags\":[1]}\n", "field \"tags\" holds an array");
    check_refused("{\"a\":1}\n{\"a\":2,\"tags\":[1]}\n", "line 2, column 15");
    check_refused("{\"a\":1,\"a\":2}\n", "field \"a\" is there twice");
    check_refused("{\"a\":1}\n{\"a\":}\n", "line 2");
    check_refused("{\"a\":1}\n5\n", "expected an object, found a number");
    check_refused("{\"a\":1},\n{\"a\":2}\n", "expected an object, found ','");
    check_refused("[{\"a\":1}\n{\"a\":2}]\n", "expected ',' or ']'");
    check_refused("[{\"a\":1}] x", "nothing more behind");
    check_refused("{\"a\":1", "the JSON ends");
    check_refused("{\"a\":\"\\ud800\"}", "surrogate");
}

TEST_MAIN
