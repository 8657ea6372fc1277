/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_private.h"

static void print_listen(const json_t *listen) {
    size_t i;
    json_t *one;
    if (json_is_string(listen))
        printf("%s", json_string_value(listen));
    json_array_foreach(listen, i, one) {
        printf("%s%s", i ? ", " : "", json_is_string(one) ? json_string_value(one) : "");
    }
}

static void print_status(const json_t *status) {
    const json_t *memory = json_object_get(status, "memory"),
                 *runtime = json_object_get(status, "onnxruntime");
    bool ready = sw_js_bool(status, "ready");
    printf("slipway %s   %s%s%s · up %s · ", sw_js_text(status, "version"),
           sw_term_style(stdout, ready ? SW_GOOD : SW_BAD), ready ? "ready" : "not ready",
           sw_term_style(stdout, SW_PLAIN), sw_text_duration(sw_js_number(status, "uptime_s")).at);
    print_listen(json_object_get(status, "listen"));
    printf("\n  load          %s · %s · lag %s · %s of memory\n",
           sw_text_plural((uint64_t)sw_js_integer(status, "loops"), "loop").at,
           sw_text_plural((uint64_t)sw_js_integer(status, "connections"), "connection").at,
           sw_text_duration(sw_js_number(status, "loop_lag_ms") / 1e3).at,
           sw_text_bytes((uint64_t)sw_js_integer(memory, "rss_bytes")).at);
    const char *version = sw_js_text(runtime, "version"), *why = sw_js_text(runtime, "why");
    printf("  onnxruntime   %s\n", *version ? version : *why ? why : "not loaded");
    bool open = strcmp(sw_js_text(status, "auth"), "open") == 0;
    printf("  access        %s\n", open ? "this machine, without tokens" : "by token");
}

/* FAILED where the server does not take requests, so that a script can wait for it. */
static sw_status run(sw_cli *cli) {
    json_t *answer = NULL;
    SW_TRY(sw_cli_ask(&answer, cli, "asking", "GET", NULL, "/api/v1/status"));
    bool ready = sw_js_bool(answer, "ready");
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        print_status(answer);
    json_decref(answer);
    return ready ? SW_OK : (sw_status){SW_CODE_UNAVAILABLE};
}

const sw_cli_command sw_cli_status = {
    .name = "status",
    .other_names = "ping health info",
    .arguments = "",
    .summary = "says how the server is; exits 1 where it is not ready",
    .examples = "slipway status\nuntil slipway status --quiet; do sleep 1; done",
    .run = run,
};
