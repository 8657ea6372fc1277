/* SPDX-License-Identifier: Apache-2.0 */
/*
 * capture: one request to a model and its reply, as they went by.
 *
 * Memory:  sw_capture_free.
 * Threads: one at a time: the loop's, then the sender's.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_CAPTURE_H
#define SW_PROXY_CAPTURE_H

#include "base/str.h"

enum {
    SW_CAPTURE_BYTES_MAX = 4 << 20, /* of a body; larger ones go by unseen */
    SW_CAPTURE_ID_BYTES = 129,
    SW_CAPTURE_PATH_BYTES = 512,
};

typedef struct sw_capture {
    struct sw_capture *next;
    char path[SW_CAPTURE_PATH_BYTES];             /* without the query */
    sw_buf request, reply;                        /* bodies */
    int64_t request_json_bytes, reply_json_bytes; /* Inference-Header-Content-Length; -1: none */
    char id[SW_CAPTURE_ID_BYTES];                 /* empty: none */
    int64_t at_ms;                                /* when the reply was complete */
    double latency_ms;                            /* from the request's first byte to then */
} sw_capture;

void sw_capture_free(sw_capture *capture);
static inline size_t sw_capture_bytes(const sw_capture *capture) {
    return sizeof *capture + capture->request.cap + capture->reply.cap;
}

#endif /* SW_PROXY_CAPTURE_H */
