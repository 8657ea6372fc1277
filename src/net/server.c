/* SPDX-License-Identifier: Apache-2.0 */
#include "net/server.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/net_private.h"

#include <poll.h>
#include <signal.h>

enum {
    POOL_THREADS = 8,
    POOL_QUEUE = 256,
    STREAM_THREADS = 32,
    STREAM_QUEUE = 32,
    DRAIN_STEP_MS = 20,
    HANDLER_GRACE_MS = 10 * 1000, /* for a handler whose client was cut off */
};

static void set_defaults(sw_server_config *config) {
    if (!config->connections_max)
        config->connections_max = 10000;
    if (!config->header_timeout_ms)
        config->header_timeout_ms = 10 * 1000;
    if (!config->idle_timeout_ms)
        config->idle_timeout_ms = 75 * 1000;
    if (!config->body_stall_ms)
        config->body_stall_ms = 30 * 1000;
    if (!config->header_bytes_max)
        config->header_bytes_max = 32 * 1024;
    if (!config->body_bytes_max)
        config->body_bytes_max = (size_t)64 * 1024 * 1024;
}

static sw_status make_net(sw_server *server, uint32_t index, sw_error *error) {
    sw_net *net = &server->nets[index];
    net->server = server;
    net->loop = sw_loops_at(server->loops, index);
    net->scratch = sw_mem_alloc(SW_NET_SCRATCH_BYTES);
    if (!net->scratch)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the server");
    sw_net_refresh_date(net);
    SW_TRY(sw_http2_prepare(net, error));
    sw_loop_add_turn_end(net->loop, (sw_loop_hook){sw_conn_flush_all, net});
    sw_loop_add_every_second(net->loop, (sw_loop_hook){sw_conn_second_all, net});
    return SW_OK;
}

static sw_status make_nets(sw_server *server, sw_error *error) {
    server->net_count = sw_loops_count(server->loops);
    server->nets = sw_mem_zalloc(server->net_count, sizeof *server->nets);
    if (!server->nets)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the server");
    for (uint32_t i = 0; i < server->net_count; i++)
        SW_TRY(make_net(server, i, error));
    return SW_OK;
}

/* Nothing of it is in use any more. */
static void free_server(sw_server *server) {
    sw_pool_stop(server->pool);
    sw_pool_stop(server->stream_pool);
    for (uint32_t i = 0; server->nets && i < server->net_count; i++) {
        sw_net *net = &server->nets[i];
        sw_http2_unprepare(net);
        sw_net_free_lists(net);
        sw_mem_free(net->scratch);
    }
    sw_mem_free(server->nets);
    sw_tls_free(server->tls);
    sw_router_free(server->router);
    sw_mem_free(server);
}

/* Before the loops run, or after they ended, hooks are taken away from here. */
static void unhook_all(sw_server *server) {
    for (uint32_t i = 0; server->nets && i < server->net_count; i++)
        if (server->nets[i].loop)
            sw_loop_remove_hooks(server->nets[i].loop, &server->nets[i]);
}

static sw_status start_parts(sw_server *server, const sw_route_entry *routes, size_t route_count,
                             sw_error *error) {
    const sw_server_config *config = &server->config;
    SW_TRY(sw_router_make(&server->router, routes, route_count, error));
    SW_TRY(sw_pool_start(&server->pool, "requests", POOL_THREADS, POOL_QUEUE, error));
    SW_TRY(sw_pool_start(&server->stream_pool, "streams", STREAM_THREADS, STREAM_QUEUE, error));
    if (config->tls_cert || config->tls_key)
        SW_TRY(sw_tls_make(&server->tls, config->tls_cert, config->tls_key, error));
    server->guard = (sw_guard){.listen_host = server->listen_host, .hosts = config->hosts};
    SW_TRY(make_nets(server, error));
    return sw_listener_start(&server->listener, server, error);
}

sw_status sw_server_start(sw_server **out, sw_loops *loops, const sw_route_entry *routes,
                          size_t route_count, void *context, const sw_server_config *config,
                          sw_error *error) {
    *out = NULL;
    sw_server *server = sw_mem_zalloc(1, sizeof *server);
    if (!server)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the server");
    server->loops = loops;
    server->context = context;
    server->config = *config;
    set_defaults(&server->config);
    sw_status status = start_parts(server, routes, route_count, error);
    if (sw_failed(status)) {
        unhook_all(server);
        free_server(server);
        return status;
    }
    *out = server;
    return SW_OK;
}

const char *sw_server_url(const sw_server *server) {
    return server->url;
}

uint32_t sw_server_connections(const sw_server *server) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < server->net_count; i++)
        total += atomic_load(&server->nets[i].assigned);
    return total;
}

static void task_done(sw_net *net) {
    atomic_fetch_sub(&net->server->busy, 1);
}

static void drain_net(sw_task *task) {
    sw_net *net = SW_CONTAINER(task, sw_net, task);
    if (!net->draining)
        net->drain_ms = uv_now(sw_loop_uv(net->loop));
    net->draining = true;
    for (sw_conn *conn = net->conns; conn; conn = conn->next)
        if (!uv_is_closing((uv_handle_t *)&conn->poll))
            sw_conn_drain(conn);
    task_done(net);
}

static void end_net(sw_task *task) {
    sw_net *net = SW_CONTAINER(task, sw_net, task);
    net->ending = true;
    for (sw_conn *conn = net->conns; conn; conn = conn->next)
        sw_conn_doom(conn);
    task_done(net);
}

static void count_net(sw_task *task) {
    sw_net *net = SW_CONTAINER(task, sw_net, task);
    atomic_fetch_add(&net->server->calls, net->call_count);
    task_done(net);
}

/* The last task: behind it nothing of this loop knows the server. */
static void detach_net(sw_task *task) {
    sw_net *net = SW_CONTAINER(task, sw_net, task);
    sw_loop_remove_hooks(net->loop, net);
    task_done(net);
}

static void wait_step(void) {
    poll(NULL, 0, DRAIN_STEP_MS);
}

/* Runs it once on each loop, and waits for that. */
static void run_on_all(sw_server *server, void (*run)(sw_task *)) {
    atomic_store(&server->busy, server->net_count);
    for (uint32_t i = 0; i < server->net_count; i++) {
        server->nets[i].task.run = run;
        sw_loop_post(server->nets[i].loop, &server->nets[i].task);
    }
    while (atomic_load(&server->busy) > 0)
        poll(NULL, 0, 1);
}

static uint32_t count_calls(sw_server *server) {
    atomic_store(&server->calls, 0);
    run_on_all(server, count_net);
    return atomic_load(&server->calls);
}

/* Loops that never ran hold sockets which the acceptor has posted: they are closed from here. */
static void end_unrun(sw_server *server) {
    for (uint32_t i = 0; i < server->net_count; i++) {
        server->nets[i].ending = true;
        uv_run(sw_loop_uv(server->nets[i].loop), UV_RUN_NOWAIT);
    }
    unhook_all(server);
    free_server(server);
}

void sw_server_drain(sw_server *server, uint64_t grace_ms) {
    if (!server)
        return;
    sw_listener_stop(server->listener);
    server->listener = NULL;
    if (!sw_loops_running(server->loops)) {
        end_unrun(server);
        return;
    }
    uint64_t end_ns = sw_clock_ns() + grace_ms * SW_NS_PER_MS;
    do {
        run_on_all(server, drain_net);
        wait_step();
    } while (sw_server_connections(server) > 0 && sw_clock_ns() < end_ns);
    run_on_all(server, end_net);
    /* Handlers that outlive their client finish here, and post their ends to the loops. */
    sw_pool_stop(server->pool);
    sw_pool_stop(server->stream_pool);
    server->pool = server->stream_pool = NULL;
    end_ns = sw_clock_ns() + HANDLER_GRACE_MS * SW_NS_PER_MS;
    while (sw_server_connections(server) > 0 || count_calls(server) > 0) {
        if (sw_clock_ns() > end_ns)
            return; /* a handler never replied: what it holds is left to it */
        wait_step();
    }
    run_on_all(server, detach_net);
    free_server(server);
}
