/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls: the client's side of TLS, from bytes to bytes: the caller moves them.
 *
 * Threads: a context after it is made: any; a connection: one at a time.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_TLS_H
#define SW_PROXY_TLS_H

#include "base/status.h"
#include "base/str.h"

typedef struct sw_tls_client sw_tls_client; /* of one upstream */
typedef struct sw_tls_link sw_tls_link;     /* one connection to it */

/* `host`: the name or address that the certificate must be of; `ca_file` NULL: the system's
 * authorities. Both must outlive it. */
SW_MUST_USE sw_status sw_tls_client_make(sw_tls_client **out, const char *host, const char *ca_file,
                                         sw_error *error);
void sw_tls_client_free(sw_tls_client *client);

/* NULL where memory is out. */
sw_tls_link *sw_tls_link_make(sw_tls_client *client);
void sw_tls_link_free(sw_tls_link *link);

/* Plain bytes that wait for the handshake. */
size_t sw_tls_link_waiting(const sw_tls_link *link);

/*
 * Takes `wire` bytes that came and `plain` bytes that are to go (kept until the handshake is done);
 * appends to `to_wire` what is to be sent and to `to_plain` what came. False where the connection is
 * broken; `why` then says it. `*ended` where the other side has said goodbye.
 */
bool sw_tls_link_move(sw_tls_link *link, sw_str wire, sw_str plain, sw_buf *to_wire,
                      sw_buf *to_plain, bool *ended, sw_error *why);

#endif /* SW_PROXY_TLS_H */
