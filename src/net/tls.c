/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a socket, by OpenSSL. Its buffers are given back while a connection is silent. */
#include "net/net_private.h"

#include "base/mem.h"
#include "net/openssl.h"

/* Set by sw_tls_make; before it there is no connection to serve. */
static const sw_openssl *openssl;

struct sw_tls {
    SSL_CTX *context;
};

/* ALPN: HTTP/2 before HTTP/1.1; a client that offers neither goes without. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned int offered_len, void *unused) {
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen;
    (void)ssl;
    (void)unused;
    if (openssl->SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, offered,
                                       offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static sw_status load_failed(sw_error *error, const char *what, const char *path) {
    char reason[256];
    openssl->ERR_error_string_n(openssl->ERR_get_error(), reason, sizeof reason);
    openssl->ERR_clear_error();
    return sw_fail(error, SW_CODE_INVALID, "cannot use the TLS %s %s: %s; it must be a PEM file",
                   what, path, reason);
}

static sw_status load_files(SSL_CTX *context, const char *cert, const char *key, sw_error *error) {
    if (openssl->SSL_CTX_use_certificate_chain_file(context, cert) != 1)
        return load_failed(error, "certificate", cert);
    if (openssl->SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
        return load_failed(error, "key", key);
    if (openssl->SSL_CTX_check_private_key(context) != 1)
        return sw_fail(error, SW_CODE_INVALID,
                       "the TLS key %s does not belong to the certificate %s", key, cert);
    return SW_OK;
}

sw_status sw_tls_make(sw_tls **out, const char *cert, const char *key, sw_error *error) {
    *out = NULL;
    if (!cert || !key)
        return sw_fail(error, SW_CODE_INVALID, "TLS needs a certificate and a key, both");
    SW_TRY(sw_openssl_load(&openssl, error));
    sw_tls *tls = sw_mem_zalloc(1, sizeof *tls);
    if (tls)
        tls->context = openssl->SSL_CTX_new(openssl->TLS_server_method());
    if (!tls || !tls->context) {
        sw_tls_free(tls);
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for TLS");
    }
    openssl->SSL_CTX_ctrl(tls->context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
    openssl->SSL_CTX_set_options(tls->context,
                                 SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    openssl->SSL_CTX_ctrl(tls->context, SSL_CTRL_MODE,
                          SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS,
                          NULL);
    openssl->SSL_CTX_set_alpn_select_cb(tls->context, choose_protocol, NULL);
    sw_status status = load_files(tls->context, cert, key, error);
    if (sw_failed(status)) {
        sw_tls_free(tls);
        return status;
    }
    *out = tls;
    return SW_OK;
}

void sw_tls_free(sw_tls *tls) {
    if (!tls)
        return;
    openssl->SSL_CTX_free(tls->context);
    sw_mem_free(tls);
}

bool sw_tls_begin(sw_conn *conn) {
    SSL *ssl = openssl->SSL_new(conn->net->server->tls->context);
    if (!ssl || openssl->SSL_set_fd(ssl, conn->fd) != 1) {
        openssl->SSL_free(ssl);
        return false;
    }
    openssl->SSL_set_accept_state(ssl);
    conn->ssl = ssl;
    return true;
}

/* What an SSL call that did not succeed waits for. */
static sw_io io_of(sw_conn *conn, int result) {
    int why = openssl->SSL_get_error(conn->ssl, result);
    openssl->ERR_clear_error();
    switch (why) {
    case SSL_ERROR_WANT_READ: return SW_IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        conn->write_blocked = true;
        sw_conn_dirty(conn);
        return SW_IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return SW_IO_END;
    default: return SW_IO_BROKEN;
    }
}

sw_io sw_tls_handshake(sw_conn *conn) {
    openssl->ERR_clear_error();
    int result = openssl->SSL_do_handshake(conn->ssl);
    return result == 1 ? SW_IO_DONE : io_of(conn, result);
}

bool sw_tls_chose_h2(sw_conn *conn) {
    const unsigned char *name;
    unsigned int len;
    openssl->SSL_get0_alpn_selected(conn->ssl, &name, &len);
    return len == 2 && memcmp(name, "h2", 2) == 0;
}

sw_io sw_tls_recv(sw_conn *conn, char *at, size_t cap, size_t *len) {
    openssl->ERR_clear_error();
    if (openssl->SSL_read_ex(conn->ssl, at, cap, len) != 1) {
        *len = 0;
        return io_of(conn, 0);
    }
    if (openssl->SSL_has_pending(conn->ssl)) {
        conn->read_again = true;
        sw_conn_dirty(conn);
    }
    return SW_IO_DONE;
}

sw_io sw_tls_send(sw_conn *conn, const char *at, size_t want, size_t *len) {
    openssl->ERR_clear_error();
    if (openssl->SSL_write_ex(conn->ssl, at, want, len) == 1)
        return SW_IO_DONE;
    *len = 0;
    return io_of(conn, 0);
}

void sw_tls_goodbye(sw_conn *conn) {
    if (!conn->ssl)
        return;
    openssl->ERR_clear_error();
    openssl->SSL_shutdown(conn->ssl);
    openssl->ERR_clear_error();
}

void sw_tls_end(sw_conn *conn) {
    if (!conn->ssl)
        return;
    openssl->SSL_free(conn->ssl);
    conn->ssl = NULL;
}
