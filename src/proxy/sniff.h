/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sniff: reads along with the HTTP/1.1 of one connection, both ways.
 *
 * The bytes go on as they came, but for three things: the Host header names the upstream, the
 * upstream's base path comes before each path, and of a request that is to be observed, a client
 * that takes compressed replies is said to take plain ones. Whatever is no HTTP/1.1 (HTTP/2 and so gRPC, a
 * protocol that was upgraded to, nonsense) goes by unread: it is `opaque` from there on.
 *
 * Threads: one at a time.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_SNIFF_H
#define SW_PROXY_SNIFF_H

#include "proxy/capture.h"

#include <llhttp.h>

/* The same for all connections. */
typedef struct sw_sniff_rules {
    sw_str host;           /* the upstream's, for the Host header */
    sw_str prefix;         /* its base path, without the last slash; may be empty */
    sw_str path;           /* only requests to this path (as the client sends it) are captured; */
    sw_str model;          /* where it is empty: those to infer this model, and all that are not of
                              the Open Inference Protocol */
    const char *id_header; /* lower case; NULL: none */
    void (*take)(sw_capture *capture, void *context); /* owns it from then on */
    void *context;
} sw_sniff_rules;

typedef struct sw_sniff_counts {
    uint64_t requests; /* that were begun */
    uint64_t captured;
    uint64_t too_large; /* would have been captured */
    uint64_t failed;    /* answered with another status than 2xx */
    uint64_t encoded;   /* a body was compressed */
} sw_sniff_counts;

typedef struct sw_sniff_pending sw_sniff_pending;

typedef struct sw_sniff_side {
    llhttp_t parser;
    char
        name[64]; /* of the header that is being read, lower case; what is longer is none of ours */
    size_t name_len;
    char value[160];
    size_t value_len;
    bool name_done, encoded;
    int64_t json_bytes;
} sw_sniff_side;

typedef struct sw_sniff {
    const sw_sniff_rules *rules;
    sw_sniff_counts *counts;
    bool opaque;
    sw_sniff_side request, reply;
    char path[SW_CAPTURE_PATH_BYTES];
    size_t path_len;
    bool path_begun, host_done;
    char id[SW_CAPTURE_ID_BYTES];
    sw_sniff_pending *oldest, *newest; /* requests whose reply is not complete */
    sw_sniff_pending *asking;          /* the request that is being read; NULL between two */
    uint32_t pending_count;
    const char *from; /* of the bytes at hand: what was not yet passed on */
    bool holding;     /* the value of a header that may be replaced is being read */
    sw_buf held;      /* of it and what follows: what came with earlier bytes */
    sw_buf *out;
} sw_sniff;

void sw_sniff_init(sw_sniff *sniff, const sw_sniff_rules *rules, sw_sniff_counts *counts);
void sw_sniff_free(sw_sniff *sniff);

/* Bytes of the client; appends what is to go to the upstream. */
void sw_sniff_request(sw_sniff *sniff, sw_str bytes, sw_buf *out);
/* Bytes of the upstream. */
void sw_sniff_reply(sw_sniff *sniff, sw_str bytes);
/* The upstream has ended the connection. */
void sw_sniff_reply_end(sw_sniff *sniff);
/* No request is under way. Never true of an opaque connection. */
bool sw_sniff_is_idle(const sw_sniff *sniff);
/* A request has begun, and no byte of its reply was seen. */
bool sw_sniff_may_refuse(const sw_sniff *sniff);

#endif /* SW_PROXY_SNIFF_H */
