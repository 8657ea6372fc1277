/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file: what a frame's reader takes must be whole, and the same a second time. */
#ifndef SW_TESTS_FRAME_CHECK_H
#define SW_TESTS_FRAME_CHECK_H

#include "data/frame.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static inline void check_column(const sw_column *c, const sw_column *again, uint64_t rows) {
    uint64_t missing = 0;
    if (c->type != again->type || !sw_str_eq(c->name, again->name) ||
        c->word_count != again->word_count || c->missing != again->missing)
        abort();
    for (uint64_t i = 0; i < rows; i++) {
        bool text = c->type == SW_COLUMN_TEXT;
        bool gone = text ? c->codes[i] == SW_TEXT_MISSING : isnan(c->numbers[i]);
        missing += gone;
        if (gone)
            continue;
        if (text ? c->codes[i] >= c->word_count || c->codes[i] != again->codes[i]
                 : c->numbers[i] != again->numbers[i])
            abort();
    }
    for (uint32_t i = 0; i < c->word_count; i++)
        if (!sw_str_is_utf8(c->words[i]) || !sw_str_eq(c->words[i], again->words[i]))
            abort();
    if (missing != c->missing)
        abort();
}

static inline void check_frames(const char *path) {
    sw_error error = {{0}};
    sw_frame frame, again, plan;
    sw_frame_options options = {.bytes_max = 64 << 20};
    sw_status status = sw_frame_read(&frame, path, &options, &error);
    if (sw_failed(status) && !*error.text)
        abort();
    if (!sw_failed(status)) {
        if (sw_failed(sw_frame_read(&again, path, &options, &error)) || again.rows != frame.rows ||
            again.column_count != frame.column_count)
            abort();
        for (size_t i = 0; i < frame.column_count; i++) {
            check_column(&frame.columns[i], &again.columns[i], frame.rows);
            if (sw_frame_find(&frame, frame.columns[i].name) != &frame.columns[i])
                abort();
        }
        sw_frame_free(&again);
    }
    if (!sw_failed(sw_frame_columns(&plan, path, &error))) {
        if (!sw_failed(status) && plan.column_count < frame.column_count && plan.rows < 1000)
            abort();
        sw_frame_free(&plan);
    } else if (!sw_failed(status)) {
        abort();
    }
    sw_frame_free(&frame);
}

/* `prefix` is what makes the reader see a file of its kind. */
static inline int check_bytes_as_frame(const char *prefix, const uint8_t *data, size_t size) {
    char path[64];
    int fd = memfd_create("frame", MFD_CLOEXEC);
    size_t len = strlen(prefix);
    if (fd < 0)
        return 0;
    if (write(fd, prefix, len) != (ssize_t)len || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    check_frames(path);
    close(fd);
    return 0;
}

#endif /* SW_TESTS_FRAME_CHECK_H */
