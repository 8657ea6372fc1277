/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/observations_private.h"

#include "base/clock.h"
#include "base/mem.h"
#include "decay/prediction_id.h"
#include "watch/past.h"

#include <math.h>

enum {
    ROWS_MAX = 1024,
    VALUES_MAX = 1 << 16, /* of the rows that are gathered */
    SLOTS = 8,            /* minutes that are counted at a time */
    MINUTE_MS = 60 * 1000,
    FUTURE_MS_MAX = 5 * MINUTE_MS, /* what clocks may disagree by */
};

/* The counts of one minute. */
typedef struct slot {
    int64_t minute;
    sw_shard *shard; /* NULL: never used */
    uint64_t used;   /* turn of its last use; 0: empty */
} slot;

struct sw_observations {
    sw_served *served;
    int64_t now_ms;
    sw_arena arena; /* holds this, and room for the rows */
    sw_arena texts; /* of the rows that are gathered */
    sw_records_rows *rows;
    sw_observed_outputs outputs;
    sw_tensor *inputs_of_run, *outputs_of_run;
    sw_id_maker maker; /* of ids for those who gave none */
    int64_t *at_ms;    /* of each row */
    sw_str *ids;
    size_t count, rows_max;
    slot slots[SLOTS];
    uint64_t turn;
    sw_stats_shard stats;
};

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the observations");
}

/* ---- Counting ---- */

/* Its counts go to the watch. */
static sw_status empty_slot(sw_observations *all, slot *s, sw_error *error) {
    if (s->used == 0)
        return SW_OK;
    s->used = 0;
    return sw_watch_merge_at(all->served->watched, s->shard, s->minute * MINUTE_MS, error);
}

static sw_status slot_of(slot **out, sw_observations *all, int64_t minute, sw_error *error) {
    slot *least = &all->slots[0];
    for (size_t i = 0; i < SLOTS; i++) {
        slot *s = &all->slots[i];
        if (s->used && s->minute == minute) {
            *out = s;
            return SW_OK;
        }
        if (s->used < least->used)
            least = s;
    }
    SW_TRY(empty_slot(all, least, error));
    if (!least->shard)
        SW_TRY(sw_shard_make(&least->shard, all->served->observer, error));
    least->minute = minute;
    *out = least;
    return SW_OK;
}

static void cut_run(sw_tensor *to, const sw_tensor *from, size_t width, size_t first, size_t rows) {
    *to = *from;
    if (to->rank)
        to->shape[0] = (int64_t)rows;
    to->count = rows * width;
    to->data = (char *)from->data + first * width * sw_dtype_size(from->dtype);
}

/* Rows that came one behind the other, as tensors of their own. */
static void cut_rows(sw_observations *all, const sw_records *records, size_t first, size_t rows) {
    for (size_t i = 0; i < records->input_count; i++)
        cut_run(&all->inputs_of_run[i], &records->inputs[i],
                records->inputs[i].count / records->rows, first, rows);
    for (uint32_t i = 0; i < all->served->signature.output_count; i++)
        cut_run(&all->outputs_of_run[i], &all->outputs.tensors[i], all->outputs.widths[i], first,
                rows);
}

/* Where the run that begins at `first` ends: its rows are of one span of `unit_ms`. */
static size_t run_end(const sw_observations *all, size_t first, int64_t unit_ms) {
    size_t end = first + 1;
    while (end < all->count && all->at_ms[end] / unit_ms == all->at_ms[first] / unit_ms)
        end++;
    return end;
}

static sw_status count_rows(sw_observations *all, const sw_records *records, sw_error *error) {
    for (size_t first = 0, end; first < all->count; first = end) {
        slot *s;
        end = run_end(all, first, MINUTE_MS);
        SW_TRY(slot_of(&s, all, all->at_ms[first] / MINUTE_MS, error));
        s->used = ++all->turn;
        cut_rows(all, records, first, end - first);
        sw_observe(s->shard, all->inputs_of_run, all->outputs_of_run, end - first);
    }
    return SW_OK;
}

static void log_rows(sw_observations *all, const sw_records *records) {
    for (size_t first = 0, end; all->served->log && first < all->count; first = end) {
        end = run_end(all, first, 1);
        cut_rows(all, records, first, end - first);
        sw_plog_put_shared(all->served->log, all->at_ms[first], all->ids[first], all->ids + first,
                           all->inputs_of_run, all->outputs_of_run, end - first);
    }
}

sw_status sw_observations_flush(sw_observations *all, sw_error *error) {
    const sw_records *records = sw_records_rows_see(all->rows);
    sw_status status = count_rows(all, records, error);
    if (!sw_failed(status))
        log_rows(all, records);
    sw_records_rows_clear(all->rows);
    sw_arena_reset(&all->texts);
    all->count = 0;
    return status;
}

/* ---- One observation ---- */

static sw_status check_time(int64_t *at_ms, sw_observations *all, sw_error *error) {
    all->now_ms = sw_clock_wall_ms();
    if (*at_ms == 0)
        *at_ms = all->now_ms;
    if (*at_ms > all->now_ms + FUTURE_MS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "the observation is of a time that is yet to come (%lld ms since 1970): are "
                       "the clocks right, and is the unit milliseconds?",
                       (long long)*at_ms);
    if (*at_ms > all->now_ms)
        *at_ms = all->now_ms;
    if (*at_ms < all->now_ms - SW_WATCH_PAST_MS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "the observation is %lld days old: counts are kept for %lld",
                       (long long)((all->now_ms - *at_ms) / (24 * 60 * MINUTE_MS)),
                       (long long)(SW_WATCH_PAST_MS_MAX / (24 * 60 * MINUTE_MS)));
    return SW_OK;
}

/* Traffic is of the last seconds: what is told of the past later would only look like a peak. */
static void count_traffic(sw_observations *all, const sw_observation *o) {
    if (o->at_ms < all->now_ms - MINUTE_MS)
        return;
    all->stats.requests++;
    all->stats.rows++;
    if (!isnan(o->latency_ms))
        sw_histogram_add(&all->stats.total, (uint64_t)(o->latency_ms * (double)SW_NS_PER_MS));
}

/* A longer one would not be logged, and no label could name it (decay/labels.c). */
static sw_status check_id(sw_str id, sw_error *error) {
    if (id.len <= SW_PLOG_ID_BYTES_MAX && (id.len == 0 || sw_str_is_utf8(id)))
        return SW_OK;
    return sw_fail(error, SW_CODE_INVALID,
                   "\"id\" must be of at most %d bytes of UTF-8, or no label can name it, but has "
                   "%zu",
                   SW_PLOG_ID_BYTES_MAX, id.len);
}

static sw_status make_id(sw_str *id, sw_observations *all, sw_error *error) {
    char *text = sw_arena_alloc(&all->texts, SW_PREDICTION_ID_BYTES);
    if (!text)
        return no_memory(error);
    sw_id_make(text, &all->maker);
    *id = (sw_str){text, SW_PREDICTION_ID_BYTES};
    return SW_OK;
}

/* What was refused for a feature's type is counted in its minute, and there alone. */
static sw_status count_mismatch(sw_observations *all, const sw_observation *o, sw_status refused,
                                sw_error *error) {
    uint32_t feature = sw_records_rows_mismatched(all->rows);
    slot *s;
    sw_error why;
    if (feature == 0)
        return refused;
    sw_status status = slot_of(&s, all, o->at_ms / MINUTE_MS, &why);
    if (sw_failed(status)) {
        if (error)
            *error = why;
        return status;
    }
    s->used = ++all->turn;
    sw_observe_mismatch(s->shard, feature - 1);
    return refused;
}

static sw_status add(sw_observations *all, sw_str json, const sw_json_place *place,
                     sw_error *error) {
    sw_observation o;
    SW_TRY(sw_observation_read(&o, json, place, &all->texts, error));
    SW_TRY(check_id(o.id, error));
    SW_TRY(check_time(&o.at_ms, all, error));
    SW_TRY(sw_observed_outputs_put(&all->outputs, all->count, o.prediction, place, &all->texts,
                                   error));
    if (o.id.len == 0 && all->served->log)
        SW_TRY(make_id(&o.id, all, error));
    sw_status status = sw_records_rows_add(all->rows, o.features, place, &all->texts, error);
    if (sw_failed(status))
        return count_mismatch(all, &o, status, error);
    all->at_ms[all->count] = o.at_ms;
    all->ids[all->count] = o.id;
    all->count++;
    count_traffic(all, &o);
    return SW_OK;
}

sw_status sw_observations_add(sw_observations *all, sw_str json, uint64_t number,
                              const sw_json_place *place, sw_error *error) {
    if (all->count == all->rows_max)
        SW_TRY(sw_observations_flush(all, error));
    sw_status status = add(all, json, place, error);
    return status.code == SW_CODE_INVALID
               ? sw_fail_within(status, error, "observation %llu", (unsigned long long)number)
               : status;
}

/* ---- Begin and end ---- */

static sw_status make(sw_observations *all, sw_error *error) {
    const sw_signature *s = &all->served->signature;
    if (!all->served->records)
        return sw_fail(error, SW_CODE_INVALID,
                       "%.*s@%u has no named features, so it takes no observations",
                       SW_STR_ARG(all->served->model_name), all->served->version);
    SW_TRY(sw_id_maker_init(&all->maker, error));
    size_t values = s->feature_count + sw_observed_outputs_width(s);
    all->rows_max = VALUES_MAX / (values + 1);
    all->rows_max = all->rows_max < 1 ? 1 : all->rows_max > ROWS_MAX ? ROWS_MAX : all->rows_max;
    all->at_ms = sw_arena_alloc(&all->arena, all->rows_max * sizeof *all->at_ms);
    all->ids = sw_arena_alloc(&all->arena, all->rows_max * sizeof *all->ids);
    all->inputs_of_run =
        sw_arena_zalloc(&all->arena, s->input_count + 1, sizeof *all->inputs_of_run);
    all->outputs_of_run =
        sw_arena_zalloc(&all->arena, s->output_count + 1, sizeof *all->outputs_of_run);
    if (!all->at_ms || !all->ids || !all->inputs_of_run || !all->outputs_of_run)
        return no_memory(error);
    SW_TRY(sw_observed_outputs_make(&all->outputs, s, all->rows_max, &all->arena, error));
    return sw_records_rows_make(&all->rows, all->served->records, all->rows_max, &all->arena,
                                error);
}

static void release(sw_observations *all) {
    for (size_t i = 0; i < SLOTS; i++)
        sw_shard_free(all->slots[i].shard);
    sw_live_let_go(all->served);
    sw_arena_free(&all->arena);
    sw_arena_free(&all->texts);
    sw_mem_free(all);
}

sw_status sw_observations_begin(sw_observations **out, sw_served *served, sw_error *error) {
    sw_observations *all = sw_mem_zalloc(1, sizeof *all);
    *out = NULL;
    if (!all) {
        sw_live_let_go(served);
        return no_memory(error);
    }
    all->served = served;
    sw_status status = make(all, error);
    if (sw_failed(status))
        release(all);
    else
        *out = all;
    return status;
}

sw_status sw_observations_end(sw_observations *all, sw_error *error) {
    if (!all)
        return SW_OK;
    sw_status status = sw_observations_flush(all, error);
    for (size_t i = 0; i < SLOTS && !sw_failed(status); i++)
        status = empty_slot(all, &all->slots[i], error);
    sw_stats_merge(all->served->stats, &all->stats);
    release(all);
    return status;
}
