/* SPDX-License-Identifier: Apache-2.0 */
/* From a frame's columns to figures: what the command does between its options and its print. */
#include "cli/evaluate_private.h"

#include "base/mem.h"
#include "unit/test.h"

enum { ROWS = 6 };

static double scores[ROWS] = {0.9, 0.2, 0.4, 0.6, 0.5, NAN};
static double numbers[ROWS] = {1, 0, 1, 0, NAN, 1};
static uint32_t codes[ROWS] = {0, 1, 0, 1, SW_TEXT_MISSING, 0};
static sw_str words[] = {{"yes", 3}, {"no", 2}};
static sw_error error;

static sw_column columns[] = {
    {.name = {"score", 5}, .type = SW_COLUMN_NUMBER, .numbers = scores},
    {.name = {"label", 5}, .type = SW_COLUMN_NUMBER, .numbers = numbers},
    {.name = {"word", 4}, .type = SW_COLUMN_TEXT, .codes = codes, .words = words, .word_count = 2},
};
static uint32_t by_name[] = {1, 0, 2};
static const sw_frame frame = {
    .columns = columns, .by_name = by_name, .column_count = 3, .rows = ROWS};

static sw_eval_plan plan_of(sw_str label, sw_str score, sw_str pred) {
    sw_eval_plan plan = {
        .file = {.shown = "rows.csv"}, .label = label, .pred = pred, .threshold = 0.5};
    if (score.len)
        plan.scores[plan.score_count++].column = score;
    return plan;
}

/* All steps; the result is yours where they succeed. */
static sw_status evaluate(sw_eval_result *out, sw_eval_plan *plan, sw_eval_classes *classes,
                          sw_eval_sample *sample, uint32_t segment) {
    sw_arena arena = {0};
    sw_status status = sw_eval_classes_find(classes, plan, &frame, NULL, &arena, &error);
    if (!sw_failed(status))
        status = sw_eval_sample_take(sample, plan, classes, "rows.csv", &frame, &arena, &error);
    if (!sw_failed(status))
        status = sw_eval_measure(out, plan, classes, sample, segment, &error);
    sw_arena_free(&arena);
    return status;
}

static sw_eval_classes classes;
static sw_eval_sample sample;
static sw_eval_result result;

TEST(evaluate__leaves_out_rows_that_lack_something_and_counts_them) {
    sw_eval_plan plan = plan_of(SW_STR("label"), SW_STR("score"), (sw_str){0});
    REQUIRE_OK(evaluate(&result, &plan, &classes, &sample, SW_EVAL_ALL), error);
    CHECK_INT(plan.task, SW_QUALITY_BINARY);
    CHECK_INT(sample.used, 4);
    CHECK_INT(sample.missing_label, 1);
    CHECK_INT(sample.missing_score, 1);
    CHECK_INT(sample.estimable_count, 5); /* a row without a label is estimated all the same */
    CHECK_NEAR(sw_metrics_value(&result.metrics, "roc_auc"), 0.75, 1e-15);
    CHECK_INT(result.matrix[3], 1);
    sw_eval_result_free(&result);
}

TEST(evaluate__measures_the_rows_of_a_segment_alone) {
    sw_eval_plan plan = plan_of(SW_STR("label"), SW_STR("score"), (sw_str){0});
    plan.segment = SW_STR("word");
    REQUIRE_OK(evaluate(&result, &plan, &classes, &sample, 1), error);
    CHECK_INT(result.rows, 2);
    CHECK_NEAR(sw_metrics_value(&result.metrics, "accuracy"), 0.5, 0);
    CHECK_INT(sample.segment_count, 2);
    sw_eval_result_free(&result);
}

TEST(evaluate__finds_out_the_task) {
    sw_eval_plan numbers_of = plan_of(SW_STR("score"), (sw_str){0}, SW_STR("label")),
                 zeros = plan_of(SW_STR("label"), (sw_str){0}, SW_STR("label")),
                 texts = plan_of(SW_STR("word"), (sw_str){0}, SW_STR("word")), positive = texts;
    positive.positive = SW_STR("yes");
    REQUIRE_OK(evaluate(&result, &numbers_of, &classes, &sample, SW_EVAL_ALL), error);
    CHECK_INT(numbers_of.task, SW_QUALITY_REGRESSION);
    sw_eval_result_free(&result);
    REQUIRE_OK(evaluate(&result, &zeros, &classes, &sample, SW_EVAL_ALL), error);
    CHECK_INT(zeros.task, SW_QUALITY_BINARY);
    sw_eval_result_free(&result);
    REQUIRE_OK(evaluate(&result, &texts, &classes, &sample, SW_EVAL_ALL), error);
    CHECK_INT(texts.task, SW_QUALITY_MULTICLASS);
    CHECK_STR(classes.at[0].word, "no");
    sw_eval_result_free(&result);
    REQUIRE_OK(evaluate(&result, &positive, &classes, &sample, SW_EVAL_ALL), error);
    CHECK_INT(positive.task, SW_QUALITY_BINARY);
    CHECK_STR(classes.at[1].word, "yes");
    CHECK_NEAR(sw_metrics_value(&result.metrics, "accuracy"), 1, 0);
    sw_eval_result_free(&result);
}

TEST(evaluate__says_which_label_of_two_words_it_cannot_guess) {
    sw_eval_plan plan = plan_of(SW_STR("word"), SW_STR("score"), (sw_str){0});
    CHECK_INT(evaluate(&result, &plan, &classes, &sample, SW_EVAL_ALL).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, "no, yes");
    CHECK_HAS(error.text, "--positive VALUE");
}

TEST(evaluate__writes_a_number_as_a_class_the_same_way_wherever_it_comes_from) {
    sw_arena arena = {0};
    CHECK_STR(sw_eval_word_of(3, &arena), "3");
    CHECK_STR(sw_eval_word_of(-0.5, &arena), "-0.5");
    CHECK_STR(sw_eval_word_of(1e300, &arena), "1e300");
    CHECK_NEAR(sw_eval_number_of(SW_STR("3")), 3, 0);
    CHECK(isnan(sw_eval_number_of(SW_STR("three"))));
    sw_arena_free(&arena);
}

#ifdef SW_FAULTS
TEST(evaluate__survives_every_allocation_that_fails) {
    for (size_t nth = 1;; nth++) {
        sw_eval_plan plan = plan_of(SW_STR("label"), SW_STR("score"), (sw_str){0});
        plan.segment = SW_STR("score");
        sw_mem_fail_at(nth);
        sw_status status = evaluate(&result, &plan, &classes, &sample, 0);
        bool failed = sw_mem_failed();
        sw_mem_fail_at(0);
        if (!sw_failed(status))
            sw_eval_result_free(&result);
        if (!failed)
            break;
        CHECK_INT(status.code, SW_CODE_NO_MEMORY);
    }
}
#endif

TEST_MAIN
