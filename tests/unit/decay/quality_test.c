/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"
#include "decay/quality_cells.h"
#include "decay_testing.h"

TEST(quality__of_a_segment_is_that_of_its_rows) {
    setting s;
    begin(&s);
    for (int i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        predict(&s, id, i % 2, 0.9);
        sw_plog_flush(s.log);
        CHECK(label(&s, id, i % 2 ? "1" : "0").joined == 1);
    }
    CHECK(accuracy(&s, "") == 0.5);
    CHECK(accuracy(&s, "x=1") == 1);
    CHECK(accuracy(&s, "x=0") == 0);
    CHECK(quality(&s, "x=2").window.logged == 0);
    end(&s);
}

TEST(quality__of_numbers_is_that_of_a_regression) {
    setting s;
    begin(&s);
    predict(&s, "a", 0, 10);
    predict(&s, "b", 0, 20);
    sw_plog_flush(s.log);
    label(&s, "a", "12");
    label(&s, "b", "26");
    sw_quality_report report = quality(&s, "");
    CHECK(report.task == SW_TASK_REGRESSION);
    CHECK(fabs(metric(&report, "mae") - 4) < 1e-12);
    CHECK(fabs(metric(&report, "rmse") - sqrt(20)) < 1e-12);
    CHECK(report.decay.state == SW_DECAY_TOO_FEW && strstr(report.decay.why, "2 of the 1,000"));
    end(&s);
}

/* Rows of a request are one query; it counts once all of them have a gain. */
TEST(quality__of_a_ranking_is_that_of_whole_requests) {
    setting s;
    begin(&s);
    close_all(&s);
    s.settings.task = SW_TASK_RANKING;
    open_all(&s);
    double x[3] = {0}, score[3] = {3, 2, 1};
    sw_tensor in = {.dtype = SW_FP64, .count = 3, .data = x};
    sw_tensor out = {.dtype = SW_FP64, .count = 3, .data = score};
    sw_plog_put(s.writer, 0, SW_STR("q1"), NULL, &in, &out, 3);
    sw_plog_put(s.writer, 0, SW_STR("q2"), NULL, &in, &out, 3);
    sw_plog_put(s.writer, 0, SW_STR("q3"), NULL, &in, &out, 3);
    sw_plog_flush(s.log);
    static const char *const gains[][2] = {{"q1.0", "1"}, {"q1.1", "0"}, {"q1.2", "0"},
                                           {"q2.0", "0"}, {"q2.1", "1"}, {"q2.2", "0"},
                                           {"q3.0", "1"}};
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++)
        CHECK(label(&s, gains[i][0], gains[i][1]).joined == 1);
    sw_quality_report report = quality(&s, "");
    CHECK(report.task == SW_TASK_RANKING && report.window.labelled == 7);
    CHECK(metric(&report, "queries") == 2);
    CHECK(fabs(metric(&report, "ndcg") - (1 + 1 / log2(3)) / 2) < 1e-12);
    CHECK(fabs(metric(&report, "mrr") - 0.75) < 1e-12);
    CHECK(report.decay.state == SW_DECAY_UNDEFINED);
    end(&s);
}

/* The model says its decision beside its scores, and so which score is whose. */
TEST(quality__of_named_classes_is_that_of_their_scores) {
    static sw_tensor_spec outs[] = {
        {.name = {"class", 5}, .dtype = SW_BYTES, .rank = 1, .shape = {-1}},
        {.name = {"scores", 6}, .dtype = SW_FP32, .rank = 2, .shape = {-1, 3}}};
    static const char *const names[] = {"red", "green", "blue"};
    const sw_signature three = {inputs, 1, outs, 2, features, 1};
    setting s;
    sw_plog_writer *writer;
    begin(&s);
    REQUIRE(!sw_failed(sw_plog_add(&writer, s.log, SW_STR("m"), 2, &three, &s.settings, &s.error)));
    for (int i = 0; i < 30; i++) {
        char id[16];
        double x = 0;
        float scores[3] = {0.1f, 0.1f, 0.1f};
        scores[i % 3] = 0.8f;
        sw_str name = sw_str_of(names[i % 3]);
        sw_tensor in = {.dtype = SW_FP64, .count = 1, .data = &x};
        sw_tensor out[2] = {{.dtype = SW_BYTES, .count = 1, .data = &name},
                            {.dtype = SW_FP32, .count = 3, .data = scores}};
        snprintf(id, sizeof id, "c%d", i);
        sw_plog_put(writer, 0, sw_str_of(id), NULL, &in, out, 1);
        sw_plog_flush(s.log);
        CHECK(label(&s, id, names[i < 24 ? i % 3 : (i + 1) % 3]).joined == 1);
    }
    int64_t now_ms = (int64_t)time(NULL) * 1000 + 60000;
    sw_quality_report report;
    sw_quality_query query = {.model = SW_STR("m"),
                              .version = 2,
                              .settings = &s.settings,
                              .from_ms = now_ms - 3600000,
                              .to_ms = now_ms};
    CHECK(!sw_failed(sw_quality_read(&report, s.decay, &query, &s.arena, &s.error)));
    CHECK(report.task == SW_TASK_MULTICLASS && report.series_count == 0);
    CHECK(fabs(metric(&report, "accuracy") - 0.8) < 1e-12);
    CHECK(fabs(metric(&report, "log_loss") - -(0.8 * log(0.8) + 0.2 * log(0.1))) < 1e-6);
    CHECK_NEAR(sw_metrics_value(&report.window.estimated, "accuracy"), 0.8, 1e-6);
    CHECK_NEAR(sw_metrics_value(&report.window.estimated, "macro_recall"), 0.8, 1e-6);
    sw_plog_remove(writer);
    end(&s);
}

/* A step that holds nothing takes no memory for sums, and still says which figures are undefined. */
TEST(quality__of_a_step_without_rows_is_undefined_by_name) {
    setting s;
    begin(&s);
    predict(&s, "a", 0, 0.9);
    predict(&s, "unlabelled", 0, 0.2);
    sw_plog_flush(s.log);
    CHECK(label(&s, "a", "1").joined == 1);
    sw_quality_report report = quality(&s, "");
    REQUIRE(report.series_count >= 2);
    const sw_quality_window *without = &report.series[0], *whole = &report.window;
    CHECK(without->logged == 0 && without->labelled == 0);
    CHECK(isnan(without->coverage) && isnan(without->lag_p50_s) && isnan(without->lag_p90_s));
    CHECK(without->metrics.count > 0 && isnan(sw_metrics_value(&without->metrics, "accuracy")));
    CHECK(without->estimated.count == whole->estimated.count && whole->estimated.count > 0);
    CHECK(whole->logged == 2 && whole->labelled == 1 && whole->coverage == 0.5);
    CHECK(whole->lag_p50_s >= 0 && whole->lag_p90_s < 60);
    CHECK(metric(&report, "accuracy") == 1);
    end(&s);
}

/* Kept with a quarter of the chance, a row counts for four. */
TEST(quality__rows_of_a_sample_count_by_their_weight) {
    setting s;
    begin(&s);
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "w%d", i);
        s.writer->lanes[0].tick = atomic_load(&s.writer->tick);
        s.writer->lanes[0].threshold = i < 10 ? UINT64_MAX : UINT64_MAX / 4;
        /* Those that the quarter would not take are given another name until it does. */
        for (int k = 0; sw_plog_hash(sw_str_of(id), 0) > s.writer->lanes[0].threshold; k++)
            snprintf(id, sizeof id, "w%d.%d", i, k);
        predict(&s, id, 0, i < 10 ? 0.9 : 0.1);
        sw_plog_flush(s.log);
        label(&s, id, "1");
    }
    sw_quality_report report = quality(&s, "");
    CHECK(report.window.logged == 20);
    CHECK(fabs(report.window.rows - 50) < 1e-6);
    CHECK(fabs(metric(&report, "accuracy") - 0.2) < 1e-9);
    end(&s);
}

/* The rows of two loops that served at once lie one after the other in the log, each loop's in the
 * order of time: all but those of the baseline are tested, none of them twice. */
TEST(quality__each_row_is_of_the_baseline_or_tested) {
    enum { BEFORE = 700, AFTER = 900 };
    setting s;
    char id[16];
    int64_t now_ms = sw_clock_wall_ms();
    begin(&s);
    for (int i = 0; i < BEFORE + AFTER; i++) {
        snprintf(id, sizeof id, "r%d", i);
        predict_at(&s, now_ms - 5000 + (i < AFTER ? i : (i - AFTER) / 2), id, 0.9, 1);
    }
    sw_plog_flush(s.log);
    for (int i = 0; i < BEFORE + AFTER; i++) {
        snprintf(id, sizeof id, "r%d", i);
        CHECK(label(&s, id, i % 10 ? "1" : "0").joined == 1);
    }
    sw_quality_report report = quality(&s, "");
    CHECK(report.decay.baseline_rows == SW_BASELINE_ROWS);
    CHECK(report.decay.rows == BEFORE + AFTER - SW_BASELINE_ROWS);
    label(&s, "r5", "0"); /* of the baseline, which does not move */
    CHECK(quality(&s, "").decay.rows == BEFORE + AFTER - SW_BASELINE_ROWS);
    end(&s);
}

/* Steps without rows are no reason to look at bins: two scores of one bin are told apart. */
TEST(quality__of_few_rows_is_exact) {
    setting s;
    begin(&s);
    int64_t now_ms = sw_clock_wall_ms();
    predict_at(&s, now_ms - 2400000, "a", 0.7001, 1);
    predict_at(&s, now_ms - 2400000, "b", 0.7, 1);
    sw_plog_flush(s.log);
    CHECK(label(&s, "a", "1").joined == 1 && label(&s, "b", "0").joined == 1);
    CHECK(sw_quality_score_bin(0.7001) == sw_quality_score_bin(0.7));
    sw_quality_report report = quality(&s, "");
    CHECK(metric(&report, "roc_auc") == 1);
    end(&s);
}

/* ---- Windows that slide ---- */

static void read_window(sw_quality_report *out, setting *s, int64_t to_ms, uint32_t step_minutes,
                        int64_t length_ms) {
    sw_quality_query query = {.model = SW_STR("m"),
                              .version = 1,
                              .settings = &s->settings,
                              .from_ms = to_ms - length_ms,
                              .to_ms = to_ms,
                              .step_minutes = step_minutes,
                              .with_sums = true};
    CHECK(!sw_failed(sw_quality_read(out, s->decay, &query, &s->arena, &s->error)));
}

static void check_same(const sw_metrics *a, const sw_metrics *b) {
    CHECK(a->count == b->count);
    for (unsigned i = 0; i < a->count; i++)
        if (!isnan(a->at[i].value) || !isnan(b->at[i].value))
            CHECK_NEAR(a->at[i].value, b->at[i].value, 1e-12 * fmax(fabs(b->at[i].value), 1e-3));
}

/* What is kept says what is counted anew of the whole log. */
static void check_recount(setting *s, int64_t to_ms, uint32_t step_minutes, int64_t length_ms) {
    sw_quality_report kept, anew;
    read_window(&kept, s, to_ms, step_minutes, length_ms);
    quality_cells *cells = s->decay->cells;
    s->decay->cells = NULL;
    read_window(&anew, s, to_ms, step_minutes, length_ms);
    sw_quality_cells_free(s->decay->cells);
    s->decay->cells = cells;
    CHECK(kept.window.logged == anew.window.logged && kept.window.labelled == anew.window.labelled);
    CHECK(kept.window.rows == anew.window.rows);
    if (anew.window.labelled) {
        CHECK(kept.window.lag_p50_s == anew.window.lag_p50_s);
        CHECK(kept.window.lag_p90_s == anew.window.lag_p90_s);
    }
    check_same(&kept.window.metrics, &anew.window.metrics);
    check_same(&kept.window.estimated, &anew.window.estimated);
    sw_arena_reset(&s->arena);
}

static void seal(setting *s) {
    plog_store *store = sw_plog_store_of(s->log, SW_STR("m"), 1);
    pthread_mutex_lock(sw_plog_storing(s->log));
    CHECK(!sw_failed(sw_plog_store_seal(store, sw_clock_wall_ms(), true, &s->error)));
    pthread_mutex_unlock(sw_plog_storing(s->log));
}

typedef struct stream {
    setting *s;
    sw_task_kind task;
    uint64_t seed, logged, labels;
} stream;

/* Some rows of the last minutes, one in ten far older. Weights change from time to time. */
static void predict_some(stream *t, int64_t now_ms, uint64_t weight) {
    char id[16];
    for (uint64_t n = sw_rng_next(&t->seed) % 20; n > 0; n--) {
        int64_t ago_ms = (int64_t)(sw_rng_next(&t->seed) % 600000);
        double score = sw_rng_unit(&t->seed);
        snprintf(id, sizeof id, "r%d", (int)t->logged++);
        if (sw_rng_next(&t->seed) % 10 == 0)
            ago_ms *= 12;
        if (t->task == SW_TASK_REGRESSION && sw_rng_next(&t->seed) % 50 == 0)
            score = 1e25; /* whose square leaves no digit of the others' */
        predict_at(t->s, now_ms - ago_ms, id, score, weight);
    }
    sw_plog_flush(t->s->log);
}

/* Of rows however old, some for the second time. */
static void label_some(stream *t) {
    char id[16], text[8];
    for (uint64_t n = sw_rng_next(&t->seed) % 12; n > 0 && t->logged; n--) {
        uint64_t back = sw_rng_next(&t->seed) % (t->logged < 200 ? t->logged : 200);
        snprintf(id, sizeof id, "r%d", (int)(t->logged - 1 - back));
        snprintf(text, sizeof text, "%d", (int)(sw_rng_next(&t->seed) % 2));
        t->labels += label(t->s, id, text).joined;
    }
}

TEST(quality__a_window_that_slides_is_its_recount) {
    enum { TURNS = 250 };
    static const sw_task_kind tasks[] = {SW_TASK_BINARY, SW_TASK_REGRESSION};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
        setting s;
        begin(&s);
        s.settings.task = tasks[i];
        stream t = {&s, tasks[i], 7 + i, 0, 0};
        int64_t now_ms = sw_clock_wall_ms() - INT64_C(40) * 3600000;
        for (int turn = 0; turn < TURNS; turn++) {
            uint64_t chance = sw_rng_next(&t.seed);
            now_ms += (int64_t)(sw_rng_next(&t.seed) % 900000);
            predict_some(&t, now_ms, turn / 40 % 3 == 1 ? 4 : 1);
            label_some(&t);
            check_recount(&s, now_ms, 0, INT64_C(2) * 3600000);
            if (chance % 3 == 0)
                check_recount(&s, now_ms, 0, INT64_C(5) * 3600000);
            if (chance % 5 == 0)
                check_recount(&s, now_ms, 1, INT64_C(2) * 3600000);
            if (chance % 7 == 0) /* somebody looks back */
                check_recount(&s, now_ms - INT64_C(3) * 3600000, 0, INT64_C(2) * 3600000);
            if (chance % 11 == 0)
                seal(&s);
        }
        CHECK(t.logged > TURNS && t.labels > TURNS);
        end(&s);
    }
}

TEST_MAIN
