/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef SW_FAULTS
static _Thread_local size_t fail_countdown;
static _Thread_local bool fail_happened;

void sw_mem_fail_at(size_t nth) {
    fail_countdown = nth;
    fail_happened = false;
}

bool sw_mem_failed(void) {
    return fail_happened;
}

static bool fault(void) {
    if (fail_countdown == 0 || --fail_countdown > 0)
        return false;
    fail_happened = true;
    return true;
}
#else
static bool fault(void) {
    return false;
}
#endif

void *sw_mem_alloc(size_t size_bytes) {
    return fault() ? NULL : malloc(size_bytes ? size_bytes : 1);
}

void *sw_mem_zalloc(size_t count, size_t size_bytes) {
    return fault() ? NULL : calloc(count ? count : 1, size_bytes ? size_bytes : 1);
}

void *sw_mem_realloc(void *block, size_t size_bytes) {
    return fault() ? NULL : realloc(block, size_bytes ? size_bytes : 1);
}

char *sw_mem_copy(const char *at, size_t len) {
    char *copy = len < SIZE_MAX ? sw_mem_alloc(len + 1) : NULL;
    if (copy) {
        if (len)
            memcpy(copy, at, len);
        copy[len] = '\0';
    }
    return copy;
}

void sw_mem_free(void *block) {
    free(block);
}
