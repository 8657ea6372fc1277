/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/observe_private.h"

#include "base/num.h"

#include <stdlib.h>

static sw_label *free_slot(sw_labels *labels, uint64_t hash) {
    uint32_t at = (uint32_t)hash;
    while (labels->slots[at % SW_LABEL_SLOTS].count)
        at++;
    return &labels->slots[at % SW_LABEL_SLOTS];
}

static sw_label *slot_of(sw_labels *labels, uint64_t hash, sw_str text) {
    for (uint32_t at = (uint32_t)hash;; at++) {
        sw_label *label = &labels->slots[at % SW_LABEL_SLOTS];
        if (label->count == 0 || (label->hash == hash && label->len == text.len &&
                                  memcmp(label->text, text.at, text.len) == 0))
            return label;
    }
}

/* ---- Making room ---- */

static int by_count(const void *left, const void *right) {
    const sw_label *a = left, *b = right;
    return (a->count < b->count) - (a->count > b->count);
}

/* Puts back `count` labels after taking `cut` from each; those that had no more are gone. */
static void refill(sw_labels *labels, const sw_label *from, uint32_t count, uint64_t cut) {
    memset(labels->slots, 0, sizeof labels->slots);
    labels->used = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t taken = from[i].count < cut ? from[i].count : cut;
        labels->others += taken;
        if (taken == from[i].count)
            continue;
        sw_label *slot = free_slot(labels, from[i].hash);
        *slot = from[i];
        slot->count -= taken;
        labels->used++;
    }
}

static uint32_t gather(sw_label *out, const sw_labels *labels) {
    uint32_t count = 0;
    for (uint32_t i = 0; labels->used && i < SW_LABEL_SLOTS; i++)
        if (labels->slots[i].count)
            out[count++] = labels->slots[i];
    return count;
}

/* A new value of a full table, `count` times: what is left of it once each other has given as much,
 * or the least of them has nothing left. */
static uint64_t displace(sw_labels *labels, uint64_t count) {
    sw_label all[SW_LABELS_MAX];
    uint64_t least = count;
    uint32_t used = gather(all, labels);
    for (uint32_t i = 0; i < used; i++)
        least = all[i].count < least ? all[i].count : least;
    refill(labels, all, used, least);
    labels->others += least;
    return count - least;
}

/* ---- Adding ---- */

void sw_labels_add(sw_labels *labels, sw_str text, uint64_t count) {
    if (text.len == 0) {
        labels->missing += count;
        return;
    }
    if (text.len > SW_LABEL_BYTES_MAX) {
        labels->others += count;
        return;
    }
    uint64_t hash = sw_hash_text(text);
    sw_label *label = slot_of(labels, hash, text);
    if (label->count == 0) {
        if (labels->used == SW_LABELS_MAX)
            count = displace(labels, count);
        if (count == 0)
            return;
        label = free_slot(labels, hash);
        labels->used++;
        label->hash = hash;
        label->len = (uint8_t)text.len;
        memcpy(label->text, text.at, text.len);
    }
    label->count += count;
}

static size_t print_number(char *text, sw_dtype dtype, int64_t x) {
    if (dtype == SW_BOOL) {
        memcpy(text, x ? "true" : "false", 5);
        return x ? 4 : 5;
    }
    return dtype == SW_UINT64 ? sw_num_print_u64(text, (uint64_t)x) : sw_num_print_i64(text, x);
}

void sw_labels_add_number(sw_labels *labels, sw_dtype dtype, int64_t number) {
    uint64_t hash = sw_hash_mix((uint64_t)number, 0);
    sw_label *label;
    for (uint32_t at = (uint32_t)hash;; at++) {
        label = &labels->slots[at % SW_LABEL_SLOTS];
        if (label->count == 0 || label->number == number)
            break;
    }
    if (label->count == 0) {
        if (labels->used == SW_LABELS_MAX && displace(labels, 1) == 0)
            return;
        label = free_slot(labels, hash);
        labels->used++;
        label->hash = hash;
        label->number = number;
        label->len = (uint8_t)print_number(label->text, dtype, number);
    }
    label->count++;
}

/* Adds `label` to `all`, found by its text: numbers are found by themselves in a loop's table only.
 */
static uint32_t join(sw_label *all, uint32_t count, const sw_label *label) {
    uint32_t at = 0;
    while (at < count &&
           (all[at].len != label->len || memcmp(all[at].text, label->text, label->len) != 0))
        at++;
    if (at < count) {
        all[at].count += label->count;
        return count;
    }
    all[count] = *label;
    all[count].hash = sw_hash_text((sw_str){label->text, label->len});
    all[count].number = 0;
    return count + 1;
}

/* Both tables together, less the count of the 65th where there are more. */
static void merge_full(sw_labels *into, const sw_labels *from) {
    sw_label all[2 * SW_LABELS_MAX];
    uint32_t count = gather(all, into);
    for (uint32_t i = 0; i < SW_LABEL_SLOTS; i++)
        if (from->slots[i].count)
            count = join(all, count, &from->slots[i]);
    qsort(all, count, sizeof *all, by_count);
    refill(into, all, count, count > SW_LABELS_MAX ? all[SW_LABELS_MAX].count : 0);
}

void sw_labels_merge(sw_labels *into, const sw_labels *from) {
    into->missing += from->missing;
    into->others += from->others;
    if (into->used + from->used > SW_LABELS_MAX) {
        merge_full(into, from);
        return;
    }
    for (uint32_t i = 0; from->used && i < SW_LABEL_SLOTS; i++)
        if (from->slots[i].count)
            sw_labels_add(into, (sw_str){from->slots[i].text, from->slots[i].len},
                          from->slots[i].count);
}

void sw_labels_subtract(sw_labels *into, const sw_labels *from) {
    sw_label all[SW_LABELS_MAX], *less[SW_LABEL_SLOTS];
    into->missing -= from->missing;
    if (from->used == 0)
        return;
    /* All are found before one is emptied: slots are looked for past full ones only. */
    for (uint32_t i = 0; i < SW_LABEL_SLOTS; i++) {
        sw_str text = {from->slots[i].text, from->slots[i].len};
        less[i] = from->slots[i].count ? slot_of(into, sw_hash_text(text), text) : NULL;
    }
    for (uint32_t i = 0; i < SW_LABEL_SLOTS; i++)
        if (less[i])
            less[i]->count -= from->slots[i].count;
    refill(into, all, gather(all, into), 0);
}

int sw_labels_by_count(const void *left, const void *right) {
    const sw_label *a = *(const sw_label *const *)left, *b = *(const sw_label *const *)right;
    if (a->count != b->count)
        return a->count < b->count ? 1 : -1;
    return sw_str_order((sw_str){a->text, a->len}, (sw_str){b->text, b->len});
}

void sw_labels_clear(sw_labels *labels) {
    if (labels->used)
        memset(labels, 0, sizeof *labels);
    labels->missing = labels->others = 0;
}
