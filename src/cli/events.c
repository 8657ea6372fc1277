/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/cli_private.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 500 };

typedef struct event_tail {
    sw_cli *cli;
    const char *model;
    json_int_t last_id; /* of what has been printed */
    bool caught_up;     /* with what happened between the list and the stream */
    sw_buf text;        /* of the stream, not yet read */
} event_tail;

static void print_event(const sw_cli *cli, json_t *event) {
    if (sw_cli_json(cli)) {
        sw_cli_print_json(event);
        return;
    }
    const char *who = sw_js_text(event, "who"), *kind = sw_js_text(event, "kind");
    bool failed = strstr(kind, "failed") != NULL;
    printf("%s%s%s  %s%s%s", sw_term_style(stdout, SW_DIM),
           sw_text_time(sw_js_integer(event, "at_ms"), sw_clock_wall_ms()).at,
           sw_term_style(stdout, SW_PLAIN), failed ? sw_term_style(stdout, SW_BAD) : "",
           sw_js_text(event, "text"), failed ? sw_term_style(stdout, SW_PLAIN) : "");
    if (*who)
        printf("%s  · %s%s", sw_term_style(stdout, SW_DIM), who, sw_term_style(stdout, SW_PLAIN));
    putchar('\n');
}

static void print_new(event_tail *following, json_t *event) {
    const char *model = sw_js_text(event, "model");
    json_int_t id = json_integer_value(json_object_get(event, "id"));
    if (id <= following->last_id || (following->model && strcmp(model, following->model) != 0))
        return;
    following->last_id = id;
    print_event(following->cli, event);
}

/* Oldest first, as a log reads. */
static void print_list(event_tail *following, const json_t *events) {
    for (size_t i = json_array_size(events); i-- > 0;)
        print_new(following, json_array_get(events, i));
}

/* One event of the stream: lines "event: NAME" and "data: JSON". */
static void take_block(event_tail *following, sw_str block) {
    sw_str name = {NULL, 0}, data = {NULL, 0};
    while (block.len) {
        sw_str line = sw_str_split(&block, '\n');
        if (sw_str_starts(line, SW_STR("event:")))
            name = sw_str_trim((sw_str){line.at + 6, line.len - 6});
        if (sw_str_starts(line, SW_STR("data:")))
            data = sw_str_trim((sw_str){line.at + 5, line.len - 5});
    }
    if (!sw_str_is(name, "change") || !data.at)
        return;
    json_t *event = json_loadb(data.at, data.len, 0, NULL);
    print_new(following, event);
    json_decref(event);
    fflush(stdout); /* also tells of a reader that has gone */
}

static sw_status list(json_t **events, sw_cli *cli, const char *model, uint64_t limit) {
    sw_segment name = sw_client_segment(model ? model : "");
    return sw_cli_ask(events, cli, "asking", "GET", NULL, "/api/v1/events?limit=%llu%s%s",
                      (unsigned long long)limit, model ? "&model=" : "", name.at);
}

/* Asked for again once the stream runs, so that nothing in between is lost. */
static bool catch_up(event_tail *following) {
    json_t *answer = NULL;
    if (sw_failed(list(&answer, following->cli, following->model, LIMIT_MAX)))
        return false;
    print_list(following, json_object_get(answer, "events"));
    json_decref(answer);
    return true;
}

static bool take(void *context, sw_str bytes) {
    event_tail *following = context;
    if (!following->caught_up && !catch_up(following))
        return false;
    following->caught_up = true;
    sw_buf_add_str(&following->text, bytes);
    for (;;) {
        const char *at = following->text.at;
        const char *end = memmem(at, following->text.len, "\n\n", 2);
        if (!end)
            break;
        take_block(following, (sw_str){at, (size_t)(end - at)});
        size_t used = (size_t)(end - at) + 2;
        memmove(following->text.at, at + used, following->text.len - used);
        following->text.len -= used;
    }
    return !ferror(stdout) && !following->text.failed;
}

static sw_status follow(event_tail *following) {
    sw_client *stream;
    SW_TRY(sw_cli_another_client(&stream, following->cli));
    sw_reply reply = {0};
    sw_request request = {
        .method = "GET", .path = "/api/v1/stream", .take = take, .context = following};
    sw_status status = sw_client_do(&reply, stream, &request, &following->cli->error);
    if (!sw_failed(status))
        status = sw_cli_judge(following->cli, &reply);
    if (!sw_failed(status) && !ferror(stdout))
        status = sw_fail(&following->cli->error, SW_CODE_UNREACHABLE, "%s ended the stream",
                         sw_client_url(stream));
    sw_reply_free(&reply);
    sw_buf_free(&following->text);
    sw_client_free(stream);
    return status;
}

static sw_status run(sw_cli *cli) {
    event_tail following = {.cli = cli, .model = sw_cli_argument(cli, 0)};
    uint64_t limit;
    json_t *answer = NULL;
    SW_TRY(sw_cli_number(&limit, cli, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX));
    SW_TRY(list(&answer, cli, following.model, limit));
    bool live = sw_cli_flag(cli, "follow");
    const json_t *events = json_object_get(answer, "events");
    if (sw_cli_json(cli) && !live)
        sw_cli_print_answer(cli);
    else
        print_list(&following, events);
    if (!json_array_size(events) && !live && !sw_cli_json(cli) && !sw_cli_quiet(cli))
        puts("nothing has happened yet");
    fflush(stdout);
    json_decref(answer);
    return live ? follow(&following) : SW_OK;
}

static const sw_cli_option options[] = {
    {"limit", 'n', "N", "how many, the newest ones (default 20)"},
    {"follow", 'f', NULL, "go on with new ones as they happen, until Ctrl-C"},
    {0},
};

const sw_cli_command sw_cli_events = {
    .name = "events",
    .other_names = "log audit",
    .arguments = "[NAME]",
    .summary = "says who changed what and when",
    .examples = "slipway events\nslipway events fraud --limit 100\nslipway events --follow --json",
    .options = options,
    .arguments_max = 1,
    .run = run,
};
