/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/bins_private.h"
#include "watch/profile_private.h"

#include "base/mem.h"

#include <stdlib.h>

static bool grow(sw_tally *tally) {
    uint32_t cap = tally->cap ? tally->cap * 2 : 64;
    sw_tally_entry *entries = sw_mem_realloc(tally->entries, cap * sizeof *entries);
    if (!entries)
        return false;
    tally->entries = entries;
    uint32_t *slots = sw_mem_zalloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return false;
    sw_mem_free(tally->slots);
    tally->slots = slots;
    tally->slot_mask = cap * 2 - 1;
    tally->cap = cap;
    for (uint32_t i = 0; i < tally->count; i++) {
        uint32_t at = (uint32_t)entries[i].hash & tally->slot_mask;
        while (slots[at])
            at = (at + 1) & tally->slot_mask;
        slots[at] = i + 1;
    }
    return true;
}

static bool add_new(sw_tally *tally, sw_str value, uint64_t hash, uint32_t slot) {
    sw_str copy = sw_arena_copy(&tally->arena, value);
    if (!copy.at)
        return false;
    tally->entries[tally->count] = (sw_tally_entry){hash, 1, copy};
    tally->slots[slot] = ++tally->count;
    return true;
}

bool sw_tally_add(sw_tally *tally, sw_str value) {
    if (value.len > SW_TALLY_VALUE_BYTES_MAX) {
        tally->others++;
        return true;
    }
    if (tally->count == tally->cap && tally->cap < SW_TALLY_VALUES_MAX && !grow(tally))
        return false;
    uint64_t hash = sw_hash_text(value);
    uint32_t at = (uint32_t)hash & tally->slot_mask;
    for (; tally->slots[at]; at = (at + 1) & tally->slot_mask) {
        sw_tally_entry *entry = &tally->entries[tally->slots[at] - 1];
        if (entry->hash == hash && sw_str_eq(entry->value, value)) {
            entry->count++;
            return true;
        }
    }
    if (tally->count < SW_TALLY_VALUES_MAX)
        return add_new(tally, value, hash, at);
    tally->others++;
    return true;
}

static int by_count(const void *left, const void *right) {
    const sw_tally_entry *a = left, *b = right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return sw_str_order(a->value, b->value);
}

void sw_tally_sort(sw_tally *tally) {
    if (tally->count)
        qsort(tally->entries, tally->count, sizeof *tally->entries, by_count);
}

void sw_tally_free(sw_tally *tally) {
    sw_arena_free(&tally->arena);
    sw_mem_free(tally->entries);
    sw_mem_free(tally->slots);
    *tally = (sw_tally){0};
}
