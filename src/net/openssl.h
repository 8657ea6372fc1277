/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl: the TLS library, loaded when TLS is asked for and not before: it costs 4 MB and some
 * milliseconds that a server without TLS need not pay.
 *
 * Threads: load from the main thread; the table is constant from then on.
 */
#ifndef SW_NET_OPENSSL_PRIVATE_H
#define SW_NET_OPENSSL_PRIVATE_H

#include "base/status.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define SW_OPENSSL_CALLS(X)               \
    X(ERR_clear_error)                    \
    X(ERR_error_string_n)                 \
    X(ERR_get_error)                      \
    X(SSL_CTX_check_private_key)          \
    X(SSL_CTX_ctrl)                       \
    X(SSL_CTX_free)                       \
    X(SSL_CTX_new)                        \
    X(SSL_CTX_set_alpn_select_cb)         \
    X(SSL_CTX_set_options)                \
    X(SSL_CTX_use_PrivateKey_file)        \
    X(SSL_CTX_use_certificate_chain_file) \
    X(SSL_do_handshake)                   \
    X(SSL_free)                           \
    X(SSL_get0_alpn_selected)             \
    X(SSL_get_error)                      \
    X(SSL_has_pending)                    \
    X(SSL_new)                            \
    X(SSL_read_ex)                        \
    X(SSL_select_next_proto)              \
    X(SSL_set_accept_state)               \
    X(SSL_set_fd)                         \
    X(SSL_shutdown)                       \
    X(SSL_write_ex)                       \
    X(TLS_server_method)

typedef struct sw_openssl {
#define X(name) __typeof__(&(name)) name;
    SW_OPENSSL_CALLS(X)
#undef X
} sw_openssl;

/* UNAVAILABLE where the library, or a function of it, is not there. */
SW_MUST_USE sw_status sw_openssl_load(const sw_openssl **out, sw_error *error);

#endif /* SW_NET_OPENSSL_PRIVATE_H */
