/* SPDX-License-Identifier: Apache-2.0 */
/* TLS with a certificate made for the occasion. */
#include "unit/net/h2_testing.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static char dir[SCRATCH_BYTES], cert_path[SCRATCH_BYTES + 16], key_path[SCRATCH_BYTES + 16];

static void write_certificate(const char *cert_file, const char *key_file) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_sign(cert, key, EVP_sha256());
    FILE *file = fopen(key_file, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    file = fopen(cert_file, "w");
    PEM_write_X509(file, cert);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static bool begin(test_server *server, uint32_t loops, const char *unix_path) {
    scratch_make(dir);
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/key.pem", dir);
    write_certificate(cert_path, key_path);
    sw_server_config config = {.tls_cert = cert_path,
                               .tls_key = key_path,
                               .unix_path = unix_path,
                               .header_timeout_ms = 500};
    return server_start(server, &config, loops);
}

static void end(test_server *server) {
    server_stop(server);
    scratch_remove(dir);
}

typedef struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
} tls_client;

static bool connect_tls(tls_client *t, const test_server *server, const char *alpn,
                        size_t alpn_len) {
    t->context = SSL_CTX_new(TLS_client_method());
    t->fd = dial(server);
    SSL_CTX_load_verify_locations(t->context, cert_path, NULL);
    SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
    t->ssl = SSL_new(t->context);
    if (alpn)
        SSL_set_alpn_protos(t->ssl, (const unsigned char *)alpn, (unsigned)alpn_len);
    SSL_set_fd(t->ssl, t->fd);
    return SSL_connect(t->ssl) == 1;
}

static void end_tls(tls_client *t) {
    SSL_free(t->ssl);
    SSL_CTX_free(t->context);
    close(t->fd);
}

/* What comes until the server closes, or `part` has. */
static heard hear_tls(tls_client *t, const char *part) {
    heard h = {.cap = 12000000};
    h.at = calloc(1, h.cap);
    int got;
    while ((got = SSL_read(t->ssl, h.at + h.len, (int)(h.cap - h.len - 1))) > 0) {
        h.len += (size_t)got;
        h.at[h.len] = '\0';
        if (part && strstr(h.at, part))
            return h;
    }
    h.closed = true;
    return h;
}

TEST(tls__speaks_http1) {
    test_server server;
    tls_client t;
    REQUIRE(begin(&server, 1, NULL));
    CHECK(strncmp(sw_server_url(server.server), "https://", 8) == 0);
    REQUIRE(connect_tls(&t, &server, NULL, 0));
    const char *request = "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /pool HTTP/1.1\r\n" HOST "\r\n";
    SSL_write(t.ssl, request, (int)strlen(request));
    heard h = hear_tls(&t, "from a pool");
    CHECK_HAS(h.at, "hello");
    CHECK_HAS(h.at, "from a pool");
    hush(&h);
    request = "GET /big HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    SSL_write(t.ssl, request, (int)strlen(request));
    h = hear_tls(&t, NULL);
    CHECK(h.len > BIG_BYTES);
    CHECK(h.closed);
    CHECK_INT(SSL_get_shutdown(t.ssl) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    hush(&h);
    end_tls(&t);
    end(&server);
}

TEST(tls__takes_bodies_larger_than_a_record) {
    enum { LEN = 2000000 };
    test_server server;
    tls_client t;
    REQUIRE(begin(&server, 1, NULL));
    REQUIRE(connect_tls(&t, &server, "\x08http/1.1", 9));
    char head[200], *body = malloc(LEN);
    memset(body, 'z', LEN);
    for (int i = 0; i < 2; i++) {
        sprintf(head, "POST %s HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n",
                i ? "/upload" : "/echo", LEN);
        SSL_write(t.ssl, head, (int)strlen(head));
        SSL_write(t.ssl, body, LEN);
        heard h = hear_tls(&t, i ? "2000000 " : "zz");
        while (i == 0 && h.len < LEN) {
            int got = SSL_read(t.ssl, h.at + h.len, (int)(h.cap - h.len - 1));
            if (got <= 0)
                break;
            h.len += (size_t)got;
        }
        CHECK(i ? strstr(h.at, "201 Created") != NULL : h.len > LEN && h.at[h.len - 1] == 'z');
        hush(&h);
    }
    free(body);
    end_tls(&t);
    end(&server);
}

static ssize_t recv_tls(void *io, void *at, size_t cap) {
    return SSL_read(io, at, (int)cap);
}

static ssize_t send_tls(void *io, const void *at, size_t len) {
    return SSL_write(io, at, (int)len);
}

TEST(tls__speaks_http2_where_alpn_says_so) {
    static h2_client c;
    char frame[1024];
    test_server server;
    tls_client t;
    REQUIRE(begin(&server, 2, NULL));
    REQUIRE(connect_tls(&t, &server, "\x02h2\x08http/1.1", 12));
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(t.ssl, &chosen, &len);
    CHECK(len == 2 && memcmp(chosen, "h2", 2) == 0);
    REQUIRE(h2_begin(&c, t.fd));
    c.recv = recv_tls;
    c.send = send_tls;
    c.io = t.ssl;
    h2_call *hello = h2_call_with(&c, "GET", "/hello", NULL, 0, NULL);
    h2_call *grpc = h2_grpc(&c, "/t.S/Echo", "secret", frame, NULL);
    h2_call *big = h2_call_with(&c, "GET", "/big", NULL, 0, NULL);
    h2_run(&c);
    CHECK_TEXT(hello->body, "hello");
    CHECK_INT(grpc->grpc_status, 0);
    CHECK_INT(big->len, BIG_BYTES);
    for (int i = 0; i < c.count; i++)
        free(c.calls[i].body);
    nghttp2_session_del(c.session);
    end_tls(&t);
    end(&server);
}

TEST(tls__refuses_plaintext_but_on_the_unix_socket) {
    char where[SCRATCH_BYTES], path[SCRATCH_BYTES + 8];
    test_server server;
    scratch_make(where);
    snprintf(path, sizeof path, "%s/s", where);
    REQUIRE(begin(&server, 1, path));
    heard h = ask(&server, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
    CHECK_HAS(h.at, "400 Bad Request");
    CHECK_HAS(h.at, "https://");
    CHECK(!strstr(h.at, "hello\""));
    hush(&h);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    say(fd, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    h = hear_to_close(fd);
    CHECK_HAS(h.at, "200 OK");
    hush(&h);
    close(fd);
    end(&server);
    scratch_remove(where);
}

TEST(tls__gives_up_on_half_a_handshake_and_on_noise) {
    test_server server;
    REQUIRE(begin(&server, 1, NULL));
    int half = dial(&server), silent = dial(&server), noise = dial(&server);
    say_bytes(half, "\x16\x03\x01\x02\x00\x01\x00", 7);
    say_bytes(noise, "\x16\x03\x01\x00\x05noise", 10);
    int fds[] = {half, silent, noise};
    for (int i = 0; i < 3; i++) {
        heard h = hear_to_close(fds[i]);
        CHECK(h.closed);
        hush(&h);
        close(fds[i]);
    }
    end(&server);
}

TEST(tls__explains_unusable_files) {
    sw_loops *loops;
    sw_server *server;
    sw_error error = {.text = ""};
    scratch_make(dir);
    snprintf(cert_path, sizeof cert_path, "%s/cert.pem", dir);
    snprintf(key_path, sizeof key_path, "%s/key.pem", dir);
    char other_cert[SCRATCH_BYTES + 16], other_key[SCRATCH_BYTES + 16];
    snprintf(other_cert, sizeof other_cert, "%s/c2.pem", dir);
    snprintf(other_key, sizeof other_key, "%s/k2.pem", dir);
    write_certificate(cert_path, key_path);
    write_certificate(other_cert, other_key);
    const char *pairs[][2] = {{cert_path, NULL},
                              {"/nowhere/x.pem", key_path},
                              {cert_path, "/nowhere/x.pem"},
                              {key_path, key_path},
                              {cert_path, other_key}};
    REQUIRE_OK(sw_loops_make(&loops, 1, &error), error);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        sw_server_config config = {
            .listen = "127.0.0.1:0", .tls_cert = pairs[i][0], .tls_key = pairs[i][1]};
        error.text[0] = '\0';
        CHECK_INT(sw_server_start(&server, loops, test_routes, 1, NULL, &config, &error).code,
                  SW_CODE_INVALID);
        CHECK_HAS(error.text, "TLS");
    }
    sw_loops_stop(loops);
    scratch_remove(dir);
}

TEST_MAIN
