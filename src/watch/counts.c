/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/counts_private.h"

#include "base/mem.h"

enum { FORM = 1 };

/* Beyond what any window can count, and far below where a sum could wrap around. */
#define COUNT_MAX (UINT64_C(1) << 52)

sw_status sw_counts_make(sw_counts *out, uint32_t bin_count, uint32_t label_count,
                         sw_error *error) {
    *out = (sw_counts){.bin_count = bin_count, .label_count = label_count};
    out->bins = sw_mem_zalloc(bin_count, sizeof *out->bins);
    out->labels = sw_mem_zalloc(label_count, sizeof *out->labels);
    if (out->bins && out->labels)
        return SW_OK;
    sw_counts_free(out);
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the counts of %u bins",
                   bin_count);
}

void sw_counts_free(sw_counts *counts) {
    sw_mem_free(counts->bins);
    sw_mem_free(counts->labels);
    *counts = (sw_counts){0};
}

void sw_counts_clear(sw_counts *counts) {
    counts->rows = 0;
    memset(counts->bins, 0, counts->bin_count * sizeof *counts->bins);
    for (uint32_t i = 0; i < counts->label_count; i++)
        sw_labels_clear(&counts->labels[i]);
}

void sw_counts_add(sw_counts *into, const sw_counts *from) {
    into->rows += from->rows;
    for (uint32_t i = 0; i < into->bin_count; i++)
        into->bins[i] += from->bins[i];
    for (uint32_t i = 0; i < into->label_count; i++)
        sw_labels_merge(&into->labels[i], &from->labels[i]);
}

void sw_counts_take(sw_counts *into, sw_shard *shard) {
    into->rows += shard->rows;
    for (uint32_t i = 0; i < into->bin_count; i++)
        into->bins[i] += shard->counts[i];
    for (uint32_t i = 0; i < into->label_count; i++) {
        sw_labels_merge(&into->labels[i], &shard->labels[i]);
        sw_labels_clear(&shard->labels[i]);
    }
    shard->rows = 0;
    memset(shard->counts, 0, into->bin_count * sizeof *shard->counts);
}

/* ---- Writing ---- */

static void put(sw_buf *out, uint64_t value) {
    while (value >= 0x80) {
        sw_buf_add_char(out, (char)(value | 0x80));
        value >>= 7;
    }
    sw_buf_add_char(out, (char)value);
}

static void put_count(sw_buf *out, uint64_t count) {
    put(out, count < COUNT_MAX ? count : COUNT_MAX);
}

static void put_labels(sw_buf *out, const sw_labels *labels) {
    put_count(out, labels->missing);
    put_count(out, labels->others);
    put(out, labels->used);
    for (size_t i = 0; labels->used && i < SW_LABEL_SLOTS; i++) {
        const sw_label *label = &labels->slots[i];
        if (label->count == 0)
            continue;
        put(out, label->len);
        sw_buf_add(out, label->text, label->len);
        put_count(out, label->count);
    }
}

void sw_counts_encode(sw_buf *out, const sw_counts *counts) {
    uint64_t zeros = 0;
    sw_buf_add_char(out, FORM);
    put_count(out, counts->rows);
    put(out, counts->bin_count);
    for (uint32_t i = 0; i < counts->bin_count; i++) {
        if (counts->bins[i] == 0) {
            zeros++;
            continue;
        }
        if (zeros)
            put(out, (zeros - 1) * 2);
        put(out, (counts->bins[i] < COUNT_MAX ? counts->bins[i] : COUNT_MAX) * 2 + 1);
        zeros = 0;
    }
    if (zeros)
        put(out, (zeros - 1) * 2);
    put(out, counts->label_count);
    for (uint32_t i = 0; i < counts->label_count; i++)
        put_labels(out, &counts->labels[i]);
}

/* ---- Reading ---- */

/* Any failure sticks: later reads give 0. */
typedef struct cursor {
    const uint8_t *at, *end;
    bool bad;
} cursor;

static uint64_t get_upto(cursor *in, uint64_t max) {
    uint64_t value = 0;
    for (unsigned shift = 0; !in->bad && shift < 63; shift += 7) {
        if (in->at == in->end)
            break;
        uint8_t byte = *in->at++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            in->bad = value > max;
            return in->bad ? 0 : value;
        }
    }
    in->bad = true;
    return 0;
}

static void get_bins(sw_counts *into, cursor *in, bool apply) {
    for (uint64_t at = 0; at < into->bin_count && !in->bad;) {
        uint64_t token = get_upto(in, COUNT_MAX * 2 + 1);
        if (token & 1) {
            if (apply)
                into->bins[at] += token >> 1;
            at++;
        } else {
            uint64_t zeros = (token >> 1) + 1;
            in->bad |= zeros > into->bin_count - at;
            at += zeros;
        }
    }
}

static void get_labels(sw_labels *into, cursor *in, bool apply) {
    uint64_t missing = get_upto(in, COUNT_MAX), others = get_upto(in, COUNT_MAX);
    uint64_t used = get_upto(in, SW_LABELS_MAX);
    if (apply) {
        into->missing += missing;
        into->others += others;
    }
    for (; used && !in->bad; used--) {
        size_t len = (size_t)get_upto(in, SW_LABEL_BYTES_MAX);
        if (in->bad || len == 0 || (size_t)(in->end - in->at) < len) {
            in->bad = true;
            return;
        }
        sw_str text = {(const char *)in->at, len};
        in->at += len;
        uint64_t count = get_upto(in, COUNT_MAX);
        if (apply)
            sw_labels_add(into, text, count);
    }
}

static bool read_form(sw_counts *into, sw_str bytes, bool apply) {
    cursor in = {(const uint8_t *)bytes.at, (const uint8_t *)bytes.at + bytes.len, false};
    in.bad = get_upto(&in, 0x7F) != FORM;
    uint64_t rows = get_upto(&in, COUNT_MAX);
    in.bad |= get_upto(&in, UINT32_MAX) != into->bin_count;
    if (apply)
        into->rows += rows;
    get_bins(into, &in, apply);
    in.bad |= get_upto(&in, UINT32_MAX) != into->label_count;
    for (uint32_t i = 0; i < into->label_count && !in.bad; i++)
        get_labels(&into->labels[i], &in, apply);
    return !in.bad && in.at == in.end;
}

sw_status sw_counts_add_encoded(sw_counts *into, sw_str bytes, sw_error *error) {
    if (bytes.len == 0 || !read_form(into, bytes, false))
        return sw_fail(
            error, SW_CODE_INVALID,
            "stored counts are damaged, or were made for other features or by another version "
            "of this program");
    read_form(into, bytes, true);
    return SW_OK;
}
