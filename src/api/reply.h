/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply: JSON answers of the control API.
 *
 * Threads: wherever the handler runs.
 * Layer:   api.
 */
#ifndef SW_API_REPLY_H
#define SW_API_REPLY_H

#include "base/json.h"
#include "net/exchange.h"
#include "registry/registry.h"
#include "serve/deploy.h"

#include <jansson.h>

/* Sends what was gathered and frees the buffer; a failed buffer becomes NO_MEMORY. */
void sw_reply_json(sw_exchange *exchange, int http_status, sw_buf *json);

/* Writes the JSON of an answer; where it fails, what it wrote is dropped. */
typedef sw_status sw_answer_fn(sw_buf *json, sw_exchange *exchange, void *app, sw_error *error);
/* Replies with what `write` writes, or with its failure. */
void sw_answer(sw_exchange *exchange, void *app, int http_status, sw_answer_fn *write);

/* The body as a JSON object; an empty body is an empty object. INVALID says what is wrong and
 * where. The caller json_decrefs it. */
SW_MUST_USE sw_status sw_body_object(json_t **out, const sw_exchange *exchange, sw_error *error);
/* A string member, borrowed from `object`; {NULL, 0} where it is absent or null. INVALID where it
 * is something else. */
SW_MUST_USE sw_status sw_body_str(sw_str *out, const json_t *object, const char *key,
                                  sw_error *error);
SW_MUST_USE sw_status sw_body_u64(uint64_t *out, const json_t *object, const char *key,
                                  uint64_t otherwise, sw_error *error);
/* A query parameter that is a number within [1, max]. */
SW_MUST_USE sw_status sw_query_u64(uint64_t *out, sw_exchange *exchange, const char *name,
                                   uint64_t otherwise, uint64_t max, sw_error *error);

/* The nouns of the API, as JSON values. */
void sw_json_event(sw_json *w, const sw_event *event);

#endif /* SW_API_REPLY_H */
