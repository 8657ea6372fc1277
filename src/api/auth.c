/* SPDX-License-Identifier: Apache-2.0 */
#include "api/auth.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "io/file.h"
#include "store/sha256.h"

#include <pthread.h>
#include <stdio.h>

enum { HASH = SW_SHA256_BYTES, SESSIONS_MAX = 256, CREDENTIAL_BYTES_MAX = 512 };
static const int64_t session_ms = 12 * 3600 * 1000;
static const int64_t login_ms = 24 * 3600 * 1000;
static const char cookie_name[] = "slipway_session=";

/* A hashed secret and what it opens: a token, a session, or a one-time code. */
typedef struct key {
    uint8_t hash[HASH];
    uint32_t scopes;
    int64_t expires_ms; /* 0 = never */
    char who[SW_WHO_BYTES];
} key;

typedef struct ring {
    key keys[SESSIONS_MAX];
    uint32_t next;
} ring;

struct sw_auth {
    sw_registry *registry;
    bool always;
    atomic_bool open;
    pthread_rwlock_t lock;
    key *tokens;
    size_t token_count;
    ring *sessions, *logins; /* the newest push the oldest out */
};

const struct sw_scope_word sw_scope_words[5] = {{SW_SCOPE_READ, "read"},
                                                {SW_SCOPE_PREDICT, "predict"},
                                                {SW_SCOPE_TRACK, "track"},
                                                {SW_SCOPE_DEPLOY, "deploy"},
                                                {SW_SCOPE_ADMIN, "admin"}};

sw_status sw_scopes_parse(uint32_t *mask, const char *const *words, size_t count, sw_error *error) {
    *mask = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t found = 0;
        for (size_t k = 0; k < 5; k++)
            if (words[i] && strcmp(words[i], sw_scope_words[k].word) == 0)
                found = sw_scope_words[k].scope;
        if (!found)
            return sw_fail(error, SW_CODE_INVALID,
                           "'%s' is no scope: use read, predict, track, deploy or admin",
                           words[i] ? words[i] : "");
        *mask |= found;
    }
    return *mask ? SW_OK
                 : sw_fail(error, SW_CODE_INVALID,
                           "a token needs a scope: read, predict, track, deploy or admin");
}

/* ---- Tokens ---- */

static bool hash_from_hex(uint8_t hash[HASH], sw_str hex) {
    if (hex.len != (size_t)HASH * 2)
        return false;
    for (size_t i = 0; i < HASH; i++) {
        int high = sw_hex_value(hex.at[2 * i]), low = sw_hex_value(hex.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        hash[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Takes as long whether or not, and wherever, they differ. */
static bool same_hash(const uint8_t a[HASH], const uint8_t b[HASH]) {
    uint8_t difference = 0;
    for (size_t i = 0; i < HASH; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

static sw_status read_tokens(key **out, size_t *count, sw_auth *auth, sw_arena *arena,
                             sw_error *error) {
    sw_token *tokens;
    size_t found;
    SW_TRY(sw_registry_list_tokens(&tokens, &found, auth->registry, arena, error));
    key *keys = sw_mem_zalloc(found, sizeof *keys);
    if (!keys)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the tokens");
    *count = 0;
    for (size_t i = 0; i < found; i++) {
        key *k = &keys[*count];
        *k = (key){.scopes = tokens[i].scopes, .expires_ms = tokens[i].expires_ms};
        snprintf(k->who, sizeof k->who, "%.*s", SW_STR_ARG(tokens[i].name));
        *count += hash_from_hex(k->hash, tokens[i].hash_hex);
    }
    *out = keys;
    return SW_OK;
}

sw_status sw_auth_refresh(sw_auth *auth, sw_error *error) {
    sw_arena arena = {0};
    key *keys = NULL;
    size_t count = 0;
    sw_status status = read_tokens(&keys, &count, auth, &arena, error);
    sw_arena_free(&arena);
    SW_TRY(status);
    pthread_rwlock_wrlock(&auth->lock);
    key *old = auth->tokens;
    auth->tokens = keys;
    auth->token_count = count;
    pthread_rwlock_unlock(&auth->lock);
    sw_mem_free(old);
    atomic_store(&auth->open, count == 0 && !auth->always);
    return SW_OK;
}

sw_status sw_auth_make(sw_auth **out, sw_registry *registry, bool always, sw_error *error) {
    sw_auth *auth = sw_mem_zalloc(1, sizeof *auth);
    if (!auth)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for sign-in");
    auth->registry = registry;
    auth->always = always;
    pthread_rwlock_init(&auth->lock, NULL);
    auth->sessions = sw_mem_zalloc(1, sizeof *auth->sessions);
    auth->logins = sw_mem_zalloc(1, sizeof *auth->logins);
    sw_status status = auth->sessions && auth->logins
                           ? sw_auth_refresh(auth, error)
                           : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for sign-in");
    if (sw_failed(status))
        sw_auth_free(auth);
    else
        *out = auth;
    return status;
}

void sw_auth_free(sw_auth *auth) {
    if (!auth)
        return;
    sw_mem_free(auth->tokens);
    sw_mem_free(auth->sessions);
    sw_mem_free(auth->logins);
    pthread_rwlock_destroy(&auth->lock);
    sw_mem_free(auth);
}

bool sw_auth_is_open(const sw_auth *auth) {
    return atomic_load_explicit(&auth->open, memory_order_relaxed);
}

size_t sw_auth_token_count(sw_auth *auth) {
    pthread_rwlock_rdlock(&auth->lock);
    size_t count = auth->token_count;
    pthread_rwlock_unlock(&auth->lock);
    return count;
}

/* ---- What a request carries ---- */

static sw_str basic_password(char room[CREDENTIAL_BYTES_MAX], sw_str encoded) {
    sw_str rest = {room, 0};
    if (!sw_base64_decode(room, &rest.len, CREDENTIAL_BYTES_MAX, encoded))
        return (sw_str){0};
    sw_str_split(&rest, ':');
    return rest;
}

static bool scheme_is(sw_str *header, const char *scheme) {
    sw_str rest = *header;
    sw_str word = sw_str_split(&rest, ' ');
    if (!sw_str_eq_nocase(word, sw_str_of(scheme)))
        return false;
    *header = sw_str_trim(rest);
    return true;
}

sw_str sw_auth_session_cookie(const sw_exchange *exchange) {
    sw_str rest = sw_exchange_header(exchange, "cookie");
    while (rest.len) {
        sw_str one = sw_str_trim(sw_str_split(&rest, ';'));
        if (sw_str_starts(one, sw_str_of(cookie_name)))
            return (sw_str){one.at + sizeof cookie_name - 1, one.len - (sizeof cookie_name - 1)};
    }
    return (sw_str){0};
}

static const key *find_key(const key *keys, size_t count, const uint8_t hash[HASH],
                           int64_t now_ms) {
    const key *found = NULL;
    for (size_t i = 0; i < count; i++)
        if (same_hash(keys[i].hash, hash) && keys[i].scopes &&
            (keys[i].expires_ms == 0 || now_ms < keys[i].expires_ms))
            found = &keys[i];
    return found;
}

static bool admit(sw_exchange *exchange, const key *keys, size_t count, sw_str secret) {
    uint8_t hash[HASH];
    if (secret.len == 0 || secret.len > CREDENTIAL_BYTES_MAX)
        return false;
    sw_sha256_of(hash, secret);
    const key *found = find_key(keys, count, hash, sw_clock_wall_ms());
    if (!found)
        return false;
    exchange->scopes = found->scopes;
    memcpy(exchange->who, found->who, sizeof exchange->who);
    return true;
}

static bool identify(sw_exchange *exchange, sw_auth *auth) {
    char room[CREDENTIAL_BYTES_MAX];
    sw_str header = sw_exchange_header(exchange, "authorization");
    sw_str secret = scheme_is(&header, "Bearer")  ? header
                    : scheme_is(&header, "Basic") ? basic_password(room, header)
                                                  : (sw_str){0};
    pthread_rwlock_rdlock(&auth->lock);
    bool known =
        admit(exchange, auth->tokens, auth->token_count, secret) ||
        admit(exchange, auth->sessions->keys, SESSIONS_MAX, sw_auth_session_cookie(exchange));
    pthread_rwlock_unlock(&auth->lock);
    return known;
}

sw_status sw_auth_authorize(sw_exchange *exchange, void *context, sw_error *error) {
    sw_auth *auth = context;
    if (sw_auth_is_open(auth)) {
        exchange->scopes = SW_SCOPES_ALL;
        memcpy(exchange->who, "local", sizeof "local");
        return SW_OK;
    }
    if (!identify(exchange, auth))
        return sw_fail(
            error, SW_CODE_UNAUTHENTICATED,
            "this server asks who you are: send a token (Authorization: Bearer …, or "
            "SLIPWAY_TOKEN for the command line), or sign in by the link that serve printed");
    uint32_t needed = exchange->route->scope;
    if ((exchange->scopes & (needed | SW_SCOPE_ADMIN)) != 0)
        return SW_OK;
    char words[64] = "";
    for (size_t i = 0, used = 0; i < 5; i++)
        if (sw_scope_words[i].scope & needed)
            used += (size_t)snprintf(words + used, sizeof words - used, "%s'%s'",
                                     used ? " or " : "", sw_scope_words[i].word);
    return sw_fail(error, SW_CODE_DENIED, "'%s' lacks the scope %s", exchange->who, words);
}

/* ---- One-time links and sessions ---- */

/* 256 random bits. */
static sw_status random_code(char code[SW_LOGIN_CODE_BYTES], sw_error *error) {
    uint8_t bytes[32];
    _Static_assert(SW_BASE64URL_ROOM(sizeof bytes) == SW_LOGIN_CODE_BYTES, "room for the code");
    SW_TRY(sw_file_random(bytes, sizeof bytes, error));
    sw_base64url_encode(code, bytes, sizeof bytes);
    return SW_OK;
}

static sw_status add_key(char code[SW_LOGIN_CODE_BYTES], sw_auth *auth, ring *into,
                         int64_t lasts_ms, sw_error *error) {
    SW_TRY(random_code(code, error));
    key made = {
        .scopes = SW_SCOPES_ALL, .expires_ms = sw_clock_wall_ms() + lasts_ms, .who = "dashboard"};
    sw_sha256_of(made.hash, sw_str_of(code));
    pthread_rwlock_wrlock(&auth->lock);
    into->keys[into->next] = made;
    into->next = (into->next + 1) % SESSIONS_MAX;
    pthread_rwlock_unlock(&auth->lock);
    return SW_OK;
}

static bool remove_key(sw_auth *auth, ring *from, sw_str secret) {
    uint8_t hash[HASH];
    bool found = false;
    int64_t now_ms = sw_clock_wall_ms();
    sw_sha256_of(hash, secret);
    pthread_rwlock_wrlock(&auth->lock);
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        key *k = &from->keys[i];
        if (k->scopes && now_ms < k->expires_ms && same_hash(k->hash, hash)) {
            *k = (key){0};
            found = true;
        }
    }
    pthread_rwlock_unlock(&auth->lock);
    return found;
}

sw_status sw_auth_make_login(char code[SW_LOGIN_CODE_BYTES], sw_auth *auth, sw_error *error) {
    return add_key(code, auth, auth->logins, login_ms, error);
}

sw_status sw_auth_use_login(char session[SW_LOGIN_CODE_BYTES], sw_auth *auth, sw_str code,
                            sw_error *error) {
    if (!remove_key(auth, auth->logins, code))
        return sw_fail(error, SW_CODE_DENIED,
                       "this sign-in link is unknown or was used already: each opens one session. "
                       "Make another with: slipway token link");
    return add_key(session, auth, auth->sessions, session_ms, error);
}

void sw_auth_end_session(sw_auth *auth, sw_str session) {
    remove_key(auth, auth->sessions, session);
}
