/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitors_private.h"

#include "base/mem.h"
#include "base/varint.h"

#include <math.h>

/*
 * An engine's state as bytes (base/varint.h). Sums are written as what was added since the start
 * before, newest first, so that they stay small.
 *
 *     3 (the form), cells, signals, looks, first minute, last minute,
 *     sums, number of starts, for each from the newest: look, minute, differences of the sums
 *     for each signal: first, 0 or 1 and an alarm
 *
 * Form 2 of older programs has neither cells nor signals of refused rows: none was, and those signals
 * begin now.
 */
enum { FORM_UNTYPED = 2, FORM = 3, MONITOR_FORM = 1 };

static void put_alarm(sw_buf *out, const sw_alarm *alarm, uint32_t cells) {
    sw_varint_put(out, (uint64_t)alarm->at_ms);
    sw_varint_put(out, (uint64_t)alarm->since_ms);
    sw_varint_put(out, alarm->look);
    sw_varint_put_f64(out, alarm->log_evidence);
    sw_varint_put_f64(out, alarm->log_threshold);
    for (uint32_t k = 0; k < cells; k++)
        sw_varint_put(out, alarm->before[k]);
    sw_varint_put(out, alarm->evidence.len);
    sw_buf_add_str(out, alarm->evidence);
}

void sw_engine_write(sw_buf *out, const sw_engine *engine) {
    const uint32_t *later = engine->sums;
    sw_varint_put(out, FORM);
    sw_varint_put(out, engine->cell_count);
    sw_varint_put(out, engine->signal_count);
    sw_varint_put(out, engine->looks);
    sw_varint_put(out, (uint64_t)engine->first_minute);
    sw_varint_put(out, (uint64_t)engine->last_minute);
    for (uint32_t i = 0; i < engine->cell_count; i++)
        sw_varint_put(out, engine->sums[i]);
    sw_varint_put(out, engine->start_count);
    for (size_t s = engine->start_count; s > 0; s--) {
        const sw_start *start = &engine->starts[s - 1];
        sw_varint_put(out, start->look);
        sw_varint_put(out, (uint64_t)start->minute);
        for (uint32_t i = 0; i < engine->cell_count; i++)
            sw_varint_put(out, later[i] - start->sums[i]);
        later = start->sums;
    }
    for (size_t i = 0; i < engine->signal_count; i++) {
        const sw_signal *signal = &engine->signals[i];
        sw_varint_put(out, signal->first);
        sw_varint_put(out, signal->alarm != NULL);
        if (signal->alarm)
            put_alarm(out, signal->alarm, engine->columns[signal->column].cells.width);
    }
}

/* ---- Reading ---- */

enum { MINUTE_MAX = INT32_MAX };
#define MS_MAX ((uint64_t)MINUTE_MAX * 60000)

/* What the form has of a column's cells. */
static uint32_t width_in(uint64_t form, const sw_column_cells *cells) {
    return form == FORM ? cells->width : cells->cells;
}

/* One number for each cell; 0 where the form has none. */
static void get_cells(uint32_t *out, const sw_engine *engine, sw_varint_reader *in, uint64_t form) {
    for (size_t i = 0; i < engine->column_count && !in->bad; i++) {
        const sw_column_cells *c = &engine->columns[i].cells;
        for (uint32_t k = 0; k < c->width; k++)
            out[c->first + k] = k < width_in(form, c) ? (uint32_t)sw_varint_get(in, UINT32_MAX) : 0;
    }
}

static void get_start(sw_engine *engine, sw_varint_reader *in, size_t at, const uint32_t *later,
                      uint64_t form) {
    sw_start *start = &engine->starts[at];
    size_t bytes = engine->cell_count * sizeof *start->sums;
    start->sums = sw_mem_alloc(bytes ? bytes : 1);
    in->bad |= !start->sums;
    start->look = sw_varint_get(in, engine->looks ? engine->looks - 1 : 0);
    start->minute = (int64_t)sw_varint_get(in, MINUTE_MAX);
    if (!in->bad)
        get_cells(start->sums, engine, in, form);
    for (uint32_t i = 0; i < engine->cell_count && !in->bad; i++)
        start->sums[i] = later[i] - start->sums[i];
    in->bad |= at + 1 < engine->start_count && start->look >= start[1].look;
}

static void get_alarm(sw_signal *signal, sw_varint_reader *in, uint32_t cells) {
    sw_alarm *alarm = sw_mem_zalloc(1, sizeof *alarm);
    if (!alarm) {
        in->bad = true;
        return;
    }
    signal->alarm = alarm;
    alarm->at_ms = (int64_t)sw_varint_get(in, MS_MAX);
    alarm->since_ms = (int64_t)sw_varint_get(in, MS_MAX);
    alarm->look = sw_varint_get(in, UINT64_MAX);
    alarm->log_evidence = sw_varint_get_f64(in);
    alarm->log_threshold = sw_varint_get_f64(in);
    for (uint32_t k = 0; k < cells; k++)
        alarm->before[k] = (uint32_t)sw_varint_get(in, UINT32_MAX);
    size_t len = (size_t)sw_varint_get(in, (uint64_t)(in->end - in->at));
    in->bad |= len > (size_t)(in->end - in->at);
    alarm->evidence = (sw_str){in->bad ? NULL : sw_mem_copy((const char *)in->at, len), len};
    in->bad |= !alarm->evidence.at;
    in->at += in->bad ? 0 : len;
}

static void get_signal(sw_engine *engine, sw_signal *signal, sw_varint_reader *in, uint64_t form) {
    if (form != FORM && signal->kind == SW_FINDING_TYPE) {
        signal->first = engine->looks;
        return;
    }
    signal->first = sw_varint_get(in, engine->looks);
    if (sw_varint_get(in, 1) == 0)
        return;
    in->bad |= !signal->test;
    if (!in->bad)
        get_alarm(signal, in, width_in(form, &engine->columns[signal->column].cells));
}

bool sw_engine_read(sw_engine *engine, sw_str bytes) {
    sw_varint_reader in = sw_varint_from(bytes);
    uint64_t form = sw_varint_get(&in, FORM), cells = 0,
             kinds = SW_COLUMN_SIGNALS - (form == FORM_UNTYPED);
    for (size_t i = 0; i < engine->column_count; i++)
        cells += width_in(form, &engine->columns[i].cells);
    in.bad |= form < FORM_UNTYPED;
    in.bad |= sw_varint_get(&in, UINT64_MAX) != cells;
    in.bad |= sw_varint_get(&in, UINT64_MAX) != engine->column_count * kinds;
    engine->looks = sw_varint_get(&in, UINT64_MAX >> 1);
    engine->first_minute = (int64_t)sw_varint_get(&in, MINUTE_MAX);
    engine->last_minute = (int64_t)sw_varint_get(&in, MINUTE_MAX);
    get_cells(engine->sums, engine, &in, form);
    engine->start_count = (size_t)sw_varint_get(&in, SW_SEQ_STARTS_MAX);
    const uint32_t *later = engine->sums;
    for (size_t s = engine->start_count; s > 0 && !in.bad; s--) {
        get_start(engine, &in, s - 1, later, form);
        later = engine->starts[s - 1].sums;
    }
    for (size_t i = 0; i < engine->signal_count && !in.bad; i++)
        get_signal(engine, &engine->signals[i], &in, form);
    return !in.bad && in.at == in.end;
}

/* ---- A monitor: its minutes, its parts with their references, and the engine ---- */

static void put_str(sw_buf *out, sw_str s) {
    sw_varint_put(out, s.len);
    sw_buf_add_str(out, s);
}

static void put_part(sw_buf *out, const sw_monitor_part *part) {
    sw_buf counts = {0};
    put_str(out, part->segment);
    sw_varint_put(out, part->anchored);
    sw_varint_put(out, (uint64_t)part->anchored_minute);
    sw_counts_encode(&counts, &part->reference);
    out->failed |= counts.failed;
    put_str(out, sw_buf_str(&counts));
    sw_buf_free(&counts);
}

void sw_monitor_write(sw_buf *out, const sw_monitor *monitor) {
    sw_varint_put(out, MONITOR_FORM);
    sw_varint_put(out, (uint64_t)monitor->origin_minute);
    sw_varint_put(out, (uint64_t)monitor->newest_minute);
    sw_varint_put(out, (uint64_t)monitor->planned_minute);
    sw_buf_add(out, monitor->looked, sizeof monitor->looked);
    sw_varint_put(out, monitor->part_count);
    for (size_t i = 0; i < monitor->part_count; i++)
        put_part(out, &monitor->parts[i]);
    if (monitor->influence)
        sw_engine_write(out, &monitor->engine);
}

static sw_str get_str(sw_varint_reader *in) {
    size_t len = (size_t)sw_varint_get(in, (uint64_t)(in->end - in->at));
    if (in->bad || len > (size_t)(in->end - in->at)) {
        in->bad = true;
        return SW_STR("");
    }
    sw_str s = {(const char *)in->at, len};
    in->at += len;
    return s;
}

static void get_part(sw_monitor *monitor, sw_varint_reader *in) {
    sw_monitor_part *part = &monitor->parts[monitor->part_count];
    sw_str segment = get_str(in);
    *part = (sw_monitor_part){.segment = sw_arena_copy(&monitor->arena, segment),
                              .anchored = sw_varint_get(in, 1) == 1,
                              .anchored_minute = (int64_t)sw_varint_get(in, MINUTE_MAX)};
    sw_str counts = get_str(in);
    if (in->bad || !part->segment.at ||
        sw_failed(sw_counts_make_for(&part->reference, monitor->handles->observer, segment.len > 0,
                                     NULL))) {
        in->bad = true;
        return;
    }
    monitor->part_count++;
    in->bad |= sw_failed(sw_counts_add_encoded(&part->reference, counts, NULL));
}

static bool get_engine(sw_monitor *monitor, sw_varint_reader *in) {
    size_t columns;
    if (in->at == in->end)
        return true; /* it was stored before there was one */
    if (sw_failed(sw_monitor_build(&monitor->engine, monitor, NULL)))
        return false;
    columns = monitor->engine.column_count;
    monitor->influence = sw_mem_zalloc(columns + 1, sizeof *monitor->influence);
    for (size_t i = 0; monitor->influence && i < columns; i++)
        monitor->influence[i].value = NAN;
    return monitor->influence &&
           sw_engine_read(&monitor->engine,
                          (sw_str){(const char *)in->at, (size_t)(in->end - in->at)});
}

bool sw_monitor_read_state(sw_monitor *monitor, sw_str bytes) {
    sw_varint_reader in = sw_varint_from(bytes);
    in.bad = sw_varint_get(&in, UINT64_MAX) != MONITOR_FORM;
    monitor->origin_minute = (int64_t)sw_varint_get(&in, MINUTE_MAX);
    monitor->newest_minute = (int64_t)sw_varint_get(&in, MINUTE_MAX);
    monitor->planned_minute = (int64_t)sw_varint_get(&in, MINUTE_MAX);
    in.bad |= (size_t)(in.end - in.at) < sizeof monitor->looked;
    if (!in.bad) {
        memcpy(monitor->looked, in.at, sizeof monitor->looked);
        in.at += sizeof monitor->looked;
    }
    for (uint64_t left = sw_varint_get(&in, SW_MONITOR_PARTS_MAX); left && !in.bad; left--)
        get_part(monitor, &in);
    if (in.bad || !get_engine(monitor, &in))
        return false;
    sw_engine_refresh(&monitor->engine);
    return true;
}
