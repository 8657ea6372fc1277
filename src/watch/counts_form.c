/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/counts_private.h"

#include "base/mem.h"
#include "base/varint.h"

#include <math.h>

enum { FORM_BARE = 1, FORM_COLUMNS = 2, FORM_MISMATCHES = 3 };
enum { REGISTERS_NONE, REGISTERS_FEW, REGISTERS_MANY };
enum { REGISTERS_FEW_MAX = 120, ABOVE_MAX = 15 };

/* Beyond what any window can count, and far below where a sum could wrap around. */
#define COUNT_MAX (UINT64_C(1) << 52)

/* Of bytes that say their own layout: what no version of ours exceeds. */
enum { BINS_MAX = 8 << 20, TABLES_MAX = 1 << 14, COLUMNS_MAX = 1 << 20 };

/* ---- Writing ---- */

static void put_count(sw_buf *out, uint64_t count) {
    sw_varint_put(out, count < COUNT_MAX ? count : COUNT_MAX);
}

static void put_bins(sw_buf *out, const sw_counts *counts) {
    uint64_t zeros = 0;
    sw_varint_put(out, counts->bin_count);
    for (uint32_t i = 0; i < counts->bin_count; i++) {
        if (counts->bins[i] == 0) {
            zeros++;
            continue;
        }
        if (zeros)
            sw_varint_put(out, (zeros - 1) * 2);
        sw_varint_put(out, (counts->bins[i] < COUNT_MAX ? counts->bins[i] : COUNT_MAX) * 2 + 1);
        zeros = 0;
    }
    if (zeros)
        sw_varint_put(out, (zeros - 1) * 2);
}

static void put_labels(sw_buf *out, const sw_labels *labels) {
    put_count(out, labels->missing);
    put_count(out, labels->others);
    sw_varint_put(out, labels->used);
    for (size_t i = 0; labels->used && i < SW_LABEL_SLOTS; i++) {
        const sw_label *label = &labels->slots[i];
        if (label->count == 0)
            continue;
        sw_varint_put(out, label->len);
        sw_buf_add(out, label->text, label->len);
        put_count(out, label->count);
    }
}

static void put_moments(sw_buf *out, const sw_moments *m) {
    put_count(out, m->count);
    if (m->count == 0)
        return;
    sw_varint_put_f64(out, m->sum);
    sw_varint_put_f64(out, m->squares);
    sw_varint_put_f64(out, m->min);
    sw_varint_put_f64(out, m->max);
}

static void put_few_registers(sw_buf *out, const sw_distinct *d, uint32_t used) {
    uint32_t zeros = 0;
    sw_varint_put(out, REGISTERS_FEW);
    sw_varint_put(out, used);
    for (int i = 0; i < SW_DISTINCT_REGISTERS; i++) {
        if (d->at[i] == 0) {
            zeros++;
            continue;
        }
        sw_varint_put(out, zeros);
        sw_varint_put(out, d->at[i]);
        zeros = 0;
    }
}

static void put_many_registers(sw_buf *out, const sw_distinct *d) {
    uint8_t base = SW_DISTINCT_TOP, half = 0;
    for (int i = 0; i < SW_DISTINCT_REGISTERS; i++)
        base = d->at[i] < base ? d->at[i] : base;
    sw_varint_put(out, REGISTERS_MANY);
    sw_varint_put(out, base);
    for (int i = 0; i < SW_DISTINCT_REGISTERS; i++) {
        uint8_t above = (uint8_t)(d->at[i] - base);
        above = above < ABOVE_MAX ? above : ABOVE_MAX;
        if (i % 2)
            sw_buf_add_char(out, (char)(half | above << 4));
        half = above;
    }
    for (int i = 0; i < SW_DISTINCT_REGISTERS; i++)
        if (d->at[i] - base >= ABOVE_MAX)
            sw_varint_put(out, (uint64_t)(d->at[i] - base - ABOVE_MAX));
}

static void put_registers(sw_buf *out, const sw_distinct *d) {
    uint32_t used = 0;
    for (int i = 0; d && i < SW_DISTINCT_REGISTERS; i++)
        used += d->at[i] > 0;
    if (used == 0)
        sw_varint_put(out, REGISTERS_NONE);
    else if (used <= REGISTERS_FEW_MAX)
        put_few_registers(out, d, used);
    else
        put_many_registers(out, d);
}

static bool idle(const sw_counts *counts) {
    if (counts->tails.count || counts->mismatched)
        return false;
    for (uint32_t i = 0; i < counts->column_count; i++)
        if (counts->moments[i].count)
            return false;
    for (size_t i = 0; counts->distinct && i < counts->column_count; i++)
        for (int k = 0; k < SW_DISTINCT_REGISTERS; k++)
            if (counts->distinct[i].at[k])
                return false;
    return true;
}

static void put_columns(sw_buf *out, const sw_counts *counts) {
    sw_varint_put(out, counts->column_count);
    for (uint32_t i = 0; i < counts->column_count; i++) {
        put_moments(out, &counts->moments[i]);
        put_registers(out, counts->distinct ? &counts->distinct[i] : NULL);
    }
}

static void put_tails(sw_buf *out, const sw_tails *tails) {
    uint32_t column = 0;
    sw_varint_put(out, tails->count);
    for (uint32_t i = 0; i < tails->count; i++) {
        const sw_tail *tail = &tails->at[i];
        bool first = i == 0 || tail->column != column;
        sw_varint_put(out, (uint64_t)(tail->column - column) * 2 + first);
        if (first)
            sw_varint_put(out, tails->levels[tail->column]);
        sw_varint_put(out, tail->code);
        put_count(out, tail->count);
        column = tail->column;
    }
}

static void put_mismatches(sw_buf *out, const sw_counts *counts) {
    uint32_t used = 0, before = 0;
    for (uint32_t i = 0; i < counts->column_count; i++)
        used += counts->mismatches[i] > 0;
    sw_varint_put(out, used);
    for (uint32_t i = 0; i < counts->column_count; i++) {
        if (counts->mismatches[i] == 0)
            continue;
        sw_varint_put(out, i - before);
        put_count(out, counts->mismatches[i]);
        before = i + 1;
    }
}

/* Without refused rows in the form that older programs read too. */
void sw_counts_encode(sw_buf *out, const sw_counts *counts) {
    sw_buf_add_char(out, counts->mismatched ? FORM_MISMATCHES : FORM_COLUMNS);
    put_count(out, counts->rows);
    put_bins(out, counts);
    sw_varint_put(out, counts->label_count);
    for (uint32_t i = 0; i < counts->label_count; i++)
        put_labels(out, &counts->labels[i]);
    if (idle(counts)) {
        sw_varint_put(out, 0); /* columns */
        sw_varint_put(out, 0); /* tails */
        return;
    }
    put_columns(out, counts);
    put_tails(out, &counts->tails);
    if (counts->mismatched)
        put_mismatches(out, counts);
}

/* ---- Reading ---- */

/* `into` NULL in all that follows: only looks whether it can be read. */

static void get_bins(sw_counts *into, sw_varint_reader *in, uint64_t count) {
    for (uint64_t at = 0; at < count && !in->bad;) {
        uint64_t token = sw_varint_get(in, COUNT_MAX * 2 + 1);
        if (token & 1) {
            if (into)
                into->bins[at] += token >> 1;
            at++;
        } else {
            uint64_t zeros = (token >> 1) + 1;
            in->bad |= zeros > count - at;
            at += zeros;
        }
    }
}

static void get_labels(sw_labels *into, sw_varint_reader *in) {
    uint64_t missing = sw_varint_get(in, COUNT_MAX), others = sw_varint_get(in, COUNT_MAX);
    uint64_t used = sw_varint_get(in, SW_LABELS_MAX);
    sw_labels read = {.missing = missing, .others = others};
    for (; used && !in->bad; used--) {
        size_t len = (size_t)sw_varint_get(in, SW_LABEL_BYTES_MAX);
        if (in->bad || len == 0 || (size_t)(in->end - in->at) < len) {
            in->bad = true;
            return;
        }
        sw_str text = {(const char *)in->at, len};
        in->at += len;
        uint64_t count = sw_varint_get(in, COUNT_MAX);
        if (into && count)
            sw_labels_add(&read, text, count);
    }
    if (into)
        sw_labels_merge(into, &read);
}

static void get_moments(sw_moments *into, sw_varint_reader *in) {
    sw_moments m = {.count = sw_varint_get(in, COUNT_MAX)};
    if (m.count == 0)
        return;
    m.sum = sw_varint_get_f64(in);
    m.squares = sw_varint_get_f64(in);
    m.min = sw_varint_get_f64(in);
    m.max = sw_varint_get_f64(in);
    /* Sums may overflow; what lies between is finite. */
    in->bad |= !isfinite(m.min) || !isfinite(m.max) || m.min > m.max;
    if (into)
        sw_moments_merge(into, &m);
}

static void get_few_registers(sw_distinct *d, sw_varint_reader *in) {
    uint64_t used = sw_varint_get(in, REGISTERS_FEW_MAX), at = 0;
    for (; used && !in->bad; used--, at++) {
        at += sw_varint_get(in, SW_DISTINCT_REGISTERS);
        uint64_t rank = sw_varint_get(in, SW_DISTINCT_TOP);
        in->bad |= at >= SW_DISTINCT_REGISTERS;
        if (!in->bad)
            d->at[at] = (uint8_t)rank;
    }
}

static void get_many_registers(sw_distinct *d, sw_varint_reader *in) {
    uint64_t base = sw_varint_get(in, SW_DISTINCT_TOP);
    in->bad |= in->end - in->at < SW_DISTINCT_REGISTERS / 2;
    for (int i = 0; !in->bad && i < SW_DISTINCT_REGISTERS; i++) {
        uint8_t both = *in->at;
        d->at[i] = i % 2 ? both >> 4 : both & 15;
        in->at += i % 2;
    }
    for (int i = 0; !in->bad && i < SW_DISTINCT_REGISTERS; i++) {
        uint64_t rank = base + d->at[i];
        if (d->at[i] == ABOVE_MAX)
            rank += sw_varint_get(in, SW_DISTINCT_TOP);
        in->bad |= rank > SW_DISTINCT_TOP;
        d->at[i] = (uint8_t)rank;
    }
}

static void get_registers(sw_distinct *into, sw_varint_reader *in) {
    sw_distinct d = {{0}};
    switch (sw_varint_get(in, REGISTERS_MANY)) {
    case REGISTERS_FEW: get_few_registers(&d, in); break;
    case REGISTERS_MANY: get_many_registers(&d, in); break;
    default: return;
    }
    if (into)
        sw_distinct_merge(into, &d);
}

static void get_tails(sw_counts *into, sw_varint_reader *in, uint32_t columns) {
    uint64_t count = sw_varint_get(in, SW_TAILS_MAX), column = 0, code = 0, level = 0;
    sw_tails read = {0};
    bool keep = into && into->tails.cap && count;
    if (keep && !sw_tails_make(&read, columns))
        keep = false; /* what only the display needs goes where memory is out */
    for (uint64_t i = 0; i < count && !in->bad; i++) {
        uint64_t step = sw_varint_get(in, COLUMNS_MAX * 2 + 1), before = code;
        bool first = step & 1;
        column += step >> 1;
        level = first ? sw_varint_get(in, SW_TAIL_LEVEL_MAX) : level;
        code = sw_varint_get(in, (UINT64_C(1) << SW_TAIL_CODE_BITS) - 1);
        uint64_t tail = sw_varint_get(in, COUNT_MAX);
        in->bad |= column >= columns || (i == 0 && !first) || (step >> 1 && !first) ||
                   (first && i && step >> 1 == 0) || (!first && code <= before) ||
                   code >> (SW_TAIL_CODE_BITS - level);
        if (keep && !in->bad && read.count < read.cap) {
            read.levels[column] = (uint8_t)level;
            read.at[read.count++] = (sw_tail){(uint32_t)column, (uint32_t)code, tail};
        }
    }
    if (keep)
        sw_tails_merge(&into->tails, &read);
    sw_tails_free(&read);
}

static void get_mismatches(sw_counts *into, sw_varint_reader *in, uint64_t columns) {
    uint64_t used = sw_varint_get(in, columns), at = 0;
    for (; used && !in->bad; used--, at++) {
        at += sw_varint_get(in, COLUMNS_MAX);
        uint64_t count = sw_varint_get(in, COUNT_MAX);
        in->bad |= at >= columns || count == 0;
        if (into && into->mismatches && !in->bad) {
            into->mismatches[at] += count;
            into->mismatched = true;
        }
    }
}

/* What the bytes say of their own layout. */
typedef struct layout {
    uint64_t form, rows, bins, tables, columns;
} layout;

/* Tables and columns that `into` has and the bytes lack stay as they are. */
static bool read_form(sw_counts *into, layout *out, sw_str bytes) {
    sw_varint_reader in = sw_varint_from(bytes);
    *out = (layout){.form = sw_varint_get(&in, FORM_MISMATCHES)};
    in.bad |= out->form < FORM_BARE;
    out->rows = sw_varint_get(&in, COUNT_MAX);
    out->bins = sw_varint_get(&in, BINS_MAX);
    get_bins(into, &in, out->bins);
    out->tables = sw_varint_get(&in, TABLES_MAX);
    for (uint64_t i = 0; i < out->tables && !in.bad; i++)
        get_labels(into ? &into->labels[i] : NULL, &in);
    if (out->form >= FORM_COLUMNS && !in.bad) {
        out->columns = sw_varint_get(&in, COLUMNS_MAX);
        for (uint64_t i = 0; i < out->columns && !in.bad; i++) {
            get_moments(into && into->moments ? &into->moments[i] : NULL, &in);
            get_registers(into && into->distinct ? &into->distinct[i] : NULL, &in);
        }
        get_tails(into, &in, (uint32_t)out->columns);
    }
    if (out->form == FORM_MISMATCHES)
        get_mismatches(into, &in, out->columns);
    if (into)
        into->rows += out->rows;
    return !in.bad && in.at == in.end;
}

static bool fits(const layout *found, const sw_counts *into) {
    return found->bins == into->bin_count && found->tables <= into->label_count &&
           (found->columns == 0 || !into->moments || found->columns == into->column_count);
}

static sw_status damaged(sw_error *error) {
    return sw_fail(error, SW_CODE_INVALID,
                   "stored counts are damaged, or were made for other features or by another "
                   "version of this program");
}

sw_status sw_counts_add_encoded(sw_counts *into, sw_str bytes, sw_error *error) {
    layout found;
    if (bytes.len == 0 || !read_form(NULL, &found, bytes) || !fits(&found, into))
        return damaged(error);
    read_form(into, &found, bytes);
    return SW_OK;
}

static bool make_columns(sw_counts *out, const layout *found) {
    out->column_count = (uint32_t)found->columns;
    out->moments = sw_mem_zalloc(found->columns, sizeof *out->moments);
    out->distinct = sw_mem_zalloc(found->columns, sizeof *out->distinct);
    out->mismatches = sw_mem_zalloc(found->columns, sizeof *out->mismatches);
    return out->moments && out->distinct && out->mismatches &&
           sw_tails_make(&out->tails, out->column_count);
}

sw_status sw_counts_decode(sw_counts *out, sw_str bytes, sw_error *error) {
    layout found;
    if (bytes.len == 0 || !read_form(NULL, &found, bytes))
        return damaged(error);
    SW_TRY(sw_counts_make(out, (uint32_t)found.bins, (uint32_t)found.tables, error));
    if (found.columns && !make_columns(out, &found)) {
        sw_counts_free(out);
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for stored counts");
    }
    read_form(out, &found, bytes);
    return SW_OK;
}
