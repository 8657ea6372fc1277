/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

static sw_style style_of(const char *state) {
    if (strcmp(state, "drifted") == 0 || strcmp(state, "down") == 0)
        return SW_BAD;
    if (strcmp(state, "moved") == 0)
        return SW_WARN;
    return strcmp(state, "same") == 0 ? SW_GOOD : SW_DIM;
}

static void add_live(sw_table *table, const json_t *model) {
    const json_t *deployment = json_object_get(model, "deployment");
    if (!json_is_object(deployment)) {
        sw_table_cell(table, SW_DIM, "not deployed");
        return;
    }
    bool down = strcmp(sw_js_text(deployment, "state"), "down") == 0;
    sw_table_cell(table, down ? SW_BAD : SW_PLAIN, "@%lld%s",
                  (long long)sw_js_integer(deployment, "version"), down ? " down" : "");
}

static void add_traffic(sw_table *table, const json_t *model) {
    const json_t *traffic = json_object_get(model, "traffic");
    double errors = sw_js_number(traffic, "error_share");
    double rate = sw_js_number(traffic, "requests_per_s");
    sw_table_cell(table, rate > 0 ? SW_PLAIN : SW_DIM, "%s req/s", sw_text_rate(rate).at);
    if (sw_js_is_number(traffic, "p99_ms"))
        sw_table_cell(table, SW_PLAIN, "%s",
                      sw_text_duration(sw_js_number(traffic, "p99_ms") / 1e3).at);
    else
        sw_table_cell(table, SW_DIM, "–");
    sw_table_cell(table, errors > 0 ? SW_BAD : SW_PLAIN, "%s", sw_text_percent(errors).at);
}

static void add_watch(sw_table *table, const json_t *model) {
    const json_t *watch = json_object_get(model, "watch");
    const char *state = sw_js_text(watch, "state");
    long long drifted = (long long)sw_js_integer(watch, "drifted");
    if (drifted)
        sw_table_cell(table, SW_BAD, "%s (%lld of %lld)", state, drifted,
                      (long long)sw_js_integer(watch, "features"));
    else
        sw_table_cell(table, style_of(state), "%s", state);
}

static void print_models(const json_t *models) {
    static const char *const heads[] = {"MODEL", "LIVE",   "NEWEST", "TRAFFIC",
                                        "P99",   "ERRORS", "WATCH"};
    sw_table *table = sw_table_make(7);
    for (size_t i = 0; i < 7; i++)
        sw_table_cell(table, SW_DIM, "%s", heads[i]);
    size_t i;
    json_t *model;
    json_array_foreach(models, i, model) {
        sw_table_cell(table, SW_BOLD, "%s", sw_js_text(model, "name"));
        add_live(table, model);
        sw_table_cell(table, SW_PLAIN, "@%lld", (long long)sw_js_integer(model, "newest_version"));
        add_traffic(table, model);
        add_watch(table, model);
    }
    sw_table_print(table, stdout, 0);
    sw_table_free(table);
}

static sw_status run(sw_cli *cli) {
    json_t *answer = NULL;
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/models"));
    const json_t *models = json_object_get(answer, "models");
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (json_array_size(models))
        print_models(models);
    else if (!sw_cli_quiet(cli))
        puts("no models yet. Begin with: slipway push NAME FILE.onnx --profile train.csv");
    json_decref(answer);
    return SW_OK;
}

const sw_cli_command sw_cli_models = {
    .name = "models",
    .other_names = "list ls model",
    .arguments = "",
    .summary = "lists the models: what is live, its traffic, what the watch says",
    .examples = "slipway models\nslipway models --json",
    .run = run,
};
