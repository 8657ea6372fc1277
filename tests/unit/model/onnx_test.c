/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are no models, or broken ones: each gets a clear answer, whatever is in it. */
#include "model/onnx.h"

#include "model_testing.h"

static sw_code open_bytes(const void *bytes, size_t len, sw_error *error) {
    sw_model *model = NULL;
    test_write_file(test_temporary_file(), bytes, len);
    sw_status status = sw_model_open(&model, test_temporary_file(), "auto", error);
    sw_model_close(model);
    unlink(test_temporary_file());
    return status.code;
}

static sw_code scan(const void *bytes, size_t len, sw_error *error) {
    sw_arena arena = {0};
    sw_onnx onnx;
    sw_status status = sw_onnx_scan(&onnx, (sw_str){bytes, len}, &arena, error);
    sw_arena_free(&arena);
    return status.code;
}

TEST(onnx__notes_what_the_choice_of_an_engine_needs) {
    sw_arena arena = {0};
    sw_onnx onnx;
    sw_error error;
    REQUIRE_OK(sw_onnx_open(&onnx, MODELS "scaled_classifier.onnx", &arena, &error), error);
    CHECK_STR(onnx.producer, "slipway-tests");
    CHECK_INT(onnx.ir_version, 8);
    CHECK_INT(onnx.op_count, 5);
    CHECK_STR(onnx.ops[0], "Scaler");
    CHECK_STR(onnx.ops[4], "ZipMap");
    CHECK_INT(onnx.zipmap_count, 1);
    CHECK_INT(onnx.output_count, 2);
    sw_onnx_close(&onnx);
    sw_arena_free(&arena);
}

TEST(onnx__operators_within_subgraphs_are_not_the_graph_s) {
    sw_arena arena = {0};
    sw_onnx onnx;
    sw_error error;
    REQUIRE_OK(sw_onnx_open(&onnx, MODELS "endless.onnx", &arena, &error), error);
    CHECK_INT(onnx.op_count, 1);
    CHECK_STR(onnx.ops[0], "Loop");
    CHECK_INT(onnx.output_count, 1);
    sw_onnx_close(&onnx);
    sw_arena_free(&arena);
}

TEST(onnx__every_truncation_of_a_model_is_refused) {
    size_t len, whole = 0;
    char *bytes = test_read_file(MODELS "logreg30_linearclassifier.onnx", &len);
    for (size_t cut = 0; cut < len; cut++) {
        sw_error error = {0};
        /* An own block of the exact length, so that the sanitizers see a read beyond it. */
        char *part = malloc(cut + 1);
        REQUIRE(part);
        memcpy(part, bytes, cut);
        part = realloc(part, cut ? cut : 1);
        sw_code code = scan(part, cut, &error);
        CHECK(code == SW_CODE_INVALID || code == SW_CODE_OK);
        if (code == SW_CODE_OK)
            whole++; /* cut between the fields behind the graph: the rest is a model still */
        else
            CHECK(error.text[0] != '\0');
        free(part);
    }
    CHECK(whole <= 3);
    free(bytes);
}

TEST(onnx__truncated_files_are_called_that) {
    size_t len;
    sw_error error = {0};
    char *bytes = test_read_file(MODELS "xgb100_d6.onnx", &len);
    CHECK_INT(open_bytes(bytes, len / 2, &error), SW_CODE_INVALID);
    CHECK_HAS(error.text, "truncated or damaged");
    free(bytes);
}

TEST(onnx__names_what_was_pushed_by_mistake) {
    static const struct {
        sw_str bytes;
        const char *reason;
    } mistakes[] = {
        {SW_STR("PK\3\4rest of a zip"), "zip archive"},
        {SW_STR("\x80\x04\x95rest of a pickle"), "pickle"},
        {SW_STR("\x89HDF\r\n"), "HDF5"},
        {SW_STR("{\"learner\": {}}"), "JSON"},
        {SW_STR("age,city\n40,Rome\n"), "no ONNX model"},
        {SW_STR("\0\0\0\0"), "no ONNX model"},
        {SW_STR("\x08\x07"), "holds no graph"},
        {SW_STR("\x3a\x00"), "no outputs"},
        {SW_STR(""), "empty"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        sw_error error = {0};
        CHECK_INT(open_bytes(mistakes[i].bytes.at, mistakes[i].bytes.len, &error), SW_CODE_INVALID);
        CHECK_HAS(error.text, mistakes[i].reason);
    }
}

TEST(onnx__missing_files_and_folders_are_told) {
    sw_model *model;
    sw_error error = {0};
    CHECK_INT(sw_model_open(&model, "/nonexistent/model.onnx", NULL, &error).code,
              SW_CODE_NOT_FOUND);
    CHECK_HAS(error.text, "/nonexistent/model.onnx");
    CHECK_INT(sw_model_open(&model, "/tmp", NULL, &error).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "no regular file");
}

TEST(onnx__unknown_engines_are_refused) {
    sw_model *model;
    sw_error error = {0};
    CHECK_INT(sw_model_open(&model, MODELS "logreg30.onnx", "tpu", &error).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "\"tpu\"");
    CHECK_HAS(error.text, "auto, native or onnxruntime");
}

TEST(onnx__a_length_of_4_gigabytes_is_refused) {
    /* ModelProto.graph with a length of 2^32, then of 2^64 - 1 */
    static const uint8_t four_gb[] = {0x08, 0x07, 0x3a, 0x80, 0x80, 0x80, 0x80, 0x10, 0x0a, 0x00};
    static const uint8_t most[] = {0x3a, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0x01, 0x00};
    sw_error error = {0};
    CHECK_INT(open_bytes(four_gb, sizeof four_gb, &error), SW_CODE_INVALID);
    CHECK_HAS(error.text, "wants 4294967296 bytes");
    CHECK_INT(open_bytes(most, sizeof most, &error), SW_CODE_INVALID);
}

TEST(onnx__negative_and_absurd_dimensions_are_refused) {
    /* graph { initializer { dims: -1 } output {} }, then dims: 2^62 */
    static const uint8_t negative[] = {0x3a, 0x0f, 0x2a, 0x0b, 0x08, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x62, 0x00};
    static const uint8_t absurd[] = {0x3a, 0x0e, 0x2a, 0x0a, 0x08, 0x80, 0x80, 0x80,
                                     0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0x62, 0x00};
    sw_error error = {0};
    CHECK_INT(scan(negative, sizeof negative, &error), SW_CODE_INVALID);
    CHECK_HAS(error.text, "dimension of -1");
    CHECK_INT(scan(absurd, sizeof absurd, &error), SW_CODE_INVALID);
    CHECK_HAS(error.text, "dimension of");
}

/* `depth` times graph { node { attribute { g: … } } }, each length written in five bytes. */
static char *nest(size_t depth, size_t *len) {
    static const uint8_t tags[] = {0x3a, 0x0a, 0x2a}; /* the outermost is ModelProto.graph */
    size_t levels = depth * 3, size = levels * 6;
    char *bytes = malloc(size);
    if (!bytes)
        abort();
    for (size_t i = 0; i < levels; i++) {
        char *at = bytes + i * 6;
        size_t inner = size - (i + 1) * 6;
        at[0] = i == 0 ? (char)tags[0] : i % 3 == 0 ? 0x32 : (char)tags[i % 3];
        for (int j = 0; j < 5; j++)
            at[1 + j] = (char)((inner >> (7 * j) & 0x7F) | (j < 4 ? 0x80 : 0));
    }
    *len = size;
    return bytes;
}

TEST(onnx__graphs_10000_deep_are_refused) {
    size_t len;
    sw_error error = {0};
    char *bytes = nest(10000, &len);
    CHECK_INT(open_bytes(bytes, len, &error), SW_CODE_INVALID);
    CHECK_HAS(error.text, "levels deep");
    free(bytes);
    bytes = nest(4, &len);
    CHECK_INT(open_bytes(bytes, len, &error), SW_CODE_INVALID);
    CHECK_HAS(error.text, "no outputs");
    free(bytes);
}

TEST(onnx__too_many_parts_are_refused_before_they_take_memory) {
    size_t nodes = (size_t)SW_ONNX_PARTS_MAX + 1, len = 6 + 2 * nodes;
    char *bytes = calloc(len, 1);
    sw_error error = {0};
    REQUIRE(bytes);
    bytes[0] = 0x3a;
    for (int j = 0; j < 5; j++)
        bytes[1 + j] = (char)((2 * nodes >> (7 * j) & 0x7F) | (j < 4 ? 0x80 : 0));
    for (size_t i = 0; i < nodes; i++)
        bytes[6 + 2 * i] = 0x0a;
    CHECK_INT(scan(bytes, len, &error), SW_CODE_UNSUPPORTED);
    CHECK_HAS(error.text, "parts");
    free(bytes);
}

TEST(onnx__weights_in_other_files_are_refused) {
    sw_model *model;
    sw_error error = {0};
    CHECK_INT(sw_model_open(&model, MODELS "external.onnx", NULL, &error).code,
              SW_CODE_UNSUPPORTED);
    CHECK_HAS(error.text, "external data");
    CHECK_HAS(error.text, "\"W\"");
}

TEST(onnx__any_changed_byte_is_survived) {
    size_t len;
    static const char *const files[] = {"logreg30.onnx", "scaled_classifier.onnx",
                                        "min_max_gemm.onnx"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char path[128];
        snprintf(path, sizeof path, MODELS "%s", files[f]);
        uint8_t *bytes = test_read_file(path, &len);
        for (size_t at = 0; at < len; at++)
            for (int value = 0; value < 256; value += 51) {
                uint8_t kept = bytes[at];
                sw_model *model = NULL;
                sw_error error = {0};
                bytes[at] = (uint8_t)value;
                test_write_file(test_temporary_file(), bytes, len);
                sw_status status = sw_model_open(&model, test_temporary_file(), "native", &error);
                CHECK(!sw_failed(status) || error.text[0]);
                sw_model_close(model);
                bytes[at] = kept;
            }
        free(bytes);
    }
    unlink(test_temporary_file());
}

TEST(onnx__zipmaps_are_taken_out_and_the_rest_stays) {
    sw_arena arena = {0};
    sw_onnx onnx, again;
    sw_onnx_plain *plain;
    sw_buf model = {0};
    sw_error error;
    REQUIRE_OK(sw_onnx_open(&onnx, MODELS "scaled_classifier.onnx", &arena, &error), error);
    REQUIRE_OK(sw_onnx_without_zipmaps(&model, &plain, &onnx, &arena, &error), error);
    CHECK(plain[0].tensor.len == 0);
    CHECK_STR(plain[1].tensor, "probabilities");
    CHECK_STR(plain[1].name, "output_probability");
    CHECK_INT(plain[1].label_count, 3);
    REQUIRE_OK(sw_onnx_scan(&again, sw_buf_str(&model), &arena, &error), error);
    CHECK_INT(again.zipmap_count, 0);
    CHECK_INT(again.op_count, onnx.op_count - 1);
    CHECK_INT(again.output_count, 2);
    CHECK_STR(again.producer, "slipway-tests");
    sw_onnx_close(&onnx);
    sw_buf_free(&model);
    sw_arena_free(&arena);
}

TEST_MAIN
