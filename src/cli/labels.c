/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

#include <errno.h>
#include <sys/stat.h>

/* How long standard input is nobody knows: 0. */
static sw_status open_file(FILE **out, uint64_t *bytes, const char *path, sw_error *error) {
    struct stat info;
    *bytes = 0;
    *out = stdin;
    if (strcmp(path, "-") == 0)
        return SW_OK;
    *out = fopen(path, "re");
    if (!*out)
        return sw_fail(error, errno == ENOENT ? SW_CODE_NOT_FOUND : SW_CODE_IO, "%s: %s", path,
                       strerror(errno));
    if (fstat(fileno(*out), &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        *bytes = (uint64_t)info.st_size;
        return SW_OK;
    }
    fclose(*out);
    return sw_fail(error, SW_CODE_INVALID, "%s is %s", path,
                   S_ISREG(info.st_mode) ? "empty" : "no file");
}

/* As for `predict`: the first character tells JSON and JSON Lines from CSV. */
static const char *type_of(FILE *file) {
    int c = getc(file);
    if (c != EOF)
        ungetc(c, file);
    return c == '{' || c == '[' ? "application/json" : "text/csv";
}

static void print_counts(const json_t *counts) {
    uint64_t accepted = (uint64_t)sw_js_integer(counts, "accepted"),
             waiting = (uint64_t)sw_js_integer(counts, "waiting"),
             duplicates = (uint64_t)sw_js_integer(counts, "duplicates"),
             changed = (uint64_t)sw_js_integer(counts, "changed");
    printf("%s stored · %s joined to their predictions", sw_text_plural(accepted, "label").at,
           sw_text_count((uint64_t)sw_js_integer(counts, "joined")).at);
    if (waiting)
        printf(" · %s waiting", sw_text_count(waiting).at);
    if (duplicates)
        printf(" · %s were there already", sw_text_count(duplicates).at);
    if (changed)
        printf(" · %s changed", sw_text_count(changed).at);
    putchar('\n');
}

static sw_status upload(sw_cli *cli, const char *model, FILE *file, uint64_t bytes,
                        const char *path) {
    sw_client *client;
    char what[320], url[4096];
    const char *id = sw_cli_value(cli, "id-column"), *label = sw_cli_value(cli, "label-column");
    sw_segment name = sw_client_segment(model), id_column = sw_client_segment(id ? id : "id"),
               label_column = sw_client_segment(label ? label : "label");
    sw_progress progress;
    SW_TRY(sw_cli_client(&client, cli));
    snprintf(url, sizeof url, "/api/v1/models/%s/labels?id_column=%s&label_column=%s", name.at,
             id_column.at, label_column.at);
    snprintf(what, sizeof what, "sending %.250s", file == stdin ? "standard input" : path);
    sw_progress_begin(&progress, sw_cli_quiet(cli) ? NULL : what);
    sw_request request = {.method = "POST",
                          .path = url,
                          .type = type_of(file),
                          .file = file,
                          .file_bytes = bytes,
                          .progress = bytes ? &progress : NULL};
    sw_status status = sw_client_do(sw_client_reply(client), client, &request, &cli->error);
    sw_progress_end(&progress);
    return sw_failed(status) ? status : sw_cli_judge(cli, sw_client_reply(client));
}

static sw_status run(sw_cli *cli) {
    const char *path = sw_cli_argument(cli, 1);
    sw_cli_spec spec;
    FILE *file;
    uint64_t bytes = 0;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    if (*spec.version)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "labels find their version by their id: slipway labels %s %s", spec.name,
                       path);
    SW_TRY(open_file(&file, &bytes, path, &cli->error));
    sw_status status = upload(cli, spec.name, file, bytes, path);
    if (file != stdin)
        fclose(file);
    if (sw_failed(status))
        return status;
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
        return SW_OK;
    }
    const sw_buf *body = &sw_client_reply(cli->client)->body;
    json_t *counts = json_loadb(body->at, body->len, 0, NULL);
    print_counts(counts);
    json_decref(counts);
    return SW_OK;
}

static const sw_cli_option options[] = {
    {"id-column", 'i', "NAME", "the column with the predictions' ids (default id)"},
    {"label-column", 'l', "NAME", "the column with what came true (default label)"},
    {0},
};

const sw_cli_command sw_cli_labels = {
    .name = "labels",
    .arguments = "NAME FILE",
    .summary = "says what came true, so that quality can be measured",
    .details =
        "The file is CSV with a header, JSON or JSON Lines; - is standard input.\n"
        "A label is known by the id of its prediction. It may come long after the prediction,\n"
        "or before; sending it again does no harm, and another label for the same id replaces\n"
        "it. A label is stored once the command says so.",
    .examples =
        "slipway labels fraud outcomes.csv\n"
        "slipway labels fraud outcomes.csv --id-column transaction --label-column is_fraud\n"
        "zcat outcomes.ndjson.gz | slipway labels fraud -",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
