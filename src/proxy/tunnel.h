/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tunnel: connections of clients, each joined to one of its own to the upstream.
 *
 * Workload: some thousand connections of any HTTP/1.1, and whatever else speaks over TCP. A client's
 * bytes go to the upstream as they come, and back; neither waits for what is done with them here
 * (sniff.h). Reading stops where the other side does not keep up. Where the upstream cannot be
 * reached the client gets 502 and the reason; all else it hears is the upstream's.
 *
 * Threads: one loop, the caller's thread. sw_tunnel_stop from a signal's callback on it.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_TUNNEL_H
#define SW_PROXY_TUNNEL_H

#include "base/status.h"
#include "proxy/sniff.h"
#include "proxy/tls.h"

#include <uv.h>

typedef struct sw_tunnel sw_tunnel;

typedef struct sw_tunnel_config {
    const char *listen; /* "127.0.0.1:9000", "[::]:0" */
    const char *host;   /* the upstream's name or address, */
    const char *port;   /* and its port, as a number */
    sw_tls_client *tls; /* NULL: in the clear */
    sw_sniff_rules rules;
    uint64_t idle_ms; /* a connection over which nothing went for so long is closed */
    uint32_t connections_max;
} sw_tunnel_config;

/* Listens; serves once the loop runs. CONFLICT where the address is in use. */
SW_MUST_USE sw_status sw_tunnel_start(sw_tunnel **out, uv_loop_t *loop,
                                      const sw_tunnel_config *config, sw_error *error);
/* "127.0.0.1:9000": with the port that was really taken. */
const char *sw_tunnel_address(const sw_tunnel *tunnel);
/* Takes no more connections, closes those that are idle, and the others as their replies are
 * complete, at the latest in `grace_ms`. The loop then has nothing left of it. */
void sw_tunnel_stop(sw_tunnel *tunnel, uint64_t grace_ms);
/* After the loop has ended. */
void sw_tunnel_free(sw_tunnel *tunnel);

typedef struct sw_tunnel_counts {
    sw_sniff_counts sniffed;
    uint64_t connections; /* since the start */
    uint64_t unreachable; /* upstream connections that failed */
} sw_tunnel_counts;
const sw_tunnel_counts *sw_tunnel_counted(const sw_tunnel *tunnel);

#endif /* SW_PROXY_TUNNEL_H */
