/* SPDX-License-Identifier: Apache-2.0 */
#include "net/openssl.h"

#include <dlfcn.h>
#include <string.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
static const char library_name[] = "libssl.so." TEXT(OPENSSL_SHLIB_VERSION);

static sw_status find(void *into, void *library, const char *name, sw_error *error) {
    void *found = dlsym(library, name);
    if (!found)
        return sw_fail(error, SW_CODE_UNAVAILABLE, "TLS needs %s with %s, which it does not have",
                       library_name, name);
    memcpy(into, &found, sizeof found);
    return SW_OK;
}

sw_status sw_openssl_load(const sw_openssl **out, sw_error *error) {
    static sw_openssl table;
    void *library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return sw_fail(error, SW_CODE_UNAVAILABLE,
                       "TLS needs OpenSSL: %s. Install it (Debian: apt-get install libssl3)",
                       dlerror());
#define X(name) SW_TRY(find(&table.name, library, #name, error));
    SW_OPENSSL_CALLS(X)
#undef X
    *out = &table;
    return SW_OK;
}
