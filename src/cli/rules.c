/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/rules.h"

#include "cli/cli_private.h"
#include "io/file.h"

/* ---- Showing ---- */

/* As precisely as it was written. */
static sw_text span_text(double ms) {
    static const struct {
        double ms;
        const char *name;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
    sw_text text;
    size_t i = 0;
    while (i < 4 && ms < units[i].ms)
        i++;
    snprintf(text.at, sizeof text.at, "%.6g %s", i < 4 ? ms / units[i].ms : ms,
             i < 4 ? units[i].name : "ms");
    return text;
}

static sw_text limit_text(double limit, const char *unit) {
    sw_text text;
    if (strcmp(unit, "ms") == 0)
        return span_text(limit);
    if (strcmp(unit, "share") == 0) {
        snprintf(text.at, sizeof text.at, "%.6g %%", limit * 100);
        return text;
    }
    if (strcmp(unit, "bytes") == 0)
        return sw_text_bytes((uint64_t)limit);
    if (strcmp(unit, "log10") == 0)
        snprintf(text.at, sizeof text.at, "10^%.64s", sw_text_number(limit).at);
    else
        snprintf(text.at, sizeof text.at, "%.64s%s", sw_text_number(limit).at,
                 strcmp(unit, "per_s") == 0 ? " a second" : "");
    return text;
}

static void print_rule(sw_table *table, const json_t *rule) {
    const json_t *name;
    size_t i;
    sw_buf who = {0};
    bool above = sw_js_is_number(rule, "above"), below = sw_js_is_number(rule, "below");
    json_array_foreach(json_object_get(rule, "notify"), i, name)
        sw_buf_printf(&who, "%s%s", i ? ", " : "", json_string_value(name));
    sw_table_cell(table, SW_BOLD, "%s", sw_js_text(rule, "name"));
    sw_table_cell(table, SW_PLAIN, "%s %s", sw_js_text(rule, "on"), sw_js_text(rule, "measure"));
    if (above || below)
        sw_table_cell(
            table, SW_PLAIN, "%s %s", above ? "above" : "below",
            limit_text(sw_js_number(rule, above ? "above" : "below"), sw_js_text(rule, "unit")).at);
    else
        sw_table_cell(table, SW_PLAIN, "%s", "by its own test");
    if (sw_js_integer(rule, "for_ms"))
        sw_table_cell(table, SW_PLAIN, "for %s",
                      span_text((double)sw_js_integer(rule, "for_ms")).at);
    else
        sw_table_cell(table, SW_PLAIN, "%s", "at once");
    sw_table_cell(table, SW_PLAIN, "%s", sw_js_text(rule, "severity"));
    sw_table_cell(table, SW_DIM, "%s", sw_js_bool(rule, "builtin") ? "built in" : "yours");
    if (who.len)
        sw_table_cell(table, SW_DIM, "tells %.*s", (int)who.len, who.at);
    else
        sw_table_cell(table, SW_DIM, "%s", "tells nobody");
    sw_buf_free(&who);
}

static sw_status show(sw_cli *cli) {
    json_t *answer;
    const json_t *rule;
    size_t i;
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/alert-rules"));
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
    } else if (sw_cli_flag(cli, "yaml")) {
        fputs(sw_js_text(answer, "yaml"), stdout);
    } else if (sw_cli_flag(cli, "defaults")) {
        fputs(sw_js_text(answer, "defaults"), stdout);
    } else {
        sw_table *table = sw_table_make(7);
        json_array_foreach(json_object_get(answer, "rules"), i, rule) print_rule(table, rule);
        sw_table_print(table, stdout, 0);
        sw_table_free(table);
        if (*sw_js_text(answer, "error"))
            printf("%syour rules are not in force: %s%s\n", sw_term_style(stdout, SW_BAD),
                   sw_js_text(answer, "error"), sw_term_style(stdout, SW_PLAIN));
    }
    json_decref(answer);
    return SW_OK;
}

/* ---- Checking and applying ---- */

static sw_status read_rules(sw_buf *out, sw_cli *cli) {
    const char *path = sw_cli_argument(cli, 0);
    if (strcmp(path, "-") == 0)
        path = "/dev/stdin";
    return sw_file_read_whole(out, path, SW_RULES_BYTES_MAX, &cli->error);
}

/* On this machine alone: what ${NAME} stands for is the server's business. */
static sw_status check_here(sw_cli *cli, sw_str yaml, sw_rules *rules, sw_arena *arena) {
    sw_rules_context context = {.allow_commands = true};
    sw_status status = sw_rules_read(rules, yaml, &context, arena, &cli->error);
    return sw_failed(status) ? sw_fail_within(status, &cli->error, "%s", sw_cli_argument(cli, 0))
                             : status;
}

static sw_status check(sw_cli *cli) {
    sw_buf text = {0};
    sw_rules rules;
    sw_arena arena = {0};
    sw_status status = read_rules(&text, cli);
    if (!sw_failed(status))
        status = check_here(cli, sw_buf_str(&text), &rules, &arena);
    if (!sw_failed(status) && sw_cli_json(cli))
        printf("{\"ok\":true,\"rules\":%zu,\"notifiers\":%zu}\n", rules.count,
               rules.notifier_count);
    else if (!sw_failed(status) && !sw_cli_quiet(cli))
        printf("fine: %s, %s\n", sw_text_plural(rules.count, "rule").at,
               sw_text_plural(rules.notifier_count, "notifier").at);
    sw_arena_free(&arena);
    sw_buf_free(&text);
    return status;
}

static sw_status send_rules(sw_cli *cli, sw_str yaml) {
    sw_client *client;
    SW_TRY(sw_cli_client(&client, cli));
    sw_reply *reply = sw_client_reply(client);
    sw_request request = {
        .method = "PUT", .path = "/api/v1/alert-rules", .type = "application/yaml", .body = yaml};
    SW_TRY(sw_client_do(reply, client, &request, &cli->error));
    SW_TRY(sw_cli_judge(cli, reply));
    json_t *answer = json_loadb(reply->body.at, reply->body.len, 0, NULL);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf(
            "in force: %s, %s\n",
            sw_text_plural(json_array_size(json_object_get(answer, "rules")), "rule").at,
            sw_text_plural(json_array_size(json_object_get(answer, "notifiers")), "notifier").at);
    json_decref(answer);
    return SW_OK;
}

static sw_status apply(sw_cli *cli) {
    sw_buf text = {0};
    sw_status status = read_rules(&text, cli);
    if (!sw_failed(status))
        status = send_rules(cli, text.at ? sw_buf_str(&text) : SW_STR(""));
    sw_buf_free(&text);
    return status;
}

static sw_status test(sw_cli *cli) {
    json_t *answer;
    sw_segment name = sw_client_segment(sw_cli_argument(cli, 0));
    SW_TRY(sw_cli_ask(&answer, cli, "sending", "POST", NULL, "/api/v1/notifiers/%s/test", name.at));
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("%s took it in %s\n", sw_cli_argument(cli, 0),
               sw_text_duration((double)sw_js_integer(answer, "took_ms") / 1000).at);
    json_decref(answer);
    return SW_OK;
}

static const sw_cli_option show_options[] = {
    {"yaml", 0, NULL, "your rules as you applied them"},
    {"defaults", 0, NULL, "the built-in rules, to begin from"},
    {0},
};

static const sw_cli_command actions[] = {
    {.name = "show",
     .other_names = "list ls",
     .arguments = "",
     .summary = "lists the rules in force",
     .options = show_options,
     .run = show},
    {.name = "check",
     .arguments = "FILE.yaml",
     .summary = "reads rules and says what is wrong with them; needs no server",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = check},
    {.name = "apply",
     .arguments = "FILE.yaml",
     .summary = "puts rules in force, in place of those before",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = apply},
    {.name = "test",
     .arguments = "NOTIFIER",
     .summary = "sends a test message to a notifier",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = test},
    {0},
};

const sw_cli_command sw_cli_rules = {
    .name = "rules",
    .other_names = "rule",
    .arguments = "show|check|apply|test",
    .summary = "says what is worth an alert, and who is told",
    .examples = "slipway rules show\nslipway rules show --defaults > rules.yaml\n"
                "slipway rules check rules.yaml\nslipway rules apply rules.yaml\n"
                "slipway rules test ops",
    .actions = actions,
};
