/* SPDX-License-Identifier: Apache-2.0 */
/* Settings at work: segments, references, privacy; inputs that are no columns; windows over all. */
#include "unit/watch/watch_server.h"

#include "base/mem.h"
#include "watch/history_private.h"
#include "watch/profile_outputs.h"
#include "watch/quantiles_private.h"
#include "watch/windows_private.h"

static uint64_t seed = 23;

/* ---- A model of an age and a country, with a score and a class ---- */

static const sw_str countries[] = {SW_STR("ch"), SW_STR("de"), SW_STR("fr")};
static sw_tensor_spec inputs[2], outputs[2];
static sw_feature features[2];

static void describe_model(void) {
    inputs[0] =
        (sw_tensor_spec){.name = SW_STR("age"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 1}};
    inputs[1] =
        (sw_tensor_spec){.name = SW_STR("country"), .dtype = SW_BYTES, .rank = 2, .shape = {-1, 1}};
    outputs[0] =
        (sw_tensor_spec){.name = SW_STR("score"), .dtype = SW_FP32, .rank = 1, .shape = {-1}};
    outputs[1] =
        (sw_tensor_spec){.name = SW_STR("class"), .dtype = SW_INT64, .rank = 1, .shape = {-1}};
    features[0] = (sw_feature){.name = SW_STR("age")};
    features[1] = (sw_feature){.name = SW_STR("country"), .kind = SW_FEATURE_CATEGORY, .input = 1};
    signature = (sw_signature){.inputs = inputs,
                               .input_count = 2,
                               .outputs = outputs,
                               .output_count = 2,
                               .features = features,
                               .feature_count = 2};
}

typedef struct row {
    float age, score;
    sw_str country;
    int64_t class;
} row;

static row draw_row(double shift) {
    row r = {.age = (float)(40 + 10 * testing_normal(&seed) + shift),
             .score = (float)sw_rng_unit(&seed),
             .country = countries[sw_rng_next(&seed) % 3]};
    r.class = r.score > 0.7F;
    return r;
}

static void count_row(sw_shard *to, row *r) {
    sw_tensor in[2] = {{.dtype = SW_FP32, .count = 1, .data = &r->age},
                       {.dtype = SW_BYTES, .count = 1, .data = &r->country}},
              out[2] = {{.dtype = SW_FP32, .count = 1, .data = &r->score},
                        {.dtype = SW_INT64, .count = 1, .data = &r->class}};
    sw_observe(to, in, out, 1);
}

static void make_profile(void) {
    sw_buf csv = {0};
    sw_observer *plain;
    sw_shard *scored;
    sw_buf_add_lit(&csv, "age,country\n");
    for (int i = 0; i < 4000; i++) {
        row r = draw_row(0);
        sw_buf_printf(&csv, "%.9g,%.*s\n", (double)r.age, SW_STR_ARG(r.country));
    }
    CHECK_OK(testing_profile(&profile, &signature, sw_buf_str(&csv), &arena, &error), error);
    sw_buf_free(&csv);
    CHECK_OK(sw_observer_make(&plain, &signature, &profile, NULL, &error), error);
    CHECK_OK(sw_shard_make(&scored, plain, &error), error);
    for (int i = 0; i < 4000; i++) {
        row r = draw_row(0);
        count_row(scored, &r);
    }
    CHECK_OK(sw_profile_outputs_count(&profile, scored, &arena, &error), error);
    CHECK_INT(profile.scored, 4000);
    CHECK_INT(profile.output_count, 2);
    sw_shard_free(scored);
    sw_observer_free(plain);
}

static bool set_up(void (*choose)(void)) {
    begin_server();
    describe_model();
    make_profile();
    if (choose)
        choose();
    return make_server();
}

static void serve_rows(int count, double shift) {
    for (int i = 0; i < count; i++) {
        row r = draw_row(shift);
        count_row(shard, &r);
    }
    sw_watch_merge(watched, shard);
}

static double number_of(json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

/* ---- Predictions ---- */

TEST(watch__predictions_have_the_reference_of_the_training_rows) {
    REQUIRE(set_up(NULL));
    serve_rows(3000, 0);
    json_t *root = report("", 15);
    CHECK_STR(sw_str_of(text_of(column(root, "outputs", 0), "state")), "same");
    CHECK_STR(sw_str_of(text_of(column(root, "outputs", 1), "state")), "same");
    json_decref(root);
    for (int i = 0; i < 3000; i++) {
        row r = draw_row(0);
        r.score *= 0.4F;
        r.class = 0;
        count_row(shard, &r);
    }
    sw_watch_merge(watched, shard);
    root = report("", 15);
    CHECK_STR(sw_str_of(text_of(column(root, "outputs", 0), "state")), "drifted");
    CHECK_STR(sw_str_of(text_of(column(root, "outputs", 1), "state")), "moved");
    CHECK_STR(sw_str_of(text_of(root, "state")), "drifted");
    json_decref(root);
    end_server();
}

TEST(profile__outputs_survive_their_json) {
    REQUIRE(set_up(NULL));
    sw_buf once = {0}, twice = {0};
    sw_profile back;
    sw_profile_to_json(&once, &profile);
    REQUIRE_OK(sw_profile_from_json(&back, sw_buf_str(&once), &arena, &error), error);
    CHECK_INT(back.scored, 4000);
    CHECK_INT(back.output_count, 2);
    sw_profile_to_json(&twice, &back);
    CHECK(sw_str_eq(sw_buf_str(&once), sw_buf_str(&twice)));
    sw_buf_free(&once);
    sw_buf_free(&twice);
    end_server();
}

/* ---- Numbers beside the bins ---- */

TEST(watch__moments_quantiles_and_distinct_values_are_near_the_exact_ones) {
    enum { ROWS = 5000 };
    static double ages[ROWS];
    REQUIRE(set_up(NULL));
    double sum = 0;
    for (int i = 0; i < ROWS; i++) {
        row r = draw_row(i % 2 ? 0 : 4000); /* half of them a hundredfold out of range */
        ages[i] = (double)r.age;
        sum += ages[i];
        count_row(shard, &r);
        if (i % 1000 == 0) /* as each second: of busier ones distinct values are sampled */
            sw_watch_merge(watched, shard);
    }
    sw_watch_merge(watched, shard);
    json_t *root = report("", 15), *age = column(root, "features", 0);
    json_t *quantiles = json_object_get(age, "quantiles");
    CHECK_NEAR(number_of(age, "mean"), sum / ROWS, 1e-6);
    CHECK(fabs(number_of(age, "distinct") / ROWS - 1) < 0.2);
    CHECK(fabs(number_of(quantiles, "p25") - 40) < 1.5);
    CHECK(fabs(number_of(quantiles, "p75") / 4040 - 1) < 0.012);
    CHECK(fabs(number_of(quantiles, "p99") / 4060 - 1) < 0.02);
    CHECK(fabs(number_of(age, "reference_median") - 40) < 1);
    CHECK_NEAR(number_of(column(root, "features", 1), "distinct"), 3, 1);
    json_decref(root);
    end_server();
}

/* ---- Segments ---- */

static void by_country_and_age(void) {
    settings.segments[0] = SW_STR("country");
    settings.segments[1] = SW_STR("age");
    settings.segment_count = 2;
}

TEST(segments__add_up_to_all_rows_and_hold_their_own) {
    REQUIRE(set_up(by_country_and_age));
    CHECK_INT(observer->segment_count, 4 + 4);
    long long of[3] = {0, 0, 0}, others = 0;
    for (int i = 0; i < 2500; i++) {
        row r = draw_row(0);
        if (i % 10 == 0)
            r.country = SW_STR("unknown");
        for (int c = 0; c < 3; c++)
            of[c] += sw_str_eq(r.country, countries[c]);
        others += i % 10 == 0;
        count_row(shard, &r);
        if (i % 400 == 0) {
            set_minute(START + i / 400);
            sw_watch_merge(watched, shard);
            CHECK(sw_watch_keep(watch));
        }
    }
    sw_watch_merge(watched, shard);
    CHECK(sw_watch_keep(watch));
    for (uint32_t minutes = 60; minutes <= 600; minutes *= 10) { /* from memory, from the disk */
        CHECK_INT(rows_of("", minutes), 2500);
        CHECK_INT(rows_of("country=ch", minutes), of[0]);
        CHECK_INT(rows_of("country=de", minutes), of[1]);
        CHECK_INT(rows_of("country=fr", minutes), of[2]);
        CHECK_INT(rows_of("country=(other)", minutes), others);
        long long quarters = 0, low = rows_of("age=q1", minutes);
        for (int q = 1; q <= 4; q++) {
            char name[24];
            snprintf(name, sizeof name, "age=q%d", q);
            quarters += rows_of(name, minutes);
        }
        CHECK_INT(quarters, 2500);
        CHECK(low > 500 && low < 750);
    }
    sw_buf none = {0};
    CHECK_INT(sw_watch_report(&none, watch, &subject, SW_STR("country=xx"), 60, 0, &error).code,
              SW_CODE_NOT_FOUND);
    sw_buf_free(&none);
    end_server();
}

TEST(segments__are_compared_with_their_own_past) {
    REQUIRE(set_up(by_country_and_age));
    for (int i = 0; i < 120; i++) {
        set_minute(START + i);
        serve_rows(60, i < 100 ? 0 : 12);
        CHECK(sw_watch_keep(watch));
    }
    json_t *root = report("country=de", 90); /* 70 minutes as before, 20 moved */
    CHECK(number_of(json_object_get(root, "reference"), "rows") > 400);
    CHECK_STR(sw_str_of(text_of(json_object_get(root, "reference"), "kind")), "trailing");
    json_decref(root);
    root = report("country=de", 18);
    CHECK_STR(sw_str_of(text_of(column(root, "features", 0), "state")), "too few rows");
    json_decref(root);
    end_server();
}

/* ---- References ---- */

static void trailing_hour(void) {
    settings.reference = SW_REFERENCE_TRAILING;
    settings.reference_minutes = 60;
}

TEST(reference__a_trailing_window_follows_the_traffic) {
    REQUIRE(set_up(trailing_hour));
    for (int i = 0; i < 180; i++) {
        set_minute(START + i);
        serve_rows(100, 25); /* far from the training data, and steadily so */
        CHECK(sw_watch_keep(watch));
    }
    json_t *root = report("", 30);
    CHECK_STR(sw_str_of(text_of(column(root, "features", 0), "state")), "same");
    CHECK_INT(number_of(json_object_get(root, "reference"), "rows"), 6000);
    json_decref(root);
    settings.reference = SW_REFERENCE_PROFILE;
    root = report("", 30);
    CHECK_STR(sw_str_of(text_of(column(root, "features", 0), "state")), "drifted");
    json_decref(root);
    settings.reference = SW_REFERENCE_WINDOW;
    settings.reference_from_ms = (int64_t)START * 60000;
    settings.reference_to_ms = (int64_t)(START + 10) * 60000;
    root = report("", 30);
    CHECK_INT(number_of(json_object_get(root, "reference"), "rows"), 1000);
    CHECK_STR(sw_str_of(text_of(column(root, "features", 0), "state")), "same");
    json_decref(root);
    end_server();
}

/* ---- Privacy ---- */

static sw_column_setting privacy[2];

static void hide(void) {
    privacy[0] = (sw_column_setting){SW_STR("age"), SW_PRIVACY_DROP};
    privacy[1] = (sw_column_setting){SW_STR("country"), SW_PRIVACY_HASH};
    settings.columns = privacy;
    settings.column_count = 2;
}

static bool stored_somewhere(const char *text) {
    char command[SCRATCH_BYTES + 64];
    snprintf(command, sizeof command, "grep -rqa %s %s", text, folder);
    return system(command) == 0;
}

static void serve_secret(void) {
    for (int i = 0; i < 700; i++) {
        row r = draw_row(0);
        r.country = SW_STR("verysecretland");
        count_row(shard, &r);
    }
    sw_observe_mismatch(shard, 0); /* dropped: not counted */
    sw_observe_mismatch(shard, 1);
    sw_observe_mismatch(shard, 1);
    sw_watch_merge(watched, shard);
    CHECK(sw_watch_keep(watch));
    for (const sw_record *record = watch->records; record; record = record->next)
        CHECK(!record->mismatches || record->mismatches[1] == 2);
}

TEST(privacy__what_is_dropped_is_not_counted_and_no_hidden_text_is_stored) {
    REQUIRE(set_up(hide));
    serve_secret();
    json_t *root = report("", 15), *age = column(root, "features", 0);
    CHECK_STR(sw_str_of(text_of(age, "state")), "unwatched");
    CHECK_HAS(text_of(age, "why"), "by the monitor's settings");
    CHECK(json_is_null(json_object_get(age, "mean")));
    CHECK(json_is_null(json_object_get(age, "type_mismatches")));
    CHECK_INT(number_of(column(root, "features", 1), "type_mismatches"), 2);
    CHECK_STR(sw_str_of(text_of(column(root, "features", 1), "state")), "drifted");
    json_decref(root);
    CHECK(!stored_somewhere("verysecretland"));
    end_server();
    REQUIRE(set_up(NULL)); /* and where it is kept, it is there */
    serve_secret();
    root = report("", 15);
    json_t *top = json_array_get(json_object_get(column(root, "features", 1), "top"), 0);
    CHECK_STR(sw_str_of(text_of(top, "value")), "verysecretland");
    CHECK_INT(number_of(top, "count"), 700);
    json_decref(root);
    CHECK(stored_somewhere("verysecretland"));
    end_server();
}

/* ---- Time ---- */

TEST(history__ranges_over_minutes_hours_and_days_equal_a_plain_recount) {
    static uint64_t rows[100 * 24]; /* of each hour */
    REQUIRE(set_up(NULL));
    for (int hour = 0; hour < 100 * 24; hour += 1 + (int)(sw_rng_next(&seed) % 20)) {
        set_minute(START + hour * 60 + (int)(sw_rng_next(&seed) % 60));
        int count = 1 + (int)(sw_rng_next(&seed) % 5);
        serve_rows(count, 0);
        rows[hour] = (uint64_t)count;
        CHECK(sw_watch_keep(watch));
    }
    set_minute(START + 100 * 1440);
    for (int i = 0; i < 3; i++)
        CHECK(sw_watch_keep(watch));
    for (int i = 0; i < 60; i++) {
        /* Days in the first ten, hours since: edges on those. */
        int unit = i % 2 ? 24 : 1, first = i % 2 ? 0 : 10 * 24;
        int from = first + (int)(sw_rng_next(&seed) % (uint64_t)(2400 - first)) / unit * unit;
        int to = from + (int)(sw_rng_next(&seed) % (uint64_t)(2401 - from)) / unit * unit;
        uint64_t wanted = 0;
        sw_counts counts;
        for (int hour = from; hour < to; hour++)
            wanted += rows[hour];
        REQUIRE_OK(sw_counts_make_for(&counts, observer, false, &error), error);
        REQUIRE_OK(sw_watch_counts(&counts, watch, &subject, SW_STR(""),
                                   (START + (int64_t)from * 60) * 60000,
                                   (START + (int64_t)to * 60) * 60000, &error),
                   error);
        CHECK_INT(counts.rows, wanted);
        sw_counts_free(&counts);
    }
    end_server();
}

TEST(history__a_clock_that_steps_by_days_loses_nothing) {
    REQUIRE(set_up(NULL));
    static const int days[] = {0, 5, 1, 9, 3, 120, 100, 121};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        set_minute(START + days[i] * 1440 + 7);
        serve_rows(100, 0);
        for (int k = 0; k < 3; k++)
            CHECK(sw_watch_keep(watch));
    }
    set_minute(START + 122 * 1440);
    for (int k = 0; k < 3; k++)
        CHECK(sw_watch_keep(watch));
    CHECK_INT(rows_of("", 123 * 1440), 800);
    end_server();
}

TEST(heatmap__shows_when_a_feature_moved) {
    REQUIRE(set_up(NULL));
    for (int i = 0; i < 120; i++) {
        set_minute(START + i);
        serve_rows(100, i < 60 ? 0 : 15);
        CHECK(sw_watch_keep(watch));
    }
    sw_buf json = {0};
    REQUIRE_OK(sw_watch_heatmap(&json, watch, &subject, SW_STR(""), 24, &error), error);
    json_t *root = json_loadb(json.at, json.len, 0, NULL);
    REQUIRE(root != NULL);
    json_t *states = json_object_get(column(root, "columns", 0), "state");
    CHECK_INT(number_of(root, "step_minutes"), 15);
    CHECK_INT(json_array_size(states), 96);
    CHECK_INT(json_array_size(json_object_get(root, "times")), 96);
    CHECK_STR(sw_str_of(json_string_value(json_array_get(states, 95))), "drifted");
    CHECK_STR(sw_str_of(json_string_value(json_array_get(states, 89))), "same");
    CHECK_STR(sw_str_of(json_string_value(json_array_get(states, 3))), "too few rows");
    long long rows = 0;
    size_t i;
    json_t *count;
    json_array_foreach(json_object_get(root, "rows"), i, count) {
        rows += json_integer_value(count);
    }
    CHECK_INT(rows, 12000);
    json_decref(root);
    sw_buf_free(&json);
    end_server();
}

static long long heatmap_step(uint32_t hours, const char **last_state) {
    sw_buf json = {0};
    CHECK_OK(sw_watch_heatmap(&json, watch, &subject, SW_STR(""), hours, &error), error);
    json_t *root = json_loadb(json.at, json.len, 0, NULL);
    json_t *states = json_object_get(column(root, "columns", 0), "state");
    size_t steps = json_array_size(states);
    long long step = (long long)number_of(root, "step_minutes");
    const char *state = json_string_value(json_array_get(states, steps - 2));
    *last_state = strcmp(state, "same") == 0 ? "same" : "other";
    CHECK_INT(json_array_size(json_object_get(root, "rows")), steps);
    json_decref(root);
    sw_buf_free(&json);
    return step;
}

/* 120 rows an hour: 30 in a quarter of an hour, for which there is no verdict. */
TEST(heatmap__has_longer_steps_where_rows_are_few) {
    REQUIRE(set_up(NULL));
    const char *state;
    for (int i = 0; i < 24 * 4; i++) {
        set_minute(START + i * 15);
        serve_rows(30, 0);
        CHECK(sw_watch_keep(watch));
    }
    CHECK_INT(heatmap_step(24, &state), 360);
    CHECK_STR(sw_str_of(state), "same");
    CHECK_INT(heatmap_step(168, &state), 360);
    CHECK_INT(heatmap_step(6, &state), 5); /* 720 rows, but no two steps of 600 */
    end_server();
}

TEST(heatmap__survives_a_lack_of_memory) {
    REQUIRE(set_up(NULL));
    for (int i = 0; i < 24 * 4; i++) {
        set_minute(START + i * 15);
        serve_rows(30, 0);
    }
    CHECK(sw_watch_keep(watch));
    bool failed = true;
    for (size_t nth = 1; failed && nth < 4000; nth++) {
        sw_buf json = {0};
        sw_mem_fail_at(nth);
        failed = sw_failed(sw_watch_heatmap(&json, watch, &subject, SW_STR(""), 24, &error));
        sw_mem_fail_at(0);
        sw_buf_free(&json);
    }
    CHECK(!failed);
    end_server();
}

/* ---- Inputs that are no columns ---- */

static double mean_of(sw_counts *counts, const sw_observer *of, const char *name) {
    for (uint32_t i = 0; i < of->column_count; i++)
        if (sw_str_is(of->columns[i].name, name))
            return sw_moments_mean(&counts->moments[i], of->columns[i].centre);
    return -1;
}

TEST(summaries__of_images_tokens_embeddings_and_text_are_what_they_say) {
    sw_tensor_spec specs[4] = {
        {.name = SW_STR("image"), .dtype = SW_UINT8, .rank = 4, .shape = {-1, 3, 64, 64}},
        {.name = SW_STR("ids"),
         .dtype = SW_INT64,
         .rank = 2,
         .shape = {-1, -1},
         .content = SW_CONTENT_TOKENS,
         .vocabulary = 100,
         .unknown = 1,
         .has_unknown = true},
        {.name = SW_STR("vector"), .dtype = SW_FP32, .rank = 2, .shape = {-1, 700}},
        {.name = SW_STR("note"),
         .dtype = SW_BYTES,
         .rank = 1,
         .shape = {-1},
         .content = SW_CONTENT_TEXT}};
    sw_signature s = {.inputs = specs, .input_count = 4};
    sw_observer *of;
    sw_shard *to;
    sw_counts counts;
    static uint8_t image[2 * 3 * 64 * 64];
    int64_t ids[2 * 6] = {5, 1, 100, 7, 0, 0, 1, 2, 3, 0, 0, 0};
    static float vector[2 * 700];
    sw_str note[2] = {SW_STR("two words"), SW_STR(" now three words ")};
    REQUIRE_OK(sw_observer_make(&of, &s, NULL, NULL, &error), error);
    REQUIRE_OK(sw_shard_make(&to, of, &error), error);
    REQUIRE_OK(sw_counts_make_for(&counts, of, false, &error), error);
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = i % 2 ? 50 : 150;
    for (int i = 0; i < 1400; i++)
        vector[i] = 3;
    sw_tensor in[4] = {{.dtype = SW_UINT8, .count = sizeof image, .data = image},
                       {.dtype = SW_INT64, .count = 12, .data = ids},
                       {.dtype = SW_FP32, .count = 1400, .data = vector},
                       {.dtype = SW_BYTES, .count = 2, .data = note}};
    sw_observe(to, in, NULL, 2);
    sw_counts_take(&counts, to, 0);
    CHECK_INT(of->column_count, 4 + 2 + 9 + 2);
    CHECK_NEAR(mean_of(&counts, of, "image.brightness"), 100, 1e-9);
    CHECK_NEAR(mean_of(&counts, of, "image.contrast"), 50, 1e-9);
    CHECK_NEAR(mean_of(&counts, of, "image.min"), 50, 0);
    CHECK_NEAR(mean_of(&counts, of, "image.max"), 150, 0);
    CHECK_NEAR(mean_of(&counts, of, "ids.length"), 3.5, 1e-9);
    CHECK_NEAR(mean_of(&counts, of, "ids.unknown_share"), (0.5 + 1.0 / 3) / 2, 1e-9);
    CHECK_NEAR(mean_of(&counts, of, "vector.norm"), 3 * sqrt(700), 1e-6);
    double first = mean_of(&counts, of, "vector.projection0");
    CHECK(first != -1 && fabs(first) < 3 * 16);
    CHECK_NEAR(mean_of(&counts, of, "note.bytes"), (9 + 17) / 2.0, 1e-9);
    CHECK_NEAR(mean_of(&counts, of, "note.words"), 2.5, 1e-9);
    sw_counts_free(&counts);
    sw_shard_free(to);
    sw_observer_free(of);
}

/* ---- Many at once ---- */

TEST(observe__many_requests_at_once_count_like_each_alone) {
    REQUIRE(set_up(NULL));
    sw_shard *alone;
    sw_counts a, b;
    REQUIRE_OK(sw_shard_make(&alone, observer, &error), error);
    REQUIRE_OK(sw_counts_make_for(&a, observer, false, &error), error);
    REQUIRE_OK(sw_counts_make_for(&b, observer, false, &error), error);
    for (int turn = 0; turn < 60; turn++) {
        static row rows[40];
        static sw_tensor in[40][2], out[40][2];
        sw_observed requests[40];
        size_t count = 1 + sw_rng_next(&seed) % 40;
        for (size_t i = 0; i < count; i++) {
            rows[i] = draw_row((double)(sw_rng_next(&seed) % 3) * 100);
            rows[i].age = sw_rng_next(&seed) % 20 ? rows[i].age : NAN;
            in[i][0] = (sw_tensor){.dtype = SW_FP32, .count = 1, .data = &rows[i].age};
            in[i][1] = (sw_tensor){.dtype = SW_BYTES, .count = 1, .data = &rows[i].country};
            out[i][0] = (sw_tensor){.dtype = SW_FP32, .count = 1, .data = &rows[i].score};
            out[i][1] = (sw_tensor){.dtype = SW_INT64, .count = 1, .data = &rows[i].class};
            requests[i] = (sw_observed){in[i], out[i], sw_rng_next(&seed) % 30 ? 1 : 0};
            sw_observe(alone, in[i], out[i], requests[i].rows);
        }
        sw_observe_many(shard, requests, count);
    }
    sw_counts_take(&a, alone, 0);
    sw_counts_take(&b, shard, 0);
    CHECK_INT(a.rows, b.rows);
    CHECK(memcmp(a.bins, b.bins, a.bin_count * sizeof *a.bins) == 0);
    CHECK(memcmp(a.distinct, b.distinct, a.column_count * sizeof *a.distinct) == 0);
    for (uint32_t i = 0; i < a.column_count; i++) {
        CHECK_INT(a.moments[i].count, b.moments[i].count);
        CHECK(a.moments[i].min == b.moments[i].min && a.moments[i].max == b.moments[i].max);
        CHECK(fabs(a.moments[i].sum - b.moments[i].sum) <= 1e-9 * (1 + fabs(a.moments[i].sum)));
    }
    sw_counts_free(&a);
    sw_counts_free(&b);
    sw_shard_free(alone);
    end_server();
}

TEST_MAIN
