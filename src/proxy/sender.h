/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender: from captures to observations on a Slipway server, in the background.
 *
 * One thread takes captures from a bounded queue, extracts observations by the model's signature
 * (which it fetches, and again now and then) and sends them in bulk. Where the server is away it
 * tries again and again; meanwhile the queue fills, and beyond its bound captures are dropped and
 * counted. What was sent but not answered is sent again: observations may then count twice, but are
 * not lost.
 *
 * Threads: sw_sender_put from any; the rest from the main thread.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_SENDER_H
#define SW_PROXY_SENDER_H

#include "cli/remote.h"
#include "proxy/capture.h"

typedef struct sw_sender sw_sender;

typedef struct sw_sender_config {
    const char *model;
    const char *features, *prediction; /* sw_extract_rules */
    size_t queue_bytes_max;
    bool quiet;
} sw_sender_config;

/* Takes `remote` over. Strings must outlive it. */
SW_MUST_USE sw_status sw_sender_start(sw_sender **out, sw_remote *remote,
                                      const sw_sender_config *config, sw_error *error);
/* Takes the capture over; never waits. */
void sw_sender_put(sw_sender *sender, sw_capture *capture);

typedef struct sw_sender_counts {
    uint64_t sent;       /* observations that the server took */
    uint64_t rejected;   /* … that it did not */
    uint64_t unreadable; /* captures of which nothing could be made */
    uint64_t dropped;    /* captures, the queue being full or the server away at the end */
} sw_sender_counts;

/* Sends what is queued for at most `grace_ms`, then stops and frees. */
void sw_sender_stop(sw_sender_counts *out, sw_sender *sender, uint64_t grace_ms);

#endif /* SW_PROXY_SENDER_H */
