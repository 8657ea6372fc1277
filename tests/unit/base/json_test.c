/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "unit/test.h"

static sw_arena arena;
static sw_error error;

static sw_status skip_all(sw_str text) {
    sw_json_reader in;
    sw_json_read_init(&in, text, &arena, &error);
    sw_json_read_skip(&in);
    return sw_json_read_end(&in);
}

static void check_refused(const char *text, const char *why) {
    error.text[0] = '\0';
    sw_status status = skip_all(sw_str_of(text));
    if (status.code != SW_CODE_INVALID || !strstr(error.text, why))
        TEST_FAIL_("%.60s: \"%s\", not \"%s\"", text, error.text, why);
}

TEST(json_read__walks_objects_and_arrays) {
    sw_json_reader in;
    sw_str key, name = {0};
    int64_t sum = 0, n;
    bool yes = false;
    double x = 0;
    sw_str text =
        SW_STR(" { \"name\" : \"fraud\", \"list\":[1, 2 ,3],\"e\":[],\"o\":{}, \"yes\":true,"
               "\"skip\":{\"a\":[{},[null,false]]},\"x\":-1.5e2, \"z\":null } ");
    sw_json_read_init(&in, text, &arena, &error);
    CHECK(sw_json_read_object(&in));
    while (sw_json_read_key(&in, &key)) {
        if (sw_str_is(key, "name")) {
            CHECK(sw_json_read_str(&in, &name));
        } else if (sw_str_is(key, "list")) {
            CHECK(sw_json_read_array(&in));
            while (sw_json_read_item(&in) && sw_json_read_i64(&in, &n))
                sum += n;
        } else if (sw_str_is(key, "yes")) {
            CHECK(sw_json_read_bool(&in, &yes));
        } else if (sw_str_is(key, "x")) {
            CHECK(sw_json_read_f64(&in, &x));
        } else if (sw_str_is(key, "z")) {
            CHECK(sw_json_read_null(&in));
        } else {
            CHECK(sw_json_read_skip(&in));
        }
    }
    CHECK_OK(sw_json_read_end(&in), error);
    CHECK_STR(name, "fraud");
    CHECK(name.at > text.at && name.at < text.at + text.len);
    CHECK_INT(sum, 6);
    CHECK(yes && x == -150);
    sw_arena_reset(&arena);
}

TEST(json_read__unescapes_strings) {
    static const struct {
        const char *json, *text;
    } cases[] = {
        {"\"\"", ""},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
        {"\"a\\u0041\\u00e9\\u20AC\\ud83d\\ude00z\"", "aA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z"},
        {"\"\xC3\xA9\\n\xE2\x82\xAC sixteen and more bytes \xF0\x9F\x98\x80\"",
         "\xC3\xA9\n\xE2\x82\xAC sixteen and more bytes \xF0\x9F\x98\x80"},
        {"\"\\\\\"", "\\"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sw_json_reader in;
        sw_str got = {0};
        sw_json_read_init(&in, sw_str_of(cases[i].json), &arena, &error);
        CHECK(sw_json_read_str(&in, &got));
        CHECK_OK(sw_json_read_end(&in), error);
        CHECK_STR(got, cases[i].text);
        CHECK_OK(skip_all(sw_str_of(cases[i].json)), error);
    }
    sw_json_reader in;
    sw_str got = {0};
    sw_json_read_init(&in, SW_STR("\"a\\u0000b\""), &arena, &error);
    CHECK(sw_json_read_str(&in, &got) && got.len == 3 && memcmp(got.at, "a\0b", 3) == 0);
    sw_arena_reset(&arena);
}

TEST(json_read__refuses_what_is_no_json) {
    check_refused("", "expected a value, but the JSON ends, at byte 0");
    check_refused("  ", "at byte 2 (line 1, column 3)");
    check_refused("{", "expected a key or '}', but the JSON ends");
    check_refused("[", "expected a value or ']'");
    check_refused("[1", "',' or ']'");
    check_refused("[1,]", "a comma before ']'");
    check_refused("[1,,2]", "expected a value, found ','");
    check_refused("[,1]", "expected a value, found ','");
    check_refused("[1 2]", "expected ',' or ']', found '2'");
    check_refused("{\"a\":1,}", "a comma before '}'");
    check_refused("{\"a\"}", "expected ':' behind the key, found '}'");
    check_refused("{\"a\" 1}", "expected ':'");
    check_refused("{\"a\":}", "expected a value, found '}'");
    check_refused("{a:1}", "expected a key in quotes, found 'a'");
    check_refused("{1:1}", "a key in quotes");
    check_refused("[1}", "found '}'");
    check_refused("{\"a\":1]", "found ']'");
    check_refused("nul", "expected a value");
    check_refused("True", "expected a value, found 'T'");
    check_refused("NaN", "expected a value, found 'N'");
    check_refused("'a'", "found '''");
    check_refused("01", "malformed number");
    check_refused("-", "malformed number");
    check_refused("1 1", "nothing more behind");
    check_refused("{} x", "nothing more behind");
    check_refused("\xEF\xBB\xBF{}", "found byte 0xEF");
    check_refused("[\n1,\n  x]", "(line 3, column 3)");
}

TEST(json_read__refuses_bad_strings) {
    check_refused("\"abc", "without its closing quote");
    check_refused("\"abc\\", "without its closing quote");
    check_refused("\"abc\\\"", "without its closing quote");
    check_refused("\"a\nb\"", "control character in a string: escape it as \\u000A");
    check_refused("\"a\x01"
                  "b\"",
                  "\\u0001");
    check_refused("\"\\x\"", "unknown escape");
    check_refused("\"\\u12\"", "four hexadecimal digits");
    check_refused("\"\\u12g4\"", "four hexadecimal digits");
    check_refused("\"\\ud800\"", "first half of a surrogate pair");
    check_refused("\"\\ud800\\n\"", "first half of a surrogate pair");
    check_refused("\"\\ud800\\u0041\"", "first half of a surrogate pair");
    check_refused("\"\\udc00\"", "second half of a surrogate pair");
    check_refused("\"\xFF\"", "not UTF-8");
    check_refused("\"\xC0\xAF\"", "not UTF-8");
    check_refused("\"\xED\xA0\x80\"", "not UTF-8");
    check_refused("\"\xE2\x82\"", "not UTF-8");
    check_refused("\"long enough to be read in blocks of sixteen \xF4\x90\x80\x80\"", "not UTF-8");
    CHECK_INT(skip_all((sw_str){"\"a\0b\"", 5}).code, SW_CODE_INVALID);
}

TEST(json_read__refuses_ten_thousand_levels) {
    enum { LEVELS = 10000 };
    static char text[2 * LEVELS + 1];
    memset(text, '[', LEVELS);
    memset(text + LEVELS, ']', LEVELS);
    check_refused(text, "nested deeper than 64 levels, at byte 64 (line 1, column 65)");
    for (int i = 0; i < LEVELS / 5; i++)
        memcpy(text + 5 * (size_t)i, "{\"a\":", 5);
    check_refused(text, "nested deeper than 64 levels");
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    CHECK_OK(skip_all((sw_str){text, 128}), error);
}

TEST(json_read__stays_failed) {
    sw_json_reader in;
    sw_str key;
    int64_t n = 7;
    sw_json_read_init(&in, SW_STR("{\"a\":\"x\",\"b\":1}"), &arena, &error);
    CHECK(sw_json_read_object(&in) && sw_json_read_key(&in, &key));
    CHECK(!sw_json_read_i64(&in, &n));
    CHECK_HAS(error.text, "expected a number, found a string, at byte 5");
    CHECK(!sw_json_read_key(&in, &key) && !sw_json_read_skip(&in) && !sw_json_read_i64(&in, &n));
    CHECK_INT(sw_json_read_end(&in).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "at byte 5");
    CHECK_INT(n, 7);
}

TEST(json_read__numbers_must_fit) {
    sw_json_reader in;
    int64_t n;
    double x;
    sw_json_read_init(&in, SW_STR("9223372036854775808"), &arena, &error);
    CHECK(!sw_json_read_i64(&in, &n));
    CHECK_HAS(error.text, "does not fit 64 bits");
    sw_json_read_init(&in, SW_STR("1.5"), &arena, &error);
    CHECK(!sw_json_read_i64(&in, &n));
    CHECK_HAS(error.text, "expected a whole number");
    sw_json_read_init(&in, SW_STR("1e999"), &arena, &error);
    CHECK(!sw_json_read_f64(&in, &x));
    CHECK_HAS(error.text, "does not fit a 64-bit float");
}

TEST(json_write__puts_commas_by_itself) {
    sw_buf buf = {0};
    sw_json w = sw_json_to(&buf);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "s", SW_STR("a"));
    sw_json_add_text(&w, "t", NULL);
    sw_json_add_i64(&w, "i", INT64_MIN);
    sw_json_add_u64(&w, "u", UINT64_MAX);
    sw_json_add_f64(&w, "f", 0.1);
    sw_json_add_bool(&w, "b", true);
    sw_json_add_null(&w, "n");
    sw_json_key(&w, "list");
    sw_json_begin_array(&w);
    sw_json_begin_array(&w);
    sw_json_end_array(&w);
    sw_json_begin_object(&w);
    sw_json_end_object(&w);
    sw_json_f32(&w, 0.1F);
    sw_json_raw(&w, SW_STR("[1]"));
    sw_json_bool(&w, false);
    sw_json_end_array(&w);
    sw_json_add_f64(&w, "z", (double)NAN);
    sw_json_add_f64(&w, "y", (double)INFINITY);
    w.infinities = true;
    sw_json_add_f64(&w, "x", (double)-INFINITY);
    sw_json_add_f64(&w, "w", (double)NAN);
    sw_json_end_object(&w);
    CHECK_STR(
        sw_buf_str(&buf),
        "{\"s\":\"a\",\"t\":null,\"i\":-9223372036854775808,\"u\":18446744073709551615,\"f\":0.1,"
        "\"b\":true,\"n\":null,\"list\":[[],{},0.1,[1],false],\"z\":null,\"y\":null,"
        "\"x\":-Infinity,\"w\":null}");
    sw_buf_free(&buf);
}

TEST(json_write__escapes_so_that_the_reader_gets_it_back) {
    char all[256];
    for (int i = 0; i < 128; i++)
        all[i] = (char)i;
    sw_str cases[] = {{all, 128},
                      SW_STR("\xC3\xA9 and then sixteen plain bytes \xF0\x9F\x98\x80"),
                      SW_STR("\"\\\n")};
    for (size_t i = 0; i < 3; i++) {
        sw_buf buf = {0};
        sw_json w = sw_json_to(&buf);
        sw_json_str(&w, cases[i]);
        sw_json_reader in;
        sw_str back = {0};
        sw_json_read_init(&in, sw_buf_str(&buf), &arena, &error);
        CHECK(sw_json_read_str(&in, &back));
        CHECK_OK(sw_json_read_end(&in), error);
        CHECK(sw_str_eq(back, cases[i]));
        sw_buf_free(&buf);
    }
    sw_arena_reset(&arena);
}

TEST(json_write__replaces_what_is_no_utf8) {
    sw_buf buf = {0};
    sw_json w = sw_json_to(&buf);
    sw_json_str(&w, SW_STR("a\xFFz\xE2\x82"));
    CHECK_STR(sw_buf_str(&buf), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
    sw_buf_free(&buf);
    sw_arena_free(&arena);
}

TEST_MAIN
