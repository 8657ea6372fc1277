/* SPDX-License-Identifier: Apache-2.0 */
/* A file of given text, read as a frame. */
#ifndef SW_TESTS_FRAME_TESTING_H
#define SW_TESTS_FRAME_TESTING_H

#include "unit/scratch.h"
#include "unit/test.h"

#include "data/frame.h"

static sw_error error;
static sw_frame frame;

static inline sw_status read_text(const char *text, size_t len, const sw_frame_options *options) {
    char dir[SCRATCH_BYTES];
    scratch_make(dir);
    const char *path = scratch_path(dir, "table");
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0)
        abort();
    sw_status status = sw_frame_read(&frame, path, options, &error);
    scratch_remove(dir);
    return status;
}

static inline void check_refused(const char *text, const char *wanted) {
    CHECK_INT(read_text(text, strlen(text), NULL).code, SW_CODE_INVALID);
    CHECK_HAS(error.text, wanted);
    CHECK_INT(frame.column_count, 0);
}

/* A column's values as one text: "1 - 2.5" or "a - b"; '-' where one is missing. */
static inline const char *values_of(const char *name) {
    static char text[4096];
    const sw_column *c = sw_frame_find(&frame, sw_str_of(name));
    size_t len = 0;
    text[0] = '\0';
    if (!c)
        return "no such column";
    for (uint64_t i = 0; i < frame.rows && len < sizeof text - 64; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, i ? " " : "");
        if (c->type == SW_COLUMN_NUMBER && isnan(c->numbers[i]))
            len += (size_t)snprintf(text + len, sizeof text - len, "-");
        else if (c->type == SW_COLUMN_NUMBER)
            len += (size_t)snprintf(text + len, sizeof text - len, "%.17g", c->numbers[i]);
        else if (c->codes[i] == SW_TEXT_MISSING)
            len += (size_t)snprintf(text + len, sizeof text - len, "-");
        else
            len += (size_t)snprintf(text + len, sizeof text - len, "%.*s",
                                    SW_STR_ARG(c->words[c->codes[i]]));
    }
    return text;
}

static inline sw_column_type type_of(const char *name) {
    const sw_column *c = sw_frame_find(&frame, sw_str_of(name));
    return c ? c->type : (sw_column_type)-1;
}

#endif /* SW_TESTS_FRAME_TESTING_H */
