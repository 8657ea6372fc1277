/* SPDX-License-Identifier: Apache-2.0 */
#include "api/observations_split.h"
#include "unit/test.h"

/* Pieces joined by '|', the body being given `step` bytes at a time; "!" and the reason where it
 * fails. */
static char joined[4096];
static const char *split_by(const char *body, size_t step, bool lines) {
    sw_split split = {.lines = lines};
    sw_error error;
    size_t len = strlen(body), given = 0, at = 0;
    joined[0] = '\0';
    for (bool end = false; !end;) {
        given = given + step < len ? given + step : len;
        end = given == len;
        /* A block of its own size: a read beyond it is seen by the sanitizer. */
        char *block = malloc(given - at + 1);
        memcpy(block, body + at, given - at);
        sw_str left = {block, given - at}, piece;
        sw_status status;
        do {
            status = sw_split_next(&piece, &split, &left, end, &error);
            size_t used = strlen(joined);
            if (!sw_failed(status) && piece.len)
                snprintf(joined + used, sizeof joined - used, "%s%.*s", used ? "|" : "",
                         SW_STR_ARG(piece));
            else if (sw_failed(status))
                snprintf(joined + used, sizeof joined - used, "!%s", error.text);
        } while (!sw_failed(status) && piece.len);
        at = given - left.len;
        free(block);
        if (sw_failed(status))
            break;
    }
    return joined;
}

static void check_split(const char *body, const char *wanted, bool lines) {
    static const size_t steps[] = {1, 2, 3, 7, 1000};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        CHECK_TEXT(split_by(body, steps[i], lines), wanted);
}

TEST(split__takes_one_object_a_list_and_a_wrapper) {
    check_split("{\"a\":1}", "{\"a\":1}", false);
    check_split(" [ {\"a\":1} , {\"b\":[{}]} ] ", "{\"a\":1}|{\"b\":[{}]}", false);
    check_split("{ \"observations\" : [{\"a\":1},{}] } ", "{\"a\":1}|{}", false);
    check_split("{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}|{\"b\":2}", false);
    check_split("{\"observation\":[1]}", "{\"observation\":[1]}", false);
    check_split("[]", "", false);
    check_split("", "", false);
}

TEST(split__is_not_misled_by_strings) {
    check_split("[{\"a}]\\\"\":\"{\\\\\"},{}]", "{\"a}]\\\"\":\"{\\\\\"}|{}", false);
}

TEST(split__takes_lines_as_they_are) {
    check_split("{\"a\":1}\r\n\n  {\"b\": \n7\n", "{\"a\":1}|{\"b\":|7", true);
    check_split("last", "last", true);
}

TEST(split__says_where_a_body_is_wrong) {
    check_split("7", "!behind 0 observations comes no object and no list of them", false);
    check_split("[{},7]", "{}!behind 1 observation comes something that is no object", false);
    check_split("[{} {}]", "{}!behind 1 observation comes neither ',' nor ']'", false);
    check_split("[{},", "{}!behind 1 observation the body breaks off", false);
    check_split("{\"a\":", "!behind 0 observations the body breaks off", false);
    check_split("{\"obs", "!behind 0 observations the body breaks off", false);
    check_split("[{}] x", "{}!behind 1 observation the body should end, but goes on", false);
    check_split("{\"observations\":[{}],\"x\":1}",
                "{}!behind 1 observation comes something beside \"observations\"", false);
}

TEST_MAIN
