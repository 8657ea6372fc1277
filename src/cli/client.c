/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Driven by the multi interface rather than curl_easy_perform: its poll has a timeout of our own,
 * so that a progress line appears on time while nothing moves.
 */
#include "cli/client_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/curl.h"

#include <stdlib.h>
#include <strings.h>

enum { POLL_MS = 100, CONNECT_TIMEOUT_MS = 5000, REPLY_BYTES_MAX = 1 << 30, HEADERS_MAX = 5 };

static const sw_curl *lib; /* once sw_client_load has succeeded */

struct sw_client {
    CURL *easy;
    CURLM *multi;
    char *url, *base, *socket_path, *token, *ca_file;
    bool local; /* loopback or a socket: no proxy is asked */
    sw_reply reply;
    char reason[CURL_ERROR_SIZE];
};

/* One request on its way. */
typedef struct transfer_state {
    sw_client *client;
    sw_reply *reply;
    const sw_request *request;
    uint64_t sent_bytes;
    bool in_body, stopped, too_large;
} transfer_state;

sw_status sw_client_load(sw_error *error) {
    return sw_curl_load(&lib, error);
}

/* The host and port in "user:password@host:port/path". */
static sw_str host_of(const char *at) {
    const char *end = at + strcspn(at, "/?#");
    for (const char *c = at; c < end; c++)
        if (*c == '@')
            at = c + 1;
    return (sw_str){at, (size_t)(end - at)};
}

static char *copy_text(const char *text) {
    return text ? sw_mem_copy(text, strlen(text)) : NULL;
}

/* "host", "host:port", "[::1]:port", "user:password@host", with a path behind or not. */
static bool is_authority(const char *at) {
    const sw_str host = host_of(at);
    const char *end = host.at + host.len, *colon = NULL;
    for (const char *c = host.at; c < end; c++)
        colon = *c == ':' ? c : *c == ']' ? NULL : colon;
    const char *host_end = colon ? colon : end;
    if (host_end == host.at)
        return false;
    uint64_t port = 80;
    return !colon || (sw_str_to_u64(&port, (sw_str){colon + 1, (size_t)(end - colon - 1)}, 65535) &&
                      port > 0);
}

/* Splits what a person writes into the base of every URL and, for a socket, its path. */
static sw_status read_url(sw_client *client, const char *url, sw_error *error) {
    char base[1024];
    if (strncmp(url, "unix:", 5) == 0) {
        if (url[5] != '/')
            return sw_fail(error, SW_CODE_USAGE,
                           "'%s' is no address of a server: a socket is written "
                           "unix:/path/to.sock",
                           url);
        client->socket_path = copy_text(url + 5);
        snprintf(base, sizeof base, "http://localhost");
    } else {
        bool whole = strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0;
        const char *authority = whole ? strstr(url, "//") + 2 : url;
        if (strlen(url) > 900 || strpbrk(url, " \t\r\n") || (!whole && strstr(url, "//")) ||
            !is_authority(authority))
            return sw_fail(error, SW_CODE_USAGE,
                           "'%s' is no address of a server: write http://host:port, "
                           "https://host:port or unix:/path/to.sock",
                           url);
        snprintf(base, sizeof base, "%s%s", whole ? "" : "http://", url);
        for (size_t len = strlen(base); len && base[len - 1] == '/'; len--)
            base[len - 1] = 0;
    }
    client->base = copy_text(base);
    client->url = copy_text(client->socket_path ? url : base);
    client->local = client->socket_path || sw_str_is_loopback(host_of(strstr(base, "//") + 2));
    return SW_OK;
}

sw_status sw_client_make(sw_client **out, const char *url, const char *token, const char *ca_file,
                         sw_error *error) {
    SW_TRY(sw_client_load(error));
    sw_client *client = sw_mem_zalloc(1, sizeof *client);
    if (!client)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
    sw_status status = read_url(client, url, error);
    client->token = copy_text(token);
    client->ca_file = copy_text(ca_file);
    client->easy = lib->easy_init();
    client->multi = lib->multi_init();
    if (!sw_failed(status) && (!client->easy || !client->multi || !client->base || !client->url ||
                               (token && !client->token) || (ca_file && !client->ca_file)))
        status = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
    if (sw_failed(status)) {
        sw_client_free(client);
        return status;
    }
    *out = client;
    return SW_OK;
}

void sw_client_free(sw_client *client) {
    if (!client)
        return;
    if (client->easy)
        lib->easy_cleanup(client->easy);
    if (client->multi)
        lib->multi_cleanup(client->multi);
    sw_mem_free(client->url);
    sw_mem_free(client->base);
    sw_mem_free(client->socket_path);
    sw_mem_free(client->token);
    sw_mem_free(client->ca_file);
    sw_reply_free(&client->reply);
    sw_mem_free(client);
}

void sw_reply_free(sw_reply *reply) {
    sw_buf_free(&reply->body);
    sw_buf_free(&reply->trailers);
}

const char *sw_client_url(const sw_client *client) {
    return client->url;
}

sw_reply *sw_client_reply(sw_client *client) {
    return &client->reply;
}

static size_t on_body(char *bytes, size_t one, size_t count, void *context) {
    transfer_state *transfer = context;
    size_t len = one * count;
    transfer->in_body = true;
    long http = 0;
    lib->easy_getinfo(transfer->client->easy, CURLINFO_RESPONSE_CODE, &http);
    if (transfer->request->take && http < 400) {
        transfer->stopped =
            !transfer->request->take(transfer->request->context, (sw_str){bytes, len});
        return transfer->stopped ? 0 : len;
    }
    transfer->too_large = transfer->reply->body.len + len > REPLY_BYTES_MAX;
    if (transfer->too_large)
        return 0;
    sw_buf_add(&transfer->reply->body, bytes, len);
    return transfer->reply->body.failed ? 0 : len;
}

/* Lines behind the body are trailers; an answer of trailers alone has them in front. */
static size_t on_header(char *bytes, size_t one, size_t count, void *context) {
    transfer_state *transfer = context;
    sw_str line = {bytes, one * count};
    if (transfer->in_body || sw_str_starts(line, SW_STR("grpc-")))
        sw_buf_add_str(&transfer->reply->trailers, line);
    return line.len;
}

static size_t on_read(char *bytes, size_t one, size_t count, void *context) {
    transfer_state *transfer = context;
    size_t len = fread(bytes, 1, one * count, transfer->request->file);
    if (len == 0 && ferror(transfer->request->file))
        return CURL_READFUNC_ABORT;
    transfer->sent_bytes += len;
    return len;
}

static void set_address(sw_client *client, const char *path) {
    char url[4096];
    snprintf(url, sizeof url, "%s%s", client->base, path);
    lib->easy_setopt(client->easy, CURLOPT_URL, url);
    if (client->socket_path)
        lib->easy_setopt(client->easy, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
    if (client->local)
        lib->easy_setopt(client->easy, CURLOPT_PROXY, "");
    if (client->ca_file)
        lib->easy_setopt(client->easy, CURLOPT_CAINFO, client->ca_file);
}

static void set_body(sw_client *client, transfer_state *transfer) {
    const sw_request *request = transfer->request;
    if (request->file) {
        lib->easy_setopt(client->easy, CURLOPT_UPLOAD, 1L);
        lib->easy_setopt(client->easy, CURLOPT_READFUNCTION, on_read);
        lib->easy_setopt(client->easy, CURLOPT_READDATA, transfer);
        if (request->file_bytes)
            lib->easy_setopt(client->easy, CURLOPT_INFILESIZE_LARGE,
                             (curl_off_t)request->file_bytes);
    } else if (request->body.at) {
        lib->easy_setopt(client->easy, CURLOPT_POSTFIELDS, request->body.at);
        lib->easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    } else if (strcmp(request->method, "POST") == 0) {
        lib->easy_setopt(client->easy, CURLOPT_POSTFIELDS, "");
        lib->easy_setopt(client->easy, CURLOPT_POSTFIELDSIZE, 0L);
    }
    lib->easy_setopt(client->easy, CURLOPT_CUSTOMREQUEST, request->method);
    if (strcmp(request->method, "HEAD") == 0)
        lib->easy_setopt(client->easy, CURLOPT_NOBODY, 1L);
}

/* NULL where memory is out. No Expect: this server answers an unwanted body at once. */
static struct curl_slist *make_headers(const sw_client *client, const sw_request *request) {
    char lines[HEADERS_MAX][1100];
    size_t count = 0;
    snprintf(lines[count++], sizeof lines[0], "Expect:");
    if (request->file || request->body.at)
        snprintf(lines[count++], sizeof lines[0], "Content-Type: %s",
                 request->type ? request->type : "application/json");
    if (client->token)
        snprintf(lines[count++], sizeof lines[0], "Authorization: Bearer %s", client->token);
    if (request->http2)
        snprintf(lines[count++], sizeof lines[0], "te: trailers");
    struct curl_slist *list = NULL;
    for (size_t i = 0; i < count; i++) {
        struct curl_slist *longer = lib->slist_append(list, lines[i]);
        if (!longer) {
            lib->slist_free_all(list);
            return NULL;
        }
        list = longer;
    }
    return list;
}

static CURLcode run(transfer_state *transfer) {
    sw_client *client = transfer->client;
    const sw_request *request = transfer->request;
    if (lib->multi_add_handle(client->multi, client->easy) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    CURLcode code = CURLE_FAILED_INIT;
    int running = 1;
    while (running) {
        if (lib->multi_perform(client->multi, &running) != CURLM_OK)
            break;
        if (request->progress)
            sw_progress_tick(request->progress, transfer->sent_bytes, request->file_bytes);
        if (running && lib->multi_poll(client->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
            break;
    }
    int left = 0;
    for (CURLMsg *message; (message = lib->multi_info_read(client->multi, &left));)
        if (message->msg == CURLMSG_DONE)
            code = message->data.result;
    lib->multi_remove_handle(client->multi, client->easy);
    return code;
}

static sw_status explain(const transfer_state *transfer, CURLcode code, sw_error *error) {
    const sw_client *client = transfer->client;
    const char *why = *client->reason ? client->reason : lib->easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
        return sw_fail(error, SW_CODE_UNREACHABLE,
                       "no server at %s: start one with `slipway serve`, or point --server or "
                       "SLIPWAY_URL at it",
                       client->url);
    case CURLE_OUT_OF_MEMORY: return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
    case CURLE_ABORTED_BY_CALLBACK:
        return sw_fail(error, SW_CODE_IO, "the file could not be read to its end");
    case CURLE_OPERATION_TIMEDOUT:
        return sw_fail(error, SW_CODE_UNREACHABLE, "%s did not answer in time: %s", client->url,
                       why);
    case CURLE_PEER_FAILED_VERIFICATION:
        return sw_fail(error, SW_CODE_UNREACHABLE,
                       "%s: %s. Where the certificate is your own, name its authority by "
                       "SLIPWAY_CA_FILE",
                       client->url, why);
    case CURLE_SSL_CACERT_BADFILE:
        return sw_fail(error, SW_CODE_USAGE,
                       "SLIPWAY_CA_FILE=%s holds no certificate that can be read",
                       client->ca_file ? client->ca_file : "");
    case CURLE_SSL_CONNECT_ERROR:
        return sw_fail(error, SW_CODE_UNREACHABLE,
                       "no TLS with %s: %s. Where the server has no certificate, write http://",
                       client->url, why);
    default:
        return sw_fail(error, SW_CODE_UNREACHABLE, "the connection to %s broke off: %s",
                       client->url, why);
    }
}

static sw_status finish(transfer_state *transfer, CURLcode code, uint64_t began_ns,
                        sw_error *error) {
    sw_reply *reply = transfer->reply;
    const char *type = NULL;
    lib->easy_getinfo(transfer->client->easy, CURLINFO_RESPONSE_CODE, &reply->http);
    lib->easy_getinfo(transfer->client->easy, CURLINFO_CONTENT_TYPE, &type);
    reply->is_json = type && strncasecmp(type, "application/json", 16) == 0;
    reply->seconds = (double)(sw_clock_ns() - began_ns) / 1e9;
    if (transfer->too_large)
        return sw_fail(error, SW_CODE_TOO_LARGE, "the answer is larger than 1 GB");
    if (reply->body.failed || reply->trailers.failed)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
    /* A server that refuses a body may answer and close before it has read all of it. */
    bool answered = reply->http >= 400 && (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR);
    return code == CURLE_OK || transfer->stopped || answered ? SW_OK
                                                             : explain(transfer, code, error);
}

sw_status sw_client_do(sw_reply *reply, sw_client *client, const sw_request *request,
                       sw_error *error) {
    transfer_state transfer = {.client = client, .reply = reply, .request = request};
    struct curl_slist *headers = make_headers(client, request);
    if (!headers)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory");
    sw_buf_clear(&reply->body);
    sw_buf_clear(&reply->trailers);
    reply->http = 0;
    lib->easy_reset(client->easy);
    *client->reason = 0;
    set_address(client, request->path);
    set_body(client, &transfer);
    lib->easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    lib->easy_setopt(client->easy, CURLOPT_ERRORBUFFER, client->reason);
    lib->easy_setopt(client->easy, CURLOPT_NOSIGNAL, 1L);
    lib->easy_setopt(client->easy, CURLOPT_USERAGENT, "slipway");
    lib->easy_setopt(client->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    lib->easy_setopt(client->easy, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    lib->easy_setopt(client->easy, CURLOPT_WRITEFUNCTION, on_body);
    lib->easy_setopt(client->easy, CURLOPT_WRITEDATA, &transfer);
    lib->easy_setopt(client->easy, CURLOPT_HEADERFUNCTION, on_header);
    lib->easy_setopt(client->easy, CURLOPT_HEADERDATA, &transfer);
    lib->easy_setopt(
        client->easy, CURLOPT_HTTP_VERSION,
        (long)(request->http2 ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_1_1));
    uint64_t began_ns = sw_clock_ns();
    CURLcode code = run(&transfer);
    sw_status status = finish(&transfer, code, began_ns, error);
    lib->slist_free_all(headers);
    return status;
}

sw_segment sw_client_segment(const char *name) {
    static const char hex[] = "0123456789ABCDEF";
    sw_segment segment;
    size_t at = 0;
    for (; *name && at + 3 < sizeof segment.at; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-_.~", c);
        if (plain) {
            segment.at[at++] = (char)c;
        } else {
            segment.at[at++] = '%';
            segment.at[at++] = hex[c >> 4];
            segment.at[at++] = hex[c & 15];
        }
    }
    segment.at[at] = 0;
    return segment;
}
