/* SPDX-License-Identifier: Apache-2.0 */
/* Rules from strangers: read, or refused with words; never a crash, never a fault of memory. */
#include "alert/rules.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_rules rules;
    sw_error why = {0};
    sw_rules_context context = {.allow_commands = true};
    sw_status status =
        sw_rules_read(&rules, (sw_str){(const char *)data, size}, &context, &arena, &why);
    if (sw_failed(status) ? !*why.text : rules.count > SW_RULES_MAX)
        abort();
    sw_arena_free(&arena);
    return 0;
}
