/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed: streams that stay open, and what is sent to all of them.
 *
 * The dashboards' server-sent events, and the gRPC health watchers. A message is copied to each
 * loop and sent there to its members. A member that does not read is cut off, not waited for.
 *
 * Threads: join on the exchange's loop; send from any thread.
 * Layer:   api.
 */
#ifndef SW_API_FEED_H
#define SW_API_FEED_H

#include "net/exchange.h"

typedef struct sw_feed sw_feed;

typedef enum sw_feed_kind {
    SW_FEED_EVENTS,  /* server-sent events */
    SW_FEED_HEALTH,  /* grpc.health.v1 Watch */
    SW_FEED_NOTHING, /* only kept open */
    SW_FEED_KINDS
} sw_feed_kind;

SW_MUST_USE sw_status sw_feed_make(sw_feed **out, sw_loops *loops, sw_error *error);
/* After the loops have stopped. */
void sw_feed_free(sw_feed *feed);

/* The exchange has opened its stream; it stays a member until its client goes or the feed closes.
 */
void sw_feed_join(sw_feed *feed, sw_exchange *exchange, sw_feed_kind kind);
/* Sends `message` to every member of that kind. Dropped where memory is out. */
void sw_feed_send(sw_feed *feed, sw_feed_kind kind, sw_str message);
/* Ends every stream, so that a drain need not wait for them. */
void sw_feed_close(sw_feed *feed);
/* Members of that kind, on all loops. */
uint32_t sw_feed_members(const sw_feed *feed, sw_feed_kind kind);

#endif /* SW_API_FEED_H */
