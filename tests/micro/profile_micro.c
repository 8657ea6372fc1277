/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many values a second of processor time are profiled from a CSV file: a table whose columns
 * fit into memory, and one of 1,000 columns that does not. Arguments: columns and rows of another
 * one.
 */
#include "base/rng.h"
#include "watch/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static sw_error error;

static sw_signature signature_of(sw_arena *arena, uint32_t columns) {
    sw_signature s = {.input_count = 1, .feature_count = columns};
    s.inputs = sw_arena_zalloc(arena, 1, sizeof *s.inputs);
    s.features = sw_arena_zalloc(arena, columns, sizeof *s.features);
    if (!s.inputs || !s.features)
        abort();
    s.inputs[0] = (sw_tensor_spec){
        .name = SW_STR("input"), .dtype = SW_FP32, .rank = 2, .shape = {-1, columns}};
    for (uint32_t i = 0; i < columns; i++)
        s.features[i] = (sw_feature){.name = sw_arena_printf(arena, "x%u", i), .column = i};
    return s;
}

static void write_table(FILE *file, uint32_t columns, uint32_t rows) {
    uint64_t seed = columns;
    for (uint32_t i = 0; i < columns; i++)
        fprintf(file, i ? ",x%u" : "x%u", i);
    for (uint32_t row = 0; row < rows; row++) {
        fputc('\n', file);
        for (uint32_t i = 0; i < columns; i++)
            fprintf(file, i ? ",%.6g" : "%.6g",
                    sw_rng_unit(&seed) * (i % 3 == 0   ? 1
                                          : i % 3 == 1 ? 1000
                                                       : 1e-3));
    }
}

static int measure(uint32_t columns, uint32_t rows) {
    char path[] = "/tmp/sw_profile_micro_XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file)
        return 1;
    write_table(file, columns, rows);
    double size = (double)ftell(file);
    fclose(file);
    sw_arena arena = {0};
    sw_signature signature = signature_of(&arena, columns);
    sw_profile profile;
    clock_t from = clock();
    sw_status status = sw_profile_from_csv(&profile, &signature, path, &arena, &error);
    double took = (double)(clock() - from) / CLOCKS_PER_SEC;
    if (sw_failed(status))
        fprintf(stderr, "%s\n", error.text);
    else
        printf("{\"bench\": \"profile\", \"columns\": %u, \"rows\": %u, \"values_s\": %.0f, "
               "\"mb_s\": %.0f}\n",
               columns, rows, (double)columns * rows / took, size / 1e6 / took);
    unlink(path);
    sw_arena_free(&arena);
    return sw_failed(status);
}

int main(int argc, char **argv) {
    if (argc == 3)
        return measure((uint32_t)strtoul(argv[1], NULL, 10), (uint32_t)strtoul(argv[2], NULL, 10));
    return measure(30, 200000) + measure(1000, 20000);
}
