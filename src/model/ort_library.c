/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"
#include "model/ort_private.h"

#include "io/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 256 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static ort_library library;
static bool loaded;
static sw_error why_not;

/* The official build reports its use to its makers unless it is told not to. Ours is nobody's
 * business. Said before main: the environment may not change once there are threads. */
__attribute__((constructor)) static void tell_nobody(void) {
    setenv("ORT_DISABLE_TELEMETRY", "1", 1);
}

static void *open_library(void) {
    return sw_library_open("ONNX Runtime", "libonnxruntime.so.1", "SLIPWAY_ORT", &why_not);
}

static int wanted_threads(void) {
    const char *text = getenv("SLIPWAY_ORT_THREADS");
    uint64_t count = 1;
    if (text && !sw_str_to_u64(&count, sw_str_of(text), THREADS_MAX))
        count = 1;
    return count ? (int)count : 1;
}

static bool fine(ort_status *status) {
    return !sw_failed(sw_ort_check(&library, status, &why_not, "ONNX Runtime did not start"));
}

static bool start(void) {
    const ort_calls *calls = &library.calls;
    ort_threading *threading = NULL;
    bool good =
        fine(calls->create_threading(&threading)) &&
        fine(calls->set_threads(threading, wanted_threads())) &&
        fine(calls->set_graph_threads(threading, 1)) && fine(calls->set_spinning(threading, 0)) &&
        fine(calls->create_env_with_pool(ORT_LOG_FATAL, "slipway", threading, &library.env)) &&
        fine(calls->create_cpu_memory(ORT_DEVICE_ALLOCATOR, 0, &library.memory)) &&
        fine(calls->default_allocator(&library.allocator));
    if (threading)
        calls->release_threading(threading);
    return good;
}

static void load(void) {
    const ort_base *(*get_base)(void) = NULL;
    void *handle = open_library();
    if (!handle)
        return;
    void *symbol = dlsym(handle, "OrtGetApiBase");
    memcpy(&get_base, &symbol, sizeof get_base);
    const ort_base *base = get_base ? get_base() : NULL;
    void *const *table = base ? base->get_api(SW_ORT_API) : NULL;
    if (!table) {
        (void)sw_fail(&why_not, SW_CODE_UNAVAILABLE,
                      "the ONNX Runtime that was found is older than 1.11, or not ONNX Runtime");
        dlclose(handle);
        return;
    }
#define X(place, result, name, parameters) \
    memcpy(&library.calls.name, &table[place], sizeof(void *));
    ORT_CALLS(X)
#undef X
    library.version = base->get_version();
    loaded = start();
}

const ort_library *sw_ort_load(sw_error *why) {
    pthread_once(&once, load);
    if (loaded)
        return &library;
    if (why)
        *why = why_not;
    return NULL;
}

const char *sw_ort_version(sw_error *why) {
    const ort_library *ort = sw_ort_load(why);
    return ort ? ort->version : NULL;
}

static sw_code code_of(int ort_code) {
    switch (ort_code) {
    case ORT_INVALID_ARGUMENT: return SW_CODE_INVALID;
    case ORT_NOT_IMPLEMENTED: return SW_CODE_UNSUPPORTED;
    default: return SW_CODE_INTERNAL;
    }
}

/* Behind "name(arguments) const " and "name(arguments)::operator()(arguments) ". */
static const char *skip_arguments(const char *at) {
    const char *open = strchr(at, '(');
    while (open && *open == '(') {
        const char *c = open;
        int depth = 0;
        do
            depth += *c == '(' ? 1 : *c == ')' ? -1 : 0;
        while (depth && *++c);
        if (depth)
            break;
        at = c + 1;
        open = strncmp(at, "::", 2) == 0 ? strchr(at, '(') : at;
    }
    at += strncmp(at, " const ", 7) == 0 ? 7 : 0;
    return at + strspn(at, " ");
}

/* The place in the library's source, "/path/file.cc:12 type name(arguments) ", in a message. */
static bool find_place(const char **from, const char **to, const char *message) {
    const char *at = message, *ends[] = {".cc:", ".h:"};
    for (size_t i = 0; i < 2; i++) {
        const char *end = strstr(message, ends[i]);
        for (at = end; at && at > message && at[-1] != ' ';)
            at--;
        if (!at || *at != '/')
            continue;
        const char *number = end + strlen(ends[i]);
        const char *behind = number + strspn(number, "0123456789");
        *from = at;
        *to = skip_arguments(behind);
        return behind > number;
    }
    return false;
}

void sw_ort_plain_words(char *out, size_t cap, const char *message) {
    const char *from, *to, *prefix = "Load model from ", *failed = " failed:";
    if (strncmp(message, prefix, strlen(prefix)) == 0 && strstr(message, failed))
        message = strstr(message, failed) + strlen(failed);
    if (find_place(&from, &to, message))
        snprintf(out, cap, "%.*s%s", (int)(from - message), message, to);
    else
        snprintf(out, cap, "%s", message);
    for (char *c = out; *c; c++)
        *c = *c == '\n' ? ' ' : *c;
    for (size_t len = strlen(out); len && out[len - 1] == ' ';)
        out[--len] = 0;
}

sw_status sw_ort_check(const ort_library *ort, ort_status *status, sw_error *error,
                       const char *what) {
    if (!status)
        return SW_OK;
    sw_code code = code_of(ort->calls.get_error_code(status));
    char words[SW_ERROR_BYTES];
    sw_ort_plain_words(words, sizeof words, ort->calls.get_error_message(status));
    sw_status failed = sw_fail(error, code, "%s: %s", what, words);
    ort->calls.release_status(status);
    return failed;
}

#if defined(__SANITIZE_ADDRESS__)
/* The library keeps 14 bytes for good when it starts. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libonnxruntime";
}
#endif
