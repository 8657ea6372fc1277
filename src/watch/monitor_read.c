/* SPDX-License-Identifier: Apache-2.0 */
#include "watch/monitors_private.h"

#include "base/mem.h"
#include "base/num.h"

#include <math.h>
#include <stdlib.h>

enum { RECENT_LOOKS = 15, RECENT_ROWS = 500 }; /* what PSI is of, where nothing drifted */

static const double log10_of_e = 0.43429448190325182765;

sw_str sw_monitor_statement(double false_alarms_per_month, sw_arena *arena) {
    double x = false_alarms_per_month;
    return sw_arena_printf(arena, "at most %.6g false alarm%s a month", x, x == 1 ? "" : "s");
}

/* ---- Words ---- */

static sw_str undefined_reason(const sw_monitor *monitor, const sw_engine_column *column,
                               sw_finding_kind kind) {
    const sw_column_cells *c = &column->cells;
    uint64_t values = 0;
    for (uint32_t k = 1; k < c->cells; k++)
        values += c->reference[k];
    if (c->bin_count == 0)
        return column->output ? SW_STR("there is no reference for this output")
               : monitor->has_profile || column->segment.len
                   ? SW_STR("there is no reference for this column")
                   : SW_STR("no reference profile was pushed with this version");
    if (values + c->reference[0] == 0)
        return SW_STR("the reference has no rows");
    if (values == 0)
        return SW_STR("all values are missing in the reference");
    if (kind == SW_FINDING_DISTRIBUTION)
        return c->numeric ? SW_STR("constant in the reference")
                          : SW_STR("the reference has one value alone, or hardly any twice");
    return SW_STR("the reference says nothing to compare with");
}

static double share(const uint64_t *counts) {
    return (double)counts[0] / (double)(counts[0] + counts[1]);
}

static sw_str drifted_reason(const sw_finding *f, sw_arena *arena) {
    if (f->kind == SW_FINDING_DISTRIBUTION)
        return sw_arena_printf(arena, "PSI %.2f in %s rows", f->psi, sw_num_grouped(f->rows).at);
    const char *what = f->kind == SW_FINDING_MISSING ? "missing"
                       : f->kind == SW_FINDING_RANGE ? "out of range"
                       : f->kind == SW_FINDING_TYPE  ? "of the wrong type"
                                                     : "unseen";
    return sw_arena_printf(arena, "%.3g %% %s in %s rows (reference %.3g %%)",
                           f->rows ? 100 * share(f->live) : 0.0, what, sw_num_grouped(f->rows).at,
                           100 * share(f->reference));
}

/* ---- One finding ---- */

/* Counts of the recent rows; returns how many these are. */
static uint64_t count_recent(uint64_t *out, const sw_engine *engine, const sw_signal *signal) {
    const sw_start *recent = sw_engine_recent(engine, signal, RECENT_LOOKS, RECENT_ROWS);
    uint32_t first = engine->columns[signal->column].cells.first;
    return recent ? sw_engine_since(out, engine, signal, recent->sums + first) : 0;
}

static void fill_counts(sw_finding *f, const sw_engine *engine, const sw_signal *signal) {
    uint64_t recent[SW_SEQ_CELLS_MAX] = {0}, rows = count_recent(recent, engine, signal);
    f->cells = signal->test->cells;
    memcpy(f->reference, signal->test->reference, sizeof f->reference);
    if (signal->alarm) {
        f->rows = sw_engine_since(f->live, engine, signal, signal->alarm->before);
    } else {
        f->rows = rows;
        memcpy(f->live, recent, sizeof f->live);
    }
    f->psi = sw_seq_psi(f->reference, f->live, f->cells);
    if (f->kind != SW_FINDING_DISTRIBUTION) {
        f->recent_rows = rows;
        f->recent_found = recent[0];
    }
}

static void fill_drifted(sw_finding *f, const sw_signal *signal, bool with_evidence,
                         sw_arena *arena) {
    const sw_alarm *alarm = signal->alarm;
    f->state = SW_FINDING_DRIFTED;
    f->evidence_log10 = alarm->log_evidence * log10_of_e;
    f->threshold_log10 = alarm->log_threshold * log10_of_e;
    f->since_ms = alarm->since_ms;
    f->alarm_ms = alarm->at_ms;
    f->reason = drifted_reason(f, arena);
    if (with_evidence)
        f->evidence = sw_arena_copy(arena, alarm->evidence);
}

static void fill_other(sw_finding *f, const sw_engine *engine, const sw_signal *signal,
                       sw_arena *arena) {
    uint64_t live[SW_SEQ_CELLS_MAX] = {0};
    uint32_t first = engine->columns[signal->column].cells.first;
    const sw_start *all = sw_engine_recent(engine, signal, UINT64_MAX, UINT64_MAX);
    uint64_t rows = all ? sw_engine_since(live, engine, signal, all->sums + first) : 0;
    f->evidence_log10 = signal->log_detector * log10_of_e;
    f->threshold_log10 = (engine->log_limit + log((double)engine->running)) * log10_of_e;
    f->state = rows < SW_MONITOR_ROWS_MIN ? SW_FINDING_TOO_FEW : SW_FINDING_SAME;
    if (f->state == SW_FINDING_TOO_FEW)
        f->reason =
            sw_arena_printf(arena, "%s of %d rows", sw_num_grouped(rows).at, SW_MONITOR_ROWS_MIN);
}

static void fill(sw_finding *f, const sw_monitor *monitor, const sw_signal *signal,
                 bool with_evidence, sw_arena *arena) {
    const sw_engine *engine = &monitor->engine;
    const sw_engine_column *column = &engine->columns[signal->column];
    const sw_influence *influence = &monitor->influence[signal->column];
    *f = (sw_finding){.column = sw_arena_copy(arena, column->name),
                      .output = column->output,
                      .segment = sw_arena_copy(arena, column->segment),
                      .kind = signal->kind,
                      .evidence_log10 = NAN,
                      .threshold_log10 = NAN,
                      .psi = NAN,
                      .influence = influence->value,
                      .influence_why = sw_arena_copy(arena, influence->why)};
    if (signal->kind == SW_FINDING_TYPE) {
        f->influence = NAN;
        f->influence_why =
            sw_str_of(signal->alarm ? "no prediction is made of a row that is refused" : "");
    }
    if (!signal->test) {
        f->reason = undefined_reason(monitor, column, signal->kind);
        return;
    }
    fill_counts(f, engine, signal);
    if (signal->alarm)
        fill_drifted(f, signal, with_evidence, arena);
    else
        fill_other(f, engine, signal, arena);
}

/* ---- All of them ---- */

static double order_of(double x) {
    return isnan(x) ? -1 : x;
}

/* Drifted first; of those, whose return to the reference would change predictions most (which is
 * movement and dependence in one), then by PSI. */
static int worse(const void *left, const void *right) {
    const sw_finding *a = left, *b = right;
    if (a->state != b->state)
        return a->state > b->state ? -1 : 1;
    double x = order_of(a->influence), y = order_of(b->influence);
    if (a->state == SW_FINDING_DRIFTED && x != y)
        return x > y ? -1 : 1;
    x = order_of(a->psi);
    y = order_of(b->psi);
    if (x != y)
        return x > y ? -1 : 1;
    int names = memcmp(a->column.at, b->column.at,
                       a->column.len < b->column.len ? a->column.len : b->column.len);
    if (names)
        return names;
    if (a->column.len != b->column.len)
        return a->column.len < b->column.len ? -1 : 1;
    return (int)a->kind - (int)b->kind;
}

/* False where memory is out. */
static bool copy_multivariate(sw_multivariate *out, const sw_multivariate *from, sw_arena *arena) {
    *out = *from;
    out->why = sw_arena_copy(arena, from->why);
    out->reference = sw_arena_copy(arena, from->reference);
    bool good = out->why.at && out->reference.at;
    for (size_t i = 0; i < from->top_count; i++) {
        out->top[i].column = sw_arena_copy(arena, from->top[i].column);
        good &= out->top[i].column.at != NULL;
    }
    return good;
}

static bool is_wanted(const sw_monitor *monitor, const sw_signal *signal, sw_str segment) {
    const sw_engine_column *column = &monitor->engine.columns[signal->column];
    if (signal->kind == SW_FINDING_TYPE && column->cells.width == column->cells.cells)
        return false; /* outputs and segments have none */
    return sw_str_is(segment, "*") || sw_str_eq(column->segment, segment);
}

static sw_status read_all(sw_drift *out, const sw_monitor *monitor, sw_str segment,
                          bool with_evidence, sw_arena *arena, sw_error *error) {
    const sw_engine *engine = &monitor->engine;
    sw_finding_state worst = SW_FINDING_UNDEFINED;
    *out = (sw_drift){
        .model = sw_arena_copy(arena, monitor->model),
        .version = monitor->version,
        .state = "unwatched",
        .false_alarms_per_month = monitor->settings.false_alarms_per_month,
        .tolerance = monitor->settings.tolerance,
        .since_ms = engine->looks ? engine->first_minute * 60000 : 0,
        .last_ms = engine->looks ? (engine->last_minute + 1) * 60000 : 0,
        .looks = engine->looks,
    };
    out->findings = sw_arena_alloc(arena, (engine->signal_count + 1) * sizeof *out->findings);
    if (!out->model.at || !out->findings ||
        !copy_multivariate(&out->multivariate, &monitor->multivariate, arena))
        return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the findings");
    for (size_t i = 0; i < engine->signal_count && monitor->influence; i++) {
        const sw_signal *signal = &engine->signals[i];
        if (!is_wanted(monitor, signal, segment))
            continue;
        sw_finding *f = &out->findings[out->count++];
        fill(f, monitor, signal, with_evidence, arena);
        out->drifted += f->state == SW_FINDING_DRIFTED;
        worst = f->state > worst ? f->state : worst;
        if (!f->column.at || !f->segment.at)
            return sw_fail(error, SW_CODE_NO_MEMORY, "not enough memory for the findings");
    }
    if (engine->running)
        out->state = sw_finding_state_text(worst);
    if (out->count)
        qsort(out->findings, out->count, sizeof *out->findings, worse);
    return SW_OK;
}

/* With `listing`: the newest of that version; NULL: none. */
static sw_monitor *find(const sw_monitors *monitors, sw_str model, uint32_t version) {
    sw_monitor *at = monitors->list;
    while (at && (at->version != version || !sw_str_eq(at->model, model) || !at->handles))
        at = at->next;
    return at;
}

sw_status sw_monitor_read(sw_drift *out, sw_monitors *monitors, sw_str model, uint32_t version,
                          sw_str segment, bool with_evidence, sw_arena *arena, sw_error *error) {
    pthread_mutex_lock(&monitors->listing);
    sw_monitor *monitor = find(monitors, model, version);
    if (!monitor) {
        pthread_mutex_unlock(&monitors->listing);
        return sw_fail(error, SW_CODE_NOT_FOUND,
                       "%.*s@%u is not served now, so nothing monitors it; its windows are still "
                       "at …/watch",
                       SW_STR_ARG(model), version);
    }
    monitor->pins++;
    pthread_mutex_unlock(&monitors->listing);
    pthread_mutex_lock(&monitor->lock);
    sw_status status = read_all(out, monitor, segment, with_evidence, arena, error);
    pthread_mutex_unlock(&monitor->lock);
    pthread_mutex_lock(&monitors->listing);
    monitor->pins--;
    pthread_mutex_unlock(&monitors->listing);
    return status;
}

void sw_monitor_set_influence(sw_monitors *monitors, sw_str model, uint32_t version, sw_str column,
                              double value, sw_str why) {
    pthread_mutex_lock(&monitors->listing);
    sw_monitor *monitor = find(monitors, model, version);
    if (monitor) {
        pthread_mutex_lock(&monitor->lock);
        for (size_t i = 0; monitor->influence && i < monitor->engine.column_count; i++) {
            sw_influence *to = &monitor->influence[i];
            if (!sw_str_eq(monitor->engine.columns[i].name, column))
                continue;
            to->value = value;
            if (!sw_str_eq(to->why, why))
                to->why = sw_arena_copy(&monitor->arena, why);
        }
        pthread_mutex_unlock(&monitor->lock);
    }
    pthread_mutex_unlock(&monitors->listing);
}

void sw_monitor_set_multivariate(sw_monitors *monitors, sw_str model, uint32_t version,
                                 const sw_multivariate *multivariate) {
    pthread_mutex_lock(&monitors->listing);
    sw_monitor *monitor = find(monitors, model, version);
    if (monitor) {
        pthread_mutex_lock(&monitor->lock);
        sw_arena_reset(&monitor->multivariate_arena);
        if (!copy_multivariate(&monitor->multivariate, multivariate, &monitor->multivariate_arena))
            monitor->multivariate = (sw_multivariate){.auc = NAN};
        pthread_mutex_unlock(&monitor->lock);
    }
    pthread_mutex_unlock(&monitors->listing);
}
