/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/iso_time.h"
#include "cli/cli_private.h"

enum { LASTS_S = 7200 };

/* A moment, or how long from now. 0: now. */
static sw_status read_from(int64_t *from_ms, sw_cli *cli) {
    const char *from = sw_cli_value(cli, "from");
    uint64_t ahead_s;
    *from_ms = 0;
    if (!from || sw_iso_time_parse(from_ms, sw_str_of(from)))
        return SW_OK;
    if (strpbrk(from, "-:"))
        return sw_fail(&cli->error, SW_CODE_USAGE,
                       "--from %s: a moment is written 2026-03-01T22:30:00Z, with its zone", from);
    SW_TRY(sw_cli_seconds(&ahead_s, cli, "from", 0));
    *from_ms = sw_clock_wall_ms() + (int64_t)ahead_s * 1000;
    return SW_OK;
}

static sw_status add(sw_cli *cli) {
    uint64_t lasts_s;
    int64_t from_ms, now_ms = sw_clock_wall_ms();
    const char *why = sw_cli_value(cli, "why");
    json_t *answer, *matchers;
    SW_TRY(sw_cli_seconds(&lasts_s, cli, "for", LASTS_S));
    SW_TRY(read_from(&from_ms, cli));
    matchers = json_array();
    for (unsigned i = 0; sw_cli_argument(cli, i); i++)
        json_array_append_new(matchers, json_string(sw_cli_argument(cli, i)));
    json_t *body =
        json_pack("{s:o, s:I, s:I, s:s}", "matchers", matchers, "from_ms", (json_int_t)from_ms,
                  "for_s", (json_int_t)lasts_s, "why", why ? why : "");
    sw_status status = body ? sw_cli_ask(&answer, cli, "asking", "POST", body, "/api/v1/silences")
                            : sw_fail(&cli->error, SW_CODE_INVALID, "an argument is no UTF-8");
    json_decref(body);
    SW_TRY(status);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else
        printf("silence %lld%s%s until %s\n", (long long)sw_js_integer(answer, "id"),
               from_ms > now_ms ? " from " : "",
               from_ms > now_ms ? sw_text_time(from_ms, now_ms).at : "",
               sw_text_time(sw_js_integer(answer, "until_ms"), now_ms).at);
    json_decref(answer);
    return SW_OK;
}

static void print_silence(sw_table *table, const json_t *silence, int64_t now_ms) {
    const json_t *matcher;
    size_t i;
    sw_buf text = {0};
    json_array_foreach(json_object_get(silence, "matchers"), i, matcher)
        sw_buf_printf(&text, "%s%s%s%s", i ? " " : "", sw_js_text(matcher, "name"),
                      sw_js_bool(matcher, "negated") ? "!=" : "=", sw_js_text(matcher, "pattern"));
    sw_table_cell(table, SW_BOLD, "%lld", (long long)sw_js_integer(silence, "id"));
    sw_table_cell(table, SW_PLAIN, "%.*s", (int)text.len, text.at ? text.at : "");
    int64_t from_ms = sw_js_integer(silence, "from_ms"),
            until_ms = sw_js_integer(silence, "until_ms");
    bool ahead = from_ms > now_ms && until_ms > from_ms;
    sw_text until = sw_text_time(until_ms, now_ms);
    if (ahead)
        sw_table_cell(table, SW_PLAIN, "from %s until %s", sw_text_time(from_ms, now_ms).at,
                      until.at);
    else
        sw_table_cell(table, SW_PLAIN, "%s %s", sw_js_bool(silence, "holds") ? "until" : "ended",
                      until.at);
    sw_table_cell(table, SW_DIM, "by %s", sw_js_text(silence, "who"));
    sw_table_cell(table, SW_DIM, "%s", sw_js_text(silence, "why"));
    sw_buf_free(&text);
}

static sw_status list(sw_cli *cli) {
    json_t *answer;
    const json_t *silence;
    size_t i;
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/silences%s",
                      sw_cli_flag(cli, "all") ? "?state=all" : ""));
    const json_t *silences = json_object_get(answer, "silences");
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
    } else if (json_array_size(silences)) {
        sw_table *table = sw_table_make(5);
        json_array_foreach(silences, i, silence) print_silence(table, silence, sw_clock_wall_ms());
        sw_table_print(table, stdout, 0);
        sw_table_free(table);
    } else if (!sw_cli_quiet(cli)) {
        puts("nothing is silenced");
    }
    json_decref(answer);
    return SW_OK;
}

static sw_status end(sw_cli *cli) {
    json_t *answer;
    sw_segment id = sw_client_segment(sw_cli_argument(cli, 0));
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "DELETE", NULL, "/api/v1/silences/%s", id.at));
    json_decref(answer);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("silence %s ended\n", sw_cli_argument(cli, 0));
    return SW_OK;
}

static const sw_cli_option add_options[] = {
    {"for", 0, "TIME", "how long: 30m, 2h, 7d (default 2h)"},
    {"from", 0, "TIME", "when it begins: 2026-03-01T22:30:00Z, or in so long: 6h (default: now)"},
    {"why", 0, "TEXT", "for those who wonder later"},
    {0},
};
static const sw_cli_option list_options[] = {{"all", 'a', NULL, "those that have ended too"}, {0}};

static const sw_cli_command actions[] = {
    {.name = "add",
     .arguments = "LABEL=PATTERN...",
     .summary = "tells nobody of alerts whose labels all match, for a time",
     .details = "Labels: rule, model, version, column, segment, kind, measure, severity and the "
                "rule's own. Patterns may hold * and ?; LABEL!=PATTERN is the opposite.",
     .examples = "slipway silence add model=fraud rule=slow --for 2h --why \"load test\"\n"
                 "slipway silence add model=fraud --from 2026-03-01T22:30:00Z --for 4h",
     .options = add_options,
     .arguments_min = 1,
     .arguments_max = 20,
     .run = add},
    {.name = "list",
     .other_names = "ls show",
     .arguments = "",
     .summary = "lists silences",
     .options = list_options,
     .run = list},
    {.name = "remove",
     .other_names = "rm end delete",
     .arguments = "ID",
     .summary = "ends one now",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = end},
    {0},
};

const sw_cli_command sw_cli_silence = {
    .name = "silence",
    .other_names = "silences mute",
    .arguments = "add|list|remove",
    .summary = "keeps alerts from being told, for a time",
    .examples =
        "slipway silence add model=fraud --for 2h --why \"load test\"\nslipway silence list\n"
        "slipway silence remove 3",
    .actions = actions,
};
