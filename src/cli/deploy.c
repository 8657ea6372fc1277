/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

void sw_cli_print_revision(const json_t *revision) {
    const char *model = sw_js_text(revision, "model");
    if (strcmp(sw_js_text(revision, "engine"), "external") == 0) {
        printf("%s@%lld   live elsewhere · observations to /api/v1/models/%s/observations\n", model,
               (long long)sw_js_integer(revision, "version"), model);
        return;
    }
    printf(
        "%s@%lld   live in %s · REST /v2/models/%s/infer · gRPC inference.GRPCInferenceService\n",
        model, (long long)sw_js_integer(revision, "version"),
        sw_text_duration(sw_js_number(revision, "took_ms") / 1e3).at, model);
}

static sw_status check_engine(sw_cli *cli, const char *engine) {
    if (!engine || strcmp(engine, "auto") == 0 || strcmp(engine, "native") == 0 ||
        strcmp(engine, "onnxruntime") == 0)
        return SW_OK;
    return sw_fail(&cli->error, SW_CODE_USAGE,
                   "--engine %.60s: it is one of auto, native, onnxruntime", engine);
}

static sw_status run(sw_cli *cli) {
    sw_cli_spec spec;
    const char *engine = sw_cli_value(cli, "engine");
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    SW_TRY(check_engine(cli, engine));
    json_t *body = json_pack("{s:s}", "version", spec.version), *answer = NULL;
    if (engine && body)
        json_object_set_new(body, "engine", json_string(engine));
    if (!body)
        return sw_fail(&cli->error, SW_CODE_USAGE, "the version is no UTF-8");
    sw_status status = sw_cli_ask(&answer, cli, "loading and warming up", "POST", body,
                                  "/api/v1/models/%s/deployments", sw_client_segment(spec.name).at);
    json_decref(body);
    SW_TRY(status);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        sw_cli_print_revision(answer);
    json_decref(answer);
    return SW_OK;
}

static const sw_cli_option options[] = {
    {"engine", 'e', "ENGINE", "auto (the default), native or onnxruntime"},
    {0},
};

const sw_cli_command sw_cli_deploy = {
    .name = "deploy",
    .arguments = "NAME[@VERSION|@ALIAS]",
    .summary = "makes a version answer under the model's name; the newest where none is said",
    .details =
        "The version is loaded, warmed up and held against its check rows first. Where any of\n"
        "that fails, what was live stays live.",
    .examples = "slipway deploy fraud\nslipway deploy fraud@2\nslipway deploy fraud@champion",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
