/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes behind a header as a table. */
#include "fuzz/frame_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    return check_bytes_as_frame("a", data, size);
}
