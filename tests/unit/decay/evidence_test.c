/* SPDX-License-Identifier: Apache-2.0 */
#include "base/num.h"
#include "base/rng.h"
#include "decay/decay_private.h"
#include "unit/test.h"

#include <math.h>

enum { LOOKS_MAX = 5000, BYTES_MAX = 64 << 10 };

static sw_loss_sums looks[LOOKS_MAX];
static sw_error error;

/* Losses of 0 and 1, or of all that lies between. */
static double loss_of(uint64_t *random, double mean, bool whole) {
    double u = sw_rng_unit(random);
    return whole ? u < mean : 2 * mean * u;
}

static void fill(size_t count, size_t from, double before, double after, bool whole,
                 uint64_t *random) {
    for (size_t i = 0; i < count; i++) {
        looks[i] = (sw_loss_sums){0};
        for (uint64_t rows = sw_rng_next(random) % 7; rows > 0; rows--)
            sw_loss_add(&looks[i], loss_of(random, i < from ? before : after, whole));
    }
}

/* The test over `count` looks, a minute after the last of them. */
static sw_decay_evidence run(size_t count, double mean, bool whole, uint64_t *random,
                             sw_arena *arena) {
    sw_decay_evidence e = {.loss = "error rate", .scale = 1, .baseline_rows = 1000};
    e.trail.plan = (sw_decay_plan){8766, 0.1, 0.02, 0};
    for (int i = 0; i < 1000; i++)
        sw_loss_add(&e.trail.baseline, loss_of(random, mean, whole));
    int64_t now_ms = ((int64_t)count + 1000) * DECAY_LOOK_MS + 60000;
    CHECK_OK(sw_decay_run(&e, looks, count, 1000, now_ms, arena, &error), error);
    return e;
}

static void write(sw_buf *json, const sw_decay_evidence *e) {
    sw_json w = sw_json_to(json);
    sw_buf_clear(json);
    sw_decay_evidence_write(&w, e);
    CHECK(!json->failed && json->len < BYTES_MAX);
}

static bool gives_it_back(const sw_buf *json, const sw_decay_evidence *e) {
    sw_arena arena = {0};
    sw_decay_again again = {0};
    bool good = !sw_failed(sw_decay_recompute(&again, sw_buf_str(json), &arena, &error)) &&
                again.agrees && sw_num_same_f64(again.evidence_log10, e->evidence_log10) &&
                sw_num_same_f64(again.threshold_log10, e->threshold_log10) &&
                again.alarm == (e->state == SW_DECAY_DECAYED);
    sw_arena_free(&arena);
    return good;
}

TEST(decay_evidence__gives_the_test_back_to_the_last_bit) {
    uint64_t random = 11;
    size_t decayed = 0, from_snapshots = 0;
    for (int round = 0; round < 120; round++) {
        sw_arena arena = {0};
        sw_buf json = {0};
        bool whole = round % 2, worse = round % 3;
        size_t count = round % 4 == 0 ? LOOKS_MAX : 1 + sw_rng_next(&random) % 600;
        fill(count, count / 2, 0.1, worse ? 0.3 : 0.1, whole, &random);
        looks[0] = (sw_loss_sums){0};
        sw_loss_add(&looks[0], 0);
        sw_decay_evidence e = run(count, 0.1, whole, &random, &arena);
        write(&json, &e);
        if (e.trail.count) /* none right after a restart that is past */
            CHECK(gives_it_back(&json, &e));
        decayed += e.state == SW_DECAY_DECAYED;
        from_snapshots += !isinf(e.trail.before.bets[0]);
        sw_buf_free(&json);
        sw_arena_free(&arena);
    }
    CHECK(decayed > 20 && from_snapshots > 5);
}

TEST(decay_evidence__is_as_of_the_alarm_and_not_of_what_came_after) {
    uint64_t random = 5;
    sw_arena arena = {0};
    fill(200, 100, 0.05, 0.9, true, &random);
    for (size_t i = 150; i < 200; i++)
        looks[i] = (sw_loss_sums){0};
    looks[199].rows = 1; /* well again */
    sw_decay_evidence e = run(200, 0.05, true, &random, &arena);
    CHECK(e.state == SW_DECAY_DECAYED && e.evidence_log10 >= e.threshold_log10);
    CHECK(e.now > 0.05 && e.baseline < 0.1);
    sw_arena_free(&arena);
}

/* Whatever digit of the looks: the file is no JSON any more, or gives another number. */
TEST(decay_evidence__notices_each_digit_that_was_changed) {
    uint64_t random = 21;
    sw_arena arena = {0};
    sw_buf json = {0};
    size_t changed = 0;
    fill(60, 0, 0.1, 0.4, true, &random);
    sw_decay_evidence e = run(60, 0.1, true, &random, &arena);
    write(&json, &e);
    REQUIRE(gives_it_back(&json, &e));
    sw_buf_add_char(&json, 0);
    const char *from = strstr(json.at, "\"looks\":");
    REQUIRE(from);
    json.len--;
    for (char *at = json.at + (from - json.at); *at; at++) {
        if (*at < '0' || *at > '9')
            continue;
        char was = *at;
        *at = was == '9' ? '1' : (char)(was + 1);
        CHECK(!gives_it_back(&json, &e));
        *at = was;
        changed++;
    }
    CHECK(changed > 100);
    sw_buf_free(&json);
    sw_arena_free(&arena);
}

TEST(decay_evidence__that_is_none_is_refused) {
    static const char *const texts[] = {"",
                                        "{}",
                                        "{\"looks\":[]}",
                                        "{\"looks\":[[1,2]]}",
                                        "{\"looks\":[[1,0,0,0,0,0]]}",
                                        "{\"looks\":[[-1,0,0,0,0]]}",
                                        "{\"bets\":[1],\"looks\":[[1,0,0,0,0]]}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        sw_arena arena = {0};
        sw_decay_again again;
        CHECK(sw_failed(sw_decay_recompute(&again, sw_str_of(texts[i]), &arena, &error)));
        sw_arena_free(&arena);
    }
}

/* ---- Metrics ---- */

static sw_quality *sums_of(sw_quality_task task, uint64_t *random) {
    sw_quality *sums = NULL;
    CHECK_OK(sw_quality_make(&sums, task, 4, 0.3, false, &error), error);
    for (int i = 0; i < 500; i++) {
        double u = sw_rng_unit(random), v = sw_rng_unit(random), w = sw_rng_unit(random);
        double scores[4] = {u / (u + v + w) / 2, v / (u + v + w) / 2, w / (u + v + w) / 2, 0.5};
        sw_ranked ranked[] = {{u, v > 0.5}, {v, w > 0.5}, {w, u > 0.5}};
        switch (task) {
        case SW_QUALITY_BINARY: sw_quality_add_binary(sums, u * u, v < u); break;
        case SW_QUALITY_MULTICLASS:
            sw_quality_add_classes(sums, scores, (uint32_t)(sw_rng_next(random) % 4));
            break;
        case SW_QUALITY_REGRESSION: sw_quality_add_value(sums, exp(9 * u), exp(9 * v)); break;
        case SW_QUALITY_RANKING: sw_quality_add_query(sums, ranked, 3); break;
        }
    }
    return sums;
}

static double again(const sw_quality_window *window, const char *metric) {
    double value = -1;
    sw_arena arena = {0};
    sw_buf json = {0};
    sw_json w = sw_json_to(&json);
    sw_metric_evidence_write(&w, window, metric);
    CHECK(json.len < BYTES_MAX);
    CHECK_OK(sw_metric_recompute(&value, sw_buf_str(&json), &arena, &error), error);
    sw_buf_free(&json);
    sw_arena_free(&arena);
    return value;
}

TEST(metric_evidence__gives_every_metric_back_to_the_last_bit) {
    uint64_t random = 8;
    for (int round = 0; round < 40; round++) {
        sw_quality *sums = sums_of((sw_quality_task)(round % 4), &random);
        sw_quality_window window = {.labelled = 500};
        sw_buf json = {0};
        double unit = round % 3 ? 1 : 4;
        sw_quality_sums_write(&json, sums, unit);
        window.sums = sw_buf_str(&json);
        sw_quality_metrics(&window.metrics, sums);
        sw_quality_scale_counts(&window.metrics, unit);
        CHECK(window.metrics.count >= 8);
        for (unsigned i = 0; i < window.metrics.count; i++)
            CHECK(sw_num_same_f64(again(&window, window.metrics.at[i].name),
                                  window.metrics.at[i].value));
        CHECK(isnan(again(&window, "happiness")));
        sw_buf_free(&json);
        sw_quality_free(sums);
    }
}

TEST(metric_evidence__that_is_none_is_refused) {
    static const char *const sums[] = {
        "null",
        "{}",
        "{\"unit\":1,\"counted\":{\"task\":\"weather\"}}",
        "{\"unit\":1,\"counted\":{\"task\":\"multiclass\",\"classes\":1001}}",
        "{\"unit\":1,\"counted\":{\"task\":\"binary\",\"matrix\":[1,2,3]}}",
        "{\"unit\":1,\"counted\":{\"task\":\"binary\",\"matrix\":[1,2,3,4,5]}}",
        "{\"unit\":1,\"counted\":{\"task\":\"binary\",\"scores\":[1538,1,1]}}",
        "{\"unit\":1,\"counted\":{\"task\":\"binary\",\"scores\":[0,1]}}",
        "{\"unit\":1,\"counted\":{\"task\":\"regression\",\"regression\":[1,0,\"x\"]}}",
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        double value;
        char json[300];
        sw_arena arena = {0};
        snprintf(json, sizeof json, "{\"metric\":\"accuracy\",\"sums\":%s}", sums[i]);
        CHECK(sw_failed(sw_metric_recompute(&value, sw_str_of(json), &arena, &error)));
        sw_arena_free(&arena);
    }
}

TEST_MAIN
