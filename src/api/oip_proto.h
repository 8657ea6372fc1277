/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oip_proto: the messages of Open Inference Protocol v2 over gRPC, and of grpc.health.v1.
 *
 * Reads protobuf's wire format straight into typed tensors: contents packed or not, raw contents,
 * unknown fields skipped, every length checked against what is there.
 *
 * Answers carry raw contents where the request did, as Triton's clients expect, and typed contents
 * where the request had typed ones (FP16 has none, so an answer with an FP16 output is raw).
 *
 * Memory:  tensors in the arena, or slices of the body where it is aligned for them.
 * Threads: any.
 * Layer:   api. Source: the protocol's field numbers, kept in tests/data/open_inference.proto.
 */
#ifndef SW_API_OIP_PROTO_H
#define SW_API_OIP_PROTO_H

#include "base/arena.h"
#include "base/status.h"
#include "serve/infer_request.h"

SW_MUST_USE sw_status sw_oip_proto_parse_infer(sw_infer_request *out, sw_str body, sw_arena *arena,
                                               sw_error *error);
SW_MUST_USE sw_status sw_oip_proto_write_infer(sw_buf *out, const sw_infer_response *response,
                                               const sw_infer_request *request, sw_error *error);

/* ModelReadyRequest and ModelMetadataRequest: name and version (may be empty). */
SW_MUST_USE sw_status sw_oip_proto_parse_model(sw_str *name, sw_str *version, sw_str body,
                                               sw_error *error);
/* grpc.health.v1.HealthCheckRequest; an empty name asks for the whole server. */
SW_MUST_USE sw_status sw_oip_proto_parse_health(sw_str *service, sw_str body, sw_error *error);

/* ServerLiveResponse, ServerReadyResponse, ModelReadyResponse: one bool. */
void sw_oip_proto_write_yes_no(sw_buf *out, bool yes);
void sw_oip_proto_write_server(sw_buf *out, sw_str name, sw_str version, const sw_str *extensions,
                               size_t extension_count);

typedef struct sw_oip_model {
    sw_str name;
    const sw_str *versions;
    size_t version_count;
    sw_str platform;
    const sw_tensor_spec *inputs;
    size_t input_count;
    const sw_tensor_spec *outputs;
    size_t output_count;
} sw_oip_model;

void sw_oip_proto_write_model(sw_buf *out, const sw_oip_model *model);

typedef enum sw_health {
    SW_HEALTH_UNKNOWN,
    SW_HEALTH_SERVING,
    SW_HEALTH_NOT_SERVING,
    SW_HEALTH_SERVICE_UNKNOWN
} sw_health;

void sw_oip_proto_write_health(sw_buf *out, sw_health health);

#endif /* SW_API_OIP_PROTO_H */
