/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/tls.h"

#include "base/mem.h"
#include "net/openssl.h"

#include <arpa/inet.h>
#include <limits.h>

enum { PIECE_BYTES = 16 * 1024 };

static const sw_openssl *openssl; /* set before the first client is made */

struct sw_tls_client {
    SSL_CTX *context;
    const char *host;
    bool is_address;
};

struct sw_tls_link {
    SSL *ssl;
    BIO *in, *out;  /* the ssl's */
    sw_buf waiting; /* plain bytes that could not yet be written */
};

static bool is_address(const char *host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static sw_status set_up(sw_tls_client *client, const char *ca_file, sw_error *error) {
    client->context = openssl->SSL_CTX_new(openssl->TLS_client_method());
    if (!client->context)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for TLS");
    openssl->SSL_CTX_ctrl(client->context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
    openssl->SSL_CTX_ctrl(client->context, SSL_CTRL_MODE,
                          SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
                          NULL);
    openssl->SSL_CTX_set_verify(client->context, SSL_VERIFY_PEER, NULL);
    int loaded = ca_file ? openssl->SSL_CTX_load_verify_locations(client->context, ca_file, NULL)
                         : openssl->SSL_CTX_set_default_verify_paths(client->context);
    openssl->ERR_clear_error();
    return loaded == 1 ? SW_OK
                       : sw_fail(error, SW_CODE_INVALID,
                                 "%s holds no certificate of an authority that could be read (PEM)",
                                 ca_file ? ca_file : "the system's store");
}

sw_status sw_tls_client_make(sw_tls_client **out, const char *host, const char *ca_file,
                             sw_error *error) {
    *out = NULL;
    SW_TRY(sw_openssl_load(&openssl, error));
    sw_tls_client *client = sw_mem_zalloc(1, sizeof *client);
    if (!client)
        return sw_fail(error, SW_CODE_NO_MEMORY, "no memory for TLS");
    client->host = host;
    client->is_address = is_address(host);
    sw_status status = set_up(client, ca_file, error);
    if (sw_failed(status))
        sw_tls_client_free(client);
    else
        *out = client;
    return status;
}

void sw_tls_client_free(sw_tls_client *client) {
    if (!client)
        return;
    openssl->SSL_CTX_free(client->context);
    sw_mem_free(client);
}

static bool name_host(SSL *ssl, const sw_tls_client *client) {
    if (client->is_address)
        return openssl->X509_VERIFY_PARAM_set1_ip_asc(openssl->SSL_get0_param(ssl), client->host) ==
               1;
    openssl->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                      (void *)(uintptr_t)client->host);
    return openssl->SSL_set1_host(ssl, client->host) == 1;
}

sw_tls_link *sw_tls_link_make(sw_tls_client *client) {
    sw_tls_link *link = sw_mem_zalloc(1, sizeof *link);
    if (!link)
        return NULL;
    link->in = openssl->BIO_new(openssl->BIO_s_mem());
    link->out = openssl->BIO_new(openssl->BIO_s_mem());
    link->ssl = openssl->SSL_new(client->context);
    if (link->in && link->out && link->ssl && name_host(link->ssl, client)) {
        openssl->SSL_set_bio(link->ssl, link->in, link->out);
        openssl->SSL_set_connect_state(link->ssl);
        return link;
    }
    openssl->BIO_free(link->in);
    openssl->BIO_free(link->out);
    openssl->SSL_free(link->ssl);
    sw_mem_free(link);
    return NULL;
}

void sw_tls_link_free(sw_tls_link *link) {
    if (!link)
        return;
    openssl->SSL_free(link->ssl);
    sw_buf_free(&link->waiting);
    sw_mem_free(link);
}

size_t sw_tls_link_waiting(const sw_tls_link *link) {
    return link->waiting.len;
}

/* False where it is more than a matter of waiting for bytes. */
static bool goes_on(sw_tls_link *link, int result, bool *ended, sw_error *why) {
    int kind = openssl->SSL_get_error(link->ssl, result);
    long verified = openssl->SSL_get_verify_result(link->ssl);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return true;
    if (kind == SSL_ERROR_ZERO_RETURN) {
        *ended = true;
        return true;
    }
    char text[160] = "the connection broke off";
    unsigned long code = openssl->ERR_get_error();
    if (verified != X509_V_OK)
        (void)sw_fail(why, SW_CODE_UNREACHABLE, "its certificate is not to be trusted: %s",
                      openssl->X509_verify_cert_error_string(verified));
    else {
        if (code)
            openssl->ERR_error_string_n(code, text, sizeof text);
        (void)sw_fail(why, SW_CODE_UNREACHABLE, "TLS failed: %s", text);
    }
    openssl->ERR_clear_error();
    return false;
}

static bool write_waiting(sw_tls_link *link, bool *ended, sw_error *why) {
    size_t at = 0;
    bool good = true;
    while (at < link->waiting.len) {
        size_t len = 0;
        openssl->ERR_clear_error();
        if (openssl->SSL_write_ex(link->ssl, link->waiting.at + at, link->waiting.len - at, &len) !=
            1) {
            good = goes_on(link, 0, ended, why);
            break;
        }
        at += len;
    }
    if (at) {
        link->waiting.len -= at;
        memmove(link->waiting.at, link->waiting.at + at, link->waiting.len);
    }
    return good;
}

static bool read_plain(sw_tls_link *link, sw_buf *to_plain, bool *ended, sw_error *why) {
    for (;;) {
        size_t len = 0;
        if (!sw_buf_reserve(to_plain, PIECE_BYTES))
            return false;
        openssl->ERR_clear_error();
        if (openssl->SSL_read_ex(link->ssl, to_plain->at + to_plain->len, PIECE_BYTES, &len) != 1)
            return goes_on(link, 0, ended, why);
        to_plain->len += len;
    }
}

static bool drain_out(sw_tls_link *link, sw_buf *to_wire) {
    for (;;) {
        if (!sw_buf_reserve(to_wire, PIECE_BYTES))
            return false;
        int len = openssl->BIO_read(link->out, to_wire->at + to_wire->len, PIECE_BYTES);
        if (len <= 0)
            return true;
        to_wire->len += (size_t)len;
    }
}

bool sw_tls_link_move(sw_tls_link *link, sw_str wire, sw_str plain, sw_buf *to_wire,
                      sw_buf *to_plain, bool *ended, sw_error *why) {
    sw_buf_add_str(&link->waiting, plain);
    if (link->waiting.failed || wire.len > INT_MAX)
        return false;
    if (wire.len && openssl->BIO_write(link->in, wire.at, (int)wire.len) != (int)wire.len)
        return false;
    /* Reading first: it carries the handshake on, and may be what writing waits for. */
    bool good = read_plain(link, to_plain, ended, why) && write_waiting(link, ended, why);
    return drain_out(link, to_wire) && good;
}
