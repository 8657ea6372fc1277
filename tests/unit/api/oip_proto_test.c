/* SPDX-License-Identifier: Apache-2.0 */
#include "api/oip_proto.h"

#include "unit/test.h"

static sw_arena arena;
static sw_error error;

/* A golden message, made by protoc from the text beside it. */
static sw_str golden(const char *name) {
    char path[256];
    static char bytes[4096];
    snprintf(path, sizeof path, "tests/data/oip_proto/%s.bin", name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        TEST_FAIL_("cannot open %s (tests run in the root of the sources)", path);
        return (sw_str){0};
    }
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return (sw_str){bytes, len};
}

/* In a block of its own size, so that a read beyond it is seen by the sanitizer. */
static sw_status parse_bytes(sw_infer_request *out, sw_str bytes) {
    char *copy = sw_arena_alloc(&arena, bytes.len + 1);
    memcpy(copy, bytes.at, bytes.len);
    error.text[0] = '\0';
    return sw_oip_proto_parse_infer(out, (sw_str){copy, bytes.len}, &arena, &error);
}

static void check_refused(sw_str bytes, const char *why) {
    sw_infer_request r;
    sw_status status = parse_bytes(&r, bytes);
    if (status.code != SW_CODE_INVALID || !strstr(error.text, why))
        TEST_FAIL_("\"%s\", not \"%s\"", error.text, why);
    sw_arena_reset(&arena);
}

TEST(oip_proto__reads_raw_contents) {
    sw_infer_request r;
    REQUIRE_OK(parse_bytes(&r, golden("request_raw")), error);
    CHECK_STR(r.model, "fraud");
    CHECK_STR(r.version, "3");
    CHECK_STR(r.id, "r-1");
    CHECK(r.raw && r.input_count == 2 && r.output_count == 1);
    CHECK_STR(r.outputs->name, "label");
    const sw_tensor *x = &r.inputs[0];
    CHECK_STR(x->name, "X");
    CHECK(x->dtype == SW_FP32 && x->rank == 2 && x->shape[0] == 2 && x->shape[1] == 2 &&
          x->count == 4);
    const float *data = x->data;
    CHECK(data[0] == 1 && data[1] == -2 && isnan(data[2]) && data[3] == INFINITY);
    const sw_str *names = r.inputs[1].data;
    CHECK_STR(names[0], "de");
    CHECK_STR(names[1], "");
    sw_arena_reset(&arena);
}

#define VALUE(type, input, i) (((const type *)r.inputs[input].data)[i])

TEST(oip_proto__reads_typed_contents_of_every_datatype) {
    sw_infer_request r;
    REQUIRE_OK(parse_bytes(&r, golden("request_typed")), error);
    REQUIRE(r.input_count == 13 && !r.raw);
    CHECK(VALUE(uint8_t, 0, 0) == 1 && VALUE(uint8_t, 0, 1) == 0 && VALUE(uint8_t, 0, 2) == 1);
    CHECK(VALUE(int8_t, 1, 0) == -128 && VALUE(int8_t, 1, 1) == 127);
    CHECK(VALUE(int16_t, 2, 0) == -32768 && VALUE(int16_t, 2, 1) == 32767);
    CHECK(VALUE(int32_t, 3, 0) == INT32_MIN && VALUE(int32_t, 3, 1) == INT32_MAX);
    CHECK(VALUE(int64_t, 4, 0) == INT64_MIN && VALUE(int64_t, 4, 1) == INT64_MAX &&
          VALUE(int64_t, 4, 2) == 9007199254740993);
    CHECK(VALUE(uint8_t, 5, 0) == 0 && VALUE(uint8_t, 5, 1) == 255);
    CHECK(VALUE(uint16_t, 6, 0) == 65535 && VALUE(uint32_t, 7, 0) == UINT32_MAX &&
          VALUE(uint64_t, 8, 0) == UINT64_MAX);
    CHECK(VALUE(float, 9, 0) == 0.1F && VALUE(float, 9, 1) == -INFINITY);
    CHECK(VALUE(double, 10, 0) == 0.1 && isnan(VALUE(double, 10, 1)));
    CHECK(VALUE(sw_str, 11, 0).len == 3 && memcmp(VALUE(sw_str, 11, 0).at, "a\0b", 3) == 0);
    CHECK_STR(VALUE(sw_str, 11, 2), "\xFF");
    CHECK(r.inputs[12].count == 0 && r.inputs[12].data);
    sw_arena_reset(&arena);
}

TEST(oip_proto__reads_unpacked_numbers_and_skips_unknown_fields) {
    sw_infer_request r;
    REQUIRE_OK(parse_bytes(&r, golden("request_unpacked")), error);
    REQUIRE(r.input_count == 5);
    CHECK(r.inputs[0].rank == 2 && VALUE(float, 0, 0) == 1.5F && VALUE(float, 0, 1) == -2);
    CHECK(VALUE(int64_t, 1, 0) == -1 && VALUE(int64_t, 1, 1) == 300);
    CHECK(VALUE(int32_t, 2, 0) == -1 && VALUE(int32_t, 2, 1) == 300);
    CHECK(VALUE(double, 3, 0) == 0.25);
    CHECK(VALUE(uint8_t, 4, 0) == 1 && VALUE(uint8_t, 4, 1) == 0);
    sw_arena_reset(&arena);
}

/* Every beginning of a good message is either refused or a message of its own; none reads beyond.
 */
TEST(oip_proto__survives_every_truncation_and_flipped_byte) {
    static const char *const names[] = {"request_raw", "request_typed", "request_unpacked"};
    for (size_t k = 0; k < 3; k++) {
        sw_infer_request r;
        char bytes[4096];
        sw_str whole = golden(names[k]);
        memcpy(bytes, whole.at, whole.len);
        for (size_t len = 0; len < whole.len; len++) {
            (void)parse_bytes(&r, (sw_str){bytes, len});
            for (int flip = 1; flip < 256; flip *= 4) {
                bytes[len] = (char)(bytes[len] ^ flip);
                (void)parse_bytes(&r, (sw_str){bytes, whole.len});
                bytes[len] = (char)(bytes[len] ^ flip);
            }
            sw_arena_reset(&arena);
        }
        CHECK_OK(parse_bytes(&r, (sw_str){bytes, whole.len}), error);
    }
}

#define BYTES(literal) ((sw_str){literal, sizeof(literal) - 1})

TEST(oip_proto__lengths_that_lie_are_refused) {
    check_refused(BYTES("\x0A\xFF\xFF\xFF\xFF\x0F"
                        "a"),
                  "field 1 claims 4294967295 bytes, but 1 are left");
    check_refused(BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
                        "a"),
                  "claims 18446744073709551615 bytes");
    check_refused(BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"
                        "a"),
                  "more than 64 bits");
    check_refused(BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), "more than 64 bits");
    check_refused(BYTES("\x0A\x80"), "ends within a number");
    check_refused(BYTES("\x0A"), "ends within a number");
    check_refused(BYTES("\x80"), "ends within a number");
    check_refused(BYTES("\x00\x01"), "no field has the number 0");
    check_refused(BYTES("\x0B"), "field 1 has wire type 3");
    check_refused(BYTES("\x0F"), "field 1 has wire type 7");
    check_refused(BYTES("\x08\x01"), "field 1 has wire type 0, not 2");
    check_refused(BYTES("\x0A\x01\xFF"), "field 1 is a string that is not UTF-8");
    check_refused(BYTES("\x61\x01\x02"), "ends within a number"); /* unknown fixed64 */
    check_refused(BYTES("{\"inputs\":[]}"), "wire type 3");
}

#define INPUT(len, rest)           \
    "\x2A" len "\x0A\x01X\x12\x04" \
    "FP32"                         \
    "\x1A\x01\x02" rest

TEST(oip_proto__contents_that_do_not_agree_are_refused) {
    check_refused(BYTES(INPUT("\x0C", "")), "input 'X' has no contents");
    check_refused(BYTES(INPUT("\x14", "\x2A\x06\x32\x04\0\0\0\0")),
                  "has fewer elements than the 2 of its shape");
    check_refused(BYTES(INPUT("\x1C", "\x2A\x0E\x32\x0C"
                                      "aaaabbbbcccc")),
                  "has more elements than the 2");
    check_refused(BYTES(INPUT("\x17", "\x2A\x09\x3A\x07"
                                      "aaaabbb")),
                  "is FP32, which goes into fp32_contents, not fp64_contents");
    check_refused(BYTES(INPUT("\x17", "\x2A\x09\x32\x07"
                                      "aaaabbb")),
                  "ends within a number");
    check_refused(BYTES(INPUT("\x12", "\x2A\x04\x30\x01\x30\x01")),
                  "field 6 has wire type 0, not 5");
    check_refused(BYTES(INPUT("\x0C", "") "\x3A\x04"
                                          "aaaa"),
                  "came with 4 raw bytes, but 2 elements of FP32 take 4 each");
    check_refused(BYTES(INPUT("\x0C", "") "\x3A\x08"
                                          "aaaabbbb\x3A\x00"),
                  "2 raw_input_contents for 1 inputs");
    check_refused(BYTES(INPUT("\x18", "\x2A\x0A\x32\x08"
                                      "aaaabbbb") "\x3A\x08"
                                                  "aaaabbbb"),
                  "contents beside raw_input_contents");
    check_refused(BYTES("\x2A\x0F\x0A\x01X\x12\x04"
                        "UINT"
                        "\x1A\x04\x01\x01\x01\x01"),
                  "has datatype 'UINT': use BOOL");
    check_refused(BYTES("\x2A\x17\x0A\x01X\x12\x04"
                        "FP32"
                        "\x1A\x0C\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"),
                  "more than 8 dimensions");
    check_refused(BYTES("\x2A\x15\x0A\x01X\x12\x04"
                        "FP32"
                        "\x1A\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
                  "a dimension of -1");
    check_refused(BYTES("\x2A\x11\x0A\x01X\x12\x04"
                        "INT8"
                        "\x1A\x01\x01\x2A\x03\x10\x80\x01"),
                  "element 0 does not fit INT8");
    check_refused(BYTES("\x2A\x10\x0A\x01X\x12\x04"
                        "FP16"
                        "\x1A\x01\x01\x2A\x02\x30\x01"),
                  "goes into raw_input_contents");
    check_refused(BYTES("\x2A\x06\x12\x04"
                        "FP32"),
                  "an input without a name");
    check_refused(BYTES("\x32\x03\x0A\x01p\x32\x03\x0A\x01p"), "output 'p' is asked for twice");
    check_refused(BYTES("\x2A\x18\x22\x16\x0A\x14"
                        "shared_memory_region"),
                  "shared memory is not supported");
}

TEST(oip_proto__a_shape_that_claims_too_much_takes_no_memory) {
    check_refused(BYTES("\x2A\x15\x0A\x01X\x12\x04"
                        "FP32"
                        "\x1A\x05\x80\x80\x80\x80\x40\x2A\x03\x32\x01"
                        "a"),
                  "fewer elements than the");
    check_refused(BYTES("\x2A\x1B\x0A\x01X\x12\x04"
                        "FP32"
                        "\x1A\x09\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F\x2A\x05\x32\x03"
                        "abc"),
                  "fewer elements than the 9223372036854775807");
}

/* ---- Answers ---- */

static const int64_t labels[] = {-1, 9007199254740993};
static const float probabilities[] = {0.25F, 0.75F, 0.5F, 0.1F};
static const uint8_t bytes_u8[] = {7, 200}, flags[] = {1, 0};
static sw_str words[] = {{"yes", 3}, {"", 0}};
static const uint16_t halves[] = {0x3C00};

static const sw_tensor outputs[] = {
    {.name = {"label", 5},
     .dtype = SW_INT64,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)labels},
    {.name = {"p", 1},
     .dtype = SW_FP32,
     .rank = 2,
     .shape = {2, 2},
     .count = 4,
     .data = (void *)probabilities},
    {.name = {"u8", 2},
     .dtype = SW_UINT8,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)bytes_u8},
    {.name = {"b", 1},
     .dtype = SW_BOOL,
     .rank = 1,
     .shape = {2},
     .count = 2,
     .data = (void *)flags},
    {.name = {"s", 1}, .dtype = SW_BYTES, .rank = 1, .shape = {2}, .count = 2, .data = words},
    {.name = {"h", 1},
     .dtype = SW_FP16,
     .rank = 1,
     .shape = {1},
     .count = 1,
     .data = (void *)halves},
};

static void check_golden(const sw_buf *buf, const char *name) {
    sw_str wanted = golden(name);
    if (!sw_str_eq(sw_buf_str(buf), wanted))
        TEST_FAIL_("not the %zu bytes of %s.bin, but these %zu", wanted.len, name, buf->len);
}

TEST(oip_proto_answer__is_typed_where_the_request_was) {
    sw_infer_response response = {.model = SW_STR("fraud"),
                                  .version = SW_STR("3"),
                                  .id = SW_STR("r-1"),
                                  .outputs = outputs,
                                  .output_count = 5};
    sw_infer_request request = {0};
    sw_buf buf = {0};
    CHECK_OK(sw_oip_proto_write_infer(&buf, &response, &request, &error), error);
    check_golden(&buf, "response_typed");
    sw_buf_free(&buf);
}

TEST(oip_proto_answer__is_raw_where_the_request_was) {
    sw_infer_response response = {.model = SW_STR("fraud"),
                                  .version = SW_STR("3"),
                                  .id = SW_STR("r-1"),
                                  .outputs = outputs,
                                  .output_count = 6};
    sw_wanted wanted[] = {{SW_STR("s"), false}, {SW_STR("p"), false}};
    sw_infer_request request = {.raw = true, .outputs = wanted, .output_count = 2};
    sw_buf buf = {0};
    CHECK_OK(sw_oip_proto_write_infer(&buf, &response, &request, &error), error);
    check_golden(&buf, "response_raw");
    wanted[1].name = SW_STR("nothing");
    CHECK_INT(sw_oip_proto_write_infer(&buf, &response, &request, &error).code, SW_CODE_INVALID);
    sw_buf_free(&buf);
}

TEST(oip_proto_answer__fp16_makes_it_raw) {
    sw_infer_response response = {.model = SW_STR("m"), .outputs = outputs + 5, .output_count = 1};
    sw_infer_request request = {0};
    sw_buf buf = {0};
    CHECK_OK(sw_oip_proto_write_infer(&buf, &response, &request, &error), error);
    CHECK(buf.len > 4 && memcmp(buf.at + buf.len - 4, "\x32\x02\x00\x3C", 4) == 0);
    sw_buf_free(&buf);
}

/* An answer has the fields of a request but for the raw contents' number: it can be read back. */
TEST(oip_proto_answer__a_long_one_reads_back) {
    enum { COUNT = 5000 };
    static int64_t values[COUNT];
    for (int i = 0; i < COUNT; i++)
        values[i] = (i & 1 ? -1 : 1) * ((int64_t)i << (i % 50));
    sw_tensor t = {.name = SW_STR("v"),
                   .dtype = SW_INT64,
                   .rank = 1,
                   .shape = {COUNT},
                   .count = COUNT,
                   .data = values};
    sw_infer_response response = {.model = SW_STR("m"), .outputs = &t, .output_count = 1};
    sw_infer_request request = {0}, back;
    sw_buf buf = {0};
    CHECK_OK(sw_oip_proto_write_infer(&buf, &response, &request, &error), error);
    CHECK_OK(parse_bytes(&back, sw_buf_str(&buf)), error);
    CHECK(back.input_count == 1 && memcmp(back.inputs->data, values, sizeof values) == 0);
    sw_arena_reset(&arena);
    sw_buf_free(&buf);
}

/* ---- The small ones ---- */

TEST(oip_proto__small_requests) {
    sw_str name, version;
    CHECK_OK(sw_oip_proto_parse_model(&name, &version, golden("model_ready"), &error), error);
    CHECK_STR(name, "fraud");
    CHECK_STR(version, "2");
    CHECK_OK(sw_oip_proto_parse_health(&name, golden("health_request"), &error), error);
    CHECK_STR(name, "inference.GRPCInferenceService");
    CHECK_OK(sw_oip_proto_parse_health(&name, (sw_str){0}, &error), error);
    CHECK_STR(name, "");
    CHECK_INT(sw_oip_proto_parse_health(&name,
                                        BYTES("\x0A\x05"
                                              "ab"),
                                        &error)
                  .code,
              SW_CODE_INVALID);
    CHECK_INT(sw_oip_proto_parse_model(&name, &version, BYTES("\x10\x05"), &error).code,
              SW_CODE_INVALID);
}

TEST(oip_proto__small_answers) {
    sw_buf buf = {0};
    sw_oip_proto_write_yes_no(&buf, true);
    check_golden(&buf, "ready");
    sw_buf_clear(&buf);
    sw_oip_proto_write_yes_no(&buf, false);
    CHECK_INT(buf.len, 0);
    sw_oip_proto_write_health(&buf, SW_HEALTH_NOT_SERVING);
    check_golden(&buf, "health");
    sw_buf_clear(&buf);
    sw_str extensions[] = {SW_STR("binary_tensor_data"), SW_STR("other")};
    sw_oip_proto_write_server(&buf, SW_STR("slipway"), SW_STR("0.1.0"), extensions, 2);
    check_golden(&buf, "server_metadata");
    sw_buf_clear(&buf);
    sw_str versions[] = {SW_STR("1"), SW_STR("2")};
    sw_tensor_spec in = {.name = SW_STR("X"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 30}};
    sw_tensor_spec out = {.name = SW_STR("label"), .dtype = SW_INT64, .rank = 1, .shape = {-1}};
    sw_oip_model model = {.name = SW_STR("fraud"),
                          .versions = versions,
                          .version_count = 2,
                          .platform = SW_STR("onnx"),
                          .inputs = &in,
                          .input_count = 1,
                          .outputs = &out,
                          .output_count = 1};
    sw_oip_proto_write_model(&buf, &model);
    check_golden(&buf, "model_metadata");
    sw_buf_free(&buf);
    sw_arena_free(&arena);
}

TEST_MAIN
