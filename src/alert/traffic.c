/* SPDX-License-Identifier: Apache-2.0 */
#include "alert/traffic_private.h"

#include "base/mem.h"

enum {
    SLOT_MS = 10000,
    SLOTS = 61, /* ten minutes, and the one in which they begin */
    MINUTE_MS = 60000,
    MINUTES = 72, /* an hour before a window of ten minutes */
    USUAL_MINUTES = 60,
};

/* Ten seconds of requests; of the histogram what counted. */
typedef struct bucket {
    uint16_t at;
    uint32_t count;
} bucket;

typedef struct slot {
    int64_t number; /* steady time / 10 s; what is older is overwritten */
    uint64_t requests, failures, count, sum_ns;
    bucket *buckets;
    uint32_t bucket_count;
} slot;

typedef struct minute {
    int64_t number;
    uint64_t requests;
} minute;

typedef struct version {
    struct version *next;
    char *model;
    uint32_t number;
    int64_t began_ms;
    int64_t open;             /* number of the slot that is being gathered */
    sw_stats_shard base, now; /* totals when it began, and newest */
    slot slots[SLOTS];
    minute minutes[MINUTES];
} version;

struct sw_traffic {
    version *versions;
};

sw_status sw_traffic_make(sw_traffic **out, sw_error *error) {
    *out = sw_mem_zalloc(1, sizeof **out);
    return *out ? SW_OK : sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts");
}

static void free_version(version *v) {
    for (int i = 0; i < SLOTS; i++)
        sw_mem_free(v->slots[i].buckets);
    sw_mem_free(v->model);
    sw_mem_free(v);
}

void sw_traffic_free(sw_traffic *traffic) {
    if (!traffic)
        return;
    for (version *v = traffic->versions, *next; v; v = next) {
        next = v->next;
        free_version(v);
    }
    sw_mem_free(traffic);
}

static version *find(const sw_traffic *traffic, sw_str model, uint32_t number) {
    version *v = traffic->versions;
    while (v && !(v->number == number && sw_str_is(model, v->model)))
        v = v->next;
    return v;
}

static version *add_version(sw_traffic *traffic, sw_str model, uint32_t number, int64_t steady_ms) {
    version *v = sw_mem_zalloc(1, sizeof *v);
    char *name = v ? sw_mem_copy(model.at, model.len) : NULL;
    if (!name) {
        sw_mem_free(v);
        return NULL;
    }
    v->next = traffic->versions;
    v->model = name;
    v->number = number;
    v->began_ms = steady_ms;
    v->open = steady_ms / SLOT_MS;
    for (int i = 0; i < SLOTS; i++)
        v->slots[i].number = -1;
    for (int i = 0; i < MINUTES; i++)
        v->minutes[i].number = -1;
    traffic->versions = v;
    return v;
}

/* Buckets are 32 bits wide and may wrap; their difference does not mind. */
static uint32_t counted(const version *v, uint32_t i) {
    return v->now.total.buckets[i] - v->base.total.buckets[i];
}

/* Where memory is out the slot has its counts, but no latencies. */
static void keep_buckets(slot *s, const version *v) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS; i++)
        used += counted(v, i) != 0;
    sw_mem_free(s->buckets);
    s->buckets = used ? sw_mem_alloc(used * sizeof *s->buckets) : NULL;
    s->bucket_count = 0;
    for (uint32_t i = 0; s->buckets && i < SW_HISTOGRAM_BUCKETS; i++)
        if (counted(v, i))
            s->buckets[s->bucket_count++] = (bucket){(uint16_t)i, counted(v, i)};
    s->count = s->bucket_count ? v->now.total.count - v->base.total.count : 0;
    s->sum_ns = s->bucket_count ? v->now.total.sum_ns - v->base.total.sum_ns : 0;
}

static void close_slot(version *v) {
    slot *s = &v->slots[v->open % SLOTS];
    int64_t number = v->open * SLOT_MS / MINUTE_MS;
    minute *m = &v->minutes[number % MINUTES];
    s->number = v->open;
    s->requests = v->now.requests - v->base.requests;
    s->failures = v->now.failures - v->base.failures;
    keep_buckets(s, v);
    if (m->number != number)
        *m = (minute){.number = number};
    m->requests += s->requests;
    v->base = v->now;
}

sw_status sw_traffic_take(sw_traffic *traffic, sw_str model, uint32_t number,
                          const sw_stats_shard *totals, int64_t steady_ms, sw_error *error) {
    version *v = find(traffic, model, number);
    if (!v) {
        v = add_version(traffic, model, number, steady_ms);
        if (!v)
            return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for alerts");
        v->base = v->now = *totals;
        return SW_OK;
    }
    if (steady_ms / SLOT_MS > v->open) {
        close_slot(v); /* with what came until the step before */
        v->open = steady_ms / SLOT_MS;
    }
    v->now = *totals;
    return SW_OK;
}

typedef struct reading {
    sw_traffic *traffic;
    int64_t steady_ms;
    sw_status status;
    sw_error *error;
} reading;

static void visit(sw_str model, uint32_t number, const sw_stats_shard *totals, void *context) {
    reading *r = context;
    sw_status status = sw_traffic_take(r->traffic, model, number, totals, r->steady_ms, r->error);
    if (sw_failed(status))
        r->status = status;
}

sw_status sw_traffic_read(sw_traffic *traffic, sw_stats *stats, int64_t steady_ms,
                          sw_error *error) {
    reading r = {traffic, steady_ms, SW_OK, error};
    sw_stats_each(stats, visit, &r);
    return r.status;
}

static void add_slot(sw_evidence_window *out, const slot *s) {
    out->requests += s->requests;
    out->failures += s->failures;
    out->total.count += s->count;
    out->total.sum_ns += s->sum_ns;
    for (uint32_t i = 0; i < s->bucket_count; i++)
        out->total.buckets[s->buckets[i].at] += s->buckets[i].count;
}

static void add_open(sw_evidence_window *out, const version *v) {
    out->requests += v->now.requests - v->base.requests;
    out->failures += v->now.failures - v->base.failures;
    out->total.count += v->now.total.count - v->base.total.count;
    out->total.sum_ns += v->now.total.sum_ns - v->base.total.sum_ns;
    for (uint32_t i = 0; i < SW_HISTOGRAM_BUCKETS; i++)
        out->total.buckets[i] += counted(v, i);
}

/* The whole minutes of the hour before the window, as far as there are. */
static void add_usual(sw_evidence_window *out, const version *v, int64_t from_ms) {
    int64_t end = from_ms / MINUTE_MS, begin = v->began_ms / MINUTE_MS + 1;
    if (begin < end - USUAL_MINUTES)
        begin = end - USUAL_MINUTES;
    for (int64_t number = begin; number < end; number++) {
        const minute *m = &v->minutes[number % MINUTES];
        out->usual_requests += m->number == number ? m->requests : 0;
    }
    out->usual_s = end > begin ? (uint32_t)((end - begin) * MINUTE_MS / 1000) : 0;
}

bool sw_traffic_window(sw_evidence_window *out, bool *whole, const sw_traffic *traffic,
                       sw_str model, uint32_t number, uint32_t window_s, int64_t steady_ms) {
    const version *v = find(traffic, model, number);
    *out = (sw_evidence_window){0};
    *whole = false;
    if (!v)
        return false;
    int64_t slots = (int64_t)window_s * 1000 / SLOT_MS, first = v->open - slots;
    int64_t from_ms = first * SLOT_MS;
    *whole = v->began_ms <= from_ms;
    if (from_ms < v->began_ms)
        from_ms = v->began_ms;
    for (int64_t n = first < 0 ? 0 : first; n < v->open; n++)
        if (v->slots[n % SLOTS].number == n)
            add_slot(out, &v->slots[n % SLOTS]);
    add_open(out, v);
    out->window_s = (uint32_t)((steady_ms - from_ms + 999) / 1000);
    add_usual(out, v, from_ms);
    return true;
}
