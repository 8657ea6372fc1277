/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/cli_private.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000 };

static sw_style style_of(const json_t *alert) {
    const char *severity = sw_js_text(alert, "severity");
    if (strcmp(sw_js_text(alert, "state"), "resolved") == 0)
        return SW_DIM;
    return strcmp(severity, "critical") == 0 ? SW_BAD : SW_WARN;
}

/* Why nobody is told of it, or "". */
static const char *hushed(const json_t *alert) {
    if (json_is_object(json_object_get(alert, "acknowledged")))
        return " · acknowledged";
    if (sw_js_bool(alert, "silenced"))
        return " · silenced";
    if (sw_js_integer(alert, "inhibited_by"))
        return " · inhibited";
    return sw_js_bool(alert, "quiet") ? " · quiet hours" : "";
}

static void print_alerts(const json_t *list) {
    int64_t now_ms = sw_clock_wall_ms();
    sw_table *table = sw_table_make(5);
    const json_t *alert;
    size_t i;
    json_array_foreach(list, i, alert) {
        sw_table_cell(table, SW_BOLD, "%lld", (long long)sw_js_integer(alert, "id"));
        sw_table_cell(table, style_of(alert), "%s", sw_js_text(alert, "state"));
        sw_table_cell(table, style_of(alert), "%s", sw_js_text(alert, "severity"));
        sw_table_cell(table, SW_DIM, "%s",
                      sw_text_time(sw_js_integer(alert, "started_ms"), now_ms).at);
        sw_table_cell(table, SW_PLAIN, "%s%s", sw_js_text(alert, "summary"), hushed(alert));
    }
    sw_table_print(table, stdout, 0);
    sw_table_free(table);
}

static sw_status list_alerts(sw_cli *cli) {
    const char *model = sw_cli_argument(cli, 0);
    bool all = sw_cli_flag(cli, "all");
    sw_segment name = sw_client_segment(model ? model : "");
    uint64_t limit;
    json_t *answer;
    SW_TRY(sw_cli_number(&limit, cli, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX));
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/alerts?state=%s&limit=%llu%s%s",
                      all ? "all" : "active", (unsigned long long)limit, model ? "&model=" : "",
                      name.at));
    const json_t *list = json_object_get(answer, "alerts");
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
    } else if (json_array_size(list)) {
        print_alerts(list);
        if (sw_js_bool(answer, "more"))
            puts("there are more: --limit");
        if (!sw_cli_quiet(cli))
            printf("next      slipway explain %lld\n",
                   (long long)sw_js_integer(json_array_get(list, 0), "id"));
    } else if (!sw_cli_quiet(cli)) {
        puts(all ? "there never was an alert" : "no alert: all is well");
    }
    json_decref(answer);
    return SW_OK;
}

static sw_status acknowledge(sw_cli *cli) {
    const char *id = sw_cli_argument(cli, 1), *note = sw_cli_value(cli, "note");
    sw_segment segment = sw_client_segment(id ? id : "");
    json_t *answer;
    if (!id)
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway alerts ack: say which: slipway alerts ack 12");
    json_t *body = json_pack("{s:s}", "note", note ? note : "");
    sw_status status = body ? sw_cli_ask(&answer, cli, "asking", "POST", body,
                                         "/api/v1/alerts/%s/acknowledge", segment.at)
                            : sw_fail(&cli->error, SW_CODE_INVALID, "the note is no UTF-8");
    json_decref(body);
    SW_TRY(status);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("alert %s acknowledged: nobody is reminded of it any more\n", id);
    json_decref(answer);
    return SW_OK;
}

static sw_status run(sw_cli *cli) {
    const char *first = sw_cli_argument(cli, 0);
    if (first && (strcmp(first, "ack") == 0 || strcmp(first, "acknowledge") == 0))
        return acknowledge(cli);
    if (sw_cli_argument(cli, 1))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "slipway alerts %.60s: it is slipway alerts [NAME] or slipway alerts ack ID",
                       first);
    return list_alerts(cli);
}

static const sw_cli_option options[] = {
    {"all", 'a', NULL, "those that have ended too"},
    {"limit", 'n', "N", "how many, the newest ones (default 50)"},
    {"note", 0, "TEXT", "with ack: what you are doing about it"},
    {0},
};

const sw_cli_command sw_cli_alerts = {
    .name = "alerts",
    .other_names = "alert",
    .arguments = "[NAME | ack ID]",
    .summary = "lists what needs attention, and acknowledges it",
    .details = "Acknowledged alerts are not repeated to anybody; their end is still told.",
    .examples =
        "slipway alerts\nslipway alerts fraud --all\nslipway alerts ack 12 --note \"on it\"",
    .options = options,
    .arguments_max = 2,
    .run = run,
};
