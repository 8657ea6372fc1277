/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quality as it is asked for, and decay: the losses of labelled rows against the version's own
 * baseline.
 *
 * The baseline is what the first SW_BASELINE_ROWS labelled rows say; it is stored once they are
 * there, and never moves. The test takes one look for each five minutes in which labels
 * came, of the rows that were labelled then; all of it is computed from the log, so that what is
 * shown can be computed again.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "decay/decay_private.h"
#include "stats/odds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOOKS_MAX = 90 * 288, /* 90 days of them */
    RESULTS_MAX = 64,
    SCALE_FACTOR = 5, /* a regression's loss is its error over so many times the baseline's */
};
#define LOOKS_PER_MONTH 8766.0
#define DECAY_TOLERANCE 0.02

const char *sw_decay_state_words(sw_decay_state state) {
    static const char *const words[] = {[SW_DECAY_UNDEFINED] = "undefined",
                                        [SW_DECAY_TOO_FEW] = "too few labels",
                                        [SW_DECAY_SAME] = "same",
                                        [SW_DECAY_DECAYED] = "decayed"};
    return words[state];
}

/* ---- Losses ---- */

/* Stored as it is: a change of it is a change of `setup`. */
typedef struct stored_baseline {
    sw_loss_sums losses; /* of error: in its own units for REGRESSION, before scaling */
    double scale;
    uint64_t segment, row; /* its last row in the log: rows behind that one are tested, */
    int64_t newest_ms;     /* and those predicted later than any of its own */
    uint64_t rows;
} stored_baseline;

typedef struct gathering {
    const quality_setup *setup;
    decay_model *model;
    stored_baseline *baseline; /* rows 0: being gathered */
    bool has_baseline;
    double errors[SW_BASELINE_ROWS];
    uint32_t error_count;
    int64_t first_look; /* since 1970 */
    sw_loss_sums *looks;
    size_t look_count;
} gathering;

static double error_of(const quality_setup *setup, const quality_row *row) {
    if (setup->task == SW_TASK_REGRESSION)
        return fabs(row->score - row->label);
    if (setup->task == SW_TASK_BINARY && setup->width)
        return (row->score >= setup->threshold) != (row->label != 0);
    return (double)row->decided != row->label;
}

static void add_look(gathering *g, double error, const sw_plog_label *label) {
    int64_t at = (int64_t)label->at_s * 1000 / DECAY_LOOK_MS - g->first_look;
    if (at < 0)
        at = 0;
    if ((size_t)at >= g->look_count)
        at = (int64_t)g->look_count - 1;
    sw_loss_add(&g->looks[at], error / g->baseline->scale);
}

static bool wants(const sw_plog_column *column, void *context) {
    const gathering *g = context;
    return sw_quality_wants(g->setup, column);
}

static void take_row(gathering *g, const plog_view *view, size_t i, double loss) {
    stored_baseline *b = g->baseline;
    int64_t at_ms = view->rows.at_ms[i];
    g->errors[g->error_count++] = loss;
    b->newest_ms = g->error_count == 1 || at_ms > b->newest_ms ? at_ms : b->newest_ms;
    b->segment = view->segment;
    b->row = view->first_row + i;
}

/* Rows lie in the log by the loop that served them within each second, so their times alone do not
 * say which came first; numbers of segments begin anew once a log has expired to its last row. */
static bool is_after(const stored_baseline *b, const plog_view *view, size_t i) {
    return view->segment > b->segment ||
           (view->segment == b->segment && view->first_row + i > b->row) ||
           view->rows.at_ms[i] > b->newest_ms;
}

static sw_status visit(const plog_view *view, void *context, sw_error *error) {
    gathering *g = context;
    quality_columns columns;
    quality_row row;
    (void)error;
    if (!sw_quality_columns_of(&columns, g->setup, &view->rows))
        return SW_OK;
    for (size_t i = 0; i < view->rows.count; i++) {
        if (!sw_quality_row_of(&row, &columns, g->setup, g->model, i, &view->labels[i]))
            continue;
        double loss = error_of(g->setup, &row);
        if (!g->has_baseline && g->error_count < SW_BASELINE_ROWS)
            take_row(g, view, i, loss);
        else if (g->has_baseline && is_after(g->baseline, view, i))
            add_look(g, loss, &view->labels[i]);
    }
    return SW_OK;
}

static sw_status scan_all(gathering *g, plog_store *store, sw_error *error) {
    plog_scan scan = {.from_ms = INT64_MIN,
                      .to_ms = INT64_MAX,
                      .with_labels = true,
                      .without_ids = true,
                      .want = wants,
                      .visit = visit,
                      .context = g};
    return sw_plog_scan_store(store, &scan, error);
}

static void end_baseline(stored_baseline *b, const gathering *g) {
    sw_sum sum = {0};
    for (uint32_t i = 0; i < g->error_count; i++)
        sw_sum_add(&sum, g->errors[i]);
    double mean = sw_sum_value(sum) / g->error_count;
    b->scale = g->setup->task == SW_TASK_REGRESSION ? SCALE_FACTOR * mean : 1;
    b->rows = g->error_count;
    for (uint32_t i = 0; i < g->error_count && b->scale > 0; i++)
        sw_loss_add(&b->losses, g->errors[i] / b->scale);
}

/* The stored one; else, once there are labels enough, a new one that is stored. */
static sw_status take_baseline(stored_baseline *b, sw_decay *decay, gathering *g, plog_store *store,
                               sw_arena *arena, sw_error *error) {
    sw_str setup = sw_str_of(g->setup->text), model = sw_str_of(store->model), bytes;
    SW_TRY(sw_baseline_read(&bytes, decay->db, model, store->version, setup, arena, error));
    if (bytes.len == sizeof *b) {
        memcpy(b, bytes.at, sizeof *b);
        g->has_baseline = true;
        return SW_OK;
    }
    SW_TRY(scan_all(g, store, error));
    if (g->error_count < SW_BASELINE_ROWS)
        return SW_OK;
    end_baseline(b, g);
    g->has_baseline = true;
    return sw_baseline_write(decay->db, model, store->version, setup,
                             (sw_str){(const char *)b, sizeof *b}, sw_clock_wall_ms(), error);
}

/* ---- The test ---- */

static const char *loss_name(const quality_setup *setup) {
    return setup->task == SW_TASK_REGRESSION ? "absolute error" : "error rate";
}

/* Losses are tested within 0 and 1 and told in units of their own. */
static void explain(sw_decay_evidence *e, uint32_t gathered) {
    double unit = e->scale > 0 ? e->scale : 1;
    switch (e->state) {
    case SW_DECAY_DECAYED:
        snprintf(e->why, sizeof e->why,
                 "the %s went from %.4g to %.4g: by chance %.24s looks, an alarm takes %.24s",
                 e->loss, e->baseline * unit, e->now * unit, sw_odds_of(e->evidence_log10).at,
                 sw_odds_of(e->threshold_log10).at);
        break;
    case SW_DECAY_SAME:
        snprintf(e->why, sizeof e->why, "the %s is %.4g, and was %.4g at first", e->loss,
                 e->now * unit, e->baseline * unit);
        break;
    case SW_DECAY_TOO_FEW:
        if (e->baseline_rows)
            snprintf(e->why, sizeof e->why, "no labels came after those of the baseline");
        else
            snprintf(e->why, sizeof e->why, "%s of the %s labels that a baseline takes",
                     sw_num_grouped(gathered).at, sw_num_grouped(SW_BASELINE_ROWS).at);
        break;
    case SW_DECAY_UNDEFINED:
        snprintf(e->why, sizeof e->why, "%s",
                 e->baseline_rows
                     ? "the baseline has no error at all: what is worse cannot be measured by it"
                     : "what the labels say and what the model says cannot be compared: choose "
                       "\"task\" and \"output\" in the monitor's settings");
        break;
    }
}

/* The trail goes into `kept`, all else into `arena`. */
static sw_status test_all(sw_decay_evidence *out, sw_decay *decay, gathering *g, plog_store *store,
                          const sw_monitor_settings *settings, sw_arena *kept, sw_arena *arena,
                          sw_error *error) {
    SW_TRY(take_baseline(g->baseline, decay, g, store, arena, error));
    if (!g->has_baseline)
        return SW_OK;
    out->baseline_rows = g->baseline->rows;
    out->scale = g->baseline->scale;
    if (!(g->baseline->scale > 0)) {
        out->state = SW_DECAY_UNDEFINED;
        return SW_OK;
    }
    g->first_look = g->baseline->newest_ms / DECAY_LOOK_MS;
    int64_t last = sw_clock_wall_ms() / DECAY_LOOK_MS;
    int64_t count = last - g->first_look + 1;
    if (count > LOOKS_MAX) {
        g->first_look = last - LOOKS_MAX + 1;
        count = LOOKS_MAX;
    }
    g->look_count = count > 0 ? (size_t)count : 1;
    g->looks = sw_arena_zalloc(arena, g->look_count, sizeof *g->looks);
    if (!g->looks)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the looks at the labels");
    SW_TRY(scan_all(g, store, error));
    out->trail.plan =
        (sw_decay_plan){LOOKS_PER_MONTH, settings->false_alarms_per_month, DECAY_TOLERANCE, 0};
    out->trail.baseline = g->baseline->losses;
    return sw_decay_run(out, g->looks, g->look_count, g->first_look, sw_clock_wall_ms(), kept,
                        error);
}

static sw_status find_decay(sw_decay_evidence *e, sw_decay *decay, decay_model *model,
                            plog_store *store, const quality_setup *setup,
                            const sw_monitor_settings *settings, sw_arena *kept, sw_arena *arena,
                            sw_error *error) {
    *e = (sw_decay_evidence){.state = SW_DECAY_TOO_FEW,
                             .loss = loss_name(setup),
                             .baseline = NAN,
                             .now = NAN,
                             .evidence_log10 = NAN,
                             .threshold_log10 = NAN,
                             .false_alarms_per_month = settings->false_alarms_per_month};
    gathering *g = sw_arena_zalloc(arena, 1, sizeof *g);
    stored_baseline *b = sw_arena_zalloc(arena, 1, sizeof *b);
    if (!g || !b)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the looks at the labels");
    *g = (gathering){.setup = setup, .model = model, .baseline = b};
    if (setup->task == SW_TASK_RANKING)
        e->state = SW_DECAY_UNDEFINED;
    else if (setup->task != SW_TASK_AUTO)
        SW_TRY(test_all(e, decay, g, store, settings, kept, arena, error));
    if (setup->task == SW_TASK_RANKING)
        snprintf(e->why, sizeof e->why, "a ranking's decay is not tested");
    else
        explain(e, g->error_count);
    return SW_OK;
}

/* ---- What was found is kept for a while ---- */

/* Looking through a whole log may take seconds. The first who asks waits for it; later the keeper
 * does it anew when something has changed, for a twentieth of its time at most. */
typedef struct quality_result {
    plog_store *store;
    uint64_t key, stamp, found_ns, took_ns;
    sw_arena arena;
    sw_arena settings_arena;
    sw_monitor_settings settings; /* of what is asked: no columns, no segments */
    quality_setup setup;
    sw_decay_evidence evidence;
} quality_result;

struct quality_results {
    quality_result at[RESULTS_MAX];
    uint32_t next;
};

void sw_quality_results_free(quality_results *results) {
    for (uint32_t i = 0; results && i < RESULTS_MAX; i++) {
        sw_arena_free(&results->at[i].arena);
        sw_arena_free(&results->at[i].settings_arena);
    }
    sw_mem_free(results);
}

static uint64_t key_of(const sw_monitor_settings *settings) {
    double numbers[3] = {settings->threshold, settings->false_alarms_per_month,
                         (double)settings->task};
    return sw_plog_hash(settings->output,
                        sw_plog_hash(settings->positive,
                                     sw_plog_hash((sw_str){(char *)numbers, sizeof numbers}, 7)));
}

static quality_result *place_of(quality_results *results, plog_store *store, uint64_t key,
                                const sw_monitor_settings *settings) {
    for (uint32_t i = 0; i < RESULTS_MAX; i++)
        if (results->at[i].store == store && results->at[i].key == key)
            return &results->at[i];
    quality_result *r = &results->at[results->next++ % RESULTS_MAX];
    sw_arena_free(&r->arena);
    sw_arena_free(&r->settings_arena);
    *r = (quality_result){.store = store, .key = key, .settings = *settings};
    r->settings.columns = NULL;
    r->settings.column_count = r->settings.segment_count = 0;
    r->settings.output = sw_arena_copy(&r->settings_arena, settings->output);
    r->settings.positive = sw_arena_copy(&r->settings_arena, settings->positive);
    return r;
}

/* `found` has its store and settings; the rest is filled. */
static sw_status find(quality_result *found, sw_decay *decay, decay_model *model, sw_error *error) {
    sw_arena scratch = {0};
    plog_store *store = found->store;
    uint64_t start_ns = sw_clock_ns();
    found->stamp = sw_plog_store_stamp(store, INT64_MIN, INT64_MAX);
    sw_status status =
        sw_quality_setup_find(&found->setup, decay, store, &found->settings, &found->arena, error);
    if (!sw_failed(status))
        status = find_decay(&found->evidence, decay, model, store, &found->setup, &found->settings,
                            &found->arena, &scratch, error);
    found->found_ns = sw_clock_ns();
    found->took_ns = found->found_ns - start_ns;
    sw_arena_free(&scratch);
    return status;
}

static bool is_stale(const quality_result *r) {
    uint64_t pause_ns = 20 * r->took_ns > SW_NS_PER_S ? 20 * r->took_ns : SW_NS_PER_S;
    return r->stamp && sw_clock_ns() - r->found_ns >= pause_ns &&
           r->stamp != sw_plog_store_stamp(r->store, INT64_MIN, INT64_MAX);
}

/* Looks without the lock, and puts what it found in the place of what it was asked for, if that is
 * still there. */
static void refresh(sw_decay *decay, uint32_t at) {
    quality_result old = {0};
    decay_model *model;
    pthread_mutex_lock(&decay->quality_lock);
    quality_result *r = decay->results ? &decay->results->at[at] : NULL;
    bool stale = r && r->store && is_stale(r);
    if (stale) {
        old = *r;
        old.arena = old.settings_arena = (sw_arena){0};
        old.settings.output = sw_arena_copy(&old.settings_arena, r->settings.output);
        old.settings.positive = sw_arena_copy(&old.settings_arena, r->settings.positive);
    }
    pthread_mutex_unlock(&decay->quality_lock);
    if (stale && !sw_failed(sw_decay_model_of(&model, decay, sw_str_of(old.store->model), NULL)) &&
        !sw_failed(find(&old, decay, model, NULL))) {
        pthread_mutex_lock(&decay->quality_lock);
        r = &decay->results->at[at];
        if (r->store == old.store && r->key == old.key) {
            quality_result swapped = *r;
            *r = old;
            old = swapped;
        }
        pthread_mutex_unlock(&decay->quality_lock);
    }
    sw_arena_free(&old.arena);
    sw_arena_free(&old.settings_arena);
}

void sw_quality_keep(sw_decay *decay) {
    for (uint32_t i = 0; i < RESULTS_MAX && !decay->stopping; i++)
        refresh(decay, i);
}

/* ---- What is asked for ---- */

static sw_status read_all(sw_quality_report *out, sw_decay *decay, decay_model *model,
                          plog_store *store, const sw_quality_query *query,
                          const sw_monitor_settings *settings, sw_arena *arena, sw_error *error) {
    if (!decay->results)
        decay->results = sw_mem_zalloc(1, sizeof *decay->results);
    if (!decay->results)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality");
    quality_result *r = place_of(decay->results, store, key_of(settings), settings);
    if (!r->stamp) {
        sw_arena_reset(&r->arena);
        sw_status status = find(r, decay, model, error);
        if (sw_failed(status)) {
            r->stamp = 0;
            return status;
        }
    }
    out->task = r->setup.task;
    out->decay = r->evidence;
    const sw_decay_trail *found = &r->evidence.trail;
    out->decay.trail.looks = sw_arena_alloc(arena, (found->count + 1) * sizeof *found->looks);
    if (!out->decay.trail.looks)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the quality");
    if (found->count)
        memcpy(out->decay.trail.looks, found->looks, found->count * sizeof *found->looks);
    return sw_quality_windows(out, decay, model, store, &r->setup, query, arena, error);
}

sw_status sw_quality_read(sw_quality_report *out, sw_decay *decay, const sw_quality_query *query,
                          sw_arena *arena, sw_error *error) {
    sw_monitor_settings defaults;
    decay_model *model;
    plog_store *store = sw_plog_store_of(decay->log, query->model, query->version);
    *out = (sw_quality_report){.window = {.from_ms = query->from_ms,
                                          .to_ms = query->to_ms,
                                          .coverage = NAN,
                                          .lag_p50_s = NAN,
                                          .lag_p90_s = NAN},
                               .decay = {.state = SW_DECAY_TOO_FEW,
                                         .loss = "error rate",
                                         .baseline = NAN,
                                         .now = NAN,
                                         .evidence_log10 = NAN,
                                         .threshold_log10 = NAN,
                                         .why = "nothing was logged yet"}};
    if (!store)
        return SW_OK;
    sw_monitor_settings_default(&defaults);
    SW_TRY(sw_decay_model_of(&model, decay, query->model, error));
    pthread_mutex_lock(&decay->quality_lock);
    sw_status status = read_all(out, decay, model, store, query,
                                query->settings ? query->settings : &defaults, arena, error);
    pthread_mutex_unlock(&decay->quality_lock);
    return status;
}
