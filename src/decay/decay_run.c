/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test for decay, run over all looks, and the trail that its evidence comes from. Of a version
 * that decayed `now` and the evidence are as of the last alarm: the test then begins anew, and what
 * it has seen since says nothing of why.
 */
#include "decay/decay_private.h"

#include <math.h>

/* While a version stays bad the test keeps alarming; it is well again after a day without. */
#define ALARM_STANDS_MS ((int64_t)24 * 3600 * 1000)

/* The looks since the last restart: of a long trail, the newer half and more. */
typedef struct trail {
    sw_decay_test before, middle; /* the look `from`, the look `half` */
    size_t from, half, count, last;
} trail;

static void follow(trail *t, const sw_decay_test *test, size_t at) {
    if (t->count == SW_DECAY_LOOKS_KEPT) {
        t->before = t->middle;
        t->from = t->half;
        t->count = SW_DECAY_LOOKS_KEPT / 2;
    }
    if (t->count == SW_DECAY_LOOKS_KEPT / 2) {
        t->middle = *test;
        t->half = at;
    }
    if (t->count == 0) {
        t->before = *test;
        t->from = at;
    }
    t->count++;
    t->last = at;
}

static double mean_of(const sw_loss_sums *losses) {
    return losses->rows ? sw_sum_value(losses->loss) / (double)losses->rows : NAN;
}

/* What `t` says of the evidence, whose value is filled in. */
static sw_status keep_trail(sw_decay_evidence *out, const trail *t, const sw_loss_sums *looks,
                            sw_arena *arena, sw_error *error) {
    sw_loss_sums since = t->before.since;
    out->trail.before = t->before;
    out->trail.looks = sw_arena_alloc(arena, (t->count + 1) * sizeof *out->trail.looks);
    if (!out->trail.looks)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the looks at the labels");
    for (size_t i = t->from; t->count && i <= t->last; i++) {
        if (looks[i].rows == 0)
            continue;
        out->trail.looks[out->trail.count++] = looks[i];
        sw_loss_merge(&since, &looks[i]);
    }
    out->now = mean_of(&since);
    return SW_OK;
}

sw_status sw_decay_run(sw_decay_evidence *out, const sw_loss_sums *looks, size_t count,
                       int64_t first_look, int64_t now_ms, sw_arena *arena, sw_error *error) {
    sw_decay_test test;
    sw_decay_state state = SW_DECAY_TOO_FEW;
    trail now = {0}, alarmed = {0};
    double alarm_evidence = NAN;
    int64_t last_alarm_ms = 0;
    sw_decay_test_start(&test, &out->trail.baseline, &out->trail.plan);
    now.before = test;
    for (size_t i = 0; i < count; i++) {
        if (looks[i].rows == 0)
            continue;
        uint64_t alarms = test.alarms;
        follow(&now, &test, i);
        state = sw_decay_test_look(&test, &looks[i]);
        out->rows += looks[i].rows;
        if (test.alarms == alarms)
            continue;
        int64_t at_ms = (first_look + (int64_t)i + 1) * DECAY_LOOK_MS;
        if (at_ms - last_alarm_ms > ALARM_STANDS_MS)
            out->since_ms = at_ms;
        last_alarm_ms = at_ms;
        alarmed = now;
        alarm_evidence = sw_decay_evidence_log10(&test);
        now = (trail){.before = test};
    }
    out->state = last_alarm_ms > now_ms - ALARM_STANDS_MS ? SW_DECAY_DECAYED : state;
    bool decayed = out->state == SW_DECAY_DECAYED;
    out->since_ms = decayed ? out->since_ms : 0;
    out->evidence_log10 = decayed ? alarm_evidence : sw_decay_evidence_log10(&test);
    out->threshold_log10 = sw_decay_threshold_log10(&test);
    out->baseline = test.baseline_mean;
    return keep_trail(out, decayed ? &alarmed : &now, looks, arena, error);
}
