/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_testing: signatures, CSV files and profiles for the tests of watching.
 */
#ifndef SW_TESTS_WATCH_TESTING_H
#define SW_TESTS_WATCH_TESTING_H

#include "base/arena.h"
#include "base/rng.h"
#include "watch/observe_private.h"
#include "watch/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One input of `count` columns of `dtype`, named x0, x1, …, and one FP32 output "score". */
static inline sw_signature testing_signature(sw_arena *arena, uint32_t count, sw_dtype dtype) {
    sw_signature s = {.input_count = 1, .output_count = 1, .feature_count = count};
    s.inputs = sw_arena_zalloc(arena, 1, sizeof *s.inputs);
    s.outputs = sw_arena_zalloc(arena, 1, sizeof *s.outputs);
    s.features = sw_arena_zalloc(arena, count, sizeof *s.features);
    s.inputs[0] = (sw_tensor_spec){
        .name = SW_STR("input"), .dtype = dtype, .rank = 2, .shape = {-1, (int64_t)count}};
    s.outputs[0] =
        (sw_tensor_spec){.name = SW_STR("score"), .dtype = SW_FP32, .rank = 1, .shape = {-1}};
    for (uint32_t i = 0; i < count; i++)
        s.features[i] =
            (sw_feature){.name = sw_arena_printf(arena, "x%u", i),
                         .column = i,
                         .kind = dtype == SW_BYTES ? SW_FEATURE_CATEGORY : SW_FEATURE_NUMERIC};
    return s;
}

/* A temporary file with these bytes; `path` has room for 64. */
static inline bool testing_file(char *path, sw_str bytes) {
    snprintf(path, 64, "/tmp/sw_watch_test_XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    FILE *file = fdopen(fd, "w");
    bool good = fwrite(bytes.at, 1, bytes.len, file) == bytes.len;
    return fclose(file) == 0 && good;
}

static inline sw_status testing_profile(sw_profile *out, sw_signature *signature, sw_str csv,
                                        sw_arena *arena, sw_error *error) {
    char path[64];
    if (!testing_file(path, csv))
        return sw_fail(error, SW_CODE_IO, "no temporary file");
    sw_status status = sw_profile_from_csv(out, signature, path, arena, error);
    unlink(path);
    return status;
}

static inline uint64_t testing_count_of(const sw_labels *labels, const sw_label *wanted) {
    for (int i = 0; i < SW_LABEL_SLOTS; i++)
        if (labels->slots[i].count && labels->slots[i].len == wanted->len &&
            memcmp(labels->slots[i].text, wanted->text, wanted->len) == 0)
            return labels->slots[i].count;
    return 0;
}

/* In whatever slots. */
static inline bool testing_same_labels(const sw_labels *a, const sw_labels *b) {
    bool good = a->missing == b->missing && a->others == b->others && a->used == b->used;
    for (int i = 0; i < SW_LABEL_SLOTS && good; i++)
        good = a->slots[i].count == 0 || testing_count_of(b, &a->slots[i]) == a->slots[i].count;
    return good;
}

/* Box and Muller. */
static inline double testing_normal(uint64_t *seed) {
    double radius = sqrt(-2 * log(1 - sw_rng_unit(seed)));
    return radius * cos(6.283185307179586 * sw_rng_unit(seed));
}

#endif /* SW_TESTS_WATCH_TESTING_H */
