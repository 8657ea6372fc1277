/* SPDX-License-Identifier: Apache-2.0 */
/* A process without ONNX Runtime: linear models are served, and others are told what to install. */
#include "model/ort_private.h"
#include "model_testing.h"

__attribute__((constructor(101))) static void turn_off(void) {
    setenv("SLIPWAY_ORT", "none", 1);
}

TEST(ort_absent__says_why_there_is_none) {
    sw_error why = {0};
    CHECK(sw_ort_version(&why) == NULL);
    CHECK_HAS(why.text, "SLIPWAY_ORT=none");
    CHECK(sw_ort_version(NULL) == NULL);
}

TEST(ort_absent__a_message_is_told_without_the_library_s_own_places) {
    static const struct {
        const char *message, *words;
    } rows[] = {
        {"", ""},
        {"plain words\n", "plain words"},
        {"Load model from /data/ab failed:Fatal error: Foo is no operator",
         "Fatal error: Foo is no operator"},
        {"Load model from /data/ab failed:/onnxruntime_src/core/graph/model_load_utils.h:46 void "
         "onnxruntime::model_load_utils::Validate(const std::unordered_map<std::string, int>&, "
         "bool) ONNX Runtime only guarantees support up to opset 23.\n",
         "ONNX Runtime only guarantees support up to opset 23."},
        {"Non-zero status code returned while running Reshape node. Name:'' Status Message: "
         "/onnxruntime_src/core/reshape_helper.h:91 "
         "onnxruntime::ReshapeHelper::ReshapeHelper(const "
         "onnxruntime::TensorShape&, bool) size was false. The\ninput",
         "Non-zero status code returned while running Reshape node. Name:'' Status Message: size "
         "was "
         "false. The input"},
        {"/a/b.cc:12 auto f()::operator()(int (*)(int)) const it broke", "it broke"},
        {"/a/b.cc:12 no arguments", "no arguments"},
        {"/a/b.cc:12 f(never closed", "f(never closed"},
        {"a header.h: was lost", "a header.h: was lost"},
        {"/a/b.cc: was lost", "/a/b.cc: was lost"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char words[SW_ERROR_BYTES];
        sw_ort_plain_words(words, sizeof words, rows[i].message);
        CHECK_TEXT(words, rows[i].words);
    }
    char few[8];
    sw_ort_plain_words(few, sizeof few, "longer than that");
    CHECK_TEXT(few, "longer");
}

TEST(ort_absent__serves_linear_models_all_the_same) {
    sw_model *model = test_open("logreg30.onnx", "auto");
    CHECK(model != NULL);
    sw_model_close(model);
}

TEST(ort_absent__tells_what_needs_it) {
    sw_model *model;
    sw_error error = {0};
    sw_status status = sw_model_open(&model, MODELS "xgb100_d6.onnx", "auto", &error);
    CHECK_INT(status.code, SW_CODE_UNAVAILABLE);
    CHECK_HAS(error.text,
              "operator TreeEnsembleClassifier is not linear, so the model needs ONNX Runtime");
    status = sw_model_open(&model, MODELS "logreg30.onnx", "onnxruntime", &error);
    CHECK_INT(status.code, SW_CODE_UNAVAILABLE);
    CHECK(model == NULL);
}

TEST_MAIN
