/* SPDX-License-Identifier: Apache-2.0 */
#include "base/csv.h"
#include "cli/cli_private.h"
#include "cli/rows_private.h"
#include "cli/slice_private.h"

#include <stdlib.h>
#include <unistd.h>

/* The server is fed small bodies, so that neither side waits long and an error is near its row. */
enum { BATCH_ROWS_MAX = 1000, BATCH_BYTES_MAX = 4 << 20 };

typedef struct prediction {
    sw_cli *cli;
    sw_cli_spec spec;
    sw_rows *rows;
    const char *what; /* where the rows come from */
    sw_buf body;
    uint64_t batch_max, done;
    bool csv, head_printed;
    sw_progress progress;
} prediction;

/* ---- Input ---- */

static sw_status open_rows(prediction *work) {
    sw_cli *cli = work->cli;
    const char *row = sw_cli_value(cli, "row"), *data = sw_cli_value(cli, "data"),
               *path = sw_cli_argument(cli, 1);
    if ((row != NULL) + (data != NULL) + (path != NULL) > 1)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "rows come from --row, --data or a file: one of them at a time");
    work->what = row                              ? "--row"
                 : data                           ? "--data"
                 : path && strcmp(path, "-") != 0 ? path
                                                  : "standard input";
    if (row)
        return sw_rows_open_row(&work->rows, sw_str_of(row), &cli->error);
    if (data)
        return sw_rows_open_json(&work->rows, sw_str_of(data), "--data", &cli->error);
    if (!path && isatty(STDIN_FILENO))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "no rows given. Try: slipway predict %s rows.csv, --row 0.3,1.2,… or "
                       "--data '{\"amount\": 3.5}'",
                       sw_cli_argument(cli, 0));
    return sw_rows_open(&work->rows, path ? path : "-", &cli->error);
}

/* The version that answers, and what it takes. */
static sw_status get_signature(json_t **version, prediction *work) {
    sw_cli *cli = work->cli;
    sw_segment name = sw_client_segment(work->spec.name);
    char number[sizeof work->spec.version];
    snprintf(number, sizeof number, "%s", work->spec.version);
    if (!*number) {
        json_t *model = NULL;
        SW_TRY(sw_cli_ask(&model, cli, "asking", "GET", NULL, "/api/v1/models/%s", name.at));
        const json_t *deployment = json_object_get(model, "deployment");
        long long live = (long long)sw_js_integer(deployment, "version"),
                  newest = (long long)sw_js_integer(model, "newest_version");
        json_decref(model);
        if (!live)
            return sw_fail(
                &cli->error, SW_CODE_NOT_FOUND,
                "%s is not deployed: its newest version is %s@%lld. Deploy it: slipway deploy %s",
                work->spec.name, work->spec.name, newest, work->spec.name);
        snprintf(number, sizeof number, "%lld", live);
    }
    return sw_cli_ask(version, cli, "asking", "GET", NULL, "/api/v1/models/%s/versions/%s", name.at,
                      sw_client_segment(number).at);
}

static sw_status match(prediction *work) {
    if (!sw_rows_needs_signature(work->rows))
        return SW_OK;
    json_t *version = NULL;
    char model[300];
    sw_buf left_out = {0};
    SW_TRY(get_signature(&version, work));
    snprintf(model, sizeof model, "%s@%lld", work->spec.name,
             (long long)sw_js_integer(version, "version"));
    sw_status status = sw_rows_match(&left_out, work->rows, json_object_get(version, "signature"),
                                     model, &work->cli->error);
    if (left_out.len && !sw_failed(status) && !sw_cli_quiet(work->cli))
        fprintf(stderr, "%s: left out, no feature of %s: %.*s\n", work->what, model,
                SW_STR_ARG(sw_buf_str(&left_out)));
    sw_buf_free(&left_out);
    json_decref(version);
    return status;
}

/* ---- Output ---- */

/* `quoted` is a JSON string. */
static void add_csv_text(sw_buf *out, sw_str quoted) {
    json_t *string = json_loadb(quoted.at, quoted.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (string)
        sw_csv_put(out, (sw_str){json_string_value(string), json_string_length(string)});
    json_decref(string);
}

static void add_csv_name(sw_buf *out, sw_str escaped) {
    sw_buf quoted = {0};
    sw_buf_printf(&quoted, "\"%.*s\"", SW_STR_ARG(escaped));
    add_csv_text(out, sw_buf_str(&quoted));
    sw_buf_free(&quoted);
}

/* Walks nested lists: "probabilities[0]", "probabilities[1]"; names where `heads`, else values. */
static void add_csv_fields(sw_buf *out, sw_str name, sw_str value, bool heads) {
    if (value.len && value.at[0] == '[') {
        sw_str rest = value, key, element;
        for (unsigned i = 0; sw_slice_next(&key, &element, &rest); i++) {
            sw_buf longer = {0};
            sw_buf_printf(&longer, "%.*s[%u]", SW_STR_ARG(name), i);
            add_csv_fields(out, sw_buf_str(&longer), element, heads);
            sw_buf_free(&longer);
        }
        return;
    }
    if (heads)
        add_csv_name(out, name);
    else if (value.len && value.at[0] == '"')
        add_csv_text(out, value);
    else if (!sw_str_is(value, "null"))
        sw_buf_add_str(out, value);
    sw_buf_add_char(out, ',');
}

static void print_csv_row(sw_str row, bool heads) {
    sw_str rest = row, key, value;
    sw_buf line = {0};
    while (sw_slice_next(&key, &value, &rest))
        add_csv_fields(&line, key, value, heads);
    printf("%.*s\n", (int)(line.len ? line.len - 1 : 0), line.len ? line.at : "");
    sw_buf_free(&line);
}

static void print_json_head(prediction *work, sw_str answer) {
    sw_str model = sw_slice_member(answer, "model"), version = sw_slice_member(answer, "version");
    printf("{\"model\":%.*s,\"version\":%.*s,\"predictions\":[", SW_STR_ARG(model),
           SW_STR_ARG(version));
    work->head_printed = true;
}

static sw_status print_predictions(prediction *work, uint64_t rows) {
    sw_str answer = sw_buf_str(&sw_client_reply(work->cli->client)->body), key, one;
    sw_str rest = sw_slice_member(answer, "predictions");
    bool json = sw_cli_json(work->cli);
    uint64_t count = 0;
    if (json && !work->head_printed)
        print_json_head(work, answer);
    for (; rest.at && sw_slice_next(&key, &one, &rest); count++) {
        if (json) {
            printf("%s%.*s", work->done + count ? "," : "", SW_STR_ARG(one));
        } else if (work->csv) {
            if (!work->head_printed)
                print_csv_row(one, true);
            work->head_printed = true;
            print_csv_row(one, false);
        } else {
            printf("%.*s\n", SW_STR_ARG(one));
        }
    }
    work->done += count;
    if (count != rows)
        return sw_fail(&work->cli->error, SW_CODE_INTERNAL,
                       "%s answered %llu of %llu rows: is it a Slipway server?",
                       sw_client_url(work->cli->client), (unsigned long long)count,
                       (unsigned long long)rows);
    return SW_OK;
}

/* ---- The loop between them ---- */

static sw_status gather(uint64_t *rows, prediction *work) {
    bool more = true;
    *rows = 0;
    sw_buf_clear(&work->body);
    sw_buf_add_char(&work->body, '[');
    while (*rows < work->batch_max && work->body.len < BATCH_BYTES_MAX) {
        size_t before = work->body.len;
        if (*rows)
            sw_buf_add_char(&work->body, ',');
        SW_TRY(sw_rows_next(&more, &work->body, work->rows, &work->cli->error));
        if (!more) {
            work->body.len = before;
            break;
        }
        ++*rows;
    }
    sw_buf_add_char(&work->body, ']');
    return work->body.failed ? sw_fail(&work->cli->error, SW_CODE_NO_MEMORY, "out of memory")
                             : SW_OK;
}

static sw_status send(prediction *work, uint64_t rows) {
    sw_cli *cli = work->cli;
    sw_client *client;
    SW_TRY(sw_cli_client(&client, cli));
    char path[2048];
    sw_segment name = sw_client_segment(work->spec.name),
               version = sw_client_segment(work->spec.version);
    snprintf(path, sizeof path, "/models/%s%s%s/predict", name.at, *version.at ? "/versions/" : "",
             version.at);
    sw_request request = {.method = "POST", .path = path, .body = sw_buf_str(&work->body)};
    SW_TRY(sw_client_do(sw_client_reply(client), client, &request, &cli->error));
    sw_status status = sw_cli_judge(cli, sw_client_reply(client));
    unsigned long long first = work->done + 1, last = work->done + rows;
    if (sw_failed(status) && sw_client_reply(client)->http != 404 && last > 1)
        return sw_fail_within(status, &cli->error, "%s, rows %llu to %llu", work->what, first,
                              last);
    return status;
}

static sw_status predict(prediction *work) {
    SW_TRY(sw_cli_spec_parse(&work->spec, sw_cli_argument(work->cli, 0), &work->cli->error));
    SW_TRY(sw_cli_number(&work->batch_max, work->cli, "batch", BATCH_ROWS_MAX, 1, BATCH_ROWS_MAX));
    SW_TRY(open_rows(work));
    SW_TRY(match(work));
    bool silent = sw_cli_quiet(work->cli) || isatty(STDOUT_FILENO); /* the rows themselves tell */
    sw_progress_begin(&work->progress, silent ? NULL : "predicting");
    for (;;) {
        uint64_t rows;
        SW_TRY(gather(&rows, work));
        if (rows == 0)
            break;
        SW_TRY(send(work, rows));
        SW_TRY(print_predictions(work, rows));
        sw_progress_tick(&work->progress, work->done, 0);
    }
    if (work->done == 0)
        return sw_fail(&work->cli->error, SW_CODE_INVALID, "%s holds no rows", work->what);
    return SW_OK;
}

static sw_status run(sw_cli *cli) {
    prediction work = {.cli = cli, .csv = sw_cli_flag(cli, "csv")};
    if (work.csv && sw_cli_json(cli))
        return sw_fail(&cli->error, SW_CODE_USAGE, "--csv and --json: one of them at a time");
    sw_status status = predict(&work);
    sw_progress_end(&work.progress);
    if (sw_cli_json(cli) && work.head_printed)
        puts("]}"); /* after a failure too: what came before it can be read */
    sw_rows_close(work.rows);
    sw_buf_free(&work.body);
    return status;
}

static const sw_cli_option options[] = {
    {"row", 'r', "VALUES", "one row: 0.3,1.2,… in the order of the model's features"},
    {"data", 'd', "JSON", "an object of named values, or a list of them"},
    {"csv", 'c', NULL, "predictions as CSV instead of a JSON line each"},
    {"batch", 'b', "ROWS", "how many rows to send at a time, 1 to 1000 (default 1000)"},
    {0},
};

const sw_cli_command sw_cli_predict = {
    .name = "predict",
    .other_names = "score infer",
    .arguments = "NAME[@VERSION|@ALIAS] [FILE|-]",
    .summary = "scores rows: of a file, of standard input, or typed",
    .details =
        "FILE is CSV with a header, a JSON list of objects, or JSON Lines. Columns are matched to\n"
        "features by name; further ones are left out. Each row gives one line of JSON.",
    .examples = "slipway predict fraud rows.csv\n"
                "slipway predict fraud rows.csv --csv > scores.csv\n"
                "slipway predict fraud --data '{\"amount\": 3.5, \"country\": \"NZ\"}'\n"
                "slipway predict fraud@2 --row 0.3,1.2,4\n"
                "producer | slipway predict fraud -",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
