/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: requests to a Slipway server, over libcurl.
 *
 * libcurl is loaded on first use, so that `serve` never carries it. One client keeps one
 * connection alive and does one request at a time.
 *
 * Memory:  sw_client_free the client, sw_buf_free a reply's buffers.
 * Threads: a client belongs to one thread; sw_client_load must have succeeded in the main thread
 *          before others make theirs.
 * Layer:   cli.
 */
#ifndef SW_CLI_CLIENT_PRIVATE_H
#define SW_CLI_CLIENT_PRIVATE_H

#include "base/status.h"
#include "base/str.h"
#include "cli/text_private.h"

#include <stdio.h>

typedef struct sw_client sw_client;

typedef struct sw_reply {
    long http; /* status */
    bool is_json;
    sw_buf body;
    sw_buf trailers; /* header lines that came behind the body (gRPC) */
    double seconds;
} sw_reply;

typedef struct sw_request {
    const char *method; /* "GET" … */
    const char *path;   /* from "/" */
    const char *type;   /* Content-Type; NULL: application/json where there is a body */
    sw_str body;        /* borrowed; at NULL: none */
    FILE *file;         /* the body instead, streamed; sent from where it stands */
    uint64_t file_bytes;
    bool http2;      /* prior knowledge, with `te: trailers` */
    long timeout_ms; /* of the whole; 0: none */
    sw_progress *progress;
    /* Takes the body as it comes (server-sent events) instead of reply.body; false ends it. */
    bool (*take)(void *context, sw_str bytes);
    void *context;
} sw_request;

/* Loads the library. UNSUPPORTED says which package is missing. */
SW_MUST_USE sw_status sw_client_load(sw_error *error);

/* `url`: http://host:port, https://…, unix:/path, or host:port. `token` and `ca_file` may be NULL.
 * USAGE where the address is none. */
SW_MUST_USE sw_status sw_client_make(sw_client **out, const char *url, const char *token,
                                     const char *ca_file, sw_error *error);
void sw_client_free(sw_client *client);

/* The answer, whatever its HTTP status. UNREACHABLE where there was none. `reply` may be used
 * again and again: its buffers are emptied first. */
SW_MUST_USE sw_status sw_client_do(sw_reply *reply, sw_client *client, const sw_request *request,
                                   sw_error *error);
void sw_reply_free(sw_reply *reply);

/* As the user wrote it, for messages. */
const char *sw_client_url(const sw_client *client);
/* The last reply of sw_cli_ask, kept here between requests. */
sw_reply *sw_client_reply(sw_client *client);

/* One segment of a path, percent-encoded; what is longer than a name may be is cut. */
typedef struct sw_segment {
    char at[768];
} sw_segment;
sw_segment sw_client_segment(const char *name);

#endif /* SW_CLI_CLIENT_PRIVATE_H */
