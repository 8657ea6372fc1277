/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status: how a call ended, and the words for it.
 *
 * A function that can fail for a reason of the world returns an sw_status that the compiler makes
 * the caller look at, and writes its reason into the sw_error of the request or command it works
 * for. One table (status.def) maps a code to its HTTP status, gRPC code, MLflow error_code and
 * exit status, so that no other file knows such a mapping.
 *
 * Threads: any; nothing is shared.
 * Layer:   base.
 */
#ifndef SW_BASE_STATUS_H
#define SW_BASE_STATUS_H

#include <stdbool.h>

typedef enum sw_code {
#define X(code, http, grpc, mlflow, exit, words) SW_CODE_##code,
#include "base/status.def"
#undef X
    SW_CODE_COUNT
} sw_code;

/* A struct rather than an enum, so that a status is never mistaken for a number or a bool. */
typedef struct sw_status {
    sw_code code;
} sw_status;

#define SW_MUST_USE __attribute__((warn_unused_result))
#define SW_OK ((sw_status){SW_CODE_OK})

enum { SW_ERROR_BYTES = 1024 };

/* The reason of a failure: what was wrong, where, what to do. Cut, never overrun. */
typedef struct sw_error {
    char text[SW_ERROR_BYTES];
} sw_error;

static inline bool sw_failed(sw_status status) {
    return status.code != SW_CODE_OK;
}

/* Hands a failure up: the callee has already written the reason. */
#define SW_TRY(call)                       \
    do {                                   \
        sw_status sw_try_status_ = (call); \
        if (sw_failed(sw_try_status_))     \
            return sw_try_status_;         \
    } while (0)

/* Writes the reason and returns the code; `error` may be NULL where nobody listens. */
sw_status sw_fail(sw_error *error, sw_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts `format` and ": " before the reason that is already there, where it failed; returns
 * `status`. */
sw_status sw_fail_within(sw_status status, sw_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int sw_code_http(sw_code code);
int sw_code_grpc(sw_code code);
int sw_code_exit(sw_code code);
const char *sw_code_mlflow(sw_code code);
const char *sw_code_words(sw_code code);

#endif /* SW_BASE_STATUS_H */
