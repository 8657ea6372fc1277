/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer: one message over HTTP or SMTP, by libcurl.
 *
 * libcurl is loaded at first use, so that a server that tells nobody never carries it. Redirects
 * are not followed; only http(s) or smtp(s) is spoken, whatever an address says.
 *
 * Threads: any but a loop's: it waits.
 * Layer:   alert.
 */
#ifndef SW_ALERT_TRANSFER_PRIVATE_H
#define SW_ALERT_TRANSFER_PRIVATE_H

#include "alert/action.h"

enum { SW_TRANSFER_HEADERS_MAX = 8, SW_TRANSFER_REPLY_BYTES = 512 };

typedef struct sw_transfer {
    const sw_action *action; /* url, user, password, ca_file, timeout, and of mail from, to, tls */
    const char *path;        /* behind the url; may be NULL */
    sw_str body;
    const char *headers[SW_TRANSFER_HEADERS_MAX]; /* "Name: value"; of HTTP */
    const atomic_bool *stop;
    bool mail;
} sw_transfer;

/*
 * OK where the receiver took it (2xx). `status` is what it answered, 0 where nothing came. The
 * reason of a failure names neither address nor secret.
 */
SW_MUST_USE sw_status sw_transfer_do(int *status, char reply[SW_TRANSFER_REPLY_BYTES],
                                     const sw_transfer *transfer, sw_error *error);

#endif /* SW_ALERT_TRANSFER_PRIVATE_H */
