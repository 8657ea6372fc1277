/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/labels_input.h"

#include "decay/prediction_id.h"
#include "decay_testing.h"

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
