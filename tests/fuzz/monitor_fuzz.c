/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's evidence (JSON, from anybody) and its stored state (bytes, from the disk). State
 * that is accepted is written again to the same bytes, and can be looked with.
 */
#include "watch/monitor_private.h"

#include "base/mem.h"

#include <stdlib.h>

/* A number of three bins and a category of two values, as from a profile. */
static void make_engine(sw_engine *engine) {
    static uint64_t counts[] = {5, 0, 100, 200, 150, 0}, words[] = {0, 0, 300, 155};
    static const sw_profile_column number = {
        .kind = SW_FEATURE_NUMERIC, .counts = counts, .bin_count = 6};
    static const sw_profile_column word = {
        .kind = SW_FEATURE_CATEGORY, .counts = words, .bin_count = 4};
    sw_monitor_settings settings;
    sw_monitor_settings_default(&settings);
    sw_engine_init(engine, &settings);
    if (!sw_engine_add_column(engine, SW_STR("a"), SW_STR(""), false, &number) ||
        !sw_engine_add_column(engine, SW_STR("b"), SW_STR(""), false, &word) ||
        !sw_engine_ready(engine))
        abort();
}

static void try_state(sw_str bytes) {
    sw_engine engine, again;
    sw_buf first = {0}, second = {0};
    uint32_t cells[32] = {1, 0, 30, 20, 10, 0, 0, 0, 40, 21};
    make_engine(&engine);
    make_engine(&again);
    if (sw_engine_read(&engine, bytes)) {
        sw_engine_write(&first, &engine);
        if (!sw_engine_read(&again, sw_buf_str(&first)))
            abort();
        sw_engine_write(&second, &again);
        if (!sw_str_eq(sw_buf_str(&first), sw_buf_str(&second)))
            abort();
        for (int i = 0; i < 3; i++)
            if (!sw_engine_look(&engine, engine.last_minute + 1, cells))
                abort();
    }
    sw_buf_free(&first);
    sw_buf_free(&second);
    sw_engine_free(&engine);
    sw_engine_free(&again);
}

static void try_evidence(sw_str json) {
    sw_arena arena = {0};
    sw_recomputed out;
    sw_status status = sw_monitor_recompute(&out, json, &arena, NULL);
    if (!sw_failed(status) && out.agrees &&
        out.alarm != (out.evidence_log10 >= out.threshold_log10))
        abort();
    sw_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_str bytes = {(const char *)data, size};
    if (size && data[0] == '{')
        try_evidence(bytes);
    else
        try_state(bytes);
    return 0;
}
