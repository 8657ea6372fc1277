/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/monitor: how a model is watched. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
#include "watch/settings.h"

static void write_settings(sw_buf *json, sw_str model, const sw_monitor_settings *settings) {
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(&w, "model", model);
    sw_json_key(&w, "settings");
    sw_monitor_settings_to_json(json, settings);
    w.comma = true;
    sw_json_end_object(&w);
}

static sw_status write_monitor(sw_buf *json, sw_exchange *exchange, void *context,
                               sw_error *error) {
    sw_app *app = context;
    sw_str stored, model = exchange->params[0];
    sw_monitor_settings settings;
    SW_TRY(sw_registry_get_monitor(&stored, app->registry, model, &exchange->arena, error));
    SW_TRY(sw_monitor_settings_from_json(&settings, stored, &exchange->arena, error));
    write_settings(json, model, &settings);
    return SW_OK;
}

void sw_api_monitor(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, write_monitor);
}

/* ---- Changing ---- */

static bool has_output(const sw_signature *signature, sw_str name) {
    for (uint32_t i = 0; i < signature->output_count; i++)
        if (sw_str_eq(signature->outputs[i].name, name))
            return true;
    return false;
}

static sw_status check_names(const sw_monitor_settings *s, const sw_signature *signature,
                             sw_str model, uint32_t version, sw_error *error) {
    for (uint32_t i = 0; i < s->segment_count; i++)
        if (sw_signature_find(signature, s->segments[i]) < 0)
            return sw_fail(error, SW_CODE_INVALID,
                           "\"segments\": %.*s@%u has no feature \"%.*s\". See: slipway versions "
                           "%.*s",
                           SW_STR_ARG(model), version, SW_STR_ARG(s->segments[i]),
                           SW_STR_ARG(model));
    for (uint32_t i = 0; i < s->column_count; i++)
        if (sw_signature_find(signature, s->columns[i].column) < 0 &&
            !has_output(signature, s->columns[i].column))
            return sw_fail(error, SW_CODE_INVALID,
                           "\"columns\": %.*s@%u has no feature and no output \"%.*s\"",
                           SW_STR_ARG(model), version, SW_STR_ARG(s->columns[i].column));
    if (s->output.len && !has_output(signature, s->output))
        return sw_fail(error, SW_CODE_INVALID, "\"output\": %.*s@%u has no output \"%.*s\"",
                       SW_STR_ARG(model), version, SW_STR_ARG(s->output));
    return SW_OK;
}

/* Names must be those of the version that is live, or else of the newest. */
static sw_status check(const sw_monitor_settings *settings, sw_app *app, sw_str model,
                       sw_arena *arena, sw_error *error) {
    sw_model_row row;
    sw_version version;
    sw_signature signature;
    SW_TRY(sw_registry_get_model(&row, app->registry, model, arena, error));
    uint32_t number = row.live ? row.live->version : row.newest_version;
    if (number == 0)
        return SW_OK;
    SW_TRY(sw_registry_get_version(&version, app->registry, model, number, arena, error));
    SW_TRY(sw_signature_from_json(&signature, version.signature_json, arena, error));
    return check_names(settings, &signature, model, number, error);
}

static sw_status set_monitor(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_arena *arena = &exchange->arena;
    sw_str model = exchange->params[0];
    sw_monitor_settings settings;
    SW_TRY(sw_monitor_settings_from_json(&settings, exchange->body, arena, error));
    SW_TRY(check(&settings, app, model, arena, error));
    SW_TRY(sw_registry_set_monitor(app->registry, model, exchange->body, sw_str_of(exchange->who),
                                   error));
    SW_TRY(sw_deployer_reload(app->deployer, model, error));
    write_settings(json, model, &settings);
    return SW_OK;
}

void sw_api_set_monitor(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, set_monitor);
}
