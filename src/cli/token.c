/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/cli_private.h"

static const char *const scopes_known[] = {"read", "predict", "track", "deploy", "admin"};
enum { SCOPES_KNOWN = sizeof scopes_known / sizeof scopes_known[0] };

/* "read,predict" as a JSON list; USAGE names what is none. */
static sw_status read_scopes(json_t *out, sw_cli *cli, const char *text) {
    sw_str rest = sw_str_of(text);
    while (rest.len) {
        sw_str scope = sw_str_trim(sw_str_split(&rest, ','));
        bool known = false;
        for (size_t i = 0; i < SCOPES_KNOWN; i++)
            known = known || sw_str_is(scope, scopes_known[i]);
        if (!known)
            return sw_fail(&cli->error, SW_CODE_USAGE,
                           "'%.*s' is no scope: they are read, predict, track, deploy, admin",
                           SW_STR_ARG(scope));
        json_array_append_new(out, json_stringn(scope.at, scope.len));
    }
    return json_array_size(out) ? SW_OK : sw_fail(&cli->error, SW_CODE_USAGE, "--scopes is empty");
}

static void print_secret(sw_cli *cli, const json_t *token) {
    if (sw_cli_quiet(cli)) {
        puts(sw_js_text(token, "secret"));
        return;
    }
    printf("secret    %s\n", sw_js_text(token, "secret"));
    printf("token     %s · %s\n", sw_js_text(token, "id"), sw_js_text(token, "name"));
    printf("next      shown only now; keep it: export SLIPWAY_TOKEN=%s\n",
           sw_js_text(token, "secret"));
}

static sw_status link(sw_cli *cli) {
    json_t *answer = NULL;
    SW_TRY(sw_cli_ask(&answer, cli, NULL, "POST", NULL, "/api/v1/login-links"));
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (sw_cli_quiet(cli))
        puts(sw_js_text(answer, "url"));
    else
        printf("dashboard  %s  (signs in once)\n", sw_js_text(answer, "url"));
    json_decref(answer);
    return SW_OK;
}

static sw_status create(sw_cli *cli) {
    const char *scopes_text = sw_cli_value(cli, "scopes");
    uint64_t expires_s = 0;
    SW_TRY(sw_cli_seconds(&expires_s, cli, "expires", 0));
    if (!scopes_text)
        return sw_fail(
            &cli->error, SW_CODE_USAGE,
            "say what it may do: --scopes read,predict (of read, predict, track, deploy, admin)");
    json_t *body = json_object(), *scopes = json_array(), *answer = NULL;
    sw_status status = read_scopes(scopes, cli, scopes_text);
    json_object_set_new(body, "name", json_string(sw_cli_argument(cli, 0)));
    json_object_set_new(body, "scopes", scopes);
    if (expires_s)
        json_object_set_new(body, "expires_in_s", json_integer((json_int_t)expires_s));
    if (!sw_failed(status))
        status = sw_cli_ask(&answer, cli, NULL, "POST", body, "/api/v1/tokens");
    json_decref(body);
    SW_TRY(status);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else
        print_secret(cli, answer);
    json_decref(answer);
    return SW_OK;
}

static void add_token(sw_table *table, const json_t *token) {
    int64_t now_ms = sw_clock_wall_ms();
    int64_t expires_ms = sw_js_integer(token, "expires_ms");
    sw_text scopes = {""};
    size_t i, used = 0;
    json_t *scope;
    json_array_foreach(json_object_get(token, "scopes"), i, scope) {
        const char *name = json_string_value(scope);
        if (name && used + strlen(name) + 2 < sizeof scopes.at)
            used += (size_t)snprintf(scopes.at + used, sizeof scopes.at - used, "%s%s",
                                     i ? "," : "", name);
    }
    sw_table_cell(table, SW_BOLD, "%s", sw_js_text(token, "id"));
    sw_table_cell(table, SW_PLAIN, "%s", sw_js_text(token, "name"));
    sw_table_cell(table, SW_PLAIN, "%s", scopes.at);
    sw_table_cell(table, SW_PLAIN, "%s",
                  sw_text_time(sw_js_integer(token, "created_ms"), now_ms).at);
    bool over = expires_ms && expires_ms <= now_ms;
    sw_table_cell(table, over ? SW_BAD : SW_PLAIN, "%s%s",
                  expires_ms ? sw_text_time(expires_ms, now_ms).at : "never",
                  over ? " (over)" : "");
}

static sw_status list(sw_cli *cli) {
    static const char *const heads[] = {"ID", "NAME", "SCOPES", "MADE", "EXPIRES"};
    json_t *answer = NULL, *token;
    size_t i;
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/tokens"));
    const json_t *tokens = json_object_get(answer, "tokens");
    if (sw_cli_json(cli)) {
        sw_cli_print_answer(cli);
    } else if (json_array_size(tokens)) {
        sw_table *table = sw_table_make(5);
        for (i = 0; i < 5; i++)
            sw_table_cell(table, SW_DIM, "%s", heads[i]);
        json_array_foreach(tokens, i, token) {
            add_token(table, token);
        }
        sw_table_print(table, stdout, 0);
        sw_table_free(table);
    } else if (!sw_cli_quiet(cli)) {
        puts(
            "no tokens: everybody on the server's machine may do everything, nobody else anything");
    }
    json_decref(answer);
    return SW_OK;
}

static sw_status revoke(sw_cli *cli) {
    json_t *answer = NULL;
    const char *id = sw_cli_argument(cli, 0);
    SW_TRY(sw_cli_ask(&answer, cli, NULL, "DELETE", NULL, "/api/v1/tokens/%s",
                      sw_client_segment(id).at));
    json_decref(answer);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        printf("%s   opens nothing any more\n", id);
    return SW_OK;
}

static const sw_cli_option create_options[] = {
    {"scopes", 0, "LIST", "what it may do: read, predict, track, deploy, admin, parted by commas"},
    {"expires", 0, "TIME", "after this long it opens nothing: 12h, 30d (default: never)"},
    {0},
};

static const sw_cli_command actions[] = {
    {.name = "create",
     .other_names = "add new",
     .arguments = "NAME --scopes LIST",
     .summary = "makes a token and shows its secret once",
     .examples = "slipway token create web-shop --scopes read,predict --expires 30d\n"
                 "export SLIPWAY_TOKEN=$(slipway token create ci --scopes deploy --quiet)",
     .options = create_options,
     .arguments_min = 1,
     .arguments_max = 1,
     .run = create},
    {.name = "list",
     .other_names = "ls show",
     .arguments = "",
     .summary = "lists the tokens, without their secrets",
     .run = list},
    {.name = "revoke",
     .other_names = "remove rm delete",
     .arguments = "ID",
     .summary = "ends a token at once",
     .examples = "slipway token revoke tok_8f3a",
     .arguments_min = 1,
     .arguments_max = 1,
     .run = revoke},
    {.name = "link",
     .other_names = "login",
     .arguments = "",
     .summary = "makes a link that signs a browser in to the dashboard, once",
     .examples = "slipway token link",
     .run = link},
    {0},
};

const sw_cli_command sw_cli_token = {
    .name = "token",
    .other_names = "tokens",
    .arguments = "create|list|revoke|link",
    .summary = "makes, lists and revokes access tokens; signs a browser in",
    .details =
        "As long as there is no token, the server answers its own machine alone. From the first\n"
        "on, every call needs one.",
    .examples = "slipway token create web-shop --scopes read,predict --expires 30d\n"
                "slipway token list\nslipway token revoke tok_8f3a",
    .actions = actions,
};
