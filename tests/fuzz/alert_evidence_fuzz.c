/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence from a file that somebody sent: computed or refused. */
#include "alert/evidence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_evidence_again again;
    sw_error why;
    sw_status status =
        sw_evidence_recompute(&again, (sw_str){(const char *)data, size}, &arena, &why);
    (void)status;
    sw_arena_free(&arena);
    return 0;
}
