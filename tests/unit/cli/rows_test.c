/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/rows_private.h"
#include "cli/slice_private.h"

#include "unit/test.h"

#include <unistd.h>

static const char signature_text[] =
    "{\"inputs\": [{\"name\": \"x\", \"datatype\": \"FP32\", \"shape\": [-1, 2]},"
    "              {\"name\": \"c\", \"datatype\": \"BYTES\", \"shape\": [-1, 1]},"
    "              {\"name\": \"b\", \"datatype\": \"BOOL\", \"shape\": [-1, 1]}],"
    " \"features\": [{\"name\": \"amount\", \"input\": \"x\", \"column\": 0},"
    "                {\"name\": \"age\", \"input\": 0, \"column\": 1},"
    "                {\"name\": \"country\", \"input\": \"c\"}, {\"name\": \"new\", \"input\": "
    "\"b\"}]}";

/* A file that goes away with the test. */
typedef struct file {
    char path[64];
} file;

static file file_with(const char *text) {
    file f = {"/tmp/slipway-rows-XXXXXX"};
    int fd = mkstemp(f.path);
    if (fd >= 0 && write(fd, text, strlen(text)) < 0)
        perror("write");
    close(fd);
    return f;
}

/* Every row, one a line; the status ends up in *status. */
static char *read_all(sw_rows *rows, sw_status *status, sw_error *error) {
    sw_buf all = {0};
    bool more = true;
    while (more) {
        *status = sw_rows_next(&more, &all, rows, error);
        if (status->code != SW_CODE_OK)
            break;
        if (more)
            sw_buf_add_char(&all, '\n');
    }
    sw_buf_add_char(&all, 0);
    char *text = strdup(all.at);
    sw_buf_free(&all);
    return text;
}

/* The rows of a file with `text`, matched where they must be; NULL where opening failed. */
static char *rows_of(const char *text, sw_status *status, sw_error *error) {
    file f = file_with(text);
    sw_rows *rows = NULL;
    sw_buf left_out = {0};
    json_t *signature = json_loads(signature_text, 0, NULL);
    char *all = NULL;
    *status = sw_rows_open(&rows, f.path, error);
    if (status->code == SW_CODE_OK && sw_rows_needs_signature(rows))
        *status = sw_rows_match(&left_out, rows, signature, "m@1", error);
    if (status->code == SW_CODE_OK)
        all = read_all(rows, status, error);
    sw_rows_close(rows);
    sw_buf_free(&left_out);
    json_decref(signature);
    unlink(f.path);
    return all;
}

static void check_rows(const char *text, const char *wanted) {
    sw_status status;
    sw_error error = {""};
    char *all = rows_of(text, &status, &error);
    CHECK_OK(status, error);
    CHECK_TEXT(all, wanted);
    free(all);
}

static void check_refused(const char *text, const char *reason) {
    sw_status status;
    sw_error error = {""};
    free(rows_of(text, &status, &error));
    CHECK(status.code != SW_CODE_OK);
    CHECK_HAS(error.text, reason);
}

TEST(rows__of_csv_become_records_by_their_header) {
    check_rows("age,amount,country,new\n30,1.5,NZ,true\n31,.5,\"a \"\"b\"\"\",0\n",
               "{\"age\":30,\"amount\":1.5,\"country\":\"NZ\",\"new\":true}\n"
               "{\"age\":31,\"amount\":0.5,\"country\":\"a \\\"b\\\"\",\"new\":false}\n");
}

TEST(rows__of_csv_leave_out_what_is_no_feature) {
    check_rows("amount,label,=score\n2,x,0.5\n", "{\"amount\":2}\n");
}

TEST(rows__of_csv_take_every_word_for_missing) {
    check_rows("amount,age\n,NaN\nNA,null\n",
               "{\"amount\":null,\"age\":null}\n{\"amount\":null,\"age\":null}\n");
}

TEST(rows__of_csv_keep_the_digits_they_came_with) {
    check_rows("amount,age\n9007199254740993,0.1000000000000000055\n",
               "{\"amount\":9007199254740993,\"age\":0.1000000000000000055}\n");
}

TEST(rows__of_csv_name_the_line_and_column_of_what_is_no_number) {
    check_refused("amount,age\n1,2\n3,abc\n", "line 3, age: 'abc' is no number");
    check_refused("amount,new\n1,perhaps\n", "line 2, new: 'perhaps' is no true or false");
    check_refused("amount,age\n1,inf\n", "'inf' is no number");
    check_refused("amount,age\n1\n", "line 2: 1 fields, the first line has 2");
    check_refused("x,y\n1,2\n", "names none of the features of m@1");
}

TEST(rows__of_json_come_as_a_list_as_lines_or_alone) {
    check_rows("[{\"a\": 1}, {\"a\": [2, \"]\"]}]", "{\"a\": 1}\n{\"a\": [2, \"]\"]}\n");
    check_rows("{\"a\": 1}\n{\"a\": 2}\n\n", "{\"a\": 1}\n{\"a\": 2}\n");
    check_rows(" {\n \"a\": 1\n }\n", "{\n \"a\": 1\n }\n");
    check_rows("\xef\xbb\xbf[ ]", "");
    check_rows("[\n{\"a\":18446744073709551615}\n,\n{\"b\":\"\\\"}\"}\n]\n",
               "{\"a\":18446744073709551615}\n{\"b\":\"\\\"}\"}\n");
}

TEST(rows__of_json_say_where_they_break) {
    check_refused("{\"a\": 1}\n{\"a\": ", "ends within row 2");
    check_refused("[{\"a\": 1}, ", "ends within its list, behind row 1");
    check_refused("[{\"a\": 1}, 5]", "row 2: an object of named values is needed");
    check_refused("[[1, 2]]", "row 1: an object of named values is needed");
    check_refused("", "holds no rows");
    check_refused(" \n\t\n", "holds no rows");
}

TEST(rows__of_json_are_read_past_any_buffer) {
    sw_buf text = {0}, wanted = {0};
    for (int i = 0; i < 20000; i++) {
        sw_buf_printf(&text, "%s{\"a\": %d, \"b\": \"some text to fill the row\"}", i ? "," : "[",
                      i);
        sw_buf_printf(&wanted, "{\"a\": %d, \"b\": \"some text to fill the row\"}\n", i);
    }
    sw_buf_add_char(&text, ']');
    sw_buf_add_char(&text, 0);
    sw_buf_add_char(&wanted, 0);
    check_rows(text.at, wanted.at);
    sw_buf_free(&text);
    sw_buf_free(&wanted);
}

TEST(rows__that_are_typed_follow_the_order_of_the_features) {
    sw_rows *rows = NULL;
    sw_error error = {""};
    sw_status status;
    sw_buf left_out = {0};
    json_t *signature = json_loads(signature_text, 0, NULL);
    REQUIRE_OK(sw_rows_open_row(&rows, sw_str_of("1.5, 30,NZ,1"), &error), error);
    REQUIRE_OK(sw_rows_match(&left_out, rows, signature, "m@1", &error), error);
    char *all = read_all(rows, &status, &error);
    CHECK_OK(status, error);
    CHECK_TEXT(all, "{\"amount\":1.5,\"age\":30,\"country\":\"NZ\",\"new\":true}\n");
    free(all);
    sw_rows_close(rows);
    REQUIRE_OK(sw_rows_open_row(&rows, sw_str_of("1.5,30"), &error), error);
    REQUIRE_OK(sw_rows_match(&left_out, rows, signature, "m@1", &error), error);
    free(read_all(rows, &status, &error));
    CHECK_INT(status.code, SW_CODE_USAGE);
    CHECK_HAS(error.text, "--row has 2 values, the model takes 4: amount");
    sw_rows_close(rows);
    json_decref(signature);
}

TEST(rows__that_are_no_json_are_wrong_usage) {
    sw_rows *rows = NULL;
    sw_error error = {""};
    CHECK_INT(sw_rows_open_json(&rows, sw_str_of("3.5"), "--data", &error).code, SW_CODE_USAGE);
    CHECK_INT(sw_rows_open_json(&rows, sw_str_of(""), "--data", &error).code, SW_CODE_USAGE);
    CHECK_INT(sw_rows_open(&rows, "/nowhere/rows.csv", &error).code, SW_CODE_NOT_FOUND);
}

TEST(slice__skips_one_value_of_any_kind) {
    static const struct {
        const char *text;
        int len; /* -1: it does not end */
    } rows[] = {{"1.5e3, 2", 5}, {"\"a\\\"b\" ", 6}, {"{\"a\": [1, {}]} x", 14},
                {"[\"]\"]", 5},  {"true}", 4},       {"[1, 2", -1},
                {"\"abc", -1},   {"\"a\\", -1},      {"", -1},
                {"  ", -1},      {"}", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *end = rows[i].text + strlen(rows[i].text);
        const char *behind = sw_slice_skip(rows[i].text, end);
        CHECK_INT(behind ? behind - rows[i].text : -1, rows[i].len);
    }
}

TEST(slice__finds_members_and_walks_lists) {
    sw_str object =
        SW_STR("{\"a\": {\"b\": 1}, \"predictions\": [{\"x\": 1}, 2 , \"3\"], \"z\": null}");
    CHECK_STR(sw_slice_member(object, "a"), "{\"b\": 1}");
    CHECK_STR(sw_slice_member(object, "z"), "null");
    CHECK(sw_slice_member(object, "b").at == NULL);
    sw_str rest = sw_slice_member(object, "predictions"), key, value;
    REQUIRE(sw_slice_next(&key, &value, &rest));
    CHECK(key.at == NULL);
    CHECK_STR(value, "{\"x\": 1}");
    REQUIRE(sw_slice_next(&key, &value, &rest));
    CHECK_STR(value, "2");
    REQUIRE(sw_slice_next(&key, &value, &rest));
    CHECK_STR(value, "\"3\"");
    CHECK(!sw_slice_next(&key, &value, &rest));
}

TEST(slice__ends_at_every_cut_of_a_text) {
    const char *text = "{\"a\": [1, {\"b\": \"c\\\"]\"}], \"d\": {}}";
    for (size_t len = 0; len < strlen(text); len++) {
        char *copy = malloc(len ? len : 1); /* of exactly that size, for the sanitizer */
        REQUIRE(copy != NULL);
        memcpy(copy, text, len);
        CHECK(sw_slice_skip(copy, copy + len) == NULL);
        sw_str rest = {copy, len}, key, value;
        for (int i = 0; i < 10 && sw_slice_next(&key, &value, &rest); i++)
            CHECK(value.at >= copy && value.at + value.len <= copy + len);
        free(copy);
    }
}

TEST_MAIN
