/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "cli/cli_private.h"

static bool print_piece(void *context, sw_str bytes) {
    (void)context;
    return fwrite(bytes.at, 1, bytes.len, stdout) == bytes.len;
}

static sw_status run(sw_cli *cli) {
    sw_cli_spec spec;
    sw_client *client;
    uint64_t since_ms, limit;
    char url[4096];
    bool json = sw_cli_json(cli) || sw_cli_flag(cli, "jsonl");
    SW_TRY(sw_cli_spec_parse(&spec, sw_cli_argument(cli, 0), &cli->error));
    SW_TRY(sw_cli_duration(&since_ms, cli, "since", 3600000));
    SW_TRY(sw_cli_number(&limit, cli, "limit", 0, 1, 100000000));
    SW_TRY(sw_cli_client(&client, cli));
    sw_segment name = sw_client_segment(spec.name), version = sw_client_segment(spec.version);
    int used =
        snprintf(url, sizeof url, "/api/v1/models/%s/predictions?from=%lld&format=%s", name.at,
                 (long long)(sw_clock_wall_ms() - (int64_t)since_ms), json ? "jsonl" : "csv");
    if (*version.at)
        used += snprintf(url + used, sizeof url - (size_t)used, "&version=%s", version.at);
    if (limit)
        snprintf(url + used, sizeof url - (size_t)used, "&limit=%llu", (unsigned long long)limit);
    sw_request request = {.method = "GET", .path = url, .take = print_piece};
    sw_status status = sw_client_do(sw_client_reply(client), client, &request, &cli->error);
    return sw_failed(status) ? status : sw_cli_judge(cli, sw_client_reply(client));
}

static const sw_cli_option options[] = {
    {"since", 's', "TIME", "how far back: 90s, 15m, 12h, 30d (default 1h)"},
    {"limit", 'n', "N", "at most so many rows, the oldest first"},
    {"jsonl", 0, NULL, "JSON Lines instead of CSV; the same as --json"},
    {0},
};

const sw_cli_command sw_cli_predictions = {
    .name = "predictions",
    .arguments = "NAME[@VERSION|@ALIAS]",
    .summary = "prints the predictions that were logged, with their labels",
    .details = "What is logged is a sample: `weight` says how many predictions a row stands for.",
    .examples = "slipway predictions fraud --since 1h > fraud.csv\n"
                "slipway predictions fraud@3 --since 30d --jsonl",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
