/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plays a stream into the monitor of a version, without server and clock, and prints what it says:
 * one JSON line an alarm, then one with the cost of a look. Columns x0 … are numbers, then c0 …
 * are categories. Usage:
 *
 *     detect REFERENCE.csv LIVE NUMBERS WORDS ROWS_A_LOOK FALSE_ALARMS_A_MONTH
 *
 * LIVE is rows of NUMBERS floats, then of WORDS 32-bit integers: category i is the text "w<i>".
 */
#include "micro.h"

#include "base/mem.h"
#include "watch/counts_private.h"
#include "watch/monitor_private.h"

enum { WORD_BYTES = 12 };

static uint32_t numbers, words;
static sw_signature signature;
static sw_profile profile;
static sw_observer *observer;
static sw_shard *shard;
static sw_engine engine;

static sw_feature *features_of(sw_arena *arena) {
    sw_feature *features = sw_arena_zalloc(arena, numbers + words, sizeof *features);
    micro_require(features != NULL, "out of memory");
    for (uint32_t i = 0; i < numbers + words; i++) {
        bool word = i >= numbers;
        uint32_t column = word ? i - numbers : i;
        features[i] = (sw_feature){
            .name = sw_arena_printf(arena, word ? "c%u" : "x%u", column),
            .input = word && numbers ? 1 : 0,
            .column = column,
            .kind = word ? SW_FEATURE_CATEGORY : SW_FEATURE_NUMERIC,
        };
    }
    return features;
}

static void describe(sw_arena *arena) {
    static sw_tensor_spec inputs[2], output = {.dtype = SW_FP32, .rank = 1, .shape = {-1}};
    uint32_t count = 0;
    if (numbers)
        inputs[count++] = (sw_tensor_spec){
            .name = SW_STR("x"), .dtype = SW_FP32, .rank = 2, .shape = {-1, (int64_t)numbers}};
    if (words)
        inputs[count++] = (sw_tensor_spec){
            .name = SW_STR("c"), .dtype = SW_BYTES, .rank = 2, .shape = {-1, (int64_t)words}};
    output.name = SW_STR("y");
    signature = (sw_signature){.inputs = inputs,
                               .input_count = count,
                               .outputs = &output,
                               .output_count = 1,
                               .features = features_of(arena),
                               .feature_count = numbers + words};
}

/* Counts `rows` rows from `at` and looks; returns where the next begin. */
static const char *look(const char *at, size_t rows, int64_t minute, sw_counts *counts) {
    static char text[1 << 20][WORD_BYTES];
    static sw_str values[1 << 20];
    size_t row_bytes = (numbers + words) * 4, cells_bytes = engine.cell_count * sizeof(uint32_t);
    float *x = sw_mem_alloc(rows * (numbers + 1) * sizeof *x), *y = sw_mem_zalloc(rows, sizeof *y);
    uint32_t *cells = sw_mem_zalloc(1, cells_bytes);
    micro_require(x && y && cells && rows * words < sizeof values / sizeof *values,
                  "too many rows");
    for (size_t r = 0; r < rows; r++, at += row_bytes) {
        memcpy(x + r * numbers, at, numbers * 4);
        for (uint32_t w = 0; w < words; w++) {
            uint32_t id;
            size_t to = r * words + w;
            memcpy(&id, at + (numbers + w) * 4, 4);
            values[to].at = text[to];
            values[to].len = (size_t)snprintf(text[to], WORD_BYTES, "w%u", id);
        }
    }
    sw_tensor inputs[2], output = {.dtype = SW_FP32, .count = rows, .data = y};
    uint32_t count = 0;
    if (numbers)
        inputs[count++] = (sw_tensor){.dtype = SW_FP32, .count = rows * numbers, .data = x};
    if (words)
        inputs[count++] = (sw_tensor){.dtype = SW_BYTES, .count = rows * words, .data = values};
    sw_observe(shard, inputs, &output, rows);
    sw_counts_clear(counts);
    sw_shard_settle(shard);
    sw_counts_take(counts, shard, 0);
    for (uint32_t i = 0; i < engine.column_count; i++)
        sw_column_cells_add(cells + engine.columns[i].cells.first, &engine.columns[i].cells,
                            counts->bins + observer->columns[i].first);
    micro_require(sw_engine_look(&engine, minute, cells), "out of memory");
    sw_mem_free(x);
    sw_mem_free(y);
    sw_mem_free(cells);
    return at;
}

static void print_alarms(int64_t minute, size_t rows) {
    for (size_t i = 0; i < engine.signal_count; i++) {
        const sw_signal *s = &engine.signals[i];
        if (s->alarm && s->alarm->look == engine.looks)
            printf("{\"look\": %lld, \"rows\": %zu, \"column\": \"%.*s\", \"kind\": \"%s\", "
                   "\"since_look\": %lld}\n",
                   (long long)minute, rows, SW_STR_ARG(engine.columns[s->column].name),
                   sw_finding_kind_text(s->kind), (long long)(s->alarm->since_ms / 60000));
    }
}

int main(int argc, char **argv) {
    micro_require(argc == 7, "usage: detect REFERENCE LIVE NUMBERS WORDS ROWS_A_LOOK FALSE_ALARMS");
    sw_error error = {{0}};
    sw_arena arena;
    sw_counts counts;
    sw_monitor_settings settings;
    size_t size, rows_a_look = strtoul(argv[5], NULL, 10);
    const char *live = micro_read(&size, argv[2], 0);
    numbers = (uint32_t)strtoul(argv[3], NULL, 10);
    words = (uint32_t)strtoul(argv[4], NULL, 10);
    sw_monitor_settings_default(&settings);
    settings.false_alarms_per_month = strtod(argv[6], NULL);
    sw_arena_init(&arena, 64 * 1024);
    describe(&arena);
    micro_require(!sw_failed(sw_profile_from_csv(&profile, &signature, argv[1], &arena, &error)),
                  error.text);
    micro_require(!sw_failed(sw_observer_make(&observer, &signature, &profile, &settings, &error)),
                  error.text);
    micro_require(!sw_failed(sw_shard_make(&shard, observer, &error)), error.text);
    micro_require(!sw_failed(sw_counts_make_for(&counts, observer, false, &error)), error.text);
    sw_engine_init(&engine, &settings);
    for (uint32_t i = 0; i < profile.column_count; i++)
        micro_require(sw_engine_add_column(&engine, profile.columns[i].name, SW_STR(""), false,
                                           &profile.columns[i]),
                      "out of memory");
    micro_require(sw_engine_ready(&engine), "out of memory");
    size_t looks = size / ((numbers + words) * 4) / rows_a_look;
    double spent = 0;
    for (size_t i = 0; i < looks; i++) {
        double before = micro_now_s();
        live = look(live, rows_a_look, (int64_t)i, &counts);
        spent += micro_now_s() - before;
        print_alarms((int64_t)i, (i + 1) * rows_a_look);
    }
    printf("{\"looks\": %zu, \"ns_per_feature_look\": %.1f}\n", looks,
           spent * 1e9 / (double)(looks ? looks : 1) / (numbers + words));
    return 0;
}
