/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/models/{model}/versions. */
#include "api/handlers_private.h"
#include "api/model_json.h"
#include "api/reply.h"

#include <stdlib.h>

/* ---- Push ---- */

static sw_status blob_of(sw_blob_id *id, bool *given, const json_t *body, const char *key,
                         sw_error *error) {
    sw_str hex;
    SW_TRY(sw_body_str(&hex, body, key, error));
    *given = hex.len > 0;
    if (!*given || sw_blob_id_parse(id, hex))
        return SW_OK;
    return sw_fail(
        error, SW_CODE_INVALID,
        "\"%s\" must be the SHA-256, in lower-case hex, of a file sent to POST /api/v1/blobs", key);
}

static sw_status read_predictions(sw_push *push, const json_t *body, sw_arena *arena,
                                  sw_error *error) {
    const json_t *names = json_object_get(body, "predictions");
    if (!names || json_is_null(names))
        return SW_OK;
    size_t count = json_array_size(names);
    sw_str *predictions = sw_arena_zalloc(arena, count + 1, sizeof *predictions);
    if (!predictions)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the names of the predictions");
    bool good = json_is_array(names);
    for (size_t i = 0; good && i < count; i++) {
        const json_t *name = json_array_get(names, i);
        good = json_is_string(name);
        predictions[i] = sw_arena_copy(arena, sw_str_of(json_string_value(name)));
    }
    if (!good)
        return sw_fail(error, SW_CODE_INVALID, "\"predictions\" must be a list of column names");
    push->predictions = predictions;
    push->prediction_count = count;
    return SW_OK;
}

static sw_status read_external(sw_push *push, bool has_artifact, const json_t *body,
                               sw_arena *arena, sw_error *error) {
    const json_t *external = json_object_get(body, "external");
    push->external = json_is_true(external);
    if (external && !json_is_boolean(external) && !json_is_null(external))
        return sw_fail(error, SW_CODE_INVALID, "\"external\" must be true or false");
    if (push->external && has_artifact)
        return sw_fail(
            error, SW_CODE_INVALID,
            "a version that is \"external\" is served elsewhere and has no \"artifact\"");
    return push->external ? read_predictions(push, body, arena, error) : SW_OK;
}

static sw_status read_push(sw_push *push, sw_blob_id blobs[2], sw_exchange *exchange,
                           const json_t *body, sw_error *error) {
    bool has_artifact, has_profile, has_check;
    *push = (sw_push){.model = exchange->params[0], .who = sw_str_of(exchange->who)};
    SW_TRY(blob_of(&push->artifact, &has_artifact, body, "artifact", error));
    SW_TRY(blob_of(&blobs[0], &has_profile, body, "profile", error));
    SW_TRY(blob_of(&blobs[1], &has_check, body, "check", error));
    SW_TRY(sw_body_str(&push->note, body, "note", error));
    SW_TRY(read_external(push, has_artifact, body, &exchange->arena, error));
    if (!has_artifact && !push->external)
        return sw_fail(
            error, SW_CODE_INVALID,
            "\"artifact\" is missing: send the model file to POST /api/v1/blobs and give "
            "the \"sha256\" that comes back, or say that the model is \"external\"");
    push->profile_csv = has_profile ? &blobs[0] : NULL;
    push->check_csv = has_check ? &blobs[1] : NULL;
    const json_t *signature = json_object_get(body, "signature");
    if (!signature || json_is_null(signature))
        return SW_OK;
    char *text = json_dumps(signature, JSON_COMPACT | JSON_ENCODE_ANY);
    push->signature_json = text ? sw_arena_copy(&exchange->arena, sw_str_of(text)) : (sw_str){0};
    free(text);
    return push->signature_json.at
               ? SW_OK
               : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the signature");
}

static sw_status push_version(sw_version *version, sw_push_trial *trial, sw_exchange *exchange,
                              sw_app *app, sw_error *error) {
    json_t *body;
    sw_push push;
    sw_blob_id blobs[2];
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = read_push(&push, blobs, exchange, body, error);
    if (!sw_failed(status)) {
        push.note = sw_arena_copy(&exchange->arena, push.note);
        status = sw_push_version(version, trial, &push, app->registry, &app->parts,
                                 &exchange->arena, error);
    }
    json_decref(body);
    return status;
}

static sw_status write_pushed(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_version version;
    sw_push_trial trial;
    sw_model_row model;
    SW_TRY(push_version(&version, &trial, exchange, app, error));
    SW_TRY(sw_registry_get_model(&model, app->registry, version.model, &exchange->arena, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_version(&w, &version, &model);
    sw_json_key(&w, "checked");
    sw_json_begin_object(&w);
    sw_json_add_f64(&w, "load_ms", trial.load_ms);
    sw_json_add_f64(&w, "row1_us", trial.row1_us);
    sw_json_add_f64(&w, "row1024_us", trial.row1024_us);
    sw_json_add_text(&w, "engine", trial.engine);
    sw_json_add_str(&w, "engine_why", trial.engine_why);
    sw_json_end_object(&w);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_push(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 201, write_pushed);
}

/* ---- Reading ---- */

static sw_status list(sw_buf *out, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_model_row model;
    sw_version *versions;
    size_t count;
    SW_TRY(
        sw_registry_get_model(&model, app->registry, exchange->params[0], &exchange->arena, error));
    SW_TRY(sw_registry_list_versions(&versions, &count, app->registry, model.name, &exchange->arena,
                                     error));
    sw_json w = sw_json_to(out);
    sw_json_begin_object(&w);
    sw_json_key(&w, "versions");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < count; i++) {
        sw_json_begin_version(&w, &versions[i], &model);
        sw_json_end_object(&w);
    }
    sw_json_end_array(&w);
    sw_json_end_object(&w);
    return SW_OK;
}

static sw_status get(sw_version *version, sw_exchange *exchange, sw_app *app, sw_error *error) {
    uint32_t number;
    SW_TRY(sw_registry_resolve(&number, app->registry, exchange->params[0], exchange->params[1],
                               error));
    return sw_registry_get_version(version, app->registry, exchange->params[0], number,
                                   &exchange->arena, error);
}

static sw_status show(sw_buf *out, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_version version;
    sw_model_row model;
    SW_TRY(get(&version, exchange, app, error));
    SW_TRY(sw_registry_get_model(&model, app->registry, version.model, &exchange->arena, error));
    sw_json w = sw_json_to(out);
    sw_json_begin_version(&w, &version, &model);
    sw_json_end_object(&w);
    return SW_OK;
}

static sw_status profile(sw_buf *out, sw_exchange *exchange, void *app, sw_error *error) {
    sw_version version;
    SW_TRY(get(&version, exchange, app, error));
    if (version.profile_json.len == 0)
        return sw_fail(
            error, SW_CODE_NOT_FOUND,
            "%.*s@%u was pushed without a profile: push the next one with --profile data.csv",
            SW_STR_ARG(version.model), version.number);
    sw_buf_add_str(out, version.profile_json);
    return SW_OK;
}

void sw_api_versions(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, list);
}

void sw_api_version(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, show);
}

void sw_api_profile(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, profile);
}
