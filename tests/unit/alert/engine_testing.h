/* SPDX-License-Identifier: Apache-2.0 */
/* An engine with a clock that the test moves. */
#ifndef SW_TESTS_ENGINE_TESTING_H
#define SW_TESTS_ENGINE_TESTING_H

#include "alert/engine.h"
#include "unit/test.h"

enum { START_MS = 1000000000, SECOND = 1000, MINUTE = 60000, HOUR = 3600000 };

typedef struct bench {
    sw_alert_engine *engine;
    sw_rules rules;
    sw_arena arena;
    int64_t now_ms, wall_offset_ms;
    sw_alert_changes changes;
    bool unsaved;
} bench;

static bool bench_rules(bench *b, const char *yaml) {
    sw_error why = {0};
    sw_rules_context context = {true, true};
    bool ok = !sw_failed(sw_rules_read(&b->rules, sw_str_of(yaml), &context, &b->arena, &why));
    if (!ok)
        TEST_FAIL_("%s", why.text);
    return ok;
}

static bool bench_begin(bench *b, const char *yaml) {
    sw_error why;
    *b = (bench){.now_ms = START_MS};
    if (!bench_rules(b, yaml) || sw_failed(sw_alert_engine_make(&b->engine, 1, &why)))
        return false;
    sw_alert_engine_set_rules(b->engine, &b->rules);
    return true;
}

static void bench_end(bench *b) {
    sw_alert_engine_free(b->engine);
    sw_arena_free(&b->arena);
}

/* Time passes, then there is news. */
static void bench_step(bench *b, int64_t after_ms, const sw_signal *signals, size_t count) {
    sw_error why = {0};
    b->now_ms += after_ms;
    if (sw_failed(sw_alert_engine_step(&b->changes, b->engine, signals, count, b->now_ms,
                                       b->now_ms + b->wall_offset_ms, &why)))
        TEST_FAIL_("%s", why.text);
    if (!b->unsaved)
        sw_alert_engine_saved(b->engine);
}

static sw_signal latency(const char *model, double ms) {
    return (sw_signal){.measure = sw_measure_find(SW_SIGNAL_LATENCY, SW_STR("p99")),
                       .model = sw_str_of(model),
                       .version = 1,
                       .window_s = 300,
                       .value = ms,
                       .strength = NAN,
                       .strength_limit = NAN};
}

static void bench_latency(bench *b, int64_t after_ms, double ms) {
    sw_signal signal = latency("fraud", ms);
    bench_step(b, after_ms, &signal, 1);
}

#define FIRING(b) ((int)sw_alert_engine_count((b)->engine, SW_ALERT_FIRING))
#define PENDING(b) ((int)sw_alert_engine_count((b)->engine, SW_ALERT_PENDING))

#endif /* SW_TESTS_ENGINE_TESTING_H */
