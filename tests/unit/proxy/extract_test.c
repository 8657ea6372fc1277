/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/extract.h"

#include "unit/test.h"

static sw_feature features[] = {{.name = {"a", 1}, .input = 0}, {.name = {"b", 1}, .input = 1}};
static sw_tensor_spec inputs[] = {
    {.name = {"a", 1}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 1}},
    {.name = {"b", 1}, .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}}};
static sw_tensor_spec outputs[] = {
    {.name = {"score", 5}, .dtype = SW_FP64, .rank = 1, .shape = {-1}}};
static const sw_signature signature = {.inputs = inputs,
                                       .input_count = 2,
                                       .outputs = outputs,
                                       .output_count = 1,
                                       .features = features,
                                       .feature_count = 2};
static sw_extract_rules rules = {.signature = &signature};
static sw_error error;

static const char *extract(const char *path, const char *request, const char *reply,
                           const char *id) {
    static char text[4096];
    sw_capture c = {.request_json_bytes = -1, .reply_json_bytes = -1, .at_ms = 7, .latency_ms = 2};
    sw_arena arena = {0};
    sw_buf lines = {0};
    size_t rows;
    snprintf(c.path, sizeof c.path, "%s", path);
    snprintf(c.id, sizeof c.id, "%s", id);
    sw_buf_add_str(&c.request, sw_str_of(request));
    sw_buf_add_str(&c.reply, sw_str_of(reply));
    sw_status status = sw_extract(&lines, &rows, &c, &rules, &arena, &error);
    snprintf(text, sizeof text, "%s%.*s", sw_failed(status) ? "!" : "",
             SW_STR_ARG(sw_buf_str(&lines)));
    if (sw_failed(status))
        snprintf(text, sizeof text, "!%s", error.text);
    sw_buf_free(&lines);
    sw_buf_free(&c.request);
    sw_buf_free(&c.reply);
    sw_arena_free(&arena);
    return text;
}

#define TIMES "\"at_ms\":7,\"latency_ms\":2.0}\n"

TEST(extract__finds_rows_and_predictions_at_the_usual_places) {
    static const char *const forms[][2] = {
        {"{\"a\":1.5,\"b\":\"x\",\"user\":9}", "0.25"},
        {"{\"b\":\"x\",\"a\":1.5}", "{\"score\":0.25,\"more\":1}"},
        {"{\"instances\":[{\"a\":1.5,\"b\":\"x\"}]}", "{\"predictions\":[0.25]}"},
        {"{\"inputs\":[[1.5,\"x\"]]}", "{\"prediction\":0.25}"},
        {"[1.5,\"x\"]", "[0.25]"},
        {"[[1.5,\"x\"]]", "[{\"score\":0.25}]"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const char *got = extract("/p", forms[i][0], forms[i][1], "");
        if (!strstr(got, "{\"features\":{\"a\":1.5,\"b\":\"x\"},\"prediction\":") ||
            !strstr(got, "0.25") || !strstr(got, TIMES))
            TEST_FAIL_("%s > %s: %s", forms[i][0], forms[i][1], got);
    }
}

TEST(extract__numbers_the_rows_of_an_id) {
    CHECK_TEXT(extract("/p", "[{\"a\":1},{\"b\":\"y\"}]", "[1,null]", "r"),
               "{\"features\":{\"a\":1},\"prediction\":1,\"id\":\"r.0\"," TIMES
               "{\"features\":{\"b\":\"y\"},\"prediction\":null,\"id\":\"r.1\"," TIMES);
}

TEST(extract__leaves_out_an_id_that_with_its_number_is_too_long_for_the_server) {
    char id[SW_CAPTURE_ID_BYTES];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    CHECK(strstr(extract("/p", "{\"a\":1}", "1", id), id));
    CHECK_TEXT(extract("/p", "[{\"a\":1},{\"a\":2}]", "[1,2]", id),
               "{\"features\":{\"a\":1},\"prediction\":1," TIMES
               "{\"features\":{\"a\":2},\"prediction\":2," TIMES);
}

TEST(extract__follows_pointers) {
    rules.features = "/x~1y/0/*/f";
    rules.prediction = "/r/*/p/1";
    CHECK_TEXT(extract("/v2/models/m/infer", "{\"x/y\":[[{\"f\":{\"a\":1}},{\"f\":{\"a\":2}}]]}",
                       "{\"r\":[{\"p\":[0,5]},{\"p\":[0,6]}]}", ""),
               "{\"features\":{\"a\":1},\"prediction\":5," TIMES
               "{\"features\":{\"a\":2},\"prediction\":6," TIMES);
    CHECK(strstr(extract("/p", "{\"x\":1}", "{}", ""), "!the request has no rows"));
    rules.features = rules.prediction = NULL;
}

TEST(extract__says_why_there_is_nothing) {
    CHECK(strstr(extract("/p", "nonsense", "1", ""), "!the request is no JSON"));
    CHECK(strstr(extract("/p", "{\"a\":1}", "<html>", ""), "!the reply is no JSON"));
    CHECK(strstr(extract("/p", "{\"c\":1}", "1", ""), "!the request has no rows"));
    CHECK(strstr(extract("/p", "[{\"c\":1}]", "[1]", ""), "!row 0 has none of the model's"));
    CHECK(strstr(extract("/p", "{\"a\":1}", "{\"x\":1}", ""), "!the reply has no prediction"));
    CHECK(strstr(extract("/p", "[{\"a\":1},{\"a\":2}]", "[1]", ""), "!the request has 2 rows"));
    CHECK(strstr(extract("/p", "[{\"a\":1}]", "[{\"p\":1}]", ""), "!the prediction of row 0"));
}

TEST(extract__reads_tensors_by_name_or_by_place) {
    const char *wanted = "{\"features\":{\"a\":1.5,\"b\":\"x\"},\"prediction\":{\"score\":0.25},"
                         "\"id\":\"r.0\"," TIMES
                         "{\"features\":{\"a\":2.0,\"b\":\"y\"},\"prediction\":{\"score\":0.5},"
                         "\"id\":\"r.1\"," TIMES;
    CHECK_TEXT(
        extract("/v2/models/m/infer",
                "{\"inputs\":[{\"name\":\"b\",\"shape\":[2,1],\"datatype\":\"BYTES\",\"data\":"
                "[\"x\",\"y\"]},{\"name\":\"a\",\"shape\":[2,1],\"datatype\":\"FP32\",\"data\":"
                "[[1.5],[2]]}]}",
                "{\"model_name\":\"m\",\"outputs\":[{\"name\":\"score\",\"shape\":[2],"
                "\"datatype\":\"FP64\",\"data\":[0.25,0.5]}]}",
                "r"),
        wanted);
    CHECK(strstr(
        extract("/v2/models/m/infer",
                "{\"inputs\":[{\"name\":\"X\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":"
                "[3,4]}]}",
                "{\"outputs\":[{\"name\":\"other\",\"shape\":[1,1],\"datatype\":\"FP32\","
                "\"data\":[1]}]}",
                ""),
        "{\"features\":{\"a\":3.0,\"b\":4.0},\"prediction\":{\"score\":1.0}"));
    CHECK(strstr(extract("/v2/models/m/infer", "{\"inputs\":[]}", "{\"outputs\":[]}", ""), "!"));
    CHECK(strstr(extract("/v2/models/m/infer", "{\"inputs\":[]}",
                         "{\"outputs\":[{\"name\":\"score\",\"shape\":[1],\"datatype\":\"FP32\","
                         "\"data\":[1]}]}",
                         ""),
                 "!the request's tensors have no rows"));
}

TEST_MAIN
