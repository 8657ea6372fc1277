/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oip_json: bodies of Open Inference Protocol v2 over REST, to typed tensors and back.
 *
 * Reads straight from the bytes into the tensors' memory, in any order of keys. Choices where the
 * protocol leaves room:
 * - data may be flat or nested; nested data must agree with the shape.
 * - integer datatypes take whole numbers only, also when written 3.0 or 3e2; BOOL takes true,
 *   false, 0 and 1.
 * - floating datatypes take the tokens NaN, Infinity and -Infinity (as Python clients send them),
 *   and null as NaN (as JavaScript sends it). A number that rounds to infinity is refused.
 * - answers have null for NaN, which every JSON reader takes and numpy reads as NaN, and
 *   the tokens Infinity and -Infinity, which Python, Java and RapidJSON read. Raw outputs and gRPC
 *   carry both unchanged.
 * - duplicate keys are refused where they would matter; unknown keys are skipped.
 * - BYTES travel as strings; bytes that are no UTF-8 must travel raw.
 *
 * Binary tensor extension: a header Inference-Header-Content-Length says how many bytes of the
 * body are JSON; raw little-endian tensors follow in input order. 0 means: all of the body is
 * the one input of the model.
 *
 * Memory:  tensors in the arena, or slices of the body where it is aligned for them.
 * Threads: any.
 * Layer:   api. Source: Open Inference Protocol v2 and its binary tensor data extension.
 */
#ifndef SW_API_OIP_JSON_H
#define SW_API_OIP_JSON_H

#include "base/arena.h"
#include "base/status.h"
#include "serve/infer_request.h"

/* No Inference-Header-Content-Length came: the body is JSON alone. */
enum { SW_OIP_NO_HEADER = -1 };

/*
 * `header_bytes`: the value of Inference-Header-Content-Length, or SW_OIP_NO_HEADER. `specs` are
 * the model's inputs, used for a body that is one raw input; may be NULL where they are unknown.
 * INVALID says what was wrong and where.
 */
SW_MUST_USE sw_status sw_oip_json_parse(sw_infer_request *out, sw_str body, int64_t header_bytes,
                                        const sw_tensor_spec *specs, size_t spec_count,
                                        sw_arena *arena, sw_error *error);

/* The outputs of an answer, as another server of this protocol writes it. */
SW_MUST_USE sw_status sw_oip_json_parse_answer(sw_tensor **outputs, size_t *count, sw_str body,
                                               int64_t header_bytes, sw_arena *arena,
                                               sw_error *error);

/*
 * The answer to `request`: its outputs in its order, or all. `*header_bytes` becomes the length of
 * the JSON where raw outputs follow it (to be sent as Inference-Header-Content-Length, with
 * content type application/octet-stream), else SW_OIP_NO_HEADER.
 */
SW_MUST_USE sw_status sw_oip_json_write(sw_buf *out, int64_t *header_bytes,
                                        const sw_infer_response *response,
                                        const sw_infer_request *request, sw_error *error);

#endif /* SW_API_OIP_JSON_H */
