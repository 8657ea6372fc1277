/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of models share. They run in the source folder. */
#ifndef SW_TESTS_MODEL_TESTING_H
#define SW_TESTS_MODEL_TESTING_H

#include "model/model.h"
#include "unit/test.h"

#include <unistd.h>

#define MODELS "tests/data/models/"

/* SLIPWAY_ORT, or the library that `make build` puts beside the program. */
static inline bool test_has_ort(void) {
    static const char built[] = "build/release/lib/libonnxruntime.so.1";
    if (!getenv("SLIPWAY_ORT") && access(built, R_OK) == 0)
        setenv("SLIPWAY_ORT", built, 1);
    return sw_ort_version(NULL) != NULL;
}

#define SKIP_WITHOUT_ORT                                                     \
    do {                                                                     \
        if (!test_has_ort()) {                                               \
            printf("SKIPPED %s: ONNX Runtime is not installed\n", __func__); \
            return;                                                          \
        }                                                                    \
    } while (0)

static inline void *test_read_file(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "cannot read %s\n", path);
        abort();
    }
    fseek(file, 0, SEEK_END);
    *len = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*len + 1);
    if (!bytes || fread(bytes, 1, *len, file) != *len)
        abort();
    fclose(file);
    return bytes;
}

static inline void test_write_file(const char *path, const void *bytes, size_t len) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, len, file) != len)
        abort();
    fclose(file);
}

/* A file of this test's own, gone when it ends. */
static inline const char *test_temporary_file(void) {
    static char path[64];
    snprintf(path, sizeof path, "/tmp/slipway-model-test-%d", (int)getpid());
    return path;
}

/* Numbers between -2 and 2, the same in every run. */
static inline float test_next_float(uint32_t *state) {
    *state = *state * 1664525U + 1013904223U;
    return (float)(*state >> 8) / (float)(1 << 22) - 2;
}

static inline sw_tensor test_tensor(sw_dtype dtype, void *data, uint8_t rank,
                                    const int64_t *shape) {
    sw_tensor tensor = {.name = SW_STR("input"), .dtype = dtype, .rank = rank, .data = data};
    for (uint8_t i = 0; i < rank; i++)
        tensor.shape[i] = shape[i];
    if (!sw_shape_count(&tensor.count, shape, rank))
        abort();
    return tensor;
}

/* FP32 [rows, width] */
static inline sw_tensor test_rows(float *data, size_t rows, size_t width) {
    return test_tensor(SW_FP32, data, 2, (const int64_t[]){(int64_t)rows, (int64_t)width});
}

static inline sw_model *test_open(const char *file, const char *engine) {
    char path[256];
    sw_model *model = NULL;
    sw_error error = {0};
    snprintf(path, sizeof path, MODELS "%s", file);
    sw_status status = sw_model_open(&model, path, engine, &error);
    if (sw_failed(status)) {
        fprintf(stderr, "  %s: %s\n", file, error.text);
        atomic_fetch_add(&test_failures, 1);
    }
    return model;
}

#endif /* SW_TESTS_MODEL_TESTING_H */
