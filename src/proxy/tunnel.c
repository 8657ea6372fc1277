/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tunnel.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/task.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READ_BYTES = 64 * 1024,
    QUEUED_BYTES_MAX = 256 * 1024, /* beyond, the other side is not read */
    BACKLOG = 511,
    SWEEP_MS = 1000,
    CONNECT_MS = 10 * 1000,
    LINGER_MS = 5 * 1000, /* for the client to take the end */
};

typedef enum joint_state {
    JOINT_NEW,        /* the client has said nothing yet */
    JOINT_CONNECTING, /* to the upstream */
    JOINT_OPEN,
    JOINT_ENDING, /* the upstream has ended; the client gets what is left */
    JOINT_CLOSING
} joint_state;

typedef struct joint {
    sw_tunnel *tunnel;
    struct joint *next, *previous;
    joint_state state;
    uv_tcp_t client, upstream;
    bool upstream_made;
    bool resolving;
    uint32_t handles; /* not yet closed */
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    uv_shutdown_t client_end, upstream_end;
    struct addrinfo *addresses, *address; /* all, and the one that is tried */
    sw_buf early;                         /* for the upstream, before it is there */
    bool client_ended;
    bool client_paused, upstream_paused;
    bool replied; /* some byte of the upstream went to the client */
    sw_tls_link *tls;
    sw_sniff sniff;
    uint64_t moved_ms; /* when a byte last went by, by the loop's clock */
} joint;

struct sw_tunnel {
    uv_loop_t *loop;
    sw_tunnel_config config;
    sw_tunnel_counts counts;
    uv_tcp_t listener;
    uv_timer_t sweep;
    char address[128];
    joint *joints;
    uint32_t joint_count;
    bool stopping;
    uint64_t stop_ms;
    char *scratch; /* READ_BYTES */
};

/* One write that could not be done at once. */
typedef struct pending_write {
    uv_write_t request;
    char bytes[];
} pending_write;

static joint *joint_of(const uv_handle_t *handle) {
    return handle->data;
}

static void on_client_bytes(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);
static void on_upstream_bytes(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);

static void lend(uv_handle_t *handle, size_t wanted, uv_buf_t *buf) {
    (void)wanted;
    *buf = uv_buf_init(joint_of(handle)->tunnel->scratch, READ_BYTES);
}

/* ---- Closing ---- */

static void on_closed(uv_handle_t *handle) {
    joint *l = joint_of(handle);
    if (--l->handles > 0 || l->resolving)
        return;
    sw_tunnel *t = l->tunnel;
    *(l->previous ? &l->previous->next : &t->joints) = l->next;
    if (l->next)
        l->next->previous = l->previous;
    t->joint_count--;
    sw_sniff_free(&l->sniff);
    sw_tls_link_free(l->tls);
    sw_buf_free(&l->early);
    uv_freeaddrinfo(l->addresses);
    sw_mem_free(l);
}

static void close_joint(joint *l) {
    if (l->state == JOINT_CLOSING)
        return;
    l->state = JOINT_CLOSING;
    uv_close((uv_handle_t *)&l->client, on_closed);
    if (l->upstream_made)
        uv_close((uv_handle_t *)&l->upstream, on_closed);
}

static void on_client_ended(uv_shutdown_t *request, int failed) {
    joint *l = request->data;
    if (failed || l->client_ended)
        close_joint(l);
}

/* The client gets what is queued for it, and then the end. */
static void end_client(joint *l) {
    if (l->state >= JOINT_ENDING)
        return;
    l->state = JOINT_ENDING;
    l->moved_ms = uv_now(l->tunnel->loop);
    l->client_end.data = l;
    if (!l->client_ended) /* to see when it has taken the end */
        uv_read_start((uv_stream_t *)&l->client, lend, on_client_bytes);
    if (uv_shutdown(&l->client_end, (uv_stream_t *)&l->client, on_client_ended) != 0)
        close_joint(l);
}

/* ---- Writing ---- */

static size_t to_upstream_bytes(const joint *l) {
    return uv_stream_get_write_queue_size((const uv_stream_t *)&l->upstream) +
           (l->tls ? sw_tls_link_waiting(l->tls) : 0);
}

/* Reads from either side for as long as the other one keeps up. */
static void balance(joint *l) {
    size_t up = to_upstream_bytes(l);
    size_t down = uv_stream_get_write_queue_size((const uv_stream_t *)&l->client);
    uv_stream_t *client = (uv_stream_t *)&l->client, *upstream = (uv_stream_t *)&l->upstream;
    if (l->state != JOINT_OPEN)
        return;
    if (!l->client_paused && !l->client_ended && up > QUEUED_BYTES_MAX) {
        l->client_paused = true;
        uv_read_stop(client);
    } else if (l->client_paused && !l->client_ended && up < QUEUED_BYTES_MAX / 2) {
        l->client_paused = false;
        uv_read_start(client, lend, on_client_bytes);
    }
    if (!l->upstream_paused && down > QUEUED_BYTES_MAX) {
        l->upstream_paused = true;
        uv_read_stop(upstream);
    } else if (l->upstream_paused && down < QUEUED_BYTES_MAX / 2) {
        l->upstream_paused = false;
        uv_read_start(upstream, lend, on_upstream_bytes);
    }
}

static void on_written(uv_write_t *request, int failed) {
    joint *l = joint_of((uv_handle_t *)request->handle);
    sw_mem_free(SW_CONTAINER(request, pending_write, request));
    if (l->state == JOINT_CLOSING)
        return;
    if (failed) {
        close_joint(l);
        return;
    }
    l->moved_ms = uv_now(l->tunnel->loop);
    balance(l);
}

/* What does not go at once is copied. */
static void write_bytes(joint *l, uv_tcp_t *to, sw_str bytes) {
    uv_stream_t *stream = (uv_stream_t *)to;
    if (bytes.len == 0 || l->state == JOINT_CLOSING)
        return;
    if (uv_stream_get_write_queue_size(stream) == 0) {
        uv_buf_t at_once = uv_buf_init((char *)(uintptr_t)bytes.at, (unsigned)bytes.len);
        int done = uv_try_write(stream, &at_once, 1);
        if (done == (int)bytes.len)
            return;
        if (done > 0)
            bytes = (sw_str){bytes.at + done, bytes.len - (size_t)done};
    }
    pending_write *pending = sw_mem_alloc(sizeof *pending + bytes.len);
    if (!pending) {
        close_joint(l);
        return;
    }
    memcpy(pending->bytes, bytes.at, bytes.len);
    uv_buf_t buf = uv_buf_init(pending->bytes, (unsigned)bytes.len);
    if (uv_write(&pending->request, stream, &buf, 1, on_written) != 0) {
        sw_mem_free(pending);
        close_joint(l);
    }
}

/* ---- The upstream's side ---- */

static void refuse(joint *l, const char *why) {
    char reason[SW_ERROR_BYTES];
    sw_buf body = {0}, reply = {0};
    l->tunnel->counts.unreachable++;
    if (l->replied || !sw_sniff_may_refuse(&l->sniff)) {
        close_joint(l);
        return;
    }
    snprintf(reason, sizeof reason, "the upstream %s:%s cannot be reached: %s",
             l->tunnel->config.host, l->tunnel->config.port, why);
    sw_json w = sw_json_to(&body);
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "error", reason);
    sw_json_end_object(&w);
    sw_buf_printf(&reply,
                  "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                  body.len);
    sw_buf_add_str(&reply, sw_buf_str(&body));
    write_bytes(l, &l->client, sw_buf_str(&reply));
    sw_buf_free(&body);
    sw_buf_free(&reply);
    end_client(l);
}

static void deliver(joint *l, sw_str plain) {
    if (plain.len == 0)
        return;
    sw_sniff_reply(&l->sniff, plain);
    l->replied = true;
    write_bytes(l, &l->client, plain);
    balance(l);
    if ((l->tunnel->stopping || l->client_ended) && sw_sniff_is_idle(&l->sniff))
        end_client(l);
}

/* TLS in between: both ways at once, as either may need the other. */
static void move_tls(joint *l, sw_str wire, sw_str plain) {
    sw_buf to_wire = {0}, to_plain = {0};
    sw_error why = {"the connection broke off"};
    bool ended = false;
    bool good = sw_tls_link_move(l->tls, wire, plain, &to_wire, &to_plain, &ended, &why);
    write_bytes(l, &l->upstream, sw_buf_str(&to_wire));
    deliver(l, sw_buf_str(&to_plain));
    sw_buf_free(&to_wire);
    sw_buf_free(&to_plain);
    if (l->state != JOINT_OPEN)
        return;
    if (!good) {
        refuse(l, why.text);
    } else if (ended) {
        sw_sniff_reply_end(&l->sniff);
        end_client(l);
    } else {
        balance(l);
    }
}

static void to_upstream(joint *l, sw_str plain) {
    if (l->tls)
        move_tls(l, (sw_str){0}, plain);
    else
        write_bytes(l, &l->upstream, plain);
    balance(l);
}

static void on_upstream_bytes(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf) {
    joint *l = stream->data;
    if (len == 0 || l->state != JOINT_OPEN)
        return;
    l->moved_ms = uv_now(l->tunnel->loop);
    if (len < 0) {
        sw_sniff_reply_end(&l->sniff);
        if (len == UV_EOF)
            end_client(l);
        else
            close_joint(l);
        return;
    }
    sw_str bytes = {buf->base, (size_t)len};
    if (l->tls)
        move_tls(l, bytes, (sw_str){0});
    else
        deliver(l, bytes);
}

static void end_upstream(joint *l) {
    l->upstream_end.data = l;
    /* Nothing to be told where this fails: the upstream ends the connection in its time. */
    (void)uv_shutdown(&l->upstream_end, (uv_stream_t *)&l->upstream, NULL);
}

static void on_connected(uv_connect_t *request, int failed);

/* The next address, until one answers. */
static void try_address(joint *l, const char *why) {
    if (!l->address) {
        refuse(l, why);
        return;
    }
    uv_tcp_init(l->tunnel->loop, &l->upstream);
    l->upstream.data = l;
    l->upstream_made = true;
    l->handles++;
    uv_tcp_nodelay(&l->upstream, 1);
    int failed = uv_tcp_connect(&l->connect, &l->upstream, l->address->ai_addr, on_connected);
    if (failed)
        refuse(l, uv_strerror(failed));
}

/* The handle that failed is closed; another one takes its place. */
static void on_failed_closed(uv_handle_t *handle) {
    joint *l = joint_of(handle);
    l->upstream_made = false;
    if (l->state == JOINT_CLOSING) {
        on_closed(handle);
        return;
    }
    l->handles--;
    if (l->state == JOINT_CONNECTING)
        try_address(l, uv_strerror((int)(intptr_t)l->connect.data));
}

static void on_connected(uv_connect_t *request, int failed) {
    joint *l = SW_CONTAINER(request, joint, connect);
    if (l->state != JOINT_CONNECTING)
        return;
    if (failed) {
        l->address = l->address->ai_next;
        request->data = (void *)(intptr_t)failed;
        l->upstream_made = false; /* it is being closed here */
        uv_close((uv_handle_t *)&l->upstream, on_failed_closed);
        return;
    }
    l->state = JOINT_OPEN;
    l->moved_ms = uv_now(l->tunnel->loop);
    uv_read_start((uv_stream_t *)&l->upstream, lend, on_upstream_bytes);
    sw_buf early = l->early;
    l->early = (sw_buf){0};
    to_upstream(l, sw_buf_str(&early));
    sw_buf_free(&early);
    if (l->state == JOINT_OPEN && l->client_ended && !l->tls)
        end_upstream(l);
    balance(l);
}

static void on_resolved(uv_getaddrinfo_t *request, int failed, struct addrinfo *addresses) {
    joint *l = SW_CONTAINER(request, joint, resolve);
    l->resolving = false;
    l->addresses = l->address = addresses;
    if (l->state == JOINT_CLOSING) {
        if (l->handles == 0) { /* it waited for this alone */
            l->handles = 1;
            on_closed((uv_handle_t *)&l->client);
        }
        return;
    }
    if (l->state == JOINT_CONNECTING)
        try_address(l, failed ? uv_strerror(failed) : "its name has no address");
}

static void connect_upstream(joint *l) {
    const sw_tunnel_config *config = &l->tunnel->config;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    l->state = JOINT_CONNECTING;
    if (config->tls && !(l->tls = sw_tls_link_make(config->tls))) {
        close_joint(l);
        return;
    }
    int failed = uv_getaddrinfo(l->tunnel->loop, &l->resolve, on_resolved, config->host,
                                config->port, &hints);
    if (failed)
        refuse(l, uv_strerror(failed));
    else
        l->resolving = true;
}

/* ---- The client's side ---- */

static void client_is_done(joint *l) {
    bool waits = l->state == JOINT_CONNECTING || l->state == JOINT_OPEN;
    l->client_ended = true;
    if (!waits || sw_sniff_is_idle(&l->sniff))
        close_joint(l);
    else if (l->state == JOINT_OPEN && !l->tls)
        end_upstream(l); /* a reply may still come */
}

static void on_client_bytes(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf) {
    joint *l = stream->data;
    if (len == 0 || l->state == JOINT_CLOSING)
        return;
    l->moved_ms = uv_now(l->tunnel->loop);
    if (len < 0) {
        uv_read_stop(stream);
        if (len == UV_EOF)
            client_is_done(l);
        else
            close_joint(l);
        return;
    }
    if (l->state == JOINT_ENDING)
        return; /* nobody listens any more */
    sw_buf out = {0};
    sw_sniff_request(&l->sniff, (sw_str){buf->base, (size_t)len}, &out);
    if (out.failed) {
        close_joint(l);
    } else if (l->state == JOINT_OPEN) {
        to_upstream(l, sw_buf_str(&out));
    } else {
        sw_buf_add_str(&l->early, sw_buf_str(&out));
        l->client_paused = true; /* the rest waits until the upstream is there */
        uv_read_stop(stream);
        if (l->state == JOINT_NEW)
            connect_upstream(l);
    }
    sw_buf_free(&out);
}

static void on_connection(uv_stream_t *listener, int failed) {
    sw_tunnel *t = listener->data;
    if (failed)
        return;
    joint *l = sw_mem_zalloc(1, sizeof *l);
    if (!l)
        return;
    l->tunnel = t;
    uv_tcp_init(t->loop, &l->client);
    l->client.data = l;
    l->handles = 1;
    l->moved_ms = uv_now(t->loop);
    l->next = t->joints;
    if (t->joints)
        t->joints->previous = l;
    t->joints = l;
    t->joint_count++;
    t->counts.connections++;
    sw_sniff_init(&l->sniff, &t->config.rules, &t->counts.sniffed);
    if (uv_accept(listener, (uv_stream_t *)&l->client) != 0 || t->stopping ||
        t->joint_count > t->config.connections_max) {
        close_joint(l);
        return;
    }
    uv_tcp_nodelay(&l->client, 1);
    uv_read_start((uv_stream_t *)&l->client, lend, on_client_bytes);
}

/* ---- Time ---- */

static uint64_t patience_ms(const joint *l) {
    return l->state == JOINT_CONNECTING ? CONNECT_MS
           : l->state == JOINT_ENDING   ? LINGER_MS
                                        : l->tunnel->config.idle_ms;
}

static void on_sweep(uv_timer_t *timer) {
    sw_tunnel *t = timer->data;
    uint64_t now_ms = uv_now(t->loop);
    bool over = t->stopping && now_ms >= t->stop_ms;
    for (joint *l = t->joints, *next; l; l = next) {
        next = l->next;
        bool late = now_ms - l->moved_ms > patience_ms(l);
        if (late && l->state == JOINT_CONNECTING)
            refuse(l, "it did not answer in time");
        else if (over || late)
            close_joint(l);
    }
    if (t->stopping && !t->joints)
        uv_close((uv_handle_t *)timer, NULL);
}

void sw_tunnel_stop(sw_tunnel *t, uint64_t grace_ms) {
    if (t->stopping)
        return;
    t->stopping = true;
    t->stop_ms = uv_now(t->loop) + grace_ms;
    uv_close((uv_handle_t *)&t->listener, NULL);
    for (joint *l = t->joints, *next; l; l = next) {
        next = l->next;
        if (sw_sniff_is_idle(&l->sniff))
            end_client(l);
    }
    uv_timer_start(&t->sweep, on_sweep, 0, 20);
}

/* ---- Start ---- */

static sw_status split_address(char host[128], uint16_t *port, const char *text, sw_error *error) {
    sw_str name, digits;
    uint64_t number;
    if (!sw_str_split_host(&name, &digits, sw_str_of(text)) || name.len >= 128 ||
        !sw_str_to_u64(&number, digits, UINT16_MAX))
        return sw_fail(error, SW_CODE_USAGE,
                       "--listen %s: give ADDRESS:PORT, such as 127.0.0.1:9000 or [::1]:9000",
                       text);
    snprintf(host, 128, "%.*s", SW_STR_ARG(name));
    *port = (uint16_t)number;
    return SW_OK;
}

static sw_status listen_on(sw_tunnel *t, sw_error *error) {
    char host[128];
    uint16_t port = 0;
    struct sockaddr_storage address;
    SW_TRY(split_address(host, &port, t->config.listen, error));
    const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (uv_ip4_addr(name, port, (struct sockaddr_in *)&address) != 0 &&
        uv_ip6_addr(name, port, (struct sockaddr_in6 *)&address) != 0)
        return sw_fail(error, SW_CODE_USAGE, "--listen %s: give an address, not a name",
                       t->config.listen);
    int failed = uv_tcp_bind(&t->listener, (struct sockaddr *)&address, 0);
    if (!failed)
        failed = uv_listen((uv_stream_t *)&t->listener, BACKLOG, on_connection);
    if (failed)
        return sw_fail(error, failed == UV_EADDRINUSE ? SW_CODE_CONFLICT : SW_CODE_IO,
                       "cannot listen on %s: %s", t->config.listen, uv_strerror(failed));
    int len = sizeof address;
    if (uv_tcp_getsockname(&t->listener, (struct sockaddr *)&address, &len) == 0)
        port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                   : ((struct sockaddr_in *)&address)->sin_port);
    snprintf(t->address, sizeof t->address, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    return SW_OK;
}

sw_status sw_tunnel_start(sw_tunnel **out, uv_loop_t *loop, const sw_tunnel_config *config,
                          sw_error *error) {
    sw_tunnel *t = sw_mem_zalloc(1, sizeof *t);
    *out = NULL;
    if (t)
        t->scratch = sw_mem_alloc(READ_BYTES);
    if (!t || !t->scratch) {
        sw_mem_free(t);
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for the proxy");
    }
    t->loop = loop;
    t->config = *config;
    uv_tcp_init(loop, &t->listener);
    uv_timer_init(loop, &t->sweep);
    t->listener.data = t->sweep.data = t;
    sw_status status = listen_on(t, error);
    if (sw_failed(status)) {
        uv_close((uv_handle_t *)&t->listener, NULL);
        uv_close((uv_handle_t *)&t->sweep, NULL);
        uv_run(loop, UV_RUN_DEFAULT);
        sw_tunnel_free(t);
        return status;
    }
    uv_timer_start(&t->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    *out = t;
    return SW_OK;
}

const char *sw_tunnel_address(const sw_tunnel *t) {
    return t->address;
}

const sw_tunnel_counts *sw_tunnel_counted(const sw_tunnel *t) {
    return &t->counts;
}

void sw_tunnel_free(sw_tunnel *t) {
    if (!t)
        return;
    sw_mem_free(t->scratch);
    sw_mem_free(t);
}
