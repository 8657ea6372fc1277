/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl: libcurl, loaded at first use: a program that asks nobody never carries it.
 *
 * Threads: any; what libcurl itself allows.
 * Layer:   io. libcurl 7.66 or newer (curl_multi_poll).
 */
#ifndef SW_IO_CURL_H
#define SW_IO_CURL_H

#include "base/status.h"

#include <curl/curl.h>

/* What is used of it: return type, name, parameters. */
#define SW_CURL_CALLS(X)                                                            \
    X(CURLcode, global_init, (long))                                                \
    X(CURL *, easy_init, (void))                                                    \
    X(void, easy_reset, (CURL *))                                                   \
    X(CURLcode, easy_setopt, (CURL *, CURLoption, ...))                             \
    X(CURLcode, easy_perform, (CURL *))                                             \
    X(CURLcode, easy_getinfo, (CURL *, CURLINFO, ...))                              \
    X(const char *, easy_strerror, (CURLcode))                                      \
    X(void, easy_cleanup, (CURL *))                                                 \
    X(CURLM *, multi_init, (void))                                                  \
    X(CURLMcode, multi_cleanup, (CURLM *))                                          \
    X(CURLMcode, multi_add_handle, (CURLM *, CURL *))                               \
    X(CURLMcode, multi_remove_handle, (CURLM *, CURL *))                            \
    X(CURLMcode, multi_perform, (CURLM *, int *))                                   \
    X(CURLMcode, multi_poll, (CURLM *, struct curl_waitfd *, unsigned, int, int *)) \
    X(CURLMsg *, multi_info_read, (CURLM *, int *))                                 \
    X(struct curl_slist *, slist_append, (struct curl_slist *, const char *))       \
    X(void, slist_free_all, (struct curl_slist *))

typedef struct sw_curl {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): these are parts of a declaration */
#define X(type, name, parameters) type(*name) parameters;
    SW_CURL_CALLS(X)
#undef X
} sw_curl;

/* curl.h checks the types of these two by macros, which would stand in the way of their members. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

/* UNSUPPORTED where there is none, or one too old: the text says what to install. */
SW_MUST_USE sw_status sw_curl_load(const sw_curl **out, sw_error *error);

#endif /* SW_IO_CURL_H */
