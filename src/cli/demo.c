/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main job on real data, for real: a table of steps against a server of its own. The first
 * that does not hold ends the tour.
 */
#include "base/clock.h"
#include "cli/demo_private.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { TRICKLE_PAUSE_MS = 50 };

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static void report(sw_demo_tour *demo, const sw_demo_step *step, bool held, double seconds) {
    const char *text = held ? demo->text : demo->cli->error.text;
    json_array_append_new(demo->steps, json_pack("{s:s, s:b, s:f, s:s}", "name", step->name, "ok",
                                                 held, "ms", seconds * 1e3, "text", text));
    if (sw_cli_json(demo->cli) || (held && sw_cli_quiet(demo->cli)))
        return;
    printf("%s%s%s %-10s %s\n", sw_term_style(stdout, held ? SW_GOOD : SW_BAD), held ? "✓" : "✗",
           sw_term_style(stdout, SW_PLAIN), step->name, text);
    fflush(stdout);
}

static sw_status walk(sw_demo_tour *demo) {
    SW_TRY(sw_demo_rows_read(&demo->test, "test.csv", &demo->cli->error));
    SW_TRY(sw_demo_rows_read(&demo->check, "check-linear.csv", &demo->cli->error));
    SW_TRY(sw_demo_rows_read(&demo->drifted, "test.csv", &demo->cli->error));
    sw_demo_rows_stretch(&demo->drifted, SW_DEMO_STRETCH);
    for (const sw_demo_step *step = sw_demo_steps; step->name; step++) {
        uint64_t began_ns = sw_clock_ns();
        sw_status status = step->run(demo);
        if (interrupted) /* whatever came of the step */
            status = sw_fail(&demo->cli->error, SW_CODE_CANCELLED, "interrupted");
        report(demo, step, !sw_failed(status), (double)(sw_clock_ns() - began_ns) / 1e9);
        SW_TRY(status);
    }
    return SW_OK;
}

static void print_summary(sw_demo_tour *demo, bool held) {
    if (sw_cli_json(demo->cli)) {
        json_t *summary = json_pack("{s:b, s:s, s:s, s:O}", "ok", held, "url", demo->server.url,
                                    "data", demo->server.data, "steps", demo->steps);
        sw_cli_print_json(summary);
        json_decref(summary);
    } else if (held && !sw_cli_quiet(demo->cli)) {
        printf("\nAll %zu steps held.\n", json_array_size(demo->steps));
    }
}

/* Up until Ctrl-C, with a trickle of drifted rows so that the dashboard has something to draw. */
static sw_status stay(sw_demo_tour *demo) {
    if (!sw_cli_json(demo->cli))
        printf("Dashboard  %s\nA trickle of drifted rows goes on. Ctrl-C stops the server.\n",
               demo->server.url);
    fflush(stdout);
    sw_buf body = {0};
    sw_reply reply = {0};
    sw_status status = SW_OK;
    for (size_t row = 0; !interrupted && !sw_failed(status); row++) {
        sw_buf_clear(&body);
        sw_demo_write_records(&body, &demo->drifted, row, 1);
        sw_error ignored = demo->cli->error; /* a refused row is on the dashboard; go on */
        sw_status sent = sw_demo_post(&reply, demo, "/models/" SW_DEMO_MODEL "/predict", NULL,
                                      sw_buf_str(&body));
        if (sw_failed(sent))
            demo->cli->error = ignored;
        if (!interrupted && !sw_demo_server_runs(&demo->server))
            status = sw_fail(&demo->cli->error, SW_CODE_IO, "the server has ended");
        nanosleep(&(struct timespec){.tv_nsec = TRICKLE_PAUSE_MS * 1000000}, NULL);
    }
    sw_buf_free(&body);
    sw_reply_free(&reply);
    return status;
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static sw_status run(sw_cli *cli) {
    sw_demo_tour demo = {
        .cli = cli, .interrupted = &interrupted, .steps = json_array(), .server = {.log = -1}};
    catch_signals();
    if (!sw_cli_json(cli) && !sw_cli_quiet(cli))
        printf("569 measurements of breast cancer cells, from a model file to a rollback:\n\n");
    sw_status status = walk(&demo);
    bool held = !sw_failed(status);
    sw_demo_load_stop(&demo.load);
    print_summary(&demo, held);
    if (held && !sw_cli_flag(cli, "exit"))
        status = stay(&demo);
    sw_demo_server_stop(&demo.server);
    sw_demo_rows_free(&demo.test);
    sw_demo_rows_free(&demo.check);
    sw_demo_rows_free(&demo.drifted);
    json_decref(demo.steps);
    if (!held)
        *cli->error.text = 0; /* the step that did not hold has said it */
    return status;
}

static const sw_cli_option options[] = {
    {"exit", 'x', NULL, "stop the server at the end; exit 0 only if every step held"},
    {"listen", 'l', "ADDR:PORT",
     "where the server listens (default 127.0.0.1:8080, or a free port)"},
    {"data", 0, "DIR",
     "keep the server's data there (default: a folder that is removed at the end)"},
    {0},
};

const sw_cli_command sw_cli_demo = {
    .name = "demo",
    .other_names = "tour",
    .arguments = "",
    .summary = "walks the whole tour on real data with a server of its own",
    .details =
        "Pushes two models of the Wisconsin breast cancer data, deploys one, scores rows over "
        "REST,\n"
        "named records and gRPC, lets the rows drift until the watch says so, deploys the other\n"
        "and rolls back under load, and counts the requests that failed.",
    .examples =
        "slipway demo\nslipway demo --exit\nslipway demo --listen 127.0.0.1:9000 --data ./tour",
    .options = options,
    .run = run,
};
