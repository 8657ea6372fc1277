/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/cli_private.h"

static void print_rollback(const json_t *revision) {
    int64_t live_ms = sw_js_integer(revision, "live_ms"), now_ms = sw_clock_wall_ms();
    printf("%s@%lld   live again in %s · %s failed · revision %lld (by you, %s)\n",
           sw_js_text(revision, "model"), (long long)sw_js_integer(revision, "version"),
           sw_text_duration(sw_js_number(revision, "took_ms") / 1e3).at,
           sw_text_plural((uint64_t)sw_js_integer(revision, "failed_requests"), "request").at,
           (long long)sw_js_integer(revision, "revision"),
           sw_text_time(live_ms ? live_ms : now_ms, now_ms).at);
}

static sw_status run(sw_cli *cli) {
    sw_cli_spec spec;
    uint64_t to = 0;
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    if (*spec.version)
        return sw_fail(
            &cli->error, SW_CODE_USAGE,
            "a rollback goes to a revision, not a version: slipway rollback %s [--to REV], "
            "or slipway deploy %s@%s",
            spec.name, spec.name, spec.version);
    SW_TRY(sw_cli_number(&to, cli, "to", 0, 1, UINT32_MAX));
    json_t *body = json_object(), *answer = NULL;
    if (to)
        json_object_set_new(body, "to", json_integer((json_int_t)to));
    sw_status status = sw_cli_ask(&answer, cli, "loading and warming up", "POST", body,
                                  "/api/v1/models/%s/rollback", sw_client_segment(spec.name).at);
    json_decref(body);
    SW_TRY(status);
    if (sw_cli_json(cli))
        sw_cli_print_answer(cli);
    else if (!sw_cli_quiet(cli))
        print_rollback(answer);
    json_decref(answer);
    return SW_OK;
}

static const sw_cli_option options[] = {
    {"to", 't', "REV", "this revision rather than the last good one"},
    {0},
};

const sw_cli_command sw_cli_rollback = {
    .name = "rollback",
    .other_names = "revert undo",
    .arguments = "NAME",
    .summary = "goes back to the last good revision, dropping no request",
    .details = "Nothing is undone: a new revision is added that equals the earlier one.",
    .examples = "slipway rollback fraud\nslipway rollback fraud --to 3",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
