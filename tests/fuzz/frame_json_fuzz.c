/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON Lines, and as a list of objects. */
#include "fuzz/frame_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_bytes_as_frame("{", data, size);
    return check_bytes_as_frame("[", data, size);
}
