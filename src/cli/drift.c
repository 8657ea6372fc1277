/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/drift_private.h"
#include "cli/input_private.h"

#include "base/num.h"

#include <math.h>

/* Memory for the values of one group of columns; wider files are read in several passes. */
#define GROUP_BYTES (UINT64_C(1) << 30)
enum { NAMES_MAX = SW_CLI_OPTIONS_MAX, COPIES = 5 /* both frames, both sorted copies, scratch */ };

typedef struct drift_run {
    sw_cli *cli;
    sw_cli_input inputs[2]; /* reference, current */
    sw_compare_options options;
    sw_str names[3][NAMES_MAX]; /* --column, --category, --text */
    size_t counts[3];
    sw_frame plans[2]; /* names and types alone */
    sw_comparison comparison;
    uint64_t rows[2];
    sw_domain_rows sampled;
    sw_domain_result domain;
    bool multivariate;
    sw_arena arena;
    sw_progress progress;
} drift_run;

static sw_status read_share(double *out, sw_cli *cli, const char *name, double max) {
    const char *text = sw_cli_value(cli, name);
    if (!text)
        return SW_OK;
    if (sw_num_parse_f64(out, sw_str_of(text)) != SW_NUM_FITS || !(*out >= 0) || !(*out <= max))
        return sw_fail(&cli->error, SW_CODE_USAGE, "--%s %.40s: a number from 0 to %g is needed",
                       name, text, max);
    return SW_OK;
}

static sw_status read_options(drift_run *run) {
    static const char *const lists[3] = {"column", "category", "text"};
    sw_cli *cli = run->cli;
    sw_compare_options *options = &run->options;
    const char *compat = sw_cli_value(cli, "compat"), *known, *name;
    sw_compare_defaults(options);
    if (compat && strcmp(compat, "evidently") != 0)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "--compat %.40s: there is only --compat evidently", compat);
    options->evidently = compat != NULL;
    options->test = sw_cli_value(cli, "test");
    if (options->test && !sw_compare_knows(options, options->test, &known))
        return sw_fail(&cli->error, SW_CODE_USAGE, "--test %.40s: it is one of %s%s", options->test,
                       known,
                       options->evidently ? ""
                                          : " (distances are in every answer; as tests they "
                                            "come with --compat evidently)");
    if (compat && (sw_cli_value(cli, "alpha") || sw_cli_value(cli, "tolerance")))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "--alpha and --tolerance are for our own tests: leave out --compat");
    SW_TRY(read_share(&options->alpha, cli, "alpha", 1));
    SW_TRY(read_share(&options->tolerance, cli, "tolerance", 100));
    if (run->multivariate && !options->evidently)
        options->alpha /= 2; /* columns, and whole rows: two questions under one promise */
    for (int list = 0; list < 3; list++)
        for (unsigned i = 0; i < NAMES_MAX && (name = sw_cli_value_at(cli, lists[list], i)); i++)
            run->names[list][run->counts[list]++] = sw_str_of(name);
    options->categories = run->names[1];
    options->category_count = run->counts[1];
    options->texts = run->names[2];
    options->text_count = run->counts[2];
    return SW_OK;
}

/* A misspelt name is a mistake, not a column that is gone. */
static sw_status check_names(const drift_run *run) {
    for (int list = 0; list < 3; list++)
        for (size_t i = 0; i < run->counts[list]; i++)
            if (!sw_frame_find(&run->plans[0], run->names[list][i]))
                return sw_fail(&run->cli->error, SW_CODE_NOT_FOUND,
                               "%s has no column %.*s; its first is %.*s", run->inputs[0].shown,
                               SW_STR_ARG(run->names[list][i]),
                               SW_STR_ARG(run->plans[0].columns[0].name));
    if (run->plans[0].column_count == 0)
        return sw_fail(&run->cli->error, SW_CODE_INVALID, "%s has no columns",
                       run->inputs[0].shown);
    return SW_OK;
}

static void on_progress(void *context, uint64_t done, uint64_t all) {
    sw_progress_tick(context, done, all);
}

/* These columns of one file, those that it has. */
static sw_status read_side(sw_frame *out, drift_run *run, int side, const sw_str *names,
                           size_t count, sw_str *scratch) {
    sw_frame_options options = {.columns = scratch,
                                .as_text = run->names[2],
                                .as_text_count = run->counts[2],
                                .progress = on_progress,
                                .context = &run->progress};
    for (size_t i = 0; i < count; i++)
        if (sw_frame_find(&run->plans[side], names[i]))
            scratch[options.column_count++] = names[i];
    *out = (sw_frame){.rows = run->plans[side].rows};
    if (options.column_count == 0)
        return SW_OK;
    SW_TRY(sw_frame_read(out, run->inputs[side].path, &options, &run->cli->error));
    run->rows[side] = out->rows;
    return SW_OK;
}

static bool has_words(const sw_column *column) {
    double number;
    if (column->type != SW_COLUMN_TEXT)
        return false;
    for (uint32_t i = 0; i < column->word_count; i++)
        if (sw_num_parse_f64(&number, sw_str_trim(column->words[i])) == SW_NUM_MALFORMED)
            return true;
    return false;
}

static bool has_numbers(const sw_column *column, uint64_t rows) {
    return column->type == SW_COLUMN_NUMBER && column->missing < rows;
}

/* Sizes such as 38, 40 and XL are categories, also where one of the files happens to have numbers
 * alone: to Evidently they are. That file is asked again for what it wrote. */
static sw_status compare_as_written(drift_run *run, int side, const sw_column *const columns[2],
                                    const uint64_t rows[2]) {
    sw_frame again;
    const sw_frame_options options = {.columns = &columns[side]->name,
                                      .column_count = 1,
                                      .as_text = &columns[side]->name,
                                      .as_text_count = 1};
    SW_TRY(sw_frame_read(&again, run->inputs[side].path, &options, &run->cli->error));
    const sw_column *written[2] = {columns[0], columns[1]};
    written[side] = &again.columns[0];
    sw_status status = sw_compare_column(&run->comparison, written[0], rows[0], written[1], rows[1],
                                         &run->cli->error);
    sw_frame_free(&again);
    return status;
}

static sw_status compare_column(drift_run *run, const sw_column *reference,
                                const sw_column *current, const uint64_t rows[2]) {
    const sw_column *const columns[2] = {reference, current};
    for (int side = 0; side < 2 && current && run->options.evidently; side++)
        if (has_numbers(columns[side], rows[side]) && has_words(columns[!side]))
            return compare_as_written(run, side, columns, rows);
    return sw_compare_column(&run->comparison, reference, rows[0], current, rows[1],
                             &run->cli->error);
}

static sw_status compare_group(drift_run *run, const sw_str *names, size_t count, sw_str *scratch) {
    sw_frame frames[2] = {{0}, {0}};
    sw_error *error = &run->cli->error;
    sw_status status = read_side(&frames[0], run, 0, names, count, scratch);
    if (!sw_failed(status))
        status = read_side(&frames[1], run, 1, names, count, scratch);
    for (size_t i = 0; i < count && !sw_failed(status); i++) {
        const sw_column *reference = sw_frame_find(&frames[0], names[i]),
                        *current = sw_frame_find(&frames[1], names[i]);
        if (!reference)
            continue;
        const uint64_t rows[2] = {frames[0].rows, frames[1].rows};
        status = compare_column(run, reference, current, rows);
        if (!sw_failed(status) && run->multivariate && current)
            status = sw_domain_rows_add(&run->sampled, reference, frames[0].rows, current,
                                        frames[1].rows, error);
    }
    sw_frame_free(&frames[0]);
    sw_frame_free(&frames[1]);
    return status;
}

static size_t group_size(const drift_run *run) {
    uint64_t rows = run->plans[0].rows + run->plans[1].rows + 1;
    uint64_t fit = GROUP_BYTES / (rows * sizeof(double));
    return fit > COPIES ? (size_t)(fit - COPIES) : 1;
}

/* Rows are counted as they are read; of a file that shares no column, by its first one. */
static sw_status count_current(drift_run *run, sw_str *scratch) {
    sw_frame frame = {0};
    bool shared = false;
    for (size_t i = 0; i < run->comparison.column_count; i++)
        shared |= sw_frame_find(&run->plans[1], run->comparison.columns[i].name) != NULL;
    if (shared || run->plans[1].column_count == 0)
        return SW_OK;
    SW_TRY(read_side(&frame, run, 1, &run->plans[1].columns[0].name, 1, scratch));
    sw_frame_free(&frame);
    return SW_OK;
}

static sw_status compare_all(drift_run *run) {
    const sw_frame *plan = &run->plans[0];
    sw_str *names = sw_arena_zalloc(&run->arena, 2 * plan->column_count + 1, sizeof *names);
    size_t count = 0, group = group_size(run);
    if (!names)
        return sw_fail(&run->cli->error, SW_CODE_NO_MEMORY, "no memory for %zu columns",
                       plan->column_count);
    for (size_t i = 0; i < plan->column_count; i++)
        if (!run->counts[0] || sw_str_in(run->names[0], run->counts[0], plan->columns[i].name))
            names[count++] = plan->columns[i].name;
    sw_compare_begin(&run->comparison, &run->options, &run->arena);
    for (size_t i = 0; i < count; i += group) {
        size_t here = count - i < group ? count - i : group;
        SW_TRY(compare_group(run, names + i, here, names + plan->column_count));
    }
    SW_TRY(count_current(run, names));
    for (size_t i = 0; i < run->plans[1].column_count && !run->counts[0]; i++)
        if (!sw_frame_find(plan, run->plans[1].columns[i].name))
            SW_TRY(sw_compare_added(&run->comparison, run->plans[1].columns[i].name,
                                    &run->cli->error));
    return sw_compare_end(&run->comparison, &run->cli->error);
}

static void print_json(const drift_run *run) {
    sw_buf out = {0};
    sw_json w = sw_json_to(&out);
    sw_json_begin_object(&w);
    for (int side = 0; side < 2; side++) {
        sw_json_key(&w, side ? "current" : "reference");
        sw_json_begin_object(&w);
        sw_json_add_text(&w, "file", run->inputs[side].shown);
        sw_json_add_u64(&w, "rows", run->rows[side]);
        sw_json_end_object(&w);
    }
    sw_compare_to_json(&w, &run->comparison);
    if (run->multivariate)
        sw_domain_to_json(&w, &run->domain, &run->sampled, run->options.alpha);
    sw_json_end_object(&w);
    printf("%.*s\n", SW_STR_ARG(sw_buf_str(&out)));
    sw_buf_free(&out);
}

static sw_status open_inputs(drift_run *run) {
    const char *reference = sw_cli_argument(run->cli, 0), *current = sw_cli_argument(run->cli, 1);
    sw_error *error = &run->cli->error;
    if (strcmp(reference, "-") == 0 && strcmp(current, "-") == 0)
        return sw_fail(error, SW_CODE_USAGE, "only one of the two files can be standard input");
    SW_TRY(sw_cli_input_open(&run->inputs[0], reference, error));
    return sw_cli_input_open(&run->inputs[1], current, error);
}

static sw_status compare_files(drift_run *run) {
    SW_TRY(open_inputs(run));
    for (int side = 0; side < 2; side++)
        SW_TRY(sw_frame_columns(&run->plans[side], run->inputs[side].path, &run->cli->error));
    SW_TRY(check_names(run));
    if (run->multivariate)
        SW_TRY(sw_domain_rows_begin(&run->sampled, run->plans[0].column_count, &run->arena,
                                    &run->cli->error));
    SW_TRY(compare_all(run));
    if (run->multivariate)
        SW_TRY(sw_domain_rows_judge(&run->domain, &run->sampled, &run->cli->error));
    return SW_OK;
}

static sw_status run_drift(sw_cli *cli) {
    drift_run run = {.cli = cli, .multivariate = sw_cli_flag(cli, "multivariate")};
    SW_TRY(read_options(&run));
    sw_arena_init(&run.arena, 1 << 16);
    sw_progress_begin(&run.progress, sw_cli_quiet(cli) ? NULL : "comparing");
    sw_status status = compare_files(&run);
    for (int side = 0; side < 2; side++)
        status = sw_cli_input_blame(status, &run.inputs[side], &cli->error);
    sw_progress_end(&run.progress);
    if (!sw_failed(status) && sw_cli_json(cli))
        print_json(&run);
    else if (!sw_failed(status))
        sw_drift_print(&run.comparison, run.rows, run.multivariate ? &run.domain : NULL,
                       &run.sampled, sw_cli_flag(cli, "all"));
    bool drifted =
        run.comparison.dataset_drift || (run.multivariate && run.domain.p <= run.options.alpha);
    for (int side = 0; side < 2; side++) {
        sw_frame_free(&run.plans[side]);
        sw_cli_input_close(&run.inputs[side]);
    }
    sw_domain_rows_free(&run.sampled);
    sw_arena_free(&run.arena);
    if (!sw_failed(status) && drifted && sw_cli_flag(cli, "fail-on-drift"))
        return (sw_status){SW_CODE_REFUSED}; /* all was said; only the exit status differs */
    return status;
}

static const sw_cli_option options[] = {
    {"column", 'c', "NAME", "compare this column only (may be repeated)"},
    {"alpha", 0, "SHARE", "share of false alarms among the alarms (default 0.05)"},
    {"tolerance", 0, "PSI", "movements smaller than this are left alone (default 0.02)"},
    {"test", 0, "NAME", "this test for every column"},
    {"category", 0, "NAME", "numbers in this column are categories (may be repeated)"},
    {"text", 0, "NAME", "this column is free text (may be repeated)"},
    {"multivariate", 0, NULL,
     "also ask whether whole rows can be told apart (half of --alpha each)"},
    {"compat", 0, "evidently", "choose and decide as Evidently does, number for number"},
    {"fail-on-drift", 0, NULL, "exit with 1 where there is drift"},
    {"all", 'a', NULL, "draw the columns that stayed the same, too"},
    {0},
};

const sw_cli_command sw_cli_drift = {
    .name = "drift",
    .arguments = "REFERENCE CURRENT",
    .summary = "compares two files, column by column: CSV, JSON Lines or Parquet",
    .details =
        "Every column gets a two-sample test of its distribution, its missing values, its range\n"
        "and its categories, corrected over all of them: with nothing changed, 95 runs of 100\n"
        "find nothing. A server's live rows are compared by slipway watch and slipway monitor.\n"
        "- is standard input.",
    .examples = "slipway drift train.csv today.parquet\n"
                "slipway drift train.csv today.csv --fail-on-drift --quiet\n"
                "slipway drift train.csv today.csv --compat evidently --json\n"
                "zcat today.csv.gz | slipway drift train.csv -",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run_drift,
};
