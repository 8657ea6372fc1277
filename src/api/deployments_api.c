/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/deployments and rollback. */
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"

/* A revision that is current, or just failed; the text of a failure, where there is one. */
static void begin_deployed(sw_json *w, const sw_exchange *exchange, const sw_deployed *d) {
    bool live = d->revision.state == SW_REVISION_LIVE;
    sw_json_begin_revision(w, exchange->params[0], &d->revision, live, NULL);
}

/* REVISION with how long it took, for people who wait for it. */
static void reply_deployed(sw_exchange *exchange, const sw_deployed *d, uint64_t failures) {
    sw_buf json = {0};
    sw_json w = sw_json_to(&json);
    begin_deployed(&w, exchange, d);
    sw_json_add_f64(&w, "took_ms", d->took_ms);
    sw_json_add_u64(&w, "checked_rows", d->checked_rows);
    sw_json_add_u64(&w, "failed_requests", failures);
    sw_json_end_object(&w);
    sw_reply_json(exchange, 200, &json);
}

static void reply_failed(sw_exchange *exchange, const sw_deployed *d, sw_status status,
                         const sw_error *error) {
    if (d->revision.number == 0 || d->revision.state != SW_REVISION_FAILED) {
        sw_exchange_fail(exchange, status, error);
        return;
    }
    sw_buf json = {0};
    sw_json w = sw_json_to(&json);
    sw_json_begin_object(&w);
    sw_json_add_text(&w, "error", error->text);
    sw_json_key(&w, "revision");
    begin_deployed(&w, exchange, d);
    sw_json_end_object(&w);
    sw_json_end_object(&w);
    sw_reply_json(exchange, 422, &json);
}

static uint64_t failures_of(sw_app *app, sw_str model) {
    sw_traffic_now now;
    sw_predictor_merge(app->predictor);
    sw_stats_now(&now, app->parts.stats, model);
    return now.failures;
}

static sw_status deploy(sw_deployed *d, sw_exchange *exchange, sw_app *app, sw_error *error) {
    json_t *body;
    sw_str spec, engine;
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = sw_body_str(&spec, body, "version", error);
    if (!sw_failed(status))
        status = sw_body_str(&engine, body, "engine", error);
    if (!sw_failed(status))
        status = sw_deployer_deploy(d, app->deployer, exchange->params[0], spec, engine,
                                    sw_str_of(exchange->who), &exchange->arena, error);
    json_decref(body);
    return status;
}

static sw_status rollback(sw_deployed *d, sw_exchange *exchange, sw_app *app, sw_error *error) {
    json_t *body;
    uint64_t to;
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = sw_body_u64(&to, body, "to", 0, error);
    json_decref(body);
    SW_TRY(status);
    if (to > UINT32_MAX)
        return sw_fail(error, SW_CODE_NOT_FOUND, "there is no revision %llu",
                       (unsigned long long)to);
    return sw_deployer_rollback(d, app->deployer, exchange->params[0], (uint32_t)to,
                                sw_str_of(exchange->who), &exchange->arena, error);
}

static sw_status undeploy(sw_deployed *d, sw_exchange *exchange, sw_app *app, sw_error *error) {
    return sw_deployer_undeploy(d, app->deployer, exchange->params[0], sw_str_of(exchange->who),
                                &exchange->arena, error);
}

static void change(sw_exchange *exchange, sw_app *app,
                   sw_status (*make)(sw_deployed *d, sw_exchange *exchange, sw_app *app,
                                     sw_error *error)) {
    sw_deployed d = {0};
    sw_error error;
    uint64_t failures = failures_of(app, exchange->params[0]);
    sw_status status = make(&d, exchange, app, &error);
    if (sw_failed(status))
        reply_failed(exchange, &d, status, &error);
    else
        reply_deployed(exchange, &d, failures_of(app, exchange->params[0]) - failures);
}

void sw_api_deploy(sw_exchange *exchange, void *context) {
    change(exchange, context, deploy);
}

void sw_api_rollback(sw_exchange *exchange, void *context) {
    change(exchange, context, rollback);
}

void sw_api_undeploy(sw_exchange *exchange, void *context) {
    change(exchange, context, undeploy);
}

static sw_status list(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_model_row model;
    sw_live_rows live;
    SW_TRY(
        sw_registry_get_model(&model, app->registry, exchange->params[0], &exchange->arena, error));
    sw_live_rows_read(&live, app, &exchange->arena);
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_key(&w, "revisions");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < model.revision_count; i++) {
        sw_json_begin_revision(&w, model.name, &model.revisions[i],
                               &model.revisions[i] == model.live,
                               sw_live_rows_find(&live, model.name));
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_deployments(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, list);
}
