/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/transfer_private.h"

#include "base/mem.h"
#include "io/curl.h"

#include <stdio.h>
#include <string.h>

typedef struct state {
    const sw_curl *lib;
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

static struct curl_slist *append(const state *s, struct curl_slist *list, const char *text,
                                 bool *failed) {
    struct curl_slist *longer = s->lib->slist_append(list, text);
    *failed = *failed || !longer;
    return longer ? longer : list;
}

static void set_common(CURL *easy, state *s) {
    const sw_action *a = s->transfer->action;
    s->lib->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    s->lib->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)a->timeout_ms);
    s->lib->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)a->timeout_ms);
    s->lib->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_reply);
    s->lib->easy_setopt(easy, CURLOPT_WRITEDATA, s);
    s->lib->easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    s->lib->easy_setopt(easy, CURLOPT_XFERINFODATA, s);
    s->lib->easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    s->lib->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    if (a->user.len)
        s->lib->easy_setopt(easy, CURLOPT_USERNAME, a->user.at);
    if (a->password.len)
        s->lib->easy_setopt(easy, CURLOPT_PASSWORD, a->password.at);
    if (a->ca_file.len)
        s->lib->easy_setopt(easy, CURLOPT_CAINFO, a->ca_file.at);
}

static struct curl_slist *set_http(CURL *easy, const state *s, bool *failed) {
    const sw_transfer *t = s->transfer;
    struct curl_slist *headers = append(s, NULL, "Expect:", failed);
    headers = append(s, headers, "User-Agent: slipway/" SW_VERSION, failed);
    for (size_t i = 0; i < SW_TRANSFER_HEADERS_MAX && t->headers[i]; i++)
        headers = append(s, headers, t->headers[i], failed);
    s->lib->easy_setopt(easy, CURLOPT_POST, 1L);
    s->lib->easy_setopt(easy, CURLOPT_POSTFIELDS, t->body.at);
    s->lib->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
    s->lib->easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return headers;
}

static struct curl_slist *set_mail(CURL *easy, state *s, bool *failed) {
    const sw_action *a = s->transfer->action;
    struct curl_slist *to = NULL;
    for (size_t i = 0; i < a->to_count; i++)
        to = append(s, to, a->to[i].at, failed);
    s->lib->easy_setopt(easy, CURLOPT_MAIL_FROM, a->from.at);
    s->lib->easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    s->lib->easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    s->lib->easy_setopt(easy, CURLOPT_READFUNCTION, on_body);
    s->lib->easy_setopt(easy, CURLOPT_READDATA, s);
    s->lib->easy_setopt(easy, CURLOPT_USE_SSL,
                        (long)(sw_str_is(a->tls, "none")       ? CURLUSESSL_NONE
                               : sw_str_is(a->tls, "starttls") ? CURLUSESSL_TRY
                                                               : CURLUSESSL_ALL));
    return to;
}

static sw_status perform(int *status, state *s, CURL *easy, sw_error *error) {
    const char *protocols = s->transfer->mail ? "smtp,smtps" : "http,https";
    if (s->lib->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, protocols) != CURLE_OK)
        return sw_fail(error, SW_CODE_UNSUPPORTED,
                       "this libcurl is too old: version 7.85 or newer is needed");
    CURLcode done = s->lib->easy_perform(easy);
    long code = 0;
    s->lib->easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    *status = (int)code;
    s->reply[s->got] = 0;
    if (done == CURLE_ABORTED_BY_CALLBACK)
        return sw_fail(error, SW_CODE_CANCELLED, "stopped, as the server ends");
    if (done == CURLE_OPERATION_TIMEDOUT)
        return sw_fail(error, SW_CODE_DEADLINE, "no answer within %lld ms",
                       (long long)s->transfer->action->timeout_ms);
    if (done != CURLE_OK && s->transfer->mail && code >= 400)
        return sw_fail(error, SW_CODE_UNREACHABLE, "the mail server answered %ld: %s", code,
                       s->lib->easy_strerror(done));
    if (done != CURLE_OK)
        return sw_fail(error, SW_CODE_UNREACHABLE, "%s", s->lib->easy_strerror(done));
    if (code / 100 != 2)
        return sw_fail(error, SW_CODE_REFUSED, "the receiver answered %ld", code);
    return SW_OK;
}

sw_status sw_transfer_do(int *status, char reply[SW_TRANSFER_REPLY_BYTES],
                         const sw_transfer *transfer, sw_error *error) {
    state s = {.transfer = transfer, .reply = reply};
    bool failed = false;
    *status = 0;
    *reply = 0;
    SW_TRY(sw_curl_load(&s.lib, error));
    CURL *easy = s.lib->easy_init();
    char *url = sw_mem_alloc(transfer->action->url.len + 64);
    struct curl_slist *list = NULL;
    sw_status done;
    if (!easy || !url) {
        done = sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while sending");
        goto done;
    }
    snprintf(url, transfer->action->url.len + 64, "%.*s%s", SW_STR_ARG(transfer->action->url),
             transfer->path ? transfer->path : "");
    s.lib->easy_setopt(easy, CURLOPT_URL, url);
    set_common(easy, &s);
    list = transfer->mail ? set_mail(easy, &s, &failed) : set_http(easy, &s, &failed);
    done = failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while sending")
                  : perform(status, &s, easy, error);
done:
    s.lib->slist_free_all(list);
    if (easy)
        s.lib->easy_cleanup(easy);
    sw_mem_free(url);
    return done;
}
