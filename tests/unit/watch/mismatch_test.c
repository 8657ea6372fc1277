/* SPDX-License-Identifier: Apache-2.0 */
/* Rows refused for the type of a value: counted, stored, summed, and looked at. */
#include "unit/watch/watch_server.h"

static uint64_t seed = 9;

static float draw_row(float x[4]) {
    x[0] = (float)testing_normal(&seed);
    x[1] = (float)exp(testing_normal(&seed));
    x[2] = (float)(sw_rng_unit(&seed) < 0.5 ? 1 : 0);
    x[3] = 7;
    return (float)sw_rng_unit(&seed);
}

static bool set_up(void) {
    sw_buf csv = {0};
    float x[4];
    begin_server();
    signature = testing_signature(&arena, 4, SW_FP32);
    sw_buf_add_lit(&csv, "x0,x1,x2,x3\n");
    for (int i = 0; i < 5000; i++) {
        draw_row(x);
        sw_buf_printf(&csv, "%.9g,%.9g,%g,%g\n", (double)x[0], (double)x[1], (double)x[2],
                      (double)x[3]);
    }
    CHECK_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_buf_free(&csv);
    return make_server();
}

static void send_rows(sw_shard *to, int count) {
    float x[4];
    for (int i = 0; i < count; i++) {
        float score = draw_row(x);
        sw_tensor in = {.dtype = SW_FP32, .count = 4, .data = x},
                  out = {.dtype = SW_FP32, .count = 1, .data = &score};
        sw_observe(to, &in, &out, 1);
    }
}

/* `minutes` minutes of `rows` rows and `refused` ones, each looked at once it has ended. */
static void run(int minutes, int rows, int refused) {
    for (int i = 0; i < minutes; i++) {
        for (int k = 0; k < refused; k++)
            sw_observe_mismatch(shard, 1);
        send_rows(shard, rows);
        sw_watch_merge(watched, shard);
        set_minute(minute + 1);
        CHECK(sw_watch_keep(watch));
        sw_monitors_look(monitors);
    }
}

/* ---- Counts ---- */

static void check_refused(const uint64_t wanted[4], uint64_t rows, uint32_t minutes) {
    json_t *root = report("", minutes);
    for (size_t i = 0; i < 4; i++) {
        json_t *feature = json_array_get(json_object_get(root, "features"), i);
        double all = (double)(rows + wanted[i]);
        CHECK_INT(json_integer_value(json_object_get(feature, "type_mismatches")),
                  (long long)wanted[i]);
        CHECK_NEAR(json_number_value(json_object_get(feature, "type_mismatch_share")),
                   all > 0 ? (double)wanted[i] / all : 0, 1e-4);
        CHECK_INT(json_integer_value(json_object_get(feature, "rows")), (long long)rows);
    }
    CHECK(json_is_null(
        json_object_get(json_array_get(json_object_get(root, "outputs"), 0), "type_mismatches")));
    json_decref(root);
}

TEST(watch__refused_rows_add_up_over_loops_restarts_hours_and_days) {
    REQUIRE(set_up());
    sw_shard *shards[3] = {0};
    uint64_t refused[4] = {0}, rows = 0;
    for (int i = 0; i < 3; i++)
        REQUIRE_OK(sw_shard_make(&shards[i], observer, &error), error);
    for (int step = 0; step < 300; step++) {
        sw_shard *to = shards[sw_rng_next(&seed) % 3];
        if (step % 3) {
            send_rows(to, step % 7);
            rows += (uint64_t)(step % 7);
        }
        for (uint64_t n = sw_rng_next(&seed) % 9, i; n > 0; n--) {
            i = sw_rng_next(&seed) % 4;
            sw_observe_mismatch(to, (uint32_t)i);
            refused[i]++;
        }
        sw_observe_mismatch(to, 4); /* no feature */
        for (int i = 0; i < 3; i++)
            sw_watch_merge(watched, shards[i]);
        if (step % 4 == 0) {
            CHECK(sw_watch_keep(watch));
            set_minute(minute + 1 + (int64_t)(sw_rng_next(&seed) % 600));
        }
        if (step % 90 == 7) {
            CHECK(sw_watch_keep(watch));
            crash_server();
            REQUIRE(start_server());
        }
    }
    for (int i = 0; i < 3; i++)
        CHECK(sw_watch_keep(watch));
    check_refused(refused, rows, 200 * 1440);
    set_minute(minute + 95 * 1440);
    for (int i = 0; i < 3; i++)
        CHECK(sw_watch_keep(watch));
    check_refused(refused, rows, 200 * 1440);
    check_refused((uint64_t[4]){0}, 0, 60);
    for (int i = 0; i < 3; i++)
        sw_shard_free(shards[i]);
    end_server();
}

TEST(watch__a_minute_of_refused_rows_alone_is_kept_in_memory_too) {
    REQUIRE(set_up());
    uint64_t refused[4] = {0, 4, 0, 0};
    for (int i = 0; i < 4; i++)
        sw_observe_mismatch(shard, 1);
    sw_watch_merge(watched, shard);
    check_refused(refused, 0, 15);
    set_minute(START + 3);
    send_rows(shard, 6);
    sw_watch_merge(watched, shard);
    check_refused(refused, 6, 15);
    CHECK(sw_watch_keep(watch));
    crash_server();
    REQUIRE(start_server());
    check_refused(refused, 6, 15);
    end_server();
}

/* ---- The monitor ---- */

TEST(monitor__names_the_column_whose_values_have_the_wrong_type) {
    REQUIRE(set_up());
    sw_recomputed again;
    run(30, 50, 0);
    sw_drift d = read_drift();
    CHECK_INT(find(&d, "x1", SW_FINDING_TYPE)->state, SW_FINDING_SAME);
    CHECK_INT(d.drifted, 0);
    int64_t began = minute;
    run(3, 50, 25);
    d = read_drift();
    const sw_finding *f = find(&d, "x1", SW_FINDING_TYPE);
    CHECK_INT(d.drifted, 1);
    CHECK(f == &d.findings[0] && f->state == SW_FINDING_DRIFTED);
    CHECK_HAS(f->reason.at, "% of the wrong type in 225 rows (reference 0 %)");
    CHECK(llabs((long long)(f->since_ms - began * 60000)) <= 60000);
    CHECK(isnan(f->influence) && f->influence_why.len > 0);
    CHECK_OK(sw_monitor_recompute(&again, f->evidence, &arena, &error), error);
    CHECK(again.agrees && again.alarm && again.evidence_log10 == f->evidence_log10);
    CHECK_HAS(f->evidence.at, "\"kind\":\"type\"");
    CHECK_HAS(f->evidence.at, "\"signals\":15"); /* 4 of x0, x1 and x2 each, 3 of x3 */
    run(60, 50, 0);
    d = read_drift();
    CHECK_INT(find(&d, "x1", SW_FINDING_TYPE)->state, SW_FINDING_SAME);
    end_server();
}

TEST(monitor__looks_at_minutes_in_which_every_row_was_refused) {
    REQUIRE(set_up());
    run(30, 50, 0);
    run(2, 0, 60);
    sw_drift d = read_drift();
    CHECK_INT(d.looks, 32);
    CHECK_INT(d.drifted, 1);
    CHECK_INT(find(&d, "x1", SW_FINDING_TYPE)->state, SW_FINDING_DRIFTED);
    CHECK_INT(find(&d, "x1", SW_FINDING_TYPE)->rows, 120);
    CHECK_INT(find(&d, "x1", SW_FINDING_MISSING)->state, SW_FINDING_SAME);
    crash_server();
    REQUIRE(start_server());
    sw_monitors_look(monitors);
    sw_drift after = read_drift();
    CHECK(sw_str_eq(d.findings[0].evidence, after.findings[0].evidence));
    end_server();
}

TEST(monitor__a_refused_row_now_and_then_is_none_to_tell_of) {
    REQUIRE(set_up());
    for (int i = 0; i < 120; i++)
        run(1, 100, i % 20 == 7);
    sw_drift d = read_drift();
    CHECK_INT(d.drifted, 0);
    CHECK_INT(find(&d, "x1", SW_FINDING_TYPE)->state, SW_FINDING_SAME);
    for (size_t i = 0; i < d.count; i++)
        CHECK(d.findings[i].kind != SW_FINDING_TYPE || !d.findings[i].output);
    end_server();
}

/* Looks of `LOOKS` minutes at one column, rows of which are refused at this rate. */
static bool raises_alarm(double refused) {
    enum { LOOKS = 1440, ROWS = 60 };
    uint64_t counts[] = {0, 0, 500, 500, 500, 500, 0};
    const sw_profile_column column = {
        .kind = SW_FEATURE_NUMERIC, .rows = 2000, .bin_count = 7, .counts = counts};
    sw_monitor_settings by;
    sw_engine engine;
    sw_monitor_settings_default(&by);
    by.false_alarms_per_month = 10;
    sw_engine_init(&engine, &by);
    CHECK(sw_engine_add_column(&engine, SW_STR("a"), SW_STR(""), false, &column) &&
          sw_engine_ready(&engine));
    const sw_column_cells *c = &engine.columns[0].cells;
    bool alarm = false;
    if (isnan(refused)) /* on the edge of what the test calls the same */
        refused = 1 - exp(-engine.signals[3].test->radius);
    for (int look = 0; look < LOOKS; look++) {
        uint32_t cells[SW_COLUMN_CELLS_MAX] = {0};
        for (int row = 0; row < ROWS; row++)
            cells[sw_rng_unit(&seed) < refused ? c->cells : 2 + sw_rng_next(&seed) % c->groups]++;
        CHECK(sw_engine_look(&engine, START + look, cells));
        alarm |= engine.signals[3].alarm != NULL;
    }
    sw_engine_free(&engine);
    return alarm;
}

TEST(monitor__keeps_its_false_alarm_rate_where_rows_are_refused_at_a_tolerated_rate) {
    enum { MONITORS = 60 };
    int alarms = 0, seen = 0;
    for (int i = 0; i < MONITORS; i++)
        alarms += raises_alarm((double)NAN);
    for (int i = 0; i < 5; i++)
        seen += raises_alarm(0.05);
    CHECK(alarms <= 60.0 * 1440 * 10 / SW_MONITOR_LOOKS_A_MONTH);
    CHECK_INT(seen, 5);
    printf(
        "  60 days of refused rows at the edge of the tolerance: %d false alarms (%.0f allowed)\n",
        alarms, 60.0 * 1440 * 10 / SW_MONITOR_LOOKS_A_MONTH);
}

/* ---- State of older programs ---- */

static void put_varint(sw_buf *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7)
        sw_buf_add_char(out, (char)(value | 0x80));
    sw_buf_add_char(out, (char)value);
}

/* Form 2, which has neither cells nor signals of refused rows; of an engine without alarms. */
static void write_form_2(sw_buf *out, const sw_engine *engine) {
    const sw_column_cells *c = &engine->columns[0].cells;
    put_varint(out, 2);
    put_varint(out, c->cells);
    put_varint(out, 3);
    put_varint(out, engine->looks);
    put_varint(out, (uint64_t)engine->first_minute);
    put_varint(out, (uint64_t)engine->last_minute);
    for (uint32_t k = 0; k < c->cells; k++)
        put_varint(out, engine->sums[k]);
    put_varint(out, engine->start_count);
    const uint32_t *later = engine->sums;
    for (size_t s = engine->start_count; s > 0; s--) {
        put_varint(out, engine->starts[s - 1].look);
        put_varint(out, (uint64_t)engine->starts[s - 1].minute);
        for (uint32_t k = 0; k < c->cells; k++)
            put_varint(out, later[k] - engine->starts[s - 1].sums[k]);
        later = engine->starts[s - 1].sums;
    }
    for (int i = 0; i < 6; i++)
        put_varint(out, 0); /* first look, no alarm */
}

TEST(state__of_an_older_program_goes_on_and_its_new_signals_begin) {
    uint64_t counts[] = {0, 0, 500, 500, 500, 500, 0};
    const sw_profile_column column = {
        .kind = SW_FEATURE_NUMERIC, .rows = 2000, .bin_count = 7, .counts = counts};
    sw_monitor_settings by;
    sw_engine engine, read;
    sw_buf bytes = {0};
    sw_monitor_settings_default(&by);
    sw_engine_init(&engine, &by);
    sw_engine_init(&read, &by);
    REQUIRE(sw_engine_add_column(&engine, SW_STR("a"), SW_STR(""), false, &column));
    REQUIRE(sw_engine_add_column(&read, SW_STR("a"), SW_STR(""), false, &column));
    REQUIRE(sw_engine_ready(&engine) && sw_engine_ready(&read));
    for (int look = 0; look < 50; look++) {
        uint32_t cells[SW_COLUMN_CELLS_MAX] = {0, 0, 20, 21, 19, 20};
        REQUIRE(sw_engine_look(&engine, START + look, cells));
    }
    write_form_2(&bytes, &engine);
    REQUIRE(sw_engine_read(&read, sw_buf_str(&bytes)));
    sw_engine_refresh(&read);
    CHECK_INT(read.looks, 50);
    for (int i = 0; i < 3; i++)
        CHECK(read.signals[i].log_detector == engine.signals[i].log_detector);
    CHECK_INT(read.signals[3].first, 50);
    uint32_t cells[SW_COLUMN_CELLS_MAX] = {0, 0, 20, 21, 19, 20};
    cells[read.columns[0].cells.cells] = 40;
    for (int look = 0; look < 3; look++)
        REQUIRE(sw_engine_look(&read, START + 50 + look, cells));
    CHECK(read.signals[3].alarm && !read.signals[0].alarm);
    sw_buf_free(&bytes);
    sw_engine_free(&engine);
    sw_engine_free(&read);
}

TEST_MAIN
