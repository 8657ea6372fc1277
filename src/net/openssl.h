/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openssl: the TLS library, loaded when TLS is asked for and not before: it costs 4 MB and some
 * milliseconds that a server without TLS need not pay.
 *
 * Threads: load from the main thread; the table is constant from then on.
 * Layer:   net.
 */
#ifndef SW_NET_OPENSSL_H
#define SW_NET_OPENSSL_H

#include "base/status.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#define SW_OPENSSL_CALLS(X)               \
    X(BIO_ctrl)                           \
    X(BIO_free)                           \
    X(BIO_new)                            \
    X(BIO_read)                           \
    X(BIO_s_mem)                          \
    X(BIO_write)                          \
    X(ERR_clear_error)                    \
    X(ERR_error_string_n)                 \
    X(ERR_get_error)                      \
    X(SSL_CTX_check_private_key)          \
    X(SSL_CTX_ctrl)                       \
    X(SSL_CTX_free)                       \
    X(SSL_CTX_load_verify_locations)      \
    X(SSL_CTX_new)                        \
    X(SSL_CTX_set_alpn_select_cb)         \
    X(SSL_CTX_set_default_verify_paths)   \
    X(SSL_CTX_set_options)                \
    X(SSL_CTX_set_verify)                 \
    X(SSL_CTX_use_PrivateKey_file)        \
    X(SSL_CTX_use_certificate_chain_file) \
    X(SSL_ctrl)                           \
    X(SSL_do_handshake)                   \
    X(SSL_free)                           \
    X(SSL_get0_alpn_selected)             \
    X(SSL_get0_param)                     \
    X(SSL_get_error)                      \
    X(SSL_get_verify_result)              \
    X(SSL_has_pending)                    \
    X(SSL_new)                            \
    X(SSL_read_ex)                        \
    X(SSL_select_next_proto)              \
    X(SSL_set1_host)                      \
    X(SSL_set_accept_state)               \
    X(SSL_set_bio)                        \
    X(SSL_set_connect_state)              \
    X(SSL_set_fd)                         \
    X(SSL_shutdown)                       \
    X(SSL_write_ex)                       \
    X(TLS_client_method)                  \
    X(TLS_server_method)                  \
    X(X509_VERIFY_PARAM_set1_ip_asc)      \
    X(X509_verify_cert_error_string)

typedef struct sw_openssl {
#define X(name) __typeof__(&(name)) name;
    SW_OPENSSL_CALLS(X)
#undef X
} sw_openssl;

/* UNAVAILABLE where the library, or a function of it, is not there. */
SW_MUST_USE sw_status sw_openssl_load(const sw_openssl **out, sw_error *error);

#endif /* SW_NET_OPENSSL_H */
