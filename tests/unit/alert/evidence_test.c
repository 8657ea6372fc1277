/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/evidence.h"

#include "alert/traffic_private.h"
#include "base/mem.h"
#include "base/rng.h"
#include "unit/test.h"

static void write_window(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_window(w, signal->measure, signal->data);
}

static sw_evidence_window random_window(uint64_t *random) {
    sw_evidence_window w = {.window_s = 300 + (uint32_t)(sw_rng_next(random) % 10),
                            .usual_s = 3600,
                            .usual_requests = 1000 + sw_rng_next(random) % 100000};
    uint64_t requests = 10 + sw_rng_next(random) % 5000;
    for (uint64_t i = 0; i < requests; i++) {
        sw_histogram_add(&w.total, sw_rng_next(random) >> (24 + sw_rng_next(random) % 30));
        w.requests++;
        w.failures += sw_rng_next(random) % 10 == 0;
    }
    return w;
}

TEST(evidence__gives_the_value_back_to_the_last_bit) {
    static const struct {
        sw_signal_kind kind;
        const char *measure;
    } all[] = {{SW_SIGNAL_LATENCY, "p50"},  {SW_SIGNAL_LATENCY, "p90"},
               {SW_SIGNAL_LATENCY, "p99"},  {SW_SIGNAL_ERROR_RATE, "share"},
               {SW_SIGNAL_TRAFFIC, "rate"}, {SW_SIGNAL_TRAFFIC, "gone"}};
    uint64_t random = 42;
    for (int run = 0; run < 200; run++) {
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
            sw_error why = {0};
            sw_buf json = {0};
            sw_arena arena = {0};
            sw_evidence_again again = {0};
            sw_evidence_window window = random_window(&random);
            sw_signal signal = {.measure = sw_measure_find(all[i].kind, sw_str_of(all[i].measure)),
                                .data = &window,
                                .write_evidence = write_window};
            sw_rule rule = {.measure = signal.measure, .has_limit = true, .above = true};
            signal.value = sw_evidence_value(signal.measure, &window);
            CHECK(!isnan(signal.value));
            rule.limit = signal.value / 2;
            sw_evidence_write(&json, &rule, &signal);
            CHECK(!sw_failed(sw_evidence_recompute(&again, sw_buf_str(&json), &arena, &why)));
            CHECK(again.possible && again.same);
            CHECK(again.computed == signal.value);
            CHECK(again.raised == (signal.value > rule.limit));
            sw_buf_free(&json);
            sw_arena_free(&arena);
        }
    }
}

TEST(evidence__that_was_changed_differs) {
    static const char text[] =
        "{\"kind\":\"error_rate\",\"measure\":\"share\",\"by\":\"limit\",\"value\":0.25,"
        "\"limit\":0.05,\"above\":true,\"unit\":\"share\",\"measured\":0.25,"
        "\"data\":{\"window_s\":300,\"requests\":400,\"failures\":%d}}";
    for (int failures = 99; failures <= 101; failures++) {
        char json[400];
        sw_error why;
        sw_arena arena = {0};
        sw_evidence_again again;
        snprintf(json, sizeof json, text, failures);
        REQUIRE(!sw_failed(sw_evidence_recompute(&again, sw_str_of(json), &arena, &why)));
        CHECK(again.same == (failures == 100));
        sw_arena_free(&arena);
    }
}

/* ---- Counts of columns, readings ---- */

static void write_psi(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_psi(w, signal->data);
}

static void write_share(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_share(w, signal->data);
}

static void write_reading(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_reading(w, signal->value);
}

static sw_evidence_again again_of(const sw_rule *rule, const sw_signal *signal) {
    sw_error why = {0};
    sw_buf json = {0};
    sw_arena arena = {0};
    sw_evidence_again again = {0};
    sw_evidence_write(&json, rule, signal);
    CHECK(!sw_failed(sw_evidence_recompute(&again, sw_buf_str(&json), &arena, &why)));
    CHECK(again.possible && again.same);
    sw_buf_free(&json);
    sw_arena_free(&arena);
    return again;
}

TEST(evidence__of_a_threshold_on_a_column_is_its_counts) {
    uint64_t random = 9;
    for (int run = 0; run < 200; run++) {
        sw_evidence_psi psi = {.cells = 2 + (uint32_t)(sw_rng_next(&random) % 11)};
        for (uint32_t k = 0; k < psi.cells; k++) {
            psi.reference[k] = sw_rng_next(&random) % 100000;
            psi.live[k] = 1 + sw_rng_next(&random) % 1000;
        }
        sw_signal drift = {.measure = sw_measure_find(SW_SIGNAL_DRIFT, SW_STR("psi")),
                           .value = sw_evidence_psi_value(&psi),
                           .data = &psi,
                           .write_evidence = write_psi};
        sw_rule rule = {.measure = drift.measure, .has_limit = true, .above = true, .limit = 0.2};
        CHECK(again_of(&rule, &drift).raised == (drift.value > 0.2));
        sw_evidence_share share = {psi.live[0], psi.live[0] + psi.live[1]};
        sw_signal missing = {.measure = sw_measure_find(SW_SIGNAL_QUALITY, SW_STR("missing")),
                             .value = sw_evidence_share_value(&share),
                             .data = &share,
                             .write_evidence = write_share};
        rule.measure = missing.measure;
        CHECK(again_of(&rule, &missing).raised == (missing.value > 0.2));
    }
}

TEST(evidence__of_what_was_read_is_the_reading) {
    sw_signal lag = {.measure = sw_measure_find(SW_SIGNAL_LAG, SW_STR("lag")),
                     .value = 260.1,
                     .write_evidence = write_reading};
    sw_rule rule = {.measure = lag.measure, .has_limit = true, .above = true, .limit = 250};
    CHECK(again_of(&rule, &lag).raised);
    sw_signal log = {.measure = sw_measure_find(SW_SIGNAL_LOG, SW_STR("stopped")),
                     .value = 1,
                     .strength = 1,
                     .strength_limit = NAN,
                     .write_evidence = write_reading};
    rule = (sw_rule){.measure = log.measure, .above = true};
    CHECK(again_of(&rule, &log).raised);
}

TEST(evidence__without_data_cannot_be_computed_again) {
    static const char *const texts[] = {
        "{\"kind\":\"lag\",\"measure\":\"lag\",\"value\":300,\"limit\":250,\"data\":null}",
        "{\"kind\":\"drift\",\"measure\":\"psi\",\"by\":\"verdict\",\"value\":6}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sw_error why;
        sw_arena arena = {0};
        sw_evidence_again again;
        CHECK(!sw_failed(sw_evidence_recompute(&again, sw_str_of(texts[i]), &arena, &why)));
        CHECK(!again.possible && !again.same);
        sw_arena_free(&arena);
    }
}

TEST(evidence__that_is_none_is_refused) {
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "{\"kind\":\"weather\"}",
        "{\"kind\":\"latency\",\"measure\":\"p99\",\"data\":{\"buckets\":[[9999999,1]]}}",
        "{\"kind\":\"latency\",\"measure\":\"p99\",\"data\":{\"buckets\":[[1,2,3]]}}",
        "{\"kind\":\"latency\",\"measure\":\"p99\",\"data\":{\"requests\":-1}}",
        "{\"kind\":\"drift\",\"by\":\"limit\",\"data\":{\"reference\":[1,2],\"live\":[1]}}",
        "{\"kind\":\"drift\",\"by\":\"limit\",\"data\":{\"live\":[0,0,0,0,0,0,0,0,0,0,0,0,0]}}",
        "{\"kind\":\"decay\",\"measure\":\"evidence\",\"data\":{}}",
        "{\"kind\":\"metric\",\"measure\":\"value\",\"data\":{}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sw_error why;
        sw_arena arena = {0};
        sw_evidence_again again;
        CHECK(sw_failed(sw_evidence_recompute(&again, sw_str_of(texts[i]), &arena, &why)));
        sw_arena_free(&arena);
    }
}

/* ---- Windows of requests ---- */

TEST(traffic__windows_equal_a_plain_recount) {
    enum { STEPS = 2000 };
    static struct {
        int64_t at_ms;
        uint64_t requests, failures;
    } past[STEPS];
    sw_traffic *traffic;
    sw_error why;
    uint64_t random = 3;
    sw_stats_shard totals = {0};
    REQUIRE(!sw_failed(sw_traffic_make(&traffic, &why)));
    int64_t now = 5000000;
    for (int i = 0; i < STEPS; i++) {
        now += 1000 + (int64_t)(sw_rng_next(&random) % 9000);
        uint64_t requests = i ? sw_rng_next(&random) % 50 : 0;
        past[i].at_ms = now;
        past[i].requests = requests;
        past[i].failures = requests / 7;
        totals.requests += requests;
        totals.failures += requests / 7;
        for (uint64_t k = 0; k < requests; k++)
            sw_histogram_add(&totals.total, 1000000 * (k + 1));
        CHECK(!sw_failed(sw_traffic_take(traffic, SW_STR("m"), 1, &totals, now, &why)));
        sw_evidence_window w;
        bool whole;
        uint32_t window_s = (uint32_t)(1 + sw_rng_next(&random) % 60) * 10;
        REQUIRE(sw_traffic_window(&w, &whole, traffic, SW_STR("m"), 1, window_s, now));
        uint64_t wanted = 0, failures = 0;
        int64_t first = (now / 10000 - (int64_t)window_s / 10) * 10000;
        for (int k = 1; k <= i; k++) {
            wanted += past[k].at_ms >= first ? past[k].requests : 0;
            failures += past[k].at_ms >= first ? past[k].failures : 0;
        }
        CHECK_INT(w.requests, wanted);
        CHECK_INT(w.failures, failures);
        CHECK_INT(w.total.count, wanted);
        CHECK(whole == (past[0].at_ms <= first));
    }
    sw_traffic_free(traffic);
}

TEST(traffic__that_stops_is_gone_and_one_that_never_was_is_not) {
    sw_traffic *traffic;
    sw_error why;
    sw_stats_shard busy = {0}, idle = {0};
    const sw_measure *gone = sw_measure_find(SW_SIGNAL_TRAFFIC, SW_STR("gone"));
    sw_evidence_window w;
    bool whole;
    REQUIRE(!sw_failed(sw_traffic_make(&traffic, &why)));
    for (int64_t now = 0; now < 3600000; now += 5000) {
        busy.requests += now < 3000000 ? 10 : 0;
        CHECK(!sw_failed(sw_traffic_take(traffic, SW_STR("busy"), 1, &busy, now, &why)));
        CHECK(!sw_failed(sw_traffic_take(traffic, SW_STR("idle"), 1, &idle, now, &why)));
    }
    REQUIRE(sw_traffic_window(&w, &whole, traffic, SW_STR("busy"), 1, 300, 3595000));
    CHECK(whole && sw_evidence_value(gone, &w) == 1);
    REQUIRE(sw_traffic_window(&w, &whole, traffic, SW_STR("idle"), 1, 300, 3595000));
    CHECK(isnan(sw_evidence_value(gone, &w)));
    CHECK(!sw_traffic_window(&w, &whole, traffic, SW_STR("none"), 1, 300, 3595000));
    sw_traffic_free(traffic);
}

TEST_MAIN
