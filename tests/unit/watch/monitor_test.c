/* SPDX-License-Identifier: Apache-2.0 */
#include "unit/watch/watch_server.h"

#include "base/mem.h"

static uint64_t seed = 9;

/* ---- A model of four features ---- */

static float draw_row(float x[4], double shift, double missing, double scale) {
    x[0] = (float)(testing_normal(&seed) + shift);
    x[1] = sw_rng_unit(&seed) < missing ? NAN : (float)exp(testing_normal(&seed));
    x[2] = (float)(sw_rng_unit(&seed) < 0.5 ? 1 : 0);
    x[3] = 7;
    x[0] *= (float)scale;
    return (float)sw_rng_unit(&seed);
}

static bool set_up_by(const char *settings_json) {
    sw_buf csv = {0};
    float x[4];
    begin_server();
    CHECK_OK(sw_monitor_settings_from_json(&settings, sw_str_of(settings_json), &arena, &error),
             error);
    signature = testing_signature(&arena, 4, SW_FP32);
    sw_buf_add_lit(&csv, "x0,x1,x2,x3\n");
    for (int i = 0; i < 5000; i++) {
        draw_row(x, 0, 0, 1);
        sw_buf_printf(&csv, "%.9g,%.9g,%g,%g\n", (double)x[0], (double)x[1], (double)x[2],
                      (double)x[3]);
    }
    CHECK_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_buf_free(&csv);
    return make_server();
}

static bool set_up(void) {
    return set_up_by("");
}

typedef struct fault {
    double shift, missing, scale;
} fault;
static const fault healthy = {0, 0, 1};

static void count_rows(int count, fault f) {
    float x[4];
    for (int i = 0; i < count; i++) {
        float score = draw_row(x, f.shift, f.missing, f.scale);
        sw_tensor in = {.dtype = SW_FP32, .count = 4, .data = x},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_observe(shard, &in, &out, 1);
    }
    sw_watch_merge(watched, shard);
}

/* `minutes` minutes of `rows` rows, each looked at once it has ended. */
static void run(int minutes, int rows, fault f) {
    for (int i = 0; i < minutes; i++) {
        count_rows(rows, f);
        set_minute(minute + 1);
        CHECK(sw_watch_keep(watch));
        sw_monitors_look(monitors);
    }
}

/* ---- What it says ---- */

TEST(monitor__says_too_few_rows_then_the_same) {
    REQUIRE(set_up());
    run(1, 20, healthy);
    sw_drift d = read_drift();
    CHECK_TEXT(d.state, "too few rows");
    CHECK_INT(d.looks, 1);
    CHECK_STR(find(&d, "x0", SW_FINDING_DISTRIBUTION)->reason, "20 of 100 rows");
    run(30, 50, healthy);
    d = read_drift();
    CHECK_TEXT(d.state, "same");
    CHECK_INT(d.looks, 31);
    CHECK_INT(d.drifted, 0);
    CHECK_INT(d.since_ms, INT64_C(60000) * START);
    CHECK_STR(sw_monitor_statement(d.false_alarms_per_month, &arena),
              "at most 1 false alarm a month");
    CHECK(find(&d, "x0", SW_FINDING_DISTRIBUTION)->psi < 0.05);
    CHECK(find(&d, "x0", SW_FINDING_DISTRIBUTION)->rows >= 500);
    end_server();
}

TEST(monitor__names_the_column_that_moved_and_when_it_began) {
    REQUIRE(set_up());
    run(60, 50, healthy);
    int64_t began = minute;
    run(20, 50, (fault){0.8, 0, 1});
    sw_drift d = read_drift();
    const sw_finding *f = find(&d, "x0", SW_FINDING_DISTRIBUTION);
    CHECK_TEXT(d.state, "drifted");
    CHECK_INT(f->state, SW_FINDING_DRIFTED);
    CHECK(f == &d.findings[0]);
    CHECK(f->evidence_log10 >= f->threshold_log10);
    CHECK(f->psi > 0.3);
    CHECK(llabs((long long)(f->since_ms - began * 60000)) <= 4 * 60000);
    CHECK(f->alarm_ms > f->since_ms && f->alarm_ms <= (began + 20) * 60000);
    CHECK_INT(find(&d, "x1", SW_FINDING_DISTRIBUTION)->state, SW_FINDING_SAME);
    CHECK_INT(find(&d, "x2", SW_FINDING_MISSING)->state, SW_FINDING_SAME);
    end_server();
}

TEST(monitor__sees_missing_values_and_values_out_of_range_within_a_minute) {
    REQUIRE(set_up());
    run(30, 50, healthy);
    run(1, 50, (fault){0, 1, 100});
    sw_drift d = read_drift();
    const sw_finding *missing = find(&d, "x1", SW_FINDING_MISSING),
                     *range = find(&d, "x0", SW_FINDING_RANGE);
    CHECK_INT(missing->state, SW_FINDING_DRIFTED);
    CHECK_STR(missing->reason, "100 % missing in 50 rows (reference 0 %)");
    CHECK_INT(range->state, SW_FINDING_DRIFTED);
    CHECK_INT(find(&d, "x0", SW_FINDING_MISSING)->state, SW_FINDING_SAME);
    end_server();
}

TEST(monitor__ends_drifted_once_recent_rows_are_as_before_and_begins_afresh) {
    REQUIRE(set_up());
    run(30, 50, healthy);
    run(20, 50, (fault){1, 0, 1});
    sw_drift d = read_drift();
    CHECK_TEXT(d.state, "drifted");
    run(5, 50, healthy);
    d = read_drift();
    CHECK_TEXT(d.state, "drifted");
    run(40, 50, healthy);
    d = read_drift();
    CHECK_TEXT(d.state, "same");
    run(10, 50, (fault){1, 0, 1});
    d = read_drift();
    CHECK_TEXT(d.state, "drifted");
    end_server();
}

TEST(monitor__calls_a_constant_or_empty_reference_undefined) {
    REQUIRE(set_up());
    run(10, 50, healthy);
    sw_drift d = read_drift();
    const sw_finding *f = find(&d, "x3", SW_FINDING_DISTRIBUTION);
    CHECK_INT(f->state, SW_FINDING_UNDEFINED);
    CHECK_STR(f->reason, "constant in the reference");
    CHECK(isnan(f->psi));
    CHECK_INT(find(&d, "x3", SW_FINDING_MISSING)->state, SW_FINDING_SAME);
    CHECK_INT(find(&d, "x3", SW_FINDING_RANGE)->state, SW_FINDING_SAME);
    end_server();
}

TEST(monitor__answers_not_found_for_what_is_not_served) {
    REQUIRE(set_up());
    sw_drift d;
    CHECK_INT(sw_monitor_read(&d, monitors, model, 2, SW_STR(""), false, &arena, &error).code,
              SW_CODE_NOT_FOUND);
    end_server();
}

TEST(monitor__carries_how_much_the_prediction_depends_on_a_column) {
    REQUIRE(set_up());
    run(30, 50, healthy);
    run(10, 50, (fault){1, 1, 1});
    sw_drift d = read_drift();
    CHECK(isnan(d.findings[0].influence));
    sw_monitor_set_influence(monitors, model, 1, SW_STR("x1"), 0.5, SW_STR("of 1000 rows"));
    sw_monitor_set_influence(monitors, model, 1, SW_STR("x0"), 0.001, SW_STR("of 1000 rows"));
    d = read_drift();
    CHECK_STR(d.findings[0].column, "x1");
    CHECK_NEAR(d.findings[0].influence, 0.5, 0);
    CHECK_STR(d.findings[0].influence_why, "of 1000 rows");
    end_server();
}

/* ---- References and segments ---- */

TEST(monitor__compares_with_a_fixed_window_of_its_own_traffic) {
    char json[200];
    snprintf(json, sizeof json,
             "{\"reference\":{\"kind\":\"window\",\"from_ms\":%lld,\"to_ms\":%lld}}",
             (long long)START * 60000, (long long)(START + 20) * 60000);
    REQUIRE(set_up_by(json));
    run(19, 50, (fault){1, 0, 1}); /* not as in the profile */
    sw_drift d = read_drift();
    CHECK_TEXT(d.state, "unwatched");
    run(100, 50, (fault){1, 0, 1});
    d = read_drift();
    CHECK_TEXT(d.state, "same");
    bool output = false;
    for (size_t i = 0; i < d.count; i++)
        output |= d.findings[i].output && d.findings[i].kind == SW_FINDING_DISTRIBUTION &&
                  d.findings[i].state == SW_FINDING_SAME;
    CHECK(output);
    run(10, 50, (fault){2, 0, 1});
    d = read_drift();
    CHECK_INT(find(&d, "x0", SW_FINDING_DISTRIBUTION)->state, SW_FINDING_DRIFTED);
    end_server();
}

/* An hour is looked at, then moves into the reference. */
TEST(monitor__takes_a_trailing_reference_anew_each_seventh_of_its_length) {
    REQUIRE(set_up_by("{\"reference\":{\"kind\":\"trailing\",\"minutes\":420}}"));
    run(70, 50, (fault){1, 0, 1}); /* not as in the profile */
    sw_drift d = read_drift();
    CHECK_TEXT(d.state, "same");
    run(61, 50, (fault){1, 0, 1}); /* the first hour's end: taken anew, and the same */
    d = read_drift();
    CHECK_TEXT(d.state, "same");
    int64_t began = minute;
    run(20, 50, (fault){2, 0, 1});
    d = read_drift();
    CHECK_INT(find(&d, "x0", SW_FINDING_DISTRIBUTION)->state, SW_FINDING_DRIFTED);
    CHECK(find(&d, "x0", SW_FINDING_DISTRIBUTION)->since_ms >= (began - 8) * 60000);
    /* A reference without a word of the profile's: after 420 minutes it is of the new rows alone. */
    run(600, 50, (fault){2, 0, 1});
    d = read_drift();
    CHECK_TEXT(d.state, "same");
    CHECK(find(&d, "x0", SW_FINDING_DISTRIBUTION)->psi < 0.05);
    crash_server();
    REQUIRE(start_server());
    sw_monitors_look(monitors);
    d = read_drift();
    CHECK_TEXT(d.state, "same");
    run(20, 50, healthy); /* what was never in this reference is a change to it */
    d = read_drift();
    CHECK_INT(find(&d, "x0", SW_FINDING_DISTRIBUTION)->state, SW_FINDING_DRIFTED);
    end_server();
}

TEST(monitor__compares_a_segment_with_its_own_past) {
    REQUIRE(set_up_by("{\"segments\":[\"x2\"]}"));
    run(200, 50, healthy);
    sw_drift d = read_drift();
    sw_str segment = {0};
    CHECK_TEXT(d.state, "same");
    for (size_t i = 0; i < d.count; i++)
        if (d.findings[i].segment.len)
            segment = d.findings[i].segment;
    CHECK(sw_str_starts(segment, SW_STR("x2=q")));
    run(20, 50, (fault){1, 0, 1});
    CHECK_OK(sw_monitor_read(&d, monitors, model, 1, segment, true, &arena, &error), error);
    REQUIRE(d.count > 0);
    CHECK(sw_str_eq(d.findings[0].segment, segment));
    CHECK_STR(d.findings[0].column, "x0");
    CHECK_INT(d.findings[0].state, SW_FINDING_DRIFTED);
    crash_server();
    REQUIRE(start_server());
    sw_monitors_look(monitors);
    sw_drift again = {0};
    CHECK_OK(sw_monitor_read(&again, monitors, model, 1, segment, true, &arena, &error), error);
    CHECK(sw_str_eq(d.findings[0].evidence, again.findings[0].evidence));
    end_server();
}

/* ---- Evidence ---- */

TEST(evidence__recomputes_bit_for_bit) {
    REQUIRE(set_up());
    sw_recomputed again;
    run(45, 50, healthy);
    run(20, 50, (fault){0.7, 0.3, 1});
    sw_drift d = read_drift();
    CHECK(d.drifted >= 2);
    for (size_t i = 0; i < d.drifted; i++) {
        const sw_finding *f = &d.findings[i];
        CHECK_OK(sw_monitor_recompute(&again, f->evidence, &arena, &error), error);
        CHECK(again.agrees && again.alarm);
        CHECK(again.evidence_log10 == f->evidence_log10);
        CHECK(again.threshold_log10 == f->threshold_log10);
    }
    end_server();
}

TEST(evidence__that_was_changed_does_not_agree) {
    REQUIRE(set_up());
    sw_recomputed again;
    run(30, 50, healthy);
    run(10, 50, (fault){2, 0, 1});
    sw_drift d = read_drift();
    sw_str text = d.findings[0].evidence;
    char *changed = sw_mem_copy(text.at, text.len), *at = strstr(changed, "\"reference\":[");
    REQUIRE(at);
    at += strcspn(at, "123456789");
    *at = *at == '9' ? '8' : (char)(*at + 1);
    CHECK_OK(sw_monitor_recompute(&again, (sw_str){changed, text.len}, &arena, &error), error);
    CHECK(!again.agrees);
    CHECK_INT(sw_monitor_recompute(&again, SW_STR("{\"form\":1}"), &arena, &error).code,
              SW_CODE_INVALID);
    CHECK_INT(sw_monitor_recompute(&again, SW_STR("[]"), &arena, &error).code, SW_CODE_INVALID);
    sw_mem_free(changed);
    end_server();
}

/* ---- Restarts and clocks ---- */

static void check_same_state(const sw_drift *a, const sw_drift *b) {
    CHECK_INT(a->count, b->count);
    CHECK_INT(a->looks, b->looks);
    CHECK_INT(a->since_ms, b->since_ms);
    CHECK_INT(a->last_ms, b->last_ms);
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        const sw_finding *x = &a->findings[i], *y = &b->findings[i];
        CHECK(sw_str_eq(x->column, y->column) && x->kind == y->kind && x->state == y->state);
        CHECK(memcmp(&x->evidence_log10, &y->evidence_log10, sizeof x->evidence_log10) == 0);
        CHECK(memcmp(&x->psi, &y->psi, sizeof x->psi) == 0);
        CHECK(x->since_ms == y->since_ms && x->alarm_ms == y->alarm_ms && x->rows == y->rows);
        CHECK(sw_str_eq(x->evidence, y->evidence));
    }
}

static void check_restart(bool crash) {
    REQUIRE(set_up());
    run(70, 40, healthy);
    run(15, 40, (fault){0.8, 0.2, 1});
    run(7, 40, healthy);
    sw_drift before = read_drift();
    CHECK(before.drifted >= 2);
    if (crash)
        crash_server();
    else
        stop_server();
    REQUIRE(start_server());
    sw_monitors_look(monitors);
    sw_drift after = read_drift();
    check_same_state(&before, &after);
    end_server();
}

TEST(monitor__has_the_same_bits_after_a_restart) {
    check_restart(false);
}

TEST(monitor__has_the_same_bits_after_a_crash) {
    check_restart(true);
}

TEST(monitor__begins_anew_with_other_settings) {
    REQUIRE(set_up());
    run(30, 40, healthy);
    run(10, 40, (fault){1, 0, 1});
    sw_drift d = read_drift();
    CHECK_TEXT(d.state, "drifted");
    sw_monitored *old = monitored;
    settings.false_alarms_per_month = 2;
    CHECK_OK(
        sw_monitor_add(&monitored, monitors, model, 1, hash, observer, &profile, &settings, &error),
        error);
    sw_monitor_remove(old);
    d = read_drift();
    CHECK_NEAR(d.false_alarms_per_month, 2, 0);
    CHECK_INT(d.looks, 0);
    sw_monitors_look(monitors);
    d = read_drift();
    CHECK_INT(d.looks, 40); /* the last day's minutes, looked at again */
    CHECK_TEXT(d.state, "drifted");
    end_server();
}

TEST(monitor__looks_once_at_each_minute_though_the_clock_steps_back) {
    REQUIRE(set_up());
    run(20, 40, healthy);
    set_minute(minute - 10);
    run(10, 40, healthy); /* minutes that had their look */
    sw_drift d = read_drift();
    CHECK_INT(d.looks, 20);
    run(5, 40, healthy);
    d = read_drift();
    CHECK_INT(d.looks, 25);
    set_minute(minute - 3 * 24 * 60);
    sw_monitors_look(monitors);
    run(5, 40, healthy);
    d = read_drift();
    CHECK(d.looks >= 29 && d.looks <= 30);
    CHECK_TEXT(d.state, "same");
    end_server();
}

TEST(monitor__looks_at_minutes_once_a_gap_has_passed) {
    REQUIRE(set_up());
    run(3, 40, healthy);
    set_minute(minute + 5 * 24 * 60);
    sw_monitors_look(monitors);
    run(3, 40, healthy);
    sw_drift d = read_drift();
    CHECK_INT(d.looks, 6);
    set_minute(minute + 400 * 24 * 60);
    run(2, 40, healthy);
    d = read_drift();
    CHECK_INT(d.looks, 8);
    end_server();
}

/* ---- Memory that is out ---- */

TEST(monitor__looks_again_at_a_minute_that_found_no_memory) {
    REQUIRE(set_up());
    run(5, 40, healthy);
    for (size_t nth = 1; nth <= 60; nth++) {
        count_rows(40, nth > 40 ? (fault){2, 0.5, 1} : healthy);
        set_minute(minute + 1);
        CHECK(sw_watch_keep(watch));
        sw_mem_fail_at(nth % 30 + 1);
        sw_monitors_look(monitors);
        sw_mem_fail_at(0);
        sw_monitors_look(monitors);
    }
    sw_drift d = read_drift();
    CHECK_INT(d.looks, 65);
    CHECK_INT(find(&d, "x0", SW_FINDING_DISTRIBUTION)->state, SW_FINDING_DRIFTED);
    CHECK_INT(find(&d, "x1", SW_FINDING_MISSING)->state, SW_FINDING_DRIFTED);
    end_server();
}

/* ---- Threads ---- */

static void *look_all_the_time(void *stop) {
    while (!atomic_load((atomic_bool *)stop))
        sw_monitors_look(monitors);
    return NULL;
}

TEST(monitor__is_read_and_replaced_while_it_looks) {
    pthread_t thread;
    atomic_bool stop = false;
    REQUIRE(set_up());
    REQUIRE(pthread_create(&thread, NULL, look_all_the_time, &stop) == 0);
    for (int i = 0; i < 40; i++) {
        sw_monitored *old = monitored;
        count_rows(20, healthy);
        set_minute(minute + 1);
        CHECK(sw_watch_keep(watch));
        CHECK_OK(sw_monitor_add(&monitored, monitors, model, 1, hash, observer, &profile, &settings,
                                &error),
                 error);
        sw_monitor_remove(old);
        sw_monitor_set_influence(monitors, model, 1, SW_STR("x0"), 1, SW_STR("why"));
        read_drift();
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    sw_monitors_look(monitors);
    CHECK_INT(read_drift().looks, 40);
    end_server();
}

/* ---- Cells ---- */

static sw_column_cells cells_of(const char *csv, const char *name, sw_dtype dtype) {
    sw_column_cells cells = {0};
    sw_profile p;
    sw_signature s = testing_signature(&arena, 1, dtype);
    (void)name;
    CHECK_OK(testing_profile(&p, &s, sw_str_of(csv), &arena, &error), error);
    CHECK(sw_column_cells_make(&cells, &p.columns[0]));
    return cells;
}

TEST(cells__leave_out_rows_one_at_a_time) {
    sw_buf csv = {0};
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 1000; i++)
        sw_buf_printf(&csv, "%d.5\n", i);
    sw_buf_add_char(&csv, '\0');
    sw_column_cells numeric = cells_of(csv.at, "x0", SW_FP32);
    CHECK_INT(numeric.cells, 12);
    CHECK_INT(numeric.groups, 9);
    CHECK_INT(numeric.reference[1], 1);
    CHECK_INT(numeric.reference[11], 1);
    sw_column_cells_free(&numeric);
    sw_buf_free(&csv);
    sw_column_cells words = cells_of("x0\na\na\na\nb\nb\nc\nd\n", "x0", SW_BYTES);
    CHECK_INT(words.cells, 6); /* missing, a, b, c, d, unseen */
    CHECK_INT(words.reference[1], 3);
    CHECK_INT(words.reference[5], 2);
    sw_column_cells_free(&words);
}

TEST(cells__of_two_values_are_two) {
    sw_buf csv = {0};
    sw_buf_add_lit(&csv, "x0\n");
    for (int i = 0; i < 1000; i++)
        sw_buf_printf(&csv, "%d\n", i % 2);
    sw_buf_add_char(&csv, '\0');
    sw_column_cells cells = cells_of(csv.at, "x0", SW_FP32);
    CHECK_INT(cells.cells, 5);
    CHECK_INT(cells.groups, 2);
    CHECK_INT(cells.reference[2], 500);
    CHECK_INT(cells.reference[3], 500);
    CHECK_INT(cells.reference[1] + cells.reference[4], 0);
    sw_column_cells_free(&cells);
    sw_buf_free(&csv);
}

TEST_MAIN
