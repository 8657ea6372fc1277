/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens, sign-in and sign-out. */
#include "api/app.h"
#include "api/handlers_private.h"
#include "api/reply.h"
#include "base/clock.h"

enum { NAME_BYTES_MAX = SW_WHO_BYTES - 1 };

static void write_token(sw_json *w, const sw_token *token, const char *secret) {
    sw_json_begin_object(w);
    sw_json_add_str(w, "id", token->id);
    sw_json_add_str(w, "name", token->name);
    sw_json_key(w, "scopes");
    sw_json_begin_array(w);
    for (size_t i = 0; i < 5; i++)
        if (token->scopes & sw_scope_words[i].scope)
            sw_json_text(w, sw_scope_words[i].word);
    sw_json_end_array(w);
    sw_json_add_str(w, "who", token->who);
    sw_json_add_i64(w, "created_ms", token->created_ms);
    sw_json_key(w, "expires_ms");
    if (token->expires_ms)
        sw_json_i64(w, token->expires_ms);
    else
        sw_json_null(w);
    if (secret)
        sw_json_add_text(w, "secret", secret);
    sw_json_end_object(w);
}

static sw_status list(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    sw_token *tokens;
    size_t count;
    SW_TRY(sw_registry_list_tokens(&tokens, &count, app->registry, &exchange->arena, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_key(&w, "tokens");
    sw_json_begin_array(&w);
    for (size_t i = 0; i < count; i++)
        write_token(&w, &tokens[i], NULL);
    sw_json_end_array(&w);
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_tokens(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 200, list);
}

static sw_status read_token(sw_token *token, const json_t *body, sw_exchange *exchange,
                            const sw_app *app, sw_error *error) {
    sw_str name;
    uint64_t lasts_s;
    const char *words[8] = {0};
    *token = (sw_token){.who = sw_str_of(exchange->who)};
    SW_TRY(sw_body_str(&name, body, "name", error));
    SW_TRY(sw_body_u64(&lasts_s, body, "expires_in_s", 0, error));
    if (name.len == 0 || name.len > NAME_BYTES_MAX || !sw_str_is_utf8(name))
        return sw_fail(error, SW_CODE_INVALID,
                       "\"name\" must be 1 to %d bytes: say who will use the token",
                       NAME_BYTES_MAX);
    const json_t *scopes = json_object_get(body, "scopes");
    size_t count = json_array_size(scopes);
    for (size_t i = 0; i < count && i < 8; i++)
        words[i] = json_string_value(json_array_get(scopes, i));
    SW_TRY(sw_scopes_parse(&token->scopes, words, count < 8 ? count : 8, error));
    if (sw_auth_token_count(app->auth) == 0 && !(token->scopes & SW_SCOPE_ADMIN))
        return sw_fail(
            error, SW_CODE_INVALID,
            "the first token needs the scope admin: once it exists, everybody must show a "
            "token, and without that scope nobody could make or revoke another");
    if (lasts_s > INT32_MAX)
        return sw_fail(error, SW_CODE_INVALID, "\"expires_in_s\" is beyond 68 years");
    token->name = sw_arena_copy(&exchange->arena, name);
    token->expires_ms = lasts_s ? sw_clock_wall_ms() + (int64_t)lasts_s * 1000 : 0;
    return SW_OK;
}

static sw_status add(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    json_t *body;
    sw_token token;
    char secret[64];
    SW_TRY(sw_body_object(&body, exchange, error));
    sw_status status = read_token(&token, body, exchange, app, error);
    json_decref(body);
    SW_TRY(status);
    SW_TRY(sw_registry_add_token(&token, secret, app->registry, error));
    SW_TRY(sw_auth_refresh(app->auth, error));
    sw_json w = sw_json_to(json);
    write_token(&w, &token, secret);
    return SW_OK;
}

void sw_api_add_token(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 201, add);
}

void sw_api_revoke_token(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error;
    sw_status status = sw_registry_revoke_token(app->registry, exchange->params[0],
                                                sw_str_of(exchange->who), &error);
    if (!sw_failed(status))
        status = sw_auth_refresh(app->auth, &error);
    if (sw_failed(status))
        sw_exchange_fail(exchange, status, &error);
    else
        sw_exchange_reply(exchange, 204, NULL, (sw_str){0});
}

/* ---- The dashboard's session ---- */

static void set_cookie(sw_exchange *exchange, const char *value, const char *more) {
    sw_exchange_add_header(
        exchange, "Set-Cookie",
        sw_arena_printf(&exchange->arena,
                        "slipway_session=%s; Path=/; HttpOnly; SameSite=Strict%s%s", value,
                        exchange->secure ? "; Secure" : "", more));
}

void sw_api_login(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_error error;
    char session[SW_LOGIN_CODE_BYTES];
    sw_status status = sw_auth_use_login(session, app->auth, exchange->params[0], &error);
    if (sw_failed(status)) {
        if (status.code != SW_CODE_DENIED || !sw_dashboard_reply_page(exchange, 403))
            sw_exchange_fail(exchange, status, &error);
        return;
    }
    set_cookie(exchange, session, "; Max-Age=43200");
    sw_exchange_add_header(exchange, "Location", SW_STR("/"));
    sw_exchange_add_header(exchange, "Cache-Control", SW_STR("no-store"));
    sw_exchange_reply(exchange, 303, "text/plain", SW_STR("signed in\n"));
}

void sw_api_logout(sw_exchange *exchange, void *context) {
    sw_app *app = context;
    sw_auth_end_session(app->auth, sw_auth_session_cookie(exchange));
    set_cookie(exchange, "", "; Max-Age=0");
    sw_exchange_reply(exchange, 204, NULL, (sw_str){0});
}

static sw_status login_link(sw_buf *json, sw_exchange *exchange, void *context, sw_error *error) {
    sw_app *app = context;
    char code[SW_LOGIN_CODE_BYTES];
    SW_TRY(sw_auth_make_login(code, app->auth, error));
    sw_json w = sw_json_to(json);
    sw_json_begin_object(&w);
    sw_json_add_str(
        &w, "url",
        sw_arena_printf(&exchange->arena, "%s/login/%s", sw_server_url(app->server), code));
    sw_json_end_object(&w);
    return SW_OK;
}

void sw_api_login_link(sw_exchange *exchange, void *context) {
    sw_answer(exchange, context, 201, login_link);
}
