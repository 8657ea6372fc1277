/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

static sw_status set(sw_cli *cli) {
    sw_cli_spec spec;
    const char *alias = sw_cli_argument(cli, 1);
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    if (!*spec.version)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "say of which version: slipway alias set %s@VERSION %s", spec.name, alias);
    json_t *body = json_pack("{s:s}", "version", spec.version), *answer = NULL;
    if (!body)
        return sw_fail(&cli->error, SW_CODE_USAGE, "the version is no UTF-8");
    sw_status status = sw_cli_ask(&answer, cli, NULL, "PUT", body, "/api/v1/models/%s/aliases/%s",
                                  sw_client_segment(spec.name).at, sw_client_segment(alias).at);
    json_decref(body);
    SW_TRY(status);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("%s@%s   is %s@%lld now\n", spec.name, alias, spec.name,
               (long long)sw_js_integer(answer, "version"));
    json_decref(answer);
    return SW_OK;
}

/* `fraud champion` and `fraud@champion` mean the same. */
static sw_status remove_alias(sw_cli *cli) {
    sw_cli_spec spec;
    json_t *answer = NULL;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    const char *alias = sw_cli_argument(cli, 1) ? sw_cli_argument(cli, 1) : spec.version;
    if (!*alias)
        return sw_fail(&cli->error, SW_CODE_USAGE, "say which: slipway alias remove %s ALIAS",
                       spec.name);
    SW_TRY(sw_cli_ask(&answer, cli, NULL, "DELETE", NULL, "/api/v1/models/%s/aliases/%s",
                      sw_client_segment(spec.name).at, sw_client_segment(alias).at));
    json_decref(answer);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("%s@%s   is gone\n", spec.name, alias);
    return SW_OK;
}

static sw_status list(sw_cli *cli) {
    sw_cli_spec spec;
    json_t *answer = NULL, *alias;
    size_t i;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/models/%s",
                      sw_client_segment(spec.name).at));
    json_t *aliases = json_object_get(answer, "aliases");
    if (sw_cli_json(cli)) {
        json_t *out = json_object();
        json_object_set(out, "aliases", aliases);
        sw_cli_print_json(out);
        json_decref(out);
    } else {
        json_array_foreach(aliases, i, alias) {
            printf("%s@%s   %s@%lld\n", spec.name, sw_js_text(alias, "name"), spec.name,
                   (long long)sw_js_integer(alias, "version"));
        }
        if (!json_array_size(aliases) && !sw_cli_quiet(cli))
            printf("%s has no aliases. Set one: slipway alias set %s@1 champion\n", spec.name,
                   spec.name);
    }
    json_decref(answer);
    return SW_OK;
}

static const sw_cli_command actions[] = {
    {.name = "set",
     .other_names = "add move",
     .arguments = "NAME@VERSION ALIAS",
     .summary = "sets or moves an alias",
     .examples = "slipway alias set fraud@2 champion",
     .arguments_min = 2,
     .arguments_max = 2,
     .run = set},
    {.name = "remove",
     .other_names = "rm delete unset",
     .arguments = "NAME ALIAS",
     .summary = "removes an alias; the version stays",
     .examples = "slipway alias remove fraud champion",
     .arguments_min = 1,
     .arguments_max = 2,
     .run = remove_alias},
    {.name = "list",
     .other_names = "ls show",
     .arguments = "NAME",
     .summary = "lists a model's aliases",
     .examples = "slipway alias list fraud",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = list},
    {0},
};

const sw_cli_command sw_cli_alias = {
    .name = "alias",
    .other_names = "aliases tag",
    .arguments = "set|remove|list",
    .summary = "sets, removes and lists movable names of versions",
    .details =
        "fraud@champion can stand wherever fraud@2 can. A deployment keeps the version that the\n"
        "alias meant when it was made.",
    .examples = "slipway alias set fraud@2 champion\nslipway alias list fraud\n"
                "slipway alias remove fraud champion",
    .actions = actions,
};
