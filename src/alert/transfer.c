/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/transfer_private.h"

#include "base/mem.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* What is used of libcurl: return type, name, parameters. */
#define CURL_CALLS(X)                                                         \
    X(CURLcode, global_init, (long))                                          \
    X(CURL *, easy_init, (void))                                              \
    X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                       \
    X(CURLcode, easy_perform, (CURL *))                                       \
    X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                        \
    X(const char *, easy_strerror, (CURLcode))                                \
    X(void, easy_cleanup, (CURL *))                                           \
    X(struct curl_slist *, slist_append, (struct curl_slist *, const char *)) \
    X(void, slist_free_all, (struct curl_slist *))

static struct {
#define X(type, name, parameters) type(*name) parameters;
    CURL_CALLS(X)
#undef X
    bool ready;
} lib;

#undef curl_easy_setopt
#undef curl_easy_getinfo

static void load(void) {
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        handle = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return;
        /* POSIX lets a data pointer from dlsym become a function's; ISO C knows no such cast. */
#define X(type, name, parameters) *(void **)&lib.name = dlsym(handle, "curl_" #name);
    CURL_CALLS(X)
#undef X
#define X(type, name, parameters) &&lib.name
    bool whole = true CURL_CALLS(X);
#undef X
    lib.ready = whole && lib.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

typedef struct state {
    const sw_transfer *transfer;
    char *reply;
    size_t got, sent;
} state;

static size_t on_reply(char *bytes, size_t size, size_t count, void *context) {
    state *s = context;
    size_t room = SW_TRANSFER_REPLY_BYTES - 1 - s->got;
    size_t keep = size * count < room ? size * count : room;
    memcpy(s->reply + s->got, bytes, keep);
    s->got += keep;
    return size * count;
}

static size_t on_body(char *to, size_t size, size_t count, void *context) {
    state *s = context;
    sw_str body = s->transfer->body;
    size_t some = body.len - s->sent < size * count ? body.len - s->sent : size * count;
    memcpy(to, body.at + s->sent, some);
    s->sent += some;
    return some;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    const state *s = context;
    (void)a, (void)b, (void)c, (void)d;
    return s->transfer->stop && atomic_load(s->transfer->stop);
}

static struct curl_slist *append(struct curl_slist *list, const char *text, bool *failed) {
    struct curl_slist *longer = lib.slist_append(list, text);
    *failed = *failed || !longer;
    return longer ? longer : list;
}

static void set_common(CURL *easy, state *s) {
    const sw_action *a = s->transfer->action;
    lib.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    lib.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)a->timeout_ms);
    lib.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)a->timeout_ms);
    lib.easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    lib.easy_setopt(easy, CURLOPT_WRITEDATA, s);
    lib.easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    lib.easy_setopt(easy, CURLOPT_XFERINFODATA, s);
    lib.easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    lib.easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (a->user.len)
        lib.easy_setopt(easy, CURLOPT_USERNAME, a->user.at);
    if (a->password.len)
        lib.easy_setopt(easy, CURLOPT_PASSWORD, a->password.at);
    if (a->ca_file.len)
        lib.easy_setopt(easy, CURLOPT_CAINFO, a->ca_file.at);
}

static struct curl_slist *set_http(CURL *easy, const sw_transfer *t, bool *failed) {
    struct curl_slist *headers = append(NULL, "Expect:", failed);
    headers = append(headers, "User-Agent: slipway/" SW_VERSION, failed);
    for (size_t i = 0; i < SW_TRANSFER_HEADERS_MAX && t->headers[i]; i++)
        headers = append(headers, t->headers[i], failed);
    lib.easy_setopt(easy, CURLOPT_POST, 1L);
    lib.easy_setopt(easy, CURLOPT_POSTFIELDS, t->body.at);
    lib.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
    lib.easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return headers;
}

static struct curl_slist *set_mail(CURL *easy, state *s, bool *failed) {
    const sw_action *a = s->transfer->action;
    struct curl_slist *to = NULL;
    for (size_t i = 0; i < a->to_count; i++)
        to = append(to, a->to[i].at, failed);
    lib.easy_setopt(easy, CURLOPT_MAIL_FROM, a->from.at);
    lib.easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    lib.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    lib.easy_setopt(easy, CURLOPT_READFUNCTION, on_body);
    lib.easy_setopt(easy, CURLOPT_READDATA, s);
    lib.easy_setopt(easy, CURLOPT_USE_SSL,
                    (long)(sw_str_is(a->tls, "none")       ? CURLUSESSL_NONE
                           : sw_str_is(a->tls, "starttls") ? CURLUSESSL_TRY
                                                           : CURLUSESSL_ALL));
    return to;
}

static sw_status perform(int *status, state *s, CURL *easy, sw_error *error) {
    const char *protocols = s->transfer->mail ? "smtp,smtps" : "http,https";
    if (lib.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) != CURLE_OK)
        return sw_fail(error, SW_CODE_UNSUPPORTED,
                       "this libcurl is too old: version 7.85 or newer is needed");
    CURLcode done = lib.easy_perform(easy);
    long code = 0;
    lib.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    *status = (int)code;
    s->reply[s->got] = 0;
    if (done == CURLE_ABORTED_BY_CALLBACK)
        return sw_fail(error, SW_CODE_CANCELLED, "stopped, as the server ends");
    if (done == CURLE_OPERATION_TIMEDOUT)
        return sw_fail(error, SW_CODE_DEADLINE, "no answer within %lld ms",
                       (long long)s->transfer->action->timeout_ms);
    if (done != CURLE_OK && s->transfer->mail && code >= 400)
        return sw_fail(error, SW_CODE_UNREACHABLE, "the mail server answered %ld: %s", code,
                       lib.easy_strerror(done));
    if (done != CURLE_OK)
        return sw_fail(error, SW_CODE_UNREACHABLE, "%s", lib.easy_strerror(done));
    if (code / 100 != 2)
        return sw_fail(error, SW_CODE_REFUSED, "the receiver answered %ld", code);
    return SW_OK;
}

sw_status sw_transfer_do(int *status, char reply[SW_TRANSFER_REPLY_BYTES],
                         const sw_transfer *transfer, sw_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    state s = {.transfer = transfer, .reply = reply};
    bool failed = false;
    *status = 0;
    *reply = 0;
    pthread_once(&once, load);
    if (!lib.ready)
        return sw_fail(error, SW_CODE_UNSUPPORTED,
                       "libcurl.so.4 is missing, which sending needs: install Debian's libcurl4");
    CURL *easy = lib.easy_init();
    char *url = sw_mem_alloc(transfer->action->url.len + 64);
    struct curl_slist *list = NULL;
    sw_status done;
    if (!easy || !url) {
        done = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while sending");
        goto done;
    }
    snprintf(url, transfer->action->url.len + 64, "%.*s%s", SW_STR_ARG(transfer->action->url),
             transfer->path ? transfer->path : "");
    lib.easy_setopt(easy, CURLOPT_URL, url);
    set_common(easy, &s);
    list = transfer->mail ? set_mail(easy, &s, &failed) : set_http(easy, transfer, &failed);
    done = failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while sending")
                  : perform(status, &s, easy, error);
done:
    lib.slist_free_all(list);
    if (easy)
        lib.easy_cleanup(easy);
    sw_mem_free(url);
    return done;
}
