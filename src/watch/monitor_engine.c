/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitor_private.h"

#include "base/mem.h"

#include <math.h>

/*
 * Why the promise holds. Let S be the sum over signals of the detectors' martingale bounds. A look
 * raises its mean by at most its start's weight a signal, and the weights of T looks add up to T at
 * most. An alarm that names k of F has each of the k at limit · F / k or more, and starts them
 * anew: S falls by limit · F. As S is never below 0, T looks have at most T / limit alarms on
 * average; where only v of the k are false, the bounds of the signals that did not drift fall by
 * limit · F · v / k, so the sum of v / k over all alarms has that mean too.
 */
enum {
    CLEAR_LOOKS = 15, /* drifted ends when so much that is recent looks like the reference */
    CLEAR_ROWS = 500,
};
static const double miss_in_all = 0.001; /* references that are unlike their own source */

void sw_engine_init(sw_engine *engine, const sw_monitor_settings *settings) {
    *engine = (sw_engine){
        .false_alarms = settings->false_alarms_per_month,
        .tolerance = settings->tolerance,
        .log_limit = log(SW_MONITOR_LOOKS_A_MONTH / settings->false_alarms_per_month),
    };
}

static void free_alarm(sw_signal *signal) {
    if (signal->alarm)
        sw_mem_free((void *)signal->alarm->evidence.at);
    sw_mem_free(signal->alarm);
    signal->alarm = NULL;
}

void sw_engine_free(sw_engine *engine) {
    for (size_t i = 0; i < engine->signal_count; i++) {
        free_alarm(&engine->signals[i]);
        if (engine->signals[i].owns_test)
            sw_mem_free((void *)engine->signals[i].test);
    }
    for (size_t i = 0; i < engine->column_count; i++)
        sw_column_cells_free(&engine->columns[i].cells);
    for (size_t i = 0; i < engine->start_count; i++)
        sw_mem_free(engine->starts[i].sums);
    sw_mem_free(engine->columns);
    sw_mem_free(engine->signals);
    sw_mem_free(engine->sums);
    sw_mem_free(engine->detectors);
    sw_arena_free(&engine->arena);
    *engine = (sw_engine){0};
}

/* ---- Columns and signals ---- */

bool sw_engine_add_column(sw_engine *engine, sw_str name, sw_str segment, bool output,
                          const sw_profile_column *reference) {
    if (engine->column_count == engine->column_cap) {
        size_t cap = engine->column_cap ? engine->column_cap * 2 : 32;
        sw_engine_column *more = sw_mem_realloc(engine->columns, cap * sizeof *more);
        if (!more)
            return false;
        engine->columns = more;
        engine->column_cap = cap;
    }
    sw_engine_column *column = &engine->columns[engine->column_count];
    *column = (sw_engine_column){.name = sw_arena_copy(&engine->arena, name),
                                 .segment = sw_arena_copy(&engine->arena, segment),
                                 .output = output};
    if (!column->name.at || !column->segment.at || !sw_column_cells_make(&column->cells, reference))
        return false;
    column->cells.width += !output && segment.len == 0;
    column->cells.first = engine->cell_count;
    engine->cell_count += column->cells.width;
    engine->column_count++;
    return true;
}

/* Whether the reference says enough for a test of this kind. */
static bool is_defined(const sw_column_cells *c, sw_finding_kind kind) {
    bool all = kind == SW_FINDING_MISSING || kind == SW_FINDING_TYPE;
    uint64_t rows = 0;
    for (uint32_t k = !all; k < c->cells; k++)
        rows += c->reference[k];
    if (all)
        return rows > 0 && c->cells > 1 && (kind == SW_FINDING_MISSING || c->width > c->cells);
    return rows > 0 && c->cells > 2 && (kind != SW_FINDING_DISTRIBUTION || c->groups > 1);
}

static bool make_test(sw_signal *signal, const sw_engine *engine) {
    const sw_column_cells *c = &engine->columns[signal->column].cells;
    uint32_t none[SW_COLUMN_CELLS_MAX] = {0}, cells = sw_signal_cells(signal->kind, c);
    uint64_t reference[SW_SEQ_CELLS_MAX] = {0}, scale = 0;
    /* The reference may be larger than 32 bits hold: shares of 2^31 rows are as good. */
    uint32_t counts[SW_COLUMN_CELLS_MAX] = {0};
    for (uint32_t k = 0; k < c->cells; k++)
        scale += c->reference[k];
    scale = 1 + (scale >> 31);
    for (uint32_t k = 0; k < c->cells; k++)
        counts[k] = (uint32_t)(c->reference[k] / scale);
    sw_signal_take(reference, signal->kind, c, counts, none);
    sw_seq_test *test = sw_mem_alloc(sizeof *test);
    if (!test)
        return false;
    bool ordered = signal->kind == SW_FINDING_DISTRIBUTION && c->numeric;
    sw_seq_test_make(test, reference, cells, ordered ? SW_SEQ_ORDERED : SW_SEQ_NOMINAL,
                     signal->kind == SW_FINDING_DISTRIBUTION ? cells - 1 : 0, engine->tolerance,
                     engine->miss);
    signal->test = test;
    signal->owns_test = true;
    return true;
}

/* Most columns miss nothing, and none of a reference was refused: they share one test. */
static bool share_test(sw_signal *signal, const sw_engine *engine) {
    if (signal->kind == SW_FINDING_DISTRIBUTION || signal < engine->signals + SW_COLUMN_SIGNALS)
        return false;
    const sw_signal *before = signal - SW_COLUMN_SIGNALS;
    const sw_column_cells *a = &engine->columns[signal->column].cells,
                          *b = &engine->columns[before->column].cells;
    uint64_t rows = 0, rows_before = 0;
    if (!before->test || a->numeric != b->numeric || before->kind != signal->kind)
        return false;
    for (uint32_t k = 1; k < a->cells; k++)
        rows += a->reference[k];
    for (uint32_t k = 1; k < b->cells; k++)
        rows_before += b->reference[k];
    bool same = rows == rows_before;
    if (signal->kind == SW_FINDING_TYPE)
        same = rows + a->reference[0] == rows_before + b->reference[0];
    else if (signal->kind == SW_FINDING_MISSING)
        same &= a->reference[0] == b->reference[0];
    else
        same &= a->reference[a->cells - 1] == b->reference[b->cells - 1] &&
                (!a->numeric || a->reference[1] == b->reference[1]);
    signal->test = same ? before->test : NULL;
    return same;
}

static sw_finding_kind kind_of(size_t place, const sw_column_cells *cells) {
    switch (place) {
    case 0: return SW_FINDING_DISTRIBUTION;
    case 1: return SW_FINDING_MISSING;
    case 2: return cells->numeric ? SW_FINDING_RANGE : SW_FINDING_UNSEEN;
    default: return SW_FINDING_TYPE;
    }
}

bool sw_engine_ready(sw_engine *engine) {
    size_t count = engine->column_count * SW_COLUMN_SIGNALS;
    engine->signals = sw_mem_zalloc(count ? count : 1, sizeof *engine->signals);
    engine->detectors = sw_mem_zalloc(count ? count : 1, sizeof *engine->detectors);
    engine->sums = sw_mem_zalloc(engine->cell_count ? engine->cell_count : 1, sizeof(uint32_t));
    if (!engine->signals || !engine->detectors || !engine->sums)
        return false;
    engine->signal_count = count;
    for (size_t i = 0; i < count; i++) {
        sw_signal *signal = &engine->signals[i];
        signal->column = (uint32_t)(i / SW_COLUMN_SIGNALS);
        const sw_column_cells *cells = &engine->columns[signal->column].cells;
        signal->kind = kind_of(i % SW_COLUMN_SIGNALS, cells);
        signal->log_detector = -INFINITY;
        engine->running += is_defined(cells, signal->kind);
    }
    engine->miss = miss_in_all / (double)(engine->running ? engine->running : 1);
    for (size_t i = 0; i < count; i++) {
        sw_signal *signal = &engine->signals[i];
        if (is_defined(&engine->columns[signal->column].cells, signal->kind) &&
            !share_test(signal, engine) && !make_test(signal, engine))
            return false;
    }
    return true;
}

/* ---- From one engine to the next ---- */

static bool same_column(const sw_engine_column *a, const sw_engine_column *b) {
    const sw_column_cells *x = &a->cells, *y = &b->cells;
    return a->output == b->output && sw_str_eq(a->name, b->name) &&
           sw_str_eq(a->segment, b->segment) && x->cells == y->cells && x->width == y->width &&
           x->bin_count == y->bin_count && memcmp(x->cell_of, y->cell_of, x->bin_count) == 0 &&
           memcmp(x->reference, y->reference, sizeof x->reference) == 0;
}

static void carry_column(sw_engine *into, size_t to, sw_engine *from, size_t at) {
    const sw_column_cells *old = &from->columns[at].cells, *new = &into->columns[to].cells;
    size_t bytes = old->width * sizeof(uint32_t);
    memcpy(into->sums + new->first, from->sums + old->first, bytes);
    for (size_t i = 0; i < from->start_count; i++)
        memcpy(into->starts[i].sums + new->first, from->starts[i].sums + old->first, bytes);
    for (size_t i = 0; i < SW_COLUMN_SIGNALS; i++) {
        sw_signal *signal = &into->signals[to * SW_COLUMN_SIGNALS + i],
                  *before = &from->signals[at * SW_COLUMN_SIGNALS + i];
        signal->first = before->first;
        signal->log_detector = before->log_detector;
        signal->alarm = before->alarm;
        before->alarm = NULL;
    }
}

/*
 * Evidence of a column that is carried over keeps its starts; its test has the miss of the new
 * number of signals, so its detector is of the new test from the next look on. That number never
 * falls, else sums gathered under a smaller one would count for more than they may.
 */
bool sw_engine_carry(sw_engine *into, sw_engine *from) {
    for (size_t i = 0; i < from->start_count; i++) {
        uint32_t *sums = sw_mem_zalloc(into->cell_count + 1, sizeof *sums);
        if (!sums)
            return false;
        into->starts[into->start_count++] =
            (sw_start){from->starts[i].look, from->starts[i].minute, sums};
    }
    into->looks = from->looks;
    into->first_minute = from->first_minute;
    into->last_minute = from->last_minute;
    for (size_t i = 0; i < into->signal_count; i++)
        into->signals[i].first = into->looks;
    for (size_t at = 0, to = 0; at < from->column_count; at++) {
        size_t tried = 0;
        while (tried < into->column_count &&
               !same_column(&from->columns[at], &into->columns[(to + tried) % into->column_count]))
            tried++;
        if (tried == into->column_count)
            continue;
        to = (to + tried) % into->column_count;
        carry_column(into, to, from, at);
    }
    return true;
}

/* ---- Counts since a start ---- */

uint64_t sw_engine_since(uint64_t *out, const sw_engine *engine, const sw_signal *signal,
                         const uint32_t *before) {
    const sw_column_cells *c = &engine->columns[signal->column].cells;
    uint64_t rows = 0;
    sw_signal_take(out, signal->kind, c, engine->sums + c->first, before);
    for (uint32_t k = 0; k < sw_signal_cells(signal->kind, c); k++)
        rows += out[k];
    return rows;
}

static uint64_t rows_since(const sw_engine *engine, const sw_signal *signal,
                           const sw_start *start) {
    uint64_t ignored[SW_SEQ_CELLS_MAX];
    return sw_engine_since(ignored, engine, signal,
                           start->sums + engine->columns[signal->column].cells.first);
}

const sw_start *sw_engine_recent(const sw_engine *engine, const sw_signal *signal, uint64_t looks,
                                 uint64_t rows) {
    const sw_start *oldest = NULL;
    for (size_t i = engine->start_count; i > 0; i--) {
        const sw_start *start = &engine->starts[i - 1];
        if (start->look < signal->first)
            break;
        oldest = start;
        if (engine->looks - start->look >= looks && rows_since(engine, signal, start) >= rows)
            break;
    }
    return oldest;
}

/* Counts since each start that the signal has, and the start's look; returns how many. */
static size_t gather(uint64_t *counts, uint64_t *looks, const sw_start **starts,
                     const sw_engine *engine, const sw_signal *signal) {
    const sw_column_cells *c = &engine->columns[signal->column].cells;
    size_t count = 0;
    for (size_t i = 0; i < engine->start_count; i++) {
        if (engine->starts[i].look < signal->first)
            continue;
        sw_engine_since(counts + count * signal->test->cells, engine, signal,
                        engine->starts[i].sums + c->first);
        looks[count] = engine->starts[i].look;
        starts[count++] = &engine->starts[i];
    }
    return count;
}

/* ---- A look ---- */

static void drop_start(sw_engine *engine, size_t at) {
    sw_mem_free(engine->starts[at].sums);
    engine->start_count--;
    memmove(&engine->starts[at], &engine->starts[at + 1],
            (engine->start_count - at) * sizeof *engine->starts);
}

/* Rows of a start: those of the first column, as every row counts in every column of all rows; and
 * refused ones, which count in one. */
static bool is_full(const sw_engine *engine, const sw_start *start) {
    const sw_column_cells *c = &engine->columns[0].cells;
    uint32_t rows = 0;
    for (uint32_t k = 0; k < c->cells; k++)
        rows += engine->sums[c->first + k] - start->sums[c->first + k];
    bool full = rows >= SW_START_ROWS_MAX;
    for (size_t i = 0; i < engine->column_count && !full; i++) {
        c = &engine->columns[i].cells;
        uint32_t at = c->first + c->cells;
        full = c->width > c->cells && engine->sums[at] - start->sums[at] >= SW_START_ROWS_MAX;
    }
    return full;
}

static void thin_out(sw_engine *engine) {
    for (size_t i = engine->start_count; i > 0; i--)
        if (!sw_seq_keeps(engine->starts[i - 1].look, engine->looks) ||
            is_full(engine, &engine->starts[i - 1]))
            drop_start(engine, i - 1);
    if (engine->start_count == SW_SEQ_STARTS_MAX)
        drop_start(engine, 0);
}

static bool add_start(sw_engine *engine, int64_t minute) {
    size_t bytes = engine->cell_count * sizeof(uint32_t);
    uint32_t *sums = sw_mem_alloc(bytes ? bytes : 1);
    if (!sums)
        return false;
    memcpy(sums, engine->sums, bytes);
    engine->starts[engine->start_count++] = (sw_start){engine->looks, minute, sums};
    return true;
}

/* As nearly always: then the counts since any start are inside the null set, and need no test. */
static bool none_refused(const sw_engine *engine, const sw_signal *signal) {
    const sw_column_cells *c = &engine->columns[signal->column].cells;
    uint32_t at = c->first + c->cells;
    return signal->kind == SW_FINDING_TYPE && engine->start_count &&
           engine->sums[at] == engine->starts[0].sums[at];
}

static void refresh(sw_engine *engine, sw_signal *signal) {
    uint64_t counts[SW_SEQ_STARTS_MAX * SW_SEQ_CELLS_MAX], looks[SW_SEQ_STARTS_MAX];
    const sw_start *starts[SW_SEQ_STARTS_MAX];
    size_t best;
    signal->log_detector = -INFINITY;
    if (!signal->test || signal->alarm || none_refused(engine, signal))
        return;
    size_t count = gather(counts, looks, starts, engine, signal);
    signal->log_detector = sw_seq_log_detector(&best, signal->test, counts, looks, count);
}

void sw_engine_refresh(sw_engine *engine) {
    for (size_t i = 0; i < engine->signal_count; i++)
        refresh(engine, &engine->signals[i]);
}

/* Memory that is out leaves the alarm for the next look. */
static void raise_alarm(sw_engine *engine, sw_signal *signal, size_t named, double threshold) {
    uint64_t counts[SW_SEQ_STARTS_MAX * SW_SEQ_CELLS_MAX], looks[SW_SEQ_STARTS_MAX];
    const sw_start *starts[SW_SEQ_STARTS_MAX];
    const sw_column_cells *c = &engine->columns[signal->column].cells;
    size_t best, count = gather(counts, looks, starts, engine, signal);
    double sum = sw_seq_log_detector(&best, signal->test, counts, looks, count);
    sw_buf json = {0};
    sw_finding_evidence_write(&json, engine, signal, named, threshold, counts, looks, starts, count,
                              best);
    sw_alarm *alarm = sw_mem_zalloc(1, sizeof *alarm);
    if (!alarm || json.failed) {
        sw_mem_free(alarm);
        sw_buf_free(&json);
        return;
    }
    *alarm = (sw_alarm){.at_ms = (engine->last_minute + 1) * 60000,
                        .since_ms = starts[best]->minute * 60000,
                        .look = engine->looks,
                        .log_evidence = sum,
                        .log_threshold = threshold,
                        .evidence = {json.at, json.len}};
    memcpy(alarm->before, starts[best]->sums + c->first, c->width * sizeof *alarm->before);
    signal->alarm = alarm;
    signal->log_detector = -INFINITY;
}

static void name_drifted(sw_engine *engine) {
    double threshold;
    size_t tested = 0;
    for (size_t i = 0; i < engine->signal_count; i++)
        if (engine->signals[i].test)
            engine->detectors[tested++] = engine->signals[i].log_detector;
    size_t named = sw_seq_name(&threshold, engine->detectors, tested, engine->log_limit);
    for (size_t i = 0; named && i < engine->signal_count; i++)
        if (engine->signals[i].test && engine->signals[i].log_detector >= threshold)
            raise_alarm(engine, &engine->signals[i], named, threshold);
}

/*
 * Drifted ends where recent rows, all of them since the alarm, are no further from the null set
 * than chance goes: the distance is below a chi-square's mean and three of its deviations.
 */
static void clear_alarm(sw_engine *engine, sw_signal *signal) {
    uint64_t counts[SW_SEQ_CELLS_MAX];
    uint32_t first = engine->columns[signal->column].cells.first;
    const sw_start *start = sw_engine_recent(engine, signal, CLEAR_LOOKS, CLEAR_ROWS);
    if (!start || start->look < signal->alarm->look || engine->looks - start->look < CLEAR_LOOKS)
        return;
    uint64_t rows = sw_engine_since(counts, engine, signal, start->sums + first);
    double degrees = signal->test->cells - 1;
    if (rows < CLEAR_ROWS ||
        sw_seq_distance(signal->test, counts) > degrees + 3 * sqrt(2 * degrees))
        return;
    free_alarm(signal);
    signal->first = engine->looks;
}

bool sw_engine_look(sw_engine *engine, int64_t minute, const uint32_t *cells) {
    if (engine->column_count == 0)
        return true;
    thin_out(engine);
    if (!add_start(engine, minute))
        return false;
    for (uint32_t i = 0; i < engine->cell_count; i++)
        engine->sums[i] += cells[i];
    if (engine->looks == 0)
        engine->first_minute = minute;
    engine->last_minute = minute;
    engine->looks++;
    sw_engine_refresh(engine);
    name_drifted(engine);
    for (size_t i = 0; i < engine->signal_count; i++)
        if (engine->signals[i].alarm)
            clear_alarm(engine, &engine->signals[i]);
    return true;
}
