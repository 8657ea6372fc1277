/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256: the hash that names blobs and hides secrets (FIPS 180-4, by OpenSSL).
 *
 * Threads: any; one running hash by one thread at a time.
 * Layer:   store.
 */
#ifndef SW_STORE_SHA256_H
#define SW_STORE_SHA256_H

#include "base/status.h"
#include "base/str.h"

enum { SW_SHA256_HEX = 64 };

typedef struct sw_sha256 sw_sha256; /* a running hash */

SW_MUST_USE sw_status sw_sha256_begin(sw_sha256 **out, sw_error *error);
SW_MUST_USE sw_status sw_sha256_add(sw_sha256 *hash, sw_str bytes, sw_error *error);
/* 64 lower-case hex digits and a NUL. */
SW_MUST_USE sw_status sw_sha256_finish(char hex[SW_SHA256_HEX + 1], sw_sha256 *hash,
                                       sw_error *error);
/* NULL is fine. */
void sw_sha256_free(sw_sha256 *hash);

/* Of bytes at hand. */
SW_MUST_USE sw_status sw_sha256_hex(char hex[SW_SHA256_HEX + 1], sw_str bytes, sw_error *error);

#endif /* SW_STORE_SHA256_H */
