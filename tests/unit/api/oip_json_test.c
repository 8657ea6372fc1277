/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_json.h"

#include "unit/test.h"

static sw_arena arena;
static sw_error error;

static sw_status parse_split(sw_infer_request *out, sw_str body, int64_t header) {
    *out = (sw_infer_request){0};
    error.text[0] = '\0';
    return sw_oip_json_parse(out, body, header, NULL, 0, &arena, &error);
}

static sw_status parse(sw_infer_request *out, const char *body) {
    return parse_split(out, sw_str_of(body), SW_OIP_NO_HEADER);
}

static void check_refused(const char *body, const char *why) {
    sw_infer_request r;
    sw_status status = parse(&r, body);
    if (status.code != SW_CODE_INVALID || !strstr(error.text, why))
        TEST_FAIL_("%.80s: \"%s\", not \"%s\"", body, error.text, why);
    sw_arena_reset(&arena);
}

#define INPUT(shape, datatype, data)                                            \
    "{\"inputs\":[{\"name\":\"X\",\"shape\":" shape ",\"datatype\":\"" datatype \
    "\",\"data\":" data "}]}"

TEST(oip_json__reads_a_request) {
    sw_infer_request r;
    REQUIRE_OK(
        parse(&r,
              "{\"id\":\"42\",\"inputs\":[{\"name\":\"X\",\"shape\":[2,3],\"datatype\":\"FP32\","
              "\"data\":[1,2.5,-3e2,0.1,16777217,-0]}],\"outputs\":[{\"name\":\"p\"}]}"),
        error);
    CHECK_STR(r.id, "42");
    REQUIRE(r.input_count == 1 && r.output_count == 1);
    CHECK_STR(r.inputs->name, "X");
    CHECK(r.inputs->dtype == SW_FP32 && r.inputs->rank == 2 && r.inputs->count == 6);
    CHECK(r.inputs->shape[0] == 2 && r.inputs->shape[1] == 3);
    const float *x = r.inputs->data;
    CHECK(x[0] == 1 && x[1] == 2.5F && x[2] == -300 && x[3] == 0.1F && x[4] == 16777216 &&
          signbit(x[5]));
    CHECK_STR(r.outputs->name, "p");
    CHECK(!r.outputs->binary && !r.binary_output && !r.raw);
    sw_arena_reset(&arena);
}

TEST(oip_json__keys_come_in_any_order) {
    sw_infer_request r;
    REQUIRE_OK(
        parse(&r, " {\"outputs\" : [ ] , \"more\":{\"a\":[1,{}]},\n\"inputs\":[ {\"data\": "
                  "[[1,2],[3,4]] ,"
                  "\"parameters\":{\"x\":1}, "
                  "\"datatype\":\"INT32\",\"shape\":[2,2],\"name\":\"\\u0058\"} ,"
                  "{\"data\":[\"a\\n\",\"\"],\"name\":\"s\",\"shape\":[2],\"datatype\":\"BYTES\"}],"
                  "\"parameters\":{\"binary_data_output\":true},\"id\":7} "),
        error);
    CHECK_STR(r.id, "7");
    CHECK(r.binary_output);
    REQUIRE(r.input_count == 2);
    CHECK_STR(r.inputs[0].name, "X");
    const int32_t *x = r.inputs[0].data;
    CHECK(x[0] == 1 && x[1] == 2 && x[2] == 3 && x[3] == 4);
    const sw_str *s = r.inputs[1].data;
    CHECK_STR(s[0], "a\n");
    CHECK_STR(s[1], "");
    sw_arena_reset(&arena);
}

TEST(oip_json__nested_data_agrees_with_its_shape) {
    sw_infer_request r;
    REQUIRE_OK(parse(&r, INPUT("[2,2,3]", "FP64", "[[[1,2,3],[4,5,6]],[[7,8,9],[10,11,12.5]]]")),
               error);
    const double *x = r.inputs->data;
    for (int i = 0; i < 11; i++)
        CHECK(x[i] == i + 1);
    CHECK(x[11] == 12.5);
    check_refused(INPUT("[2,2]", "FP32", "[[1,2],[3]]"),
                  "data[1] has 1 element, but shape [2,2] wants 2");
    check_refused(INPUT("[2,2]", "FP32", "[[1,2],[3,4,5]]"), "data[1] has more than 2 elements");
    check_refused(INPUT("[2,2]", "FP32", "[[1,2]]"), "data has 1 element, but shape [2,2] wants 2");
    check_refused(INPUT("[2,2]", "FP32", "[[1,2],[3,4],[5,6]]"), "data has more than 2 elements");
    check_refused(INPUT("[2,2]", "FP32", "[[1,2],3,4]"),
                  "data is nested 1 deep here, but shape [2,2] wants 2");
    check_refused(INPUT("[4]", "FP32", "[[1,2,3,4]]"),
                  "data element 0 should be a number, but is an array");
    check_refused(INPUT("[2,2]", "FP32", "[[[1],[2]],[3,4]]"), "data element 0 should be a number");
    check_refused(INPUT("[2,1,2]", "FP32", "[[[1,2]],[[3]]]"), "data[1][0] has 1 element");
    sw_arena_reset(&arena);
}

TEST(oip_json__the_count_is_the_product_of_the_shape) {
    sw_infer_request r;
    check_refused(INPUT("[1,3]", "FP32", "[1,2]"), "data has 2 elements, but shape [1,3] wants 3");
    check_refused(INPUT("[1,3]", "FP32", "[1,2,3,4]"), "data has more than 3 elements");
    check_refused(INPUT("[1,3]", "FP32", "[]"), "data has 0 elements");
    check_refused(INPUT("[1000000000]", "FP32", "[1]"),
                  "fewer elements than the 1000000000 of its shape");
    check_refused(INPUT("[4294967296,4294967296]", "FP32", "[1]"),
                  "more elements than any machine holds");
    check_refused(INPUT("[-1,3]", "FP32", "[1,2,3]"), "a dimension of -1");
    check_refused(INPUT("[1,1,1,1,1,1,1,1,1]", "FP32", "[1]"), "more than 8 dimensions");
    REQUIRE_OK(parse(&r, INPUT("[1,1,1,1,1,1,1,1]", "FP32", "[[[[[[[[5]]]]]]]]")), error);
    CHECK(*(float *)r.inputs->data == 5);
    REQUIRE_OK(parse(&r, INPUT("[]", "INT8", "[5]")), error);
    CHECK(r.inputs->rank == 0 && r.inputs->count == 1);
    REQUIRE_OK(parse(&r, INPUT("[0,3]", "FP32", "[]")), error);
    CHECK(r.inputs->count == 0 && r.inputs->data);
    REQUIRE_OK(parse(&r, INPUT("[2,0]", "FP32", "[[],[]]")), error);
    sw_arena_reset(&arena);
}

TEST(oip_json__every_datatype) {
    sw_infer_request r;
    REQUIRE_OK(parse(&r, INPUT("[4]", "BOOL", "[true,false,1,0]")), error);
    CHECK(memcmp(r.inputs->data, "\1\0\1\0", 4) == 0);
    REQUIRE_OK(parse(&r, INPUT("[3]", "UINT8", "[0, 255,3.0]")), error);
    CHECK(memcmp(r.inputs->data, "\0\xFF\3", 3) == 0);
    REQUIRE_OK(parse(&r, INPUT("[2]", "INT8", "[-128,127]")), error);
    CHECK(((int8_t *)r.inputs->data)[0] == -128 && ((int8_t *)r.inputs->data)[1] == 127);
    REQUIRE_OK(parse(&r, INPUT("[2]", "UINT16", "[65535,1e3]")), error);
    CHECK(((uint16_t *)r.inputs->data)[0] == 65535 && ((uint16_t *)r.inputs->data)[1] == 1000);
    REQUIRE_OK(parse(&r, INPUT("[2]", "INT16", "[-32768,\n32767]")), error);
    CHECK(((int16_t *)r.inputs->data)[0] == -32768 && ((int16_t *)r.inputs->data)[1] == 32767);
    REQUIRE_OK(parse(&r, INPUT("[1]", "UINT32", "[ 4294967295 ]")), error);
    CHECK(*(uint32_t *)r.inputs->data == UINT32_MAX);
    REQUIRE_OK(parse(&r, INPUT("[2]", "INT64", "[-9223372036854775808,9007199254740993]")), error);
    CHECK(((int64_t *)r.inputs->data)[0] == INT64_MIN &&
          ((int64_t *)r.inputs->data)[1] == 9007199254740993);
    REQUIRE_OK(parse(&r, INPUT("[1]", "UINT64", "[18446744073709551615]")), error);
    CHECK(*(uint64_t *)r.inputs->data == UINT64_MAX);
    REQUIRE_OK(parse(&r, INPUT("[3]", "FP16", "[1.5,65504,0.1]")), error);
    CHECK(((uint16_t *)r.inputs->data)[0] == 0x3E00 && ((uint16_t *)r.inputs->data)[1] == 0x7BFF);
    CHECK(((uint16_t *)r.inputs->data)[2] == 0x2E66);
    REQUIRE_OK(parse(&r, INPUT("[2]", "FP64", "[0.1,1e308]")), error);
    CHECK(((double *)r.inputs->data)[0] == 0.1 && ((double *)r.inputs->data)[1] == 1e308);
    sw_arena_reset(&arena);
}

/* 1 + 2^-11 lies between two halves; a little more must go up, though a float cannot hold the
 * little. */
TEST(oip_json__fp16_is_rounded_once) {
    sw_infer_request r;
    REQUIRE_OK(parse(&r, INPUT("[3]", "FP16", "[1.00048828125,1.0004882812501,1.0004882812499]")),
               error);
    const uint16_t *h = r.inputs->data;
    CHECK(h[0] == 0x3C00 && h[1] == 0x3C01 && h[2] == 0x3C00);
    sw_arena_reset(&arena);
}

TEST(oip_json__what_does_not_fit_its_datatype_is_refused) {
    check_refused(INPUT("[3]", "UINT8", "[1,2,256]"),
                  "input 'X': data element 2 does not fit UINT8");
    check_refused(INPUT("[1]", "UINT8", "[-1]"), "does not fit UINT8");
    check_refused(INPUT("[1]", "INT8", "[128]"), "does not fit INT8");
    check_refused(INPUT("[1]", "INT32", "[2147483648]"), "does not fit INT32");
    check_refused(INPUT("[1]", "INT64", "[9223372036854775808]"), "does not fit INT64");
    check_refused(INPUT("[1]", "UINT64", "[18446744073709551616]"), "does not fit UINT64");
    check_refused(INPUT("[2]", "INT32", "[1,1.5]"),
                  "data element 1 is not whole, as INT32 must be");
    check_refused(INPUT("[1]", "BOOL", "[2]"), "does not fit BOOL");
    check_refused(INPUT("[1]", "BOOL", "[\"true\"]"),
                  "should be true, false, 0 or 1, but is a string");
    check_refused(INPUT("[1]", "INT32", "[true]"), "should be a whole number, but is true");
    check_refused(INPUT("[1]", "INT32", "[null]"), "should be a whole number, but is null");
    check_refused(INPUT("[1]", "INT32", "[NaN]"), "should be a whole number");
    check_refused(INPUT("[1]", "FP32", "[\"1\"]"), "should be a number, but is a string");
    check_refused(INPUT("[1]", "FP32", "[1e39]"), "does not fit FP32");
    check_refused(INPUT("[1]", "FP64", "[1e309]"), "does not fit FP64");
    check_refused(INPUT("[1]", "FP16", "[65520]"), "does not fit FP16");
    check_refused(INPUT("[1]", "FP16", "[1e300]"), "does not fit FP16");
    check_refused(INPUT("[1]", "FP32", "[01]"), "malformed number");
    check_refused(INPUT("[1]", "FP32", "[1.]"), "malformed number");
    check_refused(INPUT("[2]", "FP32", "[1 2]"), "expected ',' or ']'");
    check_refused(INPUT("[1]", "BYTES", "[1]"), "should be a string, but is a number");
    check_refused(INPUT("[1]", "FP32", "5"), "data should be a list, but is a number");
    check_refused(INPUT("[1]", "FLOAT", "[5]"), "unknown datatype 'FLOAT': use BOOL");
}

TEST(oip_json__takes_the_numbers_that_json_lacks) {
    sw_infer_request r;
    REQUIRE_OK(parse(&r, INPUT("[6]", "FP32", "[1,NaN,Infinity,-Infinity, null,2]")), error);
    const float *x = r.inputs->data;
    CHECK(x[0] == 1 && isnan(x[1]) && x[2] == INFINITY && x[3] == -INFINITY && isnan(x[4]) &&
          x[5] == 2);
    REQUIRE_OK(parse(&r, INPUT("[2]", "FP16", "[NaN,-Infinity]")), error);
    CHECK(isnan(sw_fp16_to_f32(((uint16_t *)r.inputs->data)[0])) &&
          ((uint16_t *)r.inputs->data)[1] == 0xFC00);
    check_refused(INPUT("[1]", "FP32", "[nan]"), "should be a number");
    check_refused(INPUT("[1]", "FP32", "[-Inf]"), "malformed number");
    check_refused(INPUT("[1]", "FP32", "[NaNa]"), "expected ',' or ']'");
    sw_arena_reset(&arena);
}

TEST(oip_json__duplicate_and_missing_keys_are_refused) {
    check_refused("{}", "the request has no \"inputs\"");
    check_refused("[]", "expected an object, found an array");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"name\":\"Y\"}]}", "duplicate key \"name\"");
    check_refused("{\"inputs\":[{\"name\":\"X\"}],\"inputs\":[]}", "has no \"datatype\"");
    check_refused("{\"id\":\"a\",\"id\":\"b\"}", "duplicate key \"id\"");
    check_refused("{\"inputs\":[{\"datatype\":\"FP32\",\"shape\":[1],\"data\":[1]}]}",
                  "input '?' has no \"name\"");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"shape\":[1],\"data\":[1]}]}",
                  "input 'X' has no \"datatype\"");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\",\"data\":[1]}]}",
                  "input 'X' has no \"shape\"");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\",\"shape\":[1]}]}",
                  "input 'X' has no \"data\"");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\",\"shape\":[1],\"parameters\":"
                  "{\"binary_data_size\":4}}]}",
                  "the header Inference-Header-Content-Length is missing");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"datatype\":\"FP32\",\"shape\":[1],\"parameters\":"
                  "{\"shared_memory_region\":\"r\"}}]}",
                  "shared memory is not supported");
    check_refused("{\"outputs\":[{\"parameters\":{}}]}", "an output without a \"name\"");
    check_refused("{\"outputs\":[{\"name\":\"a\"},{\"name\":\"a\"}]}",
                  "output 'a' is asked for twice");
    check_refused(
        "{\"inputs\":[{\"data\":[1,2,\"a\"],\"name\":\"X\",\"datatype\":\"FP32\",\"shape\":[3]}]}",
        "data element 2 should be a number");
    check_refused(INPUT("[1]", "FP32", "[1]") "x", "nothing more behind");
    check_refused("{\"inputs\":[{\"name\":\"X\",\"shape\":[1],\"datatype\":\"FP32\",\"data\":[1",
                  "',' or ']'");
}

TEST(oip_json__ten_thousand_levels_are_refused) {
    enum { LEVELS = 10000 };
    static char body[LEVELS + 200];
    int len =
        snprintf(body, sizeof body,
                 "{\"inputs\":[{\"name\":\"X\",\"shape\":[1,1],\"datatype\":\"FP32\",\"data\":");
    memset(body + len, '[', LEVELS);
    body[len + LEVELS] = '\0';
    check_refused(body, "data element 0 should be a number, but is an array");
    len = snprintf(body, sizeof body, "{\"more\":");
    memset(body + len, '[', LEVELS);
    body[len + LEVELS] = '\0';
    check_refused(body, "nested deeper than 64 levels");
}

/* ---- Binary tensors ---- */

static sw_str join(char *to, const char *json, const void *raw, size_t raw_len) {
    size_t len = strlen(json);
    memcpy(to, json, len);
    memcpy(to + len, raw, raw_len);
    return (sw_str){to, len + raw_len};
}

TEST(oip_json_binary__json_and_raw_inputs_mix) {
    char body[512];
    const char *json =
        "{\"inputs\":[{\"name\":\"a\",\"shape\":[2],\"datatype\":\"FP32\",\"parameters\":{\"binary_"
        "data_size\":8}},"
        "{\"name\":\"j\",\"shape\":[2],\"datatype\":\"INT8\",\"data\":[1,2]},"
        "{\"name\":\"s\",\"shape\":[3],\"datatype\":\"BYTES\",\"parameters\":{\"binary_data_size\":"
        "17}}],"
        "\"outputs\":[{\"name\":\"p\",\"parameters\":{\"binary_data\":true}},{\"name\":\"q\"}]}";
    const char raw[] = "\0\0\x80\x3F\0\0\0\xC0"
                       "\2\0\0\0de\0\0\0\0\3\0\0\0\xFF\0z";
    sw_infer_request r;
    REQUIRE_OK(parse_split(&r, join(body, json, raw, 25), (int64_t)strlen(json)), error);
    REQUIRE(r.input_count == 3);
    const float *a = r.inputs[0].data;
    CHECK(a[0] == 1 && a[1] == -2);
    CHECK(memcmp(r.inputs[1].data, "\1\2", 2) == 0);
    const sw_str *s = r.inputs[2].data;
    CHECK_STR(s[0], "de");
    CHECK(s[1].len == 0 && s[2].len == 3 && memcmp(s[2].at, "\xFF\0z", 3) == 0);
    CHECK(r.outputs[0].binary && !r.outputs[1].binary);
    sw_arena_reset(&arena);
}

TEST(oip_json_binary__aligned_bytes_are_not_copied) {
    _Alignas(16) char body[256];
    sw_infer_request r;
    for (size_t pad = 0; pad < 4; pad++) {
        char json[200];
        int len = snprintf(json, sizeof json,
                           "{\"inputs\":[{\"name\":\"a\",\"shape\":[1],\"datatype\":\"FP32\","
                           "\"parameters\":{\"binary_data_size\":4}}]}%.*s",
                           (int)pad, "   ");
        REQUIRE_OK(parse_split(&r, join(body, json, "\0\0\x80\x3F", 4), len), error);
        CHECK(*(float *)r.inputs->data == 1);
        bool inside = (char *)r.inputs->data >= body && (char *)r.inputs->data < body + sizeof body;
        CHECK(inside == (len % 4 == 0));
    }
    sw_arena_reset(&arena);
}

static void check_raw_refused(const char *shape, const char *datatype, const char *size,
                              const void *raw, size_t len, const char *why) {
    char json[256], body[512];
    int json_len =
        snprintf(json, sizeof json,
                 "{\"inputs\":[{\"name\":\"a\",\"shape\":%s,\"datatype\":\"%s\",\"parameters\":"
                 "{\"binary_data_size\":%s}}]}",
                 shape, datatype, size);
    sw_infer_request r;
    sw_status status = parse_split(&r, join(body, json, raw, len), json_len);
    if (status.code != SW_CODE_INVALID || !strstr(error.text, why))
        TEST_FAIL_("\"%s\", not \"%s\"", error.text, why);
    sw_arena_reset(&arena);
}

TEST(oip_json_binary__sizes_that_do_not_agree_are_refused) {
    check_raw_refused("[2]", "FP32", "4", "abcd", 4,
                      "input 'a' came with 4 raw bytes, but 2 elements of FP32 take 4 each");
    check_raw_refused("[1]", "FP32", "4", "abc", 3,
                      "has a binary_data_size of 4, but only 3 raw bytes are left");
    check_raw_refused("[1]", "FP32", "4", "abcde", 5,
                      "1 raw bytes are left over behind the last input");
    check_raw_refused("[1]", "FP32", "18446744073709551615", "abcd", 4, "that no body can have");
    check_raw_refused("[1]", "FP32", "18446744073709551614", "abcd", 4,
                      "only 4 raw bytes are left");
    check_raw_refused("[1]", "FP32", "-4", "abcd", 4, "does not fit 64 bits without a sign");
    check_raw_refused("[4611686018427387904]", "FP32", "0", "", 0, "came with 0 raw bytes");
    check_raw_refused("[2]", "BYTES", "6", "\2\0\0\0ab", 6, "too few for the 2 BYTES elements");
    check_raw_refused("[1]", "BYTES", "6", "\377\377\377\377ab", 6, "end within BYTES element 0");
    check_raw_refused("[1]", "BYTES", "7", "\2\0\0\0abc", 7,
                      "1 raw bytes are left over behind its 1 BYTES elements");
    check_raw_refused("[2]", "BOOL", "2", "\1\2", 2, "BOOL element 1 is byte 2, not 0 or 1");
}

TEST(oip_json_binary__the_header_must_lie_within_the_body) {
    sw_infer_request r;
    CHECK_INT(parse_split(&r, SW_STR("{}"), 3).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "Inference-Header-Content-Length is 3, but the body has 2 bytes");
    CHECK_INT(parse_split(&r, SW_STR("{}"), -7).code, SW_CODE_INVALID);
    CHECK_INT(parse_split(&r, SW_STR("{\"inputs\":[]}"), 5).code, SW_CODE_INVALID);
}

TEST(oip_json_binary__a_header_of_zero_is_one_raw_input) {
    _Alignas(8) static const char raw[] = "\0\0\x80\x3F\0\0\0\xC0\0\0\0\0\0\0\0\0";
    sw_tensor_spec specs[2] = {{.name = SW_STR("X"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 2}},
                               {.name = SW_STR("Y"), .dtype = SW_FP32, .rank = 1, .shape = {-1}}};
    sw_infer_request r = {0};
    REQUIRE_OK(sw_oip_json_parse(&r, (sw_str){raw, 16}, 0, specs, 1, &arena, &error), error);
    CHECK_STR(r.inputs->name, "X");
    CHECK(r.binary_output && r.inputs->shape[0] == 2 && r.inputs->shape[1] == 2 &&
          r.inputs->count == 4);
    CHECK(((float *)r.inputs->data)[1] == -2);
    CHECK_INT(sw_oip_json_parse(&r, (sw_str){raw, 12}, 0, specs, 1, &arena, &error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_oip_json_parse(&r, (sw_str){raw, 16}, 0, specs, 2, &arena, &error).code,
              SW_CODE_INVALID);
    CHECK_HAS(error.text, "the body is one raw input, but the model has 2");
    specs[0] =
        (sw_tensor_spec){.name = SW_STR("S"), .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}};
    REQUIRE_OK(sw_oip_json_parse(&r, SW_STR("hello"), 0, specs, 1, &arena, &error), error);
    CHECK_STR(*(sw_str *)r.inputs->data, "hello");
    CHECK(r.inputs->count == 1 && r.inputs->shape[0] == 1);
    sw_arena_reset(&arena);
}

/* ---- Answers ---- */

static const float probabilities[] = {0.25F, 0.75F, NAN, INFINITY};
static const int64_t labels[] = {-1, 9007199254740993};
static sw_str names[] = {{"a\"b", 3}, {"", 0}};
static const uint8_t flags[] = {1, 0};
static const uint16_t halves[] = {0x3E00, 0x2E66};

static const sw_tensor outputs[] = {
    {.name = {"p", 1},
     .dtype = SW_FP32,
     .rank = 2,
     .shape = {2, 2},
     .count = 4,
     .data = (void *)probabilities},
    {.name = {"label", 5},
     .dtype = SW_INT64,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)labels},
    {.name = {"s", 1}, .dtype = SW_BYTES, .rank = 1, .shape = {2}, .count = 2, .data = names},
    {.name = {"b", 1},
     .dtype = SW_BOOL,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)flags},
    {.name = {"h", 1},
     .dtype = SW_FP16,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)halves},
};

TEST(oip_json_answer__writes_every_output) {
    sw_buf buf = {0};
    int64_t header = 0;
    sw_infer_response response = {.model = SW_STR("m"),
                                  .version = SW_STR("3"),
                                  .id = SW_STR("7"),
                                  .outputs = outputs,
                                  .output_count = 5};
    sw_infer_request all = {0};
    CHECK_OK(sw_oip_json_write(&buf, &header, &response, &all, &error), error);
    CHECK_INT(header, SW_OIP_NO_HEADER);
    CHECK_STR(
        sw_buf_str(&buf),
        "{\"model_name\":\"m\",\"model_version\":\"3\",\"id\":\"7\",\"outputs\":["
        "{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[2,2],\"data\":[0.25,0.75,null,Infinity]},"
        "{\"name\":\"label\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[-1,9007199254740993]},"
        "{\"name\":\"s\",\"datatype\":\"BYTES\",\"shape\":[2],\"data\":[\"a\\\"b\",\"\"]},"
        "{\"name\":\"b\",\"datatype\":\"BOOL\",\"shape\":[2],\"data\":[true,false]},"
        "{\"name\":\"h\",\"datatype\":\"FP16\",\"shape\":[2],\"data\":[1.5,0.099975586]}]}");
    sw_buf_free(&buf);
}

TEST(oip_json_answer__binary_outputs_stand_behind_the_json) {
    sw_buf buf = {0};
    int64_t header = 0;
    sw_infer_response response = {
        .model = SW_STR("m"), .version = SW_STR("3"), .outputs = outputs, .output_count = 5};
    sw_wanted wanted[] = {{SW_STR("s"), true}, {SW_STR("label"), false}, {SW_STR("p"), true}};
    sw_infer_request request = {.outputs = wanted, .output_count = 3};
    CHECK_OK(sw_oip_json_write(&buf, &header, &response, &request, &error), error);
    CHECK_STR(
        ((sw_str){buf.at, (size_t)header}),
        "{\"model_name\":\"m\",\"model_version\":\"3\",\"outputs\":["
        "{\"name\":\"s\",\"datatype\":\"BYTES\",\"shape\":[2],\"parameters\":{\"binary_data_size\":"
        "11}},"
        "{\"name\":\"label\",\"datatype\":\"INT64\",\"shape\":[2],\"data\":[-1,9007199254740993]},"
        "{\"name\":\"p\",\"datatype\":\"FP32\",\"shape\":[2,2],\"parameters\":{\"binary_data_"
        "size\":16}}]}");
    REQUIRE(buf.len == (size_t)header + 27);
    CHECK(memcmp(buf.at + header, "\3\0\0\0a\"b\0\0\0\0", 11) == 0);
    CHECK(memcmp(buf.at + header + 11, probabilities, 16) == 0);
    sw_buf_clear(&buf);
    request = (sw_infer_request){.binary_output = true};
    CHECK_OK(sw_oip_json_write(&buf, &header, &response, &request, &error), error);
    CHECK_INT(buf.len - (size_t)header, 16 + 16 + 11 + 2 + 4);
    wanted[0].name = SW_STR("nothing");
    request = (sw_infer_request){.outputs = wanted, .output_count = 1};
    CHECK_INT(sw_oip_json_write(&buf, &header, &response, &request, &error).code, SW_CODE_INVALID);
    sw_buf_free(&buf);
}

TEST(oip_json_answer__bytes_that_are_no_text_must_travel_raw) {
    sw_str bad = {"\xFF", 1};
    sw_tensor t = {
        .name = SW_STR("s"), .dtype = SW_BYTES, .rank = 1, .shape = {1}, .count = 1, .data = &bad};
    sw_infer_response response = {
        .model = SW_STR("m"), .version = SW_STR("3"), .outputs = &t, .output_count = 1};
    sw_infer_request request = {0};
    sw_buf buf = {0};
    int64_t header;
    CHECK_INT(sw_oip_json_write(&buf, &header, &response, &request, &error).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "element 0 of output 's' is no UTF-8 text");
    request.binary_output = true;
    sw_buf_clear(&buf);
    CHECK_OK(sw_oip_json_write(&buf, &header, &response, &request, &error), error);
    sw_buf_free(&buf);
    sw_arena_free(&arena);
}

TEST_MAIN
