/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a stored profile: what is taken must write itself the same again, and be fit to
 * count with. */
#include "watch/bins_private.h"
#include "watch/observe.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const sw_profile *profile, sw_arena *arena) {
    sw_buf once = {0}, twice = {0};
    sw_profile back;
    sw_profile_to_json(&once, profile);
    if (sw_failed(sw_profile_from_json(&back, sw_buf_str(&once), arena, NULL)))
        abort();
    sw_profile_to_json(&twice, &back);
    if (!sw_str_eq(sw_buf_str(&once), sw_buf_str(&twice)))
        abort();
    sw_buf_free(&once);
    sw_buf_free(&twice);
}

static void check_bins(const sw_profile_column *column) {
    static const double tried[] = {-1e300, -1, -0.0, 0, 1e-300, 0.5, 1, 1e9, 1e300};
    double keys[SW_KEYS_MAX];
    sw_keys64 table;
    if (column->kind == SW_FEATURE_CATEGORY)
        return;
    sw_keys64_fill(&table, keys, sw_bins_keys(keys, column));
    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++)
        if (sw_keys64_bin(&table, tried[i]) >= column->bin_count)
            abort();
}

static void check_observer(const sw_profile *profile, sw_arena *arena) {
    sw_tensor_spec input = {.name = {"x", 1}, .dtype = SW_FP32, .rank = 2, .shape = {-1, -1}};
    sw_signature signature = {
        .inputs = &input, .input_count = 1, .feature_count = profile->column_count};
    sw_observer *observer;
    signature.features = sw_arena_zalloc(arena, profile->column_count, sizeof *signature.features);
    for (uint32_t i = 0; signature.features && i < profile->column_count; i++)
        signature.features[i] = (sw_feature){.name = profile->columns[i].name, .column = i};
    if (!sw_failed(sw_observer_make(&observer, &signature, profile, NULL, NULL)))
        sw_observer_free(observer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    sw_arena arena = {0};
    sw_error error;
    sw_profile profile;
    if (!sw_failed(
            sw_profile_from_json(&profile, (sw_str){(const char *)data, size}, &arena, &error))) {
        check_round_trip(&profile, &arena);
        for (uint32_t i = 0; i < profile.column_count; i++)
            check_bins(&profile.columns[i]);
        check_observer(&profile, &arena);
    }
    sw_arena_free(&arena);
    return 0;
}
