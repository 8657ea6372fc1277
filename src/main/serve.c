/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"

#include "base/clock.h"
#include "io/process.h"
#include "main/wiring.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { HOSTS_MAX = 16, SWEEP_EVERY_S = 3600 };

static const sw_cli_option options[] = {
    {"data", 'd', "DIR", "folder for models, versions and counts (default ./slipway-data)"},
    {"listen", 'l', "ADDR:PORT",
     "address to serve on (default 127.0.0.1:8080; port 0 takes a free one)"},
    {"unix", 'u', "PATH", "serve on this Unix socket too"},
    {"tls-cert", 0, "FILE", "certificate chain, PEM; plaintext TCP is then refused"},
    {"tls-key", 0, "FILE", "its private key, PEM"},
    {"host", 0, "NAME", "a further name that clients may call this server by (repeatable)"},
    {"loops", 0, "N", "event loops (default: one for each CPU)"},
    {"threads", 0, "N",
     "threads for models that are too slow for a loop (default: one for each CPU)"},
    {"max-in-hand", 0, "N",
     "predictions begun and not answered, beyond which new ones get 429 (default 8192)"},
    {"max-queue", 0, "N", "slow predictions that may wait for a thread (default 256)"},
    {"max-connections", 0, "N", "connections (default 10000)"},
    {"max-body", 0, "MIB", "largest request body that is held in memory (default 64)"},
    {"grace", 0, "TIME", "how long a stop waits for requests in hand (default 30s)"},
    {"allow-commands", 0, NULL,
     "let alert rules start programs here (whoever may change rules then may start any)"},
    {"log-requests", 0, NULL, "write a line of JSON for each request to standard error"},
    {0}};

/* ---- Options ---- */

static sw_status read_limits(sw_serve_options *o, sw_cli *cli) {
    uint64_t loops, threads, in_hand, queue, connections, body_mib;
    SW_TRY(sw_cli_number(&loops, cli, "loops", 0, 1, SW_LOOPS_MAX));
    SW_TRY(sw_cli_number(&threads, cli, "threads", 0, 1, 1024));
    SW_TRY(sw_cli_number(&in_hand, cli, "max-in-hand", 0, 1, 1000000));
    SW_TRY(sw_cli_number(&queue, cli, "max-queue", 0, 1, 1000000));
    SW_TRY(sw_cli_number(&connections, cli, "max-connections", 0, 1, 1000000));
    SW_TRY(sw_cli_number(&body_mib, cli, "max-body", 0, 1, 4096));
    SW_TRY(sw_cli_duration(&o->grace_ms, cli, "grace", 30000));
    o->loops = (uint32_t)loops;
    o->limits = (sw_predict_limits){.in_hand_max = (uint32_t)in_hand,
                                    .queue_max = (uint32_t)queue,
                                    .threads = (uint32_t)threads};
    o->net.connections_max = (uint32_t)connections;
    o->net.body_bytes_max = (size_t)body_mib << 20;
    return SW_OK;
}

static const char *value_or(const sw_cli *cli, const char *name, const char *otherwise) {
    const char *value = sw_cli_value(cli, name);
    return value ? value : otherwise;
}

static sw_status read_options(sw_serve_options *o, const char *hosts[HOSTS_MAX + 1], sw_cli *cli) {
    *o = (sw_serve_options){.data_dir = value_or(cli, "data", "./slipway-data"),
                            .allow_commands = sw_cli_flag(cli, "allow-commands"),
                            .log_requests = sw_cli_flag(cli, "log-requests")};
    o->net = (sw_server_config){
        .listen = value_or(cli, "listen", "127.0.0.1:8080"),
        .unix_path = sw_cli_value(cli, "unix"),
        .tls_cert = sw_cli_value(cli, "tls-cert"),
        .tls_key = sw_cli_value(cli, "tls-key"),
        .hosts = hosts,
    };
    for (unsigned i = 0; i < HOSTS_MAX; i++)
        hosts[i] = sw_cli_value_at(cli, "host", i);
    if (!sw_listen_is_address(o->net.listen))
        return sw_fail(sw_cli_error(cli), SW_CODE_USAGE,
                       "--listen %s: give ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080",
                       o->net.listen);
    if (!o->net.tls_cert != !o->net.tls_key)
        return sw_fail(sw_cli_error(cli), SW_CODE_USAGE,
                       "--tls-cert and --tls-key belong together: give both");
    return read_limits(o, cli);
}

/* ---- Running ---- */

static void say_up(const sw_cli *cli, const sw_wiring *w, const sw_serve_options *o,
                   double took_ms) {
    sw_error ignored;
    char code[SW_LOGIN_CODE_BYTES];
    const char *url = sw_server_url(w->app.server);
    bool has_link = !sw_failed(sw_auth_make_login(code, w->app.auth, &ignored));
    if (sw_cli_json(cli)) {
        printf("{\"url\":\"%s\",\"ready_ms\":%.1f,\"login\":\"%s/login/%s\"}\n", url, took_ms, url,
               has_link ? code : "");
    } else if (!sw_cli_quiet(cli)) {
        printf("slipway %s  ·  %s  ·  gRPC on the same port  ·  data in %s\n", SW_VERSION, url,
               o->data_dir);
        printf("ready in %.0f ms\n", took_ms);
        if (has_link)
            printf("dashboard  %s/login/%s  (signs in once)\n", url, code);
    }
    fflush(stdout);
}

static void say_runtime(const sw_cli *cli) {
    sw_error why;
    if (!sw_ort_version(&why) && !sw_cli_quiet(cli) && !sw_cli_json(cli))
        printf("note: no ONNX Runtime, so only linear models can be served: %s\n", why.text);
    fflush(stdout);
}

/* An event that cannot be kept is no reason not to serve. */
static void note_event(const sw_wiring *w, sw_str kind, sw_str text) {
    sw_event event = {
        .kind = kind, .who = SW_STR("slipway"), .text = text, .data_json = SW_STR("{}")};
    sw_status status = sw_registry_add_event(&event, w->app.registry, NULL);
    (void)status;
}

/* Once a second does what is due, until a signal asks for the end. */
static void keep_house(sw_wiring *w, const sigset_t *signals) {
    struct timespec second = {.tv_sec = 1};
    for (uint64_t seconds = 1; sigtimedwait(signals, NULL, &second) < 0; seconds++) {
        sw_app_every_second(&w->app);
        if (seconds % SWEEP_EVERY_S == 0)
            sw_app_sweep_blobs(&w->app);
    }
}

/* A second signal does not wait. */
static void *leave_at_next_signal(void *signals) {
    int which;
    sigwait(signals, &which);
    _Exit(1);
}

static void allow_many_files(void) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static sw_status run(sw_cli *cli) {
    sw_serve_options o;
    sw_wiring w;
    sigset_t signals;
    pthread_t impatient;
    const char *hosts[HOSTS_MAX + 1] = {0};
    uint64_t start_ns = sw_clock_ns();
    SW_TRY(read_options(&o, hosts, cli));
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: all of them inherit it */
    allow_many_files();
    sw_process_share_heap();
    SW_TRY(sw_wiring_start(&w, &o, sw_cli_error(cli)));
    say_up(cli, &w, &o, (double)(sw_clock_ns() - start_ns) / 1e6);
    say_runtime(cli);
    note_event(&w, SW_STR("server.started"), SW_STR("slipway " SW_VERSION " started"));
    keep_house(&w, &signals);
    if (pthread_create(&impatient, NULL, leave_at_next_signal, &signals) == 0)
        pthread_detach(impatient);
    note_event(&w, SW_STR("server.stopping"), SW_STR("slipway " SW_VERSION " is asked to stop"));
    sw_wiring_stop(&w, o.grace_ms);
    return SW_OK;
}

const sw_cli_command sw_serve_command = {
    .name = "serve",
    .other_names = "server start up",
    .arguments = "",
    .summary = "serves models over REST and gRPC, with the dashboard, until stopped",
    .details = "On loopback, whoever is on this machine may use it until a token exists. Beyond "
               "loopback it "
               "asks for tokens from the start.",
    .examples = "slipway serve\n"
                "slipway serve --data /var/lib/slipway --listen 0.0.0.0:8443 --tls-cert c.pem "
                "--tls-key k.pem",
    .options = options,
    .run = run,
};
