/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry_private.h"

#include "base/base64.h"
#include "base/clock.h"
#include "io/file.h"
#include "store/sha256.h"

enum {
    SCOPES_ALL = 31,
    SECRET_BYTES = 32,
    ID_BYTES = 12,
};

static sw_status make_secret(sw_token *token, char secret[64], sw_error *error) {
    unsigned char chance[SECRET_BYTES], id[ID_BYTES];
    SW_TRY(sw_file_random(chance, sizeof chance, error));
    SW_TRY(sw_file_random(id, sizeof id, error));
    sw_base64url_encode(stpcpy(secret, "sw_"), chance, sizeof chance);
    explicit_bzero(chance, sizeof chance);
    sw_base64url_encode(stpcpy(token->id_text, "tok_"), id, sizeof id);
    sw_sha256_hex(token->hash_text, sw_str_of(secret));
    token->id = sw_str_of(token->id_text);
    token->hash_hex = sw_str_of(token->hash_text);
    return SW_OK;
}

static sw_status check(const sw_token *token, sw_error *error) {
    if (token->name.len == 0 || token->name.len > SW_NAME_BYTES || !sw_str_is_utf8(token->name))
        return sw_fail(error, SW_CODE_INVALID, "a token's name has 1 to %d bytes of UTF-8 text",
                       SW_NAME_BYTES);
    for (size_t i = 0; i < token->name.len; i++)
        if ((unsigned char)token->name.at[i] < 0x20 || token->name.at[i] == 0x7f)
            return sw_fail(error, SW_CODE_INVALID, "a token's name has no control characters");
    if (token->scopes == 0 || token->scopes > SCOPES_ALL)
        return sw_fail(error, SW_CODE_INVALID,
                       "a token has one or more of the scopes read, predict, track, deploy, admin");
    if (token->expires_ms != 0 && token->expires_ms <= sw_clock_wall_ms())
        return sw_fail(error, SW_CODE_INVALID, "a token cannot expire in the past");
    return SW_OK;
}

typedef struct token_change {
    sw_registry *registry;
    sw_token *token; /* of an addition */
    sw_str id;       /* of a revocation */
    sw_str who;
    sw_arena arena;
} token_change;

static sw_status record(sw_conn *conn, token_change *c, const char *kind, sw_str name,
                        const char *verb, sw_str id, sw_error *error) {
    sw_event *event = sw_event_make(&c->arena, kind, SW_STR(""), c->who);
    if (event) {
        event->text = sw_arena_printf(&c->arena, "token %.*s %s", SW_STR_ARG(name), verb);
        event->data_json = sw_arena_printf(&c->arena, "{\"token\":\"%.*s\"}", SW_STR_ARG(id));
    }
    return sw_events_record(conn, c->registry, event, &c->arena, error);
}

static sw_status do_add(sw_conn *conn, void *context, sw_error *error) {
    token_change *c = context;
    sw_token *token = c->token;
    sw_stmt *stmt;
    token->created_ms = sw_clock_wall_ms();
    SW_TRY(sw_registry_stmt(
        &stmt, conn,
        "INSERT INTO tokens (namespace, id, name, scopes, hash_hex, who, created_ms,"
        " expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        token->id, error));
    sw_stmt_bind_str(stmt, 3, token->name);
    sw_stmt_bind_i64(stmt, 4, token->scopes);
    sw_stmt_bind_str(stmt, 5, token->hash_hex);
    sw_stmt_bind_str(stmt, 6, sw_text(token->who));
    sw_stmt_bind_i64(stmt, 7, token->created_ms);
    sw_stmt_bind_i64(stmt, 8, token->expires_ms);
    SW_TRY(sw_stmt_run(stmt, error));
    return record(conn, c, "token.created", token->name, "created", token->id, error);
}

sw_status sw_registry_add_token(sw_token *token, char secret[64], sw_registry *registry,
                                sw_error *error) {
    SW_TRY(check(token, error));
    SW_TRY(make_secret(token, secret, error));
    token_change c = {.registry = registry, .token = token, .who = token->who};
    sw_arena_init(&c.arena, 512);
    sw_status status = sw_db_write(registry->db, do_add, &c, error);
    sw_arena_free(&c.arena);
    if (sw_failed(status))
        explicit_bzero(secret, 64);
    return status;
}

static sw_status do_revoke(sw_conn *conn, void *context, sw_error *error) {
    token_change *c = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_registry_stmt(&stmt, conn,
                            "DELETE FROM tokens WHERE namespace = ?1 AND id = ?2 RETURNING name",
                            c->id, error));
    SW_TRY(sw_stmt_step(&row, stmt, error));
    if (!row)
        return sw_fail(
            error, SW_CODE_NOT_FOUND,
            "there is no such token: was it revoked before? GET /api/v1/tokens lists them");
    sw_str name = sw_stmt_str(stmt, 0, &c->arena);
    sw_stmt_end(stmt);
    return record(conn, c, "token.revoked", name, "revoked", c->id, error);
}

sw_status sw_registry_revoke_token(sw_registry *registry, sw_str id, sw_str who, sw_error *error) {
    token_change c = {.registry = registry, .id = id, .who = who};
    sw_arena_init(&c.arena, 512);
    sw_status status = sw_db_write(registry->db, do_revoke, &c, error);
    sw_arena_free(&c.arena);
    return status;
}

typedef struct list_tokens {
    sw_token *out;
    size_t count;
    sw_arena *arena;
} list_tokens;

static void read_token(sw_token *out, sw_stmt *stmt, sw_arena *arena) {
    *out = (sw_token){
        .id = sw_stmt_str(stmt, 0, arena),
        .name = sw_stmt_str(stmt, 1, arena),
        .scopes = (uint32_t)sw_stmt_i64(stmt, 2),
        .hash_hex = sw_stmt_str(stmt, 3, arena),
        .who = sw_stmt_str(stmt, 4, arena),
        .created_ms = sw_stmt_i64(stmt, 5),
        .expires_ms = sw_stmt_i64(stmt, 6),
    };
}

static sw_status do_list(sw_conn *conn, void *context, sw_error *error) {
    list_tokens *l = context;
    sw_stmt *stmt;
    bool row;
    SW_TRY(sw_stmt_begin(&stmt, conn, "SELECT COUNT(*) FROM tokens WHERE namespace = ?1", error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    SW_TRY(sw_stmt_step(&row, stmt, error));
    size_t total = (size_t)sw_stmt_i64(stmt, 0);
    sw_stmt_end(stmt);
    l->out = sw_arena_zalloc(l->arena, total + 1, sizeof *l->out);
    if (!l->out)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while listing tokens");
    SW_TRY(
        sw_stmt_begin(&stmt, conn,
                      "SELECT id, name, scopes, hash_hex, who, created_ms, expires_ms FROM tokens"
                      " WHERE namespace = ?1 ORDER BY created_ms, id",
                      error));
    sw_stmt_bind_str(stmt, 1, SW_NAMESPACE);
    for (;;) {
        SW_TRY(sw_stmt_step(&row, stmt, error));
        if (!row || l->count == total)
            return SW_OK;
        read_token(&l->out[l->count++], stmt, l->arena);
    }
}

sw_status sw_registry_list_tokens(sw_token **out, size_t *count, sw_registry *registry,
                                  sw_arena *arena, sw_error *error) {
    list_tokens l = {.arena = arena};
    SW_TRY(sw_db_read(registry->db, do_list, &l, error));
    *out = l.out;
    *count = l.count;
    return SW_OK;
}
