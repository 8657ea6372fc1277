/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/proxy.h"

#include "base/arena.h"
#include "base/json.h"
#include "proxy/extract.h"
#include "proxy/sender.h"
#include "proxy/tunnel.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { FLUSH_MS = 5 * 1000 };

/* The upstream, in parts. */
typedef struct upstream {
    bool tls;
    char host[256], port[8];
    char authority[280]; /* for the Host header */
    char prefix[512];
} upstream;

typedef struct proxy {
    sw_cli *cli;
    upstream upstream;
    char id_header[64];
    sw_tunnel_config tunnel_config;
    sw_sender_config sender_config;
    uint64_t grace_ms;
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    sw_tunnel *tunnel;
    sw_sender *sender;
    sw_tls_client *tls;
} proxy;

/* ---- Options ---- */

static sw_status bad_url(sw_cli *cli, const char *url) {
    return sw_fail(sw_cli_error(cli), SW_CODE_USAGE,
                   "--upstream %.200s: give http://HOST:PORT or https://HOST, with a path if the "
                   "model server has one",
                   url);
}

/* scheme://host[:port][/path] */
static sw_status read_upstream(upstream *out, sw_cli *cli, const char *url) {
    sw_str rest = sw_str_of(url);
    static const sw_str plain = SW_STR("http://"), secure = SW_STR("https://");
    out->tls = sw_str_starts(rest, secure);
    if (!out->tls && !sw_str_starts(rest, plain))
        return bad_url(cli, url);
    size_t scheme = out->tls ? secure.len : plain.len;
    rest = (sw_str){rest.at + scheme, rest.len - scheme};
    size_t end = strcspn(rest.at, "/?#");
    sw_str authority = {rest.at, end}, path = {rest.at + end, rest.len - end};
    sw_str host, port;
    uint64_t number = out->tls ? 443 : 80;
    while (path.len && path.at[path.len - 1] == '/')
        path.len--;
    if (!sw_str_split_host(&host, &port, authority) || host.len >= sizeof out->host ||
        memchr(authority.at, '@', authority.len) ||
        (port.len && (!sw_str_to_u64(&number, port, UINT16_MAX) || !number)) ||
        path.len >= sizeof out->prefix || memchr(path.at, '?', path.len) ||
        memchr(path.at, '#', path.len) || strpbrk(url, " \t\r\n"))
        return bad_url(cli, url);
    snprintf(out->host, sizeof out->host, "%.*s", SW_STR_ARG(host));
    snprintf(out->port, sizeof out->port, "%u", (unsigned)number);
    snprintf(out->authority, sizeof out->authority, "%.*s", SW_STR_ARG(authority));
    snprintf(out->prefix, sizeof out->prefix, "%.*s", SW_STR_ARG(path));
    return SW_OK;
}

static sw_status read_id_header(proxy *p, const char *name) {
    size_t len = name ? strlen(name) : 0;
    if (!name)
        return SW_OK;
    if (len == 0 || len >= sizeof p->id_header || strpbrk(name, ": \t\r\n"))
        return sw_fail(sw_cli_error(p->cli), SW_CODE_USAGE,
                       "--id-header %.80s: give the name of a header, such as X-Request-Id", name);
    for (size_t i = 0; i < len; i++)
        p->id_header[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    p->tunnel_config.rules.id_header = p->id_header;
    return SW_OK;
}

static sw_status require(const char **out, proxy *p, const char *name, const char *example) {
    *out = sw_cli_value(p->cli, name);
    return *out && **out ? SW_OK
                         : sw_fail(sw_cli_error(p->cli), SW_CODE_USAGE,
                                   "slipway proxy: --%s is missing. For example: --%s %s", name,
                                   name, example);
}

static sw_status read_model(proxy *p, const char *model) {
    for (const char *at = model; *at; at++)
        if (!strchr("-_.", *at) && !(*at >= '0' && *at <= '9') &&
            !((*at | 0x20) >= 'a' && (*at | 0x20) <= 'z'))
            return sw_fail(sw_cli_error(p->cli), SW_CODE_USAGE,
                           "--model %.200s: this is no name of a model", model);
    p->sender_config.model = model;
    p->tunnel_config.rules.model = sw_str_of(model);
    return SW_OK;
}

static sw_status read_options(proxy *p) {
    sw_cli *cli = p->cli;
    sw_error *error = sw_cli_error(cli);
    const char *url, *model, *path = sw_cli_value(cli, "path");
    uint64_t queue_mib, connections;
    SW_TRY(require(&url, p, "upstream", "http://127.0.0.1:8000"));
    SW_TRY(require(&model, p, "model", "fraud"));
    SW_TRY(read_upstream(&p->upstream, cli, url));
    SW_TRY(read_model(p, model));
    SW_TRY(read_id_header(p, sw_cli_value(cli, "id-header")));
    p->sender_config.features = sw_cli_value(cli, "features");
    p->sender_config.prediction = sw_cli_value(cli, "prediction");
    SW_TRY(sw_extract_check_pointer(p->sender_config.features, "--features", error));
    SW_TRY(sw_extract_check_pointer(p->sender_config.prediction, "--prediction", error));
    if (path && *path != '/')
        return sw_fail(error, SW_CODE_USAGE, "--path %.200s: a path begins with '/'", path);
    SW_TRY(sw_cli_number(&queue_mib, cli, "queue", 64, 1, 16384));
    SW_TRY(sw_cli_number(&connections, cli, "max-connections", 4096, 1, 1000000));
    SW_TRY(sw_cli_duration(&p->tunnel_config.idle_ms, cli, "idle", 600000));
    SW_TRY(sw_cli_duration(&p->grace_ms, cli, "grace", 30000));
    const char *listen = sw_cli_value(cli, "listen");
    p->sender_config.queue_bytes_max = (size_t)queue_mib << 20;
    p->sender_config.quiet = sw_cli_quiet(cli);
    p->tunnel_config.listen = listen ? listen : "127.0.0.1:9000";
    p->tunnel_config.host = p->upstream.host;
    p->tunnel_config.port = p->upstream.port;
    p->tunnel_config.connections_max = (uint32_t)connections;
    p->tunnel_config.rules.host = sw_str_of(p->upstream.authority);
    p->tunnel_config.rules.prefix = sw_str_of(p->upstream.prefix);
    p->tunnel_config.rules.path = sw_str_of(path);
    return SW_OK;
}

/* ---- Running ---- */

static void take(sw_capture *capture, void *context) {
    sw_sender_put(((proxy *)context)->sender, capture);
}

static void on_signal(uv_signal_t *signal, int number) {
    proxy *p = signal->data;
    (void)number;
    uv_close((uv_handle_t *)&p->interrupt, NULL);
    uv_close((uv_handle_t *)&p->terminate, NULL);
    sw_tunnel_stop(p->tunnel, p->grace_ms);
}

static void catch_signals(proxy *p) {
    signal(SIGPIPE, SIG_IGN);
    uv_signal_init(&p->loop, &p->interrupt);
    uv_signal_init(&p->loop, &p->terminate);
    p->interrupt.data = p->terminate.data = p;
    uv_signal_start(&p->interrupt, on_signal, SIGINT);
    uv_signal_start(&p->terminate, on_signal, SIGTERM);
}

/* One line of JSON. Where memory is out there is none. */
static void print_line(sw_buf *line) {
    if (!line->failed)
        printf("%.*s\n", SW_STR_ARG(sw_buf_str(line)));
    fflush(stdout);
    sw_buf_free(line);
}

static void say_up(const proxy *p, const sw_remote *remote) {
    const char *address = sw_tunnel_address(p->tunnel), *to = sw_cli_value(p->cli, "upstream");
    if (sw_cli_json(p->cli)) {
        char url[512];
        sw_buf line = {0};
        sw_json w = sw_json_to(&line);
        snprintf(url, sizeof url, "http://%s", address);
        sw_json_begin_object(&w);
        sw_json_add_text(&w, "url", url);
        sw_json_add_text(&w, "upstream", to);
        sw_json_add_text(&w, "model", p->sender_config.model);
        sw_json_add_text(&w, "server", sw_remote_url(remote));
        sw_json_end_object(&w);
        print_line(&line);
    } else if (!sw_cli_quiet(p->cli)) {
        printf("slipway proxy  ·  http://%s  ·  to %s  ·  %s is watched at %s\n", address, to,
               p->sender_config.model, sw_remote_url(remote));
        fflush(stdout);
    }
}

static sw_status start(proxy *p) {
    sw_error *error = sw_cli_error(p->cli);
    sw_remote *remote;
    if (p->upstream.tls)
        SW_TRY(sw_tls_client_make(&p->tls, p->upstream.host, sw_cli_value(p->cli, "upstream-ca"),
                                  error));
    p->tunnel_config.tls = p->tls;
    p->tunnel_config.rules.take = take;
    p->tunnel_config.rules.context = p;
    SW_TRY(sw_tunnel_start(&p->tunnel, &p->loop, &p->tunnel_config, error));
    SW_TRY(sw_remote_make(&remote, p->cli));
    say_up(p, remote);
    return sw_sender_start(&p->sender, remote, &p->sender_config, error);
}

static void print_end_json(const sw_tunnel_counts *counts, const sw_sender_counts *sent) {
    sw_buf line = {0};
    sw_json w = sw_json_to(&line);
    sw_json_begin_object(&w);
    sw_json_add_u64(&w, "requests", counts->sniffed.requests);
    sw_json_add_u64(&w, "connections", counts->connections);
    sw_json_add_u64(&w, "sent", sent->sent);
    sw_json_add_u64(&w, "rejected", sent->rejected);
    sw_json_add_u64(&w, "unreadable", sent->unreadable);
    sw_json_add_u64(&w, "too_large", counts->sniffed.too_large);
    sw_json_add_u64(&w, "compressed", counts->sniffed.encoded);
    sw_json_add_u64(&w, "dropped", sent->dropped);
    sw_json_add_u64(&w, "failed", counts->sniffed.failed + counts->unreachable);
    sw_json_end_object(&w);
    print_line(&line);
}

static void print_end(const proxy *p, const sw_sender_counts *sent) {
    const sw_tunnel_counts *counts = sw_tunnel_counted(p->tunnel);
    if (sw_cli_json(p->cli))
        print_end_json(counts, sent);
    if (sw_cli_json(p->cli) || sw_cli_quiet(p->cli))
        return;
    printf("%llu requests over %llu connections · %llu observations sent, %llu not taken · "
           "%llu requests not observed (%llu unreadable, %llu too large, %llu compressed, "
           "%llu dropped) · %llu failed\n",
           (unsigned long long)counts->sniffed.requests, (unsigned long long)counts->connections,
           (unsigned long long)sent->sent, (unsigned long long)sent->rejected,
           (unsigned long long)(sent->unreadable + counts->sniffed.too_large +
                                counts->sniffed.encoded + sent->dropped),
           (unsigned long long)sent->unreadable, (unsigned long long)counts->sniffed.too_large,
           (unsigned long long)counts->sniffed.encoded, (unsigned long long)sent->dropped,
           (unsigned long long)(counts->sniffed.failed + counts->unreachable));
}

/* Nothing of a tunnel that never served stays on the loop. */
static void abandon(proxy *p) {
    if (p->tunnel)
        sw_tunnel_stop(p->tunnel, 0);
    uv_run(&p->loop, UV_RUN_DEFAULT);
}

static sw_status run(sw_cli *cli) {
    proxy p = {.cli = cli};
    sw_sender_counts sent = {0};
    SW_TRY(read_options(&p));
    uv_loop_init(&p.loop);
    sw_status status = start(&p);
    if (sw_failed(status)) {
        abandon(&p);
    } else {
        catch_signals(&p);
        uv_run(&p.loop, UV_RUN_DEFAULT);
        sw_sender_stop(&sent, p.sender, FLUSH_MS);
        print_end(&p, &sent);
    }
    uv_loop_close(&p.loop);
    sw_tunnel_free(p.tunnel);
    sw_tls_client_free(p.tls);
    return status;
}

static const sw_cli_option options[] = {
    {"upstream", 'u', "URL", "the model server: http://HOST:PORT or https://HOST"},
    {"model", 'm', "NAME", "the model on the Slipway server that this is"},
    {"listen", 'l', "ADDR:PORT",
     "address to serve on (default 127.0.0.1:9000; port 0 takes a free one)"},
    {"path", 0, "PATH", "observe requests to this path alone"},
    {"features", 0, "POINTER",
     "where in a JSON request the rows are, such as /rows or /items/*/fields"},
    {"prediction", 0, "POINTER", "where in a JSON reply the predictions are, such as /score"},
    {"id-header", 0, "NAME", "a header of request or reply that names the prediction"},
    {"upstream-ca", 0, "FILE", "certificates of the authority that signed the upstream's, PEM"},
    {"queue", 0, "MIB", "memory for what waits to be sent; beyond, it is dropped (default 64)"},
    {"idle", 0, "TIME", "closes connections over which nothing went for so long (default 10m)"},
    {"max-connections", 0, "N", "connections of clients (default 4096)"},
    {"grace", 0, "TIME", "how long a stop waits for requests in hand (default 30s)"},
    {0},
};

const sw_cli_command sw_proxy_command = {
    .name = "proxy",
    .arguments = "",
    .summary = "stands in front of a model server and watches what it predicts",
    .details =
        "Requests and replies go by as they are; observations are sent to the Slipway server\n"
        "in the background. Where that is away, clients notice nothing.",
    .examples =
        "slipway proxy --upstream http://127.0.0.1:8000 --model fraud\n"
        "slipway proxy --upstream http://triton:8000 --model fraud --listen 0.0.0.0:9000\n"
        "slipway proxy --upstream https://api.example.com/v1 --model churn --path /score \\\n"
        "    --features /customers --prediction /results/*/score --id-header X-Request-Id",
    .options = options,
    .run = run,
};
