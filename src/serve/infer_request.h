/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer_request: one inference as tensors, whatever protocol carried it.
 *
 * Made by the codecs (api/oip_json, api/oip_proto), checked against the model and run by serve, and
 * written back by the codec that read it.
 *
 * Memory:  all in the request's arena, or slices of the request's body, which lives as long.
 * Threads: plain data.
 * Layer:   serve.
 */
#ifndef SW_SERVE_INFER_REQUEST_H
#define SW_SERVE_INFER_REQUEST_H

#include "model/tensor.h"

/* An output that the request asks for. */
typedef struct sw_wanted {
    sw_str name;
    bool binary; /* REST: behind the JSON, as raw bytes */
} sw_wanted;

typedef struct sw_infer_request {
    sw_str model;          /* gRPC only: REST has these two in the path */
    sw_str version;        /* empty: the deployment's choice */
    sw_str id;             /* empty: none, until the answer gets one that is made */
    const sw_str *row_ids; /* records: of each row, empty where it has none; NULL: none has */
    sw_tensor *inputs;     /* in the request's order; names not yet checked */
    size_t input_count;
    sw_wanted *outputs; /* none: all that the model has */
    size_t output_count;
    bool binary_output; /* REST: outputs that are not named go out as raw bytes */
    bool raw;           /* gRPC: tensors came as raw bytes, and go out so */
    bool single;        /* records: one object came, not a list */
    size_t records;     /* records: how many came */
} sw_infer_request;

typedef struct sw_infer_response {
    sw_str model;
    sw_str version;
    sw_str id;                /* empty: left out */
    const sw_tensor *outputs; /* all of the model's; the request's choice is made while writing */
    size_t output_count;
} sw_infer_response;

/* The output that goes out at place `i`: in the request's order, or the model's where the request
 * names none. NULL where the model has none of that name. */
static inline const sw_tensor *sw_infer_output_at(size_t i, const sw_infer_response *response,
                                                  const sw_infer_request *request) {
    if (request->output_count == 0)
        return &response->outputs[i];
    for (size_t k = 0; k < response->output_count; k++)
        if (sw_str_eq(response->outputs[k].name, request->outputs[i].name))
            return &response->outputs[k];
    return NULL;
}

#endif /* SW_SERVE_INFER_REQUEST_H */
