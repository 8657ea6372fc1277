/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/stats.h"

#include "base/mem.h"

#include <math.h>
#include <pthread.h>

/* A ring of closed points and the counts of the point that is being gathered. */
typedef struct series {
    uint32_t step_s, cap, used, next;
    uint32_t age_s; /* seconds gathered in `open` */
    sw_stats_shard open;
    sw_traffic_point *points;
} series;

enum { SERIES = 3 };
static const struct {
    uint32_t step_s, cap;
} series_shape[SERIES] = {{1, 300}, {10, 360}, {60, 1440}};

typedef struct model_stats model_stats;
struct model_stats {
    model_stats *next;
    char *name;
    uint64_t requests, failures;
    sw_stats_shard second; /* of all versions, since the last tick */
    series series[SERIES];
};

struct sw_version_stats {
    sw_version_stats *next;
    sw_stats *stats;
    model_stats *model;
    uint32_t version;
    sw_stats_shard totals;
};

struct sw_stats {
    pthread_mutex_t lock;
    int64_t tick_ms; /* of the last tick */
    model_stats *models;
    sw_version_stats *versions;
};

sw_status sw_stats_make(sw_stats **out, sw_error *error) {
    sw_stats *stats = sw_mem_zalloc(1, sizeof *stats);
    if (!stats)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the traffic counters");
    pthread_mutex_init(&stats->lock, NULL);
    *out = stats;
    return SW_OK;
}

static void free_model(model_stats *model) {
    for (int i = 0; i < SERIES; i++)
        sw_mem_free(model->series[i].points);
    sw_mem_free(model->name);
    sw_mem_free(model);
}

void sw_stats_free(sw_stats *stats) {
    if (!stats)
        return;
    while (stats->versions) {
        sw_version_stats *next = stats->versions->next;
        sw_mem_free(stats->versions);
        stats->versions = next;
    }
    while (stats->models) {
        model_stats *next = stats->models->next;
        free_model(stats->models);
        stats->models = next;
    }
    pthread_mutex_destroy(&stats->lock);
    sw_mem_free(stats);
}

static model_stats *find_model(const sw_stats *stats, sw_str name) {
    model_stats *model = stats->models;
    while (model && !sw_str_is(name, model->name))
        model = model->next;
    return model;
}

static model_stats *make_model(sw_stats *stats, sw_str name) {
    model_stats *model = sw_mem_zalloc(1, sizeof *model);
    if (!model)
        return NULL;
    bool whole = (model->name = sw_mem_copy(name.at, name.len)) != NULL;
    for (int i = 0; i < SERIES; i++) {
        series *s = &model->series[i];
        s->step_s = series_shape[i].step_s;
        s->cap = series_shape[i].cap;
        s->points = sw_mem_zalloc(s->cap, sizeof *s->points);
        whole = whole && s->points;
    }
    if (!whole) {
        free_model(model);
        return NULL;
    }
    model->next = stats->models;
    stats->models = model;
    return model;
}

static sw_version_stats *find_or_make(sw_stats *stats, sw_str name, uint32_t version) {
    model_stats *model = find_model(stats, name);
    if (!model && !(model = make_model(stats, name)))
        return NULL;
    for (sw_version_stats *v = stats->versions; v; v = v->next)
        if (v->model == model && v->version == version)
            return v;
    sw_version_stats *made = sw_mem_zalloc(1, sizeof *made);
    if (made) {
        *made = (sw_version_stats){
            .next = stats->versions, .stats = stats, .model = model, .version = version};
        stats->versions = made;
    }
    return made;
}

sw_version_stats *sw_stats_of(sw_stats *stats, sw_str model, uint32_t version) {
    pthread_mutex_lock(&stats->lock);
    sw_version_stats *found = find_or_make(stats, model, version);
    pthread_mutex_unlock(&stats->lock);
    return found;
}

static void add(sw_stats_shard *into, const sw_stats_shard *from) {
    into->requests += from->requests;
    into->failures += from->failures;
    into->refusals += from->refusals;
    into->rows += from->rows;
    sw_histogram_merge(&into->queue, &from->queue);
    sw_histogram_merge(&into->inference, &from->inference);
    sw_histogram_merge(&into->total, &from->total);
}

void sw_stats_merge(sw_version_stats *version, sw_stats_shard *shard) {
    if (shard->requests == 0)
        return;
    pthread_mutex_lock(&version->stats->lock);
    add(&version->totals, shard);
    add(&version->model->second, shard);
    version->model->requests += shard->requests;
    version->model->failures += shard->failures;
    pthread_mutex_unlock(&version->stats->lock);
    memset(shard, 0, sizeof *shard);
}

static float quantile_ms(const sw_histogram *h, double q) {
    return h->count ? (float)(sw_histogram_quantile(h, q) / 1e6) : NAN;
}

static sw_traffic_point point_of(const sw_stats_shard *open, int64_t at_ms) {
    return (sw_traffic_point){
        .at_ms = at_ms,
        .requests = open->requests,
        .failures = open->failures,
        .p50_ms = quantile_ms(&open->total, 0.5),
        .p90_ms = quantile_ms(&open->total, 0.9),
        .p99_ms = quantile_ms(&open->total, 0.99),
        .queue_p50_ms = quantile_ms(&open->queue, 0.5),
        .inference_p50_ms = quantile_ms(&open->inference, 0.5),
    };
}

static void close_point(series *s, int64_t now_ms) {
    const sw_stats_shard *open = &s->open;
    s->points[s->next] = point_of(open, now_ms);
    s->next = (s->next + 1) % s->cap;
    s->used += s->used < s->cap;
    s->age_s = 0;
    if (open->requests)
        memset(&s->open, 0, sizeof s->open);
}

void sw_stats_tick(sw_stats *stats, int64_t now_ms) {
    pthread_mutex_lock(&stats->lock);
    stats->tick_ms = now_ms;
    for (model_stats *model = stats->models; model; model = model->next) {
        for (int i = 0; i < SERIES; i++) {
            series *s = &model->series[i];
            if (model->second.requests)
                add(&s->open, &model->second);
            if (++s->age_s >= s->step_s)
                close_point(s, now_ms);
        }
        if (model->second.requests)
            memset(&model->second, 0, sizeof model->second);
    }
    pthread_mutex_unlock(&stats->lock);
}

size_t sw_stats_series(sw_traffic_point *points, uint32_t *step_s, sw_stats *stats, sw_str model,
                       uint32_t minutes) {
    int which = minutes <= 5 ? 0 : minutes <= 60 ? 1 : 2;
    *step_s = series_shape[which].step_s;
    uint32_t want = minutes * 60 / *step_s, count = 0;
    pthread_mutex_lock(&stats->lock);
    const model_stats *found = find_model(stats, model);
    if (found) {
        const series *s = &found->series[which];
        count = s->used < want ? s->used : want;
        for (uint32_t i = 0; i < count; i++)
            points[i] = s->points[(s->next + s->cap - count + i) % s->cap];
        if (s->age_s > 0)
            points[count++] = point_of(&s->open, stats->tick_ms);
    }
    pthread_mutex_unlock(&stats->lock);
    return count;
}

/* The worst p99 and the request-weighted p50 of the last minute's points. */
static void last_minute(sw_traffic_now *out, const series *s) {
    uint64_t requests = 0, failures = 0;
    double p50 = 0, p99 = NAN;
    uint32_t count = s->used < 60 ? s->used : 60;
    for (uint32_t i = 0; i < count; i++) {
        const sw_traffic_point *p = &s->points[(s->next + s->cap - count + i) % s->cap];
        requests += p->requests;
        failures += p->failures;
        if (p->requests) {
            p50 += (double)p->p50_ms * (double)p->requests;
            p99 = isnan(p99) || (double)p->p99_ms > p99 ? (double)p->p99_ms : p99;
        }
    }
    out->requests_per_s = count ? (double)requests / count : 0;
    out->failure_share = requests ? (double)failures / (double)requests : 0;
    out->p50_ms = requests ? p50 / (double)requests : NAN;
    out->p99_ms = p99;
}

void sw_stats_now(sw_traffic_now *out, sw_stats *stats, sw_str model) {
    *out = (sw_traffic_now){.p50_ms = NAN, .p99_ms = NAN};
    pthread_mutex_lock(&stats->lock);
    const model_stats *found = find_model(stats, model);
    if (found) {
        last_minute(out, &found->series[0]);
        out->requests = found->requests;
        out->failures = found->failures;
    }
    pthread_mutex_unlock(&stats->lock);
}

void sw_stats_each(sw_stats *stats,
                   void (*visit)(sw_str model, uint32_t version, const sw_stats_shard *totals,
                                 void *context),
                   void *context) {
    pthread_mutex_lock(&stats->lock);
    for (const sw_version_stats *v = stats->versions; v; v = v->next)
        visit(sw_str_of(v->model->name), v->version, &v->totals, context);
    pthread_mutex_unlock(&stats->lock);
}
