/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/alert/engine_testing.h"

#include "base/mem.h"
#include "base/rng.h"

#define RULES                                                              \
    "defaults: false\nnotify: h\nnotifiers: {h: {webhook: 'http://h/'}}\n" \
    "rules:\n- {name: slow, on: latency, above: 100ms, for: 1m, severity: critical}\n"

TEST(alert__waits_for_its_time_then_fires_then_ends) {
    bench b;
    REQUIRE(bench_begin(&b, RULES));
    bench_latency(&b, 0, 50);
    CHECK_INT(PENDING(&b) + FIRING(&b), 0);
    bench_latency(&b, 10 * SECOND, 150);
    CHECK_INT(PENDING(&b), 1);
    bench_latency(&b, 59 * SECOND, 150);
    CHECK_INT(FIRING(&b), 0);
    bench_latency(&b, SECOND, 160);
    CHECK_INT(FIRING(&b), 1);
    const sw_alert *a = sw_alert_engine_find(b.engine, 1);
    REQUIRE(a != NULL);
    CHECK(a->value == 160 && a->limit == 100);
    CHECK(strstr(a->evidence_json.at, "\"value\":160") != NULL);
    CHECK(sw_str_is(a->summary, "fraud@1: p99 latency: 160 ms, above 100 ms"));
    bench_latency(&b, SECOND, 50);
    CHECK_INT(FIRING(&b), 0);
    CHECK_INT(sw_alert_engine_count(b.engine, SW_ALERT_RESOLVED), 1);
    bench_end(&b);
}

TEST(alert__that_was_only_pending_is_forgotten) {
    bench b;
    REQUIRE(bench_begin(&b, RULES));
    bench_latency(&b, 0, 150);
    bench_latency(&b, 10 * SECOND, 50);
    CHECK_INT(PENDING(&b), 0);
    CHECK_INT(b.changes.forgotten_count, 1);
    CHECK_INT(b.changes.notification_count, 0);
    bench_end(&b);
}

TEST(alert__hears_nothing_from_what_is_undefined) {
    bench b;
    REQUIRE(bench_begin(&b, RULES));
    bench_latency(&b, 0, 150);
    bench_latency(&b, MINUTE, 150);
    CHECK_INT(FIRING(&b), 1);
    bench_latency(&b, MINUTE, NAN);
    bench_step(&b, MINUTE, NULL, 0);
    CHECK_INT(FIRING(&b), 1);
    bench_step(&b, 4 * MINUTE, NULL, 0); /* no news for five minutes */
    CHECK_INT(FIRING(&b), 0);
    bench_end(&b);
}

TEST(alert__that_flaps_is_one_alert_and_holds_longer_each_time) {
    bench b;
    int resolved = 0;
    REQUIRE(bench_begin(&b, "defaults: false\nrules:\n"
                            "- {name: slow, on: latency, above: 100ms}\n"));
    for (int i = 0; i < 240; i++) { /* an hour, up and down each 15 s */
        bench_latency(&b, 15 * SECOND, i % 2 ? 50 : 150);
        for (size_t k = 0; k < b.changes.alert_count; k++)
            resolved += b.changes.alerts[k]->state == SW_ALERT_RESOLVED;
    }
    CHECK_INT(resolved, 1);
    CHECK_INT(FIRING(&b), 1);
    CHECK(sw_alert_engine_find(b.engine, 2) == NULL);
    bench_latency(&b, 15 * SECOND, 50);
    bench_latency(&b, 61 * SECOND, 50);
    CHECK_INT(FIRING(&b), 0);
    bench_end(&b);
}

TEST(alert__keeps_firing_for_as_long_as_it_was_told_to) {
    bench b;
    REQUIRE(bench_begin(&b, "defaults: false\nrules:\n- {name: slow, on: latency, above: 100ms, "
                            "keep_firing_for: 3m}\n"));
    bench_latency(&b, 0, 150);
    bench_latency(&b, SECOND, 50);
    bench_latency(&b, 2 * MINUTE, 50);
    CHECK_INT(FIRING(&b), 1);
    bench_latency(&b, 61 * SECOND, 50);
    CHECK_INT(FIRING(&b), 0);
    bench_end(&b);
}

/* The steps of the wall clock do not matter: only the steady one counts. */
TEST(alert__is_not_moved_by_a_clock_that_steps) {
    bench b;
    REQUIRE(bench_begin(&b, RULES));
    bench_latency(&b, 0, 150);
    b.wall_offset_ms = 5 * HOUR;
    bench_latency(&b, SECOND, 150);
    CHECK_INT(FIRING(&b), 0);
    b.wall_offset_ms = -5 * HOUR;
    bench_latency(&b, 59 * SECOND, 150);
    CHECK_INT(FIRING(&b), 1);
    bench_end(&b);
}

static void copy_into(bench *to, const bench *from, int64_t wall_ms) {
    sw_error why = {0};
    for (int64_t id = 1; id < 100; id++) {
        const sw_alert *a = sw_alert_engine_find(from->engine, id);
        if (!a)
            continue;
        sw_alert stored = *a;
        stored.told_names = a->told ? SW_STR("h\n") : SW_STR("");
        CHECK(!sw_failed(sw_alert_engine_restore(to->engine, &stored, wall_ms, &why)));
    }
}

/* A restart in every state: the run with restarts ends as the one without. */
TEST(alert__goes_on_where_it_was_after_a_restart) {
    static const double course[] = {50,  150, 150, 150, 150, 150, 150, 150, 150,
                                    150, 50,  50,  50,  150, 150, 150, 150, 150};
    enum { STEPS = sizeof course / sizeof *course };
    for (int restart_at = 0; restart_at < STEPS; restart_at++) {
        bench plain, b;
        REQUIRE(bench_begin(&plain, RULES));
        REQUIRE(bench_begin(&b, RULES));
        for (int i = 0; i < STEPS; i++) {
            bench_latency(&plain, 15 * SECOND, course[i]);
            bench_latency(&b, 15 * SECOND, course[i]);
            if (i == restart_at) {
                bench next;
                REQUIRE(bench_begin(&next, RULES));
                next.now_ms = b.now_ms;
                copy_into(&next, &b, b.now_ms);
                bench_end(&b);
                b = next;
                sw_alert_engine_set_rules(b.engine, &b.rules);
            }
        }
        CHECK_INT(FIRING(&b), FIRING(&plain));
        CHECK_INT(PENDING(&b), PENDING(&plain));
        const sw_alert *x = sw_alert_engine_find(b.engine, 1);
        const sw_alert *y = sw_alert_engine_find(plain.engine, 1);
        CHECK(!x == !y);
        CHECK(!x || x->fired_ms == y->fired_ms);
        bench_end(&b);
        bench_end(&plain);
    }
}

TEST(alert__of_a_rule_that_is_gone_ends) {
    bench b;
    sw_rules none = {.every_ms = 5000};
    REQUIRE(bench_begin(&b, RULES));
    bench_latency(&b, 0, 150);
    bench_latency(&b, MINUTE, 150);
    CHECK_INT(FIRING(&b), 1);
    sw_alert_engine_set_rules(b.engine, &none);
    bench_latency(&b, SECOND, 150);
    CHECK_INT(FIRING(&b), 0);
    bench_end(&b);
}

TEST(alert__by_a_verdict_needs_no_threshold) {
    bench b;
    REQUIRE(bench_begin(&b, "defaults: true\n"));
    sw_signal s = {.measure = sw_measure_find(SW_SIGNAL_DRIFT, SW_STR("psi")),
                   .model = SW_STR("fraud"),
                   .version = 2,
                   .column = SW_STR("amount"),
                   .value = 0.3,
                   .verdict = SW_YES,
                   .strength = 6.25,
                   .strength_limit = 4.5};
    bench_step(&b, 0, &s, 1);
    const sw_alert *a = sw_alert_engine_find(b.engine, 1);
    REQUIRE(a != NULL);
    CHECK(a->value == 6.25 && a->limit == 4.5);
    CHECK(sw_str_is(a->summary, "fraud@2: amount drifts (PSI 0.3), beyond chance: 1 in 1.7 "
                                "million looks"));
    CHECK(a->unit == SW_UNIT_LOG10);
    s.verdict = SW_UNKNOWN;
    bench_step(&b, MINUTE, &s, 1);
    CHECK_INT(FIRING(&b), 1);
    bench_end(&b);
}

TEST(alert__survives_a_lack_of_memory) {
    bool failed = true;
    for (size_t nth = 1; failed; nth++) {
        bench b;
        sw_error why;
        int told = 0;
        REQUIRE(bench_begin(&b, RULES));
        sw_signal signals[] = {latency("a", 150), latency("b", 150)};
        sw_mem_fail_at(nth);
        for (int i = 0; i < 20; i++) {
            b.now_ms += 10 * SECOND;
            sw_status status =
                sw_alert_engine_step(&b.changes, b.engine, signals, 2, b.now_ms, b.now_ms, &why);
            told += (int)b.changes.notification_count;
            if (!sw_failed(status))
                sw_alert_engine_saved(b.engine);
        }
        failed = sw_mem_failed();
        sw_mem_fail_at(0);
        CHECK_INT(FIRING(&b), 2);
        CHECK_INT(told, 2);
        bench_end(&b);
    }
}

/* Whatever comes: an alert that fires was raised for as long as its rule says, ids grow, and what
 * is not stored is offered again. */
TEST(alert__keeps_its_laws_under_random_signals) {
    uint64_t random = 7;
    for (int run = 0; run < 50; run++) {
        bench b;
        double raised_ms[4] = {-1, -1, -1, -1};
        REQUIRE(bench_begin(&b, RULES));
        for (int i = 0; i < 300; i++) {
            static const char *const names[] = {"a", "b", "c", "d"};
            sw_signal signals[4];
            int64_t after = (int64_t)(sw_rng_unit(&random) * 40 * SECOND);
            for (int k = 0; k < 4; k++) {
                double u = sw_rng_unit(&random);
                signals[k] = latency(names[k], u < 0.1 ? NAN : u < 0.85 ? 150 : 50);
                if (signals[k].value == 50)
                    raised_ms[k] = -1;
                else if (signals[k].value == 150 && raised_ms[k] < 0)
                    raised_ms[k] = (double)(b.now_ms + after);
            }
            b.unsaved = i % 3 == 0;
            bench_step(&b, after, signals, 4);
            for (size_t n = 0; n < b.changes.alert_count; n++) {
                const sw_alert *a = b.changes.alerts[n];
                int k = a->model.at[0] - 'a';
                if (a->state == SW_ALERT_FIRING && a->fired_ms == b.now_ms)
                    CHECK((double)b.now_ms - raised_ms[k] >= MINUTE);
            }
        }
        bench_end(&b);
    }
}

TEST_MAIN
