/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct code_row {
    int http, grpc, exit;
    const char *mlflow, *words;
} code_row;

static const code_row rows[SW_CODE_COUNT] = {
#define X(code, http, grpc, mlflow, exit, words) {http, grpc, exit, mlflow, words},
#include "base/status.def"
#undef X
};

sw_status sw_fail(sw_error *error, sw_code code, const char *format, ...) {
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return (sw_status){code};
}

sw_status sw_fail_within(sw_status status, sw_error *error, const char *format, ...) {
    if (!error || !sw_failed(status))
        return status;
    char reason[SW_ERROR_BYTES];
    memcpy(reason, error->text, sizeof reason);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used + 2 < sizeof error->text) {
        memcpy(error->text + used, ": ", 2);
        memcpy(error->text + used + 2, reason, sizeof error->text - (size_t)used - 2);
        error->text[sizeof error->text - 1] = '\0';
    }
    return status;
}

int sw_code_http(sw_code code) {
    return rows[code].http;
}

int sw_code_grpc(sw_code code) {
    return rows[code].grpc;
}

int sw_code_exit(sw_code code) {
    return rows[code].exit;
}

const char *sw_code_mlflow(sw_code code) {
    return rows[code].mlflow;
}

const char *sw_code_words(sw_code code) {
    return rows[code].words;
}
