/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extract: observations out of a request to a model and its reply.
 *
 * Open Inference Protocol: a feature is found by its input's name and its column; where the request
 * has one tensor as wide as there are features, by its place. Plain JSON: rows are one object, a
 * list of objects or of lists, at `features` or under "instances", "records", "inputs" and the like;
 * predictions are at `prediction` or under "predictions" and the like, one for each row. Members of
 * a row that are no features are left out.
 *
 * Threads: any.
 * Layer:   proxy.
 */
#ifndef SW_PROXY_EXTRACT_H
#define SW_PROXY_EXTRACT_H

#include "base/arena.h"
#include "base/status.h"
#include "model/signature.h"
#include "proxy/capture.h"

typedef struct sw_extract_rules {
    const sw_signature *signature;
    /* JSON pointers (RFC 6901), in which a segment "*" stands for each element of a list; NULL: where
     * they usually are. */
    const char *features, *prediction;
} sw_extract_rules;

/* A pointer that can be followed: USAGE where it does not begin with '/'. */
SW_MUST_USE sw_status sw_extract_check_pointer(const char *pointer, const char *option,
                                               sw_error *error);

/* Appends a line of JSON for each row (api: observations). INVALID: it holds none, and why. */
SW_MUST_USE sw_status sw_extract(sw_buf *lines, size_t *rows, const sw_capture *capture,
                                 const sw_extract_rules *rules, sw_arena *arena, sw_error *error);

#endif /* SW_PROXY_EXTRACT_H */
