/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/cli_private.h"

static sw_text aliases_of(const json_t *version) {
    sw_text text = {""};
    size_t i, used = 0;
    json_t *alias;
    json_array_foreach(json_object_get(version, "aliases"), i, alias) {
        const char *name =
            json_is_string(alias) ? json_string_value(alias) : sw_js_text(alias, "name");
        int wrote = snprintf(text.at + used, sizeof text.at - used, "%s%s", i ? ", " : "", name);
        used += wrote > 0 ? (size_t)wrote : 0;
        if (used >= sizeof text.at)
            break;
    }
    return text;
}

static void add_version(sw_table *table, const json_t *version) {
    const json_t *artifact = json_object_get(version, "artifact"),
                 *profile = json_object_get(version, "profile");
    bool live = sw_js_bool(version, "live");
    sw_table_cell(table, SW_BOLD, "@%lld", (long long)sw_js_integer(version, "version"));
    sw_table_cell(table, SW_GOOD, "%s", live ? "live" : "");
    sw_table_cell(table, SW_PLAIN, "%s", aliases_of(version).at);
    sw_table_cell(table, SW_PLAIN, "%s",
                  sw_text_time(sw_js_integer(version, "created_ms"), sw_clock_wall_ms()).at);
    sw_table_cell(table, SW_PLAIN, "%s",
                  json_is_object(artifact)
                      ? sw_text_bytes((uint64_t)sw_js_integer(artifact, "size_bytes")).at
                      : "elsewhere");
    if (json_is_object(profile))
        sw_table_cell(table, SW_PLAIN, "%s",
                      sw_text_plural((uint64_t)sw_js_integer(profile, "rows"), "row").at);
    else
        sw_table_cell(table, SW_DIM, "–");
    sw_table_cell(table, SW_PLAIN, "%s", sw_js_bool(version, "check") ? "yes" : "–");
    sw_table_cell(table, SW_PLAIN, "%s", sw_js_text(version, "note"));
}

static sw_status run(sw_cli *cli) {
    static const char *const heads[] = {"VERSION", "",        "ALIASES", "PUSHED",
                                        "SIZE",    "PROFILE", "CHECK",   "NOTE"};
    sw_cli_spec spec;
    json_t *answer = NULL;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    if (*spec.version)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway versions takes a model's name alone: %s", spec.name);
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/models/%s/versions",
                      sw_client_segment(spec.name).at));
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
    } else {
        sw_table *table = sw_table_make(8);
        for (size_t i = 0; i < 8; i++)
            sw_table_cell(table, SW_DIM, "%s", heads[i]);
        size_t i;
        json_t *version;
        json_array_foreach(json_object_get(answer, "versions"), i, version) {
            add_version(table, version);
        }
        sw_table_print(table, stdout, 0);
        sw_table_free(table);
    }
    json_decref(answer);
    return SW_OK;
}

const sw_cli_command sw_cli_versions = {
    .name = "versions",
    .arguments = "NAME",
    .summary = "lists the versions of a model, the newest first",
    .examples = "slipway versions fraud",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
