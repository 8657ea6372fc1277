/* SPDX-License-Identifier: Apache-2.0 */
#include "io/library.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *open_in(const char *folder, const char *file) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path)
        return NULL;
    return access(path, F_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
}

/* `folder` is relative to the program's. */
static void *open_beside_program(const char *folder, const char *file) {
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0)
        return NULL;
    path[len] = '\0';
    char *slash = strrchr(path, '/');
    size_t room = slash ? sizeof path - (size_t)(slash - path) : 0;
    if (!slash || snprintf(slash, room, "/%s", folder) >= (int)room)
        return NULL;
    return open_in(path, file);
}

void *sw_library_open(const char *what, const char *file, const char *variable, sw_error *why) {
    const char *path = getenv(variable);
    void *handle = NULL;
    if (path && strcmp(path, "none") == 0) {
        (void)sw_fail(why, SW_CODE_UNAVAILABLE, "%s is turned off by %s=none", what, variable);
        return NULL;
    }
    if (path && *path) {
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!handle)
            (void)sw_fail(why, SW_CODE_UNAVAILABLE, "%s could not be loaded from %s: %s", what,
                          variable, dlerror());
        return handle;
    }
    handle = open_beside_program("lib", file);
    if (!handle)
        handle = open_beside_program("../lib/slipway", file);
    if (!handle)
        handle = open_in("/usr/lib/slipway", file);
    if (!handle)
        handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        (void)sw_fail(why, SW_CODE_UNAVAILABLE,
                      "%s is not installed: put %s into lib/ beside the slipway program "
                      "(scripts/install_runtime.sh does that) or into /usr/lib/slipway, or let %s "
                      "name it",
                      what, file, variable);
    return handle;
}
