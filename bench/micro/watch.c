/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counting one prediction costs: 30 features and one output of a row, one row a call as a
 * server without batching has it, the shard that a loop has. Merging is left out: it happens once
 * a second. Usage: watch PROFILE.csv INPUTS.f32 OUTPUTS.f32 ROWS_A_CALL SECONDS
 */
#include "micro.h"

#include "watch/observe.h"

enum { FEATURES = 30 };

static float *inputs;
static float *outputs;
static size_t row_count;
static size_t rows_a_call;
static sw_shard *shard;

static sw_tensor tensor(const char *name, int64_t columns, void *data) {
    return (sw_tensor){.name = sw_str_of(name),
                       .dtype = SW_FP32,
                       .rank = 2,
                       .shape = {(int64_t)rows_a_call, columns},
                       .count = rows_a_call * (size_t)columns,
                       .data = data};
}

static double one(size_t i) {
    size_t row = i * rows_a_call % (row_count - rows_a_call + 1);
    sw_tensor input = tensor("X", FEATURES, inputs + row * FEATURES);
    sw_tensor output = tensor("Y", 1, outputs + row);
    sw_observe(shard, &input, &output, rows_a_call);
    return inputs[row * FEATURES];
}

/* The signature that the pushed model would have, with its columns named as in the profile. */
static void describe(sw_signature *signature) {
    static sw_tensor_spec input = {.dtype = SW_FP32, .rank = 2, .shape = {-1, FEATURES}};
    static sw_tensor_spec output = {.dtype = SW_FP32, .rank = 2, .shape = {-1, 1}};
    static sw_feature features[FEATURES];
    static char names[FEATURES][8];
    input.name = SW_STR("X");
    output.name = SW_STR("Y");
    for (uint32_t i = 0; i < FEATURES; i++) {
        snprintf(names[i], sizeof names[i], "f%u", i);
        features[i] = (sw_feature){.name = sw_str_of(names[i]), .column = i};
    }
    *signature = (sw_signature){.inputs = &input,
                                .input_count = 1,
                                .outputs = &output,
                                .output_count = 1,
                                .features = features,
                                .feature_count = FEATURES};
}

int main(int argc, char **argv) {
    micro_require(argc == 6, "usage: watch PROFILE INPUTS OUTPUTS ROWS_A_CALL SECONDS");
    sw_error error = {{0}};
    sw_arena arena;
    sw_signature signature;
    sw_profile profile;
    sw_observer *observer;
    size_t size;
    inputs = (float *)(void *)micro_read(&size, argv[2], 0);
    row_count = size / sizeof(float) / FEATURES;
    outputs = (float *)(void *)micro_read(&size, argv[3], 0);
    rows_a_call = strtoul(argv[4], NULL, 10);
    micro_require(rows_a_call > 0 && rows_a_call < row_count, "too many rows a call");
    sw_arena_init(&arena, 64 * 1024);
    describe(&signature);
    micro_require(!sw_failed(sw_profile_from_csv(&profile, &signature, argv[1], &arena, &error)),
                  error.text);
    micro_require(!sw_failed(sw_observer_make(&observer, &signature, &profile, NULL, &error)),
                  error.text);
    micro_require(!sw_failed(sw_shard_make(&shard, observer, &error)), error.text);
    micro_run(one, atof(argv[5]));
    return 0;
}
