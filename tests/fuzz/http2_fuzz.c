/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the frames of an HTTP/2 connection, gRPC's too, behind an honest preface. */
#include "net_fuzzing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES_MAX = 16 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    static uint8_t bytes[sizeof preface + INPUT_BYTES_MAX];
    if (size < 1 || size > INPUT_BYTES_MAX)
        return 0;
    memcpy(bytes, preface, sizeof preface - 1);
    memcpy(bytes + sizeof preface - 1, data + 1, size - 1);
    fuzz_converse(bytes, sizeof preface - 1 + size - 1, data[0] % 50);
    return 0;
}
