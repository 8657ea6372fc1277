/* SPDX-License-Identifier: Apache-2.0 */
#include "model/native_private.h"

#include "model_testing.h"

enum { ROWS = 256, FEATURES = 30 };

static float *read_floats(const char *name, size_t count) {
    char path[256];
    size_t len;
    snprintf(path, sizeof path, MODELS "%s", name);
    float *floats = test_read_file(path, &len);
    if (len != count * sizeof *floats)
        abort();
    return floats;
}

/* Output `which` of `file` on the reference rows, against the file of expected outputs. */
static void check_reference(const char *file, const char *engine, const char *wanted_file,
                            size_t which, size_t width) {
    float *rows = read_floats("rows30.in.f32", ROWS * FEATURES);
    float *wanted = read_floats(wanted_file, ROWS * width);
    sw_model *model = test_open(file, engine);
    sw_arena arena = {0};
    sw_tensor out[4], in = test_rows(rows, ROWS, FEATURES);
    sw_error error;
    if (model) {
        CHECK_OK(sw_model_run(out, model, &in, &arena, NULL, &error), error);
        CHECK_INT(out[which].count, ROWS * width);
        for (size_t i = 0; i < ROWS * width; i++)
            CHECK_NEAR(((float *)out[which].data)[i], wanted[i], 1e-5);
    }
    sw_model_close(model);
    sw_arena_free(&arena);
    free(rows);
    free(wanted);
}

TEST(native__reproduces_a_logistic_regression) {
    check_reference("logreg30.onnx", "native", "logreg30.out.f32", 0, 1);
}

TEST(native__reproduces_a_linear_classifier) {
    float *wanted = read_floats("logreg30.out.f32", ROWS),
          *rows = read_floats("rows30.in.f32", ROWS * FEATURES);
    sw_model *model = test_open("logreg30_linearclassifier.onnx", "auto");
    sw_arena arena = {0};
    sw_tensor out[2], in = test_rows(rows, ROWS, FEATURES);
    sw_error error;
    REQUIRE(model);
    REQUIRE_OK(sw_model_run(out, model, &in, &arena, NULL, &error), error);
    CHECK_STR(out[0].name, "label");
    CHECK_INT(out[0].dtype, SW_INT64);
    CHECK_INT(out[0].rank, 1);
    CHECK_INT(out[1].shape[1], 2);
    for (size_t i = 0; i < ROWS; i++) {
        CHECK_NEAR(((float *)out[1].data)[2 * i + 1], wanted[i], 1e-5);
        CHECK_NEAR(((float *)out[1].data)[2 * i], 1 - wanted[i], 1e-5);
        CHECK_INT(((int64_t *)out[0].data)[i], wanted[i] > 0.5F);
    }
    sw_model_close(model);
    sw_arena_free(&arena);
    free(rows);
    free(wanted);
}

TEST(native__says_that_no_runtime_is_needed) {
    sw_model *model = test_open("logreg30.onnx", NULL);
    REQUIRE(model);
    const sw_model_info *info = sw_model_get_info(model);
    CHECK_TEXT(info->engine, "native");
    CHECK_TEXT(info->engine_why, "linear model: computed natively, no runtime needed");
    CHECK_STR(info->producer, "mlops-ref");
    CHECK(info->first_dim_is_batch);
    CHECK_INT(info->input_count, 1);
    CHECK_STR(info->inputs[0].name, "X");
    CHECK_STR(info->inputs[0].dim_names[0], "N");
    CHECK_INT(info->inputs[0].shape[0], -1);
    CHECK_INT(info->inputs[0].shape[1], 30);
    CHECK_STR(info->outputs[0].dim_names[0], "N");
    CHECK_INT(info->outputs[0].shape[1], 1);
    sw_model_close(model);
}

TEST(native__gives_a_row_the_same_bits_in_any_company) {
    float *rows = read_floats("rows30.in.f32", ROWS * FEATURES);
    sw_model *model = test_open("logreg30_linearclassifier.onnx", "native");
    sw_arena arena = {0};
    sw_error error;
    sw_tensor all[2], in = test_rows(rows, ROWS, FEATURES);
    REQUIRE(model);
    REQUIRE_OK(sw_model_run(all, model, &in, &arena, NULL, &error), error);
    for (size_t count = 1; count < 9; count++)
        for (size_t row = 0; row + count <= ROWS; row += 7) {
            sw_tensor some[2];
            in = test_rows(rows + row * FEATURES, count, FEATURES);
            REQUIRE_OK(sw_model_run(some, model, &in, &arena, NULL, &error), error);
            CHECK(memcmp((float *)all[1].data + 2 * row, some[1].data, count * 2 * sizeof(float)) ==
                  0);
        }
    sw_model_close(model);
    sw_arena_free(&arena);
    free(rows);
}

TEST(native__kernels_agree_at_every_width) {
    enum { WIDTH_MAX = 70, OUT_MAX = 6, N = 7 };
    static float weights[OUT_MAX][80], rows[N * WIDTH_MAX], fast[N * OUT_MAX], plain[N * OUT_MAX];
    static const float bias[OUT_MAX] = {0.5F, -1, 2, 0, 3, -4};
    uint32_t state = 7;
    for (size_t width = 1; width <= WIDTH_MAX; width++)
        for (uint32_t out = 1; out <= OUT_MAX; out++) {
            for (size_t j = 0; j < OUT_MAX; j++)
                for (size_t i = 0; i < 80; i++)
                    weights[j][i] = i < width ? test_next_float(&state) : 0;
            /* An own block of the exact length: a read beyond it is found by the sanitizers. */
            float *exact = malloc(N * width * sizeof *exact);
            REQUIRE(exact);
            for (size_t i = 0; i < N * width; i++)
                exact[i] = rows[i] = test_next_float(&state);
            sw_native_step step = {.in_width = (uint32_t)width,
                                   .out_width = out,
                                   .stride = 80,
                                   .weights = &weights[0][0],
                                   .bias = bias};
            sw_native_pick_affine()(fast, exact, N, &step);
            sw_native_affine_portable(plain, rows, N, &step);
            for (size_t i = 0; i < N * out; i++)
                CHECK_NEAR(fast[i], plain[i], 2e-5);
            free(exact);
        }
}

TEST(native__of_equal_scores_the_first_wins) {
    float scores[] = {1, 3, 3, 2, 2, 2, NAN, 1, 5};
    int64_t labels[3];
    sw_native_step step = {.from = 0, .to = 1, .in_width = 3, .out_width = 1};
    sw_native_block block = {.slots = {(char *)scores, (char *)labels}, .rows = 3};
    CHECK(sw_native_run_argmax(&step, &block));
    CHECK_INT(labels[0], 1);
    CHECK_INT(labels[1], 0);
    CHECK_INT(labels[2], 0); /* nothing is above NaN */
    step.in_width = 1;       /* a binary classifier's one score */
    block.rows = 1;
    scores[0] = 0;
    CHECK(sw_native_run_argmax(&step, &block));
    CHECK_INT(labels[0], 0);
}

static bool same(const sw_tensor *a, const sw_tensor *b) {
    if (a->dtype != b->dtype || a->rank != b->rank || a->count != b->count ||
        memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) != 0)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->dtype == SW_BYTES) {
            if (!sw_str_eq(((sw_str *)a->data)[i], ((sw_str *)b->data)[i]))
                return false;
            continue;
        }
        double x = sw_tensor_f64(a, i), y = sw_tensor_f64(b, i);
        if (!(fabs(x - y) <= 1e-5 * fmax(1, fabs(y))) && !(isnan(x) && isnan(y)) && x != y)
            return false;
    }
    return true;
}

/* Every linear model on ordinary and on extreme rows: values, labels and shapes as ONNX Runtime has
 * them. */
static void check_against_ort(const char *file, float scale) {
    enum { N = 130 };
    sw_model *native = test_open(file, "native"), *ort = test_open(file, "onnxruntime");
    sw_arena arena = {0};
    sw_error error = {0};
    uint32_t state = 5;
    REQUIRE(native && ort);
    const sw_model_info *info = sw_model_get_info(native), *ort_info = sw_model_get_info(ort);
    size_t width = (size_t)info->inputs[0].shape[1];
    float *rows = malloc(N * width * sizeof *rows);
    REQUIRE(rows);
    for (size_t i = 0; i < N * width; i++)
        rows[i] = test_next_float(&state) * scale;
    CHECK_INT(info->output_count, ort_info->output_count);
    for (size_t count = 0; count <= N; count += count < 5 ? 1 : 25) {
        sw_tensor ours[4], theirs[4], in = test_rows(rows, count, width);
        CHECK_OK(sw_model_run(ours, native, &in, &arena, NULL, &error), error);
        CHECK_OK(sw_model_run(theirs, ort, &in, &arena, NULL, &error), error);
        for (size_t i = 0; i < info->output_count; i++) {
            CHECK(sw_str_eq(ours[i].name, theirs[i].name));
            if (!same(&ours[i], &theirs[i]))
                TEST_FAIL_("%s: output %zu of %zu rows (scale %g) differs from ONNX Runtime's",
                           file, i, count, (double)scale);
        }
    }
    sw_model_close(native);
    sw_model_close(ort);
    sw_arena_free(&arena);
    free(rows);
}

static const char *const linear_models[] = {
    "logreg30.onnx",           "logreg30_linearclassifier.onnx",
    "softmax3.onnx",           "scaled_classifier.onnx",
    "one_row_none.onnx",       "one_row_logistic.onnx",
    "classifier_none.onnx",    "classifier_logistic.onnx",
    "classifier_softmax.onnx", "classifier_softmax_zero.onnx",
    "regressor.onnx",          "min_max_gemm.onnx",
    "weights_as_inputs.onnx",  "two_copies.onnx",
};

TEST(native__agrees_with_onnx_runtime) {
    SKIP_WITHOUT_ORT;
    for (size_t i = 0; i < sizeof linear_models / sizeof *linear_models; i++) {
        check_against_ort(linear_models[i], 1);
        check_against_ort(linear_models[i], 20);
        check_against_ort(linear_models[i], 0);
        check_against_ort(linear_models[i], INFINITY);
        check_against_ort(linear_models[i], NAN);
    }
}

TEST(native__labels_follow_class_names) {
    sw_model *model = test_open("scaled_classifier.onnx", "native");
    sw_arena arena = {0};
    sw_error error;
    float row[] = {0.1F, -1, 3, 0.5F};
    sw_tensor out[2], in = test_rows(row, 1, 4);
    REQUIRE(model);
    REQUIRE_OK(sw_model_run(out, model, &in, &arena, NULL, &error), error);
    const sw_tensor_spec *spec = &sw_model_get_info(model)->outputs[1];
    const float *scores = out[1].data;
    CHECK_INT(spec->label_count, 3);
    CHECK_STR(spec->labels[2], "virginica");
    size_t best = scores[0] >= scores[1] && scores[0] >= scores[2] ? 0
                  : scores[1] >= scores[2]                         ? 1
                                                                   : 2;
    CHECK(sw_str_eq(((sw_str *)out[0].data)[0], spec->labels[best]));
    CHECK_NEAR(scores[0] + scores[1] + scores[2], 1, 1e-6);
    sw_model_close(model);
    sw_arena_free(&arena);
}

/* `file` with another version of an operator set, whose entry ends in the bytes `entry`. */
static const char *with_opset(const char *file, const char *entry, size_t entry_len, char version) {
    char path[128];
    size_t len;
    snprintf(path, sizeof path, MODELS "%s", file);
    char *bytes = test_read_file(path, &len);
    char *at = memmem(bytes, len, entry, entry_len);
    if (!at)
        abort();
    at[entry_len] = version;
    test_write_file(test_temporary_file(), bytes, len);
    free(bytes);
    return test_temporary_file();
}

TEST(native__refuses_operator_sets_that_it_does_not_know) {
    static const struct {
        const char *entry;
        size_t len;
        char version;
        const char *reason; /* NULL where it is taken */
    } rows[] = {
        {"B\x04\n\0\x10", 5, 28, NULL},
        {"B\x04\n\0\x10", 5, 29, "opset 29 is newer"},
        {"B\x04\n\0\x10", 5, 99, "opset 99 is newer than what the native engine knows (up to 28)"},
        {"ai.onnx.ml\x10", 11, 5, NULL},
        {"ai.onnx.ml\x10", 11, 99, "opset of ai.onnx.ml 99 is newer"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sw_model *model;
        sw_error error = {0};
        const char *path = with_opset("logreg30_linearclassifier.onnx", rows[i].entry, rows[i].len,
                                      rows[i].version);
        sw_status status = sw_model_open(&model, path, "native", &error);
        CHECK_INT(status.code, rows[i].reason ? SW_CODE_UNSUPPORTED : SW_CODE_OK);
        if (rows[i].reason)
            CHECK_HAS(error.text, rows[i].reason);
        sw_model_close(model);
    }
    unlink(test_temporary_file());
}

TEST(native__refuses_what_is_not_linear_and_says_which_operator) {
    static const struct {
        const char *file, *reason;
    } refused[] = {
        {"mlp30.onnx", "operator Relu is not linear"},
        {"cnn28.onnx", "operator Conv is not linear"},
        {"xgb100_d6.onnx", "operator TreeEnsembleClassifier is not linear"},
        {"every_dtype.onnx", "more than one input"},
        {"bfloat16.onnx", "operator Cast changes the datatype"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char path[128];
        sw_model *model;
        sw_error error = {0};
        snprintf(path, sizeof path, MODELS "%s", refused[i].file);
        CHECK_INT(sw_model_open(&model, path, "native", &error).code, SW_CODE_UNSUPPORTED);
        CHECK(model == NULL);
        CHECK_HAS(error.text, refused[i].reason);
    }
}

TEST(native__stops_when_asked) {
    enum { N = 4096 };
    sw_model *model = test_open("logreg30.onnx", "native");
    float *rows = calloc(N * FEATURES, sizeof *rows);
    sw_arena arena = {0};
    sw_error error = {0};
    sw_stop stop;
    sw_tensor out[1], in = test_rows(rows, N, FEATURES);
    REQUIRE(model && rows);
    sw_stop_init(&stop);
    CHECK_OK(sw_model_run(out, model, &in, &arena, &stop, &error), error);
    sw_stop_ask(&stop);
    CHECK_INT(sw_model_run(out, model, &in, &arena, &stop, &error).code, SW_CODE_CANCELLED);
    CHECK_HAS(error.text, "cancelled");
    sw_model_close(model);
    sw_arena_free(&arena);
    free(rows);
}

TEST(native__takes_rows_that_lie_at_an_odd_address) {
    sw_model *model = test_open("logreg30.onnx", "native");
    char bytes[FEATURES * sizeof(float) + 1] = {0};
    sw_arena arena = {0};
    sw_error error;
    sw_tensor straight, odd, in;
    float *rows = read_floats("rows30.in.f32", ROWS * FEATURES);
    REQUIRE(model);
    in = test_rows(rows, 1, FEATURES);
    REQUIRE_OK(sw_model_run(&straight, model, &in, &arena, NULL, &error), error);
    memcpy(bytes + 1, rows, FEATURES * sizeof(float));
    in.data = bytes + 1;
    REQUIRE_OK(sw_model_run(&odd, model, &in, &arena, NULL, &error), error);
    CHECK(*(float *)straight.data == *(float *)odd.data);
    sw_model_close(model);
    sw_arena_free(&arena);
    free(rows);
}

#ifdef SW_FAULTS
#include "base/mem.h"

TEST(native__survives_every_failed_allocation) {
    size_t nth = 0;
    bool failed = true;
    while (failed && ++nth < 1000) {
        sw_model *model = NULL;
        sw_error error = {0};
        sw_arena arena = {0};
        float row[4] = {1, 2, 3, 4};
        sw_tensor out[2], in = test_rows(row, 1, 4);
        sw_mem_fail_at(nth);
        sw_status status = sw_model_open(&model, MODELS "scaled_classifier.onnx", "native", &error);
        if (!sw_failed(status))
            status = sw_model_run(out, model, &in, &arena, NULL, &error);
        failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(status.code, failed ? SW_CODE_NO_MEMORY : SW_CODE_OK);
        sw_model_close(model);
        sw_arena_free(&arena);
    }
    CHECK(nth > 3);
}
#endif

TEST_MAIN
