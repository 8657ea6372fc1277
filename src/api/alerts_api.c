/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/alerts, silences, alert-rules, deliveries, notifiers. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
#include "base/clock.h"

enum { LIMIT = 100, LIMIT_MAX = 1000, MATCHERS_MAX = 20 };

static sw_status path_id(int64_t *out, const sw_exchange *exchange, const char *noun,
                         sw_error *error) {
    uint64_t id;
    sw_str text = exchange->params[0];
    if (!sw_str_to_u64(&id, text, INT64_MAX) || id == 0)
        return sw_fail(error, SW_CODE_NOT_FOUND, "there is no %s of that number", noun);
    *out = (int64_t)id;
    return SW_OK;
}

/* ---- Alerts ---- */

static sw_status list_alerts(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    uint64_t limit, before;
    SW_TRY(sw_query_u64(&limit, exchange, "limit", LIMIT, LIMIT_MAX, error));
    SW_TRY(sw_query_u64(&before, exchange, "before", 0, INT64_MAX, error));
    sw_alert_query query = {.state = sw_exchange_query(exchange, "state"),
                            .model = sw_exchange_query(exchange, "model"),
                            .before_id = (int64_t)before,
                            .limit = (uint32_t)limit};
    return sw_alerts_list(json, app->alerts, &query, error);
}

void sw_api_alerts(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, list_alerts);
}

static sw_status get_alert(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    int64_t id = 0;
    SW_TRY(path_id(&id, exchange, "alert", error));
    return sw_alerts_get(json, app->alerts, id, error);
}

void sw_api_alert(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, get_alert);
}

static sw_status acknowledge(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    int64_t id = 0;
    json_t *body;
    sw_str note;
    SW_TRY(path_id(&id, exchange, "alert", error));
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = sw_body_str(&note, body, "note", error);
    if (!sw_failed(status))
        status =
            sw_alerts_acknowledge(json, app->alerts, id, sw_str_of(exchange->who), note, error);
    json_decref(body);
    return status;
}

void sw_api_acknowledge(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, acknowledge);
}

/* ---- Silences ---- */

static sw_status list_silences(sw_buf *json, sw_exchange *exchange, void *context,
                               sw_error *error) {
    sw_app *app = context;
    return sw_alerts_silences(json, app->alerts,
                              sw_str_is(sw_exchange_query(exchange, "state"), "all"), error);
}

void sw_api_silences(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, list_silences);
}

static sw_status read_matchers(sw_str *out, size_t *count, const json_t *body, sw_error *error) {
    const json_t *list = json_object_get(body, "matchers");
    *count = json_array_size(list);
    if (*count == 0 || *count > MATCHERS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "\"matchers\" is a list of 1 to %d texts, such as \"model=fraud\"",
                       MATCHERS_MAX);
    for (size_t i = 0; i < *count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item))
            return sw_fail(error, SW_CODE_INVALID,
                           "\"matchers\" is a list of texts, such as \"model=fraud\"");
        out[i] = (sw_str){json_string_value(item), json_string_length(item)};
    }
    return SW_OK;
}

static sw_status read_span(int64_t *from_ms, int64_t *until_ms, const json_t *body,
                           sw_error *error) {
    uint64_t from, until, for_s;
    int64_t now_ms = sw_clock_wall_ms();
    SW_TRY(sw_body_u64(&from, body, "from_ms", 0, error));
    SW_TRY(sw_body_u64(&until, body, "until_ms", 0, error));
    SW_TRY(sw_body_u64(&for_s, body, "for_s", 0, error));
    if (!until == !for_s || until > INT64_MAX || for_s > INT32_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "give either \"for_s\" (seconds) or \"until_ms\" (since 1970)");
    if (from > INT64_MAX / 2)
        return sw_fail(error, SW_CODE_INVALID, "\"from_ms\" is in ms since 1970");
    *from_ms = (int64_t)from > now_ms ? (int64_t)from : now_ms;
    *until_ms = until ? (int64_t)until : *from_ms + (int64_t)for_s * 1000;
    return SW_OK;
}

static sw_status read_silence(sw_buf *json, const json_t *body, sw_exchange *exchange, sw_app *app,
                              sw_error *error) {
    sw_str matchers[MATCHERS_MAX], why;
    size_t count;
    int64_t from_ms = 0, until_ms = 0;
    SW_TRY(read_matchers(matchers, &count, body, error));
    SW_TRY(read_span(&from_ms, &until_ms, body, error));
    SW_TRY(sw_body_str(&why, body, "why", error));
    return sw_alerts_silence(json, app->alerts, matchers, count, from_ms, until_ms,
                             sw_str_of(exchange->who), why, error);
}

static sw_status add_silence(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    json_t *body;
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = read_silence(json, body, exchange, context, error);
    json_decref(body);
    return status;
}

void sw_api_silence(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 201, add_silence);
}

void sw_api_unsilence(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error;
    int64_t id = 0;
    sw_status status = path_id(&id, exchange, "silence", &error);
    if (!sw_failed(status))
        status = sw_alerts_unsilence(app->alerts, id, sw_str_of(exchange->who), &error);
    if (sw_failed(status))
        sw_exchange_fail(exchange, status, &error);
    else
        sw_exchange_reply(exchange, 204, NULL, (sw_str){0});
}

/* ---- Rules ---- */

static sw_status get_rules(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    (void)exchange;
    return sw_alerts_rules(json, app->alerts, error);
}

void sw_api_alert_rules(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, get_rules);
}

static sw_status put_rules(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    SW_TRY(sw_alerts_apply(app->alerts, exchange->body, sw_str_of(exchange->who), error));
    return sw_alerts_rules(json, app->alerts, error);
}

void sw_api_put_alert_rules(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, put_rules);
}

static sw_status check_rules(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    return sw_alerts_check(json, app->alerts, exchange->body, error);
}

void sw_api_check_alert_rules(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, check_rules);
}

/* ---- Deliveries ---- */

static sw_status list_deliveries(sw_buf *json, sw_exchange *exchange, void *context,
                                 sw_error *error) {
    sw_app *app = context;
    uint64_t alert, limit;
    SW_TRY(sw_query_u64(&alert, exchange, "alert", 0, INT64_MAX, error));
    SW_TRY(sw_query_u64(&limit, exchange, "limit", LIMIT, LIMIT_MAX, error));
    return sw_alerts_deliveries(json, app->alerts, (int64_t)alert, (uint32_t)limit, error);
}

void sw_api_deliveries(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, list_deliveries);
}

static sw_status test_notifier(sw_buf *json, sw_exchange *exchange, void *context,
                               sw_error *error) {
    sw_app *app = context;
    return sw_alerts_test(json, app->alerts, exchange->params[0], error);
}

void sw_api_test_notifier(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, test_notifier);
}
