/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observations_proto: the messages of slipway.v1.Observations (docs/observations.proto).
 *
 * An observation becomes the JSON object that it would have come as over HTTP, so that both are
 * read by the same rules.
 *
 * Threads: any.
 * Layer:   api.
 */
#ifndef SW_API_OBSERVATIONS_PROTO_H
#define SW_API_OBSERVATIONS_PROTO_H

#include "base/status.h"
#include "base/str.h"

/* Whom an ObserveRequest is about. */
SW_MUST_USE sw_status sw_observe_request_address(sw_str *model, sw_str *version, sw_str body,
                                                 sw_error *error);
/* Calls `visit` for each Observation, until it fails. */
typedef sw_status sw_observe_visit(sw_str observation, void *context, sw_error *error);
SW_MUST_USE sw_status sw_observe_request_each(sw_str body, sw_observe_visit *visit, void *context,
                                              sw_error *error);
SW_MUST_USE sw_status sw_observation_proto_to_json(sw_buf *json, sw_str observation,
                                                   sw_error *error);

/* An ObserveResponse. */
void sw_observe_response_begin(sw_buf *out, uint64_t accepted, uint64_t rejected);
void sw_observe_response_add(sw_buf *out, uint64_t index, sw_str error);

#endif /* SW_API_OBSERVATIONS_PROTO_H */
