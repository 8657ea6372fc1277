/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

static sw_status run(sw_cli *cli) {
    sw_cli_spec spec;
    json_t *answer = NULL;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    if (*spec.version)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway undeploy takes a model's name alone: %s", spec.name);
    SW_TRY(sw_cli_ask(&answer, cli, "draining", "DELETE", NULL, "/api/v1/models/%s/deployments",
                      sw_client_segment(spec.name).at));
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("%s   answers no more · revision %lld · back with: slipway rollback %s\n", spec.name,
               (long long)sw_js_integer(answer, "revision"), spec.name);
    json_decref(answer);
    return SW_OK;
}

const sw_cli_command sw_cli_undeploy = {
    .name = "undeploy",
    .arguments = "NAME",
    .summary = "takes a model's deployment down; its versions stay",
    .examples = "slipway undeploy fraud",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
