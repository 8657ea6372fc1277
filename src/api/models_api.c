/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models and aliases. */
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"

static sw_status write_models(sw_buf *json, sw_exchange *exchange, void *app, sw_error *error) {
    return sw_json_fleet(json, app, &exchange->arena, error);
}

void sw_api_models(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_models);
}

static sw_status write_model(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_model_row model;
    sw_live_rows live;
    SW_TRY(
        sw_registry_get_model(&model, app->registry, exchange->params[0], &exchange->arena, error));
    sw_live_rows_read(&live, app, &exchange->arena);
    sw_json w = sw_json_to(json);
    sw_json_model(&w, app, &model, &live, &exchange->arena);
    return SW_OK;
}

void sw_api_model(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_model);
}

static sw_status set_alias(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    json_t *body;
    uint32_t version;
    sw_str spec, model = exchange->params[0], alias = exchange->params[1];
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = sw_body_str(&spec, body, "version", error);
    if (!sw_failed(status))
        status = sw_registry_resolve(&version, app->registry, model, spec, error);
    json_decref(body);
    SW_TRY(status);
    SW_TRY(sw_registry_set_alias(app->registry, model, alias, version, sw_str_of(exchange->who),
                                 error));
    SW_TRY(sw_deployer_refresh_aliases(app->deployer, model, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "name", alias);
    sw_json_add_u64(&w, "version", version);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_set_alias(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, set_alias);
}

void sw_api_remove_alias(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error;
    sw_str model = exchange->params[0];
    sw_status status = sw_registry_remove_alias(app->registry, model, exchange->params[1],
                                                sw_str_of(exchange->who), &error);
    if (!sw_failed(status))
        status = sw_deployer_refresh_aliases(app->deployer, model, &error);
    if (sw_failed(status))
        sw_exchange_fail(exchange, status, &error);
    else
        sw_exchange_reply(exchange, 204, NULL, (sw_str){0});
}
