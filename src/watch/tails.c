/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/tails_private.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdlib.h>

/* ---- A loop's sample ---- */

static double number_of(uint64_t code_bits) {
    uint64_t bits = code_bits >> 63 ? code_bits & ~(UINT64_C(1) << 63) : ~code_bits;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

double sw_tail_value(uint32_t code, uint8_t level) {
    unsigned shift = 64 - SW_TAIL_CODE_BITS + (unsigned)level;
    uint64_t from = (uint64_t)code << shift;
    double low = number_of(from), high = number_of(from | ((UINT64_C(1) << shift) - 1));
    /* Infinities share their codes with NaNs, which are never kept. */
    return low != low ? high : high - high != 0 ? low : low / 2 + high / 2;
}

static void halve(sw_tail_sample *sample, uint64_t *random) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sample->used; i++) {
        sample->at[kept] = sample->at[i];
        kept += (uint32_t)(sw_rng_next(random) & 1);
    }
    sample->used = kept;
    sample->halvings++;
}

void sw_tail_add(sw_tail_sample *sample, uint64_t *random, uint32_t column, double x) {
    if (sample->halvings && sw_rng_next(random) & ((UINT64_C(1) << sample->halvings) - 1))
        return;
    while (sample->used == SW_TAIL_ROOM)
        halve(sample, random);
    sample->at[sample->used].column = column;
    sample->at[sample->used++].code = sw_tail_code(x);
}

/* ---- Merged ---- */

bool sw_tails_make(sw_tails *out, uint32_t column_count) {
    *out = (sw_tails){.column_count = column_count};
    out->cap = column_count < SW_TAILS_MAX / SW_TAIL_CODES_MAX ? column_count * SW_TAIL_CODES_MAX
                                                               : SW_TAILS_MAX;
    out->at = sw_mem_alloc(out->cap * sizeof *out->at);
    out->spare = sw_mem_alloc(out->cap * sizeof *out->spare);
    out->levels = sw_mem_zalloc(column_count, 1);
    if (out->at && out->spare && out->levels)
        return true;
    sw_tails_free(out);
    return false;
}

void sw_tails_free(sw_tails *tails) {
    sw_mem_free(tails->at);
    sw_mem_free(tails->spare);
    sw_mem_free(tails->levels);
    *tails = (sw_tails){0};
}

void sw_tails_clear(sw_tails *tails) {
    if (tails->count)
        memset(tails->levels, 0, tails->column_count);
    tails->count = 0;
}

typedef struct run {
    const sw_tail *at, *end;
    uint8_t level;
} run;

static run run_of(const sw_tail **at, const sw_tail *end, uint32_t column, const uint8_t *levels) {
    run r = {*at, *at, levels ? levels[column] : 0};
    while (r.end < end && r.end->column == column)
        r.end++;
    *at = r.end;
    return r;
}

/* Both runs at `level`, equal codes added up; how many codes that makes. Writes where `out`. */
static uint32_t merge_runs(sw_tail *out, run a, run b, uint32_t column, uint8_t level) {
    uint32_t count = 0, last = UINT32_MAX;
    while (a.at < a.end || b.at < b.end) {
        uint32_t x = a.at < a.end ? a.at->code >> (level - a.level) : UINT32_MAX,
                 y = b.at < b.end ? b.at->code >> (level - b.level) : UINT32_MAX,
                 code = x < y ? x : y;
        const sw_tail *from = x < y ? a.at++ : b.at++;
        if (code != last) {
            if (out)
                out[count] = (sw_tail){column, code, 0};
            count++;
            last = code;
        }
        if (out)
            out[count - 1].count += from->count;
    }
    return count;
}

/* `from`: sorted, of `column_count` columns at most. */
static void merge(sw_tails *into, const sw_tail *from, uint32_t from_count, const uint8_t *levels) {
    const sw_tail *a = into->at, *a_end = into->at + into->count, *b = from,
                  *b_end = from + from_count;
    uint32_t count = 0;
    while (a < a_end || b < b_end) {
        uint32_t column =
            b == b_end || (a < a_end && a->column < b->column) ? a->column : b->column;
        if (column >= into->column_count)
            break;
        run x = run_of(&a, a_end, column, into->levels), y = run_of(&b, b_end, column, levels);
        uint32_t room = into->cap - count;
        room = room < SW_TAIL_CODES_MAX ? room : SW_TAIL_CODES_MAX;
        uint8_t level = x.level > y.level ? x.level : y.level;
        while (level < SW_TAIL_LEVEL_MAX && merge_runs(NULL, x, y, column, level) > room)
            level++;
        if (room == 0)
            break; /* of a very wide model: the last columns go without */
        into->levels[column] = level;
        count += merge_runs(into->spare + count, x, y, column, level);
    }
    sw_tail *merged = into->spare;
    into->spare = into->at;
    into->at = merged;
    into->count = count;
}

void sw_tails_merge(sw_tails *into, const sw_tails *from) {
    if (from->count && into->cap)
        merge(into, from->at, from->count, from->levels);
}

static int by_code(const void *left, const void *right) {
    const sw_tail *a = left, *b = right;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->code > b->code) - (a->code < b->code);
}

void sw_tails_take(sw_tails *into, sw_tail_sample *sample) {
    sw_tail added[SW_TAIL_ROOM];
    for (uint32_t i = 0; i < sample->used; i++)
        added[i] =
            (sw_tail){sample->at[i].column, sample->at[i].code, UINT64_C(1) << sample->halvings};
    if (sample->used && into->cap) {
        qsort(added, sample->used, sizeof *added, by_code);
        merge(into, added, sample->used, NULL);
    }
    sample->used = sample->halvings = 0;
}

const sw_tail *sw_tails_of(const sw_tails *tails, uint32_t column, size_t *count) {
    uint32_t low = 0, high = tails->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tails->at[middle].column < column)
            low = middle + 1;
        else
            high = middle;
    }
    const sw_tail *at = tails->at + low;
    size_t n = 0;
    while (low + n < tails->count && at[n].column == column)
        n++;
    *count = n;
    return at;
}
