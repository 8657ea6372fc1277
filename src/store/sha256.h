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

#include <stdint.h>

enum { SW_SHA256_BYTES = 32, SW_SHA256_HEX = 64 };

typedef struct sw_sha256 sw_sha256; /* a running hash */

SW_MUST_USE sw_status sw_sha256_begin(sw_sha256 **out, sw_error *error);
void sw_sha256_add(sw_sha256 *hash, sw_str bytes);
/* 64 lower-case hex digits and a NUL. */
void sw_sha256_finish(char hex[SW_SHA256_HEX + 1], sw_sha256 *hash);
/* NULL is fine. */
void sw_sha256_free(sw_sha256 *hash);

/* Of bytes at hand. */
void sw_sha256_of(uint8_t digest[SW_SHA256_BYTES], sw_str bytes);
void sw_sha256_hex(char hex[SW_SHA256_HEX + 1], sw_str bytes);

#endif /* SW_STORE_SHA256_H */
