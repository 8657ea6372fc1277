/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/num.h"
#include "cli/cli_private.h"
#include "cli/evaluate_private.h"

#include <stdlib.h>

enum { COLUMNS_MAX = SW_EVAL_SCORES_MAX + 4 };

/* ---- What was asked for ---- */

static sw_status plan_score(sw_eval_plan *plan, const char *text, sw_error *error) {
    if (plan->score_count == SW_EVAL_SCORES_MAX)
        return sw_fail(error, SW_CODE_USAGE, "--score: at most %d columns", SW_EVAL_SCORES_MAX);
    sw_eval_score *score = &plan->scores[plan->score_count++];
    const char *equals = strchr(text, '=');
    *score = (sw_eval_score){.column = sw_str_of(equals ? equals + 1 : text)};
    if (equals)
        score->of = (sw_str){text, (size_t)(equals - text)};
    if (!score->column.len || (equals && !score->of.len))
        return sw_fail(error, SW_CODE_USAGE, "--score %s: COLUMN or CLASS=COLUMN is needed", text);
    for (uint32_t i = 0; equals && i + 1 < plan->score_count; i++)
        if (sw_str_eq(plan->scores[i].of, score->of))
            return sw_fail(error, SW_CODE_USAGE, "--score %s: class %.*s has a score already", text,
                           SW_STR_ARG(score->of));
    if ((score->of.len > 0) != (plan->scores[0].of.len > 0))
        return sw_fail(error, SW_CODE_USAGE,
                       "--score %s: either all scores are named, CLASS=COLUMN, or none", text);
    return SW_OK;
}

static sw_status plan_threshold(sw_eval_plan *plan, const char *text, sw_error *error) {
    plan->threshold = 0.5;
    if (!text)
        return SW_OK;
    if (sw_num_parse_f64(&plan->threshold, sw_str_of(text)) != SW_NUM_FITS)
        return sw_fail(error, SW_CODE_USAGE, "--threshold %s: a number such as 0.5 is needed",
                       text);
    return SW_OK;
}

static sw_status check_task(const sw_eval_plan *plan, sw_error *error) {
    if (!plan->task_given)
        return SW_OK;
    const char *task = sw_quality_task_words(plan->task);
    if (plan->task == SW_QUALITY_RANKING && !plan->query.len)
        return sw_fail(error, SW_CODE_USAGE,
                       "--task ranking: say which column tells the query: "
                       "--query COLUMN");
    if (plan->task == SW_QUALITY_REGRESSION && plan->score_count)
        return sw_fail(error, SW_CODE_USAGE,
                       "--task regression: the predictions are given by --pred COLUMN");
    if (plan->task == SW_QUALITY_BINARY && plan->score_count > 1)
        return sw_fail(error, SW_CODE_USAGE, "--task binary: one --score is needed, not %u",
                       plan->score_count);
    if (plan->task == SW_QUALITY_MULTICLASS && plan->score_count == 1)
        return sw_fail(error, SW_CODE_USAGE,
                       "--task multiclass: one --score CLASS=COLUMN for each class is needed");
    if (plan->query.len && plan->task != SW_QUALITY_RANKING)
        return sw_fail(error, SW_CODE_USAGE, "--query is for ranking, not for --task %s", task);
    return SW_OK;
}

static sw_status check_plan(const sw_eval_plan *plan, const char *gain, sw_error *error) {
    if (plan->query.len && (!gain || plan->score_count != 1))
        return sw_fail(error, SW_CODE_USAGE,
                       "--query needs one --gain COLUMN and one --score COLUMN beside it");
    if (!plan->query.len && gain)
        return sw_fail(error, SW_CODE_USAGE, "--gain is for ranking: add --query COLUMN");
    if (!plan->label.len)
        return sw_fail(error, SW_CODE_USAGE,
                       "which column holds the truth? --label COLUMN (in ranking: --gain COLUMN)");
    if (plan->score_count && plan->pred.len)
        return sw_fail(error, SW_CODE_USAGE, "--score and --pred: one of them is needed, not both");
    if (!plan->score_count && !plan->pred.len)
        return sw_fail(error, SW_CODE_USAGE,
                       "which column holds the predictions? --score COLUMN for probabilities, "
                       "--pred COLUMN for decisions or numbers");
    if (plan->score_count == 1 && plan->scores[0].of.len)
        return sw_fail(error, SW_CODE_USAGE,
                       "--score %.*s=%.*s: with one score, name the class by --positive",
                       SW_STR_ARG(plan->scores[0].of), SW_STR_ARG(plan->scores[0].column));
    return check_task(plan, error);
}

static sw_status make_plan(sw_eval_plan *out, const sw_cli *cli, sw_error *error) {
    const char *gain = sw_cli_value(cli, "gain"), *task = sw_cli_value(cli, "task"), *score;
    *out = (sw_eval_plan){.label = sw_str_of(gain ? gain : sw_cli_value(cli, "label")),
                          .pred = sw_str_of(sw_cli_value(cli, "pred")),
                          .query = sw_str_of(sw_cli_value(cli, "query")),
                          .segment = sw_str_of(sw_cli_value(cli, "segment")),
                          .positive = sw_str_of(sw_cli_value(cli, "positive"))};
    for (unsigned i = 0; (score = sw_cli_value_at(cli, "score", i)); i++)
        SW_TRY(plan_score(out, score, error));
    SW_TRY(plan_threshold(out, sw_cli_value(cli, "threshold"), error));
    out->task_given = task != NULL;
    if (task && !sw_quality_task_of(&out->task, task))
        return sw_fail(error, SW_CODE_USAGE,
                       "--task %s: it is binary, multiclass, regression or ranking", task);
    return check_plan(out, gain, error);
}

/* ---- Doing it ---- */

typedef struct files {
    sw_frame frame, baseline;
    sw_arena arena; /* of the samples */
} files;

static sw_status read_file(sw_frame *out, const sw_eval_plan *plan, const sw_cli_input *input,
                           bool segments, sw_error *error) {
    sw_str columns[COLUMNS_MAX];
    const sw_str named[] = {plan->label, plan->pred, plan->query,
                            segments ? plan->segment : (sw_str){0}};
    sw_frame_options options = {.columns = columns};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (named[i].len)
            columns[options.column_count++] = named[i];
    for (uint32_t i = 0; i < plan->score_count; i++)
        columns[options.column_count++] = plan->scores[i].column;
    sw_status status = sw_frame_read(out, input->path, &options, error);
    return sw_cli_input_blame(status, input, error);
}

static sw_status open_inputs(sw_eval_plan *plan, const sw_cli *cli, sw_error *error) {
    const char *file = sw_cli_argument(cli, 0), *baseline = sw_cli_value(cli, "baseline");
    if (baseline && strcmp(file, "-") == 0 && strcmp(baseline, "-") == 0)
        return sw_fail(error, SW_CODE_USAGE, "only one of the two files can be standard input");
    SW_TRY(sw_cli_input_open(&plan->file, file, error));
    return baseline ? sw_cli_input_open(&plan->baseline, baseline, error) : SW_OK;
}

static sw_status measure_segments(sw_eval_report *report, sw_error *error) {
    const sw_eval_sample *sample = &report->sample;
    report->segments = sw_mem_zalloc((size_t)sample->segment_count + 1, sizeof *report->segments);
    if (!report->segments)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the segments");
    for (uint32_t i = 0; i <= sample->segment_count; i++) {
        bool missing = i == sample->segment_count;
        sw_eval_segment *segment = &report->segments[report->segment_count];
        SW_TRY(sw_eval_measure(&segment->result, report->plan, report->classes, sample,
                               missing ? SW_TEXT_MISSING : i, error));
        segment->word = missing ? (sw_str){0} : sample->segment_words[i];
        if (segment->result.rows)
            report->segment_count++;
        else
            sw_eval_result_free(&segment->result);
    }
    return SW_OK;
}

static int by_rows_falling(const void *a, const void *b) {
    uint64_t x = ((const sw_eval_segment *)a)->result.rows,
             y = ((const sw_eval_segment *)b)->result.rows;
    return (x < y) - (x > y);
}

static sw_status measure(sw_eval_report *report, files *in, sw_error *error) {
    const sw_eval_plan *plan = report->plan;
    SW_TRY(sw_eval_sample_take(&report->sample, plan, report->classes, plan->file.shown, &in->frame,
                               &in->arena, error));
    SW_TRY(sw_eval_measure(&report->result, plan, report->classes, &report->sample, SW_EVAL_ALL,
                           error));
    if (plan->segment.len) {
        SW_TRY(measure_segments(report, error));
        qsort(report->segments, report->segment_count, sizeof *report->segments, by_rows_falling);
    }
    if (!plan->baseline.path)
        return SW_OK;
    sw_eval_plan whole = *plan;
    whole.segment = (sw_str){0};
    SW_TRY(sw_eval_sample_take(&report->baseline_sample, &whole, report->classes,
                               plan->baseline.shown, &in->baseline, &in->arena, error));
    SW_TRY(sw_eval_measure(&report->baseline, &whole, report->classes, &report->baseline_sample,
                           SW_EVAL_ALL, error));
    bool classes = plan->task == SW_QUALITY_BINARY || plan->task == SW_QUALITY_MULTICLASS;
    report->has_estimate = classes && plan->score_count && !report->sample.outside_row &&
                           !report->baseline_sample.outside_row;
    if (!report->has_estimate)
        return SW_OK;
    return sw_eval_estimate(&report->estimate, &report->calibrated, plan, &report->sample,
                            &report->baseline_sample, error);
}

static sw_status print(const sw_cli *cli, const sw_eval_report *report, sw_error *error) {
    if (!sw_cli_json(cli)) {
        sw_eval_print_text(stdout, report);
        return SW_OK;
    }
    sw_buf out = {0};
    sw_eval_print_json(&out, report);
    sw_status status =
        out.failed ? sw_fail(error, SW_CODE_NO_MEMORY, "no memory to print the report") : SW_OK;
    if (!out.failed)
        printf("%.*s\n", (int)out.len, out.at);
    sw_buf_free(&out);
    return status;
}

static void forget(sw_eval_report *report) {
    sw_eval_result_free(&report->result);
    sw_eval_result_free(&report->baseline);
    for (uint32_t i = 0; i < report->segment_count; i++)
        sw_eval_result_free(&report->segments[i].result);
    sw_mem_free(report->segments);
}

static sw_status run(sw_cli *cli) {
    sw_error *error = &cli->error;
    sw_eval_plan plan;
    files in = {0};
    SW_TRY(make_plan(&plan, cli, error));
    sw_eval_classes *classes = sw_mem_alloc(sizeof *classes);
    if (!classes)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory to evaluate %s",
                       sw_cli_argument(cli, 0));
    sw_eval_report report = {.plan = &plan, .classes = classes};
    sw_status status = open_inputs(&plan, cli, error);
    if (!sw_failed(status))
        status = read_file(&in.frame, &plan, &plan.file, true, error);
    if (!sw_failed(status) && plan.baseline.path)
        status = read_file(&in.baseline, &plan, &plan.baseline, false, error);
    if (!sw_failed(status))
        status = sw_eval_classes_find(classes, &plan, &in.frame,
                                      plan.baseline.path ? &in.baseline : NULL, &in.arena, error);
    if (!sw_failed(status))
        status = measure(&report, &in, error);
    if (!sw_failed(status))
        status = print(cli, &report, error);
    forget(&report);
    sw_mem_free(classes);
    sw_frame_free(&in.frame);
    sw_frame_free(&in.baseline);
    sw_arena_free(&in.arena);
    sw_cli_input_close(&plan.file);
    sw_cli_input_close(&plan.baseline);
    return status;
}

static const sw_cli_option options[] = {
    {"label", 'l', "COLUMN", "what came true"},
    {"score", 0, "COLUMN",
     "probability of the positive class; for several classes one "
     "CLASS=COLUMN each"},
    {"pred", 'p', "COLUMN", "decided class, or predicted number"},
    {"threshold", 0, "X", "scores from here on are positive (default 0.5)"},
    {"positive", 0, "VALUE", "the label of the positive class (default 1)"},
    {"query", 0, "COLUMN", "ranking: which rows were ranked together"},
    {"gain", 0, "COLUMN", "ranking: what a row is worth, 0 or more"},
    {"segment", 0, "COLUMN", "the figures of each of its values, too"},
    {"baseline", 'b', "FILE", "the same figures of another file, beside; calibrates the estimate"},
    {"task", 0, "TASK", "binary, multiclass, regression or ranking, instead of finding out"},
    {0},
};

const sw_cli_command sw_cli_evaluate = {
    .name = "evaluate",
    .arguments = "FILE",
    .summary = "measures predictions against what came true",
    .details =
        "FILE is CSV, JSON Lines or Parquet. Rows without a label or a score are left out and\n"
        "counted. A figure that has no value (ROC AUC of one class) says why. - is standard input.",
    .examples = "slipway evaluate scored.csv --label churned --score p_churn\n"
                "slipway evaluate scored.csv --label kind --score cat=p_cat --score dog=p_dog\n"
                "slipway evaluate sales.csv --label sold --pred forecast --segment country\n"
                "slipway evaluate clicks.csv --query search --gain clicked --score rank_score\n"
                "slipway evaluate june.csv --baseline test.csv --label churned --score p_churn",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
