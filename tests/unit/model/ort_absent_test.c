/* SPDX-License-Identifier: Apache-2.0 */
/* A process without ONNX Runtime: linear models are served, and others are told what to install. */
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
