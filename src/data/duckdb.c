/* SPDX-License-Identifier: Apache-2.0 */
#include "data/duckdb_private.h"

#include "io/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static duck_calls calls;
static const char *missing; /* a call that the library lacks */
static void *library;
static sw_error why_not;

static void find(void *call, const char *name) {
    void *symbol = dlsym(library, name);
    memcpy(call, &symbol, sizeof symbol);
    if (!symbol)
        missing = name;
}

static void load(void) {
    library = sw_library_open("DuckDB", "libduckdb.so", "SLIPWAY_DUCKDB", &why_not);
    if (!library)
        return;
#define X(result, name, parameters) find(&calls.name, "duckdb_" #name);
    DUCK_CALLS(X)
#undef X
    if (missing)
        (void)sw_fail(&why_not, SW_CODE_UNAVAILABLE,
                      "the libduckdb.so that was found has no %s: it is too old, or too new",
                      missing);
}

const duck_calls *sw_duckdb_load(sw_error *why) {
    pthread_once(&once, load);
    if (library && !missing)
        return &calls;
    if (why)
        *why = why_not;
    return NULL;
}
