/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch: a folder for one test, gone afterwards.
 *
 *     char dir[SCRATCH_BYTES];
 *     scratch_make(dir);
 *     …
 *     scratch_remove(dir);
 */
#ifndef SW_TESTS_SCRATCH_H
#define SW_TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCRATCH_BYTES = 512 };

/* For tests of very many short lives: a folder in memory, where there is one, costs no fsync. */
static inline void scratch_in_memory(void) {
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
}

static inline void scratch_make(char dir[SCRATCH_BYTES]) {
    const char *base = getenv("TMPDIR");
    snprintf(dir, SCRATCH_BYTES, "%s/slipway-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(dir)) {
        perror(dir);
        exit(1);
    }
}

static inline int scratch_remove_one(const char *path, const struct stat *facts, int type,
                                     struct FTW *at) {
    (void)facts;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void scratch_remove(const char *dir) {
    nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* "dir/name" for reading only; good until the next call. */
static inline const char *scratch_path(const char *dir, const char *name) {
    static _Thread_local char path[SCRATCH_BYTES + 128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

#endif /* SW_TESTS_SCRATCH_H */
