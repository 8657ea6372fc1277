/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/collect.h"

#include "alert/collect_private.h"
#include "base/mem.h"
#include "io/file.h"

#include <math.h>

enum { REQUESTS_MIN = 10, QUALITY_EVERY = 10 };

struct sw_collector {
    sw_collect_sources sources;
    sw_traffic *traffic;
    uint64_t steps;
};

sw_status sw_collector_make(sw_collector **out, const sw_collect_sources *sources,
                            sw_error *error) {
    sw_collector *collector = sw_mem_zalloc(1, sizeof *collector);
    if (!collector)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts");
    collector->sources = *sources;
    sw_status status = sw_traffic_make(&collector->traffic, error);
    if (sw_failed(status))
        sw_mem_free(collector);
    else
        *out = collector;
    return status;
}

void sw_collector_free(sw_collector *collector) {
    if (!collector)
        return;
    sw_traffic_free(collector->traffic);
    sw_mem_free(collector);
}

sw_signal *sw_signals_add(sw_signals *all, sw_signal_kind kind, const char *measure) {
    static sw_signal lost;
    if (all->count == all->cap) {
        size_t cap = all->cap ? all->cap * 2 : 64;
        sw_signal *grown = sw_arena_alloc(all->arena, cap * sizeof *grown);
        all->failed = all->failed || !grown;
        if (!grown)
            return &lost;
        if (all->count)
            memcpy(grown, all->at, all->count * sizeof *grown);
        all->at = grown;
        all->cap = cap;
    }
    sw_signal *signal = &all->at[all->count++];
    *signal = (sw_signal){.measure = sw_measure_find(kind, sw_str_of(measure)),
                          .value = NAN,
                          .strength = NAN,
                          .strength_limit = NAN};
    return signal;
}

bool sw_rules_want(const sw_rules *rules, sw_signal_kind kind) {
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].measure->kind == kind)
            return true;
    return false;
}

/* ---- Requests ---- */

static void write_window(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_window(w, signal->measure, signal->data);
}

static double value_of(const sw_measure *m, const sw_evidence_window *window, bool whole) {
    bool few = window->requests < REQUESTS_MIN;
    if (m->kind == SW_SIGNAL_TRAFFIC ? !whole : few)
        return NAN;
    return sw_evidence_value(m, window);
}

/* The signals over one window that some rule asks for. */
static void add_window(sw_signals *all, const sw_rules *rules, const sw_live_name *name,
                       const sw_evidence_window *window, bool whole, uint32_t window_s) {
    for (size_t i = 0; i < sw_measure_count; i++) {
        const sw_measure *m = &sw_measures[i];
        bool wanted = false;
        for (size_t r = 0; r < rules->count && !wanted; r++)
            wanted = rules->rules[r].measure == m && rules->rules[r].window_s == window_s;
        if (!m->windowed || !wanted)
            continue;
        sw_signal *signal = sw_signals_add(all, m->kind, m->name);
        signal->model = name->model;
        signal->version = name->version;
        signal->window_s = window_s;
        signal->value = value_of(m, window, whole);
        signal->data = window;
        signal->write_evidence = write_window;
    }
}

static bool first_with_window(const sw_rules *rules, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (rules->rules[i].window_s == rules->rules[at].window_s)
            return false;
    return rules->rules[at].window_s > 0;
}

static void add_requests(sw_signals *all, const sw_collector *collector, const sw_rules *rules,
                         const sw_live_name *name, int64_t steady_ms) {
    for (size_t i = 0; i < rules->count; i++) {
        if (!first_with_window(rules, i))
            continue;
        bool whole;
        sw_evidence_window *window = sw_arena_alloc(all->arena, sizeof *window);
        if (!window) {
            all->failed = true;
            return;
        }
        if (sw_traffic_window(window, &whole, collector->traffic, name->model, name->version,
                              rules->rules[i].window_s, steady_ms))
            add_window(all, rules, name, window, whole, rules->rules[i].window_s);
    }
}

/* ---- The machine ---- */

static void write_share(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_share(w, signal->data);
}

static void write_reading(sw_json *w, const sw_signal *signal) {
    sw_evidence_write_reading(w, signal->value);
}

static void add_disk(sw_signals *all, const char *data_dir) {
    sw_error ignored;
    sw_evidence_share *share = sw_arena_zalloc(all->arena, 1, sizeof *share);
    if (!share || sw_failed(sw_file_disk(&share->part, &share->whole, data_dir, &ignored)))
        return;
    sw_signal *signal = sw_signals_add(all, SW_SIGNAL_DISK, "free");
    signal->value = sw_evidence_share_value(share);
    signal->data = share;
    signal->write_evidence = write_share;
    signal = sw_signals_add(all, SW_SIGNAL_DISK, "free_bytes");
    signal->value = (double)share->part;
    signal->data = share;
    signal->write_evidence = write_share;
}

static void add_machine(sw_signals *all, const sw_collector *collector, const sw_rules *rules) {
    const sw_collect_sources *s = &collector->sources;
    if (s->data_dir && sw_rules_want(rules, SW_SIGNAL_DISK))
        add_disk(all, s->data_dir);
    if (s->lag_ms && sw_rules_want(rules, SW_SIGNAL_LAG)) {
        sw_signal *signal = sw_signals_add(all, SW_SIGNAL_LAG, "lag");
        signal->value = s->lag_ms(s->lag_context);
        signal->write_evidence = write_reading;
    }
    if (s->log && sw_rules_want(rules, SW_SIGNAL_LOG))
        sw_collect_log(all, s->log);
}

/* ---- The whole ---- */

typedef struct names {
    sw_live_name *at;
    size_t count, cap;
    sw_arena *arena;
    bool failed;
} names;

static void count_served(const sw_served *served, void *context) {
    (void)served;
    ((names *)context)->cap++;
}

static void name_served(const sw_served *served, void *context) {
    names *n = context;
    if (n->count == n->cap)
        return;
    sw_str model = sw_arena_copy(n->arena, served->model_name);
    sw_str version = sw_arena_copy(n->arena, served->version_text);
    n->failed = n->failed || !model.at || !version.at;
    if (model.at && version.at)
        n->at[n->count++] = (sw_live_name){model, version, served->version};
}

/* What is published between the two looks is found by the next step. */
static void list_live(names *n, sw_live *live) {
    if (!live)
        return;
    sw_live_each(live, count_served, n);
    n->at = sw_arena_zalloc(n->arena, n->cap + 1, sizeof *n->at);
    if (n->at)
        sw_live_each(live, name_served, n);
    else
        n->failed = true;
}

sw_status sw_collect(sw_signal **out, size_t *count, sw_collector *collector, const sw_rules *rules,
                     int64_t steady_ms, sw_arena *arena, sw_error *error) {
    sw_signals all = {.arena = arena};
    names live = {.arena = arena};
    const sw_collect_sources *s = &collector->sources;
    bool quality = collector->steps++ % QUALITY_EVERY == 0;
    if (s->stats)
        SW_TRY(sw_traffic_read(collector->traffic, s->stats, steady_ms, error));
    list_live(&live, s->live);
    for (size_t i = 0; i < live.count; i++) {
        add_requests(&all, collector, rules, &live.at[i], steady_ms);
        if (s->monitors)
            sw_collect_drift(&all, s->monitors, rules, &live.at[i]);
        if (s->decay && quality)
            sw_collect_quality(&all, s->decay, s->live, rules, &live.at[i]);
    }
    add_machine(&all, collector, rules);
    *out = all.at;
    *count = all.count;
    return all.failed || live.failed ? sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts")
                                     : SW_OK;
}
