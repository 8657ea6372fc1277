/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/alert/engine_testing.h"

#include <stdio.h>

#define NOTIFIER "defaults: false\nnotify: h\nnotifiers: {h: {webhook: 'http://h/'}}\n"
#define SLOW "rules:\n- {name: slow, on: latency, above: 100ms}\n"

TEST(group__waits_then_tells_then_repeats) {
    bench b;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW));
    bench_latency(&b, 0, 150);
    CHECK_INT(b.changes.notification_count, 0);
    bench_latency(&b, 29 * SECOND, 150);
    CHECK_INT(b.changes.notification_count, 0);
    bench_latency(&b, SECOND, 150);
    REQUIRE(b.changes.notification_count == 1);
    CHECK_INT(b.changes.notifications[0].firing, 1);
    CHECK(!b.changes.notifications[0].repeat);
    int told = 0;
    for (int i = 0; i < 239; i++) {
        bench_latency(&b, MINUTE, 150);
        told += (int)b.changes.notification_count;
    }
    CHECK_INT(told, 0);
    bench_latency(&b, MINUTE, 150);
    REQUIRE(b.changes.notification_count == 1);
    CHECK(b.changes.notifications[0].repeat);
    bench_end(&b);
}

TEST(group__tells_the_end_once_and_only_to_those_who_heard_of_the_beginning) {
    bench b;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW));
    bench_latency(&b, 0, 150);
    bench_latency(&b, SECOND, 50); /* over before anybody was told */
    for (int i = 0; i < 60; i++) {
        bench_latency(&b, 30 * SECOND, 50);
        CHECK_INT(b.changes.notification_count, 0);
    }
    bench_latency(&b, 0, 150);
    bench_latency(&b, 31 * SECOND, 150);
    CHECK_INT(b.changes.notification_count, 1);
    bench_latency(&b, MINUTE, 50);
    CHECK_INT(b.changes.notification_count, 0); /* the interval holds it back */
    int ends = 0;
    for (int i = 0; i < 120; i++) {
        bench_latency(&b, 30 * SECOND, 50);
        for (size_t k = 0; k < b.changes.notification_count; k++)
            ends += b.changes.notifications[k].resolved == 1 && !b.changes.notifications[k].firing;
    }
    CHECK_INT(ends, 1);
    bench_end(&b);
}

TEST(group__makes_few_messages_of_a_storm) {
    enum { STORM = 10000 };
    bench b;
    sw_signal *signals = calloc(STORM, sizeof *signals);
    char(*names)[24] = calloc(STORM, sizeof *names);
    size_t messages = 0, alerts = 0;
    REQUIRE(signals && names);
    REQUIRE(bench_begin(&b, NOTIFIER "rules:\n- {name: drift, on: drift}\n"));
    for (int i = 0; i < STORM; i++) {
        snprintf(names[i], sizeof names[i], "column%d", i);
        signals[i] = (sw_signal){.measure = sw_measure_find(SW_SIGNAL_DRIFT, SW_STR("psi")),
                                 .model = i % 2 ? SW_STR("a") : SW_STR("b"),
                                 .column = sw_str_of(names[i]),
                                 .value = 1,
                                 .verdict = SW_YES,
                                 .strength = 9,
                                 .strength_limit = 4};
    }
    for (int i = 0; i < 60; i++) {
        bench_step(&b, 10 * SECOND, signals, STORM);
        messages += b.changes.notification_count;
        for (size_t k = 0; k < b.changes.notification_count; k++)
            alerts += b.changes.notifications[k].firing;
    }
    CHECK_INT(FIRING(&b), STORM);
    CHECK_INT(messages, 2);
    CHECK_INT(alerts, STORM);
    free(signals);
    free(names);
    bench_end(&b);
}

TEST(group__survives_a_restart) {
    sw_error why;
    bench b;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW));
    bench_latency(&b, 0, 150);
    b.unsaved = true;
    bench_latency(&b, 30 * SECOND, 150);
    REQUIRE(b.changes.group_count == 1);
    bench next;
    REQUIRE(bench_begin(&next, NOTIFIER SLOW));
    next.now_ms = b.now_ms;
    sw_alert stored = *sw_alert_engine_find(b.engine, 1);
    stored.told_names = SW_STR("h\n");
    CHECK(!sw_failed(sw_alert_engine_restore(next.engine, &stored, b.now_ms, &why)));
    CHECK(!sw_failed(
        sw_alert_engine_restore_group(next.engine, &b.changes.groups[0], b.now_ms, &why)));
    int told = 0;
    for (int i = 0; i < 60; i++) {
        bench_latency(&next, MINUTE, 150);
        told += (int)next.changes.notification_count;
    }
    CHECK_INT(told, 0);
    bench_end(&next);
    bench_end(&b);
}

TEST(silence__keeps_an_alert_from_being_told_and_ends) {
    bench b;
    sw_matcher m;
    sw_error why;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW));
    CHECK(!sw_failed(sw_matcher_read(&m, SW_STR("model=fr*"), &why)));
    sw_silence s = {.id = 7,
                    .matchers = &m,
                    .matcher_count = 1,
                    .from_ms = START_MS,
                    .until_ms = START_MS + 10 * MINUTE};
    sw_alert_engine_set_silences(b.engine, &s, 1);
    int told = 0;
    for (int i = 0; i < 10; i++) {
        bench_latency(&b, MINUTE - SECOND, 150);
        told += (int)b.changes.notification_count;
    }
    CHECK_INT(told, 0);
    CHECK_INT(sw_alert_engine_find(b.engine, 1)->silenced_by, 7);
    bench_latency(&b, MINUTE, 150);
    bench_latency(&b, MINUTE, 150);
    told += (int)b.changes.notification_count;
    CHECK_INT(told, 1);
    CHECK_INT(sw_alert_engine_find(b.engine, 1)->silenced_by, 0);
    bench_end(&b);
}

TEST(inhibition__hides_what_follows_from_something_worse) {
    bench b;
    REQUIRE(bench_begin(&b,
                        NOTIFIER "rules:\n"
                                 "- {name: slow, on: latency, above: 100ms, severity: warning}\n"
                                 "- {name: down, on: latency, above: 1s, severity: critical}\n"
                                 "inhibit:\n"
                                 "- {source: {severity: critical}, target: {severity: warning}, "
                                 "equal: [model]}\n"));
    sw_signal s[] = {latency("a", 2000), latency("b", 150)};
    bench_step(&b, 0, s, 2);
    CHECK_INT(FIRING(&b), 3);
    int inhibited = 0;
    for (int64_t id = 1; id <= 3; id++) {
        const sw_alert *a = sw_alert_engine_find(b.engine, id);
        inhibited += a->inhibited_by != 0;
        if (a->inhibited_by)
            CHECK(sw_str_is(a->model, "a") && sw_str_is(a->rule, "slow"));
    }
    CHECK_INT(inhibited, 1);
    bench_end(&b);
}

TEST(quiet_hours__hold_back_what_can_wait) {
    bench b;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW "quiet:\n- {from: '22:00', to: '06:30'}\n"));
    int64_t midnight = (int64_t)20000 * 24 * HOUR;
    b.now_ms = midnight - 3 * HOUR; /* 21:00 */
    bench_latency(&b, 0, 150);
    CHECK(!sw_alert_engine_find(b.engine, 1)->quiet);
    bench_latency(&b, 2 * HOUR, 150);
    CHECK(sw_alert_engine_find(b.engine, 1)->quiet);
    bench_latency(&b, 7 * HOUR, 150); /* 06:00 */
    CHECK(sw_alert_engine_find(b.engine, 1)->quiet);
    bench_latency(&b, 31 * MINUTE, 150);
    CHECK(!sw_alert_engine_find(b.engine, 1)->quiet);
    bench_end(&b);
}

TEST(acknowledgement__stops_repeats_and_not_the_end) {
    bench b;
    sw_error why;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW));
    bench_latency(&b, 0, 150);
    bench_latency(&b, 30 * SECOND, 150);
    CHECK_INT(b.changes.notification_count, 1);
    CHECK(!sw_failed(
        sw_alert_engine_acknowledge(b.engine, 1, SW_STR("ann"), SW_STR("on it"), b.now_ms, &why)));
    int told = 0;
    for (int i = 0; i < 600; i++) {
        bench_latency(&b, MINUTE, 150);
        told += (int)b.changes.notification_count;
    }
    CHECK_INT(told, 0);
    bench_latency(&b, MINUTE, 50);
    CHECK_INT(b.changes.notification_count, 1);
    CHECK_INT(
        sw_alert_engine_acknowledge(b.engine, 1, SW_STR("ann"), SW_STR(""), b.now_ms, &why).code,
        SW_CODE_CONFLICT);
    CHECK_INT(
        sw_alert_engine_acknowledge(b.engine, 9, SW_STR("ann"), SW_STR(""), b.now_ms, &why).code,
        SW_CODE_NOT_FOUND);
    bench_end(&b);
}

TEST(groups__are_parted_by_the_labels_that_were_asked_for) {
    bench b;
    REQUIRE(bench_begin(&b, NOTIFIER SLOW "groups: {by: [rule], wait: 0}\n"));
    sw_signal s[] = {latency("a", 150), latency("b", 150)};
    bench_step(&b, 0, s, 2);
    REQUIRE(b.changes.notification_count == 1);
    CHECK_INT(b.changes.notifications[0].firing, 2);
    bench_end(&b);
    REQUIRE(bench_begin(&b, NOTIFIER SLOW "groups: {by: [model], wait: 0}\n"));
    bench_step(&b, 0, s, 2);
    CHECK_INT(b.changes.notification_count, 2);
    bench_end(&b);
}

TEST_MAIN
