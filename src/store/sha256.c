/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Straight to OpenSSL's block function, linked in statically: its digest interface would start the
 * whole of libcrypto (3 MB resident) for one hash.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "store/sha256.h"

#include "base/mem.h"

#include <openssl/sha.h>

struct sw_sha256 {
    SHA256_CTX context;
};

sw_status sw_sha256_begin(sw_sha256 **out, sw_error *error) {
    sw_sha256 *hash = sw_mem_alloc(sizeof *hash);
    if (!hash)
        return sw_fail(error, SW_CODE_NO_MEMORY, "cannot compute a SHA-256: out of memory");
    SHA256_Init(&hash->context);
    *out = hash;
    return SW_OK;
}

void sw_sha256_add(sw_sha256 *hash, sw_str bytes) {
    SHA256_Update(&hash->context, bytes.at, bytes.len);
}

static void to_hex(char hex[SW_SHA256_HEX + 1], const uint8_t digest[SW_SHA256_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SW_SHA256_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[SW_SHA256_HEX] = '\0';
}

void sw_sha256_finish(char hex[SW_SHA256_HEX + 1], sw_sha256 *hash) {
    uint8_t digest[SW_SHA256_BYTES];
    SHA256_Final(digest, &hash->context);
    to_hex(hex, digest);
}

void sw_sha256_free(sw_sha256 *hash) {
    sw_mem_free(hash);
}

void sw_sha256_of(uint8_t digest[SW_SHA256_BYTES], sw_str bytes) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes.at, bytes.len);
    SHA256_Final(digest, &context);
}

void sw_sha256_hex(char hex[SW_SHA256_HEX + 1], sw_str bytes) {
    uint8_t digest[SW_SHA256_BYTES];
    sw_sha256_of(digest, bytes);
    to_hex(hex, digest);
}
