/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX Runtime as an engine. Without the library every test but the last ones reports itself
 * skipped. */
#include "model_testing.h"

#include <malloc.h>
#include <pthread.h>

enum { ROWS = 256, FEATURES = 30 };

typedef struct rig {
    sw_model *model;
    const sw_model_info *info;
    sw_arena arena;
    sw_error error;
    sw_tensor out[16];
} rig;

static bool rig_open(rig *r, const char *file) {
    *r = (rig){.model = test_open(file, "onnxruntime")};
    if (r->model)
        r->info = sw_model_get_info(r->model);
    return r->model != NULL;
}

static sw_status rig_run(rig *r, const sw_tensor *inputs) {
    return sw_model_run(r->out, r->model, inputs, &r->arena, NULL, &r->error);
}

static void rig_close(rig *r) {
    sw_model_close(r->model);
    sw_arena_free(&r->arena);
}

static void check_reference(const char *file, const char *rows_file, const char *wanted_file,
                            size_t which, uint8_t rank, const int64_t *row_shape) {
    char path[256];
    size_t rows_len, wanted_len;
    rig r;
    snprintf(path, sizeof path, MODELS "%s", rows_file);
    float *rows = test_read_file(path, &rows_len);
    snprintf(path, sizeof path, MODELS "%s", wanted_file);
    float *wanted = test_read_file(path, &wanted_len);
    int64_t shape[SW_RANK_MAX] = {1};
    size_t row_count;
    for (uint8_t i = 1; i < rank; i++)
        shape[i] = row_shape[i - 1];
    REQUIRE(sw_shape_count(&row_count, shape, rank));
    shape[0] = (int64_t)(rows_len / sizeof(float) / row_count);
    REQUIRE(rig_open(&r, file));
    for (int turn = 0; turn < 2;
         turn++) { /* the first run tries its guess of the shape, later ones trust it */
        sw_tensor in = test_tensor(SW_FP32, rows, rank, shape);
        CHECK_OK(rig_run(&r, &in), r.error);
        CHECK_INT(r.out[which].count, wanted_len / sizeof(float));
        for (size_t i = 0; i < r.out[which].count; i++)
            CHECK_NEAR(((float *)r.out[which].data)[i], wanted[i], 1e-5);
    }
    rig_close(&r);
    free(rows);
    free(wanted);
}

TEST(ort__reproduces_the_reference_models) {
    SKIP_WITHOUT_ORT;
    check_reference("logreg30.onnx", "rows30.in.f32", "logreg30.out.f32", 0, 2, (int64_t[]){30});
    check_reference("mlp30.onnx", "rows30.in.f32", "mlp30.out.f32", 0, 2, (int64_t[]){30});
    check_reference("xgb100_d6.onnx", "rows30.in.f32", "xgb100_d6.out.f32", 1, 2, (int64_t[]){30});
    check_reference("cnn28.onnx", "cnn28.in.f32", "cnn28.out.f32", 0, 4, (int64_t[]){1, 28, 28});
}

TEST(ort__tells_its_version_and_why_it_serves) {
    SKIP_WITHOUT_ORT;
    rig r;
    sw_error error;
    CHECK_HAS(sw_ort_version(&error), ".");
    REQUIRE(rig_open(&r, "xgb100_d6.onnx"));
    CHECK_TEXT(r.info->engine, "onnxruntime");
    CHECK_TEXT(r.info->engine_why, "ONNX Runtime was asked for");
    rig_close(&r);
    r.model = test_open("xgb100_d6.onnx", "auto");
    REQUIRE(r.model);
    CHECK_HAS(sw_model_get_info(r.model)->engine_why,
              "operator TreeEnsembleClassifier is not linear");
    CHECK_HAS(sw_model_get_info(r.model)->engine_why, sw_ort_version(NULL));
    rig_close(&r);
}

TEST(ort__carries_every_datatype_unchanged) {
    SKIP_WITHOUT_ORT;
    enum { KINDS = 13, N = 3 };
    rig r;
    uint64_t numbers[KINDS][2 * N];
    sw_str texts[2 * N] = {SW_STR("plain"),
                           SW_STR(""),
                           SW_STR("\xc3\xa9t\xc3\xa9"),
                           SW_STR("\xff\xfe"),
                           SW_STR("a longer string than any small-string buffer would take in"),
                           SW_STR("x")};
    sw_tensor in[KINDS];
    REQUIRE(rig_open(&r, "every_dtype.onnx"));
    CHECK_INT(r.info->input_count, KINDS);
    for (size_t turn = 0; turn < 2; turn++) {
        uint32_t state = 3 + (uint32_t)turn;
        for (size_t i = 0; i < KINDS; i++) {
            for (size_t j = 0; j < 2 * N; j++) {
                state = state * 1664525U + 1013904223U;
                numbers[i][j] = i == SW_BOOL ? (state >> 8) % 2 * 0x0101010101010101U
                                             : (uint64_t)state * 0x9E3779B97F4A7C15U;
            }
            CHECK_INT(r.info->inputs[i].dtype, i);
            in[i] = test_tensor((sw_dtype)i, i == SW_BYTES ? (void *)texts : (void *)numbers[i], 2,
                                (int64_t[]){N, 2});
        }
        REQUIRE_OK(rig_run(&r, in), r.error);
        for (size_t i = 0; i < KINDS; i++) {
            CHECK_INT(r.out[i].dtype, i);
            CHECK_INT(r.out[i].rank, 2);
            CHECK_INT(r.out[i].count, 2 * N);
            if (i == SW_BYTES)
                for (size_t j = 0; j < 2 * N; j++)
                    CHECK(sw_str_eq(((sw_str *)r.out[i].data)[j], texts[j]));
            else
                CHECK(memcmp(r.out[i].data, numbers[i], 2 * N * sw_dtype_size((sw_dtype)i)) == 0);
        }
    }
    rig_close(&r);
}

TEST(ort__takes_no_rows_at_all) {
    SKIP_WITHOUT_ORT;
    rig r;
    sw_tensor in[13];
    REQUIRE(rig_open(&r, "every_dtype.onnx"));
    for (size_t i = 0; i < 13; i++)
        in[i] = test_tensor((sw_dtype)i, NULL, 2, (int64_t[]){0, 2});
    CHECK_OK(rig_run(&r, in), r.error);
    CHECK_INT(r.out[SW_BYTES].count, 0);
    CHECK_INT(r.out[SW_FP32].count, 0);
    rig_close(&r);
}

TEST(ort__looks_strings_up) {
    SKIP_WITHOUT_ORT;
    rig r;
    sw_str cities[] = {SW_STR("Gen\xc3\xa8ve"), SW_STR("Atlantis"), SW_STR("Paris")};
    sw_tensor in = test_tensor(SW_BYTES, cities, 2, (int64_t[]){3, 1});
    REQUIRE(rig_open(&r, "strings.onnx"));
    REQUIRE_OK(rig_run(&r, &in), r.error);
    CHECK_STR(((sw_str *)r.out[0].data)[0], "CH");
    CHECK_STR(((sw_str *)r.out[0].data)[1], "??");
    CHECK_STR(((sw_str *)r.out[0].data)[2], "FR");
    CHECK_INT(((int64_t *)r.out[1].data)[0], 41);
    cities[1] = SW_STR("Ro\0me");
    CHECK_INT(rig_run(&r, &in).code, SW_CODE_INVALID);
    CHECK_HAS(r.error.text, "NUL");
    rig_close(&r);
}

TEST(ort__serves_one_column_per_input_and_flattens_maps) {
    SKIP_WITHOUT_ORT;
    rig r;
    float age[] = {40, 20};
    int64_t visits[] = {1, 3};
    sw_str city[] = {SW_STR("Rome"), SW_STR("Paris")};
    int64_t shape[] = {2, 1};
    sw_tensor in[] = {test_tensor(SW_FP32, age, 2, shape), test_tensor(SW_INT64, visits, 2, shape),
                      test_tensor(SW_BYTES, city, 2, shape)};
    REQUIRE(rig_open(&r, "columns.onnx"));
    CHECK(r.info->first_dim_is_batch);
    CHECK_STR(r.info->outputs[1].name, "output_probability");
    CHECK_INT(r.info->outputs[1].rank, 2);
    CHECK_INT(r.info->outputs[1].shape[1], 2);
    CHECK_INT(r.info->outputs[1].label_count, 2);
    CHECK_STR(r.info->outputs[1].labels[1], "1");
    REQUIRE_OK(rig_run(&r, in), r.error);
    /* Row 0: 0.5 - 0.8 - 0.3 + 0.5 = -0.1; row 1: 0.5 - 0.4 - 0.9 - 1 = -1.8. */
    CHECK_NEAR(((float *)r.out[1].data)[0], 1 / (1 + exp(0.1)), 1e-6);
    CHECK_NEAR(((float *)r.out[1].data)[2], 1 / (1 + exp(1.8)), 1e-6);
    CHECK_NEAR(((float *)r.out[1].data)[3], 1 / (1 + exp(-1.8)), 1e-6);
    CHECK_INT(((int64_t *)r.out[0].data)[1], 1);
    CHECK_STR(r.out[1].name, "output_probability");
    rig_close(&r);
}

TEST(ort__flattens_maps_keyed_by_strings) {
    SKIP_WITHOUT_ORT;
    rig r;
    float rows[8] = {0.5F, 1, -1, 2};
    sw_tensor in = test_rows(rows, 2, 4);
    REQUIRE(rig_open(&r, "scaled_classifier.onnx"));
    CHECK_STR(r.info->outputs[1].labels[0], "setosa");
    CHECK_INT(r.info->outputs[1].shape[1], 3);
    REQUIRE_OK(rig_run(&r, &in), r.error);
    CHECK_INT(r.out[1].shape[0], 2);
    CHECK_INT(r.out[1].shape[1], 3);
    rig_close(&r);
}

TEST(ort__resolves_symbolic_dimensions) {
    SKIP_WITHOUT_ORT;
    rig r;
    float a[6] = {1, 2, 3, 4, 5, 6}, b[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
    REQUIRE(rig_open(&r, "two_dynamic.onnx"));
    CHECK_STR(r.info->inputs[0].dim_names[1], "k");
    CHECK(!r.info->first_dim_is_batch);
    for (int64_t columns = 2; columns <= 4; columns++) {
        sw_tensor in[] = {test_tensor(SW_FP32, a, 2, (int64_t[]){2, 3}),
                          test_tensor(SW_FP32, b, 2, (int64_t[]){3, columns})};
        REQUIRE_OK(rig_run(&r, in), r.error);
        CHECK_INT(r.out[0].shape[0], 2);
        CHECK_INT(r.out[0].shape[1], columns);
        CHECK_INT(((int64_t *)r.out[1].data)[1], columns);
    }
    rig_close(&r);
}

TEST(ort__copes_when_fewer_rows_come_out_than_went_in) {
    SKIP_WITHOUT_ORT;
    rig r;
    float x[] = {-1, 2, 0, 4, 5};
    REQUIRE(rig_open(&r, "fewer_rows.onnx"));
    for (int64_t count = 1; count <= 5; count++) {
        static const int64_t kept[] = {0, 0, 1, 1, 2, 3};
        sw_tensor in = test_tensor(SW_FP32, x, 2, (int64_t[]){count, 1});
        REQUIRE_OK(rig_run(&r, &in), r.error);
        CHECK_INT(r.out[0].shape[0], kept[count]);
    }
    CHECK_NEAR(((float *)r.out[0].data)[2], 5, 0);
    rig_close(&r);
}

/* The same, where the guess held at first: all rows come out of the first run. */
TEST(ort__copes_when_a_guess_that_held_fails) {
    SKIP_WITHOUT_ORT;
    rig r;
    float x[] = {1, 2, -3};
    REQUIRE(rig_open(&r, "fewer_rows.onnx"));
    for (int64_t count = 2; count <= 3; count++) {
        sw_tensor in = test_tensor(SW_FP32, x, 2, (int64_t[]){count, 1});
        REQUIRE_OK(rig_run(&r, &in), r.error);
        CHECK_INT(r.out[0].shape[0], 2);
    }
    rig_close(&r);
}

TEST(ort__gives_a_single_row_what_it_gets_in_company) {
    SKIP_WITHOUT_ORT;
    static const char *const files[] = {"mlp30.onnx", "xgb100_d6.onnx",
                                        "logreg30_linearclassifier.onnx"};
    size_t len;
    float *rows = test_read_file(MODELS "rows30.in.f32", &len);
    for (size_t f = 0; f < 3; f++) {
        rig r, single;
        REQUIRE(rig_open(&r, files[f]));
        single = (rig){.model = r.model, .info = r.info};
        sw_tensor in = test_rows(rows, ROWS, FEATURES);
        REQUIRE_OK(rig_run(&r, &in), r.error);
        for (size_t row = 0; row < ROWS; row++) {
            in = test_rows(rows + row * FEATURES, 1, FEATURES);
            REQUIRE_OK(rig_run(&single, &in), single.error);
            for (size_t i = 0; i < r.info->output_count; i++) {
                size_t width = r.out[i].count / ROWS;
                CHECK_INT(single.out[i].count, width);
                CHECK_INT(single.out[i].shape[0], 1);
                CHECK_INT(single.out[i].rank, r.out[i].rank);
                CHECK(sw_str_eq(single.out[i].name, r.out[i].name));
                for (size_t j = 0; j < width; j++)
                    CHECK_NEAR(sw_tensor_f64(&single.out[i], j),
                               sw_tensor_f64(&r.out[i], row * width + j), 1e-6);
            }
        }
        sw_arena_free(&single.arena);
        rig_close(&r);
    }
    free(rows);
}

TEST(ort__copes_when_a_single_row_vanishes) {
    SKIP_WITHOUT_ORT;
    rig r;
    float x[] = {5, 6, -7, 8};
    REQUIRE(rig_open(&r, "fewer_rows.onnx"));
    for (size_t row = 0; row < 4; row++) {
        sw_tensor in = test_tensor(SW_FP32, x + row, 2, (int64_t[]){1, 1});
        REQUIRE_OK(rig_run(&r, &in), r.error);
        CHECK_INT(r.out[0].shape[0], x[row] > 0);
        CHECK_INT(r.out[0].count, x[row] > 0);
        if (r.out[0].count)
            CHECK_NEAR(*(float *)r.out[0].data, x[row], 0);
    }
    rig_close(&r);
}

TEST(ort__passes_the_library_s_error_on) {
    SKIP_WITHOUT_ORT;
    rig r;
    float x[10] = {0};
    REQUIRE(rig_open(&r, "fails_at_run.onnx"));
    sw_tensor in = test_tensor(SW_FP32, x, 2, (int64_t[]){2, 5});
    sw_status status = rig_run(&r, &in);
    CHECK(sw_failed(status));
    CHECK_HAS(r.error.text, "ONNX Runtime cannot compute the prediction");
    CHECK_HAS(r.error.text, "Reshape");
    in = test_tensor(SW_FP32, x, 2, (int64_t[]){2, 3});
    CHECK(sw_failed(rig_run(&r, &in)));
    in = test_tensor(SW_FP32, x, 2, (int64_t[]){1, 7});
    CHECK_OK(rig_run(&r, &in), r.error);
    rig_close(&r);
}

TEST(ort__takes_inputs_only_for_what_is_no_weight) {
    SKIP_WITHOUT_ORT;
    rig r;
    REQUIRE(rig_open(&r, "weights_as_inputs.onnx"));
    CHECK_INT(r.info->input_count, 1);
    CHECK_STR(r.info->inputs[0].name, "X");
    rig_close(&r);
}

static void check_refusal(const char *file, sw_code code, const char *reason) {
    char path[128];
    sw_model *model;
    sw_error error = {0};
    snprintf(path, sizeof path, MODELS "%s", file);
    CHECK_INT(sw_model_open(&model, path, "auto", &error).code, code);
    CHECK(model == NULL);
    CHECK_HAS(error.text, reason);
}

TEST(ort__refuses_what_no_protocol_can_carry) {
    SKIP_WITHOUT_ORT;
    check_refusal("sequence.onnx", SW_CODE_UNSUPPORTED, "output \"pieces\" is a sequence");
    check_refusal("no_rank.onnx", SW_CODE_UNSUPPORTED, "how many dimensions its input \"x\" has");
    check_refusal("bfloat16.onnx", SW_CODE_UNSUPPORTED, "bfloat16");
    check_refusal("shared_zipmap.onnx", SW_CODE_UNSUPPORTED, "zipmap");
}

typedef struct long_run {
    rig r;
    sw_stop stop;
    sw_status status;
    _Atomic bool done;
} long_run;

static void *run_long(void *context) {
    long_run *job = context;
    static float matrix[64 * 64];
    int64_t turns = INT64_C(100000000);
    for (size_t i = 0; i < 64 * 64; i++)
        matrix[i] = (float)(i % 17) / 100;
    sw_tensor in[] = {test_tensor(SW_INT64, &turns, 0, NULL),
                      test_tensor(SW_FP32, matrix, 2, (int64_t[]){64, 64})};
    job->status =
        sw_model_run(job->r.out, job->r.model, in, &job->r.arena, &job->stop, &job->r.error);
    atomic_store(&job->done, true);
    return NULL;
}

TEST(ort__ends_a_long_run_when_asked) {
    SKIP_WITHOUT_ORT;
    static long_run job;
    pthread_t thread;
    REQUIRE(rig_open(&job.r, "endless.onnx"));
    sw_stop_init(&job.stop);
    REQUIRE(pthread_create(&thread, NULL, run_long, &job) == 0);
    usleep(50000);
    CHECK(!atomic_load(&job.done));
    sw_stop_ask(&job.stop);
    pthread_join(thread, NULL);
    CHECK_INT(job.status.code, SW_CODE_CANCELLED);
    /* A handle that was asked before the run starts ends it too. */
    sw_arena_reset(&job.r.arena);
    run_long(&job);
    CHECK_INT(job.status.code, SW_CODE_CANCELLED);
    rig_close(&job.r);
}

static void *run_many(void *context) {
    rig *shared = context;
    rig own = {.model = shared->model, .info = shared->info};
    static const float wanted_first = 0;
    uint32_t state = 9;
    float rows[8 * FEATURES];
    for (int turn = 0; turn < 300; turn++) {
        size_t count = 1 + (size_t)turn % 8;
        for (size_t i = 0; i < count * FEATURES; i++)
            rows[i] = test_next_float(&state);
        sw_tensor in = test_rows(rows, count, FEATURES);
        CHECK_OK(rig_run(&own, &in), own.error);
        CHECK_INT(own.out[0].shape[0], count);
        CHECK(((float *)own.out[0].data)[0] >= wanted_first);
        sw_arena_reset(&own.arena);
    }
    sw_arena_free(&own.arena);
    return NULL;
}

TEST(ort__runs_from_many_threads_at_once) {
    SKIP_WITHOUT_ORT;
    rig r;
    pthread_t threads[4];
    REQUIRE(rig_open(&r, "mlp30.onnx"));
    for (size_t i = 0; i < 4; i++)
        REQUIRE(pthread_create(&threads[i], NULL, run_many, &r) == 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    rig_close(&r);
}

static size_t rss_kb(void) {
    size_t pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%zu %zu", &pages, &resident) != 2)
        abort();
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

TEST(ort__gives_memory_back_after_200_models) {
    SKIP_WITHOUT_ORT;
    size_t len, early = 0;
    float *rows = test_read_file(MODELS "rows30.in.f32", &len);
    for (int turn = 0; turn < 200; turn++) {
        rig r;
        sw_tensor in = test_rows(rows, ROWS, FEATURES);
        REQUIRE(rig_open(&r, "xgb100_d6.onnx"));
        CHECK_OK(rig_run(&r, &in), r.error);
        rig_close(&r);
        malloc_trim(0);
        if (turn == 19)
            early = rss_kb();
    }
    size_t late = rss_kb();
    printf("resident after 20 models %zu kB, after 200 %zu kB\n", early, late);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(late < early + 4096);
#endif
    free(rows);
}

#ifdef SW_FAULTS
#include "base/mem.h"

TEST(ort__survives_every_failed_allocation) {
    SKIP_WITHOUT_ORT;
    size_t nth = 0;
    bool failed = true;
    while (failed && ++nth < 1000) {
        rig r = {0};
        float row[4] = {1, 2, 3, 4};
        sw_tensor in = test_rows(row, 1, 4);
        sw_mem_fail_at(nth);
        sw_status status =
            sw_model_open(&r.model, MODELS "scaled_classifier.onnx", "onnxruntime", &r.error);
        if (!sw_failed(status))
            status = rig_run(&r, &in);
        failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(status.code, failed ? SW_CODE_NO_MEMORY : SW_CODE_OK);
        rig_close(&r);
    }
    CHECK(nth > 3);
}
#endif

TEST_MAIN
