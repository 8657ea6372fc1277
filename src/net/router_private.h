/* SPDX-License-Identifier: Apache-2.0 */
/*
 * router: which handler answers this path?
 *
 * The table of routes becomes a tree of path segments. A literal segment wins over a capture, a
 * capture over the rest of the path. The rest answers only where no other route has the path, for
 * any method: so a POST to nowhere is told that nothing is there, and a GET of what takes POST is
 * told so. Built once; a look-up allocates only where a path has percent-escapes.
 *
 * Threads: any, once built.
 */
#ifndef SW_NET_ROUTER_PRIVATE_H
#define SW_NET_ROUTER_PRIVATE_H

#include "net/exchange.h"

typedef struct sw_router sw_router;

typedef enum sw_match {
    SW_MATCH_FOUND,
    SW_MATCH_NO_PATH,
    SW_MATCH_NO_METHOD,
    SW_MATCH_BAD_PATH
} sw_match;

/* Captures as runs within the path, where they need no decoding. */
typedef struct sw_route {
    const sw_route_entry *entry;
    uint32_t path_len;
    struct {
        uint32_t at, len;
    } param[SW_PARAMS_MAX];
} sw_route;

SW_MUST_USE sw_status sw_router_make(sw_router **out, const sw_route_entry *routes, size_t count,
                                     sw_error *error);
void sw_router_free(sw_router *router);
/* Fills params (decoded ones from `arena`). HEAD falls back to GET. `*reusable` tells whether `out`
 * holds for the same path again. */
sw_match sw_router_find(sw_route *out, sw_str params[SW_PARAMS_MAX], bool *reusable,
                        const sw_router *router, sw_method method, bool grpc, sw_str path,
                        sw_arena *arena);
/* "GET, HEAD, POST": what the path does answer to, in the arena. */
sw_str sw_router_allow(const sw_router *router, sw_str path, sw_arena *arena);

/* False at a malformed escape or %00. `plus` turns '+' into a space. `out` has s.len bytes of room.
 */
bool sw_percent_decode(char *out, size_t *out_len, sw_str s, bool plus);

#endif /* SW_NET_ROUTER_PRIVATE_H */
