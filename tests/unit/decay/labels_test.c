/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/labels_input.h"

#include "../scratch.h"
#include "../test.h"
#include "base/clock.h"
#include "decay/decay_private.h"
#include "decay/prediction_id.h"

#include <math.h>

/* A version with one score, labels in a database, all on disk. */
typedef struct setting {
    char dir[SCRATCH_BYTES], path[SCRATCH_BYTES + 16];
    sw_db *db;
    sw_plog *log;
    sw_plog_writer *writer;
    sw_decay *decay;
    sw_monitor_settings settings;
    sw_arena arena;
    sw_error error;
} setting;

static sw_tensor_spec outputs[] = {
    {.name = {"score", 5}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 1}}};
static sw_tensor_spec inputs[] = {
    {.name = {"x", 1}, .dtype = SW_FP64, .rank = 2, .shape = {-1, 1}}};
static sw_feature features[] = {{.name = {"x", 1}}};
static const sw_signature signature = {inputs, 1, outputs, 1, features, 1};

static void open_all(setting *s) {
    sw_status status = sw_db_open(&s->db, s->path, &s->error);
    if (!sw_failed(status))
        status = sw_plog_open(&s->log, s->dir, 1, &s->error);
    if (!sw_failed(status))
        status = sw_decay_open(&s->decay, s->db, s->log, &s->error);
    if (!sw_failed(status))
        status =
            sw_plog_add(&s->writer, s->log, SW_STR("m"), 1, &signature, &s->settings, &s->error);
    if (sw_failed(status)) {
        fprintf(stderr, "%s\n", s->error.text);
        exit(1);
    }
}

static void close_all(setting *s) {
    sw_plog_remove(s->writer);
    sw_decay_close(s->decay);
    sw_plog_close(s->log);
    sw_db_close(s->db);
}

static void begin(setting *s) {
    *s = (setting){0};
    scratch_in_memory();
    scratch_make(s->dir);
    snprintf(s->path, sizeof s->path, "%s/slipway.db", s->dir);
    sw_monitor_settings_default(&s->settings);
    s->settings.log_rows_per_s = 1e6;
    open_all(s);
}

static void end(setting *s) {
    close_all(s);
    sw_arena_free(&s->arena);
    scratch_remove(s->dir);
}

static void predict(setting *s, const char *id, double x, double score) {
    sw_tensor in = {.dtype = SW_FP64, .count = 1, .data = &x};
    sw_tensor out = {.dtype = SW_FP64, .count = 1, .data = &score};
    sw_plog_put(s->writer, 0, sw_str_of(id), NULL, &in, &out, 1);
}

static sw_label_counts label(setting *s, const char *id, const char *text) {
    sw_label one = {sw_str_of(id), sw_str_of(text), 0};
    sw_label_counts counts = {0};
    CHECK(!sw_failed(sw_decay_add_labels(&counts, s->decay, SW_STR("m"), &one, 1, &s->error)));
    return counts;
}

static double metric(const sw_quality_report *report, const char *name) {
    return sw_metrics_value(&report->window.metrics, name);
}

static sw_quality_report quality(setting *s, const char *segment) {
    sw_quality_report report;
    int64_t now_ms = (int64_t)time(NULL) * 1000 + 60000;
    sw_quality_query query = {.model = SW_STR("m"),
                              .version = 1,
                              .settings = &s->settings,
                              .from_ms = now_ms - 3600000,
                              .to_ms = now_ms,
                              .step_minutes = 30,
                              .segment = sw_str_of(segment)};
    /* What was found is kept for a while, for the same settings: these are others. */
    s->settings.false_alarms_per_month += 1e-6;
    CHECK(!sw_failed(sw_quality_read(&report, s->decay, &query, &s->arena, &s->error)));
    return report;
}

static double accuracy(setting *s, const char *segment) {
    sw_quality_report report = quality(s, segment);
    return metric(&report, "accuracy");
}

TEST(prediction_id__counts_on_through_all_digits) {
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    sw_id_maker maker;
    sw_error error;
    char id[SW_PREDICTION_ID_BYTES], before[SW_PREDICTION_ID_BYTES];
    REQUIRE(!sw_failed(sw_id_maker_init(&maker, &error)));
    sw_id_make(before, &maker);
    for (size_t i = 1; i < 40000; i++) {
        sw_id_make(id, &maker);
        size_t n = i;
        for (size_t k = SW_PREDICTION_ID_BYTES; k-- > SW_PREDICTION_ID_BYTES - 4; n /= 32)
            CHECK(id[k] == digits[n % 32]);
        CHECK(memcmp(id, before, SW_PREDICTION_ID_CHANCE) == 0);
    }
}

TEST(labels__are_joined_whichever_comes_first) {
    setting s;
    begin(&s);
    sw_label_counts counts = label(&s, "early", "1");
    CHECK(counts.waiting == 1 && counts.joined == 0 && counts.accepted == 1);
    predict(&s, "early", 0, 0.9);
    predict(&s, "late", 0, 0.2);
    sw_plog_flush(s.log);
    counts = label(&s, "late", "0");
    CHECK(counts.joined == 1 && counts.waiting == 0);
    sw_quality_report report = quality(&s, "");
    CHECK(report.window.logged == 2 && report.window.labelled == 2 && report.window.coverage == 1);
    CHECK(report.task == SW_TASK_BINARY);
    CHECK(metric(&report, "accuracy") == 1);
    CHECK(metric(&report, "roc_auc") == 1);
    end(&s);
}

TEST(labels__the_same_again_is_no_change_and_the_last_wins) {
    setting s;
    begin(&s);
    predict(&s, "a", 0, 0.9);
    sw_plog_flush(s.log);
    CHECK(label(&s, "a", "1").duplicates == 0);
    CHECK(label(&s, "a", "1").duplicates == 1);
    CHECK(accuracy(&s, "") == 1);
    CHECK(label(&s, "a", "1.0").duplicates == 1);
    CHECK(label(&s, "a", "1e0").duplicates == 1);
    CHECK(label(&s, "a", "true").changed == 0);
    CHECK(label(&s, "a", "1.5").changed == 1);
    CHECK(label(&s, "a", "0").changed == 1);
    CHECK(label(&s, "a", "-0.0").duplicates == 1);
    CHECK(accuracy(&s, "") == 0);
    close_all(&s);
    open_all(&s);
    CHECK(label(&s, "a", "0").duplicates == 1);
    CHECK(accuracy(&s, "") == 0);
    end(&s);
}

TEST(labels__what_cannot_be_one_is_refused_by_name) {
    static const struct {
        sw_label label;
        const char *why;
    } cases[] = {
        {{{"", 0}, {"1", 1}, 0}, "\"id\" must be"},
        {{{"a", 1}, {"", 0}, 0}, "\"label\" must be"},
        {{{"a", 1}, {"1", 1}, -1}, "before 1970"},
        {{{"\xff", 1}, {"1", 1}, 0}, "UTF-8"},
    };
    setting s;
    begin(&s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sw_label_counts counts = {0};
        sw_status status =
            sw_decay_add_labels(&counts, s.decay, SW_STR("m"), &cases[i].label, 1, &s.error);
        CHECK(status.code == SW_CODE_INVALID && strstr(s.error.text, cases[i].why));
        CHECK(counts.accepted == 0);
    }
    end(&s);
}

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
        double x = 0, score = 0.9;
        sw_tensor in = {.dtype = SW_FP64, .count = 1, .data = &x};
        sw_tensor out = {.dtype = SW_FP64, .count = 1, .data = &score};
        snprintf(id, sizeof id, "r%d", i);
        int64_t at_ms = i < AFTER ? now_ms - 5000 + i : now_ms - 5000 + (i - AFTER) / 2;
        sw_plog_put_shared(s.writer, at_ms, sw_str_of(id), NULL, &in, &out, 1);
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

/* ---- What people send ---- */

typedef struct taken {
    char text[512];
} taken;

static sw_status take(const sw_label *labels, size_t count, void *context, sw_error *error) {
    taken *t = context;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(t->text);
        snprintf(t->text + used, sizeof t->text - used, "%.*s=%.*s@%lld;", SW_STR_ARG(labels[i].id),
                 SW_STR_ARG(labels[i].label), (long long)labels[i].at_ms);
    }
    return SW_OK;
}

TEST(labels_input__json_in_its_forms) {
    static const struct {
        const char *body, *says;
    } cases[] = {
        {"{\"id\":\"a\",\"label\":1}", "a=1@0;"},
        {"[{\"id\":7,\"label\":true},{\"label\":\"x\",\"id\":\"b\",\"at_ms\":5}]",
         "7=true@0;b=x@5;"},
        {" {\"labels\": [ {\"id\":\"a\",\"label\":-1.5e3} ]} ", "a=-1.5e3@0;"},
        {"[]", ""},
        {"{\"id\":\"a\",\"label\":1}\n{\"id\":\"b\",\"label\":0,\"at_ms\":7.9}\r\n\n",
         "a=1@0;b=0@7;"},
    };
    sw_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        taken t = {""};
        CHECK(!sw_failed(sw_labels_read_json(sw_str_of(cases[i].body), take, &t, &error)));
        CHECK(strcmp(t.text, cases[i].says) == 0);
    }
    static const char *const wrong[] = {"",
                                        "1",
                                        "{\"id\":\"a\"}",
                                        "{\"id\":\"a\",\"label\":1}\n{\"id\":\"b\"}\n",
                                        "{\"id\":\"a\",\"label\":1}\n7\n",
                                        "{\"id\":\"a\",\"label\":1,\"at_ms\":1e300}",
                                        "{\"id\":\"a\",\"label\":1,\"at_ms\":\"now\"}",
                                        "[{\"id\":\"a\",\"label\":null}]",
                                        "{\"labels\":[],\"x\":1}",
                                        "{\"id\":\"a\",\"lable\":1}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        taken t = {""};
        sw_status status = sw_labels_read_json(sw_str_of(wrong[i]), take, &t, &error);
        CHECK(status.code == SW_CODE_INVALID && !*t.text);
    }
}

TEST(labels_input__csv_in_pieces_of_any_size) {
    static const char file[] = "when,who,truth\n1,a,0\n2,\"b,c\",\"x\ny\"\r\n3,d,2\n";
    sw_error error;
    for (size_t piece = 1; piece < sizeof file; piece++) {
        taken t = {""};
        sw_labels_csv csv = {.id_column = SW_STR("who"),
                             .label_column = SW_STR("truth"),
                             .take = take,
                             .context = &t};
        for (size_t at = 0; at < sizeof file - 1; at += piece) {
            size_t len = sizeof file - 1 - at < piece ? sizeof file - 1 - at : piece;
            CHECK(!sw_failed(sw_labels_csv_add(&csv, (sw_str){file + at, len}, false, &error)));
        }
        CHECK(!sw_failed(sw_labels_csv_add(&csv, (sw_str){0}, true, &error)));
        CHECK(strcmp(t.text, "a=0@0;b,c=x\ny@0;d=2@0;") == 0);
        sw_labels_csv_free(&csv);
    }
}

TEST(labels_input__says_which_line_is_wrong) {
    static const struct {
        const char *file, *why;
    } cases[] = {
        {"a,b\n1,2\n", "no column 'id'"},
        {"id,b\n1,2\n", "no column 'label'"},
        {"id,label\nx,1\ny\n", "line 3 has 1 fields"},
        {"id,label\nx,1\ny,\n", "line 3: the label is empty"},
        {"id,label,at_ms\nx,1,soon\n", "line 2: at_ms 'soon'"},
        {"", "the file is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        taken t = {""};
        sw_error error = {""};
        sw_labels_csv csv = {.take = take, .context = &t};
        sw_status status = sw_labels_csv_add(&csv, sw_str_of(cases[i].file), true, &error);
        CHECK(status.code == SW_CODE_INVALID && strstr(error.text, cases[i].why));
        sw_labels_csv_free(&csv);
    }
}

TEST_MAIN
