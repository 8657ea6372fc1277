/* SPDX-License-Identifier: Apache-2.0 */
#include "api/reply.h"

void sw_reply_json(sw_exchange *exchange, int http_status, sw_buf *json) {
    sw_error error;
    if (json->failed)
        sw_exchange_fail(
            exchange, sw_fail(&error, SW_CODE_NO_MEMORY, "out of memory for the answer"), &error);
    else
        sw_exchange_reply(exchange, http_status, "application/json", sw_buf_str(json));
    sw_buf_free(json);
}

void sw_answer(sw_exchange *exchange, void *app, int http_status, sw_answer_fn *write) {
    sw_buf json = {0};
    sw_error error;
    sw_status status = write(&json, exchange, app, &error);
    if (!sw_failed(status)) {
        sw_reply_json(exchange, http_status, &json);
        return;
    }
    sw_buf_free(&json);
    sw_exchange_fail(exchange, status, &error);
}

sw_status sw_body_object(json_t **out, const sw_exchange *exchange, sw_error *error) {
    json_error_t where;
    if (sw_str_trim(exchange->body).len == 0) {
        *out = json_object();
        return *out ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the request");
    }
    *out = json_loadb(exchange->body.at, exchange->body.len, JSON_REJECT_DUPLICATES, &where);
    if (!*out)
        return sw_fail(error, SW_CODE_INVALID, "the body is no JSON: %s (line %d, column %d)",
                       where.text, where.line, where.column);
    if (json_is_object(*out))
        return SW_OK;
    json_decref(*out);
    return sw_fail(error, SW_CODE_INVALID, "the body must be a JSON object");
}

sw_status sw_body_str(sw_str *out, const json_t *object, const char *key, sw_error *error) {
    const json_t *value = json_object_get(object, key);
    *out = (sw_str){0};
    if (!value || json_is_null(value))
        return SW_OK;
    if (!json_is_string(value))
        return sw_fail(error, SW_CODE_INVALID, "\"%s\" must be a string", key);
    *out = (sw_str){json_string_value(value), json_string_length(value)};
    return SW_OK;
}

sw_status sw_body_u64(uint64_t *out, const json_t *object, const char *key, uint64_t otherwise,
                      sw_error *error) {
    const json_t *value = json_object_get(object, key);
    *out = otherwise;
    if (!value || json_is_null(value))
        return SW_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return sw_fail(error, SW_CODE_INVALID, "\"%s\" must be a whole number, not below 0", key);
    *out = (uint64_t)json_integer_value(value);
    return SW_OK;
}

sw_status sw_query_u64(uint64_t *out, sw_exchange *exchange, const char *name, uint64_t otherwise,
                       uint64_t max, sw_error *error) {
    sw_str text = sw_exchange_query(exchange, name);
    *out = otherwise;
    if (text.len == 0)
        return SW_OK;
    if (sw_str_to_u64(out, text, max) && *out > 0)
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID, "?%s=%.*s: give a whole number from 1 to %llu", name,
                   SW_STR_ARG(text), (unsigned long long)max);
}

void sw_json_event(sw_json *w, const sw_event *event) {
    sw_json_begin_object(w);
    sw_json_add_i64(w, "id", event->id);
    sw_json_add_i64(w, "at_ms", event->at_ms);
    sw_json_add_str(w, "kind", event->kind);
    sw_json_add_str(w, "model", event->model);
    sw_json_add_str(w, "who", event->who);
    sw_json_add_str(w, "text", event->text);
    sw_json_key(w, "data");
    sw_json_raw(w, event->data_json.len ? event->data_json : SW_STR("{}"));
    sw_json_end_object(w);
}
