/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitors_private.h"

#include "base/mem.h"

#include <math.h>

/*
 * When a reference is taken. The profile's and that of a fixed window: once. A trailing one: anew
 * each seventh of its length, with all evidence begun anew too; in between it stands still, because
 * a reference that follows each look would be followed by no promise. A segment without a profile
 * of its own is compared with its own past as of when that had rows enough.
 */
enum { ANCHORS = 7, ANCHOR_MINUTES_MIN = 60, PLAN_MINUTES = 60 };

static const int64_t minute_ms = 60000;

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory to monitor a model");
}

static sw_watch_subject subject_of(const sw_monitor *monitor) {
    return (sw_watch_subject){.model = monitor->model,
                              .version = monitor->version,
                              .profile_hash = monitor->hash,
                              .profile = monitor->handles->profile,
                              .settings = &monitor->settings};
}

/* ---- Parts ---- */

static sw_monitor_part *find_part(sw_monitor *monitor, sw_str segment) {
    for (size_t i = 0; i < monitor->part_count; i++)
        if (sw_str_eq(monitor->parts[i].segment, segment))
            return &monitor->parts[i];
    return NULL;
}

static sw_status add_part(sw_monitor *monitor, sw_str segment, sw_error *error) {
    if (monitor->part_count == SW_MONITOR_PARTS_MAX || find_part(monitor, segment))
        return SW_OK;
    sw_monitor_part *part = &monitor->parts[monitor->part_count];
    *part = (sw_monitor_part){.segment = sw_arena_copy(&monitor->arena, segment)};
    if (!part->segment.at)
        return no_memory(error);
    SW_TRY(
        sw_counts_make_for(&part->reference, monitor->handles->observer, segment.len > 0, error));
    monitor->part_count++;
    return SW_OK;
}

static sw_status find_segments(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                               sw_error *error) {
    sw_str *names;
    size_t count;
    sw_arena scratch = {0};
    sw_watch_subject subject = subject_of(monitor);
    if (monitor->settings.segment_count == 0)
        return SW_OK;
    sw_status status = sw_watch_segments(&names, &count, monitors->watch, &subject,
                                         (minute - SW_MONITOR_BACK_MINUTES) * minute_ms,
                                         (minute + 1) * minute_ms, &scratch, error);
    for (size_t i = 0; i < count && !sw_failed(status); i++)
        status = add_part(monitor, names[i], error);
    sw_arena_free(&scratch);
    return status;
}

static bool is_due(const sw_monitor *monitor, const sw_monitor_part *part, int64_t minute) {
    const sw_monitor_settings *s = &monitor->settings;
    int64_t step = s->reference_minutes / ANCHORS;
    if (!part->anchored)
        return s->reference != SW_REFERENCE_WINDOW || minute * minute_ms >= s->reference_to_ms;
    step = step < ANCHOR_MINUTES_MIN ? ANCHOR_MINUTES_MIN : step;
    return s->reference == SW_REFERENCE_TRAILING && minute - part->anchored_minute >= step;
}

/* Leaves the part as it is where there are too few rows to compare with. */
static sw_status anchor(bool *changed, sw_monitors *monitors, sw_monitor *monitor,
                        sw_monitor_part *part, int64_t minute, sw_error *error) {
    sw_counts fresh;
    sw_watch_subject subject = subject_of(monitor);
    const sw_observer *observer = monitor->handles->observer;
    bool from_profile = monitor->settings.reference == SW_REFERENCE_PROFILE &&
                        part->segment.len == 0 && monitor->has_profile;
    SW_TRY(sw_counts_make_for(&fresh, observer, part->segment.len > 0, error));
    sw_status status = sw_watch_reference(&fresh, monitors->watch, &subject, observer,
                                          part->segment, minute * minute_ms, error);
    if (sw_failed(status) ||
        (fresh.rows < SW_MONITOR_REFERENCE_ROWS_MIN && !(from_profile && fresh.rows))) {
        sw_counts_free(&fresh);
        return status;
    }
    sw_counts_free(&part->reference);
    part->reference = fresh;
    part->anchored = true;
    part->anchored_minute = minute;
    *changed = true;
    return SW_OK;
}

/* ---- The engine of the parts ---- */

static sw_status add_columns(sw_engine *engine, const sw_monitor *monitor,
                             const sw_monitor_part *part, sw_error *error) {
    const sw_observer *observer = monitor->handles->observer;
    const sw_profile *profile = monitor->handles->profile;
    sw_watch_pair *pair = sw_mem_zalloc(1, sizeof *pair);
    sw_counts none;
    if (!pair)
        return no_memory(error);
    sw_status status = sw_counts_make_for(&none, observer, part->segment.len > 0, error);
    for (uint32_t i = 0; i < observer->column_count && !sw_failed(status); i++) {
        sw_watch_pair_of(pair, observer, profile, i, &part->reference, &none);
        if (!pair->watched)
            pair->reference.bin_count = 0;
        if (!sw_engine_add_column(engine, pair->reference.name, part->segment, pair->output,
                                  &pair->reference))
            status = no_memory(error);
    }
    sw_counts_free(&none);
    sw_mem_free(pair);
    return status;
}

sw_status sw_monitor_build(sw_engine *out, const sw_monitor *monitor, sw_error *error) {
    sw_status status = SW_OK;
    sw_engine_init(out, &monitor->settings);
    for (size_t i = 0; i < monitor->part_count && !sw_failed(status); i++)
        if (monitor->parts[i].anchored)
            status = add_columns(out, monitor, &monitor->parts[i], error);
    if (!sw_failed(status) && !sw_engine_ready(out))
        status = no_memory(error);
    if (sw_failed(status))
        sw_engine_free(out);
    return status;
}

static sw_status rebuild(sw_monitor *monitor, sw_error *error) {
    sw_engine fresh;
    SW_TRY(sw_monitor_build(&fresh, monitor, error));
    sw_influence *influence = sw_mem_zalloc(fresh.column_count + 1, sizeof *influence);
    if (!influence || !sw_engine_carry(&fresh, &monitor->engine)) {
        sw_mem_free(influence);
        sw_engine_free(&fresh);
        return no_memory(error);
    }
    for (size_t i = 0; i < fresh.column_count; i++)
        influence[i].value = NAN;
    sw_mem_free(monitor->influence);
    sw_engine_free(&monitor->engine);
    monitor->engine = fresh;
    monitor->influence = influence;
    sw_engine_refresh(&monitor->engine);
    return SW_OK;
}

sw_status sw_monitor_plan(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                          sw_error *error) {
    bool changed = monitor->influence == NULL;
    if (!changed && minute - monitor->planned_minute < PLAN_MINUTES &&
        minute >= monitor->planned_minute)
        return SW_OK;
    SW_TRY(add_part(monitor, SW_STR(""), error));
    SW_TRY(find_segments(monitors, monitor, minute, error));
    for (size_t i = 0; i < monitor->part_count; i++)
        if (is_due(monitor, &monitor->parts[i], minute))
            SW_TRY(anchor(&changed, monitors, monitor, &monitor->parts[i], minute, error));
    if (changed)
        SW_TRY(rebuild(monitor, error));
    monitor->planned_minute = minute;
    return SW_OK;
}

/* ---- A minute's counts ---- */

static sw_status part_cells(uint32_t *cells, size_t *column, sw_monitors *monitors,
                            const sw_monitor *monitor, const sw_monitor_part *part, int64_t minute,
                            sw_watch_pair *pair, sw_error *error) {
    sw_counts live;
    sw_watch_subject subject = subject_of(monitor);
    const sw_observer *observer = monitor->handles->observer;
    const sw_engine *engine = &monitor->engine;
    SW_TRY(sw_counts_make_for(&live, observer, part->segment.len > 0, error));
    sw_status status = sw_watch_counts(&live, monitors->watch, &subject, part->segment,
                                       minute * minute_ms, (minute + 1) * minute_ms, error);
    for (uint32_t i = 0; i < observer->column_count && !sw_failed(status); i++) {
        const sw_column_cells *to = &engine->columns[(*column)++].cells;
        if (to->bin_count == 0)
            continue;
        sw_watch_pair_of(pair, observer, monitor->handles->profile, i, &part->reference, &live);
        sw_column_cells_add(cells + to->first, to, pair->live);
        if (to->width > to->cells)
            cells[to->first + to->cells] = (uint32_t)live.mismatches[i];
    }
    sw_counts_free(&live);
    return status;
}

/* Of columns that have not drifted: it is found out for those that have. */
static void forget_influence(sw_monitor *monitor) {
    const sw_signal *signal = monitor->engine.signals;
    for (size_t i = 0; i < monitor->engine.column_count; i++, signal += SW_COLUMN_SIGNALS)
        if (!signal[0].alarm && !signal[1].alarm && !signal[2].alarm && !signal[3].alarm)
            monitor->influence[i] = (sw_influence){.value = NAN};
}

sw_status sw_monitor_look_at(sw_monitors *monitors, sw_monitor *monitor, int64_t minute,
                             sw_error *error) {
    sw_engine *engine = &monitor->engine;
    uint32_t *cells = sw_mem_zalloc(engine->cell_count + 1, sizeof *cells);
    sw_watch_pair *pair = sw_mem_zalloc(1, sizeof *pair);
    sw_status status = cells && pair ? SW_OK : no_memory(error);
    size_t column = 0;
    for (size_t i = 0; i < monitor->part_count && !sw_failed(status); i++)
        if (monitor->parts[i].anchored)
            status = part_cells(cells, &column, monitors, monitor, &monitor->parts[i], minute, pair,
                                error);
    if (!sw_failed(status) && !sw_engine_look(engine, minute, cells))
        status = no_memory(error);
    forget_influence(monitor);
    sw_mem_free(cells);
    sw_mem_free(pair);
    return status;
}
