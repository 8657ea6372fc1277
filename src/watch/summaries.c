/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/summaries_private.h"

#include "base/rng.h"

#include <math.h>

typedef struct summary {
    sw_content content;
    int64_t vocabulary, unknown;                           /* 0 and -1: not known */
    uint32_t taken;                                        /* values of a projection */
    uint32_t places[SW_PROJECTIONS][SW_PROJECTION_VALUES]; /* lowest bit: the sign */
} summary;

sw_content sw_summary_content(const sw_tensor_spec *spec) {
    if (spec->content != SW_CONTENT_COLUMNS)
        return spec->content;
    switch (spec->dtype) {
    case SW_BYTES: return SW_CONTENT_TEXT;
    case SW_UINT8: return SW_CONTENT_IMAGE;
    case SW_FP16:
    case SW_FP32:
    case SW_FP64: return spec->rank >= 3 ? SW_CONTENT_IMAGE : SW_CONTENT_EMBEDDING;
    default: return SW_CONTENT_TOKENS;
    }
}

uint32_t sw_summary_names(const char *const **names, sw_content content) {
    static const char *const image[] = {"brightness", "contrast", "min", "max"},
                             *const tokens[] = {"length", "unknown_share"},
                             *const embedding[] = {"norm",        "projection0", "projection1",
                                                   "projection2", "projection3", "projection4",
                                                   "projection5", "projection6", "projection7"},
                             *const text[] = {"bytes", "words"};
    switch (content) {
    case SW_CONTENT_IMAGE: *names = image; return 4;
    case SW_CONTENT_TOKENS: *names = tokens; return 2;
    case SW_CONTENT_EMBEDDING: *names = embedding; return 1 + SW_PROJECTIONS;
    default: *names = text; return 2;
    }
}

/* ---- Each kind ---- */

static void summarise_image(double *out, const sw_tensor *row) {
    double sum = 0, squares = 0, low = NAN, high = NAN;
    size_t count = 0;
    for (size_t i = 0; i < row->count; i++) {
        double x = sw_tensor_f64(row, i);
        if (!isfinite(x))
            continue;
        low = count && low <= x ? low : x;
        high = count && high >= x ? high : x;
        sum += x;
        squares += x * x;
        count++;
    }
    double n = (double)count, mean = sum / n, spread = squares / n - mean * mean;
    out[0] = mean; /* of nothing: NaN, which counts as missing */
    out[1] = sqrt(spread > 0 ? spread : isnan(spread) ? NAN : 0);
    out[2] = low;
    out[3] = high;
}

static void summarise_tokens(double *out, const summary *s, const sw_tensor *row) {
    size_t length = row->count, unknown = 0;
    while (length && sw_tensor_f64(row, length - 1) == 0)
        length--;
    for (size_t i = 0; i < length; i++) {
        double id = sw_tensor_f64(row, i);
        unknown += id < 0 || (s->vocabulary > 0 && id >= (double)s->vocabulary) ||
                   (s->unknown >= 0 && id == (double)s->unknown);
    }
    out[0] = (double)length;
    out[1] = length ? (double)unknown / (double)length : NAN;
}

/* Rows of open width may be narrower than planned: places beyond go round to the begin. */
static double project(const summary *s, const uint32_t *places, const sw_tensor *row) {
    double sum = 0;
    uint32_t taken = row->count < s->taken ? (uint32_t)row->count : s->taken;
    for (uint32_t i = 0; i < taken; i++) {
        double x = sw_tensor_f64(row, (places[i] >> 1) % row->count);
        sum += places[i] & 1 ? x : -x;
    }
    return taken ? sum / sqrt(taken) : NAN;
}

static void summarise_embedding(double *out, const summary *s, const sw_tensor *row) {
    double squares = 0;
    for (size_t i = 0; i < row->count; i++) {
        double x = sw_tensor_f64(row, i);
        squares += x * x;
    }
    out[0] = row->count ? sqrt(squares) : NAN;
    for (int i = 0; i < SW_PROJECTIONS; i++)
        out[1 + i] = project(s, s->places[i], row);
}

static void summarise_text(double *out, const sw_tensor *row) {
    size_t bytes = 0, words = 0;
    for (size_t i = 0; i < row->count; i++) {
        sw_str text = ((const sw_str *)row->data)[i];
        bool within = false;
        bytes += text.len;
        for (size_t k = 0; k < text.len; k++) {
            bool space = (uint8_t)text.at[k] <= ' ';
            words += !space && !within;
            within = !space;
        }
    }
    out[0] = (double)bytes;
    out[1] = (double)words;
}

static void count_summaries(const sw_lane *lane, sw_cell *cell, uint64_t *random,
                            const sw_span *span) {
    const summary *s = lane->summary;
    for (uint32_t row = 0; row < span->count; row++) {
        double out[SW_SUMMARIES_MAX];
        sw_tensor tensor = {
            .dtype = lane->dtype, .count = span->width, .data = (void *)span->rows[row]};
        switch (s->content) {
        case SW_CONTENT_IMAGE: summarise_image(out, &tensor); break;
        case SW_CONTENT_TOKENS: summarise_tokens(out, s, &tensor); break;
        case SW_CONTENT_EMBEDDING: summarise_embedding(out, s, &tensor); break;
        default: summarise_text(out, &tensor); break;
        }
        for (uint32_t i = 0; i < lane->probe_count; i++)
            sw_count_score(cell, random, &lane->probes[i], out[lane->probes[i].column]);
    }
}

/* ---- The plan ---- */

bool sw_summary_plan(sw_lane *lane, const sw_tensor_spec *spec, sw_arena *arena) {
    summary *s = sw_arena_zalloc(arena, 1, sizeof *s);
    if (!s)
        return false;
    uint32_t width = lane->width;
    uint64_t random = 0x51A7;
    s->content = sw_summary_content(spec);
    s->vocabulary = spec->vocabulary;
    s->unknown = spec->has_unknown ? spec->unknown : -1;
    s->taken = width && width < SW_PROJECTION_VALUES ? width : SW_PROJECTION_VALUES;
    for (int i = 0; i < SW_PROJECTIONS; i++)
        for (uint32_t k = 0; k < SW_PROJECTION_VALUES; k++) {
            uint32_t place = (uint32_t)(sw_rng_next(&random) >> 33);
            uint32_t at = width > SW_PROJECTION_VALUES ? place % width : k;
            s->places[i][k] = at << 1 | (uint32_t)(sw_rng_next(&random) >> 63);
        }
    lane->count = count_summaries;
    lane->column_max = 0;
    lane->pooled = true;
    lane->summary = s;
    return true;
}
