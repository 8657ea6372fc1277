/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth: who may do what.
 *
 * While no token exists and the server listens on loopback only, everybody on the machine may do
 * everything. From the first token on, a request carries a bearer token, the same token as the
 * password of Basic authentication, or the cookie of a session that a one-time link opened. Secrets
 * are kept as SHA-256 hashes only.
 *
 * Threads: sw_auth_authorize on loops (takes a read lock, touches no disk); the rest from
 *          any but a loop's.
 * Layer:   api.
 */
#ifndef SW_API_AUTH_H
#define SW_API_AUTH_H

#include "net/server.h"
#include "registry/registry.h"

typedef struct sw_auth sw_auth;

enum { SW_SCOPES_ALL = 31, SW_LOGIN_CODE_BYTES = 44 };

/* `always`: ask for a token even while none exists (the server is reachable from elsewhere). */
SW_MUST_USE sw_status sw_auth_make(sw_auth **out, sw_registry *registry, bool always,
                                   sw_error *error);
void sw_auth_free(sw_auth *auth);

/* Reads the tokens anew, after a change. */
SW_MUST_USE sw_status sw_auth_refresh(sw_auth *auth, sw_error *error);
bool sw_auth_is_open(const sw_auth *auth);
size_t sw_auth_token_count(sw_auth *auth);

/* For sw_server_config.authorize, with the sw_auth as its context. */
sw_status sw_auth_authorize(sw_exchange *exchange, void *context, sw_error *error);

/* A code for /login/CODE that opens one session, within a day. */
SW_MUST_USE sw_status sw_auth_make_login(char code[SW_LOGIN_CODE_BYTES], sw_auth *auth,
                                         sw_error *error);
/* Uses the code up and opens a session. DENIED where it is unknown or used. */
SW_MUST_USE sw_status sw_auth_use_login(char session[SW_LOGIN_CODE_BYTES], sw_auth *auth,
                                        sw_str code, sw_error *error);
void sw_auth_end_session(sw_auth *auth, sw_str session);
/* The session cookie's value of a request, or empty. */
sw_str sw_auth_session_cookie(const sw_exchange *exchange);

/* "read,predict" both ways. INVALID names a word that is no scope. */
SW_MUST_USE sw_status sw_scopes_parse(uint32_t *mask, const char *const *words, size_t count,
                                      sw_error *error);
extern const struct sw_scope_word {
    sw_scope scope;
    const char *word;
} sw_scope_words[5];

#endif /* SW_API_AUTH_H */
