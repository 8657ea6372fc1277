/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sha256.h"

#include <openssl/evp.h>

/* sw_sha256 is OpenSSL's context under a name of ours: its header stays in this file. */
static EVP_MD_CTX *context_of(sw_sha256 *hash) {
    return (EVP_MD_CTX *)hash;
}

static sw_status fail_hash(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "cannot compute a SHA-256: out of memory");
}

sw_status sw_sha256_begin(sw_sha256 **out, sw_error *error) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        return fail_hash(error);
    }
    *out = (sw_sha256 *)context;
    return SW_OK;
}

sw_status sw_sha256_add(sw_sha256 *hash, sw_str bytes, sw_error *error) {
    return EVP_DigestUpdate(context_of(hash), bytes.at, bytes.len) == 1 ? SW_OK : fail_hash(error);
}

static void to_hex(char *hex, const unsigned char *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * count] = '\0';
}

sw_status sw_sha256_finish(char hex[SW_SHA256_HEX + 1], sw_sha256 *hash, sw_error *error) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (EVP_DigestFinal_ex(context_of(hash), digest, &len) != 1 || len != SW_SHA256_HEX / 2)
        return fail_hash(error);
    to_hex(hex, digest, len);
    return SW_OK;
}

void sw_sha256_free(sw_sha256 *hash) {
    EVP_MD_CTX_free(context_of(hash));
}

sw_status sw_sha256_hex(char hex[SW_SHA256_HEX + 1], sw_str bytes, sw_error *error) {
    sw_sha256 *hash = NULL;
    SW_TRY(sw_sha256_begin(&hash, error));
    sw_status status = sw_sha256_add(hash, bytes, error);
    if (!sw_failed(status))
        status = sw_sha256_finish(hex, hash, error);
    sw_sha256_free(hash);
    return status;
}
