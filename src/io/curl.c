/* SPDX-License-Identifier: Apache-2.0 */
#include "io/curl.h"

#include <dlfcn.h>
#include <pthread.h>

static sw_curl table;
static bool found, whole;

static void load(void) {
    void *handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        handle = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
    found = handle != NULL;
    if (!handle)
        return;
        /* POSIX lets a data pointer from dlsym become a function's; ISO C knows no such cast. */
#define X(type, name, parameters) *(void **)&table.name = dlsym(handle, "curl_" #name);
    SW_CURL_CALLS(X)
#undef X
#define X(type, name, parameters) &&table.name
    bool all = true SW_CURL_CALLS(X);
#undef X
    whole = all && table.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

sw_status sw_curl_load(const sw_curl **out, sw_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    *out = whole ? &table : NULL;
    if (!found)
        return sw_fail(error, SW_CODE_UNSUPPORTED,
                       "libcurl.so.4 is missing, which requests to a server need: "
                       "install Debian's libcurl4");
    if (!whole)
        return sw_fail(error, SW_CODE_UNSUPPORTED,
                       "this libcurl is too old: version 7.66 or newer is needed");
    return SW_OK;
}
