/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64: bytes as letters and back (RFC 4648, sections 4 and 5).
 *
 * Threads: any.
 * Layer:   base.
 */
#ifndef SW_BASE_BASE64_H
#define SW_BASE_BASE64_H

#include "base/str.h"

/* Room for the text of `len` bytes and a NUL. */
#define SW_BASE64URL_ROOM(len) (((len)*4 + 2) / 3 + 1)

/* The URL alphabet, without padding; ends in NUL. */
void sw_base64url_encode(char *text, const void *bytes, size_t len);
/* The plain alphabet, padded. False where `text` is not that, or `cap` is too small. */
bool sw_base64_decode(void *bytes, size_t *len, size_t cap, sw_str text);

#endif /* SW_BASE_BASE64_H */
