/* SPDX-License-Identifier: Apache-2.0 */
/* What is accepted is written and read again to the same bytes. */
#include "watch/settings.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_monitor_settings first, second;
    sw_buf a = {0}, b = {0};
    if (!sw_failed(sw_monitor_settings_from_json(&first, (sw_str){(const char *)data, size}, &arena,
                                                 NULL))) {
        sw_monitor_settings_to_json(&a, &first);
        if (sw_failed(sw_monitor_settings_from_json(&second, (sw_str){a.at, a.len}, &arena, NULL)))
            abort();
        sw_monitor_settings_to_json(&b, &second);
        if (a.len != b.len || memcmp(a.at, b.at, a.len) != 0)
            abort();
    }
    sw_buf_free(&a);
    sw_buf_free(&b);
    sw_arena_free(&arena);
    return 0;
}
