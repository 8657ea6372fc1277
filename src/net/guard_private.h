/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard: is this request meant for this server, and from a page of its own?
 *
 * The Host check stops DNS rebinding: a page of another site whose name has been pointed at this
 * address. The Origin check stops cross-site request forgery.
 */
#ifndef SW_NET_GUARD_PRIVATE_H
#define SW_NET_GUARD_PRIVATE_H

#include "base/str.h"

typedef struct sw_guard {
    const char *listen_host;  /* without brackets */
    const char *const *hosts; /* more names; NULL = none */
    bool beyond_loopback;     /* then any IP literal is accepted: it cannot be rebound */
} sw_guard;

bool sw_guard_host_ok(const sw_guard *guard, sw_str host);
/* `host` is the request's own. */
bool sw_guard_origin_ok(const sw_guard *guard, sw_str origin, sw_str host, bool secure);

#endif /* SW_NET_GUARD_PRIVATE_H */
